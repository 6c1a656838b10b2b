"""What template.yaml and authorizer.yaml must agree in, each as a rule that gives its complaints.

The template is read after SAM's transform: what counts is what API Gateway, Lambda and IAM are given.
"""

import copy
import json
import logging
import os
import re
from pathlib import Path

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the transform asks for one
logging.getLogger("samtranslator").setLevel(logging.ERROR)

REPOSITORY = Path(__file__).resolve().parent.parent.parent
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
CATCH_ALL = {"RestApi": "ANY /{proxy+}", "HttpApi": "$default"}
TOKEN_KEYS = {"RestApi": "method.request.header.Authorization", "HttpApi": "$request.header.Authorization"}


class NoManagedPolicies:
    def load(self):
        return {}


class Stack:
    """Both files; `template` is SAM's, `resources` what becomes of it."""

    def __init__(self, template: dict, config: dict):
        self.template, self.config = template, config
        packaged = copy.deepcopy(template)
        for resource in packaged["Resources"].values():
            if "CodeUri" in resource.get("Properties", {}):
                resource["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam deploy` leaves it
        self.resources = transform(packaged, {}, NoManagedPolicies())["Resources"]

    @classmethod
    def read(cls):
        template = yaml_parse((REPOSITORY / "template.yaml").read_text())
        return cls(template, yaml.safe_load((REPOSITORY / "authorizer.yaml").read_text()))

    @classmethod
    def sample(cls):
        """Both files with the sample's table, whatever table they have by now; all else is as it is."""
        own, sample = cls.read(), yaml.safe_load((Path(__file__).parent / "sample.yaml").read_text())
        template = copy.deepcopy(own.template)
        for name, properties in sample["pool"].items():
            template["Resources"][name]["Properties"] = properties
        template["Resources"]["SampleFunction"]["Properties"]["Events"] = sample["events"]
        return cls(template, sample["configuration"])

    def of_type(self, kind: str) -> dict[str, dict]:
        return {name: each for name, each in self.resources.items() if each["Type"] == kind}

    def properties(self, name: str) -> dict:
        return self.resources[name]["Properties"]

    def body(self, api: str) -> dict:
        return self.properties(api)["Body"]

    def routes(self, api: str) -> dict[str, dict]:
        """The operations of a REST or HTTP API by their route keys."""
        found = {}
        for path, item in self.body(api)["paths"].items():
            for method, operation in item.items():
                name = "ANY" if method == ANY else method.upper()
                found["$default" if path == "$default" else f"{name} {path}"] = operation
        return found

    def authorizers(self, api: str) -> dict[str, dict]:
        schemes = self.body(api)["components"]["securitySchemes"]
        return {name: scheme["x-amazon-apigateway-authorizer"] for name, scheme in schemes.items()}

    def authorizer_of(self, api: str, operation: dict) -> tuple[str | None, dict | None]:
        names = [name for requirement in operation.get("security", []) for name in requirement]
        name = names[0] if names and names != ["NONE"] else None
        return name, self.authorizers(api).get(name)

    def rules(self) -> dict[str, dict]:
        """The rules for HTTP requests."""
        return {key: rule for key, rule in self.config["routes"].items() if not key.startswith("$")}


def sources(authorizer: dict) -> set[str]:
    """What makes the key of the cache."""
    given = authorizer.get("identitySource") or []
    given = given.split(",") if isinstance(given, str) else given
    return {source.strip() for source in given}


def is_cached(authorizer: dict) -> bool:
    return authorizer.get("authorizerResultTtlInSeconds", 300) != 0


def depends_on_more_than_the_token(rule) -> bool:
    """Whether the answer may change while token and path stay the same."""
    if isinstance(rule, dict):
        named = {"introspect", "max_auth_age"} & {key for key, value in rule.items() if value is not False}
        return bool(named) or any(map(depends_on_more_than_the_token, rule.values()))
    return isinstance(rule, list) and any(map(depends_on_more_than_the_token, rule))


def named_in_rules(config: dict, *keys: str) -> set[str]:
    """The texts below those keys, wherever in the rules they stand."""

    def walk(value, inside: bool):
        if isinstance(value, dict):
            for key, each in value.items():
                yield from walk(each, key in keys)
        elif isinstance(value, list):
            for each in value:
                yield from walk(each, inside)
        elif inside:
            yield value

    return set(walk(config["routes"], False))


def routes_are_the_rules(stack: Stack):
    """A rule that is no route of its own would be answered under another route's key; a route without a rule is shut."""
    rules = set(stack.rules())
    for api, catch_all in CATCH_ALL.items():
        routes = {key for key in stack.routes(api) if not key.startswith("OPTIONS ")}
        for missing in sorted(rules - routes):
            yield f"{api} has no route {missing}, which authorizer.yaml has"
        for extra in sorted(routes - rules - {catch_all}):
            yield f"authorizer.yaml has no rule for {extra} of {api}"
        if catch_all not in routes:
            yield f"{api} has no {catch_all}"
    if CATCH_ALL["RestApi"] in rules or "$default" in stack.config["routes"]:
        yield "authorizer.yaml has a rule for what no route names"
    routes = {each["Properties"]["RouteKey"] for each in stack.of_type("AWS::ApiGatewayV2::Route").values()}
    if ("$connect" in stack.config["routes"]) != ("$connect" in routes):
        yield "$connect is in one of the two alone"


def every_route_meets_the_authorizer_but_preflight(stack: Stack):
    for api in CATCH_ALL:
        for key, operation in stack.routes(api).items():
            name, authorizer = stack.authorizer_of(api, operation)
            if key.startswith("OPTIONS "):
                if name:
                    yield f"{api}: a preflight request to {key} has no token to show to {name}"
            elif not authorizer:
                yield f"{api}: {key} is open"
            elif "AuthorizerFunction" not in json.dumps(authorizer["authorizerUri"]):
                yield f"{api}: {key} asks another function"
    for key in stack.routes("HttpApi"):
        method, _, path = key.partition(" ")
        if method == "ANY" and f"OPTIONS {path}" not in stack.routes("HttpApi"):
            yield f"HttpApi: ANY {path} takes the preflight requests"
    if "OPTIONS /{proxy+}" not in stack.routes("HttpApi"):
        yield "HttpApi: $default takes the preflight requests"
    for name, route in stack.of_type("AWS::ApiGatewayV2::Route").items():
        if route["Properties"]["RouteKey"] == "$connect" and route["Properties"].get("AuthorizationType") != "CUSTOM":
            yield f"{name} is open"


def what_changes_from_request_to_request_is_never_cached(stack: Stack):
    for api in CATCH_ALL:
        for key, operation in stack.routes(api).items():
            name, authorizer = stack.authorizer_of(api, operation)
            rule = stack.rules().get(key)
            if authorizer and rule and depends_on_more_than_the_token(rule) and is_cached(authorizer):
                yield f"{api}: {key} is checked live, and {name} caches it"


def a_cache_key_holds_all_that_an_answer_depends_on(stack: Stack):
    covers = stack.config.get("policy", {}).get("covers", "request")
    response = stack.config.get("http_api", {}).get("response", "simple")
    for api, token in TOKEN_KEYS.items():
        needed = {token}
        if api == "RestApi" and covers == "request":
            needed |= {"context.httpMethod", "context.path"}
        if api == "HttpApi" and response == "simple":
            # The route key stands for the method, since each rule is a route: `routes_are_the_rules`.
            needed |= {"$context.routeKey", "$context.path"}
        for name, authorizer in stack.authorizers(api).items():
            if api == "HttpApi" and response == "policy" and covers == "request" and is_cached(authorizer):
                yield f"{api}: no key of {name} can tell two requests apart"
            for missing in sorted(needed - sources(authorizer)) if is_cached(authorizer) else []:
                yield f"{api}: {name} caches without {missing} in its key"
            if token not in sources(authorizer):
                yield f"{api}: {name} does not ask for the token's header"
            simple = authorizer.get("enableSimpleResponses", False)
            if api == "HttpApi" and (simple, authorizer["authorizerPayloadFormatVersion"]) != (
                response == "simple",
                "2.0",
            ):
                yield f"{api}: {name} takes another answer than authorizer.yaml has it give"


def a_policy_that_relies_on_silence_has_no_resource_policy_beside_it(stack: Stack):
    if stack.config.get("policy", {}).get("implicit_deny") and "Policy" in stack.properties("RestApi"):
        yield "RestApi has a resource policy, which would allow what the cached policy does not speak of"
    if "x-amazon-apigateway-policy" in stack.body("RestApi"):
        yield "RestApi has a resource policy in its definition"


def cached_answers_end_long_before_tokens(stack: Stack):
    life = min(
        client["Properties"]["AccessTokenValidity"] for client in stack.of_type("AWS::Cognito::UserPoolClient").values()
    )
    for api in CATCH_ALL:
        for name, authorizer in stack.authorizers(api).items():
            # A number, not a reference: what becomes of a parameter's text where an API's definition wants an integer is
            # not written anywhere.
            ttl = authorizer.get("authorizerResultTtlInSeconds")
            if not isinstance(ttl, int) or not 0 <= ttl <= life * 60 // 5:
                yield f"{api}: {name} caches for {ttl}, which is not within a fifth of a token's life"
        if not any(map(is_cached, stack.authorizers(api).values())):
            yield f"{api}: nothing is cached"


def the_connection_takes_the_token_wherever_it_may_be(stack: Stack):
    places = [
        place
        for place in stack.config.get("token", [{"header": "Authorization"}])
        if "websocket" in place.get("events", "websocket")
    ]
    for name, authorizer in stack.of_type("AWS::ApiGatewayV2::Authorizer").items():
        given = authorizer["Properties"].get("IdentitySource")
        if len(places) > 1 and given:
            yield f"{name}: of several places for the token only {given} would do"
    if not any("query" in place or "cookie" in place for place in places):
        yield "browsers cannot open a WebSocket: they can set no header"


def api_gateway_may_ask_the_authorizer(stack: Stack):
    for api in ("RestApi", "HttpApi", "WebSocketApi"):
        granted = [
            permission["Properties"]
            for permission in stack.of_type("AWS::Lambda::Permission").values()
            if "AuthorizerFunction" in json.dumps(permission["Properties"]["FunctionName"])
        ]
        own = [each for each in granted if f'"{api}"' in json.dumps(each["SourceArn"])]
        if not own:
            yield f"{api} may not call the authorizer"
        for each in own:
            if each["Principal"] != "apigateway.amazonaws.com" or "/authorizers/" not in json.dumps(each["SourceArn"]):
                yield f"{api} is granted more than to authorize"


BASIC = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}
GRANTED = {
    "AuthorizerFunctionRole": {
        "dynamodb:BatchGetItem": "RevocationsTable",
        "dynamodb:GetItem": "KeysTable",
        "kms:Decrypt": "KmsKey",
        "cognito-idp:AdminGetUser": "userpool/${Pool}",
        "verifiedpermissions:IsAuthorized": "PolicyStack",
        "verifiedpermissions:IsAuthorizedWithToken": "PolicyStack",
    },
    "RevokerFunctionRole": {
        "dynamodb:PutItem": "RevocationsTable",
        "kms:Decrypt": "KmsKey",
        "kms:GenerateDataKey": "KmsKey",
        "sqs:SendMessage": "MissedRevocations",
    },
    "EnricherFunctionRole": {"dynamodb:GetItem": "EnricherTableName", "kms:Decrypt": "KmsKey"},
    "SampleFunctionRole": {},
    "AccessLogAccountRole": {},
    "RevokerCanaryRole": {"cognito-idp:AdminUserGlobalSignOut": "userpool/${Pool}"},
}
# The managed policies of roles that are no function's.
MANAGED = {"AccessLogAccountRole": {"AmazonAPIGatewayPushToCloudWatchLogs"}, "RevokerCanaryRole": set()}


def each_function_may_do_what_it_does_and_nothing_else(stack: Stack):
    roles = stack.of_type("AWS::IAM::Role")
    for name in sorted(set(roles) ^ set(GRANTED)):
        yield f"{name}: a role that nobody looked at"
    for name in sorted(set(roles) & set(GRANTED)):
        role = roles[name]["Properties"]
        managed = re.findall(r"policy/(?:service-role/)?(\w+)", json.dumps(role.get("ManagedPolicyArns", [])))
        if set(managed) != MANAGED.get(name, BASIC):
            yield f"{name}: managed policies {managed}"
        actions = {}
        for statement in statements(role.get("Policies", [])):
            given = statement["Action"]
            for action in [given] if isinstance(given, str) else given:
                actions[action] = json.dumps(statement["Resource"])
        for action in sorted(set(actions) ^ set(GRANTED[name])):
            yield f"{name}: {action} is {'too much' if action in actions else 'missing'}"
        for action, resource in actions.items():
            if GRANTED[name].get(action, "") not in resource or resource == '"*"':
                yield f"{name}: {action} on {resource}"


def statements(value):
    """Every statement of the policies, those below `Fn::If` too."""
    if isinstance(value, dict):
        if "Action" in value:
            yield value
        else:
            for each in value.values():
                yield from statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from statements(each)


def the_pool_has_what_the_rules_name(stack: Stack):
    [server] = stack.of_type("AWS::Cognito::UserPoolResourceServer").values()
    identifier = server["Properties"]["Identifier"]
    scopes = {f"{identifier}/{scope['ScopeName']}" for scope in server["Properties"]["Scopes"]}
    groups = {group["Properties"]["GroupName"] for group in stack.of_type("AWS::Cognito::UserPoolGroup").values()}
    for scope in sorted(named_in_rules(stack.config, "any_scope", "all_scopes") - scopes):
        yield f"the pool has no scope {scope}"
    for group in sorted(named_in_rules(stack.config, "any_group", "all_groups") - groups):
        yield f"the pool has no group {group}"
    for name, client in stack.of_type("AWS::Cognito::UserPoolClient").items():
        for scope in sorted(set(client["Properties"]["AllowedOAuthScopes"]) - scopes - {"openid"}):
            yield f"{name}: there is no scope {scope}"


def clients_are_safe(stack: Stack):
    for name, flows, secret in (("WebClient", ["code"], False), ("MachineClient", ["client_credentials"], True)):
        client = stack.properties(name)
        if (client["AllowedOAuthFlows"], client["GenerateSecret"]) != (flows, secret):
            yield f"{name}: {client['AllowedOAuthFlows']}, secret: {client['GenerateSecret']}"
        if not client["EnableTokenRevocation"]:
            yield f"{name}: its tokens cannot be revoked"
        if not client.get("WriteAttributes"):
            yield f"{name}: users may change every attribute"
        if (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) != (15, "minutes"):
            yield f"{name}: its tokens do not live for 15 minutes"


def a_pool_of_ones_own_is_left_alone(stack: Stack):
    for name, each in stack.resources.items():
        if each["Type"].startswith("AWS::Cognito::") and each.get("Condition") != "MakesPool":
            yield f"{name} is made even where a pool is brought along"
    for name, output in stack.template["Outputs"].items():
        text = json.dumps(output["Value"])
        of_the_pool = re.search(r'(\$\{|"Ref": ")(UserPoolDomain|WebClient|MachineClient)\b', text)
        if of_the_pool and output.get("Condition") != "MakesPool":
            yield f"the output {name} needs a pool of the stack's own"


def every_name_in_the_configuration_has_a_value(stack: Stack):
    names = set(re.findall(r"\$\{(\w+)\}", json.dumps(stack.config)))
    given = stack.properties("AuthorizerFunction")["Environment"]["Variables"]
    for name in sorted(names - set(given)):
        yield f"authorizer.yaml asks for {name}, which the function does not have"


def every_log_ends_and_none_holds_a_token(stack: Stack):
    for name, group in stack.of_type("AWS::Logs::LogGroup").items():
        if group["Properties"].get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"{name} is kept for ever"
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        group = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in stack.of_type("AWS::Logs::LogGroup"):
            yield f"{name} logs to a group that nobody made"
        if function["Properties"].get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name} is not traced"
    formats = {
        name: each["Properties"].get("AccessLogSetting")
        for name, each in stack.of_type("AWS::ApiGateway::Stage").items()
    }
    stages = stack.of_type("AWS::ApiGatewayV2::Stage")
    formats |= {name: each["Properties"].get("AccessLogSettings") for name, each in stages.items()}
    for name, setting in formats.items():
        if not setting:
            yield f"{name} writes no access log"
            continue
        line = json.loads(setting["Format"])
        if "$context.authorizer.error" not in line.values():
            yield f"{name}: the access log does not tell the authorizer's errors"
        # What a client writes, and may put a token into.
        for value in line.values():
            if re.search(r"querystring|header|requestOverride|protocol|\.path$|principalId", value, re.IGNORECASE):
                yield f"{name}: {value} in the access log"


def refusals_reach_browsers(stack: Stack):
    responses = stack.body("RestApi").get("x-amazon-apigateway-gateway-responses", {})
    for kind in ("UNAUTHORIZED", "ACCESS_DENIED", "DEFAULT_4XX", "DEFAULT_5XX"):
        headers = responses.get(kind, {}).get("responseParameters", {})
        if "gatewayresponse.header.Access-Control-Allow-Origin" not in headers:
            yield f"a browser is not shown {kind}"
    unauthorized = responses.get("UNAUTHORIZED", {}).get("responseParameters", {})
    if unauthorized.get("gatewayresponse.header.WWW-Authenticate") != "'Bearer'":
        yield "a 401 does not say how to authenticate"
    body = json.loads(responses.get("ACCESS_DENIED", {}).get("responseTemplates", {}).get("application/json", "{}"))
    for key in ("reason", "error", "error_description", "scope"):
        if body.get(key) != f"$context.authorizer.{key}":
            yield f"a 403 does not tell `{key}`"


def the_authorizer_answers_before_api_gateway_gives_up(stack: Stack):
    if not stack.properties("AuthorizerFunction")["Timeout"] < 10:
        yield "an HTTP API waits for 10 seconds"


RULES = [
    routes_are_the_rules,
    every_route_meets_the_authorizer_but_preflight,
    what_changes_from_request_to_request_is_never_cached,
    a_cache_key_holds_all_that_an_answer_depends_on,
    a_policy_that_relies_on_silence_has_no_resource_policy_beside_it,
    cached_answers_end_long_before_tokens,
    the_connection_takes_the_token_wherever_it_may_be,
    api_gateway_may_ask_the_authorizer,
    each_function_may_do_what_it_does_and_nothing_else,
    the_pool_has_what_the_rules_name,
    clients_are_safe,
    a_pool_of_ones_own_is_left_alone,
    every_name_in_the_configuration_has_a_value,
    every_log_ends_and_none_holds_a_token,
    refusals_reach_browsers,
    the_authorizer_answers_before_api_gateway_gives_up,
]


def complaints(stack: Stack) -> dict[str, list[str]]:
    """By the names of the rules that have any."""
    found = {rule.__name__: list(rule(stack)) for rule in RULES}
    return {rule: each for rule, each in found.items() if each}
