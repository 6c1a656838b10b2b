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
