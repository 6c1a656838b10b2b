//! `authctl import`, the real binary: each source becomes the configuration beside it, and that one means what the
//! source said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod authctl;
mod documentation;
mod drift;
mod faults;
mod meaning;
mod sources;
