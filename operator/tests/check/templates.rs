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
