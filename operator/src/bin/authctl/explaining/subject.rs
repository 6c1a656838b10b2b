//! What is to be explained: a request, an event or a line of the log.

use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// One of them.
pub(super) enum What {
    /// `GET /items`, not read yet.
    Request(String),
    /// An event of API Gateway.
    Event(Box<Value>),
    /// The decision line of the log.
    DecisionLine(Box<Value>),
}

/// # Errors
/// What cannot be read, without quoting it: it may hold a token.
pub(super) fn read(text: &str) -> Result<What, String> {
    let text = text.trim();
    if text == "-" {
        let mut read = String::new();
        // More than any event of API Gateway has.
        let limited = std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut read);
        limited.map_err(|error| format!("cannot read standard input: {error}"))?;
        return of_json(&read);
    }
    if text.starts_with('{') {
        return of_json(text);
    }
    let is_request =
        text == "$connect" || text.split_once(' ').is_some_and(|(_, path)| path.trim_start().starts_with('/'));
    if is_request && !Path::new(text).exists() {
        return Ok(What::Request(text.to_owned()));
    }
    match std::fs::read_to_string(text) {
        Ok(read) => of_json(&read),
        Err(error) if text.contains('/') || text.contains('.') => {
            Err(format!("cannot read the event `{text}`: {error}"))
        }
        Err(_) => Err("must be a request such as `GET /items`, the file of an event, or a decision line".to_owned()),
    }
}

fn of_json(text: &str) -> Result<What, String> {
    let value: Value = serde_json::from_str(text.trim())
        .map_err(|error| format!("not JSON (line {}, column {})", error.line(), error.column()))?;
    let value = unwrapped(value);
    if value.get("decision").is_some_and(Value::is_string) {
        return Ok(What::DecisionLine(Box::new(value)));
    }
    Ok(What::Event(Box::new(value)))
}

/// CloudWatch's tools wrap a line in `message` or `@message`; the log line itself may have its members in `fields`.
fn unwrapped(value: Value) -> Value {
    for name in ["message", "@message"] {
        let inner = value.get(name).and_then(Value::as_str).filter(|text| text.trim_start().starts_with('{'));
        if let Some(inner) = inner.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            return inner;
        }
    }
    match value.get("fields") {
        Some(fields) if fields.get("decision").is_some() => fields.clone(),
        _ => value,
    }
}

/// Lambda's limit for a payload.
const MAX_BYTES: u64 = 6 * 1024 * 1024;
