"""The walk of `make run` against a deployed stack, over its real APIs.

Makes three users and an app client in the stack's pool and takes them away again. Where that is not wanted, or the pool is
not the stack's own, tokens are taken from the environment: TOKEN_READER, TOKEN_WRITER, TOKEN_ADMIN, TOKEN_MACHINE,
TOKEN_EXPIRED and so on; what is not there is said and left out.
"""

import argparse
import contextlib
import secrets
import sys

try:
    from account import settle
    from cases import KINDS
    from pool import People, given_tokens, made_from
    from processes import Failure, prepare
    from report import Report
    from stack import OUTPUTS, Stack
    from walk import Walk
except ModuleNotFoundError as missing:
    sys.exit(
        f"The Python package `{missing.name}` is missing: start this with `make smoke`, which installs what it needs."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="cognito-authorizer", help="the stack's name")
    parser.add_argument("--url", help="only the API at this address, if not all three of the stack")
    parser.add_argument("--kind", choices=list(KINDS), help="which kind of API that is, if it is none of the stack's")
    arguments = parser.parse_args()

    prepare()
    account = settle()
    account.announce(f"{arguments.stack}, which is asked and left as it is")
    stack = Stack(arguments.stack)
    urls = chosen(stack, arguments.url, arguments.kind)
    with contextlib.ExitStack() as cleanup:
        tokens, cached = given_tokens(), None
        if "WebClientId" in stack.outputs and "reader" not in tokens:
            print(f"Making users in {stack.outputs['UserPoolId']}, for as long as this runs, and signing them in")
            people = cleanup.enter_context(People(stack, prefix=f"smoke-{secrets.token_hex(4)}-"))
            tokens = people.tokens() | tokens
            cached = people.sign_in(stack.outputs["WebClientId"], "reader", "openid", *people.read)["access_token"]
        elif "reader" in tokens:
            tokens = made_from(tokens["reader"]) | tokens
        walk = Walk(stack, tokens)
        walk.all(list(urls), urls)
        if not arguments.url:
            Report(stack, walk.tokens, urls, cached).print()
    print(f"\n{walk.asked} requests, {walk.surprises} not as expected, {walk.skipped} left out for want of a token")
    if not walk.asked:
        print("The pool is not the stack's own: give tokens in TOKEN_READER and so on (docs/deploy.md)")
    return 1 if walk.surprises or not walk.asked else 0


def chosen(stack: Stack, url: str | None, kind: str | None) -> dict[str, str]:
    """The addresses to ask, by kind."""
    if not url:
        return {kind: stack.url(kind) for kind in KINDS}
    url = url.rstrip("/")
    for each in KINDS:
        if kind in (None, each) and url in (stack.outputs[OUTPUTS[each]], stack.url(each)):
            return {each: stack.url(each)}
    if not kind:
        raise Failure(f"{url} is none of the stack's APIs: say with KIND= whether it is {', '.join(KINDS)}")
    return {kind: url}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
