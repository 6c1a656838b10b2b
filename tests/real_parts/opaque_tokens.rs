//! Opaque tokens of a real provider: introspected (RFC 7662) on every route, refused as soon as they are revoked
//! (RFC 7009).

use std::thread::sleep;
use std::time::Duration;

use crate::cognito::{live, open};
use crate::events::Kind;
use crate::provider::Provider;
use crate::runtime_api::Function;
use crate::verdict::{Cases, Verdict};

const OPAQUE: &str = "opaque_tokens: true";

#[track_caller]
fn ask(function: &Function, method: &str, path: &str, token: &str) -> Verdict {
    function.ask(&Kind::Http2.event(method, path, &format!("Bearer {token}")))
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn an_opaque_token_is_judged_like_any_other_until_it_is_revoked() {
    let provider = Provider::start();
    let cases = Cases::default();
    for proof in ["basic", "post"] {
        let function = provider.function(proof, OPAQUE, "");
        let token = provider.token("machine", "api://orders", "orders.read");
        cases.is(format!("not opaque: {token}"), !token.contains('.'));
        for (method, path, expected) in [
            ("GET", "/items", "allow"),
            ("GET", "/admin", "allow"),
            ("GET", "/orders", "allow"),
            ("POST", "/orders", "insufficient_scope"),
            ("GET", "/nowhere", "no_route"),
        ] {
            cases.check(format!("{proof}: {method} {path}"), &ask(&function, method, path, &token), expected);
        }
        let verdict = ask(&function, "GET", "/orders", &token);
        cases.equal("client_id", &verdict.context()["client_id"], "machine");
        cases.equal("scope", &verdict.context()["scope"], "orders.read");
        cases.equal("principal_id", &verdict.log["principal_id"], "machine");
        cases.equal("issuer", verdict.log["issuer"].as_str(), Some(provider.issuer.as_str()));

        provider.revoke("machine", &token);
        cases.check(format!("{proof}: revoked"), &open(&function, &token), "token_inactive");
        cases.check(format!("{proof}: revoked, live"), &live(&function, &token), "token_inactive");
        let other = provider.token("other-machine", "api://orders", "orders.write");
        cases.check(format!("{proof}: another's"), &ask(&function, "POST", "/orders", &other), "allow");
    }
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn tokens_for_other_apis_clients_and_times_are_refused() {
    let provider = Provider::start();
    let cases = Cases::default();
    let function = provider.function("basic", &format!("{OPAQUE}\n      client_ids: [machine]"), "");
    let billing = provider.token("machine", "api://billing", "orders.read");
    cases.check("for another API", &open(&function, &billing), "wrong_audience");
    let other = provider.token("other-machine", "api://orders", "orders.read");
    cases.check("of another client", &open(&function, &other), "wrong_client");
    cases.check("nobody's", &open(&function, "yfNynBeZgV55rGtb5YUlbB83fwyQOjK97KAypd6cUCM"), "token_inactive");
    let brief = provider.token("machine", "api://brief", "orders.read");
    cases.check("brief", &open(&function, &brief), "allow");
    sleep(Duration::from_millis(4100));
    cases.check("brief, over", &open(&function, &brief), "token_inactive");
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn our_own_wrong_secret_is_an_outage_and_no_inactive_token() {
    let provider = Provider::start();
    for proof in ["basic", "post"] {
        let function = provider.function_with_secret(proof, "wrong", OPAQUE, "");
        let token = provider.token("machine", "api://orders", "orders.read");
        assert_eq!(open(&function, &token).outcome(), "introspection_unavailable", "{proof}");
        assert_eq!(live(&function, &token).outcome(), "introspection_unavailable", "{proof}");
    }
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn a_cache_delays_a_revocation_and_no_longer_than_it_says() {
    let provider = Provider::start();
    let function = provider.function("basic", OPAQUE, "cache: 1s");
    let token = provider.token("machine", "api://orders", "orders.read");
    assert_eq!(open(&function, &token).outcome(), "allow");
    provider.revoke("machine", &token);
    assert_eq!(open(&function, &token).outcome(), "allow");
    sleep(Duration::from_millis(1100));
    assert_eq!(open(&function, &token).outcome(), "token_inactive");
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn a_jwt_of_a_provider_that_introspects_none_passes_where_nobody_is_asked() {
    // The provider's metadata and keys are real here too. It refuses to introspect its own JWTs (400): no answer, no pass.
    let provider = Provider::start();
    let function = provider.function("basic", OPAQUE, "");
    let token = provider.token("machine", "api://jwt", "orders.read");
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(open(&function, &token).outcome(), "allow");
    assert_eq!(live(&function, &token).outcome(), "introspection_unavailable");
}
