//! `user_info`: Cognito's `/oauth2/userInfo`, for tokens with the scope `openid`.

use crate::cognito::{API, Cognito, live};
use crate::verdict::Cases;

const METHOD: &str = "{ method: user_info, endpoint: \"URL/oauth2/userInfo\" }";

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn it_notices_revocation_and_wants_openid() {
    let cognito = Cognito::start();
    let function = cognito.function(METHOD, "");
    let cases = Cases::default();
    let (idp, pool) = (&cognito.idp, cognito.pool.as_str());
    cognito.user("rita");
    let sign_in = || cognito.sign_in_for("rita", &format!("openid {API}/read"));
    cases.check("good", &live(&function, &sign_in().access), "allow");

    let session = sign_in();
    cognito.revoke(&session);
    cases.check("after RevokeToken", &live(&function, &session.access), "token_inactive");

    let session = sign_in();
    let sign_out = idp.admin_user_global_sign_out().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(sign_out).unwrap();
    cases.check("after AdminUserGlobalSignOut", &live(&function, &session.access), "token_inactive");

    let session = sign_in();
    let disable = idp.admin_disable_user().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(disable).unwrap();
    cases.check("after AdminDisableUser", &live(&function, &session.access), "token_inactive");
    let enable = idp.admin_enable_user().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(enable).unwrap();

    // Tokens of Cognito's own sign-in API never have `openid`: that is no revocation.
    cases.check("signed in through the API", &live(&function, &cognito.sign_in("rita").access), "not_introspectable");
    let scopeless = cognito.sign_in_for("rita", &format!("{API}/read"));
    cases.check("without openid", &live(&function, &scopeless.access), "not_introspectable");
    cases.check("an ID token", &live(&function, &sign_in().id), "not_introspectable");
    cases.check("a machine's", &live(&function, &cognito.machine_token()), "not_introspectable");
}
