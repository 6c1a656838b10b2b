"""Builds and deploys the template, after it has said into which account and Region, and what will change.

A parameter that is not given keeps the value that the stack has; `Name=` empties it.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

try:
    import boto3
    from account import Account, settle
    from botocore.exceptions import ClientError
    from processes import Failure
    from template import REPOSITORY, functions, has_api, parameters, with_code, with_files_of
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package `{missing.name}` is missing: start this with `make deploy`.")

SAM = REPOSITORY / ".venv/sam/bin/sam"
NEXT = """
Deployed. What to do next (STACK={} where that is not the default):
  make smoke                    real requests to the three APIs
  make admin EMAIL=...          the first administrator
  TOKEN=$(make -s token)        a first token"""
NEVER_MADE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="cognito-authorizer", help="the stack's name")
    parser.add_argument("--template", type=Path, default=REPOSITORY / "template.yaml")
    parser.add_argument("--prebuilt", type=Path, help="a folder with a release's packages: nothing is compiled")
    parser.add_argument("--bucket", help="the bucket for the packages, if not the one that SAM manages")
    parser.add_argument("--tags", default="", help="tags of everything that takes tags: Name=value ...")
    parser.add_argument("--role-arn", help="the role that CloudFormation acts as")
    parser.add_argument("parameters", nargs="*", help="Name=value")
    arguments = parser.parse_args()

    account = settle()
    text = arguments.template.read_text()
    known = parameters(text)
    given = read_parameters(arguments.parameters, known)
    before = described(arguments.stack)
    if before and before["StackStatus"] in NEVER_MADE:
        raise Failure(why_it_failed(arguments.stack, before["StackStatus"]))
    had = values(before)
    chosen, notes = choose(arguments.stack, account, known, given, had if before else None)
    account.announce(
        f"{arguments.stack}, which {'will be updated' if before else 'does not exist and will be made'}",
        *changes(chosen, had if before else None),
        *notes,
    )
    architecture = chosen.get("Architecture") or had.get("Architecture") or known["Architecture"]
    check(arguments, text)
    template = built(arguments, text, architecture)
    sam_deploy(arguments, account, template, chosen)
    if not before and chosen.get("DeletionProtection") == "off" and "DeletionProtection" not in given:
        protect(arguments.stack)
    print(NEXT.format(arguments.stack) if has_api(text) else "\nDeployed. Attach AuthorizerFunctionArn to your APIs: docs/deploy.md")
    return 0


def read_parameters(words: list[str], known: dict[str, str]) -> dict[str, str]:
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in known:
            raise Failure(f"{word}: the template has no parameter {name}; it has {', '.join(known)}")
        given[name] = value
    return given


def described(stack: str) -> dict | None:
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise Failure(f"the stack {stack} cannot be read: {error}") from error
    # A change set was made, and never carried out: there is no stack yet.
    return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else found


def values(stack: dict | None) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in (stack or {}).get("Parameters", [])}


def choose(stack: str, account: Account, known: dict, given: dict, had: dict | None) -> tuple[dict, list[str]]:
    """The parameters to set, and why those that nobody gave."""
    chosen, notes = dict(given), []
    if had is None and "AccessLogRole" in known and "AccessLogRole" not in given:
        role = boto3.client("apigateway").get_account().get("cloudwatchRoleArn")
        chosen["AccessLogRole"] = "existing" if role else "create"
        notes.append(
            f"Access logs: this account and Region has a role for them already ({role.rpartition('/')[2]}), which stays"
            if role
            else "Access logs: this account and Region has no role for them; the stack makes one, for all of its APIs"
        )
    if had is None and "RevocationsTableName" in known and "RevocationsTableName" not in given and (left := tables_left_by(stack)):
        raise Failure(
            f"an earlier stack of this name left a table of revocations, {', '.join(left)}: with an empty one, what it refuses would pass.\n"
            f'To go on with it:       make deploy PARAMETERS="RevocationsTableName={left[0]}"\n'
            'To begin with none:     make deploy PARAMETERS="RevocationsTableName="'
        )
    if had is None and "DeletionProtection" in known and "DeletionProtection" not in given:
        chosen["DeletionProtection"] = "off"
        notes.append("Deletion protection is turned on once the stack is there: a failed deployment must be able to go away")
    if had is not None and given.get("UserPoolId"):
        [own] = [each.get("PhysicalResourceId") for each in resources(stack) if each["LogicalResourceId"] == "UserPool"] or [None]
        if own == given["UserPoolId"]:
            raise Failure(f"{own} is the stack's own pool: without USER_POOL_ID the stack goes on using it (is it in your environment?)")
    return chosen, notes


def resources(stack: str) -> list[dict]:
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def tables_left_by(stack: str) -> list[str]:
    """Tables that CloudFormation named for a stack of this name, or that `make restore` made of one."""
    pages = boto3.client("dynamodb").get_paginator("list_tables").paginate()
    return sorted(name for page in pages for name in page["TableNames"] if name.startswith(f"{stack}-RevocationsTable-"))


def changes(chosen: dict[str, str], had: dict[str, str] | None) -> list[str]:
    if had is None:
        return [f"{name} = {value or '(empty)'}" for name, value in sorted(chosen.items())]
    told = [
        f"{name}: {had.get(name) or '(empty)'} -> {value or '(empty)'}"
        for name, value in sorted(chosen.items())
        if had.get(name, "") != value
    ]
    return [*told, "Every other parameter keeps its value"]


def why_it_failed(stack: str, status: str) -> str:
    """The first thing that went wrong, which the console hides below everything that followed from it."""
    pages = boto3.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    failed = [
        event
        for page in pages
        for event in page["StackEvents"]
        if event.get("ResourceStatus", "").endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", "")
    ]
    reason = "".join(f"\n  {each['LogicalResourceId']}: {each.get('ResourceStatusReason')}" for each in failed[-1:])
    return (
        f"{stack} is in {status}: its first deployment failed, and it can only be deleted.{reason}\n"
        f"docs/deploy.md has what to do, under \"If it fails\". Then: make destroy STACK={stack}, and make deploy again."
    )


def check(arguments, text: str) -> None:
    """`authctl check`. One fault in authorizer.yaml would make every request of every API a 500."""
    authctl = arguments.prebuilt and arguments.prebuilt / "authctl"
    if authctl and authctl.is_file():
        command = [*make("check"), f"AUTHCTL={authctl.resolve()}", "BINARIES=true"]
    elif shutil.which("cargo"):
        command = make("check")
    else:
        print("NOT CHECKED: there is no authctl among the packages and no Rust; faults show when the function starts\n", flush=True)
        return
    # Of a template without an API there is nothing to hold the configuration against.
    run([*command, f"TEMPLATE={arguments.template if has_api(text) else ''}"], "authorizer.yaml would not work as it is: nothing was deployed")


def built(arguments, text: str, architecture: str) -> Path:
    if arguments.prebuilt:
        return assembled(arguments.prebuilt, text, architecture, REPOSITORY / ".aws-sam/prebuilt")
    other = "arm64" if architecture == "x86_64" else "x86_64"
    hint = f"the build for {architecture} failed. Is Rust's target there (rustup target add)? ARCHITECTURE={other} is the other one"
    run([*make("build"), f"ARCHITECTURE={architecture}", f"TEMPLATE={arguments.template}"], hint)
    return REPOSITORY / ".aws-sam/build/template.yaml"


def assembled(packages: Path, text: str, architecture: str, folder: Path) -> Path:
    """What `sam build` would leave behind, out of a release's packages and the configuration that is here."""
    shutil.rmtree(folder, ignore_errors=True)
    sums = dict(reversed(line.split(None, 1)) for line in (packages / "SHA256SUMS").read_text().splitlines())
    for function, (program, files) in functions(text).items():
        name = f"{program}-{architecture}.zip"
        package = packages / name
        if not package.is_file():
            raise Failure(f"{packages} has no {name}")
        if hashlib.sha256(package.read_bytes()).hexdigest() != sums.get(name):
            raise Failure(f"{package} is not what SHA256SUMS says")
        (folder / function).mkdir(parents=True)
        with zipfile.ZipFile(package) as archive:
            archive.extract("bootstrap", folder / function)
        (folder / function / "bootstrap").chmod(0o755)
        for file in files:
            shutil.copy(REPOSITORY / file, folder / function)
    text = with_code(text, {function: function for function in functions(text)})
    (folder / "template.yaml").write_text(with_files_of(text, REPOSITORY))
    return folder / "template.yaml"


def sam_deploy(arguments, account: Account, template: Path, chosen: dict[str, str]) -> None:
    command = [SAM, "deploy", "--template-file", template, "--config-file", REPOSITORY / "samconfig.toml"]
    command += ["--stack-name", arguments.stack, "--region", account.region]
    command += ["--s3-bucket", arguments.bucket, "--no-resolve-s3"] if arguments.bucket else []
    command += ["--tags", *arguments.tags.split()] if arguments.tags else []
    command += ["--role-arn", arguments.role_arn] if arguments.role_arn else []
    # Quoted, since SAM splits the words once more; an empty value has to be quoted in any case.
    command += ["--parameter-overrides", *(f'{name}="{value}"' for name, value in chosen.items())] if chosen else []
    run(command, f"the deployment failed: see \"If it fails\" in docs/deploy.md; events: {arguments.stack} in CloudFormation")


def protect(stack: str) -> None:
    """The same stack once more, with deletion protection."""
    print("\nTurning deletion protection on", flush=True)
    cloudformation = boto3.client("cloudformation")
    kept = [
        {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
        for each in described(stack)["Parameters"]
        if each["ParameterKey"] != "DeletionProtection"
    ]
    cloudformation.update_stack(
        StackName=stack,
        UsePreviousTemplate=True,
        Parameters=[*kept, {"ParameterKey": "DeletionProtection", "ParameterValue": "on"}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": 600})


def make(target: str) -> list[str]:
    return ["make", "--directory", str(REPOSITORY), target]


def run(command: list, failure: str) -> None:
    # The make that started this has flags that are not meant for the next one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    if subprocess.run(list(map(str, command)), env=environment, cwd=REPOSITORY).returncode:
        raise Failure(failure)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
