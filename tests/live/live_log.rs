//! `live_check` in the decision log line: what was asked, what it answered, how long it took.

use std::time::Duration;

use crate::stage::{LIVE, OPEN, Stage, TIMEOUT, WITH_TABLE, WITH_TABLE_ALWAYS, fresh, oidc, oidc_token, token, unique};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER, error, user};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, CORAL, item, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, refusal};
use crate::stub::{Answer, Reply};
use crate::tokens::{CLIENT, ISSUER, READER_SUB, Token};
use crate::verdict::{Cases, Verdict};

/// What was asked and what it answered, and the microseconds it took; none where it was remembered.
fn parsed(verdict: &Verdict) -> Vec<(String, Option<u64>)> {
    let Some(text) = verdict.log.get("live_check") else { return Vec::new() };
    let text = text.as_str().unwrap_or_else(|| panic!("live_check is no text: {}", verdict.log));
    text.split(", ")
        .map(|part| match part.strip_suffix(" (remembered)") {
            Some(rest) => (rest.to_owned(), None),
            None => {
                let (rest, time) = part.split_once(" in ").unwrap_or_else(|| panic!("no time: {part}"));
                (rest.to_owned(), Some(time.strip_suffix(" us").unwrap().parse().unwrap()))
            }
        })
        .collect()
}

#[track_caller]
fn check(cases: &Cases, verdict: &Verdict, expected: &[&str]) {
    let parsed = parsed(verdict);
    let words: Vec<&str> = parsed.iter().map(|(words, _)| words.as_str()).collect();
    cases.equal("live_check", words, expected);
    let duration = verdict.log["duration_us"].as_u64().unwrap();
    for (words, time) in &parsed {
        cases.is(format!("{words} took longer than the whole"), time.is_none_or(|time| time <= duration));
    }
}

#[test]
fn it_names_each_check_with_its_answer() {
    let cases = Cases::default();
    let revoked = || error("NotAuthorizedException", "Access Token has been revoked");
    let of_the_pool =
        |method: &str, more: &str| Stage::pool(&format!("{{ method: {method}, timeout: {TIMEOUT} }}"), more);
    let nothing = || table(&[]);
    let client = || table(&[item(&format!("client#{ISSUER}#{CLIENT}"))]);
    let user_info = format!("user_info, endpoint: \"STUB{USER_INFO}\"");

    let stage = of_the_pool("get_user", "");
    check(&cases, &stage.ask_live(&token()), &["get_user: good"]);
    check(&cases, &stage.ask(OPEN, &token().text()), &[]);
    stage.stub.answer(GET_USER, revoked());
    check(&cases, &stage.ask_live(&token()), &["get_user: token_revoked"]);
    stage.stub.answer(GET_USER, Answer::Hang);
    check(&cases, &stage.ask_live(&token()), &["get_user: introspection_unavailable"]);
    check(&cases, &stage.ask_live(&fresh(Token::machine())), &[]);

    let stage = of_the_pool("admin_get_user", "");
    check(&cases, &stage.ask_live(&token()), &["admin_get_user: good"]);
    stage.stub.answer(ADMIN_GET_USER, error("UserNotFoundException", "x"));
    check(&cases, &stage.ask_live(&token()), &["admin_get_user: token_inactive"]);

    let stage = of_the_pool(&user_info, "");
    check(&cases, &stage.ask_live(&token()), &["user_info: good"]);
    stage.stub.answer(USER_INFO, refusal("invalid_token", "x"));
    check(&cases, &stage.ask_live(&token()), &["user_info: token_inactive"]);

    let stage = Stage::start(&oidc("", "", WITH_TABLE));
    check(&cases, &stage.ask_live(&oidc_token()), &["introspection: good", "revocations: good"]);
    stage.stub.answer(INTROSPECT, Reply::json(401, &serde_json::json!({})));
    check(&cases, &stage.ask_live(&oidc_token()), &["introspection: introspection_unavailable", "revocations: good"]);

    let stage = of_the_pool("get_user", WITH_TABLE);
    for (answer, items, expected) in [
        (user("reader", READER_SUB), nothing(), ["get_user: good", "revocations: good"]),
        (user("reader", READER_SUB), client(), ["get_user: good", "revocations: token_revoked"]),
        (revoked(), nothing(), ["get_user: token_revoked", "revocations: good"]),
        (revoked(), client(), ["get_user: token_revoked", "revocations: token_revoked"]),
        (
            Answer::Reset,
            dynamodb::error(400, CORAL, "AccessDeniedException"),
            ["get_user: introspection_unavailable", "revocations: revocations_unavailable"],
        ),
    ] {
        stage.stub.answer(GET_USER, answer);
        stage.stub.answer(BATCH_GET_ITEM, items);
        check(&cases, &stage.ask_live(&token()), &expected);
    }
    check(&cases, &stage.ask_live(&fresh(Token::machine())), &["revocations: revocations_unavailable"]);

    let stage = Stage::pool("", WITH_TABLE_ALWAYS);
    check(&cases, &stage.ask(OPEN, &token().text()), &["revocations: good"]);
    check(&cases, &stage.ask(LIVE, &token().text()), &["revocations: good"]);

    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", WITH_TABLE));
    stage.stub.answer(
        INTROSPECT,
        active(serde_json::json!({ "sub": "user-7", "aud": "api://orders", "exp": crate::tokens::now() + 60 })),
    );
    check(&cases, &stage.ask(OPEN, &unique()), &["introspection: good"]);
    check(&cases, &stage.ask(LIVE, &unique()), &["introspection: good", "revocations: good"]);
}

#[test]
fn it_tells_how_long_each_took() {
    let cases = Cases::default();
    let stage = Stage::pool("{ method: get_user, timeout: 2s }", WITH_TABLE);
    stage.ask_live(&token());
    stage.stub.answer(GET_USER, user("reader", READER_SUB).after(Duration::from_millis(400)));
    stage.stub.answer(BATCH_GET_ITEM, table(&[]).after(Duration::from_millis(1200)));
    let verdict = stage.ask_live(&token());
    let times: Vec<u64> = parsed(&verdict).into_iter().filter_map(|(_, time)| time).collect();
    // Each its own time, not that of both.
    cases.is(format!("get_user: {times:?}"), (400_000..1_000_000).contains(&times[0]));
    cases.is(format!("revocations: {times:?}"), times[1] >= 1_200_000);
}

#[test]
fn it_says_what_was_only_remembered() {
    let cases = Cases::default();
    let stage = Stage::pool("{ method: get_user, cache: 1h }", WITH_TABLE);
    let token = token();
    stage.ask_live(&token);
    let verdict = stage.ask_live(&token);
    check(&cases, &verdict, &["get_user: good", "revocations: good"]);
    cases.equal(
        "remembered",
        parsed(&verdict).iter().map(|(_, time)| time.is_none()).collect::<Vec<_>>(),
        [true, false],
    );
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
