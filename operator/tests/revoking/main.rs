//! Revoking: `authctl` and the `revoker` as their users start them, against MiniStack (DynamoDB and Cognito), next to the
//! authorizer that refuses what they revoked; and against a stub for what no emulator does.
//!
//! The tests that need MiniStack are ignored unless `make live` runs them, with its path in `MINISTACK`. The stage is
//! shared with `tests/it` and `tests/real_parts`.

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
        #[allow(dead_code, reason = "the stage has more than is used here")]
        mod $module;
    )* };
}

shared! {
    emf: "../../../tests/it/emf.rs"
    events: "../../../tests/it/events.rs"
    http: "../../../tests/it/http.rs"
    processes: "../../../tests/real_parts/processes.rs"
    runtime_api: "../../../tests/it/runtime_api.rs"
    verdict: "../../../tests/it/verdict.rs"
}

mod authctl;
mod ministack;
mod stub;

mod documentation;
mod end_to_end;
mod entries;
mod revoker;
mod secrets;
mod template;
mod trouble;
