//! `authctl check --openapi`: where the document and the rules say different things.

use crate::authctl::{Run, authctl};
use std::path::Path;

const OPENAPI: &str = "openapi: 3.0.3
info: { title: t, version: '1' }
security: [{ login: [] }]
paths:
  /items:
    get: { security: [{ login: [items.read] }] }
    post: { security: [{ login: [items.write] }] }
  /users/{id}:
    get: {}
components: { securitySchemes: { login: { type: openIdConnect, openIdConnectUrl: https://login.example/.well-known/openid-configuration } } }
";

const ISSUERS: &str = "issuers: [{ oidc: { issuer: https://login.example, audience: [api] } }]\n";

#[track_caller]
fn check(name: &str, openapi: &str, routes: &str, expected: &[&str]) -> Run {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("openapi.yaml"), openapi).unwrap();
    std::fs::write(folder.join("authorizer.yaml"), format!("{ISSUERS}{routes}")).unwrap();
    let run = authctl(&folder, &["check", "--config", "authorizer.yaml", "--openapi", "openapi.yaml", "--strict"]);
    for words in expected {
        assert!(run.stdout.contains(words), "{words}\n{run:?}");
    }
    let warnings = expected.iter().filter(|words| words.starts_with("warning")).count();
    assert_eq!(run.code, Some(i32::from(warnings > 0)), "{run:?}");
    assert_eq!(run.stdout.matches("warning: ").count(), warnings, "{run:?}");
    run
}

#[test]
fn a_document_that_agrees_has_no_drift() {
    let routes = "routes: { GET /items: { any_scope: [items.read] }, POST /items: { all_scopes: [items.write] }, 'ANY /users/{id}': { claims: { sub: '{id}' } } }";
    check("agrees", OPENAPI, routes, &["The OpenAPI document"]);
}

#[test]
fn what_only_one_of_them_has_is_named() {
    check(
        "routes",
        OPENAPI,
        "routes: { GET /items: { any_scope: [items.read] }, 'GET /users/{name}': {}, DELETE /items: {} }",
        &[
            "warning: `POST /items` (openapi.yaml:7:11) has no rule",
            "warning: the rule `DELETE /items` is in no path of openapi.yaml",
        ],
    );
}

#[test]
fn scopes_that_differ_are_named() {
    check(
        "scopes",
        OPENAPI,
        "routes: { 'ANY /items': { any_scope: [items.read] }, 'GET /users/{id}': { any: [{ any_scope: [users.read] }, { any_group: [admin] }] } }",
        &[
            "warning: `POST /items` (openapi.yaml:7:11): the document asks for the scope `items.write`, the rule `ANY /items` for `items.read`",
            "warning: `GET /users/{id}` (openapi.yaml:9:10): the document asks for no scope, the rule `GET /users/{id}` for `users.read`",
        ],
    );
}

#[test]
fn an_operation_that_is_open_in_the_document_and_has_a_rule_is_named() {
    let open = OPENAPI.replace("security: [{ login: [items.read] }]", "security: []");
    let routes = "routes: { GET /items: {}, POST /items: { any_scope: [items.write] }, 'GET /users/{id}': {} }";
    check(
        "open",
        &open,
        routes,
        &["warning: `GET /items` (openapi.yaml:6:10) is open in the document, and has the rule `GET /items`"],
    );
}

#[test]
fn a_document_with_faults_is_refused_with_their_places() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift").join("faulty");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("openapi.yaml"), "openapi: 3.0.0\ninfo: {}\ninfo: {}\n").unwrap();
    std::fs::write(folder.join("authorizer.yaml"), format!("{ISSUERS}routes: {{ GET /a: {{}} }}")).unwrap();
    let run = authctl(&folder, &["check", "--config", "authorizer.yaml", "--openapi", "openapi.yaml"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("openapi.yaml:3:1: duplicate key `info`"), "{run:?}");
}
