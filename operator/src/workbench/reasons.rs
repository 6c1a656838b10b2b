//! The reason codes, with what docs/reasons.md says of them. A test of the documents holds that page against the code.

use std::sync::LazyLock;

/// A reason for "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its stable name.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// All reasons.
#[must_use]
pub fn reasons() -> &'static [Reason] {
    static REASONS: LazyLock<Vec<Reason>> = LazyLock::new(|| PAGE.lines().filter_map(row).collect());
    &REASONS
}

/// The reason of that code.
#[must_use]
pub fn reason(code: &str) -> Option<&'static Reason> {
    reasons().iter().find(|reason| reason.code == code)
}

/// Whether there is such a code.
#[must_use]
pub fn is_reason(code: &str) -> bool {
    reason(code).is_some()
}

/// A row of a table: code, meaning, usual causes, what to do.
fn row(line: &'static str) -> Option<Reason> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let code = cells.next()?.strip_suffix('`')?;
    let (meaning, remedy) = (cells.next()?.trim(), cells.nth(1)?.trim_end_matches('|').trim());
    Some(Reason { code, meaning, remedy })
}

const PAGE: &str = include_str!("../../../docs/reasons.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_says_what_it_means_and_what_to_do() {
        assert!(reasons().len() >= 32, "{}", reasons().len());
        for reason in reasons() {
            assert!(reason.meaning.len() > 5 && reason.remedy.len() > 2, "{reason:?}");
        }
        assert!(is_reason("insufficient_scope") && is_reason("token_revoked") && !is_reason("allow"));
    }
}
