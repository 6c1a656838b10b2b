//! One authorizer, as SAM, OpenAPI and CloudFormation write it.

use super::api::{ApiKind, Authorizer, Format, Native, NativeTokens, Place, Source, Ttl};
use super::node::{Node, empty};
use super::value::{Value, Values};

/// SAM's `Auth.Authorizers.<name>`; `None` where API Gateway decides by itself.
pub(super) fn of_sam(values: &Values<'_>, kind: ApiKind, name: &str, node: &Node) -> Option<Authorizer> {
    let function = node.get("FunctionArn")?;
    let format = match kind {
        ApiKind::Rest => match values.value(node.get("FunctionPayloadType")) {
            None => Format::RestToken,
            Some(value) => rest_format(value),
        },
        ApiKind::Http | ApiKind::WebSocket => http_format(
            values.value(node.get("AuthorizerPayloadFormatVersion")),
            values.value(node.get("EnableSimpleResponses")),
        ),
    };
    let owner = format!("the authorizer {name}");
    let empty = empty();
    let identity = values.section(&owner, node, "Identity");
    // What cannot be read is not taken to be in the key, nor the cache to be off.
    let is_hidden = identity.is_none() && node.get("Identity").is_some_and(|identity| !identity.is_null());
    let identity = identity.unwrap_or(&empty);
    let ttl = match is_hidden {
        true => Ttl::Unknown("what `Identity` says".to_owned()),
        false => ttl(values.value(identity.get("ReauthorizeEvery")), kind),
    };
    let mut sources = Vec::new();
    if format == Format::RestToken {
        let header = values.value(identity.get("Header")).unwrap_or(Value::Known("Authorization".to_owned()));
        sources.push(source(header, |header| Source::Header(header.to_ascii_lowercase())));
    } else {
        let mut add = |key: &str, make: fn(String) -> Source| {
            sources.extend(values.values(identity.get(key)).into_iter().map(|value| source(value, make)));
        };
        add("Headers", |name| Source::Header(name.to_ascii_lowercase()));
        add("QueryStrings", Source::Query);
        add("Context", Source::Context);
        add("StageVariables", |name| Source::Other(format!("stageVariables.{name}")));
    }
    Some(Authorizer { name: name.to_owned(), function: values.function(Some(function)), format, ttl, sources })
}

/// A security scheme of an OpenAPI definition; `None` where API Gateway decides by itself.
pub(super) fn of_scheme(values: &Values<'_>, kind: ApiKind, name: &str, scheme: &Node) -> Option<Authorizer> {
    let node = scheme.get("x-amazon-apigateway-authorizer")?;
    let uri = node.get("authorizerUri")?;
    let format = match kind {
        ApiKind::Rest => rest_format(values.value(node.get("type"))?),
        ApiKind::Http | ApiKind::WebSocket => http_format(
            values.value(node.get("authorizerPayloadFormatVersion")),
            values.value(node.get("enableSimpleResponses")),
        ),
    };
    let mut sources = sources(values, node.get("identitySource"));
    if let (Format::RestToken, Some(header)) = (&format, values.value(scheme.get("name"))) {
        sources = vec![source(header, |header| Source::Header(header.to_ascii_lowercase()))];
    }
    let ttl = ttl(values.value(node.get("authorizerResultTtlInSeconds")), kind);
    Some(Authorizer { name: name.to_owned(), function: values.function(Some(uri)), format, ttl, sources })
}

/// `AWS::ApiGateway::Authorizer` and `AWS::ApiGatewayV2::Authorizer`; `None` where API
/// Gateway decides by itself.
pub(super) fn of_resource(values: &Values<'_>, kind: ApiKind, name: &str, node: &Node) -> Option<Authorizer> {
    let uri = node.get("AuthorizerUri")?;
    let format = match kind {
        ApiKind::Rest => values.value(node.get("Type")).map_or(Format::Unclear("no `Type`".to_owned()), rest_format),
        ApiKind::WebSocket => Format::WebSocket,
        ApiKind::Http => http_format(
            values.value(node.get("AuthorizerPayloadFormatVersion")),
            values.value(node.get("EnableSimpleResponses")),
        ),
    };
    let ttl = ttl(values.value(node.get("AuthorizerResultTtlInSeconds")), kind);
    let sources = sources(values, node.get("IdentitySource"));
    Some(Authorizer { name: name.to_owned(), function: values.function(Some(uri)), format, ttl, sources })
}

/// SAM's `Auth.Authorizers.<name>` of API Gateway's own kind.
pub(super) fn native_of_sam(values: &Values<'_>, kind: ApiKind, name: &str, node: &Node) -> Option<Native> {
    let (tokens, sources) = match kind {
        ApiKind::Rest => {
            let identity = node.get("Identity").and_then(|identity| values.value(identity.get("Header")));
            let header = identity.map(|header| source(header, |header| Source::Header(header.to_ascii_lowercase())));
            (user_pools(values, node.get("UserPoolArn"))?, header.into_iter().collect())
        }
        ApiKind::Http | ApiKind::WebSocket => {
            (jwt(values, node.get("JwtConfiguration")?)?, sources(values, node.get("IdentitySource")))
        }
    };
    let scopes = values.values(node.get("AuthorizationScopes"));
    Some(Native { name: name.to_owned(), place: Place::of(node), tokens, scopes, sources })
}

/// A security scheme of an OpenAPI definition with an authorizer of API Gateway's own kind.
pub(crate) fn native_of_scheme(values: &Values<'_>, name: &str, scheme: &Node) -> Option<Native> {
    let node = scheme.get("x-amazon-apigateway-authorizer").filter(|node| node.get("authorizerUri").is_none())?;
    let tokens = match node.get("jwtConfiguration") {
        Some(configuration) => jwt(values, configuration)?,
        None => user_pools(values, node.get("providerARNs"))?,
    };
    let mut sources = sources(values, node.get("identitySource"));
    if let (NativeTokens::UserPools(_), Some(header)) = (&tokens, values.value(scheme.get("name"))) {
        sources = vec![source(header, |header| Source::Header(header.to_ascii_lowercase()))];
    }
    Some(Native { name: name.to_owned(), place: Place::of(node), tokens, scopes: Vec::new(), sources })
}

/// `AWS::ApiGateway::Authorizer` and `AWS::ApiGatewayV2::Authorizer` of API Gateway's own kind.
pub(crate) fn native_of_resource(values: &Values<'_>, name: &str, node: &Node) -> Option<Native> {
    let tokens = match node.get("JwtConfiguration") {
        Some(configuration) => jwt(values, configuration)?,
        None => user_pools(values, node.get("ProviderARNs"))?,
    };
    let sources = sources(values, node.get("IdentitySource"));
    Some(Native { name: name.to_owned(), place: Place::of(node), tokens, scopes: Vec::new(), sources })
}

/// SAM and OpenAPI begin the keys with a small letter, CloudFormation with a capital.
fn jwt(values: &Values<'_>, node: &Node) -> Option<NativeTokens> {
    let either = |small: &str, capital: &str| node.get(small).or_else(|| node.get(capital));
    let issuer = values.naming_pools(either("issuer", "Issuer"))?;
    Some(NativeTokens::Jwt { issuer, audience: values.values(either("audience", "Audience")) })
}

fn user_pools(values: &Values<'_>, node: Option<&Node>) -> Option<NativeTokens> {
    let pools = match node?.items() {
        [] => values.naming_pools(node).into_iter().collect(),
        items => items.iter().filter_map(|item| values.naming_pools(Some(item))).collect::<Vec<_>>(),
    };
    (!pools.is_empty()).then_some(NativeTokens::UserPools(pools))
}

/// Identity sources in API Gateway's own words: a list, or one text with commas.
pub(super) fn sources(values: &Values<'_>, node: Option<&Node>) -> Vec<Source> {
    values.values(node).into_iter().map(|value| source(value, |text| Source::parse(&text))).collect()
}

fn source(value: Value, known: impl Fn(String) -> Source) -> Source {
    match value {
        Value::Known(text) => known(text),
        Value::Unknown(expression) => Source::Other(expression),
    }
}

fn rest_format(value: Value) -> Format {
    match value {
        Value::Known(text) if text.eq_ignore_ascii_case("TOKEN") => Format::RestToken,
        Value::Known(text) if text.eq_ignore_ascii_case("REQUEST") => Format::RestRequest,
        Value::Known(text) | Value::Unknown(text) => Format::Unclear(text),
    }
}

fn http_format(version: Option<Value>, simple: Option<Value>) -> Format {
    let simple = match simple {
        None => Some(false),
        Some(Value::Known(text)) if text.eq_ignore_ascii_case("true") => Some(true),
        Some(Value::Known(text)) if text.eq_ignore_ascii_case("false") => Some(false),
        Some(Value::Known(_) | Value::Unknown(_)) => None,
    };
    match (version, simple) {
        (Some(Value::Known(version)), Some(true)) if version == "2.0" || version == "2" => Format::Http2Simple,
        (Some(Value::Known(version)), Some(false)) if version == "2.0" || version == "2" => Format::Http2Policy,
        (Some(Value::Known(version)), Some(false)) if version == "1.0" || version == "1" => Format::Http1,
        (Some(Value::Known(version)), Some(true)) => Format::Unclear(format!("format {version} with simple answers")),
        (Some(Value::Known(version) | Value::Unknown(version)), _) => Format::Unclear(format!("format {version}")),
        (None, _) => Format::Unclear("no payload format version".to_owned()),
    }
}

/// A REST API keeps answers for five minutes where nothing is said, the others not at all.
pub(super) fn ttl(value: Option<Value>, kind: ApiKind) -> Ttl {
    match (value, kind) {
        (_, ApiKind::WebSocket) | (None, ApiKind::Http) => Ttl::Off,
        (None, ApiKind::Rest) => Ttl::Seconds(300),
        (Some(Value::Known(text)), _) => match text.parse() {
            Ok(0) => Ttl::Off,
            Ok(seconds) => Ttl::Seconds(seconds),
            Err(_) => Ttl::Unknown(text),
        },
        (Some(Value::Unknown(expression)), _) => Ttl::Unknown(expression),
    }
}
