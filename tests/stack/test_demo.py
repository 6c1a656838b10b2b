"""What `make deploy`, `run` and `smoke` decide before they ask AWS for anything."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "demo"))

import account  # noqa: E402
import cases  # noqa: E402
import deploy  # noqa: E402
import table  # noqa: E402
import template  # noqa: E402
from destroy import adoption  # noqa: E402
from pool import settings_for  # noqa: E402
from processes import Failure  # noqa: E402
from report import logs_management_events  # noqa: E402
from stack import Stack  # noqa: E402

NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}


class Region(unittest.TestCase):
    def settled(self, **variables: str):
        with mock.patch.dict(os.environ, NO_FILES | variables, clear=True):
            return account.settled_region()

    def test_either_variable_says_it_and_aws_region_goes_first(self):
        self.assertEqual(self.settled(AWS_REGION="eu-west-1"), ("eu-west-1", "AWS_REGION"))
        self.assertEqual(self.settled(AWS_DEFAULT_REGION="eu-west-1"), ("eu-west-1", "AWS_DEFAULT_REGION"))
        both = self.settled(AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-1")
        self.assertEqual(both, ("eu-west-1", "AWS_REGION"))

    def test_else_the_profile_and_else_nothing_is_done(self):
        with tempfile.NamedTemporaryFile("w") as config:
            config.write("[profile work]\nregion = eu-north-1\n")
            config.flush()
            found = self.settled(AWS_CONFIG_FILE=config.name, AWS_PROFILE="work")
        self.assertEqual(found, ("eu-north-1", "the profile work"))
        with self.assertRaisesRegex(Failure, "nothing says which Region"):
            self.settled()

    def test_every_tool_gets_the_same_one(self):
        with mock.patch.dict(os.environ, NO_FILES | {"AWS_REGION": "eu-west-1"}, clear=True):
            with mock.patch("boto3.client") as client:
                client().get_caller_identity.return_value = {"Account": "111122223333", "Arn": "arn"}
                account.settle()
            self.assertEqual({os.environ[name] for name in account.NAMES}, {"eu-west-1"})

    def test_a_region_or_profile_that_only_sam_would_heed_is_refused(self):
        for line in ('region = "eu-west-1"', 'profile = "work"'):
            with tempfile.NamedTemporaryFile("w") as config:
                config.write(f"version = 0.1\n[default.deploy.parameters]\n{line}\n")
                config.flush()
                with self.assertRaisesRegex(Failure, "only SAM would heed"):
                    account.check_samconfig(Path(config.name))
        account.check_samconfig()


class Credentials(unittest.TestCase):
    def test_a_program_without_profiles_gets_what_the_profile_came_to(self):
        """Single sign-on, `credential_process` and `aws login` are all profiles to boto3; this is the one that needs no network."""
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "credentials.sh")
            script.write_text('#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t"}\'\n')
            script.chmod(0o755)
            config = Path(folder, "config")
            config.write_text(f"[profile work]\nregion = eu-west-1\ncredential_process = {script}\n")
            variables = NO_FILES | {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "work", "PATH": os.environ["PATH"]}
            with mock.patch.dict(os.environ, variables, clear=True):
                given = account.credentials()
        self.assertEqual((given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], given["AWS_SESSION_TOKEN"]), ("AKIA", "s", "t"))
        self.assertEqual((given["AWS_REGION"], given["AWS_DEFAULT_REGION"]), ("eu-west-1", "eu-west-1"))
        self.assertNotIn("AWS_PROFILE", given)


class Parameters(unittest.TestCase):
    KNOWN = {"RevocationsTableName": "", "UserPoolId": "", "AccessLogRole": "create", "DeletionProtection": "on", "Architecture": "x86_64"}
    HERE = account.Account("111122223333", "arn", "eu-west-1", "AWS_REGION")

    def chosen(self, given: dict, had: dict | None, role: str | None = None, own: str | None = None, tables: tuple = ()):
        resources = [{"LogicalResourceId": "UserPool", "PhysicalResourceId": own}] if own else []
        with mock.patch("boto3.client") as client, mock.patch("deploy.resources", return_value=resources):
            client().get_account.return_value = {"cloudwatchRoleArn": role} if role else {}
            client().get_paginator().paginate.return_value = [{"TableNames": list(tables)}]
            return deploy.choose("stack", self.HERE, self.KNOWN, given, had)[0]

    def test_a_role_for_access_logs_that_is_there_stays(self):
        existing = self.chosen({}, None, role="arn:aws:iam::111122223333:role/theirs")
        self.assertEqual(existing["AccessLogRole"], "existing")
        self.assertEqual(self.chosen({}, None)["AccessLogRole"], "create")
        self.assertEqual(self.chosen({"AccessLogRole": "create"}, None, role="arn:theirs")["AccessLogRole"], "create")
        # A stack that is there keeps what it has: the role may be its own.
        self.assertEqual(self.chosen({}, {}, role="arn:theirs"), {})

    def test_a_table_that_an_earlier_stack_left_is_taken_or_given_up_but_never_forgotten(self):
        left = ("other-RevocationsTable-1", "stack-RevocationsTable-1A")
        with self.assertRaisesRegex(Failure, "stack-RevocationsTable-1A: with an empty one, what it refuses would pass"):
            self.chosen({}, None, tables=left)
        for value in ("stack-RevocationsTable-1A", ""):
            self.assertEqual(self.chosen({"RevocationsTableName": value}, None, tables=left)["RevocationsTableName"], value)
        # A stack that is there has its table; another stack's is none of its business.
        self.assertEqual(self.chosen({}, {}, tables=left), {})
        self.assertNotIn("RevocationsTableName", self.chosen({}, None, tables=left[:1]))

    def test_the_stacks_own_pool_is_not_taken_for_one_that_is_brought_along(self):
        with self.assertRaisesRegex(Failure, "the stack's own pool"):
            self.chosen({"UserPoolId": "eu-west-1_Own"}, {}, own="eu-west-1_Own")
        self.assertEqual(self.chosen({"UserPoolId": "eu-west-1_Other"}, {}, own="eu-west-1_Own"), {"UserPoolId": "eu-west-1_Other"})

    def test_a_name_that_the_template_does_not_have_is_refused_and_an_empty_value_is_not(self):
        with self.assertRaisesRegex(Failure, "no parameter AlarmTopik"):
            deploy.read_parameters(["AlarmTopik=x"], {"AlarmTopic": ""})
        self.assertEqual(deploy.read_parameters(["AlarmTopic=", "Other=a=b"], {"AlarmTopic": "", "Other": ""}), {"AlarmTopic": "", "Other": "a=b"})

    def test_what_changes_is_said(self):
        said = deploy.changes({"A": "", "B": "2", "C": "3"}, {"A": "1", "B": "2"})
        self.assertEqual(said, ["A: 1 -> (empty)", "C: (empty) -> 3", "Every other parameter keeps its value"])

    def test_the_files_that_a_template_names_are_found_from_anywhere(self):
        for name, files in (("template.yaml", ["policies/store.json"]), ("template-authorizer.yaml", ["LICENSE", "README.md"])):
            text = template.with_files_of((REPOSITORY / name).read_text(), REPOSITORY)
            for file in files:
                self.assertRegex(text, rf"(?m): {REPOSITORY / file}$")
        self.assertEqual(template.with_files_of("  TemplateURL: https://s3/x\n", REPOSITORY), "  TemplateURL: https://s3/x\n")

    def test_a_template_without_an_api_is_known(self):
        found = {name: template.has_api((REPOSITORY / name).read_text()) for name in ("template.yaml", "template-authorizer.yaml")}
        self.assertEqual(found, {"template.yaml": True, "template-authorizer.yaml": False})

    def test_the_templates_parameters_are_read_from_its_text(self):
        found = template.parameters((REPOSITORY / "template.yaml").read_text())
        self.assertEqual((found["Architecture"], found["UserPoolId"], found["ThrottlingRate"]), ("x86_64", "", "1000"))


class Resources(unittest.TestCase):
    def test_what_was_deleted_or_left_behind_is_not_the_stacks(self):
        listed = [
            {"LogicalResourceId": name, "ResourceStatus": status} | ({"PhysicalResourceId": name.lower()} if status != "CREATE_FAILED" else {})
            for name, status in (
                ("Kept", "CREATE_COMPLETE"),
                ("Changed", "UPDATE_COMPLETE"),
                ("Gone", "DELETE_COMPLETE"),
                ("Left", "DELETE_SKIPPED"),
                ("Never", "CREATE_FAILED"),
            )
        ]
        with mock.patch("boto3.client") as client:
            client().get_paginator().paginate.return_value = [{"StackResourceSummaries": listed}]
            Stack.aws.cache_clear()
            self.addCleanup(Stack.aws.cache_clear)
            found = object.__new__(Stack)
            found.name = "stack"
            self.assertEqual(found.resources, {"Kept": "kept", "Changed": "changed"})


class FailedFirst(unittest.TestCase):
    def test_the_first_thing_that_went_wrong_is_said_and_what_to_do(self):
        def event(name: str, status: str, reason: str) -> dict:
            return {"LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": reason}

        # The newest comes first, as CloudFormation has them.
        events = [
            event("Stack", "ROLLBACK_COMPLETE", ""),
            event("Other", "CREATE_FAILED", "Resource creation cancelled"),
            event("RestApiv1Stage", "CREATE_FAILED", "CloudWatch Logs role ARN must be set in account settings to enable logging"),
        ]
        with mock.patch("boto3.client") as client:
            client().get_paginator().paginate.return_value = [{"StackEvents": events}]
            said = deploy.why_it_failed("orders", "ROLLBACK_COMPLETE")
        self.assertIn("RestApiv1Stage: CloudWatch Logs role ARN must be set", said)
        self.assertIn("make destroy STACK=orders", said)
        self.assertNotIn("cancelled", said)


class Kept(unittest.TestCase):
    def test_the_next_stack_takes_both_or_what_there_is(self):
        stack = mock.Mock(outputs={"WebClientId": "web", "MachineClientId": "machine"}, parameters={"ClientIds": "third"})
        stack.name = "s"
        both = adoption(stack, "table", "pool")
        self.assertIn('make deploy STACK=s USER_POOL_ID=pool CLIENT_IDS=web,machine,third PARAMETERS="RevocationsTableName=table"', both)
        brought = mock.Mock(outputs={}, parameters={"UserPoolId": "theirs", "ClientIds": "a,b", "RevocationsTableName": "kept"})
        brought.name = "s"
        self.assertIn('USER_POOL_ID=theirs CLIENT_IDS=a,b PARAMETERS="RevocationsTableName=kept"', adoption(brought, None, None))
        brought.outputs["AuthorizerUri"] = "arn"
        self.assertIn("make deploy STACK=s TEMPLATE=template-authorizer.yaml USER_POOL_ID=theirs", adoption(brought, None, None))


class Clients(unittest.TestCase):
    def test_a_client_that_is_described_with_more_than_it_can_be_given_is_copied_all_the_same(self):
        described = {"ClientName": "web", "ClientSecret": "s", "ClientType": "PUBLIC", "ClientSecretArn": "arn", "DefaultRedirectURI": ""}
        self.assertEqual(settings_for(described, {"ClientName", "ClientSecret", "DefaultRedirectURI"}), {"ClientName": "web"})
        self.assertEqual(settings_for(described, {"ClientName", "ClientType"}), {"ClientName": "web", "ClientType": "PUBLIC"})


class Trail(unittest.TestCase):
    def test_only_a_trail_that_logs_writes_here_counts(self):
        def counts(trail=None, logging=True, selectors=None, advanced=None):
            aws = mock.Mock()
            aws.meta.region_name = "eu-west-1"
            aws.get_trail_status.return_value = {"IsLogging": logging}
            aws.get_event_selectors.return_value = {"EventSelectors": selectors or [], "AdvancedEventSelectors": advanced or []}
            return logs_management_events(aws, {"TrailARN": "t", "IsMultiRegionTrail": True} | (trail or {}))

        everything = [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]
        elsewhere = {"IsMultiRegionTrail": False, "HomeRegion": "us-east-1"}
        management = {"Field": "eventCategory", "Equals": ["Management"]}
        for expected, given in (
            (True, {"selectors": everything}),
            (True, {"selectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]}),
            (True, {"advanced": [{"FieldSelectors": [management]}]}),
            (False, {"selectors": everything, "logging": False}),
            (False, {"selectors": everything, "trail": elsewhere}),
            (True, {"selectors": everything, "trail": elsewhere | {"HomeRegion": "eu-west-1"}}),
            (False, {"selectors": [{"IncludeManagementEvents": True, "ReadWriteType": "ReadOnly"}]}),
            (False, {"selectors": [{"IncludeManagementEvents": False}]}),
            (False, {"advanced": [{"FieldSelectors": [management, {"Field": "readOnly", "Equals": ["true"]}]}]}),
            (False, {}),
        ):
            self.assertIs(counts(**given), expected, given)


class Table(unittest.TestCase):
    OWN = {"GET /orders/{id}": {}, "ANY /reports/{proxy+}": {"introspect": True}, "$connect": {}}

    def test_the_sample_has_its_rows_and_another_table_rows_about_its_own_routes(self):
        sample = dict.fromkeys(table.SAMPLE, {})
        self.assertEqual(cases.cases("rest", True, sample)[0].path, "/items")
        with mock.patch.object(table, "own_tests", return_value=[]):
            own = cases.cases("rest", True, self.OWN)
        self.assertEqual({case.path for case in own}, {"/orders/{reader}", "/reports/a/b"})
        refused = [case for case in own if case.decision == "unauthorized"]
        self.assertEqual(len(refused), len(cases.NOBODY))
        self.assertEqual({case.token for case in own if not case.decision}, set(table.PEOPLE))
        self.assertTrue(all(case.live for case in own if case.path.startswith("/reports")))

    def test_tests_of_ones_own_are_the_rows_as_far_as_they_are_about_the_people_of_the_walk(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "authorizer.test.yaml")
            file.write_text("""
personas: { stolen: { extends: admin } }
tests:
  - { as: reader, request: GET /orders/7, expect: allow }
  - { as: [machine, nobody], requests: [ANY /reports/x], expect: [insufficient_group, missing_token] }
  - { as: stolen, request: GET /reports/x, expect: token_revoked }
  - { as: [reader, writer], requests: ["GET /users/{writer}/x", "GET /a/{id}"], expect: [forbidden, allow] }
  - { as: reader, requests: [GET /a, GET /b], expect: [allow, no_route] }
  - { as: reader, request: GET /a, expect: allow, at: 2030-01-01T00:00:00Z }
  - { event: events/rest-request.json, as: reader, expect: allow }
""")
            rows = table.own_tests(file)
            self.assertEqual(
                rows,
                [
                    ("reader", "GET", "/orders/7", "allow"),
                    ("machine", "GET", "/reports/x", "insufficient_group"),
                    ("none", "GET", "/reports/x", "missing_token"),
                    ("reader", "GET", "/users/{writer}/x", "forbidden"),
                    ("reader", "GET", "/a/{reader}", "forbidden"),
                    ("writer", "GET", "/users/{writer}/x", "allow"),
                    ("writer", "GET", "/a/{reader}", "allow"),
                    ("reader", "GET", "/a", "allow"),
                    ("reader", "GET", "/b", "no_route"),
                ],
            )
            self.assertEqual(table.own_tests(Path(folder, "none.yaml")), [])

    def test_revoking_is_shown_where_a_rule_asks_live(self):
        before, after = cases.revocation(self.OWN)
        self.assertEqual([(case.path, case.live) for case in before + after], [("/reports/a/b", True)] * 2)
        self.assertEqual(cases.revocation({"GET /a": {}}), ([], []))


if __name__ == "__main__":
    unittest.main()
