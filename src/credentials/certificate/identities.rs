//! Which identity a verified certificate has: the first of the configured list that names it.

use super::client_certificate::VerifiedCertificate;
use super::distinguished_name::DistinguishedName;
use super::uri_pattern::UriPattern;
use serde_json::{Map, Value};

/// The configured identities, in their order.
#[derive(Debug)]
pub struct Identities(Vec<Identity>);

/// Who presents a certificate of that name.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What the certificate must say.
    pub name: Name,
    /// The claims that it is worth, beside those that the certificate makes.
    pub claims: Map<String, Value>,
}

/// What names a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Its whole subject.
    Subject {
        /// As it is configured.
        text: String,
        /// The same, to compare with.
        name: DistinguishedName,
    },
    /// A URI of its subject alternative name.
    Uri(UriPattern),
}

impl Identities {
    /// Takes them in their order.
    ///
    /// # Errors
    /// The positions of those that can never be picked, each with the one before it that matches all that it does.
    pub fn new(identities: Vec<Identity>) -> Result<Self, Vec<(usize, usize)>> {
        let hidden = identities.iter().enumerate().filter_map(|(position, identity)| {
            let before = identities.iter().take(position).position(|before| before.name.covers(&identity.name));
            before.map(|before| (position, before))
        });
        let hidden: Vec<_> = hidden.collect();
        if hidden.is_empty() { Ok(Self(identities)) } else { Err(hidden) }
    }

    /// The first identity that the certificate's names match, and the text that matched: the subject as it is configured,
    /// or the certificate's URI.
    ///
    /// # Errors
    /// In fixed words, where there is none.
    pub fn identify<'a>(
        &'a self,
        certificate: &'a VerifiedCertificate,
    ) -> Result<(&'a Identity, &'a str), &'static str> {
        for identity in &self.0 {
            match &identity.name {
                Name::Subject { text, name } if certificate.subject.as_ref() == Some(name) => {
                    return Ok((identity, text));
                }
                Name::Subject { .. } => {}
                Name::Uri(pattern) => {
                    let mut matching = certificate.uris.iter().filter(|uri| pattern.matches(uri));
                    if let Some(uri) = matching.next() {
                        // Which of the two it is would be for the sender to choose.
                        if matching.any(|other| other != uri) {
                            return Err("several of its URIs match one identity");
                        }
                        return Ok((identity, uri));
                    }
                }
            }
        }
        Err(self.why_none(certificate))
    }

    fn why_none(&self, certificate: &VerifiedCertificate) -> &'static str {
        let Some(subject) = &certificate.subject else {
            return "no identity matches; its subject has a value that cannot be compared";
        };
        let is_reversed = |identity: &Identity| match &identity.name {
            Name::Subject { name, .. } => name.is_reverse_of(subject),
            Name::Uri(_) => false,
        };
        match self.0.iter().any(is_reversed) {
            true => "no identity matches; its subject is one of them in reverse order",
            false => "no identity matches",
        }
    }
}

impl Name {
    /// Whether all that the other matches, this one does too.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Subject { name: one, .. }, Self::Subject { name: other, .. }) => one == other,
            (Self::Uri(one), Self::Uri(other)) => one.covers(other),
            (Self::Subject { .. }, Self::Uri(_)) | (Self::Uri(_), Self::Subject { .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::authorities::Authorities;
    use super::super::client_certificate::ClientCertificate;
    use super::super::fixtures::{AUTHORITIES, client_pem};
    use super::*;
    use crate::request::UnixSeconds;

    fn subject(text: &str) -> Identity {
        let name = DistinguishedName::parse(text).unwrap();
        Identity { name: Name::Subject { text: text.to_owned(), name }, claims: Map::new() }
    }

    fn uri(text: &str) -> Identity {
        Identity { name: Name::Uri(UriPattern::parse(text).unwrap()), claims: Map::new() }
    }

    fn verified(name: &str) -> VerifiedCertificate {
        let certificate = ClientCertificate::parse(&client_pem(name)).unwrap();
        let now = UnixSeconds::new(1_767_225_600.0).unwrap();
        Authorities::parse(AUTHORITIES.as_bytes()).unwrap().verify(certificate, now).unwrap()
    }

    fn identify(identities: &[Identity], name: &str) -> Result<String, &'static str> {
        let identities = Identities::new(identities.to_vec()).unwrap();
        identities.identify(&verified(name)).map(|(_, text)| text.to_owned())
    }

    #[test]
    fn a_certificate_is_who_its_subject_or_a_uri_says() {
        const NONE: Result<&str, &str> = Err("no identity matches");
        let partner = subject("CN=partner-a,O=Example");
        let workloads = uri("spiffe://example.org/*");
        let listed = [partner, workloads];
        for (name, expected) in [
            ("partner-a", Ok("CN=partner-a,O=Example")),
            ("partner-b", NONE),
            ("order-reversed", Err("no identity matches; its subject is one of them in reverse order")),
            ("nul", Err("no identity matches; its subject has a value that cannot be compared")),
            ("bmp-string", Err("no identity matches; its subject has a value that cannot be compared")),
            ("no-subject", NONE),
            ("uri", Ok("spiffe://example.org/a")),
            ("uri-deep", Ok("spiffe://example.org/a/b/c")),
            ("uri-and-another", Ok("spiffe://example.org/a")),
            ("uri-twice", Err("several of its URIs match one identity")),
            ("partner-a-with-uri", Ok("CN=partner-a,O=Example")),
        ] {
            assert_eq!(identify(&listed, name), expected.map(str::to_owned), "{name}");
        }
        for name in [
            "uri-root",
            "uri-slash",
            "uri-empty-segment",
            "uri-trailing-slash",
            "uri-dots",
            "uri-dot",
            "uri-escape",
            "uri-escaped-dots",
            "uri-query",
            "uri-fragment",
            "uri-backslash",
            "uri-longer-authority",
            "uri-longer-label",
            "uri-user",
            "uri-upper-case",
            "uri-other-scheme",
            "uri-inside",
            "uri-star",
            "uri-as-dns",
            "uri-as-subject",
        ] {
            assert_eq!(identify(&listed, name), NONE.map(str::to_owned), "{name}");
        }
    }

    #[test]
    fn the_first_that_matches_is_picked() {
        let (partner, workload) = (subject("CN=partner-a,O=Example"), uri("spiffe://example.org/a"));
        let (below, url) = (uri("spiffe://example.org/*"), uri("https://example.net/a"));
        for (listed, name, text) in [
            ([&partner, &workload], "partner-a-with-uri", "CN=partner-a,O=Example"),
            ([&workload, &partner], "partner-a-with-uri", "spiffe://example.org/a"),
            ([&workload, &below], "uri-twice", "spiffe://example.org/a"),
            ([&url, &workload], "uri-and-another", "https://example.net/a"),
        ] {
            assert_eq!(identify(&listed.map(Identity::clone), name).as_deref(), Ok(text));
        }
    }

    #[test]
    fn an_identity_that_one_before_it_hides_is_a_fault() {
        let (a, b) = (subject("CN=a"), subject("CN=b"));
        let (below, deeper, exact) =
            (uri("spiffe://example.org/*"), uri("spiffe://example.org/a/*"), uri("spiffe://example.org/a"));
        for (listed, hidden) in [
            (vec![&a, &b, &below], None),
            (vec![&exact, &deeper, &below], None),
            (vec![&a, &b, &a], Some(vec![(2, 0)])),
            (vec![&subject("2.5.4.3=a"), &a], Some(vec![(1, 0)])),
            (vec![&below, &a, &deeper, &exact], Some(vec![(2, 0), (3, 0)])),
            (vec![&exact, &exact], Some(vec![(1, 0)])),
        ] {
            let found = Identities::new(listed.into_iter().cloned().collect()).err();
            assert_eq!(found, hidden);
        }
    }
}
