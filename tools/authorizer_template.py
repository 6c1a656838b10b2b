"""Writes template-authorizer.yaml: the part of template.yaml that is not about a sample, as a template of its own.

One truth: it is made of template.yaml's own text. `authorizer_template.py --check` fails where the file is not what would be written.

It is not the other way round, the full template nesting this one: then the update of a stack that exists would move the function and the
table from one stack into another, which CloudFormation does by deleting and making.
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE, TARGET = REPOSITORY / "template.yaml", REPOSITORY / "template-authorizer.yaml"
PARAMETERS = {
    "UserPoolId", "ClientIds", "JwksUri", "ReservedConcurrency", "LogRetentionDays", "AdminGetUser", "Architecture", "RefusalAlarmThreshold",
    "AlarmTopic", "RevocationsTableName", "DeletionProtection", "RevokerCanary", "CallingAccount1", "CallingAccount2", "CallingAccount3",
    "PermissionsBoundary", "KmsKey", "ApiKeys", "KeysTableName",
}  # fmt: skip
# What is about the sample: its pool and what adds claims to its tokens, its APIs, its backend.
LEFT_OUT = {
    "UserPool", "ResourceServer", "WebClient", "MachineClient", "AdminGroup", "UserGroup", "UserPoolDomain", "PolicyStack", "RestApi", "HttpApi",
    "WebSocketApi", "WebSocketReply", "RestAccessLogs", "HttpAccessLogs", "WebSocketAccessLogs", "AccessLogAccount", "AccessLogAccountRole",
    "SampleFunction", "SampleLogGroup", "UsagePlan", "EnricherFunction", "EnricherPermission", "EnricherErrorsAlarm", "EnricherLogGroup",
    "RestApiErrorsAlarm", "HttpApiErrorsAlarm", "WebSocketApiErrorsAlarm",
}  # fmt: skip
OUTPUTS = {"UserPoolId", "AuthorizerFunctionArn", "AuthorizerLogGroup", "RevocationsTable", "KeysTable", "MissedRevocationsUrl", "DashboardUrl"}
POOL = "!If [MakesPool, !Ref UserPool, !Ref UserPoolId]"
POOL_REGION = "!If [MakesPool, !Ref AWS::Region, !Select [0, !Split [_, !Ref UserPoolId]]]"

HEAD = """# Made of template.yaml by tools/authorizer_template.py: change it there.
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: A Lambda authorizer for API Gateway, its table of revocations and its alarms, for APIs and issuers of your own. See docs/deploy.md

Metadata:
  AWS::ServerlessRepo::Application:
    Name: cognito-authorizer
    Description: A Lambda authorizer in Rust for REST, HTTP and WebSocket APIs; JWTs of Cognito and any OpenID Connect issuer
    Author: cognito-authorizer maintainers
    SpdxLicenseId: Apache-2.0
    LicenseUrl: LICENSE
    ReadmeUrl: README.md
    Labels: [api-gateway, authorizer, cognito, jwt, oidc, rust]
    SemanticVersion: {version}
"""
CONFIGURATION = """  Configuration:
    Type: String
    Description: >-
      The text of authorizer.yaml, 4,096 characters at most; empty, the file in the package is read. All of a function's variables have 4 KB
      together
    Default: ""
"""
FUNCTION_NAME = """  AuthorizerFunctionName:
    Description: For permissions of your own
    Value: !Ref AuthorizerFunction
  AuthorizerUri:
    Description: What an authorizer that is written without SAM names as its AuthorizerUri
    Value: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizerFunction.Arn}/invocations
"""


def main() -> int:
    text = made(SOURCE.read_text(), (REPOSITORY / "Cargo.toml").read_text())
    if "--check" in sys.argv:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET.name} is not what {Path(__file__).name} makes of {SOURCE.name}: make templates, and commit what it writes")
        return 0
    TARGET.write_text(text)
    return 0


def made(source: str, manifest: str) -> str:
    sections = dict(re.findall(r"^(\w+):\n((?:(?:[ #].*)?\n)+)", source, re.MULTILINE))
    version = re.search(r'^version = "([^"]+)"', manifest, re.MULTILINE)[1]
    parameters = chosen(sections["Parameters"], lambda name: name in PARAMETERS)
    parameters = replaced(
        parameters,
        (
            "A user pool that exists already, such as us-east-1_AbCdEf123, whose tokens are accepted; ClientIds is then needed too.\n"
            "      Empty, the stack makes a pool of its own.",
            "The user pool whose tokens are accepted, such as us-east-1_AbCdEf123. Empty where authorizer.yaml names its issuers itself",
        ),
        (
            "The app clients of UserPoolId whose tokens are accepted, separated by commas. Beside a pool of the stack's own they are\n"
            "      accepted as well as its own clients.",
            "The app clients of UserPoolId whose tokens are accepted, separated by commas",
        ),
        ("Whether Cognito and DynamoDB refuse to delete the pool and the table that the stack makes.", "Whether DynamoDB refuses to delete the table that the stack makes."),
    )  # fmt: skip
    resources = chosen(sections["Resources"], lambda name: name not in LEFT_OUT)
    resources = re.sub(r"CLIENT_IDS: !If\n(?:            .*\n)+", "CLIENT_IDS: !Ref ClientIds\n", resources)
    resources = replaced(resources, (POOL, "!Ref UserPoolId"), (POOL_REGION, POOL_REGION.removeprefix("!If [MakesPool, !Ref AWS::Region, ")[:-1]))
    resources = re.sub(r"          POLICY_STORE_ID: .*\n", "          AUTHORIZER_CONFIG: !If [HasConfiguration, !Ref Configuration, !Ref AWS::NoValue]\n", resources)
    resources = re.sub(r"        - !If\n          - MakesPolicyStore\n(?:          .*\n)+", "", resources)
    used = set(re.findall(r"Condition: (\w+)|!If(?: \[|\n +- )(\w+)", resources))
    used = {name for pair in used for name in pair if name}
    conditions = [
        line
        for line in sections["Conditions"].splitlines()
        if (named := re.match(r"  (\w+):", line)) and named[1] in used and named[1] != "HasConfiguration"
    ]
    conditions = "\n".join([*conditions, '  HasConfiguration: !Not [!Equals [!Ref Configuration, ""]]']) + "\n"
    conditions = replaced(
        conditions,
        (
            '  MakesCanary: !Equals [!Ref RevokerCanary, "true"]\n',
            '  MakesCanary: !And [!Equals [!Ref RevokerCanary, "true"], !Not [!Equals [!Ref UserPoolId, ""]]]\n',
        ),
    )
    outputs = replaced(chosen(sections["Outputs"], lambda name: name in OUTPUTS), (POOL, "!Ref UserPoolId"))
    globals_ = sections["Globals"].partition("  Api:\n")[0]
    rules = replaced(sections["Rules"], ("With UserPoolId, ClientIds", "With UserPoolId, ClientIds"))
    body = "\n".join(
        [
            HEAD.replace("{version}", version),
            f"Parameters:\n{CONFIGURATION}{parameters}",
            f"Rules:\n{rules.rstrip()}\n",
            f"Conditions:\n{conditions}",
            f"Globals:\n{globals_.rstrip()}\n",
            f"Resources:\n{resources.rstrip()}\n",
            f"Outputs:\n{outputs.rstrip()}\n{FUNCTION_NAME}",
        ]
    )
    for name in sorted(LEFT_OUT | {"MakesPool", "WebOrigin", "PolicyStore"}):
        assert not re.search(rf"(!Ref |!GetAtt |\$\{{){name}\b|\[{name},", body), f"{name} is left out, and referred to"
    return body


def chosen(section: str, wanted) -> str:
    """The blocks of a section whose names are wanted, each with the comments above it."""
    blocks = re.findall(r"((?:  #.*\n|\n)*  (\w+):(?: .*)?\n(?:(?:    .*)?\n(?=    |\n|$)|    .*\n)*)", section)
    kept = [text for text, name in blocks if wanted(name)]
    found = {name for _, name in blocks}
    assert found >= set(re.findall(r"^  (\w+):", section, re.MULTILINE)), "a block was not read"
    return "".join(kept).lstrip("\n")


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, f"not there any more: {old}"
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    sys.exit(main())
