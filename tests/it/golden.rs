//! Each sample in `events/` gets its golden answer in `events/golden/`, under the configuration that
//! the repository ships.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::tokens::{CLIENT, Key, MACHINE, POOL, READER_SUB, Token, cognito_jwks, now};
use crate::verdict::Answer;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The words in `${...}` that samples may hold; the demonstration fills them with tokens of its own.
fn placeholders() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("READER", Token::access().text()),
        ("READER_SUB", READER_SUB.to_owned()),
        ("WRITER", Token::writer().text()),
        ("ADMIN", Token::admin().text()),
        ("MACHINE", Token::machine().text()),
        ("EXPIRED", Token::access().claim("exp", json!(now() - 3_600)).text()),
        // Right in everything, but signed by somebody else.
        ("FORGED", Token::admin().key(Key::RsaC).header("kid", json!("rsa-a")).text()),
        ("WRONG_CLIENT", Token::access().claim("client_id", json!("another-client")).text()),
    ])
}

fn samples() -> Vec<PathBuf> {
    let mut samples: Vec<PathBuf> = fs::read_dir(repository().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    samples.sort();
    assert!(samples.len() >= 30, "{} samples", samples.len());
    samples
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_sample_gets_its_golden_answer() {
    let site = Site::with_keys(&cognito_jwks());
    // A sample has nobody to ask: live checks have tests of their own.
    let config = fs::read_to_string(repository().join("authorizer.yaml")).unwrap();
    let config = config.replace(", introspect: true", "");
    let function: Function = Setup::bare()
        .env("AUTHORIZER_CONFIG", &config)
        .env("REVOCATIONS_TABLE", "never-asked")
        .env("USER_POOL_ID", POOL)
        .env("CLIENT_IDS", &format!("{CLIENT}, {MACHINE}"))
        .env("JWKS_URI", &site.url("/jwks.json"))
        .start();
    let mut wrong = Vec::new();
    for sample in samples() {
        let mut event = fs::read_to_string(&sample).unwrap();
        let golden = sample.with_file_name("golden").join(name(&sample));
        for (placeholder, value) in placeholders() {
            event = event.replace(&format!("${{{placeholder}}}"), &value);
        }
        let verdict = function.ask_text(&event);
        let got = verdict.answer.json();
        let Ok(expected) = fs::read_to_string(&golden) else {
            wrong.push(format!("{} has no golden answer; it got {got:#}", name(&sample)));
            continue;
        };
        let expected: Value = serde_json::from_str(&expected).unwrap();
        // A failed invocation is told by its `errorMessage`, as API Gateway tells it.
        let fails = expected.get("errorMessage").is_some();
        if got != expected || fails != matches!(verdict.answer, Answer::Error(_)) {
            wrong.push(format!("{}:\nexpected {expected:#}\ngot {got:#}", name(&sample)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_sample_is_documented_and_every_golden_answer_has_its_sample() {
    let readme = fs::read_to_string(repository().join("events/README.md")).unwrap();
    let samples = samples();
    for sample in &samples {
        assert!(readme.contains(&format!("`{}`", name(sample))), "events/README.md says nothing of {}", name(sample));
        let text = fs::read_to_string(sample).unwrap();
        let known = placeholders();
        for rest in text.split("${").skip(1) {
            let word = rest.split('}').next().unwrap();
            assert!(known.contains_key(word), "{}: nobody knows ${{{word}}}", name(sample));
        }
    }
    for golden in fs::read_dir(repository().join("events/golden")).unwrap() {
        let golden = name(&golden.unwrap().path());
        assert!(samples.iter().any(|sample| name(sample) == golden), "golden/{golden} belongs to no sample");
    }
}
