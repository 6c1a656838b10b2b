//! An explanation for people.

use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::{Explanation, State, TreeNode};
use std::fmt::Write;

/// Whether to use colours (ECMA-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Colours,
}

impl Style {
    pub(super) fn good(self, text: &str) -> String {
        self.painted("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.painted("31", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.painted("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.painted("2", text)
    }

    fn painted(self, colour: &str, text: &str) -> String {
        let text = printable(text);
        match self {
            Style::Plain => text,
            Style::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        }
    }
}

pub(super) fn text(explanation: &Explanation, remarks: &[&str], style: Style) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let who = explanation.persona.as_deref().map(|persona| format!(" as {persona}")).unwrap_or_default();
    line(&style.strong(&format!("{}{who}", explanation.request)));
    line(&style.dim(&format!("{}, {}", explanation.event, explanation.at)));
    remarks.iter().for_each(|remark| line(&format!("note: {}", printable(remark))));
    line("");
    line(&verdict(explanation, style));
    if let Some((meaning, _)) = explanation.meaning {
        line(&format!("  {meaning}"));
    }
    line("");
    line(&style.strong("Token"));
    for step in &explanation.steps {
        line(&match step.state {
            State::Passed => format!("  {} {}: {}", style.good("✓"), step.what, printable(&step.found)),
            State::Refused => format!("  {} {}: {}", style.bad("✗"), style.bad(step.what), printable(&step.found)),
            State::NotReached => format!("  - {}", style.dim(&format!("{} (not reached)", step.what))),
        });
    }
    line("");
    line(&style.strong("Route"));
    match &explanation.route {
        Ok(route) => line(&format!("  {} {}", style.good("✓"), printable(route))),
        Err(why) => line(&format!("  {} {}", style.bad("✗"), printable(why))),
    }
    for lost in &explanation.contenders {
        line(&format!("  - {}", style.dim(&format!("{}: {}", lost.key, lost.lost_by))));
    }
    if !explanation.rules.is_empty() {
        line("");
        line(&style.strong("Requirement"));
        explanation.rules.iter().for_each(|rule| tree(rule, 1, style, &mut line));
    }
    if let Some(policies) = &explanation.policies {
        line(&format!("  policies: {}", printable(policies)));
    }
    if let Some(live_check) = explanation.live_check {
        let mark = if live_check == "good" { style.good("✓") } else { style.bad("✗") };
        line(&format!("  {mark} live check: {live_check}"));
    }
    line("");
    line(&style.strong("API Gateway gets"));
    line(&format!("  {}", printable(&explanation.answer.to_string())));
    if let Some(cached_by) = &explanation.cached_by {
        line(&format!("  may be cached by: {}", printable(cached_by)));
    }
    if !explanation.opposite.is_empty() {
        line("");
        line(&style.strong("For the opposite answer"));
        explanation.opposite.iter().for_each(|way| line(&format!("  - {}", printable(way))));
    }
    text + "\n"
}

fn verdict(explanation: &Explanation, style: Style) -> String {
    let detail = explanation.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    match (explanation.reason, explanation.would_be) {
        (Some(reason), _) => format!("{}: {reason}{}", style.bad(explanation.decision), printable(&detail)),
        (None, Some(reason)) => format!("{} (report_only: it would be {reason})", style.good("allow")),
        (None, None) => style.good("allow"),
    }
}

fn tree(node: &TreeNode, depth: usize, style: Style, line: &mut impl FnMut(&str)) {
    let indent = "  ".repeat(depth);
    // One thing in an alternative is that thing.
    if let ([only], "one thing") = (node.parts.as_slice(), node.asked.as_str()) {
        return tree(only, depth, style, line);
    }
    let mark = if node.holds { style.good("✓") } else { style.bad("✗") };
    let found = node.found.as_ref().map(|found| format!("; {found}")).unwrap_or_default();
    let nothing = if depth == 1 && node.parts.is_empty() { ": any valid token" } else { "" };
    line(&format!("{indent}{mark} {}", printable(&format!("{}{nothing}{found}", node.asked))));
    node.parts.iter().for_each(|part| tree(part, depth + 1, style, line));
}
