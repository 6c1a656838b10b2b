//! Writing, listing and lifting what `live::RevocationTable` reads: the entries
//! that refuse tokens before they expire.
//!
//! | file | knows |
//! |---|---|
//! | `entry`, `plan` | an entry as the table holds it; which entries stop a token, a user, a client |
//! | `decoded_token` | what a token says of itself, unverified |
//! | `user_pool` | a pool's Region and the issuers its tokens may name |
//! | `cloud_trail` | which events of CloudTrail end a user's tokens |
//! | `report`, `printable` | entries and their limits, in words that are fit for a terminal |
//! | `store` | the table: conditional writes that never weaken an entry |
//! | `cognito_admin` | sign-outs and revocations at Cognito itself |
//! | `revoker` | an event of CloudTrail, from JSON to the table |
//! | `aws` | clients and their faults |
//!
//! All but the last four are pure. No token and no secret is in any `Debug`, `Display`
//! or error.

mod aws;
mod cloud_trail;
mod cognito_admin;
mod decoded_token;
mod entry;
mod plan;
mod printable;
mod report;
mod revoker;
mod store;

pub use aws::{AwsFault, load};
pub use cloud_trail::{Notice, SignOut, UnreadableEvent};
pub use cognito_admin::{CognitoAdmin, PoolUser, SecretText};
pub use decoded_token::{DecodedToken, NotDecodable};
pub use entry::{Entry, Mark};
pub use plan::{LONGEST_TOKEN_LIFE, Plan, Reach};
pub use printable::printable;
pub use report::{CheckedRoutes, Report};
pub use revoker::{Revoker, RevokerFault};
pub use store::{Recorded, RevocationStore, StoreFault};
