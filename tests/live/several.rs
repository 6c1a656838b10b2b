//! Several checks of one token: each must agree, and they run side by side.

use std::time::Duration;

use serde_json::json;

use crate::PAGE;
use crate::documented::Table;
use crate::stage::{LIVE, OIDC_ISSUER, OPEN, Stage, TIMEOUT, WITH_TABLE, fresh, oidc_token, token};
use crate::stub::cognito::{self, ADMIN_GET_USER, GET_USER, admin_user_json, error, user, user_json};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, CORAL, item, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO};
use crate::stub::{Answer, Reply};
use crate::tokens::{CLIENT, MACHINE, POOL, READ, READER_SUB, Token};
use crate::verdict::Cases;

fn revoked_in_the_table() -> Answer {
    table(&[item(&format!("sub#{}#{READER_SUB}", crate::tokens::ISSUER))])
}

#[test]
fn every_check_must_agree() {
    let rows = Table::under(PAGE, "Several checks");
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), WITH_TABLE);
    let good = || user("reader", READER_SUB);
    let refused = |message: &str| error("NotAuthorizedException", message);
    let revoked = || refused("Access Token has been revoked");
    let inactive = || error("UserNotFoundException", "User does not exist.");
    let scopeless = || refused("Access Token does not have required scopes");
    let throttled = || error("TooManyRequestsException", "Rate exceeded");
    let nothing = || table(&[]);
    let denied = || dynamodb::error(400, CORAL, "AccessDeniedException");
    for (row, issuer, table, expected) in [
        ("good, and no item", good(), nothing(), "allow"),
        ("good, and revoked in the table", good(), revoked_in_the_table(), "token_revoked"),
        ("good, and the table unavailable", good(), denied(), "revocations_unavailable"),
        ("revoked, and no item", revoked(), nothing(), "token_revoked"),
        ("revoked, and the table unavailable", revoked(), denied(), "token_revoked"),
        ("inactive, and no item", inactive(), nothing(), "token_inactive"),
        ("inactive, and revoked in the table", inactive(), revoked_in_the_table(), "token_revoked"),
        ("inactive, and the table unavailable", inactive(), denied(), "token_inactive"),
        ("a scope missing, and no item", scopeless(), nothing(), "not_introspectable"),
        ("a scope missing, and revoked in the table", scopeless(), revoked_in_the_table(), "token_revoked"),
        ("unavailable, and no item", throttled(), nothing(), "introspection_unavailable"),
        ("unavailable, and revoked in the table", throttled(), revoked_in_the_table(), "token_revoked"),
    ] {
        stage.stub.answer(GET_USER, issuer);
        stage.stub.answer(BATCH_GET_ITEM, table);
        let before = (stage.stub.calls(GET_USER), stage.stub.calls(BATCH_GET_ITEM));
        rows.check(row, &stage.ask_live(&token()), expected);
        let asked = stage.stub.calls(GET_USER) > before.0 && stage.stub.calls(BATCH_GET_ITEM) > before.1;
        rows.cases.is(format!("{row}: both were asked"), asked);
    }
    stage.stub.answer(GET_USER, throttled());
    stage.stub.answer(BATCH_GET_ITEM, denied());
    let verdict = stage.ask_live(&token());
    rows.check("both unavailable", &verdict, "introspection_unavailable");
}

#[test]
fn two_slow_answers_take_the_time_of_one() {
    let stage = Stage::pool("{ method: get_user, timeout: 2s }", WITH_TABLE);
    // The clients are built by the first request.
    assert_eq!(stage.ask_live(&token()).outcome(), "allow");
    let slow = Duration::from_millis(1000);
    stage.stub.answer(GET_USER, user("reader", READER_SUB).after(slow));
    stage.stub.answer(BATCH_GET_ITEM, table(&[]).after(slow));
    let verdict = stage.ask_live(&token());
    assert_eq!(verdict.outcome(), "allow");
    let took = Duration::from_micros(verdict.log["duration_us"].as_u64().unwrap());
    assert!(took >= slow && took < slow * 2 - Duration::from_millis(200), "{took:?}: {}", verdict.log);
    // The same where both hang: the longer of the two deadlines, not their sum.
    stage.stub.answer(GET_USER, Answer::Hang);
    stage.stub.answer(BATCH_GET_ITEM, Answer::Hang);
    let verdict = stage.ask_live(&token());
    assert_eq!(verdict.outcome(), "introspection_unavailable");
    let took = Duration::from_micros(verdict.log["duration_us"].as_u64().unwrap());
    assert!(took < Duration::from_millis(3000), "{took:?}: {}", verdict.log);
}

#[test]
fn each_issuers_tokens_are_asked_about_as_that_issuer_is_configured() {
    let stage = Stage::start(&format!(
        "issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}, {MACHINE}], jwks_uri: \"KEYS\", introspection: {{ method: get_user }} }}
  - oidc:
      issuer: {OIDC_ISSUER}
      audience: \"api://orders\"
      jwks_uri: \"KEYS\"
      introspection: {{ endpoint: \"STUB{INTROSPECT}\", client_id: x, client_secret: y }}
  - oidc: {{ issuer: https://silent.example.com, audience: \"api://orders\", jwks_uri: \"KEYS\" }}
routes:
  GET /items: {{}}
  GET /admin: {{ introspect: true }}
"
    ));
    let cases = Cases::default();
    let silent = || fresh(Token::oidc("https://silent.example.com"));
    for (what, token, expected, calls) in [
        ("the pool's", token(), "allow", (1, 0)),
        ("the provider's", oidc_token(), "allow", (0, 1)),
        ("of an issuer that cannot be asked", silent(), "not_introspectable", (0, 0)),
    ] {
        let before = (stage.stub.calls(GET_USER), stage.stub.calls(INTROSPECT));
        cases.check(what, &stage.ask_live(&token), expected);
        let made = (stage.stub.calls(GET_USER) - before.0, stage.stub.calls(INTROSPECT) - before.1);
        cases.equal(format!("{what}: calls"), made, calls);
        cases.check(format!("{what}: an open route"), &stage.ask(OPEN, &token.text()), "allow");
    }
    // An outage of one issuer, and its breaker, are nothing to the other.
    stage.stub.answer(INTROSPECT, Answer::Reset);
    for _ in 0..4 {
        cases.check("the provider is down", &stage.ask_live(&oidc_token()), "introspection_unavailable");
        cases.check("the pool is not", &stage.ask_live(&token()), "allow");
    }
}

#[test]
fn a_live_check_is_the_last_question() {
    // On a route whose other requirements do not hold nobody is asked, whatever would be answered.
    let stage = Stage::pool("{ method: get_user }", WITH_TABLE);
    let cases = Cases::default();
    stage.stub.answer(GET_USER, error("NotAuthorizedException", "Access Token has been revoked"));
    stage.stub.answer(BATCH_GET_ITEM, revoked_in_the_table());
    cases.check("no scope", &stage.ask("/reports", &token().claim("scope", json!(READ)).text()), "insufficient_scope");
    cases.equal("calls", stage.stub.all_calls(), 0);
    cases.check(
        "the scope",
        &stage.ask("/reports", &token().claim("scope", json!(crate::tokens::WRITE)).text()),
        "token_revoked",
    );
    cases.equal("calls", stage.stub.all_calls(), 2);
}

#[test]
fn a_denial_tells_the_client_what_it_may_know() {
    let stage = Stage::pool("{ method: get_user }", "http_api: { response: policy }\n");
    for (answer, error, description) in [
        (error("NotAuthorizedException", "Access Token has been revoked"), "invalid_token", "no longer valid"),
        (error("UserNotFoundException", "x"), "invalid_token", "no longer valid"),
        (
            error("NotAuthorizedException", "Access Token does not have required scopes"),
            "insufficient_scope",
            "cannot be checked",
        ),
    ] {
        stage.stub.answer(GET_USER, answer);
        let context = stage.ask(LIVE, &token().text()).context();
        assert_eq!(context["error"], error, "{context}");
        assert!(context["error_description"].as_str().unwrap().contains(description), "{context}");
    }
    stage.stub.answer(GET_USER, Answer::from(Reply::new(500, "the words of the other side")));
    let verdict = stage.ask(LIVE, &token().text());
    assert_eq!(verdict.answer.json()["errorType"], "introspection_unavailable");
    assert!(!verdict.answer.text().contains("the words of the other side"));
    assert!(!verdict.log.to_string().contains("the words of the other side"));
}

#[test]
fn a_user_with_as_many_attributes_as_cognito_allows_is_no_huge_body() {
    // Quotas: 50 custom attributes of a pool, 2,048 bytes in each; and the standard ones.
    let cases = Cases::default();
    let large = "a".repeat(2048);
    let name = |number: usize| format!("custom:attribute-{number:02}");
    let mut user = user_json("reader", READER_SUB);
    let mut admin = admin_user_json("reader", READER_SUB, true, "CONFIRMED");
    let mut info = json!({ "sub": READER_SUB });
    for number in 0..65 {
        info[name(number)] = json!(large);
        for user in [&mut user, &mut admin] {
            user["UserAttributes"].as_array_mut().unwrap().push(json!({ "Name": name(number), "Value": large }));
        }
    }
    for (method, operation, answer) in [
        ("get_user", GET_USER, cognito::reply(200, &user)),
        ("admin_get_user", ADMIN_GET_USER, cognito::reply(200, &admin)),
        ("user_info, endpoint: \"STUB/oauth2/userInfo\"", USER_INFO, Reply::json(200, &info)),
    ] {
        let stage = Stage::pool(&format!("{{ method: {method} }}"), "");
        stage.stub.answer(operation, answer);
        cases.check(method, &stage.ask_live(&token()), "allow");
    }
}
