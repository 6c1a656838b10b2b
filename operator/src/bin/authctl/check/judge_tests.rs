//! APIs of every kind beside a table, one line a case.

use super::super::finding::Weight;
use super::*;
use crate::template::Template;
use cognito_authorizer::config::{ConfigText, Environment};
use std::collections::BTreeMap;

const RULES: &str = "routes: { GET /items: {}, 'GET /items/{id}': {}, GET /live: { introspect: true } }";
const DEEPER: &str = "routes: { 'GET /users/{id}': {}, 'GET /users/{id}/orders': {} }\npolicy: { covers: token }";

/// A REST and an HTTP API with these routes and this authorizer for all of them.
#[derive(Clone, Copy)]
enum Kind {
    Rest,
    Http,
}
use Kind::{Http, Rest};

fn config(rest: &str) -> Config {
    let pool = "issuers: [{ cognito: { user_pool_id: us-east-1_A, client_ids: web } }]\n";
    let issuers = if rest.contains("issuers") { "" } else { pool };
    let revocations = if rest.contains("revocations") { "" } else { "revocations: { table: t }\n" };
    let text = ConfigText { text: format!("{issuers}{revocations}{rest}"), folder: "tests".into() };
    Config::parse(&text, &Environment::default()).unwrap()
}

/// The API's properties beside `Auth`, what stands in `Auth`, and its routes, each with
/// the authorizer that it names, where it names one.
fn template(kind: Kind, auth: &str, authorizer: &str, routes: &[&str]) -> Template {
    let (resource, event, id) = match kind {
        Rest => ("AWS::Serverless::Api", "Api", "RestApiId"),
        Http => ("AWS::Serverless::HttpApi", "HttpApi", "ApiId"),
    };
    let mut text = format!(
        "Resources:
  A: {{ Type: {resource}, Properties: {{ Auth: {{ {auth} DefaultAuthorizer: L, Authorizers: {{ L: {{ FunctionArn: !GetAtt F.Arn, {authorizer} }}, O: {{ FunctionArn: other }}, J: {{}} }} }} }} }}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
"
    );
    for (index, route) in routes.iter().enumerate() {
        let (key, named) = route.split_once(" by ").unwrap_or((route, "L"));
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        text += &format!(
            "        E{index}: {{ Type: {event}, Properties: {{ {id}: !Ref A, Path: '{path}', Method: {method}, Auth: {{ Authorizer: {named} }} }} }}\n"
        );
    }
    Template::parse(&text, &BTreeMap::new()).unwrap()
}

#[track_caller]
fn check_with<const N: usize>(rules: &str, template: &Template, open: &[&str], expected: [(Weight, &str); N]) {
    let open: Vec<String> = open.iter().map(|key| (*key).to_owned()).collect();
    let found = judge(&config(rules), &template.apis[0], "F", &open).findings;
    let mut pairs = found.iter().zip(expected);
    let fits =
        found.len() == N && pairs.all(|(found, (weight, text))| found.weight == weight && found.text.contains(text));
    assert!(fits, "{found:#?}\n{expected:#?}");
}

#[track_caller]
fn check<const N: usize>(kind: Kind, authorizer: &str, routes: &[&str], expected: [(Weight, &str); N]) {
    check_with(RULES, &template(kind, "", authorizer, routes), &[], expected);
}

const ERROR: Weight = Weight::Error;
const WARNING: Weight = Weight::Warning;
const NOTE: Weight = Weight::Note;

const OFF: &str = "FunctionPayloadType: REQUEST, Identity: { Headers: [Authorization], ReauthorizeEvery: 0 }";
const BY_REQUEST: &str =
    "FunctionPayloadType: REQUEST, Identity: { Headers: [Authorization], Context: [httpMethod, path] }";
const BY_TOKEN: &str = "FunctionPayloadType: REQUEST, Identity: { Headers: [Authorization] }";
const TOKEN: &str = "Identity: { ReauthorizeEvery: 300 }";
const SIMPLE: &str = "AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true";

fn simple(identity: &str) -> String {
    format!("{SIMPLE}, Identity: {{ Headers: [Authorization], {identity} }}")
}

#[test]
fn a_route_without_an_authorizer_is_an_error_unless_it_is_meant() {
    let of = |route| template(Rest, "", OFF, &[route]);
    check_with(RULES, &of("GET /items by NONE"), &[], [(ERROR, "`GET /items` has no authorizer")]);
    check_with(RULES, &of("GET /items by NONE"), &["GET /items"], [(NOTE, "is open, as --open says")]);
    check_with(RULES, &of("GET /items by NONE"), &["A"], [(NOTE, "is open, as --open says")]);
    check_with(RULES, &of("GET /items by NONE"), &["GET /other"], [(ERROR, "has no authorizer")]);
    check_with(RULES, &of("OPTIONS /items by NONE"), &[], []);
    check_with(RULES, &of("OPTIONS /items"), &[], [(WARNING, "preflight request carries no token")]);
    check_with(RULES, &of("GET /items by J"), &[], [(NOTE, "is guarded by J")]);
    check_with(RULES, &of("GET /items by AWS_IAM"), &[], [(NOTE, "is guarded by AWS_IAM")]);
    check_with(RULES, &of("GET /items by O"), &[], [(NOTE, "O asks another function")]);
    check_with(RULES, &of("GET /items by !Ref X"), &[], [(WARNING, "who guards `GET /items` is not known")]);
}

#[test]
fn a_route_without_a_rule_is_told() {
    check(Rest, OFF, &["GET /items", "GET /items/{x}"], []);
    check(Rest, OFF, &["GET /nothing"], [(WARNING, "`GET /nothing` has no rule")]);
    check(Rest, OFF, &["ANY /items"], [(NOTE, "`HEAD /items` is denied")]);
    check(Rest, OFF, &["GET /items", "ANY /{x+}"], []);
    check(
        Rest,
        OFF,
        &["GET /items", "GET /items/{x}", "GET /live", "ANY /{x+}"],
        [(NOTE, "what no other route gets is denied")],
    );
    check(Rest, OFF, &["ANY /deep/{x+}"], [(WARNING, "has no rule")]);
    check(Rest, OFF, &["GET /a*b"], [(WARNING, "cannot be compared")]);
    check(Rest, OFF, &[&format!("GET {}", "/a".repeat(63))], [(ERROR, "too many segments")]);
}

#[test]
fn a_rest_apis_cache_is_on_unless_it_is_off() {
    check(Rest, BY_REQUEST, &["GET /items", "GET /items/{id}"], []);
    check(
        Rest,
        BY_TOKEN,
        &["GET /items", "GET /items/{id}"],
        [(ERROR, "cached for 300 s"), (NOTE, "the key must hold")],
    );
    check(Rest, "", &["GET /items/{id}"], [(ERROR, "does not hold the path"), (NOTE, "its key is the token alone")]);
    check(Rest, TOKEN, &["GET /items"], []);
    check(Rest, BY_REQUEST, &["GET /live"], [(ERROR, "must not be cached"), (NOTE, "L:")]);
    check(Rest, OFF, &["GET /live"], []);
    let unknown = "Identity: { ReauthorizeEvery: !Ref T }";
    check(Rest, unknown, &["GET /live"], [(ERROR, "cached for !Ref T"), (NOTE, "L:"), (NOTE, "taken to be cached")]);
    check(
        Rest,
        "Identity: !If [A, B, C]",
        &["GET /live"],
        [(ERROR, "must not be cached"), (NOTE, "L:"), (NOTE, "taken to be cached")],
    );
}

#[test]
fn an_http_apis_cache_is_off_unless_it_is_on() {
    check(Http, &simple(""), &["GET /items", "GET /live", "GET /items/{x}"], []);
    let on = |context: &str| simple(&format!("Context: [{context}], ReauthorizeEvery: 60"));
    check(Http, &on("routeKey, path"), &["GET /items", "GET /items/{x}"], []);
    check(Http, &on("routeKey"), &["GET /items", "GET /items/{x}"], []);
    check(Http, &on("path"), &["GET /items", "GET /items/{x}"], []);
    check(Http, &on(""), &["GET /items", "GET /items/{x}"], [(ERROR, "different rules"), (NOTE, "$context.routeKey")]);
    let slash = [(ERROR, "must not be cached"), (ERROR, "`$default`"), (NOTE, "L:"), (NOTE, "PROPFIND")];
    check(Http, &on("routeKey, path"), &["GET /items", "GET /items/{x}", "$default"], slash);
}

#[test]
fn the_answer_is_of_the_kind_that_is_taken() {
    let (policies, one) = ("AuthorizerPayloadFormatVersion: '2.0'", "AuthorizerPayloadFormatVersion: '1.0'");
    let by_policy = format!("{RULES}\nhttp_api: {{ response: policy }}");
    let of = |authorizer| template(Http, "", authorizer, &["GET /items"]);
    check_with(RULES, &of(SIMPLE), &[], []);
    check_with(RULES, &of(one), &[], []);
    check_with(RULES, &of(policies), &[], [(ERROR, "takes policies, and the function gives simple answers")]);
    check_with(&by_policy, &of(policies), &[], []);
    check_with(&by_policy, &of(one), &[], []);
    check_with(&by_policy, &of(SIMPLE), &[], [(ERROR, "takes simple answers")]);
    check_with(
        RULES,
        &of("AuthorizerPayloadFormatVersion: !Ref V"),
        &[],
        [(WARNING, "which answers it takes is not known")],
    );
    check_with(
        RULES,
        &of(&format!("{one}, EnableSimpleResponses: true")),
        &[],
        [(WARNING, "format 1.0 with simple answers")],
    );
}

#[test]
fn api_gateway_asks_for_the_token_where_it_is() {
    let of =
        |headers: &str| template(Http, "", &format!("{SIMPLE}, Identity: {{ Headers: [{headers}] }}"), &["GET /items"]);
    check_with(RULES, &of("authorization"), &[], []);
    check_with(RULES, &of("X-Token"), &[], [(WARNING, "the function looks for credentials elsewhere")]);
    let cookie = format!("{RULES}\ntoken: [{{ cookie: session }}]");
    check_with(&cookie, &of("Cookie"), &[], []);
    let subprotocol = format!("{RULES}\ntoken: [{{ subprotocol: access_token }}]");
    check_with(&subprotocol, &of("Sec-WebSocket-Protocol"), &[], []);
    let two = format!("{RULES}\ntoken: [{{ header: Authorization }}, {{ query: t }}]");
    check_with(&two, &of("Authorization"), &[], [(NOTE, "wherever else the token is")]);
}

#[test]
fn a_cache_of_answers_to_keys_has_the_header_of_the_keys_in_its_key() {
    let keys = format!("issuers: [{{ api_keys: {{ table: k }} }}]\n{RULES}\npolicy: {{ covers: token }}");
    let by = |header: &str| {
        let authorizer = format!("FunctionPayloadType: REQUEST, Identity: {{ Headers: [{header}] }}");
        template(Rest, "", &authorizer, &["GET /items"])
    };
    check_with(&keys, &by("X-API-Key"), &[], []);
    check_with(
        &keys,
        &by("Authorization"),
        &[],
        [
            (ERROR, "the key does not hold the token"),
            (WARNING, "the function looks for credentials elsewhere"),
            (NOTE, "only the token with"),
        ],
    );
    let both = keys.replace("issuers: [", "issuers: [{ cognito: { user_pool_id: us-east-1_A, client_ids: web } }, ");
    for (header, other) in [("X-API-Key", "the header `Authorization`"), ("Authorization", "the header `x-api-key`")] {
        let second = format!("a second credential in {other} is not looked at");
        check_with(&both, &by(header), &[], [(WARNING, &second), (NOTE, "wherever else the token is")]);
    }
    let elsewhere = keys.replace("table: k", "table: k, header: X-Partner");
    check_with(&elsewhere, &by("x-partner"), &[], []);
}

#[test]
fn a_cached_answer_looks_at_one_place_for_the_token() {
    let with = |places: &str| format!("{RULES}\ntoken: [{{ header: Authorization }}, {places}]");
    let of = |kind, authorizer: &str| template(kind, "", authorizer, &["GET /items"]);
    let kept = simple("Context: [routeKey, path], ReauthorizeEvery: 60");
    let query = [
        (WARNING, "a second credential in the query parameter `t` is not looked at"),
        (NOTE, "wherever else the token is"),
    ];
    check_with(&with("{ query: t }"), &of(Rest, BY_REQUEST), &[], query);
    check_with(&with("{ query: t }"), &of(Http, &kept), &[], query);
    check_with(&with("{ query: t, events: [rest_request, websocket] }"), &of(Rest, BY_REQUEST), &[], query);
    check_with(&with("{ query: t, events: [rest_request, websocket] }"), &of(Http, &kept), &[], []);
    check_with(&with("{ query: t, events: websocket }"), &of(Rest, BY_REQUEST), &[], []);
    check_with(&with("{ query: t, events: websocket }"), &of(Http, &kept), &[], []);
    check_with(&with("{ cookie: c }"), &of(Http, &kept), &[], [(WARNING, "the cookie `c`"), (NOTE, "wherever else")]);
    check_with(&with("{ query: t }"), &of(Rest, OFF), &[], []);
    check_with(&with("{ query: t }"), &of(Rest, TOKEN), &[], []);
    let both = "FunctionPayloadType: REQUEST, Identity: { Headers: [Authorization], QueryStrings: [t], Context: [httpMethod, path] }";
    check_with(&with("{ query: t }"), &of(Rest, both), &[], []);
}

#[test]
fn a_cache_asks_for_no_proof() {
    let with = |dpop: &str| {
        let issuer = format!("issuers: [{{ oidc: {{ issuer: 'https://a.example', audience: a, dpop: {dpop} }} }}]");
        let text = ConfigText { text: format!("{issuer}\nroutes: {{ GET /items: {{}} }}"), folder: "tests".into() };
        Config::parse(&text, &Environment::default()).unwrap()
    };
    let errors = |dpop: &str, authorizer: &str| {
        let template = template(Rest, "", authorizer, &["GET /items"]);
        let found = judge(&with(dpop), &template.apis[0], "F", &[]).findings;
        found.iter().filter(|found| found.weight == ERROR && found.text.contains("without a DPoP proof")).count()
    };
    assert_eq!(errors("required", BY_REQUEST), 1);
    assert_eq!(errors("{ required: true, origins: [https://b.example] }", BY_REQUEST), 1);
    assert_eq!(errors("required", OFF), 0);
    assert_eq!(errors("off", BY_REQUEST), 0);
}

#[test]
fn nobody_looks_at_the_origin_of_a_request_that_a_cache_answers() {
    let with =
        |csrf: &str| format!("routes: {{ GET /items: {{}}, POST /items: {{}} }}\ntoken: [{{ cookie: c{csrf} }}]");
    let kept = "FunctionPayloadType: REQUEST, Identity: { Headers: [Cookie], Context: [httpMethod, path] }";
    let of = |kind, authorizer: &str, routes: &[&str]| template(kind, "", authorizer, routes);
    let both = ["GET /items", "POST /items"];
    let found =
        [(ERROR, "whichever page asks next, and `csrf` is not looked at: turn the cache off for them: `POST /items`")];
    check_with(&with(", csrf: origin"), &of(Rest, kept, &both), &[], found);
    check_with(&with(", csrf: { origins: [https://a.example] }"), &of(Rest, kept, &both), &[], found);
    let simple =
        format!("{SIMPLE}, Identity: {{ Headers: [Cookie], Context: [routeKey, path], ReauthorizeEvery: 60 }}");
    check_with(&with(", csrf: origin"), &of(Http, &simple, &both), &[], found);
    check_with(&with(", csrf: origin"), &of(Rest, kept, &both[..1]), &[], []);
    for unguarded in ["", ", csrf: off", ", csrf: origin, events: websocket }, { cookie: c, events: rest_request"] {
        check_with(&with(unguarded), &of(Rest, kept, &both), &[], []);
    }
    let off = kept.replace("path] }", "path], ReauthorizeEvery: 0 }");
    check_with(&with(", csrf: origin"), &of(Rest, &off, &both), &[], []);
}

#[test]
fn policies_that_cover_tokens_open_no_route_of_the_api() {
    let of = |routes: &[&str]| template(Rest, "", BY_TOKEN, routes);
    let both = ["GET /users/{a}", "GET /users/{a}/orders"];
    check_with(DEEPER, &of(&both), &[], [(NOTE, "gets to no route of this API")]);
    let photos = [both[0], both[1], "GET /users/{a}/photos"];
    check_with(DEEPER, &of(&photos), &[], [(ERROR, "that get to `GET /users/{a}/photos`"), (WARNING, "has no rule")]);
    check_with(DEEPER, &template(Rest, "", OFF, &photos), &[], [(WARNING, "has no rule")]);
}

#[test]
fn silence_is_no_denial_beside_a_resource_policy() {
    let with_policy = |routes: &[&str]| template(Rest, "ResourcePolicy: { IpRangeWhitelist: [a] },", BY_TOKEN, routes);
    let covers = "routes: { GET /items: {} }\npolicy: { covers: token }";
    let silent = "routes: { GET /items: {} }\npolicy: { covers: token, implicit_deny: true }";
    check_with(covers, &with_policy(&["GET /items"]), &[], []);
    let catch_all = ["GET /items", "ANY /{x+}"];
    check_with(
        covers,
        &with_policy(&catch_all),
        &[],
        [(ERROR, "pass while a policy is cached: `ANY /{x+}`"), (NOTE, "no other route")],
    );
    check_with(silent, &with_policy(&["GET /items"]), &[], [(ERROR, "silence would become a pass")]);
    check_with(silent, &template(Rest, "", BY_TOKEN, &["GET /items"]), &[], []);
}

#[test]
fn what_a_cache_makes_of_revocations_is_told() {
    let all = "routes: { GET /items: {} }\nrevocations: { table: t, check: all }";
    check_with(all, &template(Rest, "", BY_REQUEST, &["GET /items"]), &[], [(WARNING, "a revoked token goes on")]);
    check_with(all, &template(Rest, "", OFF, &["GET /items"]), &[], []);
}
