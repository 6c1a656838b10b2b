//! Sender-bound tokens: a `cnf` claim (RFC 7800) says that the token is worth
//! something only in its owner's hands, so it is never taken as a plain bearer token.

use crate::denial::Denial;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

/// Demands that the sender holds what `confirmation` binds the token to: the
/// client certificate of this connection (RFC 8705 3.1: `x5t#S256` is the SHA-256
/// of its DER). No other binding can be checked by a Lambda authorizer.
///
/// # Errors
/// [`Denial::SenderNotProven`].
pub(super) fn prove(confirmation: &Value, certificate_pem: Option<&str>) -> Result<(), Denial> {
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
        Ok(())
    } else {
        Err(Denial::SenderNotProven("the client certificate is another one"))
    }
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
        assert_eq!(prove(&bound, Some(PEM)), Ok(()));
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
