//! What kinds of public key a certificate may have (RFC 5280 4.1.2.7). `webpki` looks at the keys that verify something;
//! the one of the client's own certificate verifies nothing here, and would be taken whatever it is.

use super::fields::{bits, sequence};
use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, SliceReader};

/// A public key, as far as it can be accepted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    Rsa { bits: usize },
    P256,
    P384,
    Ed25519,
    Other,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`.
    pub(super) fn read(info: AnyRef<'_>) -> der::Result<Self> {
        info.sequence(|reader| {
            let mut algorithm = SliceReader::new(sequence(reader)?)?;
            let id = ObjectIdentifier::decode(&mut algorithm)?;
            let key = bits(der::Reader::decode(reader)?)?;
            Ok(match id {
                RSA => Self::Rsa { bits: modulus_bits(key)? },
                EC => match ObjectIdentifier::decode(&mut algorithm)? {
                    P256 => Self::P256,
                    P384 => Self::P384,
                    _ => Self::Other,
                },
                ED25519 => Self::Ed25519,
                _ => Self::Other,
            })
        })
    }

    /// # Errors
    /// In fixed words, for a key that is too weak, too large or of a kind that is not accepted.
    pub(super) fn check(self) -> Result<(), &'static str> {
        match self {
            Self::P256 | Self::P384 | Self::Ed25519 => Ok(()),
            Self::Rsa { bits } if (RSA_BITS).contains(&bits) => Ok(()),
            Self::Rsa { .. } => Err("its RSA key has fewer than 2048 or more than 8192 bits"),
            Self::Other => Err("its key is neither RSA, P-256, P-384 nor Ed25519"),
        }
    }
}

/// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 A.1.1)
fn modulus_bits(key: &[u8]) -> der::Result<usize> {
    AnyRef::from_der(key)?.sequence(|reader| {
        let modulus = UintRef::decode(reader)?;
        UintRef::decode(reader)?;
        // No leading zeros in a UintRef.
        let bytes = modulus.as_bytes();
        let leading = bytes.first().map_or(0, |first| first.leading_zeros());
        let bits = bytes.len().saturating_mul(8).saturating_sub(usize::try_from(leading).unwrap_or_default());
        Ok::<_, der::Error>(bits)
    })
}

/// What `webpki` verifies with.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

#[cfg(test)]
mod tests {
    use super::super::fields::Fields;
    use super::super::fixtures::client;
    use super::*;

    #[test]
    fn keys_are_told_apart_and_weak_ones_refused() {
        for (name, key, accepted) in [
            ("partner-a", PublicKey::P256, true),
            ("p384", PublicKey::P384, true),
            ("p521-key", PublicKey::Other, false),
            ("ed25519", PublicKey::Ed25519, true),
            ("rsa", PublicKey::Rsa { bits: 2048 }, true),
            ("small-key", PublicKey::Rsa { bits: 1024 }, false),
        ] {
            let certificate = client(name);
            let read = Fields::read(&certificate).unwrap().key;
            assert_eq!((read, read.check().is_ok()), (key, accepted), "{name}");
        }
        for (bits, accepted) in [(2047, false), (2048, true), (8192, true), (8193, false), (0, false)] {
            assert_eq!(PublicKey::Rsa { bits }.check().is_ok(), accepted, "{bits}");
        }
    }
}
