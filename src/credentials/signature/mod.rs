//! Signed requests (RFC 9421): the fields of a request, and a key, become a proof of who signed it.
//!
//! | file | what it does |
//! |---|---|
//! | `dictionary` | structured fields with all their members (RFC 8941) |
//! | `fields` | `Signature-Input` and `Signature` become labelled signatures |
//! | `component` | what a signature may cover, and its value in this request |
//! | `signed_request` | the policy, the signature base, the order of the checks |
//! | `algorithm`, `request_key` | how a request is signed; keys, each bound to one algorithm |

mod algorithm;
mod component;
mod dictionary;
mod fields;
mod request_key;
mod signed_request;

pub use algorithm::SignatureAlgorithm;
pub use component::{Component, SignedParts};
pub use request_key::{KeySecret, MasterSecret, RequestKey, UnfitPublicKey};
pub use signed_request::{SignaturePolicy, UnverifiedSignatures, VerifiedSignature};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_tests;
