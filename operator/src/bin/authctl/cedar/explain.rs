//! `authctl cedar explain`: the authorizer's own steps, the token's signature and any
//! live check included, and then what was asked and who decided.

use super::configured;
use crate::Outcome;
use crate::arguments::Explain;
use cognito_authorizer::authorizer::DecisionRecord;
use cognito_authorizer::config::Environment;
use cognito_authorizer::denial::Denial;
use cognito_authorizer::permissions::{Question, Verdict};
use cognito_authorizer_operator::revoking::printable;
use std::fmt::Write;

pub(super) async fn run(arguments: &Explain, environment: &Environment) -> Result<Outcome, String> {
    let config = configured(&arguments.options, environment)?;
    let namespace = config.permissions().map(|check| check.namespace.clone());
    let event = std::fs::read_to_string(&arguments.event)
        .map_err(|error| format!("cannot read the event `{}`: {error}", arguments.event.display()))?;
    let token = match arguments.token {
        Some(_) => Some(crate::revoke::from_stdin()?.trim().to_owned()),
        None => None,
    };
    let mut record = DecisionRecord::default();
    let ruling = config.into_handler().explain(&event, token.as_deref(), &mut record).await;
    let mut text = match &ruling {
        Ok(()) => "allow\n".to_owned(),
        Err(denial) => told(denial),
    };
    line(&mut text, "route", record.route.as_deref());
    let namespace = namespace.unwrap_or_default();
    match (&record.permissions.question, &record.permissions.verdict) {
        (Some(question), verdict) => {
            describe(&mut text, question, &namespace);
            if let Some(verdict) = verdict {
                conclude(&mut text, verdict);
            }
        }
        (None, _) => {
            text.push_str("No policy was asked.\n");
            line(&mut text, "because", record.permissions.not_asked.map(|why| why.0));
        }
    }
    Ok(Outcome::done(text))
}

fn told(denial: &Denial) -> String {
    match denial.detail() {
        Some(detail) => format!("{}: {detail}\n", denial.code()),
        None => format!("{}\n", denial.code()),
    }
}

fn describe(text: &mut String, question: &Question, namespace: &str) {
    let entity = |kind: &str, id: &str| format!("{namespace}::{kind}::{id:?}");
    line(text, "principal", Some(&entity(question.principal.kind.name(), &question.principal.id)));
    for group in &question.groups {
        line(text, "  in", Some(&entity("UserGroup", group)));
    }
    for (name, value) in &question.attributes {
        line(text, &format!("  {name}"), Some(&value.to_string()));
    }
    line(text, "action", Some(&entity("Action", &question.action)));
    line(text, "resource", Some(&entity("Application", namespace)));
    for (name, value) in question.whole_context() {
        line(text, &format!("context.{name}"), Some(&value.to_string()));
    }
}

fn conclude(text: &mut String, verdict: &Verdict) {
    if verdict.determining.is_empty() {
        text.push_str("No policy applies.\n");
    }
    for policy in &verdict.determining {
        line(text, if verdict.allowed { "permitted by" } else { "forbidden by" }, Some(policy));
    }
    for error in &verdict.errors {
        let what = if error.may_forbid { "erred, and refuses" } else { "erred, and does not permit" };
        line(text, what, Some(&error.policy));
    }
}

fn line(text: &mut String, what: &str, value: Option<&str>) {
    if let Some(value) = value {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", printable(what), printable(value));
    }
}
