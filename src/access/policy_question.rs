//! What a rule asks of the Cedar policies: the action and the path parameters, as
//! Verified Permissions' own authorizer for API Gateway names them.

use super::path::SafePath;
use super::route::{Method, Parameter, RouteKey, Segment};
use std::borrow::Cow;

/// A rule's question to the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CedarRule {
    /// Which action is asked about.
    pub action: CedarAction,
    parameters: Vec<Parameter>,
}

/// An action of the policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CedarAction {
    /// One of the operator's own.
    Named(String),
    /// `get /documents/{id}`: the request's method in lower case and the route's path.
    OfRoute {
        /// The path as API Gateway writes it, parameters in braces.
        path: String,
        /// The route's method; `None` for `ANY`.
        method: Option<Method>,
    },
}

/// What is asked of one request.
#[derive(Debug, PartialEq, Eq)]
pub struct PolicyQuestion<'a> {
    /// The action's id.
    pub action: Cow<'a, str>,
    /// The route's path parameters with their values, decoded once.
    pub path_parameters: Vec<(&'a str, Cow<'a, str>)>,
}

impl CedarRule {
    /// Asks about an action of the operator's own.
    #[must_use]
    pub fn named(action: String, route: &RouteKey) -> Self {
        Self { action: CedarAction::Named(action), parameters: route.parameters() }
    }

    /// Asks about the action that the route itself names; `None` for `$default` and
    /// `$connect`, which name none.
    #[must_use]
    pub fn of_route(route: &RouteKey) -> Option<Self> {
        let RouteKey::Http { method, segments } = route else { return None };
        let mut path: String = segments.iter().flat_map(|segment| ["/".to_owned(), written(segment)]).collect();
        if path.is_empty() {
            path.push('/');
        }
        let action = CedarAction::OfRoute { path, method: *method };
        Some(Self { action, parameters: route.parameters() })
    }

    pub(super) fn question<'a>(&'a self, method: &str, path: &'a SafePath<'_>) -> PolicyQuestion<'a> {
        let action = match &self.action {
            CedarAction::Named(name) => Cow::Borrowed(name.as_str()),
            CedarAction::OfRoute { path, .. } => Cow::Owned(action_of(method, path)),
        };
        let value = |parameter: &'a Parameter| Some((parameter.name.as_str(), parameter.value(path)?));
        PolicyQuestion { action, path_parameters: self.parameters.iter().filter_map(value).collect() }
    }

    /// The actions that requests for the route ask about, for methods that API
    /// Gateway can route.
    #[must_use]
    pub fn actions(&self) -> Vec<String> {
        match &self.action {
            CedarAction::Named(name) => vec![name.clone()],
            CedarAction::OfRoute { path, method: Some(method) } => vec![action_of(method.name(), path)],
            CedarAction::OfRoute { path, method: None } => {
                Method::ALL.iter().map(|method| action_of(method.name(), path)).collect()
            }
        }
    }
}

fn action_of(method: &str, path: &str) -> String {
    format!("{} {path}", method.to_ascii_lowercase())
}

fn written(segment: &Segment) -> String {
    match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Parameter(name) => format!("{{{name}}}"),
        Segment::Greedy(name) => format!("{{{name}+}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_route(key: &str) -> Option<CedarRule> {
        CedarRule::of_route(&RouteKey::parse(key).unwrap())
    }

    #[test]
    fn an_action_is_the_method_in_lower_case_and_the_routes_path() {
        for (key, method, path, action) in [
            ("GET /documents/{id}", "GET", "/documents/7", "get /documents/{id}"),
            ("GET /documents/{id}/", "GET", "/documents/7/", "get /documents/{id}"),
            ("ANY /documents/{id}", "PATCH", "/documents/7", "patch /documents/{id}"),
            ("ANY /files/{proxy+}", "PURGE", "/files/a/b", "purge /files/{proxy+}"),
            ("POST /", "POST", "/", "post /"),
        ] {
            let rule = of_route(key).unwrap();
            assert_eq!(rule.question(method, &SafePath::parse(path).unwrap()).action, action);
        }
        assert_eq!(of_route("$default"), None);
        assert_eq!(of_route("$connect"), None);
    }

    #[test]
    fn path_parameters_are_the_routes_own_decoded_once() {
        let rule = of_route("GET /tenants/{tenant}/files/{path+}").unwrap();
        let path = SafePath::parse("/tenants/a%20b/files/c/d.txt").unwrap();
        let question = rule.question("GET", &path);
        assert_eq!(question.path_parameters, [("tenant", "a b".into()), ("path", "c/d.txt".into())]);
        let named = CedarRule::named("publish".to_owned(), &RouteKey::parse("POST /documents/{id}").unwrap());
        let path = SafePath::parse("/documents/7").unwrap();
        let question = named.question("POST", &path);
        assert_eq!((&*question.action, question.path_parameters), ("publish", vec![("id", "7".into())]));
    }

    #[test]
    fn a_route_for_any_method_asks_about_seven_actions() {
        assert_eq!(of_route("GET /a").unwrap().actions(), ["get /a"]);
        let actions = of_route("ANY /a").unwrap().actions();
        assert_eq!(actions.len(), 7);
        assert!(actions.contains(&"options /a".to_owned()));
    }
}
