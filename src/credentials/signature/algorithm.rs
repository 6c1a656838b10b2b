//! The signature algorithms of RFC 9421 3.3. Those of its registry that are not here cannot be configured or accepted.

use std::fmt;

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as in the registry of RFC 9421 6.2")]
pub enum SignatureAlgorithm {
    HmacSha256,
    Ed25519,
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    RsaPssSha512,
    RsaV15Sha256,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HmacSha256,
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
    ];

    /// The algorithm of that name, letter for letter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name in the `alg` parameter, the key table and the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
        }
    }

    /// Whether signer and verifier share one secret.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self == Self::HmacSha256
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_letter_for_letter() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::parse(algorithm.name()), Some(algorithm));
        }
        for name in ["", "none", "HMAC-SHA256", "hs2019", "hmac-sha512", "rsa-sha256", "EdDSA", "ed25519 "] {
            assert_eq!(SignatureAlgorithm::parse(name), None, "{name}");
        }
    }
}
