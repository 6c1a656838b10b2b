//! Cedar policies: the real binary with policies in its zip, and the real binary asking a stub that plays Amazon
//! Verified Permissions with the same crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{asked, events, http, jwks_server, runtime_api, stub, tokens, verdict};

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
