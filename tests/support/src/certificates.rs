//! The client certificates and authorities of `tests/certificates`, and what names a certificate.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::repository;
use crate::tokens::pem_to_der;

/// The client certificate of that name, PEM.
pub fn client(name: &str) -> String {
    named("clients.pem", name)
}

/// The certificate of that name in that file.
pub fn named(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(repository().join("tests/certificates").join(file)).unwrap();
    let (_, rest) = text.split_once(&format!("# {name}\n")).unwrap_or_else(|| panic!("no certificate {name}"));
    rest.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned()
}

/// The SHA-256 of its DER in hex: its name in the table and in the log.
pub fn fingerprint(pem: &str) -> String {
    let hash = digest::digest(&digest::SHA256, &pem_to_der(pem));
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those bytes as a certificate in PEM.
pub fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}
