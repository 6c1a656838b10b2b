//! The live checks against real parts: Cognito and DynamoDB as MiniStack plays them, and a real OpenID provider
//! (`oidc-provider`) with opaque tokens. What they answer is what they answer; nothing here is recorded.
//!
//! `make live` installs them and runs these tests, which are ignored otherwise. Where a part is missing they fail:
//!
//! ```sh
//! MINISTACK=.venv/local/bin/ministack cargo test --test real_parts -- --ignored
//! ```
//!
//! after `npm ci --prefix tests/oidc_provider`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that meets something unexpected should stop and say where"
)]

use test_support::{events, processes, runtime_api, tokens, verdict};

mod cognito;
mod form;
mod provider;

mod admin_get_user;
mod bound_tokens;
mod get_user;
mod opaque_tokens;
mod table;
mod user_info;
