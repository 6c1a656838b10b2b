//! A string becomes claims; pure.
//!
//! [`BearerToken`] (exactly one credential) → [`UnverifiedJwt`] (shape) →
//! [`VerifiedJwt`] (signature) → [`Claims`] (issuer's expectations and time). Each
//! step consumes the one before, so what was not verified cannot become claims. The
//! claims of an opaque token come as an [`IntrospectedToken`] from its issuer.
//! A credential that is no token becomes claims as a [`VerifiedRecord`].
//! [`VerifiedTokens`] remember the third step, and nothing after it.

mod algorithm;
mod bearer;
mod claim_path;
mod claims;
mod client_id;
mod credential;
mod dpop;
mod expectations;
mod fingerprint;
mod introspected;
mod jwk;
mod jwt;
mod sender;
mod strict_json;
mod tenants;
mod text_list;
mod unfit_key;
mod verified_tokens;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use bearer::BearerToken;
pub use claim_path::{ClaimPath, NotAPointer};
pub use claims::{ClaimNames, Claims, FACTS_OF_A_CREDENTIAL, MappedList};
pub use client_id::ClientId;
pub use credential::{CredentialKind, RecordFacts, VerifiedRecord};
pub use dpop::{DpopSettings, KeyProof};
pub use expectations::{Audience, ClientIds, Expectations, IssuerKind, TokenUse};
pub use fingerprint::fingerprint;
pub use introspected::{IntrospectedToken, Introspection};
pub use jwk::{KeySet, KeySetError, VerifyingKey};
pub use jwt::{Proof, UnverifiedJwt, VerifiedJwt};
pub use sender::Sender;
pub use tenants::{AcceptedTenants, Tenants, is_tenant};
pub use text_list::ListForm;
pub use unfit_key::UnfitKey;
pub use verified_tokens::{KnownToken, TokenDigest, VerifiedTokens};

#[cfg(test)]
mod vectors_tests;
