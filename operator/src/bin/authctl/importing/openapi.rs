//! A file that is an OpenAPI description (3.x, and 2.0 where API Gateway exports it).
//!
//! Schemes with `x-amazon-apigateway-authorizer` mean what API Gateway makes of them: one of the scopes does. The others
//! mean what OpenAPI says: all of the scopes are needed (4.8.30 Security Requirement Object).

use super::found::{Asks, Found, FoundAuthorizer, FoundRoute, Scopes, Tokens, Way};
use super::from_template::{authorizer, by_function, by_iam};
use crate::template::{Node, Place, Values, method_of, native_of_scheme, route_key};
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeMap;

/// What a scheme is to an authorizer.
enum Scheme {
    /// Its tokens carry scopes; whether one is enough.
    Token { one_scope_is_enough: bool },
    /// It says who pays, beside who calls.
    ApiKey,
    /// What no rule can be made from.
    Other(Asks),
}

/// What the document says.
pub(super) fn read(root: &Node) -> Found {
    let parameters = BTreeMap::new();
    let values = Values::new(root, &parameters);
    let mut found = Found::default();
    let components = root.get("components").and_then(|components| components.get("securitySchemes"));
    let nodes = components.or_else(|| root.get("securityDefinitions")).map_or(&[][..], Node::entries);
    let mut schemes: Vec<(&str, Scheme)> = Vec::new();
    for (name, node) in nodes {
        schemes.push((name, scheme(&values, name, node, &mut found.authorizers)));
    }
    for server in root.get("servers").map_or(&[][..], Node::items) {
        let url = server.get("url").and_then(Node::text).unwrap_or_default();
        let behind_host =
            url.split_once("://").map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let base = behind_host.trim_matches('/');
        if !base.is_empty() && !base.starts_with('{') {
            found.remarks.push(format!(
                "the server `{}` has the path /{}: routes are without it, where it is the stage or a base path mapping",
                printable(url),
                printable(base)
            ));
        }
    }
    let default = root.get("security");
    for (path, item) in root.get("paths").map_or(&[][..], Node::entries) {
        if item.get("$ref").is_some() || path.starts_with("Fn::") {
            found.unread.push(format!("the operations of `{}` are in another file", printable(path)));
            continue;
        }
        for (name, operation) in item.entries() {
            let Some(method) = method_of(name) else { continue };
            let security = operation.get("security").or(default);
            let mut notes = Vec::new();
            let asks = match security {
                None => Asks::Nothing("it asks for no security".to_owned()),
                Some(security) => asks(security, &schemes, &mut notes),
            };
            let place = Place::of(operation);
            found.routes.push(FoundRoute { key: route_key(&method, path), place, asks, notes });
        }
    }
    found.remarks.extend(found.unread.clone());
    values.into_remarks().into_iter().for_each(|remark| found.remarks.push(remark));
    found
}

fn scheme(values: &Values<'_>, name: &str, node: &Node, authorizers: &mut Vec<FoundAuthorizer>) -> Scheme {
    let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
    if let Some(native) = native_of_scheme(values, name, node) {
        authorizers.push(authorizer("", &native));
        return Scheme::Token { one_scope_is_enough: true };
    }
    if let Some(extension) = node.get("x-amazon-apigateway-authorizer") {
        let function = extension.get("authorizerUri").map(|uri| values.function(Some(uri)));
        return Scheme::Other(match function {
            Some(function) => by_function(name, Some(&function)),
            None => Asks::Unknown(format!("the authorizer of `{name}` is not one that was read")),
        });
    }
    if text("x-amazon-apigateway-authtype").eq_ignore_ascii_case("awsSigv4") {
        return Scheme::Other(by_iam());
    }
    let issuer = match (text("type"), text("scheme").to_ascii_lowercase().as_str()) {
        ("http", "bearer") | ("oauth2", _) => None,
        ("openIdConnect", _) => {
            text("openIdConnectUrl").strip_suffix("/.well-known/openid-configuration").map(str::to_owned)
        }
        ("apiKey", _) if text("in") == "header" && text("name").eq_ignore_ascii_case("x-api-key") => {
            return Scheme::ApiKey;
        }
        (kind, _) => {
            let kind = if kind.is_empty() { "another file's" } else { kind };
            return Scheme::Other(Asks::Unknown(format!(
                "`{name}` ({kind}) asks for no token that a rule could look at"
            )));
        }
    };
    let (name, place, tokens) = (name.to_owned(), Place::of(node), Tokens::Described(issuer));
    authorizers.push(FoundAuthorizer { name, place, tokens, sources: Vec::new() });
    Scheme::Token { one_scope_is_enough: false }
}

/// One of these requirements is enough; all schemes of one are needed.
fn asks(security: &Node, schemes: &[(&str, Scheme)], notes: &mut Vec<String>) -> Asks {
    let requirements = security.items();
    if requirements.iter().any(|requirement| requirement.entries().is_empty()) {
        return Asks::Nothing("one of its security requirements is empty".to_owned());
    }
    if requirements.is_empty() {
        return Asks::Nothing("its `security` is empty".to_owned());
    }
    let (mut ways, mut others) = (Vec::new(), Vec::new());
    for requirement in requirements {
        match way(requirement, schemes, notes) {
            Ok(way) => ways.push(way),
            Err(why) => others.push(why),
        }
    }
    if ways.is_empty() {
        return Asks::Unknown(others.join("; "));
    }
    notes.extend(others.into_iter().map(|why| format!("left out one way in: {why}")));
    Asks::Token(ways)
}

fn way(requirement: &Node, schemes: &[(&str, Scheme)], notes: &mut Vec<String>) -> Result<Way, String> {
    let mut tokens = Vec::new();
    for (name, scopes) in requirement.entries() {
        match schemes.iter().find(|(known, _)| known == name).map(|(_, scheme)| scheme) {
            None => return Err(format!("the document has no scheme `{name}`")),
            Some(Scheme::Other(Asks::Unknown(why))) => return Err(why.clone()),
            Some(Scheme::Other(_)) => return Err(format!("`{name}` was not read")),
            Some(Scheme::ApiKey) => {
                let note = format!("`{name}`: API Gateway goes on checking the API key");
                if requirement.entries().len() > 1 && !notes.contains(&note) {
                    notes.push(note);
                }
            }
            Some(Scheme::Token { one_scope_is_enough }) => {
                let names = scopes.items().iter().map(|scope| scope.text().map(str::to_owned));
                let names: Vec<String> =
                    names.collect::<Option<_>>().ok_or_else(|| format!("the scopes of `{name}` are no texts"))?;
                let scopes = match (names.is_empty(), one_scope_is_enough) {
                    (true, _) => Scopes::None,
                    (false, true) => Scopes::Any(names),
                    (false, false) => Scopes::All(names),
                };
                tokens.push(Way { authorizer: name.clone(), scopes });
            }
        }
    }
    match <[Way; 1]>::try_from(tokens) {
        Ok([way]) => Ok(way),
        Err(none) if none.is_empty() => Err("an API key alone says who pays, not who calls".to_owned()),
        Err(_) => Err("two tokens are asked for at once".to_owned()),
    }
}
