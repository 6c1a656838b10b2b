//! A JWK Set, as bytes. A key that comes of it is one that the document holds and describes as fit; and no signature of
//! ours verifies under it, unless it is ours.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer::request::{Credential, Request};
use cognito_authorizer::token::{Algorithm, AlgorithmSet, BearerToken, KeySet, UnverifiedJwt};
use serde_json::Value;
use serde_json::value::RawValue;

use super::memory::within;
use super::tokens::{Key, Token};

/// Some lists of pointers, and a key in the library's form for each algorithm that it may serve.
const PER_BYTE: usize = 160;
const AND: usize = 64 * 1024;

/// One token for each algorithm, signed by a key of ours.
static TOKENS: LazyLock<Vec<(Algorithm, String, Key)>> = LazyLock::new(|| {
    let token =
        |algorithm: Algorithm, key: Key| (algorithm, Token::access().key(key).algorithm(algorithm.name()).text(), key);
    let ours = |algorithm| match algorithm {
        Algorithm::Es256 => Key::P256,
        Algorithm::Es384 => Key::P384,
        Algorithm::Es512 => Key::P521,
        Algorithm::EdDsa => Key::Ed25519,
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => Key::RsaA,
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => Key::RsaA,
    };
    Algorithm::ALL.map(|algorithm| token(algorithm, ours(algorithm))).to_vec()
});

pub fn run(data: &[u8]) {
    let tokens = &*TOKENS;
    let parsed = within(data.len() * PER_BYTE + AND, || KeySet::parse(data, AlgorithmSet::of(&Algorithm::ALL)));
    let Ok(set) = parsed else { return };
    // Each key is read by itself: one that is no JSON to its end (a lone half of a surrogate) spoils no other.
    let mut document: HashMap<String, Box<RawValue>> = serde_json::from_slice(data).expect("what was read is JSON");
    let keys: Vec<Box<RawValue>> = serde_json::from_str(document.remove("keys").expect("keys").get()).expect("a list");
    let keys: Vec<Value> = keys.iter().filter_map(|key| serde_json::from_str(key.get()).ok()).collect();
    let mut found = 0;
    for kid in keys.iter().filter_map(|key| key["kid"].as_str()) {
        for (algorithm, token, ours) in tokens {
            let Some(key) = set.find(kid, *algorithm) else { continue };
            found += 1;
            assert_eq!(key.algorithm(), *algorithm);
            let described = keys.iter().filter(|key| key["kid"] == kid && fits(key, *algorithm));
            let described: Vec<&Value> = described.collect();
            assert!(!described.is_empty(), "no key `{kid}` is fit for {algorithm}");
            let is_ours = described.iter().any(|key| same_material(key, &ours.jwk()));
            let request = Request::new("GET", "/", vec![Credential(token.as_str().into())]);
            let token = BearerToken::from_request(&request).expect("one token");
            let verified = UnverifiedJwt::parse(&token).expect("a token").verify(key);
            assert!(verified.is_err() || is_ours, "{algorithm} verifies under a strange key");
        }
    }
    assert!(found > 0, "a set without a key");
}

/// RFC 7517, section 4, and RFC 7518, section 6, naively.
fn fits(key: &Value, algorithm: Algorithm) -> bool {
    let bytes = |name: &str| key[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
    let name = algorithm.name();
    let material = match (name, key["kty"].as_str(), key["crv"].as_str()) {
        (_, Some("RSA"), _) if name.starts_with("RS") || name.starts_with("PS") => {
            let n = bytes("n");
            let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
            // 2048 bits are 256 bytes whose first bit is set.
            (n.len() == 256 && n[0] & 0x80 != 0) || (257..=1024).contains(&n.len())
        }
        ("ES256", Some("EC"), Some("P-256")) => bytes("x").len() == 32 && bytes("y").len() == 32,
        ("ES384", Some("EC"), Some("P-384")) => bytes("x").len() == 48 && bytes("y").len() == 48,
        ("ES512", Some("EC"), Some("P-521")) => bytes("x").len() == 66 && bytes("y").len() == 66,
        ("EdDSA", Some("OKP"), Some("Ed25519")) => bytes("x").len() == 32,
        _ => false,
    };
    let absent_or =
        |name: &str, fits: &dyn Fn(&Value) -> bool| key.get(name).is_none_or(|value| value.is_null() || fits(value));
    material
        && absent_or("alg", &|alg| alg == name)
        && absent_or("use", &|public_key_use| public_key_use == "sig")
        && absent_or("key_ops", &|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")))
}

fn same_material(key: &Value, ours: &Value) -> bool {
    let number = |value: &Value| {
        let bytes = value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
        bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>()
    };
    // Members of other types of key mean nothing, and may be there.
    let members: &[&str] = match ours["kty"].as_str() {
        Some("RSA") => &["n", "e"],
        Some("EC") => &["x", "y"],
        _ => &["x"],
    };
    members.iter().all(|name| number(&key[*name]) == number(&ours[*name]))
}
