//! SAM and CloudFormation templates, those that the CDK synthesizes too.

use super::found::{Asks, Found, FoundAuthorizer, FoundRoute, Scopes, Tokens, Way};
use crate::template::{Api, Guard, Native, NativeTokens, Template, Value};
use cognito_authorizer_operator::revoking::printable;

/// What the template says of its APIs, or of the one that is named.
///
/// # Errors
/// The name is not that of an API.
pub(super) fn read(template: &Template, only: Option<&str>) -> Result<Found, String> {
    let names = || printable(&template.apis.iter().map(|api| format!("`{}`", api.name)).collect::<Vec<_>>().join(", "));
    let is_meant = |api: &&Api| only.is_none_or(|only| api.name == only);
    let apis: Vec<&Api> = template.apis.iter().filter(is_meant).collect();
    if let (Some(only), []) = (only, apis.as_slice()) {
        return Err(format!("there is no API `{}`; there are: {}", printable(only), names()));
    }
    let mut found = Found { remarks: template.remarks.clone(), ..Found::default() };
    found.remarks.extend(template.stacks.iter().map(|name| format!("{name} is a stack of its own, and was not read")));
    // Whose routes they are is not always known, so that they count for every API.
    found.unread = template.remarks.iter().filter(|remark| remark.contains("read")).cloned().collect();
    for api in &apis {
        if !api.routes_are_known && found.unread.is_empty() {
            found.unread.push(format!("not all routes of {} are known before it is deployed", api.name));
        }
        let prefix = if apis.len() > 1 { format!("{}/", api.name) } else { String::new() };
        found.authorizers.extend(api.natives.iter().map(|native| authorizer(&prefix, native)));
        found.routes.extend(api.routes.iter().map(|route| {
            let mut notes = Vec::new();
            if apis.len() > 1 {
                notes.push(format!("of {}", api.name));
            }
            let asks = asks(api, &prefix, &route.guard, route.scopes.as_deref());
            FoundRoute { key: route.key.clone(), place: route.place, asks, notes }
        }));
    }
    Ok(found)
}

/// What an authorizer of API Gateway's own takes.
pub(super) fn authorizer(prefix: &str, native: &Native) -> FoundAuthorizer {
    let tokens = match &native.tokens {
        NativeTokens::Jwt { issuer, audience } => Tokens::Jwt { issuer: issuer.clone(), audience: audience.clone() },
        NativeTokens::UserPools(pools) => Tokens::Cognito(pools.clone()),
    };
    FoundAuthorizer {
        name: format!("{prefix}{}", native.name),
        place: native.place,
        tokens,
        sources: native.sources.clone(),
    }
}

fn asks(api: &Api, prefix: &str, guard: &Guard, scopes: Option<&[Value]>) -> Asks {
    let name = match guard {
        Guard::Open => return Asks::Nothing("no authorizer is asked".to_owned()),
        Guard::Authorizer(name) => {
            let of_name = api.authorizers.iter().find(|authorizer| authorizer.name == *name);
            return by_function(name, of_name.map(|authorizer| authorizer.function.as_str()));
        }
        Guard::Other(name) if name == "AWS_IAM" => return by_iam(),
        Guard::Other(name) => name,
        Guard::Unknown(what) => {
            return Asks::Unknown(format!("who guards it is not known before it is deployed: {what}"));
        }
    };
    match api.natives.iter().find(|native| native.name == *name) {
        Some(native) => with_scopes(format!("{prefix}{name}"), scopes.unwrap_or(&native.scopes).to_vec()),
        None => Asks::Unknown(format!("`{name}` guards it, and was not read")),
    }
}

/// A token of this authorizer with one of these scopes.
pub(super) fn with_scopes(authorizer: String, scopes: Vec<Value>) -> Asks {
    match Scopes::any(scopes) {
        Ok(scopes) => Asks::Token(vec![Way { authorizer, scopes }]),
        Err(what) => Asks::Unknown(format!("{what} is not known before it is deployed")),
    }
}

/// A Lambda authorizer decides.
pub(super) fn by_function(name: &str, function: Option<&str>) -> Asks {
    let function = function.filter(|function| *function != name).map(|function| format!(" (function `{function}`)"));
    let function = function.unwrap_or_default();
    Asks::Unknown(format!("the Lambda authorizer `{name}`{function} decides, and what it asks is not in this file"))
}

/// IAM decides.
pub(super) fn by_iam() -> Asks {
    Asks::Unknown("IAM decides (AWS_IAM), and no token is asked for".to_owned())
}
