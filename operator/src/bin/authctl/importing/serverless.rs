//! `serverless.yml`: the events of functions, and the authorizers that they name.

use super::found::{Asks, Found, FoundAuthorizer, FoundRoute, Tokens};
use super::from_template::{authorizer, by_function, by_iam, with_scopes};
use crate::template::{
    Expression, Native, Node, Place, Source, USER_POOL, Value, Values, empty_node, method_of, native_of_resource,
    route_key,
};
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeMap;

/// What the file says.
pub(super) fn read(root: &Node) -> Found {
    let (nothing, parameters) = (empty_node(), BTreeMap::new());
    let resources = root.get("resources").filter(|node| node.get("Resources").is_some()).unwrap_or(&nothing);
    let mut file = File { root, values: Values::new(resources, &parameters), found: Found::default() };
    file.authorizers_of_provider();
    file.unread_resources(resources);
    match root.get("functions") {
        Some(node) if !node.items().is_empty() => {
            node.items().iter().for_each(|part| file.functions(part));
        }
        Some(node) => file.functions(node),
        None => {}
    }
    let mut found = file.found;
    found.remarks.extend(found.unread.clone());
    found
}

struct File<'f> {
    root: &'f Node,
    values: Values<'f>,
    found: Found,
}

impl File<'_> {
    fn authorizers_of_provider(&mut self) {
        let authorizers = self.root.get("provider").and_then(|provider| provider.get("httpApi"));
        let authorizers = authorizers.and_then(|api| api.get("authorizers")).map_or(&[][..], Node::entries);
        for (name, node) in authorizers {
            let Some(issuer) = self.naming_pools(node.get("issuerUrl")) else { continue };
            let audience = self.texts(node.get("audience"));
            let sources = self.texts(node.get("identitySource")).into_iter().map(|value| match value {
                Value::Known(text) => Source::parse(&text),
                Value::Unknown(expression) => Source::Other(expression),
            });
            let sources = sources.collect();
            self.found.authorizers.push(FoundAuthorizer {
                name: name.clone(),
                place: Place::of(node),
                tokens: Tokens::Jwt { issuer, audience },
                sources,
            });
        }
    }

    fn unread_resources(&mut self, resources: &Node) {
        for (name, node) in resources.get("Resources").map_or(&[][..], Node::entries) {
            let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
            if matches!(kind, "AWS::ApiGatewayV2::Route" | "AWS::ApiGateway::Method" | "AWS::Serverless::Function") {
                self.found.unread.push(format!("the resource {} ({kind}) was not read", printable(name)));
            }
        }
    }

    fn functions(&mut self, functions: &Node) {
        if functions.text().is_some() || functions.intrinsic().is_some() {
            self.found.unread.push("functions of another file were not read".to_owned());
        }
        for (function, node) in functions.entries() {
            let events = match node.get("events") {
                Some(events) if events.text().is_some_and(|_| !events.is_null()) => {
                    self.found.unread.push(format!("the events of {} are in another file", printable(function)));
                    continue;
                }
                Some(events) => events.items(),
                None if node.text().is_some() => {
                    self.found.unread.push(format!("the function {} is in another file", printable(function)));
                    continue;
                }
                None => continue,
            };
            for event in events {
                if event.text().is_some_and(|text| text.contains("${")) {
                    self.found.unread.push(format!("an event of {} is in another file", printable(function)));
                }
                for (kind, event) in event.entries() {
                    let place = Place::of(event);
                    match kind.as_str() {
                        "httpApi" => self.route(function, place, event, Self::of_http_api),
                        "http" => self.route(function, place, event, Self::of_rest_api),
                        "websocket" => self.web_socket(place, event),
                        _ => {}
                    }
                }
            }
        }
    }

    fn route(&mut self, function: &str, place: Place, event: &Node, asks: fn(&mut Self, Place, &Node) -> Asks) {
        let (method, path) = match event.text() {
            Some(text) if text.trim() == "*" => (Some("*".to_owned()), Some(Value::Known("*".to_owned()))),
            Some(text) => match (self.resolved(text, 0), text.split_once(' ')) {
                (Value::Known(text), _) if text.trim().contains(' ') => {
                    let (method, path) = text.trim().split_once(' ').unwrap_or_default();
                    (Some(method.to_owned()), Some(Value::Known(path.trim().to_owned())))
                }
                _ => (None, None),
            },
            None => {
                let method = match self.text(event.get("method")) {
                    Some(Value::Known(method)) => Some(method),
                    Some(Value::Unknown(_)) => None,
                    None => Some("*".to_owned()),
                };
                (method, self.text(event.get("path")))
            }
        };
        let (Some(method), Some(Value::Known(path))) = (method, path) else {
            let why =
                format!("an event of {} has a method or path that is not known: it was not read", printable(function));
            self.found.unread.push(why);
            return;
        };
        let method = method_of(&method).unwrap_or_else(|| method.to_ascii_uppercase());
        let key = match path.as_str() {
            "*" => "$default".to_owned(),
            path => route_key(&method, &format!("/{}", path.trim_start_matches('/'))),
        };
        let mut notes = Vec::new();
        if self.text(event.get("private")) == Some(Value::Known("true".to_owned())) {
            notes.push("`private`: API Gateway goes on checking the API key".to_owned());
        }
        let asks = asks(self, place, event);
        self.found.routes.push(FoundRoute { key, place, asks, notes });
    }

    fn of_http_api(&mut self, _: Place, event: &Node) -> Asks {
        let default = self.root.get("provider").and_then(|provider| provider.get("httpApi"));
        let default = default.and_then(|api| api.get("authorizer"));
        let Some(node) = event.get("authorizer").or(default).filter(|node| !node.is_null()) else {
            return Asks::Nothing("its event names no authorizer".to_owned());
        };
        let scopes = self.texts(node.get("scopes"));
        let kind = self.text(node.get("type"));
        if kind == Some(Value::Known("aws_iam".to_owned())) {
            return by_iam();
        }
        if let Some(native) = node.get("id").and_then(|id| self.of_resource("AWS::ApiGatewayV2::Authorizer", id)) {
            return self.native(&native, scopes);
        }
        match self.text(node.get("name")).or_else(|| node.text().map(|text| self.resolved(text, 0))) {
            Some(Value::Known(name)) if self.found.authorizer(&name).is_some() => with_scopes(name, scopes),
            Some(Value::Known(name)) => by_function(&name, None),
            Some(Value::Unknown(what)) => Asks::Unknown(format!("its authorizer is not known: {}", printable(&what))),
            None => Asks::Unknown("its authorizer is not in this file".to_owned()),
        }
    }

    fn of_rest_api(&mut self, place: Place, event: &Node) -> Asks {
        let Some(node) = event.get("authorizer").filter(|node| !node.is_null()) else {
            return Asks::Nothing("its event names no authorizer".to_owned());
        };
        let own = node.text().map(|text| self.resolved(text, 0));
        let kind = self.text(node.get("type"));
        let is_iam =
            |value: &Option<Value>| matches!(value, Some(Value::Known(text)) if text.eq_ignore_ascii_case("aws_iam"));
        if is_iam(&own) || is_iam(&kind) {
            return by_iam();
        }
        let scopes = self.texts(node.get("scopes"));
        if let Some(native) =
            node.get("authorizerId").and_then(|id| self.of_resource("AWS::ApiGateway::Authorizer", id))
        {
            return self.native(&native, scopes);
        }
        let is_of_pools = matches!(&kind, Some(Value::Known(kind)) if kind.eq_ignore_ascii_case("COGNITO_USER_POOLS"));
        let arn = match &own {
            Some(own) => Some(own.clone()),
            None => self.naming_pools(node.get("arn")),
        };
        let name = match self.text(node.get("name")) {
            Some(Value::Known(name)) => Some(name),
            Some(Value::Unknown(_)) | None => None,
        };
        let pool = match arn {
            Some(Value::Known(arn)) if arn.contains(":userpool/") || is_of_pools => Value::Known(arn),
            Some(Value::Unknown(what)) if what.starts_with(USER_POOL) || is_of_pools => Value::Unknown(what),
            None if is_of_pools => {
                let id = node.get("authorizerId").map(|id| self.naming_pools(Some(id)));
                match id.flatten() {
                    Some(Value::Known(id) | Value::Unknown(id)) => {
                        Value::Unknown(format!("the pool of the authorizer {id}"))
                    }
                    None => return Asks::Unknown("its user pool is not in this file".to_owned()),
                }
            }
            Some(Value::Known(arn)) => return by_function(&arn, None),
            Some(Value::Unknown(what)) => {
                return Asks::Unknown(format!("its authorizer is not known: {}", printable(&what)));
            }
            None => return by_function(name.as_deref().unwrap_or("(without a name)"), None),
        };
        let (Value::Known(text) | Value::Unknown(text)) = &pool;
        let text = text.rsplit('/').next().unwrap_or(text).to_owned();
        let source = match self.text(node.get("identitySource")) {
            Some(Value::Known(text)) => vec![Source::parse(&text)],
            Some(Value::Unknown(text)) => vec![Source::Other(text)],
            None => Vec::new(),
        };
        let name = self.ensured(FoundAuthorizer {
            name: name.unwrap_or(text),
            place,
            tokens: Tokens::Cognito(vec![pool]),
            sources: source,
        });
        with_scopes(name, scopes)
    }

    fn web_socket(&mut self, place: Place, event: &Node) {
        let route = event.text().map(str::to_owned).or_else(|| match self.text(event.get("route")) {
            Some(Value::Known(route)) => Some(route),
            Some(Value::Unknown(_)) | None => None,
        });
        if route.as_deref() != Some("$connect") {
            return;
        }
        let asks = match event.get("authorizer").filter(|node| !node.is_null()) {
            None => Asks::Nothing("its event names no authorizer".to_owned()),
            Some(node) => {
                let name = node.text().or_else(|| node.get("name").and_then(Node::text));
                by_function(name.unwrap_or("(without a name)"), None)
            }
        };
        self.found.routes.push(FoundRoute { key: "$connect".to_owned(), place, asks, notes: Vec::new() });
    }

    fn native(&mut self, native: &Native, scopes: Vec<Value>) -> Asks {
        let name = self.ensured(authorizer("", native));
        with_scopes(name, scopes)
    }

    /// The authorizer among the resources that an expression refers to.
    fn of_resource(&self, kind: &str, id: &Node) -> Option<Native> {
        let Value::Known(name) = self.values.reference(Some(id))? else { return None };
        let (name, node) = self.values.resources(kind).find(|(of_kind, _)| *of_kind == name)?;
        native_of_resource(&self.values, name, node)
    }

    /// The name of this authorizer, which is added where it is new.
    fn ensured(&mut self, new: FoundAuthorizer) -> String {
        let is_same = |known: &&FoundAuthorizer| known.tokens == new.tokens && known.sources == new.sources;
        if let Some(known) = self.found.authorizers.iter().find(is_same) {
            return known.name.clone();
        }
        let mut name = new.name.clone();
        while self.found.authorizer(&name).is_some() {
            name.push('\'');
        }
        self.found.authorizers.push(FoundAuthorizer { name: name.clone(), ..new });
        name
    }

    fn text(&self, node: Option<&Node>) -> Option<Value> {
        match self.values.value(node)? {
            Value::Known(text) => Some(self.resolved(&text, 0)),
            unknown @ Value::Unknown(_) => Some(unknown),
        }
    }

    fn naming_pools(&self, node: Option<&Node>) -> Option<Value> {
        match self.values.naming_pools(node)? {
            Value::Known(text) => Some(self.resolved(&text, 0)),
            unknown @ Value::Unknown(_) => Some(unknown),
        }
    }

    fn texts(&self, node: Option<&Node>) -> Vec<Value> {
        let resolved = |value| match value {
            Value::Known(text) => self.resolved(&text, 0),
            unknown @ Value::Unknown(_) => unknown,
        };
        match node {
            Some(node) if node.text().is_some() => self.text(Some(node)).into_iter().collect(),
            node => self.values.values(node).into_iter().map(resolved).collect(),
        }
    }

    /// A text with the `${self:...}` in it that this file itself answers. All other variables are not known.
    fn resolved(&self, text: &str, depth: usize) -> Value {
        let unknown = || Value::Unknown(text.to_owned());
        let (mut whole, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((path, tail)) = after.split_once('}').filter(|_| depth < MAX_DEPTH) else { return unknown() };
            let Some(path) = path.strip_prefix("self:") else { return unknown() };
            let mut node = Some(self.root);
            for key in path.split('.') {
                node = node.and_then(|node| node.get(key));
            }
            let Some(found) = node.and_then(Node::text) else { return unknown() };
            let Value::Known(found) = self.resolved(found, depth + 1) else { return unknown() };
            whole.push_str(before);
            whole.push_str(&found);
            rest = tail;
            if whole.len() > MAX_TEXT {
                return unknown();
            }
        }
        whole.push_str(rest);
        Value::Known(whole)
    }
}

/// Variables within variables.
const MAX_DEPTH: usize = 8;

/// More than any path or issuer has.
const MAX_TEXT: usize = 10_000;
