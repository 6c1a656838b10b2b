//! What names a client certificate in logs and in the table of revocations: the SHA-256 of its DER, in lower-case hex.

use super::claims::Claims;
use super::credential::CredentialKind;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The name of a certificate in DER.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, certificate).as_ref())
}

impl Claims {
    /// The names of the client certificate that these are the claims of, or that a token is bound to (RFC 8705 3.1:
    /// `x5t#S256` is the same hash, base64url). Of both kinds also the name by what was signed: an authorization server that
    /// does not know of a revocation would bind a token to the twin of an ECDSA signature as well.
    #[must_use]
    pub fn certificate_fingerprints(&self) -> Vec<String> {
        if self.credential() == CredentialKind::Certificate {
            return self.credential_id().into_iter().chain(self.other_credential_id()).map(str::to_owned).collect();
        }
        let thumbprint = self.get("cnf").and_then(|cnf| cnf.get("x5t#S256")).and_then(Value::as_str);
        let hash = thumbprint.and_then(|thumbprint| URL_SAFE_NO_PAD.decode(thumbprint).ok());
        let signed = self.other_credential_id().map(str::to_owned);
        hash.map(|hash| hex(&hash)).into_iter().chain(signed).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_s_name_is_its_hash_in_lower_case_hex() {
        // FIPS 180-4's example.
        assert_eq!(fingerprint(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(&[0x00, 0x0F, 0xA0, 0xFF]), "000fa0ff");
    }
}
