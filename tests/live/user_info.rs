//! `user_info`: the UserInfo endpoint of OpenID Connect, Cognito's `/oauth2/userInfo` among them.

use std::time::Duration;

use serde_json::json;

use crate::stage::{LIVE, OPEN, ROUTES, Rows, Stage, TIMEOUT, fresh, token};
use crate::stub::oauth::{METADATA, USER_INFO, challenge, refusal, user_info};
use crate::stub::{Answer, Reply};
use crate::tokens::{CLIENT, READ, READER_SUB, Token, WRITER_SUB};
use crate::verdict::Cases;

fn method() -> String {
    format!("{{ method: user_info, endpoint: \"STUB{USER_INFO}\", timeout: {TIMEOUT} }}")
}

fn status(status: u16) -> Answer {
    Reply::json(status, &json!({ "message": "x" })).into()
}

#[test]
fn every_answer_has_its_decision() {
    let stage = Stage::pool(&method(), "");
    let rows = Rows::new("user_info", stage, USER_INFO, user_info(READER_SUB), || token().text());
    let json_answer = |value: serde_json::Value| Answer::from(Reply::json(200, &value));
    let without_openid = || fresh(Token::access().claim("scope", json!(READ))).text();

    rows.row("200 and the token's sub", user_info(READER_SUB), "allow");
    rows.row("200 and the token's sub", json_answer(json!({ "sub": READER_SUB })), "allow");
    rows.row("200 and another sub", user_info(WRITER_SUB), "token_inactive");
    rows.row("200 and another sub", user_info(""), "token_inactive");
    rows.row("200 and another sub", user_info(&READER_SUB.to_uppercase()), "token_inactive");
    for sub in [json!(null), json!(7), json!([READER_SUB]), json!(true)] {
        rows.row("200 without a sub", json_answer(json!({ "sub": sub })), "introspection_unavailable");
    }
    rows.row("200 without a sub", json_answer(json!({ "username": "reader" })), "introspection_unavailable");
    let jwt = Reply::new(200, token().text()).header("Content-Type", "application/jwt");
    rows.row("200 and a signed or encrypted answer", jwt, "introspection_unavailable");

    let expired = "Access token is expired, disabled, or deleted, or the user has globally signed out.";
    rows.row("401 invalid_token", refusal("invalid_token", expired), "token_inactive");
    rows.row("401 invalid_token", challenge(401, "Bearer error=\"invalid_token\""), "token_inactive");
    rows.row("401 invalid_token", challenge(401, "Bearer realm=x, error=INVALID_TOKEN"), "token_inactive");
    rows.row("401 with any other challenge, or none", challenge(401, "Bearer"), "token_inactive");
    rows.row("401 with any other challenge, or none", challenge(401, "Basic realm=\"x\""), "token_inactive");
    rows.row("401 with any other challenge, or none", status(401), "token_inactive");
    // Cognito does not say `insufficient_scope`.
    let scopeless = "a token without the scope openid";
    let refused = || refusal("invalid_token", "Access token does not contain openid scope");
    rows.row_of(scopeless, &without_openid(), refused(), "not_introspectable");
    rows.row_of(
        scopeless,
        &without_openid(),
        challenge(401, "Bearer realm=x, error=INVALID_TOKEN"),
        "not_introspectable",
    );
    rows.row_of(scopeless, &fresh(Token::access()).without("scope").text(), refused(), "not_introspectable");
    // RFC 9110, 11.2: a parameter may stand without quotes.
    for (status, words) in [
        (403, "Bearer error=\"insufficient_scope\", scope=\"openid\""),
        (401, "Bearer error=\"insufficient_scope\""),
        (403, "Bearer realm=x, error=insufficient_scope"),
    ] {
        rows.row("401 or 403 insufficient_scope", challenge(status, words), "not_introspectable");
    }
    rows.row("403 (a web application firewall)", status(403), "introspection_unavailable");
    let bad = "error=\"invalid_request\", error_description=\"Bad OAuth2 request at UserInfo Endpoint\"";
    rows.row("400 invalid_request", challenge(400, bad), "introspection_unavailable");
    rows.row("429", status(429), "introspection_unavailable");
    rows.row("a redirect", Reply::new(302, "").header("Location", "/oauth2/userInfo"), "introspection_unavailable");
    for other in [201, 204, 206, 404, 405, 418, 500, 502, 503, 504] {
        rows.row("any other status", status(other), "introspection_unavailable");
    }
    rows.row("any other status", Reply::json(201, &json!({ "sub": READER_SUB })), "introspection_unavailable");

    rows.row_of(
        "an ID token: nothing is asked",
        &fresh(Token::id()).text(),
        user_info(READER_SUB),
        "not_introspectable",
    );
    rows.row_of("a token without sub", &token().without("sub").text(), user_info(READER_SUB), "token_inactive");
}

#[test]
fn the_request_carries_the_token_in_its_header() {
    let stage = Stage::pool(&method(), "");
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    let request = stage.stub.last_request(USER_INFO);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", USER_INFO));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {}", token.text()).as_str()));
    assert!(request.body.is_empty());
}

/// A pool whose issuer is the stub itself, so that its metadata are the stub's too.
fn discovered(timeout: &str) -> (Stage, String) {
    let stage = Stage::start(&format!(
        "issuers:
  - cognito:
      user_pool_id: us-east-1_AbCdEf123
      client_ids: [{CLIENT}]
      issuer: \"STUB/pool\"
      jwks_uri: \"KEYS\"
      introspection: {{ method: user_info, timeout: {timeout} }}
{ROUTES}"
    ));
    let issuer = stage.stub.url("/pool");
    (stage, issuer)
}

#[test]
fn without_an_endpoint_the_issuers_metadata_names_it() {
    let cases = Cases::default();
    let metadata = |issuer: &str, endpoint: &str| -> Answer {
        Reply::json(
            200,
            &json!({ "issuer": issuer, "jwks_uri": "https://x.example.com", "userinfo_endpoint": endpoint }),
        )
        .into()
    };
    let (stage, issuer) = discovered(TIMEOUT);
    let of_the_pool = || token().claim("iss", json!(issuer)).text();
    cases.check("an open route", &stage.ask(OPEN, &of_the_pool()), "allow");
    cases.equal("nothing is looked for before it is wanted", stage.stub.calls(METADATA), 0);
    // What is wrong with the metadata is an outage, and not kept.
    stage.stub.answer(METADATA, status(404));
    cases.check("no metadata", &stage.ask(LIVE, &of_the_pool()), "introspection_unavailable");
    stage.stub.answer(METADATA, metadata(&issuer, &stage.stub.url(USER_INFO)));
    cases.check("good metadata", &stage.ask(LIVE, &of_the_pool()), "allow");
    cases.check("good metadata again", &stage.ask(LIVE, &of_the_pool()), "allow");
    cases.equal("good metadata is kept", stage.stub.calls(METADATA), 2);
    cases.equal("the endpoint is asked each time", stage.stub.calls(USER_INFO), 2);
    for (what, answer) in [
        ("another issuer's", metadata("https://elsewhere.example.com", &stage.stub.url(USER_INFO))),
        ("of another spelling", metadata(&format!("{issuer}/"), &stage.stub.url(USER_INFO))),
        ("without an endpoint", Reply::json(200, &json!({ "issuer": issuer })).into()),
        ("with an endpoint in the open", metadata(&issuer, "http://userinfo.example.com/")),
        ("nonsense", Reply::new(200, "<html>").into()),
        ("late", Answer::Hang),
        ("lost", Answer::Reset),
        ("moved", Reply::new(301, "").header("Location", METADATA).into()),
    ] {
        let (stage, issuer) = discovered(TIMEOUT);
        stage.stub.answer(METADATA, answer);
        let token = token().claim("iss", json!(issuer)).text();
        cases.check(format!("metadata {what}"), &stage.ask(LIVE, &token), "introspection_unavailable");
        cases.equal(format!("metadata {what}: the endpoint is not asked"), stage.stub.calls(USER_INFO), 0);
    }
}

#[test]
fn metadata_and_answer_share_one_deadline() {
    let (stage, issuer) = discovered("1s");
    let metadata = json!({ "issuer": issuer, "userinfo_endpoint": stage.stub.url(USER_INFO) });
    stage.stub.answer(METADATA, Answer::from(Reply::json(200, &metadata)).after(Duration::from_millis(900)));
    stage.stub.answer(USER_INFO, user_info(READER_SUB).after(Duration::from_millis(900)));
    let verdict = stage.ask(LIVE, &token().claim("iss", json!(issuer)).text());
    assert_eq!(verdict.outcome(), "introspection_unavailable");
    let took = verdict.log["duration_us"].as_u64().unwrap();
    assert!(took < 1_700_000, "{}", verdict.log);
}
