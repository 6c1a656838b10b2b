//! `get_user`: what ends a user's tokens at Cognito ends them here, at the next request.

use crate::cognito::{API, Cognito, live, open};
use crate::verdict::Cases;

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn what_ends_a_session_at_cognito_is_noticed_by_the_next_request() {
    let cognito = Cognito::start();
    let function = cognito.function("{ method: get_user }", "");
    let cases = Cases::default();
    let (idp, pool) = (&cognito.idp, cognito.pool.as_str());
    let run = |ending: &str, session: &crate::cognito::Session, name: &str| {
        cognito.runtime.block_on(async {
            match ending {
                "RevokeToken" => {}
                "GlobalSignOut" => drop(idp.global_sign_out().access_token(&session.access).send().await.unwrap()),
                "AdminUserGlobalSignOut" => {
                    drop(idp.admin_user_global_sign_out().user_pool_id(pool).username(name).send().await.unwrap());
                }
                "AdminDisableUser" => {
                    drop(idp.admin_disable_user().user_pool_id(pool).username(name).send().await.unwrap())
                }
                "AdminDeleteUser" => {
                    drop(idp.admin_delete_user().user_pool_id(pool).username(name).send().await.unwrap())
                }
                other => panic!("{other}"),
            }
        });
        if ending == "RevokeToken" {
            cognito.revoke(session);
        }
    };
    for (index, (ending, expected)) in [
        ("RevokeToken", "token_revoked"),
        ("GlobalSignOut", "token_revoked"),
        ("AdminUserGlobalSignOut", "token_revoked"),
        ("AdminDisableUser", "token_inactive"),
        ("AdminDeleteUser", "token_inactive"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user-{index}");
        cognito.user(&name);
        let session = cognito.sign_in(&name);
        cases.check(format!("before {ending}"), &live(&function, &session.access), "allow");
        run(ending, &session, &name);
        cases.check(format!("after {ending}"), &live(&function, &session.access), expected);
        cases.check(format!("after {ending}, again"), &live(&function, &session.access), expected);
        // A signature is good until it expires, whatever happened since.
        cases.check(format!("after {ending}, an open route"), &open(&function, &session.access), "allow");
    }
}

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn one_session_ends_without_the_others() {
    let cognito = Cognito::start();
    let function = cognito.function("{ method: get_user }", "");
    cognito.user("rita");
    let (desk, phone) = (cognito.sign_in("rita"), cognito.sign_in("rita"));
    cognito.revoke(&phone);
    assert_eq!(live(&function, &phone.access).outcome(), "token_revoked");
    assert_eq!(live(&function, &desk.access).outcome(), "allow");
    // A new session of the same user is a good one.
    assert_eq!(live(&function, &cognito.sign_in("rita").access).outcome(), "allow");
}

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn a_token_that_cannot_be_asked_about_is_not_called_revoked() {
    let cognito = Cognito::start();
    let function = cognito.function("{ method: get_user }", "");
    let cases = Cases::default();
    cognito.user("rita");
    let scopeless = cognito.sign_in_for("rita", &format!("openid {API}/read"));
    cases.check("without the scope", &live(&function, &scopeless.access), "not_introspectable");
    let scoped = cognito.sign_in_for("rita", "openid aws.cognito.signin.user.admin");
    cases.check("with the scope", &live(&function, &scoped.access), "allow");
    cases.check("an ID token", &live(&function, &scoped.id), "not_introspectable");
    cases.check("a machine's", &live(&function, &cognito.machine_token()), "not_introspectable");
    cases.check("a machine's, an open route", &open(&function, &cognito.machine_token()), "allow");
}

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn a_name_that_was_given_to_somebody_else_vouches_for_nobody() {
    let cognito = Cognito::start();
    let function = cognito.function("{ method: get_user }", "");
    let before = cognito.user("rita");
    let session = cognito.sign_in("rita");
    assert_eq!(live(&function, &session.access).outcome(), "allow");
    let deletion = cognito.idp.admin_delete_user().user_pool_id(&cognito.pool).username("rita").send();
    cognito.runtime.block_on(deletion).unwrap();
    assert_ne!(cognito.user("rita"), before);
    let verdict = live(&function, &session.access);
    assert!(["token_inactive", "token_revoked"].contains(&verdict.outcome()), "{verdict}");
}
