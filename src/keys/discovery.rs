//! An issuer's metadata: OpenID Connect Discovery 1.0, section 4.

use crate::http::{Address, FetchError, HttpsClient};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Where an issuer's metadata is, and whose it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    metadata: Address,
    issuer: Arc<str>,
}

impl Discovery {
    /// The metadata of that issuer; `None` where the issuer is no safe URL.
    #[must_use]
    pub fn of(issuer: &str) -> Option<Self> {
        // Discovery 4.1: a slash at the issuer's end is removed first.
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let metadata = Address::parse(&format!("{base}/.well-known/openid-configuration")).ok()?;
        Some(Self { metadata, issuer: issuer.into() })
    }

    pub(crate) async fn jwks_uri(&self, https: &HttpsClient, timeout: Duration) -> Result<Address, FetchError> {
        self.address(self.fetch(https, timeout).await?.jwks_uri)
    }

    pub(crate) async fn userinfo_endpoint(
        &self,
        https: &HttpsClient,
        timeout: Duration,
    ) -> Result<Address, FetchError> {
        self.address(self.fetch(https, timeout).await?.userinfo_endpoint)
    }

    async fn fetch(&self, https: &HttpsClient, timeout: Duration) -> Result<Metadata, FetchError> {
        parse(&https.get(&self.metadata, MAX_DOCUMENT_BYTES, timeout).await?, &self.issuer)
    }

    /// An address that the metadata names. A document from elsewhere must not send
    /// us to this machine, where the Lambda Runtime API is.
    fn address(&self, text: Option<String>) -> Result<Address, FetchError> {
        let text = text.ok_or(FetchError::Unusable("the issuer's metadata lacks the address"))?;
        match Address::parse(&text) {
            Ok(address) if self.metadata.is_loopback() || !address.is_loopback() => Ok(address),
            _ => Err(FetchError::Unusable("the metadata names no safe address")),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
}

fn parse(document: &[u8], issuer: &Arc<str>) -> Result<Metadata, FetchError> {
    let metadata: Metadata =
        serde_json::from_slice(document).map_err(|_| FetchError::Unusable("the issuer's metadata makes no sense"))?;
    // Discovery 4.3: "MUST be identical to the Issuer URL".
    if *metadata.issuer != **issuer {
        return Err(FetchError::AnotherIssuer { named: metadata.issuer.into(), expected: Arc::clone(issuer) });
    }
    Ok(metadata)
}

/// A metadata document has a few KiB.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_its_own_issuer_and_safe_addresses() {
        let document = br#"{"issuer":"https://i.example","jwks_uri":"https://k.example/jwks","x":1}"#;
        let metadata = parse(document, &"https://i.example".into()).unwrap();
        assert_eq!(metadata.jwks_uri.as_deref(), Some("https://k.example/jwks"));
        assert!(metadata.userinfo_endpoint.is_none());
        assert!(parse(document, &"https://i.example/".into()).is_err());
        assert!(parse(b"<html>", &"i".into()).is_err());
    }

    #[test]
    fn metadata_of_another_issuer_is_told_with_both_names() {
        for (named, shown) in [
            ("https://j.example/", "https://j.example/"),
            ("", ""),
            ("a`b\n\u{202e}\"\u{e9} c", "a?b??\"??c"),
            (&"j".repeat(10_000), &"j".repeat(200)),
        ] {
            let document = serde_json::json!({ "issuer": named }).to_string();
            let error = parse(document.as_bytes(), &"https://i.example".into()).unwrap_err();
            let expected = format!("the metadata names the issuer `{shown}`, expected `https://i.example`");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn only_metadata_on_this_machine_leads_to_this_machine() {
        let (elsewhere, here) =
            (Discovery::of("https://i.example").unwrap(), Discovery::of("http://127.0.0.1:1").unwrap());
        for (address, from_elsewhere, from_here) in [
            ("https://k.example/jwks", true, true),
            ("http://k.example/jwks", false, false),
            ("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", false, true),
            ("https://localhost/jwks", false, true),
        ] {
            assert_eq!(elsewhere.address(Some(address.into())).is_ok(), from_elsewhere, "{address}");
            assert_eq!(here.address(Some(address.into())).is_ok(), from_here, "{address}");
        }
        assert!(here.address(None).is_err());
    }

    #[test]
    fn metadata_is_found_below_the_issuer() {
        let found = |issuer: &str| Discovery::of(issuer).map(|discovery| discovery.metadata.to_string());
        let expected = "https://i.example/tenant/.well-known/openid-configuration";
        assert_eq!(found("https://i.example/tenant").as_deref(), Some(expected));
        assert_eq!(found("https://i.example/tenant/").as_deref(), Some(expected));
        assert_eq!(found("i.example"), None);
    }
}
