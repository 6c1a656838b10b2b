//! By what an answer may be cached.

use cognito_authorizer::access::{RouteKey, Rule};
use cognito_authorizer::config::Config;

/// By what the answer of this rule may be cached: a policy, and an HTTP API's simple answer. `is_alone`: the whole table asks
/// the same of every route.
#[must_use]
pub fn kept_by(config: &Config, key: &RouteKey, rule: &Rule, is_alone: bool) -> [String; 2] {
    if matches!(key, RouteKey::Connect) {
        return ["never kept", "-"].map(str::to_owned);
    }
    if let Some(what) = beside_token_and_path(rule) {
        return [format!("must not be cached: {what}"), format!("must not be cached: {what}")];
    }
    let policy = if config.rules().covers_tokens() { "token" } else { "token, method, path" };
    let simple = match (rule.requirement.binds_path(), is_alone) {
        (true, _) => "token, $context.routeKey, $context.path",
        (false, true) => "token",
        (false, false) => "token, $context.routeKey",
    };
    [policy, simple].map(str::to_owned)
}

/// What the rule asks for beside token and path, so that its answer may change from one request to the next.
#[must_use]
pub fn beside_token_and_path(rule: &Rule) -> Option<&'static str> {
    let depends = [
        (rule.introspect, "introspect"),
        (rule.requirement.depends_on_time(), "max_auth_age"),
        (rule.requirement.depends_on_address(), "source_ip"),
        // The policies may ask for the query, the address and the time.
        (rule.cedar.is_some(), "cedar"),
    ];
    depends.into_iter().find_map(|(depends, what)| depends.then_some(what))
}
