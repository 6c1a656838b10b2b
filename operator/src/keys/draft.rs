//! What an operator says of a key, and the item that follows from it.

use aws_sdk_dynamodb::types::AttributeValue;
use cognito_authorizer::credentials::ApiKey;
use cognito_authorizer::credentials::signature::SignatureAlgorithm;
use cognito_authorizer::live::{KeyId, KeyRecord, UnreadableKey};
use cognito_authorizer::request::UnixSeconds;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

pub(super) type Item = HashMap<String, AttributeValue>;

/// An API key as it is to be, without the key itself.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Whose key it is.
    pub sub: Option<String>,
    /// The client that it stands for.
    pub client_id: Option<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// Other claims, each a text.
    pub claims: HashMap<String, String>,
    /// Its key in a usage plan of API Gateway.
    pub usage_identifier_key: Option<String>,
    /// From then on it is not valid.
    pub not_after: Option<UnixSeconds>,
}

impl Draft {
    /// The item of a key that was made at that time.
    ///
    /// # Errors
    /// [`UnreadableKey`] where the authorizer would refuse it.
    pub(super) fn item(&self, key: &ApiKey<'_>, created_at: UnixSeconds) -> Result<Item, UnreadableKey> {
        let mut item = self.record();
        identify(&mut item, key, created_at)?;
        Ok(item)
    }

    /// The item of a key that signs requests (RFC 9421), made at that time.
    ///
    /// # Errors
    /// [`UnreadableKey`] where the authorizer would refuse it.
    pub(super) fn signature_item(&self, key: &SignatureKey, created_at: UnixSeconds) -> Result<Item, UnreadableKey> {
        let mut item = self.record();
        item.insert("pk".to_owned(), AttributeValue::S(key.id.partition_key()));
        item.insert("algorithm".to_owned(), AttributeValue::S(key.algorithm.name().to_owned()));
        if let Some(public_key) = &key.public_key {
            item.insert("public_key".to_owned(), AttributeValue::S(public_key.clone()));
        }
        item.insert("created_at".to_owned(), number(created_at));
        // Nothing is written that the authorizer would not read.
        KeyRecord::read(key.id.clone(), &item)?;
        Ok(item)
    }

    /// What it says of its owner.
    fn record(&self) -> Item {
        let text = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| (name.to_owned(), AttributeValue::S(text.clone())))
        };
        let claims = self.claims.iter().map(|(name, value)| (name.clone(), AttributeValue::S(value.clone())));
        let claims = AttributeValue::M(claims.collect());
        let groups = AttributeValue::Ss(self.groups.iter().cloned().collect());
        let mut item: Item = [
            text("sub", &self.sub),
            text("client_id", &self.client_id),
            text("usage_identifier_key", &self.usage_identifier_key),
            (!self.scopes.is_empty()).then(|| ("scope".to_owned(), AttributeValue::S(self.scopes.join(" ")))),
            (!self.groups.is_empty()).then(|| ("groups".to_owned(), groups)),
            (!self.claims.is_empty()).then(|| ("claims".to_owned(), claims)),
        ]
        .into_iter()
        .flatten()
        .collect();
        set_end(&mut item, self.not_after);
        item
    }
}

/// A key that signs requests.
#[derive(Clone, Debug)]
pub struct SignatureKey {
    /// Its id: `keyid`.
    pub id: KeyId,
    /// Its one algorithm.
    pub algorithm: SignatureAlgorithm,
    /// PEM; none for an HMAC, whose secret is derived.
    pub public_key: Option<String>,
}

/// Makes an item that of this key.
pub(super) fn identify(item: &mut Item, key: &ApiKey<'_>, created_at: UnixSeconds) -> Result<(), UnreadableKey> {
    let id = KeyId::parse(key.id()).ok_or(UnreadableKey("the id is not one"))?;
    let sha256: String = key.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    item.insert("pk".to_owned(), AttributeValue::S(id.partition_key()));
    item.insert("sha256".to_owned(), AttributeValue::S(sha256));
    item.insert("created_at".to_owned(), number(created_at));
    // Nothing is written that the authorizer would not read.
    KeyRecord::read(id, item).map(drop)
}

/// Sets when an item's key ends, and when DynamoDB may delete it.
pub(super) fn set_end(item: &mut Item, not_after: Option<UnixSeconds>) {
    for (name, date) in ends(not_after) {
        match date {
            Some(date) => item.insert(name.to_owned(), date),
            None => item.remove(name),
        };
    }
}

/// `not_after` and `expires_at`, as an item has them.
pub(super) fn ends(not_after: Option<UnixSeconds>) -> [(&'static str, Option<AttributeValue>); 2] {
    let deleted = not_after.map(|end| number(end.plus(KEPT_AFTER_THE_END)));
    [("not_after", not_after.map(number)), ("expires_at", deleted)]
}

/// Whole seconds, as DynamoDB's TTL wants them.
fn number(at: UnixSeconds) -> AttributeValue {
    AttributeValue::N(format!("{:.0}", at.as_f64().floor()))
}

/// So long a key that has ended stays in the table, for whoever asks what it was.
pub const KEPT_AFTER_THE_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_authorizer::credentials::{DEFAULT_PREFIX, NewApiKey};
    use cognito_authorizer::live::KeyMaterial;
    use std::convert::Infallible;

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn item(draft: &Draft) -> Result<Item, UnreadableKey> {
        let fill = |bytes: &mut [u8]| {
            bytes.fill(1);
            Ok::<_, Infallible>(())
        };
        let key = NewApiKey::make(DEFAULT_PREFIX, fill).unwrap().unwrap();
        draft.item(&key.parsed().unwrap(), at(1000.9))
    }

    #[test]
    fn an_item_has_what_the_operator_said_and_the_hash_of_the_key() {
        let draft = Draft {
            sub: Some("partner".into()),
            scopes: vec!["a".into(), "b".into()],
            groups: ["g".to_owned()].into(),
            claims: HashMap::from([("plan".into(), "gold".into())]),
            usage_identifier_key: Some("u".into()),
            not_after: Some(at(2000.0)),
            ..Draft::default()
        };
        let item = item(&draft).unwrap();
        let s = |text: &str| AttributeValue::S(text.into());
        let n = |number: &str| AttributeValue::N(number.into());
        let sha256 = item.get("sha256").unwrap().as_s().unwrap().clone();
        assert_eq!(sha256.len(), 64);
        let expected = [
            ("pk", s("key#1111111111111111")),
            ("sha256", s(&sha256)),
            ("sub", s("partner")),
            ("scope", s("a b")),
            ("groups", AttributeValue::Ss(vec!["g".into()])),
            ("claims", AttributeValue::M(HashMap::from([("plan".into(), s("gold"))]))),
            ("usage_identifier_key", s("u")),
            ("created_at", n("1000")),
            ("not_after", n("2000")),
            ("expires_at", n("2594000")),
        ];
        assert_eq!(item, expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert!(!format!("{draft:?}").contains(&sha256));
    }

    #[test]
    fn what_the_authorizer_would_not_read_is_not_written() {
        let named = Draft { sub: Some("partner".into()), ..Draft::default() };
        assert!(item(&named).is_ok());
        assert_eq!(item(&Draft::default()), Err(UnreadableKey("neither `sub` nor `client_id`")));
        assert!(item(&Draft { sub: Some(String::new()), ..Draft::default() }).is_err());
        let claims = HashMap::from([("exp".to_owned(), "1".to_owned())]);
        assert_eq!(item(&Draft { claims, ..named }), Err(UnreadableKey("`claims` has a name that is reserved")));
    }

    #[test]
    fn a_key_that_signs_requests_is_read_as_one_by_the_authorizer() {
        let draft = Draft { sub: Some("partner-a".to_owned()), scopes: vec!["read".to_owned()], ..Draft::default() };
        let id = || KeyId::parse("0a1b").unwrap();
        for (algorithm, public_key) in
            [(SignatureAlgorithm::HmacSha256, None), (SignatureAlgorithm::Ed25519, Some("PEM".to_owned()))]
        {
            let key = SignatureKey { id: id(), algorithm, public_key: public_key.clone() };
            let item = draft.signature_item(&key, at(1000.0)).unwrap();
            assert!(!item.contains_key("sha256"));
            let record = KeyRecord::read(id(), &item).unwrap();
            let expected = KeyMaterial::Signature { algorithm: algorithm.name().to_owned(), public_key };
            assert!(record.material() == &expected, "{algorithm}");
            assert_eq!(record.created_at(), Some(at(1000.0)));
        }
        let nobody =
            SignatureKey { id: id(), algorithm: SignatureAlgorithm::Ed25519, public_key: Some("PEM".to_owned()) };
        assert!(Draft::default().signature_item(&nobody, at(1000.0)).is_err());
    }
}
