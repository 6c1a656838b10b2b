//! The local issuers' keys: one pair for each kind of key, made once and kept in the session's file.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cognito_authorizer::token::{Algorithm, AlgorithmSet};
use serde_json::{Map, Value, json};

/// A pair of each kind. Its `Debug` shows nothing of them.
pub(crate) struct Keys {
    /// Part of every `kid`, so that keys of two sessions are not taken for each other.
    id: String,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    /// PKCS #8, in base64, by name.
    stored: Map<String, Value>,
}

impl Keys {
    /// New pairs.
    ///
    /// # Errors
    /// Where the machine's random numbers cannot be had.
    pub(crate) fn generate() -> Result<Self, String> {
        let random = SystemRandom::new();
        let failed = |_| "no keys could be made".to_owned();
        let ec = |algorithm| {
            EcdsaKeyPair::generate_pkcs8(algorithm, &random).map(|pair| pair.as_ref().to_vec()).map_err(failed)
        };
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let pairs: [(&str, Vec<u8>); 5] = [
            (RSA, rsa.as_der().map_err(failed)?.as_ref().to_vec()),
            (P256, ec(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            (P384, ec(&ECDSA_P384_SHA384_FIXED_SIGNING)?),
            (P521, ec(&ECDSA_P521_SHA512_FIXED_SIGNING)?),
            (ED25519, Ed25519KeyPair::generate_pkcs8v1(&random).map_err(failed)?.as_ref().to_vec()),
        ];
        let stored = pairs.into_iter().map(|(name, pkcs8)| (name.to_owned(), json!(STANDARD.encode(pkcs8))));
        Self::read(&stored.collect()).ok_or_else(|| failed(aws_lc_rs::error::Unspecified))
    }

    /// The pairs of [`Self::stored`]; `None` where one is missing or is no such key.
    pub(crate) fn read(stored: &Map<String, Value>) -> Option<Self> {
        let pkcs8 = |name: &str| STANDARD.decode(stored.get(name)?.as_str()?).ok();
        let ec =
            |algorithm: &'static EcdsaSigningAlgorithm, name| EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8(name)?).ok();
        let ed25519 = Ed25519KeyPair::from_pkcs8(&pkcs8(ED25519)?).ok()?;
        Some(Self {
            id: ed25519.public_key().as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            rsa: RsaKeyPair::from_pkcs8(&pkcs8(RSA)?).ok()?,
            p256: ec(&ECDSA_P256_SHA256_FIXED_SIGNING, P256)?,
            p384: ec(&ECDSA_P384_SHA384_FIXED_SIGNING, P384)?,
            p521: ec(&ECDSA_P521_SHA512_FIXED_SIGNING, P521)?,
            ed25519,
            stored: stored.clone(),
        })
    }

    /// What [`Self::read`] takes. Private keys: for a file that nobody else reads.
    pub(crate) fn stored(&self) -> &Map<String, Value> {
        &self.stored
    }

    /// The JWK Set of an issuer whose tokens may be signed with these (RFC 7517 5): a key for each.
    pub(crate) fn jwk_set(&self, algorithms: AlgorithmSet) -> Value {
        let keys = Algorithm::ALL.into_iter().filter(|algorithm| algorithms.contains(*algorithm));
        json!({ "keys": keys.map(|algorithm| self.jwk(algorithm)).collect::<Vec<_>>() })
    }

    /// A token with these claims, and these members in its header, signed with the first of the algorithms (RFC 7515 7.1);
    /// `None` where there is none.
    pub(crate) fn sign(&self, header: Map<String, Value>, claims: &Value, algorithms: AlgorithmSet) -> Option<String> {
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithms.contains(*algorithm))?;
        let mut members = Map::from_iter([("kid".to_owned(), json!(self.kid(algorithm)))]);
        members.insert("alg".to_owned(), json!(algorithm.name()));
        members.extend(header);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&Value::Object(members)), part(claims));
        let signature = self.signature(algorithm, input.as_bytes())?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn kid(&self, algorithm: Algorithm) -> String {
        format!("local-{}-{}", algorithm.name(), self.id)
    }

    fn jwk(&self, algorithm: Algorithm) -> Value {
        let encode = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let mut jwk = match self.pair(algorithm) {
            Pair::Rsa(..) => {
                let public = self.rsa.public_key();
                let number = |bytes: &[u8]| encode(bytes);
                json!({
                    "kty": "RSA",
                    "n": number(public.modulus().big_endian_without_leading_zero()),
                    "e": number(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair, curve) => {
                // SEC 1 2.3.3: 0x04, then both coordinates, of one length.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!(self.kid(algorithm)));
            members.insert("alg".to_owned(), json!(algorithm.name()));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }

    fn signature(&self, algorithm: Algorithm, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self.pair(algorithm) {
            Pair::Rsa(padding) => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(padding, &random, input, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Ec(pair, _) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
            Pair::Ed(pair) => Some(pair.sign(input).as_ref().to_vec()),
        }
    }

    fn pair(&self, algorithm: Algorithm) -> Pair<'_> {
        match algorithm {
            Algorithm::Rs256 => Pair::Rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Pair::Rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Pair::Rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Pair::Rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => Pair::Rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => Pair::Rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => Pair::Ec(&self.p256, P256),
            Algorithm::Es384 => Pair::Ec(&self.p384, P384),
            Algorithm::Es512 => Pair::Ec(&self.p521, P521),
            Algorithm::EdDsa => Pair::Ed(&self.ed25519),
        }
    }
}

/// What signs with one algorithm.
enum Pair<'k> {
    Rsa(&'static dyn RsaEncoding),
    Ec(&'k EcdsaKeyPair, &'static str),
    Ed(&'k Ed25519KeyPair),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

// Names in the session's file; those of elliptic curves are JWK's (RFC 7518 6.2.1.1).
const RSA: &str = "RSA";
const P256: &str = "P-256";
const P384: &str = "P-384";
const P521: &str = "P-521";
const ED25519: &str = "Ed25519";

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_authorizer::token::KeySet;

    #[test]
    fn what_each_algorithm_signs_its_own_key_of_the_set_verifies() {
        let keys = Keys::generate().unwrap();
        let again = Keys::read(keys.stored()).unwrap();
        for algorithm in Algorithm::ALL {
            let algorithms = AlgorithmSet::of(&[algorithm]);
            let token = keys.sign(Map::new(), &json!({ "iss": "i" }), algorithms).unwrap();
            let set = again.jwk_set(algorithms);
            let set = KeySet::parse(set.to_string().as_bytes(), algorithms).unwrap();
            let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
            let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
            assert_eq!(header["alg"], algorithm.name());
            assert!(!payload.is_empty() && !signature.is_empty());
            assert!(set.find(header["kid"].as_str().unwrap(), algorithm).is_some(), "{header}");
        }
    }

    #[test]
    fn a_session_without_one_of_its_keys_has_none() {
        let mut stored = Keys::generate().unwrap().stored().clone();
        stored.remove("P-384");
        assert!(Keys::read(&stored).is_none());
    }

    #[test]
    fn no_private_key_is_in_its_debug() {
        let keys = Keys::generate().unwrap();
        let debug = format!("{keys:?}");
        assert!(keys.stored().values().all(|key| !debug.contains(key.as_str().unwrap())), "{debug}");
    }
}
