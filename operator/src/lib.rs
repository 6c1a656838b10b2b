//! What runs beside the authorizer and never within it: `authctl`, for people, and the `revoker` and the `enricher`, for the account.
//!
//! `authctl` and the `revoker` write the table of revocations that the authorizer reads ([`revoking`]); `authctl` also writes its
//! table of keys ([`keys`]), and runs the authorizer's core on a desk ([`workbench`]). The `enricher` adds the claims to Cognito's
//! tokens that the authorizer's rules ask for ([`enriching`]).

pub mod enriching;
pub mod keys;
pub mod revoking;

pub mod workbench;
