//! Proof that a policy stays right while API Gateway caches it (the contract's "Cached policies"), and that no path
//! slips past a rule because a backend reads it differently ("Which route").
//!
//! Nothing here knows how the policies are made. They are asked for with events, through the handler that the Lambda
//! runtime calls, and judged by parts of their own:
//!
//! | module | what it is |
//! |---|---|
//! | `iam` | IAM's evaluation of an authorizer's policy, from AWS's documentation |
//! | `model` | which route serves a request and whether it may, from the contract; slow and plain |
//! | `readings` | how backends read a path |
//! | `tables` | random rule tables, tokens and requests, many of which overlap |
//! | `stage` | a table's handler, tokens and events, in this process |
//! | `agreement` | the properties, over random tables |
//! | `counterexamples` | what the properties have found, and the tables that everybody writes |
//! | `vouching` | the property beside a table of revocations |
//! | `paths` | published bypasses, and how backends read what is allowed |
//!
//! `COVERAGE_CASES` is how many cases are tried, a case being one answer held against one request; `COVERAGE_SEED`
//! changes them (`random` takes a new one), so that `make test` tries the same ones every time and `make prove` others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod iam;
mod model;
mod readings;
mod stage;
mod tables;

mod agreement;
mod counterexamples;
mod paths;
mod vouching;
