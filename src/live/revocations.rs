//! The table of revocations in DynamoDB: what was revoked before it expired.
//!
//! An item's `pk` names a token (`jti#`, or `origin_jti#` for all that came of one
//! sign-in), a user (`sub#<iss>#<sub>`), a client (`client#<iss>#<client_id>`) or a
//! client certificate (`cert#<SHA-256 of its DER in lower-case hex>`, or of its
//! `tbsCertificate`: whoever holds a certificate can change the bytes of its ECDSA
//! signature, and with them its DER, but not what was signed).
//! `not_before` (epoch seconds) refuses tokens issued at or before it; without it all
//! are refused. `expires_at` (epoch seconds) ends the item exactly then: DynamoDB
//! deletes late, so the time is compared here.

use super::breaker::Breaker;
use super::caller::Caller;
use crate::denial::Denial;
use crate::http::{Outage, RemoteCounts, aws};
use crate::request::UnixSeconds;
use crate::substitute::{OUTAGE, Reply, Substitute};
use crate::token::{Claims, CredentialKind};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The table, read when a request asks.
#[derive(Debug)]
pub struct RevocationTable {
    name: String,
    client: OnceCell<Client>,
    breaker: Breaker,
}

/// What an item is about: its `pk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationKey {
    /// One token.
    Jti(String),
    /// All tokens of one sign-in.
    OriginJti(String),
    /// All tokens of one user.
    Subject {
        /// The issuer.
        issuer: String,
        /// The user's `sub` there.
        subject: String,
    },
    /// All tokens of one client.
    Client {
        /// The issuer.
        issuer: String,
        /// The client's id there.
        client_id: String,
    },
    /// A client certificate, by its fingerprint, and all tokens that are bound to it.
    Certificate(String),
}

impl fmt::Display for RevocationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RevocationKey::Jti(jti) => write!(f, "jti#{jti}"),
            RevocationKey::OriginJti(jti) => write!(f, "origin_jti#{jti}"),
            RevocationKey::Subject { issuer, subject } => write!(f, "sub#{issuer}#{subject}"),
            RevocationKey::Client { issuer, client_id } => write!(f, "client#{issuer}#{client_id}"),
            RevocationKey::Certificate(fingerprint) => write!(f, "cert#{fingerprint}"),
        }
    }
}

impl RevocationKey {
    /// All that could name this token.
    fn of(claims: &Claims) -> Vec<Self> {
        let issuer = || claims.issuer().to_owned();
        let jti = claims.text("jti").map(|jti| RevocationKey::Jti(jti.to_owned()));
        let origin = claims.text("origin_jti").map(|jti| RevocationKey::OriginJti(jti.to_owned()));
        let subject = claims.subject().map(|sub| RevocationKey::Subject { issuer: issuer(), subject: sub.to_owned() });
        let client = claims.client_id().and_then(|id| id.as_str()).filter(|id| !id.is_empty());
        let client = client.map(|id| RevocationKey::Client { issuer: issuer(), client_id: id.to_owned() });
        let certificates = claims.certificate_fingerprints().into_iter().map(RevocationKey::Certificate);
        // No item can have a longer key, so none is about such a token.
        let fits = |key: &Self| key.to_string().len() <= MAX_KEY_BYTES;
        [jti, origin, subject, client].into_iter().flatten().chain(certificates).filter(fits).collect()
    }
}

/// What an item says. What cannot be read counts as if it were not there, which
/// makes it refuse more.
#[derive(Clone, Debug, PartialEq)]
pub struct Revocation {
    /// Tokens issued at or before this are refused; without it all are.
    pub not_before: Option<UnixSeconds>,
    /// When the item ends; without it never.
    pub expires_at: Option<UnixSeconds>,
}

impl Revocation {
    /// Reads an item.
    pub fn read(item: &HashMap<String, AttributeValue>) -> Self {
        let date = |name: &str| {
            let number: f64 = item.get(name)?.as_n().ok()?.parse().ok()?;
            UnixSeconds::new(number)
        };
        Self { not_before: date("not_before"), expires_at: date("expires_at") }
    }

    /// Whether a token that was issued then is refused now. A token that does not
    /// say when is.
    fn refuses(&self, issued_at: Option<UnixSeconds>, now: UnixSeconds) -> bool {
        let is_over = self.expires_at.is_some_and(|end| end <= now);
        let spares = match (self.not_before, issued_at) {
            (Some(not_before), Some(issued_at)) => issued_at > not_before,
            (None, _) | (_, None) => false,
        };
        !is_over && !spares
    }
}

impl RevocationTable {
    /// The table of that name, in the function's own region and account.
    #[must_use]
    pub fn new(name: String, counts: &RemoteCounts) -> Self {
        Self { name, client: OnceCell::new(), breaker: Breaker::new(counts.revocation_checks.clone()) }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks whether anything about this token was revoked.
    ///
    /// # Errors
    /// [`Denial::TokenRevoked`]; [`Denial::NotIntrospectable`] for a token that
    /// nothing could name; [`Denial::RevocationsUnavailable`].
    pub(super) async fn check(&self, claims: &Claims, now: UnixSeconds) -> Result<(), Denial> {
        let keys = keys_of(claims)?;
        // On the heap: an SDK call's future is large, and most requests make none.
        let found = self.breaker.call(Caller::of(claims), TIMEOUT, self.read(keys).boxed()).await;
        let found = found.map_err(|outage| Denial::RevocationsUnavailable(outage.why))?;
        if found.iter().any(|revocation| revocation.refuses(claims.issued_at(), now)) {
            return Err(Denial::TokenRevoked(IN_THE_TABLE));
        }
        Ok(())
    }

    /// What would become of that if the table answered so.
    pub(super) fn answered_by(substitute: &dyn Substitute, claims: &Claims) -> Result<(), Denial> {
        keys_of(claims)?;
        match substitute.revocations() {
            Reply::Yes => Ok(()),
            Reply::No | Reply::Revoked => Err(Denial::TokenRevoked(IN_THE_TABLE)),
            Reply::Outage => Err(Denial::RevocationsUnavailable(OUTAGE.into())),
        }
    }

    /// One consistent batch read; keys that were not processed are asked for again
    /// until the deadline.
    async fn read(&self, keys: Vec<RevocationKey>) -> Result<Vec<Revocation>, Outage> {
        let connect = || async { aws::client!(aws_sdk_dynamodb, None, TIMEOUT) };
        let client = self.client.get_or_init(connect).await;
        let key = |key: RevocationKey| HashMap::from([("pk".to_owned(), AttributeValue::S(key.to_string()))]);
        let mut wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.into_iter().map(key).collect()))
            .consistent_read(true)
            .build()
            .map_err(|_| Outage::answered("the request could not be made"))?;
        let mut found = Vec::new();
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = client.batch_get_item().request_items(&self.name, wanted).send().await;
            let answer = answer.map_err(|error| aws::outage(&error))?;
            let items = answer.responses.unwrap_or_default().remove(&self.name);
            found.extend(items.iter().flatten().map(Revocation::read));
            let unprocessed = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
            match (unprocessed.filter(|unprocessed| !unprocessed.keys().is_empty()), items) {
                (Some(unprocessed), _) => wanted = unprocessed,
                (None, Some(_)) => return Ok(found),
                // DynamoDB answers for each table that it was asked about, if only
                // with an empty list. Silence is no "nothing was revoked".
                (None, None) => return Err(Outage::answered("an answer that does not speak of the table")),
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }
}

/// All that could name this credential in the table; never nothing. Of a token more than the certificate that it is bound
/// to: revoking that is not revoking the token.
fn keys_of(claims: &Claims) -> Result<Vec<RevocationKey>, Denial> {
    let keys = RevocationKey::of(claims);
    let is_certificate = claims.credential() == CredentialKind::Certificate;
    let is_own_name = |key: &RevocationKey| is_certificate || !matches!(key, RevocationKey::Certificate(_));
    if !keys.iter().any(is_own_name) {
        return Err(Denial::NotIntrospectable("nothing in the token could be revoked"));
    }
    Ok(keys)
}

const IN_THE_TABLE: &str = "in the table of revocations";

/// "Partition key: 2048 bytes" (DynamoDB, quotas).
const MAX_KEY_BYTES: usize = 2048;

/// For one check, retries included.
const TIMEOUT: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Option<UnixSeconds> {
        UnixSeconds::new(seconds)
    }

    #[test]
    fn an_item_refuses_until_it_ends_and_spares_what_was_issued_later() {
        let now = at(1000.0).unwrap();
        for (not_before, expires_at, issued_at, refused) in [
            (None, None, at(1.0), true),
            (None, None, None, true),
            (None, at(1001.0), at(1.0), true),
            (None, at(1000.0), at(1.0), false),
            (None, at(999.0), at(1.0), false),
            (at(500.0), None, at(499.0), true),
            (at(500.0), None, at(500.0), true),
            (at(500.0), None, at(501.0), false),
            (at(500.0), None, None, true),
            (at(500.0), at(999.0), at(499.0), false),
        ] {
            let revocation = Revocation { not_before, expires_at };
            assert_eq!(revocation.refuses(issued_at, now), refused, "{revocation:?} {issued_at:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_refuses_more() {
        let item = |name: &str, value: AttributeValue| Revocation::read(&HashMap::from([(name.to_owned(), value)]));
        assert_eq!(item("not_before", AttributeValue::N("500".into())).not_before, at(500.0));
        for broken in [AttributeValue::S("500".into()), AttributeValue::N("x".into()), AttributeValue::Null(true)] {
            assert_eq!(item("not_before", broken.clone()).not_before, None);
            assert_eq!(item("expires_at", broken).expires_at, None);
        }
    }

    #[test]
    fn keys_are_written_as_the_contract_has_them() {
        let issuer = || "https://i.example".to_owned();
        for (key, expected) in [
            (RevocationKey::Jti("j".into()), "jti#j"),
            (RevocationKey::OriginJti("o".into()), "origin_jti#o"),
            (RevocationKey::Subject { issuer: issuer(), subject: "s".into() }, "sub#https://i.example#s"),
            (RevocationKey::Client { issuer: issuer(), client_id: "c".into() }, "client#https://i.example#c"),
            (RevocationKey::Certificate("00ff".into()), "cert#00ff"),
        ] {
            assert_eq!(key.to_string(), expected);
        }
    }
}
