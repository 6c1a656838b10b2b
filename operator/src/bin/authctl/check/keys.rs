//! Whether the key of an authorizer's cache tells apart all requests that must be
//! answered differently. Pure.
//!
//! Requests with the same key share an answer. A simple answer is a verdict, so that
//! they must fall under one rule and, where a claim is bound to the path, be for one
//! path. A policy of one request is held against each of them by its ARN, so that they
//! must be for one method and path. A policy that covers a token is right for all.

use super::finding::listed;
use crate::template::{Authorizer, Format, Source};
use cognito_authorizer::access::{RouteKey, Rule, Rules, Served};
use cognito_authorizer::gateway::TokenSource;
use cognito_authorizer_operator::workbench::beside_token_and_path;
use std::collections::BTreeSet;

/// What an answer speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Everything with the same key.
    Verdict,
    /// One request.
    Request,
    /// All that a token may use.
    Token,
}

/// What the key holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) token: bool,
    pub(super) method: bool,
    pub(super) path: bool,
    pub(super) route: bool,
}

/// A route that the authorizer guards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded<'a> {
    pub(super) text: &'a str,
    pub(super) key: &'a RouteKey,
    pub(super) served: &'a Served,
    /// Whether a path with a slash behind it is another path: on HTTP APIs.
    pub(super) slash_counts: bool,
}

impl Held {
    pub(super) fn by(authorizer: &Authorizer, places: &[TokenSource]) -> Self {
        let context =
            |name: &str| authorizer.sources.iter().any(|source| matches!(source, Source::Context(own) if own == name));
        let token =
            authorizer.format == Format::RestToken || authorizer.sources.iter().any(|source| carries(source, places));
        Self { token, method: context("httpMethod"), path: context("path"), route: context("routeKey") }
    }
}

/// Whether the token is in that part of a request.
pub(super) fn carries(source: &Source, places: &[TokenSource]) -> bool {
    places.iter().any(|place| match (source, place) {
        (Source::Header(header), TokenSource::Header(name)) => header.eq_ignore_ascii_case(name),
        (Source::Header(header), TokenSource::Cookie(..)) => header == "cookie",
        (Source::Header(header), TokenSource::Subprotocol(_)) => header == "sec-websocket-protocol",
        (Source::Query(query), TokenSource::Query(name)) => query == name,
        _ => false,
    })
}

/// What is wrong with keeping these answers by that key.
pub(super) fn wrong(answer: Answer, held: Held, guarded: &[Guarded<'_>], rules: &Rules) -> Vec<String> {
    let rules: Vec<(&RouteKey, &Rule)> = rules.iter().collect();
    let mut found = Vec::new();
    if !held.token {
        found.push("the key does not hold the token: one caller's answer would be another's".to_owned());
    }
    found.extend(guarded.iter().filter_map(|route| for_itself(route, &rules)));
    if answer == Answer::Token {
        return found;
    }
    let (mut mixed, mut bound, mut methods, mut paths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for group in if held.route { guarded.chunks(1) } else { guarded.chunks(guarded.len().max(1)) } {
        let group = Group { routes: group, held };
        let names = group.routes.iter().map(|route| route.text);
        match answer {
            Answer::Token => {}
            Answer::Request => {
                if !group.fixes_method() {
                    methods.extend(names.clone());
                }
                if !group.fixes_path() {
                    paths.extend(names);
                }
            }
            Answer::Verdict => match group.verdict(&rules) {
                Verdict::One => {}
                Verdict::ByPath => bound.extend(names),
                Verdict::Mixed => mixed.extend(names),
            },
        }
    }
    let mut tell = |what: &str, routes: Vec<&str>| {
        if !routes.is_empty() {
            found.push(format!("{what}: {}", listed(routes)));
        }
    };
    tell("an answer speaks of one request, and the key does not hold the method", methods);
    tell("an answer speaks of one request, and the key does not hold the path", paths);
    tell("a claim is bound to the path, which the key does not hold: one path's verdict would be another's", bound);
    tell(
        "requests with one key fall under different rules, or some under none: one's verdict would be the other's",
        mixed,
    );
    found
}

fn for_itself(route: &Guarded<'_>, rules: &[(&RouteKey, &Rule)]) -> Option<String> {
    route.rules().iter().filter_map(|position| rules.get(*position)).find_map(|(_, rule)| {
        let what = beside_token_and_path(rule)?;
        let (text, key) = (route.text, &rule.key);
        Some(format!(
            "`{text}` must not be cached: `{key}` has `{what}`, whose answer may change from one request to the next"
        ))
    })
}

/// Routes whose requests may have the same key.
struct Group<'g, 'a> {
    routes: &'g [Guarded<'a>],
    held: Held,
}

enum Verdict {
    One,
    ByPath,
    Mixed,
}

impl Group<'_, '_> {
    /// Whether requests with one key have one method.
    fn fixes_method(&self) -> bool {
        let mut methods = self.routes.iter().map(|route| match route.key {
            RouteKey::Http { method, .. } => *method,
            RouteKey::Connect | RouteKey::Default => None,
        });
        let first = methods.next().flatten();
        self.held.method || first.is_some() && methods.all(|method| method == first)
    }

    /// Whether requests with one key have one path.
    fn fixes_path(&self) -> bool {
        let path = |route: &Guarded<'_>| {
            let is_literal = matches!(route.key, RouteKey::Http { .. }) && route.key.parameters().is_empty();
            is_literal
                .then(|| route.text.split_once(' ').map(|(_, path)| path.trim_end_matches('/').to_owned()))
                .flatten()
        };
        let mut paths = self.routes.iter().map(path);
        let first = paths.next().flatten();
        self.held.path || first.is_some() && paths.all(|path| path == first)
    }

    /// Whether requests with one key all fare the same.
    fn verdict(&self, rules: &[(&RouteKey, &Rule)]) -> Verdict {
        let positions: BTreeSet<usize> = self.routes.iter().flat_map(Guarded::rules).collect();
        let some_without = self.routes.iter().any(|route| route.served.unserved.is_some());
        let found: Vec<_> = positions.iter().filter_map(|position| rules.get(*position)).collect();
        let is_one = positions.len() + usize::from(some_without) <= 1;
        // Which rule serves a path is the same for all methods.
        let any_method = found.iter().all(|(key, _)| match key {
            RouteKey::Default | RouteKey::Http { method: None, .. } => true,
            RouteKey::Connect | RouteKey::Http { method: Some(_), .. } => false,
        });
        match (self.fixes_path(), self.fixes_method()) {
            (true, true) => Verdict::One,
            (true, false) if is_one || any_method => Verdict::One,
            (false, _) if is_one => match found.iter().any(|(_, rule)| rule.requirement.binds_path()) {
                true => Verdict::ByPath,
                false => Verdict::One,
            },
            _ => Verdict::Mixed,
        }
    }
}

impl Guarded<'_> {
    /// The rules that serve its requests.
    pub(super) fn rules(&self) -> Vec<usize> {
        let by_slash =
            self.served.rules_by_slash.iter().filter(|rule| self.slash_counts && !self.served.rules.contains(rule));
        self.served.rules.iter().chain(by_slash).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_authorizer::access::{CedarRule, Requirement};
    use cognito_authorizer::config::{Config, ConfigText, Environment};

    /// What each rule asks makes no difference but for the bound and the live ones.
    const RULES: &str = "
issuers: [{ cognito: { user_pool_id: us-east-1_A, client_ids: web } }]
revocations: { table: t }
routes:
  GET /items: {}
  POST /items: {}
  GET /items/{id}: {}
  ANY /any/{x+}: {}
  GET /users/{id}: { claims: { sub: '{id}' } }
  GET /live: { introspect: true }
  GET /fresh: { max_auth_age: 5m }
";

    const NOTHING: [&str; 0] = [];
    const ROUTE: Held = Held { token: true, route: true, method: false, path: false };
    const ROUTE_AND_PATH: Held = Held { path: true, ..ROUTE };
    const TOKEN: Held = Held { route: false, ..ROUTE };
    const PATH: Held = Held { path: true, ..TOKEN };
    const METHOD: Held = Held { method: true, ..TOKEN };
    const METHOD_AND_PATH: Held = Held { method: true, ..PATH };

    /// The words of each thing that is wrong by which it is known.
    #[track_caller]
    fn check<const N: usize>(answer: Answer, held: Held, routes: &[&str], expected: [&str; N]) {
        let text = ConfigText { text: RULES.to_owned(), folder: "tests".into() };
        let config = Config::parse(&text, &Environment::default()).unwrap();
        let keys: Vec<RouteKey> = routes.iter().map(|route| RouteKey::parse(route).unwrap()).collect();
        let served = config.rules().serving(&keys.iter().collect::<Vec<_>>()).unwrap();
        let guarded = routes.iter().zip(&keys).zip(&served);
        let guarded = guarded.map(|((text, key), served)| Guarded { text, key, served, slash_counts: true });
        let found = wrong(answer, held, &guarded.collect::<Vec<_>>(), config.rules());
        let fits = found.len() == N && found.iter().zip(expected).all(|(found, expected)| found.contains(expected));
        assert!(fits, "{answer:?} {held:?} {routes:?}\n{found:#?}\n{expected:#?}");
    }

    #[test]
    fn a_policy_of_one_request_needs_method_and_path() {
        let check = |held, routes: &[&str]| check(Answer::Request, held, routes, NOTHING);
        check(METHOD_AND_PATH, &["GET /items", "ANY /any/{x+}", "PUT /{x+}"]);
        check(ROUTE_AND_PATH, &["GET /items", "POST /items", "GET /items/{id}"]);
        check(TOKEN, &["GET /items"]);
        check(METHOD, &["GET /items", "POST /items"]);
    }

    #[test]
    fn a_policy_of_one_request_is_wrong_for_the_next() {
        let check = |held, routes: &[&str], expected| check(Answer::Request, held, routes, expected);
        check(TOKEN, &["GET /items", "GET /live/x"], ["the path: `GET /items`, `GET /live/x`"]);
        check(PATH, &["GET /items", "POST /items"], ["hold the method"]);
        check(METHOD, &["GET /items/{id}"], ["hold the path"]);
    }

    #[test]
    fn without_method_and_path_both_are_told() {
        check(Answer::Request, TOKEN, &["GET /items", "POST /items/x"], ["the method", "the path"]);
        check(Answer::Request, ROUTE_AND_PATH, &["ANY /any/{x+}"], ["the method"]);
        check(Answer::Request, ROUTE, &["ANY /other/{x+}"], ["the method", "the path"]);
    }

    #[test]
    fn a_verdict_needs_one_rule() {
        check(Answer::Verdict, ROUTE, &["GET /items", "POST /items", "ANY /any/{x+}"], NOTHING);
        check(Answer::Verdict, TOKEN, &["ANY /any/{x+}"], NOTHING);
        check(Answer::Verdict, TOKEN, &["GET /nothing", "GET /no/{x}"], NOTHING);
        check(Answer::Verdict, TOKEN, &["GET /items", "POST /items"], ["different rules"]);
        check(Answer::Verdict, METHOD, &["GET /items", "GET /items/{id}"], ["different rules"]);
        check(Answer::Verdict, METHOD_AND_PATH, &["GET /items", "POST /items", "$default"], ["`$default` must not"]);
    }

    #[test]
    fn a_verdict_of_a_catch_all_needs_the_method_too() {
        check(
            Answer::Verdict,
            ROUTE_AND_PATH,
            &["ANY /items"],
            ["different rules, or some under none: one's verdict would be the other's: `ANY /items`"],
        );
        check(Answer::Verdict, ROUTE, &["GET /items/{x+}"], ["different rules"]);
        check(Answer::Verdict, ROUTE_AND_PATH, &["GET /items/{x+}"], NOTHING);
        check(Answer::Verdict, PATH, &["ANY /any/{x+}", "GET /any/a"], NOTHING);
    }

    #[test]
    fn a_slash_brings_other_routes_rules_to_a_catch_all() {
        let all = ["GET /items", "POST /items", "GET /items/{id}", "ANY /any/{x+}", "GET /users/{id}", "ANY /{x+}"];
        let live = "`ANY /{x+}` must not be cached: `GET /live`";
        check(
            Answer::Verdict,
            ROUTE_AND_PATH,
            &all,
            [live, "different rules, or some under none: one's verdict would be the other's: `ANY /{x+}`"],
        );
    }

    #[test]
    fn a_verdict_on_a_bound_claim_needs_the_path() {
        check(Answer::Verdict, ROUTE, &["GET /users/{id}"], ["bound to the path"]);
        check(Answer::Verdict, ROUTE_AND_PATH, &["GET /users/{id}"], NOTHING);
        check(Answer::Verdict, ROUTE, &["GET /users/me"], NOTHING);
    }

    #[test]
    fn a_policy_that_covers_a_token_needs_the_token_alone() {
        check(Answer::Token, TOKEN, &["GET /items", "GET /users/{id}", "$connect"], NOTHING);
        check(Answer::Token, Held { token: false, ..METHOD_AND_PATH }, &["GET /items"], ["does not hold the token"]);
    }

    #[test]
    fn what_changes_from_one_request_to_the_next_is_never_kept() {
        for answer in [Answer::Verdict, Answer::Request, Answer::Token] {
            check(answer, METHOD_AND_PATH, &["GET /live"], ["`introspect`"]);
            check(answer, METHOD_AND_PATH, &["GET /fresh"], ["`max_auth_age`"]);
        }
    }

    #[test]
    fn cedar_policies_may_ask_for_more_than_token_and_path() {
        let key = RouteKey::parse("GET /a").unwrap();
        let rule = |cedar| Rule {
            key: "GET /a".into(),
            requirement: Requirement { checks: Vec::new() },
            cedar,
            introspect: false,
            report_only: false,
        };
        assert_eq!(beside_token_and_path(&rule(Some(CedarRule::named("read".to_owned(), &key)))), Some("cedar"));
        assert_eq!(beside_token_and_path(&rule(None)), None);
    }
}
