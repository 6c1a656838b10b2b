//! Whose request a call is made for, so that what one caller brings about costs no other.

use crate::bounded_store::Weight;
use crate::token::{Claims, IntrospectedToken, TokenDigest};
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// A caller, strongly hashed: nobody can make the name of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// An issuer vouched for the name: the `sub`, or the client, of one issuer.
    Principal([u8; 32]),
    /// Nobody did. One sender can be any number of these.
    Stranger([u8; 32]),
}

impl Caller {
    /// Whom accepted claims are about.
    pub(crate) fn of(claims: &Claims) -> Self {
        match claims.principal_id() {
            Some(id) => Caller::Principal(hash(&[claims.issuer(), id])),
            None => {
                let text = |name| claims.text(name).unwrap_or_default();
                Caller::Stranger(hash(&[claims.issuer(), text("jti"), text("origin_jti")]))
            }
        }
    }

    /// Whoever names this key. Nobody can make the read of an item hang, whatever its id, so that lost reads of different
    /// ids speak of the table.
    pub(crate) fn of_key(id: &[u8; 32]) -> Self {
        Caller::Principal(*id)
    }

    /// The owner of a key that an issuer vouched for, and who has proven to hold it.
    pub(crate) fn holder(issuer: &str, key_id: &str) -> Self {
        Caller::Principal(hash(&[issuer, key_id]))
    }

    /// Whom an issuer says that an opaque token is about; `None` where it does not say. Not to be
    /// mixed with callers of other issuers.
    pub(crate) fn of_introspected(token: &IntrospectedToken) -> Option<Self> {
        let text = |name| token.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        ["sub", "client_id"].into_iter().find_map(text).map(|id| Caller::Principal(hash(&[id])))
    }

    /// Whoever sent an opaque token that no issuer has vouched for.
    pub(crate) fn stranger(token: &TokenDigest) -> Self {
        Caller::Stranger(*token.as_bytes())
    }
}

impl Weight for Caller {
    fn bytes_elsewhere(&self) -> usize {
        0
    }
}

/// Each part with its length, so that no two lists are written alike.
fn hash(parts: &[&str]) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    for part in parts {
        digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
    bytes.copy_from_slice(digest.finish().as_ref());
    bytes
}
