//! What the workbench says, in the shapes that the page shows.

use super::api::Question;
use super::project::Project;
use cognito_authorizer_operator::workbench::{
    Engine, Explanation, Matrix, Persona, Question as Asked, RequestLine, Row, State, Step, Subject, TreeNode,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A request for each route, to begin with.
pub(crate) fn requests(project: &Project) -> Vec<String> {
    let persona = project.personas.iter().next();
    let value = |name: &str| match persona {
        Some(persona) if !name.ends_with('+') => format!("{{{}}}", persona.name()),
        _ => "orders".to_owned(),
    };
    let rules = project.engine.config().rules().iter();
    rules.filter_map(|(_, rule)| RequestLine::of_route(&rule.key, value)).map(|request| request.to_string()).collect()
}

/// What would become of the request, and why.
pub(crate) fn judgement(question: &Question<'_>) -> Result<Value, String> {
    let engine = &question.project.engine;
    let asked = asked(question);
    let explained = Explanation::of(engine, &asked)?;
    let (meaning, remedy) = explained.meaning.unzip();
    let fails = explained.answer.get("errorMessage").is_some();
    let (event, event_hint) = event(question, engine, &asked)?;
    Ok(json!({
        "decision": explained.decision, "outcome": explained.reason.unwrap_or("allow"),
        "route": explained.route.as_ref().ok(), "detail": explained.detail, "meaning": meaning, "remedy": remedy,
        "would_be": explained.would_be, "steps": steps(&explained),
        "answer": explained.answer, "fails": fails, "event": event, "event_hint": event_hint,
    }))
}

fn asked<'a>(question: &'a Question<'_>) -> Asked<'a> {
    Asked {
        subject: Subject::Request(&question.request),
        persona: question.persona,
        kind: question.kind,
        at: question.at,
        source_ip: None,
    }
}

/// The event, with a word in the place of the token, as in `events/`.
fn event(question: &Question<'_>, engine: &Engine, asked: &Asked<'_>) -> Result<(Value, String), String> {
    let event = engine.event_of(asked)?;
    let Some(persona) = question.persona else { return Ok((event, "The event that the function gets.".to_owned())) };
    let token = engine.token(persona, question.at)?.text;
    let (word, hint) = if question.is_edited {
        ("${TOKEN}".to_owned(), "The event that the function gets.".to_owned())
    } else {
        let word = format!("${{{}}}", persona.name().to_ascii_uppercase());
        let hint = "The event that the function gets. Save it as a file, and `make invoke EVENT=file` sends it to `make watch`.";
        (word, hint.to_owned())
    };
    Ok((without(&token, &word, event), hint))
}

fn without(token: &str, word: &str, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(token, word)),
        Value::Array(items) => items.into_iter().map(|item| without(token, word, item)).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, without(token, word, value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// All that is known of the decision, as one list: `held` is null where nothing was decided.
fn steps(explained: &Explanation) -> Vec<Value> {
    let line = |held: Option<bool>, title: &str, text: &str, parts: Vec<Value>| json!({ "held": held, "title": title, "text": text, "parts": parts });
    let texts = |texts: &[String]| texts.iter().map(|text| line(None, "", text, Vec::new())).collect::<Vec<_>>();
    let mut all: Vec<Value> = explained.steps.iter().map(of_step).collect();
    let lost = explained.contenders.iter().map(|lost| format!("{} lost: {}", lost.key, lost.lost_by));
    let lost = texts(&lost.collect::<Vec<_>>());
    all.push(match &explained.route {
        Ok(route) => line(Some(true), "route", route, lost),
        Err(why) => line(Some(false), "route", why, lost),
    });
    all.extend(explained.rules.iter().map(of_node));
    if let Some(live) = explained.live_check {
        let held = (explained.decision == "allow").then_some(true);
        all.push(line(held, "live check", live, Vec::new()));
    }
    if let Some(policies) = &explained.policies {
        all.push(line(None, "Cedar policies", policies, Vec::new()));
    }
    if let Some(cached_by) = &explained.cached_by {
        all.push(line(None, "the answer may be cached by", cached_by, Vec::new()));
    }
    if !explained.opposite.is_empty() {
        all.push(line(None, "for the opposite answer", "", texts(&explained.opposite)));
    }
    all
}

fn of_step(step: &Step) -> Value {
    let (held, text) = match step.state {
        State::Passed => (Some(true), step.found.clone()),
        State::Refused => (Some(false), step.found.clone()),
        State::NotReached => (None, "not reached".to_owned()),
    };
    json!({ "held": held, "title": step.what, "text": text, "parts": [] })
}

fn of_node(node: &TreeNode) -> Value {
    let reason = node.reason.as_ref().filter(|_| node.parts.is_empty()).map(|(code, detail)| match detail {
        Some(detail) => format!("{code}: {detail}"),
        None => (*code).to_owned(),
    });
    let text: Vec<String> = node.found.iter().cloned().chain(reason).collect();
    let parts: Vec<Value> = node.parts.iter().map(of_node).collect();
    json!({ "held": node.holds, "title": node.asked, "text": text.join("; "), "parts": parts })
}

/// Every persona and nobody, for every route.
pub(crate) fn matrix(question: &Question<'_>) -> Result<Value, String> {
    let project = question.project;
    let matrix = Matrix::of(&project.engine, &project.personas, question.at)?;
    let rows = matrix.rows.iter().map(|row| {
        let cells = row
            .cells
            .iter()
            .map(|cell| json!({ "outcome": cell.outcome, "decision": cell.decision, "request": cell.request }));
        json!({ "route": row.route, "whose": row.whose, "asks": row.asks, "cells": cells.collect::<Vec<_>>() })
    });
    Ok(json!({
        "note": "Who may do what. A cell explains itself when it is chosen.",
        "personas": matrix.personas, "rows": rows.collect::<Vec<_>>(),
    }))
}

/// The table as this persona meets it: each route is open, closed, or its own.
pub(crate) fn routes(question: &Question<'_>) -> Result<Value, String> {
    let engine = &question.project.engine;
    let matrix = Matrix::of_each(engine, &[question.persona], question.at)?;
    let mut rows: Vec<Value> = Vec::new();
    let of_a_route = matrix.rows.chunk_by(|one, next| one.route == next.route);
    for of_route in of_a_route {
        let Some(first) = of_route.first() else { continue };
        let cells = || of_route.iter().filter_map(|row: &Row| row.cells.first().map(|cell| (row.whose, cell)));
        let open = cells().filter(|(_, cell)| cell.decision == "allow").count();
        let state = match open {
            0 => "closed",
            open if open == of_route.len() => "open",
            _ => "own",
        };
        let requests = cells().map(|(whose, cell)| {
            json!({ "request": cell.request, "whose": whose, "outcome": cell.outcome, "detail": cell.detail })
        });
        rows.push(json!({
            "route": first.route, "asks": first.asks, "state": state, "requests": requests.collect::<Vec<_>>(),
        }));
    }
    let who = question.persona.map_or("nobody", Persona::name);
    let policy = engine.config().answers().by_policy(question.kind) && engine.config().rules().covers_tokens();
    let policy = match policy {
        true => Explanation::of(engine, &asked(question))?.answer.get("policyDocument").cloned(),
        false => None,
    };
    Ok(json!({ "note": format!("What is open to {who}."), "rows": rows, "policy": policy }))
}

/// What the edit changes for the personas, on every request of either matrix.
pub(crate) fn changes(saved: &Project, edited: &Project) -> Result<Value, String> {
    let at = cognito_authorizer::time::now().ok_or("the machine's clock is wrong")?;
    let mut asked: BTreeSet<(usize, String)> = BTreeSet::new();
    let names: Vec<&str> = edited.personas.names().collect();
    for project in [saved, edited] {
        let matrix = Matrix::of(&project.engine, &edited.personas, at)?;
        for row in &matrix.rows {
            asked.extend(row.cells.iter().enumerate().map(|(index, cell)| (index, cell.request.clone())));
        }
    }
    let mut rows = Vec::new();
    for (index, request) in asked {
        let name = names.get(index).copied();
        let judge = |project: &Project| {
            let persona = name.and_then(|name| edited.personas.get(name));
            let line = RequestLine::parse(&request, &edited.personas, []).map_err(|error| error.to_string())?;
            let line = line.into_iter().next().ok_or("no request")?;
            let kind = if line.is_connect() {
                cognito_authorizer::gateway::EventKind::WebSocket
            } else {
                cognito_authorizer::gateway::EventKind::Http2
            };
            let question = Asked { subject: Subject::Request(&line), persona, kind, at, source_ip: None };
            let judgement = project.engine.judge(&question, &mut ())?;
            Ok::<_, String>((judgement.decision(), judgement.outcome(), judgement.route().map(ToString::to_string)))
        };
        let (before, after) = (judge(saved)?, judge(edited)?);
        if before.1 != after.1 {
            let change = match (before.0, after.0) {
                (_, "allow") => "opened",
                ("allow", _) => "closed",
                _ => "other",
            };
            rows.push(json!({
                "change": change, "persona": name.unwrap_or("nobody"), "request": request,
                "before": before.1, "after": after.1, "route": after.2.or(before.2),
            }));
        }
    }
    let note = if rows.is_empty() {
        "No request of the matrix is decided differently by the saved file. `authctl diff` compares all requests."
    } else {
        "What the edit changes, on the requests of the matrix. `authctl diff` compares all requests."
    };
    Ok(json!({ "note": note, "rows": rows }))
}
