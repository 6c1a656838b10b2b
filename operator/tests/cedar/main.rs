//! `authctl cedar`: what it finds, what it explains, and the template that it writes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{asked, events, jwks_server, tokens};

mod authctl;
