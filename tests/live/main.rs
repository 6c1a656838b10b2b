//! The live checks: the real binary, spoken to through the real Lambda Runtime API, asking a stub that plays Cognito,
//! DynamoDB, a UserInfo endpoint and an introspection endpoint with their documented answers, and with every fault that
//! a network knows.
//!
//! The tables of docs/live-checks.md are the tables here: `documented` holds each row of a test against the row of the
//! page, and the other way round.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{documented, emf, events, jwks_server, runtime_api, stub, tokens, verdict};

mod stage;

mod admin_get_user;
mod breaker;
mod callers;
mod calls;
mod faults;
mod get_user;
mod introspection;
mod live_log;
mod machines;
mod memory;
mod metrics;
mod opaque;
mod refused_starts;
mod revocations;
mod secrets;
mod secrets_manager;
mod several;
mod user_info;
mod vouched;

/// Whose tables the tests are held to.
const PAGE: &str = "docs/live-checks.md";
