"""The repository's template on a local AWS, and real requests to its three APIs.

Starts MiniStack, deploys template.yaml to it with the SAM CLI, signs users and a machine in, asks for what cases.py lists,
and prints what came back. Leaves nothing running.
"""

import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

try:
    import table
    from cases import KINDS
    from local_aws import deploy, local_aws, without_aws
    from pool import People, part
    from processes import Failure, prepare
    from walk import Walk
except ModuleNotFoundError as missing:
    sys.exit(
        f"The Python package `{missing.name}` is missing: start this with `make run`, which installs what it needs."
    )

NOT_AWS = """
MiniStack leaves $context.authorizer.* in the 403 of a REST API as it stands; API Gateway puts the reason there.
For the 401 of a WebSocket API MiniStack answers 500. More: docs/deploy.md, "What the emulator cannot show"."""
NEXT = """
What to try next:
  change a rule in authorizer.yaml and run this again    docs/configuration.md has every setting
  make run KEEP=1                                        keeps it up, and prints requests with live tokens to send
  make deploy                                            into your AWS account: docs/deploy.md"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep everything up until Ctrl-C")
    arguments = parser.parse_args()

    prepare()
    without_aws()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authorizer-demo-")))
        print("Starting a local AWS (MiniStack) and deploying template.yaml to it (sam deploy)")
        stack.enter_context(local_aws(folder))
        deployed = deploy(folder)
        print("Signing in: a reader, a writer, an administrator, a machine; letting one token expire")
        people = stack.enter_context(People(deployed, keep=True))
        tokens = people.tokens()
        walk = Walk(deployed, tokens)
        urls = {kind: deployed.url(kind) for kind in KINDS}
        walk.all(list(KINDS), urls)
        print(NOT_AWS)
        if walk.surprises:
            print(
                f"\n{walk.surprises} of these are not what was expected; see the arrows"
            )
        if arguments.keep:
            keep(urls, people, folder)
        else:
            print(NEXT)
    return 0


def keep(urls: dict[str, str], people: People, folder: Path) -> None:
    """Says what to send, with live tokens, and waits for Ctrl-C."""
    web = people.stack.outputs["WebClientId"]
    reader = people.sign_in(web, "reader", "openid", *people.read)["access_token"]
    admin = people.sign_in(web, "admin", "openid")["access_token"]
    sub = part(reader, 1)["sub"]
    url = people.stack.local
    lines = []
    for method, path in table.requests(table.routes()).values():
        lines += [
            f"curl -i -H \"Authorization: Bearer ${who}\" -X {method} '{urls[kind]}{path.format(reader=sub)}'"
            for who, kind in (("READER", "rest"), ("ADMIN", "http"))
        ]
    requests = "\n".join(lines)
    sign_in = (
        f"{url}/oauth2/authorize?response_type=code&client_id={web}&redirect_uri={people.stack.outputs['CallbackUrl']}"
    )
    print(f"""
All of it stays up until Ctrl-C. Try this yourself; the tokens are good for 15 minutes:

READER={reader}
ADMIN={admin}
{requests}

In a browser's console, with one of the tokens:
  new WebSocket("{urls["websocket"]}?access_token=...")
The sign-in page (rita, walt or ada; the password is {people.password}):
  {sign_in}&scope=openid
The same walk again, as against an account:
  AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test make smoke
Its log: {folder / "ministack.log"}""")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
