//! The workbench: the core on a desk, and the commands of `authctl` that are made of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod authctl;
mod commands;
mod documents;
mod mistakes;
mod schemas;
mod steps;
mod suites;
