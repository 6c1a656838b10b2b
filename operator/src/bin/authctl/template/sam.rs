//! `AWS::Serverless::Api`, `HttpApi` and `WebSocketApi`, with what `Globals` says of them,
//! and the APIs that SAM makes for events that name none.

use super::api::{Api, ApiKind, Authorizer, Format, Guard, Place, Route, Ttl};
use super::events::{self, EventRoute, IMPLICIT};
use super::node::{Expression, Node, empty};
use super::value::{Value, Values};
use super::{authorizers, openapi, raw};

/// The APIs, with the routes of their events.
pub(super) fn apis(values: &Values<'_>) -> Vec<Api> {
    let events = events::routes(values);
    let mut apis = Vec::new();
    for (kind, of_type, global) in
        [(ApiKind::Rest, "AWS::Serverless::Api", "Api"), (ApiKind::Http, "AWS::Serverless::HttpApi", "HttpApi")]
    {
        let empty = empty();
        let global = values.root.get("Globals").and_then(|globals| globals.get(global)).unwrap_or(&empty);
        let declared = values.resources(of_type).map(|(name, properties)| (name, properties.clone()));
        let implicit =
            IMPLICIT.iter().filter(|(of, name)| *of == kind && events.iter().any(|event| event.api == *name));
        let implicit = implicit.map(|(_, name)| (*name, empty.clone()));
        for (name, own) in declared.chain(implicit).collect::<Vec<_>>() {
            let of_api = events.iter().filter(|event| event.kind == kind && event.api == name);
            apis.push(api(values, kind, name, &global.merged(&own), of_api));
        }
    }
    for event in &events {
        if !apis.iter().any(|api| api.name == event.api) {
            values.remark(format!("{} is a route of {}, which is not in the template", event.key, event.api));
        }
    }
    apis.extend(values.resources("AWS::Serverless::WebSocketApi").map(|(name, node)| web_socket(values, name, node)));
    apis
}

fn api<'e>(
    values: &Values<'_>,
    kind: ApiKind,
    name: &str,
    properties: &Node,
    events: impl Iterator<Item = &'e EventRoute>,
) -> Api {
    let mut definition = match properties.get("DefinitionBody").filter(|body| !body.is_null()) {
        Some(body) => openapi::read(values, kind, name, body),
        None => openapi::Definition { is_whole: true, ..openapi::Definition::default() },
    };
    if properties.get("DefinitionUri").is_some_and(|uri| !uri.is_null()) {
        values.remark(format!("{name}: its definition is in a file that was not read"));
        definition.is_whole = false;
    }
    let empty = empty();
    let auth = values.section(name, properties, "Auth").unwrap_or(&empty);
    let mut found = definition.authorizers;
    let mut others = Vec::new();
    let mut natives = definition.natives;
    for (authorizer, node) in values.section(name, auth, "Authorizers").map_or(&[][..], Node::entries) {
        match authorizers::of_sam(values, kind, authorizer, node) {
            Some(authorizer) => found.push(authorizer),
            None => {
                others.push(authorizer.clone());
                natives.extend(authorizers::native_of_sam(values, kind, authorizer, node));
            }
        }
    }
    let guard = |value| openapi::named(value, &found, &others);
    let default = values.value(auth.get("DefaultAuthorizer"));
    let of_default = guard(default.clone());
    let defined = definition.routes.into_iter().map(|route| Route {
        key: route.key,
        guard: route.guard.unwrap_or(of_default.clone()),
        scopes: route.scopes,
        place: route.place,
    });
    let of_events = events.map(|event| {
        let guard = guard(event.authorizer.clone().or_else(|| default.clone()));
        Route { key: event.key.clone(), guard, scopes: event.scopes.clone(), place: event.place }
    });
    let routes: Vec<Route> = defined.chain(of_events).collect();
    let off = |key: &str| values.value(auth.get(key)) == Some(Value::Known("false".to_owned()));
    let mut api = Api {
        name: name.to_owned(),
        kind,
        routes,
        routes_are_known: definition.is_whole,
        has_resource_policy: definition.has_resource_policy || is_given(auth, "ResourcePolicy"),
        guards_preflight: kind == ApiKind::Rest
            && is_given(properties, "Cors")
            && matches!(of_default, Guard::Authorizer(_))
            && !off("AddDefaultAuthorizerToCorsPreflight"),
        authorizers: found,
        natives,
    };
    match kind {
        ApiKind::Rest => raw::add_methods(values, &mut api),
        ApiKind::Http | ApiKind::WebSocket => raw::add_routes(values, &mut api),
    }
    api
}

fn is_given(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|node| !node.is_null())
}

/// Of a WebSocket API only `$connect` is authorized.
fn web_socket(values: &Values<'_>, name: &str, properties: &Node) -> Api {
    let empty = empty();
    let auth = values.section(name, properties, "Auth").unwrap_or(&empty);
    let hidden = properties.get("Auth").and_then(Node::intrinsic).is_some();
    let (guard, authorizer) = match values.value(auth.get("AuthType")) {
        _ if hidden => (Guard::Unknown("what its `Auth` says".to_owned()), None),
        Some(Value::Known(kind)) if kind == "CUSTOM" => {
            let authorizer = Authorizer {
                name: "Auth".to_owned(),
                function: values.function(auth.get("AuthArn")),
                format: Format::WebSocket,
                ttl: Ttl::Off,
                sources: authorizers::sources(values, auth.get("IdentitySource")),
            };
            (Guard::Authorizer(authorizer.name.clone()), Some(authorizer))
        }
        Some(Value::Known(kind)) if kind == "AWS_IAM" => (Guard::Other(kind), None),
        Some(Value::Known(_)) | None => (Guard::Open, None),
        Some(Value::Unknown(expression)) => (Guard::Unknown(expression), None),
    };
    let routes = values.section(name, properties, "Routes").map_or(&[][..], Node::entries);
    let has_connect = routes.iter().any(|(key, _)| key == CONNECT);
    let mut api = Api {
        name: name.to_owned(),
        kind: ApiKind::WebSocket,
        routes: has_connect
            .then(|| Route { key: CONNECT.to_owned(), guard, scopes: None, place: Place::of(properties) })
            .into_iter()
            .collect(),
        authorizers: authorizer.into_iter().collect(),
        natives: Vec::new(),
        routes_are_known: true,
        has_resource_policy: false,
        guards_preflight: false,
    };
    raw::add_routes(values, &mut api);
    if api.routes.is_empty() {
        values.remark(format!("{name} has no route $connect: nothing asks who connects"));
    }
    api
}

const CONNECT: &str = "$connect";
