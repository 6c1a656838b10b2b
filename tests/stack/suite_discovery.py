"""What `authctl discovery` makes, in a REST API: an MCP client of the official SDK finds issuer and scopes by itself.

By itself: `PYTHONPATH=demo .venv/local/bin/python tests/stack/suite_discovery.py`.
"""

import json
import os
import subprocess
import unittest
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from deployment import REPOSITORY, Suite, client, deployment
from local_aws import build, deploy, template_text

MCP = REPOSITORY / "tests/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Discovery(Suite):
    kind = "rest"
    of_the_sample = False

    @classmethod
    def setUpClass(cls):
        if not (MCP / "node_modules/.ready").is_file():
            raise unittest.SkipTest("make tests/mcp/node_modules/.ready")
        folder = deployment.folder / "discovery"
        build(folder / "build/template.yaml")
        stack = deploy(folder, "RevokerCanary=false", name="discovery")
        cls.resource = f"{stack.url(cls.kind)}/items"
        # Only now is it known where the API is.
        made = cls.authctl(stack, "--format", "template")
        (folder / "build/template.yaml").write_text(merged((folder / "build/template.yaml").read_text(), made))
        cls.stack = deploy(folder, "RevokerCanary=false", name="discovery")
        cls.document = json.loads(cls.authctl(cls.stack))
        cls.metadata = f"{cls.stack.url(cls.kind)}{WELL_KNOWN}/items"

    @classmethod
    def authctl(cls, stack, *arguments: str) -> str:
        program = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"), "debug/authctl")
        variables = stack.aws("lambda").get_function_configuration(FunctionName=stack.resources["AuthorizerFunction"])
        settings = [f"--set={name}={value}" for name, value in variables["Environment"]["Variables"].items()]
        base = urlsplit(stack.url(cls.kind)).path
        command = [program, "discovery", "--config", REPOSITORY / "authorizer.yaml", "--resource", cls.resource]
        done = subprocess.run([*command, "--base-path", base, *settings, *arguments], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_the_document_is_served_without_a_token_and_to_every_page(self):
        answer = client.request(self.metadata, "GET", "", None)
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.text), self.document)
        self.assertEqual(self.document["resource"], self.resource)
        self.assertEqual(self.document["scopes_supported"], ["https://api.example.com/read", "https://api.example.com/write"])

    def test_what_is_beside_it_stays_shut(self):
        for path in (WELL_KNOWN, f"{WELL_KNOWN}/other", f"{WELL_KNOWN}/items/x", "/.well-known/openid-configuration", "/items"):
            self.assertEqual(client.request(self.stack.url(self.kind), "GET", path, None).status, 401, path)

    def test_an_mcp_client_finds_the_issuer_the_scopes_and_the_resource(self):
        [issuer] = self.document["authorization_servers"]
        pool = self.stack.outputs["UserPoolId"]
        command = ["node", MCP / "discover.mjs", self.resource, f"{issuer}={self.stack.local}/{pool}"]
        done = subprocess.run(command, text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["status"], found["result"]), (401, "REDIRECT"), found)
        self.assertEqual(found["resourceMetadataUrl"], self.metadata)
        self.assertIn("/oauth2/authorize", found["authorizationEndpoint"])
        parameters = found["parameters"]
        self.assertEqual((parameters["resource"], parameters["code_challenge_method"]), (self.resource, "S256"))
        self.assertEqual(parameters["scope"].split(), self.document["scopes_supported"])


def merged(template: str, made: str) -> str:
    """The template with these properties of its REST API, and its 401 with the header that points to them."""
    header = yaml.safe_load(made)["GatewayResponses"]["UNAUTHORIZED"]["ResponseParameters"]["Headers"]["WWW-Authenticate"]
    added = made.partition("GatewayResponses:\n")[0]
    added = "".join(f"      {line}\n" for line in added.splitlines() if not line.startswith("#"))
    before = "  RestApi:\n    Type: AWS::Serverless::Api\n    Properties:\n"
    assert template.count(before) == 1 and template.count("WWW-Authenticate: \"'Bearer'\"") == 1
    template = template.replace("WWW-Authenticate: \"'Bearer'\"", f"WWW-Authenticate: {json.dumps(header)}")
    return template.replace(before, before + added)


if __name__ == "__main__":
    assert template_text()
    deployment.start()
    try:
        unittest.main(verbosity=2, exit=False)
    finally:
        deployment.stop()
