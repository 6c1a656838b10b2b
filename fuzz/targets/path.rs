//! Routes and a path, against a naive matcher: the lines of the text are route keys, the last one is the path asked for.
//!
//! Each route asks for a group of its own, so that a token of that group alone tells which route was found.

use std::sync::LazyLock;

use serde_json::json;

use super::harness::{Harness, ISSUERS, OIDC, Outcome, http_2, steady};
use super::tokens::{Key, Token};

const MOST_ROUTES: usize = 8;
const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "CONNECT"];

/// For each route a token of its group alone, and one of all groups but that.
static TOKENS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let of =
        |groups: Vec<String>| steady(Token::oidc(OIDC)).key(Key::Ed25519).claim("cognito:groups", json!(groups)).text();
    let name = |number: usize| format!("g{number}");
    let all = 0..MOST_ROUTES;
    all.clone()
        .map(|mine| (of(vec![name(mine)]), of(all.clone().filter(|other| *other != mine).map(name).collect())))
        .collect()
});

pub fn run(data: &[u8]) {
    let Some((method, rest)) = data.split_first() else { return };
    let method = METHODS[usize::from(*method) % METHODS.len()];
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut lines: Vec<&str> = text.split('\n').collect();
    let path = lines.pop().unwrap_or_default();
    if lines.is_empty() || lines.len() > MOST_ROUTES || !path.starts_with('/') {
        return;
    }
    let routes =
        lines.iter().enumerate().map(|(number, key)| format!("  {}: {{ any_group: [g{number}] }}\n", json!(key)));
    let config = format!("{ISSUERS}routes:\n{}", routes.collect::<String>());
    let Ok(harness) = Harness::with(&config) else { return };
    let ask = |token: &str| match harness.answer(&http_2(method, path, token)).expect("the event is JSON") {
        Outcome::Allow(_) => "allow".to_owned(),
        Outcome::Deny(reason) => reason,
        Outcome::KeepWarm => panic!("an event of API Gateway is no ping"),
        Outcome::Failed(reason, message) => panic!("{reason}: {message}"),
    };
    if !has_one_reading(path) {
        // What other readings make of it is judged elsewhere. Nobody passes by the right to another route alone.
        for (number, (_, others)) in TOKENS.iter().enumerate().take(lines.len()) {
            if route(&lines, method, path) == Found::Route(number) {
                assert_ne!(ask(others), "allow", "{method} {path} is of {} alone", lines[number]);
            }
        }
        return;
    }
    match route(&lines, method, path) {
        Found::Route(number) => {
            let (mine, others) = &TOKENS[number];
            assert_eq!(ask(mine), "allow", "{method} {path} is of {}", lines[number]);
            assert_eq!(ask(others), "insufficient_group", "{method} {path} is of {} alone", lines[number]);
        }
        Found::Nothing(reason) => {
            for (one, others) in &*TOKENS {
                assert_eq!(ask(one), reason, "{method} {path}");
                assert_eq!(ask(others), reason, "{method} {path}");
            }
        }
    }
}

/// Whether everybody reads it alike: nothing that some take off or for something else.
fn has_one_reading(path: &str) -> bool {
    let segments = segments(path).unwrap_or_default();
    segments.iter().all(|segment| segment.is_ascii() && !segment.contains(['%', ';', '#', '.', ' ']))
}

#[derive(Debug, PartialEq)]
enum Found {
    Route(usize),
    Nothing(&'static str),
}

/// The contract's words, without an index: all routes that match, the best of them.
fn route(keys: &[&str], method: &str, path: &str) -> Found {
    let Some(segments) = segments(path) else { return Found::Nothing("unsafe_path") };
    let best = |method: &str| {
        let matching =
            keys.iter().enumerate().filter_map(|(number, key)| Some((rank(key, method, &segments)?, number)));
        matching.max().map(|(_, number)| number)
    };
    let default = keys.iter().position(|key| *key == "$default");
    let found = if METHODS[..7].contains(&method) {
        best(method).or(default)
    } else if METHODS[..7].iter().any(|method| best(method).is_some()) {
        None
    } else {
        default
    };
    found.map_or(Found::Nothing("no_route"), Found::Route)
}

/// How specific a key is for this request: by segment from the left, the method last; `None` where it does not match.
fn rank(key: &str, method: &str, segments: &[String]) -> Option<Vec<u8>> {
    let (key_method, key_path) = key.split_once(' ')?;
    if key_method != method && key_method != "ANY" {
        return None;
    }
    let key_path = key_path.strip_prefix('/')?;
    let key_path = key_path.strip_suffix('/').unwrap_or(key_path);
    let parts: Vec<&str> = if key_path.is_empty() { Vec::new() } else { key_path.split('/').collect() };
    let mut rank = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let segment = segments.get(number)?;
        if part.starts_with('{') && part.ends_with("+}") {
            rank.extend([1, u8::from(key_method != "ANY")]);
            return Some(rank);
        }
        if part.starts_with('{') {
            rank.push(2);
        } else if part == segment {
            rank.push(3);
        } else {
            return None;
        }
    }
    (parts.len() == segments.len()).then(|| {
        rank.push(u8::from(key_method != "ANY"));
        rank
    })
}

/// The decoded segments; `None` where somebody could read the path otherwise.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Option<String> {
    if is_odd(raw) {
        return None;
    }
    let decoded = unescape(raw, false)?;
    if is_odd(&decoded) {
        return None;
    }
    // What a backend that decodes once more would see, and once more; more layers than that are nobody's.
    let mut deeper = decoded.clone();
    let mut layers = 0;
    loop {
        let next = unescape(&deeper, true)?;
        if next == deeper {
            return (layers <= 2).then_some(decoded);
        }
        if is_odd(&next) {
            return None;
        }
        deeper = next;
        layers += 1;
    }
}

fn is_odd(segment: &str) -> bool {
    let name = segment.split([';', '#']).next().unwrap_or_default().trim();
    segment.is_empty()
        || segment.starts_with(';')
        || [".", ".."].contains(&name)
        || segment.chars().any(|c| c.is_control() || "/\\*?".contains(c))
        || segment.contains("${")
}

fn unescape(text: &str, lenient: bool) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        match (first, escaped) {
            (b'%', Some(pair)) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
                rest = &tail[2..];
            }
            (b'%', None) if !lenient => return None,
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
