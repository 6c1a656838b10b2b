//! A short run of what `make fuzz` does for as long as it is told, without its compiler: each target over its corpus, and
//! then over random changes of it. `FUZZ_SECONDS` says for how long; the changes are the same in every run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that meets something unexpected should stop and say where"
)]

#[path = "../../fuzz/targets/mod.rs"]
#[allow(unreachable_pub, reason = "the targets are a crate of their own as well")]
mod targets;

mod changes;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use changes::Random;

/// What is held at once is counted for the whole process.
static TURN: Mutex<()> = Mutex::new(());

fn run(name: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, target) = targets::ALL.into_iter().find(|(target, _)| *target == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(corpus.len() > 5, "{} has no corpus", folder.display());
    let attempt = |what: &str, data: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(data))) {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            panic!("{what}: {}\n{}", words.unwrap_or_default(), data.escape_ascii());
        }
    };
    for (file, data) in files.iter().zip(&corpus) {
        attempt(&file.display().to_string(), data);
    }
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let (started, mut random, mut count) = (Instant::now(), Random::new(), 0_u64);
    while started.elapsed() < Duration::from_secs(seconds) {
        attempt("a change of the corpus", &random.change(&corpus));
        count += 1;
    }
    eprintln!("{name}: {} files, {count} changes", corpus.len());
}

const SECONDS: u64 = 4;

#[test]
fn api_keys() {
    run("api_key");
}

#[test]
fn certificates() {
    run("certificate");
}

#[test]
fn configurations() {
    run("configuration");
}

#[test]
fn events() {
    run("event");
}

#[test]
fn key_sets() {
    run("jwks");
}

#[test]
fn paths() {
    run("path");
}

#[test]
fn proofs() {
    run("proof");
}

#[test]
fn signatures() {
    run("signature");
}

#[test]
fn tokens() {
    run("token");
}
