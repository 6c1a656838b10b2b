//! The recipes of docs/deploy.md attach the authorizer the right way: each becomes a template, which is held
//! against the table that stands there, and must have no error and no warning.

use crate::authctl::{Folder, ISSUERS};
use std::fmt::Write as _;
use std::path::Path;

/// The page from its heading `### {heading}` to the next one.
fn section(heading: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy.md")).unwrap();
    let (_, rest) = page.split_once(&format!("\n### {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let end = rest.find("\n### ").or_else(|| rest.find("\n## ")).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// The fenced blocks of that kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let fence = format!("\n```{kind}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

/// A template against the table of the page; against `$connect: {}` where it is of a WebSocket API.
#[track_caller]
fn fits(name: &str, template: &str, says: &[&str]) {
    let table = &blocks(&section("The table of the recipes"), "yaml fragment")[0];
    let config = match template.contains("WebSocket") {
        true => format!("{ISSUERS}routes: {{ $connect: {{}} }}"),
        false => format!("{ISSUERS}{table}"),
    };
    let run = Folder::new(name, &config, template).check(&["--template", "template.yaml", "--strict"]);
    run.is(0, says);
    run.is(0, &["\nno errors, no warnings\n"]);
}

/// What stands under `Resources`.
fn resources(block: &str) -> String {
    let mut text = "Resources:\n".to_owned();
    block.lines().for_each(|line| writeln!(text, "  {line}").unwrap());
    text
}

const REST: [&str; 4] = [
    "GET /items ",
    "ANY /admin/{proxy+} ",
    "cached for 60 s  header authorization, $context.httpMethod, $context.path",
    "not cached",
];
const HTTP: [&str; 4] = [
    "GET /items ",
    "$default ",
    "cached for 60 s  header authorization, $context.routeKey, $context.path",
    "not cached",
];

#[test]
fn those_of_sam_fit_the_table() {
    let blocks = blocks(&section("SAM"), "yaml template");
    assert_eq!(blocks.len(), 3);
    fits("sam-rest", &resources(&blocks[0]), &REST);
    fits("sam-http", &resources(&blocks[1]), &HTTP);
    fits("sam-socket", &resources(&blocks[2]), &["$connect  Auth"]);
}

#[test]
fn those_of_cloudformation_fit_the_table() {
    let blocks = blocks(&section("CloudFormation"), "yaml template");
    assert_eq!(blocks.len(), 2);
    fits("raw-rest", &resources(&blocks[0]), &REST);
    fits("raw-http", &resources(&blocks[1]), &HTTP);
}

/// `tests/recipes/synth.mjs` makes the template, and `make recipes` says whether it is the page's still.
#[test]
fn that_of_the_cdk_fits_the_table() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recipes/cdk.template.json");
    fits("cdk", &std::fs::read_to_string(template).unwrap(), &[&REST[..], &HTTP].concat());
}

#[test]
fn those_of_terraform_fit_the_table() {
    let blocks = blocks(&section("Terraform"), "hcl");
    assert_eq!(blocks.len(), 2);
    fits("terraform-rest", &of_terraform(&blocks[0]), &REST);
    fits("terraform-http", &of_terraform(&blocks[1]), &HTTP);
}

#[test]
fn those_for_the_console_fit_the_table() {
    let section = section("Console");
    let (rest, http) = section.split_once("\nHTTP API:").unwrap();
    fits("console-rest", &of_console(rest, "AWS::Serverless::Api", "Api", "RestApiId"), &REST);
    fits("console-http", &of_console(http, "AWS::Serverless::HttpApi", "HttpApi", "ApiId"), &HTTP);
}

#[test]
fn it_would_be_noticed_if_one_cached_authorizer_served_all() {
    let http = resources(&blocks(&section("CloudFormation"), "yaml template")[1]).replace("!Ref Live", "!Ref Cached");
    let table = &blocks(&section("The table of the recipes"), "yaml fragment")[0];
    let run = Folder::new("one-for-all", &format!("{ISSUERS}{table}"), &http).check(&["--template", "template.yaml"]);
    run.is(
        1,
        &[
            "one's verdict would be the other's: `$default`",
            "must not be cached: `ANY /admin/{proxy+}` has `introspect`",
        ],
    );
}

/// Terraform's resources as CloudFormation's: flat attributes, which are called the same but for their case. What a
/// reference leads to is known by its type and name.
fn of_terraform(block: &str) -> String {
    let mut text = "Resources:\n".to_owned();
    for resource in block.split("resource \"").skip(1) {
        let mut words = resource.split('"');
        let (kind, name) = (words.next().unwrap(), words.nth(1).unwrap());
        let kind = match kind {
            "aws_api_gateway_rest_api" => "AWS::ApiGateway::RestApi",
            "aws_api_gateway_resource" => "AWS::ApiGateway::Resource",
            "aws_api_gateway_method" => "AWS::ApiGateway::Method",
            "aws_api_gateway_authorizer" => "AWS::ApiGateway::Authorizer",
            "aws_apigatewayv2_api" => "AWS::ApiGatewayV2::Api",
            "aws_apigatewayv2_route" => "AWS::ApiGatewayV2::Route",
            "aws_apigatewayv2_authorizer" => "AWS::ApiGatewayV2::Authorizer",
            "aws_lambda_permission" => "AWS::Lambda::Permission",
            other => panic!("{other} is not known here"),
        };
        writeln!(text, "  {}{name}:\n    Type: {kind}\n    Properties:", kind.replace(':', "")).unwrap();
        let body = resource.split_once("{\n").unwrap().1.split("\n}").next().unwrap();
        for line in body.lines() {
            let (key, value) = line.split_once(" = ").unwrap();
            let key = match key.trim() {
                "authorization" => "AuthorizationType".to_owned(),
                "identity_sources" => "IdentitySource".to_owned(),
                key => key.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect(),
            };
            writeln!(text, "      {key}: {}", of_value(value.split(" #").next().unwrap().trim())).unwrap();
        }
    }
    text
}

/// Texts, numbers, lists and booleans are YAML already. A reference becomes `!Ref`, one to the function a text.
fn of_value(value: &str) -> String {
    let named = |reference: &str| {
        let parts: Vec<&str> = reference.split('.').collect();
        let kind = match parts[0] {
            "aws_api_gateway_rest_api" => "AWSApiGatewayRestApi",
            "aws_api_gateway_resource" => "AWSApiGatewayResource",
            "aws_api_gateway_authorizer" => "AWSApiGatewayAuthorizer",
            "aws_apigatewayv2_api" => "AWSApiGatewayV2Api",
            "aws_apigatewayv2_authorizer" => "AWSApiGatewayV2Authorizer",
            other => panic!("{other} is not known here"),
        };
        format!("{kind}{}", parts[1])
    };
    if let Some(reference) = value.strip_prefix("\"${") {
        let (reference, rest) = reference.split_once('}').unwrap();
        return format!("!Sub \"arn:${{{}}}{rest}", named(reference));
    }
    match value.strip_prefix("data.aws_lambda_function.") {
        Some(function) => format!("function-{}", function.split('.').next().unwrap()),
        None if value.starts_with("aws_") => format!("!Ref {}", named(value)),
        None => value.to_owned(),
    }
}

/// What the console makes of a table's rows: authorizer, identity sources, seconds, routes.
fn of_console(text: &str, api: &str, event: &str, id: &str) -> String {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 2, "{text}");
    let mut authorizers = String::new();
    let mut events = String::new();
    for row in &rows {
        let [name, sources, seconds, routes] = row[..] else { panic!("four columns: {row:?}") };
        let name = name.trim_matches('`');
        let sources: Vec<&str> = sources.split(", ").map(|source| source.trim_matches('`')).collect();
        let headers = sources.iter().filter_map(|source| source.rsplit_once("request.header.").map(|(_, name)| name));
        let context = sources.iter().filter_map(|source| source.trim_start_matches('$').strip_prefix("context."));
        let listed = |names: Vec<&str>| names.join(", ");
        let (headers, context): (Vec<_>, Vec<_>) = (headers.collect(), context.collect());
        assert_eq!(headers.len() + context.len(), sources.len(), "{sources:?}");
        writeln!(
            authorizers,
            "          {name}: {{ FunctionArn: f, FunctionPayloadType: REQUEST, AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true, Identity: {{ Headers: [{}], Context: [{}], ReauthorizeEvery: {seconds} }} }}",
            listed(headers),
            listed(context)
        )
        .unwrap();
        for route in routes.split(", ").map(|route| route.trim_matches('`')) {
            let place = route
                .split_once(' ')
                .map_or(String::new(), |(method, path)| format!("Method: {method}, Path: '{path}', "));
            let number = events.lines().count();
            writeln!(events, "        E{number}: {{ Type: {event}, Properties: {{ {id}: !Ref Api, {place}Auth: {{ Authorizer: {name} }} }} }}").unwrap();
        }
    }
    format!(
        "Resources:
  Api:
    Type: {api}
    Properties:
      Auth:
        Authorizers:
{authorizers}
  Backend:
    Type: AWS::Serverless::Function
    Properties:
      Events:
{events}"
    )
}
