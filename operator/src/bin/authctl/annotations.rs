//! Annotations of a GitHub workflow: a finding at its place in a pull request ("Workflow commands for GitHub Actions").

use cognito_authorizer::config::Environment;
use cognito_authorizer_operator::workbench::SuiteError;
use std::path::Path;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
}

/// Whether a workflow of GitHub reads what is printed.
pub(crate) fn are_read(environment: &Environment) -> bool {
    environment.get("GITHUB_ACTIONS") == Some("true")
}

/// One line that a workflow of GitHub shows at that place.
pub(crate) fn annotation(
    level: Level,
    file: &Path,
    place: Option<(usize, usize)>,
    title: &str,
    message: &str,
) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let place = place.map(|(line, column)| format!(",line={line},col={column}")).unwrap_or_default();
    let file = property(&file.display().to_string());
    format!("::{level} file={file}{place},title={}::{}\n", property(title), escaped(message))
}

/// All faults of a suite.
pub(crate) fn of_faults(error: &SuiteError) -> String {
    let line = |(path, fault): &(std::path::PathBuf, cognito_authorizer::config::Fault)| {
        let message =
            if fault.place.is_empty() { fault.message.clone() } else { format!("{}: {}", fault.place, fault.message) };
        annotation(Level::Error, path, fault.line.zip(fault.column), "authctl", &message)
    };
    error.0.iter().map(line).collect()
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_cannot_be_left() {
        let line = annotation(Level::Error, Path::new("a,b:c.yaml"), Some((3, 7)), "t::x", "100%\n::error::forged");
        assert_eq!(line, "::error file=a%2Cb%3Ac.yaml,line=3,col=7,title=t%3A%3Ax::100%25%0A::error::forged\n");
    }

    #[test]
    fn a_place_may_be_unknown() {
        let line = annotation(Level::Warning, Path::new("a.yaml"), None, "t", "m");
        assert_eq!(line, "::warning file=a.yaml,title=t::m\n");
    }
}
