//! Everything that can go wrong between the function and the store: 500 `permissions_unavailable`, never a pass, never a
//! 403, and nothing of it stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::asked::{Asked, token};
use crate::avp::{STORE, Store, WITH_ENTITIES, WITH_TOKEN, allow, error, reply};
use crate::stage::Stage;
use crate::stub::{Answer, Reply};
use crate::tokens::POOL;
use crate::verdict::Cases;

const ROUTES: &str = "  GET /a: { cedar: true }";

fn stage(section: &str) -> Stage {
    Stage::remote(
        Store::new("NS", "permit (principal, action, resource);", None),
        &format!("namespace: NS{section}"),
        ROUTES,
    )
}

fn faults() -> Vec<(&'static str, Answer)> {
    let good = || reply(200, &allow());
    let with = |members: Value| -> Answer {
        let mut answer = allow();
        for (name, value) in members.as_object().unwrap() {
            let members = answer.as_object_mut().unwrap();
            if value.is_null() {
                members.remove(name)
            } else {
                members.insert(name.clone(), value.clone())
            };
        }
        reply(200, &answer).into()
    };
    vec![
        ("no answer", Answer::Hang),
        ("an answer after the time-out", Answer::from(good()).after(Duration::from_secs(5))),
        ("an answer a byte at a time", Answer::Trickle(good())),
        ("a connection that is closed", Answer::HangUp),
        ("a connection that is reset", Answer::Reset),
        ("a connection that is closed in the middle of the answer", Answer::CutShort(good())),
        ("an answer that is not HTTP", Answer::Noise),
        ("a body without end", Answer::Endless(Reply::new(200, vec![b' '; 64 * 1024]))),
        ("a throttle", error(400, "ThrottlingException")),
        ("a throttle by status", reply(429, &json!({})).into()),
        ("500", error(500, "InternalServerException")),
        ("500 without a reason", reply(500, &allow()).into()),
        ("503", Reply::new(503, "<html>Service Unavailable</html>").into()),
        ("no permission", error(400, "AccessDeniedException")),
        ("no such store", error(400, "ResourceNotFoundException")),
        ("a token that the identity source does not take", error(400, "ValidationException")),
        ("credentials that expired", error(400, "ExpiredTokenException")),
        ("an error that is not known", error(400, "SomethingNewException")),
        ("200 and no body", Reply::new(200, "").into()),
        ("200 and an empty object", reply(200, &json!({})).into()),
        ("200 and garbage", Reply::new(200, vec![0xff; 100]).into()),
        ("200 and JSON that is no object", reply(200, &json!([allow()])).into()),
        ("no decision", with(json!({ "decision": null }))),
        ("a decision that is not known", with(json!({ "decision": "MAYBE" }))),
        ("a decision in another case", with(json!({ "decision": "Allow" }))),
        ("a decision of another type", with(json!({ "decision": true }))),
        ("an ALLOW by no policy", with(json!({ "determiningPolicies": [] }))),
        ("an ALLOW that does not say by which policy", with(json!({ "determiningPolicies": null }))),
        (
            "another principal",
            with(json!({ "principal": { "entityType": "NS::User", "entityId": format!("{POOL}|ben") } })),
        ),
        (
            "a principal of another type",
            with(json!({ "principal": { "entityType": "Other::User", "entityId": format!("{POOL}|ana") } })),
        ),
    ]
}

#[track_caller]
fn inject(operation: &str, machine: bool, skipped: &[&str]) {
    let (stage, cases) = (stage(""), Cases::default());
    let event = Asked::new("GET", "/a")
        .event(&token(&json!({ "sub": if machine { "machine-client" } else { "ana" } }), machine).text());
    let good: Answer = reply(200, &allow()).into();
    stage.stub.answer(operation, good.clone());
    cases.check("before all faults", &stage.ask(&event), "allow");
    for (fault, answer) in faults().into_iter().filter(|(fault, _)| !skipped.contains(fault)) {
        let before = stage.stub.calls(operation);
        stage.stub.answer(operation, answer);
        let verdict = stage.ask(&event);
        cases.check(fault, &verdict, "permissions_unavailable");
        cases.is(
            format!("{fault}: took {} us", verdict.log["duration_us"]),
            verdict.log["duration_us"].as_u64() < Some(2_000_000),
        );
        cases.is(format!("{fault}: a reason for the operator"), verdict.log["detail"].is_string());
        let calls = stage.stub.calls(operation) - before;
        cases.is(format!("{fault}: {calls} calls"), (1..=2).contains(&calls));
        stage.stub.answer(operation, good.clone());
        cases.check(format!("after: {fault}"), &stage.ask(&event), "allow");
    }
    stage.stub.answer(operation, reply(200, &json!({ "decision": "DENY", "determiningPolicies": [], "errors": [] })));
    cases.check("a DENY is no fault", &stage.ask(&event), "forbidden");
}

#[test]
fn no_fault_of_a_store_that_reads_the_token_admits_or_forbids() {
    inject(WITH_TOKEN, false, &[]);
}

#[test]
fn no_fault_of_a_store_that_is_given_the_entities_admits_or_forbids() {
    // There the principal is ours, and not told back.
    inject(WITH_ENTITIES, true, &["another principal", "a principal of another type"]);
}

#[test]
fn a_dead_store_is_not_waited_for_by_every_request() {
    let (stage, cases) = (stage(""), Cases::default());
    let event = Asked::new("GET", "/a").event(&token(&json!({}), false).text());
    stage.stub.answer(WITH_TOKEN, Answer::Hang);
    for outage in 0..3 {
        cases.check(format!("outage {outage}"), &stage.ask(&event), "permissions_unavailable");
    }
    let before = stage.calls();
    let verdict = stage.ask(&event);
    cases.check("open", &verdict, "permissions_unavailable");
    cases.is("open: at once", verdict.log["duration_us"].as_u64() < Some(400_000));
    cases.equal("open: calls", stage.calls(), before);
}

/// One caller misbehaves as it can, and a second one is asked about each time.
#[test]
fn what_one_caller_brings_about_at_the_store_costs_no_other_a_check() {
    let (stage, cases) = (stage(""), Cases::default());
    let event = |sub: &str| Asked::new("GET", "/a").event(&token(&json!({ "sub": sub, "jti": sub }), false).text());
    for (fault, answer, lost) in [
        ("a huge answer", reply(200, &json!({ "padding": "p".repeat(600 * 1024) })).into(), false),
        ("garbage", Reply::new(200, "<html>").into(), false),
        ("500", error(500, "InternalServerException"), false),
        ("a question that it does not take", error(400, "ValidationException"), false),
        ("a reset", Answer::Reset, true),
        ("no answer in time", Answer::Hang, true),
    ] {
        stage.stub.answer(WITH_TOKEN, answer);
        for time in 0..6 {
            let before = stage.calls();
            cases.check(format!("{fault}: mallory, {time}"), &stage.ask(&event("mallory")), "permissions_unavailable");
            cases.equal(format!("{fault}: mallory, {time}: asked"), stage.calls() > before, time < 3 || !lost);
        }
        stage.stub.answer(WITH_TOKEN, reply(200, &allow()));
        for time in 0..2 {
            let before = stage.calls();
            cases.check(format!("{fault}: ana, {time}"), &stage.ask(&event("ana")), "allow");
            cases.equal(format!("{fault}: ana, {time}: calls"), stage.calls() - before, 1);
        }
        if lost {
            std::thread::sleep(Duration::from_millis(2100));
        }
        cases.check(format!("{fault}: mallory behaves again"), &stage.ask(&event("mallory")), "allow");
    }
}

#[test]
fn what_the_store_is_sent_is_signed_and_names_the_store_the_action_and_the_token() {
    let (stage, cases) = (stage(""), Cases::default());
    let text = token(&json!({}), false).text();
    cases.check("allowed", &stage.ask(&Asked::new("GET", "/a").event(&text)), "allow");
    let request = stage.stub.last_request(WITH_TOKEN);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    cases.is("signed", request.header("authorization").is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256")));
    let expected = json!({
        "policyStoreId": STORE,
        "accessToken": text,
        "action": { "actionType": "NS::Action", "actionId": "get /a" },
        "resource": { "entityType": "NS::Application", "entityId": "NS" },
    });
    cases.equal("body", body, expected);
}
