//! `source_ip` and `credentials`: what a rule asks beside the claims.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

fn event_from(kind: Kind, address: Value) -> Value {
    let mut event = kind.event("GET", "/items", &format!("Bearer {}", Token::access().text()));
    let place = if kind == Kind::Http2 { "http" } else { "identity" };
    if kind != Kind::RestToken {
        event["requestContext"][place]["sourceIp"] = address;
    }
    event
}

#[test]
fn the_address_is_the_events_own_and_a_header_s_never() {
    let site = Site::with_keys(&cognito_jwks());
    let rule = "{ source_ip: [192.0.2.0/24, '2001:db8::/32'] }";
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        &format!("routes: {{ GET /items: {rule}, $connect: {rule} }}"),
    ));
    let cases = Cases::default();
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2, Kind::WebSocket] {
        for (address, expected) in [
            (json!("192.0.2.0"), "allow"),
            (json!("192.0.2.255"), "allow"),
            (json!("192.0.3.0"), "forbidden"),
            (json!("::ffff:192.0.2.1"), "allow"),
            (json!("2001:DB8:0:0::1"), "allow"),
            (json!("2001:db9::1"), "forbidden"),
            (json!("192.0.2.1, 10.0.0.1"), "forbidden"),
            (json!("192.0.2.1:443"), "forbidden"),
            (json!("192.0.2.01"), "forbidden"),
            (json!(" 192.0.2.1"), "forbidden"),
            (json!(""), "forbidden"),
            (json!(null), "forbidden"),
            (json!(["192.0.2.1"]), "forbidden"),
            (json!(3_221_225_985_u32), "forbidden"),
        ] {
            let mut event = event_from(kind, address.clone());
            event["headers"]["X-Forwarded-For"] = json!("192.0.2.1");
            cases.check(format!("{kind:?} {address}"), &function.ask(&event), expected);
        }
        let mut event = event_from(kind, json!("192.0.3.0"));
        let elsewhere = if kind == Kind::Http2 { "identity" } else { "http" };
        event["requestContext"][elsewhere] = json!({ "sourceIp": "192.0.2.1" });
        let verdict = function.ask(&event);
        cases.check(format!("{kind:?}: where other kinds have it"), &verdict, "forbidden");
        cases.equal("detail", &verdict.log["detail"], "source_ip: another address");
    }
    let verdict = function.ask(&event_from(Kind::RestToken, json!(null)));
    cases.check("TOKEN", &verdict, "forbidden");
    cases.equal("detail", &verdict.log["detail"], "source_ip: the event has no address");
}

#[test]
fn with_policies_that_cover_tokens_such_a_route_is_answered_for_its_own_request() {
    let site = Site::with_keys(&cognito_jwks());
    let rest = "routes: { GET /items: { source_ip: 192.0.2.0/24 }, GET /other: {} }\npolicy: { covers: token }";
    let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
    let cases = Cases::default();
    let answer = function.send(&event_from(Kind::RestRequest, json!("192.0.2.1")).to_string()).1.json();
    let statements = answer["policyDocument"]["Statement"].as_array().unwrap().clone();
    cases.equal("statements", statements.len(), 1);
    cases.equal("effect", &statements[0]["Effect"], "Allow");
    cases.is(format!("{statements:?}"), statements[0]["Resource"].to_string().contains("GET/items"));
    cases.is(format!("{statements:?}"), !statements[0]["Resource"].to_string().contains("other"));
    let mut event = event_from(Kind::RestRequest, json!("192.0.2.1"));
    event["methodArn"] = json!(crate::events::arn("GET", "/other"));
    let policy = function.send(&event.to_string()).1.json()["policyDocument"].to_string();
    cases.is(format!("no other answer allows it: {policy}"), !allows(&policy, "GET/items"));
}

fn allows(policy: &str, resource: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap().clone();
    statements
        .iter()
        .any(|statement| statement["Effect"] == "Allow" && statement["Resource"].to_string().contains(resource))
}

#[test]
fn a_token_may_come_as_a_subprotocol_of_a_websocket() {
    let site = Site::with_keys(&cognito_jwks());
    let rest = "routes: { $connect: {} }\ntoken: [{ subprotocol: access_token }, { query: t }]";
    let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());
    let ask = |headers: Value, query: Value| {
        let mut event = Kind::WebSocket.event_without_token("GET", "/");
        event["headers"] = headers;
        event["queryStringParameters"] = query;
        function.ask(&event)
    };
    for (list, expected) in [
        (format!("access_token, {token}"), "allow"),
        (format!("graphql-ws , access_token,{token}"), "allow"),
        (format!("access_token, {token}, soap"), "allow"),
        (format!("access_token, {token}, access_token, {other}"), "ambiguous_token"),
        (format!("{token}, access_token"), "missing_token"),
        (format!("token, {token}"), "missing_token"),
        ("access_token".to_owned(), "missing_token"),
        ("access_token, x".to_owned(), "malformed_token"),
    ] {
        for name in ["Sec-WebSocket-Protocol", "sec-websocket-protocol"] {
            let verdict = ask(json!({ name: list }), json!({}));
            cases.check(list.replace(&token, "TOKEN").replace(&other, "OTHER"), &verdict, expected);
        }
    }
    let verdict = ask(json!({ "Sec-WebSocket-Protocol": format!("access_token, {token}") }), json!({ "t": other }));
    cases.check("and another one in the query", &verdict, "ambiguous_token");
    function.end();
    for line in function.everything_said() {
        cases.is(format!("no token is written: {line}"), !line.contains(&token[..60]));
    }
}

#[test]
fn a_jwt_is_a_credential_of_its_kind() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { GET /items: { credentials: jwt } }"));
    let cases = Cases::default();
    let verdict = function.ask(&event_from(Kind::Http2, json!("192.0.2.1")));
    cases.check("jwt", &verdict, "allow");
    cases.is("the log names it not", verdict.log.get("credential").is_none());
}
