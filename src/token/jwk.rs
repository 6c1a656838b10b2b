//! A JWK Set becomes the keys of one issuer (RFC 7517 5), each bound to one
//! algorithm (RFC 8725 3.1), parsed once and ready to verify.
//!
//! A key that makes no sense, or serves something else, is passed over: one bad
//! key must not lock everybody out. What is private or symmetric is never read.

use super::algorithm::{Algorithm, AlgorithmSet};
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// The keys of one issuer by `kid`, never empty.
#[derive(Debug)]
pub struct KeySet {
    by_kid: HashMap<Box<str>, Vec<Arc<VerifyingKey>>>,
}

/// A public key and the one algorithm that it verifies.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// Why a document is no use as a JWK Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// It is not a JSON object with an array of `keys`.
    NotAJwkSet,
    /// None of its keys fits any of the issuer's algorithms.
    NoFittingKey,
}

impl KeySet {
    /// Reads a JWK Set and keeps the keys that fit one of `algorithms`.
    ///
    /// # Errors
    /// [`KeySetError`]; a single senseless key is none.
    pub fn parse(document: &[u8], algorithms: AlgorithmSet) -> Result<Self, KeySetError> {
        let set: JwkSet<'_> = serde_json::from_slice(document).map_err(|_| KeySetError::NotAJwkSet)?;
        let mut by_kid: HashMap<Box<str>, Vec<Arc<VerifyingKey>>> = HashMap::new();
        for raw in set.keys {
            let Ok(jwk) = serde_json::from_str::<Jwk>(raw.get()) else { continue };
            let Some(kid) = jwk.kid.as_deref() else { continue };
            let fitting = algorithms.iter().filter_map(|algorithm| jwk.verifying_key(algorithm)).map(Arc::new);
            let fitting: Vec<_> = fitting.collect();
            if !fitting.is_empty() {
                by_kid.entry(kid.into()).or_default().extend(fitting);
            }
        }
        if by_kid.is_empty() { Err(KeySetError::NoFittingKey) } else { Ok(Self { by_kid }) }
    }

    /// The key of that id for that algorithm; of several the first in the set.
    #[must_use]
    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&Arc<VerifyingKey>> {
        self.by_kid.get(kid)?.iter().find(|key| key.algorithm == algorithm)
    }
}

impl VerifyingKey {
    /// The algorithm that this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over `message`.
    ///
    /// # Errors
    /// [`BadSignature`] where it is not.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.key.verify_sig(message, signature).map_err(|_| BadSignature)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The signature is not by that key over that message.
#[derive(Debug)]
pub(super) struct BadSignature;

#[derive(Deserialize)]
struct JwkSet<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The members of RFC 7517 4 and RFC 7518 6 that decide whether and how a key
/// verifies. `x5c` and `x5u` are not among them: a key is what the set says it is.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn verifying_key(&self, algorithm: Algorithm) -> Option<VerifyingKey> {
        if self.alg.as_deref().is_some_and(|alg| alg != algorithm.name())
            || self.public_key_use.as_deref().is_some_and(|public_key_use| public_key_use != "sig")
            || self.key_ops.as_deref().is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return None;
        }
        let key = match algorithm {
            Algorithm::Rs256 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => self.rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => self.rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => self.rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Algorithm::Es256 => self.ec("P-256", &signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::Es384 => self.ec("P-384", &signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::Es512 => self.ec("P-521", &signature::ECDSA_P521_SHA512_FIXED),
            Algorithm::EdDsa => self.okp("Ed25519"),
        }?;
        Some(VerifyingKey { algorithm, key })
    }

    fn rsa(&self, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
        if self.kty != "RSA" {
            return None;
        }
        let modulus = decode(self.n.as_deref()?)?;
        let exponent = decode(self.e.as_deref()?)?;
        // Some issuers write a leading zero byte; it has no value.
        let n = without_leading_zeros(&modulus);
        let e = without_leading_zeros(&exponent);
        let bits = n.len().checked_mul(8)?.checked_sub(n.first()?.leading_zeros().try_into().ok()?)?;
        if !RSA_BITS.contains(&bits) {
            return None;
        }
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()
    }

    fn ec(&self, curve: &str, parameters: &'static EcdsaVerificationAlgorithm) -> Option<ParsedPublicKey> {
        if self.kty != "EC" || self.crv.as_deref() != Some(curve) {
            return None;
        }
        let x = decode(self.x.as_deref()?)?;
        let y = decode(self.y.as_deref()?)?;
        // RFC 7518 6.2.1.2: both have the full size of a coordinate. SEC1's
        // uncompressed form is then 0x04, x, y; the library checks that the
        // point is on the curve.
        if x.len() != y.len() {
            return None;
        }
        ParsedPublicKey::new(parameters, [&[4], x.as_slice(), y.as_slice()].concat()).ok()
    }

    fn okp(&self, curve: &str) -> Option<ParsedPublicKey> {
        if self.kty != "OKP" || self.crv.as_deref() != Some(curve) {
            return None;
        }
        let x = decode(self.x.as_deref()?)?;
        if x.len() != ED25519_BYTES {
            return None;
        }
        ParsedPublicKey::new(&signature::ED25519, x).ok()
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// RFC 7518 3.3: "A key of size 2048 bits or larger MUST be used"; beyond 8192
/// bits a verification costs the sender nothing and us too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// RFC 8032 5.1.5.
const ED25519_BYTES: usize = 32;

/// A key (RFC 8037 A.2), for tests in which it does not matter whose it is; each
/// time another one of the same bits.
#[cfg(test)]
pub(super) fn a_key() -> Arc<VerifyingKey> {
    let set = r#"{"keys":[{"kty":"OKP","kid":"k","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let set = KeySet::parse(set.as_bytes(), AlgorithmSet::of(&[Algorithm::EdDsa])).unwrap();
    Arc::clone(set.find("k", Algorithm::EdDsa).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(members: &str, bytes: usize) -> String {
        let n = URL_SAFE_NO_PAD.encode([&[0xC5], vec![0x5Bu8; bytes - 1].as_slice()].concat());
        format!(r#"{{"kty":"RSA","kid":"k","n":"{n}","e":"AQAB"{members}}}"#)
    }

    #[track_caller]
    fn check(key: &str, algorithms: &[Algorithm], fits: &[Algorithm]) {
        let set = KeySet::parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes(), AlgorithmSet::of(algorithms));
        let found: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| set.as_ref().is_ok_and(|set| set.find("k", *algorithm).is_some()))
            .collect();
        assert_eq!(found, fits, "{key}");
    }

    const RS: [Algorithm; 2] = [Algorithm::Rs256, Algorithm::Ps256];
    const RSA: [Algorithm; 6] =
        [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

    const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn a_key_serves_the_algorithm_that_it_names_or_else_all_of_its_type() {
        check(&rsa("", 256), &RS, &RS);
        check(&rsa(r#","alg":"RS256""#, 256), &RS, &[Algorithm::Rs256]);
        check(&rsa(r#","alg":"PS256""#, 256), &RS, &[Algorithm::Ps256]);
        check(&rsa(r#","alg":"HS256""#, 256), &RS, &[]);
        check(&rsa(r#","alg":"RS256""#, 256), &[Algorithm::Es256], &[]);
    }

    #[test]
    fn a_key_for_something_else_is_passed_over() {
        check(&rsa(r#","use":"sig""#, 256), &RS, &RS);
        check(&rsa(r#","use":"enc""#, 256), &RS, &[]);
        check(&rsa(r#","key_ops":["verify"]"#, 256), &RS, &RS);
        check(&rsa(r#","key_ops":["sign"]"#, 256), &RS, &[]);
        check(&rsa(r#","key_ops":[]"#, 256), &RS, &[]);
        check(&rsa(r#","use":7"#, 256), &RS, &[]);
    }

    #[test]
    fn rsa_keys_have_2048_to_8192_bits() {
        check(&rsa("", 128), &RS, &[]);
        check(&rsa("", 255), &RS, &[]);
        check(&rsa("", 256), &RS, &RS);
        check(&rsa("", 1024), &RS, &RS);
        check(&rsa("", 1025), &RS, &[]);
        // By the bit, with and without zeros before it.
        for (first, rest, fits) in [
            (&[0x7F][..], 255, &[][..]),
            (&[0, 0x7F], 255, &[]),
            (&[0x80], 255, &RS),
            (&[0, 0, 0x80], 255, &RS),
            (&[0xFF], 1023, &RS),
            (&[0, 0xFF], 1023, &RS),
            (&[1], 1024, &[]),
            (&[0], 0, &[]),
            (&[], 0, &[]),
        ] {
            let n = URL_SAFE_NO_PAD.encode([first, vec![0x5B; rest].as_slice()].concat());
            check(&format!(r#"{{"kty":"RSA","kid":"k","n":"{n}","e":"AAEAAQ"}}"#), &RS, fits);
        }
    }

    #[test]
    fn a_key_is_of_the_type_that_it_says() {
        let all = |kty: &str, crv: &str| {
            let rsa = rsa(&format!(r#","crv":"{crv}","x":"{ED25519}""#), 256);
            rsa.replace(r#""kty":"RSA""#, &format!(r#""kty":"{kty}""#))
        };
        check(&all("RSA", "Ed25519"), &Algorithm::ALL, &RSA);
        check(&all("OKP", "Ed25519"), &Algorithm::ALL, &[Algorithm::EdDsa]);
        check(&all("OKP", "Ed448"), &Algorithm::ALL, &[]);
        for kty in ["EC", "oct", "rsa", "okp", ""] {
            check(&all(kty, "Ed25519"), &Algorithm::ALL, &[]);
        }
    }

    #[test]
    fn a_point_has_coordinates_of_full_size() {
        let check = |x: &[u8], y: &[u8], fits: &[Algorithm]| {
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            check(&format!(r#"{{"kty":"EC","kid":"k","crv":"P-256","x":"{x}","y":"{y}"}}"#), &Algorithm::ALL, fits);
        };
        let point = [decode(P256_X).unwrap(), decode(P256_Y).unwrap()].concat();
        check(&point[..32], &point[32..], &[Algorithm::Es256]);
        // The same bytes, cut elsewhere.
        check(&point[..31], &point[31..], &[]);
        check(&point[..33], &point[33..], &[]);
        check(&[], &point, &[]);
        check(&[&[0], &point[..32]].concat(), &[&[0], &point[32..]].concat(), &[]);
    }

    #[test]
    fn an_ed25519_key_is_its_32_bytes_and_not_as_a_certificate_has_it() {
        // RFC 8410 4.
        let in_der =
            [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", decode(ED25519).unwrap().as_slice()].concat();
        let in_der = URL_SAFE_NO_PAD.encode(in_der);
        let okp = |x: &str| format!(r#"{{"kty":"OKP","kid":"k","crv":"Ed25519","x":"{x}"}}"#);
        check(&okp(ED25519), &Algorithm::ALL, &[Algorithm::EdDsa]);
        check(&okp(&in_der), &Algorithm::ALL, &[]);
    }

    #[test]
    fn curves_do_not_mix() {
        let p256 = r#"{"kty":"EC","kid":"k","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        check(p256, &Algorithm::ALL, &[Algorithm::Es256]);
        check(&p256.replace("P-256", "P-384"), &Algorithm::ALL, &[]);
        check(&p256.replace("f83O", "f83P"), &Algorithm::ALL, &[]); // not on the curve
        check(&p256.replace("\"EC\"", "\"OKP\""), &Algorithm::ALL, &[]);
        let okp = r#"{"kty":"OKP","kid":"k","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        check(okp, &Algorithm::ALL, &[Algorithm::EdDsa]);
        check(&okp.replace("Ed25519", "X25519"), &Algorithm::ALL, &[]);
        check(&okp.replace("aPcHURo", "aPc"), &Algorithm::ALL, &[]);
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", a_key()), "VerifyingKey { algorithm: EdDsa, .. }");
    }

    #[test]
    fn symmetric_keys_and_keys_without_kid_or_type_are_never_read() {
        check(r#"{"kty":"oct","kid":"k","k":"AAAA"}"#, &Algorithm::ALL, &[]);
        check(&rsa("", 256).replace(r#""kid":"k","#, ""), &RS, &[]);
        check(&rsa("", 256).replace(r#""kty":"RSA","#, ""), &RS, &[]);
    }

    #[test]
    fn one_senseless_key_does_not_spoil_the_others() {
        let document = format!(r#"{{"keys":[7,null,{{}},{{"kty":3}},{}]}}"#, rsa("", 256));
        let set = KeySet::parse(document.as_bytes(), AlgorithmSet::of(&RS)).unwrap();
        assert!(set.find("k", Algorithm::Rs256).is_some());
        assert!(set.find("other", Algorithm::Rs256).is_none());
    }

    #[test]
    fn what_is_no_set_or_has_no_fitting_key_is_an_error() {
        for text in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
            assert_eq!(KeySet::parse(text.as_bytes(), AlgorithmSet::of(&RS)).unwrap_err(), KeySetError::NotAJwkSet);
        }
        for keys in
            [String::new(), "7".into(), rsa(r#","alg":"RS512""#, 256), rsa("", 128), rsa(r#","use":"enc""#, 256)]
        {
            let set = KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes(), AlgorithmSet::of(&RS));
            assert_eq!(set.unwrap_err(), KeySetError::NoFittingKey, "{keys}");
        }
    }
}
