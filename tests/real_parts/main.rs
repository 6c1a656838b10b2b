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

macro_rules! shared_with_it {
    ($($module:ident: $path:literal)*) => { $(
        #[path = $path]
        #[allow(dead_code, reason = "the stage of `tests/it` has more than is used here")]
        mod $module;
    )* };
}

shared_with_it! {
    events: "../it/events.rs"
    http: "../it/http.rs"
    runtime_api: "../it/runtime_api.rs"
    tokens: "../it/tokens.rs"
    verdict: "../it/verdict.rs"
}

mod cognito;
mod form;
mod processes;
mod provider;

mod admin_get_user;
mod get_user;
mod opaque_tokens;
mod table;
mod user_info;
