//! Credentials that are no tokens: the real binary, spoken to through the real Lambda Runtime API.
//!
//! The tables of docs/credentials.md are the tables here: each row of a test is held against the row of the page, and
//! the other way round.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{certificates, documented, emf, events, jwks_server, runtime_api, stub, tokens, verdict};

mod api_keys;
mod client_certificates;
mod dpop;
mod signatures;
mod signed;
mod signing_clients;

/// Whose tables the tests are held to.
const PAGE: &str = "docs/credentials.md";

/// The sample of every kind beside each other: keys and signatures in one table, and no `secret` for HMAC keys.
#[test]
fn all_kinds_stand_in_one_file_and_start() {
    let authorities = test_support::repository().join("tests/certificates/authorities.pem");
    let config = format!(
        r#"
issuers:
  - api_keys: {{ table: "${{KEYS_TABLE}}", header: x-api-key, cache: 60s, timeout: 2s }}
  - certificates:
      authorities: {{ file: "{}" }}
      identities: [{{ subject: "CN=partner-a,O=Example", claims: {{ sub: partner-a, groups: [partners] }} }}, {{ san_uri: "spiffe://example.org/*" }}]
  - signatures: {{ table: "${{KEYS_TABLE}}", algorithms: [hmac-sha256, ed25519], max_age: 60s, cover: ["@method", "@path"] }}
  - oidc: {{ issuer: "https://login.example.com", audience: [api], dpop: required }}
routes:
  GET /items: {{ credentials: [jwt, api_key, certificate, signature] }}
"#,
        authorities.display()
    );
    let function = runtime_api::Setup::config(&config).env("KEYS_TABLE", "keys").start();
    let event = events::Kind::Http2.event_without_token("GET", "/items");
    assert_eq!(function.ask(&event).outcome(), "missing_token");
}
