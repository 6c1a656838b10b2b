//! Sender-bound tokens: a `cnf` claim (RFC 7800) says that the token is worth
//! something only in its owner's hands, so it is never taken as a plain bearer token.

use super::bearer::BearerToken;
use super::dpop::{Asked, DpopSettings, KeyProof};
use super::fingerprint::fingerprint;
use crate::denial::Denial;
use crate::request::{Request, UnixSeconds};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::asn1::AnyRef;
use der::{Decode, Reader};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use std::time::Duration;

/// What a request shows of who sends it. By default: nothing, which proves nothing. Its `Debug` shows nothing of it.
#[derive(Clone, Copy, Default)]
pub struct Sender<'a> {
    certificate_pem: Option<&'a str>,
    asked: Option<Asked<'a>>,
    is_dpop: bool,
}

impl<'a> Sender<'a> {
    /// Whoever sends this request with this token.
    #[must_use]
    pub fn of(request: &'a Request<'_>, token: &BearerToken<'a>) -> Self {
        let asked =
            request.message.as_ref().map(|message| Asked { method: request.method, message, token: token.as_str() });
        Self { certificate_pem: request.client_certificate.as_deref(), asked, is_dpop: token.is_dpop() }
    }

    /// A sender with that client certificate.
    #[must_use]
    pub fn with_certificate(pem: &'a str) -> Self {
        Self { certificate_pem: Some(pem), ..Self::default() }
    }

    /// Demands that it is the one that the token is bound to: as `confirmation` says, the token's `cnf`, and by a key where
    /// `dpop` asks for that.
    ///
    /// # Errors
    /// [`Denial::SenderNotProven`]; [`Denial::MalformedToken`] for the scheme `DPoP` where it is not accepted.
    pub(super) fn prove(
        &self,
        confirmation: Option<&Value>,
        dpop: Option<&DpopSettings>,
        now: UnixSeconds,
        leeway: Duration,
    ) -> Result<Proven, Denial> {
        let Some(dpop) = dpop else {
            if self.is_dpop {
                return Err(Denial::MalformedToken("the scheme `DPoP`, which is not accepted"));
            }
            let Some(confirmation) = confirmation else { return Ok(Proven::default()) };
            let signed_fingerprint = prove(confirmation, self.certificate_pem)?;
            return Ok(Proven { signed_fingerprint, key_proof: None });
        };
        // A second binding would have to be proven as well, and nothing here looks at it.
        let members = confirmation.and_then(Value::as_object).filter(|members| members.len() == 1);
        let jkt = members.and_then(|members| members.get("jkt")).and_then(Value::as_str);
        let jkt = jkt.ok_or(Denial::SenderNotProven("dpop: the token is not bound to a key, or to more than that"))?;
        // RFC 9449 7.2: a bound token "MUST NOT" be taken as a bearer token.
        if !self.is_dpop {
            return Err(Denial::SenderNotProven("dpop: the scheme is not DPoP"));
        }
        let asked = self.asked.ok_or(Denial::SenderNotProven("dpop: no proof"))?;
        let key_proof = Some(dpop.verify(asked, jkt, now, leeway)?);
        Ok(Proven { key_proof, signed_fingerprint: None })
    }
}

/// What a sender has proven to have.
#[derive(Debug, Default)]
pub(super) struct Proven {
    /// The key that the token is bound to.
    pub(super) key_proof: Option<KeyProof>,
    /// The client certificate that it is bound to: the SHA-256 of its `tbsCertificate`, in lower-case hex.
    pub(super) signed_fingerprint: Option<String>,
}

impl std::fmt::Debug for Sender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender(redacted)")
    }
}

/// Demands that the sender holds what `confirmation` binds the token to: the
/// client certificate of this connection (RFC 8705 3.1: `x5t#S256` is the SHA-256
/// of its DER). Returns what names the certificate by what its issuer signed; nothing where that cannot be read.
///
/// # Errors
/// [`Denial::SenderNotProven`].
fn prove(confirmation: &Value, certificate_pem: Option<&str>) -> Result<Option<String>, Denial> {
    let members = confirmation.as_object().ok_or(Denial::SenderNotProven("cnf is not an object"))?;
    let thumbprint = members.get("x5t#S256").and_then(Value::as_str);
    let (Some(thumbprint), 1) = (thumbprint, members.len()) else {
        return Err(Denial::SenderNotProven("cnf binds to something else than a certificate"));
    };
    let expected = URL_SAFE_NO_PAD.decode(thumbprint).map_err(|_| Denial::SenderNotProven("x5t#S256 is no hash"))?;
    let pem = certificate_pem.ok_or(Denial::SenderNotProven("the event carries no client certificate"))?;
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    let (Some(Ok(certificate)), None) = (certificates.next(), certificates.next()) else {
        return Err(Denial::SenderNotProven("the client certificate is not one PEM certificate"));
    };
    let actual = digest::digest(&digest::SHA256, &certificate);
    // A thumbprint is public: comparing it need not take constant time.
    if actual.as_ref() == expected.as_slice() {
        Ok(signed_part(&certificate).map(fingerprint))
    } else {
        Err(Denial::SenderNotProven("the client certificate is another one"))
    }
}

/// The `tbsCertificate` of a certificate (RFC 5280 4.1), with its tag and length.
fn signed_part(certificate: &[u8]) -> Option<&[u8]> {
    let parts = AnyRef::from_der(certificate).ok()?.sequence(|reader| {
        let signed = reader.tlv_bytes()?;
        reader.tlv_bytes()?; // signatureAlgorithm
        reader.tlv_bytes()?; // signatureValue
        Ok::<_, der::Error>(signed)
    });
    parts.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // "certificate" in PEM clothes; only its bytes are hashed.
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";

    fn thumbprint() -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, b"certificate"))
    }

    #[test]
    fn only_the_bound_certificate_proves_the_sender() {
        let bound = json!({ "x5t#S256": thumbprint() });
        assert_eq!(prove(&bound, Some(PEM)), Ok(None));
        for (confirmation, pem) in [
            (bound.clone(), None),
            (bound.clone(), Some("")),
            (bound.clone(), Some("garbage")),
            (bound.clone(), Some(&PEM.repeat(2)[..])),
            (bound.clone(), Some(&PEM.replace("Y2Vyd", "Y2Vye")[..])),
            (json!({ "x5t#S256": thumbprint(), "jkt": "x" }), Some(PEM)),
            (json!({ "x5t#S256": thumbprint() + "=" }), Some(PEM)),
            (json!({ "x5t#S256": "" }), Some(PEM)),
            (json!({ "x5t#S256": thumbprint().get(..42) }), Some(PEM)),
            (json!({ "x5t#S256": thumbprint() + "AAAA" }), Some(PEM)),
            (json!({ "x5t#S256": 7 }), Some(PEM)),
            (json!({ "jkt": thumbprint() }), Some(PEM)),
            (json!({}), Some(PEM)),
            (json!(null), Some(PEM)),
            (json!([]), Some(PEM)),
        ] {
            let code = prove(&confirmation, pem).map_err(|denial| denial.code());
            assert_eq!(code, Err("sender_not_proven"), "{confirmation}");
        }
    }
}
