//! An item of DynamoDB as the values of claims.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Number, Value};
use std::collections::{BTreeMap, HashMap};

/// The attributes that claims ask for, as JSON. It holds personal data, and so has no `Debug`.
#[derive(Default, PartialEq)]
pub(super) struct Item(BTreeMap<String, Value>);

impl Item {
    /// `None` where an attribute is of a type that no claim can have: binary, or a number that JSON cannot hold exactly.
    pub(super) fn read(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let values = item.iter().map(|(name, value)| Some((name.clone(), json(value, MAX_DEPTH)?)));
        values.collect::<Option<_>>().map(Self)
    }

    /// A value that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(values) => !values.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
        })
    }
}

fn json(value: &AttributeValue, depth: usize) -> Option<Value> {
    let texts = |texts: &[String]| {
        // A set has no order: the same item makes the same token.
        let mut texts = texts.to_vec();
        texts.sort();
        texts
    };
    let depth = depth.checked_sub(1)?;
    #[allow(clippy::wildcard_enum_match_arm, reason = "binary, and whatever DynamoDB may add: no claim can hold it")]
    Some(match value {
        AttributeValue::S(text) => text.as_str().into(),
        AttributeValue::N(text) => number(text)?,
        AttributeValue::Bool(value) => (*value).into(),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Ss(set) => texts(set).into(),
        AttributeValue::Ns(set) => texts(set).iter().map(|text| number(text)).collect::<Option<Vec<_>>>()?.into(),
        AttributeValue::L(list) => list.iter().map(|value| json(value, depth)).collect::<Option<Vec<_>>>()?.into(),
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let members = sorted.into_iter().map(|(name, value)| Some((name.clone(), json(value, depth)?)));
            members.collect::<Option<Map<_, _>>>()?.into()
        }
        _ => return None,
    })
}

/// DynamoDB's numbers have 38 digits; one that would be rounded is another number.
fn number(text: &str) -> Option<Value> {
    let number: Number = text.parse().ok()?;
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (number.is_i64() || number.is_u64() || !is_whole).then_some(Value::Number(number))
}

const MAX_DEPTH: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: AttributeValue) -> Option<Value> {
        let item = Item::read(&HashMap::from([("a".to_owned(), value)]))?;
        Some(item.get("a").cloned().unwrap_or_default())
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    #[test]
    fn types_are_kept_and_sets_are_sorted() {
        let number = |text: &str| AttributeValue::N(text.to_owned());
        for (value, expected) in [
            (text("x"), json!("x")),
            (number("7"), json!(7)),
            (number("-7"), json!(-7)),
            (number("18446744073709551615"), json!(18_446_744_073_709_551_615_u64)),
            (number("1.5"), json!(1.5)),
            (AttributeValue::Bool(false), json!(false)),
            (AttributeValue::Ss(vec!["b".into(), "a".into()]), json!(["a", "b"])),
            (AttributeValue::Ns(vec!["2".into(), "1".into()]), json!([1, 2])),
            (AttributeValue::L(vec![text("b"), number("1"), text("a")]), json!(["b", 1, "a"])),
            (
                AttributeValue::M(HashMap::from([("k".into(), AttributeValue::L(vec![text("v")]))])),
                json!({ "k": ["v"] }),
            ),
        ] {
            assert_eq!(read(value), Some(expected));
        }
    }

    #[test]
    fn what_is_empty_has_no_value() {
        for value in [text(""), AttributeValue::Null(true), AttributeValue::L(Vec::new())] {
            assert_eq!(read(value), Some(Value::Null));
        }
        assert_eq!(Item::default().get("a"), None);
    }

    #[test]
    fn what_no_claim_can_hold_is_not_read() {
        let deep = (0..MAX_DEPTH).fold(text("x"), |value, _| AttributeValue::L(vec![value]));
        for value in [
            AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new("x")),
            AttributeValue::N("18446744073709551616".into()),
            AttributeValue::N("x".into()),
            AttributeValue::L(vec![AttributeValue::Bs(Vec::new())]),
            deep,
        ] {
            assert_eq!(read(value), None);
        }
    }
}
