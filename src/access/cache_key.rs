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
    /// Which route it is, and the path: a claim is bound to a path parameter.
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
            rules if rules.iter().any(|(_, rule)| rule.requirement.binds_path()) => CacheKey::RouteAndPath,
            [(RouteKey::Default, _)] => CacheKey::Token,
            _ => CacheKey::Route,
        }
    }
}
