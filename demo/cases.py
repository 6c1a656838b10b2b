"""Who asks for what, and what the repository's authorizer.yaml says to it."""

from dataclasses import dataclass

KINDS = {"rest": "REST API", "http": "HTTP API", "websocket": "WebSocket API"}
EVENTS = {"rest": "rest_request", "http": "http_2.0", "websocket": "websocket"}  # what the log calls them


@dataclass(frozen=True)
class Case:
    """`{reader}` in a path is the reader's `sub`. No path: a WebSocket is opened."""

    title: str
    token: str
    method: str
    path: str
    decision: str
    reason: str = ""
    in_query: bool = False

    @property
    def live(self) -> bool:
        """Whether the route is one that introspects, whose answers are never cached."""
        return self.path.startswith("/admin/")

    def status(self, kind: str, local: bool) -> int:
        """What the client is told."""
        if self.decision == "allow":
            return 101 if kind == "websocket" else 200
        if self.decision == "forbidden":
            return 403
        if kind == "http":
            # API Gateway's own answer where the header is missing; the authorizer can only deny.
            return 401 if self.token == "none" else 403
        # MiniStack turns the authorizer's `Unauthorized` into a 500 for WebSockets.
        return 500 if kind == "websocket" and local else 401


def requests(*rows: tuple) -> list[Case]:
    return [Case(*row) for row in rows]


NOBODY = (
    ("no token", "none", "unauthorized", "missing_token"),
    ("junk", "junk", "unauthorized", "malformed_token"),
    ("expired", "expired", "unauthorized", "token_expired"),
    ("forged", "forged", "unauthorized", "bad_signature"),
    ("signed by another key", "self-signed", "unauthorized", "bad_signature"),
    ("another pool's", "other pool", "unauthorized", "unknown_issuer"),
    ("another application's", "other client", "unauthorized", "wrong_client"),
    ("an ID token", "ID token", "unauthorized", "wrong_token_use"),
)
REQUESTS = [Case(title, token, "GET", "/items", *verdict) for title, token, *verdict in NOBODY] + requests(
    ("the right token", "reader", "GET", "/items", "allow"),
    ("wrong scope", "reader", "POST", "/items", "forbidden", "insufficient_scope"),
    ("the right scope", "writer", "POST", "/items", "allow"),
    ("a machine's", "machine", "GET", "/items", "allow"),
    ("one's own", "reader", "GET", "/users/{reader}/orders", "allow"),
    ("another user's", "writer", "GET", "/users/{reader}/orders", "forbidden", "forbidden"),
    ("administrator", "admin", "GET", "/users/{reader}/orders", "allow"),
    ("wrong group", "reader", "GET", "/admin/reports", "forbidden", "insufficient_group"),
    ("a forged group", "forged", "GET", "/admin/reports", "unauthorized", "bad_signature"),
    ("no such route", "reader", "GET", "/reports", "forbidden", "no_route"),
)
# Where API Gateway looks at such a path itself is not known.
ODD_REQUESTS = requests(
    ("a way round", "admin", "GET", "/public/../admin/reports", "forbidden", "unsafe_path"),
    ("two slashes", "admin", "GET", "/admin//reports", "forbidden", "unsafe_path"),
)
# demo/policies/, which no deployed stack has.
POLICIES = requests(
    ("a policy's owner", "reader", "GET", "/documents/{reader}/7", "allow"),
    ("a stranger to it", "writer", "GET", "/documents/{reader}/7", "forbidden", "forbidden"),
)
CONNECTIONS = [Case(title, token, "", "", *verdict) for title, token, *verdict in NOBODY] + [
    Case("the right token", "reader", "", "", "allow"),
    Case("the same, in the query", "reader", "", "", "allow", in_query=True),
    Case("a machine's", "machine", "", "", "allow"),
]
BEFORE_REVOCATION = requests(("administrator", "admin", "GET", "/admin/reports", "allow"))
AFTER_REVOCATION = requests(
    ("revoked", "admin", "GET", "/admin/reports", "unauthorized", "token_revoked"),
    ("not asked live", "admin", "GET", "/users/{reader}/orders", "allow"),
)


def cases(kind: str, local: bool) -> list[Case]:
    if kind == "websocket":
        return CONNECTIONS
    return REQUESTS + (ODD_REQUESTS + POLICIES if local else [])
