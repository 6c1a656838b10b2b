//! What the tests of both packages share. It sees the programs from outside alone, as API Gateway, Lambda and the endpoints do.
//!
//! | module | is |
//! |---|---|
//! | `runtime_api` | the Lambda Runtime API, with a function as its child |
//! | `http`, `jwks_server`, `stub` | servers on loopback: keys, and what live checks ask |
//! | `processes` | servers that others wrote, as child processes |
//! | `events`, `tokens`, `certificates`, `asked`, `config` | what goes in |
//! | `verdict`, `emf` | what comes out, held to what every answer and every line of metrics must be |
//! | `documented` | the tables of cases in the documents |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::missing_panics_doc,
    clippy::new_without_default,
    missing_docs,
    reason = "a test that meets something unexpected should stop and say where; names say what is not described"
)]

pub mod asked;
pub mod certificates;
pub mod config;
pub mod documented;
pub mod emf;
pub mod events;
pub mod http;
pub mod jwks_server;
pub mod processes;
pub mod runtime_api;
pub mod stub;
pub mod tokens;
pub mod verdict;

use std::path::{Path, PathBuf};

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A program of this workspace. Cargo puts it beside the folder of the test that runs; of another package's, only where that package is
/// built too, as it is by every command that names neither a package nor a test. `TESTED_PROGRAMS` names another folder: `make arm64` has
/// programs for another processor there.
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("TESTED_PROGRAMS").map_or_else(|| above_the_test(2), PathBuf::from);
    let program = folder.join(name);
    assert!(program.is_file(), "{} is missing: cargo build --bin {name}", program.display());
    program
}

/// The folder for what tests write, as `CARGO_TARGET_TMPDIR` names it.
pub fn scratch_folder() -> PathBuf {
    above_the_test(3).join("tmp")
}

/// Tests are `target/debug/deps/name-hash`.
fn above_the_test(levels: usize) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(levels).unwrap().to_owned()
}
