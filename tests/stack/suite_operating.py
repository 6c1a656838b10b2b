"""`make smoke` against the stack, a pool that is brought along by `make deploy`, and `make destroy`."""

import os
import re
import subprocess

from botocore.exceptions import ClientError
from completion import complete
from deployment import READ, REPOSITORY, Suite, client, deployment
from local_aws import deploy, template_text
from stack import Stack
from walk import read


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    # This may itself have been started by a make, whose flags are not meant for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--directory", REPOSITORY, *arguments]
    return subprocess.run(command, env=environment | variables, text=True, capture_output=True, timeout=300)


class Operating(Suite):
    kind = "http"

    def test_0_the_authorizer_had_nothing_to_warn_of(self):
        pages = self.stack.aws("logs").get_paginator("filter_log_events")
        pages = pages.paginate(logGroupName=self.stack.outputs["AuthorizerLogGroup"])
        lines = [read(entry["message"]) for page in pages for entry in page["events"]]
        self.assertTrue(any(line.get("message") == "simple_answers" for line in lines), "the start is not in the log")
        self.assertEqual([line for line in lines if line.get("level") in ("WARN", "ERROR")], [])

    def test_1_smoke_walks_all_three_apis_and_leaves_no_users(self):
        users = self.users()
        done = make("smoke")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for expected in ("REST API", "HTTP API", "WebSocket API", "token_revoked", " 0 not as expected, 0 left out"):
            self.assertIn(expected, done.stdout)
        self.assertEqual(self.users(), users)

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
        second = self.made_with("STACK=second", f"USER_POOL_ID={pool}", f"CLIENT_IDS={client_id},another1")
        self.assertEqual(second.parameters["ClientIds"], f"{client_id},another1")
        self.assertFalse({"UserPool", "WebClient", "UserPoolDomain", "ResourceServer"} & set(second.resources))
        self.assertNotIn("TokenEndpoint", second.outputs)
        self.assertEqual(second.outputs["UserPoolId"], pool)
        answer = client.request(second.url("http"), "GET", "/items", self.fresh(READ))
        self.assertEqual(answer.status, 200)
        # The machine's client was not named.
        machine = self.walk.tokens["machine"]
        self.assertEqual(client.request(second.url("http"), "GET", "/items", machine).status, 403)

        done = make("destroy", "STACK=second", "EVERYTHING=1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName="second"))
        self.assertFalse(self.exists("dynamodb", "describe_table", TableName=second.resources["RevocationsTable"]))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def test_4_destroy_keeps_users_and_revocations(self):
        table, pool = self.stack.resources["RevocationsTable"], self.stack.resources["UserPool"]
        done = make("destroy")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"Kept: the table {table}", done.stdout)
        self.assertIn(f"Kept: the user pool {pool}", done.stdout)
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName=self.stack.name))
        self.assertFalse(self.exists("lambda", "get_function", FunctionName=self.stack.resources["AuthorizerFunction"]))
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=table))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def made_with(self, *variables: str) -> Stack:
        """The stack that the `sam deploy` of `make deploy` makes, of the template that is built already."""
        lines = make("--dry-run", "deploy", *variables).stdout
        [command] = re.findall(r"^\S*/sam deploy (?:.*\\\n)*.*$", lines, re.MULTILINE)
        ours = f"--template-file {deployment.folder}/build/template.yaml --config-file {REPOSITORY}/samconfig.toml"
        command = command.replace(" deploy ", f" deploy {ours} ", 1)
        done = subprocess.run(["bash", "-ec", command], text=True, capture_output=True, cwd=REPOSITORY, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        stack = Stack("second")
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
