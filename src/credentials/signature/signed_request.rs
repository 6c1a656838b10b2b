//! A signed request: from what its fields say to what its key proves.
//!
//! Everything that can be refused without a key is refused before one is looked up.

use super::algorithm::SignatureAlgorithm;
use super::component::{Component, SignedParts, field};
use super::fields::{self, Labelled};
use super::request_key::RequestKey;
use crate::denial::Denial;
use crate::request::UnixSeconds;
use crate::token::{RecordFacts, VerifiedRecord};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::time::Duration;

/// What a signature must be like.
#[derive(Clone, Debug)]
pub struct SignaturePolicy {
    /// No other algorithm is verified, whatever a request or a key says.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How old `created` may be.
    pub max_age: Duration,
    /// How far clocks may be apart: `created` in the future, `expires` in the past.
    pub leeway: Duration,
    /// The components that each signature must cover.
    pub cover: Vec<Component>,
    /// Whether a signature must have a `nonce`.
    pub needs_nonce: bool,
}

/// Signatures of a request by one key that are as the policy wants them; nothing is verified yet.
#[derive(Debug)]
pub struct UnverifiedSignatures {
    key_id: String,
    /// At least one.
    candidates: Vec<Candidate>,
}

struct Candidate {
    algorithm: Option<SignatureAlgorithm>,
    base: String,
    signature: Vec<u8>,
    nonce: Option<String>,
    valid_until: UnixSeconds,
}

/// A signature that its key verified. Only [`UnverifiedSignatures::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedSignature {
    key_id: String,
    nonce: Option<String>,
    valid_until: UnixSeconds,
}

impl VerifiedSignature {
    /// The record of the key, as a credential that is good.
    #[must_use]
    pub fn into_record(self, facts: RecordFacts, claims: Map<String, Value>) -> VerifiedRecord {
        VerifiedRecord::of_signature(facts, claims)
    }

    /// `keyid`.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// `nonce`.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// When the policy stops to accept this signature: a nonce must be remembered until then.
    #[must_use]
    pub fn valid_until(&self) -> UnixSeconds {
        self.valid_until
    }
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl UnverifiedSignatures {
    /// Reads the signatures of a request and keeps those that the policy admits.
    ///
    /// # Errors
    /// [`Denial::AmbiguousToken`] where they are by different keys; [`Denial::BadRequestSignature`]: of several
    /// signatures that the policy refuses, why the first is.
    pub fn parse(parts: &SignedParts<'_>, policy: &SignaturePolicy, now: UnixSeconds) -> Result<Self, Denial> {
        let missing = |_| Denial::BadRequestSignature("`Signature-Input` or `Signature` is missing");
        let input = field(parts, "signature-input").map_err(missing)?;
        let signature = field(parts, "signature").map_err(missing)?;
        let labelled = fields::parse(&input, &signature).map_err(Denial::BadRequestSignature)?;
        let key_id = labelled.first().map(|first| first.key_id.clone()).unwrap_or_default();
        if labelled.iter().any(|other| other.key_id != key_id) {
            return Err(Denial::AmbiguousToken);
        }
        if !is_key_id(&key_id) {
            return Err(Denial::BadRequestSignature("`keyid` is not the id of a key"));
        }
        let mut refusal = "no signature";
        let mut candidates = Vec::new();
        for labelled in labelled.into_iter().rev() {
            match admit(labelled, parts, policy, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(reason) => refusal = reason,
            }
        }
        candidates.reverse();
        if candidates.is_empty() {
            return Err(Denial::BadRequestSignature(refusal));
        }
        // Only the nonce of one would be taken: the request could be sent again with the other signature alone.
        if policy.needs_nonce && candidates.len() > 1 {
            return Err(Denial::BadRequestSignature("several signatures, where each nonce is taken once"));
        }
        Ok(Self { key_id, candidates })
    }

    /// The key that all of them name.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Verifies with the key of [`Self::key_id`]: of several signatures the first that is right counts.
    ///
    /// # Errors
    /// [`Denial::BadRequestSignature`].
    pub fn verify(self, key: &RequestKey, policy: &SignaturePolicy) -> Result<VerifiedSignature, Denial> {
        // RFC 9421 3.2, step 6: where the algorithm is stated in more than one place, all must agree.
        if !policy.algorithms.contains(&key.algorithm()) {
            return Err(Denial::BadRequestSignature("the key's algorithm is not accepted"));
        }
        let mut refusal = "the signature does not verify";
        for candidate in self.candidates {
            if candidate.algorithm.is_some_and(|algorithm| algorithm != key.algorithm()) {
                refusal = "`alg` is not the key's algorithm";
            } else if key.verify(candidate.base.as_bytes(), &candidate.signature).is_ok() {
                let Candidate { nonce, valid_until, .. } = candidate;
                return Ok(VerifiedSignature { key_id: self.key_id, nonce, valid_until });
            }
        }
        Err(Denial::BadRequestSignature(refusal))
    }
}

#[cfg(test)]
impl UnverifiedSignatures {
    pub(super) fn bases(&self) -> Vec<&str> {
        self.candidates.iter().map(|candidate| candidate.base.as_str()).collect()
    }
}

/// Holds one signature against the policy, and writes down what it signs.
fn admit(
    labelled: Labelled,
    parts: &SignedParts<'_>,
    policy: &SignaturePolicy,
    now: UnixSeconds,
) -> Result<Candidate, &'static str> {
    let algorithm = match labelled.algorithm.as_deref().map(SignatureAlgorithm::parse) {
        Some(Some(algorithm)) if policy.algorithms.contains(&algorithm) => Some(algorithm),
        Some(_) => return Err("`alg` is not accepted"),
        None => None,
    };
    let created = date(labelled.created).ok_or("`created` is not a date")?;
    if created > now.plus(policy.leeway) {
        return Err("`created` lies in the future");
    }
    let mut valid_until = created.plus(policy.max_age);
    if valid_until < now {
        return Err("`created` is too long ago");
    }
    if let Some(expires) = labelled.expires {
        let expires = date(expires).ok_or("`expires` is not a date")?;
        if expires <= created || expires.plus(policy.leeway) <= now {
            return Err("`expires` has passed");
        }
        if expires.plus(policy.leeway) < valid_until {
            valid_until = expires.plus(policy.leeway);
        }
    }
    if !policy.cover.iter().all(|component| labelled.components.contains(component)) {
        return Err("a component of `cover` is not covered");
    }
    match &labelled.nonce {
        Some(nonce) if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES => return Err("`nonce` is empty or too long"),
        None if policy.needs_nonce => return Err("`nonce` is missing"),
        Some(_) | None => {}
    }
    let base = signature_base(&labelled, parts)?;
    Ok(Candidate { algorithm, base, signature: labelled.signature, nonce: labelled.nonce, valid_until })
}

/// RFC 9421 2.5.
fn signature_base(labelled: &Labelled, parts: &SignedParts<'_>) -> Result<String, &'static str> {
    let mut base = String::new();
    for component in &labelled.components {
        let value = component.value(parts)?;
        if base.len().saturating_add(value.len()) > MAX_BASE_BYTES {
            return Err("the covered components are too long");
        }
        // Writing into a text does not fail.
        let _ = writeln!(base, "{component}: {value}");
    }
    let _ = write!(base, "\"@signature-params\": {}", labelled.parameters);
    Ok(base)
}

fn date(seconds: i64) -> Option<UnixSeconds> {
    serde_json::Number::from(seconds).as_f64().and_then(UnixSeconds::new)
}

/// Of visible characters, and without the `#` that separates the parts of a table's keys.
fn is_key_id(key_id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    (1..=MAX_KEY_ID_BYTES).contains(&key_id.len()) && key_id.bytes().all(is_allowed)
}

const MAX_KEY_ID_BYTES: usize = 128;

const MAX_NONCE_BYTES: usize = 256;

/// More than all that API Gateway takes of headers (10,240 bytes) and a path with its query.
const MAX_BASE_BYTES: usize = 32 * 1024;
