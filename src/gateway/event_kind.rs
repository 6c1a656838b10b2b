//! The kinds of events.

/// The kinds of events that API Gateway sends to an authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// REST API, `type: TOKEN`.
    RestToken,
    /// REST API, `type: REQUEST`.
    RestRequest,
    /// HTTP API, payload format 1.0.
    Http1,
    /// HTTP API, payload format 2.0.
    Http2,
    /// WebSocket API, `$connect`.
    WebSocket,
}

impl EventKind {
    /// Its name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EventKind::RestToken => "rest_token",
            EventKind::RestRequest => "rest_request",
            EventKind::Http1 => "http_1.0",
            EventKind::Http2 => "http_2.0",
            EventKind::WebSocket => "websocket",
        }
    }
}
