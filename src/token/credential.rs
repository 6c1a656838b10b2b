//! What kind of credential claims come from.

use crate::request::UnixSeconds;
use serde_json::{Map, Value};

/// A kind of credential, as a rule and the log name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A signed token that carries its claims (RFC 7519).
    Jwt,
    /// A token that only its issuer can read (RFC 7662).
    Opaque,
    /// A key of a table.
    ApiKey,
    /// A client certificate.
    Certificate,
    /// A signed request (RFC 9421).
    Signature,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [CredentialKind; 5] = [Self::Jwt, Self::Opaque, Self::ApiKey, Self::Certificate, Self::Signature];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Opaque => "opaque",
            Self::ApiKey => "api_key",
            Self::Certificate => "certificate",
            Self::Signature => "signature",
        }
    }
}

/// What an API key, a certificate or a signed request stands for, once it is known to be good.
///
/// Each kind is stated in the one file that verifies it; `make layers` holds them to that.
pub struct VerifiedRecord {
    pub(super) kind: CredentialKind,
    pub(super) id: String,
    pub(super) other_id: Option<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) issued_at: Option<UnixSeconds>,
    pub(super) expires: UnixSeconds,
}

/// What is said of a credential beside the claims that it stands for.
pub struct RecordFacts {
    /// What names the credential, and is no secret: a key's id, the SHA-256 of a certificate in hex.
    pub id: String,
    /// When it was made.
    pub issued_at: Option<UnixSeconds>,
    /// When it ends; without it, never.
    pub expires: Option<UnixSeconds>,
}

impl VerifiedRecord {
    /// States that an API key is the one of its id.
    pub(crate) fn of_api_key(facts: RecordFacts, claims: Map<String, Value>) -> Self {
        Self::new(CredentialKind::ApiKey, facts, claims)
    }

    /// States that a client certificate is vouched for now, and has this identity. `other_id` names it by what its
    /// issuer signed: it may be revoked by that as well.
    pub(crate) fn of_certificate(facts: RecordFacts, other_id: String, claims: Map<String, Value>) -> Self {
        Self { other_id: Some(other_id), ..Self::new(CredentialKind::Certificate, facts, claims) }
    }

    /// States that a request is signed by the key of this id.
    pub(crate) fn of_signature(facts: RecordFacts, claims: Map<String, Value>) -> Self {
        Self::new(CredentialKind::Signature, facts, claims)
    }

    fn new(kind: CredentialKind, facts: RecordFacts, claims: Map<String, Value>) -> Self {
        let RecordFacts { id, issued_at, expires } = facts;
        Self { kind, id, other_id: None, claims, issued_at, expires: expires.unwrap_or(UnixSeconds::LAST) }
    }
}

impl std::fmt::Debug for VerifiedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedRecord").field("kind", &self.kind).finish_non_exhaustive()
    }
}
