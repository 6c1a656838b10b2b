//! Published vectors and published attacks: each test is named after what was published, a CVE where there is one,
//! and asserts the exact reason code. The attacks go through the real binary, as events of every kind in turn; each
//! test begins with a token that is allowed, so that none of them can pass because nothing does.
//!
//! `tests/it/tokens_judged.rs` is the systematic counterpart: each claim and header by its type and edge. The vectors
//! whose payload is no claims set are held against the keys alone, in `src/token/vectors_tests.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{events, jwks_server, runtime_api, tokens, verdict};

mod forgery;
mod target;

mod algorithms;
mod claims;
mod encodings;
mod keys;
mod published;
mod signatures;
