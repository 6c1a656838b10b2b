//! The clients that an issuer's `client_ids` name.

/// One entry of `client_ids`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientId {
    /// This client.
    Exact(String),
    /// `https://host/prefix/*`: clients that are named by a URL below it (client ID metadata documents).
    /// Kept up to its last slash.
    Below(String),
}

impl ClientId {
    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.contains('*') {
            return Ok(ClientId::Exact(text.to_owned()));
        }
        let prefix = text.strip_prefix(SCHEME).and_then(|rest| rest.strip_suffix("/*"));
        let Some(prefix) = prefix else {
            return Err("`*` can only be all of `client_ids`, or the last segment of an https:// URL");
        };
        let (host, path) = prefix.split_once('/').map_or((prefix, None), |(host, path)| (host, Some(path)));
        let is_host = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte));
        if !is_host || !path.is_none_or(is_plain_path) {
            return Err("must be https://, a host in lower case, and plain segments before the `*`");
        }
        Ok(ClientId::Below(format!("{SCHEME}{prefix}/")))
    }

    /// Whether it names this client.
    #[must_use]
    pub fn names(&self, client: &str) -> bool {
        match self {
            ClientId::Exact(id) => id == client,
            ClientId::Below(prefix) => client.strip_prefix(prefix.as_str()).is_some_and(is_plain_path),
        }
    }
}

/// Segments that nobody could read in another way: none is empty, `.` or `..`; no escapes, query or fragment.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
    path.split('/').all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain))
}

const SCHEME: &str = "https://";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_the_clients_below_it_and_no_others() {
        let [origin, prefix] = ["https://app.example.com/*", "https://app.example.com:8443/oauth/v1/*"]
            .map(|text| ClientId::parse(text).unwrap());
        for (pattern, client, expected) in [
            (&origin, "https://app.example.com/client.json", true),
            (&origin, "https://app.example.com/a/b@c/d", true),
            (&prefix, "https://app.example.com:8443/oauth/v1/client", true),
            (&origin, "https://app.example.com", false),
            (&origin, "https://app.example.com/", false),
            (&origin, "https://app.example.com/a/", false),
            (&origin, "https://app.example.com//a", false),
            (&origin, "https://app.example.com/a//b", false),
            (&origin, "https://app.example.com/../a", false),
            (&origin, "https://app.example.com/a/..", false),
            (&origin, "https://app.example.com/./a", false),
            (&origin, "https://app.example.com/a%2fb", false),
            (&origin, "https://app.example.com/%2e%2e/a", false),
            (&origin, "https://app.example.com/a\\b", false),
            (&origin, "https://app.example.com/a?b", false),
            (&origin, "https://app.example.com/a#b", false),
            (&origin, "https://app.example.com/a b", false),
            (&origin, "https://app.example.com/*", false),
            (&origin, "https://app.example.com/é", false),
            (&origin, "https://app.example.com@evil.example/a", false),
            (&origin, "https://user@app.example.com/a", false),
            (&origin, "https://app.example.com.evil.example/a", false),
            (&origin, "https://app.example.com:443/a", false),
            (&origin, "https://APP.example.com/a", false),
            (&origin, "HTTPS://app.example.com/a", false),
            (&origin, "http://app.example.com/a", false),
            (&prefix, "https://app.example.com:8443/oauth/v1", false),
            (&prefix, "https://app.example.com:8443/oauth/v1/", false),
            (&prefix, "https://app.example.com:8443/oauth/v11/client", false),
            (&prefix, "https://app.example.com:8443/oauth/v1/../v2/client", false),
            (&prefix, "https://app.example.com:8443/oauth/client", false),
        ] {
            assert_eq!(pattern.names(client), expected, "{pattern:?} {client}");
        }
    }

    #[test]
    fn the_last_segment_of_an_https_url_is_the_only_wildcard() {
        for good in ["spa", "https://app.example.com/client", "https://a/*", "https://a:1/b/*"] {
            assert!(ClientId::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "*",
            "spa*",
            "*spa",
            "http://a/*",
            "https://*",
            "https:///*",
            "https://*/a",
            "https://*.a.example/*",
            "https://a/*/b",
            "https://a/b*",
            "https://a/**",
            "https://a/*/*",
            "https://A/*",
            "https://u@a/*",
            "https://a//*",
            "https://a/../*",
            "https://a/%61/*",
            "https://a/b?c/*",
        ] {
            assert!(ClientId::parse(bad).is_err(), "{bad}");
        }
    }
}
