//! What runs beside the authorizer and never within it: `authctl`, for people, and the `revoker`, for the account.
//!
//! Both write the table of revocations that the authorizer reads ([`revoking`]); `authctl` also writes its table of keys
//! ([`keys`]).

pub mod keys;
pub mod revoking;
