//! What cannot be imported: which file, line and column, and why.

use crate::authctl::{authctl, here, imported};

#[track_caller]
fn refused(name: &str, source: &str, arguments: &[&str], expected: &[&str]) {
    let run = imported(name, source, arguments);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    for words in expected {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
}

#[test]
fn faults_have_file_line_and_column_and_all_are_named() {
    refused("syntax", "openapi: 3.0.0\npaths: {\n  /a: [", &[], &["source:4:1: not YAML"]);
    let twice = "openapi: 3.0.0\npaths:\n  /a: {}\n  /a: {}\ninfo: {}\ninfo: {}\n";
    refused("duplicates", twice, &[], &["source:4:3: paths: duplicate key `/a`", "source:6:1: duplicate key `info`"]);
    refused("unknown", "a: 1\n", &[], &["source:1:1: is none of what can be imported"]);
    refused("empty", "", &[], &["source: no YAML document"]);
    refused("list", "- openapi: 3.0.0\n", &[], &["source:1:1: is none"]);
    refused("bomb", &"[".repeat(100_000), &[], &["source:1:"]);
}

#[test]
fn a_file_without_routes_is_not_imported() {
    refused("no-routes", "openapi: 3.0.0\npaths: {}\n", &[], &["source: no route was found"]);
    let open = "openapi: 3.0.0\npaths: { /a: { get: {} } }\n";
    refused("all-open", open, &[], &["no route that was read asks for anything"]);
}

#[test]
fn of_several_apis_one_can_be_named() {
    let api = |name: &str, scope: &str| {
        format!(
            "  {name}: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ ProtocolType: HTTP }} }}
  {name}Auth: {{ Type: AWS::ApiGatewayV2::Authorizer, Properties: {{ ApiId: !Ref {name}, AuthorizerType: JWT,
    JwtConfiguration: {{ Issuer: https://login.example, Audience: [api] }} }} }}
  {name}Route: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref {name}, RouteKey: GET /a,
    AuthorizationType: JWT, AuthorizerId: !Ref {name}Auth, AuthorizationScopes: [{scope}] }} }}\n"
        )
    };
    let source = format!("Resources:\n{}{}", api("One", "a"), api("Two", "b"));
    refused(
        "no-such-api",
        &source,
        &["--api", "Three"],
        &["source:1:1: there is no API `Three`; there are: `One`, `Two`"],
    );
    let of_one = imported("one-api", &source, &["--api", "One"]).stdout;
    assert!(of_one.contains("GET /a: { any_scope: [a] }"), "{of_one}");
    let of_both = imported("both-apis", &source, &[]).stdout;
    assert!(!of_both.contains("any_scope") && of_both.contains("import one API alone with --api"), "{of_both}");
    refused("no-apis", "openapi: 3.0.0\npaths: {}\n", &["--api", "One"], &["--api is for templates and plans"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let run = authctl(&here(), &["import", "none-such.yaml"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("cannot read `none-such.yaml`"), "{}", run.stderr);
}

#[test]
fn names_of_the_source_cannot_end_a_comment_or_reach_the_configuration_as_expressions() {
    let source = r#"{"openapi":"3.0.0","paths":{"/a":{"get":{"security":[{"b\nroutes: {}":["${HOME}"]}]}},
        "/b":{"get":{"security":[{"ok":["${HOME}"]}]}},"/c":{"get":{"security":[{"ok":["a b"]}]}}},
        "components":{"securitySchemes":{"b\nroutes: {}":{"type":"http","scheme":"basic"},"ok":{"type":"http","scheme":"bearer"}}}}"#;
    let run = imported("hostile", source, &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.stdout.matches("all: [{ token_use: access }, { token_use: id }]").count(), 3, "{}", run.stdout);
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    assert!(run.stdout.lines().filter(|line| line.contains("HOME")).all(is_comment), "{}", run.stdout);
}
