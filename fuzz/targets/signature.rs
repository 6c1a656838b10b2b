//! A signed request: `Signature-Input`, `Signature`, path and query, a line each, then headers. What is verified is a vector of RFC 9421,
//! appendix B: no change of a covered part may be.

use std::time::Duration;

use cognito_authorizer::credentials::signature::{
    RequestKey, SignatureAlgorithm, SignaturePolicy, SignedParts, UnverifiedSignatures,
};
use cognito_authorizer::request::{Message, UnixSeconds};

use super::memory::within;

/// Components, parameters, the base, and what is kept of each while the next is read.
const PER_BYTE: usize = 64;
const AND: usize = 64 * 1024;

/// B.1.4.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
                   MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n\
                   -----END PUBLIC KEY-----\n";

/// The signatures of B.2.6 and B.4, as far as their last characters, of which not every bit counts.
const KNOWN: [&str; 2] = [
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRC",
    "ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3ND",
];

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (input, signature, method, domain, path, query) = (next(), next(), next(), next(), next(), next());
    let mut headers: Vec<_> =
        vec![("signature-input".to_owned(), input.into()), ("signature".to_owned(), signature.into())];
    headers.extend(lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.into())));
    let message = Message {
        domain: Some(domain.into()),
        path: Some(path.into()),
        raw_query: (!query.is_empty()).then(|| query.into()),
        headers,
    };
    let parts = SignedParts { method, message: &message };
    let policy = SignaturePolicy {
        algorithms: vec![SignatureAlgorithm::Ed25519],
        max_age: Duration::from_secs(60),
        leeway: Duration::from_secs(5),
        cover: Vec::new(),
        needs_nonce: false,
    };
    let key = RequestKey::public(SignatureAlgorithm::Ed25519, KEY).expect("a key");
    let created = UnixSeconds::new(1_618_884_473.0).expect("a date");
    let verified = within(text.len() * PER_BYTE + AND, || {
        UnverifiedSignatures::parse(&parts, &policy, created).and_then(|unverified| unverified.verify(&key, &policy))
    });
    if verified.is_ok() {
        assert!(KNOWN.iter().any(|known| signature.contains(known)), "nobody signed it");
        assert_eq!((method, path), if signature.contains(KNOWN[0]) { ("POST", "/foo") } else { ("GET", "/demo") });
    }
}
