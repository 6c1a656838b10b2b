//! Pairs of rules of which the table may pick one for a request and API Gateway the route of the other. For people
//! who ask before they deploy, and for the start; no request ever does.
//!
//! The table goes from left to right: at each segment a literal goes before `{name}` before `{name+}`. AWS documents
//! for HTTP APIs that a full match goes before one with a `{name+}`, wherever that stands
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>, "Routing API requests").
//! Which of two full matches or of two greedy ones goes first, where each is more specific in another place, it does
//! not say; and for REST APIs it says nothing. What people have measured there (a literal before its sibling `{name}`
//! before `{name+}`, passing over resources without the method) agrees with both orders.

use super::RouteKey;
use super::partition::{patterns, specificity};
use super::pattern::{Pattern, Step, meet, word_soon};
use super::symbols::Symbols;
use crate::access::route::{LetterCase, Method};
use std::fmt;

/// Two rules that both match a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwoReadings {
    /// The key of the rule that the table picks.
    pub by_table: String,
    /// The key of the route that API Gateway picks, or may pick.
    pub by_gateway: String,
    /// Such a request.
    pub example: String,
    /// Whether AWS documents that API Gateway picks the other one, on HTTP APIs.
    pub is_documented: bool,
}

impl fmt::Display for TwoReadings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by_table, by_gateway, example, is_documented } = self;
        let verb = if *is_documented { "runs" } else { "may run" };
        write!(f, "for `{example}` the table picks `{by_table}` and API Gateway {verb} `{by_gateway}`")
    }
}

/// A rule, as it competes for the requests of a method.
struct Competitor {
    position: usize,
    method: Option<Method>,
    pattern: Pattern,
    rank: Vec<u8>,
}

/// The pairs of positions of which the first is the table's choice and the second may be API Gateway's, each once.
/// `differ` says of two rules whether it matters. `None` where a path has too many segments to compare.
pub(in crate::access) fn two_readings(
    table: &[&RouteKey],
    case: LetterCase,
    differ: impl Fn(usize, usize) -> bool,
) -> Option<Vec<(usize, usize, String, bool)>> {
    let mut symbols = Symbols::default();
    let mut competitors = Vec::new();
    for (position, key) in table.iter().enumerate() {
        let compared = super::overlap::compared(key, case);
        let RouteKey::Http { method, .. } = compared else { continue };
        for pattern in patterns(&compared, &mut symbols)? {
            let rank = specificity(&pattern);
            competitors.push(Competitor { position, method, pattern, rank });
        }
    }
    competitors.sort_by(|one, other| one.rank.cmp(&other.rank));
    let mut found: Vec<(usize, usize, String, bool)> = Vec::new();
    for method in Method::ALL {
        let is_named = |pattern: &Pattern| {
            competitors.iter().any(|known| known.method == Some(method) && known.pattern == *pattern)
        };
        let serves = |one: &&Competitor| match one.method {
            Some(own) => own == method,
            None => !is_named(&one.pattern),
        };
        let serving: Vec<&Competitor> = competitors.iter().filter(serves).collect();
        // What has no parameter is the first choice of both, for its one path.
        let open: Vec<&Competitor> = serving.iter().filter(|one| one.pattern.has_wildcard()).copied().collect();
        for (index, one) in open.iter().enumerate() {
            for other in open.iter().skip(index + 1) {
                let Some(is_documented) = one.may_lose_to(other) else { continue };
                let is_known =
                    found.iter().any(|(first, second, ..)| (*first, *second) == (one.position, other.position));
                if is_known || !meet(&one.pattern, &other.pattern) || !differ(one.position, other.position) {
                    continue;
                }
                let before_one = serving.iter().filter(|known| known.rank < one.rank);
                let before_other =
                    serving.iter().filter(|known| is_documented && known.rank < other.rank && !known.is_greedy());
                let before = before_one.chain(before_other).map(|known| &known.pattern);
                if let Some(word) = word_soon(&[&one.pattern, &other.pattern], before) {
                    let example = symbols.example(method.name(), word.get(1..).unwrap_or_default());
                    found.push((one.position, other.position, example, is_documented));
                }
            }
        }
    }
    Some(found)
}

impl Competitor {
    fn is_greedy(&self) -> bool {
        self.pattern.steps().last() == Some(&Step::More)
    }

    /// Whether API Gateway picks the other one, which comes later in the table's order, and documents so; `None` where
    /// it surely does not.
    fn may_lose_to(&self, other: &Self) -> Option<bool> {
        match (self.is_greedy(), other.is_greedy()) {
            (true, false) => Some(true),
            (false, true) => None,
            // Each is more specific in some place. Past its end a `{name+}` goes on.
            (true, true) | (false, false) => {
                let on = |rank: &[u8], place: usize| rank.get(place).copied().unwrap_or(GREEDY);
                let places = 0..self.rank.len().max(other.rank.len());
                places.into_iter().any(|place| on(&other.rank, place) < on(&self.rank, place)).then_some(false)
            }
        }
    }
}

/// As [`specificity`] ranks a `{name+}`.
const GREEDY: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(table: &[&str], expected: &[(&str, &str, &str, bool)]) {
        let keys: Vec<RouteKey> = table.iter().map(|key| RouteKey::parse(key).unwrap()).collect();
        let found = two_readings(&keys.iter().collect::<Vec<_>>(), LetterCase::Distinguished, |_, _| true).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(one, other, example, is_documented)| (table[*one], table[*other], &**example, *is_documented))
            .collect();
        assert_eq!(found, expected, "{table:?}");
    }

    #[test]
    fn a_full_match_beside_a_greedy_one_is_read_in_two_ways() {
        let [public, admin] = ["GET /public/{proxy+}", "GET /{tenant}/admin"];
        check(&[public, admin], &[(public, admin, "GET /public/admin", true)]);
        check(&[admin, public], &[(public, admin, "GET /public/admin", true)]);
        check(&["ANY /public/{proxy+}", admin], &[("ANY /public/{proxy+}", admin, "GET /public/admin", true)]);
        check(&["ANY /a/{p+}", "ANY /{x}/{y}"], &[("ANY /a/{p+}", "ANY /{x}/{y}", "GET /a/x", true)]);
        // Something else is the first choice of both, of one, or of no request in common.
        check(&[public, admin, "GET /public/admin"], &[]);
        let other = "GET /public/{x}";
        check(&[public, admin, other], &[(other, admin, "GET /public/admin", false)]);
        check(&[public, "POST /{tenant}/admin"], &[]);
        check(&[public, "GET /{tenant}"], &[]);
        check(&[public, "GET /{tenant}/{proxy+}", "GET /public/{a}/{b}", "$default", "$connect"], &[]);
        check(
            &["ANY /public/{p+}", "GET /public/{p+}", admin],
            &[("GET /public/{p+}", admin, "GET /public/admin", true)],
        );
    }

    #[test]
    fn an_order_that_aws_does_not_document_may_be_read_in_two_ways() {
        check(&["GET /a/{x}", "GET /{y}/b"], &[("GET /a/{x}", "GET /{y}/b", "GET /a/b", false)]);
        check(&["GET /a/{p+}", "GET /{y}/b/{p+}"], &[("GET /a/{p+}", "GET /{y}/b/{p+}", "GET /a/b/x", false)]);
        check(&["GET /a/{x}", "GET /{y}/b", "GET /a/b"], &[]);
        check(&["GET /a/{p+}", "GET /a/b/{p+}", "GET /{p+}", "GET /{x}", "GET /a/{x}"], &[]);
    }

    #[test]
    fn what_asks_the_same_is_passed_over_and_so_is_nothing_else() {
        let keys = ["GET /a/{p+}", "GET /{x}/b", "GET /{x}/c"].map(|key| RouteKey::parse(key).unwrap());
        let table: Vec<&RouteKey> = keys.iter().collect();
        let found = two_readings(&table, LetterCase::Distinguished, |_, other| other == 2).unwrap();
        assert_eq!(found, [(0, 2, "GET /a/c".to_owned(), true)]);
        let upper = [RouteKey::parse("GET /A/{p+}").unwrap(), RouteKey::parse("GET /{x}/b").unwrap()];
        let found = two_readings(&upper.iter().collect::<Vec<_>>(), LetterCase::Ignored, |_, _| true).unwrap();
        assert_eq!(found, [(0, 1, "GET /a/b".to_owned(), true)]);
        let deep = RouteKey::parse(&format!("GET {}", "/a".repeat(63))).unwrap();
        assert_eq!(two_readings(&[&deep], LetterCase::Distinguished, |_, _| true), None);
    }
}
