//! Why a key of a set verifies nothing for an issuer: for the log, where an operator looks for it.

use crate::printable::printable;
use std::fmt;

/// What is wrong with one key. Texts of the set are cut and made printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnfitKey {
    /// Not a JSON object with members of the types of RFC 7517 and RFC 7518.
    NotAJwk,
    /// No `kid`: a token's `kid` is what a key is found by.
    NoKid,
    /// `kty` is `oct`: a secret, which verifies only what anybody who has the set can sign.
    Symmetric,
    /// `use` is not `sig`.
    Use(String),
    /// `key_ops` lacks `verify`.
    KeyOps,
    /// `alg` is none of the issuer's algorithms; names are compared letter for letter.
    Algorithm(String),
    /// A certificate chain (`x5c`) and no key of its own.
    CertificateAlone,
    /// `kty` or `crv` is that of no algorithm of the issuer, or a member that it needs is missing.
    Type,
    /// The member of that name is not strict base64url: padding, `+`, `/`.
    Encoding(&'static str),
    /// An RSA modulus of so many bits.
    RsaBits(usize),
    /// Coordinates of another length, a point that is not on the curve, a modulus that cannot be one.
    Value,
}

impl UnfitKey {
    pub(super) fn algorithm(name: &str) -> Self {
        Self::Algorithm(printable(name, MAX_SHOWN_CHARACTERS))
    }

    pub(super) fn public_key_use(name: &str) -> Self {
        Self::Use(printable(name, MAX_SHOWN_CHARACTERS))
    }
}

impl fmt::Display for UnfitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnfitKey::NotAJwk => f.write_str("is not a JWK"),
            UnfitKey::NoKid => f.write_str("has no `kid`"),
            UnfitKey::Symmetric => f.write_str("is symmetric (`kty` is `oct`)"),
            UnfitKey::Use(name) => write!(f, "has the `use` `{name}`, not `sig`"),
            UnfitKey::KeyOps => f.write_str("has `key_ops` without `verify`"),
            UnfitKey::Algorithm(name) => write!(f, "has the `alg` `{name}`, which is none of the issuer's algorithms"),
            UnfitKey::CertificateAlone => f.write_str("has a certificate (`x5c`) and no key beside it"),
            UnfitKey::Type => f.write_str("is of a type that none of the issuer's algorithms uses, or lacks a member"),
            UnfitKey::Encoding(member) => write!(f, "has an `{member}` that is not base64url without padding"),
            UnfitKey::RsaBits(bits) => write!(f, "is an RSA key of {bits} bits; 2048 to 8192 are accepted"),
            UnfitKey::Value => f.write_str("has a value that is not a public key of its type"),
        }
    }
}

/// No algorithm's name is longer.
const MAX_SHOWN_CHARACTERS: usize = 32;
