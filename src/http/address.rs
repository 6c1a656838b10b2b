//! Where something may be fetched: `https://` anywhere, `http://` on this machine alone.

use hyper::Uri;
use std::fmt;
use std::net::IpAddr;

/// An address that is safe to take keys and answers from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Uri);

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// It is not an absolute URL without credentials and fragment.
    NotAUrl,
    /// It is neither `https://` nor `http://` to a loopback address.
    NotHttps,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::NotAUrl => "must be an absolute URL without credentials and fragment",
            AddressError::NotHttps => "must be `https://` (`http://` is for loopback only)",
        })
    }
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError::NotAUrl)?;
        let authority = uri.authority().ok_or(AddressError::NotAUrl)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || text.contains('#') {
            return Err(AddressError::NotAUrl);
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(authority.host()) => Ok(Self(uri)),
            Some(_) => Err(AddressError::NotHttps),
            None => Err(AddressError::NotAUrl),
        }
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(is_loopback)
    }

    /// The address as HTTP takes it.
    #[must_use]
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_loopback_only() {
        for text in [
            "https://a.example",
            "https://a.example:8443/x?y=z",
            "http://127.0.0.1:9/x",
            "http://127.8.8.8",
            "http://localhost:1/",
            "http://LOCALHOST",
            "http://[::1]:8080/",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://a.example",
            "http://127.0.0.1.example",
            "http://localhost.example/",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "ftp://localhost",
            "file:///etc/passwd",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        for text in
            ["", "a.example", "/x", "https://", "https://u:p@a.example", "https://a.example/#x", "https://a b/", "none"]
        {
            assert_eq!(Address::parse(text), Err(AddressError::NotAUrl), "{text}");
        }
    }
}
