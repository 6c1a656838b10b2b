//! Results for people: of what fails what was expected, what came, and why.

use super::FileResult;
use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::CaseResult;
use std::fmt::Write;

pub(super) fn text(files: &[FileResult<'_>], all_gaps: bool) -> String {
    let mut text = String::new();
    for file in files {
        let path = file.suite.path.display().to_string();
        for failed in file.results.iter().filter(|result| !result.passes()) {
            failure(&mut text, &path, failed);
        }
        let passed = file.results.iter().filter(|result| result.passes()).count();
        let failed = file.results.len() - passed;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {passed} passed, {failed} failed", printable(&path));
        let reached = file.branches.saturating_sub(file.gaps.len());
        let _ = writeln!(text, "  coverage: {reached} of {} branches", file.branches);
        let shown = if all_gaps { usize::MAX } else { SHOWN_GAPS };
        for gap in file.gaps.iter().take(shown) {
            let _ = writeln!(text, "  not tested: {}", printable(&gap.to_string()));
        }
        let more = file.gaps.len().saturating_sub(shown);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more (--require-coverage shows all)");
        }
    }
    text
}

fn failure(text: &mut String, path: &str, failed: &CaseResult<'_>) {
    let name = failed.test.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let place = format!("{path}:{}:{}", failed.test.line, failed.test.column);
    let _ = writeln!(text, "FAILED {}: {}", printable(&place), printable(&format!("{name}{}", failed.title())));
    for mismatch in &failed.mismatches {
        let _ = writeln!(text, "  {}", printable(mismatch));
    }
    for line in &failed.because {
        let _ = writeln!(text, "    {}", printable(line));
    }
    text.push('\n');
}

const SHOWN_GAPS: usize = 10;
