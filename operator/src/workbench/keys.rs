//! Local key pairs: each issuer has one of the kind that it allows, made once in a process.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer::token::{Algorithm, AlgorithmSet};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A key pair and the algorithm that it is used with. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A key for tokens of an issuer that allows these algorithms, the `number`th of the process; `None` where the set is
    /// empty, or no key can be made.
    pub(super) fn of(algorithms: AlgorithmSet, number: usize) -> Option<Self> {
        let algorithm = QUICKEST_FIRST.into_iter().find(|algorithm| algorithms.contains(*algorithm))?;
        let pair = pair(algorithm, number).ok()?;
        let kid = format!("local-{}-{number}", algorithm.name().to_ascii_lowercase());
        Some(Self { kid, algorithm, pair })
    }

    /// The same kind of key, which the issuer has not.
    pub(super) fn of_a_stranger(&self) -> Option<Self> {
        let pair = pair(self.algorithm, STRANGER).ok()?;
        Some(Self { kid: self.kid.clone(), algorithm: self.algorithm, pair })
    }

    /// A signature over `input` (RFC 7515 5.1).
    pub(super) fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(self.algorithm), &random, input, &mut signature)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => Ok(pair.sign(&random, input)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(input).as_ref().to_vec()),
        }
    }

    /// Its public half (RFC 7517, RFC 7518 6, RFC 8037 2).
    pub(super) fn jwk(&self) -> Option<Value> {
        let mut jwk = match &*self.pair {
            Pair::Rsa(pair) => {
                let (modulus, exponent) = rsa_numbers(pair.public_key().as_ref())?;
                json!({ "kty": "RSA", "n": encoded(modulus), "e": encoded(exponent) })
            }
            Pair::Ecdsa(pair) => {
                // SEC 1 2.3.3: 04, x, y.
                let point = pair.public_key().as_ref().strip_prefix(&[4])?;
                let (x, y) = point.split_at_checked(point.len() / 2)?;
                json!({ "kty": "EC", "crv": curve(self.algorithm)?, "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) }),
        };
        let members = jwk.as_object_mut()?;
        for (name, value) in [("kid", self.kid.as_str()), ("alg", self.algorithm.name()), ("use", "sig")] {
            members.insert(name.to_owned(), value.into());
        }
        Some(jwk)
    }
}

/// By curve or `RSA`, and number.
type Pairs = HashMap<(&'static str, usize), Arc<Pair>>;

/// A pair for this algorithm. Making one for RSA takes a tenth of a second: with many issuers, some share one, under
/// a `kid` each.
fn pair(algorithm: Algorithm, number: usize) -> Result<Arc<Pair>, Unspecified> {
    static PAIRS: LazyLock<Mutex<Pairs>> = LazyLock::new(Mutex::default);
    let number = if number == STRANGER { STRANGER } else { number % PAIRS_OF_A_KIND };
    let key = (curve(algorithm).unwrap_or("RSA"), number);
    let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pair) = pairs.get(&key) {
        return Ok(Arc::clone(pair));
    }
    let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::generate(algorithm).map(Pair::Ecdsa);
    let pair = Arc::new(match algorithm {
        Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate()?),
        Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
        Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING)?,
        Algorithm::Es512 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING)?,
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
    });
    pairs.insert(key, Arc::clone(&pair));
    Ok(pair)
}

fn curve(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::EdDsa => Some("Ed25519"),
        Algorithm::Es256 => Some("P-256"),
        Algorithm::Es384 => Some("P-384"),
        Algorithm::Es512 => Some("P-521"),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => None,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => {
            &RSA_PKCS1_SHA256
        }
    }
}

/// Modulus and exponent of an `RSAPublicKey` in DER (RFC 8017 A.1.1).
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der_value(der, 0x30)?;
    let (modulus, rest) = der_value(sequence, 0x02)?;
    let (exponent, _) = der_value(rest, 0x02)?;
    // A leading zero only says that the number is not negative.
    let unsigned = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((modulus.get(unsigned(modulus)..)?, exponent.get(unsigned(exponent)..)?))
}

/// The value of the first element, which has this tag, and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length.checked_sub(0x80) {
        None => (usize::from(*length), rest),
        Some(bytes) => {
            let (length, rest) = rest.split_at_checked(usize::from(bytes))?;
            let number = length
                .iter()
                .try_fold(0_usize, |number, byte| number.checked_mul(256)?.checked_add(usize::from(*byte)))?;
            (number, rest)
        }
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

const QUICKEST_FIRST: [Algorithm; 10] = [
    Algorithm::EdDsa,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

const PAIRS_OF_A_KIND: usize = 4;

/// The number of the pair that no issuer has.
const STRANGER: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_authorizer::token::KeySet;

    #[test]
    fn each_algorithm_has_a_key_that_the_core_reads() {
        for algorithm in Algorithm::ALL {
            let algorithms = AlgorithmSet::of(&[algorithm]);
            let key = SigningKey::of(algorithms, 0).unwrap();
            let set = json!({ "keys": [key.jwk().unwrap()] }).to_string();
            let set = KeySet::parse(set.as_bytes(), algorithms).unwrap();
            assert!(set.find(&key.kid, algorithm).is_some(), "{algorithm}");
            assert!(!key.sign(b"text").unwrap().is_empty());
            assert!(!format!("{key:?}").contains("pair"));
        }
    }

    #[test]
    fn the_quickest_algorithm_is_taken_and_none_of_none() {
        let of = |algorithms: &[Algorithm]| SigningKey::of(AlgorithmSet::of(algorithms), 0).map(|key| key.algorithm);
        assert_eq!(of(&[Algorithm::Rs256, Algorithm::Es256]), Some(Algorithm::Es256));
        assert_eq!(of(&Algorithm::ALL), Some(Algorithm::EdDsa));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn two_issuers_have_two_keys_and_one_has_the_same_again() {
        let key = |number| SigningKey::of(AlgorithmSet::of(&[Algorithm::Es256]), number).unwrap();
        assert_eq!(key(0).jwk(), key(0).jwk());
        assert_ne!(key(0).jwk().unwrap()["x"], key(1).jwk().unwrap()["x"]);
        assert_ne!(key(0).kid, key(PAIRS_OF_A_KIND).kid);
    }
}
