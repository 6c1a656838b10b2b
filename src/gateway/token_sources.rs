//! Where the events of each kind may carry the token.

use super::event_kind::EventKind;
use crate::request::AllowedPages;
use std::collections::BTreeSet;

/// Where a REQUEST event may carry the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A header, its name in any case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A cookie, and which pages may make requests with it.
    Cookie(String, Csrf),
    /// `Sec-WebSocket-Protocol`: the element of its list that follows this one.
    Subprotocol(String),
}

/// Whether a request whose token came in a cookie must come from certain pages: a browser adds cookies to the requests
/// of every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Csrf {
    /// The configuration does not say: any page.
    Unspecified,
    /// Any page, as the configuration says.
    Off,
    /// Pages of the host that the request is sent to.
    OwnHost,
    /// Pages of these origins.
    Origins(Vec<String>),
}

impl Csrf {
    /// The pages that may, where not any page may.
    #[must_use]
    pub fn allowed(&self) -> Option<AllowedPages<'_>> {
        match self {
            Csrf::Unspecified | Csrf::Off => None,
            Csrf::OwnHost => Some(AllowedPages::OwnHost),
            Csrf::Origins(origins) => Some(AllowedPages::Origins(origins)),
        }
    }
}

/// The places of the configuration, by the kind of event that they count for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenSources {
    rest_request: Vec<TokenSource>,
    http_1: Vec<TokenSource>,
    http_2: Vec<TokenSource>,
    web_socket: Vec<TokenSource>,
}

impl TokenSources {
    /// The kinds of events that carry the token in a place of one's own choice: TOKEN events do not.
    pub const KINDS: [EventKind; 4] =
        [EventKind::RestRequest, EventKind::Http1, EventKind::Http2, EventKind::WebSocket];

    /// One more place, for events of that kind; TOKEN events have none.
    pub fn add(&mut self, kind: EventKind, source: TokenSource) {
        match kind {
            EventKind::RestToken => {}
            EventKind::RestRequest => self.rest_request.push(source),
            EventKind::Http1 => self.http_1.push(source),
            EventKind::Http2 => self.http_2.push(source),
            EventKind::WebSocket => self.web_socket.push(source),
        }
    }

    /// The places in events of that kind.
    #[must_use]
    pub fn of(&self, kind: EventKind) -> &[TokenSource] {
        match kind {
            EventKind::RestToken => &[],
            EventKind::RestRequest => &self.rest_request,
            EventKind::Http1 => &self.http_1,
            EventKind::Http2 => &self.http_2,
            EventKind::WebSocket => &self.web_socket,
        }
    }

    /// The names of the cookies that only certain pages may send.
    #[must_use]
    pub fn guarded_cookies(&self) -> BTreeSet<&str> {
        self.cookies(|csrf| csrf.allowed().is_some())
    }

    /// The names of the cookies of which the configuration does not say which pages may send them.
    #[must_use]
    pub fn unguarded_cookies(&self) -> BTreeSet<&str> {
        self.cookies(|csrf| *csrf == Csrf::Unspecified)
    }

    fn cookies(&self, is_such: impl Fn(&Csrf) -> bool) -> BTreeSet<&str> {
        let all = Self::KINDS.into_iter().flat_map(|kind| self.of(kind));
        all.filter_map(|source| match source {
            TokenSource::Cookie(name, csrf) => is_such(csrf).then_some(name.as_str()),
            TokenSource::Header(_) | TokenSource::Query(_) | TokenSource::Subprotocol(_) => None,
        })
        .collect()
    }
}
