//! One caller misbehaves as it can, and a second one loses nothing: each check is made for it, at once, and vouches.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::stage::{LIVE, OIDC_AUDIENCE, OPEN, Stage, TIMEOUT, WITH_TABLE, oidc, oidc_token, token, unique};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER, admin_user, error_with_status, user};
use crate::stub::dynamodb::{BATCH_GET_ITEM, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, user_info};
use crate::stub::{Answer, Reply};
use crate::tokens::{READER_SUB, Token, WRITER_SUB, now};
use crate::verdict::{Cases, Verdict};

const PAUSE: Duration = Duration::from_millis(2100);
/// What a decision takes where nobody is waited for; a busy machine included.
const AT_ONCE: u64 = 400_000;

/// A check, and how each of two callers asks for it.
struct Check {
    stage: Stage,
    operation: &'static str,
    good: fn(&str) -> Answer,
    unavailable: &'static str,
    ask: fn(&Stage, &str) -> Verdict,
}

/// What a caller's token may bring about, and whether that is a lost call.
fn misbehaviour() -> Vec<(&'static str, Answer, bool)> {
    vec![
        ("a body that is too large", Reply::new(200, vec![b' '; 600 * 1024]).into(), false),
        ("a body that is too large, and JSON", Reply::new(200, huge_json()).into(), false),
        ("no JSON", Reply::new(200, "<html>").into(), false),
        ("no body", Reply::new(200, "").into(), false),
        ("an empty object", Reply::new(200, "{}").into(), false),
        ("500", Reply::new(500, "{}").into(), false),
        ("503", Reply::new(503, "<html>").into(), false),
        ("a redirect", Reply::new(302, "").header("Location", "http://127.0.0.1:9/").into(), false),
        ("a throttle", Reply::new(429, "{}").into(), false),
        ("a reset", Answer::Reset, true),
        ("half an answer", Answer::CutShort(Reply::new(200, "{\"active\":true,\"Username\":\"x\"}")), true),
        ("what is not HTTP", Answer::Noise, true),
        ("no answer in time", Answer::Hang, true),
    ]
}

fn huge_json() -> String {
    json!({ "active": true, "sub": READER_SUB, "padding": "p".repeat(600 * 1024) }).to_string()
}

#[track_caller]
fn the_second_caller_loses_nothing(check: &Check) {
    let cases = Cases::default();
    let Check { stage, operation, good, unavailable, ask } = check;
    let (mallory, ben) = (WRITER_SUB, READER_SUB);
    for (what, answer, lost) in misbehaviour() {
        stage.stub.answer(operation, answer);
        for time in 0..6 {
            let (verdict, calls) = stage.calls_of(operation, |stage| ask(stage, mallory));
            cases.check(format!("{what}: mallory, {time}"), &verdict, unavailable);
            // Who loses calls is held up after three of them; who is answered is not.
            cases.equal(format!("{what}: mallory, {time}: asked"), calls > 0, time < 3 || !lost);
            if calls == 0 {
                let took = verdict.log["duration_us"].as_u64().unwrap();
                cases.is(format!("{what}: mallory, {time}: {took} us"), took < AT_ONCE);
            }
        }
        stage.stub.answer(operation, good(ben));
        for time in 0..2 {
            let (verdict, calls) = stage.calls_of(operation, |stage| ask(stage, ben));
            cases.check(format!("{what}: ben, {time}"), &verdict, "allow");
            cases.equal(format!("{what}: ben, {time}: calls"), calls, 1);
        }
        if lost {
            sleep(PAUSE);
        }
        stage.stub.answer(operation, good(mallory));
        cases.check(format!("{what}: mallory behaves again"), &ask(stage, mallory), "allow");
    }
}

fn of_user(token: Token, sub: &str) -> Token {
    token.claim("sub", json!(sub)).claim("username", json!(sub))
}

fn ask_pool(stage: &Stage, sub: &str) -> Verdict {
    stage.ask_live(&of_user(token(), sub))
}

#[test]
fn of_get_user() {
    the_second_caller_loses_nothing(&Check {
        stage: Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), ""),
        operation: GET_USER,
        good: |sub| user(sub, sub),
        unavailable: "introspection_unavailable",
        ask: ask_pool,
    });
}

#[test]
fn of_admin_get_user() {
    the_second_caller_loses_nothing(&Check {
        stage: Stage::pool(&format!("{{ method: admin_get_user, timeout: {TIMEOUT} }}"), ""),
        operation: ADMIN_GET_USER,
        good: |sub| admin_user(sub, sub, true, "CONFIRMED"),
        unavailable: "introspection_unavailable",
        ask: ask_pool,
    });
}

#[test]
fn of_user_info() {
    let method = format!("{{ method: user_info, endpoint: \"STUB{USER_INFO}\", timeout: {TIMEOUT} }}");
    the_second_caller_loses_nothing(&Check {
        stage: Stage::pool(&method, ""),
        operation: USER_INFO,
        good: user_info,
        unavailable: "introspection_unavailable",
        ask: ask_pool,
    });
}

#[test]
fn of_an_introspection_endpoint() {
    the_second_caller_loses_nothing(&Check {
        stage: Stage::start(&oidc("", "", "")),
        operation: INTROSPECT,
        good: |_| active(json!({})),
        unavailable: "introspection_unavailable",
        ask: |stage, sub| stage.ask_live(&oidc_token().claim("sub", json!(sub))),
    });
}

#[test]
fn of_the_table() {
    the_second_caller_loses_nothing(&Check {
        stage: Stage::pool("", WITH_TABLE),
        operation: BATCH_GET_ITEM,
        good: |_| table(&[]),
        unavailable: "revocations_unavailable",
        ask: ask_pool,
    });
}

/// Opaque tokens that the issuer has vouched for are their principal's.
#[test]
fn of_opaque_tokens_that_are_known() {
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", ""));
    for sub in [READER_SUB, WRITER_SUB] {
        stage.stub.answer(INTROSPECT, opaque_of(sub));
        assert_eq!(stage.ask(OPEN, sub).outcome(), "allow");
    }
    the_second_caller_loses_nothing(&Check {
        stage,
        operation: INTROSPECT,
        good: opaque_of,
        unavailable: "introspection_unavailable",
        // The text of the token is the user's `sub`.
        ask: |stage, sub| stage.ask(OPEN, sub),
    });
}

fn opaque_of(sub: &str) -> Answer {
    active(json!({ "sub": sub, "aud": OIDC_AUDIENCE, "exp": now() + 3600 }))
}

/// A stranger needs no token: any text is one to ask about, and each text is another.
#[test]
fn any_number_of_made_up_opaque_tokens_costs_no_other_caller_a_check() {
    let cases = Cases::default();
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", ""));
    for (what, answer, lost) in misbehaviour() {
        stage.stub.answer(INTROSPECT, answer);
        for time in 0..6 {
            let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(OPEN, &unique()));
            cases.check(format!("{what}: made up, {time}"), &verdict, "introspection_unavailable");
            cases.equal(format!("{what}: made up, {time}: calls"), calls, 1);
        }
        // The same text again is its own caller.
        let same = unique();
        for time in 0..5 {
            let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(OPEN, &same));
            cases.check(format!("{what}: the same, {time}"), &verdict, "introspection_unavailable");
            cases.equal(format!("{what}: the same, {time}: calls"), calls, usize::from(time < 3 || !lost));
        }
        stage.stub.answer(INTROSPECT, opaque_of("user-7"));
        for (who, path, token) in [("opaque", OPEN, unique()), ("verified", LIVE, oidc_token().text())] {
            let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| {
                stage.stub.answer(INTROSPECT, if who == "opaque" { opaque_of("user-7") } else { active(json!({})) });
                stage.ask(path, &token)
            });
            cases.check(format!("{what}: {who}"), &verdict, "allow");
            cases.equal(format!("{what}: {who}: calls"), calls, 1);
        }
    }
}

#[test]
fn an_endpoint_that_answers_nobody_is_not_waited_for_by_everybody() {
    let cases = Cases::default();
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), "");
    stage.stub.answer(GET_USER, Answer::Hang);
    let ask = |number: usize| ask_pool(&stage, &format!("user-{number}"));
    for number in 0..3 {
        cases.check(format!("caller {number}"), &ask(number), "introspection_unavailable");
    }
    for number in [3, 0] {
        let (verdict, calls) = stage.calls_of(GET_USER, |_| ask(number));
        cases.check(format!("caller {number}, later"), &verdict, "introspection_unavailable");
        cases.equal(format!("caller {number}, later: calls"), calls, 0);
        cases.equal(
            format!("caller {number}, later: detail"),
            &verdict.log["detail"],
            &json!("nobody answered lately"),
        );
    }
    sleep(PAUSE);
    stage.stub.answer(GET_USER, user("user-4", "user-4"));
    cases.check("well again", &ask(4), "allow");
}

/// Nothing of the token was sent: it cannot have brought it about.
#[test]
fn an_endpoint_that_cannot_be_reached_is_not_tried_for_every_stranger() {
    let cases = Cases::default();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = oidc("      opaque_tokens: true\n", "", "").replace("STUB", &format!("http://{nobody}"));
    let stage = Stage::start(&config);
    for (time, detail) in
        [(0, "no connection"), (1, "no connection"), (2, "no connection"), (3, "nobody answered lately")]
    {
        let verdict = stage.ask(OPEN, &unique());
        cases.check(time.to_string(), &verdict, "introspection_unavailable");
        cases.equal(format!("{time}: detail"), &verdict.log["detail"], &json!(detail));
    }
}

/// The SDK makes second attempts from a budget that all calls of a client share, unless it has none.
#[test]
fn second_attempts_are_no_budget_that_one_caller_can_use_up() {
    let cases = Cases::default();
    let stage = Stage::pool("{ method: get_user }", "");
    let broken = || error_with_status(500, "InternalErrorException", "x");
    stage.stub.answer(GET_USER, broken());
    for time in 0..120 {
        let (verdict, calls) = stage.calls_of(GET_USER, |stage| ask_pool(stage, WRITER_SUB));
        cases.check(format!("mallory, {time}"), &verdict, "introspection_unavailable");
        cases.equal(format!("mallory, {time}: calls"), calls, 2);
    }
    stage.stub.answers(GET_USER, [broken(), user("reader", READER_SUB)]);
    cases.check("ben, at the second attempt", &ask_pool(&stage, READER_SUB), "allow");
}
