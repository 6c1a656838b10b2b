//! A string becomes claims; pure.
//!
//! [`BearerToken`] (exactly one credential) → [`UnverifiedJwt`] (shape) →
//! [`VerifiedJwt`] (signature) → [`Claims`] (issuer's expectations and time). Each
//! step consumes the one before, so what was not verified cannot become claims. The
//! claims of an opaque token come as an [`IntrospectedToken`] from its issuer.
//! [`VerifiedTokens`] remember the third step, and nothing after it.

mod algorithm;
mod bearer;
mod claims;
mod expectations;
mod introspected;
mod jwk;
mod jwt;
mod sender;
mod strict_json;
mod verified_tokens;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use bearer::BearerToken;
pub use claims::{ClaimNames, Claims};
pub use expectations::{ClientIds, Expectations, IssuerKind, TokenUse};
pub use introspected::{IntrospectedToken, Introspection};
pub use jwk::{KeySet, KeySetError, VerifyingKey};
pub use jwt::{Proof, UnverifiedJwt, VerifiedJwt};
pub use verified_tokens::{KnownToken, Limits, TokenDigest, VerifiedTokens};

#[cfg(test)]
mod vectors_tests;
