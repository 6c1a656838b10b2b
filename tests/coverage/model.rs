//! Which route serves a request, and whether a token may use it: the contract's "Which route" and "Requirements of a
//! route", as plainly as they can be written. Slow, and made from the contract alone.

use crate::readings;
use crate::stage::STAGE_ARN;
use crate::tables::{Ask, Bound, Key, METHODS, Needs, Route, Segment, Table, Token};
use std::cmp::Ordering;

/// What the rules say of one request with one good token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict<'t> {
    /// A path that a backend could read differently.
    Unsafe,
    /// No route serves it.
    NoRoute,
    Allowed(&'t Route),
    Denied(&'t Route),
}

impl<'t> Verdict<'t> {
    pub(crate) fn route(self) -> Option<&'t Route> {
        match self {
            Verdict::Unsafe | Verdict::NoRoute => None,
            Verdict::Allowed(route) | Verdict::Denied(route) => Some(route),
        }
    }

    pub(crate) fn is_allowed(self) -> bool {
        matches!(self, Verdict::Allowed(_))
    }
}

/// The verdict on a request. A live check is taken to vouch for the token.
pub(crate) fn judge<'t>(table: &'t Table, token: &Token, ask: &Ask) -> Verdict<'t> {
    let (method, path) = match ask {
        Ask::Connect => {
            let connect = table.routes.iter().find(|route| route.key == Key::Connect);
            return connect.map_or(Verdict::NoRoute, |route| decided(route, token, &[]));
        }
        Ask::Http(method, path) => (*method, path),
    };
    // "where the answer is a policy, an ARN of more than 512 characters"
    if format!("{STAGE_ARN}/{method}{path}").chars().count() > 512 {
        return Verdict::Unsafe;
    }
    match decoded_segments(path) {
        Some(segments) => judge_segments(table, token, method, &segments),
        None => Verdict::Unsafe,
    }
}

/// The verdict on a path that is decoded and split already.
pub(crate) fn judge_segments<'t>(table: &'t Table, token: &Token, method: &str, segments: &[String]) -> Verdict<'t> {
    let is_literal = |name: &str, segment: &str| match table.settings.ignores_case {
        true => name.to_lowercase() == segment.to_lowercase(),
        false => name == segment,
    };
    let mut serving: Option<&Route> = None;
    for route in &table.routes {
        if !fits(&route.key, method, segments, &is_literal) {
            continue;
        }
        if serving.is_none_or(|best| more_specific(&route.key, &best.key)) {
            serving = Some(route);
        }
    }
    serving.map_or(Verdict::NoRoute, |route| decided(route, token, segments))
}

/// The routes of the table of which API Gateway may run one for a request: a full match before a greedy one; of two
/// such the one that is more specific in each place, else either.
pub(crate) fn gateway_routes<'t>(table: &'t Table, ask: &Ask) -> Vec<&'t Route> {
    let Ask::Http(method, path) = ask else { return Vec::new() };
    let Some(segments) = decoded_segments(path) else { return Vec::new() };
    let is_literal = |name: &str, segment: &str| name == segment;
    let matching =
        |route: &&Route| matches!(route.key, Key::Path(..)) && fits(&route.key, method, &segments, &is_literal);
    let matching: Vec<&Route> = table.routes.iter().filter(matching).collect();
    matching
        .iter()
        .copied()
        .filter(|route| !matching.iter().any(|other| goes_first(&other.key, &route.key, segments.len())))
        .collect()
}

/// Whether API Gateway surely runs the one and not the other, for a path of so many segments that both match.
fn goes_first(one: &Key, other: &Key, segments: usize) -> bool {
    let (Key::Path(method, one), Key::Path(other_method, other)) = (one, other) else { return false };
    let is_greedy = |pattern: &[Segment]| matches!(pattern.last(), Some(Segment::Greedy(_)));
    if is_greedy(one) != is_greedy(other) {
        return is_greedy(other);
    }
    let ranks =
        |pattern: &[Segment]| -> Vec<u8> { (0..segments).map(|place| pattern.get(place).map_or(2, rank)).collect() };
    let (one, other) = (ranks(one), ranks(other));
    let is_behind = one.iter().zip(&other).any(|(one, other)| one > other);
    !is_behind && (one != other || method.is_some() && other_method.is_none())
}

fn decided<'t>(route: &'t Route, token: &Token, segments: &[String]) -> Verdict<'t> {
    if holds(&route.needs, token, &route.key, segments) { Verdict::Allowed(route) } else { Verdict::Denied(route) }
}

/// A path's segments, decoded once; `None` where the path is unsafe.
pub(crate) fn decoded_segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    // The root has no segments; elsewhere one slash at the end makes no difference.
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(decoded_segment).collect()
}

fn decoded_segment(segment: &str) -> Option<String> {
    // "escapes of escapes that end in one of these, or that go more than three layers deep"
    let decoded = unescaped(segment)?;
    let mut inner = decoded.clone();
    for _layer in 0..3 {
        if !is_safe_text(&inner) {
            return None;
        }
        match unescaped(&inner) {
            Some(deeper) if deeper != inner => inner = deeper,
            // No escape of an escape, just a percent sign.
            _ => {
                return readings::forms(&decoded)
                    .iter()
                    .all(|form| keeps_segments(form) && is_utf8(form))
                    .then_some(decoded);
            }
        }
    }
    None
}

fn is_safe_text(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with(';')
        && keeps_segments(segment)
        && !segment.contains(['*', '?'])
        && !segment.contains("${")
}

/// Whether it is one segment of the path to everybody.
fn keeps_segments(segment: &str) -> bool {
    // Some take a path parameter, a fragment or blanks off before they look at dots.
    let bare = segment.split([';', '#']).next().unwrap_or_default();
    ![".", ".."].contains(&bare.trim()) && !segment.contains(['/', '\\']) && !segment.contains(char::is_control)
}

/// Whether it is UTF-8 once what escapes it has are decoded.
fn is_utf8(segment: &str) -> bool {
    let mut pieces = segment.split('%');
    let mut bytes: Vec<u8> = pieces.next().unwrap_or_default().into();
    for piece in pieces {
        match piece.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(digits) => {
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                bytes.extend(piece.bytes().skip(2));
            }
            None => {
                bytes.push(b'%');
                bytes.extend(piece.bytes());
            }
        }
    }
    String::from_utf8(bytes).is_ok()
}

/// Percent-decoded once; `None` where an escape is invalid or the bytes are no UTF-8.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        rest = others;
        if first == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let [high, low, ..] = *others else { return None };
            bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).unwrap());
            rest = &others[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

fn fits(key: &Key, method: &str, segments: &[String], is_literal: &impl Fn(&str, &str) -> bool) -> bool {
    match key {
        Key::Connect => false,
        Key::Default => true,
        Key::Path(named, pattern) => {
            let method_fits = named.map_or_else(|| METHODS.contains(&method), |named| named == method);
            method_fits && fits_path(pattern, segments, is_literal)
        }
    }
}

fn fits_path(pattern: &[Segment], segments: &[String], is_literal: &impl Fn(&str, &str) -> bool) -> bool {
    match (pattern.split_first(), segments.split_first()) {
        (None, None) => true,
        (Some((Segment::Greedy(_), _)), Some(_)) => segments.iter().all(|segment| !segment.is_empty()),
        (Some((Segment::Literal(name), pattern)), Some((segment, segments))) => {
            is_literal(name, segment) && fits_path(pattern, segments, is_literal)
        }
        (Some((Segment::Parameter(_), pattern)), Some((segment, segments))) => {
            !segment.is_empty() && fits_path(pattern, segments, is_literal)
        }
        _ => false,
    }
}

/// "literal before {name} before {name+} before $default, segment by segment from the left; for the same path a named
/// method goes before ANY"
fn more_specific(one: &Key, other: &Key) -> bool {
    let (Key::Path(method, segments), Key::Path(other_method, other_segments)) = (one, other) else {
        return matches!(one, Key::Path(..));
    };
    for (segment, other_segment) in segments.iter().zip(other_segments) {
        match rank(segment).cmp(&rank(other_segment)) {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
    }
    method.is_some() && other_method.is_none()
}

fn rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter(_) => 1,
        Segment::Greedy(_) => 2,
    }
}

/// Whether all that is asked for holds; absence never does.
fn holds(needs: &Needs, token: &Token, key: &Key, segments: &[String]) -> bool {
    let any_of = |wanted: &[&str], held: &[&str]| wanted.iter().any(|one| held.contains(one));
    let all_of = |wanted: &[&str], held: &[&str]| wanted.iter().all(|one| held.contains(one));
    let is_unasked_or = |wanted: &[&str], holds: bool| wanted.is_empty() || holds;
    let tenant: Vec<&str> = token.tenant.into_iter().collect();
    let nested = |needs: &Needs| holds(needs, token, key, segments);
    is_unasked_or(&needs.any_scope, any_of(&needs.any_scope, &token.scopes))
        && all_of(&needs.all_scopes, &token.scopes)
        && is_unasked_or(&needs.any_group, any_of(&needs.any_group, &token.groups))
        && all_of(&needs.all_groups, &token.groups)
        && is_unasked_or(&needs.tenant, any_of(&needs.tenant, &tenant))
        && needs.sub_is.as_ref().is_none_or(|bound| sub_is(bound, token, key, segments))
        && needs
            .max_auth_age_minutes
            .is_none_or(|minutes| token.signed_in_ago.is_some_and(|seconds| (0..=minutes * 60).contains(&seconds)))
        && (needs.any.is_empty() || needs.any.iter().any(nested))
        && needs.all.iter().all(nested)
}

/// Whether all that is asked for could hold on some path.
pub(crate) fn might_hold(needs: &Needs, token: &Token) -> bool {
    let unbound = |needs: &Needs| {
        fn strip(needs: &Needs) -> Needs {
            let mut needs = needs.clone();
            needs.sub_is = None;
            needs.any = needs.any.iter().map(strip).collect();
            needs.all = needs.all.iter().map(strip).collect();
            needs
        }
        strip(needs)
    };
    holds(&unbound(needs), token, &Key::Default, &[])
}

/// "a path parameter bound to a claim matches only when both are non-empty and equal"
fn sub_is(bound: &Bound, token: &Token, key: &Key, segments: &[String]) -> bool {
    let Bound::To(name) = bound else { unreachable!("a table's bindings are to parameters") };
    let Key::Path(_, pattern) = key else { return false };
    let value = pattern.iter().enumerate().find_map(|(place, segment)| match segment {
        Segment::Parameter(parameter) if parameter == name => segments.get(place).cloned(),
        Segment::Greedy(parameter) if parameter == name => segments.get(place..).map(|rest| rest.join("/")),
        _ => None,
    });
    token.sub.as_ref().is_some_and(|sub| !sub.is_empty() && value.as_ref() == Some(sub))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_once_and_refused_where_backends_differ() {
        for (path, expected) in [
            ("/", Some(vec![])),
            ("/a", Some(vec!["a"])),
            ("/a/", Some(vec!["a"])),
            ("/a/b", Some(vec!["a", "b"])),
            ("/%61", Some(vec!["a"])),
            ("/a%20b/%C3%A9", Some(vec!["a b", "é"])),
            ("/50%25", Some(vec!["50%"])),
            ("/a%2540", Some(vec!["a%40"])),
            ("/$/{a}/...", Some(vec!["$", "{a}", "..."])),
            ("", None),
            ("//", None),
            ("/a//", None),
            ("/a//b", None),
            ("/.", None),
            ("/a/..", None),
            ("/a/%2e%2E/b", None),
            ("/a\\b", None),
            ("/a%5cb", None),
            ("/a%2Fb", None),
            ("/a%252Fb", None),
            ("/*", None),
            ("/a%3f", None),
            ("/${a}", None),
            ("/%24{a}", None),
            ("/a%00", None),
            ("/a\u{85}", None),
            ("/%", None),
            ("/%4", None),
            ("/%zz", None),
            ("/%c0%ae", None),
            ("/ /a b/ c/d.", Some(vec![" ", "a b", " c", "d."])),
            ("/..%20/a", None),
            ("/%20../a", None),
            ("/a/.. /b", None),
            ("/a/..#/b", None),
            ("/a/..\u{a0}", None),
            ("/\u{ff0e}\u{ff0e}/a", None),
            ("/a\u{ff0f}b", None),
            ("/\u{ff08}\u{ff1f}", Some(vec!["\u{ff08}\u{ff1f}"])),
            ("/a;b", Some(vec!["a;b"])),
            ("/..;/a", None),
            ("/a/;b", None),
        ] {
            let expected = expected.map(|segments: Vec<&str>| segments.into_iter().map(str::to_owned).collect());
            assert_eq!(decoded_segments(path), expected, "{path}");
        }
    }

    #[test]
    fn the_most_specific_path_wins_and_then_the_named_method() {
        // Each before all that follow.
        let ordered = [
            Key::parse("GET /a/b"),
            Key::parse("ANY /a/b"),
            Key::parse("GET /a/{p}"),
            Key::parse("ANY /a/{p}"),
            Key::parse("GET /a/{p+}"),
            Key::parse("ANY /a/{p+}"),
            Key::parse("GET /{p}/b"),
            Key::parse("GET /{p}/{q}"),
            Key::parse("GET /{p+}"),
            Key::Default,
        ];
        for (place, key) in ordered.iter().enumerate() {
            for later in &ordered[place + 1..] {
                assert!(more_specific(key, later), "{key:?} {later:?}");
                assert!(!more_specific(later, key), "{later:?} {key:?}");
            }
        }
    }
}
