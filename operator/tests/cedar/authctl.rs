use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::asked::{Asked, folder, policies_folder, token};
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::tokens::{POOL, cognito_jwks};

fn authctl(words: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_authctl"))
        .args(words)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse before it reads.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn config(folder: &Path, section: &str, routes: &str) -> String {
    let text = format!(
        "issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: [web-client] }} }}]\n\
         cedar: {{ namespace: NS, {section} }}\nroutes: {{ {routes} }}\n"
    );
    let path = folder.join("authorizer.yaml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn check(policies: &str, schema: Option<&str>, routes: &str, expected: &[&str]) {
    let mut files = vec![("a.cedar", policies)];
    files.extend(schema.map(|schema| ("s.cedarschema", schema)));
    let folder = folder(&files);
    let section = if schema.is_some() { "policies: ., schema: s.cedarschema" } else { "policies: ." };
    let output = authctl(&["cedar", "check", "--config", &config(&folder, section, routes)], "");
    let said = stderr(&output);
    assert_eq!(output.status.success(), expected.is_empty(), "{}{said}", stdout(&output));
    let told: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("authctl: ")).collect();
    assert_eq!(told, expected);
}

#[test]
fn the_example_is_found_to_be_whole() {
    let example = policies_folder().join("example.yaml");
    let output = authctl(&["cedar", "check", "--config", example.to_str().unwrap()], "");
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("7 policies, 5 routes that ask them\n", ""));
    assert!(output.status.success());
}

#[test]
fn actions_that_no_route_asks_about_and_routes_that_no_policy_can_allow_are_found() {
    let routes = "GET /a: { cedar: true }, ANY /b: { cedar: true }, POST /c: { cedar: publish }, GET /d: {}";
    let route_b = "no policy can allow the route `ANY /b`";
    let route_c = "no policy can allow the route `POST /c`";
    check("permit (principal, action, resource);", None, routes, &[]);
    check("permit (principal, action == NS::Action::\"get /a\", resource);", None, routes, &[route_b, route_c]);
    check(
        "permit (principal, action in [NS::Action::\"get /a\", NS::Action::\"put /b\", NS::Action::\"publish\", NS::Action::\"get /e\"], resource);",
        None,
        routes,
        &["no route asks about the action \"get /e\""],
    );
    for head in [
        "principal, action, resource == NS::Application::\"Other\"",
        "principal, action, resource is NS::Document",
        "principal == NS::Robot::\"r2\", action, resource",
        "principal is NS::UserGroup, action, resource",
    ] {
        check(
            &format!("permit ({head});"),
            None,
            "GET /a: { cedar: true }",
            &["no policy can allow the route `GET /a`"],
        );
    }
    check("forbid (principal, action, resource);", None, "POST /c: { cedar: publish }", &[route_c]);
    let schema = "namespace NS { entity Application; entity User; action all; action \"get /a\" in [all]
        appliesTo { principal: User, resource: Application, context: {} };
        action old appliesTo { principal: User, resource: Application, context: {} }; }";
    check(
        "permit (principal, action in NS::Action::\"all\", resource);",
        Some(schema),
        "GET /a: { cedar: true }",
        &["no route asks about the action \"old\""],
    );
    check("permit (principal, action, resource);", None, "GET /d: {}", &["no route asks the policies"]);
}

#[test]
fn what_the_start_refuses_is_refused() {
    let folder = folder(&[("a.cedar", "permit (x);")]);
    let output =
        authctl(&["cedar", "check", "--config", &config(&folder, "policies: .", "GET /a: { cedar: true }")], "");
    assert!(stderr(&output).starts_with("authctl: cedar.policies: a.cedar:1: ") && !output.status.success());
}

#[test]
fn a_store_is_not_read_and_what_it_is_asked_about_is_told() {
    let folder = folder(&[]);
    let config = config(&folder, "policy_store_id: PS1", "GET /a: { cedar: true }, POST /c: { cedar: publish }");
    let said = stdout(&authctl(&["cedar", "check", "--config", &config], ""));
    assert!(said.contains("NS::Action::\"get /a\"\n  NS::Action::\"publish\"\n"), "{said}");
}

#[test]
fn an_event_is_explained_with_the_question_and_who_decided() {
    let keys = Site::with_keys(&cognito_jwks());
    let policies = "@id(\"owner\") permit (principal, action, resource)
        when { context.token.sub == context.pathParameters.owner };
        @id(\"no-odd\") forbid (principal, action, resource) when { context.token.n > 7 };";
    let folder = folder(&[("a.cedar", policies)]);
    let text = format!(
        "issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: [web-client], jwks_uri: '{}' }} }}]\n\
         cedar: {{ namespace: NS, policies: . }}\nroutes: {{ 'GET /docs/{{owner}}': {{ cedar: true }} }}\n",
        keys.url("/jwks.json")
    );
    let (config, event) = (folder.join("authorizer.yaml"), folder.join("event.json"));
    std::fs::write(&config, text).unwrap();
    let explain = |asked: &Asked, claims: Value, by_stdin: bool| {
        let token = token(&claims, false).claim("cognito:groups", json!(["staff"])).text();
        std::fs::write(&event, asked.event(if by_stdin { "none" } else { &token }).to_string()).unwrap();
        let mut words = vec!["cedar", "explain", event.to_str().unwrap(), "--config", config.to_str().unwrap()];
        words.extend(by_stdin.then_some("-"));
        let output = authctl(&words, &token);
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stdout(&output);
        assert!(!said.contains(token.rsplit('.').next().unwrap()), "the token: {said}");
        said
    };
    let own = Asked::new("GET", "/docs/ana").kind(Kind::RestRequest);
    for by_stdin in [false, true] {
        let said = explain(&own, json!({ "sub": "ana", "n": 1 }), by_stdin);
        for line in [
            "allow",
            "route: GET /docs/{owner}",
            &format!("principal: NS::User::\"{POOL}|ana\""),
            &format!("  in: NS::UserGroup::\"{POOL}|staff\""),
            "action: NS::Action::\"get /docs/{owner}\"",
            "resource: NS::Application::\"NS\"",
            "context.pathParameters: {\"owner\": \"ana\"}",
            "permitted by: owner (a.cedar:1)",
        ] {
            assert!(said.lines().any(|one| one == line), "{line}:\n{said}");
        }
    }
    let others = explain(&own, json!({ "sub": "ben", "n": 1 }), true);
    assert!(others.starts_with("forbidden\n") && others.contains("No policy applies."), "{others}");
    let odd = explain(&own, json!({ "sub": "ana", "n": 8 }), true);
    assert!(odd.contains("forbidden by: no-odd (a.cedar:3)\n"), "{odd}");
    let erring = explain(&own, json!({ "sub": "ana", "n": "8" }), true);
    assert!(
        erring.starts_with("forbidden\n") && erring.contains("erred, and refuses: no-odd (a.cedar:3)\n"),
        "{erring}"
    );
    let expired = explain(&own, json!({ "sub": "ana", "exp": 1_700_000_000 }), true);
    assert!(expired.starts_with("token_expired\n") && expired.contains("No policy was asked."), "{expired}");
}

#[test]
fn the_template_of_the_repository_is_what_the_policies_make() {
    let example = policies_folder().join("example.yaml");
    let output = authctl(&["cedar", "template", "--config", example.to_str().unwrap()], "");
    let written = std::fs::read_to_string(policies_folder().join("store.json")).unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output) == written,
        "run: authctl cedar template --config policies/example.yaml > policies/store.json"
    );
    let template: Value = serde_json::from_str(&written).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let policies = resources.values().filter(|resource| resource["Type"] == "AWS::VerifiedPermissions::Policy");
    let texts: Vec<_> =
        policies.map(|policy| policy["Properties"]["Definition"]["Static"]["Statement"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 7);
    assert!(texts.iter().all(|text| text.ends_with(';') && text.starts_with("@id(")), "{texts:?}");
}
