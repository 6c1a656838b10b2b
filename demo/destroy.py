"""Deletes the stack, and says what it left: users, revoked tokens and logs outlive it unless everything is to go."""

import argparse
import subprocess
import sys

try:
    from account import REPOSITORY, settle
    from botocore.exceptions import ClientError
    from processes import Failure
    from stack import Stack
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package `{missing.name}` is missing: start this with `make destroy`.")

SAM = REPOSITORY / ".venv/sam/bin/sam"
LOGS = ("AuthorizerLogGroup", "RevokerLogGroup", "EnricherLogGroup", "RestAccessLogs", "HttpAccessLogs", "WebSocketAccessLogs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="cognito-authorizer", help="the stack's name")
    parser.add_argument("--everything", action="store_true", help="the users, the table of revocations and the logs too")
    parser.add_argument("--yes", action="store_true", help="ask nothing, for pipelines")
    arguments = parser.parse_args()

    account = settle()
    stack = Stack(arguments.stack)
    resources = stack.resources
    table, pool, role = (resources.get(name) for name in ("RevocationsTable", "UserPool", "AccessLogAccountRole"))
    logs = [resources[name] for name in LOGS if name in resources]
    kept = [f"the table {table}"] * bool(table) + [f"the user pool {pool} with its users"] * bool(pool)
    kept += [f"{len(logs)} groups of logs, {', '.join(logs)}"] * bool(logs)
    account.announce(
        f"{stack.name}, which will be DELETED: its APIs, its functions and all that is not named here",
        *(f"{'DELETED for good' if arguments.everything else 'Kept'}: {each}" for each in kept),
    )
    if not arguments.yes:
        confirm(stack.name)

    command = [SAM, "delete", "--no-prompts", "--stack-name", stack.name, "--region", account.region]
    if subprocess.run(command, timeout=1800, cwd=REPOSITORY).returncode:
        raise Failure(f"{stack.name} could not be deleted; its events in CloudFormation say why")
    if arguments.everything:
        delete_everything(stack, table, pool, resources.get("UserPoolDomain"), logs)
        print("Deleted with all that was in them: " + ("; ".join(kept) or "nothing"))
    else:
        for each in kept:
            print(f"Kept: {each}")
        print(adoption(stack, table, pool))
    if role:
        print(f"Kept: the role {role}, through which API Gateway writes access logs in this account and Region")
    return 0


def confirm(stack: str) -> None:
    if not sys.stdin.isatty():
        raise Failure("nobody is there to confirm it: YES=1 says that it is meant")
    if input(f"Type the stack's name to delete it ({stack}): ").strip() != stack:
        raise Failure("that is not its name: nothing was deleted")


def adoption(stack: Stack, table: str | None, pool: str | None) -> str:
    """The line that gives what was kept to the next stack."""
    words = ["make deploy", f"STACK={stack.name}"]
    # An output that the authorizer's own template has alone.
    words += ["TEMPLATE=template-authorizer.yaml"] if "AuthorizerUri" in stack.outputs else []
    pool_given, table_given = stack.parameters.get("UserPoolId"), stack.parameters.get("RevocationsTableName")
    clients = [stack.outputs.get(name) for name in ("WebClientId", "MachineClientId")]
    clients += stack.parameters.get("ClientIds", "").split(",")
    if pool or pool_given:
        words += [f"USER_POOL_ID={pool or pool_given}", f"CLIENT_IDS={','.join(filter(None, clients))}"]
    if table or table_given:
        words.append(f'PARAMETERS="RevocationsTableName={table or table_given}"')
    return (
        f"The next stack takes them with\n\n  {' '.join(words)}\n\n"
        "Without the table, revoked tokens would pass there. EVERYTHING=1 would have deleted them; now it is done by hand."
    )


def delete_everything(stack: Stack, table: str | None, pool: str | None, domain: str | None, logs: list[str]) -> None:
    if table:
        call(stack, "dynamodb", "update_table", TableName=table, DeletionProtectionEnabled=False)
        stack.aws("dynamodb").get_waiter("table_exists").wait(TableName=table)
        call(stack, "dynamodb", "delete_table", TableName=table)
    if pool:
        if domain:
            call(stack, "cognito-idp", "delete_user_pool_domain", UserPoolId=pool, Domain=domain)
        call(stack, "cognito-idp", "update_user_pool", UserPoolId=pool, DeletionProtection="INACTIVE")
        call(stack, "cognito-idp", "delete_user_pool", UserPoolId=pool)
    for group in logs:
        call(stack, "logs", "delete_log_group", logGroupName=group)


def call(stack: Stack, service: str, operation: str, **what) -> None:
    try:
        getattr(stack.aws(service), operation)(**what)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise Failure(f"{', '.join(map(str, what.values()))} is left: {error}") from error


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
