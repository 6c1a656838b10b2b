//! The rule table beside the routes of an API: which rules serve what API Gateway sends
//! to a route. For people who ask before they deploy; no request ever does.

use super::RouteKey;
use super::partition::{CONNECT, patterns, specificity};
use super::pattern::{Pattern, Step, meet, word_soon};
use super::symbols::Symbols;
use crate::access::route::{LetterCase, Method, Segment};

/// What the table makes of the requests that an API's route gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The positions of the rules that serve some of them.
    pub rules: Vec<usize>,
    /// The same, where a catch-all gets other routes' paths with a slash behind them, as
    /// it does on an HTTP API.
    pub rules_by_slash: Vec<usize>,
    /// One that no rule serves.
    pub unserved: Option<String>,
}

/// What one key owns of one method's requests.
struct Owned<'k> {
    position: usize,
    key: &'k RouteKey,
    pattern: Pattern,
    /// What goes to a more specific key.
    above: Vec<Pattern>,
}

/// By route of the API, what the table makes of its requests; `None` where a path has
/// too many segments to tell. Of an API's routes the most specific one is taken to get
/// a request, as it is of the table's.
pub(in crate::access) fn served(table: &[&RouteKey], api: &[&RouteKey], case: LetterCase) -> Option<Vec<Served>> {
    let mut symbols = Symbols::default();
    let [table, api]: [Vec<RouteKey>; 2] =
        [table, api].map(|keys| keys.iter().map(|key| compared(key, case)).collect());
    let mut found = vec![Served::default(); api.len()];
    let mut known: Vec<[Vec<usize>; 2]> = Vec::new();
    for method in Method::ALL.into_iter().map(Some).chain([None]) {
        let [rules, routes] = [&table, &api].map(|keys| owned(keys, method, &mut symbols));
        let (rules, routes) = (rules?, routes?);
        let positions = [&rules, &routes].map(|owned| owned.iter().map(|owned| owned.position).collect());
        // Methods that the same keys serve fare the same.
        if known.contains(&positions) {
            continue;
        }
        known.push(positions);
        for route in &routes {
            let Some(served) = found.get_mut(route.position) else { continue };
            route.serve(&rules, served);
            if served.unserved.is_none() {
                let by_rules: Vec<&Pattern> = rules.iter().map(|rule| &rule.pattern).collect();
                // Most often the rules serve all of it, whatever goes to other routes: that is found sooner.
                let word = word_soon(&[&route.pattern], by_rules.iter().copied())
                    .and_then(|_| word_soon(&[&route.pattern], route.above.iter().chain(by_rules)));
                let name = method.map_or(CONNECT, Method::name);
                served.unserved = word.map(|word| symbols.example(name, word.get(1..).unwrap_or_default()));
            }
        }
    }
    Some(found)
}

impl Owned<'_> {
    /// Adds the rules that serve some of the route's requests.
    fn serve(&self, rules: &[Owned<'_>], served: &mut Served) {
        let ends_open = |pattern: &&Pattern| pattern.steps().last() == Some(&Step::More);
        for rule in rules.iter().filter(|rule| meet(&self.pattern, &rule.pattern)) {
            let some = |above: Vec<&Pattern>| {
                word_soon(&[&self.pattern, &rule.pattern], above.into_iter().chain(&rule.above)).is_some()
            };
            if !served.rules.contains(&rule.position) && some(self.above.iter().collect()) {
                served.rules.push(rule.position);
            }
            // `/items/` is not `/items` to an HTTP API, and so goes to a `{name+}` or `$default`.
            if ends_open(&&self.pattern)
                && !served.rules_by_slash.contains(&rule.position)
                && some(self.above.iter().filter(ends_open).collect())
            {
                served.rules_by_slash.push(rule.position);
            }
        }
    }
}

/// The key with its literals as they are compared.
pub(super) fn compared(key: &RouteKey, case: LetterCase) -> RouteKey {
    let RouteKey::Http { method, segments } = key else { return key.clone() };
    let segments = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => Segment::Literal(case.of(text).into_owned()),
        segment @ (Segment::Parameter(_) | Segment::Greedy(_)) => segment.clone(),
    });
    RouteKey::Http { method: *method, segments: segments.collect() }
}

/// What each key owns of a method's requests; `None` for a WebSocket's handshake.
fn owned<'k>(keys: &'k [RouteKey], method: Option<Method>, symbols: &mut Symbols) -> Option<Vec<Owned<'k>>> {
    let mut all: Vec<Owned<'k>> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        let serves = match key {
            RouteKey::Connect => method.is_none(),
            RouteKey::Default => method.is_some(),
            RouteKey::Http { method: own, .. } => method.is_some() && (own.is_none() || *own == method),
        };
        if serves {
            let of_key = patterns(key, symbols)?.into_iter();
            all.extend(of_key.map(|pattern| Owned { position, key, pattern, above: Vec::new() }));
        }
    }
    all.sort_by_cached_key(Owned::rank);
    let mut from = 0;
    let mut above: Vec<Vec<Pattern>> = Vec::new();
    for (index, owned) in all.iter().enumerate() {
        // An API may have keys that are one to the table, such as `/a` and `/A`: neither goes first.
        let same = all.get(from).is_some_and(|first| first.rank() == owned.rank());
        from = if same { from } else { index };
        let earlier = all.iter().take(from).filter(|earlier| meet(&earlier.pattern, &owned.pattern));
        above.push(earlier.map(|earlier| earlier.pattern.clone()).collect());
    }
    all.iter_mut().zip(above).for_each(|(owned, above)| owned.above = above);
    Some(all)
}

impl Owned<'_> {
    /// For sorting: the most specific first, equal paths side by side.
    fn rank(&self) -> (bool, Vec<u8>, Pattern, bool) {
        let is_default = matches!(self.key, RouteKey::Default);
        let is_any = matches!(self.key, RouteKey::Http { method: None, .. });
        (is_default, specificity(&self.pattern), self.pattern.clone(), is_any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(texts: &[&str]) -> Vec<RouteKey> {
        texts.iter().map(|text| RouteKey::parse(text).unwrap()).collect()
    }

    #[track_caller]
    fn find(table: &[&str], api: &[&str], case: LetterCase) -> Vec<Served> {
        let [table, api] = [keys(table), keys(api)];
        served(&table.iter().collect::<Vec<_>>(), &api.iter().collect::<Vec<_>>(), case).unwrap()
    }

    #[track_caller]
    fn check(table: &[&str], api: &[&str], expected: &[(&[usize], Option<&str>)]) {
        let found = find(table, api, LetterCase::Distinguished);
        let found: Vec<_> = found.iter().map(|served| (&served.rules[..], served.unserved.as_deref())).collect();
        assert_eq!(found, expected, "{table:?} {api:?}");
    }

    #[test]
    fn a_route_is_served_by_the_rules_that_own_its_requests() {
        check(&["GET /a"], &["GET /a"], &[(&[0], None)]);
        check(&["GET /a"], &["GET /a/"], &[(&[0], None)]);
        check(&["GET /a/{x}"], &["GET /a/{y}"], &[(&[0], None)]);
        check(&["ANY /a"], &["GET /a", "POST /a"], &[(&[0], None), (&[0], None)]);
        check(&["GET /a"], &["ANY /a"], &[(&[0], Some("HEAD /a"))]);
        check(&["GET /a"], &["POST /a", "GET /b"], &[(&[], Some("POST /a")), (&[], Some("GET /b"))]);
        check(&["GET /a/b", "GET /a/{x}"], &["GET /a/{x}"], &[(&[0, 1], None)]);
        check(&["GET /a/{x}"], &["GET /a/b"], &[(&[0], None)]);
        check(&["$default"], &["GET /a", "$default"], &[(&[0], None), (&[0], None)]);
        check(&["GET /a"], &["ANY /a", "GET /a"], &[(&[], Some("HEAD /a")), (&[0], None)]);
        check(&["$connect"], &["$connect", "$default"], &[(&[0], None), (&[], Some("GET /"))]);
    }

    #[test]
    fn a_catch_all_gets_what_no_other_route_of_the_api_does() {
        check(&["GET /a", "GET /b"], &["GET /a", "$default"], &[(&[0], None), (&[1], Some("GET /"))]);
        check(&["GET /a", "POST /a"], &["GET /a", "ANY /{x+}"], &[(&[0], None), (&[1], Some("GET /x"))]);
        check(&["ANY /a/{x+}"], &["ANY /a/{x+}", "$default"], &[(&[0], None), (&[], Some("GET /"))]);
        check(&["ANY /{x+}"], &["ANY /{x+}"], &[(&[0], None)]);
    }

    #[test]
    fn a_slash_behind_a_path_leads_to_the_catch_all() {
        let by_slash = |api: &[&str]| {
            let found = find(&["GET /a", "ANY /b/{x+}", "GET /"], api, LetterCase::Distinguished);
            found.last().unwrap().rules_by_slash.clone()
        };
        assert_eq!(by_slash(&["GET /a", "ANY /b/{x+}", "GET /", "$default"]), [0]);
        assert_eq!(by_slash(&["GET /a", "ANY /b/{x+}", "GET /", "ANY /{x+}"]), [0]);
        assert_eq!(by_slash(&["ANY /b/{x+}", "GET /", "GET /a"]), [0_usize; 0]);
        assert_eq!(by_slash(&["GET /a", "POST /{x+}"]), [1]);
    }

    #[test]
    fn letter_case_counts_as_the_table_has_it() {
        let rules = |case| find(&["GET /A"], &["GET /a", "GET /A"], case).into_iter().map(|served| served.rules);
        assert_eq!(rules(LetterCase::Distinguished).collect::<Vec<_>>(), [vec![], vec![0]]);
        assert_eq!(rules(LetterCase::Ignored).collect::<Vec<_>>(), [[0], [0]]);
    }

    #[test]
    fn a_path_that_is_too_long_is_not_compared() {
        let deep = format!("GET {}", "/a".repeat(63));
        let (table, api) = (keys(&["GET /a"]), keys(&[&deep]));
        assert_eq!(served(&[&table[0]], &[&api[0]], LetterCase::Distinguished), None);
    }
}
