//! What a template says of an API, as far as an authorizer is concerned.

use super::node::Node;
use super::value::Value;
use cognito_authorizer_operator::revoking::printable;
use std::fmt;

/// One API.
#[derive(Debug)]
pub(crate) struct Api {
    /// Its logical id.
    pub(crate) name: String,
    pub(crate) kind: ApiKind,
    pub(crate) routes: Vec<Route>,
    /// Those that ask a function.
    pub(crate) authorizers: Vec<Authorizer>,
    /// Those that verify tokens themselves.
    pub(crate) natives: Vec<Native>,
    /// Whether `routes` are all that it has.
    pub(crate) routes_are_known: bool,
    /// Whether it has a resource policy.
    pub(crate) has_resource_policy: bool,
    /// Whether SAM puts the default authorizer before preflight requests.
    pub(crate) guards_preflight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKind {
    Rest,
    Http,
    WebSocket,
}

/// One route, by its key as API Gateway writes it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) key: String,
    pub(crate) guard: Guard,
    /// What it asks of its own; `None` where it leaves that to its authorizer.
    pub(crate) scopes: Option<Vec<Value>>,
    pub(crate) place: Place,
}

/// Line and column in the file, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// An authorizer of API Gateway itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Native {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) tokens: NativeTokens,
    /// What routes ask for that say nothing themselves.
    pub(crate) scopes: Vec<Value>,
    /// Where requests carry the token.
    pub(crate) sources: Vec<Source>,
}

/// Whose tokens it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NativeTokens {
    /// Those of an issuer for an audience.
    Jwt { issuer: Value, audience: Vec<Value> },
    /// Those of user pools, by their ARNs.
    UserPools(Vec<Value>),
}

/// Who is asked before a route's backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// The authorizer of that name, which asks a function.
    Authorizer(String),
    /// API Gateway itself: IAM, a JWT or a Cognito authorizer.
    Other(String),
    /// Nobody.
    Open,
    /// This is not known before it is deployed.
    Unknown(String),
}

/// An authorizer that asks a function.
#[derive(Debug)]
pub(crate) struct Authorizer {
    pub(crate) name: String,
    /// The function's logical id, else the expression for it.
    pub(crate) function: String,
    pub(crate) format: Format,
    pub(crate) ttl: Ttl,
    /// What API Gateway asks for, and what its cache is keyed by.
    pub(crate) sources: Vec<Source>,
}

/// Which events the function gets, and which answers are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    RestToken,
    RestRequest,
    Http1,
    Http2Policy,
    Http2Simple,
    WebSocket,
    /// API Gateway would not take it, or it is not known before it is deployed.
    Unclear(String),
}

/// How long an answer is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ttl {
    Off,
    Seconds(u32),
    /// This is not known before it is deployed: it may be kept.
    Unknown(String),
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Its name in lower case.
    Header(String),
    Query(String),
    /// As in `$context.path`.
    Context(String),
    /// A stage's variable, or what is not known before it is deployed.
    Other(String),
}

impl Place {
    pub(crate) fn of(node: &Node) -> Self {
        Self { line: node.line, column: node.column }
    }
}

impl Ttl {
    /// Whether no answer is ever used twice.
    pub(crate) fn is_off(&self) -> bool {
        *self == Ttl::Off
    }
}

impl Source {
    /// Reads `method.request.header.x`, `$request.querystring.x`, `context.x` and so on.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        let bare = text.trim_start_matches('$');
        let request = ["method.request.", "route.request.", "request."];
        let request = request.iter().find_map(|prefix| bare.strip_prefix(prefix));
        if let Some(name) = request.and_then(|rest| rest.strip_prefix("header.")) {
            return Source::Header(name.to_ascii_lowercase());
        }
        if let Some(name) = request.and_then(|rest| rest.strip_prefix("querystring.")) {
            return Source::Query(name.to_owned());
        }
        match bare.strip_prefix("context.") {
            Some(name) => Source::Context(name.to_owned()),
            None => Source::Other(text.to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for ApiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ApiKind::Rest => "REST API",
            ApiKind::Http => "HTTP API",
            ApiKind::WebSocket => "WebSocket API",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::RestToken => f.write_str("TOKEN"),
            Format::RestRequest => f.write_str("REQUEST"),
            Format::Http1 => f.write_str("format 1.0"),
            Format::Http2Policy => f.write_str("format 2.0, policies"),
            Format::Http2Simple => f.write_str("format 2.0, simple answers"),
            Format::WebSocket => f.write_str("$connect"),
            Format::Unclear(why) => f.write_str(&printable(why)),
        }
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ttl::Off => f.write_str("not cached"),
            Ttl::Seconds(seconds) => write!(f, "cached for {seconds} s"),
            Ttl::Unknown(expression) => write!(f, "cached for {}", printable(expression)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Header(name) => write!(f, "header {}", printable(name)),
            Source::Query(name) => write!(f, "query {}", printable(name)),
            Source::Context(name) => write!(f, "$context.{}", printable(name)),
            Source::Other(text) => f.write_str(&printable(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_sources_are_read_as_each_kind_of_api_writes_them() {
        for (text, expected) in [
            ("method.request.header.Authorization", Source::Header("authorization".into())),
            ("$request.header.Authorization", Source::Header("authorization".into())),
            ("route.request.querystring.access_token", Source::Query("access_token".into())),
            (" context.httpMethod ", Source::Context("httpMethod".into())),
            ("$context.routeKey", Source::Context("routeKey".into())),
            ("stageVariables.a", Source::Other("stageVariables.a".into())),
        ] {
            assert_eq!(Source::parse(text), expected, "{text}");
        }
    }
}
