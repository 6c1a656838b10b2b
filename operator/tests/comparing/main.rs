//! `authctl diff`, the real binary: no witness lies, and none is missed that brute force finds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod authctl;
mod documentation;
mod exhaustive;
mod git;
mod settings;
mod tables;
