//! What an event says of a request beside method, path and token: query parameters
//! and the client's address, which only Cedar policies ask for.
//!
//! No value that somebody sends makes the event fail, and none that was sent is
//! passed over: a policy that forbids by a parameter's presence must see it.

use super::event_kind::EventKind;
use super::raw_json::{member, members, text};
use super::token_sources::TokenSource;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The query parameters of both maps. `raw_query` is HTTP 2.0's `rawQueryString`: there
/// the map joins the values of a repeated name by commas, and only the raw
/// text tells that from a comma of the client's own, or has what the map left out. A parameter that carries the token
/// is left out.
pub(super) fn query<'a>(
    maps: [Option<&'a RawValue>; 2],
    raw_query: Option<&'a RawValue>,
    sources: &[TokenSource],
) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for map in maps.into_iter().flatten() {
        members(map, &mut |name, value| of_member(name, value, &mut pairs));
    }
    let raw = raw_query.and_then(text).unwrap_or_default();
    let sent: Vec<_> = form_urlencoded::parse(raw.as_bytes()).collect();
    let mut times_sent = HashMap::new();
    sent.iter().for_each(|(name, _)| *times_sent.entry(name).or_insert(0_usize) += 1);
    let in_maps: HashSet<_> = pairs.iter().map(|(name, _)| name.to_string()).collect();
    let is_news = |name: &Cow<'_, str>| times_sent.get(name) != Some(&1) || !in_maps.contains(&**name);
    let news = sent.iter().filter(|(name, _)| is_news(name));
    pairs.extend(news.map(|(name, value)| (owned(name), owned(value))));
    let carries_token =
        |name: &str| sources.iter().any(|source| matches!(source, TokenSource::Query(query) if query == name));
    pairs.retain(|(name, _)| !carries_token(name));
    pairs
}

/// REST, HTTP 1.0 and WebSocket: `requestContext.identity.sourceIp`; HTTP 2.0:
/// `requestContext.http.sourceIp`; TOKEN events have none.
pub(super) fn source_ip(request_context: &RawValue, kind: EventKind) -> Option<Cow<'_, str>> {
    let holder = if kind == EventKind::Http2 { "http" } else { "identity" };
    member(member(request_context, holder)?, "sourceIp").and_then(text)
}

/// A name's value, or its values: one string or a list of them. A null is as good as
/// nothing; what else is no string stands for itself, as JSON.
fn of_member<'a>(name: Cow<'a, str>, value: &'a RawValue, pairs: &mut Pairs<'a>) {
    let items: Vec<&'a RawValue> = serde_json::from_str(value.get()).unwrap_or_else(|_| vec![value]);
    for item in items.into_iter().filter(|item| item.get() != "null") {
        pairs.push((name.clone(), text(item).unwrap_or(Cow::Borrowed(item.get()))));
    }
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[track_caller]
    fn check(map: &str, multi: &str, raw_query: Option<&str>, expected: &[(&str, &str)]) {
        let (map, multi) = (raw(map), raw(multi));
        let raw_query = raw_query.map(|text| raw(&serde_json::to_string(text).unwrap()));
        let sources = [TokenSource::Header("a".into()), TokenSource::Query("access_token".into())];
        let found = query([Some(&map), Some(&multi)], raw_query.as_deref(), &sources);
        let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn both_maps_are_read_and_nothing_that_was_sent_is_passed_over() {
        check(r#"{"a":"1"}"#, r#"{"a":["1"]}"#, None, &[("a", "1"), ("a", "1")]);
        check(r#"{"a":"2"}"#, r#"{"a":["1","2"]}"#, None, &[("a", "2"), ("a", "1"), ("a", "2")]);
        check(r#"{"a":"1","a":"2"}"#, "null", None, &[("a", "1"), ("a", "2")]);
        check(r#"{"a":7,"b":{"c":1},"d":""}"#, "{}", None, &[("a", "7"), ("b", r#"{"c":1}"#), ("d", "")]);
        check(r#"{"a":"\ud800"}"#, "{}", None, &[("a", r#""\ud800""#)]);
        check(r#"{"a":null}"#, r#"{"b":[null,"x"],"c":[]}"#, None, &[("b", "x")]);
        for odd in ["null", "[]", "7", "\"a\"", "[[\"a\"]]"] {
            check(odd, odd, None, &[]);
        }
    }

    #[test]
    fn a_token_in_the_query_is_left_out() {
        let both = r#"{"access_token":"eyJ","a":"1"}"#;
        check(both, "{}", Some("access_token=eyJ&a=1&access_token=eyK"), &[("a", "1")]);
    }

    #[test]
    fn http_2_finds_a_repeated_name_in_the_raw_query() {
        check(r#"{"a":"1,2"}"#, "null", Some("a=1,2"), &[("a", "1,2")]);
        check(r#"{"a":"1,2"}"#, "null", Some("a=1&a=2"), &[("a", "1,2"), ("a", "1"), ("a", "2")]);
        check(r#"{"a b":"1,2"}"#, "null", Some("a%20b=1&a+b=2"), &[("a b", "1,2"), ("a b", "1"), ("a b", "2")]);
        check(r#"{"a":"1"}"#, "null", Some("a=1&mode=evil&b"), &[("a", "1"), ("mode", "evil"), ("b", "")]);
        for map in ["null", "{}", "[]"] {
            check(map, "null", Some("a=1"), &[("a", "1")]);
        }
    }

    #[test]
    fn the_clients_address_is_where_the_kind_of_event_has_it() {
        for (context, kind, expected) in [
            (r#"{"identity":{"sourceIp":"192.0.2.1"}}"#, EventKind::RestRequest, Some("192.0.2.1")),
            (r#"{"identity":{"sourceIp":"192.0.2.1"}}"#, EventKind::Http1, Some("192.0.2.1")),
            (r#"{"identity":{"sourceIp":"192.0.2.1"}}"#, EventKind::WebSocket, Some("192.0.2.1")),
            (r#"{"identity":{"sourceIp":"192.0.2.1"}}"#, EventKind::Http2, None),
            (r#"{"http":{"sourceIp":"2001:db8::1"}}"#, EventKind::Http2, Some("2001:db8::1")),
            (r#"{"http":{"sourceIp":"192.0.2.1"}}"#, EventKind::RestRequest, None),
            (r#"{"identity":{"sourceIp":null}}"#, EventKind::RestRequest, None),
            (r#"{"identity":{"sourceIp":"192.0.2.1","sourceIp":"192.0.2.2"}}"#, EventKind::RestRequest, None),
            (r#"{"identity":null}"#, EventKind::RestRequest, None),
            ("null", EventKind::RestRequest, None),
        ] {
            assert_eq!(source_ip(&raw(context), kind).as_deref(), expected, "{context}");
        }
    }
}
