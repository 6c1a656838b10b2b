//! Where the two configurations are: files, or files of a git revision.

use crate::importing::with_places;
use crate::template::Node;
use cognito_authorizer::config::yaml::{Tags, parse};
use cognito_authorizer::config::{Config, ConfigText, Environment};
use cognito_authorizer_operator::revoking::printable;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A configuration, with what it was read from.
pub(super) struct Source {
    pub(super) config: Config,
    pub(super) root: Node,
    folder: PathBuf,
    revision: Option<String>,
}

/// Reads a file, or `REVISION:PATH` by asking git. Files that a configuration names (keys, policies) are those of the
/// working tree.
///
/// # Errors
/// All faults, each with its place.
pub(super) fn read(name: &str, environment: &Environment) -> Result<Source, String> {
    let path = Path::new(name);
    let (text, path, revision) = match name.split_once(':') {
        Some((revision, path)) if !Path::new(name).exists() => {
            (of_git(name)?, Path::new(path), Some(revision.to_owned()))
        }
        _ => {
            let text = std::fs::read_to_string(path);
            (text.map_err(|error| format!("cannot read `{}`: {error}", printable(name)))?, path, None)
        }
    };
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let shown = printable(name);
    let (root, _) = parse(&text, Tags::Refused).map_err(|faults| with_places(&shown, &faults))?;
    let text = ConfigText { text, folder: folder.clone() };
    let config = Config::parse(&text, environment).map_err(|faults| with_places(&shown, &faults))?;
    Ok(Source { config, root, folder, revision })
}

fn of_git(name: &str) -> Result<String, String> {
    let output = git(&["show", "--end-of-options", name])?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|_| format!("`{}` is not UTF-8", printable(name)));
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("git has no `{}`: {}", printable(name), printable(&why)))
}

fn git(arguments: &[&str]) -> Result<std::process::Output, String> {
    Command::new("git").args(arguments).output().map_err(|error| format!("cannot run git: {error}"))
}

/// Whether both ask the same Cedar policies, as far as files tell.
pub(super) fn have_same_policies(old: &Source, new: &Source) -> bool {
    if !old.config.rules().ask_policies() && !new.config.rules().ask_policies() {
        return true;
    }
    match (&old.revision, &new.revision) {
        (None, None) => old.folder == new.folder,
        (Some(one), Some(other)) => are_unchanged(&[one, other]),
        (Some(one), None) | (None, Some(one)) => are_unchanged(&[one]),
    }
}

fn are_unchanged(revisions: &[&str]) -> bool {
    let files = ["--", "*.cedar", "*.cedarschema", "*.cedarschema.json"];
    let arguments = [&["diff", "--quiet", "--end-of-options"], revisions, &files].concat();
    git(&arguments).is_ok_and(|output| output.status.success())
}
