//! The one certificate of an event or a file: PEM text becomes DER with its fingerprint.

use super::distinguished_name::DistinguishedName;
use super::fields::Fields;
use crate::request::UnixSeconds;
use crate::token::fingerprint;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{PemObject, SectionKind};

/// A certificate that has the form of one. Nothing in it is verified. Its `Debug` shows its fingerprint alone.
#[derive(Clone)]
pub struct ClientCertificate {
    pub(super) der: CertificateDer<'static>,
    fingerprint: String,
    signed_fingerprint: String,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
}

/// A client certificate that a configured authority vouches for, at the time for which it was verified.
#[derive(Clone, Debug)]
pub struct VerifiedCertificate {
    pub(super) certificate: ClientCertificate,
    /// `None` where it has a value that is no plain text.
    pub(super) subject: Option<DistinguishedName>,
    /// The URIs of its subject alternative name.
    pub(super) uris: Vec<String>,
}

impl ClientCertificate {
    /// Reads PEM text (RFC 7468) with one certificate and no other block in it.
    ///
    /// # Errors
    /// In fixed words, where it is something else.
    pub fn parse(pem: &str) -> Result<Self, &'static str> {
        if pem.len() > MAX_PEM_BYTES {
            return Err("more than 16,384 bytes");
        }
        let mut blocks = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        let der = match (blocks.next(), blocks.next()) {
            (Some(Ok((SectionKind::Certificate, der))), None) => CertificateDer::from(der),
            (None | Some(Err(_)), _) => return Err("not PEM text"),
            _ => return Err("not one certificate alone"),
        };
        let Fields { signed, not_before, not_after, .. } = Fields::read(&der)?;
        let (fingerprint, signed_fingerprint) = (fingerprint(&der), fingerprint(signed));
        Ok(Self { der, fingerprint, signed_fingerprint, not_before, not_after })
    }

    /// The SHA-256 of its DER, in lower-case hex: what names it in logs and in the table of revocations.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The SHA-256 of its `tbsCertificate` in lower-case hex: the same for all signatures that verify. An ECDSA
    /// signature `(r, s)` has a twin `(r, -s)`, which whoever holds the certificate can put in its place; the fingerprint
    /// then is another one, so that the table of revocations is asked about this name too.
    #[must_use]
    pub fn signed_fingerprint(&self) -> &str {
        &self.signed_fingerprint
    }

    /// The last second in which it is valid.
    #[must_use]
    pub fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    /// The first second in which it is valid.
    #[must_use]
    pub fn not_before(&self) -> UnixSeconds {
        self.not_before
    }
}

impl VerifiedCertificate {
    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &ClientCertificate {
        &self.certificate
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientCertificate").field(&self.fingerprint).finish()
    }
}

/// As many as a token may have; a certificate has one or two thousand.
const MAX_PEM_BYTES: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::super::fixtures::client_pem;
    use super::*;

    #[test]
    fn exactly_one_certificate_is_read() {
        let one = client_pem("partner-a");
        for pem in [one.clone(), one.replace('\n', "\r\n"), one.trim_end().to_owned(), format!("Subject: x\n{one}\n")] {
            assert!(ClientCertificate::parse(&pem).is_ok(), "{pem}");
        }
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let no_certificate = one.replace("MI", "AA");
        for (pem, why) in [
            (String::new(), "not PEM text"),
            ("CERT_CONTENT".to_owned(), "not PEM text"),
            (one.replace("-----END", "----END"), "not PEM text"),
            (one.replacen('M', "*", 1), "not PEM text"),
            (one.replace('\n', " "), "not PEM text"),
            (one.repeat(2), "not one certificate alone"),
            (format!("{one}{}", client_pem("partner-b")), "not one certificate alone"),
            (format!("{one}{key}"), "not one certificate alone"),
            (format!("{key}{one}"), "not one certificate alone"),
            (key.to_owned(), "not one certificate alone"),
            (format!("{one}-----BEGIN CERTIFICATE-----\n"), "not one certificate alone"),
            (no_certificate, "not an X.509 certificate of version 3"),
            (
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
                "not an X.509 certificate of version 3",
            ),
            (format!("{one}{}", " ".repeat(16_384 - one.len() + 1)), "more than 16,384 bytes"),
        ] {
            assert_eq!(ClientCertificate::parse(&pem).err(), Some(why), "{pem}");
        }
        assert!(ClientCertificate::parse(&format!("{one}{}", " ".repeat(16_384 - one.len()))).is_ok());
    }

    #[test]
    fn the_fingerprint_is_the_hash_of_the_bytes() {
        let certificate = ClientCertificate::parse(&client_pem("partner-a")).unwrap();
        let fingerprint = certificate.fingerprint();
        assert_eq!(fingerprint, crate::token::fingerprint(&certificate.der));
        assert_eq!(format!("{certificate:?}"), format!("ClientCertificate(\"{fingerprint}\")"));
    }
}
