//! Credentials that are no tokens: API keys, client certificates, signed requests; pure.
//!
//! Goes in: a request. Comes out: the one kind of credential that it presents, and, once that is verified, a
//! [`VerifiedRecord`](crate::token::VerifiedRecord), which becomes claims as a token does. What has to be asked for on
//! the way, such as the record of a key, is handed in.

mod api_key;
pub mod certificate;
mod presented;
pub mod signature;

pub use api_key::{ApiKey, DEFAULT_PREFIX, NewApiKey};
pub use presented::{Presented, presented};
