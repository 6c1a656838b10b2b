"""A user pool in a local Cognito (MiniStack), and the tokens that its clients and users really get from it.

MiniStack signs as Cognito does, with a key pair for access tokens and another for ID tokens, and names the AWS address as
the issuer; only the JWK Set is served locally.
"""

import base64
import contextlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from processes import Failure, Process, free_port

API = "https://api.example.com"
CALLBACK = "https://app.example.com/callback"
PASSWORD = "Correct-Horse-1"
REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
# Cognito's shortest life of a token is five minutes; MiniStack takes one second, which makes a true expired token.
BRIEF_SECONDS = 1


@contextlib.contextmanager
def local_cognito(folder: Path):
    """The pool with its clients, groups and users, for as long as the `with` lasts."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "AUTH": "true",  # without it tokens are not looked at
        "AWS_ENDPOINT_URL": url,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "false",  # it would listen on a port of its own
        "STATE_DIR": str(folder / "ministack"),
    }
    with Process(["ministack"], environment, folder / "ministack.log") as process:
        process.wait_for_port(port)
        yield LocalCognito(url)


class LocalCognito:
    def __init__(self, url: str):
        self.url = url
        self.aws = boto3.client("cognito-idp", endpoint_url=url, region_name=REGION, **CREDENTIALS)
        self.pool = self.aws.create_user_pool(PoolName="demo")["UserPool"]["Id"]
        self.jwks_uri = f"{self.url}/{self.pool}/.well-known/jwks.json"
        self.aws.create_resource_server(
            UserPoolId=self.pool,
            Identifier=API,
            Name="items",
            Scopes=[{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")],
        )
        for group in ("user", "admin"):
            self.aws.create_group(UserPoolId=self.pool, GroupName=group)

        scopes = ["openid", f"{API}/read", f"{API}/write"]
        self.web = self._client("web", scopes)
        self.brief = self._client(
            "brief", scopes, AccessTokenValidity=BRIEF_SECONDS, TokenValidityUnits={"AccessToken": "seconds"}
        )
        self.other = self._client("other app", scopes)
        self.machine = self._client("machine", [f"{API}/read"], flow="client_credentials", GenerateSecret=True)

        self.subjects = {
            "reader": self._user("rita", "user"),
            "writer": self._user("walt", "user"),
            "admin": self._user("ada", "admin"),
        }

    def revocations_table(self) -> str:
        """The table of template.yaml, empty."""
        name = "revocations"
        dynamodb = boto3.client("dynamodb", endpoint_url=self.url, region_name=REGION, **CREDENTIALS)
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        return name

    def _client(self, name: str, scopes: list[str], flow: str = "code", **settings) -> dict:
        return self.aws.create_user_pool_client(
            UserPoolId=self.pool,
            ClientName=name,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=[flow],
            AllowedOAuthScopes=scopes,
            CallbackURLs=[CALLBACK],
            SupportedIdentityProviders=["COGNITO"],
            **settings,
        )["UserPoolClient"]

    def _user(self, name: str, group: str) -> str:
        user = self.aws.admin_create_user(UserPoolId=self.pool, Username=name, MessageAction="SUPPRESS")["User"]
        self.aws.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=PASSWORD, Permanent=True)
        self.aws.admin_add_user_to_group(UserPoolId=self.pool, Username=name, GroupName=group)
        return next(attribute["Value"] for attribute in user["Attributes"] if attribute["Name"] == "sub")

    def client_ids(self) -> str:
        """The clients that the authorizer is told to trust: all but `other app`."""
        return ",".join(client["ClientId"] for client in (self.web, self.brief, self.machine))

    def tokens(self) -> dict[str, str | None]:
        """One credential for each name in the table."""
        read, write = f"{API}/read", f"{API}/write"
        expired = self._sign_in(self.brief, "rita", "openid", read)["access_token"]
        reader = self._sign_in(self.web, "rita", "openid", read)
        return {
            "reader": reader["access_token"],
            "writer": self._sign_in(self.web, "walt", "openid", read, write)["access_token"],
            "admin": self._sign_in(self.web, "ada", "openid")["access_token"],
            "machine": self._client_credentials(read)["access_token"],
            "expired": expired,
            "forged": with_claims(reader["access_token"], {"cognito:groups": ["admin"]}),
            "self-signed": signed_anew(reader["access_token"]),
            "wrong client": self._sign_in(self.other, "rita", "openid", read)["access_token"],
            "ID token": reader["id_token"],
            "malformed": "not-a-token",
            "none": None,
        }

    def _sign_in(self, client: dict, user: str, *scopes: str) -> dict:
        """The authorization code flow, as a browser and a web application go through it."""
        question = {
            "client_id": client["ClientId"],
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": " ".join(scopes),
        }
        answer = self._post("/login", question | {"username": user, "password": PASSWORD})
        query = urllib.parse.urlsplit(answer.headers.get("Location", "")).query
        code = urllib.parse.parse_qs(query).get("code")
        if not code:
            raise Failure(f"{user} could not sign in: {answer.status} {answer.read().decode(errors='replace')}")
        return self._token(
            grant_type="authorization_code", client_id=client["ClientId"], redirect_uri=CALLBACK, code=code[0]
        )

    def _client_credentials(self, scope: str) -> dict:
        return self._token(
            grant_type="client_credentials",
            client_id=self.machine["ClientId"],
            client_secret=self.machine["ClientSecret"],
            scope=scope,
        )

    def _token(self, **form: str) -> dict:
        answer = self._post("/oauth2/token", form)
        body = answer.read()
        if answer.status != 200:
            raise Failure(f"no token: {answer.status} {body.decode(errors='replace')}")
        return json.loads(body)

    def _post(self, path: str, form: dict[str, str]):
        request = urllib.request.Request(self.url + path, urllib.parse.urlencode(form).encode())
        try:
            return WITHOUT_REDIRECTS.open(request, timeout=10)
        except urllib.error.HTTPError as answer:
            return answer


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


WITHOUT_REDIRECTS = urllib.request.build_opener(NoRedirects)


def part(token: str, index: int) -> dict:
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def with_claims(token: str, claims: dict) -> str:
    """The token with claims of our own written into it; the signature is still the old one."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded(json.dumps(part(token, 1) | claims).encode())}.{signature}"


def signed_anew(token: str) -> str:
    """The token, `kid` and all, signed by a key that the pool never had."""
    text = token.rpartition(".")[0]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def wait_until_expired(token: str, leeway: int) -> None:
    time.sleep(max(0, part(token, 1)["exp"] + leeway + 1 - time.time()))
