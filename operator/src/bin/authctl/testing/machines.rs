//! Results for machines: JSON, JUnit's XML, TAP 14.

use super::FileResult;
use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::{CaseResult, Gap};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn json(files: &[FileResult<'_>]) -> String {
    let files: Vec<Value> = files.iter().map(of_file).collect();
    let count = |key: &str| files.iter().filter_map(|file| file.get(key)?.as_u64()).sum::<u64>();
    let result = json!({ "passed": count("passed"), "failed": count("failed"), "files": files });
    format!("{result:#}\n")
}

fn of_file(file: &FileResult<'_>) -> Value {
    let passed = file.results.iter().filter(|result| result.passes()).count();
    let gaps: Vec<Value> = file.gaps.iter().map(gap).collect();
    json!({
        "file": file.suite.path.display().to_string(),
        "config": file.suite.config_path.display().to_string(),
        "passed": passed,
        "failed": file.results.len() - passed,
        "cases": file.results.iter().map(of_case).collect::<Vec<_>>(),
        "coverage": { "branches": file.branches, "reached": file.branches.saturating_sub(gaps.len()), "not_reached": gaps },
    })
}

fn gap(gap: &Gap) -> Value {
    json!({ "route": gap.route, "part": gap.part, "missing": gap.missing.name() })
}

fn of_case(result: &CaseResult<'_>) -> Value {
    json!({
        "line": result.test.line, "column": result.test.column, "name": result.test.name,
        "persona": result.case.persona, "request": result.case.request.to_string(), "event": result.case.kind.name(),
        "expected": result.case.expected.to_string(), "got": result.got, "detail": result.detail,
        "passes": result.passes(), "mismatches": result.mismatches, "because": result.because,
    })
}

/// As Jenkins and GitLab read it.
pub(super) fn junit(files: &[FileResult<'_>]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for file in files {
        let path = xml(&file.suite.path.display().to_string());
        let failed = file.results.iter().filter(|result| !result.passes()).count();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  <testsuite name=\"{path}\" tests=\"{}\" failures=\"{failed}\">", file.results.len());
        for result in &file.results {
            let name = xml(&named(result));
            let line = result.test.line;
            let _ = write!(text, "    <testcase classname=\"{path}\" name=\"{name}\" file=\"{path}\" line=\"{line}\"");
            if result.passes() {
                text.push_str("/>\n");
            } else {
                let message = xml(&result.mismatches.join("; "));
                let because = xml(&result.because.join("\n"));
                let _ = writeln!(text, ">\n      <failure message=\"{message}\">{because}</failure>\n    </testcase>");
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

pub(super) fn tap(files: &[FileResult<'_>]) -> String {
    let results = files.iter().flat_map(|file| file.results.iter().map(move |result| (file, result)));
    let mut text = format!("TAP version 14\n1..{}\n", files.iter().map(|file| file.results.len()).sum::<usize>());
    for (number, (file, result)) in results.enumerate() {
        let number = number + 1;
        let name = printable(&named(result)).replace('\\', "\\\\").replace('#', "\\#");
        let not = if result.passes() { "" } else { "not " };
        let _ = writeln!(text, "{not}ok {number} - {name}");
        if !result.passes() {
            let place = format!("{}:{}:{}", file.suite.path.display(), result.test.line, result.test.column);
            let diagnostics = json!({
                "at": place, "expected": result.case.expected.to_string(), "got": result.got,
                "mismatches": result.mismatches, "because": result.because,
            });
            // JSON is YAML, on one line.
            let _ = writeln!(text, "  ---\n  {diagnostics}\n  ...");
        }
    }
    text
}

fn named(result: &CaseResult<'_>) -> String {
    let name = result.test.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{name}{} is {}", result.title(), result.case.expected)
}

/// Text of an attribute or an element (XML 1.0 2.4), without what no document may hold.
fn xml(text: &str) -> String {
    let lines = text.split('\n').map(printable).collect::<Vec<_>>().join("\n");
    lines.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "&#10;")
}
