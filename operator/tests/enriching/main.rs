//! The `enricher` as Lambda runs it: Cognito's events in, the changes of tokens out, with a stub of DynamoDB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod changes;
mod documents;
mod golden;
mod lookups;
mod stage;
mod starts;
