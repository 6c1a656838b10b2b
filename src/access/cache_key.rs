//! What a verdict depends on, where it is one verdict for everything with the same key
//! in API Gateway's cache: a simple answer.

use super::route::RouteKey;
use super::rules::Rules;

/// What the key of a cached simple answer must hold beside the token, if API and table
/// have the same routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey {
    /// Which route it is: there is more than one rule.
    pub route: bool,
    /// The path: a claim is bound to a path parameter, or Cedar policies see it (and more, which no
    /// key has: docs/cedar.md).
    pub path: bool,
    /// The address that sends the request: a rule asks for it.
    pub address: bool,
}

impl CacheKey {
    /// The identity sources, as API Gateway calls them.
    #[must_use]
    pub fn identity_sources(self) -> Vec<&'static str> {
        let Self { route, path, address } = self;
        let sources = [(route, "$context.routeKey"), (path, "$context.path"), (address, "$context.identity.sourceIp")];
        sources.into_iter().filter_map(|(is_needed, source)| is_needed.then_some(source)).collect()
    }
}

impl Rules {
    /// What the key of a cached simple answer must hold.
    #[must_use]
    pub fn cache_key(&self) -> CacheKey {
        let rules: Vec<_> = self.iter().filter(|(route, _)| !matches!(route, RouteKey::Connect)).collect();
        let path = rules.iter().any(|(_, rule)| rule.cedar.is_some() || rule.requirement.binds_path());
        let address = rules.iter().any(|(_, rule)| rule.requirement.depends_on_address());
        let route = path || !matches!(rules.as_slice(), [(RouteKey::Default, _)]);
        CacheKey { route, path, address }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::examples::{group, key, own, rule, table};
    use crate::access::policy_question::CedarRule;
    use crate::access::requirement::Check;
    use crate::access::route::LetterCase;
    use crate::access::rules::Rule;
    use crate::access::source_ip::IpBlock;

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
        let from_home = |text: &str| rule(text, &[Check::SourceIp(vec![IpBlock::parse("192.0.2.0/24").unwrap()])]);
        let address = "$context.identity.sourceIp";
        check([from_home("$default")], &[address]);
        check([rule("GET /a", &[]), from_home("GET /b")], &[route, address]);
        check([bound(), from_home("GET /b")], &[route, path, address]);
    }
}
