//! The id of a key in the table of keys. It is no secret: it is logged.

use std::fmt;

/// 1 to 128 visible characters of ASCII, `#` not among them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads an id; `None` where no item can have it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let has_form = (1..=MAX_BYTES).contains(&text.len());
        let is_visible = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        (has_form && text.bytes().all(is_visible)).then(|| Self(text.to_owned()))
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `pk` of its item.
    #[must_use]
    pub fn partition_key(&self) -> String {
        format!("key#{}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyId").field(&self.0).finish()
    }
}

/// Far below what DynamoDB allows (2,048 bytes), and more than an id needs.
const MAX_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_visible() {
        for (text, ok) in [
            ("a", true),
            ("test-key-ed25519", true),
            ("~!$%&'()*+,-./:;=?@_", true),
            (&"a".repeat(128), true),
            (&"a".repeat(129), false),
            ("", false),
            ("a#b", false),
            ("a b", false),
            ("a\n", false),
            ("é", false),
            ("\u{7f}", false),
        ] {
            assert_eq!(KeyId::parse(text).is_some(), ok, "{text}");
        }
        assert_eq!(KeyId::parse("a").unwrap().partition_key(), "key#a");
    }
}
