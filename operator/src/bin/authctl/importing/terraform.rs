//! Terraform's plan or state as JSON (`terraform show -json`), with `aws_apigatewayv2_*` and `aws_api_gateway_*`.
//!
//! What is not known before the plan is applied is missing among the planned values; `after_unknown` and the
//! configuration's references tell it from what was left out.

use super::found::{Asks, Found, FoundAuthorizer, FoundRoute, Tokens};
use super::from_template::{by_function, by_iam, with_scopes};
use super::{openapi, parse};
use crate::template::{Node, Place, Source, USER_POOL, Value, method_of, route_key};
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeSet;

/// What the plan says of its APIs, or of the one that is named.
///
/// # Errors
/// The name is not that of an API.
pub(super) fn read(root: &Node, only: Option<&str>) -> Result<Found, String> {
    let mut plan = Plan { resources: Vec::new(), is_state: false, found: Found::default() };
    let changes = root.get("resource_changes").map_or(&[][..], Node::items);
    let values = root.get("planned_values").or_else(|| {
        plan.is_state = true;
        root.get("values")
    });
    let configuration = root.get("configuration").and_then(|configuration| configuration.get("root_module"));
    if let Some(module) = values.and_then(|values| values.get("root_module")) {
        plan.add_module(module, configuration, "", changes);
    }
    plan.only(only)?;
    plan.read();
    let mut found = plan.found;
    found.remarks.extend(found.unread.clone());
    Ok(found)
}

struct Plan<'p> {
    resources: Vec<Resource<'p>>,
    /// Nothing of a state is unknown.
    is_state: bool,
    found: Found,
}

/// A resource of a module.
#[derive(Clone, Copy)]
struct Resource<'p> {
    address: &'p str,
    module: &'p str,
    kind: &'p str,
    name: &'p str,
    node: &'p Node,
    values: &'p Node,
    expressions: Option<&'p Node>,
    after_unknown: Option<&'p Node>,
}

/// An attribute.
enum Attribute<'p> {
    Known(&'p Node),
    LeftOut,
    Unknown(BTreeSet<&'p str>),
}

impl<'p> Plan<'p> {
    fn add_module(&mut self, module: &'p Node, configuration: Option<&'p Node>, path: &'p str, changes: &'p [Node]) {
        let text = |node: &'p Node, key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let configured = configuration.and_then(|node| node.get("resources")).map_or(&[][..], Node::items);
        for node in module.get("resources").map_or(&[][..], Node::items) {
            let (kind, name, address) = (text(node, "type"), text(node, "name"), text(node, "address"));
            let Some(values) = node.get("values").filter(|_| text(node, "mode") == "managed") else { continue };
            let own = configured.iter().find(|own| (text(own, "type"), text(own, "name")) == (kind, name));
            let change = changes.iter().find(|change| text(change, "address") == address);
            let after_unknown = change.and_then(|change| change.get("change")?.get("after_unknown"));
            let expressions = own.and_then(|own| own.get("expressions"));
            self.resources.push(Resource {
                address,
                module: path,
                kind,
                name,
                node,
                values,
                expressions,
                after_unknown,
            });
        }
        let calls = configuration.and_then(|node| node.get("module_calls"));
        for child in module.get("child_modules").map_or(&[][..], Node::items) {
            let address = text(child, "address");
            let last = address.rsplit_once("module.").map_or(address, |(_, last)| last);
            let call = calls.and_then(|calls| calls.get(last.split('[').next().unwrap_or(last)));
            self.add_module(child, call.and_then(|call| call.get("module")), address, changes);
        }
    }

    /// Leaves the resources of one API.
    fn only(&mut self, only: Option<&str>) -> Result<(), String> {
        let Some(only) = only else { return Ok(()) };
        let is_meant = |api: &Resource<'_>| api.address == only || api.name == only;
        let apis: Vec<Resource<'_>> = self.of_kinds(&APIS).collect();
        if !apis.iter().any(is_meant) {
            let names: Vec<String> = apis.iter().map(|api| format!("`{}`", api.address)).collect();
            return Err(format!("there is no API `{}`; there are: {}", printable(only), printable(&names.join(", "))));
        }
        let others: BTreeSet<&str> = apis.iter().filter(|api| !is_meant(api)).map(|api| api.address).collect();
        let of_others: BTreeSet<&str> = self
            .resources
            .iter()
            .filter(|resource| {
                let api =
                    self.target(resource, "api_id", &APIS).or_else(|| self.target(resource, "rest_api_id", &APIS));
                others.contains(resource.address) || api.is_some_and(|api| others.contains(api.address))
            })
            .map(|resource| resource.address)
            .collect();
        self.resources.retain(|resource| !of_others.contains(resource.address));
        Ok(())
    }

    fn of_kinds<'s>(&'s self, kinds: &'s [&str]) -> impl Iterator<Item = Resource<'p>> + 's {
        self.resources.iter().filter(|resource| kinds.contains(&resource.kind)).copied()
    }

    fn read(&mut self) {
        for api in self.of_kinds(&APIS).collect::<Vec<_>>() {
            self.definition(api);
        }
        for authorizer in self.of_kinds(&AUTHORIZERS).collect::<Vec<_>>() {
            self.authorizer(authorizer);
        }
        for route in self.of_kinds(&["aws_apigatewayv2_route"]).collect::<Vec<_>>() {
            let api = self.target(&route, "api_id", &APIS);
            let is_socket = api.is_some_and(|api| self.known(&api, "protocol_type") == Some("WEBSOCKET"));
            match self.known(&route, "route_key") {
                Some(key) if is_socket && key != "$connect" => {}
                Some(key) => self.add(route, key.to_owned(), "authorization_type"),
                None => self.unread(route, "its key is not known before the plan is applied"),
            }
        }
        for method in self.of_kinds(&["aws_api_gateway_method"]).collect::<Vec<_>>() {
            let verb = self.known(&method, "http_method");
            match (verb, self.path(self.parent(&method, "resource_id"), 0)) {
                (Some(verb), Some(path)) => {
                    let verb = method_of(verb).unwrap_or_else(|| verb.to_owned());
                    let path = if path.is_empty() { "/".to_owned() } else { path };
                    self.add(method, route_key(&verb, &path), "authorization");
                }
                _ => self.unread(method, "its method or path is not known before the plan is applied"),
            }
        }
    }

    /// An OpenAPI definition, or the route that a quick create makes.
    fn definition(&mut self, api: Resource<'p>) {
        let place = Place::of(api.node);
        match self.attribute(&api, "body") {
            Attribute::LeftOut => {}
            Attribute::Unknown(_) => self.unread(api, "its definition is not known before the plan is applied"),
            Attribute::Known(body) => match body.text().map(parse) {
                Some(Ok(body)) => {
                    let defined = openapi::read(&body);
                    self.found
                        .authorizers
                        .extend(defined.authorizers.into_iter().map(|own| FoundAuthorizer { place, ..own }));
                    self.found.routes.extend(defined.routes.into_iter().map(|route| FoundRoute { place, ..route }));
                    self.found.unread.extend(defined.unread);
                }
                Some(Err(_)) | None => self.unread(api, "its definition could not be read"),
            },
        }
        if !matches!(self.attribute(&api, "target"), Attribute::LeftOut) {
            let key = self.known(&api, "route_key").unwrap_or("$default").to_owned();
            let asks = Asks::Nothing("a quick create makes it without an authorizer".to_owned());
            self.found.routes.push(FoundRoute { key, place, asks, notes: Vec::new() });
        }
    }

    fn authorizer(&mut self, authorizer: Resource<'p>) {
        let kind = self.known(&authorizer, "authorizer_type").or_else(|| self.known(&authorizer, "type"));
        let tokens = match kind {
            Some("JWT") => {
                let block = |node: Option<&'p Node>| node.and_then(|node| node.items().first());
                let values = block(authorizer.values.get("jwt_configuration"));
                let nested = Resource {
                    values: values.unwrap_or(authorizer.values),
                    expressions: block(authorizer.expressions.and_then(|node| node.get("jwt_configuration"))),
                    after_unknown: block(authorizer.after_unknown.and_then(|node| node.get("jwt_configuration"))),
                    ..authorizer
                };
                let issuer = match self.attribute(&nested, "issuer") {
                    Attribute::Known(node) => Value::Known(node.text().unwrap_or_default().to_owned()),
                    Attribute::Unknown(references) => self.pool(&nested, &references, "authorizer"),
                    Attribute::LeftOut => Value::Unknown(format!("the authorizer {}", authorizer.address)),
                };
                Tokens::Jwt { issuer, audience: self.texts(&nested, "audience") }
            }
            Some("COGNITO_USER_POOLS") => Tokens::Cognito(match self.attribute(&authorizer, "provider_arns") {
                Attribute::Known(_) => self.texts(&authorizer, "provider_arns"),
                Attribute::Unknown(references) => vec![self.pool(&authorizer, &references, "user pools of")],
                Attribute::LeftOut => vec![Value::Unknown(format!("the user pools of {}", authorizer.address))],
            }),
            _ => return,
        };
        let sources = match self.attribute(&authorizer, "identity_sources") {
            Attribute::LeftOut => self.texts(&authorizer, "identity_source"),
            Attribute::Known(_) | Attribute::Unknown(_) => self.texts(&authorizer, "identity_sources"),
        };
        let sources = sources.into_iter().map(|source| match source {
            Value::Known(text) => Source::parse(&text),
            Value::Unknown(expression) => Source::Other(expression),
        });
        let (name, place, sources) = (authorizer.address.to_owned(), Place::of(authorizer.node), sources.collect());
        self.found.authorizers.push(FoundAuthorizer { name, place, tokens, sources });
    }

    fn add(&mut self, route: Resource<'p>, key: String, authorization: &str) {
        let scopes = match self.attribute(&route, "authorization_scopes") {
            Attribute::LeftOut => Vec::new(),
            Attribute::Known(_) | Attribute::Unknown(_) => self.texts(&route, "authorization_scopes"),
        };
        let asks = match self.attribute(&route, authorization) {
            Attribute::LeftOut => Asks::Nothing("no authorizer is asked".to_owned()),
            Attribute::Unknown(_) => Asks::Unknown("who guards it is not known before the plan is applied".to_owned()),
            Attribute::Known(kind) => match kind.text() {
                Some("NONE") => Asks::Nothing("no authorizer is asked".to_owned()),
                Some("AWS_IAM") => by_iam(),
                _ => match self.target(&route, "authorizer_id", &AUTHORIZERS) {
                    Some(target) if self.found.authorizer(target.address).is_some() => {
                        with_scopes(target.address.to_owned(), scopes)
                    }
                    Some(target) => by_function(target.address, None),
                    None => Asks::Unknown("its authorizer is not known before the plan is applied".to_owned()),
                },
            },
        };
        let mut notes = Vec::new();
        if self.known(&route, "api_key_required") == Some("true") {
            notes.push("`api_key_required`: API Gateway goes on checking the API key".to_owned());
        }
        self.found.routes.push(FoundRoute { key, place: Place::of(route.node), asks, notes });
    }

    fn unread(&mut self, resource: Resource<'_>, why: &str) {
        self.found.unread.push(format!("{} was not read: {why}", printable(resource.address)));
    }

    /// The path of a resource, which is `None` where it is the root; outer `None` where it is not known.
    fn path(&self, resource: Option<Option<Resource<'p>>>, depth: usize) -> Option<String> {
        let Some(resource) = resource? else { return Some(String::new()) };
        if let Some(path) = self.known(&resource, "path") {
            return Some(path.to_owned());
        }
        if depth > MAX_DEPTH {
            return None;
        }
        let part = self.known(&resource, "path_part")?;
        Some(format!("{}/{part}", self.path(self.parent(&resource, "parent_id"), depth + 1)?))
    }

    /// The resource of a path that an attribute names: `Some(None)` for the root of the API.
    fn parent(&self, resource: &Resource<'p>, key: &str) -> Option<Option<Resource<'p>>> {
        let known = self.known(resource, key);
        let is_root = |api: Resource<'p>| match known {
            Some(id) => self.known(&api, "root_resource_id") == Some(id),
            None => self.references(resource, key).iter().any(|name| name.ends_with(".root_resource_id")),
        };
        if self.of_kinds(&APIS).any(is_root) {
            return self.target(resource, "rest_api_id", &APIS).map(|_| None);
        }
        self.target(resource, key, &["aws_api_gateway_resource"]).map(Some)
    }

    /// The one resource of these kinds that an attribute names.
    fn target(&self, from: &Resource<'p>, key: &str, kinds: &[&str]) -> Option<Resource<'p>> {
        let candidates = || self.resources.iter().filter(|resource| kinds.contains(&resource.kind));
        if let Some(id) = self.known(from, key) {
            return candidates().find(|resource| self.known(resource, "id") == Some(id)).copied();
        }
        let references = self.references(from, key);
        let names: BTreeSet<String> = references.iter().map(|reference| resource_of(reference)).collect();
        // An expression that names anything else may choose.
        let [name] = names.into_iter().collect::<Vec<_>>().try_into().ok()?;
        let name: String = name;
        let local = |resource: &Resource<'p>| {
            let prefix = if resource.module.is_empty() { String::new() } else { format!("{}.", resource.module) };
            resource.address.strip_prefix(&prefix).unwrap_or(resource.address).to_owned()
        };
        let mut same = candidates().filter(|resource| {
            let own = local(resource);
            resource.module == from.module && (own == name || own.split('[').next() == Some(name.as_str()))
        });
        let first = same.next()?;
        same.next().is_none().then_some(*first)
    }

    fn references(&self, resource: &Resource<'p>, key: &str) -> BTreeSet<&'p str> {
        match self.attribute(resource, key) {
            Attribute::Unknown(references) => references,
            Attribute::Known(_) | Attribute::LeftOut => BTreeSet::new(),
        }
    }

    fn known(&self, resource: &Resource<'p>, key: &str) -> Option<&'p str> {
        resource.values.get(key).filter(|node| !node.is_null()).and_then(Node::text)
    }

    fn attribute(&self, resource: &Resource<'p>, key: &str) -> Attribute<'p> {
        let expression = resource.expressions.and_then(|expressions| expressions.get(key));
        let references = expression.and_then(|node| node.get("references")).map_or(&[][..], Node::items);
        let references: BTreeSet<&str> = references.iter().filter_map(Node::text).collect();
        let unknown = resource.after_unknown.and_then(|node| node.get(key));
        let is_unknown = unknown.is_some_and(|node| node.text() == Some("true") || has_true(node));
        match resource.values.get(key).filter(|node| !node.is_null()) {
            Some(value) if !is_unknown => Attribute::Known(value),
            Some(_) => Attribute::Unknown(references),
            None if self.is_state => Attribute::LeftOut,
            None if is_unknown => Attribute::Unknown(references),
            // Where the plan says what is unknown, this is not.
            None if resource.after_unknown.is_some() || references.is_empty() => Attribute::LeftOut,
            None => Attribute::Unknown(references),
        }
    }

    fn texts(&self, resource: &Resource<'p>, key: &str) -> Vec<Value> {
        match self.attribute(resource, key) {
            Attribute::LeftOut => Vec::new(),
            Attribute::Unknown(_) => vec![Value::Unknown(format!("`{key}` of {}", resource.address))],
            Attribute::Known(node) => match node.text() {
                Some(text) => vec![Value::Known(text.to_owned())],
                None => {
                    let unknown = || Value::Unknown(format!("`{key}` of {}", resource.address));
                    node.items()
                        .iter()
                        .map(|item| match item.text() {
                            Some(text) if !item.is_null() => Value::Known(text.to_owned()),
                            _ => unknown(),
                        })
                        .collect()
                }
            },
        }
    }

    /// The user pool that an unknown value is made from, where it is made from one and a Region alone.
    fn pool(&self, resource: &Resource<'p>, references: &BTreeSet<&str>, what: &str) -> Value {
        let is_region = |name: &String| name.starts_with("data.aws_region.");
        let names: BTreeSet<String> = references.iter().map(|reference| resource_of(reference)).collect();
        let names: Vec<String> = names.into_iter().filter(|name| !is_region(name)).collect();
        match names.as_slice() {
            [pool] if pool.starts_with("aws_cognito_user_pool.") => {
                let module = if resource.module.is_empty() { String::new() } else { format!("{}.", resource.module) };
                Value::Unknown(format!("{USER_POOL}{module}{pool}"))
            }
            _ => Value::Unknown(format!("the {what} {}", resource.address)),
        }
    }
}

/// Whether some part of it is not known.
fn has_true(node: &Node) -> bool {
    node.text() == Some("true")
        || node.items().iter().any(has_true)
        || node.entries().iter().any(|(_, node)| has_true(node))
}

/// The resource of a reference: `aws_cognito_user_pool.main.id` is of `aws_cognito_user_pool.main`.
fn resource_of(reference: &str) -> String {
    let count = if reference.starts_with("data.") { 3 } else { 2 };
    // A key of `for_each` may have dots in it.
    let (head, key) = match reference.find('[') {
        Some(start) => match reference.rfind(']') {
            Some(end) => (reference.get(..start).unwrap_or_default(), reference.get(start..=end).unwrap_or_default()),
            None => (reference, ""),
        },
        None => (reference, ""),
    };
    format!("{}{key}", head.split('.').take(count).collect::<Vec<_>>().join("."))
}

const APIS: [&str; 2] = ["aws_apigatewayv2_api", "aws_api_gateway_rest_api"];

const AUTHORIZERS: [&str; 2] = ["aws_apigatewayv2_authorizer", "aws_api_gateway_authorizer"];

/// More than a path of API Gateway's has segments.
const MAX_DEPTH: usize = 100;
