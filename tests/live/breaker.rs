//! The breaker: after three lost calls in a row a caller no longer waits for a dead endpoint, and after two seconds one
//! request tries. What becomes of other callers is in `callers`.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::stage::{OPEN, Stage, TIMEOUT, WITH_TABLE, oidc, oidc_token, token, unique};
use crate::stub::cognito::{GET_USER, error, user};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, busy, table};
use crate::stub::oauth::{INTROSPECT, active};
use crate::stub::{Answer, Reply};
use crate::tokens::{READER_SUB, now};
use crate::verdict::{Cases, Verdict};

const OUTAGES: usize = 3;
const PAUSE: Duration = Duration::from_millis(2100);
/// What a decision takes where nobody is waited for; a busy machine included.
const AT_ONCE: u64 = 400_000;

fn took(verdict: &Verdict) -> u64 {
    verdict.log["duration_us"].as_u64().unwrap()
}

/// `ask` is a request whose check calls `operation`.
#[track_caller]
fn opens_and_recovers(stage: &Stage, operation: &str, good: &Answer, unavailable: &str, ask: impl Fn() -> Verdict) {
    let cases = Cases::default();
    let counted = || {
        let before = stage.stub.calls(operation);
        let verdict = ask();
        (verdict, stage.stub.calls(operation) - before)
    };
    cases.check("before", &ask(), "allow");
    stage.stub.answer(operation, Answer::Hang);
    for outage in 0..OUTAGES {
        let (verdict, calls) = counted();
        cases.check(format!("outage {outage}"), &verdict, unavailable);
        cases.is(format!("outage {outage} was waited for"), calls > 0 && took(&verdict) > 400_000);
    }
    // Open: a denial at once and no call, even where the endpoint is well again.
    stage.stub.answer(operation, good.clone());
    for request in 0..3 {
        let (verdict, calls) = counted();
        cases.check(format!("open {request}"), &verdict, unavailable);
        cases.equal(format!("open {request}: calls"), calls, 0);
        cases.is(format!("open {request}: {} us", took(&verdict)), took(&verdict) < AT_ONCE);
    }
    // One try after the pause; it fails, and the pause begins anew.
    sleep(PAUSE);
    stage.stub.answer(operation, Answer::Hang);
    let (verdict, calls) = counted();
    cases.check("a try that fails", &verdict, unavailable);
    cases.is("a try that fails: calls", calls > 0);
    let (verdict, calls) = counted();
    cases.check("open again", &verdict, unavailable);
    cases.equal("open again: calls", calls, 0);
    // And one that does not: it is over.
    sleep(PAUSE);
    stage.stub.answer(operation, good.clone());
    for request in 0..3 {
        let (verdict, calls) = counted();
        cases.check(format!("recovered {request}"), &verdict, "allow");
        cases.equal(format!("recovered {request}: calls"), calls, 1);
    }
}

fn get_user() -> Stage {
    Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), "")
}

#[test]
fn of_cognito_opens_and_recovers() {
    let stage = get_user();
    opens_and_recovers(&stage, GET_USER, &user("reader", READER_SUB), "introspection_unavailable", || {
        stage.ask_live(&token())
    });
}

#[test]
fn of_an_introspection_endpoint_opens_and_recovers() {
    let stage = Stage::start(&oidc("", "", ""));
    let good = active(json!({}));
    opens_and_recovers(&stage, INTROSPECT, &good, "introspection_unavailable", || stage.ask_live(&oidc_token()));
}

#[test]
fn of_opaque_tokens_opens_and_recovers() {
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", ""));
    let good = active(json!({ "sub": "user-7", "aud": "api://orders", "exp": now() + 3600 }));
    stage.stub.answer(INTROSPECT, good.clone());
    // Of tokens that were never vouched for, see `callers`.
    let token = unique();
    opens_and_recovers(&stage, INTROSPECT, &good, "introspection_unavailable", || stage.ask(OPEN, &token));
}

#[test]
fn of_the_table_opens_and_recovers() {
    let stage = Stage::pool("", WITH_TABLE);
    opens_and_recovers(&stage, BATCH_GET_ITEM, &table(&[]), "revocations_unavailable", || stage.ask_live(&token()));
}

#[test]
fn answers_do_not_open_it() {
    let cases = Cases::default();
    let stage = get_user();
    for (what, answer, expected) in [
        ("a refusal", error("UserNotFoundException", "User does not exist."), "token_inactive"),
        ("a throttle", error("TooManyRequestsException", "Rate exceeded"), "introspection_unavailable"),
        (
            "a firewall",
            error("ForbiddenException", "Request not allowed due to WAF block."),
            "introspection_unavailable",
        ),
        ("a fault of ours", error("InvalidParameterException", "x"), "introspection_unavailable"),
    ] {
        stage.stub.answer(GET_USER, answer);
        for time in 0..5 {
            let (verdict, calls) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token()));
            cases.check(format!("{what} {time}"), &verdict, expected);
            cases.is(format!("{what} {time}: it was asked"), calls > 0);
        }
        stage.stub.answer(GET_USER, user("reader", READER_SUB));
        cases.check(format!("after {what}"), &stage.ask_live(&token()), "allow");
    }
    let stage = Stage::start(&oidc("", "", ""));
    for (what, status) in [
        ("our credentials", 401),
        ("a throttle", 429),
        ("a wrong path", 404),
        ("a redirect", 302),
        ("an error of theirs", 500),
        ("a gateway in between", 503),
    ] {
        stage.stub.answer(INTROSPECT, Reply::new(status, "{}"));
        for time in 0..5 {
            let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask_live(&oidc_token()));
            cases.check(format!("{what} {time}"), &verdict, "introspection_unavailable");
            cases.equal(format!("{what} {time}: calls"), calls, 1);
        }
    }
    let stage = Stage::pool("", WITH_TABLE);
    stage
        .stub
        .answer(BATCH_GET_ITEM, dynamodb::error(400, dynamodb::DYNAMODB, "ProvisionedThroughputExceededException"));
    for time in 0..5 {
        let (_, calls) = stage.calls_of(BATCH_GET_ITEM, |stage| stage.ask_live(&token()));
        cases.is(format!("a throttled table {time}: it was asked"), calls > 0);
    }
}

#[test]
fn outages_that_are_not_in_a_row_do_not_open_it() {
    let stage = get_user();
    for _ in 0..4 {
        for answer in [Answer::Reset, Answer::Reset, user("reader", READER_SUB)] {
            stage.stub.answer(GET_USER, answer);
            let (_, calls) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token()));
            assert!(calls > 0);
        }
    }
}

#[test]
fn each_endpoint_has_its_own() {
    let cases = Cases::default();
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), WITH_TABLE);
    stage.stub.answer(GET_USER, Answer::Reset);
    for _ in 0..5 {
        let (verdict, calls) = stage.calls_of(BATCH_GET_ITEM, |stage| stage.ask_live(&token()));
        cases.check("Cognito is dead", &verdict, "introspection_unavailable");
        cases.equal("the table is still asked", calls, 1);
    }
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), WITH_TABLE);
    stage.stub.answer(BATCH_GET_ITEM, busy());
    for _ in 0..4 {
        let (verdict, calls) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token()));
        cases.check("the table is dead", &verdict, "revocations_unavailable");
        cases.equal("Cognito is still asked", calls, 1);
    }
    // A route that asks nobody is not held up.
    cases.check("an open route", &stage.ask(OPEN, &token().text()), "allow");
}
