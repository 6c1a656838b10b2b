//! `live_check` and `live_check_us` in the decision log line: what the live checks came to, and how long they took.

use std::time::Duration;

use crate::stage::{LIVE, OPEN, Stage, TIMEOUT, WITH_TABLE, WITH_TABLE_ALWAYS, fresh, oidc, oidc_token, token, unique};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER, error, user};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, CORAL, item, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, refusal};
use crate::stub::{Answer, Reply};
use crate::tokens::{CLIENT, ISSUER, READER_SUB, Token};
use crate::verdict::{Cases, Verdict};

/// The word, and a number unless nobody was asked.
#[track_caller]
fn check(cases: &Cases, verdict: &Verdict, expected: Option<&str>) {
    let (word, took) = (verdict.log.get("live_check"), verdict.log.get("live_check_us"));
    cases.equal(format!("live_check of {verdict}"), word.map(|word| word.as_str().unwrap()), expected);
    let is_asked = expected.is_some_and(|word| word != "remembered");
    cases.equal(format!("live_check_us is there: {}", verdict.log), took.is_some(), is_asked);
    if let Some(took) = took {
        let (took, all) = (took.as_u64().unwrap(), verdict.log["duration_us"].as_u64().unwrap());
        cases.is(format!("{took} us took longer than the whole, {all} us"), took <= all);
    }
}

#[test]
fn it_is_good_or_the_reason_for_no() {
    let cases = Cases::default();
    let revoked = || error("NotAuthorizedException", "Access Token has been revoked");
    let of_the_pool =
        |method: &str, more: &str| Stage::pool(&format!("{{ method: {method}, timeout: {TIMEOUT} }}"), more);
    let nothing = || table(&[]);
    let client = || table(&[item(&format!("client#{ISSUER}#{CLIENT}"))]);
    let user_info = format!("user_info, endpoint: \"STUB{USER_INFO}\"");

    let stage = of_the_pool("get_user", "");
    check(&cases, &stage.ask_live(&token()), Some("good"));
    check(&cases, &stage.ask(OPEN, &token().text()), None);
    stage.stub.answer(GET_USER, revoked());
    check(&cases, &stage.ask_live(&token()), Some("token_revoked"));
    stage.stub.answer(GET_USER, Answer::Hang);
    check(&cases, &stage.ask_live(&token()), Some("introspection_unavailable"));
    check(&cases, &stage.ask_live(&fresh(Token::machine())), None);

    let stage = of_the_pool("admin_get_user", "");
    check(&cases, &stage.ask_live(&token()), Some("good"));
    stage.stub.answer(ADMIN_GET_USER, error("UserNotFoundException", "x"));
    check(&cases, &stage.ask_live(&token()), Some("token_inactive"));

    let stage = of_the_pool(&user_info, "");
    check(&cases, &stage.ask_live(&token()), Some("good"));
    stage.stub.answer(USER_INFO, refusal("invalid_token", "x"));
    check(&cases, &stage.ask_live(&token()), Some("token_inactive"));

    let stage = Stage::start(&oidc("", "", WITH_TABLE));
    check(&cases, &stage.ask_live(&oidc_token()), Some("good"));
    stage.stub.answer(INTROSPECT, Reply::json(401, &serde_json::json!({})));
    check(&cases, &stage.ask_live(&oidc_token()), Some("introspection_unavailable"));

    // Of two answers the one that decides.
    let stage = of_the_pool("get_user", WITH_TABLE);
    for (answer, items, expected) in [
        (user("reader", READER_SUB), nothing(), "good"),
        (user("reader", READER_SUB), client(), "token_revoked"),
        (revoked(), nothing(), "token_revoked"),
        (revoked(), client(), "token_revoked"),
        (Answer::Reset, dynamodb::error(400, CORAL, "AccessDeniedException"), "introspection_unavailable"),
    ] {
        stage.stub.answer(GET_USER, answer);
        stage.stub.answer(BATCH_GET_ITEM, items);
        check(&cases, &stage.ask_live(&token()), Some(expected));
    }
    check(&cases, &stage.ask_live(&fresh(Token::machine())), Some("revocations_unavailable"));

    let stage = Stage::pool("", WITH_TABLE_ALWAYS);
    check(&cases, &stage.ask(OPEN, &token().text()), Some("good"));
    check(&cases, &stage.ask(LIVE, &token().text()), Some("good"));

    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", WITH_TABLE));
    stage.stub.answer(
        INTROSPECT,
        active(serde_json::json!({ "sub": "user-7", "aud": "api://orders", "exp": crate::tokens::now() + 60 })),
    );
    check(&cases, &stage.ask(OPEN, &unique()), Some("good"));
    check(&cases, &stage.ask(LIVE, &unique()), Some("good"));
    // The check was good, and the rule was not met.
    let verdict = stage.ask("/reports", &unique());
    check(&cases, &verdict, Some("good"));
    cases.equal("reason", &verdict.log["reason"], &serde_json::json!("insufficient_scope"));
}

#[test]
fn it_is_measured_as_long_as_the_request_waited() {
    let cases = Cases::default();
    let slow = |answer: Answer, milliseconds: u64| answer.after(Duration::from_millis(milliseconds));
    let took = |verdict: &Verdict| verdict.log["live_check_us"].as_u64().unwrap();
    // Two checks side by side: the longer of the two.
    let stage = Stage::pool("{ method: get_user, timeout: 2s }", WITH_TABLE);
    stage.ask_live(&token());
    for (get_user, table_of) in [(400, 1200), (1200, 400)] {
        stage.stub.answer(GET_USER, slow(user("reader", READER_SUB), get_user));
        stage.stub.answer(BATCH_GET_ITEM, slow(table(&[]), table_of));
        let verdict = stage.ask_live(&token());
        // Not the sum, which would be longer than the whole.
        check(&cases, &verdict, Some("good"));
        cases.is(format!("side by side: {}", verdict.log), took(&verdict) >= 1_200_000);
    }
    // One after the other: both.
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", WITH_TABLE));
    let members = serde_json::json!({ "sub": "user-7", "aud": "api://orders", "exp": crate::tokens::now() + 60 });
    stage.stub.answer(INTROSPECT, slow(active(members), 300));
    stage.stub.answer(BATCH_GET_ITEM, slow(table(&[]), 900));
    let us = took(&stage.ask(LIVE, &unique()));
    cases.is(format!("one after the other: {us} us"), us >= 1_200_000);
}

#[test]
fn it_says_that_a_yes_was_only_remembered() {
    let cases = Cases::default();
    let stage = Stage::pool("{ method: get_user, cache: 1h }", "");
    let token = token();
    check(&cases, &stage.ask_live(&token), Some("good"));
    check(&cases, &stage.ask_live(&token), Some("remembered"));
    // Where the table is asked none the less, somebody was asked.
    let stage = Stage::pool("{ method: get_user, cache: 1h }", WITH_TABLE);
    for _ in 0..2 {
        check(&cases, &stage.ask_live(&token), Some("good"));
    }
    // A refusal that is remembered is told as such by the time that is not there.
    let stage = Stage::pool("{ method: get_user }", "");
    stage.stub.answer(GET_USER, error("NotAuthorizedException", "Access Token has been revoked"));
    check(&cases, &stage.ask_live(&token), Some("token_revoked"));
    let log = stage.ask_live(&token).log;
    cases.equal("again", (&log["live_check"], log.get("live_check_us")), (&serde_json::json!("token_revoked"), None));
}

#[test]
fn the_detail_tells_the_operator_which_of_several_causes_it_was() {
    let cases = Cases::default();
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), "");
    let mut details = std::collections::BTreeSet::new();
    for answer in [
        error("NotAuthorizedException", "Access Token has expired"),
        error("NotAuthorizedException", "Invalid Access Token"),
        error("NotAuthorizedException", "User is disabled."),
        error("NotAuthorizedException", "Words that nobody has seen yet"),
        error("UserNotFoundException", "x"),
        error("PasswordResetRequiredException", "x"),
        error("UserNotConfirmedException", "x"),
        error("TooManyRequestsException", "x"),
        error("ForbiddenException", "x"),
        error("InvalidParameterException", "x"),
        error("SomethingNewException", "x"),
        Answer::Hang,
        Answer::Reset,
    ] {
        stage.stub.answer(GET_USER, answer);
        let verdict = stage.ask_live(&token());
        let detail = verdict.log["detail"].as_str().unwrap_or_default().to_owned();
        cases.is(format!("no detail: {}", verdict.log), !detail.is_empty());
        cases.is(
            format!("the other side's words: {detail}"),
            !detail.contains("nobody has seen") && !detail.contains("SomethingNew"),
        );
        cases.is(format!("`{detail}` is told of two causes"), details.insert(detail));
        stage.stub.answer(GET_USER, user("reader", READER_SUB));
        stage.ask_live(&token());
    }
}
