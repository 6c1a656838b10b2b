//! A JWK Set becomes the keys of one issuer (RFC 7517 5), each bound to one
//! algorithm (RFC 8725 3.1), checked once and ready to verify.
//!
//! `jsonwebtoken` reads the keys and verifies signatures; AWS-LC verifies ES512, which that library lacks, and checks here
//! what that library takes unseen: sizes, points, and that text is strict base64url.
//!
//! A key that is malformed, or serves something else, is passed over: one bad
//! key must not lock everybody out. What is private or symmetric is never used.

use super::algorithm::{Algorithm, AlgorithmSet};
use super::unfit_key::UnfitKey;
use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm as Jws, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The keys of one issuer by `kid`, never empty.
#[derive(Debug)]
pub struct KeySet {
    by_kid: HashMap<Box<str>, Vec<Arc<VerifyingKey>>>,
}

/// A public key and the one algorithm that it verifies.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: PublicKey,
    /// The JWK's own member `issuer`, which Entra ID writes: whose tokens the key signs.
    issuer: Option<Box<str>>,
}

enum PublicKey {
    Jsonwebtoken(DecodingKey, Jws),
    /// `jsonwebtoken` knows the curve P-521 and no algorithm for it.
    Es512(ParsedPublicKey),
}

/// Why a document is no use as a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// It is not a JSON object with an array of `keys`.
    NotAJwkSet,
    /// None of its keys fits any of the issuer's algorithms: how many there are, and what is wrong with the first.
    NoFittingKey {
        /// How many.
        keys: usize,
        /// `None` where there is not one.
        first: Option<UnfitKey>,
    },
}

impl KeySet {
    /// Reads a JWK Set and keeps the keys that fit one of `algorithms`.
    ///
    /// # Errors
    /// [`KeySetError`]; a single senseless key is none.
    pub fn parse(document: &[u8], algorithms: AlgorithmSet) -> Result<Self, KeySetError> {
        let set: JwkSet<'_> = serde_json::from_slice(document).map_err(|_| KeySetError::NotAJwkSet)?;
        let mut by_kid: HashMap<Box<str>, Vec<Arc<VerifyingKey>>> = HashMap::new();
        let mut first = None;
        for raw in &set.keys {
            match fitting_keys(raw.get(), algorithms) {
                Ok((kid, fitting)) => by_kid.entry(kid).or_default().extend(fitting),
                Err(unfit) => first = first.or(Some(unfit)),
            }
        }
        if by_kid.is_empty() {
            Err(KeySetError::NoFittingKey { keys: set.keys.len(), first })
        } else {
            Ok(Self { by_kid })
        }
    }

    /// The key of that id for that algorithm; of several the first in the set.
    #[must_use]
    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&Arc<VerifyingKey>> {
        self.by_kid.get(kid)?.iter().find(|key| key.algorithm == algorithm)
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySetError::NotAJwkSet => f.write_str("not a JWK Set"),
            KeySetError::NoFittingKey { first: None, .. } => f.write_str("a JWK Set without keys"),
            KeySetError::NoFittingKey { keys, first: Some(unfit) } => {
                write!(f, "no key fits the issuer's algorithms; of {keys}, the first {unfit}")
            }
        }
    }
}

impl VerifyingKey {
    /// The algorithm that this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A key that came with what it signed, for one algorithm. Whose it is must be known from elsewhere.
    pub(super) fn embedded(jwk: Value, algorithm: Algorithm) -> Result<Self, UnfitKey> {
        let alg = jwk.get("alg").and_then(Value::as_str).map(str::to_owned);
        let jwk: Jwk = serde_json::from_value(jwk).map_err(|_| UnfitKey::NotAJwk)?;
        check_use(&jwk)?;
        // RFC 9864 2.2 calls EdDSA with that curve by the curve's name.
        let is_its = |alg: &String| alg == algorithm.name() || algorithm == Algorithm::EdDsa && alg == "Ed25519";
        if let Some(alg) = alg.filter(|alg| !is_its(alg)) {
            return Err(UnfitKey::algorithm(&alg));
        }
        Ok(Self { algorithm, key: public_key(&jwk, algorithm)?, issuer: None })
    }

    /// The issuer that the key's own JWK names; what is no text names nobody's.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether `signature`, which is strict base64url, is this key's over `message`.
    ///
    /// # Errors
    /// [`BadSignature`] where it is not.
    pub(super) fn verify(&self, message: &[u8], signature: &str) -> Result<(), BadSignature> {
        let verified = match &self.key {
            PublicKey::Jsonwebtoken(key, algorithm) => {
                jsonwebtoken::crypto::verify(signature, message, key, *algorithm).unwrap_or(false)
            }
            PublicKey::Es512(key) => {
                decode(signature).is_some_and(|signature| key.verify_sig(message, &signature).is_ok())
            }
        };
        if verified { Ok(()) } else { Err(BadSignature) }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The signature is not by that key over that message.
#[derive(Debug)]
pub(super) struct BadSignature;

/// The keys are read one by one: one that cannot be read must not spoil the others.
#[derive(Deserialize)]
struct JwkSet<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The `alg` as it is written, and the `issuer`. In a [`Jwk`] ES512 and whatever else `jsonwebtoken` does not know are one
/// value.
#[derive(Deserialize)]
struct Named {
    alg: Option<String>,
    issuer: Option<Value>,
}

/// A key of a set, once for each algorithm that it fits, and its `kid`.
fn fitting_keys(text: &str, algorithms: AlgorithmSet) -> Result<(Box<str>, Vec<Arc<VerifyingKey>>), UnfitKey> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| UnfitKey::NotAJwk)?;
    let Named { alg, issuer } = serde_json::from_str(text).map_err(|_| UnfitKey::NotAJwk)?;
    let kid = jwk.common.key_id.as_deref().ok_or(UnfitKey::NoKid)?;
    check_use(&jwk)?;
    if let AlgorithmParameters::OctetKey(_) = jwk.algorithm {
        return Err(UnfitKey::Symmetric);
    }
    let issuer: Option<Box<str>> = issuer.map(|issuer| issuer.as_str().unwrap_or_default().into());
    let mut fitting = Vec::new();
    let mut unfit = alg.as_deref().map_or(UnfitKey::Type, UnfitKey::algorithm);
    for algorithm in algorithms.iter().filter(|algorithm| alg.as_deref().is_none_or(|alg| alg == algorithm.name())) {
        match public_key(&jwk, algorithm) {
            Ok(key) => fitting.push(Arc::new(VerifyingKey { algorithm, key, issuer: issuer.clone() })),
            // Of several algorithms the one whose type of key this is has the most to say.
            Err(why) if matches!(unfit, UnfitKey::Type | UnfitKey::Algorithm(_)) => unfit = why,
            Err(_) => {}
        }
    }
    if !fitting.is_empty() {
        return Ok((kid.into(), fitting));
    }
    let is_certificate_alone = jwk.common.x509_chain.is_some() && unfit == UnfitKey::Type;
    Err(if is_certificate_alone { UnfitKey::CertificateAlone } else { unfit })
}

/// Whether the key says that it verifies signatures, or says nothing of that.
fn check_use(jwk: &Jwk) -> Result<(), UnfitKey> {
    match &jwk.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => {}
        Some(PublicKeyUse::Encryption) => return Err(UnfitKey::public_key_use("enc")),
        Some(PublicKeyUse::Other(other)) => return Err(UnfitKey::public_key_use(other)),
    }
    if jwk.common.key_operations.as_deref().is_some_and(|ops| !ops.contains(&KeyOperations::Verify)) {
        return Err(UnfitKey::KeyOps);
    }
    Ok(())
}

fn public_key(jwk: &Jwk, algorithm: Algorithm) -> Result<PublicKey, UnfitKey> {
    let (key, algorithm) = match algorithm {
        Algorithm::Rs256 => (rsa(jwk)?, Jws::RS256),
        Algorithm::Rs384 => (rsa(jwk)?, Jws::RS384),
        Algorithm::Rs512 => (rsa(jwk)?, Jws::RS512),
        Algorithm::Ps256 => (rsa(jwk)?, Jws::PS256),
        Algorithm::Ps384 => (rsa(jwk)?, Jws::PS384),
        Algorithm::Ps512 => (rsa(jwk)?, Jws::PS512),
        Algorithm::Es256 => {
            let point = point(jwk, &EllipticCurve::P256, &signature::ECDSA_P256_SHA256_FIXED)?;
            (DecodingKey::from_ec_der(point.as_ref()), Jws::ES256)
        }
        Algorithm::Es384 => {
            let point = point(jwk, &EllipticCurve::P384, &signature::ECDSA_P384_SHA384_FIXED)?;
            (DecodingKey::from_ec_der(point.as_ref()), Jws::ES384)
        }
        Algorithm::Es512 => {
            return point(jwk, &EllipticCurve::P521, &signature::ECDSA_P521_SHA512_FIXED).map(PublicKey::Es512);
        }
        Algorithm::EdDsa => (ed25519(jwk)?, Jws::EdDSA),
    };
    Ok(PublicKey::Jsonwebtoken(key, algorithm))
}

fn rsa(jwk: &Jwk) -> Result<DecodingKey, UnfitKey> {
    let AlgorithmParameters::RSA(key) = &jwk.algorithm else { return Err(UnfitKey::Type) };
    let modulus = member("n", &key.n)?;
    let exponent = member("e", &key.e)?;
    // Some issuers write a leading zero byte; it has no value, and with it no signature would verify.
    let n = without_leading_zeros(&modulus);
    let e = without_leading_zeros(&exponent);
    let zeros = n.first().map_or(0, |first| first.leading_zeros());
    let bits = (n.len() * 8).saturating_sub(usize::try_from(zeros).unwrap_or_default());
    if !RSA_BITS.contains(&bits) {
        return Err(UnfitKey::RsaBits(bits));
    }
    // What the hash and the padding are makes no difference to this.
    let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256);
    parsed.map_err(|_| UnfitKey::Value)?;
    Ok(DecodingKey::from_rsa_raw_components(n, e))
}

/// RFC 7518 6.2.1.2: both coordinates have their full size. SEC1's uncompressed form is then 0x04, x, y; the library checks
/// that the point is on the curve.
fn point(
    jwk: &Jwk,
    curve: &EllipticCurve,
    parameters: &'static EcdsaVerificationAlgorithm,
) -> Result<ParsedPublicKey, UnfitKey> {
    let AlgorithmParameters::EllipticCurve(key) = &jwk.algorithm else { return Err(UnfitKey::Type) };
    if key.curve != *curve {
        return Err(UnfitKey::Type);
    }
    let (x, y) = (member("x", &key.x)?, member("y", &key.y)?);
    if x.len() != y.len() {
        return Err(UnfitKey::Value);
    }
    ParsedPublicKey::new(parameters, [&[4], x.as_slice(), y.as_slice()].concat()).map_err(|_| UnfitKey::Value)
}

fn ed25519(jwk: &Jwk) -> Result<DecodingKey, UnfitKey> {
    let AlgorithmParameters::OctetKeyPair(key) = &jwk.algorithm else { return Err(UnfitKey::Type) };
    if key.curve != EllipticCurve::Ed25519 {
        return Err(UnfitKey::Type);
    }
    let x = member("x", &key.x)?;
    if x.len() != ED25519_BYTES || ParsedPublicKey::new(&signature::ED25519, &x).is_err() {
        return Err(UnfitKey::Value);
    }
    Ok(DecodingKey::from_ed_der(&x))
}

fn member(name: &'static str, text: &str) -> Result<Vec<u8>, UnfitKey> {
    decode(text).ok_or(UnfitKey::Encoding(name))
}

/// Strict base64url (RFC 7515 2).
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
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
            assert!(matches!(set.unwrap_err(), KeySetError::NoFittingKey { .. }), "{keys}");
        }
    }

    #[test]
    fn a_set_without_a_fitting_key_says_how_many_it_has_and_what_is_wrong_with_the_first() {
        let n = URL_SAFE_NO_PAD.encode([0xC5; 256]);
        let rsa_with = |members: &str| rsa(&format!(",{members}"), 256);
        let ec = |curve: &str, x: &str| format!(r#"{{"kty":"EC","kid":"k","crv":"{curve}","x":"{x}","y":"{P256_Y}"}}"#);
        for (key, expected) in [
            ("7".to_owned(), "is not a JWK"),
            (rsa_with(r#""use":7"#), "is not a JWK"),
            (rsa("", 256).replace(r#""kid":"k","#, ""), "has no `kid`"),
            (r#"{"kty":"oct","kid":"k","k":"AAAA"}"#.to_owned(), "is symmetric (`kty` is `oct`)"),
            (rsa_with(r#""use":"enc""#), "has the `use` `enc`, not `sig`"),
            (rsa_with(r#""use":"SIG""#), "has the `use` `SIG`, not `sig`"),
            (rsa_with(r#""key_ops":["sign"]"#), "has `key_ops` without `verify`"),
            (rsa_with(r#""alg":"rs256""#), "has the `alg` `rs256`, which is none of the issuer's algorithms"),
            (rsa_with(r#""alg":"RS512""#), "has the `alg` `RS512`, which is none of the issuer's algorithms"),
            (rsa_with(r#""alg":"a\n`<b>""#), "has the `alg` `a??<b>`, which is none of the issuer's algorithms"),
            (
                rsa_with(&format!(r#""alg":"{}""#, "x".repeat(40_000))),
                "has the `alg` `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`, which is none of the issuer's algorithms",
            ),
            (r#"{"kty":"RSA","kid":"k","x5c":["MIIB"]}"#.to_owned(), "has a certificate (`x5c`) and no key beside it"),
            (ec("P-384", P256_X), "is of a type that none of the issuer's algorithms uses, or lacks a member"),
            (
                r#"{"kty":"RSA","kid":"k","n":"AQAB"}"#.to_owned(),
                "is of a type that none of the issuer's algorithms uses, or lacks a member",
            ),
            (
                format!(r#"{{"kty":"RSA","kid":"k","n":"{n}==","e":"AQAB"}}"#),
                "has an `n` that is not base64url without padding",
            ),
            (
                ec("P-256", &P256_X.replace('-', "+").replace('_', "/")[..42]),
                "has an `x` that is not base64url without padding",
            ),
            (rsa("", 128), "is an RSA key of 1024 bits; 2048 to 8192 are accepted"),
            (ec("P-256", &P256_X.replace("83O", "83P")), "has a value that is not a public key of its type"),
        ] {
            let algorithms = AlgorithmSet::of(&[Algorithm::Rs256, Algorithm::Es256]);
            let set = KeySet::parse(format!(r#"{{"keys":[{key},{{}}]}}"#).as_bytes(), algorithms);
            let said = set.unwrap_err().to_string();
            assert_eq!(said, format!("no key fits the issuer's algorithms; of 2, the first {expected}"));
        }
        let empty = KeySet::parse(br#"{"keys":[]}"#, AlgorithmSet::of(&RS)).unwrap_err();
        assert_eq!(empty.to_string(), "a JWK Set without keys");
    }

    #[test]
    fn a_member_that_nothing_reads_may_be_of_any_type() {
        check(&rsa(r#","nbf":1,"issuer":{"a":[]},"e2":null"#, 256), &RS, &RS);
        check(&rsa(r#","alg":null,"use":null,"key_ops":null,"x5c":null"#, 256), &RS, &RS);
    }
}
