"""template.yaml and authorizer.yaml fit, and what makes them not fit is noticed."""

import copy
import unittest

import couplings
from couplings import Stack


class Couplings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack.sample()

    def test_the_two_files_fit(self):
        self.assertEqual(couplings.complaints(Stack.read()), {})

    def test_the_sample_fits_so_that_a_mistake_is_the_only_one(self):
        self.assertEqual(couplings.complaints(self.stack), {})

    def test_a_table_of_ones_own_is_judged_by_itself(self):
        """`/items` is renamed in both files: they fit, and mistakes are still judged on the sample."""
        template, config = copy.deepcopy((self.stack.template, self.stack.config))
        config["routes"] = {key.replace("/items", "/orders"): rule for key, rule in config["routes"].items()}
        for event in template["Resources"]["SampleFunction"]["Properties"]["Events"].values():
            if "Path" in event["Properties"]:
                event["Properties"]["Path"] = event["Properties"]["Path"].replace("/items", "/orders")
        self.assertEqual(couplings.complaints(Stack(template, config)), {})

    def test_policies_that_cover_the_token_may_be_cached_by_the_token_alone(self):
        template, config = copy.deepcopy((self.stack.template, self.stack.config))
        both = Both(template, config)
        del both.identity("RestApi", "Cached")["Context"]
        self.assertIn("a_cache_key_holds_all_that_an_answer_depends_on", couplings.complaints(Stack(template, config)))
        config["policy"] = {"covers": "token", "implicit_deny": True}
        self.assertEqual(couplings.complaints(Stack(template, config)), {})

    def test_what_does_not_fit_is_noticed_by_every_rule(self):
        noticed = set()
        for name, change, expected in MISTAKES:
            with self.subTest(name):
                template, config = copy.deepcopy((self.stack.template, self.stack.config))
                change(Both(template, config))
                found = couplings.complaints(Stack(template, config))
                noticed |= set(found)
                told = [complaint for each in found.values() for complaint in each]
                self.assertTrue(any(expected in complaint for complaint in told), f"{expected!r} is not in {told}")
        self.assertEqual(noticed, {rule.__name__ for rule in couplings.RULES})


class Both:
    def __init__(self, template: dict, config: dict):
        self.template, self.config = template, config
        self.outputs = template["Outputs"]

    def of(self, resource: str) -> dict:
        return self.template["Resources"][resource]["Properties"]

    def identity(self, api: str, authorizer: str) -> dict:
        return self.of(api)["Auth"]["Authorizers"][authorizer]["Identity"]

    def event(self, name: str) -> dict:
        return self.of("SampleFunction")["Events"][name]["Properties"]

    def no_event(self, name: str) -> None:
        del self.of("SampleFunction")["Events"][name]


def by_request(both: Both, *context: str) -> None:
    both.config.pop("policy", None)
    both.identity("RestApi", "Cached")["Context"] = list(context)


MISTAKES = [
    ("an API without a rule's route", lambda both: both.no_event("HttpUsers"), "HttpApi has no route ANY /users"),
    (
        "a route without a rule",
        lambda both: both.config["routes"].pop("POST /items"),
        "no rule for POST /items of RestApi",
    ),
    ("no default route", lambda both: both.no_event("HttpDefault"), "HttpApi has no $default"),
    (
        "a rule for the default",
        lambda both: both.config["routes"].update({"$default": {}}),
        "a rule for what no route names",
    ),
    ("no $connect", lambda both: both.config["routes"].pop("$connect"), "$connect is in one of the two"),
    (
        "an open route",
        lambda both: both.event("HttpReadItems").update({"Auth": {"Authorizer": "NONE"}}),
        "HttpApi: GET /items is open",
    ),
    (
        "a preflight request that needs a token",
        lambda both: both.of("RestApi")["Auth"].update({"AddDefaultAuthorizerToCorsPreflight": True}),
        "has no token to show",
    ),
    (
        "ANY takes the preflight",
        lambda both: both.no_event("HttpAdminPreflight"),
        "ANY /admin/{proxy+} takes the preflight",
    ),
    ("$default takes the preflight", lambda both: both.no_event("HttpPreflight"), "$default takes the preflight"),
    ("an open connection", lambda both: both.of("WebSocketApi").pop("Auth"), "ConnectRoute is open"),
    (
        "a live check that is cached, REST",
        lambda both: both.event("RestAdmin").pop("Auth"),
        "RestApi: ANY /admin/{proxy+} is checked live",
    ),
    (
        "a live check that is cached, HTTP",
        lambda both: both.identity("HttpApi", "Live").update({"ReauthorizeEvery": 5}),
        "HttpApi: ANY /admin/{proxy+} is checked live",
    ),
    (
        "an age that is cached",
        lambda both: both.config["routes"].update({"GET /items": {"max_auth_age": "15m"}}),
        "GET /items is checked live",
    ),
    ("no method in the key", lambda both: by_request(both, "path"), "without context.httpMethod"),
    ("no path in the key", lambda both: by_request(both, "httpMethod"), "without context.path"),
    (
        "no route in the key",
        lambda both: both.identity("HttpApi", "Cached").update({"Context": ["path"]}),
        "without $context.routeKey",
    ),
    (
        "no path in the key of simple answers",
        lambda both: both.identity("HttpApi", "Cached").update({"Context": ["routeKey"]}),
        "without $context.path",
    ),
    (
        "policies where simple answers are expected",
        lambda both: both.config.update({"http_api": {"response": "policy"}}),
        "takes another answer",
    ),
    (
        "a resource policy beside silence",
        lambda both: (
            both.config.update({"policy": {"covers": "token", "implicit_deny": True}}),
            both.of("RestApi")["Auth"].update({"ResourcePolicy": {"IpRangeWhitelist": ["10.0.0.0/8"]}}),
        ),
        "resource policy",
    ),
    (
        "a cache that outlives tokens",
        lambda both: both.identity("RestApi", "Cached").update({"ReauthorizeEvery": 300}),
        "not within a fifth",
    ),
    (
        "a cache for as long as SAM likes",
        lambda both: both.identity("RestApi", "Cached").pop("ReauthorizeEvery"),
        "caches for None",
    ),
    (
        "no cache",
        lambda both: both.identity("HttpApi", "Cached").update({"ReauthorizeEvery": 0}),
        "HttpApi: nothing is cached",
    ),
    (
        "a connection with one place for the token",
        lambda both: both.of("WebSocketApi")["Auth"].update({"IdentitySource": ["route.request.header.Authorization"]}),
        "of several places",
    ),
    ("no token from browsers", lambda both: both.config.pop("token"), "browsers cannot open"),
    (
        "no permission for an HTTP API",
        lambda both: [
            each.pop("EnableFunctionDefaultPermissions") for each in both.of("HttpApi")["Auth"]["Authorizers"].values()
        ],
        "HttpApi may not call",
    ),
    (
        "too much for the authorizer",
        lambda both: both.of("AuthorizerFunction")["Policies"].append("AmazonDynamoDBFullAccess"),
        "AuthorizerFunctionRole: managed policies",
    ),
    (
        "a write for the authorizer",
        lambda both: both.of("AuthorizerFunction")["Policies"][0]["Statement"].append(
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}
        ),
        "dynamodb:PutItem is too much",
    ),
    (
        "a table of any name",
        lambda both: both.of("RevokerFunction")["Policies"][0]["Statement"][0].update({"Resource": "*"}),
        'dynamodb:PutItem on "*"',
    ),
    (
        "a scope that is not there",
        lambda both: both.config["routes"]["GET /items"].update({"any_scope": ["https://api.example.com/raed"]}),
        "no scope https://api.example.com/raed",
    ),
    (
        "a group that is not there",
        lambda both: both.config["routes"]["ANY /admin/{proxy+}"].update({"any_group": ["admins"]}),
        "no group admins",
    ),
    (
        "a secret in a browser",
        lambda both: both.of("WebClient").update({"GenerateSecret": True}),
        "WebClient: ['code']",
    ),
    (
        "attributes that users may change",
        lambda both: both.of("WebClient").pop("WriteAttributes"),
        "WebClient: users may change every attribute",
    ),
    ("tokens of a day", lambda both: both.of("MachineClient").update({"AccessTokenValidity": 1440}), "15 minutes"),
    (
        "a pool beside one's own",
        lambda both: both.template["Resources"]["AdminGroup"].pop("Condition"),
        "AdminGroup is made",
    ),
    ("an output of no pool", lambda both: both.outputs["TokenEndpoint"].pop("Condition"), "the output TokenEndpoint"),
    (
        "a name without a value",
        lambda both: both.of("AuthorizerFunction")["Environment"]["Variables"].pop("CLIENT_IDS"),
        "asks for CLIENT_IDS",
    ),
    ("a log for ever", lambda both: both.of("RestAccessLogs").pop("RetentionInDays"), "RestAccessLogs is kept"),
    (
        "a function without its log",
        lambda both: both.of("SampleFunction").pop("LoggingConfig"),
        "SampleFunction logs to",
    ),
    (
        "a query in the access log",
        lambda both: both.of("WebSocketApi")["AccessLogSettings"].update(
            {"Format": '{"error":"$context.authorizer.error","path":"$context.path"}'}
        ),
        "$context.path in the access log",
    ),
    (
        "a claim in the access log",
        lambda both: both.of("RestApi")["AccessLogSetting"].update(
            {"Format": '{"error":"$context.authorizer.error","who":"$context.authorizer.principalId"}'}
        ),
        "$context.authorizer.principalId in the access log",
    ),
    ("no access log", lambda both: both.of("HttpApi").pop("AccessLogSettings"), "writes no access log"),
    (
        "refusals without CORS",
        lambda both: both.of("RestApi")["GatewayResponses"].pop("DEFAULT_5XX"),
        "not shown DEFAULT_5XX",
    ),
    (
        "refusals without a reason",
        lambda both: both.of("RestApi")["GatewayResponses"]["ACCESS_DENIED"].update({"ResponseTemplates": {}}),
        "does not tell `scope`",
    ),
    ("a slow authorizer", lambda both: both.of("AuthorizerFunction").update({"Timeout": 10}), "10 seconds"),
]

if __name__ == "__main__":
    unittest.main()
