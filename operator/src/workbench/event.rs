//! Events as API Gateway sends them to an authorizer, of every kind, and how one becomes an event of another kind or with
//! another token.

use super::request_line::RequestLine;
use cognito_authorizer::gateway::{Csrf, EventKind, MethodArn, TokenSource, TokenSources};
use serde_json::{Map, Value, json};
use std::fmt;

/// Every kind of event.
pub const KINDS: [EventKind; 5] =
    [EventKind::RestToken, EventKind::RestRequest, EventKind::Http1, EventKind::Http2, EventKind::WebSocket];

/// The kind of that name, as the log and `on` write it.
#[must_use]
pub fn kind_named(name: &str) -> Option<EventKind> {
    KINDS.into_iter().find(|kind| kind.name() == name)
}

/// Why a text is no event of an authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventError(pub &'static str);

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An event of this kind for a request that carries no credential.
pub(super) fn event(kind: EventKind, request: &RequestLine, source_ip: &str) -> Value {
    let RequestLine { method, path, query } = request;
    let arn = format!("{STAGE_ARN}/{method}{path}");
    let parameters = query_map(query);
    match kind {
        EventKind::RestToken => json!({ "type": "TOKEN", "methodArn": arn }),
        EventKind::RestRequest => json!({
            "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": method,
            "headers": {}, "multiValueHeaders": {}, "queryStringParameters": parameters,
            "multiValueQueryStringParameters": multi_value(&parameters),
            "pathParameters": {}, "stageVariables": {},
            "requestContext": { "domainName": HOST, "httpMethod": method, "stage": STAGE, "identity": { "sourceIp": source_ip } },
        }),
        EventKind::Http1 => json!({
            "version": "1.0", "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": method,
            "headers": {}, "queryStringParameters": parameters, "pathParameters": {}, "stageVariables": {},
            "requestContext": { "domainName": HOST, "httpMethod": method, "stage": STAGE, "identity": { "sourceIp": source_ip } },
        }),
        EventKind::Http2 => json!({
            "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": format!("/{STAGE}{path}"),
            "rawQueryString": query, "headers": {}, "queryStringParameters": parameters,
            "requestContext": { "domainName": HOST, "http": { "method": method, "path": path, "sourceIp": source_ip }, "stage": STAGE },
        }),
        EventKind::WebSocket => json!({
            "type": "REQUEST", "methodArn": format!("{STAGE_ARN}/$connect"),
            "headers": {}, "multiValueHeaders": {}, "queryStringParameters": parameters,
            "multiValueQueryStringParameters": multi_value(&parameters), "stageVariables": {},
            "requestContext": {
                "domainName": HOST, "routeKey": "$connect", "eventType": "CONNECT", "stage": STAGE, "identity": { "sourceIp": source_ip },
            },
        }),
    }
}

/// The kind of an event that came from elsewhere, and its request.
///
/// # Errors
/// [`EventError`].
pub(super) fn read(event: &Value) -> Result<(EventKind, RequestLine, Option<String>), EventError> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let version = text("version");
    let arn = text(if version == Some("2.0") { "routeArn" } else { "methodArn" }).and_then(MethodArn::parse);
    let arn = arn.ok_or(EventError("no event of an authorizer: it has no execute-api ARN"))?;
    let kind = match (version, text("type"), arn.is_connect()) {
        (_, _, true) => EventKind::WebSocket,
        (Some("2.0"), _, _) => EventKind::Http2,
        (Some("1.0"), _, _) => EventKind::Http1,
        (None, Some("TOKEN"), _) => EventKind::RestToken,
        (None, Some("REQUEST"), _) => EventKind::RestRequest,
        _ => return Err(EventError("no event of an authorizer: an unknown `version` or `type`")),
    };
    let query = text("rawQueryString").map_or_else(|| query_text(event.get("queryStringParameters")), str::to_owned);
    let request = if arn.is_connect() {
        RequestLine { query, ..RequestLine::connect() }
    } else {
        RequestLine { method: arn.method().to_owned(), path: arn.path().to_owned(), query }
    };
    let context = event.get("requestContext");
    let source_ip = ["/identity/sourceIp", "/http/sourceIp"]
        .into_iter()
        .find_map(|place| context?.pointer(place)?.as_str())
        .map(str::to_owned);
    Ok((kind, request, source_ip))
}

/// Puts the token where events of this kind carry it first; what stands in any of these places goes.
pub(super) fn carry(event: &mut Value, kind: EventKind, token: Option<&str>, sources: &TokenSources) {
    let Some(members) = event.as_object_mut() else { return };
    if kind == EventKind::RestToken {
        members.remove("authorizationToken");
        members.extend(token.map(|token| ("authorizationToken".to_owned(), format!("Bearer {token}").into())));
        return;
    }
    let sources = sources.of(kind);
    sources.iter().for_each(|source| take_out(members, source));
    let (Some(token), Some(source)) = (token, sources.first()) else { return };
    match source {
        TokenSource::Header(name) => put_header(members, name, format!("Bearer {token}")),
        TokenSource::Query(name) => {
            put(members, "queryStringParameters", name, token.into());
            if members.contains_key("multiValueQueryStringParameters") {
                put(members, "multiValueQueryStringParameters", name, json!([token]));
            }
            if kind == EventKind::Http2 {
                let raw = members.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
                let raw = if raw.is_empty() { format!("{name}={token}") } else { format!("{raw}&{name}={token}") };
                members.insert("rawQueryString".to_owned(), raw.into());
            }
        }
        TokenSource::Cookie(name, csrf) if kind == EventKind::Http2 => {
            put_origin(members, csrf);
            let cookies = members.entry("cookies").or_insert_with(|| json!([]));
            if let Some(cookies) = cookies.as_array_mut() {
                cookies.push(format!("{name}={token}").into());
            }
        }
        TokenSource::Cookie(name, csrf) => {
            put_origin(members, csrf);
            put_header(members, "cookie", format!("{name}={token}"));
        }
        TokenSource::Subprotocol(word) => put_header(members, "Sec-WebSocket-Protocol", format!("{word}, {token}")),
    }
}

/// The text of the credential in an event, from the first place that has one.
pub(super) fn carried(event: &Value, kind: EventKind, sources: &TokenSources) -> Option<String> {
    let text = |value: &Value| value.as_str().or_else(|| value.get(0)?.as_str()).map(str::to_owned);
    let in_maps = |maps: [&str; 2], is_it: &dyn Fn(&str) -> bool| {
        let maps = maps.into_iter().filter_map(|map| event.get(map)?.as_object());
        maps.flatten().find(|(key, _)| is_it(key)).and_then(|(_, value)| text(value))
    };
    let cookie = |name: &str| {
        let list = event.get("cookies").and_then(Value::as_array);
        let list = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let header = in_maps(HEADERS, &|key| key.eq_ignore_ascii_case("cookie"));
        let all: Vec<String> = list.chain(header).collect();
        let mut pairs = all.iter().flat_map(|cookies| cookies.split(';'));
        pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let found = match kind {
        EventKind::RestToken => event.get("authorizationToken").and_then(text),
        EventKind::RestRequest | EventKind::Http1 | EventKind::Http2 | EventKind::WebSocket => {
            sources.of(kind).iter().find_map(|source| match source {
                TokenSource::Header(name) => in_maps(HEADERS, &|key| key.eq_ignore_ascii_case(name)),
                TokenSource::Query(name) => {
                    in_maps(["queryStringParameters", "multiValueQueryStringParameters"], &|key| key == name)
                }
                TokenSource::Cookie(name, _) => cookie(name),
                TokenSource::Subprotocol(word) => {
                    let list = in_maps(HEADERS, &|key| key.eq_ignore_ascii_case("sec-websocket-protocol"))?;
                    let mut elements = list.split(',').map(str::trim).skip_while(|element| element != word);
                    elements.nth(1).map(str::to_owned)
                }
            })
        }
    }?;
    let bare = found.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    Some(bare.map_or(found.as_str(), |(_, token)| token).trim().to_owned())
}

fn put_header(members: &mut Map<String, Value>, name: &str, value: String) {
    if members.contains_key("multiValueHeaders") {
        put(members, "multiValueHeaders", name, json!([value]));
    }
    put(members, "headers", name, value.into());
}

/// A browser says with a cookie which page asks: here one that may.
fn put_origin(members: &mut Map<String, Value>, csrf: &Csrf) {
    let origin = match csrf {
        Csrf::Unspecified | Csrf::Off => return,
        Csrf::OwnHost => {
            let context = members.get("requestContext").and_then(|context| context.get("domainName"));
            let host = context.and_then(Value::as_str).unwrap_or(HOST);
            Some(format!("https://{host}"))
        }
        Csrf::Origins(origins) => origins.first().cloned(),
    };
    let has_one = HEADERS.iter().any(|map| {
        let headers = members.get(*map).and_then(Value::as_object);
        headers.is_some_and(|headers| headers.keys().any(|key| key.eq_ignore_ascii_case("origin")))
    });
    if let Some(origin) = origin.filter(|_| !has_one) {
        put_header(members, "origin", origin);
    }
}

fn put(members: &mut Map<String, Value>, map: &str, name: &str, value: Value) {
    let map = members.entry(map).or_insert(Value::Null);
    if !map.is_object() {
        *map = json!({});
    }
    if let Some(map) = map.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// Takes whatever stands in this place out of an event.
fn take_out(members: &mut Map<String, Value>, source: &TokenSource) {
    let mut clear = |maps: [&str; 2], is_it: &dyn Fn(&str) -> bool| {
        for map in maps {
            if let Some(map) = members.get_mut(map).and_then(Value::as_object_mut) {
                map.retain(|key, _| !is_it(key));
            }
        }
    };
    match source {
        TokenSource::Header(name) => clear(HEADERS, &|key| key.eq_ignore_ascii_case(name)),
        TokenSource::Cookie(..) => {
            clear(HEADERS, &|key| key.eq_ignore_ascii_case("cookie"));
            members.remove("cookies");
        }
        TokenSource::Subprotocol(_) => clear(HEADERS, &|key| key.eq_ignore_ascii_case("sec-websocket-protocol")),
        TokenSource::Query(name) => {
            clear(["queryStringParameters", "multiValueQueryStringParameters"], &|key| key == name);
        }
    }
}

fn query_map(query: &str) -> Value {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), Value::String(value.to_owned()))
    };
    Value::Object(pairs.map(pair).collect())
}

fn query_text(parameters: Option<&Value>) -> String {
    let members = parameters.and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| format!("{name}={}", value.as_str().unwrap_or_default());
    members.into_iter().flatten().map(pair).collect::<Vec<_>>().join("&")
}

fn multi_value(map: &Value) -> Value {
    map.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), json!([value]))).collect()
}

const HEADERS: [&str; 2] = ["headers", "multiValueHeaders"];

/// What the events call the API.
const HOST: &str = "api.example.com";

const STAGE: &str = "local";

/// The ARN of an API and its stage, in an account that is nobody's.
const STAGE_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/local";
