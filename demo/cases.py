"""Who asks for what, and what the repository's authorizer.yaml says to it."""

from dataclasses import dataclass

ITEMS = "/items"
USERS = "/users/{user_id}/{proxy+}"
ADMIN = "/admin/{proxy+}"


@dataclass(frozen=True)
class Case:
    """`route` is API Gateway's; `{reader}` in the path that is asked for is the reader's `sub`."""

    token: str
    method: str
    route: str
    path: str
    decision: str
    reason: str = ""

    def answer(self, kind: str) -> str:
        """What API Gateway is told: HTTP APIs are denied what others are told is `Unauthorized`."""
        if kind == "http_2.0":
            return "isAuthorized true" if self.decision == "allow" else "isAuthorized false"
        if self.decision == "unauthorized" and kind != "http_1.0":
            return "error Unauthorized"
        return "policy Allow" if self.decision == "allow" else "policy Deny"


FOR_EVERY_KIND = [
    Case("reader", "GET", ITEMS, "/items", "allow"),
    Case("reader", "POST", ITEMS, "/items", "forbidden", "insufficient_scope"),
    Case("writer", "POST", ITEMS, "/items", "allow"),
    Case("machine", "GET", ITEMS, "/items", "allow"),
    Case("reader", "GET", USERS, "/users/{reader}/orders", "allow"),
    Case("writer", "GET", USERS, "/users/{reader}/orders", "forbidden", "forbidden"),
    Case("admin", "GET", USERS, "/users/{reader}/orders", "allow"),
    Case("admin", "GET", ADMIN, "/admin/reports", "allow"),
    Case("machine", "GET", ADMIN, "/admin/reports", "forbidden", "insufficient_group"),
    Case("forged", "GET", ADMIN, "/admin/reports", "unauthorized", "bad_signature"),
    Case("expired", "GET", ITEMS, "/items", "unauthorized", "token_expired"),
    Case("wrong client", "GET", ITEMS, "/items", "unauthorized", "wrong_client"),
    Case("malformed", "GET", ITEMS, "/items", "unauthorized", "malformed_token"),
    Case("none", "GET", ITEMS, "/items", "unauthorized", "missing_token"),
]
# No different for another kind of event: enough to show them once.
FOR_ONE_KIND = [
    Case("ID token", "GET", ITEMS, "/items", "unauthorized", "wrong_token_use"),
    Case("self-signed", "GET", ITEMS, "/items", "unauthorized", "bad_signature"),
    Case("admin", "GET", "$default", "/public/../admin/reports", "forbidden", "unsafe_path"),
    Case("admin", "GET", "$default", "/reports", "forbidden", "no_route"),
]
FOR_WEBSOCKETS = [
    Case("reader", "", "$connect", "$connect", "allow"),
    Case("forged", "", "$connect", "$connect", "unauthorized", "bad_signature"),
    Case("expired", "", "$connect", "$connect", "unauthorized", "token_expired"),
    Case("none", "", "$connect", "$connect", "unauthorized", "missing_token"),
]

CASES = {
    "rest_token": FOR_EVERY_KIND,
    "rest_request": FOR_EVERY_KIND,
    "http_1.0": FOR_EVERY_KIND,
    "http_2.0": FOR_EVERY_KIND + FOR_ONE_KIND,
    "websocket": FOR_WEBSOCKETS,
}
# What is asked live on each request takes effect on the next one.
BEFORE_REVOCATION = {"http_2.0": [Case("admin", "GET", ADMIN, "/admin/reports", "allow")]}
AFTER_REVOCATION = {
    "http_2.0": [
        Case("admin", "GET", ADMIN, "/admin/reports", "unauthorized", "token_revoked"),
        Case("admin", "GET", USERS, "/users/{reader}/orders", "allow"),  # not marked `introspect`
    ]
}
