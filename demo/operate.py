"""Small things that an operator does with a deployed stack: a first token, a first administrator, a restored table."""

import argparse
import datetime
import sys
import time

try:
    from account import settle
    from botocore.exceptions import ClientError
    from pool import token_of
    from processes import Failure
    from stack import Stack
except ModuleNotFoundError as missing:
    sys.exit(f"The Python package `{missing.name}` is missing: start this with make, which installs what it needs.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", default="cognito-authorizer", help="the stack's name")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("token", help="a token of the machine client, on standard output")
    admin = commands.add_parser("admin", help="a user in the group `admin`, who gets a password by e-mail")
    admin.add_argument("email")
    restored = commands.add_parser("restore", help="the table of revocations as it was, under another name")
    restored.add_argument("before", help="a point in time, such as 2026-12-01T11:55:00Z, or `latest`")
    restored.add_argument("--table", help="the table, if not the stack's")
    restored.add_argument("--poll-seconds", type=float, default=10)
    arguments = parser.parse_args()
    settle()
    stack = Stack(arguments.stack)
    match arguments.command:
        case "token":
            print_token(stack)
        case "admin":
            make_admin(stack, arguments.email)
        case "restore":
            restore(stack, arguments.table or stack.outputs["RevocationsTable"], arguments.before, arguments.poll_seconds)
    return 0


def print_token(stack: Stack) -> None:
    if "MachineClientId" not in stack.outputs:
        raise Failure("the pool is not the stack's own: ask its token endpoint, as one of its clients")
    client, pool = stack.outputs["MachineClientId"], stack.outputs["UserPoolId"]
    described = stack.aws("cognito-idp").describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    form = {"client_id": client, "client_secret": described["ClientSecret"], "grant_type": "client_credentials"}
    print(token_of(stack, form)["access_token"])
    first = f"{stack.url('rest')}/items"
    print(f'\nIt lives for 15 minutes. A first request:\n  curl -i -H "Authorization: Bearer $TOKEN" {first}', file=sys.stderr)


def make_admin(stack: Stack, email: str) -> None:
    pool, aws = stack.outputs["UserPoolId"], stack.aws("cognito-idp")
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    try:
        aws.admin_create_user(UserPoolId=pool, Username=email, UserAttributes=attributes, DesiredDeliveryMediums=["EMAIL"])
        print(f"Made {email} in {pool}. Cognito sends a password that is good for 3 days")
    except aws.exceptions.UsernameExistsException:
        print(f"{email} is a user of {pool} already")
    except ClientError as error:
        raise Failure(f"no user was made: {error}") from error
    try:
        aws.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName="admin")
    except ClientError as error:
        raise Failure(f"{email} could not be put into the group admin: {error}") from error
    print(f"{email} is in the group admin")


def restore(stack: Stack, table: str, before: str, poll_seconds: float) -> None:
    """A new table: DynamoDB restores into no table that exists. TTL and backups are not restored with it."""
    aws = stack.aws("dynamodb")
    name = f"{table[:200]}-restored-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}"
    when = {"UseLatestRestorableTime": True}
    if before != "latest":
        try:
            when = {"RestoreDateTime": datetime.datetime.fromisoformat(before)}
        except ValueError as error:
            raise Failure(f"{before} is no point in time: 2026-12-01T11:55:00Z is one") from error
    try:
        aws.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, **when)
    except ClientError as error:
        raise Failure(f"{table} could not be restored: {error}") from error
    print(f"Restoring {table} as it was at {before} into {name}; this takes minutes")
    while aws.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(poll_seconds)
    aws.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"})
    aws.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    aws.update_table(TableName=name, DeletionProtectionEnabled=True)
    print(f'Restored. The stack reads it after\n\n  make deploy STACK={stack.name} PARAMETERS="RevocationsTableName={name}"\n')


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"\n{failure}")
    except KeyboardInterrupt:
        sys.exit(130)
