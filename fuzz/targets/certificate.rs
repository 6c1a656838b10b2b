//! A client certificate, as PEM text and as the DER within; a subject and a URI of the configuration. What is verified is a
//! certificate of the tests: nobody has their authorities' keys any more.

use std::collections::HashSet;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cognito_authorizer::credentials::certificate::{Authorities, ClientCertificate, DistinguishedName, UriPattern};
use cognito_authorizer::request::UnixSeconds;

use super::memory::within;

/// The DER, its hashes, and what is read of its names.
const PER_BYTE: usize = 16;
const AND: usize = 32 * 1024;

const AUTHORITIES: &[u8] = include_bytes!("../../tests/certificates/authorities.pem");
const CLIENTS: &str = include_str!("../../tests/certificates/clients.pem");

/// What all certificates of the tests are verified by, and those that are: by what was signed, since an ECDSA signature has
/// a twin.
static KNOWN: LazyLock<(Authorities, HashSet<String>)> = LazyLock::new(|| {
    let authorities = Authorities::parse(AUTHORITIES).expect("authorities");
    let clients = CLIENTS.split_inclusive("-----END CERTIFICATE-----\n");
    let clients = clients.map(|pem| ClientCertificate::parse(pem).expect("a certificate"));
    let verified = clients.filter_map(|client| authorities.verify(client, now()).ok());
    let known: HashSet<_> = verified.map(|client| client.certificate().signed_fingerprint().to_owned()).collect();
    assert!(known.len() > 20, "some are good");
    (authorities, known)
});

pub fn run(data: &[u8]) {
    let (authorities, known) = &*KNOWN;
    let judge = |pem: &str| {
        let verified = within(pem.len() * PER_BYTE + AND, || {
            ClientCertificate::parse(pem).and_then(|client| authorities.verify(client, now()))
        });
        if let Ok(verified) = verified {
            assert!(known.contains(verified.certificate().signed_fingerprint()), "nobody signed it");
        }
    };
    judge(&format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(data)));
    let Ok(text) = std::str::from_utf8(data) else { return };
    judge(text);
    // A text is read in one way: what it is equal to, it is equal to from both sides.
    if let Ok(name) = DistinguishedName::parse(text) {
        assert!(DistinguishedName::parse(text) == Ok(name.clone()));
        let longer = DistinguishedName::parse(&format!("{text},CN=x")).expect("it goes on");
        assert!(longer != name);
    }
    if let Ok(pattern) = UriPattern::parse(text) {
        match text.strip_suffix("/*") {
            Some(prefix) => {
                assert!(pattern.matches(&format!("{prefix}/a")));
                assert!(
                    !pattern.matches(prefix) && !pattern.matches(text) && !pattern.matches(&format!("{prefix}/../a"))
                );
            }
            None => assert!(pattern.matches(text) && !pattern.matches(&format!("{text}a"))),
        }
    }
}

/// 2026-01-01.
fn now() -> UnixSeconds {
    UnixSeconds::new(1_767_225_600.0).expect("a date")
}
