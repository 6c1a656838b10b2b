//! A matrix as text, Markdown and CSV.

use super::matrix::{Cell, Matrix, Row};
use crate::revoking::printable;

impl Matrix {
    /// In columns.
    #[must_use]
    pub fn text(&self) -> String {
        let mut rows = vec![self.heading()];
        rows.extend(self.rows.iter().map(|row| cells(row, word)));
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.personas.len() + 1).map(width).collect();
        let mut text = String::new();
        for row in &rows {
            let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// As a table of GitHub's Markdown, with a mark for what is let in.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let heading: Vec<String> = self.heading().iter().map(|cell| escaped(cell)).collect();
        let mut text = line(&heading);
        text.push_str(&line(&vec!["---".to_owned(); heading.len()]));
        for row in &self.rows {
            let mut row = cells(row, |cell| {
                format!("{} {}", if cell.decision == "allow" { "✅" } else { "⛔" }, escaped(&word(cell)))
            });
            if let Some(first) = row.first_mut() {
                let (route, whose) = first
                    .split_once(" (")
                    .map_or((first.as_str(), String::new()), |(route, whose)| (route, format!(" ({whose}")));
                *first = format!("`{}`{whose}", route.replace('|', "\\|").replace('`', "'"));
            }
            text.push_str(&line(&row));
        }
        text
    }

    /// As RFC 4180 has it: one line for each route and persona.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "route,requires,whose,persona,request,decision,reason,detail,would_be\r\n".to_owned();
        for row in &self.rows {
            for (persona, cell) in self.personas.iter().zip(&row.cells) {
                let reason = if cell.decision == "allow" { "" } else { cell.outcome };
                let fields = [
                    &row.route,
                    &row.asks,
                    row.whose.unwrap_or_default(),
                    persona,
                    &cell.request,
                    cell.decision,
                    reason,
                    cell.detail.as_deref().unwrap_or_default(),
                    cell.would_be.unwrap_or_default(),
                ];
                text.push_str(&fields.map(field).join(","));
                text.push_str("\r\n");
            }
        }
        text
    }

    fn heading(&self) -> Vec<String> {
        [String::new()].into_iter().chain(self.personas.iter().map(|name| printable(name))).collect()
    }
}

fn cells(row: &Row, word: impl Fn(&Cell) -> String) -> Vec<String> {
    let whose = row.whose.map(|whose| format!(" ({whose})")).unwrap_or_default();
    let first = printable(&format!("{}{whose}", row.route));
    [first].into_iter().chain(row.cells.iter().map(word)).collect()
}

/// What a cell says.
pub(super) fn word(cell: &Cell) -> String {
    match cell.would_be {
        Some(reason) => format!("allow (would be {reason})"),
        None => cell.outcome.to_owned(),
    }
}

/// Text in a table of Markdown.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}

/// A field that no spreadsheet takes for a formula.
fn field(text: &str) -> String {
    let text = printable(text);
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
