//! The context that backends read: which claim under which key.

use crate::token::{ClaimPath, Claims};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Which claims an allowed request's backend is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextMap(Vec<(String, ClaimSource)>);

/// Where a value of an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The user's name, wherever the issuer keeps it.
    Username,
    /// The client, wherever the issuer keeps it.
    ClientId,
    /// The scopes, wherever the issuer keeps them.
    Scope,
    /// The groups, wherever the issuer keeps them.
    Groups,
    /// The token's own claim.
    Own(ClaimPath),
}

impl ClaimSource {
    /// The normalised claim of that name, where there is one.
    #[must_use]
    pub fn normalised(name: &str) -> Option<Self> {
        match name {
            "username" => Some(ClaimSource::Username),
            "client_id" => Some(ClaimSource::ClientId),
            "scope" => Some(ClaimSource::Scope),
            "groups" => Some(ClaimSource::Groups),
            _ => None,
        }
    }

    fn of<'a>(&self, claims: &'a Claims) -> Option<&'a Value> {
        match self {
            ClaimSource::Username => claims.username(),
            ClaimSource::ClientId => claims.client_id(),
            ClaimSource::Scope => claims.scope(),
            ClaimSource::Groups => claims.groups(),
            ClaimSource::Own(path) => claims.at(path),
        }
    }

    /// A non-empty text.
    pub(super) fn text<'a>(&self, claims: &'a Claims) -> Option<&'a str> {
        self.of(claims).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
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
    /// A map from context key to where its value comes from.
    #[must_use]
    pub fn new(entries: Vec<(String, ClaimSource)>) -> Self {
        Self(entries)
    }

    /// The keys that backends read.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The token's own claims that it names.
    pub fn own_claims(&self) -> impl Iterator<Item = &ClaimPath> {
        self.0.iter().filter_map(|(_, source)| match source {
            ClaimSource::Own(path) => Some(path),
            ClaimSource::Username | ClaimSource::ClientId | ClaimSource::Scope | ClaimSource::Groups => None,
        })
    }

    /// How many bytes the keys take, each with a space behind it.
    #[must_use]
    pub fn bytes_of_keys(&self) -> usize {
        self.0.iter().map(|(key, _)| key.len() + 1).sum()
    }

    /// The context of these claims; what is missing, null or an empty list is left out.
    pub(super) fn of(&self, claims: &Claims, shape: Shape) -> Map<String, Value> {
        let mut context = Map::new();
        for (key, source) in &self.0 {
            let Some(value) = source.of(claims) else { continue };
            // One group with white space in its name must not read as several, and one called `["admin"]` not as a list.
            let value = match (source, value) {
                (ClaimSource::Groups, Value::String(group)) if shape == Shape::Flat && !is_plain_word(group) => {
                    Some(Cow::Owned(Value::String(Value::from([group.as_str()].as_slice()).to_string())))
                }
                (_, value) => shaped(value, shape),
            };
            if let Some(value) = value {
                context.insert(key.clone(), value.into_owned());
            }
        }
        context
    }
}

/// What fits of a context into so many bytes of JSON. A claim that does not fit is left out
/// whole, the largest first, and [`OMITTED_CLAIMS`] names the keys: a backend never gets a
/// part of a list that looks whole.
pub(super) fn fitted(mut context: Map<String, Value>, most_bytes: usize) -> Map<String, Value> {
    let bytes = |value: &Value| value.to_string().len();
    let mut sizes: Vec<(usize, String)> = context.iter().map(|(key, value)| (bytes(value), key.clone())).collect();
    sizes.sort();
    let mut omitted: Vec<String> = Vec::new();
    while Value::Object(context.clone()).to_string().len() > most_bytes {
        let Some((_, largest)) = sizes.pop() else { break };
        context.remove(&largest);
        omitted.push(largest);
        omitted.sort();
        context.insert(OMITTED_CLAIMS.to_owned(), Value::String(omitted.join(" ")));
    }
    context
}

/// The key under which a context says which of its keys did not fit.
pub const OMITTED_CLAIMS: &str = "omitted_claims";

impl Default for ContextMap {
    /// Who, through which client, with which scopes and groups.
    fn default() -> Self {
        let names = ["sub", "username", "client_id", "scope", "groups"];
        let source = |name| ClaimSource::normalised(name).unwrap_or_else(|| ClaimSource::Own(ClaimPath::member(name)));
        Self::new(names.map(|name| (name.to_owned(), source(name))).to_vec())
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
            // An element with white space in it would read as several, and a first one like `["a"]` as JSON text.
            let words = words.filter(|words| words.iter().all(|word| is_plain_word(word)));
            let text = words.map_or_else(|| value.to_string(), |words| words.join(" "));
            Some(Cow::Owned(Value::String(text)))
        }
        Value::Object(_) => Some(Cow::Owned(Value::String(value.to_string()))),
    }
}

/// Whether a backend takes a text for one word, however it splits words, and not for JSON text.
fn is_plain_word(text: &str) -> bool {
    // What other languages count as white space beside Unicode's: U+FEFF (JavaScript), U+001C to U+001F (Python, Java).
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{1c}'..='\u{1f}');
    !text.starts_with(['[', '{']) && !text.contains(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_left_out_whole_the_largest_first_and_named() {
        let Value::Object(context) = json!({ "a": "1234", "b": "123456", "c": "12", "d": ["1", "2"] }) else {
            panic!()
        };
        let whole = Value::Object(context.clone()).to_string().len();
        let all = "{\"omitted_claims\":\"a b c d\"}".len();
        for (most_bytes, left, omitted) in [
            (whole, &["a", "b", "c", "d"][..], None),
            (whole - 1, &["a", "c"], Some("b d")),
            (all, &[], Some("a b c d")),
            (0, &[], Some("a b c d")),
        ] {
            let mut fits = fitted(context.clone(), most_bytes);
            let named = fits.remove(OMITTED_CLAIMS);
            assert_eq!(named.as_ref().and_then(Value::as_str), omitted, "{most_bytes}");
            assert_eq!(fits.keys().collect::<Vec<_>>(), left, "{most_bytes}");
        }
    }

    #[test]
    fn a_policy_answer_has_flat_values_and_a_simple_one_keeps_them() {
        for (value, flat) in [
            (json!("a"), Some(json!("a"))),
            (json!(""), Some(json!(""))),
            (json!(7), Some(json!(7))),
            (json!(1.5), Some(json!(1.5))),
            (json!(false), Some(json!(false))),
            (json!(["a", "b"]), Some(json!("a b"))),
            (json!(["a b"]), Some(json!("[\"a b\"]"))),
            (json!(["a", "not admin"]), Some(json!("[\"a\",\"not admin\"]"))),
            (json!(["a\tb", "c"]), Some(json!("[\"a\\tb\",\"c\"]"))),
            (json!(["a\u{feff}b"]), Some(json!("[\"a\u{feff}b\"]"))),
            (json!(["a\u{1c}b"]), Some(json!("[\"a\\u001cb\"]"))),
            (json!(["a\u{1f}b"]), Some(json!("[\"a\\u001fb\"]"))),
            (json!(["a\u{1b}b"]), Some(json!("a\u{1b}b"))),
            (json!(["[\"admin\"]"]), Some(json!("[\"[\\\"admin\\\"]\"]"))),
            (json!(["a", "[b"]), Some(json!("[\"a\",\"[b\"]"))),
            (json!(["{b"]), Some(json!("[\"{b\"]"))),
            (json!(["a[b]"]), Some(json!("a[b]"))),
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
