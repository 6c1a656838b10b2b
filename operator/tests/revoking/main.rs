//! Revoking, and API keys: `authctl` and the `revoker` as their users start them, against MiniStack (DynamoDB and Cognito), next to the
//! authorizer that refuses what they revoked; and against a stub for what no emulator does.
//!
//! The tests that need MiniStack are ignored unless `make live` runs them, with its path in `MINISTACK`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{emf, events, http, processes, runtime_api, verdict};

mod authctl;
mod ministack;
mod stub;

mod api_keys;
mod certificates;
mod documentation;
mod end_to_end;
mod entries;
mod revoker;
mod secrets;
mod template;
mod trouble;
