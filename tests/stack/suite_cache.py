"""Answers that API Gateway keeps: right for the next request too, whatever it is, and gone where they must be live."""

from deployment import READ, REPOSITORY, WRITE, Suite, deployment, part
from walk import revoke


class Cache(Suite):
    """Each pair of requests in both orders, each time with a token that no cache has seen."""

    # Of the routes that a token may use, and may not: (method, path, status).
    def pairs(self, own: str):
        read, write = ("GET", "/items", 200), ("POST", "/items", 403)
        yield read, write
        yield ("GET", f"/users/{own}/orders", 200), ("GET", "/users/somebody-else/orders", 403)
        yield ("GET", f"/users/{own}/orders", 200), ("GET", f"/users/{own}x/orders", 403)
        yield read, ("GET", "/admin/reports", 403)
        yield read, ("GET", "/reports", 403)
        yield read, ("DELETE", "/items", 403)
        yield ("GET", f"/users/{own}/orders", 200), write
        yield ("POST", f"/users/{own}/orders", 200), write

    def test_an_answer_for_one_route_is_none_for_another(self):
        own = part(self.fresh(READ), 1)["sub"]
        for pair in self.pairs(own):
            for order in (pair, pair[::-1]):
                token = self.fresh(READ)
                for method, path, status in (*order, *order):
                    with self.subTest(f"{order}: {method} {path}"):
                        self.assertEqual(self.ask(method, path, token)[0], status)

    def test_an_answer_for_one_token_is_none_for_another(self):
        reader, writer = self.fresh(READ), self.fresh(READ, WRITE, role="writer")
        for first, second in ((reader, writer), (writer, reader)):
            for token in (first, second, first):
                status, _ = self.ask("POST", "/items", token)
                self.assertEqual(status, 200 if token == writer else 403)

    def test_junk_is_refused_after_a_good_token_was_kept(self):
        token = self.fresh(READ)
        self.assertEqual(self.ask("GET", "/items", token)[0], 200)
        head, _, signature = token.rpartition(".")
        for junk in (token[:-1], f"{head}.{signature[::-1]}", head, f"{token}x"):
            self.assertIn(self.ask("GET", "/items", junk)[0], (401, 403))

    def test_what_is_checked_live_is_asked_each_time_and_refused_once_revoked(self):
        token = self.fresh(role="admin")
        for _ in range(3):
            self.assertEqual(self.ask("GET", "/admin/reports", token), (200, "allow"))
        revoke(self.stack, token)
        status, reason = self.ask("GET", "/admin/reports", token)
        self.assertEqual((status, reason), (403 if self.kind == "http" else 401, "token_revoked"))

    def test_a_refusal_that_is_kept_opens_nothing_and_shuts_nothing_else(self):
        token = self.fresh(READ)
        for method in ("PUT", "DELETE", "PATCH"):
            self.assertEqual(self.ask(method, "/items", token)[0], 403)
        self.assertEqual(self.ask("GET", "/items", token)[0], 200)


class RestCache(Cache):
    """As the template has it, but without the cache: MiniStack takes the method and the path in its key for missing."""

    kind = "rest"


class RestCacheByToken(Cache):
    """With `policy.covers: token`, the cache on, and the token alone as its key."""

    kind = "rest"

    @classmethod
    def setUpClass(cls):
        stack = deployment.stack
        functions, function = stack.aws("lambda"), stack.resources["AuthorizerFunction"]
        variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        config = (REPOSITORY / "authorizer.yaml").read_text() + "\npolicy: { covers: token, implicit_deny: true }\n"
        cls.set_variables(functions, function, variables | {"AUTHORIZER_CONFIG": config})
        cls.addClassCleanup(cls.set_variables, functions, function, variables)

        gateway, api = stack.aws("apigateway"), stack.resources["RestApi"]
        cached = next(each for each in gateway.get_authorizers(restApiId=api)["items"] if each["name"] == "Cached")
        place = {"restApiId": api, "authorizerId": cached["id"]}
        cls.set_cache(gateway, place, "method.request.header.Authorization", "60")
        cls.addClassCleanup(cls.set_cache, gateway, place, cached["identitySource"], "0")
        super().setUpClass()

    @staticmethod
    def set_variables(functions, function: str, variables: dict) -> None:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})

    @staticmethod
    def set_cache(gateway, place: dict, key: str, seconds: str) -> None:
        changes = {"/identitySource": key, "/authorizerResultTtlInSeconds": seconds}
        operations = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
        gateway.update_authorizer(**place, patchOperations=operations)

    def test_one_answer_serves_every_request_of_a_token(self):
        reader, writer = self.fresh(READ), self.fresh(READ, WRITE, role="writer")
        own = part(reader, 1)["sub"]
        self.assertEqual(self.ask("POST", "/items", reader), (403, "insufficient_scope"))
        for method, path, status in (
            ("GET", "/items", 200),
            ("POST", "/items", 403),
            ("GET", f"/users/{own}/orders", 200),
            ("DELETE", f"/users/{own}/orders/1/lines", 200),
            ("GET", "/users/somebody-else/orders", 403),
            ("GET", f"/users/somebody-else/{own}/orders", 403),
            ("DELETE", "/items", 403),
            ("GET", "/reports", 403),
            ("GET", "/public/../items", 403),
            ("GET", f"/users/{own}/../somebody-else/orders", 403),
            ("GET", f"/users/{own}//orders", 403),
            ("GET", f"/users/{own}/%2e%2e/somebody-else/orders", 403),
        ):
            with self.subTest(f"{method} {path}"):
                self.assertEqual(self.ask(method, path, reader), (status, "not asked"))
        self.assertEqual(self.ask("GET", "/items", writer), (200, "allow"))
        self.assertEqual(self.ask("POST", "/items", writer), (200, "not asked"))
        self.assertEqual(self.ask("GET", f"/users/{own}/orders", writer), (403, "not asked"))

    def test_a_missing_token_is_never_served_from_the_cache(self):
        self.assertEqual(self.ask("GET", "/items", self.fresh(READ))[0], 200)
        self.assertEqual(self.ask("GET", "/items", None), (401, "not asked"))


class HttpCache(Cache):
    kind = "http"

    def test_the_cache_is_on(self):
        token = self.fresh(READ)
        self.assertEqual(self.ask("GET", "/items", token), (200, "allow"))
        self.assertEqual(self.ask("GET", "/items", token), (200, "not asked"))
        self.assertEqual(self.ask("POST", "/items", token), (403, "insufficient_scope"))
        self.assertEqual(self.ask("POST", "/items", token), (403, "not asked"))

    def test_a_missing_token_is_never_served_from_the_cache(self):
        self.assertEqual(self.ask("GET", "/items", self.fresh(READ))[0], 200)
        self.assertEqual(self.ask("GET", "/items", None), (401, "not asked"))
