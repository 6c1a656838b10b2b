"""What MiniStack leaves out of the template, made after the deployment exactly as the template says.

It does not read `x-amazon-apigateway-any-method`, gateway responses and the answers of mock integrations out of a REST API's
definition, reads nothing of an HTTP API's, and knows no route responses. Tokens name AWS as their issuer while their keys
are here.
"""

import json
import re

from stack import Stack

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


def complete(stack: Stack, template_text: str) -> None:
    processed = stack.aws("cloudformation").get_template(StackName=stack.name, TemplateStage="Processed")[
        "TemplateBody"
    ]
    template = Resolved(stack, json.loads(processed) if isinstance(processed, str) else processed)
    complete_rest_api(stack, template.body("RestApi"))
    # An update leaves what was added.
    if not stack.aws("apigatewayv2").get_routes(ApiId=stack.resources["HttpApi"])["Items"]:
        complete_http_api(stack, template.body("HttpApi"))
        complete_websocket_api(stack, template_text)
    functions = stack.aws("lambda")
    function = stack.resources["AuthorizerFunction"]
    variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    variables["JWKS_URI"] = f"{stack.local}/{stack.outputs['UserPoolId']}/.well-known/jwks.json"
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})


def complete_rest_api(stack: Stack, body: dict) -> None:
    aws, api = stack.aws("apigateway"), stack.resources["RestApi"]
    authorizers = {found["name"]: found for found in aws.get_authorizers(restApiId=api)["items"]}
    for found in authorizers.values():
        if "context." in found["identitySource"]:
            # MiniStack takes them for missing and answers 401. Without a cache there is no key to make of them.
            off = {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "0"}
            aws.update_authorizer(restApiId=api, authorizerId=found["id"], patchOperations=[off])
    resources = {found["path"]: found["id"] for found in aws.get_resources(restApiId=api, limit=500)["items"]}
    for path, item in body["paths"].items():
        place = {"restApiId": api, "resourceId": resources[path]}
        if ANY in item:
            operation = item[ANY]
            [scheme] = [name for requirement in operation["security"] for name in requirement]
            method = place | {"httpMethod": "ANY"}
            aws.put_method(**method, authorizationType="CUSTOM", authorizerId=authorizers[scheme]["id"])
            uri = operation[INTEGRATION]["uri"]
            aws.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        for verb in METHODS:
            if item.get(verb, {}).get(INTEGRATION, {}).get("type") == "mock":
                answer_mock(aws, place | {"httpMethod": verb.upper()}, item[verb][INTEGRATION])
    for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
        given = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
        given |= {name: response[name] for name in ("responseParameters", "responseTemplates") if name in response}
        aws.put_gateway_response(restApiId=api, responseType=kind, **given)
    aws.create_deployment(restApiId=api, stageName=stack.resources["RestApiv1Stage"])


def answer_mock(aws, method: dict, integration: dict) -> None:
    """The mock integration's answer with its headers."""
    aws.put_integration(**method, type="MOCK", requestTemplates=integration["requestTemplates"])
    [answer] = integration["responses"].values()
    headers = answer["responseParameters"]
    method |= {"statusCode": answer["statusCode"]}
    aws.put_method_response(**method, responseParameters=dict.fromkeys(headers, False))
    aws.put_integration_response(**method, responseParameters=headers, responseTemplates=answer["responseTemplates"])


def complete_http_api(stack: Stack, body: dict) -> None:
    aws, api = stack.aws("apigatewayv2"), stack.resources["HttpApi"]
    cors = {name[0].upper() + name[1:]: value for name, value in body["x-amazon-apigateway-cors"].items()}
    aws.update_api(ApiId=api, CorsConfiguration=cors)
    authorizers = {}
    for name, scheme in body["components"]["securitySchemes"].items():
        given = scheme["x-amazon-apigateway-authorizer"]
        made = aws.create_authorizer(
            ApiId=api,
            Name=name,
            AuthorizerType=given["type"].upper(),
            AuthorizerUri=given["authorizerUri"],
            AuthorizerPayloadFormatVersion=given["authorizerPayloadFormatVersion"],
            AuthorizerResultTtlInSeconds=int(given["authorizerResultTtlInSeconds"]),
            EnableSimpleResponses=given["enableSimpleResponses"],
            IdentitySource=given["identitySource"],
        )
        authorizers[name] = made["AuthorizerId"]
    integrations = {}
    for path, item in body["paths"].items():
        for method, operation in item.items():
            key = path if path == "$default" else f"{'ANY' if method == ANY else method.upper()} {path}"
            uri = operation[INTEGRATION]["uri"]
            if uri not in integrations:
                version = operation[INTEGRATION]["payloadFormatVersion"]
                made = aws.create_integration(
                    ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion=version
                )
                integrations[uri] = made["IntegrationId"]
            [scheme] = [name for requirement in operation["security"] for name in requirement]
            authorization = {"AuthorizationType": "NONE"}
            if scheme != "NONE":
                authorization = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizers[scheme]}
            aws.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[uri]}", **authorization)


def complete_websocket_api(stack: Stack, template_text: str) -> None:
    aws, api = stack.aws("apigatewayv2"), stack.resources["WebSocketApi"]
    # An authorizer without identity sources gets one from MiniStack.
    aws.update_authorizer(ApiId=api, AuthorizerId=stack.resources["WebSocketApiConnectAuthorizer"], IdentitySource=[])
    key = re.search(r"RouteResponseKey: ([^ ,}]+)", template_text)[1]
    [route] = [route for route in aws.get_routes(ApiId=api)["Items"] if route["RouteKey"] == "$default"]
    aws.create_route_response(ApiId=api, RouteId=route["RouteId"], RouteResponseKey=key)


class Resolved:
    """The stack's template after the transform, its references replaced by what they refer to."""

    def __init__(self, stack: Stack, template: dict):
        self.template = template
        arns = stack.aws("lambda").list_functions()["Functions"]
        arns = {function["FunctionName"]: function["FunctionArn"] for function in arns}
        self.values = stack.parameters | stack.resources
        self.values |= {f"{name}.Arn": arns[real] for name, real in stack.resources.items() if real in arns}
        self.values |= {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::StackName": stack.name}

    def body(self, api: str) -> dict:
        """The definition of an API."""
        return self.resolve(self.template["Resources"][api]["Properties"]["Body"])

    def resolve(self, value):
        match value:
            case {"Ref": name}:
                return self.values[name]
            case {"Fn::GetAtt": [name, attribute]}:
                return self.values[f"{name}.{attribute}"]
            case {"Fn::Sub": [text, names]}:
                return self.substitute(text, {name: self.resolve(each) for name, each in names.items()})
            case {"Fn::Sub": text}:
                return self.substitute(text, {})
            case dict():
                return {name: self.resolve(each) for name, each in value.items()}
            case list():
                return [self.resolve(each) for each in value]
        return value

    def substitute(self, text: str, names: dict) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: str((self.values | names)[found[1]]), text)
