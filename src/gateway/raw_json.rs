//! Parts of an event's JSON, each read on its own: what is of another type than expected is passed over, and no value
//! that somebody sends makes another one fail.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A JSON string; `None` for anything else, and for one that is not Unicode.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    struct Text;

    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok(Cow::Borrowed(text))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Cow::Owned(text.to_owned()))
        }
    }

    serde_json::Deserializer::from_str(raw.get()).deserialize_str(Text).ok()
}

/// Hands over the strings under the keys that `is_named` accepts, each a string or
/// a list of strings; passes over everything else.
pub(super) fn values<'a>(
    map: Option<&'a RawValue>,
    is_named: &dyn Fn(&[u8]) -> bool,
    take: &mut dyn FnMut(Cow<'a, str>),
) {
    let Some(map) = map else { return };
    // What is not a map holds no value; a map that breaks off cannot be (its text
    // was validated as part of the event).
    let _ = serde_json::Deserializer::from_str(map.get()).deserialize_map(NamedValues { is_named, take });
}

struct NamedValues<'f, 'a> {
    is_named: &'f dyn Fn(&[u8]) -> bool,
    take: &'f mut dyn FnMut(Cow<'a, str>),
}

impl<'de> Visitor<'de> for NamedValues<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_named) = map.next_key_seed(Key(self.is_named))? {
            if is_named {
                let value: &'de RawValue = map.next_value()?;
                match text(value) {
                    Some(value) => (self.take)(value),
                    None => strings(Some(value), self.take),
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// What a key means, read as bytes: a client may send one that is not Unicode.
pub(super) struct Key<F>(pub(super) F);

impl<'de, T, F: FnOnce(&[u8]) -> T> DeserializeSeed<'de> for Key<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<T, E> {
        Ok((self.0)(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key.as_bytes()))
    }
}

/// Hands over the strings of a list, and passes over everything else.
pub(super) fn strings<'a>(list: Option<&'a RawValue>, take: &mut dyn FnMut(Cow<'a, str>)) {
    let Some(list) = list else { return };
    let items: Vec<&'a RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    items.into_iter().filter_map(text).for_each(take);
}

/// The one member of that name; `None` where there is none, or several, or no map.
pub(super) fn member<'a>(map: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut found = Vec::new();
    members(map, &mut |key, value| {
        if key == name {
            found.push(value);
        }
    });
    match found.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// Hands over all members of a map, in their order.
pub(super) fn members<'a>(map: &'a RawValue, take: &mut dyn FnMut(Cow<'a, str>, &'a RawValue)) {
    // What is not a map holds nothing; a map that breaks off cannot be (its text was
    // validated as part of the event).
    let _ = serde_json::Deserializer::from_str(map.get()).deserialize_map(Members(take));
}

struct Members<'f, 'a>(&'f mut dyn FnMut(Cow<'a, str>, &'a RawValue));

impl<'de> Visitor<'de> for Members<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // A name that is not Unicode cannot stand in a policy.
        while let Some(name) = map.next_key_seed(Key(|key: &[u8]| String::from_utf8(key.to_vec()).ok()))? {
            match name {
                Some(name) => (self.0)(Cow::Owned(name), map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
