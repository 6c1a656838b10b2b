//! The certificates of `tests/certificates`, by name.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

pub(super) const AUTHORITIES: &str = include_str!("../../../tests/certificates/authorities.pem");
const STRANGERS: &str = include_str!("../../../tests/certificates/strangers.pem");
pub(super) const CLIENTS: &str = include_str!("../../../tests/certificates/clients.pem");

/// The PEM text under a line `# name`.
pub(super) fn pem(file: &str, name: &str) -> String {
    let (_, rest) = format!("\n{file}").split_once(&format!("\n# {name}\n")).map(own).unwrap();
    rest.split_once("\n#").map_or(rest.clone(), |(one, _)| format!("{one}\n"))
}

pub(super) fn client_pem(name: &str) -> String {
    pem(CLIENTS, name)
}

pub(super) fn stranger_pem(name: &str) -> String {
    pem(STRANGERS, name)
}

pub(super) fn client(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(client_pem(name).as_bytes()).unwrap()
}

pub(super) fn authority(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem(AUTHORITIES, name).as_bytes()).unwrap()
}

fn own((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}
