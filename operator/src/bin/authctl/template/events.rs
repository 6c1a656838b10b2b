//! The events of SAM's functions and state machines: routes of APIs.

use super::api::{ApiKind, Place};
use super::node::{Expression, Node, empty};
use super::openapi::{key, method_of};
use super::value::{Value, Values};

/// A route that an event makes.
#[derive(Debug)]
pub(super) struct EventRoute {
    pub(super) kind: ApiKind,
    /// The API's logical id, or the expression for it.
    pub(super) api: String,
    pub(super) key: String,
    /// What `Auth.Authorizer` says; `None` where it says nothing.
    pub(super) authorizer: Option<Value>,
    /// What `Auth.AuthorizationScopes` says; `None` where it says nothing.
    pub(super) scopes: Option<Vec<Value>>,
    pub(super) place: Place,
}

/// The APIs that SAM makes for events that name none.
pub(super) const IMPLICIT: [(ApiKind, &str); 2] =
    [(ApiKind::Rest, "ServerlessRestApi"), (ApiKind::Http, "ServerlessHttpApi")];

/// Whether SAM makes an API of that name by itself.
pub(super) fn is_implicit(name: &str) -> bool {
    IMPLICIT.iter().any(|(_, implicit)| *implicit == name)
}

/// All routes that events make.
pub(super) fn routes(values: &Values<'_>) -> Vec<EventRoute> {
    let mut routes = Vec::new();
    for kind in ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"] {
        for (function, properties) in values.resources(kind) {
            let events = values.section(function, properties, "Events").map_or(&[][..], Node::entries);
            for (name, event) in events {
                routes.extend(route(values, &format!("{function}'s event {name}"), event));
            }
        }
    }
    routes
}

fn route(values: &Values<'_>, owner: &str, event: &Node) -> Option<EventRoute> {
    let unread =
        |what: &str| values.remark(format!("{owner}: {what} is not known before it is deployed: no route was read"));
    let (kind, api) = match values.value(event.get("Type")) {
        Some(Value::Known(kind)) if kind == "Api" => (ApiKind::Rest, "RestApiId"),
        Some(Value::Known(kind)) if kind == "HttpApi" => (ApiKind::Http, "ApiId"),
        Some(Value::Known(_)) => return None,
        Some(Value::Unknown(_)) | None => {
            unread("its type");
            return None;
        }
    };
    let empty = empty();
    let properties = match event.get("Properties") {
        Some(_) => values.section(owner, event, "Properties")?,
        None => &empty,
    };
    let path = values.value(properties.get("Path"));
    let method = values.value(properties.get("Method"));
    let key = match (kind, path, method) {
        (ApiKind::Http, None, None) => "$default".to_owned(),
        (_, Some(Value::Known(path)), method) => {
            let method = match method {
                None => Some("ANY".to_owned()),
                Some(Value::Known(method)) => Some(method_of(&method).unwrap_or(method)),
                Some(Value::Unknown(_)) => None,
            };
            let Some(method) = method else {
                unread("its method");
                return None;
            };
            key(&method, &path)
        }
        (_, _, _) => {
            unread("its path");
            return None;
        }
    };
    let api = match values.reference(properties.get(api)) {
        Some(Value::Known(name) | Value::Unknown(name)) => name,
        None => IMPLICIT.iter().find(|(of, _)| *of == kind).map(|(_, name)| (*name).to_owned())?,
    };
    let auth = values.section(owner, properties, "Auth");
    // An expression in its place may stand for anything.
    let hidden = auth.is_none() && properties.get("Auth").is_some_and(|auth| auth.intrinsic().is_some());
    let authorizer = match hidden {
        true => Some(Value::Unknown("what its `Auth` says".to_owned())),
        false => values.value(auth.and_then(|auth| auth.get("Authorizer"))),
    };
    let scopes = values.values(auth.and_then(|auth| auth.get("AuthorizationScopes")));
    let scopes = (!scopes.is_empty()).then_some(scopes);
    Some(EventRoute { kind, api, key, authorizer, scopes, place: Place::of(event) })
}
