//! The table of revocations, in DynamoDB as MiniStack plays it.

use crate::cognito::{Cognito, claims, live, open};
use crate::tokens::now;
use crate::verdict::Cases;

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn an_item_refuses_from_the_next_request_on() {
    let cognito = Cognito::start();
    cognito.create_table();
    let function = cognito.function("", "revocations: { table: revocations }");
    let cases = Cases::default();
    cognito.user("rita");
    let (token, machine) = (cognito.sign_in("rita").access, cognito.machine_token());
    let claim = |token: &str, name: &str| claims(token)[name].as_str().unwrap().to_owned();
    let issuer = cognito.issuer();
    let check = |what: &str, token: &str, pk: &str, numbers: &[(&str, i64)], expected: &str| {
        cases.check(format!("before {what}"), &live(&function, token), "allow");
        cognito.put(pk, numbers);
        cases.check(what, &live(&function, token), expected);
        cases.check(format!("{what}, an open route"), &open(&function, token), "allow");
        cognito.delete(pk);
    };
    let jti = format!("jti#{}", claim(&token, "jti"));
    check("jti", &token, &jti, &[], "token_revoked");
    check("origin_jti", &token, &format!("origin_jti#{}", claim(&token, "origin_jti")), &[], "token_revoked");
    check("sub", &token, &format!("sub#{issuer}#{}", claim(&token, "sub")), &[], "token_revoked");
    check("client", &token, &format!("client#{issuer}#{}", claim(&token, "client_id")), &[], "token_revoked");
    check(
        "a machine's client",
        &machine,
        &format!("client#{issuer}#{}", claim(&machine, "client_id")),
        &[],
        "token_revoked",
    );
    check("somebody else's sub", &token, &format!("sub#{issuer}#x"), &[], "allow");
    check("not_before now", &token, &jti, &[("not_before", now())], "token_revoked");
    check(
        "not_before before it was issued",
        &token,
        &jti,
        &[("not_before", claims(&token)["iat"].as_i64().unwrap() - 1)],
        "allow",
    );
    check("expires_at to come", &token, &jti, &[("expires_at", now() + 600)], "token_revoked");
    check("expires_at over", &token, &jti, &[("expires_at", now() - 1)], "allow");
}

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn the_table_and_cognito_must_agree() {
    let cognito = Cognito::start();
    cognito.create_table();
    let function = cognito.function("{ method: get_user }", "revocations: { table: revocations }");
    let cases = Cases::default();
    let sub = cognito.user("rita");
    let session = cognito.sign_in("rita");
    let pk = format!("sub#{}#{sub}", cognito.issuer());
    cases.check("both", &live(&function, &session.access), "allow");
    cognito.put(&pk, &[("not_before", now())]);
    cases.check("the table alone", &live(&function, &session.access), "token_revoked");
    cognito.delete(&pk);
    cases.check("both again", &live(&function, &session.access), "allow");
    cognito.revoke(&session);
    cases.check("Cognito alone", &live(&function, &session.access), "token_revoked");
    cases.check("a machine needs the table alone", &live(&function, &cognito.machine_token()), "allow");
}

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn a_table_that_is_not_there_vouches_for_nobody() {
    let cognito = Cognito::start();
    cognito.user("rita");
    let token = cognito.sign_in("rita").access;
    let function = cognito.function("", "revocations: { table: revocations, check: all }");
    assert_eq!(live(&function, &token).outcome(), "revocations_unavailable");
    assert_eq!(open(&function, &token).outcome(), "revocations_unavailable");
    cognito.create_table();
    assert_eq!(live(&function, &token).outcome(), "allow");
    assert_eq!(open(&function, &token).outcome(), "allow");
}
