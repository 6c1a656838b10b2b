//! Bound tokens of a real provider, with proofs by a client library that others use (RFC 9449).

use serde_json::json;

use crate::events::Kind;
use crate::provider::{Bound, Provider};
use crate::runtime_api::Function;
use crate::verdict::{Cases, Verdict};

const URL: &str = "https://api.example.com/test/items";

fn ask(function: &Function, scheme: &str, token: &str, proof: &str) -> Verdict {
    let mut event = Kind::Http2.event("GET", "/items", &format!("{scheme} {token}"));
    event["headers"]["dpop"] = json!(proof);
    event["requestContext"]["domainName"] = json!("api.example.com");
    function.ask(&event)
}

#[test]
#[ignore = "needs oidc-provider: `make live`"]
fn a_bound_token_of_a_real_provider_is_admitted_with_proofs_of_a_kept_library() {
    let provider = Provider::start();
    let cases = Cases::default();
    let function = provider.function("basic", "dpop: required\n      opaque_tokens: true", "");
    let off = provider.function("basic", "opaque_tokens: true", "");
    for resource in ["api://jwt", "api://orders"] {
        for algorithm in ["ES256", "Ed25519", "RS256", "PS256"] {
            let what = |what: &str| format!("{resource} {algorithm}: {what}");
            let Bound { token, proofs } = provider.bound_token(resource, algorithm, ["GET", URL], 4);
            cases.is(what("its form"), token.contains('.') == (resource == "api://jwt"));
            cases.check(what("the first proof"), &ask(&function, "DPoP", &token, &proofs[0]), "allow");
            cases.check(what("the next one"), &ask(&function, "DPoP", &token, &proofs[1]), "allow");
            cases.check(what("the same again"), &ask(&function, "DPoP", &token, &proofs[1]), "sender_not_proven");
            cases.check(what("as a bearer token"), &ask(&function, "Bearer", &token, &proofs[2]), "sender_not_proven");
            let other = provider.bound_token(resource, algorithm, ["GET", URL], 1);
            let verdict = ask(&function, "DPoP", &token, &other.proofs[0]);
            cases.check(what("a proof by another key"), &verdict, "sender_not_proven");
            let elsewhere = provider.bound_token(resource, algorithm, ["POST", URL], 1);
            let verdict = ask(&function, "DPoP", &elsewhere.token, &elsewhere.proofs[0]);
            cases.check(what("a proof of another method"), &verdict, "sender_not_proven");
            cases.check(what("dpop: off"), &ask(&off, "Bearer", &token, &proofs[3]), "401");
        }
        let unbound = provider.token("machine", resource, "orders.read");
        cases.check(format!("{resource}: not bound"), &ask(&function, "DPoP", &unbound, "x"), "sender_not_proven");
    }
}
