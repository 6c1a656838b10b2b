//! Cedar policies: the real binary with policies in its zip, and the real binary asking a stub that plays Amazon
//! Verified Permissions with the same crate. The stage is shared with `tests/it` and `tests/live`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

macro_rules! shared {
    ($($module:ident: $path:literal)*) => { $(
        #[path = $path]
        #[allow(dead_code, reason = "the stages of the other tests have more than is used here")]
        mod $module;
    )* };
}

shared! {
    events: "../it/events.rs"
    http: "../it/http.rs"
    jwks_server: "../it/jwks_server.rs"
    runtime_api: "../it/runtime_api.rs"
    stub: "../live/stub/mod.rs"
    tokens: "../it/tokens.rs"
    verdict: "../it/verdict.rs"
}

mod asked;
mod avp;
mod stage;

mod cached;
mod errors;
mod faults;
mod memory;
mod questions;
mod random;
mod scenarios;
mod starts;
mod template;
