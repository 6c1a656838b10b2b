//! What runs beside the authorizer and never within it: `authctl`, for people, and the `revoker`, for the account.
//!
//! Both write the table of revocations that the authorizer reads ([`revoking`]); `authctl` also writes its table of keys
//! ([`keys`]), and runs the
//! authorizer's core on a desk ([`workbench`]).

pub mod keys;
pub mod revoking;

pub mod workbench;
