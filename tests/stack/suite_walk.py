"""Every row of the walk on each kind of API, and what browsers need."""

import json

from cases import AFTER_REVOCATION, BEFORE_REVOCATION, cases
from deployment import READ, Case, Suite, client, part
from walk import revoke

ORIGIN = "http://localhost:3000"  # what WebOrigin is left at
PATHS = ("/items", "/users/anybody/orders", "/admin/reports", "/no/such/route")


class Requests(Suite):
    """What REST and HTTP APIs have in common."""

    def test_each_row_of_the_walk_is_answered_as_the_rules_say(self):
        for case in cases(self.kind, local=True):
            with self.subTest(case.title):
                self.check(case)

    def test_a_revoked_token_is_refused_on_the_next_request_where_it_is_asked_for(self):
        self.walk.tokens["admin"] = self.fresh(role="admin")
        for case in BEFORE_REVOCATION:
            self.check(case)
        revoke(self.stack, self.walk.tokens["admin"])
        for case in AFTER_REVOCATION:
            with self.subTest(case.title):
                self.check(case)
        self.walk.tokens["admin"] = self.fresh(role="admin")
        for case in BEFORE_REVOCATION:
            self.check(case)

    def test_the_backend_is_told_who_asks(self):
        token = self.fresh(READ)
        claims = part(token, 1)
        told = client.request(self.url, "GET", "/items", token).json()["authorizer"]
        groups = ["user"] if self.kind == "http" else "user"
        self.assertEqual(
            (told["sub"], told["username"], told["client_id"], told["scope"], told["groups"]),
            (claims["sub"], "rita", claims["client_id"], claims["scope"], groups),
        )

    def test_a_preflight_request_needs_no_token(self):
        for path in PATHS:
            answer = client.preflight(self.url, path, ORIGIN, "GET")
            self.assertIn(answer.status, (200, 204), path)
            self.assertEqual(answer.headers["access-control-allow-origin"], ORIGIN, path)
            self.assertIn("authorization", answer.headers["access-control-allow-headers"], path)
        self.decisions.skip()
        client.preflight(self.url, "/items", ORIGIN, "GET")
        self.assertIsNone(self.decisions.next())

    def test_browsers_are_shown_the_answers(self):
        allowed = client.request(self.url, "GET", "/items", self.fresh(READ), origin=ORIGIN)
        self.assertEqual((allowed.status, allowed.headers["access-control-allow-origin"]), (200, ORIGIN))

    def test_the_method_counts_not_only_the_path(self):
        token = self.fresh(READ)
        for method in ("PUT", "PATCH", "DELETE", "HEAD"):
            self.assertEqual(client.request(self.url, method, "/items", token).status, 403, method)


class Rest(Requests):
    kind = "rest"

    def test_browsers_are_shown_the_refusals(self):
        unauthorized = client.request(self.url, "GET", "/admin/reports", "junk", origin=ORIGIN)
        self.assertEqual((unauthorized.status, unauthorized.headers["www-authenticate"]), (401, "Bearer"))
        forbidden = client.request(self.url, "POST", "/items", self.fresh(READ), origin=ORIGIN)
        self.assertEqual(forbidden.status, 403)
        # MiniStack fills in no $context.authorizer; the members are there.
        self.assertEqual(set(forbidden.json()), {"message", "reason", "error", "error_description", "scope"})
        for answer in (unauthorized, forbidden):
            self.assertEqual(answer.headers["access-control-allow-origin"], ORIGIN)


class Http(Requests):
    kind = "http"


class WebSocket(Suite):
    kind = "websocket"

    def test_each_row_of_the_walk_is_answered_as_the_rules_say(self):
        for case in cases("websocket", local=True):
            with self.subTest(case.title):
                self.check(case)

    def test_messages_reach_the_backend_with_the_authorizers_context(self):
        token = self.fresh(READ)
        answer = client.connect(self.url, token)
        told = json.loads(answer.text)["authorizer"]
        self.assertEqual((answer.status, told["sub"], told["groups"]), (101, part(token, 1)["sub"], "user"))

    def test_a_token_in_both_places_must_be_the_same(self):
        # The header is the first place; the query is then not looked at, whatever it holds.
        self.check(Case("header before query", "reader", "", "", "allow"))
        token = self.walk.tokens["forged"]
        self.assertNotEqual(client.connect(self.url, token, in_query=True).status, 101)
