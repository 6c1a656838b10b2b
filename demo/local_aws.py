"""A local AWS (MiniStack), and the repository's template deployed to it with the SAM CLI."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import boto3
import table
from completion import complete
from processes import Failure, Process, free_port
from stack import Stack
from template import REPOSITORY, functions, nested_templates, with_code

NAME = "cognito-authorizer"
BUCKET = "artifacts"
# What is added to authorizer.yaml where the build has Cedar (FEATURES=cedar): one route, decided by demo/policies/.
CEDAR_ROUTE = "  ANY /documents/{owner}/{id}: { cedar: true }\n"
CEDAR_SECTION = "\ncedar: { namespace: Documents, policies: policies/ }\n"
# Types that MiniStack refuses a template for. `complete` makes them.
UNKNOWN_TYPES = ("AWS::ApiGatewayV2::RouteResponse",)


@contextlib.contextmanager
def local_aws(folder: Path):
    """Runs it for as long as the `with` lasts; from here on, this process and its children speak to it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "AUTH": "true",  # without it tokens are not looked at
        "AWS_ENDPOINT_URL": url,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "false",  # it would listen on a port of its own
        "LAMBDA_EXECUTOR": "local",
        "STATE_DIR": str(folder / "ministack"),
        "TMPDIR": str(folder),  # it leaves the code of functions behind
    }
    with Process(["ministack"], environment, folder / "ministack.log") as process:
        process.wait_for_port(port)
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        yield url


def without_aws() -> None:
    """Forgets whatever account this process could reach, and any proxy."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    # boto3 would read profiles from the home directory, and ask for the credentials of an EC2 instance.
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= {"AWS_EC2_METADATA_DISABLED": "true"}


def deploy(folder: Path, *parameters: str, name: str = NAME) -> Stack:
    """The stack of template.yaml, by `sam deploy`, with what MiniStack leaves out added."""
    template = folder / "build" / "template.yaml"
    if not template.is_file():
        build(template)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for file in nested_templates(template_text()):
            s3.upload_file(REPOSITORY / file, BUCKET, file)
    command = [str(REPOSITORY / ".venv/sam/bin/sam"), "deploy", "--template-file", str(template)]
    command += ["--stack-name", name, "--s3-bucket", BUCKET, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--no-progressbar"]
    command += ["--parameter-overrides", *parameters] if parameters else []
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, cwd=folder, timeout=300)
    if done.returncode:
        raise Failure(f"sam deploy failed:\n{done.stdout}{done.stderr}")
    stack = Stack(name)
    complete(stack, template_text())
    return stack


def template_text() -> str:
    return (REPOSITORY / "template.yaml").read_text()


def build(template: Path, text: str | None = None) -> None:
    """What `sam build` leaves behind, but with the debug build instead of a release build for Amazon Linux."""
    text = text or template_text()
    programs = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"), "debug")
    for function, (program, files) in functions(text).items():
        folder = template.parent / function
        folder.mkdir(parents=True, exist_ok=True)
        stripped(programs / program, folder / "bootstrap")
        for file in files:
            shutil.copy(REPOSITORY / file, folder)
    with_policies(template.parent / "AuthorizerFunction")
    # As `sam deploy` would write it for AWS: `sam delete` does not know the addresses of MiniStack.
    for file in nested_templates(text):
        text = text.replace(f"TemplateURL: {file}\n", f"TemplateURL: https://s3.us-east-1.amazonaws.com/{BUCKET}/{file}\n")
    text = with_code(text, {function: function for function in functions(text)})
    for name, block in unknown_resources(text).items():
        text = text.replace(block, f"  # {name}: made after the deployment\n")
    template.write_text(text)


def with_policies(function: Path) -> None:
    """The sample's table and one route more, where the build has Cedar; a table of one's own stays as it is."""
    if not (table.has_cedar() and table.is_sample(table.routes())):
        return
    configuration = function / "authorizer.yaml"
    text = configuration.read_text()
    configuration.write_text(text.replace("routes:\n", f"routes:\n{CEDAR_ROUTE}", 1) + CEDAR_SECTION)
    shutil.copytree(REPOSITORY / "demo/policies", function / "policies")


def unknown_resources(template: str) -> dict[str, str]:
    """The resources of the types that MiniStack refuses, as text, by their logical names."""
    blocks = re.finditer(r"^  (\w+):.*\n(?:(?:    .*)?\n)+", template, re.MULTILINE)
    return {block[1]: block[0] for block in blocks if any(f"    Type: {each}\n" in block[0] for each in UNKNOWN_TYPES)}


def stripped(program: Path, copy: Path) -> None:
    """A copy without debugging symbols, which are nine tenths of it; with them where there is no `strip`."""
    if not program.is_file():
        raise Failure(f"{program} is missing: start this with make, which builds it")
    if not shutil.which("strip") or subprocess.run(["strip", "-o", copy, program]).returncode:
        shutil.copy(program, copy)
