//! The token chooses how it is verified: no signature at all, or a public key as a shared secret.

use serde_json::json;

use crate::forgery::{hmac_signed, spellings_of_the_public_key};
use crate::target::{ATTACKER, EVERY, OTHER, Target};
use crate::tokens::{Key, Token};

/// CVE-2015-9235 and, years later, CVE-2018-1000531, CVE-2020-15957, CVE-2020-26244, CVE-2021-22160.
#[test]
fn cve_2015_9235_alg_none_in_every_case() {
    let target = Target::stand();
    for token in [Token::access(), Token::oidc(EVERY)] {
        for alg in ["none", "None", "NONE", "nOnE", "nonE", "none ", " none", "none\u{0}", "n\u{f3}ne", "null", ""] {
            let token = token.clone().header("alg", json!(alg));
            target.expect(&format!("{alg:?} with a signature"), token.text(), "algorithm_not_allowed");
            target.expect(&format!("{alg:?} without"), token.with_signature(b""), "malformed_token");
        }
    }
    let none = Token::access().header("alg", json!("none")).with_signature(b"");
    target.expect_of_all("the classic", &none, "malformed_token");
    target.expect("the classic, its last dot gone", none.trim_end_matches('.'), "malformed_token");
    let absent = Token::access().without_header("alg");
    target.expect("no alg", absent.text(), "algorithm_not_allowed");
    for alg in [json!(null), json!(false), json!(0), json!([]), json!(["none"]), json!({ "none": "RS256" })] {
        let text = Token::access().header("alg", alg.clone()).text();
        target.expect(&format!("alg: {alg}"), text, "algorithm_not_allowed");
    }
}

/// The public key as an HMAC secret: CVE-2015-9235, CVE-2016-10555, CVE-2017-11424 (PKCS#1), CVE-2022-29217 (OpenSSH),
/// CVE-2023-48223 (PKCS#1 and white space), CVE-2023-48238, CVE-2024-33663, CVE-2024-37568, CVE-2024-54150.
#[test]
fn cve_2016_5431_hmac_keyed_with_the_public_key() {
    let target = Target::stand();
    for (what, secret) in spellings_of_the_public_key(Key::RsaA) {
        for algorithm in ["HS256", "HS384", "HS512"] {
            for token in [Token::access(), Token::oidc(EVERY)] {
                let forged = hmac_signed(&token, algorithm, &secret);
                target.expect(&format!("{algorithm} with {what}"), forged, "algorithm_not_allowed");
            }
        }
    }
    let (_, pem) = spellings_of_the_public_key(Key::RsaA).swap_remove(0);
    target.expect_of_all("the classic", &hmac_signed(&Token::access(), "HS256", &pem), "algorithm_not_allowed");
}

/// The same HMAC, `alg` naming what the issuer allows: a library that takes the function from the key's bytes.
#[test]
fn an_hmac_under_an_allowed_name_is_no_signature() {
    let target = Target::stand();
    for (what, secret) in spellings_of_the_public_key(Key::RsaA) {
        let tag = hmac_signed(&Token::access(), "HS256", &secret);
        let (_, tag) = tag.rsplit_once('.').unwrap();
        let token = Token::access().text();
        let (input, _) = token.rsplit_once('.').unwrap();
        target.expect(what, format!("{input}.{tag}"), "bad_signature");
    }
}

/// CVE-2019-20933: a shared secret that was never set; CVE-2025-20188: one that is the same everywhere.
#[test]
fn cve_2019_20933_empty_and_well_known_secrets() {
    let target = Target::stand();
    for secret in ["", "\0", "secret", "your-256-bit-secret", "notfound", "null", "undefined", "changeit"] {
        for algorithm in ["HS256", "HS384", "HS512"] {
            let forged = hmac_signed(&Token::access(), algorithm, secret.as_bytes());
            target.expect(&format!("{algorithm} with {secret:?}"), forged, "algorithm_not_allowed");
        }
    }
}

/// RFC 8725, section 2.1: an issuer's key must not serve another algorithm than the issuer's.
#[test]
fn algorithms_that_the_issuer_does_not_use() {
    let target = Target::stand();
    let of = |issuer: &str, key: Key, algorithm: &'static str| {
        Token::oidc(issuer).key(key).algorithm(algorithm).header("kid", json!("rsa-4096")).text()
    };
    for algorithm in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        target.expect(algorithm, of(OTHER, Key::Rsa4096, algorithm), "algorithm_not_allowed");
    }
    for (key, algorithm) in [(Key::P256, "ES256"), (Key::P384, "ES384"), (Key::P521, "ES512"), (Key::Ed25519, "EdDSA")]
    {
        target.expect(algorithm, of(OTHER, key, algorithm), "algorithm_not_allowed");
    }
    target.expect("RS256, as it uses", of(OTHER, Key::Rsa4096, "RS256"), "allow");
    for unknown in
        ["RS1", "RS0", "ES256K", "Ed25519", "Ed448", "ML-DSA-44", "HS256/64", "A128KW", "dir", "PBES2-HS256+A128KW"]
    {
        let token = Token::oidc(EVERY).header("alg", json!(unknown));
        target.expect(unknown, token.text(), "algorithm_not_allowed");
    }
}

/// A `kid` of one type of key with an algorithm of another; PKCS#1 v1.5 under the name of PSS and the other way round.
#[test]
fn key_type_and_algorithm_confusion() {
    let target = Target::stand();
    for (kid, key, algorithm) in [
        ("rsa-a", Key::P256, "ES256"),
        ("p-256", Key::RsaA, "RS256"),
        ("p-256", Key::RsaA, "PS256"),
        ("p-256", Key::P384, "ES384"),
        ("p-384", Key::P256, "ES256"),
        ("p-521", Key::P256, "ES256"),
        ("ed25519", Key::P256, "ES256"),
        ("p-256", Key::Ed25519, "EdDSA"),
        ("ed25519", Key::RsaA, "RS256"),
        ("rsa-a", Key::Ed25519, "EdDSA"),
    ] {
        let token = Token::oidc(EVERY).key(key).algorithm(algorithm).header("kid", json!(kid));
        target.expect(&format!("{algorithm} with the kid {kid}"), token.text(), "unknown_key");
    }
    for (signed, named) in [
        ("PS256", "RS256"),
        ("RS256", "PS256"),
        ("RS384", "RS256"),
        ("RS256", "RS512"),
        ("PS384", "PS256"),
        ("PS256", "PS512"),
    ] {
        let token = Token::oidc(EVERY).algorithm(signed).header("alg", json!(named));
        target.expect(&format!("{signed} under the name {named}"), token.text(), "bad_signature");
    }
    // Cognito's keys name RS256, so that no other algorithm has a key there, allowed or not.
    let strict = Token::access().key(ATTACKER).algorithm("PS256").header("kid", json!("rsa-a"));
    target.expect("PS256 at Cognito", strict.text(), "algorithm_not_allowed");
}
