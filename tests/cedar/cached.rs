//! Routes that ask policies beside policies that cover a token, and beside a backend that ignores letter case.

use serde_json::{Value, json};

use crate::asked::{Asked, folder, token};
use crate::avp::Store;
use crate::events::{Kind, arn};
use crate::stage::Stage;
use crate::tokens::Token;
use crate::verdict::Cases;

const OWNER: &str = "permit (principal, action, resource) when { context.token.sub == context.pathParameters.owner };";

/// Effect and Resources of each statement.
fn statements(answer: &Value) -> Vec<(String, Vec<String>)> {
    let texts = |value: &Value| {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let statements = answer["policyDocument"]["Statement"].as_array().unwrap();
    statements
        .iter()
        .map(|statement| (statement["Effect"].as_str().unwrap().to_owned(), texts(&statement["Resource"])))
        .collect()
}

#[test]
fn a_route_that_asks_policies_is_answered_for_its_own_request_alone() {
    let routes = "  GET /items: {}\n  GET /docs/{owner}: { cedar: true }\npolicy: { covers: token }";
    let stage = Stage::local(&folder(&[("a.cedar", OWNER)]), "namespace: NS", routes);
    let cases = Cases::default();
    let ana = token(&json!({ "sub": "ana" }), false).text();
    let answer = |path: &str| {
        stage.function.send(&Asked::new("GET", path).kind(Kind::RestRequest).event(&ana).to_string()).1.json()
    };
    let own = |effect: &str, path: &str| vec![(effect.to_owned(), vec![arn("GET", path)])];
    cases.equal("granted", statements(&answer("/docs/ana")), own("Allow", "/docs/ana"));
    cases.equal("refused", statements(&answer("/docs/ben")), own("Deny", "/docs/ben"));
    // The answer of another route admits to none that the policies were not asked about, however long it is kept.
    let other = statements(&answer("/items"));
    let of = |effect: &str| {
        other.iter().filter(|(one, _)| one == effect).flat_map(|(_, resources)| resources.clone()).collect::<Vec<_>>()
    };
    let allowed = of("Allow");
    cases.is(
        format!("another route allows {allowed:?}"),
        allowed.iter().all(|resource| resource.contains("/GET/items")),
    );
    let denied = of("Deny");
    cases.is(format!("another route denies {denied:?}"), denied.iter().any(|resource| resource.ends_with("/docs/?*")));
    let notes = stage
        .function
        .stdout()
        .into_iter()
        .filter(|line| line.contains("`GET /docs/{owner}`") && line.contains("ask Cedar policies"));
    cases.equal("the start says so", notes.count(), 1);
}

#[test]
fn where_a_backend_ignores_letter_case_both_readings_must_be_granted() {
    let routes = "  GET /docs/{owner}: { cedar: true }\ncase_insensitive_paths: true";
    let local = Stage::local(&folder(&[("a.cedar", OWNER)]), "namespace: NS", routes);
    let remote = Stage::remote(Store::new("NS", OWNER, None), "namespace: NS", routes);
    let cases = Cases::default();
    for (sub, path, expected) in [
        ("ana", "/docs/ana", "allow"),
        ("ana", "/docs/ANA", "forbidden"),
        // The backend would show ANA the documents of ana.
        ("ANA", "/docs/ANA", "forbidden"),
        ("ANA", "/docs/ana", "forbidden"),
    ] {
        let event = Asked::new("GET", path).event(&Token::access().claim("sub", json!(sub)).text());
        cases.check(format!("{sub} asks for {path}"), &local.ask(&event), expected);
        cases.check(format!("{sub} asks for {path}, by the service"), &remote.ask(&event), expected);
    }
}
