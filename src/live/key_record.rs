//! An item of the table of keys, read: an API key, or a key that signs requests.
//!
//! | attribute | type | |
//! |---|---|---|
//! | `pk` | S | `key#<id>` |
//! | `sha256` | S | of an API key alone: the SHA-256 of the whole key, in lower-case hex |
//! | `algorithm`, `public_key` | S | of a signature key alone |
//! | `sub`, `client_id` | S | at least one of them |
//! | `scope` | S, SS or L of S | a text: scopes separated by spaces |
//! | `groups` | S, SS or L of S | a text: one group |
//! | `claims` | M | other claims; none of [`RESERVED`] |
//! | `usage_identifier_key` | S | |
//! | `created_at`, `not_after`, `expires_at` | N | epoch seconds |
//! | `disabled` | BOOL | |
//!
//! An item is read whole or not at all: where one attribute has another type than it should, nobody knows what the
//! operator meant by it, and the key is refused. Attributes that are not listed are the operator's own notes.

use super::key_id::KeyId;
use crate::bounded_store::{ALLOCATION, Weight};
use crate::request::UnixSeconds;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What the table says of one key. Its `Debug` shows the id alone.
pub struct KeyRecord {
    id: KeyId,
    material: KeyMaterial,
    disabled: bool,
    created_at: Option<UnixSeconds>,
    not_after: Option<UnixSeconds>,
    claims: Map<String, Value>,
    bytes: usize,
}

/// What proves that somebody has the key. One kind of key never serves as the other.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// The key is sent as it is; its hash is kept.
    ApiKey {
        /// Of the whole key.
        sha256: [u8; 32],
    },
    /// The key signs requests (RFC 9421).
    Signature {
        /// Its one algorithm, as the item names it.
        algorithm: String,
        /// Of an asymmetric algorithm: the public key.
        public_key: Option<String>,
    },
}

/// Why an item says nothing: fixed words for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableKey(pub &'static str);

impl KeyRecord {
    /// Reads the item of that id.
    ///
    /// # Errors
    /// [`UnreadableKey`].
    pub fn read(id: KeyId, item: &HashMap<String, AttributeValue>) -> Result<Self, UnreadableKey> {
        if item.get("pk").and_then(|pk| pk.as_s().ok()) != Some(&id.partition_key()) {
            return Err(UnreadableKey("the item has another `pk`"));
        }
        let material = KeyMaterial::read(item)?;
        let not_after = date(item, "not_after", "`not_after` is not a date in epoch seconds")?;
        let expires_at = date(item, "expires_at", "`expires_at` is not a date in epoch seconds")?;
        let disabled = match item.get("disabled") {
            None => false,
            Some(AttributeValue::Bool(disabled)) => *disabled,
            Some(_) => return Err(UnreadableKey("`disabled` is not a boolean")),
        };
        let claims = claims(item)?;
        let bytes = weight_of_members(&claims);
        Ok(Self {
            id,
            material,
            disabled,
            created_at: date(item, "created_at", "`created_at` is not a date in epoch seconds")?,
            // DynamoDB deletes late: the item ends exactly then.
            not_after: earlier(not_after, expires_at),
            claims,
            bytes,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What proves that somebody has it.
    #[must_use]
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// Whether the operator has disabled it.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// When it was made.
    #[must_use]
    pub fn created_at(&self) -> Option<UnixSeconds> {
        self.created_at
    }

    /// From then on it is not valid.
    #[must_use]
    pub fn not_after(&self) -> Option<UnixSeconds> {
        self.not_after
    }

    /// `sub`, `client_id`, `scope`, `groups`, `usage_identifier_key`, and what `claims` holds.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Whether the other one stands for the same, whatever its dates.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.id == other.id && self.material == other.material && self.claims == other.claims
    }

    /// Why it is not valid now, where it is not: fixed words.
    #[must_use]
    pub fn fault(&self, now: UnixSeconds) -> Option<&'static str> {
        if self.disabled {
            return Some("the key is disabled");
        }
        self.not_after.is_some_and(|end| end <= now).then_some("the key has expired")
    }
}

impl KeyMaterial {
    fn read(item: &HashMap<String, AttributeValue>) -> Result<Self, UnreadableKey> {
        let sha256 = text(item, "sha256", "`sha256` is not a text")?;
        let algorithm = text(item, "algorithm", "`algorithm` is not a text")?;
        let public_key = text(item, "public_key", "`public_key` is not a text")?;
        match (sha256, algorithm, public_key) {
            (Some(sha256), None, None) => {
                let sha256 = from_hex(&sha256).ok_or(UnreadableKey("`sha256` has not 64 digits of lower-case hex"))?;
                Ok(Self::ApiKey { sha256 })
            }
            (None, Some(algorithm), public_key) => Ok(Self::Signature { algorithm, public_key }),
            (Some(_), _, _) => Err(UnreadableKey("both an API key and a signature key")),
            (None, None, _) => Err(UnreadableKey("neither `sha256` nor `algorithm`")),
        }
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyMaterial::ApiKey { .. } => "ApiKey(redacted)",
            KeyMaterial::Signature { .. } => "Signature(redacted)",
        })
    }
}

impl Weight for Arc<KeyRecord> {
    fn bytes_elsewhere(&self) -> usize {
        let of_material = match &self.material {
            KeyMaterial::ApiKey { .. } => 0,
            KeyMaterial::Signature { algorithm, public_key } => {
                2 * ALLOCATION + algorithm.len() + public_key.as_ref().map_or(0, String::len)
            }
        };
        2 * ALLOCATION + size_of::<KeyRecord>() + self.id.as_str().len() + of_material + self.bytes
    }
}

fn claims(item: &HashMap<String, AttributeValue>) -> Result<Map<String, Value>, UnreadableKey> {
    let mut claims = match item.get("claims") {
        None => Map::new(),
        Some(value) => match json(value, 0) {
            Some(Value::Object(claims)) => claims,
            _ => return Err(UnreadableKey("`claims` is not a map of texts, numbers, booleans, lists and maps")),
        },
    };
    // What an operator meant to limit by an `exp` there must not be unlimited.
    if RESERVED.iter().any(|name| claims.contains_key(*name)) {
        return Err(UnreadableKey("`claims` has a name that is reserved"));
    }
    for (name, why) in [
        ("sub", "`sub` is not a text, or empty"),
        ("client_id", "`client_id` is not a text, or empty"),
        ("usage_identifier_key", "`usage_identifier_key` is not a text, or empty"),
    ] {
        claims.extend(text(item, name, why)?.map(|text| (name.to_owned(), Value::String(text))));
    }
    if !claims.contains_key("sub") && !claims.contains_key("client_id") {
        return Err(UnreadableKey("neither `sub` nor `client_id`"));
    }
    for (name, why) in [
        ("scope", "`scope` is neither a text nor a list of texts"),
        ("groups", "`groups` is neither a text nor a list of texts"),
    ] {
        if let Some(value) = item.get(name) {
            let value = json(value, 0).filter(is_text_or_texts).ok_or(UnreadableKey(why))?;
            claims.insert(name.to_owned(), value);
        }
    }
    Ok(claims)
}

fn is_text_or_texts(value: &Value) -> bool {
    value.is_string() || value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn text(
    item: &HashMap<String, AttributeValue>,
    name: &str,
    why: &'static str,
) -> Result<Option<String>, UnreadableKey> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(UnreadableKey(why)),
    }
}

fn date(
    item: &HashMap<String, AttributeValue>,
    name: &str,
    why: &'static str,
) -> Result<Option<UnixSeconds>, UnreadableKey> {
    let Some(value) = item.get(name) else { return Ok(None) };
    let number = value.as_n().ok().and_then(|number| number.parse().ok());
    number.and_then(UnixSeconds::new).map(Some).ok_or(UnreadableKey(why))
}

fn earlier(one: Option<UnixSeconds>, other: Option<UnixSeconds>) -> Option<UnixSeconds> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one < other { one } else { other }),
        (only, None) | (None, only) => only,
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A value of DynamoDB as JSON; `None` for bytes, which JSON has not, and for what lies too deep.
#[allow(clippy::wildcard_enum_match_arm, reason = "the SDK may add types, and none of them is JSON")]
fn json(value: &AttributeValue, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    let number = |number: &String| number.parse().ok().map(Value::Number);
    match value {
        AttributeValue::S(text) => Some(Value::String(text.clone())),
        AttributeValue::N(text) => number(text),
        AttributeValue::Bool(value) => Some(Value::Bool(*value)),
        AttributeValue::Null(_) => Some(Value::Null),
        AttributeValue::Ss(texts) => Some(texts.iter().cloned().collect()),
        AttributeValue::Ns(texts) => texts.iter().map(number).collect(),
        AttributeValue::L(items) => items.iter().map(|item| json(item, depth + 1)).collect(),
        AttributeValue::M(members) => {
            let member = |(name, value): (&String, _)| Some((name.clone(), json(value, depth + 1)?));
            members.iter().map(member).collect::<Option<_>>().map(Value::Object)
        }
        _ => None,
    }
}

/// About what a value takes beside its own place.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => ALLOCATION + text.len(),
        Value::Array(items) => {
            items.iter().map(|item| size_of::<Value>() + weight(item)).fold(ALLOCATION, usize::saturating_add)
        }
        Value::Object(members) => weight_of_members(members),
    }
}

/// A node of the tree has room for eleven members, and is at least half full once there are more.
fn weight_of_members(members: &Map<String, Value>) -> usize {
    let place = size_of::<String>() + size_of::<Value>();
    let each = members.iter().map(|(name, value)| 2 * place + ALLOCATION + name.len() + weight(value));
    each.fold(12 * place, usize::saturating_add)
}

/// Claims that have attributes of their own, or that a key cannot have: `claims` of an item may not hold them.
pub const RESERVED: [&str; 19] = [
    "active",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cnf",
    "cognito:groups",
    "exp",
    "groups",
    "iat",
    "iss",
    "jti",
    "nbf",
    "origin_jti",
    "scope",
    "scp",
    "sub",
    "token_use",
    "usage_identifier_key",
];

/// DynamoDB's own limit for nested attributes.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as literal;

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    fn n(number: &str) -> AttributeValue {
        AttributeValue::N(number.into())
    }

    fn list(texts: &[&str]) -> AttributeValue {
        AttributeValue::L(texts.iter().map(|text| s(text)).collect())
    }

    fn id() -> KeyId {
        KeyId::parse("abc").unwrap()
    }

    fn hash() -> AttributeValue {
        s(&"0f".repeat(32))
    }

    fn item(changes: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        let mut item = HashMap::from([
            ("pk".to_owned(), s("key#abc")),
            ("sha256".to_owned(), hash()),
            ("sub".to_owned(), s("partner")),
        ]);
        item.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        item
    }

    fn read(changes: &[(&str, AttributeValue)]) -> Result<KeyRecord, UnreadableKey> {
        KeyRecord::read(id(), &item(changes))
    }

    fn read_without(name: &str, changes: &[(&str, AttributeValue)]) -> Result<KeyMaterial, &'static str> {
        let mut item = item(changes);
        item.remove(name);
        KeyRecord::read(id(), &item).map(|record| record.material).map_err(|UnreadableKey(why)| why)
    }

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn an_item_is_an_api_key_or_a_signature_key_and_never_both() {
        assert_eq!(read(&[]).unwrap().material, KeyMaterial::ApiKey { sha256: [0x0f; 32] });
        let signature = |public_key: Option<&str>| KeyMaterial::Signature {
            algorithm: "ed25519".into(),
            public_key: public_key.map(str::to_owned),
        };
        let algorithm = ("algorithm", s("ed25519"));
        assert_eq!(read_without("sha256", std::slice::from_ref(&algorithm)), Ok(signature(None)));
        assert_eq!(read_without("sha256", &[algorithm.clone(), ("public_key", s("k"))]), Ok(signature(Some("k"))));
        let both = Err(UnreadableKey("both an API key and a signature key"));
        assert_eq!(read(&[algorithm]).map(|record| record.material), both);
        assert_eq!(read(&[("public_key", s("k"))]).map(|record| record.material), both);
        assert_eq!(read_without("sha256", &[]), Err("neither `sha256` nor `algorithm`"));
    }

    #[test]
    fn a_hash_is_64_digits_of_lower_case_hex() {
        for bad in ["", "0f", &"0F".repeat(32), &"0g".repeat(32), &"0f".repeat(33), &"0f".repeat(31), &"é".repeat(32)]
        {
            assert!(read(&[("sha256", s(bad))]).is_err(), "{bad}");
        }
        assert!(read(&[("sha256", AttributeValue::B(vec![15; 32].into()))]).is_err());
    }

    #[test]
    fn an_attribute_of_another_type_makes_the_whole_item_unreadable() {
        let null = || AttributeValue::Null(true);
        for (name, value) in [
            ("pk", s("key#abd")),
            ("pk", s("key#abc ")),
            ("sub", n("1")),
            ("sub", s("")),
            ("sub", null()),
            ("client_id", n("1")),
            ("usage_identifier_key", n("1")),
            ("disabled", s("false")),
            ("disabled", n("0")),
            ("disabled", null()),
            ("not_after", s("1000")),
            ("not_after", n("1000000000000000")),
            ("not_after", n("NaN")),
            ("not_after", null()),
            ("expires_at", s("1000")),
            ("created_at", s("1000")),
            ("scope", n("1")),
            ("scope", AttributeValue::L(vec![n("1")])),
            ("groups", AttributeValue::Bool(true)),
            ("groups", AttributeValue::L(vec![list(&["a"])])),
            ("algorithm", n("1")),
            ("claims", s("{}")),
            ("claims", list(&["a"])),
            ("claims", AttributeValue::M(HashMap::from([("a".into(), AttributeValue::B(vec![1].into()))]))),
        ] {
            assert!(read(&[(name, value.clone())]).is_err(), "{name} {value:?}");
        }
        assert!(read_without("pk", &[]).is_err());
        assert_eq!(read_without("sub", &[]), Err("neither `sub` nor `client_id`"));
        assert!(read_without("sub", &[("client_id", s("c"))]).is_ok());
    }

    #[test]
    fn claims_are_those_of_the_item_and_none_of_the_reserved() {
        let map = |name: &str, value| AttributeValue::M(HashMap::from([(name.to_owned(), value)]));
        let record = read(&[
            ("client_id", s("c")),
            ("scope", s("a b")),
            ("groups", AttributeValue::Ss(vec!["x".into(), "y".into()])),
            ("usage_identifier_key", s("u")),
            ("note", n("1")),
            ("claims", map("plan", map("seats", AttributeValue::L(vec![n("3"), AttributeValue::Bool(true)])))),
        ]);
        let expected = literal!({
            "sub": "partner", "client_id": "c", "scope": "a b", "groups": ["x", "y"], "usage_identifier_key": "u",
            "plan": { "seats": [3, true] },
        });
        assert_eq!(record.unwrap().claims(), expected.as_object().unwrap());
        for name in RESERVED {
            assert!(read(&[("claims", map(name, s("x")))]).is_err(), "{name}");
        }
        let mut deep = s("x");
        for _ in 0..40 {
            deep = map("a", deep);
        }
        assert!(read(&[("claims", deep)]).is_err());
    }

    #[test]
    fn a_key_ends_at_the_earlier_of_its_two_dates_to_the_second() {
        for (not_after, expires_at, end) in [
            (None, None, None),
            (Some("10"), None, Some(10.0)),
            (None, Some("9.5"), Some(9.5)),
            (Some("10"), Some("9"), Some(9.0)),
        ] {
            let date = |name, value: Option<&str>| value.map(|value| (name, n(value)));
            let dates: Vec<_> =
                [date("not_after", not_after), date("expires_at", expires_at)].into_iter().flatten().collect();
            let record = read(&dates).unwrap();
            assert_eq!(record.not_after(), end.map(at));
            if let Some(end) = end {
                assert_eq!(record.fault(at(end)), Some("the key has expired"));
                assert_eq!(record.fault(at(end - 0.5)), None);
            }
        }
        let disabled = |value| read(&[("disabled", AttributeValue::Bool(value))]).unwrap().fault(at(1.0));
        assert_eq!((disabled(true), disabled(false)), (Some("the key is disabled"), None));
    }

    #[test]
    fn debug_shows_the_id_alone() {
        let record = read(&[("groups", s("secret"))]).unwrap();
        assert_eq!(
            format!("{record:?} {:?}", record.material()),
            "KeyRecord { id: KeyId(\"abc\"), .. } ApiKey(redacted)"
        );
    }

    #[test]
    fn a_record_weighs_what_its_claims_do() {
        let weight = |text: &str| Arc::new(read(&[("groups", list(&[text, text]))]).unwrap()).bytes_elsewhere();
        assert_eq!(weight(&"x".repeat(1_000)) - weight("x"), 2 * 999);
    }
}
