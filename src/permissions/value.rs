//! Values as Cedar has them, and how a token's JSON becomes them.
//!
//! A claim never names an entity or calls an extension here, whatever its members
//! are called: values are built one by one, not read as Cedar's JSON.

use core::net::IpAddr;
use serde_json::Number;
use std::fmt;

/// A value of a Cedar request.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `Bool`.
    Bool(bool),
    /// `datetime`, as in `2026-11-21T13:49:00Z`.
    Datetime(String),
    /// `decimal`, with one to four digits after the point.
    Decimal(String),
    /// `ipaddr`.
    Ip(IpAddr),
    /// `Long`.
    Long(i64),
    /// `Record`.
    Record(Record),
    /// `Set`.
    Set(Vec<Value>),
    /// `String`.
    Text(String),
}

/// Attributes by name; no duplicate names.
pub type Record = Vec<(String, Value)>;

impl Value {
    /// A claim's value; `None` for null, which Cedar does not have.
    ///
    /// A number that is no `Long` is a `decimal` where it is one, else its text: were
    /// it left out, a policy that forbids by its presence would not apply.
    #[must_use]
    pub fn of_claim(claim: &serde_json::Value) -> Option<Self> {
        nested(claim, MAX_DEPTH)
    }

    /// A set of texts.
    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Value::Set(texts.into_iter().map(|text| Value::Text(text.to_owned())).collect())
    }
}

/// As Cedar writes it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Datetime(text) => write!(f, "datetime({text:?})"),
            Value::Decimal(text) => write!(f, "decimal({text:?})"),
            Value::Ip(address) => write!(f, "ip(\"{address}\")"),
            Value::Long(value) => write!(f, "{value}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Record(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{name:?}: {value}")?;
                }
                f.write_str("}")
            }
            Value::Set(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}

fn nested(claim: &serde_json::Value, depth: u8) -> Option<Value> {
    Some(match claim {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => of_number(number),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) if depth == 0 => Value::Text(claim.to_string()),
        serde_json::Value::Array(items) => {
            Value::Set(items.iter().filter_map(|item| nested(item, depth.saturating_sub(1))).collect())
        }
        serde_json::Value::Object(members) => {
            let member = |(name, value): (&String, &serde_json::Value)| {
                Some((name.clone(), nested(value, depth.saturating_sub(1))?))
            };
            Value::Record(members.iter().filter_map(member).collect())
        }
    })
}

/// JSON makes no difference between 1 and 1.0.
fn of_number(number: &Number) -> Value {
    if let Some(long) = number.as_i64() {
        return Value::Long(long);
    }
    // Below 2^52 a float that was read a little wrong is no whole number; above, it may be another.
    let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 4_503_599_627_370_496.0);
    if let Some(long) = whole.and_then(|whole| format!("{whole:.0}").parse().ok()) {
        return Value::Long(long);
    }
    let text = number.to_string();
    if is_decimal(&text) { Value::Decimal(text) } else { Value::Text(text) }
}

/// Within Cedar's `decimal`: 64 bits with four digits after the point.
fn is_decimal(text: &str) -> bool {
    let Some((whole, fraction)) = text.split_once('.') else { return false };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && whole.len() <= 14 && digits(fraction) && fraction.len() <= 4
}

/// Deeper than any claim means; what lies below is text.
const MAX_DEPTH: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(claim: serde_json::Value, expected: Option<Value>) {
        assert_eq!(Value::of_claim(&claim), expected, "{claim}");
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_number_is_a_long_where_it_is_whole_a_decimal_where_it_is_one_and_else_a_text() {
        for (number, expected) in [
            ("0", Value::Long(0)),
            ("-1", Value::Long(-1)),
            ("9223372036854775807", Value::Long(i64::MAX)),
            ("-9223372036854775808", Value::Long(i64::MIN)),
            ("9223372036854775808", text("9223372036854775808")),
            ("1.0", Value::Long(1)),
            ("-0.0", Value::Long(0)),
            ("1e3", Value::Long(1000)),
            ("123456789012345.0", Value::Long(123_456_789_012_345)),
            ("4503599627370496.0", text("4503599627370496.0")),
            ("1.5", Value::Decimal("1.5".into())),
            ("-0.1234", Value::Decimal("-0.1234".into())),
            ("0.12345", text("0.12345")),
            ("1e-7", text("1e-7")),
            ("1e300", text("1e+300")),
        ] {
            check(serde_json::from_str(number).unwrap(), Some(expected));
        }
    }

    #[test]
    fn null_is_left_out_wherever_it_stands() {
        check(json!(null), None);
        check(json!([null, 1]), Some(Value::Set(vec![Value::Long(1)])));
        check(json!({"a": null, "b": true}), Some(Value::Record(vec![("b".into(), Value::Bool(true))])));
    }

    #[test]
    fn a_claim_that_looks_like_cedars_json_stays_a_record() {
        let entity = json!({"__entity": {"type": "NS::UserGroup", "id": "admin"}});
        let id = vec![("id".to_owned(), text("admin")), ("type".to_owned(), text("NS::UserGroup"))];
        let Some(Value::Record(members)) = Value::of_claim(&entity) else { panic!("not a record") };
        let [(name, Value::Record(inner))] = members.as_slice() else { panic!("{members:?}") };
        let mut inner = inner.clone();
        inner.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!((name.as_str(), inner), ("__entity", id));
    }

    #[test]
    fn what_is_nested_deeper_than_sixteen_levels_is_text() {
        let deep = |levels| (0..levels).fold(json!(7), |inner, _| json!([inner]));
        let mut value = Value::of_claim(&deep(16)).unwrap();
        for _ in 0..16 {
            let Value::Set(items) = value else { panic!("{value:?}") };
            value = items.into_iter().next().unwrap();
        }
        assert_eq!(value, Value::Long(7));
        let mut value = Value::of_claim(&deep(17)).unwrap();
        for _ in 0..16 {
            let Value::Set(items) = value else { panic!("{value:?}") };
            value = items.into_iter().next().unwrap();
        }
        assert_eq!(value, text("[7]"));
    }
}
