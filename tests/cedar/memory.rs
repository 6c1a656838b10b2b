//! Answers of a store that are used again: for `cache`, for the same question about the same token, and never past the
//! token's end. Outages are never kept.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::asked::{Asked, token};
use crate::avp::{Store, WITH_TOKEN, allow, error, reply};
use crate::events::Kind;
use crate::stage::Stage;
use crate::tokens::now;
use crate::verdict::Cases;

const ROUTES: &str = "  ANY /a/{id}: { cedar: true }\n  GET /b/{id}: { cedar: read }\n  GET /c/{id}: { cedar: read }";

fn stage(section: &str) -> Stage {
    let store = Store::new("NS", "permit (principal, action, resource);", None);
    Stage::remote(store, &format!("namespace: NS, context: [source_ip], {section}"), ROUTES)
}

fn text(claims: Value) -> String {
    token(&claims, false).text()
}

#[test]
fn without_a_cache_every_request_asks() {
    let stage = stage("cache: 0s");
    let event = Asked::new("GET", "/a/1").event(&text(json!({})));
    for calls in 1..4 {
        assert_eq!(stage.ask(&event).outcome(), "allow");
        assert_eq!(stage.calls(), calls);
    }
}

#[test]
fn an_answer_is_used_for_the_same_question_alone() {
    let (stage, cases) = (stage("cache: 1h"), Cases::default());
    let token = text(json!({}));
    let first = Asked::new("GET", "/a/1?x=1");
    cases.check("asked", &stage.ask(&first.event(&token)), "allow");
    cases.check("remembered", &stage.ask(&first.event(&token)), "allow");
    cases.equal("one call", stage.calls(), 1);
    for (what, asked, token) in [
        ("another token of the same user", first.clone(), text(json!({ "jti": "other" }))),
        ("another method", Asked::new("PUT", "/a/1?x=1"), token.clone()),
        ("another path parameter", Asked::new("GET", "/a/2?x=1"), token.clone()),
        ("another query", Asked::new("GET", "/a/1?x=2"), token.clone()),
        ("no query", Asked::new("GET", "/a/1"), token.clone()),
        ("a name and a value that look alike when joined", Asked::new("GET", "/a/1?x1=").clone(), token.clone()),
        ("another address", first.clone().from("192.0.2.2"), token.clone()),
        ("no address", first.clone().kind(Kind::RestToken), token.clone()),
        ("another action", Asked::new("GET", "/b/1"), token.clone()),
    ] {
        let before = stage.calls();
        cases.check(what, &stage.ask(&asked.event(&token)), "allow");
        cases.equal(format!("{what}: calls"), stage.calls() - before, 1);
    }
    let before = stage.calls();
    cases.check("the same question of another route", &stage.ask(&Asked::new("GET", "/c/1").event(&token)), "allow");
    cases.equal("the same question of another route: calls", stage.calls(), before);
}

#[test]
fn a_refusal_is_kept_as_long_and_an_outage_not_at_all() {
    let (stage, cases) = (stage("cache: 1s"), Cases::default());
    let event = Asked::new("GET", "/a/1").event(&text(json!({})));
    stage.stub.answer(WITH_TOKEN, error(400, "ThrottlingException"));
    cases.check("an outage", &stage.ask(&event), "permissions_unavailable");
    stage.stub.answer(WITH_TOKEN, reply(200, &json!({ "decision": "DENY", "determiningPolicies": [], "errors": [] })));
    cases.check("a refusal", &stage.ask(&event), "forbidden");
    stage.stub.answer(WITH_TOKEN, reply(200, &allow()));
    cases.check("kept", &stage.ask(&event), "forbidden");
    sleep(Duration::from_millis(1100));
    cases.check("and then asked again", &stage.ask(&event), "allow");
}

#[test]
fn an_answer_does_not_outlive_the_token() {
    let stage = stage("cache: 1h");
    let event = Asked::new("GET", "/a/1").event(&text(json!({ "exp": now() + 1 })));
    assert_eq!(stage.ask(&event).outcome(), "allow");
    sleep(Duration::from_millis(1100));
    // Within the leeway the token is still taken, the answer is not.
    assert_eq!(stage.ask(&event).outcome(), "allow");
    assert_eq!(stage.calls(), 2);
}
