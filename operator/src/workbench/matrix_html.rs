//! A matrix as one page that needs nothing else: no network, and without scripts it is a plain table.

use super::matrix::{Cell, Matrix, Row};
use super::matrix_text::word;
use crate::revoking::printable;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::rfc3339;
use std::collections::BTreeSet;

impl Matrix {
    /// One page. `source`: what the table was read from.
    #[must_use]
    pub fn html(&self, source: &str, at: UnixSeconds) -> String {
        let head: String =
            self.personas.iter().map(|name| format!("<th scope=\"col\">{}</th>", escaped(name))).collect();
        let rows: String = self.rows.iter().map(|row| self.row(row)).collect();
        let outcomes: BTreeSet<&str> = self.rows.iter().flat_map(|row| &row.cells).map(|cell| cell.outcome).collect();
        let reasons = outcomes.into_iter().filter(|outcome| *outcome != "allow");
        let reasons: String = reasons.map(|reason| format!("<option>{}</option>", escaped(reason))).collect();
        let persona = |(index, name): (usize, &String)| format!("<option value=\"{index}\">{}</option>", escaped(name));
        let personas: String = self.personas.iter().enumerate().map(persona).collect();
        let parts = [
            ("@SOURCE@", escaped(source)),
            ("@AT@", escaped(&rfc3339(at))),
            ("@REASONS@", reasons),
            ("@PERSONAS@", personas),
            ("@HEAD@", head),
            ("@ROWS@", rows),
        ];
        filled(PAGE, &parts)
    }

    fn row(&self, row: &Row) -> String {
        let whose = row.whose.map(|whose| format!(" ({})", escaped(whose))).unwrap_or_default();
        let head = format!(
            "<th scope=\"row\"><code>{}</code>{whose}<small>{}</small></th>",
            escaped(&row.route),
            escaped(&row.asks)
        );
        let cells: String = self.personas.iter().zip(&row.cells).map(|(persona, cell)| td(persona, cell)).collect();
        format!("<tr>{head}{cells}</tr>\n")
    }
}

fn td(persona: &str, cell: &Cell) -> String {
    let class = if cell.would_be.is_some() { "would" } else { cell.decision };
    let mark = if cell.decision == "allow" { "✓" } else { "✗" };
    let detail = cell.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let title = format!("{persona}: {} is {}{detail}", cell.request, word(cell));
    format!(
        "<td class=\"{class}\" data-outcome=\"{}\" tabindex=\"-1\" title=\"{}\">{mark} {}</td>",
        escaped(cell.outcome),
        escaped(&title),
        escaped(&word(cell))
    )
}

/// Each mark once, from the left: what is put in is not looked at again.
fn filled(page: &str, parts: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = page;
    for (mark, part) in parts {
        let Some((before, after)) = rest.split_once(mark) else { continue };
        text.push_str(before);
        text.push_str(part);
        rest = after;
    }
    text + rest
}

fn escaped(text: &str) -> String {
    let text = printable(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const PAGE: &str = include_str!("matrix.html");
