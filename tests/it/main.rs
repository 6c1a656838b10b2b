//! Black-box tests: the real binary, spoken to through the real Lambda Runtime API, judged by its
//! answers and by what it writes to stdout and stderr. Nothing here looks inside the crate.
//!
//! Each module holds tables with one case a line. What they share with the other tests is in `tests/support`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{config, emf, events, http, jwks_server, runtime_api, tokens, verdict};

mod agreement;
mod answers;
mod cached_policies;
mod concurrent;
mod credentials;
mod csrf;
mod event_shapes;
mod gateway_route;
mod golden;
mod jwks;
mod keep_warm;
mod known_tokens;
mod log_line;
mod metrics;
mod providers;
mod report_only;
mod rules_judged;
mod runtime_loop;
mod secrecy;
mod sender_bound;
mod source_ip;
mod start;
mod tokens_judged;
mod wild;
