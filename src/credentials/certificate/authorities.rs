//! The configured authorities, and whether one of them vouches for a client certificate now (RFC 5280 6).

use super::client_certificate::{ClientCertificate, VerifiedCertificate};
use super::fields::Fields;
use crate::request::UnixSeconds;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert, aws_lc_rs};

/// What client certificates are verified against: the trust anchors (certificates that verify their own signature) and
/// the intermediates (all others) of one file. API Gateway's events carry the client's certificate alone, so that
/// intermediates can come from nowhere else.
pub struct Authorities {
    anchors: Vec<TrustAnchor<'static>>,
    /// What each anchor's certificate limits, which `webpki` does not look at.
    limits: Vec<AnchorLimits>,
    intermediates: Vec<CertificateDer<'static>>,
}

struct AnchorLimits {
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    path_length: Option<u32>,
}

impl Authorities {
    /// Reads PEM text with certificates of authorities.
    ///
    /// # Errors
    /// All faults, each with the number of its certificate, for the operator.
    pub fn parse(pem: &[u8]) -> Result<Self, Vec<String>> {
        if pem.len() > MAX_FILE_BYTES {
            return Err(vec!["has more than 1 MiB".to_owned()]);
        }
        let mut faults = Vec::new();
        let mut authorities = Self { anchors: Vec::new(), limits: Vec::new(), intermediates: Vec::new() };
        let mut issuers_and_subjects = Vec::new();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let number = index.saturating_add(1);
            let Ok(certificate) = certificate else {
                faults.push(format!("certificate {number} cannot be read: not PEM text"));
                break;
            };
            match authorities.add(&certificate) {
                Ok(names) => issuers_and_subjects.push((number, names)),
                Err(why) => faults.push(format!("certificate {number}: {why}")),
            }
            if number > MAX_CERTIFICATES {
                faults.push(format!("has more than {MAX_CERTIFICATES} certificates"));
                break;
            }
            if faults.len() == MAX_FAULTS {
                faults.push("has more such faults".to_owned());
                break;
            }
        }
        for (number, (issuer, _)) in &issuers_and_subjects {
            if faults.is_empty() && !issuers_and_subjects.iter().any(|(_, (_, subject))| subject == issuer) {
                faults.push(format!("certificate {number}: its issuer is not in the file"));
            }
        }
        if faults.is_empty() && authorities.anchors.is_empty() {
            faults.push("has no self-signed certificate (a root), which a chain could end in".to_owned());
        }
        if faults.is_empty() { Ok(authorities) } else { Err(faults) }
    }

    /// Adds one certificate; its issuer and subject are returned.
    fn add(&mut self, certificate: &CertificateDer<'_>) -> Result<(Vec<u8>, Vec<u8>), &'static str> {
        let fields = Fields::read(certificate)?;
        fields.key.check()?;
        if !fields.basic_constraints.is_some_and(|constraints| constraints.is_authority) {
            return Err("is not an authority's: its basic constraints do not say `CA:TRUE`");
        }
        if fields.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
            return Err("may not sign certificates: its key usage lacks keyCertSign");
        }
        // Several with ECDSA: an algorithm's id does not name the curve.
        let algorithms = ALGORITHMS.iter().filter(|one| one.signature_alg_id().as_ref() == fields.signature_algorithm);
        let mut algorithms = algorithms.peekable();
        algorithms.peek().ok_or(
            "its signature algorithm is not accepted (SHA-256, 384 or 512 with ECDSA or RSA PKCS #1, or Ed25519)",
        )?;
        let parsed = EndEntityCert::try_from(certificate).map_err(|error| in_words(&error))?;
        let is_self_signed = fields.issuer == fields.subject
            && algorithms.any(|one| parsed.verify_signature(*one, fields.signed, fields.signature).is_ok());
        if is_self_signed {
            self.anchors.push(anchor_from_trusted_cert(certificate).map_err(|error| in_words(&error))?.to_owned());
            let path_length = fields.basic_constraints.and_then(|constraints| constraints.path_length);
            let (not_before, not_after) = (fields.not_before, fields.not_after);
            self.limits.push(AnchorLimits { not_before, not_after, path_length });
        } else {
            self.intermediates.push(certificate.clone().into_owned());
        }
        Ok((fields.issuer.to_vec(), fields.subject.to_vec()))
    }

    /// Verifies a client's certificate: a chain of at most six intermediates to an anchor, all signatures, dates, basic
    /// and name constraints, and its usage for clients.
    ///
    /// # Errors
    /// In fixed words, for the operator.
    pub fn verify(
        &self,
        certificate: ClientCertificate,
        now: UnixSeconds,
    ) -> Result<VerifiedCertificate, &'static str> {
        let time = Duration::try_from_secs_f64(now.as_f64()).map_err(|_| "a time before 1970")?;
        let (subject, uris) = {
            let fields = Fields::read(&certificate.der)?;
            fields.key.check()?;
            // "If the keyUsage extension is present, then the digitalSignature bit MUST be set" for a client that signs
            // its part of the handshake (RFC 8446 4.4.2.2, RFC 5246 7.4.6), as every accepted kind of key does.
            if fields.key_usage.is_some_and(|usage| !usage.digital_signature) {
                return Err("its key usage lacks digitalSignature");
            }
            let end_entity = EndEntityCert::try_from(&certificate.der).map_err(|error| in_words(&error))?;
            let verified = end_entity.verify_for_usage(
                ALGORITHMS,
                &self.anchors,
                &self.intermediates,
                UnixTime::since_unix_epoch(time),
                KeyUsage::client_auth(),
                None,
                Some(&|path: &VerifiedPath<'_>| self.check_anchor(path, now)),
            );
            verified.map_err(|error| in_words(&error))?;
            (fields.subject_name(), end_entity.valid_uri_names().map(str::to_owned).collect())
        };
        Ok(VerifiedCertificate { certificate, subject, uris })
    }

    /// Holds a chain to its anchor's own dates and path length.
    fn check_anchor(&self, path: &VerifiedPath<'_>, now: UnixSeconds) -> Result<(), Error> {
        let limits = self.anchors.iter().zip(&self.limits).find(|(anchor, _)| std::ptr::eq(*anchor, path.anchor()));
        let (_, limits) = limits.ok_or(Error::UnknownIssuer)?;
        // As webpki does: in whole seconds, both ends included.
        let second = now.as_f64().floor();
        if second < limits.not_before.as_f64() || second > limits.not_after.as_f64() {
            return Err(Error::UnknownIssuer);
        }
        let intermediates = path.intermediate_certificates().count();
        match limits.path_length.map(usize::try_from) {
            None => Ok(()),
            Some(Ok(most)) if intermediates <= most => Ok(()),
            Some(_) => Err(Error::PathLenConstraintViolated),
        }
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorities({} anchors, {} intermediates)", self.anchors.len(), self.intermediates.len())
    }
}

/// What went wrong, of the chain that came closest.
fn in_words(error: &Error) -> &'static str {
    WORDS.iter().find(|(is_it, _)| is_it(error)).map_or("not a certificate that can be verified", |(_, words)| words)
}

type Words = (fn(&Error) -> bool, &'static str);

const WORDS: [Words; 10] = [
    (|error| matches!(error, Error::CertExpired { .. }), "it, or an intermediate, has expired"),
    (|error| matches!(error, Error::CertNotValidYet { .. }), "it, or an intermediate, is not valid yet"),
    (|error| matches!(error, Error::UnknownIssuer), "no valid authority of the file is its issuer"),
    (|error| matches!(error, Error::InvalidSignatureForPublicKey), "its signature is not its issuer's"),
    (
        |error| matches!(error, Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension),
        "its extended key usage lacks clientAuth",
    ),
    (|error| matches!(error, Error::CaUsedAsEndEntity), "it is an authority's"),
    (|error| matches!(error, Error::NameConstraintViolation), "a name constraint of its issuer is violated"),
    (|error| matches!(error, Error::PathLenConstraintViolated), "its chain is longer than an authority allows"),
    (|error| matches!(error, Error::UnsupportedCriticalExtension), "it has a critical extension that is not known"),
    (
        |error| {
            matches!(
                error,
                Error::UnsupportedSignatureAlgorithmContext(_)
                    | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            )
        },
        "its signature algorithm is not accepted",
    ),
];

/// What certificates may be signed with. No SHA-1; webpki's RSA takes keys of 2048 to 8192 bits.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    aws_lc_rs::ECDSA_P256_SHA256,
    aws_lc_rs::ECDSA_P256_SHA384,
    aws_lc_rs::ECDSA_P256_SHA512,
    aws_lc_rs::ECDSA_P384_SHA256,
    aws_lc_rs::ECDSA_P384_SHA384,
    aws_lc_rs::ECDSA_P384_SHA512,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
    aws_lc_rs::ED25519,
];

/// "1,000 certificates" and 1 MB: as large as API Gateway's truststore may be.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html>
const MAX_CERTIFICATES: usize = 1_000;
const MAX_FILE_BYTES: usize = 1024 * 1024;

/// A file of something else has a fault for each of its certificates.
const MAX_FAULTS: usize = 10;

#[cfg(test)]
mod tests {
    use super::super::fixtures::{AUTHORITIES, CLIENTS, client_pem, pem, stranger_pem};
    use super::*;

    /// 2026-01-01.
    const NOW: f64 = 1_767_225_600.0;

    fn at(seconds: f64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn verify_by(authorities: &str, client: &str, now: f64) -> Result<(), &'static str> {
        let authorities = Authorities::parse(authorities.as_bytes()).unwrap();
        let certificate = ClientCertificate::parse(&client_pem(client)).unwrap();
        authorities.verify(certificate, at(now)).map(drop)
    }

    #[test]
    fn only_what_an_authority_issued_for_clients_is_verified() {
        const NO_ISSUER: &str = "no valid authority of the file is its issuer";
        for (client, expected) in [
            ("partner-a", Ok(())),
            ("rsa", Ok(())),
            ("p384", Ok(())),
            ("ed25519", Ok(())),
            ("by-intermediate", Ok(())),
            ("without-usage", Ok(())),
            ("with-key-usage", Ok(())),
            ("expired", Err("it, or an intermediate, has expired")),
            ("not-yet-valid", Err("it, or an intermediate, is not valid yet")),
            ("for-servers", Err("its extended key usage lacks clientAuth")),
            ("for-encipherment", Err("its key usage lacks digitalSignature")),
            ("an-authority", Err("it is an authority's")),
            ("by-other-root", Err(NO_ISSUER)),
            ("by-namesake", Err("its signature is not its issuer's")),
            ("by-rollover", Err("its signature is not its issuer's")),
            ("by-itself", Err(NO_ISSUER)),
            ("below-short-root", Err(NO_ISSUER)),
            ("small-key", Err("its RSA key has fewer than 2048 or more than 8192 bits")),
            ("p521-key", Err("its key is neither RSA, P-256, P-384 nor Ed25519")),
            ("sha1-signature", Err("its signature algorithm is not accepted")),
            ("unknown-critical-extension", Err("it has a critical extension that is not known")),
        ] {
            assert_eq!(verify_by(AUTHORITIES, client, NOW), expected, "{client}");
        }
    }

    #[test]
    fn dates_count_to_the_second_at_both_ends() {
        let (start, end) = (1_577_836_800.0, 4_733_510_400.0);
        for (now, verified) in
            [(start - 1.0, false), (start, true), (end, true), (end + 0.9, true), (end + 1.0, false), (-1.0, false)]
        {
            assert_eq!(verify_by(AUTHORITIES, "partner-a", now).is_ok(), verified, "{now}");
        }
    }

    #[test]
    fn an_authority_s_own_limits_hold() {
        let short = stranger_pem("short-root") + &stranger_pem("below-short-root");
        for (authorities, client, now, expected) in [
            (stranger_pem("expired-root"), "by-expired-root", NOW, Err("no valid authority of the file is its issuer")),
            (short, "below-short-root", NOW, Err("its chain is longer than an authority allows")),
            (stranger_pem("constrained-root"), "within-constraints", NOW, Ok(())),
            (
                stranger_pem("constrained-root"),
                "outside-constraints",
                NOW,
                Err("a name constraint of its issuer is violated"),
            ),
            (stranger_pem("namesake"), "partner-a", NOW, Err("its signature is not its issuer's")),
            (stranger_pem("namesake") + AUTHORITIES, "partner-a", NOW, Ok(())),
            (AUTHORITIES.to_owned() + &stranger_pem("rollover"), "by-rollover", NOW, Ok(())),
        ] {
            assert_eq!(verify_by(&authorities, client, now), expected, "{client}");
        }
    }

    #[test]
    fn all_faults_of_a_file_are_found_at_once() {
        let root = pem(AUTHORITIES, "root");
        for (file, faults) in [
            (String::new(), vec!["has no self-signed certificate"]),
            ("no PEM".to_owned(), vec!["has no self-signed certificate"]),
            (pem(AUTHORITIES, "intermediate"), vec!["certificate 1: its issuer is not in the file"]),
            (stranger_pem("rollover"), vec!["has no self-signed certificate"]),
            (root.clone() + &stranger_pem("below-short-root"), vec!["certificate 2: its issuer is not in the file"]),
            (root.replacen('M', "*", 1), vec!["certificate 1 cannot be read"]),
            (root.replace("MI", "AA"), vec!["certificate 1: not an X.509 certificate"]),
            (client_pem("partner-a"), vec!["certificate 1: is not an authority's"]),
            (client_pem("by-itself"), vec!["certificate 1: is not an authority's"]),
            (
                stranger_pem("small-root")
                    + &stranger_pem("sha1-root")
                    + &root
                    + &stranger_pem("no-authority")
                    + &stranger_pem("signs-nothing"),
                vec![
                    "certificate 1: its RSA key",
                    "certificate 2: its signature algorithm is not accepted",
                    "certificate 4: is not an authority's",
                    "certificate 5: may not sign certificates",
                ],
            ),
            (" ".repeat(1024 * 1024 + 1), vec!["has more than 1 MiB"]),
            (client_pem("partner-a").repeat(12), [vec!["certificate"; 10], vec!["has more such faults"]].concat()),
        ] {
            let found = Authorities::parse(file.as_bytes()).err().unwrap_or_default();
            assert_eq!(found.len(), faults.len(), "{found:?}");
            assert!(found.iter().zip(&faults).all(|(found, fault)| found.starts_with(fault)), "{found:?} {faults:?}");
        }
    }

    #[test]
    fn no_changed_byte_of_a_certificate_is_verified() {
        let authorities = Authorities::parse(AUTHORITIES.as_bytes()).unwrap();
        let whole = ClientCertificate::parse(&client_pem("partner-a")).unwrap().der;
        for position in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[position] ^= 1;
            let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &changed);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            let verified =
                ClientCertificate::parse(&pem).and_then(|certificate| authorities.verify(certificate, at(NOW)));
            assert!(verified.is_err(), "{position}");
        }
    }

    #[test]
    fn every_fixture_is_judged_without_a_panic() {
        for name in CLIENTS.lines().filter_map(|line| line.strip_prefix("# ")) {
            _ = verify_by(AUTHORITIES, name, NOW);
        }
    }
}
