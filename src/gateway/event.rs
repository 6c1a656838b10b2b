//! An event becomes a [`Request`] and what its answer must look like.
//!
//! `version` and `type` are read before anything else. Of the maps that a client
//! fills (headers, query, cookies) only the configured places are read, and each
//! value on its own: no header that somebody sends can make the event fail.
//! `aws_lambda_events` is not used here: one null or odd header fails its whole
//! parse, and a REQUEST event also parses as its TOKEN type.

use super::details;
use super::event_kind::EventKind;
use super::method_arn::MethodArn;
use super::raw_json::{Key, member, members, strings, text, values};
use super::token_sources::TokenSource;
use crate::access::CacheKey;
use crate::denial::Denial;
use crate::request::{Credential, Details, GatewayRoute, GuardedCookie, HeaderField, Message, Request};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// What an event says, and to which request it belongs. It holds the credential, and
/// so has no `Debug`.
pub(super) struct Event<'a> {
    pub(super) kind: EventKind,
    pub(super) arn: MethodArn<'a>,
    parts: Parts<'a>,
}

impl<'a> Event<'a> {
    /// Reads the parts that decide what kind of event this is.
    ///
    /// # Errors
    /// [`Denial::MalformedEvent`] for what API Gateway does not send.
    pub(super) fn parse(event: &'a [u8]) -> Result<Self, Denial> {
        Self::parse_or_ping(event)?.ok_or(Denial::MalformedEvent("not an authorizer event"))
    }

    /// The same; `None` for what keeps the function warm: an object of somebody's own, such as
    /// `{"source":"serverless-plugin-warmup"}`, or an EventBridge schedule's event.
    ///
    /// # Errors
    /// [`Denial::MalformedEvent`], also for what API Gateway sends to integrations.
    pub(super) fn parse_or_ping(event: &'a [u8]) -> Result<Option<Self>, Denial> {
        let event = std::str::from_utf8(event).map_err(|_| Denial::MalformedEvent("not UTF-8"))?;
        let parts: Parts<'a> = serde_json::from_str(event).map_err(|error| {
            let is_json = error.is_data();
            Denial::MalformedEvent(if is_json { "not an authorizer event" } else { "not JSON" })
        })?;
        if parts.are_of_no_api() {
            return Ok(None);
        }
        let version = parts.version.map(|raw| raw.get());
        let arn = if version == Some(VERSION_2) { parts.route_arn } else { parts.method_arn };
        let arn = arn.and_then(text).and_then(MethodArn::parse);
        let arn = arn.ok_or(Denial::MalformedEvent("no execute-api ARN"))?;
        let kind = match (version, parts.event_type.map(|raw| raw.get()), arn.is_connect()) {
            (Some(VERSION_2), _, false) => EventKind::Http2,
            (Some(VERSION_1), _, false) => EventKind::Http1,
            (None, Some(TOKEN), false) => EventKind::RestToken,
            (None, Some(REQUEST), false) => EventKind::RestRequest,
            (_, Some(REQUEST), true) => EventKind::WebSocket,
            (Some(_), _, false) => return Err(Denial::MalformedEvent("an unknown version")),
            (None, _, false) | (_, _, true) => return Err(Denial::MalformedEvent("an unknown type")),
        };
        Ok(Some(Self { kind, arn, parts }))
    }

    /// The request, with the credentials found in `sources`.
    pub(super) fn request<'s>(&'s self, sources: &'s [TokenSource], answered_by_policy: bool) -> Request<'s> {
        Request {
            client_certificate: self.client_certificate(),
            resource_characters: answered_by_policy.then(|| self.arn.characters()),
            gateway_route: self.gateway_route(),
            guarded_cookie: self.guarded_cookie(sources),
            ..Request::new(self.arn.method(), self.arn.path(), self.credentials(sources))
        }
    }

    /// The values of the header that API keys come in. TOKEN events have no headers.
    pub(super) fn api_keys(&self, header: &str) -> Vec<Credential<'a>> {
        let mut found = Vec::new();
        self.headers(header, &mut |value| found.push(Credential(value)));
        found
    }

    /// The request as its client sent it, as far as the event tells.
    pub(super) fn message(&self) -> Message<'a> {
        let in_context = |name| self.parts.request_context.and_then(|context| member(context, name)).and_then(text);
        let (path, raw_query) = match self.kind {
            EventKind::Http2 => (self.parts.raw_path.and_then(text), self.parts.raw_query.and_then(text)),
            EventKind::RestRequest | EventKind::Http1 => (in_context("path"), None),
            EventKind::RestToken | EventKind::WebSocket => (None, None),
        };
        // One map has all values of a name, the other one the last.
        let mut headers: Vec<(String, Cow<'a, str>)> = Vec::new();
        for map in [self.parts.multi_value_headers, self.parts.headers].into_iter().flatten() {
            let mut of_map = Vec::new();
            members(map, &mut |name, value| {
                let name = name.to_ascii_lowercase();
                match text(value) {
                    Some(value) => of_map.push((name, value)),
                    None => strings(Some(value), &mut |value| of_map.push((name.clone(), value))),
                }
            });
            of_map.retain(|(name, _)| !headers.iter().any(|(known, _)| known == name));
            headers.append(&mut of_map);
        }
        Message { domain: in_context("domainName"), path, raw_query, headers }
    }

    /// What is known of the page that made the request, where a cookie with `csrf` holds a credential: even one that
    /// stands in another place as well, since a backend may read the cookie.
    fn guarded_cookie<'s>(&'s self, sources: &'s [TokenSource]) -> Option<GuardedCookie<'s>> {
        let mut allowed = Vec::new();
        for source in sources {
            if let TokenSource::Cookie(name, csrf) = source
                && let Some(pages) = csrf.allowed()
            {
                let mut is_there = false;
                self.cookies(name, &mut |value| is_there |= !value.is_empty());
                allowed.extend(is_there.then_some(pages));
            }
        }
        if allowed.is_empty() {
            return None;
        }
        let (origin, fetch_site) = (self.header_field("origin"), self.header_field("sec-fetch-site"));
        Some(GuardedCookie { allowed, host: self.host(), origin, fetch_site })
    }

    /// The host that the request was sent to: what API Gateway calls it, and the `Host` header only where it does not.
    fn host(&self) -> Option<Cow<'a, str>> {
        let domain = self.parts.request_context.and_then(|context| member(context, "domainName"));
        domain.and_then(text).or_else(|| match self.header_field("host") {
            HeaderField::One(host) => Some(host),
            HeaderField::Absent | HeaderField::Several => None,
        })
    }

    /// A header that a request has once at most. `headers` and `multiValueHeaders` tell of the same ones, so that each
    /// may have it once, with one value.
    fn header_field(&self, name: &str) -> HeaderField<'a> {
        let is_named = |key: &[u8]| key.eq_ignore_ascii_case(name.as_bytes());
        let mut field = HeaderField::Absent;
        for map in [self.parts.headers, self.parts.multi_value_headers] {
            let mut found = Vec::new();
            values(map, &is_named, &mut |value| found.push(value));
            field = match (field, found.pop(), found.is_empty()) {
                (field, None, _) => field,
                (HeaderField::Absent, Some(only), true) => HeaderField::One(only),
                (HeaderField::One(known), Some(only), true) if known == only => HeaderField::One(only),
                _ => return HeaderField::Several,
            };
        }
        field
    }

    /// The route whose integration API Gateway runs: `routeKey` in HTTP 2.0, `resource` and `httpMethod` in REST
    /// REQUEST and HTTP 1.0. A TOKEN event does not name it, and a WebSocket asks for `$connect` alone.
    fn gateway_route(&self) -> Option<GatewayRoute<'a>> {
        let in_context = |name| self.parts.request_context.and_then(|context| member(context, name));
        match self.kind {
            EventKind::RestToken | EventKind::WebSocket => None,
            EventKind::Http2 => {
                let key = self.parts.route_key.or_else(|| in_context("routeKey"));
                key.and_then(text).map(GatewayRoute::of_key)
            }
            EventKind::RestRequest | EventKind::Http1 => {
                let path = self.parts.resource.or_else(|| in_context("resourcePath"));
                let method = self.parts.http_method.and_then(text);
                path.and_then(text).map(|path| GatewayRoute { method, path })
            }
        }
    }

    /// The address that the connection to API Gateway came from; `None` for what is no address.
    pub(super) fn source_ip(&self) -> Option<IpAddr> {
        self.source_ip_text().and_then(|text| text.parse().ok())
    }

    fn source_ip_text(&self) -> Option<Cow<'a, str>> {
        self.parts.request_context.and_then(|context| details::source_ip(context, self.kind))
    }

    /// What only Cedar policies ask for.
    pub(super) fn details(&self, sources: &[TokenSource]) -> Details<'a> {
        let Parts { query, multi_value_query, raw_query, .. } = self.parts;
        let raw_query = raw_query.filter(|_| self.kind == EventKind::Http2);
        Details {
            query: details::query([query, multi_value_query], raw_query, sources),
            source_ip: self.source_ip_text(),
        }
    }

    /// What of a cached simple answer's key API Gateway did not send as an identity
    /// source, although it sent others: HTTP 2.0 events carry their values.
    pub(super) fn missing_identity_sources(&self, key: CacheKey) -> Vec<&'static str> {
        let mut values = Vec::new();
        strings(self.parts.identity_source, &mut |value| values.push(value));
        let route_key = self.parts.route_key.and_then(text);
        let address = self.source_ip_text();
        let is_there = |source: &&str| match *source {
            "$context.identity.sourceIp" => {
                address.as_ref().is_some_and(|address| values.iter().any(|value| value == address))
            }
            "$context.path" => values.iter().any(|value| value.starts_with('/') && value.ends_with(self.arn.path())),
            _ => values.iter().any(|value| Some(value) == route_key.as_ref()),
        };
        let missing = key.identity_sources().into_iter().filter(|source| !is_there(source));
        if values.is_empty() { Vec::new() } else { missing.collect() }
    }

    /// Whether something stands in this place.
    pub(super) fn carries(&self, source: &TokenSource) -> bool {
        !self.credentials(std::slice::from_ref(source)).is_empty()
    }

    fn credentials(&self, sources: &[TokenSource]) -> Vec<Credential<'a>> {
        let mut found = Vec::new();
        if self.kind == EventKind::RestToken {
            found.extend(self.parts.authorization_token.and_then(text).map(Credential));
            return found;
        }
        for source in sources {
            match source {
                TokenSource::Header(name) => self.headers(name, &mut |value| found.push(Credential(value))),
                TokenSource::Query(name) => {
                    let is_named = |key: &[u8]| key == name.as_bytes();
                    for map in [self.parts.query, self.parts.multi_value_query] {
                        values(map, &is_named, &mut |value| found.push(Credential(value)));
                    }
                }
                TokenSource::Subprotocol(word) => {
                    // Several headers are one list (RFC 6455 11.3.4), and each map has all of them, or the last.
                    for map in [self.parts.headers, self.parts.multi_value_headers] {
                        let mut list: Vec<String> = Vec::new();
                        let is_named = |key: &[u8]| key.eq_ignore_ascii_case(b"sec-websocket-protocol");
                        values(map, &is_named, &mut |value| list.extend(elements(&value).map(str::to_owned)));
                        let following = list.iter().zip(list.iter().skip(1)).filter(|(element, _)| *element == word);
                        found.extend(following.map(|(_, token)| Credential(Cow::Owned(token.clone()))));
                    }
                }
                TokenSource::Cookie(name, _) => self.cookies(name, &mut |value| found.push(Credential(value))),
            }
        }
        // A REST API with a cache does not ask for an empty identity source; an HTTP API keeps the answer under it.
        if !matches!(self.kind, EventKind::Http1 | EventKind::Http2) {
            found.retain(|Credential(value)| !value.is_empty());
        }
        found
    }

    fn cookies(&self, name: &str, take: &mut dyn FnMut(Cow<'a, str>)) {
        let mut take = |cookies: Cow<'a, str>| cookie(&cookies, name).into_iter().for_each(&mut *take);
        strings(self.parts.cookies, &mut take);
        self.headers("cookie", &mut take);
    }

    fn headers(&self, name: &str, take: &mut dyn FnMut(Cow<'a, str>)) {
        let is_named = |key: &[u8]| key.eq_ignore_ascii_case(name.as_bytes());
        for map in [self.parts.headers, self.parts.multi_value_headers] {
            values(map, &is_named, take);
        }
    }

    /// REST REQUEST and HTTP 1.0: `requestContext.identity.clientCert`; HTTP 2.0:
    /// `requestContext.authentication.clientCert`. The other kinds carry none, whatever an event that was made by hand says.
    fn client_certificate(&self) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct RequestContext<'a> {
            #[serde(borrow)]
            identity: Option<&'a RawValue>,
            #[serde(borrow)]
            authentication: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Holder<'a> {
            #[serde(borrow, rename = "clientCert")]
            client_cert: Option<ClientCert<'a>>,
        }
        #[derive(Deserialize)]
        struct ClientCert<'a> {
            #[serde(borrow, rename = "clientCertPem")]
            pem: Option<&'a RawValue>,
        }
        // Most requests have none: looking for the word costs less than parsing.
        let context = self.parts.request_context.filter(|context| context.get().contains("clientCertPem"))?;
        let context: RequestContext<'a> = serde_json::from_str(context.get()).ok()?;
        let holder = match self.kind {
            EventKind::RestRequest | EventKind::Http1 => context.identity,
            EventKind::Http2 => context.authentication,
            EventKind::RestToken | EventKind::WebSocket => None,
        };
        let holder: Holder<'a> = serde_json::from_str(holder?.get()).ok()?;
        holder.client_cert?.pem.and_then(text)
    }
}

/// The members that are read, unparsed; all others are skipped, whatever they are
/// called and hold. A null is as good as nothing.
#[derive(Default)]
struct Parts<'a> {
    version: Option<&'a RawValue>,
    event_type: Option<&'a RawValue>,
    method_arn: Option<&'a RawValue>,
    route_arn: Option<&'a RawValue>,
    authorization_token: Option<&'a RawValue>,
    headers: Option<&'a RawValue>,
    multi_value_headers: Option<&'a RawValue>,
    query: Option<&'a RawValue>,
    raw_query: Option<&'a RawValue>,
    multi_value_query: Option<&'a RawValue>,
    cookies: Option<&'a RawValue>,
    request_context: Option<&'a RawValue>,
    identity_source: Option<&'a RawValue>,
    route_key: Option<&'a RawValue>,
    resource: Option<&'a RawValue>,
    http_method: Option<&'a RawValue>,
    raw_path: Option<&'a RawValue>,
}

/// Where a member's value belongs.
type Place<'a> = for<'p> fn(&'p mut Parts<'a>) -> &'p mut Option<&'a RawValue>;

impl<'a> Parts<'a> {
    /// Whether there is nothing that every event of API Gateway has one of, an integration's included. EventBridge's
    /// events have a `version` too.
    fn are_of_no_api(&self) -> bool {
        let Self { event_type, method_arn, route_arn, .. } = self;
        let Self { authorization_token, headers, request_context, route_key, .. } = self;
        let of_authorizers = [event_type, method_arn, route_arn, authorization_token];
        of_authorizers.into_iter().chain([headers, request_context, route_key]).all(Option::is_none)
    }

    fn place(name: &[u8]) -> Option<Place<'a>> {
        Some(match name {
            b"version" => |parts| &mut parts.version,
            b"type" => |parts| &mut parts.event_type,
            b"methodArn" => |parts| &mut parts.method_arn,
            b"routeArn" => |parts| &mut parts.route_arn,
            b"authorizationToken" => |parts| &mut parts.authorization_token,
            b"headers" => |parts| &mut parts.headers,
            b"multiValueHeaders" => |parts| &mut parts.multi_value_headers,
            b"queryStringParameters" => |parts| &mut parts.query,
            b"rawQueryString" => |parts| &mut parts.raw_query,
            b"multiValueQueryStringParameters" => |parts| &mut parts.multi_value_query,
            b"cookies" => |parts| &mut parts.cookies,
            b"requestContext" => |parts| &mut parts.request_context,
            b"identitySource" => |parts| &mut parts.identity_source,
            b"routeKey" => |parts| &mut parts.route_key,
            b"resource" => |parts| &mut parts.resource,
            b"httpMethod" => |parts| &mut parts.http_method,
            b"rawPath" => |parts| &mut parts.raw_path,
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartsVisitor)
    }
}

struct PartsVisitor;

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts<'de>, A::Error> {
        let mut parts = Parts::default();
        while let Some(place) = map.next_key_seed(Key(Parts::place))? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let member = place(&mut parts);
            // Two values for one member: whoever reads the other sees another event.
            if member.is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
            *member = map.next_value::<Option<&'de RawValue>>()?;
        }
        Ok(parts)
    }
}

/// The elements of a header's list; empty ones do not count (RFC 9110 5.6.1.2).
fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|element| element.trim_matches([' ', '\t'])).filter(|element| !element.is_empty())
}

/// The values of a cookie in a `Cookie` header (RFC 6265 4.2.1), read as any backend may: the header split at commas too
/// (RFC 2965 3.3, and how format 1.0 joins repeated headers), a name in blanks, in quotes, escaped or behind a `=`.
fn cookie<'a>(header: &str, name: &str) -> Vec<Cow<'a, str>> {
    let value_of = |pair: &str| {
        let (key, value) = pair.trim().trim_start_matches('=').split_once('=')?;
        let key = key.trim().trim_matches('"');
        let is_named = key == name
            || key.contains('%') && form_urlencoded::parse(key.as_bytes()).next().is_some_and(|(key, _)| key == name);
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        is_named.then(|| Cow::Owned(value.to_owned()))
    };
    let pairs = header.split(';').flat_map(|pair| [pair].into_iter().chain(pair.split(',').skip(1)));
    pairs.filter_map(value_of).collect()
}

// As they stand in the JSON text, quotes included.
const VERSION_1: &str = "\"1.0\"";
const VERSION_2: &str = "\"2.0\"";
const TOKEN: &str = "\"TOKEN\"";
const REQUEST: &str = "\"REQUEST\"";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::token_sources::Csrf;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request";

    fn sources() -> Vec<TokenSource> {
        vec![
            TokenSource::Header("Authorization".into()),
            TokenSource::Query("access_token".into()),
            TokenSource::Cookie("token".into(), Csrf::Unspecified),
        ]
    }

    #[track_caller]
    fn check(event: &str, kind: EventKind, credentials: &[&str]) {
        let event = Event::parse(event.as_bytes()).unwrap_or_else(|denial| panic!("{event}: {denial:?}"));
        assert_eq!(event.kind, kind);
        let sources = sources();
        let request = event.request(&sources, true);
        let found: Vec<_> = request.credentials.iter().map(|Credential(value)| &**value).collect();
        assert_eq!(found, credentials);
    }

    fn rest(rest: &str) -> String {
        format!(r#"{{"type":"REQUEST","methodArn":"{ARN}"{rest}}}"#)
    }

    #[test]
    fn the_kind_is_told_by_version_then_type_then_arn() {
        check(
            &format!(r#"{{"type":"TOKEN","methodArn":"{ARN}","authorizationToken":"a"}}"#),
            EventKind::RestToken,
            &["a"],
        );
        check(&rest(""), EventKind::RestRequest, &[]);
        check(&rest(r#","version":null"#), EventKind::RestRequest, &[]);
        check(&rest(r#","version":"1.0""#), EventKind::Http1, &[]);
        check(&format!(r#"{{"version":"2.0","type":"REQUEST","routeArn":"{ARN}"}}"#), EventKind::Http2, &[]);
        check(&rest("").replace("GET/request", "$connect"), EventKind::WebSocket, &[]);
        check(&rest(r#","version":"1.0""#).replace("GET/request", "$connect"), EventKind::WebSocket, &[]);
        check(&rest("").replace("request", "$connect"), EventKind::RestRequest, &[]);
    }

    #[test]
    fn what_api_gateway_does_not_send_is_malformed() {
        for event in [
            String::new(),
            "null".into(),
            "[]".into(),
            "{}".into(),
            r#"{"source":"serverless-plugin-warmup"}"#.into(),
            rest("").replace("REQUEST", "request"),
            rest("").replace("execute-api", "s3"),
            rest("").replace("methodArn", "arn"),
            rest(r#","version":"3.0""#),
            rest(r#","version":2.0"#),
            rest(r#","version":"2.0""#),
            rest(r#","methodArn":"x""#),
            rest(&format!(r#","methodArn":"{ARN}""#)),
            rest(r#","type":"REQUEST""#),
            rest(r#","headers":{"authorization":"t"},"headers":{}"#),
            rest(r#","queryStringParameters":{},"queryStringParameters":{}"#),
            rest(r#","requestContext":{},"requestContext":{}"#),
            format!(r#"{{"version":"2.0","version":"1.0","routeArn":"{ARN}"}}"#),
            format!(r#"{{"type":"REQUEST","methodArn":["{ARN}"]}}"#),
        ] {
            assert!(matches!(Event::parse(event.as_bytes()), Err(Denial::MalformedEvent(_))), "{event}");
        }
        let latin_1 = rest(r#","headers":{"x":"~"}"#).replace('~', "\u{e9}").into_bytes();
        let latin_1: Vec<u8> = latin_1.into_iter().filter(|byte| *byte != 0xC3).collect();
        for (event, detail) in [
            (&latin_1[..], "not UTF-8"),
            (b"{", "not JSON"),
            (b"{}}", "not JSON"),
            (b"7", "not an authorizer event"),
            (b"{\"type\":1,\"type\":1}", "not an authorizer event"),
        ] {
            assert_eq!(Event::parse(event).err(), Some(Denial::MalformedEvent(detail)));
        }
    }

    #[test]
    fn what_has_no_member_of_api_gateways_events_keeps_the_function_warm() {
        let is_ping = |event: &str| Event::parse_or_ping(event.as_bytes()).map(|event| event.is_none());
        for ping in [
            "{}",
            r#"{"source":"serverless-plugin-warmup"}"#,
            r#"{"version":"0","id":"a","detail-type":"Scheduled Event","source":"aws.events","resources":["arn:aws:events:a"],"detail":{}}"#,
            r#"{"warmer":true,"concurrency":3}"#,
            r#"{"type":null,"methodArn":null,"routeArn":null}"#,
        ] {
            assert_eq!(is_ping(ping), Ok(true), "{ping}");
        }
        assert_eq!(is_ping(&rest("")), Ok(false));
        for malformed in [
            "",
            "null",
            "[]",
            "[{}]",
            "7",
            "\"a\"",
            "{\"a\":1",
            r#"{"type":"x"}"#,
            r#"{"methodArn":"x"}"#,
            r#"{"routeArn":""}"#,
            r#"{"authorizationToken":"x"}"#,
            r#"{"source":"a","version":1,"version":2}"#,
            // An integration's.
            r#"{"version":"2.0","routeKey":"GET /"}"#,
            r#"{"resource":"/","httpMethod":"GET","headers":{}}"#,
            r#"{"requestContext":{"elb":{}}}"#,
        ] {
            assert!(matches!(is_ping(malformed), Err(Denial::MalformedEvent(_))), "{malformed}");
        }
    }

    #[test]
    fn odd_headers_and_maps_never_make_an_event_fail() {
        for (maps, credentials) in [
            (r#","\ud800":"\ud800","":{}"#, &[][..]),
            (r#","headers":null,"queryStringParameters":null,"cookies":null,"requestContext":null"#, &[]),
            (r#","headers":7,"queryStringParameters":"x","cookies":{},"requestContext":[]"#, &[]),
            (r#","headers":{"Authorization":null}"#, &[]),
            (r#","headers":{"Authorization":{"a":1}}"#, &[]),
            (r#","headers":{"Authorization":"\ud800"}"#, &[]),
            (r#","headers":{"x":null,"a b":"c","\u0000":"","\ud800":"\udc00","":"","authorization":"t"}"#, &["t"]),
            (r#","headers":{"AUTHORIZATION":"t","authorization":"u"}"#, &["t", "u"]),
            (r#","headers":{"authorization":"a\u0041"}"#, &["aA"]),
            (
                r#","headers":{"authorization":"t"},"multiValueHeaders":{"Authorization":["t",null,"u"]}"#,
                &["t", "t", "u"],
            ),
        ] {
            check(&rest(maps), EventKind::RestRequest, credentials);
        }
    }

    #[test]
    fn tokens_are_found_in_the_query_and_in_cookies() {
        for (maps, credentials) in [
            (r#","queryStringParameters":{"access_token":"t","Access_Token":"u"}"#, &["t"][..]),
            (r#","multiValueQueryStringParameters":{"access_token":["t","u"]}"#, &["t", "u"]),
            (r#","cookies":["a=b","token=t"]"#, &["t"]),
            (r#","cookies":["token=t==; b=c"]"#, &["t=="]),
            (r#","headers":{"Cookie":"a=b; token=t; Token=u; token=\"v\""}"#, &["t", "v"]),
            (r#","headers":{"Cookie":"a=b,token=t, token =u"}"#, &["t", "u"]),
            (r#","headers":{"Cookie":"token=t,token=u"}"#, &["t,token=u", "u"]),
            (
                r#","headers":{"Cookie":"=token=t; %74oken=u; tok%65n=v; %ff=w; token%20=x; %=y; ==token=z"}"#,
                &["t", "u", "v", "z"],
            ),
            (r#","headers":{"Cookie":"atoken=t; token; token.x=u; x-token=v; token[]=w; =; ,"}"#, &[]),
            (r#","headers":{"Cookie":"token =t; token= u ;\t token\t=v; \"token\"=w"}"#, &["t", "u", "v", "w"]),
        ] {
            check(&rest(maps), EventKind::RestRequest, credentials);
        }
    }

    #[test]
    fn a_token_is_the_subprotocol_that_follows_the_word() {
        let found = |maps: &str| {
            let event = rest(maps).replace("GET/request", "$connect");
            let event = Event::parse(event.as_bytes()).unwrap();
            let sources = [TokenSource::Subprotocol("access_token".into())];
            let request = event.request(&sources, true);
            request.credentials.iter().map(|Credential(value)| value.to_string()).collect::<Vec<_>>()
        };
        for (maps, tokens) in [
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token, t"}"#, &["t"][..]),
            (r#","headers":{"sec-websocket-protocol":"graphql-ws,access_token,t"}"#, &["t"]),
            (r#","headers":{"SEC-WEBSOCKET-PROTOCOL":" \t access_token\t,, ,\tt , soap"}"#, &["t"]),
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token, t, access_token, u"}"#, &["t", "u"]),
            (r#","multiValueHeaders":{"Sec-WebSocket-Protocol":["access_token","t"]}"#, &["t"]),
            (r#","multiValueHeaders":{"Sec-WebSocket-Protocol":["access_token, t","access_token, u"]}"#, &["t", "u"]),
            (
                r#","headers":{"Sec-WebSocket-Protocol":"t"},"multiValueHeaders":{"Sec-WebSocket-Protocol":["access_token","t"]}"#,
                &["t"],
            ),
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token","sec-websocket-protocol":"t"}"#, &["t"]),
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token"}"#, &[]),
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token, "}"#, &[]),
            (r#","headers":{"Sec-WebSocket-Protocol":"t, access_token"}"#, &[]),
            (r#","headers":{"Sec-WebSocket-Protocol":"Access_Token, t"}"#, &[]),
            (r#","headers":{"Sec-WebSocket-Protocol":"access_token t"}"#, &[]),
            (r#","headers":{"Sec-WebSocket-Protocol":null,"X":"access_token, t"}"#, &[]),
            (r#","queryStringParameters":{"Sec-WebSocket-Protocol":"access_token, t"}"#, &[]),
        ] {
            assert_eq!(found(maps), tokens, "{maps}");
        }
    }

    #[test]
    fn client_certificates_stand_where_their_kind_of_event_has_them() {
        let identity = r#","requestContext":{"identity":{"userAgent":"\ud800","clientCert":{"clientCertPem":"P\n"}}}"#;
        let authentication = r#","requestContext":{"authentication":{"clientCert":{"clientCertPem":"P\n"}}}"#;
        let pem = |event: &str| {
            Event::parse(event.as_bytes()).unwrap().request(&[], false).client_certificate.map(Cow::into_owned)
        };
        assert_eq!(pem(&rest(identity)).as_deref(), Some("P\n"));
        assert_eq!(pem(&rest(authentication)), None);
        let http2 = |context: &str| {
            rest(context).replace("methodArn", "routeArn").replace("{\"type", "{\"version\":\"2.0\",\"type")
        };
        assert_eq!(pem(&http2(authentication)).as_deref(), Some("P\n"));
        assert_eq!(pem(&http2(identity)), None);
        assert_eq!(pem(&rest(identity).replace("GET/request", "$connect")), None);
        assert_eq!(pem(&rest(identity).replace("REQUEST", "TOKEN")), None);
        assert_eq!(pem(&rest(r#","requestContext":{"identity":{"clientCert":{"clientCertPem":7}}}"#)), None);
        assert_eq!(pem(&rest(r#","requestContext":{"identity":{"clientCert":null}}"#)), None);
    }

    #[test]
    fn the_route_that_api_gateway_runs_is_named_where_the_kind_of_event_has_it() {
        let named = |event: &str| {
            let event = Event::parse(event.as_bytes()).unwrap_or_else(|denial| panic!("{event}: {denial:?}"));
            let route = event.request(&[], false).gateway_route;
            route.map(|GatewayRoute { method, path }| (method.map(Cow::into_owned), path.into_owned()))
        };
        let some = |method: Option<&str>, path: &str| Some((method.map(str::to_owned), path.to_owned()));
        let http2 = |members: &str| named(&format!(r#"{{"version":"2.0","routeArn":"{ARN}"{members}}}"#));
        let members = r#","routeKey":"GET /{x}","resource":"/{y}","httpMethod":"POST""#;
        let context = r#","requestContext":{"routeKey":"ANY /c","resourcePath":"/{d}"}"#;
        for (found, expected) in [
            (http2(members), some(Some("GET"), "/{x}")),
            (http2(r#","routeKey":"$default""#), some(None, "$default")),
            (http2(r#","routeKey":"GET \/\u007bx}""#), some(Some("GET"), "/{x}")),
            (http2(context), some(Some("ANY"), "/c")),
            (http2(r#","routeKey":"""#), some(None, "")),
            (named(&rest(members)), some(Some("POST"), "/{y}")),
            (named(&rest(&format!(r#"{members},"version":"1.0""#))), some(Some("POST"), "/{y}")),
            (named(&rest(context)), some(None, "/{d}")),
            (named(&rest(members).replace("REQUEST", "TOKEN")), None),
            (named(&rest(members).replace("GET/request", "$connect")), None),
        ] {
            assert_eq!(found, expected);
        }
        for odd in ["null", "7", "[]", "{}", r#""\ud800""#] {
            assert_eq!(http2(&format!(r#","routeKey":{odd}"#)), None, "{odd}");
            assert_eq!(named(&rest(&format!(r#","resource":{odd}"#))), None, "{odd}");
            assert_eq!(named(&rest(&format!(r#","resource":"/a","httpMethod":{odd}"#))), some(None, "/a"), "{odd}");
        }
    }

    #[test]
    fn details_are_read_where_the_kind_of_event_has_them() {
        let maps = r#","queryStringParameters":{"a":"1,2","t":"x"},"multiValueQueryStringParameters":{"a":["1","2"]},
            "rawQueryString":"a=1&a=2","requestContext":{"identity":{"sourceIp":"i"},"http":{"sourceIp":"h"}}"#;
        let details = |event: &str| {
            let details = Event::parse(event.as_bytes()).unwrap().details(&[TokenSource::Query("t".into())]);
            let query = details.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            (query.join("&"), details.source_ip.map(Cow::into_owned))
        };
        assert_eq!(details(&rest(maps)), ("a=1,2&a=1&a=2".into(), Some("i".into())));
        let http2 = format!(r#"{{"version":"2.0","routeArn":"{ARN}"{maps}}}"#);
        assert_eq!(details(&http2), ("a=1,2&a=1&a=2&a=1&a=2".into(), Some("h".into())));
        let http2 = http2.replace("multiValue", "noMultiValue");
        assert_eq!(details(&http2), ("a=1,2&a=1&a=2".into(), Some("h".into())));
        assert_eq!(details(&http2.replace("rawQuery", "noRawQuery")), ("a=1,2".into(), Some("h".into())));
        assert_eq!(details(&rest("")), (String::new(), None));
    }

    #[test]
    fn a_cached_simple_answers_key_lacks_what_was_not_sent() {
        const ROUTE: &str = "$context.routeKey";
        const PATH: &str = "$context.path";
        const ADDRESS: &str = "$context.identity.sourceIp";
        let key = |route: bool, path: bool, address: bool| CacheKey { route, path, address };
        let context = r#""requestContext":{"http":{"sourceIp":"192.0.2.1"}}"#;
        for (key, sent, missing) in [
            (key(false, false, false), r#"["t"]"#, &[][..]),
            (key(true, false, false), r#"["t"]"#, &[ROUTE]),
            (key(true, false, false), r#"["t","GET /request"]"#, &[]),
            (key(true, false, false), r#"["t","GET /requests"]"#, &[ROUTE]),
            (key(true, true, false), r#"["t"]"#, &[ROUTE, PATH]),
            (key(true, true, false), r#"["t","GET /request"]"#, &[PATH]),
            (key(true, true, false), r#"["GET /request","/request"]"#, &[]),
            (key(true, true, false), r#"["t","GET /request","/test/request"]"#, &[]),
            (key(true, true, false), r#"["t","GET /request","/test/request/x"]"#, &[PATH]),
            (key(true, true, false), r#"["t","/request"]"#, &[ROUTE]),
            (key(false, false, true), r#"["t"]"#, &[ADDRESS]),
            (key(false, false, true), r#"["t","192.0.2.1"]"#, &[]),
            (key(false, false, true), r#"["t","192.0.2.10"]"#, &[ADDRESS]),
            (key(true, true, true), r#"["t","GET /request","/request"]"#, &[ADDRESS]),
            // Nobody's cache: no identity sources at all.
            (key(true, true, false), "[]", &[]),
            (key(true, true, false), "null", &[]),
        ] {
            let event = format!(
                r#"{{"version":"2.0","routeArn":"{ARN}","routeKey":"GET /request",{context},"identitySource":{sent}}}"#
            );
            let event = Event::parse(event.as_bytes()).unwrap();
            assert_eq!(event.missing_identity_sources(key), missing, "{key:?} {sent}");
        }
    }
}
