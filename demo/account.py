"""Which account and Region a command acts on: said before anything is done, and the same for every tool that it starts.

SAM and boto3 read AWS_DEFAULT_REGION, the AWS CLI and the SDKs of other languages AWS_REGION. Both are set here to one value.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from processes import Failure

REPOSITORY = Path(__file__).resolve().parent.parent
NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION")  # the AWS CLI has them in this order too


@dataclass(frozen=True)
class Account:
    number: str
    caller: str
    region: str
    region_from: str

    def announce(self, stack: str, *lines: str) -> None:
        print(f"Account  {self.number}, as {self.caller}")
        print(f"Region   {self.region} ({self.region_from})")
        print(f"Stack    {stack}")
        for line in lines:
            print(f"         {line}")
        print(flush=True)


def settle() -> Account:
    region, origin = settled_region()
    os.environ |= dict.fromkeys(NAMES, region)
    check_samconfig()
    try:
        identity = boto3.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"no account: {error}\nGive credentials as for the AWS CLI: AWS_PROFILE, or `aws login`, ...") from error
    return Account(identity["Account"], identity["Arn"], region, origin)


def settled_region() -> tuple[str, str]:
    """The Region, and who said so."""
    for name in NAMES:
        if region := os.environ.get(name):
            return region, name
    if region := boto3.session.Session().region_name:
        profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
        return region, f"the profile {profile}"
    raise Failure("nothing says which Region: set AWS_REGION, or a Region in the profile")


def check_samconfig(file: Path = REPOSITORY / "samconfig.toml") -> None:
    """What stood there would hold for SAM alone, and the other tools would act elsewhere."""
    config = tomllib.loads(file.read_text()) if file.is_file() else {}
    for environment in config.values():
        for command in environment.values() if isinstance(environment, dict) else ():
            for name, variable in (("region", "AWS_REGION"), ("profile", "AWS_PROFILE")):
                if name in command.get("parameters", {}):
                    raise Failure(f"{file.name} names a {name}, which only SAM would heed: take it out and set {variable}")


def credentials() -> dict[str, str]:
    """Credentials and Region for a program that knows no single sign-on, no `credential_process` and no `aws login`."""
    environment = {name: value for name, value in os.environ.items() if name not in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")}
    found = boto3.session.Session().get_credentials()
    if not found:
        raise Failure("there are no credentials")
    frozen = found.get_frozen_credentials()
    environment.pop("AWS_SESSION_TOKEN", None)
    environment |= {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    if frozen.token:
        environment["AWS_SESSION_TOKEN"] = frozen.token
    region, _ = settled_region()
    return environment | dict.fromkeys(NAMES, region)
