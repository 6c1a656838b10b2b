"""template.yaml for all that its parameters can make of it, and as an update of the release before.

Nothing here asks AWS. What CloudFormation replaces is taken from the resource types' published schemas (`createOnlyProperties`) and
documentation.
"""

import itertools
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

from couplings import REPOSITORY, Stack
from parameters import PSEUDO, Evaluation, Made, circle
from samtranslator.yaml_helper import yaml_parse

RELEASED = Path(__file__).parent / "released"
POOL = {"UserPoolId": "us-east-1_AbCdEf123", "ClientIds": "web"}
ACCOUNTS = {f"CallingAccount{number}": f"{number}" * 12 for number in (1, 2, 3)}
# What makes resources come and go: every combination is tried.
CHOICES = [
    ({}, POOL),
    ({}, {"AccessLogRole": "existing"}),
    ({}, {"PolicyStore": "create"}),
    ({}, {"RevocationsTableName": "kept"}),
    ({}, {"RevokerCanary": "false"}),
    ({}, {"ApiKeys": "create", "RestUsagePlan": "create"}, {"KeysTableName": "keys"}),
    ({}, {"Enricher": "V2_0"}),
    ({}, {"CallingAccount1": "1" * 12}, ACCOUNTS),
]
# What changes properties alone: all at their defaults, and all at another value.
OTHERS = {
    "JwksUri": "https://keys.example.com/jwks.json",
    "ReservedConcurrency": "5",
    "AdminGetUser": "true",
    "AlarmTopic": "arn:aws:sns:us-east-1:111122223333:alarms",
    "DeletionProtection": "off",
    "PermissionsBoundary": "arn:aws:iam::111122223333:policy/boundary",
    "KmsKey": "arn:aws:kms:us-east-1:111122223333:key/0e3d1f40-aaaa-bbbb-cccc-1234567890ab",
    "EnricherTableName": "tenants",
}
# What a parameter is about, where that is not made by default.
NEEDS = {"EnricherTableName": {"Enricher": "V3_0"}}
BOUNDED = ("AWS::IAM::Role",)
HOLDS_DATA = (
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
)
# A sample backend's log is nobody's record.
NOT_KEPT = {"SampleLogGroup"}
# The properties whose change replaces the resource.
REPLACES = {
    "AWS::Cognito::UserPool": {"AliasAttributes", "UsernameAttributes", "UsernameConfiguration"},
    "AWS::Cognito::UserPoolClient": {"GenerateSecret", "UserPoolId"},
    "AWS::Cognito::UserPoolDomain": {"Domain", "UserPoolId"},
    "AWS::Cognito::UserPoolGroup": {"GroupName", "UserPoolId"},
    "AWS::Cognito::UserPoolResourceServer": {"Identifier", "UserPoolId"},
    "AWS::DynamoDB::Table": {"TableName", "KeySchema", "ImportSourceSpecification"},
    "AWS::Logs::LogGroup": {"LogGroupName"},
}
KEEPS = {"Retain", "RetainExceptOnCreate"}


def combinations():
    for chosen in itertools.product(*CHOICES):
        given = {name: value for each in chosen for name, value in each.items()}
        yield given
        yield given | OTHERS


class Parameters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack.read()

    def made(self, given: dict, **pseudo: str) -> Made:
        return Evaluation(self.stack.template, self.stack.resources, given, pseudo).made()

    def test_every_combination_refers_to_what_it_makes_and_to_nothing_in_a_circle(self):
        seen = 0
        for given in combinations():
            with self.subTest(**given):
                made = self.made(given)
                self.assertEqual(made.unknown, [])
                self.assertEqual(circle(made.references), [])
                seen += 1
        self.assertEqual(seen, 2 * 2**6 * 3**2)

    def test_every_parameter_changes_something(self):
        for name, parameter in self.stack.template["Parameters"].items():
            allowed = [value for value in parameter.get("AllowedValues", []) if value != parameter["Default"]]
            value = OTHERS.get(name) or (allowed[0] if allowed else POOL.get(name) or "1" * 12)
            with self.subTest(name):
                default = self.made(NEEDS.get(name, {}))
                changed = self.made(NEEDS.get(name, {}) | {name: str(value)})
                self.assertNotEqual((changed.resources, changed.outputs), (default.resources, default.outputs))

    def test_a_pool_and_a_table_that_exist_are_not_made(self):
        made = self.made(POOL | {"RevocationsTableName": "kept"})
        kinds = {resource["Type"] for resource in made.resources.values()}
        self.assertFalse({kind for kind in kinds if kind.startswith(("AWS::Cognito::", "AWS::DynamoDB::"))})
        functions = ("AuthorizerFunction", "RevokerFunction")
        for name in functions:
            self.assertEqual(variables(made, name)["REVOCATIONS_TABLE"], "kept")
            policies = json.dumps(made.resources[f"{name}Role"])
            self.assertIn("arn:aws:dynamodb:us-east-1:111122223333:table/kept", policies)
        self.assertEqual(made.outputs["RevocationsTable"]["Value"], "kept")

    def test_a_table_of_keys_is_made_or_named_or_not_there(self):
        none = self.made({})
        self.assertFalse({"KeysTable", "UsagePlan"} & set(none.resources))
        self.assertNotIn("KEYS_TABLE", variables(none, "AuthorizerFunction"))
        self.assertNotIn("dynamodb:GetItem", json.dumps(none.resources["AuthorizerFunctionRole"]))
        self.assertNotIn("KeysTable", none.outputs)
        made = self.made({"ApiKeys": "create"})
        table = made.resources["KeysTable"]
        self.assertEqual(table["DeletionPolicy"], "RetainExceptOnCreate")
        revocations = made.resources["RevocationsTable"]
        self.assertEqual(table["Properties"], revocations["Properties"])
        self.assertEqual(variables(made, "AuthorizerFunction")["KEYS_TABLE"], {"Ref": "KeysTable"})
        readers = {name for name, each in made.resources.items() if "KeysTable" in json.dumps(each.get("Properties", {}).get("Policies", ""))}
        self.assertEqual(readers, {"AuthorizerFunctionRole"})
        named = self.made({"KeysTableName": "keys"})
        self.assertNotIn("KeysTable", named.resources)
        self.assertEqual(variables(named, "AuthorizerFunction")["KEYS_TABLE"], "keys")
        self.assertIn("arn:aws:dynamodb:us-east-1:111122223333:table/keys", json.dumps(named.resources["AuthorizerFunctionRole"]))
        self.assertEqual(named.outputs["KeysTable"]["Value"], "keys")

    def test_with_a_usage_plan_the_authorizer_names_the_key(self):
        self.assertNotIn("ApiKeySourceType", self.made({}).resources["RestApi"]["Properties"])
        made = self.made({"RestUsagePlan": "create"})
        self.assertEqual(made.resources["RestApi"]["Properties"]["ApiKeySourceType"], "AUTHORIZER")
        [stage] = made.resources["UsagePlan"]["Properties"]["ApiStages"]
        self.assertEqual(stage["ApiId"], {"Ref": "RestApi"})

    def test_the_enricher_is_the_pools_trigger_and_nobody_else_may_call_it(self):
        self.assertNotIn("LambdaConfig", self.made({}).resources["UserPool"]["Properties"])
        for given, pool in (({}, None), (POOL, POOL["UserPoolId"])):
            made = self.made(given | {"Enricher": "V2_0", "EnricherTableName": "tenants"})
            self.assertIn(":table/tenants", json.dumps(made.resources["EnricherFunctionRole"]))
            permission = made.resources["EnricherPermission"]["Properties"]
            self.assertEqual((permission["Principal"], permission["SourceAccount"]), ("cognito-idp.amazonaws.com", PSEUDO["AWS::AccountId"]))
            if pool:
                self.assertTrue(permission["SourceArn"].endswith(f":userpool/{pool}"), permission)
            else:
                trigger = made.resources["UserPool"]["Properties"]["LambdaConfig"]["PreTokenGenerationConfig"]
                self.assertEqual(trigger["LambdaVersion"], "V2_0")
                self.assertEqual(made.resources["UserPool"]["Properties"]["UserPoolTier"], "ESSENTIALS")

    def test_every_role_has_the_boundary_and_every_store_the_key(self):
        made = self.made(OTHERS)
        for name, resource in made.resources.items():
            properties = resource["Properties"]
            match resource["Type"]:
                case "AWS::IAM::Role":
                    self.assertEqual(properties["PermissionsBoundary"], OTHERS["PermissionsBoundary"], name)
                case "AWS::Logs::LogGroup":
                    self.assertEqual(properties["KmsKeyId"], OTHERS["KmsKey"], name)
                case "AWS::DynamoDB::Table":
                    self.assertEqual(properties["SSESpecification"]["KMSMasterKeyId"], OTHERS["KmsKey"], name)
                case "AWS::SQS::Queue":
                    self.assertEqual(properties["KmsMasterKeyId"], OTHERS["KmsKey"], name)
                    self.assertNotIn("SqsManagedSseEnabled", properties)

    def test_with_a_key_of_ones_own_the_functions_may_use_it_where_they_must_and_without_one_no_other(self):
        for given, expected in (({}, 0), (OTHERS, 2)):
            made = self.made(given)
            found = 0
            for role in ("AuthorizerFunctionRole", "RevokerFunctionRole"):
                for policy in made.resources[role]["Properties"]["Policies"]:
                    for statement in policy["PolicyDocument"]["Statement"]:
                        if "kms:" in json.dumps(statement["Action"]):
                            found += 1
                            self.assertEqual(statement["Resource"], OTHERS["KmsKey"])
                            services = json.dumps(statement["Condition"]["StringEquals"]["kms:ViaService"])
                            self.assertIn("dynamodb.us-east-1.amazonaws.com", services)
            self.assertEqual(found, expected)

    def test_other_accounts_may_ask_one_by_one_and_nobody_else(self):
        for accounts in ({}, {"CallingAccount2": "2" * 12}, ACCOUNTS):
            made = self.made(accounts)
            granted = [each["Properties"] for name, each in made.resources.items() if name.startswith("CallingAccount")]
            self.assertEqual(sorted(each["SourceAccount"] for each in granted), sorted(accounts.values()))
            for each in granted:
                self.assertEqual(each["Principal"], "apigateway.amazonaws.com")
                expected = f"arn:aws:execute-api:us-east-1:{each['SourceAccount']}:*/authorizers/*"
                self.assertEqual(each["SourceArn"], expected)

    def test_every_api_has_a_throttle(self):
        made = self.made({"ThrottlingRate": "7", "ThrottlingBurst": "3"})
        settings = [
            each["Properties"].get("DefaultRouteSettings") or each["Properties"]["MethodSettings"][0]
            for each in made.resources.values()
            if each["Type"] in ("AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage")
        ]
        self.assertEqual(len(settings), 3)
        for each in settings:
            self.assertEqual((each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]), ("7", "3"))

    def test_what_holds_data_outlives_the_stack_but_not_a_first_deployment_that_failed(self):
        for name, resource in self.stack.resources.items():
            if resource["Type"] in HOLDS_DATA and name not in NOT_KEPT:
                self.assertEqual(resource.get("DeletionPolicy"), "RetainExceptOnCreate", name)
                self.assertEqual(resource.get("UpdateReplacePolicy"), "Retain", name)

    def test_protection_is_on_unless_it_is_turned_off(self):
        for given, pool, table in (({}, "ACTIVE", True), ({"DeletionProtection": "off"}, "INACTIVE", False)):
            made = self.made(given)
            self.assertEqual(made.resources["UserPool"]["Properties"]["DeletionProtection"], pool)
            self.assertIs(made.resources["RevocationsTable"]["Properties"]["DeletionProtectionEnabled"], table)

    def test_the_sign_in_page_is_where_each_partition_has_it(self):
        for partition, host in (("aws", ".auth.us-east-1."), ("aws-us-gov", ".auth-fips.us-east-1.")):
            made = self.made({}, **{"AWS::Partition": partition})
            for output in ("AuthorizeEndpoint", "TokenEndpoint"):
                self.assertIn(host, made.outputs[output]["Value"])

    def test_http_access_logs_need_no_room_in_the_resource_policy_and_no_name_that_is_taken(self):
        name = self.made({}).resources["HttpAccessLogs"]["Properties"]["LogGroupName"]
        self.assertEqual(name, f"/aws/vendedlogs/authorizer/http-{PSEUDO['AWS::StackId'].rpartition('/')[2]}")

    def test_the_filter_counts_what_lambda_writes_and_nothing_that_a_token_can_bring_about(self):
        pattern = self.stack.properties("DidNotRunFilter")["FilterPattern"].strip()
        self.assertTrue(pattern.startswith("%") and pattern.endswith("%"), pattern)
        self.assertNotRegex(pattern, r"[()]", "CloudWatch's expressions have no groups")
        expression = re.compile(pattern.strip("%"))
        for line, counts in (
            ("2026-11-29T12:00:00.000Z 3f1c Task timed out after 8.01 seconds", True),
            ("RequestId: 3f1c Error: Runtime exited with error: exit status 1", True),
            ("INIT_REPORT Init Duration: 10000.12 ms\tPhase: init\tStatus: timeout", True),
            ("INIT_REPORT Init Duration: 3.12 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError", True),
            ("REPORT RequestId: 3f1c\tDuration: 8000.00 ms\tBilled Duration: 8000 ms\tStatus: timeout", True),
            ("START RequestId: 3f1c Version: $LATEST", False),
            ("REPORT RequestId: 3f1c\tDuration: 1.20 ms\tBilled Duration: 2 ms\tMemory Size: 256 MB", False),
            ('{"level":"INFO","message":"decision","kid":"Task timed out after 8.01 seconds"}', False),
            ('{"level":"INFO","message":"decision","kid":"INIT_REPORT Status: timeout"}', False),
            ('{"level":"INFO","message":"decision","kid":"x\\nREPORT Status: timeout"}', False),
        ):
            self.assertEqual(bool(expression.search(line)), counts, line)

    def test_every_alarm_tells_the_topic(self):
        for name, each in self.made(OTHERS).resources.items():
            if each["Type"] == "AWS::CloudWatch::Alarm":
                self.assertEqual(each["Properties"]["AlarmActions"], [OTHERS["AlarmTopic"]], name)


class AuthorizerAlone(unittest.TestCase):
    """template-authorizer.yaml: for APIs of one's own, by itself or nested."""

    @classmethod
    def setUpClass(cls):
        cls.template = yaml_parse((REPOSITORY / "template-authorizer.yaml").read_text())
        cls.stack = Stack(cls.template, Stack.read().config)

    def test_it_is_what_the_full_template_says(self):
        done = subprocess.run([sys.executable, REPOSITORY / "tools/authorizer_template.py", "--check"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_combination_refers_to_what_it_makes(self):
        choices = [({}, POOL), ({}, {"RevocationsTableName": "kept"}), ({}, {"RevokerCanary": "false"}), ({}, {"ApiKeys": "create"}), ({}, ACCOUNTS), ({}, {"Configuration": "x"})]
        for chosen in itertools.product(*choices):
            for others in ({}, OTHERS):
                given = {name: value for each in chosen for name, value in each.items()} | others
                made = Evaluation(self.template, self.stack.resources, given).made()
                with self.subTest(**given):
                    self.assertEqual((made.unknown, circle(made.references)), ([], []))

    def test_it_makes_no_api_and_no_pool_and_its_parts_are_those_of_the_full_template(self):
        full = made_of(Stack.read(), POOL)
        made = Evaluation(self.template, self.stack.resources, POOL).made().resources
        kinds = {resource["Type"] for resource in made.values()}
        self.assertFalse({kind for kind in kinds if "Cognito" in kind or "ApiGateway" in kind})
        differing = {name for name in made if made[name] != full.get(name)}
        # A dashboard of fewer alarms is the same; the function has no policy store, and may be given its configuration.
        self.assertEqual(differing, set())

    def test_a_configuration_is_given_as_a_parameter_or_in_the_package(self):
        given = Evaluation(self.template, self.stack.resources, {"Configuration": "routes: {}"}).made()
        self.assertEqual(variables(given, "AuthorizerFunction")["AUTHORIZER_CONFIG"], "routes: {}")
        packaged = Evaluation(self.template, self.stack.resources, {}).made()
        self.assertNotIn("AUTHORIZER_CONFIG", variables(packaged, "AuthorizerFunction"))
        # Without a pool nobody of it is signed out.
        self.assertNotIn("RevokerCanarySchedule", packaged.resources)

    def test_what_the_repository_of_applications_asks_for_is_there(self):
        metadata = self.template["Metadata"]["AWS::ServerlessRepo::Application"]
        self.assertRegex(metadata["SemanticVersion"], r"^\d+\.\d+\.\d+$")
        for file in (metadata["LicenseUrl"], metadata["ReadmeUrl"]):
            self.assertTrue((REPOSITORY / file).is_file(), file)
        self.assertEqual(metadata["SpdxLicenseId"], "Apache-2.0")

    def test_the_documented_stack_that_nests_it_is_attached_the_right_way(self):
        blocks = re.findall(r"```yaml template\n(.*?)```", (REPOSITORY / "docs/deploy.md").read_text(), re.DOTALL)
        [block] = [block for block in blocks if "template-authorizer.yaml" in block]
        nesting = yaml_parse(block)
        outputs = set(re.findall(r"Authorizer\.Outputs\.(\w+)", block))
        self.assertTrue(outputs and outputs <= set(self.template["Outputs"]), outputs)
        self.assertLessEqual(set(nesting["Resources"]["Authorizer"]["Properties"]["Parameters"]), set(self.template["Parameters"]))
        nesting["Resources"]["Authorizer"]["Properties"]["Location"] = "https://s3.amazonaws.com/bucket/packaged"  # as `sam package` leaves it
        made = Stack(nesting, {}).resources
        permissions = [each["Properties"] for each in made.values() if each["Type"] == "AWS::Lambda::Permission"]
        asking = [each for each in permissions if "/authorizers/" in str(each["SourceArn"])]
        self.assertEqual(len(asking), 2)
        for each in asking:
            self.assertIn("Outputs.AuthorizerFunctionArn", str(each["FunctionName"]))


class Update(unittest.TestCase):
    """An update of a stack of the last release, with the parameters that it had."""

    def test_no_update_replaces_or_deletes_what_holds_data(self):
        now = Stack.read()
        for released in sorted(RELEASED.glob("template-*.yaml")):
            before = Stack(yaml_parse(released.read_text()), now.config)
            for given in ({}, POOL, {"AccessLogRole": "existing"}, {"PolicyStore": "create"}, {"DomainPrefix": "orders"}):
                with self.subTest(released.name, **given):
                    self.assertEqual(lost(before, now, given), [])

    def test_a_change_that_replaces_is_noticed(self):
        now = Stack.read()
        before = Stack.read()
        before.resources["RevocationsTable"]["Properties"]["TableName"] = "revocations"
        before.resources["UserPoolDomain"]["Properties"]["Domain"] = "another"
        before.resources["Forgotten"] = {"Type": "AWS::Logs::LogGroup", "Properties": {}}
        self.assertEqual(
            lost(before, now, {}),
            ["Forgotten is deleted", "RevocationsTable is replaced: TableName", "UserPoolDomain is replaced: Domain"],
        )

    def test_what_is_replaced_and_kept_is_known(self):
        """The old group of the HTTP API's access logs stays, with its lines, under its name."""
        now = Stack.read()
        before = Stack(yaml_parse((RELEASED / "template-0.1.0.yaml").read_text()), now.config)
        self.assertEqual(list(replaced(before, now, {})), ["HttpAccessLogs is replaced: LogGroupName"])


def made_of(stack: Stack, given: dict) -> dict:
    known = {name: value for name, value in given.items() if name in stack.template["Parameters"]}
    return Evaluation(stack.template, stack.resources, known).made().resources


def replaced(before: Stack, now: Stack, given: dict):
    old, new = made_of(before, given), made_of(now, given)
    for name in sorted(set(old) & set(new)):
        kind = old[name]["Type"]
        if kind in HOLDS_DATA:
            one, other = old[name].get("Properties", {}), new[name].get("Properties", {})
            for change in sorted(key for key in REPLACES[kind] if one.get(key) != other.get(key)):
                yield f"{name} is replaced: {change}"


def lost(before: Stack, now: Stack, given: dict) -> list[str]:
    """What the update takes away for good."""
    old, new = made_of(before, given), made_of(now, given)
    gone = sorted(name for name in set(old) - set(new) if old[name]["Type"] in HOLDS_DATA)
    found = [f"{name} is deleted" for name in gone if old[name].get("DeletionPolicy") not in KEEPS]
    for change in replaced(before, now, given):
        resource = new[change.split()[0]]
        # A log group that is replaced stays as it is; a table, a pool or a client would be empty or unknown in its new place.
        if resource["Type"] != "AWS::Logs::LogGroup" or resource.get("UpdateReplacePolicy") != "Retain":
            found.append(change)
    return found


def variables(made: Made, function: str) -> dict:
    return made.resources[function]["Properties"]["Environment"]["Variables"]


if __name__ == "__main__":
    unittest.main()
