//! The context that backends read: which claim under which key.

use crate::token::Claims;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Which claims an allowed request's backend is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextMap(Vec<(String, Source)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Username,
    ClientId,
    Scope,
    Groups,
    /// The token's own claim.
    Claim(String),
}

/// How an answer carries values that are not plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Strings, numbers and booleans alone: an IAM policy answer (an array or an
    /// object there makes API Gateway answer 500).
    Flat,
    /// As they are: a simple answer.
    Nested,
}

impl ContextMap {
    /// A map from context key to claim name. `username`, `client_id`, `scope` and
    /// `groups` name the normalised claims, every other name the token's own.
    #[must_use]
    pub fn new(entries: Vec<(String, String)>) -> Self {
        let source = |name: String| match name.as_str() {
            "username" => Source::Username,
            "client_id" => Source::ClientId,
            "scope" => Source::Scope,
            "groups" => Source::Groups,
            _ => Source::Claim(name),
        };
        Self(entries.into_iter().map(|(key, name)| (key, source(name))).collect())
    }

    /// The keys that backends read.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The context of these claims; what is missing, null or an empty list is left out.
    pub(super) fn of(&self, claims: &Claims, shape: Shape) -> Map<String, Value> {
        let mut context = Map::new();
        for (key, source) in &self.0 {
            let value = match source {
                Source::Username => claims.username(),
                Source::ClientId => claims.client_id(),
                Source::Scope => claims.scope(),
                Source::Groups => claims.groups(),
                Source::Claim(name) => claims.get(name),
            };
            if let Some(value) = value.and_then(|value| shaped(value, shape)) {
                context.insert(key.clone(), value.into_owned());
            }
        }
        context
    }
}

impl Default for ContextMap {
    /// Who, through which client, with which scopes and groups.
    fn default() -> Self {
        let names = ["sub", "username", "client_id", "scope", "groups"];
        Self::new(names.map(|name| (name.to_owned(), name.to_owned())).to_vec())
    }
}

fn shaped(value: &Value, shape: Shape) -> Option<Cow<'_, Value>> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(Cow::Borrowed(value)),
        Value::Array(_) | Value::Object(_) if shape == Shape::Nested => Some(Cow::Borrowed(value)),
        Value::Array(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let text = words.map_or_else(|| value.to_string(), |words| words.join(" "));
            Some(Cow::Owned(Value::String(text)))
        }
        Value::Object(_) => Some(Cow::Owned(Value::String(value.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_answer_has_flat_values_and_a_simple_one_keeps_them() {
        for (value, flat) in [
            (json!("a"), Some(json!("a"))),
            (json!(""), Some(json!(""))),
            (json!(7), Some(json!(7))),
            (json!(1.5), Some(json!(1.5))),
            (json!(false), Some(json!(false))),
            (json!(["a", "b"]), Some(json!("a b"))),
            (json!(["a", 1]), Some(json!("[\"a\",1]"))),
            (json!([["a"]]), Some(json!("[[\"a\"]]"))),
            (json!({"a": null}), Some(json!("{\"a\":null}"))),
            (json!({}), Some(json!("{}"))),
            (json!([]), None),
            (json!(null), None),
        ] {
            assert_eq!(shaped(&value, Shape::Flat).map(Cow::into_owned), flat, "{value}");
            let nested = flat.as_ref().map(|_| value.clone());
            assert_eq!(shaped(&value, Shape::Nested).map(Cow::into_owned), nested, "{value}");
        }
    }
}
