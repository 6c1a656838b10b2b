//! Where the credential is, and that there is only one: schemes, headers, query strings, cookies.

use serde_json::{Value, json};

use crate::config::{any_valid_token, one_pool};
use crate::events::{self, Kind};
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

/// `token:` with a header, a query parameter and a cookie; every valid token is allowed.
const EVERYWHERE: &str = "
routes: { $default: {}, $connect: {} }
token: [{ header: X-Auth }, { query: access_token }, { cookie: session }]
";

#[test]
fn a_bearer_credential_or_a_bare_token_is_taken() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { $default: {}, $connect: {} }"));
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());
    for kind in Kind::ALL {
        let check = |authorization: &str, expected: &str| {
            let what = format!("{kind:?} {:?}", authorization.replace(&token, "TOKEN").replace(&other, "OTHER"));
            cases.check(what, &function.ask(&kind.event("GET", "/", authorization)), expected);
        };
        check(&format!("Bearer {token}"), "allow");
        check(&format!("bearer {token}"), "allow");
        check(&format!("BEARER {token}"), "allow");
        check(&format!("bEARER    {token}"), "allow");
        check(&token, "allow");
        check("", "missing_token");
        for nothing in [" ", "Bearer", "Bearer ", "Bearer    ", "bearer"] {
            check(nothing, "missing_token|malformed_token");
        }
        for other_scheme in ["Basic dXNlcjpwYXNzd29yZA==", "Basic", "Negotiate abc", "Digest username=\"x\""] {
            check(other_scheme, "401");
        }
        for scheme in ["DPoP", "Token", "JWT", "Basic", "Bearer:", "Bearer Bearer", "X Bearer", "Bearerx"] {
            check(&format!("{scheme} {token}"), "401");
        }
        check(&format!("Bearer{token}"), "401");
        check(&format!("Bearer\u{a0}{token}"), "401");
        check(&format!("Bearer {token} x"), "401");
        check(&format!("Bearer {token} {token}"), "401");
        // A proxy that joins two headers: which of them API Gateway or the backend means is unknown.
        check(&format!("Bearer {token},Bearer {other}"), "401");
        check(&format!("Bearer {token}, Bearer {other}"), "401");
        check(&format!("Basic dXNlcjpwYXNzd29yZA==, Bearer {token}"), "401");
        check(&format!("Bearer {token}, Basic dXNlcjpwYXNzd29yZA=="), "401");
        // The same credential twice is one; an empty one beside it is none.
        check(&format!("Bearer {token},Bearer {token}"), "allow|401");
        check(&format!("Bearer, {token}"), "allow|401");
        // HTTP takes the blanks around a field value away; whether we do so again is open.
        check(&format!(" Bearer {token}"), "allow|401");
        check(&format!("Bearer {token} "), "allow|401");
        cases.check(
            format!("{kind:?} without a credential"),
            &function.ask(&kind.event_without_token("GET", "/")),
            "missing_token",
        );
    }
}

#[test]
fn the_detail_names_what_a_client_wrote_around_the_token() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), "routes: { $default: {}, $connect: {} }"));
    let cases = Cases::default();
    let token = Token::access().text();
    for (authorization, named) in [
        (format!("Bearer Bearer {token}"), "second scheme `Bearer`"),
        (format!("bearer: {token}"), "a colon behind the scheme"),
        (format!("JWT {token}"), "scheme `JWT`"),
        (format!("Bearer JWT {token}"), "scheme `JWT`"),
        (format!("Token {token}"), "scheme `Token`"),
        (format!("Basic {token}"), "scheme `Basic`"),
        (format!("\"{token}\""), "quotes"),
        (format!("Bearer \"{token}\""), "quotes"),
        (format!("'{token}'"), "quotes"),
        (format!("{token} x"), "a blank in the token"),
        (format!("{token}="), "base64url"),
    ] {
        for kind in Kind::ALL {
            let what = format!("{kind:?} {}", authorization.replace(&token, "TOKEN"));
            let verdict = function.ask(&kind.event("GET", "/", &authorization));
            cases.check(&what, &verdict, "malformed_token");
            let detail = verdict.log["detail"].as_str().unwrap_or_default();
            cases.is(format!("{what}: {detail}"), detail.contains(named));
        }
    }
}

#[test]
fn an_empty_place_beside_a_token_is_ambiguous_on_an_http_api() {
    let site = Site::with_keys(&cognito_jwks());
    let places = "token: [{ header: Authorization }, { query: access_token }, { cookie: t }]";
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        &format!("routes: {{ $default: {{}}, $connect: {{}} }}\n{places}"),
    ));
    let cases = Cases::default();
    let token = Token::access().text();
    for (kind, expected) in [
        (Kind::Http1, "ambiguous_token"),
        (Kind::Http2, "ambiguous_token"),
        (Kind::RestRequest, "allow"),
        (Kind::WebSocket, "allow"),
    ] {
        let mut event = kind.event("GET", "/", "");
        event["queryStringParameters"] = json!({ "access_token": token });
        cases.check(format!("{kind:?}: an empty header"), &function.ask(&event), expected);
        let mut event = kind.event("GET", "/", &format!("Bearer {token}"));
        event["queryStringParameters"] = json!({ "access_token": "" });
        cases.check(format!("{kind:?}: an empty parameter"), &function.ask(&event), expected);
        let mut event = kind.event("GET", "/", &format!("Bearer {token}"));
        event["headers"]["Cookie"] = json!("a=b; t=");
        cases.check(format!("{kind:?}: an empty cookie"), &function.ask(&event), expected);
        cases.check(format!("{kind:?}: nothing"), &function.ask(&kind.event("GET", "/", "")), "missing_token");
    }
}

#[test]
fn a_cookie_counts_by_every_name_that_a_backend_may_read_as_the_configured_one() {
    let site = Site::with_keys(&cognito_jwks());
    let rest = "routes: { $default: {}, $connect: {} }\ntoken: [{ cookie: session }]";
    let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2, Kind::WebSocket] {
        for odd in
            ["a=b,session=OTHER", "a=b, session =OTHER", "=session=OTHER", "%73ession=OTHER", "\"session\"=OTHER"]
        {
            let ask = |cookies: &str| {
                let mut event = kind.event_without_token("GET", "/");
                event["headers"]["Cookie"] = json!(cookies.replace("OTHER", &other).replace("TOKEN", &token));
                function.ask(&event)
            };
            cases.check(format!("{kind:?} {odd}, alone"), &ask(odd), "allow");
            cases.check(format!("{kind:?} {odd}"), &ask(&format!("session=TOKEN; {odd}")), "ambiguous_token");
            cases.check(format!("{kind:?} {odd}, first"), &ask(&format!("{odd}; session=TOKEN")), "ambiguous_token");
        }
    }
}

#[test]
fn the_header_is_found_in_any_case_and_among_others() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&any_valid_token(&site.url("/jwks.json")));
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for name in ["Authorization", "authorization", "AUTHORIZATION", "aUTHORIZATION"] {
        let headers =
            json!({ "Host": "api", name: bearer, "X-Authorization": "Bearer x", "Authorization-X": "Bearer x" });
        cases.check(name, &function.ask(&events::rest_request("GET", "/", headers.clone())), "allow");
        cases.check(name, &function.ask(&events::http_1("GET", "/", headers.clone())), "allow");
        cases.check(name, &function.ask(&events::http_2("GET", "/", headers)), "allow");
    }
    for name in
        ["X-Authorization", "Authorization ", " Authorization", "Authorisation", "Proxy-Authorization", "Cookie"]
    {
        let headers = json!({ name: bearer });
        cases.check(name, &function.ask(&events::rest_request("GET", "/", headers.clone())), "missing_token");
        cases.check(name, &function.ask(&events::http_2("GET", "/", headers)), "missing_token");
    }
}

#[test]
fn two_different_credentials_are_refused() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&any_valid_token(&site.url("/jwks.json")));
    let cases = Cases::default();
    let (one, two) = (format!("Bearer {}", Token::access().text()), format!("Bearer {}", Token::writer().text()));
    let rest = |headers: &Value, multi_value: &Value| {
        let mut event = events::rest_request("GET", "/", headers.clone());
        event["multiValueHeaders"] = multi_value.clone();
        event
    };
    let check = |what: &str, event: Value, expected: &str| cases.check(what, &function.ask(&event), expected);
    check(
        "twice in one header",
        rest(&json!({"Authorization": two}), &json!({"Authorization": [one, two]})),
        "ambiguous_token",
    );
    check(
        "in two cases of the name",
        rest(&json!({"Authorization": one, "authorization": two}), &json!({})),
        "ambiguous_token",
    );
    check(
        "in two cases of the name, multi-value",
        rest(&json!({"Authorization": one}), &json!({"Authorization": [one], "authorization": [two]})),
        "ambiguous_token",
    );
    check(
        "headers against multi-value headers",
        rest(&json!({"Authorization": one}), &json!({"Authorization": [two]})),
        "ambiguous_token",
    );
    check(
        "a good one and a bad one",
        rest(&json!({"Authorization": one}), &json!({"Authorization": [one, "Bearer x"]})),
        "ambiguous_token",
    );
    check(
        "a good one and another scheme",
        rest(&json!({"Authorization": one}), &json!({"Authorization": [one, "Basic eA=="]})),
        "ambiguous_token",
    );
    check("the same twice", rest(&json!({"Authorization": one}), &json!({"Authorization": [one, one]})), "allow");
    check(
        "the same in two cases of the name",
        rest(&json!({"Authorization": one, "authorization": one}), &json!({})),
        "allow",
    );
    check("no multi-value headers", rest(&json!({"Authorization": one}), &json!(null)), "allow");
    check(
        "HTTP 1.0",
        events::http_1("GET", "/", json!({"Authorization": one, "authorization": two})),
        "ambiguous_token",
    );
    check(
        "HTTP 2.0",
        events::http_2("GET", "/", json!({"Authorization": one, "authorization": two})),
        "ambiguous_token",
    );
}

#[test]
fn the_token_is_where_the_configuration_says() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), EVERYWHERE));
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());

    // (headers, query, cookies) -> expected; sent as each kind of REQUEST event in that kind's own shape.
    let (bearer, session) = (format!("Bearer {token}"), format!("session={token}"));
    let table: Vec<(&str, Value, Value, Vec<String>, &str)> = vec![
        ("nowhere", json!({}), json!({}), vec![], "missing_token"),
        ("in a header that is not asked for", json!({ "Authorization": bearer }), json!({}), vec![], "missing_token"),
        ("in the header", json!({ "X-Auth": bearer }), json!({}), vec![], "allow"),
        ("in the header, bare", json!({ "x-auth": token }), json!({}), vec![], "allow"),
        ("in the query", json!({}), json!({ "access_token": token }), vec![], "allow"),
        ("in the query, another name", json!({}), json!({ "token": token }), vec![], "missing_token"),
        ("in the query, another case", json!({}), json!({ "Access_Token": token }), vec![], "missing_token"),
        ("in the query, null", json!({}), json!({ "access_token": null }), vec![], "missing_token"),
        ("in the query, empty", json!({}), json!({ "access_token": "" }), vec![], "missing_token"),
        ("in a cookie", json!({}), json!({}), vec![session.clone()], "allow"),
        ("in the last cookie", json!({}), json!({}), vec!["a=b".into(), "c=d=e".into(), session.clone()], "allow"),
        ("in a cookie of a longer name", json!({}), json!({}), vec![format!("xsession={token}")], "missing_token"),
        (
            "in a cookie of a name that begins so",
            json!({}),
            json!({}),
            vec![format!("session2={token}")],
            "missing_token",
        ),
        ("in a cookie's value", json!({}), json!({}), vec![format!("a=session={token}")], "missing_token"),
        ("in a cookie, another case", json!({}), json!({}), vec![format!("Session={token}")], "missing_token"),
        ("in an empty cookie", json!({}), json!({}), vec!["session=".into()], "missing_token"),
        ("in a cookie without a value", json!({}), json!({}), vec!["session".into()], "missing_token"),
        ("in two cookies", json!({}), json!({}), vec![session.clone(), format!("session={other}")], "ambiguous_token"),
        (
            "header and query differ",
            json!({ "X-Auth": bearer }),
            json!({ "access_token": other }),
            vec![],
            "ambiguous_token",
        ),
        (
            "header and cookie differ",
            json!({ "X-Auth": bearer }),
            json!({}),
            vec![format!("session={other}")],
            "ambiguous_token",
        ),
        (
            "query and cookie differ",
            json!({}),
            json!({ "access_token": token }),
            vec![format!("session={other}")],
            "ambiguous_token",
        ),
        ("header and query agree", json!({ "X-Auth": bearer }), json!({ "access_token": token }), vec![], "allow"),
        (
            "a bad header, a good query",
            json!({ "X-Auth": "Bearer x" }),
            json!({ "access_token": token }),
            vec![],
            "ambiguous_token",
        ),
        (
            "a good header, a bad query",
            json!({ "X-Auth": bearer }),
            json!({ "access_token": "x" }),
            vec![],
            "ambiguous_token",
        ),
    ];
    for (what, headers, query, cookies, expected) in table {
        // REST, HTTP 1.0 and WebSocket events carry cookies as one header.
        let mut with_cookie = headers.clone();
        if !cookies.is_empty() {
            with_cookie["Cookie"] = json!(cookies.join("; "));
        }
        let multi_value_query: Value =
            query.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let one_header = [
            (Kind::RestRequest, events::rest_request("GET", "/", with_cookie.clone())),
            (Kind::WebSocket, events::websocket(with_cookie.clone())),
            (Kind::Http1, events::http_1("GET", "/", with_cookie)),
        ];
        for (kind, mut event) in one_header {
            event["queryStringParameters"] = query.clone();
            if kind != Kind::Http1 {
                event["multiValueQueryStringParameters"] = multi_value_query.clone();
            }
            cases.check(format!("{kind:?}: {what}"), &function.ask(&event), expected);
        }
        let mut event = events::http_2("GET", "/", headers);
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        if query != json!({}) {
            event["queryStringParameters"] = query;
        }
        cases.check(format!("Http2: {what}"), &function.ask(&event), expected);
    }

    let mut event = events::rest_request("GET", "/", json!({}));
    event["queryStringParameters"] = json!({ "access_token": other });
    event["multiValueQueryStringParameters"] = json!({ "access_token": [token, other] });
    cases.check("twice in the query", &function.ask(&event), "ambiguous_token");
    // HTTP 2.0 joins a repeated query parameter with a comma.
    let mut event = events::http_2("GET", "/", json!({}));
    event["queryStringParameters"] = json!({ "access_token": format!("{token},{other}") });
    cases.check("twice in the query of HTTP 2.0", &function.ask(&event), "401");
    // A TOKEN event has one place only; which header it came from is API Gateway's business.
    cases.check("TOKEN", &function.ask(&events::rest_token("GET", "/", &bearer)), "allow");
}

#[test]
fn a_place_counts_in_the_events_that_it_is_for() {
    let site = Site::with_keys(&cognito_jwks());
    let config = one_pool(
        &site.url("/jwks.json"),
        "routes: { $default: {}, $connect: {} }
token: [{ header: Authorization }, { query: access_token, events: websocket }, { cookie: t, events: [http_1.0, http_2.0] }]",
    );
    let function = Function::start(&config);
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());
    for (kind, in_query, in_both, in_cookie) in [
        (Kind::RestRequest, "missing_token", "allow", "missing_token"),
        (Kind::Http1, "missing_token", "allow", "allow"),
        (Kind::Http2, "missing_token", "allow", "allow"),
        (Kind::WebSocket, "allow", "ambiguous_token", "missing_token"),
    ] {
        let mut event = kind.event_without_token("GET", "/");
        event["queryStringParameters"] = json!({ "access_token": other });
        cases.check(format!("{kind:?}: in the query"), &function.ask(&event), in_query);
        let mut event = kind.event("GET", "/", &format!("Bearer {token}"));
        event["queryStringParameters"] = json!({ "access_token": other });
        cases.check(format!("{kind:?}: in header and query"), &function.ask(&event), in_both);
        let mut event = kind.event_without_token("GET", "/");
        if matches!(kind, Kind::Http2) {
            event["cookies"] = json!([format!("t={token}")]);
        } else {
            event["headers"]["Cookie"] = json!(format!("t={token}"));
        }
        cases.check(format!("{kind:?}: in a cookie"), &function.ask(&event), in_cookie);
    }
}

#[test]
fn no_other_part_of_the_event_is_a_credential() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&any_valid_token(&site.url("/jwks.json")));
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for (what, member, value) in [
        ("authorizationToken", "authorizationToken", json!(bearer)),
        ("identitySource", "identitySource", json!(bearer)),
        ("identitySource, a list", "identitySource", json!([bearer])),
        ("a query parameter", "queryStringParameters", json!({ "Authorization": bearer, "access_token": bearer })),
        ("a cookie", "cookies", json!([format!("Authorization={bearer}")])),
        ("a stage variable", "stageVariables", json!({ "Authorization": bearer })),
        ("a path parameter", "pathParameters", json!({ "Authorization": bearer })),
    ] {
        for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
            let mut event = kind.event_without_token("GET", "/");
            event[member] = value.clone();
            cases.check(format!("{kind:?}: {what}"), &function.ask(&event), "missing_token");
        }
    }
    // What stands beside a good header changes nothing either.
    let mut event = events::http_1("GET", "/", json!({ "Authorization": bearer }));
    event["identitySource"] = json!(format!("{bearer},203.0.113.7"));
    event["authorizationToken"] = event["identitySource"].clone();
    cases.check("two identity sources, joined", &function.ask(&event), "allow");
}
