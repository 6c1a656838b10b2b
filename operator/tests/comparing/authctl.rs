//! The binary in a folder with two configurations.

use cognito_authorizer::config::{Config, ConfigText, Environment};
use cognito_authorizer::request::{Request, UnixSeconds};
use cognito_authorizer::token::{Introspection, Sender};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("comparing").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn authctl(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authctl"));
    command.args(arguments).env_clear().current_dir(folder);
    // git is found on the path.
    command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub(crate) fn compared(name: &str, old: &str, new: &str, arguments: &[&str]) -> Run {
    let folder = folder(name);
    std::fs::write(folder.join("old.yaml"), old).unwrap();
    std::fs::write(folder.join("new.yaml"), new).unwrap();
    authctl(&folder, &[&["diff", "old.yaml", "new.yaml"], arguments].concat())
}

/// Every difference as data, with all of its witnesses held against the core.
#[track_caller]
pub(crate) fn differences(name: &str, old: &str, new: &str) -> Vec<(String, String)> {
    let run = compared(name, old, new, &["--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}\n{old}\n{new}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let configs = [old, new].map(config);
    let mut found = Vec::new();
    for difference in document["differences"].as_array().unwrap() {
        let direction = difference["direction"].as_str().unwrap();
        if let Some(witness) = difference.get("witness") {
            let [before, now] = configs.each_ref().map(|config| judged(config, witness));
            assert_eq!(before, is_allowed(&difference["before"]), "{difference}");
            assert_eq!(now, is_allowed(&difference["now"]), "{difference}");
            assert!(difference["before"] != difference["now"], "{difference}");
            match direction {
                "widened" => assert!(now, "{difference}"),
                "narrowed" => assert!(before, "{difference}"),
                _ => {}
            }
        }
        found.push((direction.to_owned(), difference["what"].as_str().unwrap().to_owned()));
    }
    found
}

fn is_allowed(verdict: &Value) -> bool {
    verdict.as_str().unwrap().starts_with("allow")
}

#[track_caller]
pub(crate) fn config(text: &str) -> Config {
    let text = ConfigText { text: text.to_owned(), folder: PathBuf::new() };
    Config::parse(&text, &Environment::default()).unwrap_or_else(|faults| panic!("{faults}\n{}", text.text))
}

/// Whether the core lets it in, live checks and policies apart.
pub(crate) fn judged(config: &Config, witness: &Value) -> bool {
    let mut claims = witness["claims"].clone();
    claims["active"] = Value::Bool(true);
    let now = UnixSeconds::new(1.8e9).unwrap();
    config.shared_expectations().any(|expectations| {
        let Some(Introspection::Active(token)) = Introspection::parse(claims.to_string().as_bytes()) else { panic!() };
        let Ok(claims) = token.into_claims(expectations, now, &Sender::default()) else { return false };
        let mut request =
            Request::new(witness["method"].as_str().unwrap(), witness["path"].as_str().unwrap(), Vec::new());
        request.source_ip = witness.get("source_ip").map(|address| address.as_str().unwrap().parse().unwrap());
        let Ok(matched) = config.rules().route(&request) else { return false };
        matched.authorize(Arc::new(claims), now).is_ok()
    })
}
