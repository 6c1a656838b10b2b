//! What goes wrong around the function while it is asked: an endpoint for keys that is slow, dead, half-open or lies, keys
//! that change under load, a process that is frozen, floods. Through the real binary.
//!
//! Of each fault the wrong decisions are counted, of which there are none, the requests that failed, and the fetches. What
//! one fault does to one request is the matter of `tests/it/jwks.rs`. A clock cannot be turned for one process without
//! means of its own; what turning it does is tested in `src/age_clock.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{config, events, jwks_server, runtime_api, tokens};

mod stage;

mod endpoints;
mod floods;
mod frozen;
mod rotation;
