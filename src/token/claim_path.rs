//! Where a claim is among a token's claims: a member, or a place below one.

use serde_json::{Map, Value};
use std::fmt;

/// The place of a claim, resolved once when the configuration is read. A text that begins with `/`
/// is a JSON pointer (RFC 6901); every other text names one member, dots, colons and slashes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    member: String,
    /// The reference tokens after the first one, with `~0` and `~1` decoded.
    below: Vec<String>,
}

/// A `~` that is followed by neither `0` nor `1` (RFC 6901 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPointer;

impl fmt::Display for NotAPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a JSON pointer (RFC 6901): `~` must be followed by 0 or 1")
    }
}

impl ClaimPath {
    /// Reads a name or a pointer. `/sub` is the same as `sub`.
    ///
    /// # Errors
    /// [`NotAPointer`].
    pub fn parse(text: &str) -> Result<Self, NotAPointer> {
        let Some(pointer) = text.strip_prefix('/') else { return Ok(Self::member(text)) };
        let mut segments = pointer.split('/').map(decoded);
        let member = segments.next().ok_or(NotAPointer)??;
        Ok(Self { member, below: segments.collect::<Result<_, _>>()? })
    }

    /// The member of that name, whatever its first character.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self { member: name.to_owned(), below: Vec::new() }
    }

    /// The member of the claims that it begins with.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.member
    }

    /// What follows below that member.
    #[must_use]
    pub fn below(&self) -> &[String] {
        &self.below
    }

    /// The value at this place.
    #[must_use]
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        self.below.iter().try_fold(claims.get(&self.member)?, |value, segment| match value {
            Value::Object(members) => members.get(segment),
            Value::Array(items) => items.get(index(segment)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

fn decoded(segment: &str) -> Result<String, NotAPointer> {
    let mut parts = segment.split('~');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', part.get(1..)),
            Some(b'1') => ('/', part.get(1..)),
            Some(_) | None => return Err(NotAPointer),
        };
        text.push(character);
        text.push_str(rest.unwrap_or_default());
    }
    Ok(text)
}

/// RFC 6901 4: digits without a leading zero.
fn index(segment: &str) -> Option<usize> {
    let is_index = segment == "0" || !segment.starts_with('0') && segment.bytes().all(|byte| byte.is_ascii_digit());
    is_index.then(|| segment.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_begins_with_a_slash_and_a_name_is_one_member() {
        let claims = json!({
            "realm_access": { "roles": ["admin", "ops"], "a/b": 1, "m~n": 2, "~1": 3, "": 4 },
            "realm_access.roles": 5, "https://example.com/roles": 6, "/x": 7, "": 8, "list": [[9]], "null": null,
        });
        for (text, expected) in [
            ("/realm_access/roles", Some(json!(["admin", "ops"]))),
            ("/realm_access/roles/1", Some(json!("ops"))),
            ("/realm_access/a~1b", Some(json!(1))),
            ("/realm_access/m~0n", Some(json!(2))),
            ("/realm_access/~01", Some(json!(3))),
            ("/realm_access/", Some(json!(4))),
            ("realm_access.roles", Some(json!(5))),
            ("/realm_access.roles", Some(json!(5))),
            ("https://example.com/roles", Some(json!(6))),
            ("/~1x", Some(json!(7))),
            ("/", Some(json!(8))),
            ("/list/0/0", Some(json!(9))),
            ("/null", Some(json!(null))),
            ("realm_access/roles", None),
            ("/realm_access/roles/2", None),
            ("/realm_access/roles/01", None),
            ("/realm_access/roles/-", None),
            ("/realm_access/roles/+1", None),
            ("/realm_access/roles/", None),
            ("/realm_access/roles/18446744073709551616", None),
            ("/realm_access/roles/1/x", None),
            ("/null/x", None),
            ("/nowhere", None),
        ] {
            let path = ClaimPath::parse(text).unwrap();
            assert_eq!(path.find(claims.as_object().unwrap()), expected.as_ref(), "{text}");
        }
        assert_eq!(ClaimPath::parse("/sub"), ClaimPath::parse("sub"));
        assert_eq!(ClaimPath::parse("/a/b").unwrap().first(), "a");
    }

    #[test]
    fn a_tilde_escapes_a_tilde_or_a_slash_and_nothing_else() {
        for text in ["/~", "/a/~2", "/~/a", "/a~", "/~x"] {
            assert_eq!(ClaimPath::parse(text), Err(NotAPointer), "{text}");
        }
        assert_eq!(ClaimPath::parse("a~2"), Ok(ClaimPath::member("a~2")));
    }
}
