//! Configurations with API keys that do not start.

use crate::api_keys::stage::{ROUTES, config};
use crate::runtime_api::Setup;

#[test]
fn a_configuration_that_leaves_a_doubt_does_not_start() {
    for (issuers, rest, fault) in [
        ("  - api_keys: {}", "", "issuers[1].api_keys.table: is missing"),
        ("  - api_keys: { table: '' }", "", "must not be empty"),
        ("  - api_keys: { table: '${NO_SUCH_TABLE}' }", "", "the environment has no `NO_SUCH_TABLE`"),
        ("  - api_keys: { table: t, header: 'x api key' }", "", "is not a header's name"),
        ("  - api_keys: { table: t, header: authorization }", "", "is a place for tokens"),
        ("  - api_keys: { table: t, header: X-Token }", "token: [{ header: x-token }]", "is a place for tokens"),
        ("  - api_keys: { table: t, header: cookie }", "token: [{ cookie: session }]", "is a place for tokens"),
        ("  - api_keys: { table: t, timeout: 6s }", "", "must be at most 5s"),
        ("  - api_keys: { table: t, timeout: 0s }", "", "must be longer than 0s"),
        ("  - api_keys: { table: t, cache: forever }", "", "must be a duration"),
        ("  - api_keys: { table: t, issuer: 'a b' }", "", "must not have white space"),
        ("  - api_keys: { table: t, secret: s }", "", "unknown key"),
        ("  - api_keys: { table: t }\n  - api_keys: { table: u, issuer: 'urn:other' }", "", "only one issuer"),
        ("  - api_keys: { table: t }\n  - api_keys: { table: u }", "", "duplicate issuer `urn:api-keys`"),
        ("  - api_keys: { table: t }\n    oidc: { issuer: x }", "", "must be one of"),
    ] {
        let text = config(issuers, &format!("{ROUTES}{rest}"), "https://jwks.example.com/jwks.json");
        let refused = Setup::config(&text).refused().unwrap_or_else(|| panic!("it started: {issuers}"));
        assert!(refused.output.contains(fault), "{issuers}\n{}\nshould say: {fault}", refused.output);
    }
}
