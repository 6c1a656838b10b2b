//! What is fuzzed, apart from who makes up the bytes: libFuzzer through `fuzz/bin`, and `tests/fuzzing`, which replays the
//! corpora and then changes them at random.
//!
//! A target takes any bytes at all and panics where something is wrong: an allow that the target's own, naive model does
//! not admit, more memory than is stated, or a panic within the crate, which the handler would turn into `internal`.

pub mod api_key;
pub mod certificate;
pub mod configuration;
pub mod event;
pub mod jwks;
pub mod path;
pub mod proof;
pub mod signature;
pub mod token;

mod harness;
mod memory;

use test_support::tokens;

/// A target's name, which is that of its corpus, and what it does with some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
#[allow(dead_code, reason = "libFuzzer runs one each")]
pub const ALL: [Target; 9] = [
    ("api_key", api_key::run),
    ("certificate", certificate::run),
    ("configuration", configuration::run),
    ("event", event::run),
    ("jwks", jwks::run),
    ("path", path::run),
    ("proof", proof::run),
    ("signature", signature::run),
    ("token", token::run),
];
