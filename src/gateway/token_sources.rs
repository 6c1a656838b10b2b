//! Where the events of each kind may carry the token.

use super::event_kind::EventKind;

/// Where a REQUEST event may carry the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A header, its name in any case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A cookie.
    Cookie(String),
    /// `Sec-WebSocket-Protocol`: the element of its list that follows this one.
    Subprotocol(String),
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
}
