//! `authctl check` and `authctl discovery`, the real binary, on small configurations and templates: what it says and its exit status.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod authctl;

mod deployed;
mod discovery;
mod hostile;
mod recipes;
mod rules;
mod templates;
