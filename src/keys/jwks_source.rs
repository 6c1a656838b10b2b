//! Where an issuer's JWK Set comes from: an address, or the issuer's metadata, or
//! nowhere (keys from a file).

use super::discovery::Discovery;
use crate::http::{Address, FetchError, HttpsClient};
use hyper::body::Bytes;
use std::time::{Duration, Instant};

/// How to come by a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// At this address.
    Address(Address),
    /// At the `jwks_uri` of the issuer's metadata, which is asked for every time:
    /// an issuer that moves its keys is followed.
    Discovery(Discovery),
    /// Nowhere: the keys known from the start are all there will be.
    None,
}

impl JwksSource {
    /// Fetches the document, within `timeout` in all.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(super) async fn fetch(&self, https: &HttpsClient, timeout: Duration) -> Result<Bytes, FetchError> {
        match self {
            JwksSource::Address(address) => https.get(address, MAX_DOCUMENT_BYTES, timeout).await,
            JwksSource::Discovery(discovery) => {
                let started = Instant::now();
                let address = discovery.jwks_uri(https, timeout).await?;
                https.get(&address, MAX_DOCUMENT_BYTES, timeout.saturating_sub(started.elapsed())).await
            }
            JwksSource::None => Err(FetchError::Unusable("there is nowhere to fetch keys from")),
        }
    }
}

/// A JWK Set of a few keys has a few KiB.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
