//! Where an issuer's JWK Set comes from: an address, the issuer's metadata, or nowhere (keys from a
//! file).

use super::discovery::Discovery;
use crate::http::{Address, FetchError, HttpsClient};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a JWK Set is fetched.
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
    /// Fetches from here through `https`; `None` where nothing is ever fetched.
    #[must_use]
    pub fn through(self, https: Arc<HttpsClient>) -> Option<Fetch> {
        if self == JwksSource::None {
            return None;
        }
        let shared = Arc::new((self, https));
        Some(Arc::new(move |timeout| {
            let shared = Arc::clone(&shared);
            async move { shared.0.fetch(&shared.1, timeout).await }.boxed()
        }))
    }

    async fn fetch(&self, https: &HttpsClient, timeout: Duration) -> Result<Bytes, FetchError> {
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

/// Fetches a JWK Set, within the time in all.
pub type Fetch = Arc<dyn Fn(Duration) -> BoxFuture<'static, Result<Bytes, FetchError>> + Send + Sync>;

/// A JWK Set of a few keys has a few KiB.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
