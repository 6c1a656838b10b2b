//! No header, null or unknown member makes an event fail; what is no event of ours fails in a
//! controlled way, and the process lives on.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{self, Kind};
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::{Answer, Cases};

fn start() -> (Site, Function) {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { $default: {}, $connect: {} }"));
    (site, function)
}

#[test]
fn each_kind_is_told_by_its_own_mark() {
    let (_site, function) = start();
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for kind in Kind::ALL {
        let verdict = function.ask(&kind.event("GET", "/items", &bearer));
        cases.check(kind.name(), &verdict, "allow");
        cases.equal(kind.name(), &verdict.log["event"], kind.name());
    }
    let check = |what: &str, event: Value, kind: Kind| {
        let verdict = function.ask(&event);
        cases.check(what, &verdict, "allow");
        cases.equal(what, &verdict.log["event"], kind.name());
    };
    // The library's WebSocket sample says so; no other event does.
    let mut event = Kind::WebSocket.event("GET", "/", &bearer);
    event["version"] = json!("$LATEST");
    check("a WebSocket event with a version", event, Kind::WebSocket);
    let mut event = Kind::Http1.event("GET", "/", &bearer);
    event.as_object_mut().unwrap().remove("type");
    check("HTTP 1.0 without type", event, Kind::Http1);
    let mut event = Kind::Http2.event("GET", "/", &bearer);
    event.as_object_mut().unwrap().remove("type");
    check("HTTP 2.0 without type", event, Kind::Http2);
    // A REST path of that name is no WebSocket: its ARN has a method.
    let verdict = function.ask(&Kind::RestRequest.event("GET", "/$connect", &bearer));
    cases.equal("a REST path", &verdict.log["event"], "rest_request");
    cases.equal("a REST path", &verdict.log["route"], "$default");
    // A 2.0 event is one by its version, whatever else it carries.
    let mut event = Kind::Http2.event("GET", "/", &bearer);
    event["authorizationToken"] = json!("Bearer x");
    event["methodArn"] = json!("arn:aws:execute-api:us-east-1:123456789012:other/test/GET/admin");
    check("HTTP 2.0 with members of the others", event, Kind::Http2);
}

#[test]
fn odd_headers_never_make_an_event_fail() {
    let (_site, function) = start();
    let cases = Cases::default();
    let token = Token::access().text();
    let bearer = format!("Bearer {token}");
    let odd: Vec<(&str, Value)> = vec![
        ("X Header", json!("a name with a space")),
        ("X-\u{1}\u{7f}", json!("a name with control characters")),
        ("X-Ünïcödé-🦀", json!("a name beyond ASCII")),
        ("", json!("no name")),
        (":authority", json!("pseudo")),
        ("X-Value", json!("a\u{0}b\u{1}c\r\nSet-Cookie: x\t\u{7f}")),
        ("X-Value", json!("é🦀\u{2028}\u{feff}")),
        ("X-Value", json!("")),
        ("X-Value", json!(" ")),
        ("X-Value", json!("v".repeat(9_000))),
        ("X-Value", json!(null)),
        ("X-Value", json!(7)),
        ("X-Value", json!(1e300)),
        ("X-Value", json!(true)),
        ("X-Value", json!([])),
        ("X-Value", json!([null, 7, "a"])),
        ("X-Value", json!({ "a": null })),
        ("Cookie", json!("=; ;;a; =b; \u{0}=\u{0}")),
        ("Cookie", json!(null)),
        ("Cookie", json!(["a=b"])),
    ];
    for kind in [Kind::RestRequest, Kind::WebSocket, Kind::Http1, Kind::Http2] {
        for (name, value) in &odd {
            let mut event = kind.event("GET", "/", &bearer);
            event["headers"][name] = value.clone();
            if event.get("multiValueHeaders").is_some() {
                event["multiValueHeaders"][name] = json!([value]);
            }
            cases.check(format!("{kind:?}: {name:?}: {value:.60}"), &function.ask(&event), "allow");
        }
        for value in [
            json!(null),
            json!({}),
            json!({ "X": null }),
            json!({ "X": "a" }),
            json!({ "X": [null] }),
            json!({ "X": 7 }),
            json!([]),
            json!("x"),
        ] {
            let mut event = kind.event("GET", "/", &bearer);
            event["multiValueHeaders"] = value.clone();
            cases.check(format!("{kind:?}: multiValueHeaders {value}"), &function.ask(&event), "allow");
        }
        // What `serde_json` cannot write: lone surrogates, as a client can put them there.
        for escape in [r"\ud800", r"\udc00", r"a\ud83dz", r"\udfff\ud800", r"\uDBFF\u0041", r"\u0000", r"\/"] {
            let event = kind.event("GET", "/", &bearer).to_string();
            for spelled in [
                event.replacen(r#""headers":{"#, &format!(r#""headers":{{"x-odd":"{escape}","#), 1),
                event.replacen(r#""headers":{"#, &format!(r#""headers":{{"{escape}":"odd","#), 1),
                event.replacen(
                    '{',
                    &format!(r#"{{"rawQueryString":"{escape}","path":"{escape}","rawPath":"{escape}","#),
                    1,
                ),
                event.replacen('{', &format!(r#"{{"{escape}":"{escape}","#), 1),
            ] {
                let verdict = function.ask_text(&without_repeated_members(&spelled));
                cases.check(format!("{kind:?}: {escape}"), &verdict, "allow");
            }
        }
    }
    // In the credential itself it is a bad token, not a bad event.
    for escape in [r"\ud800", r"\u0000", r"\n", r"\u00e9"] {
        for kind in Kind::ALL {
            let event = kind
                .event("GET", "/", "Bearer CREDENTIAL")
                .to_string()
                .replace("CREDENTIAL", &format!("{token}{escape}"));
            cases.check(format!("{kind:?}: {escape} in the token"), &function.ask_text(&event), "401");
        }
    }
}

#[test]
fn null_and_missing_members_never_make_an_event_fail() {
    let (_site, function) = start();
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for kind in Kind::ALL {
        let event = kind.event("GET", "/", &bearer);
        let needed = ["type", "version", kind.arn_member(), "headers", "authorizationToken"];
        let mut optional: Vec<String> = event.as_object().unwrap().keys().cloned().collect();
        optional.extend(["cookies", "pathParameters", "stageVariables", "unknown"].map(str::to_owned));
        // The two carriers of a REQUEST event's header stand in for one another.
        for member in optional.iter().filter(|member| !needed.contains(&member.as_str())) {
            let mut changed = event.clone();
            changed[member] = json!(null);
            cases.check(format!("{kind:?}: {member} null"), &function.ask(&changed), "allow");
            changed.as_object_mut().unwrap().remove(member);
            cases.check(format!("{kind:?}: no {member}"), &function.ask(&changed), "allow");
            // Not JSON that API Gateway sends: an answer either way, never a crash.
            for value in [json!(7), json!("text"), json!([]), json!([null]), json!({}), json!({ "a": null })] {
                let mut changed = event.clone();
                changed[member] = value.clone();
                cases.check(format!("{kind:?}: {member} {value}"), &function.ask(&changed), "allow|malformed_event");
            }
        }
        // Each member of the request context.
        for member in event["requestContext"].as_object().into_iter().flat_map(|context| context.keys()) {
            let mut changed = event.clone();
            changed["requestContext"][member] = json!(null);
            cases.check(format!("{kind:?}: requestContext.{member} null"), &function.ask(&changed), "allow");
        }
        // All of them at once, as the console's test button does.
        let mut bare = event.clone();
        for member in optional.iter().filter(|member| !needed.contains(&member.as_str())) {
            bare[member] = json!(null);
        }
        cases.check(format!("{kind:?}: null all over"), &function.ask(&bare), "allow");

        for headers in
            ["headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "cookies"]
        {
            let mut none = kind.event_without_token("GET", "/");
            none[headers] = json!(null);
            cases.check(format!("{kind:?}: {headers} null, no token"), &function.ask(&none), "missing_token");
            none.as_object_mut().unwrap().remove(headers);
            cases.check(format!("{kind:?}: no {headers}, no token"), &function.ask(&none), "missing_token");
        }
    }
    let mut event = events::rest_token("GET", "/", "");
    event["authorizationToken"] = json!(null);
    cases.check("TOKEN: authorizationToken null", &function.ask(&event), "missing_token");
}

#[test]
fn what_is_no_event_of_ours_is_a_malformed_event() {
    let (_site, function) = start();
    let cases = Cases::default();
    let token = Token::access().text();
    let bearer = format!("Bearer {token}");
    let secret = "only-this-event-says-so";
    let arn = events::arn("GET", "/");
    let changed = |kind: Kind, member: &str, value: Value| {
        let mut event = kind.event("GET", "/", &bearer);
        event[member] = value;
        event
    };
    let mut table: Vec<(String, Value)> = [
        ("null", json!(null)),
        ("a number", json!(7)),
        ("a string", json!(secret)),
        ("a list", json!([secret])),
        (
            "an event of a load balancer",
            json!({ "requestContext": { "elb": {} }, "httpMethod": "GET", "body": secret }),
        ),
        ("no type", json!({ "methodArn": arn, "authorizationToken": bearer })),
        ("another type", json!({ "type": "OTHER", "methodArn": arn, "authorizationToken": bearer })),
        ("another case of the type", json!({ "type": "token", "methodArn": arn, "authorizationToken": bearer })),
        ("type null", json!({ "type": null, "methodArn": arn, "authorizationToken": bearer })),
        ("type a number", json!({ "type": 7, "methodArn": arn, "authorizationToken": bearer })),
        (
            "a proxy event: an integration, not an authorizer",
            json!({ "version": "2.0", "routeKey": "GET /", "rawPath": "/", "headers": { "authorization": bearer } }),
        ),
        (
            "HTTP 2.0 with only a methodArn",
            json!({ "version": "2.0", "type": "REQUEST", "methodArn": arn, "headers": { "authorization": bearer } }),
        ),
        ("a version to come", changed(Kind::Http2, "version", json!("3.0"))),
        ("a version that is a number", changed(Kind::Http2, "version", json!(2.0))),
        ("another version, REST-like", changed(Kind::RestRequest, "version", json!("1.1"))),
    ]
    .map(|(what, event)| (what.to_owned(), event))
    .into();
    for kind in Kind::ALL {
        let member = kind.arn_member();
        let mut without = kind.event("GET", "/", &bearer);
        without.as_object_mut().unwrap().remove(member);
        table.push((format!("{kind:?}: no {member}"), without));
        for arn in [
            json!(null),
            json!(7),
            json!([arn]),
            json!(""),
            json!(secret),
            json!("arn:aws:execute-api"),
            json!("arn:aws:execute-api:us-east-1:123456789012:"),
            json!("arn:aws:execute-api:us-east-1:123456789012:abcdef123"),
            json!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test"),
            json!("arn:aws:s3:::bucket/test/GET/"),
            json!("arn::execute-api:us-east-1:123456789012:abcdef123/test/GET/"),
            json!("nra:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/"),
            json!("arn:aws:execute-api:us-east-1:123456789012:/test/GET/"),
            json!("arn:aws:execute-api:us-east-1:123456789012:abcdef123//GET/"),
            json!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test//"),
        ] {
            table.push((format!("{kind:?}: {member} {arn}"), changed(kind, member, arn)));
        }
    }
    for (what, event) in table {
        let verdict = function.ask(&event);
        cases.check(&what, &verdict, "malformed_event");
        cases.is(format!("{what}: the content is repeated"), !verdict.answer.text().contains(secret));
    }
    // Not even JSON. The runtime's own words would repeat the content; ours do not.
    for text in ["", "{", secret, "{\"type\":\"TOKEN\",", "\u{0}", "[1,2", "{\"a\":\u{1}}"] {
        let (_, answer) = function.send(text);
        cases.is(format!("{text:?} is answered with an error"), matches!(answer, Answer::Error(_)));
        cases.is(format!("{text:?}: the content is repeated"), !answer.text().contains(secret));
    }
    let verdict = function.ask(&Kind::RestToken.event("GET", "/", &bearer));
    cases.check("and the next event is judged as ever", &verdict, "allow");
    function.end();
    for line in function.everything_said() {
        cases.is(format!("the content of a malformed event is written: {line}"), !line.contains(secret));
        cases.is("a token of a malformed event is written", !line.contains(&token[..60]));
    }
}

#[test]
fn method_and_path_are_those_of_the_arn() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        "routes: { GET /open: {}, ANY /shut: { any_group: [nobody] } }",
    ));
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        let lie = |event: &mut Value, method: &str, path: &str| {
            for (member, value) in [
                ("path", path),
                ("rawPath", path),
                ("resource", path),
                ("httpMethod", method),
                ("routeKey", &format!("{method} {path}")),
            ] {
                event[member] = json!(value);
            }
            for (member, value) in [("path", path), ("resourcePath", path), ("httpMethod", method), ("stage", "other")]
            {
                event["requestContext"][member] = json!(value);
            }
            event["requestContext"]["http"] = json!({ "method": method, "path": path });
            event["pathParameters"] = json!({ "proxy": "open" });
        };
        let mut event = kind.event("GET", "/open", &bearer);
        lie(&mut event, "GET", "/shut");
        // The route that it names must hold as well (see `gateway_route`).
        cases.check(format!("{kind:?}: the ARN is open"), &function.ask(&event), "forbidden");
        let mut event = kind.event("GET", "/open", &bearer);
        lie(&mut event, "GET", "/elsewhere");
        cases.check(format!("{kind:?}: the ARN is open, the rest is no rule's"), &function.ask(&event), "allow");
        let mut event = kind.event("GET", "/shut", &bearer);
        lie(&mut event, "GET", "/open");
        cases.check(format!("{kind:?}: the ARN is shut"), &function.ask(&event), "insufficient_group");
        let mut event = kind.event("POST", "/open", &bearer);
        lie(&mut event, "GET", "/open");
        cases.check(format!("{kind:?}: the ARN's method"), &function.ask(&event), "no_route");
    }
}

/// Keeps the first of members that stand twice at the top: API Gateway sends none twice.
fn without_repeated_members(event: &str) -> String {
    ["\"path\":\"/\",", "\"rawPath\":\"/test/\",", "\"rawQueryString\":\"\","]
        .iter()
        .fold(event.to_owned(), |event, member| event.replacen(member, "", 1))
}
