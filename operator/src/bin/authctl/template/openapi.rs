//! An API's OpenAPI definition, as far as it stands in the template.

use super::api::{ApiKind, Authorizer, Guard, Native, Place};
use super::authorizers;
use super::node::{Expression, Node};
use super::value::{Value, Values};

/// What a definition says.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) routes: Vec<DefinedRoute>,
    pub(super) authorizers: Vec<Authorizer>,
    pub(super) natives: Vec<Native>,
    /// Whether the routes are all there.
    pub(super) is_whole: bool,
    pub(super) has_resource_policy: bool,
}

/// A route of a definition.
#[derive(Debug)]
pub(super) struct DefinedRoute {
    pub(super) key: String,
    /// `None` where the definition says nothing.
    pub(super) guard: Option<Guard>,
    pub(super) scopes: Option<Vec<Value>>,
    pub(super) place: Place,
}

/// Reads a definition.
pub(super) fn read(values: &Values<'_>, kind: ApiKind, name: &str, body: &Node) -> Definition {
    let mut definition = Definition { is_whole: true, ..Definition::default() };
    let unread = |node: &Node| node.intrinsic().is_some() || node.get("Fn::Transform").is_some();
    if unread(body) {
        values.remark(format!("{name}: its definition is in a file that was not read"));
        definition.is_whole = false;
        return definition;
    }
    definition.has_resource_policy = body.get("x-amazon-apigateway-policy").is_some();
    let components = body.get("components").and_then(|components| components.get("securitySchemes"));
    let schemes = components.or(body.get("securityDefinitions")).map_or(&[][..], Node::entries);
    for (scheme, node) in schemes {
        definition.authorizers.extend(authorizers::of_scheme(values, kind, scheme, node));
        definition.natives.extend(authorizers::native_of_scheme(values, scheme, node));
    }
    let Some(paths) = body.get("paths") else { return definition };
    for (path, item) in paths.entries() {
        if unread(paths) || path.starts_with("Fn::") || unread(item) {
            values.remark(format!("{name}: `{path}` was not read"));
            definition.is_whole = false;
            continue;
        }
        for (method, operation) in item.entries() {
            let Some(method) = method_of(method) else { continue };
            let security = operation.get("security").or(body.get("security"));
            let guard = security.map(|security| guard(security, schemes, &definition.authorizers));
            let scopes = security.zip(guard.as_ref()).and_then(|(security, guard)| scopes(values, security, guard));
            let (key, place) = (key(&method, path), Place::of(operation));
            definition.routes.push(DefinedRoute { key, guard, scopes, place });
        }
    }
    definition
}

/// The route key of a method and path.
pub(crate) fn key(method: &str, path: &str) -> String {
    match path.trim_start_matches('/') {
        "$default" => "$default".to_owned(),
        _ => format!("{method} {path}"),
    }
}

/// The method, as route keys have it; `None` for what else an OpenAPI path has.
pub(crate) fn method_of(name: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "any" | "*" | "x-amazon-apigateway-any-method" => Some("ANY".to_owned()),
        "get" | "head" | "post" | "put" | "patch" | "delete" | "options" | "trace" => Some(name.to_ascii_uppercase()),
        _ => None,
    }
}

fn guard(security: &Node, schemes: &[(String, Node)], authorizers: &[Authorizer]) -> Guard {
    if security.intrinsic().is_some() {
        return Guard::Unknown("an expression".to_owned());
    }
    let named = security.items().iter().filter_map(|requirement| requirement.entries().first());
    let mut names = named.map(|(name, _)| name.as_str()).filter(|name| *name != "NONE");
    // One empty requirement makes all of them optional.
    if security.items().iter().any(|requirement| requirement.entries().is_empty()) {
        return Guard::Open;
    }
    let by_function = |name: &&str| authorizers.iter().any(|authorizer| authorizer.name == *name);
    match (names.clone().find(by_function), names.next()) {
        (Some(name), _) => Guard::Authorizer(name.to_owned()),
        (None, None) => Guard::Open,
        (None, Some(name)) => match schemes.iter().find(|(scheme, _)| scheme == name) {
            // An API key alone says who pays, not who calls.
            Some((_, scheme)) if scheme.get("x-amazon-apigateway-authorizer").is_some() => {
                Guard::Other(name.to_owned())
            }
            Some((_, scheme)) if scheme.get("x-amazon-apigateway-authtype").is_some() => Guard::Other(name.to_owned()),
            Some(_) => Guard::Open,
            None => Guard::Unknown(format!("`{name}`, which the definition does not have")),
        },
    }
}

/// The scopes that are written beside the scheme that guards. Where several requirements are written, API Gateway's
/// choice is not known.
fn scopes(values: &Values<'_>, security: &Node, guard: &Guard) -> Option<Vec<Value>> {
    let (Guard::Other(name) | Guard::Authorizer(name)) = guard else { return None };
    match security.items() {
        [requirement] => requirement.get(name).map(|scopes| values.values(Some(scopes))),
        _ => Some(vec![Value::Unknown("of several security requirements".to_owned())]),
    }
}

/// The guard that SAM's or a resource's name for it means.
pub(super) fn named(value: Option<Value>, authorizers: &[Authorizer], others: &[String]) -> Guard {
    match value {
        None => Guard::Open,
        Some(Value::Unknown(expression)) => Guard::Unknown(expression),
        Some(Value::Known(name)) if name == "NONE" => Guard::Open,
        Some(Value::Known(name)) if name == "AWS_IAM" => Guard::Other(name),
        Some(Value::Known(name)) if authorizers.iter().any(|authorizer| authorizer.name == name) => {
            Guard::Authorizer(name)
        }
        Some(Value::Known(name)) if others.contains(&name) => Guard::Other(name),
        Some(Value::Known(name)) => Guard::Unknown(format!("`{name}`, which the template does not have")),
    }
}
