//! `authctl cedar`: what it finds, what it explains, and the template that it writes. The stage is that of `tests/cedar`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

macro_rules! shared {
    ($($module:ident: $path:literal)*) => { $(
        #[path = $path]
        #[allow(dead_code, reason = "the stages of the other tests have more than is used here")]
        mod $module;
    )* };
}

shared! {
    asked: "../../../tests/cedar/asked.rs"
    events: "../../../tests/it/events.rs"
    http: "../../../tests/it/http.rs"
    jwks_server: "../../../tests/it/jwks_server.rs"
    tokens: "../../../tests/it/tokens.rs"
}

mod authctl;
