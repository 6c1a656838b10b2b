//! Tokens and secrets are shown by nothing, not even where others repeat them.

use crate::authctl::Authctl;
use crate::stub::{PUT_ITEM, REVOKE_TOKEN, Stub};
use serde_json::json;

const REFRESH_TOKEN: &str = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0.a2V5.aXY.Y2lwaGVydGV4dA.VGhlU2VjcmV0VGFn";
const CLIENT_SECRET: &str = "TheSecretOfTheClient51";
/// `{"jti":"token-1","origin_jti":"sign-in-1"}`: without `exp`.
const JWT: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJqdGkiOiJ0b2tlbi0xIiwib3JpZ2luX2p0aSI6InNpZ24taW4tMSJ9.VGhlU2VjcmV0U2lnbmF0dXJl";

fn stage() -> (Stub, Authctl) {
    let stub = Stub::start();
    let mut authctl = Authctl::with(stub.environment()).env("CLIENT_SECRET", CLIENT_SECRET);
    for secret in [REFRESH_TOKEN, CLIENT_SECRET, JWT, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
        authctl.never_shows(secret);
    }
    (stub, authctl)
}

const REVOKE_REFRESH_TOKEN: [&str; 7] =
    ["revoke", "refresh-token", "--client-id", "web", "--client-secret-env", "CLIENT_SECRET", "-"];

#[test]
fn a_refresh_token_and_its_clients_secret_reach_cognito_and_nobody_else() {
    let (stub, authctl) = stage();
    authctl.does(&REVOKE_REFRESH_TOKEN, &format!("{REFRESH_TOKEN}\n"), &["RevokeToken"]);
    let expected = json!({ "Token": REFRESH_TOKEN, "ClientId": "web", "ClientSecret": CLIENT_SECRET });
    assert_eq!(stub.requests(REVOKE_TOKEN), [expected]);
    assert_eq!(stub.count(), 1);
}

#[test]
fn what_cognito_says_of_a_refresh_token_is_told_in_our_own_words() {
    let (stub, authctl) = stage();
    for (code, complaint) in [
        ("UnauthorizedException", "UnauthorizedException: the client secret is missing or wrong"),
        ("UnsupportedTokenTypeException", "this is no refresh token"),
        ("InvalidParameterException", "not well formed"),
        (REFRESH_TOKEN, "an error that is not known"),
    ] {
        stub.fail(REVOKE_TOKEN, code, &format!("{REFRESH_TOKEN} of {CLIENT_SECRET}"));
        let run = authctl.fails(&REVOKE_REFRESH_TOKEN, REFRESH_TOKEN, complaint);
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    }
}

#[test]
fn a_token_reaches_nobody_but_its_names_do() {
    let (stub, authctl) = stage();
    authctl.does(&["revoke", "token", "-"], JWT, &["jti#token-1", "origin_jti#sign-in-1"]);
    authctl.does(&["revoke", "token", JWT, "--dry-run"], "", &["Would be refused", "jti#token-1"]);
    let requests = stub.requests(PUT_ITEM);
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| !request.to_string().contains("VGhlU2VjcmV0")));
}

#[test]
fn a_command_line_that_makes_no_sense_is_not_repeated() {
    let (stub, authctl) = stage();
    for arguments in [
        &["revoke", "token", JWT, JWT] as &[&str],
        &["revoke", JWT],
        &[JWT],
        &["revoke", "refresh-token", "--client-id", "web", REFRESH_TOKEN],
        &["revoke", "refresh-token", REFRESH_TOKEN],
        &["revoke", "token", "-", "--token-life", JWT],
        &["revoke", "token", "-", &format!("--{JWT}")],
    ] {
        let run = authctl.fails(arguments, "", "authctl: ");
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:#?}");
    }
    for nonsense in ["VGhlU2VjcmV0U2lnbmF0dXJl", "a.VGhlU2VjcmV0U2lnbmF0dXJl.b", "", "a b c"] {
        let run = authctl.fails(&["revoke", "token", "-"], nonsense, "");
        assert_eq!(run.code, Some(1));
    }
    authctl.fails(&["revoke", "token", "-"], REFRESH_TOKEN, "authctl revoke refresh-token");
    authctl.fails(&REVOKE_REFRESH_TOKEN, " \n", "there is no token on standard input");
    assert_eq!(stub.count(), 0);
}
