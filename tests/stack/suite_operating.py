"""`make smoke` against the stack, a pool that is brought along, and `make destroy`."""

import os
import subprocess
import sys

from botocore.exceptions import ClientError
from deployment import READ, REPOSITORY, Suite, client, deployment
from local_aws import deploy


def program(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, REPOSITORY / "demo" / name, *arguments]
    return subprocess.run(command, env=os.environ | variables, text=True, capture_output=True, timeout=180)


class Operating(Suite):
    kind = "http"

    def test_1_smoke_walks_all_three_apis_and_leaves_no_users(self):
        users = self.users()
        done = program("smoke.py")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for expected in ("REST API", "HTTP API", "WebSocket API", "token_revoked", " 0 not as expected, 0 left out"):
            self.assertIn(expected, done.stdout)
        self.assertEqual(self.users(), users)

    def test_2_smoke_of_one_api_fails_where_an_answer_is_another(self):
        rest = self.stack.outputs["RestApiUrl"]
        tokens = {"TOKEN_READER": self.fresh(READ)}
        done = program("smoke.py", "--url", rest, **tokens)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("HTTP API", done.stdout)
        self.assertIn("not asked: no such token here", done.stdout)
        wrong = program("smoke.py", "--url", rest, TOKEN_READER=tokens["TOKEN_READER"], TOKEN_WRITER=tokens["TOKEN_READER"])
        self.assertEqual(wrong.returncode, 1, wrong.stdout + wrong.stderr)
        self.assertIn("expected 200", wrong.stdout)
        unknown = program("smoke.py", "--url", "https://api.example.com")
        self.assertIn("say with KIND=", unknown.stderr)
        for token in tokens.values():
            self.assertNotIn(token, done.stdout + done.stderr + wrong.stdout + wrong.stderr)

    def test_3_a_pool_that_is_brought_along_is_used_and_left_alone(self):
        pool, client_id = self.stack.outputs["UserPoolId"], self.stack.outputs["WebClientId"]
        given = (f"UserPoolId={pool}", f"ClientIds={client_id}")
        with self.assertRaisesRegex(Exception, "ClientIds must say"):
            deploy(deployment.folder, given[0], name="second")
        second = deploy(deployment.folder, *given, name="second")
        self.assertFalse({"UserPool", "WebClient", "UserPoolDomain", "ResourceServer"} & set(second.resources))
        self.assertNotIn("TokenEndpoint", second.outputs)
        self.assertEqual(second.outputs["UserPoolId"], pool)
        answer = client.request(second.url("http"), "GET", "/items", self.fresh(READ))
        self.assertEqual(answer.status, 200)
        # The machine's client was not named.
        machine = self.walk.tokens["machine"]
        self.assertEqual(client.request(second.url("http"), "GET", "/items", machine).status, 403)

        done = program("destroy.py", "--stack", "second", "--everything")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName="second"))
        self.assertFalse(self.exists("dynamodb", "describe_table", TableName=second.resources["RevocationsTable"]))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def test_4_destroy_keeps_users_and_revocations(self):
        table, pool = self.stack.resources["RevocationsTable"], self.stack.resources["UserPool"]
        done = program("destroy.py")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"Kept: the table {table}", done.stdout)
        self.assertIn(f"Kept: the user pool {pool}", done.stdout)
        self.assertFalse(self.exists("cloudformation", "describe_stacks", StackName=self.stack.name))
        self.assertFalse(self.exists("lambda", "get_function", FunctionName=self.stack.resources["AuthorizerFunction"]))
        self.assertTrue(self.exists("dynamodb", "describe_table", TableName=table))
        self.assertTrue(self.exists("cognito-idp", "describe_user_pool", UserPoolId=pool))

    def users(self) -> list[str]:
        pool = self.stack.outputs["UserPoolId"]
        return [user["Username"] for user in self.stack.aws("cognito-idp").list_users(UserPoolId=pool)["Users"]]

    def exists(self, service: str, operation: str, **what: str) -> bool:
        try:
            getattr(self.stack.aws(service), operation)(**what)
        except ClientError:
            return False
        return True
