//! The routes that have a request's path and do not serve it, each with the reason: for people who ask why a rule was
//! taken. No request of the function does.

use super::path::SafePath;
use super::route::{LetterCase, Method, RouteKey, Segment};
use std::fmt;

/// A route that has the path and lost it to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Its key.
    pub key: String,
    /// Why it lost.
    pub lost_by: LostBy,
}

/// Why a route does not serve a request whose path it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostBy {
    /// It is for other methods.
    Method,
    /// At that segment of the path, counted from 1, the winner is more specific.
    Segment {
        /// Which one.
        number: usize,
        /// What the winner has there.
        winner: String,
        /// What this one has there.
        own: String,
    },
    /// The same path, and the winner names the method.
    AnyMethod,
    /// It is for what no other route serves.
    Default,
}

impl fmt::Display for LostBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LostBy::Method => f.write_str("it is for another method"),
            LostBy::Segment { number, winner, own } => {
                write!(f, "segment {number}: `{winner}` is more specific than `{own}`")
            }
            LostBy::AnyMethod => f.write_str("a named method goes before ANY"),
            LostBy::Default => f.write_str("`$default` is for what no other route serves"),
        }
    }
}

/// Why `loser` does not serve a path that it has and `winner` serves; `None` where it has not the path.
pub(super) fn lost_by(
    winner: Option<&RouteKey>,
    loser: &RouteKey,
    method: Option<Method>,
    path: &SafePath<'_>,
    case: LetterCase,
) -> Option<LostBy> {
    let RouteKey::Http { method: own_method, segments } = loser else {
        return (*loser == RouteKey::Default && winner.is_some()).then_some(LostBy::Default);
    };
    if !loser.has_path(path, case) {
        return None;
    }
    if own_method.is_some() && *own_method != method {
        return Some(LostBy::Method);
    }
    let Some(RouteKey::Http { segments: winning, .. }) = winner else { return Some(LostBy::Method) };
    let pairs = winning.iter().zip(segments).enumerate();
    let differing = pairs.into_iter().find(|(_, (winner, own))| rank(winner) != rank(own));
    Some(match differing {
        Some((index, (winner, own))) => {
            LostBy::Segment { number: index + 1, winner: winner.to_string(), own: own.to_string() }
        }
        None => LostBy::AnyMethod,
    })
}

/// Lower goes first.
pub(super) fn rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter(_) => 1,
        Segment::Greedy(_) => 2,
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Literal(text) => f.write_str(text),
            Segment::Parameter(name) => write!(f, "{{{name}}}"),
            Segment::Greedy(name) => write!(f, "{{{name}+}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::examples::{rule, table};
    use proptest::prelude::*;

    #[track_caller]
    fn check(keys: &[&str], method: &str, path: &str, expected: &[(&str, &str)]) {
        let rules = table(LetterCase::Distinguished, keys.iter().map(|key| rule(key, &[])));
        let found: Vec<(String, String)> =
            rules.contenders(method, path).into_iter().map(|lost| (lost.key, lost.lost_by.to_string())).collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(key, why)| ((*key).to_owned(), (*why).to_owned())).collect();
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn each_route_that_has_the_path_says_why_it_lost() {
        check(
            &["GET /a/{x}", "ANY /a/{x}", "POST /a/b", "GET /{p+}", "GET /c", "$default", "$connect"],
            "GET",
            "/a/b",
            &[
                ("ANY /a/{x}", "a named method goes before ANY"),
                ("POST /a/b", "it is for another method"),
                ("GET /{p+}", "segment 1: `a` is more specific than `{p+}`"),
                ("$default", "`$default` is for what no other route serves"),
            ],
        );
        check(&["$default"], "GET", "/a", &[]);
        check(&["POST /a", "$default"], "GET", "/a", &[("POST /a", "it is for another method")]);
        check(&["POST /a"], "GET", "/a", &[("POST /a", "it is for another method")]);
    }

    proptest! {
        /// The winner is never less specific where it first differs.
        #[test]
        fn a_winner_is_more_specific_where_it_says_so(
            keys in prop::collection::btree_set("(GET|POST|ANY) /([ab]|\\{x\\})(/([ab]|\\{y\\}|\\{z\\+\\}))?", 1..6),
            path in "/[ab](/[ab]){0,2}",
        ) {
            let mut rules = super::super::Rules::new(LetterCase::Distinguished);
            for key in &keys {
                let _ = rules.insert(RouteKey::parse(key).unwrap(), rule(key, &[]));
            }
            for lost in rules.contenders("GET", &path) {
                if let LostBy::Segment { winner, own, .. } = lost.lost_by {
                    let [winner, own] = [winner, own].map(|text| match text.as_str() {
                        text if text.ends_with("+}") => 2,
                        text if text.starts_with('{') => 1,
                        _ => 0,
                    });
                    prop_assert!(winner < own, "{winner} {own}");
                }
            }
        }
    }
}
