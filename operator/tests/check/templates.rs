//! A configuration beside templates.

use crate::authctl::{Folder, ISSUERS, Run};

const RULES: &str = "routes: { GET /items: {}, 'ANY /admin/{proxy+}': { any_group: admin } }";

/// An HTTP API with these events, and what else there is.
fn template(identity: &str, events: &str, more: &str) -> String {
    format!(
        "
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: L
        Authorizers:
          L: {{ FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true, Identity: {{ Headers: [Authorization]{identity} }} }}
  F: {{ Type: AWS::Serverless::Function }}
  Backend:
    Type: AWS::Serverless::Function
    Properties:
      Events:
{events}
{more}
"
    )
}

const ITEMS: &str = "        Items: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /items } }";
const ADMIN: &str =
    "        Admin: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: '/admin/{proxy+}' } }";
const OPEN: &str = "        Open: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /open, Auth: { Authorizer: NONE } } }";

#[track_caller]
fn run(name: &str, template: &str, arguments: &[&str]) -> Run {
    Folder::new(name, &format!("{ISSUERS}{RULES}"), template)
        .check(&[&["--template", "template.yaml"], arguments].concat())
}

#[test]
fn a_template_that_fits_has_no_errors() {
    let text = template("", &format!("{ITEMS}\n{ADMIN}"), "");
    let says = [
        "\nApi: HTTP API\n  L  format 2.0, simple answers  not cached  header authorization\n",
        "  GET /items           L  `GET /items`\n  ANY /admin/{proxy+}  L  `ANY /admin/{proxy+}`\n",
        "\nno errors, no warnings\n",
    ];
    run("fits", &text, &[]).is(0, &says);
    run("fits", &text, &["--strict"]).is(0, &says);
}

#[test]
fn errors_decide_the_exit_status_and_warnings_where_they_are_to() {
    let open = template("", &format!("{ITEMS}\n{ADMIN}\n{OPEN}"), "");
    run("open", &open, &[]).is(1, &["error: `GET /open` has no authorizer", "\n1 error, no warnings\n"]);
    run("open", &open, &["--open", "GET /open"]).is(0, &["note: `GET /open` is open, as --open says"]);
    run("open", &open, &["--open", "GET /other"]).is(1, &["warning: --open 'GET /other': no route without"]);
    let half = template("", ITEMS, "");
    run("half", &half, &[])
        .is(0, &["warning: the rule `ANY /admin/{proxy+}` is reached by no route", "\nno errors, 1 warning\n"]);
    run("half", &half, &["--strict"]).is(1, &["\nno errors, 1 warning\n"]);
}

#[test]
fn a_cache_whose_key_lacks_something_is_an_error() {
    let of = |identity| template(identity, &format!("{ITEMS}\n{ADMIN}"), "");
    let error = "error: L is cached for 60 s: requests with one key fall under different rules";
    run("by-token", &of(", ReauthorizeEvery: 60"), &[]).is(1, &[error]);
    run("by-route", &of(", Context: [routeKey], ReauthorizeEvery: 60"), &[]).is(0, &["no errors"]);
}

#[test]
fn what_is_not_known_before_it_is_deployed_is_taken_to_be_the_worse() {
    let text = template(", ReauthorizeEvery: !Ref Seconds", &format!("{ITEMS}\n{ADMIN}"), "");
    run("parameter", &text, &[]).is(1, &["cached for !Ref Seconds", "note: L: for how long is not known"]);
    run("parameter", &text, &["--parameter", "Seconds=0"]).is(0, &["not cached"]);
    run("parameter", &text, &["--parameter", "Seconds=9"]).is(1, &["cached for 9 s"]);
}

#[test]
fn an_open_raw_route_on_an_api_of_sam_is_an_error() {
    let route = |guard: &str| {
        let raw = format!(
            "  Raw: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref Api, RouteKey: GET /raw{guard} }} }}"
        );
        template("", &format!("{ITEMS}\n{ADMIN}"), &raw)
    };
    run("raw-open", &route(""), &[]).is(1, &["error: `GET /raw` has no authorizer"]);
    run("raw-guarded", &route(", AuthorizationType: AWS_IAM"), &[]).is(0, &["`GET /raw` is guarded by AWS_IAM"]);
}

#[test]
fn a_way_around_the_authorizer_is_a_warning() {
    let of = |more: &str| template("", &format!("{ITEMS}\n{ADMIN}"), more);
    let url = |function: &str, auth: &str| {
        of(&format!(
            "  U: {{ Type: AWS::Lambda::Url, Properties: {{ TargetFunctionArn: !GetAtt {function}.Arn, AuthType: {auth} }} }}\n  Timer: {{ Type: AWS::Serverless::Function }}"
        ))
    };
    run("url-backend", &url("Backend", "NONE"), &[])
        .is(0, &["warning: Backend has a function URL: a way around the authorizer", "no errors, 1 warning"]);
    run("url-authorizer", &url("F", "NONE"), &[]).is(0, &["warning: F has a function URL"]);
    run("url-iam", &url("Backend", "AWS_IAM"), &["--strict"]).is(0, &["note: Backend has a function URL"]);
    run("url-other", &url("Timer", "NONE"), &["--strict"]).is(0, &["no warnings"]);
    let permission = |more: &str| {
        of(&format!(
            "  P: {{ Type: AWS::Lambda::Permission, Properties: {{ FunctionName: !Ref Backend, Action: lambda:InvokeFunction, {more} }} }}"
        ))
    };
    run("any-principal", &permission("Principal: '*'"), &[]).is(0, &["warning: Backend may be called by everybody"]);
    run("any-source", &permission("Principal: apigateway.amazonaws.com"), &[])
        .is(0, &["warning: Backend may be called by apigateway.amazonaws.com for any account"]);
    run("one-source", &permission("Principal: apigateway.amazonaws.com, SourceArn: !Sub 'x:${Api}/*'"), &["--strict"])
        .is(0, &["no warnings"]);
    let target = "  T: { Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: { TargetType: lambda, Targets: [{ Id: !GetAtt Backend.Arn }] } }";
    run("load-balancer", &of(target), &[]).is(0, &["warning: Backend is a target of the target group T"]);
}

#[test]
fn attributes_that_users_write_and_logs_that_callers_write_are_told() {
    let more = |attributes: &str, format: &str| {
        template(
            "",
            &format!("{ITEMS}\n{ADMIN}"),
            &format!(
                "  Client: {{ Type: AWS::Cognito::UserPoolClient, Properties: {{ WriteAttributes: [{attributes}] }} }}
  Stage: {{ Type: AWS::ApiGatewayV2::Stage, Properties: {{ AccessLogSettings: {{ Format: '{{\"who\":\"$context.{format}\"}}' }} }} }}"
            ),
        )
    };
    // An ID token has the user's attributes; of an access token's there is a warning of its own.
    let issuers = ISSUERS.replace("client_ids: web", "client_ids: web, token_use: id");
    let config = format!("{issuers}{RULES}").replace("any_group: admin", "claims: { custom:role: admin }");
    let check =
        |name: &str, template: &str| Folder::new(name, &config, template).check(&["--template", "template.yaml"]);
    check("told", &more("custom:role", "authorizer.principalId")).is(
        1,
        &[
            "error: `ANY /admin/{proxy+}` relies on the attribute `custom:role`",
            "warning: Stage: the access log is JSON",
        ],
    );
    check("not-told", &more("name", "authorizer.reason")).is(0, &["no errors, no warnings"]);
}

#[test]
fn rules_may_be_reached_through_any_api_of_the_template() {
    let socket = "  Socket: { Type: AWS::Serverless::WebSocketApi, Properties: { Auth: { AuthType: CUSTOM, AuthArn: !GetAtt F.Arn }, Routes: { $connect: {} } } }";
    let text = template("", &format!("{ITEMS}\n{ADMIN}"), socket);
    run("socket-without-rule", &text, &[]).is(0, &["warning: `$connect` has no rule", "Socket: WebSocket API"]);
    let config = format!("{ISSUERS}{RULES}").replace("routes: {", "routes: { $connect: {},");
    Folder::new("socket", &config, &text).check(&["--template", "template.yaml"]).is(0, &["no errors, no warnings"]);
}

#[test]
fn of_several_functions_one_is_named() {
    let other = "  Other: { Type: AWS::Serverless::HttpApi, Properties: { Auth: { Authorizers: { M: { FunctionArn: !GetAtt G.Arn, AuthorizerPayloadFormatVersion: '2.0' } } } } }
  G: { Type: AWS::Serverless::Function }";
    let text = template("", &format!("{ITEMS}\n{ADMIN}"), other);
    let several = run("several", &text, &[]);
    several.is(1, &[]);
    assert!(several.stderr.contains("name this one with --function: `F`, `G`"), "{}", several.stderr);
    run("several", &text, &["--function", "F"]).is(0, &["no errors"]);
    assert!(
        run("several", &text, &["--function", "H"]).stderr.contains("no authorizer of the template asks --function")
    );
}

#[test]
fn a_template_in_json_is_read_too() {
    let text = r#"{
	"Resources": {
		"F": { "Type": "AWS::Lambda::Function" },
		"A": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "ProtocolType": "HTTP" } },
		"L": { "Type": "AWS::ApiGatewayV2::Authorizer", "Properties": { "ApiId": { "Ref": "A" }, "AuthorizerType": "REQUEST",
			"AuthorizerUri": { "Fn::Sub": "f/${F.Arn}/invocations" }, "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true } },
		"R": { "Type": "AWS::ApiGatewayV2::Route", "Properties": { "ApiId": { "Ref": "A" }, "RouteKey": "GET /items",
			"AuthorizationType": "CUSTOM", "AuthorizerId": { "Ref": "L" } } }
	}
}"#;
    run("json", text, &[]).is(0, &["  GET /items  L  `GET /items`\n"]);
}
