//! A rule that only reports: a miss is let in, and told.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::emf::Emf;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

fn start(rest: &str) -> (Site, Function) {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
    (site, function)
}

/// The decision log line of the last event.
fn last_line(function: &Function, id: &str) -> Value {
    loop {
        let mut lines = function.stdout().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let mine = |line: &Value| line["message"] == "decision" && line["request_id"] == id;
        if let Some(line) = lines.rfind(mine) {
            return line;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn a_miss_is_let_in_and_logged_as_what_it_would_be() {
    let (_site, function) = start(
        "
routes:
  GET /items: { any_group: [admin], report_only: true }
  GET /users/{id}: { claims: { sub: '{id}' }, report_only: true }
  $connect: { any_scope: [none], report_only: true }
metrics: { namespace: Authorizer }
",
    );
    let cases = Cases::default();
    let ask = |kind: Kind, path: &str, token: &str| {
        let (id, answer) = function.send(&kind.event("GET", path, &format!("Bearer {token}")).to_string());
        (answer, last_line(&function, &id))
    };
    let (reader, admin) = (Token::access().text(), Token::admin().text());
    let mut reported = 0.0;
    for kind in Kind::ALL {
        let reason = if kind == Kind::WebSocket { "insufficient_scope" } else { "insufficient_group" };
        let (answer, log) = ask(kind, "/items", &reader);
        reported += 1.0;
        let what = format!("{kind:?}: {log}");
        cases.is(&what, answer.text().contains("\"Allow\"") || answer.text().contains("\"isAuthorized\":true"));
        cases.is(&what, !answer.text().contains(reason) && !answer.text().contains("would"));
        cases.equal(&what, &log["decision"], "allow");
        cases.equal(&what, &log["would_be"], "forbidden");
        cases.equal(&what, &log["reason"], reason);
        cases.is(&what, log["detail"].is_string());
        if kind == Kind::WebSocket {
            continue;
        }
        let (_, log) = ask(kind, "/items", &admin);
        cases.equal("who meets the rule", &log["decision"], "allow");
        cases.is("who meets the rule", log.get("would_be").is_none() && log.get("reason").is_none());
        let (_, log) = ask(kind, "/users/7", &reader);
        reported += 1.0;
        cases.equal("a claim", &log["reason"], "claim_mismatch");
        cases.equal("a claim", &log["detail"], "the claim has another value");
        // Everything else is refused as ever.
        let expired = Token::access().claim("exp", json!(crate::tokens::now() - 600)).text();
        for (path, token, decision) in [
            ("/items", &expired, "unauthorized"),
            ("/nowhere", &reader, "forbidden"),
            ("/items/..", &reader, "forbidden"),
        ] {
            let (_, log) = ask(kind, path, token);
            cases.equal(path, &log["decision"], decision);
            cases.is(path, log.get("would_be").is_none());
        }
    }
    let told: f64 = function.metric_lines(1).iter().map(|line| Emf::parse(line).sum("WouldBeForbidden")).sum();
    cases.equal("WouldBeForbidden", told, reported);
    function.end();
    let warned =
        function.stdout().iter().filter(|line| line.contains("\"WARN\"") && line.contains("report_only")).count();
    cases.equal("warnings at the start", warned, 3);
}

#[test]
fn no_policy_that_covers_a_token_has_such_a_route() {
    let (_site, function) = start(
        "
routes:
  GET /items: { any_group: [admin], report_only: true }
  GET /other: {}
policy: { covers: token }
",
    );
    let cases = Cases::default();
    let statements = |path: &str, token: &Token| {
        let event = Kind::RestToken.event("GET", path, &format!("Bearer {}", token.text()));
        function.send(&event.to_string()).1.json()["policyDocument"]["Statement"].as_array().unwrap().clone()
    };
    let allowed = |statements: &[Value]| {
        let allows = statements.iter().filter(|statement| statement["Effect"] == "Allow");
        allows.map(|statement| statement["Resource"].to_string()).collect::<String>()
    };
    for token in [Token::access(), Token::admin()] {
        let own = statements("/items", &token);
        cases.is(format!("{own:?}"), own.len() == 1 && allowed(&own).contains("GET/items"));
        cases.is(format!("{own:?}"), !allowed(&own).contains("other"));
        let others = statements("/other", &token);
        cases.is(format!("{others:?}"), allowed(&others).contains("GET/other") && !allowed(&others).contains("items"));
    }
}
