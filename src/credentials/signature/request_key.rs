//! A key that verifies signed requests, bound to one algorithm.
//!
//! What a key is worth never depends on the request: its algorithm comes from the key's own record.

use super::algorithm::SignatureAlgorithm;
use crate::denial::Denial;
use aws_lc_rs::signature::{self, ParsedPublicKey};
use aws_lc_rs::{hkdf, hmac};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use std::fmt;

/// A key and the one algorithm that it verifies.
pub struct RequestKey {
    algorithm: SignatureAlgorithm,
    material: Material,
}

enum Material {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

/// Why a text is no public key of its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfitPublicKey(&'static str);

impl fmt::Display for UnfitPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UnfitPublicKey {}

impl RequestKey {
    /// The HMAC key of that id.
    ///
    /// # Errors
    /// As [`MasterSecret::secret_of`].
    pub fn derived(master: &MasterSecret, key_id: &str) -> Result<Self, Denial> {
        Ok(Self::shared(master.secret_of(key_id)?.as_bytes()))
    }

    pub(super) fn shared(secret: &[u8]) -> Self {
        let material = Material::Secret(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)));
        Self { algorithm: SignatureAlgorithm::HmacSha256, material }
    }

    /// A public key: one PEM block `PUBLIC KEY` (SubjectPublicKeyInfo, RFC 7468 13). RSA keys have 2048 to 8192 bits.
    ///
    /// # Errors
    /// [`UnfitPublicKey`]: what it is instead.
    pub fn public(algorithm: SignatureAlgorithm, pem: &str) -> Result<Self, UnfitPublicKey> {
        let parameters: &'static dyn signature::VerificationAlgorithm = match algorithm {
            SignatureAlgorithm::HmacSha256 => return Err(UnfitPublicKey("hmac-sha256 has no public key")),
            SignatureAlgorithm::Ed25519 => &signature::ED25519,
            SignatureAlgorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
            SignatureAlgorithm::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_FIXED,
            SignatureAlgorithm::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
            SignatureAlgorithm::RsaV15Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        let mut blocks = SubjectPublicKeyInfoDer::pem_slice_iter(pem.as_bytes());
        let (Some(Ok(key)), None) = (blocks.next(), blocks.next()) else {
            return Err(UnfitPublicKey("not one PEM block `PUBLIC KEY`"));
        };
        if key.first() != Some(&DER_SEQUENCE) {
            return Err(UnfitPublicKey("not a SubjectPublicKeyInfo in DER"));
        }
        let key = ParsedPublicKey::new(parameters, key.as_ref())
            .map_err(|_| UnfitPublicKey("not a public key of that algorithm, or of a size that is not accepted"))?;
        Ok(Self { algorithm, material: Material::Public(key) })
    }

    /// The algorithm that this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over `base`; an HMAC is compared in constant time.
    pub(super) fn verify(&self, base: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let verified = match &self.material {
            Material::Secret(key) => hmac::verify(key, base, signature),
            Material::Public(key) => key.verify_sig(base, signature),
        };
        verified.map_err(|_| BadSignature)
    }
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The signature is not by that key over that base.
#[derive(Debug)]
pub(super) struct BadSignature;

/// What the secrets of all HMAC keys are derived from, so that no table holds a secret.
pub struct MasterSecret(hkdf::Prk);

impl MasterSecret {
    /// The least number of bytes: as many as SHA-256 has (RFC 2104 3).
    pub const MIN_BYTES: usize = 32;

    /// Takes the bytes of the text as they are; `None` where there are too few.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        (text.len() >= Self::MIN_BYTES).then(|| Self(salt.extract(text.as_bytes())))
    }

    /// The secret of one key: HKDF-SHA256 (RFC 5869) with the key's id as `info`, 32 bytes.
    ///
    /// # Errors
    /// [`Denial::Internal`]; never for 32 bytes, which are one block of the 255 that the function has.
    pub fn secret_of(&self, key_id: &str) -> Result<KeySecret, Denial> {
        let mut secret = [0; 32];
        let info = [key_id.as_bytes()];
        let filled = self.0.expand(&info, hkdf::HKDF_SHA256).and_then(|key| key.fill(&mut secret));
        filled.map_err(|_| Denial::Internal("a key could not be derived"))?;
        Ok(KeySecret(secret))
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret(redacted)")
    }
}

/// The secret that the owner of an HMAC key signs with.
pub struct KeySecret([u8; 32]);

impl KeySecret {
    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(redacted)")
    }
}

/// What the secret is used for, so that another use of it gives other keys.
const SALT: &[u8] = b"cognito-authorizer http message signatures";

const DER_SEQUENCE: u8 = 0x30;
