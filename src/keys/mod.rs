//! The keys of each issuer: fetched, kept, and fetched again when they are old or a token names an unknown one.
//!
//! Goes in: a `kid` and an algorithm. Comes out: the key, or why there is none.
//! Never takes a key from a token, and never makes up for an issuer that cannot be reached.
//!
//! | file | what it does |
//! |---|---|
//! | `jwks_cache` | keeps one issuer's keys; decides when to fetch |
//! | `jwks_source` | fetches the JWK Set |
//! | `discovery` | finds its address in the issuer's metadata |

mod discovery;
mod jwks_cache;
mod jwks_source;

pub use discovery::Discovery;
pub use jwks_cache::{JwksCache, JwksSettings, WithdrawnKeys};
pub use jwks_source::{Fetch, JwksSource};
