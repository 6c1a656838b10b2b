//! The contract's tables of answers, for each kind of event and each setting. That every answer is
//! well-formed is held in `verdict`; here it is held to be the right one, as raw JSON.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{self, Kind, STAGE_ARN};
use crate::jwks_server::{Page, Site, dead_url};
use crate::runtime_api::Function;
use crate::tokens::{CLIENT, MACHINE, READ, READER_SUB, Token, cognito_jwks, now};
use crate::verdict::{Answer, Cases, Verdict};

const ROUTES: &str = "
routes:
  GET /items: { any_scope: [https://api.example.com/read] }
  POST /items: { any_scope: [https://api.example.com/write] }
  GET /admin: { any_group: [admin] }
  GET /fresh: { max_auth_age: 15m }
  GET /open: {}
  $connect: { any_scope: [https://api.example.com/read] }
";

fn start(settings: &str) -> (Site, Function) {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), &format!("{ROUTES}{settings}")));
    (site, function)
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.text())
}

fn expired() -> Token {
    Token::access().claim("exp", json!(now() - 600))
}

/// What the default `context` makes of the reader's token.
fn reader_context() -> Value {
    json!({ "sub": READER_SUB, "username": "reader", "client_id": CLIENT, "scope": READ })
}

fn policy(principal: &str, effect: &str, arn: &str, context: Value) -> Value {
    json!({
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": arn }],
        },
        "context": context,
    })
}

/// The answer with `Resource` as one string where it is a list of one, and without the sentence
/// whose words the contract leaves open (that it is there and speakable is held in `verdict`).
fn canonical(verdict: &Verdict) -> Value {
    let mut json = verdict.response();
    if let Some(context) = json["context"].as_object_mut() {
        context.remove("error_description");
    }
    if let Some(statements) = json.pointer_mut("/policyDocument/Statement").and_then(Value::as_array_mut) {
        for statement in statements {
            for member in ["Resource", "Action"] {
                if let Some([only]) = statement[member].as_array().map(Vec::as_slice) {
                    statement[member] = only.clone();
                }
            }
        }
    }
    json
}

#[test]
fn an_allowed_request_gets_an_allow_on_its_own_arn_and_its_claims() {
    let (_site, function) = start("");
    let cases = Cases::default();
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1] {
        let verdict = function.ask(&kind.event("GET", "/items", &bearer(&Token::access())));
        let expected = policy(READER_SUB, "Allow", &events::arn("GET", "/items"), reader_context());
        cases.equal(kind.name(), canonical(&verdict), expected);
    }
    let verdict = function.ask(&Kind::WebSocket.event("", "", &bearer(&Token::access())));
    cases.equal(
        "websocket",
        canonical(&verdict),
        policy(READER_SUB, "Allow", &format!("{STAGE_ARN}/$connect"), reader_context()),
    );
    let verdict = function.ask(&Kind::Http2.event("GET", "/items", &bearer(&Token::access())));
    cases.equal("http_2.0", canonical(&verdict), json!({ "isAuthorized": true, "context": reader_context() }));

    // A client-credentials token speaks of no user; a token without `sub` is its client's.
    let machine = json!({ "sub": MACHINE, "client_id": MACHINE, "scope": READ });
    let verdict = function.ask(&Kind::RestToken.event("GET", "/items", &bearer(&Token::machine())));
    cases.equal("machine", canonical(&verdict), policy(MACHINE, "Allow", &events::arn("GET", "/items"), machine));
    let verdict = function.ask(&Kind::RestToken.event("GET", "/items", &bearer(&Token::access().without("sub"))));
    cases.check("no sub", &verdict, "allow");
    cases.equal("no sub", &verdict.response()["principalId"], CLIENT);
}

#[test]
fn a_forbidden_request_gets_a_deny_on_its_own_arn_and_the_reason() {
    let (_site, function) = start("");
    let cases = Cases::default();
    let insufficient_scope = json!({
        "reason": "insufficient_scope",
        "error": "insufficient_scope",
        "scope": "https://api.example.com/write",
    });
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1] {
        let verdict = function.ask(&kind.event("POST", "/items", &bearer(&Token::access())));
        let expected = policy(READER_SUB, "Deny", &events::arn("POST", "/items"), insufficient_scope.clone());
        cases.equal(kind.name(), canonical(&verdict), expected);
    }
    let verdict = function.ask(&Kind::WebSocket.event("", "", &bearer(&Token::writer())));
    let mut read = insufficient_scope.clone();
    read["scope"] = json!(READ);
    let sub = Token::writer().payload_json();
    let sub: Value = serde_json::from_str(&sub).unwrap();
    let expected = policy(sub["sub"].as_str().unwrap(), "Deny", &format!("{STAGE_ARN}/$connect"), read);
    cases.equal("websocket", canonical(&verdict), expected);
    let verdict = function.ask(&Kind::Http2.event("POST", "/items", &bearer(&Token::access())));
    cases.equal("http_2.0", canonical(&verdict), json!({ "isAuthorized": false, "context": insufficient_scope }));

    for (path, reason) in [("/nowhere", "no_route"), ("/admin", "insufficient_group"), ("/..", "unsafe_path")] {
        for kind in [Kind::RestToken, Kind::Http2] {
            let verdict = function.ask(&kind.event("GET", path, &bearer(&Token::access())));
            cases.check(path, &verdict, reason);
            cases.equal(path, &verdict.context()["reason"], reason);
        }
    }
    let stale = Token::access().claim("auth_time", json!(now() - 86_400));
    let verdict = function.ask(&Kind::Http2.event("GET", "/fresh", &bearer(&stale)));
    let expected = json!({ "reason": "authentication_too_old", "error": "insufficient_user_authentication" });
    cases.equal("http_2.0, too old", canonical(&verdict), json!({ "isAuthorized": false, "context": expected }));
}

#[test]
fn without_a_good_token_rest_and_websocket_invocations_fail_as_unauthorized() {
    let (_site, function) = start("");
    let cases = Cases::default();
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::WebSocket] {
        for (what, event, code) in [
            ("no token", kind.event_without_token("GET", "/items"), "missing_token"),
            ("expired", kind.event("GET", "/items", &bearer(&expired())), "token_expired"),
            ("garbage", kind.event("GET", "/items", "Bearer x"), "malformed_token"),
        ] {
            let verdict = function.ask(&event);
            cases.check(format!("{kind:?}: {what}"), &verdict, code);
            cases.is(format!("{kind:?}: {what}: {verdict}"), verdict.failed_as_unauthorized());
        }
    }
}

#[test]
fn without_a_good_token_http_apis_get_a_denial() {
    let (_site, function) = start("");
    let cases = Cases::default();
    let invalid = json!({ "reason": "token_expired", "error": "invalid_token" });
    let missing = json!({ "reason": "missing_token" });
    let arn = events::arn("GET", "/items");
    for (context, event_1, event_2) in [
        (
            invalid,
            Kind::Http1.event("GET", "/items", &bearer(&expired())),
            Kind::Http2.event("GET", "/items", &bearer(&expired())),
        ),
        (missing, Kind::Http1.event_without_token("GET", "/items"), Kind::Http2.event_without_token("GET", "/items")),
    ] {
        let verdict = function.ask(&event_1);
        cases.equal("http_1.0", canonical(&verdict), policy("anonymous", "Deny", &arn, context.clone()));
        let verdict = function.ask(&event_2);
        cases.equal("http_2.0", canonical(&verdict), json!({ "isAuthorized": false, "context": context }));
    }
}

#[test]
fn the_unauthorized_settings_turn_the_answers_around() {
    let (_site, function) = start("http_api: { unauthorized: error }\nrest_api: { unauthorized: deny }");
    let cases = Cases::default();
    for kind in [Kind::Http1, Kind::Http2] {
        for event in [kind.event_without_token("GET", "/items"), kind.event("GET", "/items", &bearer(&expired()))] {
            let verdict = function.ask(&event);
            cases.is(format!("{kind:?}: {verdict}"), verdict.failed_as_unauthorized());
        }
    }
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::WebSocket] {
        let arn = if kind == Kind::WebSocket { format!("{STAGE_ARN}/$connect") } else { events::arn("GET", "/items") };
        let verdict = function.ask(&kind.event("GET", "/items", &bearer(&expired())));
        let context = json!({ "reason": "token_expired", "error": "invalid_token" });
        cases.equal(kind.name(), canonical(&verdict), policy("anonymous", "Deny", &arn, context));
        let verdict = function.ask(&kind.event_without_token("GET", "/items"));
        cases.equal(
            kind.name(),
            canonical(&verdict),
            policy("anonymous", "Deny", &arn, json!({ "reason": "missing_token" })),
        );
    }
    // What is forbidden stays a denial, what is allowed an allowance.
    for kind in Kind::ALL {
        let verdict = function.ask(&kind.event("GET", "/items", &bearer(&Token::access())));
        cases.check(kind.name(), &verdict, "allow");
        let verdict = function.ask(&kind.event("GET", "/admin", &bearer(&Token::writer())));
        cases.check(kind.name(), &verdict, "403");
        cases.is(kind.name(), matches!(verdict.answer, Answer::Response(_)));
    }
}

#[test]
fn http_2_0_is_answered_with_a_policy_where_that_is_set() {
    let (_site, function) = start("http_api: { response: policy }");
    let cases = Cases::default();
    let ask = |event: Value| function.ask(&event);
    let verdict = ask(Kind::Http2.event("GET", "/items", &bearer(&Token::access())));
    cases.equal(
        "allow",
        canonical(&verdict),
        policy(READER_SUB, "Allow", &events::arn("GET", "/items"), reader_context()),
    );
    let verdict = ask(Kind::Http2.event("GET", "/admin", &bearer(&Token::access())));
    cases.check("forbidden", &verdict, "insufficient_group");
    cases.equal("forbidden", &verdict.response()["policyDocument"]["Statement"][0]["Effect"], "Deny");
    cases.equal("forbidden", verdict.resources(), vec![events::arn("GET", "/admin")]);
    let verdict = ask(Kind::Http2.event("GET", "/items", &bearer(&expired())));
    let context = json!({ "reason": "token_expired", "error": "invalid_token" });
    cases.equal(
        "unauthorized",
        canonical(&verdict),
        policy("anonymous", "Deny", &events::arn("GET", "/items"), context),
    );

    let (_site, function) = start("http_api: { response: policy, unauthorized: error }");
    let verdict = function.ask(&Kind::Http2.event("GET", "/items", &bearer(&expired())));
    cases.is("unauthorized: error", verdict.failed_as_unauthorized());
}

#[test]
fn an_outage_fails_the_invocation_with_its_code_for_every_kind() {
    let function = Function::start(&one_pool(&dead_url(), ROUTES));
    let cases = Cases::default();
    let mut messages = HashMap::new();
    for kind in Kind::ALL {
        let verdict = function.ask(&kind.event("GET", "/items", &bearer(&Token::access())));
        cases.check(kind.name(), &verdict, "jwks_unavailable");
        cases.is(format!("{kind:?}: {verdict}"), matches!(verdict.answer, Answer::Error(_)));
        messages.insert(verdict.answer.json()["errorMessage"].as_str().unwrap().to_owned(), ());
    }
    cases.equal("fixed words", messages.len(), 1);
}

#[test]
fn every_arn_is_the_events_own() {
    let (_site, function) = start("http_api: { response: policy }");
    let cases = Cases::default();
    let (good, other) = (bearer(&Token::access()), bearer(&Token::writer()));
    for stage in [
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test",
        "arn:aws:execute-api:eu-central-1:210987654321:zyxwvu9876/$default",
        "arn:aws-cn:execute-api:cn-north-1:123456789012:abcdef123/prod",
        "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abcdef123/prod",
        "arn:aws-eusc:execute-api:eusc-de-east-1:123456789012:abcdef123/prod",
        "arn:aws-iso-b:execute-api:us-isob-east-1:123456789012:abcdef123/prod",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/ESTestInvoke-stage",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test-invoke-stage",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/null",
        "arn:aws:execute-api:us-east-1:123456789012:abcdef123/v1_2-x",
    ] {
        for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2, Kind::WebSocket] {
            let arn = if kind == Kind::WebSocket { format!("{stage}/$connect") } else { format!("{stage}/GET/items") };
            for (authorization, expected) in [(&good, "allow"), (&other, "insufficient_scope")] {
                let mut event = kind.event("GET", "/items", authorization);
                event[kind.arn_member()] = json!(arn);
                let verdict = function.ask(&event);
                cases.check(&arn, &verdict, expected);
                cases.equal(kind.name(), verdict.resources(), vec![arn.clone()]);
            }
        }
    }

    // The path stands in the policy as it stood in the event: what is rebuilt is held against it.
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { $default: {} }"));
    for path in ["/", "/items/", "/it%65ms", "/a:b/urn:x:y", "/a%20b", "/a b", "/é", "/a%C3%A9", "/$x/{y}", "/a;b=c,d"]
    {
        let verdict = function.ask(&Kind::RestToken.event("GET", path, &good));
        cases.check(path, &verdict, "allow");
        cases.equal(path, verdict.resources(), vec![events::arn("GET", path)]);
    }
}

#[test]
fn an_arn_of_more_than_512_characters_is_refused_where_the_answer_is_a_policy() {
    let site = Site::with_keys(&cognito_jwks());
    let url = site.url("/jwks.json");
    let simple = Function::start(&one_pool(&url, "routes: { $default: {} }"));
    let policies = Function::start(&one_pool(&url, "routes: { $default: {} }\nhttp_api: { response: policy }"));
    let cases = Cases::default();
    let good = bearer(&Token::access());
    let prefix = events::arn("GET", "/");
    let path = |length: usize| format!("/{}", "p".repeat(length - prefix.len()));
    assert_eq!(events::arn("GET", &path(512)).len(), 512);
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1] {
        cases.check(format!("{kind:?}: 512"), &simple.ask(&kind.event("GET", &path(512), &good)), "allow");
        for length in [513, 600, 1_600] {
            let verdict = simple.ask(&kind.event("GET", &path(length), &good));
            cases.check(format!("{kind:?}: {length}"), &verdict, "unsafe_path");
            // API Gateway takes no resource longer than that: the denial itself must fit.
            for resource in verdict.resources() {
                cases.is(
                    format!("{kind:?}: {length}: a resource of {}", resource.len()),
                    resource.chars().count() <= 512,
                );
            }
        }
    }
    cases.check("policy: 512", &policies.ask(&Kind::Http2.event("GET", &path(512), &good)), "allow");
    cases.check("policy: 513", &policies.ask(&Kind::Http2.event("GET", &path(513), &good)), "unsafe_path");
    cases.check("simple: 513", &simple.ask(&Kind::Http2.event("GET", &path(513), &good)), "allow");
    cases.check("simple: 1600", &simple.ask(&Kind::Http2.event("GET", &path(1_600), &good)), "allow");
    for (bytes, expected) in [(2_048, "allow"), (2_049, "unsafe_path"), (100_000, "unsafe_path")] {
        let event = Kind::Http2.event("GET", &format!("/{}", "p".repeat(bytes - 1)), &good);
        cases.check(format!("simple: {bytes} bytes of path"), &simple.ask(&event), expected);
    }
    // Characters, not bytes.
    let wide = |count: usize| format!("/{}", "é".repeat(count - prefix.len()));
    cases.check("512 characters, more bytes", &simple.ask(&Kind::RestToken.event("GET", &wide(512), &good)), "allow");
    cases.check(
        "513 characters, more bytes",
        &simple.ask(&Kind::RestToken.event("GET", &wide(513), &good)),
        "unsafe_path",
    );
}

#[test]
fn context_values_are_flat_in_a_policy_and_keep_their_type_in_a_simple_answer() {
    let (_site, function) = start(
        "
context:
  sub: sub
  user: username
  groups: groups
  \"custom:role\": \"custom:role\"
  text: text
  number: number
  fraction: fraction
  negative: negative
  flag: flag
  off: off
  strings: strings
  one: one
  mixed: mixed
  numbers: numbers
  nested: nested
  object: object
  nothing: nothing
  null_claim: null_claim
  empty_list: empty_list
",
    );
    let cases = Cases::default();
    let token = Token::access()
        .claim("cognito:groups", json!(["a", "b,c", "d/e"]))
        .claim("custom:role", json!("boss"))
        .claim("text", json!("é \"quoted\" \\ \u{1} 🦀"))
        .claim("number", json!(42))
        .claim("fraction", json!(1.5))
        .claim("negative", json!(-7))
        .claim("flag", json!(true))
        .claim("off", json!(false))
        .claim("strings", json!(["x", "y z", ""]))
        .claim("one", json!(["x"]))
        .claim("mixed", json!(["x", 7, null]))
        .claim("numbers", json!([1, 2]))
        .claim("nested", json!([["x"]]))
        .claim("object", json!({ "b": [1, { "c": "d" }], "a": "x" }))
        .claim("null_claim", json!(null))
        .claim("empty_list", json!([]));
    let common = json!({
        "sub": READER_SUB,
        "user": "reader",
        "custom:role": "boss",
        "text": "é \"quoted\" \\ \u{1} 🦀",
        "number": 42,
        "fraction": 1.5,
        "negative": -7,
        "flag": true,
        "off": false,
    });
    let simple = function.ask(&Kind::Http2.event("GET", "/open", &bearer(&token))).context();
    let mut policy = function.ask(&Kind::RestToken.event("GET", "/open", &bearer(&token))).context();

    let mut expected = common.clone();
    for (key, value) in [
        ("groups", json!(["a", "b,c", "d/e"])),
        ("strings", json!(["x", "y z", ""])),
        ("one", json!(["x"])),
        ("numbers", json!([1, 2])),
        ("nested", json!([["x"]])),
        ("object", json!({ "b": [1, { "c": "d" }], "a": "x" })),
    ] {
        expected[key] = value;
    }
    // A null inside a list is neither a null member nor a missing claim: kept or left out, both are right.
    let mut simple_without_mixed = simple.clone();
    let mixed = simple_without_mixed.as_object_mut().unwrap().remove("mixed");
    cases.is(format!("mixed: {mixed:?}"), mixed.is_some_and(|mixed| mixed[0] == "x" && mixed[1] == 7));
    cases.equal("simple", simple_without_mixed, expected);

    // JSON text is compared as JSON: its spelling is open.
    for (key, value) in [
        ("mixed", json!(["x", 7, null])),
        ("numbers", json!([1, 2])),
        ("nested", json!([["x"]])),
        ("object", json!({ "b": [1, { "c": "d" }], "a": "x" })),
    ] {
        let text = policy.as_object_mut().unwrap().remove(key).unwrap_or_default();
        let parsed = text.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        cases.equal(key, parsed, Some(value));
    }
    let mut expected = common;
    expected["groups"] = json!("a b,c d/e");
    expected["strings"] = json!(r#"["x","y z",""]"#);
    expected["one"] = json!("x");
    cases.equal("policy", policy, expected);
}

#[test]
fn the_default_context_leaves_out_what_the_token_does_not_say() {
    let (_site, function) = start("");
    let cases = Cases::default();
    let context = |token: &Token| function.ask(&Kind::Http2.event("GET", "/open", &bearer(token))).context();
    let bare = Token::access().without("username").without("scope");
    cases.equal("bare", context(&bare), json!({ "sub": READER_SUB, "client_id": CLIENT }));
    let groups = bare.clone().claim("cognito:groups", json!(["a", "b"]));
    cases.equal("groups", context(&groups), json!({ "sub": READER_SUB, "client_id": CLIENT, "groups": ["a", "b"] }));
    let none = bare.claim("cognito:groups", json!([]));
    cases.equal("no groups", context(&none), json!({ "sub": READER_SUB, "client_id": CLIENT }));
}

#[test]
fn an_id_tokens_names_are_normalised() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&format!(
        "
issuers:
  - cognito: {{ user_pool_id: us-east-1_AbCdEf123, client_ids: [{CLIENT}], token_use: id, jwks_uri: \"{}\" }}
routes: {{ $default: {{}} }}
",
        site.url("/jwks.json")
    ));
    let verdict = function.ask(&Kind::Http2.event("GET", "/", &bearer(&Token::id())));
    assert_eq!(verdict.context(), json!({ "sub": READER_SUB, "username": "reader", "client_id": CLIENT }));
}

#[test]
fn each_reason_has_one_sentence() {
    let (_site, function) = start("");
    let site = Site::start();
    site.page("/jwks.json", Page::json(&cognito_jwks()));
    let cases = Cases::default();
    let mut sentences: HashMap<String, String> = HashMap::new();
    let good = Token::access();
    let tokens = [
        good.clone().claim("exp", json!(now() - 600)),
        good.clone().claim("exp", json!(now() - 6_000)),
        good.clone().claim("nbf", json!(now() + 600)),
        good.clone().claim("iss", json!("https://a.example.com")),
        good.clone().claim("iss", json!("https://b.example.com")),
        good.clone().claim("client_id", json!("a")),
        good.clone().claim("client_id", json!("b")),
        good.clone().claim("token_use", json!("id")),
        good.clone().header("kid", json!("a")),
        good.clone().header("kid", json!("b")),
        good.clone().header("alg", json!("none")),
        good.clone().header("alg", json!("HS256")),
        good.clone().claim("cnf", json!({})),
        good.clone().without("exp"),
        good,
    ];
    for path in ["/admin", "/nowhere", "/elsewhere", "/..", "/*", "/fresh"] {
        for token in &tokens {
            let verdict = function.ask(&Kind::Http2.event("GET", path, &bearer(token)));
            let Some(sentence) = verdict.context()["error_description"].as_str().map(str::to_owned) else { continue };
            let known = sentences.entry(verdict.outcome().to_owned()).or_insert_with(|| sentence.clone());
            cases.equal(verdict.outcome(), &*known, &sentence);
        }
    }
    cases.is(format!("{} sentences", sentences.len()), sentences.len() >= 12);
}
