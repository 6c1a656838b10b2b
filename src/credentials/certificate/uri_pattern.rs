//! URIs of a certificate's subject alternative name, compared with a configured one: equal, or below a prefix.

/// A URI, or `scheme://authority/.../*`: any path below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriPattern {
    /// The URI, or the prefix with its last slash.
    text: String,
    below: bool,
}

impl UriPattern {
    /// Reads a URI (RFC 3986), which may end in `/*`.
    ///
    /// # Errors
    /// What is wrong with the text, for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (uri, below) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must be a URI: ASCII without blanks");
        }
        if uri.contains('*') || (below && !uri.ends_with('/')) {
            return Err("`*` may only stand at the end, as `/*`");
        }
        let Some((_, rest)) = uri.split_once(':').filter(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty()) else {
            return Err("must be a URI with its scheme, as in `spiffe://example.org/partner-a`");
        };
        if below {
            let Some((authority, path)) = rest.strip_prefix("//").and_then(|rest| rest.split_once('/')) else {
                return Err("before `/*` stands a whole authority, as in `spiffe://example.org/*`");
            };
            if authority.is_empty() || !(path.is_empty() || path.strip_suffix('/').is_some_and(are_plain_segments)) {
                return Err("before `/*` stand an authority and plain segments: no `.`, `..`, `//`, `%`, `?` or `#`");
            }
        }
        Ok(Self { text: uri.to_owned(), below })
    }

    /// Whether it is this URI: byte by byte, or with one plain segment or more below the prefix. Segments that could be
    /// read in another way (`.`, `..`, empty, with an escape) match no prefix.
    #[must_use]
    pub fn matches(&self, uri: &str) -> bool {
        match uri.strip_prefix(self.text.as_str()) {
            Some(rest) if self.below => are_plain_segments(rest),
            Some(rest) => rest.is_empty(),
            None => false,
        }
    }

    /// Whether all that the other matches, this one does too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self.below, other.below) {
            (_, false) => self.matches(&other.text),
            (true, true) => other.text.starts_with(&self.text),
            (false, true) => false,
        }
    }
}

/// RFC 3986 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn are_plain_segments(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain))
}

/// `pchar` without escapes (RFC 3986 3.3).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> UriPattern {
        UriPattern::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_uri_matches_itself_and_a_prefix_what_is_below() {
        for (text, uri, matches) in [
            ("spiffe://example.org/a", "spiffe://example.org/a", true),
            ("spiffe://example.org/a", "spiffe://example.org/a/", false),
            ("spiffe://example.org/a", "spiffe://example.org/ab", false),
            ("spiffe://example.org/a", "spiffe://example.org/A", false),
            ("spiffe://example.org/a", "SPIFFE://example.org/a", false),
            ("urn:example:a", "urn:example:a", true),
            ("spiffe://example.org/%61", "spiffe://example.org/%61", true),
            ("spiffe://example.org/%61", "spiffe://example.org/a", false),
            ("spiffe://example.org/*", "spiffe://example.org/a", true),
            ("spiffe://example.org/*", "spiffe://example.org/a/b/c", true),
            ("spiffe://example.org/*", "spiffe://example.org/a:b@c;d=e", true),
            ("spiffe://example.org/a/*", "spiffe://example.org/a/b", true),
            ("spiffe://example.org/a/*", "spiffe://example.org/a", false),
            ("spiffe://example.org/a/*", "spiffe://example.org/a/", false),
            ("spiffe://example.org/a/*", "spiffe://example.org/ab/c", false),
            ("spiffe://example.org/*", "spiffe://example.org", false),
            ("spiffe://example.org/*", "spiffe://example.org/", false),
            ("spiffe://example.org/*", "spiffe://example.org/*", false),
            ("spiffe://example.org/*", "spiffe://example.org//a", false),
            ("spiffe://example.org/*", "spiffe://example.org/a//b", false),
            ("spiffe://example.org/*", "spiffe://example.org/a/", false),
            ("spiffe://example.org/*", "spiffe://example.org/.", false),
            ("spiffe://example.org/*", "spiffe://example.org/../a", false),
            ("spiffe://example.org/*", "spiffe://example.org/a/../../b", false),
            ("spiffe://example.org/*", "spiffe://example.org/...", true),
            ("spiffe://example.org/*", "spiffe://example.org/%2e%2e/a", false),
            ("spiffe://example.org/*", "spiffe://example.org/a%2fb", false),
            ("spiffe://example.org/*", "spiffe://example.org/a?b", false),
            ("spiffe://example.org/*", "spiffe://example.org/a#b", false),
            ("spiffe://example.org/*", "spiffe://example.org/a\\b", false),
            ("spiffe://example.org/*", "spiffe://example.org/a b", false),
            ("spiffe://example.org/*", "spiffe://example.org/\u{430}", false),
            ("spiffe://example.org/*", "spiffe://example.org/a\0", false),
            ("spiffe://example.org/*", "spiffe://example.org.example.net/a", false),
            ("spiffe://example.org/*", "spiffe://example.org@example.net/a", false),
            ("spiffe://example.org/*", "https://example.org/a", false),
            ("spiffe://example.org/*", "x-spiffe://example.org/a", false),
            ("spiffe://example.org/*", "", false),
        ] {
            assert_eq!(pattern(text).matches(uri), matches, "{text} {uri}");
        }
    }

    #[test]
    fn a_pattern_that_would_match_too_much_is_refused() {
        for text in [
            "",
            "*",
            "/*",
            "a",
            "example.org/a",
            "//example.org/a",
            ":a",
            "1a:b",
            "spiffe:",
            "spiffe:*",
            "spiffe:/*",
            "spiffe://*",
            "spiffe:///*",
            "spiffe:///a/*",
            "spiffe://*/a",
            "spiffe://*.example.org/*",
            "spiffe://example.org*",
            "spiffe://example.org/a*",
            "spiffe://example.org/**",
            "spiffe://example.org/*/*",
            "spiffe://example.org/*/a",
            "spiffe://example.org/a/../*",
            "spiffe://example.org//*",
            "spiffe://example.org/a//*",
            "spiffe://example.org/%61/*",
            "spiffe://example.org/?a/*",
            "spiffe://example.org/#/*",
            "spiffe://example.org/a b",
            "spiffe://example.org/\u{430}",
            "spiffe://example.org/a\n",
        ] {
            assert!(UriPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_matches_and_what_is_below() {
        for (one, other, covers) in [
            ("spiffe://example.org/*", "spiffe://example.org/a", true),
            ("spiffe://example.org/*", "spiffe://example.org/a/*", true),
            ("spiffe://example.org/*", "spiffe://example.org/*", true),
            ("spiffe://example.org/a", "spiffe://example.org/a", true),
            ("spiffe://example.org/a", "spiffe://example.org/a/*", false),
            ("spiffe://example.org/a/*", "spiffe://example.org/*", false),
            ("spiffe://example.org/a/*", "spiffe://example.org/a", false),
        ] {
            assert_eq!(pattern(one).covers(&pattern(other)), covers, "{one} {other}");
        }
    }
}
