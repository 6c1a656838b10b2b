//! Signed requests (RFC 9421): a request's signature, held against the table of keys, its nonce against the table of nonces.

use super::Verifier;
use crate::credentials::signature::{
    MasterSecret, RequestKey, SignatureAlgorithm, SignaturePolicy, SignedParts, UnverifiedSignatures,
};
use crate::denial::Denial;
use crate::live::{KeyId, KeyLookup, KeyMaterial, KeyRecord, KeyTable, Nonce, NonceTable, UnreadableKey};
use crate::request::{Request, UnixSeconds};
use crate::token::{Claims, CredentialKind, RecordFacts, VerifiedRecord};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Verifies signed requests.
#[derive(Debug)]
pub struct Signatures {
    /// Whose keys they are: the issuer's name.
    pub issuer: Arc<str>,
    /// What a signature must be like.
    pub policy: SignaturePolicy,
    /// The keys.
    pub table: Arc<KeyTable>,
    /// What the secrets of HMAC keys are derived from; there where the policy admits such an algorithm.
    pub secret: Option<MasterSecret>,
    /// Where nonces are refused twice.
    pub nonces: Option<NonceTable>,
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
            let key_id = key_id(unverified.key_id())?;
            let record = record(self.table.find(&key_id, now).await?)?;
            let signature = unverified.verify(&self.key(&record)?, &self.policy)?;
            // The signature before the dates: of a key that somebody else has, nothing is said.
            if let Some(why) = record.fault(now) {
                return Err(Denial::BadRequestSignature(why));
            }
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
        async move { Some(self.still_stands(claims, now).await) }.boxed()
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
        match (public_key, &self.secret) {
            (None, Some(secret)) if algorithm.is_symmetric() => RequestKey::derived(secret, record.id().as_str()),
            (Some(public_key), _) => RequestKey::public(algorithm, public_key)
                .map_err(|_| Denial::BadRequestSignature("the key's `public_key` is not one of its algorithm")),
            (None, _) if algorithm.is_symmetric() && self.policy.algorithms.contains(&algorithm) => {
                Err(Denial::KeysUnavailable(NO_SECRET.into()))
            }
            (None, _) if algorithm.is_symmetric() => {
                Err(Denial::BadRequestSignature("the key's algorithm is not accepted"))
            }
            (None, _) => Err(Denial::BadRequestSignature("the key has no `public_key`")),
        }
    }

    /// Whether the record of now says what the one that was judged did, and is valid.
    async fn still_stands(&self, claims: &Claims, now: UnixSeconds) -> Result<(), Denial> {
        let id = claims.credential_id().ok_or(Denial::Internal("a signature without a key"))?;
        let id = key_id(id)?;
        let judged = self.table.recall(&id, now)?;
        let record = record(self.table.find_anew(&id, now).await?)?;
        if let Some(why) = record.fault(now) {
            return Err(Denial::BadRequestSignature(why));
        }
        // What was judged is what the remembered record says; without a memory it was read a moment ago.
        let has_changed = judged.is_some_and(|judged| !judged.says_the_same(&record));
        if has_changed { Err(Denial::BadRequestSignature("the key's record has changed")) } else { Ok(()) }
    }
}

const NO_SECRET: &str = "`signatures` has no `secret`, from which the keys of hmac-sha256 are derived";

fn key_id(id: &str) -> Result<KeyId, Denial> {
    KeyId::parse(id).ok_or(Denial::BadRequestSignature("`keyid` is not the id of a key"))
}

fn record(lookup: KeyLookup) -> Result<Arc<KeyRecord>, Denial> {
    match lookup {
        KeyLookup::Found(record) => Ok(record),
        KeyLookup::Unknown => Err(Denial::BadRequestSignature("the table has no key of that id")),
        // One item is broken, not the table: only its own key is refused.
        KeyLookup::Unreadable(UnreadableKey(why)) => Err(Denial::BadRequestSignature(why)),
    }
}
