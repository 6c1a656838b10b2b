//! Tokens whose signatures were found good, so that the next request with the same
//! token need not verify it again: most clients send one token many times.
//!
//! What is kept is the [`VerifiedJwt`] alone, the proof that one key signed this very
//! token, and never a decision: the claims are held against the issuer's
//! expectations, the time, the client certificate and the rule on each request.
//!
//! - A token is known by the SHA-256 of all of it: of a part, or by a weak hash, one
//!   token could pass for another. The token itself is not kept.
//! - A [`KnownToken`] yields its proof only for the key that the issuer has for it
//!   *now*: where the key was withdrawn, or the JWK Set was fetched anew or dropped,
//!   there is another key or none, and the signature is verified again or refused.
//! - Only accepted tokens enter, so that nobody without one can push others out.
//! - What expired is not found; space is bounded by number and by bytes, and the
//!   oldest go first.

use super::algorithm::Algorithm;
use super::bearer::BearerToken;
use super::jwk::VerifyingKey;
use super::jwt::VerifiedJwt;
use crate::request::UnixSeconds;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The verified tokens of all issuers. One store serves them all: a token names its
/// issuer, and every one is bound to its issuer's own key.
pub struct VerifiedTokens {
    store: Mutex<Store>,
    limits: Limits,
}

/// All of a token, as a strong hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens.
    pub tokens: usize,
    /// Bytes of memory that their claims take, about.
    pub bytes: usize,
}

/// A token that was verified before, by a key that may be gone since.
#[derive(Clone)]
pub struct KnownToken {
    jwt: VerifiedJwt,
    issuer: Arc<str>,
    /// From then on it is not found.
    until: UnixSeconds,
    bytes: usize,
}

#[derive(Default)]
struct Store {
    tokens: HashMap<TokenDigest, KnownToken>,
    // INVARIANT: each digest in `tokens` stands here once, and no other.
    oldest_first: VecDeque<TokenDigest>,
    bytes: usize,
}

impl TokenDigest {
    /// The digest of this token.
    #[must_use]
    pub fn of(token: &BearerToken<'_>) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 has 32 bytes; were it otherwise, all tokens would be unknown.
        bytes.copy_from_slice(digest(&SHA256, token.as_str().as_bytes()).as_ref());
        Self(bytes)
    }
}

impl KnownToken {
    /// A token of this issuer that is of no use from `until` on.
    #[must_use]
    pub fn new(jwt: VerifiedJwt, issuer: Arc<str>, until: UnixSeconds) -> Self {
        let bytes = OVERHEAD + members_bytes(&jwt.payload);
        Self { jwt, issuer, until, bytes }
    }

    /// Whose token it is.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its `kid` header.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jwt.kid.as_deref()
    }

    /// Its `alg` header.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.jwt.key.algorithm()
    }

    /// The proof of its signature, where `key` is the very one that verified it: not
    /// one that is like it, since a set that was fetched anew has new keys.
    #[must_use]
    pub fn verified_by(self, key: &Arc<VerifyingKey>) -> Option<VerifiedJwt> {
        Arc::ptr_eq(&self.jwt.key, key).then_some(self.jwt)
    }
}

impl VerifiedTokens {
    /// A store of these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { store: Mutex::default(), limits }
    }

    /// A token that was verified before and has not expired.
    #[must_use]
    pub fn find(&self, token: &TokenDigest, now: UnixSeconds) -> Option<KnownToken> {
        self.lock().tokens.get(token).filter(|known| now < known.until).cloned()
    }

    /// Keeps a token, in place of older ones where there are too many.
    pub fn keep(&self, token: TokenDigest, known: KnownToken, now: UnixSeconds) {
        if known.bytes > self.limits.bytes || self.limits.tokens == 0 {
            return;
        }
        // Dropped when the lock is free again: that is the longest part.
        let mut dropped = Vec::new();
        let mut store = self.lock();
        store.bytes += known.bytes;
        match store.tokens.insert(token, known) {
            Some(earlier) => {
                store.bytes -= earlier.bytes;
                dropped.push(earlier);
            }
            None => store.oldest_first.push_back(token),
        }
        // One comes, so that two that expired can go: their number falls.
        for _ in 0..2 {
            dropped.extend(store.drop_oldest(|known| known.until <= now));
        }
        while store.tokens.len() > self.limits.tokens || store.bytes > self.limits.bytes {
            match store.drop_oldest(|_| true) {
                Some(known) => dropped.push(known),
                None => break,
            }
        }
        drop(store);
    }

    /// How many are kept, and how many bytes that is about.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let store = self.lock();
        (store.tokens.len(), store.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn drop_oldest(&mut self, may_go: impl FnOnce(&KnownToken) -> bool) -> Option<KnownToken> {
        let oldest = self.oldest_first.front()?;
        if !self.tokens.get(oldest).is_none_or(may_go) {
            return None;
        }
        let oldest = self.oldest_first.pop_front()?;
        let known = self.tokens.remove(&oldest)?;
        self.bytes -= known.bytes;
        Some(known)
    }
}

impl Default for VerifiedTokens {
    /// As many tokens as one function serves within their lifetime, and well below
    /// the memory of the smallest function (128 MB).
    fn default() -> Self {
        Self::new(Limits { tokens: 10_000, bytes: 32 * 1024 * 1024 })
    }
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedTokens").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What a map takes on the heap, about: B-tree nodes are half full at worst.
fn members_bytes(members: &Map<String, Value>) -> usize {
    members.iter().map(|(name, value)| MEMBER + ALLOCATION + name.len() + value_bytes(value)).sum()
}

/// What a value takes on the heap beside itself. Its depth is bounded where it was read.
fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => ALLOCATION + text.len(),
        Value::Array(items) => {
            ALLOCATION + items.capacity() * size_of::<Value>() + items.iter().map(value_bytes).sum::<usize>()
        }
        Value::Object(members) => members_bytes(members),
    }
}

/// Of each token: its entry, twice for a table that has just grown, and its two digests.
const OVERHEAD: usize = 2 * (size_of::<KnownToken>() + 2 * size_of::<TokenDigest>());

/// Of each member: its place in a node, twice for one that is half full.
const MEMBER: usize = 2 * (size_of::<String>() + size_of::<Value>());

/// What an allocation takes beside what it holds.
const ALLOCATION: usize = 16;
