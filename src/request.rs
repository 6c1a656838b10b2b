//! All that the core is told of the world: one request, and what time it is.
//!
//! Nothing in here is trusted. Every byte of a [`Request`] comes from the client;
//! only its shape is known.

use core::net::IpAddr;
use std::borrow::Cow;
use std::time::Duration;

/// A point in time, in seconds since 1970-01-01T00:00:00Z, leap seconds ignored
/// (RFC 7519's `NumericDate`). Always finite and within the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct UnixSeconds(f64);

impl UnixSeconds {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0.0);

    /// 9999-12-31T23:59:59Z.
    pub const LAST: Self = Self(LAST_SECOND_OF_9999);

    /// Takes a number of seconds; `None` outside of the years 0 to 9999, where a
    /// number is no date but a mistake (milliseconds, an overflow).
    #[must_use]
    pub fn new(seconds: f64) -> Option<Self> {
        (seconds.is_finite() && (FIRST_SECOND_OF_0..=LAST_SECOND_OF_9999).contains(&seconds)).then_some(Self(seconds))
    }

    /// This time, later by `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        // INVARIANT: finite; at worst the far end of the range.
        Self((self.0 + duration.as_secs_f64()).min(LAST_SECOND_OF_9999))
    }

    /// This time as a fractional number of seconds.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0
    }
}

/// One request as API Gateway describes it to an authorizer.
#[derive(Debug)]
pub struct Request<'a> {
    /// The HTTP method, or `$connect` for a WebSocket.
    pub method: &'a str,
    /// The path as it stands in the event's ARN, with its leading slash.
    pub path: &'a str,
    /// The raw values found where the configuration says that tokens are carried.
    pub credentials: Vec<Credential<'a>>,
    /// The client certificate of a mutual-TLS connection, PEM.
    pub client_certificate: Option<Cow<'a, str>>,
    /// How many characters the ARN has that a policy answer would carry; `None`
    /// where the answer carries none.
    pub resource_characters: Option<usize>,
    /// The address that the connection to API Gateway came from, where a rule asks for it and the event has it.
    pub source_ip: Option<IpAddr>,
    /// The route that API Gateway runs, where the event names it.
    pub gateway_route: Option<GatewayRoute<'a>>,
    /// What only Cedar policies ask for; `None` where no rule asks them.
    pub details: Option<Details<'a>>,
    /// The values of the header that API keys come in, where an issuer takes any.
    pub api_keys: Vec<Credential<'a>>,
    /// What a signature or a proof of possession may be about; `None` where no issuer takes any.
    pub message: Option<Message<'a>>,
    /// The page that made the request, where a cookie brought the token and `csrf` says which pages may.
    pub guarded_cookie: Option<GuardedCookie<'a>>,
}

impl<'a> Request<'a> {
    /// A request of which the event says no more than this.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str, credentials: Vec<Credential<'a>>) -> Self {
        Self {
            method,
            path,
            credentials,
            client_certificate: None,
            resource_characters: None,
            source_ip: None,
            gateway_route: None,
            details: None,
            api_keys: Vec::new(),
            message: None,
            guarded_cookie: None,
        }
    }
}

/// A request as its client sent it, as far as an event tells. Its `Debug` shows nothing of it.
#[derive(Default)]
pub struct Message<'a> {
    /// The domain that the client asked, as API Gateway knows it (`requestContext.domainName`): the `Host` header is
    /// the client's own word.
    pub domain: Option<Cow<'a, str>>,
    /// The path with its stage or base path: `requestContext.path` (REST, HTTP 1.0), `rawPath` (HTTP 2.0).
    pub path: Option<Cow<'a, str>>,
    /// The query as it was sent; HTTP 2.0 alone tells it.
    pub raw_query: Option<Cow<'a, str>>,
    /// The headers with their names in lower case; one entry for each value that the event has of a name.
    pub headers: Vec<(String, Cow<'a, str>)>,
}

impl Message<'_> {
    /// The values of a header, whose name is in lower case.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(redacted)")
    }
}

/// A route of the API, as an event names it: the one whose integration API Gateway runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRoute<'a> {
    /// The route's method or `ANY` (HTTP 2.0), or the request's (REST, HTTP 1.0).
    pub method: Option<Cow<'a, str>>,
    /// A path with its parameters in braces, `$default` or `$connect`.
    pub path: Cow<'a, str>,
}

impl<'a> GatewayRoute<'a> {
    /// Reads a route key: `GET /items`, `$default`.
    #[must_use]
    pub fn of_key(key: Cow<'a, str>) -> Self {
        let split = match &key {
            Cow::Borrowed(key) => key.split_once(' ').map(|(method, path)| (method.into(), path.into())),
            Cow::Owned(key) => {
                key.split_once(' ').map(|(method, path)| (method.to_owned().into(), path.to_owned().into()))
            }
        };
        match split {
            Some((method, path)) => Self { method: Some(method), path },
            None => Self { method: None, path: key },
        }
    }
}

/// What else an event says of a request, read where a rule wants to know.
#[derive(Debug, Default)]
pub struct Details<'a> {
    /// Query parameters, decoded as API Gateway decodes them. A name that stands more
    /// than once has several entries; places that may carry the token are left out.
    pub query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The address that the connection to API Gateway came from, as text.
    pub source_ip: Option<Cow<'a, str>>,
}

/// A request whose token a browser may have added by itself: which pages may make it, and which one did.
#[derive(Debug)]
pub struct GuardedCookie<'a> {
    /// Of each guarded cookie that holds a credential, the pages that may.
    pub allowed: Vec<AllowedPages<'a>>,
    /// The host that the request was sent to.
    pub host: Option<Cow<'a, str>>,
    /// The header `Origin` (RFC 6454 7).
    pub origin: HeaderField<'a>,
    /// The header `Sec-Fetch-Site` (W3C Fetch Metadata 2.3).
    pub fetch_site: HeaderField<'a>,
}

/// The pages whose requests a guarded cookie may accompany.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedPages<'a> {
    /// Those of the host that the request was sent to.
    OwnHost,
    /// Those of these origins, as browsers write them.
    Origins(&'a [String]),
}

/// A header that a request must not have twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderField<'a> {
    /// It is not there.
    Absent,
    /// Its only value.
    One(Cow<'a, str>),
    /// It is there more than once.
    Several,
}

/// The raw value of a header, query parameter or cookie that may hold a token.
/// Its `Debug` shows nothing of it.
pub struct Credential<'a>(pub Cow<'a, str>);

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(redacted)")
    }
}

/// 0000-01-01T00:00:00Z.
const FIRST_SECOND_OF_0: f64 = -62_167_219_200.0;

/// 9999-12-31T23:59:59Z.
const LAST_SECOND_OF_9999: f64 = 253_402_300_799.0;

/// "Resource ARN: 512 characters" (API Gateway, quotas for Lambda authorizers).
pub const MAX_RESOURCE_CHARACTERS: usize = 512;

/// More than a minute is no difference between clocks but a longer life for tokens. An entry of the
/// revocation table must last as long as the token that it stops, so that the same limit counts there.
pub const MAX_LEEWAY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_finite_and_within_four_digit_years() {
        for (seconds, ok) in [
            (0.0, true),
            (1.5, true),
            (253_402_300_799.0, true),
            (253_402_300_800.0, false),
            (-1.0, true),
            (-62_167_219_200.0, true),
            (-62_167_219_201.0, false),
            (f64::NAN, false),
            (f64::INFINITY, false),
            (1e300, false),
        ] {
            assert_eq!(UnixSeconds::new(seconds).is_some(), ok, "{seconds}");
        }
    }

    #[test]
    fn adding_never_leaves_the_range() {
        let last = UnixSeconds::new(LAST_SECOND_OF_9999).unwrap();
        assert_eq!(last.plus(Duration::MAX).as_f64(), LAST_SECOND_OF_9999);
    }
}
