//! `AWS::ApiGateway::*` and `AWS::ApiGatewayV2::*`.

use super::api::{Api, ApiKind, Authorizer, Guard, Place, Route};
use super::authorizers;
use super::events;
use super::node::Node;
use super::openapi::{self, Definition};
use super::value::{Value, Values};

/// The REST APIs.
pub(super) fn rest<'v>(values: &'v Values<'_>) -> impl Iterator<Item = Api> + 'v {
    values.resources("AWS::ApiGateway::RestApi").map(move |(name, node)| {
        let mut api = described(values, ApiKind::Rest, name, node);
        api.has_resource_policy |= node.get("Policy").is_some_and(|policy| !policy.is_null());
        add_methods(values, &mut api);
        api
    })
}

/// Adds the methods and authorizers that are resources of their own to a REST API.
pub(super) fn add_methods(values: &Values<'_>, api: &mut Api) {
    let name = api.name.clone();
    let is_own = |node: &Node| is_of(values, node, "RestApiId", &name);
    let others = authorizers_of(values, api, "AWS::ApiGateway::Authorizer", is_own);
    for (method, node) in values.resources("AWS::ApiGateway::Method").filter(|(_, node)| is_own(node)) {
        let verb = values.value(node.get("HttpMethod"));
        let (Some(Value::Known(verb)), Some(path)) = (verb, path(values, node.get("ResourceId"), 0)) else {
            values
                .remark(format!("{method}: its method or path is not known before it is deployed: no route was read"));
            api.routes_are_known = false;
            continue;
        };
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let key = openapi::key(&openapi::method_of(&verb).unwrap_or(verb), &path);
        let guard = guard(values, node, &api.authorizers, &others);
        api.routes.push(Route { key, guard, scopes: scopes(values, node), place: Place::of(node) });
    }
}

/// The HTTP and WebSocket APIs.
pub(super) fn http_and_web_socket<'v>(values: &'v Values<'_>) -> impl Iterator<Item = Api> + 'v {
    values.resources("AWS::ApiGatewayV2::Api").map(move |(name, node)| {
        let is_web_socket = values.value(node.get("ProtocolType")) == Some(Value::Known("WEBSOCKET".to_owned()));
        let kind = if is_web_socket { ApiKind::WebSocket } else { ApiKind::Http };
        let mut api = described(values, kind, name, node);
        // "Quick create" makes a route that nobody guards.
        if node.get("Target").is_some_and(|target| !target.is_null()) {
            let key = values.value(node.get("RouteKey")).unwrap_or(Value::Known("$default".to_owned()));
            let (Value::Known(key) | Value::Unknown(key)) = key;
            api.routes.push(Route { key, guard: Guard::Open, scopes: None, place: Place::of(node) });
        }
        add_routes(values, &mut api);
        api
    })
}

/// Adds the routes and authorizers that are resources of their own to an HTTP or
/// WebSocket API.
pub(super) fn add_routes(values: &Values<'_>, api: &mut Api) {
    let name = api.name.clone();
    let is_own = |node: &Node| is_of(values, node, "ApiId", &name);
    let others = authorizers_of(values, api, "AWS::ApiGatewayV2::Authorizer", is_own);
    for (route, node) in values.resources("AWS::ApiGatewayV2::Route").filter(|(_, node)| is_own(node)) {
        match values.value(node.get("RouteKey")) {
            Some(Value::Known(key)) if api.kind == ApiKind::WebSocket && key != "$connect" => {}
            Some(Value::Known(key)) => {
                let guard = guard(values, node, &api.authorizers, &others);
                api.routes.push(Route { key, guard, scopes: scopes(values, node), place: Place::of(node) });
            }
            Some(Value::Unknown(_)) | None => {
                values.remark(format!("{route}: its key is not known before it is deployed: no route was read"));
                api.routes_are_known = false;
            }
        }
    }
}

/// An API with what its definition says, where it has one.
fn described(values: &Values<'_>, kind: ApiKind, name: &str, node: &Node) -> Api {
    let mut definition = match node.get("Body").filter(|body| !body.is_null()) {
        Some(body) => openapi::read(values, kind, name, body),
        None => Definition { is_whole: true, ..Definition::default() },
    };
    if node.get("BodyS3Location").is_some_and(|body| !body.is_null()) {
        values.remark(format!("{name}: its definition is in a file that was not read"));
        definition.is_whole = false;
    }
    let routes = definition.routes.into_iter().map(|route| Route {
        key: route.key,
        guard: route.guard.unwrap_or(Guard::Open),
        scopes: route.scopes,
        place: route.place,
    });
    Api {
        name: name.to_owned(),
        kind,
        routes: routes.collect(),
        authorizers: definition.authorizers,
        natives: definition.natives,
        routes_are_known: definition.is_whole,
        has_resource_policy: definition.has_resource_policy,
        guards_preflight: false,
    }
}

/// Adds the API's authorizers; tells the names of those that ask no function.
fn authorizers_of(values: &Values<'_>, api: &mut Api, kind: &str, is_own: impl Fn(&Node) -> bool) -> Vec<String> {
    let mut others = Vec::new();
    for (name, node) in values.resources(kind).filter(|(_, node)| is_own(node)) {
        match authorizers::of_resource(values, api.kind, name, node) {
            Some(authorizer) => api.authorizers.push(authorizer),
            None => {
                others.push(name.to_owned());
                api.natives.extend(authorizers::native_of_resource(values, name, node));
            }
        }
    }
    others
}

/// What a route or method asks of its own.
fn scopes(values: &Values<'_>, node: &Node) -> Option<Vec<Value>> {
    let scopes = values.values(node.get("AuthorizationScopes"));
    (!scopes.is_empty()).then_some(scopes)
}

fn is_of(values: &Values<'_>, node: &Node, key: &str, api: &str) -> bool {
    values.reference(node.get(key)) == Some(Value::Known(api.to_owned()))
}

fn guard(values: &Values<'_>, node: &Node, authorizers: &[Authorizer], others: &[String]) -> Guard {
    match values.value(node.get("AuthorizationType")) {
        Some(Value::Known(kind)) if matches!(kind.as_str(), "CUSTOM" | "JWT" | "COGNITO_USER_POOLS") => {
            match values.reference(node.get("AuthorizerId")) {
                Some(reference) => openapi::named(Some(reference), authorizers, others),
                None => Guard::Unknown(format!("{kind} without an authorizer")),
            }
        }
        kind => openapi::named(kind, &[], &[]),
    }
}

/// The path of a resource; empty for the root. `None` where it is not known.
fn path(values: &Values<'_>, id: Option<&Node>, depth: usize) -> Option<String> {
    // What refers to itself would have no end.
    if depth > MAX_DEPTH {
        return None;
    }
    let Value::Known(name) = values.reference(id)? else { return None };
    if events::is_implicit(&name) {
        return Some(String::new());
    }
    match values.type_of(&name)? {
        "AWS::ApiGateway::RestApi" | "AWS::Serverless::Api" => Some(String::new()),
        "AWS::ApiGateway::Resource" => {
            let (_, node) = values.resources("AWS::ApiGateway::Resource").find(|(resource, _)| *resource == name)?;
            let Value::Known(part) = values.value(node.get("PathPart"))? else { return None };
            Some(format!("{}/{part}", path(values, node.get("ParentId"), depth + 1)?))
        }
        _ => None,
    }
}

/// More than a path of API Gateway's has segments.
const MAX_DEPTH: usize = 100;
