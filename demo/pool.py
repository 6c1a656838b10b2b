"""Users and app clients of a walk in the stack's pool, and the tokens that they really get from it.

Users sign in as a browser does: with the authorization code flow and PKCE, through the form of the sign-in page.
"""

import base64
import contextlib
import hashlib
import html.parser
import http.cookiejar
import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from processes import Failure
from stack import Stack

API = "https://api.example.com"
READ, WRITE = f"{API}/read", f"{API}/write"
LEEWAY_SECONDS = 5  # what authorizer.yaml leaves it at
# Cognito's shortest life of a token is five minutes; MiniStack takes one second, which makes a true expired token.
BRIEF_SECONDS = 1


class People:
    """A reader, a writer, an administrator and somebody else's application, until the end of the `with`."""

    def __init__(self, stack: Stack, prefix: str = "", keep: bool = False):
        self.stack = stack
        self.aws = stack.aws("cognito-idp")
        self.pool = stack.outputs["UserPoolId"]
        self.names = {"reader": f"{prefix}rita", "writer": f"{prefix}walt", "admin": f"{prefix}ada"}
        web = self.client(stack.outputs["WebClientId"])
        # The sample's scopes; of a pool that was changed, the first and all.
        scopes = [scope for scope in web.get("AllowedOAuthScopes", []) if "/" in scope]
        sample = {READ, WRITE} <= set(scopes)
        self.read, self.write = ([READ], [READ, WRITE]) if sample else (scopes[:1], scopes)
        self.keep = keep
        self.password = f"Aa1!{secrets.token_urlsafe(18)}"
        self.clients: list[str] = []

    def __enter__(self):
        try:
            self.make_users()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make_users(self) -> None:
        groups = [group["GroupName"] for group in self.aws.list_groups(UserPoolId=self.pool)["Groups"]]
        for role, name in self.names.items():
            user = {"UserPoolId": self.pool, "Username": name}
            self.aws.admin_create_user(**user, MessageAction="SUPPRESS")
            self.aws.admin_set_user_password(**user, Password=self.password, Permanent=True)
            if (group := "admin" if role == "admin" else "user") in groups:
                self.aws.admin_add_user_to_group(**user, GroupName=group)

    def __exit__(self, *_):
        if self.keep:
            return
        for client in self.clients:
            with contextlib.suppress(ClientError):
                self.aws.delete_user_pool_client(UserPoolId=self.pool, ClientId=client)
        for name in self.names.values():
            with contextlib.suppress(ClientError):
                self.aws.admin_delete_user(UserPoolId=self.pool, Username=name)

    def tokens(self) -> dict[str, str | None]:
        """A credential for each name of cases.py that can be had here."""
        web = self.stack.outputs["WebClientId"]
        expired = self.expired(web) if self.stack.local else None
        reader = self.sign_in(web, "reader", "openid", *self.read)
        access = reader["access_token"]
        tokens = {
            "reader": access,
            "writer": self.sign_in(web, "writer", "openid", *self.write)["access_token"],
            "admin": self.sign_in(web, "admin", "openid")["access_token"],
            "machine": self.client_credentials()["access_token"],
            "other client": self.sign_in(self.another_client(web), "reader", "openid", *self.read)["access_token"],
            "ID token": reader["id_token"],
        } | made_from(access)
        if expired:
            time.sleep(max(0, part(expired, 1)["exp"] + LEEWAY_SECONDS + 1 - time.time()))
            tokens["expired"] = expired
        return tokens

    def another_client(self, like: str) -> str:
        """An app client of the same pool of which the authorizer knows nothing."""
        settings = self.settings(like, "CreateUserPoolClient") | {"ClientName": "other app"}
        made = self.aws.create_user_pool_client(**settings)["UserPoolClient"]["ClientId"]
        self.clients.append(made)
        return made

    def expired(self, client: str) -> str:
        """A token of that client that lives for a second."""
        settings = self.settings(client, "UpdateUserPoolClient")
        units = settings["TokenValidityUnits"] | {"AccessToken": "seconds"}
        self.aws.update_user_pool_client(
            **settings | {"AccessTokenValidity": BRIEF_SECONDS, "TokenValidityUnits": units}
        )
        try:
            return self.sign_in(client, "reader", "openid", *self.read)["access_token"]
        finally:
            self.aws.update_user_pool_client(**settings)

    def client(self, client: str) -> dict:
        return self.aws.describe_user_pool_client(UserPoolId=self.pool, ClientId=client)["UserPoolClient"]

    def settings(self, client: str, operation: str) -> dict:
        """What the client is described with, as far as that operation takes it: newer clients are described with more."""
        return settings_for(self.client(client), self.aws.meta.service_model.operation_model(operation).input_shape.members)

    def sign_in(self, client: str, role: str, *scopes: str) -> dict:
        """The tokens that a web application gets for a user who signs in."""
        verifier = secrets.token_urlsafe(48)
        challenge = encoded(hashlib.sha256(verifier.encode()).digest())
        callback = self.stack.outputs["CallbackUrl"]
        question = {"client_id": client, "response_type": "code", "redirect_uri": callback, "scope": " ".join(scopes)}
        question |= {"code_challenge": challenge, "code_challenge_method": "S256", "state": secrets.token_urlsafe(8)}
        browser = Browser()
        authorize = self.stack.address(self.stack.outputs["AuthorizeEndpoint"])
        page = browser.open(f"{authorize}?{urllib.parse.urlencode(question)}")
        form = SignInForm.read(page.text)
        answer = browser.open(
            urllib.parse.urljoin(page.url, form.action),
            form.hidden | {"username": self.names[role], "password": self.password},
            until=callback,
        )
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.url).query))
        if "code" not in query or query.get("state") != question["state"]:
            raise Failure(f"{self.names[role]} could not sign in: {answer.status} {answer.text[:500]}")
        return self.token(
            grant_type="authorization_code",
            client_id=client,
            redirect_uri=callback,
            code=query["code"],
            code_verifier=verifier,
        )

    def client_credentials(self) -> dict:
        client = self.stack.outputs["MachineClientId"]
        described = self.client(client)
        secret, scope = described["ClientSecret"], " ".join(described["AllowedOAuthScopes"])
        return self.token(grant_type="client_credentials", client_id=client, client_secret=secret, scope=scope)

    def token(self, **form: str) -> dict:
        return token_of(self.stack, form)


def token_of(stack: Stack, form: dict[str, str]) -> dict:
    answer = Browser().open(stack.address(stack.outputs["TokenEndpoint"]), form)
    if answer.status != 200:
        raise Failure(f"no token: {answer.status} {answer.text[:500]}")
    return json.loads(answer.text)


def settings_for(described: dict, members) -> dict:
    """A secret is made, not given; MiniStack describes some settings that were never made as empty texts."""
    return {name: value for name, value in described.items() if name in members and name != "ClientSecret" and value != ""}


def made_from(access: str) -> dict[str, str]:
    """The tokens that anybody can make who has one."""
    return {
        "forged": with_claims(access, {"cognito:groups": ["admin"]}),
        "self-signed": signed_anew(access),
        "other pool": with_claims(access, {"iss": f"{part(access, 1)['iss']}Other"}),
    }


def given_tokens() -> dict[str, str]:
    """What the environment holds: `TOKEN_READER` is the reader's, `TOKEN_OTHER_CLIENT` the other client's."""
    given = {name.removeprefix("TOKEN_"): value for name, value in os.environ.items() if name.startswith("TOKEN_")}
    return {name.replace("_", " ").lower().replace("id token", "ID token"): value for name, value in given.items()}


class Page:
    def __init__(self, url: str, status: int, text: str):
        self.url, self.status, self.text = url, status, text


class Browser:
    """Keeps cookies, follows redirects up to an address that is not to be opened."""

    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(NoRedirects, urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, url: str, form: dict[str, str] | None = None, until: str | None = None) -> Page:
        body = None if form is None else urllib.parse.urlencode(form).encode()
        for _ in range(8):
            try:
                answer = self.opener.open(urllib.request.Request(url, body), timeout=20)
            except urllib.error.HTTPError as refused:
                answer = refused
            with answer:
                text = answer.read().decode(errors="replace")
            if answer.status not in (301, 302, 303, 307):
                return Page(url, answer.status, text)
            url, body = urllib.parse.urljoin(url, answer.headers["Location"]), None
            if until and url.startswith(until):
                return Page(url, answer.status, text)
        raise Failure(f"too many redirects, the last one to {url.partition('?')[0]}")


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class SignInForm(html.parser.HTMLParser):
    """The first form of a page that has a password in it: where it goes and what it hides."""

    @classmethod
    def read(cls, page: str):
        form = cls()
        form.action, form.hidden, form.asks, form.complete = "", {}, False, False
        form.feed(page)
        if not form.asks:
            raise Failure(f"there is no sign-in form: {page[:500]}")
        return form

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if self.complete:
            return
        if tag == "form":
            self.action, self.hidden = given.get("action") or "", {}
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"]] = given.get("value") or ""
        self.asks |= tag == "input" and given.get("type") == "password"

    def handle_endtag(self, tag):
        self.complete |= tag == "form" and self.asks


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
