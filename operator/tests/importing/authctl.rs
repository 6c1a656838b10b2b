//! The binary, run to its end.

use cognito_authorizer::config::{Config, ConfigText, Environment};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/importing")
}

pub(crate) fn authctl(folder: &Path, arguments: &[&str]) -> Run {
    let output =
        Command::new(env!("CARGO_BIN_EXE_authctl")).args(arguments).env_clear().current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// What this source becomes.
#[track_caller]
pub(crate) fn imported(name: &str, source: &str, arguments: &[&str]) -> Run {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("importing").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("source"), source).unwrap();
    authctl(&folder, &[&["import", "source"], arguments].concat())
}

/// The configuration, with something in every placeholder.
#[track_caller]
pub(crate) fn config(text: &str) -> Config {
    let environment = Environment::from([
        ("USER_POOL_ID", "us-east-1_First"),
        ("USER_POOL_ID_2", "us-east-1_Second"),
        ("USER_POOL_ISSUER", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_First"),
        ("USER_POOL_ISSUER_2", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Second"),
        ("CLIENT_IDS", "one, two"),
        ("CLIENT_IDS_2", "three"),
        ("ISSUER", "https://first.example"),
        ("ISSUER_2", "https://second.example"),
        ("AUDIENCE", "api"),
        ("AUDIENCE_2", "other-api"),
    ]);
    let read = Config::parse(&ConfigText { text: text.to_owned(), folder: PathBuf::new() }, &environment);
    read.unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}
