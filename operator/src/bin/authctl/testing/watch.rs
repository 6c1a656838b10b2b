//! Runs the tests again whenever one of the files changes.

use crate::arguments::Test;
use crate::say;
use cognito_authorizer::config::Environment;
use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// Never ends by itself; returns what is wrong with the command line.
pub(super) fn run(arguments: &Test, environment: &Environment) -> String {
    loop {
        let files = match super::once(arguments, environment) {
            Ok((outcome, files)) => {
                say(&mut io::stdout(), &format!("{CLEAR}{}", outcome.text));
                if let Some(failure) = outcome.failure {
                    say(&mut io::stderr(), &format!("authctl: {failure}\n"));
                }
                files
            }
            Err(why) => return why,
        };
        let before = state(&files);
        while state(&files) == before {
            sleep(PAUSE);
        }
    }
}

/// What shows that a file changed; a file that is gone has none.
fn state(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    let of = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(of).collect()
}

const PAUSE: Duration = Duration::from_millis(200);

/// Clears a terminal (ECMA-48).
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";
