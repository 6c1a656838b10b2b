//! `admin_get_user`: Cognito's `AdminGetUser`, asked with the function's own permissions.

use serde_json::json;

use crate::stage::{Credentials, LIVE, Rows, Stage, TIMEOUT, fresh, pool, token};
use crate::stub::cognito::{self, ADMIN_GET_USER, admin_user, bare, error, error_with_status};
use crate::tokens::{POOL, READER_SUB, Token, WRITER_SUB};

fn method() -> String {
    format!("{{ method: admin_get_user, timeout: {TIMEOUT} }}")
}

#[test]
fn every_answer_has_its_decision() {
    let stage = Stage::pool(&method(), "");
    let good = || admin_user("reader", READER_SUB, true, "CONFIRMED");
    let rows = Rows::new("admin_get_user", stage, ADMIN_GET_USER, good(), || token().text());
    let with_status = |status: &str| admin_user("reader", READER_SUB, true, status);
    let coded = |name: &str| error(name, "The words of Cognito");
    let without = |member: &str| {
        let mut user = cognito::admin_user_json("reader", READER_SUB, true, "CONFIRMED");
        user.as_object_mut().unwrap().remove(member);
        bare(200, &user)
    };

    rows.row("the token's user, enabled, CONFIRMED", good(), "allow");
    rows.row("the token's user, enabled, EXTERNAL_PROVIDER", with_status("EXTERNAL_PROVIDER"), "allow");
    rows.row("disabled", admin_user("reader", READER_SUB, false, "CONFIRMED"), "token_inactive");
    rows.row("disabled", admin_user("reader", READER_SUB, false, "EXTERNAL_PROVIDER"), "token_inactive");
    rows.row("RESET_REQUIRED, FORCE_CHANGE_PASSWORD", with_status("RESET_REQUIRED"), "token_inactive");
    rows.row("RESET_REQUIRED, FORCE_CHANGE_PASSWORD", with_status("FORCE_CHANGE_PASSWORD"), "token_inactive");
    rows.row("UNCONFIRMED", with_status("UNCONFIRMED"), "token_inactive");
    for status in ["ARCHIVED", "COMPROMISED", "UNKNOWN", "SOMETHING_NEW", "confirmed", ""] {
        rows.row("any other status, or none", with_status(status), "token_inactive");
    }
    rows.row("any other status, or none", without("UserStatus"), "token_inactive");
    rows.row("no word whether enabled", without("Enabled"), "token_inactive");
    let somebody_else = admin_user("reader", WRITER_SUB, true, "CONFIRMED");
    rows.row("the name was deleted and given to another sub", somebody_else, "token_inactive");
    let nobody = json!({ "Enabled": true, "UserStatus": "CONFIRMED" });
    rows.row("neither sub nor user name", bare(200, &nobody), "introspection_unavailable");
    rows.row("neither sub nor user name", bare(200, &json!({})), "introspection_unavailable");
    rows.row("UserNotFoundException", error("UserNotFoundException", "User does not exist."), "token_inactive");

    // Here it is the function that is not authorized.
    let throttles = "TooManyRequestsException and other throttles";
    let ours = "NotAuthorizedException, AccessDeniedException and what else is our own fault";
    let unknown = "any other error, or one without a name";
    for (row, answer) in [
        (throttles, error("TooManyRequestsException", "Rate exceeded")),
        (throttles, error("LimitExceededException", "Rate exceeded")),
        (throttles, error("ThrottlingException", "Rate exceeded")),
        (ours, coded("NotAuthorizedException")),
        (ours, error("NotAuthorizedException", "Access Token has been revoked")),
        (ours, coded("AccessDeniedException")),
        (ours, coded("UnrecognizedClientException")),
        (ours, coded("ExpiredTokenException")),
        (ours, coded("ResourceNotFoundException")),
        (ours, coded("InvalidParameterException")),
        ("InternalErrorException", error_with_status(500, "InternalErrorException", "x")),
        (unknown, coded("SomethingNewException")),
        (unknown, bare(400, &json!({}))),
    ] {
        rows.row(row, answer, "introspection_unavailable");
    }

    rows.row_of("an ID token of the user", &fresh(Token::id()).text(), good(), "allow");
    let nameless = "a token that names no user: nothing is asked";
    rows.row_of(nameless, &token().without("username").text(), good(), "not_introspectable");
    rows.row_of(nameless, &token().claim("username", json!("")).text(), good(), "not_introspectable");
    rows.row_of(nameless, &token().claim("username", json!(["reader"])).text(), good(), "not_introspectable");
    rows.row_of("a token without sub", &token().without("sub").text(), good(), "token_inactive");
}

#[test]
fn the_request_is_signed_and_names_the_user_but_not_the_token() {
    let stage = Stage::pool(&method(), "");
    let token = token();
    assert_eq!(stage.ask_live(&token).outcome(), "allow");
    let request = stage.stub.last_request(ADMIN_GET_USER);
    assert_eq!(request.header("x-amz-target"), Some("AWSCognitoIdentityProviderService.AdminGetUser"));
    let authorization = request.header("authorization").expect("it is signed");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"), "{authorization}");
    assert!(authorization.contains("/us-east-1/cognito-idp/aws4_request"), "{authorization}");
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({ "UserPoolId": POOL, "Username": "reader" }));
}

#[test]
fn without_credentials_nothing_is_known() {
    let stage = Stage::start_with(&pool(&method(), ""), Credentials::None, &[]);
    assert_eq!(stage.ask(LIVE, &token().text()).outcome(), "introspection_unavailable");
    assert_eq!(stage.stub.calls(ADMIN_GET_USER), 0);
}
