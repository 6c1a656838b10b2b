//! `get_user`: Cognito's `GetUser`, asked with the token itself.

use serde_json::json;

use crate::stage::{Credentials, LIVE, Rows, Stage, TIMEOUT, fresh, pool, token};
use crate::stub::cognito::{self, GET_USER, bare, error, error_with_status, user};
use crate::tokens::{READER_SUB, Token, WRITER_SUB};
use crate::verdict::Cases;

fn method() -> String {
    format!("{{ method: get_user, timeout: {TIMEOUT} }}")
}

#[test]
fn every_answer_has_its_decision() {
    let stage = Stage::pool(&method(), "");
    let rows = Rows::new("get_user", stage, GET_USER, user("reader", READER_SUB), || token().text());
    let not_authorized = |message: &str| error("NotAuthorizedException", message);
    let coded = |name: &str| error(name, "The words of Cognito");

    rows.row("the token's user", user("reader", READER_SUB), "allow");
    rows.row("the token's user", user("another name for the same sub", READER_SUB), "allow");
    rows.row("another user", user("reader", WRITER_SUB), "token_inactive");
    rows.row("another user", user("writer", WRITER_SUB), "token_inactive");
    rows.row("another user", user("reader", ""), "token_inactive");
    let named = |name: &str| bare(200, &json!({ "Username": name, "UserAttributes": [] }));
    rows.row("no sub, the token's user name", named("reader"), "allow");
    rows.row("no sub, another user name", named("writer"), "token_inactive");
    rows.row("no sub, another user name", named("Reader"), "token_inactive");
    rows.row("neither sub nor user name", bare(200, &json!({})), "introspection_unavailable");
    rows.row("neither sub nor user name", bare(200, &json!({ "UserAttributes": [] })), "introspection_unavailable");

    // Four facts and more by one exception; only its message tells which.
    for (message, expected) in [
        ("Access Token has been revoked", "token_revoked"),
        ("Access Token has expired", "token_inactive"),
        ("Invalid Access Token", "token_inactive"),
        ("User is disabled.", "token_inactive"),
        ("Access Token does not have required scopes", "not_introspectable"),
    ] {
        rows.row(&format!("NotAuthorizedException: {message}"), not_authorized(message), expected);
    }
    rows.row("NotAuthorizedException: User is disabled.", not_authorized("User is disabled"), "token_inactive");
    let unknown = "NotAuthorizedException with any other message, or none";
    for message in [
        "Could not verify signature for Access Token",
        "Words that nobody has seen yet",
        "access token has been revoked",
        "Access Token does not have required scopes, and more",
        "Access Token has not been revoked",
        "",
    ] {
        rows.row(unknown, not_authorized(message), "token_inactive");
    }
    rows.row(unknown, bare(400, &json!({ "__type": "NotAuthorizedException" })), "token_inactive");

    rows.row("UserNotFoundException", error("UserNotFoundException", "User does not exist."), "token_inactive");
    rows.row("PasswordResetRequiredException", coded("PasswordResetRequiredException"), "token_inactive");
    rows.row(
        "UserNotConfirmedException",
        error("UserNotConfirmedException", "User is not confirmed."),
        "token_inactive",
    );

    // Nothing of this says anything about the token.
    let (waf, rate) = ("Request not allowed due to WAF block.", "Rate exceeded");
    let (throttles, firewall) =
        ("TooManyRequestsException and other throttles", "ForbiddenException (a web application firewall)");
    let ours = "InvalidParameterException, ResourceNotFoundException";
    let unknown = "any other error, or one without a name";
    for (row, answer) in [
        (throttles, error("TooManyRequestsException", rate)),
        (throttles, error("LimitExceededException", rate)),
        (throttles, error("ThrottlingException", rate)),
        (throttles, error_with_status(429, "TooManyRequestsException", rate)),
        (firewall, error("ForbiddenException", waf)),
        (firewall, error_with_status(403, "ForbiddenException", waf)),
        ("InternalErrorException", error_with_status(500, "InternalErrorException", "Something went wrong")),
        ("InternalErrorException", coded("InternalErrorException")),
        (ours, coded("InvalidParameterException")),
        (ours, coded("ResourceNotFoundException")),
        (unknown, coded("SomethingNewException")),
        (unknown, error_with_status(401, "SomethingNewException", "x")),
        (unknown, bare(400, &json!({}))),
        (unknown, bare(400, &json!({ "message": "Access Token has been revoked" }))),
        (unknown, bare(403, &json!({ "message": "Forbidden" }))),
    ] {
        rows.row(row, answer, "introspection_unavailable");
    }

    let id_token = fresh(Token::id()).text();
    rows.row_of("an ID token: nothing is asked", &id_token, user("reader", READER_SUB), "not_introspectable");
}

#[test]
fn an_error_is_known_by_header_or_body_with_or_without_a_namespace() {
    let stage = Stage::pool(&method(), "");
    let cases = Cases::default();
    let message = "Access Token has been revoked";
    let body = |name: &str| json!({ "__type": name, "message": message });
    let header = |name: &str, value: &str| cognito::reply(400, &json!({ "message": message })).header(name, value);
    for answer in [
        cognito::reply(400, &body("NotAuthorizedException")),
        cognito::reply(400, &body("com.amazonaws.cognito.identity.idp.model#NotAuthorizedException")),
        cognito::reply(400, &json!({ "__type": "NotAuthorizedException", "Message": message })),
        header("x-amzn-ErrorType", "NotAuthorizedException"),
        header("x-amzn-errortype", "NotAuthorizedException:http://internal.amazon.com/coral/com.amazon.coral.service/"),
    ] {
        let what = format!("{answer:?}");
        stage.stub.answer(GET_USER, answer);
        cases.check(what, &stage.ask_live(&token()), "token_revoked");
    }
}

#[test]
fn the_request_is_unsigned_and_carries_the_token_alone() {
    // No credentials at all, and none are looked for: where there are none that takes seconds.
    let stage = Stage::start_with(&pool(&method(), ""), Credentials::None, &[]);
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    let request = stage.stub.last_request(GET_USER);
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("x-amz-target"), Some("AWSCognitoIdentityProviderService.GetUser"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("x-amz-security-token"), None);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({ "AccessToken": token.text() }));
    // With credentials it is the same: they are the function's, and GetUser does not want them.
    let stage = Stage::pool(&method(), "");
    assert_eq!(stage.ask(LIVE, &token.text()).outcome(), "allow");
    assert_eq!(stage.stub.last_request(GET_USER).header("authorization"), None);
}

#[test]
fn a_throttle_or_a_lost_connection_is_tried_once_more_within_the_time() {
    use crate::stub::Answer;
    let stage = Stage::pool("{ method: get_user, timeout: 2s }", "");
    let cases = Cases::default();
    let good = || user("reader", READER_SUB);
    let revoked = || error("NotAuthorizedException", "Access Token has been revoked");
    let throttle = || error("TooManyRequestsException", "Rate exceeded");
    let internal = || error_with_status(500, "InternalErrorException", "Something went wrong");
    // (what, the answers in their order, the decision, the calls)
    for (what, answers, expected, calls) in [
        ("a throttle, then good", vec![throttle(), good()], "allow", 2),
        ("an error, then good", vec![internal(), good()], "allow", 2),
        ("a reset, then good", vec![Answer::Reset, good()], "allow", 2),
        ("a reset, then revoked", vec![Answer::Reset, revoked()], "token_revoked", 2),
        ("two throttles, then good", vec![throttle(), throttle(), good()], "introspection_unavailable", 2),
        ("a refusal is no fault", vec![error("UserNotFoundException", "x"), good()], "token_inactive", 1),
        ("a hang of a kept connection, then good", vec![Answer::Hang, good()], "allow", 2),
        (
            "a hang of a new one takes all the time there is",
            vec![Answer::Hang, Answer::Hang, good()],
            "introspection_unavailable",
            2,
        ),
    ] {
        stage.stub.answers(GET_USER, answers);
        let (verdict, made) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token()));
        cases.check(what, &verdict, expected);
        cases.equal(format!("{what}: the calls"), made, calls);
        stage.stub.answer(GET_USER, good());
        stage.ask_live(&token());
    }
}
