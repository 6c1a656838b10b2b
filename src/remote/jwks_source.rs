//! Where an issuer's JWK Set comes from: an address, or OpenID Connect Discovery
//! 1.0 (section 4), or nowhere (keys from a file).

use super::address::Address;
use super::https::{FetchError, HttpsClient};
use hyper::body::Bytes;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How to come by a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// At this address.
    Address(Address),
    /// At the `jwks_uri` of the issuer's metadata, which is asked for every time:
    /// an issuer that moves its keys is followed.
    Discovery {
        /// `<issuer>/.well-known/openid-configuration`
        metadata: Address,
        /// What the metadata must say its issuer is (Discovery 4.3).
        issuer: Arc<str>,
    },
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
            JwksSource::Address(address) => https.get_json(address, MAX_DOCUMENT_BYTES, timeout).await,
            JwksSource::Discovery { metadata, issuer } => {
                let started = Instant::now();
                let document = https.get_json(metadata, MAX_DOCUMENT_BYTES, timeout).await?;
                let address = jwks_uri(&document, issuer, metadata.is_loopback())?;
                https.get_json(&address, MAX_DOCUMENT_BYTES, timeout.saturating_sub(started.elapsed())).await
            }
            JwksSource::None => Err(FetchError::Unusable("there is nowhere to fetch keys from")),
        }
    }
}

/// The address in the metadata. A document from elsewhere must not send us to this
/// machine, where the Lambda Runtime API is.
fn jwks_uri(document: &[u8], issuer: &str, may_be_loopback: bool) -> Result<Address, FetchError> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        jwks_uri: String,
    }
    let metadata: Metadata =
        serde_json::from_slice(document).map_err(|_| FetchError::Unusable("the issuer's metadata has no jwks_uri"))?;
    if metadata.issuer != issuer {
        return Err(FetchError::Unusable("the metadata is another issuer's"));
    }
    match Address::parse(&metadata.jwks_uri) {
        Ok(address) if may_be_loopback || !address.is_loopback() => Ok(address),
        _ => Err(FetchError::Unusable("the metadata's jwks_uri is not a safe address")),
    }
}

/// A JWK Set of a few keys has a few KiB.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_its_own_issuer_and_a_safe_address() {
        let ok = br#"{"issuer":"https://i.example","jwks_uri":"https://k.example/jwks","x":1}"#;
        assert_eq!(jwks_uri(ok, "https://i.example", false).unwrap().to_string(), "https://k.example/jwks");
        assert!(jwks_uri(ok, "https://i.example/", false).is_err());
        assert!(jwks_uri(br#"{"issuer":"i","jwks_uri":"http://k.example/jwks"}"#, "i", true).is_err());
        assert!(jwks_uri(br#"{"issuer":"i"}"#, "i", true).is_err());
        let local = br#"{"issuer":"i","jwks_uri":"http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"}"#;
        assert!(jwks_uri(local, "i", false).is_err() && jwks_uri(local, "i", true).is_ok());
        let local = br#"{"issuer":"i","jwks_uri":"https://localhost/jwks"}"#;
        assert!(jwks_uri(local, "i", false).is_err());
        assert!(jwks_uri(b"<html>", "i", true).is_err());
    }
}
