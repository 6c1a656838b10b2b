//! `authctl revocations`: what the table holds, and taking entries out of it.

use crate::Outcome;
use crate::arguments::{Lift, List, Revocations};
use crate::table::Table;
use cognito_authorizer::config::Environment;
use cognito_authorizer::time::{now, rfc3339};
use cognito_authorizer_operator::revoking::{Entry, printable};

pub(crate) async fn run(what: Revocations, environment: &Environment) -> Result<Outcome, String> {
    match what {
        Revocations::List(arguments) => list(arguments, environment).await,
        Revocations::Lift(arguments) => lift(arguments, environment).await,
    }
}

async fn list(arguments: List, environment: &Environment) -> Result<Outcome, String> {
    let table = Table::find(&arguments.table, environment)?;
    let now = now().ok_or("the clock makes no sense")?;
    let mut entries = table.store().await.list().await.map_err(|fault| fault.to_string())?;
    entries.sort_by(|one, other| one.pk.cmp(&other.pk));
    let (over, standing): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.is_over(now));
    let mut text: String = standing.iter().map(|entry| paragraph(entry, "refuses")).collect();
    if arguments.all {
        text.extend(over.iter().map(|entry| paragraph(entry, "no longer refuses")));
    }
    let name = printable(&table.name);
    text.push_str(&format!("`{name}`: {} in force, {} over and not yet deleted\n", standing.len(), over.len()));
    Ok(Outcome::done(text))
}

async fn lift(arguments: Lift, environment: &Environment) -> Result<Outcome, String> {
    let Lift { pks, dry_run, table } = arguments;
    let store = Table::find(&table, environment)?.store().await;
    let (mut text, mut failures) = (String::new(), Vec::new());
    for pk in &pks {
        let lifted = if dry_run { store.find(pk).await } else { store.lift(pk).await };
        match lifted {
            Ok(Some(entry)) => {
                text.push_str(&paragraph(&entry, if dry_run { "would no longer refuse" } else { "no longer refuses" }))
            }
            Ok(None) => failures.push(format!("no entry `{}`: see `authctl revocations list`", printable(pk))),
            Err(fault) => failures.push(format!("not lifted: `{}`: {fault}", printable(pk))),
        }
    }
    if !text.is_empty() {
        text.push_str(
            "What was done at Cognito stays done: signed-out sessions and revoked refresh tokens do not come back.\n",
        );
    }
    let failure = (!failures.is_empty()).then(|| failures.join("\nauthctl: "));
    Ok(Outcome { text, failure })
}

fn paragraph(entry: &Entry, verb: &str) -> String {
    let mark = &entry.mark;
    let at = mark.revoked_at.map(|at| format!("at {}", rfc3339(at)));
    let by = mark.revoked_by.as_deref().map(|by| format!("by {}", printable(by)));
    let reason = mark.reason.as_deref().map(|reason| format!("for: {}", printable(reason)));
    let mark: Vec<_> = [at, by, reason].into_iter().flatten().collect();
    let mark = if mark.is_empty() { String::new() } else { format!("    revoked {}\n", mark.join(" ")) };
    format!("{}\n    {verb} {}\n{mark}", printable(&entry.pk), entry.in_words())
}
