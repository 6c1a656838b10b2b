//! Suites: what is read, and what is judged.

use crate::authctl::folder;
use cognito_authorizer::config::Environment;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer_operator::workbench::{Coverage, Needs, Suite};
use std::time::{Duration, Instant};

fn suite(name: &str, config: &str, tests: &str) -> Suite {
    let folder = folder(name, &[("authorizer.yaml", config), ("authorizer.test.yaml", tests)]);
    let file = folder.join("authorizer.test.yaml");
    let suite = Suite::load(&file, None, &Environment::default(), &[], Needs::Tests);
    suite.unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn passes(name: &str, config: &str, tests: &str) {
    let suite = suite(name, config, tests);
    let now = UnixSeconds::new(1_795_000_000.0).unwrap();
    let results = suite.run(now, &mut Coverage::default());
    let failed: Vec<_> =
        results.iter().filter(|result| !result.passes()).map(|result| (result.title(), &result.mismatches)).collect();
    assert!(failed.is_empty() && !results.is_empty(), "{failed:#?}");
}

#[test]
fn an_oidc_issuer_finds_claims_where_it_keeps_them() {
    passes(
        "oidc",
        "
issuers:
  - oidc:
      issuer: https://login.example.com/{tid}/v2.0
      tenants: [contoso, fabrikam]
      audience: [api://orders]
      client_ids: [spa]
      algorithms: [RS256, ES256]
      jwks_uri: https://login.example.com/keys
      typ: at+jwt
      claims: { scope: scp, groups: { claim: /realm/groups, list: brackets }, username: preferred_username, client_id: azp }
routes:
  GET /orders: { all_scopes: [orders.read], any_group: [Domain Admins] }
",
        "
personas:
  user: { scopes: [orders.read, x], groups: [Domain Admins, staff] }
  fabrikam: { extends: user, claims: { tid: fabrikam } }
  stranger: { extends: user, claims: { tid: other } }
  forged: { extends: user, claims: { iss: https://login.example.com/fabrikam/v2.0 } }
  poor: { scopes: [orders.read] }
  no_audience: { extends: user, claims: { aud: null } }
  early: { extends: user, claims: { nbf: +5m } }
tests:
  - { as: [user, fabrikam], request: GET /orders, expect: allow,  }
  - { as: [stranger, forged], request: GET /orders, expect: unknown_issuer }
  - { as: [poor, no_audience, early], request: GET /orders, expect: [insufficient_group, wrong_audience, token_not_yet_valid] }
"
        .replace("as: [user, fabrikam], request: GET /orders, expect: allow, ", "as: [user, fabrikam], request: GET /orders, expect: allow, on: [rest_token, http_2.0]")
        .as_str(),
    );
}

#[test]
fn opaque_tokens_live_checks_and_the_table_answer_as_the_persona_says() {
    passes(
        "opaque",
        "
issuers:
  - oidc:
      issuer: https://login.example.com
      audience: api
      algorithms: [EdDSA]
      introspection: { endpoint: https://login.example.com/introspect, client_id: a, client_secret: b }
      opaque_tokens: true
routes:
  GET /a: {}
  GET /live: { introspect: true }
  GET /opaque: { credentials: opaque }
revocations: { table: t }
",
        "
personas:
  plain: {}
  opaque: { opaque: true }
  revoked: { live: revoked }
  inactive: { live: inactive }
  silent: { live: outage }
  gone: { opaque: true, live: inactive }
  unknown: { opaque: true, live: outage }
tests:
  - { as: [plain, opaque, revoked, gone, unknown], request: GET /a, expect: [allow, allow, allow, token_inactive, introspection_unavailable] }
  - { as: [plain, opaque, revoked, inactive], request: GET /live, expect: [allow, allow, token_revoked, token_inactive] }
  - { as: silent, request: GET /live, expect: deny }
  - { as: [plain, opaque], request: GET /opaque, expect: [forbidden, allow] }
",
    );
}

#[test]
fn time_address_and_authentication_are_as_the_test_says() {
    passes(
        "time",
        "
issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]
routes:
  GET /fresh: { max_auth_age: 5m }
  GET /office: { source_ip: [198.51.100.0/24] }
token: [{ query: access_token }, { cookie: session, csrf: off }]
",
        "
personas:
  user: {}
  old: { claims: { auth_time: -1h } }
tests:
  - { as: [user, old], request: GET /fresh, expect: [allow, authentication_too_old], at: 2030-01-01T00:00:00Z }
  - { as: user, request: GET /office?page=2, expect: allow, source_ip: 198.51.100.7, on: [rest_request, http_1.0, http_2.0] }
  - { as: user, request: GET /office, expect: forbidden }
"
        .replace("on: [rest_request, http_1.0, http_2.0]", "on: [rest_request, http_2.0]")
        .as_str(),
    );
}

/// A debug build takes several times as long as a release build; the bound guards against work that is done anew for each case.
#[test]
fn ten_thousand_cases_are_asked_at_once() {
    let tests = "
personas: { reader: { scopes: [read] }, other: {} }
tests:
"
    .to_owned()
        + &"  - { as: [reader, other], request: GET /items, expect: [allow, insufficient_scope] }\n".repeat(5_000);
    let config = "
issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]
routes: { GET /items: { any_scope: [read] } }
";
    let began = Instant::now();
    let suite = suite("many", config, &tests);
    let results = suite.run(UnixSeconds::new(1_795_000_000.0).unwrap(), &mut Coverage::default());
    assert_eq!(results.iter().filter(|result| result.passes()).count(), 10_000);
    // Two seconds of a quiet machine, in a debug build on a busy one.
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
}
