//! `admin_get_user`: sees the user, and nothing of the token.

use crate::cognito::{API, Cognito, live};
use crate::verdict::Cases;

#[test]
#[ignore = "needs MiniStack: `make live`"]
fn it_notices_what_happens_to_the_user_and_not_what_happens_to_the_token() {
    let cognito = Cognito::start();
    let function = cognito.function("{ method: admin_get_user }", "");
    let cases = Cases::default();
    let (idp, pool) = (&cognito.idp, cognito.pool.as_str());
    cognito.user("rita");
    let session = cognito.sign_in("rita");
    cases.check("good", &live(&function, &session.access), "allow");
    cases.check("an ID token", &live(&function, &session.id), "allow");
    // Any user's token can be asked about, whatever its scopes.
    cases.check(
        "no scope is needed",
        &live(&function, &cognito.sign_in_for("rita", &format!("{API}/read")).access),
        "allow",
    );

    cognito.revoke(&session);
    cases.check("revoked: it does not see that", &live(&function, &session.access), "allow");

    let session = cognito.sign_in("rita");
    let disable = idp.admin_disable_user().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(disable).unwrap();
    cases.check("disabled", &live(&function, &session.access), "token_inactive");
    let enable = idp.admin_enable_user().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(enable).unwrap();
    cases.check("enabled again", &live(&function, &session.access), "allow");

    let reset = idp.admin_reset_user_password().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(reset).unwrap();
    cases.check("reset required", &live(&function, &session.access), "token_inactive");

    let deletion = idp.admin_delete_user().user_pool_id(pool).username("rita").send();
    cognito.runtime.block_on(deletion).unwrap();
    cases.check("deleted", &live(&function, &session.access), "token_inactive");
    cognito.user("rita");
    cases.check("another user of that name", &live(&function, &session.access), "token_inactive");
    cases.check("a machine's", &live(&function, &cognito.machine_token()), "not_introspectable");
}
