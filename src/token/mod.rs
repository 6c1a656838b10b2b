//! A string becomes claims; pure.
//!
//! [`BearerToken`] (exactly one credential) → [`UnverifiedJwt`] (shape) →
//! [`VerifiedJwt`] (signature) → [`Claims`] (issuer's expectations and time). Each
//! step consumes the one before, so what was not verified cannot become claims.

mod algorithm;
mod bearer;
mod claims;
mod expectations;
mod jwk;
mod jwt;
mod sender;
mod strict_json;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use bearer::BearerToken;
pub use claims::{ClaimNames, Claims};
pub use expectations::{ClientIds, Expectations, IssuerKind, TokenUse};
pub use jwk::{KeySet, KeySetError, VerifyingKey};
pub use jwt::{UnverifiedJwt, VerifiedJwt};
