//! `csrf`: a token in a cookie, and the page that made the request.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{self, Kind};
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

const HOST: &str = "abcdef123.execute-api.us-east-1.amazonaws.com";
const OWN: &str = "https://abcdef123.execute-api.us-east-1.amazonaws.com";
const APP: &str = "https://app.example.com";
const WITH_COOKIES: [Kind; 4] = [Kind::RestRequest, Kind::Http1, Kind::Http2, Kind::WebSocket];

/// Names and values.
type Headers<'h> = &'h [(&'h str, &'h str)];

fn function(site: &Site, token: &str, rest: &str) -> Function {
    let routes = "routes: { $default: {}, $connect: {} }";
    Function::start(&one_pool(&site.url("/jwks.json"), &format!("{routes}\ntoken: {token}\n{rest}")))
}

/// A request with that cookie and these headers, to the host of the API.
fn event(kind: Kind, method: &str, cookie: &str, headers: Headers<'_>) -> Value {
    let mut event = kind.event_without_token(method, "/");
    event["requestContext"]["domainName"] = json!(HOST);
    for (name, value) in headers {
        header(&mut event, name, json!(value));
    }
    match kind {
        Kind::Http2 => event["cookies"] = json!([cookie]),
        Kind::RestToken | Kind::RestRequest | Kind::Http1 | Kind::WebSocket => {
            header(&mut event, "Cookie", json!(cookie))
        }
    }
    event
}

/// Adds a header as events of that kind have it.
fn header(event: &mut Value, name: &str, value: Value) {
    let name = if event["version"] == "2.0" { name.to_ascii_lowercase() } else { name.to_owned() };
    if let Some(map) = event.get_mut("multiValueHeaders") {
        map[&name] = json!([value]);
    }
    event["headers"][name] = value;
}

#[test]
fn an_unsafe_request_with_a_guarded_cookie_needs_an_allowed_origin() {
    let site = Site::with_keys(&cognito_jwks());
    let own = function(&site, "[{ cookie: session, csrf: origin }]", "");
    let listed = function(&site, "[{ cookie: session, csrf: { origins: [https://app.example.com] } }]", "");
    let cases = Cases::default();
    let cookie = format!("session={}", Token::access().text());
    for kind in WITH_COOKIES {
        // (headers, where the host's own pages may, where `APP`'s may, detail of the first that refuses)
        let table: [(Headers<'_>, &str, &str, &str); 15] = [
            (&[("Origin", OWN)], "allow", "forbidden", "csrf: another origin"),
            (&[("oRIGIN", OWN)], "allow", "forbidden", "csrf: another origin"),
            (&[("Origin", &OWN.to_ascii_uppercase())], "allow", "forbidden", "csrf: another origin"),
            (&[("Origin", APP)], "forbidden", "allow", "csrf: another origin"),
            (&[("Origin", "https://evil.example")], "forbidden", "forbidden", "csrf: another origin"),
            (&[("Origin", &format!("{OWN}:8443"))], "forbidden", "forbidden", "csrf: another origin"),
            (&[("Origin", &format!("http://{HOST}"))], "forbidden", "forbidden", "csrf: another origin"),
            (&[("Origin", "null")], "forbidden", "forbidden", "csrf: Origin is null"),
            (&[("Origin", "")], "forbidden", "forbidden", "csrf: another origin"),
            (&[], "forbidden", "forbidden", "csrf: no Origin"),
            (&[("Referer", OWN)], "forbidden", "forbidden", "csrf: no Origin"),
            (&[("Sec-Fetch-Site", "same-origin")], "allow", "forbidden", "csrf: another origin"),
            (
                &[("Sec-Fetch-Site", "same-site")],
                "forbidden",
                "forbidden",
                "csrf: no Origin, and Sec-Fetch-Site is not same-origin",
            ),
            (
                &[("Sec-Fetch-Site", "none")],
                "forbidden",
                "forbidden",
                "csrf: no Origin, and Sec-Fetch-Site is not same-origin",
            ),
            (&[("Origin", APP), ("Sec-Fetch-Site", "same-origin")], "forbidden", "allow", "csrf: another origin"),
        ];
        for (headers, by_own, by_list, detail) in table {
            for (function, expected) in [(&own, by_own), (&listed, by_list)] {
                let verdict = function.ask(&event(kind, "POST", &cookie, headers));
                cases.check(format!("{kind:?} {headers:?}"), &verdict, expected);
                if expected == "forbidden" {
                    cases.equal(format!("{kind:?} {headers:?}"), &verdict.log["detail"], detail);
                }
            }
        }
        for method in ["PUT", "PATCH", "DELETE", "PROPFIND", "get"] {
            let verdict = own.ask(&event(kind, method, &cookie, &[("Origin", APP)]));
            cases.check(format!("{kind:?} {method}"), &verdict, "forbidden");
        }
        let expected = if kind == Kind::WebSocket { "forbidden" } else { "allow" };
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            cases.check(
                format!("{kind:?} {method}"),
                &own.ask(&event(kind, method, &cookie, &[("Origin", APP)])),
                expected,
            );
        }
        // Without a good token the answer is about the token.
        let bad = own.ask(&event(kind, "POST", "session=e30.e30.c2ln", &[("Origin", APP)]));
        cases.check(format!("{kind:?} a bad token"), &bad, "401");
    }
}

#[test]
fn the_host_is_the_one_that_api_gateway_names() {
    let site = Site::with_keys(&cognito_jwks());
    let function = function(&site, "[{ cookie: session, csrf: origin }]", "");
    let cases = Cases::default();
    let cookie = format!("session={}", Token::access().text());
    for kind in WITH_COOKIES {
        let ask = |domain: Value, headers: Headers<'_>| {
            let mut event = event(kind, "POST", &cookie, headers);
            event["requestContext"]["domainName"] = domain;
            function.ask(&event)
        };
        let spoofed =
            [("Origin", "https://evil.example"), ("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")];
        cases.check(format!("{kind:?} another Host"), &ask(json!(HOST), &spoofed), "forbidden");
        let custom = [("Origin", "https://api.example.com")];
        cases.check(format!("{kind:?} a custom domain"), &ask(json!("api.example.com"), &custom), "allow");
        let behind = [("Origin", "https://api.example.com"), ("Host", "API.example.com")];
        cases.check(format!("{kind:?} no domain, a Host"), &ask(json!(null), &behind), "allow");
        let neither = ask(json!(null), &[("Origin", OWN)]);
        cases.check(format!("{kind:?} neither"), &neither, "forbidden");
        cases.equal(format!("{kind:?} neither"), &neither.log["detail"], "csrf: the event names no host");
    }
}

#[test]
fn two_origins_are_none() {
    let site = Site::with_keys(&cognito_jwks());
    let function = function(&site, "[{ cookie: session, csrf: origin }]", "");
    let cases = Cases::default();
    let cookie = format!("session={}", Token::access().text());
    for kind in WITH_COOKIES {
        for (one, other) in [(OWN, APP), (APP, OWN), (OWN, OWN)] {
            let mut two_names = event(kind, "POST", &cookie, &[("Origin", one)]);
            two_names["headers"]["ORIGIN"] = json!(other);
            cases.check(format!("{kind:?} two headers"), &function.ask(&two_names), "forbidden");
            let joined = event(kind, "POST", &cookie, &[("Origin", &format!("{one}, {other}"))]);
            cases.check(format!("{kind:?} joined"), &function.ask(&joined), "forbidden");
        }
        if matches!(kind, Kind::RestRequest | Kind::WebSocket) {
            for values in [json!([OWN, APP]), json!([APP, OWN]), json!([OWN, OWN]), json!([APP])] {
                let mut several = event(kind, "POST", &cookie, &[("Origin", OWN)]);
                several["multiValueHeaders"]["Origin"] = values.clone();
                let verdict = function.ask(&several);
                cases.check(format!("{kind:?} {values}"), &verdict, "forbidden");
                cases.equal(format!("{kind:?} {values}"), &verdict.log["detail"], "csrf: more than one Origin");
            }
        }
    }
}

#[test]
fn a_token_beside_the_guarded_cookie_does_not_lift_the_guard() {
    let site = Site::with_keys(&cognito_jwks());
    let places = "[{ header: Authorization }, { cookie: session, csrf: origin }, { cookie: plain }, { cookie: said, csrf: off }]";
    let function = function(&site, places, "");
    let cases = Cases::default();
    let (token, other) = (Token::access().text(), Token::writer().text());
    let bearer = format!("Bearer {token}");
    for kind in WITH_COOKIES {
        let ask = |cookie: &str, headers: Headers<'_>| function.ask(&event(kind, "POST", cookie, headers));
        let check = |what: &str, cookie: &str, headers: Headers<'_>, expected: &str| {
            cases.check(format!("{kind:?} {what}"), &ask(cookie, headers), expected);
        };
        let session = format!("session={token}");
        check("in the header alone", "a=b", &[("Authorization", &bearer)], "allow");
        check("in both, no origin", &session, &[("Authorization", &bearer)], "forbidden");
        check("in both, another origin", &session, &[("Authorization", &bearer), ("Origin", APP)], "forbidden");
        check("in both, its own origin", &session, &[("Authorization", &bearer), ("Origin", OWN)], "allow");
        check("two tokens", &format!("session={other}"), &[("Authorization", &bearer)], "ambiguous_token");
        check("in a cookie without a guard", &format!("plain={token}"), &[("Origin", APP)], "allow");
        check("in a cookie without one, as it says", &format!("said={token}"), &[("Origin", APP)], "allow");
        check("in both cookies", &format!("plain={token}; {session}"), &[("Origin", APP)], "forbidden");
        check("by another spelling", &format!("\"sess%69on\" ={token}"), &[("Origin", APP)], "forbidden");
    }
    // These carry the token in one place, and never in a cookie.
    let token_event = events::rest_token("POST", "/", &bearer);
    cases.check("TOKEN", &function.ask(&token_event), "allow");
}

#[test]
fn with_policies_that_cover_tokens_such_a_request_is_answered_for_itself() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        "routes: { GET /a: {}, POST /a: {} }\npolicy: { covers: token }\ntoken: [{ header: Authorization }, { cookie: session, csrf: origin }]",
    ));
    let cases = Cases::default();
    let token = Token::access().text();
    let cookie = format!("session={token}");
    for kind in [Kind::RestRequest, Kind::Http1] {
        let of = |method: &str, headers: Headers<'_>| {
            let mut event = event(kind, method, &cookie, headers);
            event["methodArn"] = json!(events::arn(method, "/a"));
            function.ask(&event)
        };
        for (method, origin, outcome) in [("GET", APP, "allow"), ("POST", OWN, "allow"), ("POST", APP, "forbidden")] {
            let verdict = of(method, &[("Origin", origin)]);
            cases.check(format!("{kind:?} {method} {origin}"), &verdict, outcome);
            cases.equal(format!("{kind:?} {method} {origin}"), verdict.resources(), [events::arn(method, "/a")]);
        }
        let by_header = function.send(&kind.event("GET", "/a", &format!("Bearer {token}")).to_string()).1.json();
        let policy = by_header["policyDocument"].to_string();
        cases.is(format!("{kind:?}: by the header, of the whole token"), policy.contains("/test/POST/a\""));
    }
}

#[test]
fn a_rule_that_only_reports_lets_no_forged_request_in() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        "routes: { $default: { report_only: true, any_group: [nobody] } }\ntoken: [{ cookie: session, csrf: origin }]",
    ));
    let cookie = format!("session={}", Token::access().text());
    let cases = Cases::default();
    let ask = |origin: &str| {
        let event = event(Kind::Http2, "POST", &cookie, &[("Origin", origin)]);
        function.send(&event.to_string()).1.json()["isAuthorized"].clone()
    };
    cases.equal("its own origin", ask(OWN), true);
    cases.equal("another one", ask(APP), false);
}
