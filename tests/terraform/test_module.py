"""The Terraform module: complete in itself, the same settings as template.yaml, and right by Terraform's own word.

The last needs `terraform` on the PATH, and its AWS provider from the registry or from wherever TF_CLI_ARGS_init or
TF_CLI_CONFIG_FILE say; what cannot be had is skipped, and the output says so.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import hcl2
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
MODULE = ROOT / "terraform"


def load_module():
    """All blocks of the module as {kind: {name: body}}, resources and data by `type.name`; literals without quotes."""
    module = {}
    for file in sorted(MODULE.glob("*.tf")):
        with file.open() as text:
            for kind, blocks in hcl2.load(text).items():
                for block in [] if kind.startswith("__") else blocks:
                    merge(module.setdefault(kind, {}), kind, plain(block))
    return module


def merge(into, kind, block):
    if kind in ("locals", "terraform"):
        into.update(block)
        return
    for label, body in block.items():
        named = {f"{label}.{name}": inner for name, inner in body.items()} if kind in ("resource", "data") else {label: body}
        twice = into.keys() & named.keys()
        assert not twice, f"{twice} stand twice"
        into.update(named)


def plain(node):
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items() if not key.startswith("__")}
    if isinstance(node, list):
        return [plain(item) for item in node]
    if isinstance(node, str) and len(node) > 1 and node[0] == node[-1] == '"':
        return node[1:-1]
    return node


def texts(node):
    """Every text in a body."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, str):
        yield node


class Template(yaml.SafeLoader):
    """CloudFormation's YAML; of a tag only its argument is left."""


def argument(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Template.add_multi_constructor("!", argument)

MODULE_BLOCKS = load_module()
RESOURCES = MODULE_BLOCKS["resource"]
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Template)


def of_template(name):
    return TEMPLATE["Resources"][name]["Properties"]


class Structure(unittest.TestCase):
    def test_every_reference_leads_somewhere(self):
        known = {f"var.{name}" for name in MODULE_BLOCKS["variable"]}
        known |= {f"local.{name}" for name in MODULE_BLOCKS["locals"]}
        known |= RESOURCES.keys() | {f"data.{name}" for name in MODULE_BLOCKS["data"]}
        reference = re.compile(r"(?<![\w.\"/-])((?:var|local)\.\w+|(?:data\.)?aws_\w+\.\w+)")
        found = set()
        bodies = [body for blocks in MODULE_BLOCKS.values() for body in blocks.values()]
        for text in texts(bodies):
            found.update(reference.findall(text))
        self.assertGreater(len(found), 40)
        self.assertEqual(found - known, set())
        unused = {name for name in known if name.startswith(("var.", "local.", "data."))} - found
        self.assertEqual(unused, set())

    def test_every_variable_and_output_is_described_and_every_variable_has_a_type(self):
        for kind in ("variable", "output"):
            for name, body in MODULE_BLOCKS[kind].items():
                self.assertRegex(body.get("description", ""), r"^[A-Z].*\.$", f"{kind} {name}")
        for name, body in MODULE_BLOCKS["variable"].items():
            self.assertIn("type", body, name)

    def test_the_readme_describes_every_variable_and_output_and_no_other(self):
        readme = (MODULE / "README.md").read_text()
        for kind, heading in (("variable", "## Variables"), ("output", "## Outputs")):
            section = readme.split(f"\n{heading}\n")[1].split("\n## ")[0]
            rows = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
            self.assertEqual(sorted(rows), sorted(MODULE_BLOCKS[kind]), heading)

    def test_the_files_are_laid_out_as_terraform_fmt_leaves_them(self):
        """As far as that can be told without it: `terraform fmt -check` is asked below."""
        for file in [*MODULE.glob("*.tf"), *MODULE.glob("tests/*.hcl")]:
            for number, line in enumerate(file.read_text().splitlines(), 1):
                place = f"{file.name}:{number}"
                self.assertNotRegex(line, r"\s$|\t", place)
                self.assertEqual((len(line) - len(line.lstrip(" "))) % 2, 0, place)


class Example(unittest.TestCase):
    """examples/complete, as far as that can be told without the provider's schema."""

    @classmethod
    def setUpClass(cls):
        cls.text = "".join(file.read_text() for file in sorted((MODULE / "examples/complete").glob("*.tf")))
        cls.blocks = {}
        for kind, blocks in hcl2.loads(cls.text).items():
            for block in [] if kind.startswith("__") else blocks:
                merge(cls.blocks.setdefault(kind, {}), kind, plain(block))

    def test_it_gives_what_the_module_takes_and_reads_what_it_has(self):
        given = set(self.blocks["module"]["authorizer"]) - {"source"}
        self.assertLessEqual(given, set(MODULE_BLOCKS["variable"]))
        required = {name for name, body in MODULE_BLOCKS["variable"].items() if "default" not in body}
        self.assertLessEqual(required, given)
        read = set(re.findall(r"module\.authorizer\.(\w+)", self.text))
        self.assertLessEqual(read, set(MODULE_BLOCKS["output"]))
        self.assertLessEqual({"issuer", "jwks_uri", "auth_domain", "api_endpoint"}, set(self.blocks["output"]))
        self.assertEqual(set(re.findall(r"var\.(\w+)", self.text)), set(self.blocks["variable"]))

    def test_every_route_is_a_rule_and_meets_the_right_authorizer(self):
        rules = yaml.safe_load((ROOT / "authorizer.yaml").read_text())["routes"]
        routes = {name: set(re.findall(r'"([^"]+)"', str(body["for_each"]).replace("'", '"'))) for name, body in self.blocks["resource"].items() if name.startswith("aws_apigatewayv2_route.")}
        cached, live = routes["aws_apigatewayv2_route.cached"], routes["aws_apigatewayv2_route.live"]
        self.assertFalse([key for key in cached if key.startswith(("ANY ", "$"))])
        if "GET /items" in rules:
            self.assertEqual(cached | live - {"$default"}, {key for key in rules if not key.startswith("$")} | {"$default"} - {"$default"})
        self.assertIn("$default", live)
        self.assertTrue(all(key.startswith("OPTIONS ") for key in routes["aws_apigatewayv2_route.preflight"]))


class Agreement(unittest.TestCase):
    """What both say must be the same: a table of places in the template and in the module."""

    def test_the_functions(self):
        for function, name in (("AuthorizerFunction", "authorizer"), ("RevokerFunction", "revoker"), ("EnricherFunction", "enricher")):
            here, there = of_template(function), RESOURCES[f"aws_lambda_function.{name}"]
            for one, other in (
                ("Handler", "handler"),
                ("Runtime", "runtime"),
                ("MemorySize", "memory_size"),
                ("Timeout", "timeout"),
                ("Description", "description"),
            ):
                self.assertEqual(here[one], there[other], f"{function} {one}")
            self.assertEqual(there["tracing_config"], [{"mode": TEMPLATE["Globals"]["Function"]["Tracing"]}])
            variables = there["environment"][0]["variables"]
            named = set(variables) if isinstance(variables, dict) else set(re.findall(r"([A-Z_]{4,}) =", variables))
            # The module makes no policy store.
            wanted = set(here["Environment"]["Variables"]) - {"POLICY_STORE_ID"}
            self.assertEqual(named - {"AUTHORIZER_CONFIG"}, wanted, function)
        self.assertIn("AUTHORIZER_LOG = \"info\"", RESOURCES["aws_lambda_function.authorizer"]["environment"][0]["variables"])
        self.assertEqual(of_template("AuthorizerFunction")["Environment"]["Variables"]["AUTHORIZER_LOG"], "info")

    def test_the_permissions(self):
        for function, document in (("AuthorizerFunction", "authorizer"), ("RevokerFunction", "revoker"), ("EnricherFunction", "enricher")):
            policies = [policy[1] if isinstance(policy, list) else policy for policy in of_template(function)["Policies"]]
            here = {s["Sid"]: s["Action"] for policy in policies for s in policy["Statement"]}
            here.pop("AskThePolicyStore", None)  # the module makes none
            body = MODULE_BLOCKS["data"][f"aws_iam_policy_document.{document}"]
            there = {s["sid"]: s["actions"] for s in body["statement"]}
            for dynamic in body.get("dynamic", []):
                content = dynamic["statement"]["content"][0]
                there[re.search(r'"(\w+)"', dynamic["statement"]["for_each"]).group(1)] = content["actions"]
            # SAM grants these by managed policies, and the dead-letter queue by itself.
            extra = {"WriteLogs", "WriteTraces", "KeepWhatFailed"}
            self.assertEqual({sid: action if isinstance(action, list) else [action] for sid, action in here.items()}, {s: a for s, a in there.items() if s not in extra})

    def test_the_rest_authorizers(self):
        for name, kind in (("Cached", "rest_cached"), ("Live", "rest_live")):
            here = of_template("RestApi")["Auth"]["Authorizers"][name]
            there = RESOURCES[f"aws_api_gateway_authorizer.{kind}"]
            identity = here["Identity"]
            sources = [f"method.request.header.{header}" for header in identity["Headers"]]
            sources += [f"context.{context}" for context in identity.get("Context", [])]
            self.assertEqual(there["identity_source"].split(","), sources)
            self.assertEqual(there["type"], here["FunctionPayloadType"])
            self.same_ttl(identity["ReauthorizeEvery"], there)

    def test_the_http_authorizers(self):
        for name, kind in (("Cached", "http_cached"), ("Live", "http_live")):
            here = of_template("HttpApi")["Auth"]["Authorizers"][name]
            there = RESOURCES[f"aws_apigatewayv2_authorizer.{kind}"]
            identity = here["Identity"]
            sources = [f"$request.header.{header}" for header in identity["Headers"]]
            sources += [f"$context.{context}" for context in identity.get("Context", [])]
            self.assertEqual(there["identity_sources"], sources)
            self.assertEqual(there["authorizer_payload_format_version"], here["AuthorizerPayloadFormatVersion"])
            self.assertEqual(there["enable_simple_responses"], here["EnableSimpleResponses"])
            self.same_ttl(identity["ReauthorizeEvery"], there)

    def test_the_websocket_authorizer(self):
        here, there = of_template("WebSocketApi")["Auth"], RESOURCES["aws_apigatewayv2_authorizer.websocket"]
        self.assertNotIn("IdentitySource", here)
        self.assertFalse(there.keys() & {"identity_sources", "authorizer_result_ttl_in_seconds"})

    def same_ttl(self, here, there):
        default = MODULE_BLOCKS["variable"]["cache_seconds"]["default"]
        ttl = there["authorizer_result_ttl_in_seconds"]
        self.assertEqual(default if ttl == "${var.cache_seconds}" else ttl, here)

    def test_defaults(self):
        for parameter, variable in (
            ("ReservedConcurrency", "reserved_concurrency"),
            ("LogRetentionDays", "log_retention_days"),
            ("WebOrigin", "web_origin"),
            ("Architecture", "architecture"),
            ("RefusalAlarmThreshold", "refusal_alarm_threshold"),
        ):
            self.assertEqual(TEMPLATE["Parameters"][parameter]["Default"], MODULE_BLOCKS["variable"][variable]["default"])

    def test_the_pool(self):
        here, there = of_template("UserPool"), RESOURCES["aws_cognito_user_pool.this"]
        policy = here["Policies"]["PasswordPolicy"]
        snake = {re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower(): value for key, value in policy.items()}
        self.assertEqual(there["password_policy"], [snake])
        self.assertEqual(there["mfa_configuration"], here["MfaConfiguration"])
        self.assertEqual(there["auto_verified_attributes"], here["AutoVerifiedAttributes"])
        self.assertEqual(
            there["admin_create_user_config"][0]["allow_admin_create_user_only"],
            here["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"],
        )
        self.assertEqual(there["username_configuration"], [{"case_sensitive": here["UsernameConfiguration"]["CaseSensitive"]}])
        server = of_template("ResourceServer")
        self.assertEqual(MODULE_BLOCKS["locals"]["resource_server"], server["Identifier"])
        scopes = [{"scope_name": s["ScopeName"], "scope_description": s["ScopeDescription"]} for s in server["Scopes"]]
        self.assertEqual(RESOURCES["aws_cognito_resource_server.api"]["scope"], scopes)
        groups = {of_template(group)["GroupName"] for group in ("AdminGroup", "UserGroup")}
        self.assertEqual(set(re.findall(r"(\w+) = \"", RESOURCES["aws_cognito_user_group.this"]["for_each"])), groups)

    def test_the_clients(self):
        for client, name in (("WebClient", "web"), ("MachineClient", "machine")):
            here, there = of_template(client), RESOURCES[f"aws_cognito_user_pool_client.{name}"]
            server = of_template("ResourceServer")["Identifier"]
            for one, other in (
                ("ClientName", "name"),
                ("GenerateSecret", "generate_secret"),
                ("AllowedOAuthFlowsUserPoolClient", "allowed_oauth_flows_user_pool_client"),
                ("AllowedOAuthFlows", "allowed_oauth_flows"),
                ("AllowedOAuthScopes", "allowed_oauth_scopes"),
                ("SupportedIdentityProviders", "supported_identity_providers"),
                ("ExplicitAuthFlows", "explicit_auth_flows"),
                ("WriteAttributes", "write_attributes"),
                ("PreventUserExistenceErrors", "prevent_user_existence_errors"),
                ("EnableTokenRevocation", "enable_token_revocation"),
                ("AccessTokenValidity", "access_token_validity"),
                ("IdTokenValidity", "id_token_validity"),
                ("RefreshTokenValidity", "refresh_token_validity"),
            ):
                value = there.get(other)
                if isinstance(value, list):
                    value = [item.replace("${local.resource_server}", server) for item in value]
                self.assertEqual(here.get(one), value, f"{client} {one}")
            units = {re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower(): value for key, value in here["TokenValidityUnits"].items()}
            self.assertEqual(there["token_validity_units"], [units])
            for one, other in (("CallbackURLs", "callback_urls"), ("LogoutURLs", "logout_urls")):
                urls = [url.replace("${WebOrigin}", "${var.web_origin}") for url in here.get(one, [])]
                self.assertEqual(urls, there.get(other, []), f"{client} {one}")

    def test_the_tables(self):
        for name, table in (("RevocationsTable", "revocations"), ("KeysTable", "keys")):
            with self.subTest(name):
                self.the_table(name, table)

    def the_table(self, name, table):
        here, there = of_template(name), RESOURCES[f"aws_dynamodb_table.{table}"]
        self.assertEqual(there["billing_mode"], here["BillingMode"])
        self.assertEqual(there["hash_key"], here["KeySchema"][0]["AttributeName"])
        ttl = here["TimeToLiveSpecification"]
        self.assertEqual(there["ttl"], [{"attribute_name": ttl["AttributeName"], "enabled": ttl["Enabled"]}])
        self.assertEqual(there["point_in_time_recovery"], [{"enabled": True}])
        # What the template says with DeletionPolicy.
        self.assertEqual(TEMPLATE["Resources"][name]["DeletionPolicy"], "RetainExceptOnCreate")
        self.assertIs(there["deletion_protection_enabled"], True)

    def test_what_the_revoker_hears_of(self):
        event = of_template("RevokerFunction")["Events"]["TokensEnded"]["Properties"]
        pattern = RESOURCES["aws_cloudwatch_event_rule.tokens_ended"]["event_pattern"]
        words = re.findall(r'"([^"]+)"', pattern)
        expected = event["Pattern"]["source"] + event["Pattern"]["detail-type"]
        expected += event["Pattern"]["detail"]["eventSource"] + event["Pattern"]["detail"]["eventName"]
        self.assertEqual(words, expected)
        retry = RESOURCES["aws_cloudwatch_event_target.revoker"]["retry_policy"][0]
        self.assertEqual(retry["maximum_event_age_in_seconds"], event["RetryPolicy"]["MaximumEventAgeInSeconds"])
        self.assertEqual(retry["maximum_retry_attempts"], event["RetryPolicy"]["MaximumRetryAttempts"])
        asynchronous = of_template("RevokerFunction")["EventInvokeConfig"]
        invoked = RESOURCES["aws_lambda_function_event_invoke_config.revoker"]
        self.assertEqual(invoked["maximum_retry_attempts"], asynchronous["MaximumRetryAttempts"])
        self.assertEqual(invoked["maximum_event_age_in_seconds"], asynchronous["MaximumEventAgeInSeconds"])
        queue = RESOURCES["aws_sqs_queue.missed_revocations"]
        self.assertEqual(queue["message_retention_seconds"], of_template("MissedRevocations")["MessageRetentionPeriod"])

    def test_the_alarms(self):
        here = {}
        for name, resource in TEMPLATE["Resources"].items():
            p = resource.get("Properties", {})
            if resource["Type"] != "AWS::CloudWatch::Alarm" or p["Namespace"] != "CognitoAuthorizer/${AWS::StackName}":
                continue
            key = re.sub(r"(?<!^)([A-Z])", r"-\1", name.removesuffix("Alarm")).lower()
            threshold = p["Threshold"]
            here[key] = {
                "description": p["AlarmDescription"],
                "metric": p["MetricName"],
                "dimensions": {d["Name"]: d["Value"] for d in p.get("Dimensions", [])},
                "period": p["Period"],
                "datapoints": [p["DatapointsToAlarm"], p["EvaluationPeriods"]],
                "threshold": "${var.refusal_alarm_threshold}" if threshold == "RefusalAlarmThreshold" else threshold,
            }
            there = RESOURCES["aws_cloudwatch_metric_alarm.authorizer"]
            self.assertEqual(there["statistic"], p["Statistic"], name)
            self.assertEqual(there["comparison_operator"], p["ComparisonOperator"], name)
            self.assertEqual(there["treat_missing_data"], p["TreatMissingData"], name)
        self.assertEqual(len(here), 5)
        self.assertEqual(plain(parsed_object(MODULE_BLOCKS["locals"]["alarms"])), here)


    def test_the_alarms_on_what_aws_measures(self):
        for name, other in (
            ("DidNotRunAlarm", "did_not_run"),
            ("ThrottledAlarm", "throttled"),
            ("HttpApiErrorsAlarm", "http_api_errors"),
            ("WebSocketApiErrorsAlarm", "websocket_api_errors"),
            ("RevokerSilentAlarm", "revoker_silent"),
            ("MissedRevocationsAlarm", "missed_revocations"),
        ):
            here, there = of_template(name), RESOURCES[f"aws_cloudwatch_metric_alarm.{other}"]
            for one, two in (
                ("AlarmDescription", "alarm_description"),
                ("MetricName", "metric_name"),
                ("Statistic", "statistic"),
                ("Period", "period"),
                ("EvaluationPeriods", "evaluation_periods"),
                ("Threshold", "threshold"),
                ("ComparisonOperator", "comparison_operator"),
                ("TreatMissingData", "treat_missing_data"),
            ):
                self.assertEqual(here[one], there[two], f"{name} {one}")
            self.assertEqual({each["Name"] for each in here.get("Dimensions", [])}, set(there.get("dimensions", {})), name)
        patterns = RESOURCES["aws_cloudwatch_log_metric_filter.did_not_run"]["for_each"]
        for name in ("DidNotRunFilter", "BadConfigurationFilter"):
            pattern = of_template(name)["FilterPattern"].strip().replace("\\", "\\\\").replace('"', '\\"')
            self.assertIn(pattern, patterns.values() if isinstance(patterns, dict) else patterns)

    def test_the_canary(self):
        here, there = of_template("RevokerCanarySchedule"), RESOURCES["aws_scheduler_schedule.canary"]
        self.assertEqual(here["ScheduleExpression"], there["schedule_expression"])
        self.assertEqual(here["Target"]["Arn"].split("}")[-1], there["target"][0]["arn"].split("}")[-1])
        self.assertIn("canary-of-the-revoker-who-does-not-exist", str(here["Target"]["Input"]))
        self.assertIn("canary-of-the-revoker-who-does-not-exist", str(there["target"][0]["input"]))
        self.assertEqual(there["target"][0]["retry_policy"], [{"maximum_retry_attempts": here["Target"]["RetryPolicy"]["MaximumRetryAttempts"]}])

    def test_each_function_waits_for_its_permissions(self):
        for name in ("authorizer", "revoker"):
            waits = RESOURCES[f"aws_lambda_function.{name}"]["depends_on"]
            self.assertIn(f"aws_iam_role_policy.{name}", " ".join(waits))


def parsed_object(value):
    """An object in an attribute, which the reader may leave as an expression."""
    if isinstance(value, dict):
        return value
    inner = value.removeprefix("${").removesuffix("}")
    return hcl2.loads(f"x = {inner}\n")["x"]


@unittest.skipUnless(shutil.which("terraform"), "NOT CHECKED BY TERRAFORM: it is not installed")
class Terraform(unittest.TestCase):
    """Terraform's own word, on a copy: it leaves files behind."""

    def run_terraform(self, *arguments, folder):
        return subprocess.run(
            ["terraform", f"-chdir={folder}", *arguments], capture_output=True, text=True, timeout=500, check=False
        )

    def passes(self, *arguments, folder):
        done = self.run_terraform(*arguments, folder=folder)
        self.assertEqual(done.returncode, 0, f"terraform {arguments}:\n{done.stdout}{done.stderr}")

    def test_it_is_formatted(self):
        self.passes("fmt", "-check", "-recursive", "-diff", folder=MODULE)

    def test_it_is_valid_and_its_own_tests_pass_and_the_example_too(self):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "terraform"
            shutil.copytree(MODULE, copy, ignore=shutil.ignore_patterns(".terraform*"))
            shutil.copy(ROOT / "template.yaml", scratch)
            example = Path(scratch) / "example"
            example.mkdir()
            blocks = re.findall(r"^```hcl\n(.*?)^```", (MODULE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
            self.assertEqual(len(blocks), 1)
            (example / "main.tf").write_text(re.sub(r'source( +)= ".*"', rf'source\1= "{copy}"', blocks[0], count=1))
            for name in ("authorizer.zip", "revoker.zip"):
                (example / name).touch()
            begun = self.run_terraform("init", "-backend=false", "-input=false", "-no-color", folder=copy)
            if begun.returncode:
                self.skipTest(f"NOT VALIDATED: the AWS provider could not be had: {begun.stderr.strip()[:300]}")
            self.passes("validate", "-no-color", folder=copy)
            self.passes("test", "-no-color", folder=copy)
            # The recipes of docs/deploy.md, with the function that exists already.
            recipe = Path(scratch) / "recipe"
            recipe.mkdir()
            blocks = re.findall(r"^```hcl\n(.*?)^```", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE | re.DOTALL)
            self.assertEqual(len(blocks), 2)
            function = 'data "aws_lambda_function" "authorizer" {\n  function_name = "authorizer"\n}\n'
            (recipe / "main.tf").write_text("\n".join([*blocks, function]))
            for folder in (example, recipe, copy / "examples/complete"):
                self.passes("init", "-backend=false", "-input=false", "-no-color", folder=folder)
                self.passes("validate", "-no-color", folder=folder)
                self.passes("fmt", "-check", "-diff", folder=folder)


if __name__ == "__main__":
    unittest.main(verbosity=2)
