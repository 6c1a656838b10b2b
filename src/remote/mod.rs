//! All waiting: what must be asked over the network, with its time-outs, caps and
//! retries. Says what it was told and never what that means for a request, except
//! that what is not known is no "yes".

mod address;
mod https;
mod jwks_cache;
mod jwks_source;

pub use address::{Address, AddressError};
pub use https::{FetchError, HttpsClient};
pub use jwks_cache::{JwksCache, JwksSettings};
pub use jwks_source::JwksSource;
