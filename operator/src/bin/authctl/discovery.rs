//! `authctl discovery`: the metadata of a protected resource (RFC 9728), made of the configuration, for OAuth clients that
//! look for the issuer and the scopes themselves, as MCP clients do. Pure.

use crate::Outcome;
use crate::arguments::{Discovery, DiscoveryFormat};
use crate::table::read_config;
use cognito_authorizer::config::{Config, ConfigText, Environment};
use cognito_authorizer::gateway::{EventKind, TokenSource};
use cognito_authorizer::http::Address;
use cognito_authorizer::token::{Audience, Expectations, IssuerKind};
use cognito_authorizer_operator::revoking::printable;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) fn run(arguments: &Discovery, environment: Environment) -> Result<Outcome, String> {
    let environment = environment.with(arguments.set.iter().map(|set| (set.name.clone(), set.value.0.clone())));
    let text = match &arguments.config {
        Some(path) => read_config(path),
        None => ConfigText::find(&environment),
    };
    let config = text.and_then(|text| Config::parse(&text, &environment));
    let config = config.map_err(|faults| printable(&faults.to_string()))?;
    let resource = Resource::parse(&arguments.resource, arguments.base_path.as_deref().unwrap_or_default())?;
    let document = document(&config, &arguments.resource)?;
    Ok(Outcome::done(match arguments.format {
        DiscoveryFormat::Json => format!("{document:#}\n"),
        DiscoveryFormat::Template => template(&resource, &document),
    }))
}

/// Where the resource and its metadata are.
#[derive(Debug, PartialEq, Eq)]
struct Resource {
    /// Scheme, host and port.
    origin: String,
    /// What a stage or a base path mapping takes off the path before the API sees it.
    base: String,
    /// The path as the API sees it; empty for the whole API.
    path: String,
}

impl Resource {
    /// RFC 9728, 1.2: an `https` URL without a fragment. A query would be no path of the API.
    fn parse(text: &str, base: &str) -> Result<Self, String> {
        Address::parse(text).map_err(|error| format!("--resource: {error}"))?;
        let path_is_plain = |path: &str| {
            path.split('/').skip(1).all(|segment| {
                !segment.is_empty()
                    && !matches!(segment, "." | "..")
                    && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
            })
        };
        let (scheme, rest) = text.split_once("://").ok_or("--resource: must be a URL")?;
        let (host, path) = rest.find('/').map_or((rest, ""), |start| rest.split_at(start));
        let path = path.strip_suffix('/').unwrap_or(path);
        if host.contains(['?', '"', '\'', '\\']) || !path_is_plain(path) {
            return Err(
                "--resource: its path may have letters, digits and `-._~` alone, and it has no query".to_owned()
            );
        }
        let base = base.strip_suffix('/').unwrap_or(base);
        if !(base.is_empty() || base.starts_with('/')) || !path_is_plain(base) {
            return Err("--base-path: must begin with a slash, such as `/v1`".to_owned());
        }
        let below = path.strip_prefix(base).filter(|below| below.is_empty() || below.starts_with('/'));
        let below = below.ok_or_else(|| format!("--resource: its path does not begin with `{base}`"))?;
        Ok(Self { origin: format!("{scheme}://{host}"), base: base.to_owned(), path: below.to_owned() })
    }

    /// RFC 9728, 3.1: the well-known part stands between the host and the resource's path.
    fn metadata_path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.path)
    }

    fn metadata_url(&self) -> String {
        format!("{}{}{}", self.origin, self.base, self.metadata_path())
    }
}

fn document(config: &Config, name: &str) -> Result<Value, String> {
    let servers: BTreeSet<&str> = config.expectations().filter_map(authorization_server).collect();
    if servers.is_empty() {
        return Err(
            "no issuer of the configuration is an authorization server that clients could find by its URL".to_owned()
        );
    }
    // A token that is bound to another resource would be refused: say so before clients ask for one.
    for issuer in config.expectations().filter(|issuer| authorization_server(issuer).is_some()) {
        if let Audience::OneOf(audiences) = &issuer.audience
            && !audiences.iter().any(|audience| audience.as_str() == name)
        {
            return Err(format!(
                "`{}` accepts other audiences than `{name}`, which clients ask tokens for (RFC 8707): add it to `audience`",
                printable(&issuer.issuer)
            ));
        }
    }
    let scopes: BTreeSet<&str> = config.rules().iter().flat_map(|(_, rule)| rule.requirement.scopes()).collect();
    let mut document = json!({
        "resource": name,
        "authorization_servers": servers,
        "bearer_methods_supported": methods(config),
    });
    if let (Value::Object(document), false) = (&mut document, scopes.is_empty()) {
        document.insert("scopes_supported".to_owned(), json!(scopes));
    }
    Ok(document)
}

/// An issuer that is one name, and a URL; keys, certificates and signatures have none.
fn authorization_server(issuer: &Expectations) -> Option<&str> {
    let is_one = issuer.tenants.is_none() && Address::parse(&issuer.issuer).is_ok();
    let is_issuer = matches!(issuer.kind, IssuerKind::Cognito { .. } | IssuerKind::Oidc);
    (is_one && is_issuer).then_some(&*issuer.issuer)
}

/// RFC 6750, section 2, by the names of RFC 9728: where REST APIs take the token.
fn methods(config: &Config) -> BTreeSet<&'static str> {
    let sources = config.token_sources().of(EventKind::RestRequest).iter();
    let method = |source: &TokenSource| match source {
        TokenSource::Header(name) if name.eq_ignore_ascii_case("authorization") => Some("header"),
        TokenSource::Query(name) if name == "access_token" => Some("query"),
        TokenSource::Header(_) | TokenSource::Query(_) | TokenSource::Cookie(..) | TokenSource::Subprotocol(_) => None,
    };
    sources.filter_map(method).collect()
}

/// Properties of an `AWS::Serverless::Api`: mock integrations without an authorizer, and a 401 that points to them.
fn template(resource: &Resource, document: &Value) -> String {
    let path = resource.metadata_path();
    let url = resource.metadata_url();
    let body = velocity(&document.to_string());
    format!(
        r#"# Made by `authctl discovery`: properties of an AWS::Serverless::Api, to be merged with those that it has.
# Beside it, SAM spoils events with `Method: ANY`: name their methods (docs/mcp.md).
MergeDefinitions: true
DefinitionBody:
  openapi: 3.0.1
  info: {{ title: Protected resource metadata, version: "1" }}
  paths:
    {path}:
      get:
        security: [{{ NONE: [] }}] # the document is for clients that have no token yet
        responses:
          "200":
            description: RFC 9728
            headers:
              Access-Control-Allow-Origin: {{ schema: {{ type: string }} }}
              Cache-Control: {{ schema: {{ type: string }} }}
        x-amazon-apigateway-integration:
          type: mock
          requestTemplates: {{ application/json: '{{"statusCode": 200}}' }}
          responses:
            default:
              statusCode: "200"
              responseParameters:
                method.response.header.Access-Control-Allow-Origin: "'*'"
                method.response.header.Cache-Control: "'max-age=300'"
              responseTemplates:
                application/json: '{body}'
      options:
        security: [{{ NONE: [] }}]
        responses:
          "200":
            description: CORS
            headers:
              Access-Control-Allow-Origin: {{ schema: {{ type: string }} }}
              Access-Control-Allow-Headers: {{ schema: {{ type: string }} }}
              Access-Control-Allow-Methods: {{ schema: {{ type: string }} }}
        x-amazon-apigateway-integration:
          type: mock
          requestTemplates: {{ application/json: '{{"statusCode": 200}}' }}
          responses:
            default:
              statusCode: "200"
              responseParameters:
                method.response.header.Access-Control-Allow-Origin: "'*'"
                method.response.header.Access-Control-Allow-Headers: "'*'"
                method.response.header.Access-Control-Allow-Methods: "'GET'"
              responseTemplates: {{ application/json: '{{}}' }}
GatewayResponses:
  UNAUTHORIZED:
    StatusCode: 401
    ResponseParameters:
      Headers:
        WWW-Authenticate: "'Bearer resource_metadata=\"{url}\"'"
    ResponseTemplates:
      application/json: '{{"message":$context.error.messageString}}'
"#
    )
}

/// JSON text as a Velocity template in single quotes of YAML: what Velocity or YAML would read is written as JSON's own escapes.
fn velocity(json: &str) -> String {
    json.replace('$', "\\u0024").replace('#', "\\u0023").replace('\'', "\\u0027")
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUERS: &str = "{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }";

    fn config(issuers: &str, more: &str) -> Config {
        let text = format!("issuers: [{issuers}]\n{more}");
        let text = ConfigText { text, folder: "tests".into() };
        Config::parse(&text, &Environment::default()).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn routes(requirement: &str) -> String {
        format!("routes: {{ 'GET /a': {requirement} }}")
    }

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (resource, base, path, url) in [
            ("https://a.example", "", "", "https://a.example/.well-known/oauth-protected-resource"),
            ("https://a.example/", "", "", "https://a.example/.well-known/oauth-protected-resource"),
            ("https://a.example/mcp", "", "/mcp", "https://a.example/.well-known/oauth-protected-resource/mcp"),
            (
                "https://a.example:8443/a/b",
                "",
                "/a/b",
                "https://a.example:8443/.well-known/oauth-protected-resource/a/b",
            ),
            ("https://a.example/v1", "/v1", "", "https://a.example/v1/.well-known/oauth-protected-resource"),
            (
                "https://a.example/v1/mcp",
                "/v1/",
                "/mcp",
                "https://a.example/v1/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            let found = Resource::parse(resource, base).unwrap();
            assert_eq!((found.path.as_str(), found.metadata_url().as_str()), (path, url), "{resource}");
        }
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for (resource, base) in [
            ("a.example", ""),
            ("http://a.example", ""),
            ("https://u@a.example", ""),
            ("https://a.example/#f", ""),
            ("https://a.example/?q=1", ""),
            ("https://a.example?q=1", ""),
            ("https://a.example/a//b", ""),
            ("https://a.example/../b", ""),
            ("https://a.example/{proxy+}", ""),
            ("https://a.example/a'b", ""),
            ("https://a.example/mcp", "v1"),
            ("https://a.example/mcp", "/v1"),
            ("https://a.example/v12", "/v1"),
        ] {
            assert!(Resource::parse(resource, base).is_err(), "{resource} {base}");
        }
    }

    #[test]
    fn the_document_names_issuers_and_scopes_of_the_routes() {
        let scopes = "{ any: [{ any_scope: [b, a] }, { all: [{ all_scopes: [a, c] }] }, { any_group: g }] }";
        assert_eq!(
            document(&config(ISSUERS, &routes(scopes)), "https://a.example/mcp").unwrap(),
            json!({
                "resource": "https://a.example/mcp",
                "authorization_servers": ["https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123"],
                "bearer_methods_supported": ["header"],
                "scopes_supported": ["a", "b", "c"],
            })
        );
        let without = document(&config(ISSUERS, &routes("{}")), "https://a.example").unwrap();
        assert_eq!(without.get("scopes_supported"), None);
        let query = format!("{}\ntoken: [{{ query: access_token }}, {{ header: X-Token }}]", routes("{}"));
        let query = document(&config(ISSUERS, &query), "https://a.example").unwrap();
        assert_eq!(query["bearer_methods_supported"], json!(["query"]));
    }

    #[test]
    fn an_issuer_whose_tokens_could_not_be_bound_to_the_resource_is_told() {
        let oidc = |audience: &str| format!("{{ oidc: {{ issuer: 'https://i.example', audience: {audience} }} }}");
        let found = |audience: &str| document(&config(&oidc(audience), &routes("{}")), "https://a.example/mcp");
        assert!(found("'https://a.example/mcp'").is_ok());
        assert!(found("[other, 'https://a.example/mcp']").is_ok());
        assert!(found("'https://a.example'").unwrap_err().contains("RFC 8707"));
        let tenants = "{ oidc: { issuer: 'https://i.example/{tid}', tenants: [a], audience: api, jwks_uri: 'https://i.example/k' } }";
        let none = document(&config(tenants, &routes("{}")), "https://a.example").unwrap_err();
        assert!(none.contains("no issuer of the configuration"), "{none}");
    }

    #[test]
    fn no_text_of_the_configuration_is_read_as_a_template() {
        let scopes = r##"{ any_scope: ["$context.identity", "#set($a)", "it's"] }"##;
        let document = document(&config(ISSUERS, &routes(scopes)), "https://a.example").unwrap();
        let text = template(&Resource::parse("https://a.example", "").unwrap(), &document);
        let line = text.lines().find(|line| line.contains("\"resource\"")).unwrap();
        let body = line.trim().strip_prefix("application/json: '").unwrap().strip_suffix('\'').unwrap();
        assert!(!body.contains(['$', '#', '\'']), "{body}");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), document);
    }
}
