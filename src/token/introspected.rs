//! What an issuer says of a token when it is asked (RFC 7662 2.2).

use super::strict_json;
use crate::request::UnixSeconds;
use serde_json::{Map, Value};

/// The claims of a token that its issuer called active just now.
#[derive(Clone)]
pub struct IntrospectedToken {
    pub(super) payload: Map<String, Value>,
}

/// What an introspection endpoint answered.
pub enum Introspection {
    /// `active: true`.
    Active(IntrospectedToken),
    /// `active: false`; nothing else in the answer counts (RFC 7662 2.2).
    Inactive,
}

impl Introspection {
    /// Reads the body of an answer with status 200; `None` where it makes no sense.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut payload = strict_json::object(body).ok()?;
        match payload.remove("active") {
            Some(Value::Bool(true)) => Some(Introspection::Active(IntrospectedToken { payload })),
            Some(Value::Bool(false)) => Some(Introspection::Inactive),
            _ => None,
        }
    }
}

impl IntrospectedToken {
    /// A member of the answer.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name)
    }

    /// When the token ends, where the answer says so in a way that makes sense.
    #[must_use]
    pub(crate) fn expires(&self) -> Option<UnixSeconds> {
        self.get("exp").and_then(Value::as_f64).and_then(UnixSeconds::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_boolean_true_is_active() {
        let read = |text: &str| match Introspection::parse(text.as_bytes()) {
            Some(Introspection::Active(_)) => "active",
            Some(Introspection::Inactive) => "inactive",
            None => "nonsense",
        };
        for (text, expected) in [
            (r#"{"active":true}"#, "active"),
            (r#"{"active":true,"sub":"a"}"#, "active"),
            (r#"{"active":false}"#, "inactive"),
            (r#"{"active":false,"sub":"a"}"#, "inactive"),
            (r#"{"active":"true"}"#, "nonsense"),
            (r#"{"active":1}"#, "nonsense"),
            (r#"{"active":null}"#, "nonsense"),
            (r#"{}"#, "nonsense"),
            (r#"{"active":false,"active":true}"#, "nonsense"),
            (r#"{"active":true,"sub":"a","sub":"b"}"#, "nonsense"),
            ("true", "nonsense"),
            ("<html>", "nonsense"),
            ("", "nonsense"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
