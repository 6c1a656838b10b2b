//! Access logs that a caller could write members into. Pure.
//!
//! API Gateway puts each variable into the format as it is. Where the format is JSON, a
//! quotation mark in a value ends the text there, and what follows is a member of the
//! line.

use super::finding::{Finding, listed};
use crate::template::AccessLog;
use cognito_authorizer::config::Config;

/// The variables in formats of JSON whose text somebody else chooses.
pub(super) fn forgeable(config: &Config, logs: &[AccessLog]) -> Vec<Finding> {
    let of_json = logs.iter().filter(|log| log.format.trim_start().starts_with(['{', '[']));
    let found = of_json.filter_map(|log| {
        let mut variables = variables(&log.format);
        variables.retain(|name| is_chosen_by_others(name, config));
        variables.dedup();
        let names: Vec<String> = variables.iter().map(|name| format!("$context.{name}")).collect();
        (!names.is_empty()).then(|| {
            Finding::warning(format!(
                "{}: the access log is JSON, and API Gateway escapes nothing in {}: whoever chooses the text writes members of the line",
                log.of,
                listed(names.iter().map(String::as_str))
            ))
        })
    });
    found.collect()
}

/// The names after `$context.`, as long as they may be.
fn variables(format: &str) -> Vec<&str> {
    let is_name = |character: char| character.is_alphanumeric() || "._-:/".contains(character);
    let names = format.split("$context.").skip(1);
    let names = names.map(|rest| rest.split(|character| !is_name(character)).next().unwrap_or_default());
    names.map(|name| name.trim_end_matches(['.', '-', ':', '/'])).collect()
}

fn is_chosen_by_others(name: &str, config: &Config) -> bool {
    let of_authorizer = name.strip_prefix("authorizer.");
    // What the function answers where it refuses are fixed words; what `context` has of the token is the issuer's text.
    of_authorizer.is_some_and(|key| !FIXED.contains(&key) || config.answers().context.keys().any(|own| own == key))
        || CHOSEN.contains(&name)
        || CHOSEN_BELOW.iter().any(|prefix| name.starts_with(prefix))
}

/// Below `authorizer.`: API Gateway's own, and the fixed words of refusals.
const FIXED: [&str; 9] = [
    "error",
    "error_description",
    "integrationLatency",
    "integrationStatus",
    "latency",
    "reason",
    "requestId",
    "scope",
    "status",
];

const CHOSEN: [&str; 9] = [
    "path",
    "error.message",
    "error.validationErrorString",
    "identity.apiKey",
    "identity.caller",
    "identity.cognitoAuthenticationProvider",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
];

const CHOSEN_BELOW: [&str; 2] = ["identity.clientCert.", "requestOverride."];

#[cfg(test)]
mod tests {
    use super::super::finding::Weight;
    use super::*;
    use crate::template::Template;
    use cognito_authorizer::config::{ConfigText, Environment};
    use std::collections::BTreeMap;

    fn config(rest: &str) -> Config {
        let text = format!(
            "issuers: [{{ cognito: {{ user_pool_id: us-east-1_A, client_ids: web }} }}]\nroutes: {{ GET /a: {{}} }}\n{rest}"
        );
        Config::parse(&ConfigText { text, folder: "tests".into() }, &Environment::default()).unwrap()
    }

    /// Which variables of the format are told of; none where nothing is.
    #[track_caller]
    fn check(rest: &str, format: &str, expected: &str) {
        let log = AccessLog { of: "A".to_owned(), format: format.to_owned() };
        let found = forgeable(&config(rest), &[log]);
        match (expected, found.as_slice()) {
            ("", []) => {}
            (names, [found]) if !names.is_empty() => {
                assert_eq!(found.weight, Weight::Warning);
                assert!(found.text.contains(&format!("escapes nothing in {names}: ")), "{format}\n{}", found.text);
            }
            _ => panic!("{format}\n{found:?}\nshould be {expected}"),
        }
    }

    #[test]
    fn text_that_somebody_else_chooses_is_told_of_and_other_text_is_not() {
        for (variable, is_told) in [
            ("authorizer.principalId", true),
            ("authorizer.claims.sub", true),
            ("authorizer.claims.custom:tenant", true),
            ("authorizer.sub", true),
            ("authorizer.reason", false),
            ("authorizer.error", false),
            ("authorizer.latency", false),
            ("path", true),
            ("resourcePath", false),
            ("routeKey", false),
            ("identity.userAgent", true),
            ("identity.sourceIp", false),
            ("identity.clientCert.subjectDN", true),
            ("error.message", true),
            ("error.messageString", false),
            ("requestOverride.header.x", true),
            ("requestId", false),
        ] {
            let name = format!("$context.{variable}");
            let expected = if is_told { format!("`{name}`") } else { String::new() };
            check("", &format!("{{\"a\":\"{name}\",\"b\":\"$context.status\"}}"), &expected);
        }
    }

    #[test]
    fn a_key_of_the_context_is_the_tokens_text() {
        let format = r#"{"scope":"$context.authorizer.scope","reason":"$context.authorizer.reason"}"#;
        check("", format, "`$context.authorizer.scope`");
        check("context: { sub: sub }", format, "");
        check("context: { reason: custom:reason }", format, "`$context.authorizer.reason`");
    }

    #[test]
    fn formats_that_are_no_json_have_no_members() {
        check("", "$context.identity.sourceIp $context.authorizer.principalId $context.path", "");
    }

    #[test]
    fn every_place_of_a_format_is_read() {
        let format = r#"'{"who":"$context.authorizer.principalId"}'"#;
        for resource in [
            format!("Type: AWS::Serverless::Api, Properties: {{ AccessLogSetting: {{ Format: {format} }} }}"),
            format!("Type: AWS::Serverless::HttpApi, Properties: {{ AccessLogSettings: {{ Format: {format} }} }}"),
            format!(
                "Type: AWS::Serverless::WebSocketApi, Properties: {{ AccessLogSettings: {{ Format: !Sub {format} }} }}"
            ),
            format!(
                "Type: AWS::ApiGateway::Stage, Properties: {{ AccessLogSetting: {{ Format: !Join ['', [{format}, x]] }} }}"
            ),
            format!("Type: AWS::ApiGatewayV2::Stage, Properties: {{ AccessLogSettings: {{ Format: {format} }} }}"),
            format!(
                "Type: AWS::ApiGateway::Deployment, Properties: {{ StageDescription: {{ AccessLogSetting: {{ Format: {format} }} }} }}"
            ),
        ] {
            let template = Template::parse(&format!("Resources: {{ A: {{ {resource} }} }}"), &BTreeMap::new()).unwrap();
            assert_eq!(forgeable(&config(""), &template.access_logs).len(), 1, "{resource}");
        }
        let global = format!(
            "Globals: {{ HttpApi: {{ AccessLogSettings: {{ Format: {format} }} }} }}\nResources: {{ A: {{ Type: AWS::Serverless::HttpApi }} }}"
        );
        let template = Template::parse(&global, &BTreeMap::new()).unwrap();
        assert_eq!(forgeable(&config(""), &template.access_logs).len(), 1);
    }
}
