"""What an operator runs: `make smoke`, `deploy`, `token`, `admin`, `restore`, `destroy`, and the next stack that takes what was kept."""

import hashlib
import os
import re
import shutil
import subprocess
import unittest
import zipfile
from pathlib import Path

import table
from botocore.exceptions import ClientError
from completion import complete
from deployment import READ, REPOSITORY, Suite, client, deployment
from local_aws import build, deploy, template_text
from stack import Stack
from walk import read, revoke


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    # This may itself have been started by a make, whose flags are not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--directory", REPOSITORY, *arguments]
    return subprocess.run(
        command, env=environment | variables, text=True, capture_output=True, timeout=300, stdin=subprocess.DEVNULL
    )


class Operating(Suite):
    kind = "http"
    of_the_sample = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.packages = packages(deployment.folder)

    def test_0_the_authorizer_had_nothing_to_warn_of(self):
        client.request(self.url, "GET", "/whatever/this/is", "junk")  # so that it has started
        pages = self.stack.aws("logs").get_paginator("filter_log_events")
        pages = pages.paginate(logGroupName=self.stack.outputs["AuthorizerLogGroup"])
        lines = [read(entry["message"]) for page in pages for entry in page["events"]]
        self.assertTrue(any(line.get("message") == "simple_answers" for line in lines), "the start is not in the log")
        self.assertEqual([line for line in lines if line.get("level") in ("WARN", "ERROR")], [])

    def test_1_smoke_walks_all_three_apis_and_leaves_no_users(self):
        users = self.users()
        done = make("smoke")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        revoked = ["token_revoked"] if table.is_sample(table.routes()) else []
        for expected in ("REST API", "HTTP API", "WebSocket API", *revoked, " 0 not as expected, 0 left out"):
            self.assertIn(expected, done.stdout)
        self.assertEqual(self.users(), users)
        # The questions that only an account answers; the emulator's answers are not AWS's, but they come.
        self.assertIn("trail that logs management events", done.stdout)
        self.assertRegex(done.stdout, r"path in the event's ARN +\w")
        self.assertNotIn(self.stack.outputs["UserPoolId"], done.stdout.partition("open questions")[2])

    @unittest.skipUnless(table.is_sample(table.routes()), "of other tables nobody here knows what to expect")
    def test_2_smoke_of_one_api_fails_where_an_answer_is_another(self):
        rest = self.stack.outputs["RestApiUrl"]
        tokens = {"TOKEN_READER": self.fresh(READ)}
        done = make("smoke", f"URL={rest}", **tokens)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("HTTP API", done.stdout)
        self.assertIn("not asked: no such token here", done.stdout)
        wrong = make("smoke", f"URL={rest}", **tokens, TOKEN_WRITER=tokens["TOKEN_READER"])
        self.assertNotEqual(wrong.returncode, 0, wrong.stdout + wrong.stderr)
        self.assertIn("expected 200", wrong.stdout)
        unknown = make("smoke", "URL=https://api.example.com")
        self.assertIn("say with KIND=", unknown.stderr)
        for token in tokens.values():
            self.assertNotIn(token, done.stdout + done.stderr + wrong.stdout + wrong.stderr)

    def test_3_a_pool_that_is_brought_along_is_used_and_left_alone(self):
        pool, client_id = self.stack.outputs["UserPoolId"], self.stack.outputs["WebClientId"]
        with self.assertRaisesRegex(Exception, "ClientIds must say"):
            deploy(deployment.folder, f"UserPoolId={pool}", name="second")
        second = self.made("second", f"USER_POOL_ID={pool}", f"CLIENT_IDS={client_id},another1", "PARAMETERS=AlarmTopic=")
        self.assertEqual(second.parameters["AlarmTopic"], "")
        # Off while it was made, on since.
        self.assertEqual(second.parameters["DeletionProtection"], "on")
        table_name = second.resources["RevocationsTable"]
        described = second.aws("dynamodb").describe_table(TableName=table_name)["Table"]
        self.assertIs(described["DeletionProtectionEnabled"], True)
        self.assertEqual(second.parameters["ClientIds"], f"{client_id},another1")
        self.assertFalse({"UserPool", "WebClient", "UserPoolDomain", "ResourceServer"} & set(second.resources))
        self.assertNotIn("TokenEndpoint", second.outputs)
        self.assertEqual(second.outputs["UserPoolId"], pool)
        if table.is_sample(table.routes()):
            answer = client.request(second.url("http"), "GET", "/items", self.fresh(READ))
            self.assertEqual(answer.status, 200)
            # The machine's client was not named.
            machine = self.walk.tokens["machine"]
            self.assertEqual(client.request(second.url("http"), "GET", "/items", machine).status, 403)

        unasked = make("destroy", "STACK=second", "EVERYTHING=1")
        self.assertNotEqual(unasked.returncode, 0)
        self.assertIn("YES=1", unasked.stderr)
        self.assertTrue(self.exists("cloudformation", "describe_stacks", StackName="second"))
        done = make("destroy", "STACK=second", "EVERYTHING=1", "YES=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Region   us-east-1 (AWS_REGION)", done.stdout)
        self.assertFalse(self.exists("logs", "describe_log_streams", logGroupName=second.resources["AuthorizerLogGroup"]))
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName="second"))
        self.assertFalse(self.exists("dynamodb", "describe_table", TableName=second.resources["RevocationsTable"]))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def test_4_deploy_refuses_what_would_hurt(self):
        pool = self.stack.outputs["UserPoolId"]
        for words, expected, variables in (
            ((f"USER_POOL_ID={pool}", "CLIENT_IDS=web"), "the stack's own pool", {}),
            (("PARAMETERS=LogRetentionDay=7",), "no parameter LogRetentionDay", {}),
            ((), "nothing says which Region", {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}),
        ):
            done = make("deploy", f"PREBUILT={self.packages}", *words, **variables)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn(expected, done.stderr)
        spoilt = deployment.folder / "spoilt"
        shutil.copytree(self.packages, spoilt)
        with (spoilt / "authorizer-x86_64.zip").open("ab") as package:
            package.write(b"x")
        done = make("deploy", f"PREBUILT={spoilt}")
        self.assertIn("is not what SHA256SUMS says", done.stderr)

    def test_5_a_token_and_an_administrator_are_one_command_each(self):
        done = make("--silent", "token")
        self.assertRegex(done.stdout, r"\A[\w-]+\.[\w-]+\.[\w-]+\n\Z", done.stderr)
        done = make("admin", "EMAIL=ada@example.com")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pool = self.stack.outputs["UserPoolId"]
        groups = self.stack.aws("cognito-idp").admin_list_groups_for_user(UserPoolId=pool, Username="ada@example.com")
        self.assertEqual([group["GroupName"] for group in groups["Groups"]], ["admin"])

    def test_6_a_stack_of_the_last_release_is_updated_and_keeps_what_it_holds(self):
        released = (REPOSITORY / "tests/stack/released/template-0.1.0.yaml").read_text()
        folder = deployment.folder / "released"
        deploy_released(folder, released)
        before = Stack("old")
        kept = {name: before.resources[name] for name in ("UserPool", "WebClient", "MachineClient", "RevocationsTable", "AuthorizerLogGroup")}
        after = self.made("old")
        self.assertEqual({name: after.resources[name] for name in kept}, kept)
        self.assertTrue(self.exists("logs", "describe_log_streams", logGroupName=before.resources["HttpAccessLogs"]))
        self.assertNotEqual(after.resources["HttpAccessLogs"], before.resources["HttpAccessLogs"])
        done = make("destroy", "STACK=old", "YES=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"Kept: the table {kept['RevocationsTable']}", done.stdout)
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=kept["RevocationsTable"]))

    def test_7_a_restored_table_refuses_what_was_revoked(self):
        revoked = self.fresh(role="admin")
        revoke(self.stack, revoked)
        done = make("restore", "BEFORE=latest")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        [name] = re.findall(r"RevocationsTableName=([\w.-]+)", done.stdout)
        aws = self.stack.aws("dynamodb")
        ttl = aws.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        self.assertEqual((ttl["TimeToLiveStatus"], ttl["AttributeName"]), ("ENABLED", "expires_at"))
        self.assertGreater(aws.scan(TableName=name)["Count"], 0)
        restored = self.made(self.stack.name, f"PARAMETERS=RevocationsTableName={name}")
        self.refused_by(restored, revoked)
        self.assertNotIn("RevocationsTable", restored.resources)
        # The first table is still there. What was not given is as it was.
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=self.stack.resources["RevocationsTable"]))
        self.assertEqual(restored.parameters, self.stack.parameters | {"RevocationsTableName": name})

    def test_8_destroy_keeps_users_and_revocations_and_the_next_stack_takes_them(self):
        stack = Stack(self.stack.name)
        kept, pool = stack.outputs["RevocationsTable"], stack.resources["UserPool"]
        revoked, good = self.fresh(role="admin"), self.fresh(READ)
        revoke(stack, revoked)
        logs = stack.resources["AuthorizerLogGroup"]
        done = make("destroy", "YES=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"Kept: the user pool {pool}", done.stdout)
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName=stack.name))
        self.assertFalse(self.exists("lambda", "get_function", FunctionName=stack.resources["AuthorizerFunction"]))
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=kept))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))
        self.assertTrue(self.exists("logs", "describe_log_streams", logGroupName=logs))

        forgotten = make("deploy", f"TEMPLATE={deployment.folder / 'build/template.yaml'}", f"PREBUILT={self.packages}")
        self.assertNotEqual(forgotten.returncode, 0, forgotten.stdout)
        self.assertIn("left a table of revocations", forgotten.stderr)

        [line] = re.findall(r"^  make deploy (.*)$", done.stdout, re.MULTILINE)
        words = dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
        variables = [f"{name}={value.strip(chr(34))}" for name, value in words.items() if name != "STACK"]
        self.assertIn(f"USER_POOL_ID={pool}", variables)
        self.assertIn(f"PARAMETERS=RevocationsTableName={kept}", variables)
        again = self.made(stack.name, *variables)
        self.assertEqual((again.outputs["UserPoolId"], again.outputs["RevocationsTable"]), (pool, kept))
        self.refused_by(again, revoked)
        if table.is_sample(table.routes()):
            self.assertEqual(client.request(again.url("http"), "GET", "/items", good).status, 200)
        done = make("destroy", "YES=1", "EVERYTHING=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # What was brought along is nobody's to delete.
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=kept))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def refused_by(self, stack: Stack, token: str) -> None:
        if table.is_sample(table.routes()):
            self.assertEqual(client.request(stack.url("rest"), "GET", "/admin/reports", token).status, 401)
            good = self.fresh(role="admin")
            self.assertEqual(client.request(stack.url("rest"), "GET", "/admin/reports", good).status, 200)

    def made(self, name: str, *variables: str) -> Stack:
        """The stack that `make deploy` makes out of packages, with what the emulator leaves out added."""
        template = deployment.folder / "build/template.yaml"
        done = make("deploy", f"STACK={name}", f"TEMPLATE={template}", f"PREBUILT={self.packages}", *variables)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        stack = Stack(name)
        complete(stack, template_text())
        return stack

    def users(self) -> list[str]:
        pool = self.stack.outputs["UserPoolId"]
        return [user["Username"] for user in self.stack.aws("cognito-idp").list_users(UserPoolId=pool)["Users"]]

    def exists(self, service: str, operation: str, **what: str) -> bool:
        try:
            getattr(self.stack.aws(service), operation)(**what)
        except ClientError:
            return False
        return True


def packages(folder: Path) -> Path:
    """A release's packages, of the programs that are tested here."""
    target = folder / "packages"
    target.mkdir()
    for program, function in (("authorizer", "AuthorizerFunction"), ("revoker", "RevokerFunction"), ("enricher", "EnricherFunction")):
        with zipfile.ZipFile(target / f"{program}-x86_64.zip", "w") as package:
            package.write(folder / "build" / function / "bootstrap", "bootstrap")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(target.glob("*.zip"))]
    (target / "SHA256SUMS").write_text("".join(sums))
    return target


def deploy_released(folder: Path, template: str) -> None:
    build(folder / "build/template.yaml", template)
    deploy(folder, name="old")
