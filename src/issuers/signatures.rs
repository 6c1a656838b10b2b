//! Signed requests (RFC 9421): a request's signature, held against the table of keys, its nonce against the table of nonces.

use super::Verifier;
use super::key_records::KeyRecords;
use crate::credentials::signature::{
    MasterSecret, RequestKey, SignatureAlgorithm, SignaturePolicy, SignedParts, UnverifiedSignatures,
};
use crate::denial::Denial;
use crate::live::{KeyId, KeyMaterial, KeyRecord, KeyTable, Nonce, NonceTable};
use crate::request::{Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, RecordFacts, VerifiedRecord};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Verifies signed requests.
#[derive(Debug)]
pub struct Signatures {
    issuer: Arc<str>,
    policy: SignaturePolicy,
    keys: KeyRecords,
    secret: Option<MasterSecret>,
    nonces: Option<NonceTable>,
}

impl Signatures {
    /// Signatures by the keys of that table, of an issuer of that name. `secret` is what the secrets of HMAC keys are
    /// derived from: without it those are unavailable. In `nonces` each nonce is taken once.
    #[must_use]
    pub fn new(
        issuer: Arc<str>,
        policy: SignaturePolicy,
        table: Arc<KeyTable>,
        secret: Option<MasterSecret>,
        nonces: Option<NonceTable>,
    ) -> Self {
        Self { issuer, policy, keys: KeyRecords { table, refuse: Denial::BadRequestSignature }, secret, nonces }
    }
}

impl Verifier for Signatures {
    fn kind(&self) -> CredentialKind {
        CredentialKind::Signature
    }

    fn verify<'a>(
        &'a self,
        request: &'a Request<'_>,
        now: UnixSeconds,
        id: &'a mut Option<String>,
    ) -> BoxFuture<'a, Result<VerifiedRecord, Denial>> {
        async move {
            let message = request.message.as_ref().ok_or(Denial::Internal("a signed request without its message"))?;
            let parts = SignedParts { method: request.method, message };
            let unverified = UnverifiedSignatures::parse(&parts, &self.policy, now)?;
            *id = Some(unverified.key_id().to_owned());
            let key_id = KeyId::parse(unverified.key_id())
                .ok_or(Denial::BadRequestSignature("`keyid` is not the id of a key"))?;
            let record = self.keys.find(&key_id, now).await?;
            let signature = unverified.verify(&self.key(&record)?, &self.policy)?;
            // The signature before the dates: of a key that somebody else has, nothing is said.
            self.keys.check(&record, now)?;
            // Last: only who has the key can use up its nonces.
            if let (Some(nonces), Some(nonce)) = (&self.nonces, signature.nonce()) {
                let nonce = Nonce { issuer: &self.issuer, key_id: key_id.as_str(), nonce };
                let replayed = Denial::BadRequestSignature("the nonce was used before");
                nonces.claim(nonce, signature.valid_until(), replayed).await?;
            }
            let until = signature.valid_until();
            let expires = record.not_after().filter(|end| *end < until).unwrap_or(until);
            let facts =
                RecordFacts { id: key_id.as_str().to_owned(), issued_at: record.created_at(), expires: Some(expires) };
            Ok(signature.into_record(facts, record.claims().clone()))
        }
        .boxed()
    }

    fn ask_anew<'a>(&'a self, claims: &'a Claims, now: UnixSeconds) -> BoxFuture<'a, Option<Result<(), Denial>>> {
        async move { Some(self.keys.still_stands(claims, now).await) }.boxed()
    }

    fn can_ask_anew(&self) -> bool {
        true
    }

    fn warning(&self) -> Option<&str> {
        let is_missing = self.secret.is_none() && self.policy.algorithms.iter().any(|one| one.is_symmetric());
        is_missing.then_some("`signatures` accepts `hmac-sha256` and has no `secret`: requests that are signed so are `keys_unavailable`")
    }
}

impl Signatures {
    fn key(&self, record: &KeyRecord) -> Result<RequestKey, Denial> {
        let KeyMaterial::Signature { algorithm, public_key } = record.material() else {
            return Err(Denial::BadRequestSignature("the key is an API key, and signs no requests"));
        };
        let algorithm = SignatureAlgorithm::parse(algorithm)
            .ok_or(Denial::BadRequestSignature("the key's algorithm is not known"))?;
        if let Some(public_key) = public_key {
            return RequestKey::public(algorithm, public_key)
                .map_err(|_| Denial::BadRequestSignature("the key's `public_key` is not one of its algorithm"));
        }
        if !algorithm.is_symmetric() {
            return Err(Denial::BadRequestSignature("the key has no `public_key`"));
        }
        match &self.secret {
            Some(secret) => RequestKey::derived(secret, record.id().as_str()),
            None if self.policy.algorithms.contains(&algorithm) => Err(Denial::KeysUnavailable(NO_SECRET.into())),
            None => Err(Denial::BadRequestSignature("the key's algorithm is not accepted")),
        }
    }
}

const NO_SECRET: &str = "`signatures` has no `secret`, from which the keys of hmac-sha256 are derived";
