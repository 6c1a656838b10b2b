//! What is remembered: with `cache` a "yes" for so long, a refusal that cannot change until the token ends, an outage
//! never.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::stage::{LIVE, OIDC_AUDIENCE, OPEN, Stage, TIMEOUT, WITH_TABLE, oidc, oidc_token, token, unique};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER, admin_user, error, user};
use crate::stub::dynamodb::BATCH_GET_ITEM;
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, refusal, user_info};
use crate::stub::{Answer, Reply};
use crate::tokens::{READER_SUB, Token, WRITER_SUB, now};
use crate::verdict::Cases;

fn get_user(cache: &str) -> Stage {
    Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT}, cache: {cache} }}"), "")
}

fn revoked() -> Answer {
    error("NotAuthorizedException", "Access Token has been revoked")
}

fn good() -> Answer {
    user("reader", READER_SUB)
}

#[test]
fn without_a_cache_every_request_asks() {
    for stage in [get_user("0s"), Stage::pool("{ method: get_user }", "")] {
        let token = token();
        for _ in 0..3 {
            assert_eq!(stage.ask_live(&token).outcome(), "allow");
        }
        assert_eq!(stage.stub.calls(GET_USER), 3);
        stage.stub.answer(GET_USER, revoked());
        assert_eq!(stage.ask_live(&token).outcome(), "token_revoked");
    }
}

#[test]
fn with_a_cache_of_five_seconds_a_token_is_asked_about_once() {
    let stage = get_user("5s");
    let (one, other) = (token(), token());
    for _ in 0..3 {
        assert_eq!(stage.ask_live(&one).outcome(), "allow");
    }
    assert_eq!(stage.stub.calls(GET_USER), 1);
    // Another token of the same user is another question.
    assert_eq!(stage.ask_live(&other).outcome(), "allow");
    assert_eq!(stage.stub.calls(GET_USER), 2);
    stage.stub.answer(GET_USER, revoked());
    assert_eq!(stage.ask_live(&one).outcome(), "allow");
    assert_eq!(stage.ask_live(&token()).outcome(), "token_revoked");
    sleep(Duration::from_millis(5100));
    assert_eq!(stage.ask_live(&one).outcome(), "token_revoked");
}

#[test]
fn a_yes_is_forgotten_after_its_time_and_no_later_for_being_used() {
    let stage = get_user("2s");
    let token = token();
    // Each use is within two seconds of the one before.
    for _ in 0..3 {
        assert_eq!(stage.ask_live(&token).outcome(), "allow");
        sleep(Duration::from_millis(700));
    }
    stage.stub.answer(GET_USER, revoked());
    assert_eq!(stage.ask_live(&token).outcome(), "token_revoked");
    assert_eq!(stage.stub.calls(GET_USER), 2);
}

#[test]
fn a_yes_never_outlives_the_token() {
    // Within the leeway the token is still accepted, but nothing of it is remembered.
    let stage = get_user("1h");
    let exp = now() + 4;
    let token = token().claim("exp", json!(exp));
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    assert_eq!(stage.stub.calls(GET_USER), 1);
    while now() < exp {
        sleep(Duration::from_millis(20));
    }
    stage.stub.answer(GET_USER, error("NotAuthorizedException", "Access Token has expired"));
    assert_eq!(stage.ask_live(&token).outcome(), "token_inactive");
    assert_eq!(stage.stub.calls(GET_USER), 2);
}

#[test]
fn a_yes_never_outlives_what_the_issuer_said_of_its_end() {
    let stage = Stage::start(&oidc("", "        cache: 1h\n", ""));
    let token = oidc_token();
    let exp = now() + 4;
    stage.stub.answer(INTROSPECT, active(json!({ "exp": exp })));
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    while now() < exp {
        sleep(Duration::from_millis(20));
    }
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    assert_eq!(stage.ask_live(&token).outcome(), "token_inactive");
}

#[test]
fn a_refusal_that_cannot_change_is_remembered_without_a_cache() {
    let cases = Cases::default();
    let stage = get_user("0s");
    for (what, answer, expected) in [
        ("revoked", revoked(), "token_revoked"),
        ("expired", error("NotAuthorizedException", "Access Token has expired"), "token_inactive"),
        ("invalid", error("NotAuthorizedException", "Invalid Access Token"), "token_inactive"),
        ("another user", user("writer", WRITER_SUB), "token_inactive"),
        (
            "a scope missing",
            error("NotAuthorizedException", "Access Token does not have required scopes"),
            "not_introspectable",
        ),
    ] {
        let token = token();
        stage.stub.answer(GET_USER, answer);
        cases.check(what, &stage.ask_live(&token), expected);
        stage.stub.answer(GET_USER, good());
        let (verdict, calls) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token));
        cases.check(format!("{what}, again"), &verdict, expected);
        cases.equal(format!("{what}: calls"), calls, 0);
        // It is about that token alone.
        cases.check(format!("{what}: another token"), &stage.ask_live(&crate::stage::token()), "allow");
    }
    let stage = Stage::start(&oidc("", "", ""));
    let token = oidc_token();
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    cases.check("active: false", &stage.ask_live(&token), "token_inactive");
    stage.stub.answer(INTROSPECT, active(json!({})));
    cases.check("active: false, again", &stage.ask_live(&token), "token_inactive");
    cases.equal("active: false: calls", stage.stub.calls(INTROSPECT), 1);
}

/// A server that has not heard of a new token yet calls it inactive, too.
#[test]
fn an_inactive_token_is_asked_about_again_soon() {
    let cases = Cases::default();
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", ""));
    let (jwt, opaque) = (oidc_token().text(), unique());
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    for time in 0..2 {
        for (what, token) in [("a JWT", &jwt), ("an opaque token", &opaque)] {
            cases.check(format!("{what}, {time}"), &stage.ask(LIVE, token), "token_inactive");
        }
    }
    cases.equal("calls", stage.stub.calls(INTROSPECT), 2);
    stage.stub.answer(INTROSPECT, active(json!({ "sub": "reader", "aud": OIDC_AUDIENCE, "exp": now() + 600 })));
    sleep(Duration::from_millis(6100));
    cases.check("an opaque token, later", &stage.ask(LIVE, &opaque), "allow");
    stage.stub.answer(INTROSPECT, active(json!({})));
    cases.check("a JWT, later", &stage.ask(LIVE, &jwt), "allow");
}

#[test]
fn a_refusal_that_can_change_is_not() {
    let cases = Cases::default();
    let stage = get_user("0s");
    for (what, answer) in [
        ("disabled", error("NotAuthorizedException", "User is disabled.")),
        ("unknown words", error("NotAuthorizedException", "Words that nobody has seen yet")),
        ("no such user", error("UserNotFoundException", "User does not exist.")),
        ("reset", error("PasswordResetRequiredException", "x")),
        ("unconfirmed", error("UserNotConfirmedException", "x")),
    ] {
        let token = token();
        stage.stub.answer(GET_USER, answer);
        cases.check(what, &stage.ask_live(&token), "token_inactive");
        stage.stub.answer(GET_USER, good());
        cases.check(format!("{what}, no more"), &stage.ask_live(&token), "allow");
    }
    let stage = Stage::pool("{ method: admin_get_user }", "");
    let token = token();
    stage.stub.answer(ADMIN_GET_USER, admin_user("reader", READER_SUB, false, "CONFIRMED"));
    cases.check("AdminGetUser: disabled", &stage.ask_live(&token), "token_inactive");
    stage.stub.answer(ADMIN_GET_USER, admin_user("reader", READER_SUB, true, "CONFIRMED"));
    cases.check("AdminGetUser: enabled again", &stage.ask_live(&token), "allow");
}

#[test]
fn an_outage_is_never_remembered() {
    let cases = Cases::default();
    let stage = get_user("1h");
    for (what, answer) in [
        ("throttled", error("TooManyRequestsException", "Rate exceeded")),
        ("late", Answer::Hang),
        ("reset", Answer::Reset),
        ("nonsense", Reply::new(200, "<html>").into()),
    ] {
        let token = token();
        stage.stub.answer(GET_USER, answer);
        cases.check(what, &stage.ask_live(&token), "introspection_unavailable");
        stage.stub.answer(GET_USER, good());
        cases.check(format!("{what}, no more"), &stage.ask_live(&token), "allow");
    }
}

#[test]
fn a_yes_that_is_remembered_outlasts_an_outage_and_not_the_cache() {
    let stage = get_user("1s");
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    stage.stub.answer(GET_USER, Answer::Reset);
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    sleep(Duration::from_millis(1100));
    assert_eq!(stage.ask_live(&token).outcome(), "introspection_unavailable");
}

#[test]
fn a_yes_is_for_the_live_check_alone() {
    // The route's other requirements are held against each request anew.
    let stage = Stage::pool(
        "{ method: get_user, cache: 1h }",
        "  GET /users/{id}: { claims: { sub: \"{id}\" }, introspect: true }\n",
    );
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    assert_eq!(stage.ask("/reports", &token.text()).outcome(), "insufficient_scope");
    assert_eq!(stage.ask(&format!("/users/{WRITER_SUB}"), &token.text()).outcome(), "claim_mismatch");
    assert_eq!(stage.ask(&format!("/users/{READER_SUB}"), &token.text()).outcome(), "allow");
    assert_eq!(stage.stub.calls(GET_USER), 1);
}

#[test]
fn a_forged_token_never_meets_the_memory() {
    let stage = get_user("1h");
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    let mut other = token.signature();
    other[0] ^= 1;
    for forged in [token.with_signature(&other), token.with_signature(&other[1..]), token.with_signature(&[7; 256])] {
        assert_eq!(stage.ask(LIVE, &forged).outcome(), "bad_signature");
    }
    assert_eq!(stage.stub.calls(GET_USER), 1);
}

#[test]
fn every_method_has_the_same_memory() {
    let cases = Cases::default();
    let user_info_method = format!("{{ method: user_info, endpoint: \"STUB{USER_INFO}\", cache: 1h }}");
    for (what, stage, operation, token) in [
        ("admin_get_user", Stage::pool("{ method: admin_get_user, cache: 1h }", ""), ADMIN_GET_USER, token().text()),
        ("user_info", Stage::pool(&user_info_method, ""), USER_INFO, token().text()),
        ("introspection", Stage::start(&oidc("", "        cache: 1h\n", "")), INTROSPECT, oidc_token().text()),
    ] {
        for _ in 0..3 {
            cases.check(what, &stage.ask(LIVE, &token), "allow");
        }
        cases.equal(format!("{what}: calls"), stage.stub.calls(operation), 1);
    }
    let stage = Stage::pool(&user_info_method, "");
    stage.stub.answer(USER_INFO, refusal("invalid_token", "Access token is expired"));
    let token = token();
    cases.check("user_info: refused", &stage.ask_live(&token), "token_inactive");
    cases.check("user_info: refused, again", &stage.ask_live(&token), "token_inactive");
    cases.equal("user_info: refusals are remembered as long as a yes", stage.stub.calls(USER_INFO), 1);
    stage.stub.answer(USER_INFO, user_info(READER_SUB));
}

#[test]
fn an_opaque_token_is_remembered_with_its_claims_and_until_its_exp() {
    let cases = Cases::default();
    let opaque = || format!("2YotnFZFEjr1zCsicMWpAA~{}", unique());
    let of = |sub: &str, exp: i64| active(json!({ "sub": sub, "aud": OIDC_AUDIENCE, "exp": exp }));
    let stage = Stage::start(&oidc(
        "      opaque_tokens: true\n",
        "        cache: 1h\n",
        "  GET /users/{id}: { claims: { sub: \"{id}\" } }\n",
    ));
    let (one, other) = (opaque(), opaque());
    stage.stub.answer(INTROSPECT, of("user-1", now() + 600));
    cases.check("one", &stage.ask("/users/user-1", &one), "allow");
    stage.stub.answer(INTROSPECT, of("user-2", now() + 600));
    cases.check("other", &stage.ask("/users/user-2", &other), "allow");
    cases.check("one is still one", &stage.ask("/users/user-1", &one), "allow");
    cases.check("one is not the other", &stage.ask("/users/user-2", &one), "claim_mismatch");
    cases.check("other on a live route", &stage.ask(LIVE, &other), "allow");
    cases.equal("calls", stage.stub.calls(INTROSPECT), 2);

    let brief = opaque();
    let exp = now() + 4;
    stage.stub.answer(INTROSPECT, of("user-3", exp));
    cases.check("brief", &stage.ask(OPEN, &brief), "allow");
    while now() < exp {
        sleep(Duration::from_millis(20));
    }
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    cases.check("brief, over", &stage.ask(OPEN, &brief), "token_inactive");

    let refused = opaque();
    cases.check("refused", &stage.ask(OPEN, &refused), "token_inactive");
    let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(OPEN, &refused));
    cases.check("refused, again", &verdict, "token_inactive");
    cases.equal("refused, again: calls", calls, 0);
}

/// Answers of 64 KB that take a megabyte each where they are kept as they were read.
#[test]
fn large_answers_take_bounded_memory_and_push_out_none_but_their_like() {
    let cases = Cases::default();
    // A time-out is not the point: on a busy machine hundreds of large answers take their time.
    let config = oidc("      opaque_tokens: true\n", "        cache: 1h\n", "").replace(TIMEOUT, "5s");
    let stage = Stage::start(&config);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", stage.function.process_id())).unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        kilobytes.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let jwt = oidc_token().text();
    cases.check("a JWT", &stage.ask(LIVE, &jwt), "allow");
    let large = json!({ "sub": "user-1", "aud": OIDC_AUDIENCE, "exp": now() + 3600, "x": vec![0; 32_000] });
    stage.stub.answer(INTROSPECT, active(large));
    let (first, last) = (unique(), unique());
    for token in [&first, &first] {
        cases.check("the first", &stage.ask(OPEN, token), "allow");
    }
    cases.equal("it is remembered", stage.stub.calls(INTROSPECT), 2);
    let before = resident();
    for _ in 0..510 {
        cases.check("one of many", &stage.ask(OPEN, &unique()), "allow");
    }
    let more = resident().saturating_sub(before);
    cases.is(format!("{more} KB more"), more < 24 * 1024);
    cases.check("the last", &stage.ask(OPEN, &last), "allow");
    for (what, path, token, expected) in
        [("the last", OPEN, &last, 0), ("the JWT", LIVE, &jwt, 0), ("the first", OPEN, &first, 1)]
    {
        let (verdict, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(path, token));
        cases.check(what, &verdict, "allow");
        cases.equal(format!("{what}: calls"), calls, expected);
    }
}

#[test]
fn the_table_is_never_remembered() {
    let stage = Stage::pool("{ method: get_user, cache: 1h }", WITH_TABLE);
    let token: Token = token();
    for _ in 0..3 {
        assert_eq!(stage.ask_live(&token).outcome(), "allow");
    }
    assert_eq!((stage.stub.calls(GET_USER), stage.stub.calls(BATCH_GET_ITEM)), (1, 3));
}
