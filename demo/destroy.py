"""Deletes the stack, and says what it left: users and revoked tokens outlive it unless everything is to go."""

import argparse
import subprocess
import sys
from pathlib import Path

try:
    from botocore.exceptions import ClientError
    from processes import Failure
    from stack import Stack
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package `{missing.name}` is missing: start this with `make destroy`.")

SAM = Path(__file__).resolve().parent.parent / ".venv/sam/bin/sam"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="cognito-authorizer", help="the stack's name")
    parser.add_argument("--everything", action="store_true", help="the users and the table of revocations too")
    arguments = parser.parse_args()

    stack = Stack(arguments.stack)
    resources = stack.resources
    region = stack.aws("cloudformation").meta.region_name
    subprocess.run(
        [SAM, "delete", "--no-prompts", "--stack-name", stack.name, "--region", region], check=True, timeout=1800
    )
    table, pool, role = (resources.get(name) for name in ("RevocationsTable", "UserPool", "AccessLogAccountRole"))
    if arguments.everything:
        delete(stack, "dynamodb", "delete_table", TableName=table)
        if pool:
            delete(stack, "cognito-idp", "delete_user_pool", UserPoolId=pool)
        print(f"Deleted with all that was in them: the table {table}" + (f" and the user pool {pool}" if pool else ""))
    else:
        print(f"Kept: the table {table}, without which revoked tokens would pass again")
        if pool:
            print(f"Kept: the user pool {pool} with its users")
        print("With EVERYTHING=1 they are deleted as well; now that the stack is gone, by hand.")
    if role:
        print(f"Kept: the role {role}, through which API Gateway writes access logs in this account and Region")
    return 0


def delete(stack: Stack, service: str, operation: str, **what: str) -> None:
    try:
        getattr(stack.aws(service), operation)(**what)
    except ClientError as error:
        raise Failure(f"{', '.join(what.values())} is left: {error}") from error


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
