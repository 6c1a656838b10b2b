//! Configurations that several modules use.

use crate::tokens::{CLIENT, MACHINE, POOL};

/// One user pool whose keys are at `jwks_uri`; `rest` is the remainder of the file, from `routes:` on.
pub fn one_pool(jwks_uri: &str, rest: &str) -> String {
    format!(
        "issuers:
  - cognito:
      user_pool_id: {POOL}
      client_ids: [{CLIENT}, {MACHINE}]
      jwks_uri: {jwks_uri}
{rest}"
    )
}

/// The same with every valid token allowed everywhere but on `$connect`.
pub fn any_valid_token(jwks_uri: &str) -> String {
    one_pool(jwks_uri, "routes: { $default: {} }")
}
