//! An entry of the table: what the authorizer reads, and a mark for people.

use aws_sdk_dynamodb::types::AttributeValue;
use cognito_authorizer::live::Revocation;
use cognito_authorizer::request::UnixSeconds;
use std::collections::HashMap;

/// An item of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is about: a `RevocationKey` as text.
    pub pk: String,
    /// What it refuses, and until when.
    pub revocation: Revocation,
    /// Why it is there.
    pub mark: Mark,
}

/// Why, when and by whom an entry was written. The authorizer reads none of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// In the words of whoever wrote it.
    pub reason: Option<String>,
    /// When.
    pub revoked_at: Option<UnixSeconds>,
    /// A person or a program.
    pub revoked_by: Option<String>,
}

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

impl Entry {
    /// Whether it refuses nothing any more.
    #[must_use]
    pub fn is_over(&self, now: UnixSeconds) -> bool {
        self.revocation.expires_at.is_some_and(|end| end <= now)
    }

    /// Reads an item; `None` where it has no key. What else cannot be read counts as
    /// if it were not there, as it does for the authorizer.
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let revoked_at = item.get("revoked_at").and_then(|value| value.as_n().ok());
        let revoked_at = revoked_at.and_then(|number| number.parse().ok()).and_then(UnixSeconds::new);
        let mark = Mark { reason: text("reason"), revoked_at, revoked_by: text("revoked_by") };
        Some(Self { pk: text("pk")?, revocation: Revocation::read(item), mark })
    }

    pub(super) fn to_item(&self) -> Item {
        let Self { pk, revocation: Revocation { not_before, expires_at }, mark } = self;
        let date = |name: &str, at: Option<UnixSeconds>| at.map(|at| (name.to_owned(), number(at)));
        let text = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| (name.to_owned(), AttributeValue::S(text.clone())))
        };
        [
            Some(("pk".to_owned(), AttributeValue::S(pk.clone()))),
            date("not_before", *not_before),
            date("expires_at", *expires_at),
            text("reason", &mark.reason),
            date("revoked_at", mark.revoked_at),
            text("revoked_by", &mark.revoked_by),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What refuses all that either of the two refuses, for as long as either does.
pub(super) fn at_least_both(one: &Revocation, other: &Revocation) -> Revocation {
    Revocation {
        not_before: later(one.not_before, other.not_before),
        expires_at: later(one.expires_at, other.expires_at),
    }
}

/// In both dates of an entry `None` stands for the far end of time.
fn later(one: Option<UnixSeconds>, other: Option<UnixSeconds>) -> Option<UnixSeconds> {
    let (one, other) = (one?, other?);
    Some(if one < other { other } else { one })
}

/// DynamoDB's TTL takes whole seconds, and so do all dates here.
pub(super) fn number(at: UnixSeconds) -> AttributeValue {
    AttributeValue::N(format!("{:.0}", at.as_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Option<UnixSeconds> {
        UnixSeconds::new(seconds)
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let whole = Entry {
            pk: "sub#https://i.example#s".into(),
            revocation: Revocation { not_before: at(500.0), expires_at: at(1500.0) },
            mark: Mark { reason: Some("lost".into()), revoked_at: at(499.0), revoked_by: Some("ada".into()) },
        };
        let bare = Entry {
            pk: "jti#j".into(),
            revocation: Revocation { not_before: None, expires_at: None },
            mark: Mark::default(),
        };
        for entry in [whole, bare] {
            assert_eq!(Entry::from_item(&entry.to_item()), Some(entry));
        }
    }

    #[test]
    fn items_are_written_as_the_contract_has_them() {
        let entry = Entry {
            pk: "jti#j".into(),
            revocation: Revocation { not_before: at(500.0), expires_at: at(1_763_726_400.0) },
            mark: Mark::default(),
        };
        let expected = [
            ("pk", AttributeValue::S("jti#j".into())),
            ("not_before", AttributeValue::N("500".into())),
            ("expires_at", AttributeValue::N("1763726400".into())),
        ];
        assert_eq!(entry.to_item(), expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn an_item_without_a_key_is_no_entry() {
        assert_eq!(Entry::from_item(&Item::new()), None);
        assert_eq!(Entry::from_item(&Item::from([("pk".to_owned(), AttributeValue::N("1".into()))])), None);
    }

    #[test]
    fn two_revocations_together_refuse_all_that_either_does() {
        let revocation = |not_before, expires_at| Revocation { not_before, expires_at };
        for (one, other, both) in [
            (revocation(at(1.0), at(9.0)), revocation(at(2.0), at(8.0)), revocation(at(2.0), at(9.0))),
            (revocation(None, at(9.0)), revocation(at(2.0), at(10.0)), revocation(None, at(10.0))),
            (revocation(at(1.0), None), revocation(at(2.0), at(8.0)), revocation(at(2.0), None)),
            (revocation(None, None), revocation(at(2.0), at(8.0)), revocation(None, None)),
        ] {
            assert_eq!(at_least_both(&one, &other), both);
            assert_eq!(at_least_both(&other, &one), both);
            assert_eq!(at_least_both(&both, &both), both);
        }
    }

    #[test]
    fn an_entry_is_over_exactly_when_the_authorizer_stops_to_heed_it() {
        let entry = |expires_at| Entry {
            pk: "jti#j".into(),
            revocation: Revocation { not_before: None, expires_at },
            mark: Mark::default(),
        };
        for (expires_at, over) in [(None, false), (at(1001.0), false), (at(1000.0), true), (at(999.0), true)] {
            assert_eq!(entry(expires_at).is_over(at(1000.0).unwrap()), over, "{expires_at:?}");
        }
    }
}
