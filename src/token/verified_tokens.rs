//! Tokens whose signatures were found good, so that the next request with the same
//! token need not verify it again: most clients send one token many times.
//!
//! What is kept is the [`Proof`] alone, that one key signed this very token, and never
//! a decision: the claims are read anew on each request, and held against the issuer's
//! expectations, the time, the client certificate and the rule. As text they take a
//! third of the memory that they take when they were read, and one place in it.
//!
//! - A token is known by the SHA-256 of all of it: of a part, or by a weak hash, one
//!   token could pass for another. The token itself is not kept.
//! - A [`KnownToken`] yields its proof only for the key that the issuer has for it
//!   *now*: where the key was withdrawn, or the JWK Set was fetched anew or dropped,
//!   there is another key or none, and the signature is verified again or refused.
//! - Only accepted tokens enter, so that nobody without one can push others out, and
//!   only when they come again: one that comes once costs no memory.
//! - What expired is not found; space is bounded by number and by bytes, and the
//!   oldest go first.

use super::algorithm::Algorithm;
use super::bearer::BearerToken;
use super::jwk::VerifyingKey;
use super::jwt::{Proof, VerifiedJwt};
use crate::bounded_store::{ALLOCATION, BoundedStore, Limits, Weight};
use crate::denial::Denial;
use crate::lock::lock;
use crate::request::UnixSeconds;
use aws_lc_rs::digest::{SHA256, digest};
use std::sync::{Arc, Mutex};

/// The verified tokens of all issuers. One store serves them all: a token names its
/// issuer, and every one is bound to its issuer's own key.
pub struct VerifiedTokens {
    store: Mutex<Store>,
}

/// All of a token, as a strong hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

/// A token that was verified before, by a key that may be gone since.
#[derive(Clone)]
pub struct KnownToken {
    proof: Proof,
    issuer: Arc<str>,
    /// From then on it is not found.
    until: UnixSeconds,
}

struct Store {
    tokens: BoundedStore<TokenDigest, KnownToken>,
    /// A part of the digest of each token that came once, at a place that depends on
    /// the digest; whoever comes later takes the place. Decides what is kept and
    /// nothing else, so that a part will do.
    came_once: Vec<u32>,
}

impl TokenDigest {
    /// The digest of this token.
    #[must_use]
    pub fn of(token: &BearerToken<'_>) -> Self {
        let mut bytes = [0; 32];
        // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
        bytes.copy_from_slice(digest(&SHA256, token.as_str().as_bytes()).as_ref());
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl KnownToken {
    /// A token of this issuer that is of no use from `until` on.
    #[must_use]
    pub fn new(proof: Proof, issuer: Arc<str>, until: UnixSeconds) -> Self {
        Self { proof, issuer, until }
    }

    /// Whose token it is.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its `kid` header.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.proof.kid.as_deref()
    }

    /// Its `alg` header.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.proof.key.algorithm()
    }

    /// The token, where `key` is the very one that verified it: not one that is like
    /// it, since a set that was fetched anew has new keys.
    #[must_use]
    pub fn verified_by(self, key: &Arc<VerifyingKey>) -> Option<VerifiedJwt> {
        if Arc::ptr_eq(&self.proof.key, key) { self.proof.into_jwt() } else { None }
    }
}

impl Weight for KnownToken {
    fn bytes_elsewhere(&self) -> usize {
        let Proof { kid, typ, payload, .. } = &self.proof;
        let texts = [kid, typ].into_iter().flatten().map(|text| text.len());
        3 * ALLOCATION + payload.len() + texts.sum::<usize>()
    }
}

impl VerifiedTokens {
    /// A store of these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let store = Store { tokens: BoundedStore::new(limits), came_once: Vec::new() };
        Self { store: Mutex::new(store) }
    }

    /// A token that was verified before and has not expired.
    ///
    /// # Errors
    /// [`Denial::Internal`] after a panic in here.
    pub fn find(&self, token: &TokenDigest, now: UnixSeconds) -> Result<Option<KnownToken>, Denial> {
        Ok(lock(&self.store)?.tokens.get(token).filter(|known| now < known.until).cloned())
    }

    /// Keeps a token that comes for the second time, in place of older ones where
    /// there are too many.
    ///
    /// # Errors
    /// [`Denial::Internal`] after a panic in here.
    pub fn keep(&self, token: TokenDigest, now: UnixSeconds, known: impl FnOnce() -> KnownToken) -> Result<(), Denial> {
        if !lock(&self.store)?.comes_again(&token) {
            return Ok(());
        }
        let known = known();
        let removed = lock(&self.store)?.tokens.insert(token, known, |known| known.until <= now);
        // The lock is free again: this is the longest part.
        drop(removed);
        Ok(())
    }

    /// How many are kept, and how many bytes that is about.
    ///
    /// # Errors
    /// [`Denial::Internal`] after a panic in here.
    pub fn size(&self) -> Result<(usize, usize), Denial> {
        Ok(lock(&self.store)?.tokens.size())
    }
}

impl Store {
    /// Whether this token came before; from now on it did.
    fn comes_again(&mut self, token: &TokenDigest) -> bool {
        if self.tokens.get(token).is_some() {
            return true;
        }
        let [a, b, c, d, e, f, ..] = token.0;
        // Never zero, which an empty place is.
        let part = u32::from_le_bytes([a, b, c, d]) | 1;
        self.came_once.resize(PLACES, 0);
        let Some(place) = self.came_once.get_mut(usize::from(u16::from_le_bytes([e, f])) % PLACES) else { return true };
        std::mem::replace(place, part) == part
    }
}

impl Default for VerifiedTokens {
    /// As many tokens as one function serves within their lifetime, and well below
    /// the memory of the smallest function (128 MB).
    fn default() -> Self {
        Self::new(Limits { entries: 10_000, bytes: 16 * 1024 * 1024 })
    }
}

impl std::fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifiedTokens")
    }
}

/// Some more than tokens are kept, so that few of those that come again are missed:
/// 64 KiB.
const PLACES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Credential, Request};
    use crate::token::jwk;

    const LIMITS: Limits = Limits { entries: 3, bytes: 1024 * 1024 };

    fn digest_of(number: u8) -> TokenDigest {
        TokenDigest([number; 32])
    }

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    /// A token that stands until then, and whose claims have some bytes.
    fn token(key: &Arc<VerifyingKey>, until: f64, bytes: usize) -> KnownToken {
        let payload = format!(r#"{{"padding":"{}"}}"#, "p".repeat(bytes));
        let payload = payload.into_bytes().into();
        let proof = Proof { kid: Some("k".into()), typ: None, payload, key: Arc::clone(key) };
        KnownToken::new(proof, "https://issuer.example".into(), at(until))
    }

    /// It comes twice.
    fn keep(store: &VerifiedTokens, digest: TokenDigest, known: KnownToken, now: UnixSeconds) {
        for _ in 0..2 {
            store.keep(digest, now, || known.clone()).unwrap();
        }
    }

    fn known(store: &VerifiedTokens, now: f64) -> Vec<u8> {
        (0..=u8::MAX).filter(|number| store.find(&digest_of(*number), at(now)).unwrap().is_some()).collect()
    }

    #[test]
    fn a_digest_is_sha_256_of_all_of_the_token() {
        let digest = |text: &str| {
            let request = Request::new("GET", "/", vec![Credential(text.into())]);
            let digest = TokenDigest::of(&BearerToken::from_request(&request).unwrap());
            digest.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        // FIPS 180-2 B.1 and B.2.
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(digest(two_blocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }

    #[test]
    fn only_the_very_key_that_verified_a_token_vouches_for_it() {
        let (key, like_it) = (jwk::a_key(), jwk::a_key());
        let known = token(&key, 9.0, 0);
        assert_eq!(
            (known.issuer(), known.kid(), known.algorithm()),
            ("https://issuer.example", Some("k"), Algorithm::EdDsa)
        );
        assert!(known.clone().verified_by(&key).is_some());
        assert!(known.clone().verified_by(&Arc::clone(&key)).is_some());
        assert!(known.verified_by(&like_it).is_none());
    }

    #[test]
    fn a_store_whose_lock_a_panic_left_denies() {
        let (store, key) = (VerifiedTokens::new(LIMITS), jwk::a_key());
        keep(&store, digest_of(1), token(&key, 9.0, 0), at(1.0));
        crate::lock::poison(&store.store);
        let denial = Denial::Internal("a panic while a lock was held");
        assert_eq!(store.find(&digest_of(1), at(1.0)).err(), Some(denial.clone()));
        assert_eq!(store.keep(digest_of(2), at(1.0), || token(&key, 9.0, 0)), Err(denial.clone()));
        assert_eq!(store.size(), Err(denial));
    }

    #[test]
    fn what_expired_is_not_found_and_makes_room() {
        let (store, key) = (VerifiedTokens::new(LIMITS), jwk::a_key());
        for (number, until) in [(0, 5.0), (1, 5.0), (2, 9.0)] {
            keep(&store, digest_of(number), token(&key, until, 0), at(1.0));
        }
        assert_eq!(known(&store, 4.9), [0, 1, 2]);
        assert_eq!(known(&store, 5.0), [2]);
        assert_eq!(store.size().unwrap().0, 3);
        keep(&store, digest_of(3), token(&key, 9.0, 0), at(5.0));
        assert_eq!((known(&store, 5.0), store.size().unwrap().0), (vec![2, 3], 2));
    }

    #[test]
    fn a_token_takes_as_many_bytes_as_its_texts_have_and_what_is_around_them() {
        let (key, store) = (jwk::a_key(), VerifiedTokens::new(LIMITS));
        let with = |kid: Option<&str>, typ: Option<&str>| {
            let mut known = token(&key, 9.0, 0);
            (known.proof.kid, known.proof.typ) = (kid.map(Arc::from), typ.map(Arc::from));
            known
        };
        let bare = with(None, None).bytes_elsewhere();
        assert_eq!(bare, 48 + with(None, None).proof.payload.len());
        assert_eq!(with(Some("0123456789"), None).bytes_elsewhere(), bare + 10);
        assert_eq!(with(Some("0123456789"), Some("01234")).bytes_elsewhere(), bare + 15);
        assert_eq!(token(&key, 9.0, 1000).bytes_elsewhere(), token(&key, 9.0, 0).bytes_elsewhere() + 1000);
        keep(&store, digest_of(1), with(Some("0123456789"), None), at(1.0));
        let around = BoundedStore::<TokenDigest, KnownToken>::overhead();
        assert_eq!(store.size().unwrap(), (1, around + bare + 10));
    }

    #[test]
    fn a_token_is_kept_when_it_comes_again() {
        let (store, key) = (VerifiedTokens::new(LIMITS), jwk::a_key());
        let comes = |number| store.keep(digest_of(number), at(1.0), || token(&key, 9.0, 0)).unwrap();
        comes(1);
        comes(2);
        assert_eq!(store.size().unwrap().0, 0);
        comes(1);
        assert_eq!(known(&store, 1.0), [1]);
        comes(2);
        assert_eq!(known(&store, 1.0), [1, 2]);
        // Another one at the same place: the first is forgotten, and comes for the first time again.
        let (mut one, mut other) = ([7; 32], [7; 32]);
        (one[0], other[0]) = (8, 16);
        for digest in [one, other, one, other] {
            store.keep(TokenDigest(digest), at(1.0), || token(&key, 9.0, 0)).unwrap();
        }
        assert_eq!(store.size().unwrap().0, 2);
        // What an empty place holds is no token's.
        for low in [0, 1] {
            let mut digest = [0; 32];
            digest[0] = low;
            let store = VerifiedTokens::new(LIMITS);
            store.keep(TokenDigest(digest), at(1.0), || token(&key, 9.0, 0)).unwrap();
            assert_eq!(store.size().unwrap().0, 0);
        }
    }

    #[test]
    fn what_a_token_says_is_what_was_signed() {
        let (key, store) = (jwk::a_key(), VerifiedTokens::new(LIMITS));
        keep(&store, digest_of(1), token(&key, 9.0, 3), at(1.0));
        let jwt = store.find(&digest_of(1), at(1.0)).unwrap().unwrap().verified_by(&key).unwrap();
        assert_eq!(jwt.payload.get("padding"), Some(&"ppp".into()));
    }

    #[test]
    fn debug_shows_no_token() {
        let store = VerifiedTokens::new(LIMITS);
        keep(&store, digest_of(7), token(&jwk::a_key(), 9.0, 5), at(1.0));
        assert_eq!(format!("{store:?}"), "VerifiedTokens");
    }
}
