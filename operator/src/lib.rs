//! What runs beside the authorizer and never within it: `authctl`, for people, and the `revoker`, for the account.
//!
//! Both write the table of revocations that the authorizer reads ([`revoking`]).

pub mod revoking;
