"""Who asks for what, and what authorizer.yaml says to it: the sample's rows, or, for another table, those of table.py."""

from dataclasses import dataclass

import table

KINDS = {"rest": "REST API", "http": "HTTP API", "websocket": "WebSocket API"}
EVENTS = {"rest": "rest_request", "http": "http_2.0", "websocket": "websocket"}  # what the log calls them


@dataclass(frozen=True)
class Case:
    """`{reader}` in a path is the reader's `sub`. No path: a WebSocket is opened. No decision: whatever the authorizer says."""

    title: str
    token: str
    method: str
    path: str
    decision: str
    reason: str = ""
    in_query: bool = False
    live: bool = False  # whether the route is one that introspects, whose answers are never cached

    def status(self, kind: str, local: bool, decision: str = "") -> int:
        """What the client is told."""
        decision = decision or self.decision
        if decision == "allow":
            return 101 if kind == "websocket" else 200
        if decision == "forbidden":
            return 403
        if decision == "unavailable":
            return 500
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
    ("wrong group", "reader", "GET", "/admin/reports", "forbidden", "insufficient_group", False, True),
    ("a forged group", "forged", "GET", "/admin/reports", "unauthorized", "bad_signature", False, True),
    ("no such route", "reader", "GET", "/reports", "forbidden", "no_route"),
)
# Where API Gateway looks at such a path itself is not known.
ODD_REQUESTS = requests(
    ("a way round", "admin", "GET", "/public/../admin/reports", "forbidden", "unsafe_path"),
    ("two slashes", "admin", "GET", "/admin//reports", "forbidden", "unsafe_path", False, True),
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
BEFORE_REVOCATION = requests(("administrator", "admin", "GET", "/admin/reports", "allow", "", False, True))
AFTER_REVOCATION = requests(
    ("revoked", "admin", "GET", "/admin/reports", "unauthorized", "token_revoked", False, True),
    ("not asked live", "admin", "GET", "/users/{reader}/orders", "allow"),
)


def cases(kind: str, local: bool, rules: dict | None = None) -> list[Case]:
    rules = table.routes() if rules is None else rules
    if kind == "websocket":
        return CONNECTIONS if table.is_sample(rules) else [case for case in CONNECTIONS if case.decision == "unauthorized"]
    if table.is_sample(rules):
        return REQUESTS + (ODD_REQUESTS + (POLICIES if table.has_cedar() else []) if local else [])
    return of_table(rules)


def of_table(rules: dict) -> list[Case]:
    """Rows that hold for every table, and then the user's own."""
    asked = table.requests(rules)
    rows = []
    for key, (method, path) in list(asked.items())[:1]:
        live = table.introspects(rules[key])
        rows += [Case(title, token, method, path, *verdict, live=live) for title, token, *verdict in NOBODY]
    if own := table.own_tests():
        return rows + [Case(f"test: {who}", who, method, path, *verdict_of(expected)) for who, method, path, expected in own]
    return rows + [
        Case(f"{who}", who, method, path, "", live=table.introspects(rules[key]))
        for key, (method, path) in asked.items()
        for who in table.PEOPLE
    ]


def verdict_of(expected: str) -> tuple[str, str]:
    """A test's one word is `allow` or a reason. Which status a reason has is not known here: the authorizer's own line is asked."""
    return ("allow", "") if expected == "allow" else ("", "" if expected == "deny" else expected)


def revocation(rules: dict) -> tuple[list[Case], list[Case]]:
    """What an administrator asks for before and after the token is revoked; nothing where no rule asks live."""
    if table.is_sample(rules):
        return BEFORE_REVOCATION, AFTER_REVOCATION
    for key, (method, path) in table.requests(rules).items():
        if table.introspects(rules[key]):
            before = Case("administrator", "admin", method, path, "", live=True)
            return [before], [Case("revoked", "admin", method, path, "unauthorized", "token_revoked", live=True)]
    return [], []
