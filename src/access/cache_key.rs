//! What a verdict depends on, where it is one verdict for everything with the same key
//! in API Gateway's cache: a simple answer.

use super::route::RouteKey;
use super::rules::Rules;

/// What the key of a cached simple answer must hold beside the token, if API and table
/// have the same routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKey {
    /// Nothing: there is one rule for all requests.
    Token,
    /// Which route it is.
    Route,
    /// Which route it is, and the path: a claim is bound to a path parameter, or Cedar
    /// policies see it (and more, which no key has: docs/cedar.md).
    RouteAndPath,
}

impl CacheKey {
    /// The identity sources, as API Gateway calls them.
    #[must_use]
    pub fn identity_sources(self) -> &'static [&'static str] {
        match self {
            CacheKey::Token => &[],
            CacheKey::Route => &["$context.routeKey"],
            CacheKey::RouteAndPath => &["$context.routeKey", "$context.path"],
        }
    }
}

impl Rules {
    /// What the key of a cached simple answer must hold.
    #[must_use]
    pub fn cache_key(&self) -> CacheKey {
        let rules: Vec<_> = self.iter().filter(|(route, _)| !matches!(route, RouteKey::Connect)).collect();
        match rules.as_slice() {
            rules if rules.iter().any(|(_, rule)| rule.cedar.is_some() || rule.requirement.binds_path()) => {
                CacheKey::RouteAndPath
            }
            [(RouteKey::Default, _)] => CacheKey::Token,
            _ => CacheKey::Route,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::examples::{group, key, own, rule, table};
    use crate::access::policy_question::CedarRule;
    use crate::access::route::LetterCase;
    use crate::access::rules::Rule;

    #[track_caller]
    fn check(rules: impl IntoIterator<Item = Rule>, sources: &[&str]) {
        let rules = table(LetterCase::Distinguished, rules);
        assert_eq!(rules.cache_key().identity_sources(), sources);
    }

    #[test]
    fn a_key_tells_apart_what_the_rules_tell_apart() {
        let [route, path] = ["$context.routeKey", "$context.path"];
        let bound = || rule("GET /users/{id}", &[group("admin"), own("GET /users/{id}", "id")]);
        let asking = |text: &str| {
            let cedar = Some(CedarRule::named("publish".to_owned(), &key(text)));
            Rule { cedar, ..rule(text, &[]) }
        };
        check([rule("$default", &[group("admin")])], &[]);
        check([rule("$default", &[]), rule("$connect", &[])], &[]);
        check([asking("$default")], &[route, path]);
        check([rule("GET /a", &[])], &[route]);
        check([rule("$default", &[]), rule("GET /a", &[])], &[route]);
        check([rule("$default", &[]), bound()], &[route, path]);
        check([rule("GET /a", &[]), asking("GET /b")], &[route, path]);
        // A handshake is no request that a simple answer is kept for.
        check([rule("GET /a", &[]), asking("$connect")], &[route]);
        check([], &[route]);
    }
}
