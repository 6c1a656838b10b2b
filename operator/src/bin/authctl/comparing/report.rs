//! The differences, for people and for pull requests.

use super::judge::{Verdict, Witness};
use cognito_authorizer_operator::revoking::printable;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// Somebody gets in who did not.
    Widened,
    /// Somebody is refused who was not.
    Narrowed,
    /// It may be either.
    Undecided,
    /// Neither: who gets in is the same.
    Changed,
}

/// One difference.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) direction: Direction,
    /// A route, or a place in the file.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) proof: Option<Proof>,
}

/// A token and a request, and what the core said before and says now.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) witness: Witness,
    pub(super) verdicts: [Verdict; 2],
}

impl Difference {
    pub(super) fn route(direction: Direction, key: &str, proof: Proof) -> Self {
        Self { direction, name: key.to_owned(), text: String::new(), proof: Some(proof) }
    }

    pub(super) fn setting(direction: Direction, name: &str, text: impl Into<String>) -> Self {
        Self { direction, name: name.to_owned(), text: text.into(), proof: None }
    }

    pub(super) fn undecided(name: &str, why: &str) -> Self {
        Self::setting(Direction::Undecided, name, format!("could not decide: {why}"))
    }
}

impl Direction {
    pub(super) fn name(self) -> &'static str {
        match self {
            Direction::Widened => "widened",
            Direction::Narrowed => "narrowed",
            Direction::Undecided => "not decided",
            Direction::Changed => "changed",
        }
    }
}

/// In lines.
pub(super) fn text(found: &[Difference]) -> String {
    let mut text = String::new();
    for difference in found {
        let Difference { direction, name, text: words, proof } = difference;
        let _ = write!(text, "{:<12}{}", direction.name(), printable(name));
        let _ = writeln!(text, "{}", if words.is_empty() { String::new() } else { format!(": {}", printable(words)) });
        if let Some(Proof { witness, verdicts: [before, now] }) = proof {
            let _ = writeln!(text, "            token    {}", printable(&claims(witness)));
            let _ = writeln!(text, "            request  {}", printable(&request(witness)));
            let _ = writeln!(text, "            before   {before}");
            let _ = writeln!(text, "            now      {now}");
        }
    }
    let _ = writeln!(text, "{}{}", if found.is_empty() { "" } else { "\n" }, summary(found));
    text
}

/// As a table for a pull request.
pub(super) fn markdown(found: &[Difference]) -> String {
    let mut text = format!("**What this changes:** {}\n", summary(found));
    if found.is_empty() {
        return text;
    }
    text.push_str("\n| | what | token | request | before | now |\n|---|---|---|---|---|---|\n");
    for Difference { direction, name, text: words, proof } in found {
        let what = if words.is_empty() { cell(name) } else { format!("{}: {}", cell(name), plain(words)) };
        let [token, request, before, now] = match proof {
            Some(Proof { witness, verdicts: [before, now] }) => {
                [cell(&claims(witness)), cell(&request(witness)), plain(&before.to_string()), plain(&now.to_string())]
            }
            None => Default::default(),
        };
        let _ = writeln!(text, "| {} | {what} | {token} | {request} | {before} | {now} |", direction.name());
    }
    text
}

/// As data.
pub(super) fn json(found: &[Difference]) -> String {
    let differences = found.iter().map(|difference| {
        let mut value = json!({ "direction": difference.direction.name().replace(' ', "_"), "what": difference.name });
        if let Some(members) = value.as_object_mut() {
            if !difference.text.is_empty() {
                members.insert("text".to_owned(), Value::String(difference.text.clone()));
            }
            if let Some(Proof { witness, verdicts: [before, now] }) = &difference.proof {
                let mut shown = json!({ "claims": witness.claims, "method": witness.method, "path": witness.path });
                if let (Some(members), Some(address)) = (shown.as_object_mut(), witness.address) {
                    members.insert("source_ip".to_owned(), Value::String(address.to_string()));
                }
                members.insert("witness".to_owned(), shown);
                members.insert("before".to_owned(), Value::String(before.to_string()));
                members.insert("now".to_owned(), Value::String(now.to_string()));
            }
        }
        value
    });
    let document = json!({ "summary": summary(found), "differences": differences.collect::<Vec<_>>() });
    format!("{document:#}\n")
}

/// How many of each kind.
pub(super) fn summary(found: &[Difference]) -> String {
    if found.is_empty() {
        return "nothing: both let in the same requests".to_owned();
    }
    let counted =
        [Direction::Widened, Direction::Narrowed, Direction::Undecided, Direction::Changed].map(|direction| {
            let count = found.iter().filter(|difference| difference.direction == direction).count();
            (count, format!("{count} {}", direction.name()))
        });
    counted.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

fn claims(witness: &Witness) -> String {
    // It ends an hour from now, as any would.
    let claims = witness.claims.iter().filter(|(name, _)| *name != "exp");
    let claims: BTreeMap<&str, &Value> = claims.map(|(name, value)| (name.as_str(), value)).collect();
    serde_json::to_string(&claims).unwrap_or_default()
}

fn request(witness: &Witness) -> String {
    let line = if witness.method == "$connect" {
        "$connect".to_owned()
    } else {
        format!("{} {}", witness.method, witness.path)
    };
    match witness.address {
        Some(address) => format!("{line} from {address}"),
        None => line,
    }
}

/// Text of others within a table: nothing in it ends a cell, or begins markup.
fn plain(text: &str) -> String {
    let mut safe = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '@' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

fn cell(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
