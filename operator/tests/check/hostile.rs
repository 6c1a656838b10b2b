//! Templates that nobody writes: refused or read, never a panic, never without end.

use crate::authctl::{Folder, ISSUERS, Run};

fn run(name: &str, template: &str) -> Run {
    let config = format!(
        "{ISSUERS}routes: {{ 'GET /a/{{x}}/b': {{}}, 'GET /{{x}}/{{y+}}': {{}} }}\npolicy: {{ covers: token }}"
    );
    Folder::new(name, &config, template).check(&["--template", "template.yaml"])
}

#[track_caller]
fn refused(name: &str, template: &str, why: &str) {
    let run = run(name, template);
    run.is(1, &[]);
    assert!(run.stderr.starts_with("authctl: the template `template.yaml`: "), "{}", run.stderr);
    assert!(run.stderr.contains(why), "{}\nshould contain {why}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn what_is_no_template_is_refused() {
    refused("no-yaml", "Resources: [", "not YAML");
    refused("no-resources", "a: b", "no `Resources`");
    refused("twice", "Resources: { A: {}, A: {} }", "duplicate key `A`");
    refused("odd-key", "Resources: { \"\\u001B[2J\": {}, \"\\u001B[2J\": {} }", "\\u{1b}[2J");
}

#[test]
fn what_is_too_much_is_refused() {
    refused("deep", &"[".repeat(500_000), "not YAML");
    refused(
        "deep-blocks",
        &(0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(),
        "nested too deeply",
    );
    refused("large", &"#".repeat(2_000_000), "larger than");
    let keys: String = (0..40_000).map(|key| format!("  K{key}: {{ Type: X }}\n")).collect();
    run("wide", &format!("Resources:\n{keys}")).is(0, &["warning: the template has no API"]);
}

#[test]
fn expressions_in_every_place_are_read_as_unknown() {
    let text = "
Resources:
  A: { Type: AWS::Serverless::Api, Properties: !If [a, b, c] }
  B: { Type: AWS::Serverless::HttpApi, Properties: { Auth: !Ref x, DefinitionBody: !Sub '${', Cors: [] } }
  C: { Type: !Ref x, Properties: [] }
  D: { Type: AWS::ApiGateway::Method, Properties: { RestApiId: { Fn::GetAtt: [] }, HttpMethod: {} } }
  E: { Type: AWS::ApiGatewayV2::Route, Properties: [1, { a: b }] }
  F: { Type: AWS::Serverless::Function, Properties: { Events: { X: !Ref y, Y: { Type: Api }, Z: { Type: HttpApi, Properties: !Ref z } } } }
  G: []
  H: text
";
    run("expressions", text).is(0, &["warning: ", "no errors"]);
}

#[test]
fn as_many_routes_as_an_api_can_have_are_compared_in_time() {
    let mut text =
        "Resources:\n  A: { Type: AWS::ApiGatewayV2::Api }\n  F: { Type: AWS::Lambda::Function }\n".to_owned();
    text += "  L: { Type: AWS::ApiGatewayV2::Authorizer, Properties: { ApiId: !Ref A, AuthorizerUri: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '1.0', AuthorizerResultTtlInSeconds: 9, IdentitySource: [$request.header.Authorization] } }\n";
    for route in 0..200 {
        let path: String =
            (0..10).map(|bit| if route >> bit & 1 == 0 { format!("/{{p{bit}}}") } else { "/a".to_owned() }).collect();
        text += &format!(
            "  R{route}: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref A, RouteKey: 'GET {path}/{{rest+}}', AuthorizationType: CUSTOM, AuthorizerId: !Ref L }} }}\n"
        );
    }
    run("many", &text).is(0, &["GET /a/a"]);
}
