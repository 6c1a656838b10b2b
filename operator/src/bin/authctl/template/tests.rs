//! What is read of templates of every kind, in short: `route -> guard`, and authorizers.

use super::*;

/// The APIs in lines: kind, routes with their guards, authorizers; then the remarks.
fn summary(text: &str) -> Vec<String> {
    let template = Template::parse(text, &BTreeMap::from([("Path".to_owned(), "/told".to_owned())])).unwrap();
    let mut lines = Vec::new();
    for api in &template.apis {
        lines.extend(api.routes.iter().map(|route| {
            let guard = match &route.guard {
                Guard::Authorizer(name) => format!("function by {name}"),
                Guard::Other(name) => format!("other: {name}"),
                Guard::Open => "open".to_owned(),
                Guard::Unknown(_) => "unknown".to_owned(),
            };
            format!("{}: {} -> {guard}", api.name, route.key)
        }));
        lines.extend(api.authorizers.iter().map(|authorizer| {
            let sources: Vec<String> = authorizer.sources.iter().map(ToString::to_string).collect();
            let Authorizer { name, function, format, ttl, .. } = authorizer;
            format!("{}.{name}: {function}, {format}, {ttl}, {}", api.name, sources.join("+"))
        }));
        if api.has_resource_policy {
            lines.push(format!("{}: resource policy", api.name));
        }
        if api.guards_preflight {
            lines.push(format!("{}: guards preflight", api.name));
        }
    }
    lines.extend(template.stacks.iter().map(|name| format!("stack: {name}")));
    lines.extend(template.remarks.iter().map(|remark| format!("remark: {remark}")));
    lines
}

#[track_caller]
fn check<const N: usize>(resources: &str, expected: [&str; N]) {
    let functions = "  F: { Type: AWS::Serverless::Function }\n";
    assert_eq!(summary(&format!("Resources:\n{functions}{resources}")), expected, "{resources}");
}

#[test]
fn sam_events_are_routes_of_their_api() {
    check(
        "
  A:
    Type: AWS::Serverless::Api
    Properties:
      Cors: \"'*'\"
      Auth:
        DefaultAuthorizer: L
        ResourcePolicy: { CustomStatements: [] }
        Authorizers:
          L: { FunctionArn: !GetAtt F.Arn }
          R: { FunctionArn: !GetAtt F.Arn, FunctionPayloadType: REQUEST, Identity: { Headers: [X], QueryStrings: [q], Context: [path], ReauthorizeEvery: 0 } }
          C: { UserPoolArn: arn }
  B:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        One: { Type: Api, Properties: { RestApiId: !Ref A, Method: any, Path: /a } }
        Two: { Type: Api, Properties: { RestApiId: !Ref A, Method: get, Path: /b, Auth: { Authorizer: R } } }
        Three: { Type: Api, Properties: { RestApiId: !Ref A, Method: GET, Path: /c, Auth: { Authorizer: NONE } } }
        Four: { Type: Api, Properties: { RestApiId: !Ref A, Method: GET, Path: !Ref Path, Auth: { Authorizer: C } } }
        Five: { Type: Api, Properties: { RestApiId: !Ref A, Method: GET, Path: /e, Auth: { Authorizer: Z } } }
        Six: { Type: Api, Properties: { RestApiId: !Ref A, Method: GET, Path: /f, Auth: !If [X, a, b] } }
        Timer: { Type: Schedule, Properties: { Schedule: rate(1 day) } }
",
        [
            "A: ANY /a -> function by L",
            "A: GET /b -> function by R",
            "A: GET /c -> open",
            "A: GET /told -> other: C",
            "A: GET /e -> unknown",
            "A: GET /f -> unknown",
            "A.L: F, TOKEN, cached for 300 s, header authorization",
            "A.R: F, REQUEST, not cached, header x+query q+$context.path",
            "A: resource policy",
            "A: guards preflight",
            "remark: B's event Six: `Auth` is `!If [X, a, b]`, and was not read",
        ],
    );
}

#[test]
fn sam_makes_apis_for_events_that_name_none_and_globals_hold_for_them() {
    let text = "
Globals:
  HttpApi:
    Auth:
      DefaultAuthorizer: L
      Authorizers:
        L: { FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: 2.0, EnableSimpleResponses: true, Identity: { Context: [routeKey], ReauthorizeEvery: !Ref T } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        One: { Type: HttpApi }
        Two: { Type: HttpApi, Properties: { Path: /a } }
        Three: { Type: Api, Properties: { Path: /b, Method: post } }
        Four: { Type: HttpApi, Properties: { Path: !Sub '/${X}', Method: get } }
        Five: { Type: HttpApi, Properties: { ApiId: !ImportValue api, Path: /c, Method: get } }
";
    assert_eq!(
        summary(text),
        [
            "ServerlessRestApi: POST /b -> open",
            "ServerlessHttpApi: $default -> function by L",
            "ServerlessHttpApi: ANY /a -> function by L",
            "ServerlessHttpApi.L: F, format 2.0, simple answers, cached for !Ref T, $context.routeKey",
            "remark: F's event Four: its path is not known before it is deployed: no route was read",
            "remark: GET /c is a route of !ImportValue api, which is not in the template",
        ]
    );
}

#[test]
fn openapi_definitions_are_read_where_they_stand_in_the_template() {
    check(
        "
  H:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: { DefaultAuthorizer: L, Authorizers: { L: { FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '1.0' } } }
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /a: { get: {}, parameters: [], options: { security: [] } }
          /$default: { x-amazon-apigateway-any-method: { security: [{ S: [] }] } }
        components:
          securitySchemes:
            S: { type: apiKey, x-amazon-apigateway-authorizer: { type: request, authorizerUri: !Sub 'f/${F.Arn}/i', authorizerPayloadFormatVersion: '2.0', identitySource: '$request.header.A, $context.path', authorizerResultTtlInSeconds: 5 } }
  R:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        x-amazon-apigateway-policy: {}
        security: [{ K: [] }]
        paths: { /k: { get: {}, put: { security: [{ I: [] }] }, post: { security: [{ T: [] }] }, head: { security: [{}, { T: [] }] } } }
        securityDefinitions:
          K: { type: apiKey, name: x-api-key, in: header }
          I: { type: apiKey, x-amazon-apigateway-authtype: awsSigv4 }
          T: { type: apiKey, name: Token, in: header, x-amazon-apigateway-authorizer: { type: token, authorizerUri: !Sub 'f/${F.Arn}/i' } }
  S: { Type: AWS::Serverless::Api, Properties: { DefinitionUri: api.yaml } }
  X: { Type: AWS::Serverless::Api, Properties: { DefinitionBody: { Fn::Transform: { Name: AWS::Include } } } }
",
        [
            "H: GET /a -> function by L",
            "H: OPTIONS /a -> open",
            "H: $default -> function by S",
            "H.S: F, format 2.0, policies, cached for 5 s, header a+$context.path",
            "H.L: F, format 1.0, not cached, ",
            "R: GET /k -> open",
            "R: PUT /k -> other: I",
            "R: POST /k -> function by T",
            "R: HEAD /k -> open",
            "R.T: F, TOKEN, cached for 300 s, header token",
            "R: resource policy",
            "remark: S: its definition is in a file that was not read",
            "remark: X: its definition is in a file that was not read",
        ],
    );
}

#[test]
fn raw_resources_are_put_together() {
    check(
        "
  R: { Type: AWS::ApiGateway::RestApi, Properties: { Policy: {} } }
  Items: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref R, ParentId: !GetAtt R.RootResourceId, PathPart: items } }
  Item: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref R, ParentId: !Ref Items, PathPart: '{id}' } }
  Loop: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref R, ParentId: !Ref Loop, PathPart: x } }
  L: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref R, Type: REQUEST, AuthorizerUri: !Sub 'f/${F.Arn}/i', IdentitySource: 'method.request.header.A,context.path' } }
  U: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref R, Type: COGNITO_USER_POOLS } }
  M1: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref R, ResourceId: !Ref Item, HttpMethod: GET, AuthorizationType: CUSTOM, AuthorizerId: !Ref L } }
  M2: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref R, ResourceId: !GetAtt R.RootResourceId, HttpMethod: ANY, AuthorizationType: NONE } }
  M3: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref R, ResourceId: !Ref Items, HttpMethod: PUT, AuthorizationType: COGNITO_USER_POOLS, AuthorizerId: !Ref U } }
  M4: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref R, ResourceId: !Ref Loop, HttpMethod: GET } }
",
        [
            "R: GET /items/{id} -> function by L",
            "R: ANY / -> open",
            "R: PUT /items -> other: U",
            "R.L: F, REQUEST, cached for 300 s, header a+$context.path",
            "R: resource policy",
            "remark: M4: its method or path is not known before it is deployed: no route was read",
        ],
    );
    check(
        "
  H: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Q: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP, Target: arn } }
  W: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET } }
  L: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref H, AuthorizerType: REQUEST, AuthorizerUri: !Sub 'f/${F.Arn}/i', AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true, AuthorizerResultTtlInSeconds: 9, IdentitySource: [$request.header.A, $context.routeKey] } }
  J: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref H, AuthorizerType: JWT } }
  C: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref W, AuthorizerType: REQUEST, AuthorizerUri: !Sub 'f/${F.Arn}/i' } }
  R1: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref H, RouteKey: GET /a, AuthorizationType: CUSTOM, AuthorizerId: !Ref L } }
  R2: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref H, RouteKey: $default, AuthorizationType: JWT, AuthorizerId: !Ref J } }
  R3: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref H, RouteKey: POST /a } }
  R4: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref W, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref C } }
  R5: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref W, RouteKey: chat } }
  R6: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Elsewhere, RouteKey: GET /b } }
",
        [
            "H: GET /a -> function by L",
            "H: $default -> other: J",
            "H: POST /a -> open",
            "H.L: F, format 2.0, simple answers, cached for 9 s, header a+$context.routeKey",
            "Q: $default -> open",
            "W: $connect -> function by C",
            "W.C: F, $connect, not cached, ",
            "remark: R6 is of an API that is not in the template, and was not read",
        ],
    );
}

#[test]
fn raw_routes_belong_to_the_apis_of_sam_too() {
    check(
        "
  H: { Type: AWS::Serverless::HttpApi, Properties: { Auth: { DefaultAuthorizer: L, Authorizers: { L: { FunctionArn: !GetAtt F.Arn } } } } }
  R1: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref H, RouteKey: GET /raw } }
  R2: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref H, RouteKey: GET /guarded, AuthorizationType: CUSTOM, AuthorizerId: !Ref M } }
  M: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref H, AuthorizerType: REQUEST, AuthorizerUri: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '2.0' } }
  A: { Type: AWS::Serverless::Api }
  Item: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref A, ParentId: !GetAtt A.RootResourceId, PathPart: item } }
  M1: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref A, ResourceId: !Ref Item, HttpMethod: GET, AuthorizationType: NONE } }
  W: { Type: AWS::Serverless::WebSocketApi, Properties: { Routes: { $default: {} } } }
  R3: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref W, RouteKey: $connect } }
",
        [
            "A: GET /item -> open",
            "H: GET /raw -> open",
            "H: GET /guarded -> function by M",
            "H.L: F, no payload format version, not cached, ",
            "H.M: F, format 2.0, policies, not cached, ",
            "W: $connect -> open",
        ],
    );
}

#[test]
fn raw_routes_belong_to_the_apis_that_sam_makes_by_itself() {
    let text = "
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { Events: { One: { Type: HttpApi }, Two: { Type: Api, Properties: { Path: /b, Method: post } } } } }
  R: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref ServerlessHttpApi, RouteKey: GET /raw } }
  M: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: !Ref ServerlessRestApi, ResourceId: !GetAtt ServerlessRestApi.RootResourceId, HttpMethod: GET } }
";
    assert_eq!(
        summary(text),
        [
            "ServerlessRestApi: POST /b -> open",
            "ServerlessRestApi: GET / -> open",
            "ServerlessHttpApi: $default -> open",
            "ServerlessHttpApi: GET /raw -> open",
        ]
    );
}

#[test]
fn of_a_web_socket_only_the_handshake_counts() {
    let check = |auth: &str, routes: &str, expected: &[&str]| {
        let text = format!(
            "Resources:\n  W: {{ Type: AWS::Serverless::WebSocketApi, Properties: {{ Auth: {auth}, Routes: {routes} }} }}\n  F: {{ Type: AWS::Lambda::Function }}"
        );
        assert_eq!(summary(&text), expected, "{auth}");
    };
    let routes = "{ $connect: {}, $default: {} }";
    check(
        "{ AuthType: CUSTOM, AuthArn: !GetAtt F.Arn, IdentitySource: [route.request.querystring.t] }",
        routes,
        &["W: $connect -> function by Auth", "W.Auth: F, $connect, not cached, query t"],
    );
    check("{ AuthType: AWS_IAM }", routes, &["W: $connect -> other: AWS_IAM"]);
    check("{}", routes, &["W: $connect -> open"]);
    check(
        "!If [A, B, C]",
        routes,
        &["W: $connect -> unknown", "remark: W: `Auth` is `!If [A, B, C]`, and was not read"],
    );
    check("{}", "{ $default: {} }", &["remark: W has no route $connect: nothing asks who connects"]);
}

#[test]
fn what_was_not_read_is_told() {
    check(
        "
  Fn::ForEach::Apis: [A, [B], {}]
  N: { Type: AWS::CloudFormation::Stack }
",
        ["stack: N", "remark: `Fn::ForEach::Apis` makes resources that were not read"],
    );
    assert!(Template::parse("a: 1", &BTreeMap::new()).unwrap_err().contains("no `Resources`"));
    let many: String = (0..=MAX_ROUTES)
        .map(|route| format!("        E{route}: {{ Type: HttpApi, Properties: {{ Path: /{route} }} }}\n"))
        .collect();
    let text = format!("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n{many}");
    assert_eq!(Template::parse(&text, &BTreeMap::new()).unwrap_err(), "more than 2000 routes");
}
