"""A claim that Cognito does not have: the enricher puts it into access tokens, and a rule of the authorizer reads it.

By itself: `PYTHONPATH=demo .venv/local/bin/python tests/stack/suite_enriching.py`.
"""

import unittest

from deployment import REPOSITORY, Suite, client, deployment, part
from local_aws import build, deploy
from pool import People
from walk import Decisions

TABLE = "tenants"
ENRICHER = """
lookup: { table: "${ENRICHER_TABLE}", user_key: "user#{sub}" }
claims:
  tenant: { item: tenant }
  teams: { group_prefix: team- }
scopes:
  - { group: team-red, add: [https://api.example.com/teams], suppress: [https://api.example.com/write] }
"""
ROUTES = """
  GET /tenants/{tenant}/reports: { claims: { tenant: "{tenant}" } }
  GET /teams/{team}: { claims: { teams: "{team}" }, any_scope: https://api.example.com/teams }
"""


class Enriching(Suite):
    kind = "rest"
    of_the_sample = False

    @classmethod
    def setUpClass(cls):
        folder = deployment.folder / "enriched"
        build(folder / "build/template.yaml")
        configuration = folder / "build/AuthorizerFunction/authorizer.yaml"
        configuration.write_text(configuration.read_text().replace("\nroutes:", f"\nroutes:{ROUTES}", 1))
        (folder / "build/EnricherFunction/enricher.yaml").write_text(ENRICHER)
        cls.stack = deploy(folder, "Enricher=V2_0", f"EnricherTableName={TABLE}", "RevokerCanary=false", name="enriched")
        cls.people = People(cls.stack, keep=True).__enter__()
        cls.url, cls.decisions = cls.stack.url(cls.kind), Decisions(cls.stack)
        cls.items = cls.stack.aws("dynamodb")
        cls.items.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )

    def signed_in(self, role: str) -> str:
        return self.people.sign_in(self.stack.outputs["WebClientId"], role, "openid", *self.people.write)["access_token"]

    def status(self, token: str, path: str) -> int:
        return client.request(self.url, "GET", path, token).status

    def test_the_pool_asks_the_function_with_the_version_that_was_chosen(self):
        pool = self.stack.aws("cognito-idp").describe_user_pool(UserPoolId=self.stack.outputs["UserPoolId"])["UserPool"]
        trigger = pool["LambdaConfig"]["PreTokenGenerationConfig"]
        self.assertEqual(trigger, {"LambdaArn": self.stack.outputs["EnricherFunctionArn"], "LambdaVersion": "V2_0"})

    def test_a_tenant_out_of_the_table_admits_to_that_tenant_and_a_stranger_is_refused(self):
        sub = part(self.signed_in("reader"), 1)["sub"]
        self.items.put_item(TableName=TABLE, Item={"pk": {"S": f"user#{sub}"}, "tenant": {"S": "acme"}})
        token = self.signed_in("reader")
        claims = part(token, 1)
        self.assertEqual((claims["token_use"], claims["tenant"]), ("access", "acme"))
        self.assertEqual(self.status(token, "/tenants/acme/reports"), 200)
        self.assertEqual(self.status(token, "/tenants/globex/reports"), 403)
        stranger = self.signed_in("writer")
        self.assertNotIn("tenant", part(stranger, 1))
        self.assertEqual(self.status(stranger, "/tenants/acme/reports"), 403)

    def test_groups_become_claims_and_scopes(self):
        cognito, pool = self.stack.aws("cognito-idp"), self.stack.outputs["UserPoolId"]
        for group in ("team-red", "team-blue"):
            cognito.create_group(UserPoolId=pool, GroupName=group)
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=self.people.names["writer"], GroupName="team-red")
        token = self.signed_in("writer")
        claims = part(token, 1)
        self.assertEqual(claims["teams"], ["red"])
        self.assertIn("team-red", claims["cognito:groups"])
        scopes = claims["scope"].split()
        self.assertIn("https://api.example.com/teams", scopes)
        self.assertNotIn("https://api.example.com/write", scopes)
        self.assertEqual((self.status(token, "/teams/red"), self.status(token, "/teams/blue")), (200, 403))
        self.assertEqual(self.status(self.signed_in("reader"), "/teams/red"), 403)


if __name__ == "__main__":
    assert REPOSITORY
    deployment.start()
    try:
        unittest.main(verbosity=2, exit=False)
    finally:
        deployment.stop()
