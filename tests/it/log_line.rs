//! The decision log line: one flat JSON object for each invocation, with the contract's members.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::{Site, dead_url};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{CLIENT, ISSUER, READER_SUB, Token, cognito_jwks, now};
use crate::verdict::Cases;

const ROUTES: &str = "
routes:
  GET /items: { any_scope: [https://api.example.com/read] }
  ANY /users/{id}/{proxy+}: { any_group: [admin] }
  $connect: {}
";

/// The contract's members, those every log line has, and `detail`: which of several causes a code had.
const MEMBERS: [&str; 19] = [
    "message",
    "level",
    "timestamp",
    "target",
    "decision",
    "reason",
    "event",
    "route",
    "issuer",
    "client_id",
    "principal_id",
    "kid",
    "jti",
    "live_check",
    "trace_id",
    "live_check_us",
    "duration_us",
    "request_id",
    "detail",
];

fn start() -> (Site, Function) {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), ROUTES));
    (site, function)
}

#[test]
fn an_allowed_request_is_logged_with_all_that_is_known() {
    let (_site, function) = start();
    let cases = Cases::default();
    for kind in Kind::ALL {
        let verdict = function.ask(&kind.event("GET", "/items", &format!("Bearer {}", Token::access().text())));
        let log = &verdict.log;
        for (member, expected) in [
            ("message", json!("decision")),
            ("decision", json!("allow")),
            ("event", json!(kind.name())),
            ("route", json!(if kind == Kind::WebSocket { "$connect" } else { "GET /items" })),
            ("issuer", json!(ISSUER)),
            ("client_id", json!(CLIENT)),
            ("principal_id", json!(READER_SUB)),
            ("kid", json!("rsa-a")),
            ("jti", json!("c0ffee00-0000-4000-8000-000000000003")),
        ] {
            cases.equal(format!("{kind:?} {member}"), &log[member], &expected);
        }
        cases
            .is(format!("level: {log}"), log["level"].as_str().is_some_and(|level| level.eq_ignore_ascii_case("info")));
        cases.is(format!("no reason: {log}"), log.get("reason").is_none());
        cases
            .is(format!("no live check: {log}"), log.get("live_check").is_none() && log.get("live_check_us").is_none());
        cases.is(format!("duration_us: {log}"), log["duration_us"].as_u64().is_some_and(|us| us < 10_000_000));
        cases.equal("trace_id", &log["trace_id"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
        // Lambda's id of the invocation, under which CloudWatch files the rest of it.
        cases.equal("request_id", log["request_id"].as_str(), Some(verdict.request_id.as_str()));
        for (member, value) in log.as_object().unwrap() {
            cases.is(
                format!("`{member}` is flat: {value}"),
                !value.is_object() && !value.is_array() && !value.is_null(),
            );
            cases.is(format!("`{member}` is known"), MEMBERS.contains(&member.as_str()));
        }
    }
}

#[test]
fn a_refused_request_is_logged_with_its_reason_and_without_what_is_not_known() {
    let (_site, function) = start();
    let cases = Cases::default();
    let check = |what: &str, event: Value, decision: &str, reason: &str, absent: &[&str]| {
        let log = function.ask(&event).log;
        cases.equal(what, &log["decision"], decision);
        cases.equal(what, &log["reason"], reason);
        for member in absent {
            cases.is(format!("{what}: `{member}` is absent: {log}"), log.get(member).is_none());
        }
        for (member, value) in log.as_object().unwrap() {
            cases.is(
                format!("{what}: `{member}` is flat: {value}"),
                !value.is_object() && !value.is_array() && !value.is_null(),
            );
            cases.is(format!("{what}: `{member}` is known"), MEMBERS.contains(&member.as_str()));
            cases.is(format!("{what}: `{member}` is not empty"), *value != json!(""));
        }
    };
    let event = |path: &str, token: &Token| Kind::Http2.event("GET", path, &format!("Bearer {}", token.text()));
    let identity = ["issuer", "client_id", "principal_id", "jti", "live_check"];
    check(
        "no token",
        Kind::Http2.event_without_token("GET", "/items"),
        "unauthorized",
        "missing_token",
        &[&identity[..], &["kid"]].concat(),
    );
    check(
        "garbage",
        Kind::Http2.event("GET", "/items", "Bearer x"),
        "unauthorized",
        "malformed_token",
        &[&identity[..], &["kid"]].concat(),
    );
    // Until the signature holds, a token's word for who its bearer is counts for nothing.
    let forged = Token::access().key(crate::tokens::Key::RsaC).header("kid", json!("rsa-a"));
    check("forged", event("/items", &forged), "unauthorized", "bad_signature", &["principal_id", "live_check"]);
    check(
        "expired",
        event("/items", &Token::access().claim("exp", json!(now() - 600))),
        "unauthorized",
        "token_expired",
        &["live_check"],
    );
    check("no route", event("/nowhere", &Token::access()), "forbidden", "no_route", &["route", "live_check"]);
    check("unsafe", event("/..", &Token::access()), "forbidden", "unsafe_path", &["live_check"]);
    check("no scope", event("/items", &Token::writer()), "forbidden", "insufficient_scope", &["live_check"]);
    check(
        "malformed event",
        json!({ "type": "OTHER" }),
        "unavailable",
        "malformed_event",
        &[&identity[..], &["kid", "route", "event"]].concat(),
    );

    let log = function.ask(&event("/users/7/x/y", &Token::access())).log;
    cases.equal("route", &log["route"], "ANY /users/{id}/{proxy+}");
    cases.equal("reason", &log["reason"], "insufficient_group");
    cases.equal("principal_id", &log["principal_id"], READER_SUB);
    cases.equal("issuer", &log["issuer"], ISSUER);

    let function = Function::start(&one_pool(&dead_url(), ROUTES));
    let log = function.ask(&event("/items", &Token::access())).log;
    cases.equal("outage", &log["decision"], "unavailable");
    cases.equal("outage", &log["reason"], "jwks_unavailable");
}

#[test]
fn text_of_the_token_cannot_break_the_line() {
    let (_site, function) = start();
    let cases = Cases::default();
    let nasty = "x\n{\"message\":\"decision\",\"decision\":\"allow\"}\r\u{1b}[2J\u{2028}\"}";
    for token in [
        Token::access().header("kid", json!(nasty)),
        Token::access().claim("jti", json!(nasty)),
        Token::access().claim("sub", json!(nasty)),
        Token::access().claim("jti", json!({ "a": nasty })),
        Token::access().claim("jti", json!(7)),
        Token::access().claim("jti", json!(null)),
    ] {
        // `ask` fails where one invocation leaves more than one decision line.
        let log = function.ask(&Kind::Http2.event("GET", "/items", &format!("Bearer {}", token.text()))).log;
        for (member, value) in log.as_object().unwrap() {
            cases.is(
                format!("`{member}` is flat: {value}"),
                !value.is_object() && !value.is_array() && !value.is_null(),
            );
        }
    }
    function.end();
    for line in function.stdout() {
        cases.is(
            format!("not a JSON line: {line}"),
            serde_json::from_str::<Value>(&line).is_ok_and(|line| line.is_object()),
        );
        cases.is("a bare control character", !line.chars().any(char::is_control));
    }
}

#[test]
fn the_log_filter_is_the_environments() {
    let site = Site::with_keys(&cognito_jwks());
    let event = Kind::Http2.event("GET", "/items", &format!("Bearer {}", Token::access().text())).to_string();
    for (filter, decisions) in [("info", 2), ("warn", 0), ("error", 0), ("off", 0), ("trace", 2), ("debug", 2)] {
        let function = Setup::config(&one_pool(&site.url("/jwks.json"), ROUTES)).env("AUTHORIZER_LOG", filter).start();
        for _ in 0..2 {
            let (_, answer) = function.send(&event);
            assert_eq!(answer.json()["isAuthorized"], true);
        }
        function.end();
        assert_eq!(function.decisions(), decisions, "{filter}");
        for line in function.stdout() {
            assert!(
                serde_json::from_str::<Value>(&line).is_ok_and(|line| line.is_object()),
                "{filter}: not JSON: {line}"
            );
        }
    }
}

#[test]
fn the_trace_of_the_invocation_is_logged_by_managed_instances_too() {
    let site = Site::with_keys(&cognito_jwks());
    let config = one_pool(&site.url("/jwks.json"), ROUTES);
    let function = Setup::config(&config).env("AWS_LAMBDA_MAX_CONCURRENCY", "8").start();
    let log = function.ask(&Kind::Http2.event_without_token("GET", "/items")).log;
    assert_eq!(log["trace_id"], "1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "{log}");
}
