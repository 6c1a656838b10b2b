//! `authctl test`: what should become of requests, and what does.
//!
//! | file | what it does |
//! |---|---|
//! | `people` | the results for people |
//! | `machines` | the same as JSON, JUnit's XML and TAP |
//! | `watch` | runs them again when a file changes |

mod machines;
mod people;
mod watch;

use crate::annotations::{self, Level, annotation};
use crate::arguments::{Test, TestFormat};
use crate::{Outcome, say};
use cognito_authorizer::config::Environment;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::{now, parse_rfc3339};
use cognito_authorizer_operator::workbench::{CaseResult, Coverage, Gap, Needs, Suite};
use std::io;
use std::path::PathBuf;

/// What came of one file.
struct FileResult<'s> {
    suite: &'s Suite,
    results: Vec<CaseResult<'s>>,
    /// How many branches there are, and those that no test takes.
    branches: usize,
    gaps: Vec<Gap>,
}

pub(crate) fn run(arguments: &Test, environment: &Environment) -> Result<Outcome, String> {
    if arguments.watch {
        return Err(watch::run(arguments, environment));
    }
    let (outcome, _) = once(arguments, environment)?;
    Ok(outcome)
}

/// Runs all files once; returns the files that were read, too.
fn once(arguments: &Test, environment: &Environment) -> Result<(Outcome, Vec<PathBuf>), String> {
    let now = time(arguments.at.as_deref())?;
    let default = [PathBuf::from(DEFAULT_FILE)];
    let files = if arguments.files.is_empty() { &default[..] } else { &arguments.files };
    let given = crate::pairs(&arguments.config.set);
    let (mut suites, mut faults, mut failure) = (Vec::new(), String::new(), Vec::new());
    let mut read: Vec<PathBuf> = files.to_vec();
    for file in files {
        match Suite::load(file, arguments.config.config.as_deref(), environment, &given, Needs::Tests) {
            Ok(suite) => {
                read.push(suite.config_path.clone());
                suites.push(suite);
            }
            Err(error) => {
                if annotations::are_read(environment) {
                    say(&mut io::stderr(), &annotations::of_faults(&error));
                }
                read.extend(error.0.iter().map(|(path, _)| path.clone()));
                failure.push(crate::counted(error.0.len(), "fault"));
                faults.push_str(&format!("{error}\n"));
            }
        }
    }
    let results: Vec<FileResult<'_>> = suites.iter().map(|suite| result(suite, now)).collect();
    let text = match arguments.format {
        TestFormat::Text => people::text(&results, arguments.require_coverage),
        TestFormat::Json => machines::json(&results),
        TestFormat::Junit => machines::junit(&results),
        TestFormat::Tap => machines::tap(&results),
    };
    if annotations::are_read(environment) {
        say(&mut io::stderr(), &annotated(&results, arguments.require_coverage));
    }
    let failed = results.iter().flat_map(|file| &file.results).filter(|result| !result.passes()).count();
    let gaps = results.iter().map(|file| file.gaps.len()).sum::<usize>();
    if failed > 0 {
        failure.push(format!("{} failed", crate::counted(failed, "case")));
    }
    if arguments.require_coverage && gaps > 0 {
        failure.push(format!(
            "{} not reached",
            if gaps == 1 { "1 branch is".to_owned() } else { format!("{gaps} branches are") }
        ));
    }
    let failure = (!failure.is_empty()).then(|| failure.join(", "));
    // Faults are about the files and not about the requests: they go where complaints go.
    let failure =
        failure.map(|failure| if faults.is_empty() { failure } else { format!("{failure}\n{}", faults.trim_end()) });
    Ok((Outcome { text, failure }, read))
}

fn result(suite: &Suite, now: UnixSeconds) -> FileResult<'_> {
    let mut coverage = Coverage::default();
    let results = suite.run(now, &mut coverage);
    let (branches, gaps) = coverage.gaps(suite.engine.config().rules());
    FileResult { suite, results, branches, gaps }
}

fn annotated(results: &[FileResult<'_>], require_coverage: bool) -> String {
    let mut text = String::new();
    for file in results {
        let path = &file.suite.path;
        for failed in file.results.iter().filter(|result| !result.passes()) {
            let message = [failed.mismatches.clone(), failed.because.clone()].concat().join("\n");
            let place = Some((failed.test.line, failed.test.column));
            text.push_str(&annotation(Level::Error, path, place, &failed.title(), &message));
        }
        let level = if require_coverage { Level::Error } else { Level::Warning };
        for gap in &file.gaps {
            text.push_str(&annotation(level, path, None, "not tested", &gap.to_string()));
        }
    }
    text
}

/// A time that was given, else now.
pub(crate) fn time(text: Option<&str>) -> Result<UnixSeconds, String> {
    match text {
        Some(text) => {
            parse_rfc3339(text).ok_or_else(|| "--at must be a time in UTC such as 2026-12-01T00:00:00Z".to_owned())
        }
        None => now().ok_or_else(|| "the clock is before 1970 or after 9999".to_owned()),
    }
}

pub(crate) const DEFAULT_FILE: &str = "authorizer.test.yaml";
