//! `policy.covers: token`: what a policy allows and denies for each kind of token, Resource by
//! Resource. `tests/coverage` holds the same against random tables, tokens and paths.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{Kind, STAGE_ARN};
use crate::jwks_server::Site;
use crate::runtime_api::{Function, Setup};
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::{Answer, Cases};

struct Api {
    function: Function,
    _site: Site,
}

impl Api {
    fn of(rest: &str) -> Api {
        let site = Site::with_keys(&cognito_jwks());
        let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
        Api { function, _site: site }
    }

    /// The whole answer.
    fn answer(&self, method: &str, path: &str, token: &Token) -> Value {
        self.function
            .send(&Kind::RestToken.event(method, path, &format!("Bearer {}", token.text())).to_string())
            .1
            .json()
    }

    /// The Resources that are allowed and denied, from the method on, without those that
    /// everybody is denied.
    fn says(&self, method: &str, path: &str, token: &Token) -> (Vec<String>, Vec<String>) {
        let answer = self.answer(method, path, token);
        let statements = answer["policyDocument"]["Statement"].as_array().unwrap().clone();
        let of = |effect: &str| {
            let statements = statements.iter().filter(|statement| statement["Effect"] == effect);
            let resources = statements.flat_map(|statement| {
                let resource = &statement["Resource"];
                resource.as_array().cloned().unwrap_or_else(|| vec![resource.clone()])
            });
            let tails = resources.map(|resource| {
                let resource = resource.as_str().unwrap();
                resource.strip_prefix(STAGE_ARN).and_then(|tail| tail.strip_prefix('/')).expect(resource).to_owned()
            });
            let mut tails: Vec<String> = tails.filter(|tail| !UNSAFE.contains(&tail.as_str())).collect();
            tails.sort();
            tails
        };
        (of("Allow"), of("Deny"))
    }

    #[track_caller]
    fn check(&self, token: &Token, allow: &[&str], deny: &[&str]) {
        let (allowed, mut denied) = self.says("GET", "/nowhere", token);
        // What was asked for is denied too, where nothing else denies it.
        denied.retain(|tail| tail != "GET/nowhere");
        let sorted = |list: &[&str]| {
            let mut list: Vec<String> = list.iter().map(|item| (*item).to_owned()).collect();
            list.sort();
            list
        };
        assert_eq!((allowed, denied), (sorted(allow), sorted(deny)), "{}", token.payload_json());
    }
}

/// Paths that nobody may use, and other forms of the same, for which there is not always room.
const UNSAFE: [&str; 28] = [
    "*//*",
    "*/.",
    "*/./*",
    "*/..",
    "*/../*",
    "*\\*",
    "*/;*",
    "*.;*",
    "*\u{ff0e}*",
    "*\u{2024}*",
    "*\u{2025}*",
    "*\u{fe52}*",
    "*\u{ff0f}*",
    "*\u{ff3c}*",
    "*\u{a0}*",
    "*\u{3000}*",
    "*%ef%bc%8e*",
    "*%EF%BC%8E*",
    "*%ef%bc%8f*",
    "*%EF%BC%8F*",
    "*%ef%bc%bc*",
    "*%EF%BC%BC*",
    "*%e2%80%a?*",
    "*%E2%80%A?*",
    "*%c2%a0*",
    "*%C2%A0*",
    "*%e3%80%80*",
    "*%E3%80%80*",
];
/// Where a wildcard is allowed.
const UNSAFE_WITHIN_WILDCARDS: [&str; 12] =
    ["*#*", "*/. *", "*/.. *", "*/ .*", "*/  *", "*:*//*", "*:*/.*", "*:*\\*", "*:*;*", "*:*#*", "*:*/ *", "*:*%*"];
const UNSAFE_ESCAPES: [&str; 38] = [
    "*%2e*",
    "*%2E*",
    "*%2f*",
    "*%2F*",
    "*%5c*",
    "*%5C*",
    "*%25*",
    "*%3b*",
    "*%3B*",
    "*%23*",
    "*%3f*",
    "*%3F*",
    "*%2a*",
    "*%2A*",
    "*%0?*",
    "*%1?*",
    "*%7f*",
    "*%7F*",
    "*%c2%8?*",
    "*%C2%8?*",
    "*%c2%9?*",
    "*%C2%9?*",
    "*%c0*",
    "*%C0*",
    "*%c1*",
    "*%C1*",
    "*%e0%8?*",
    "*%E0%8?*",
    "*%f0%8?*",
    "*%F0%8?*",
    "*%u*",
    "*%U*",
    "*/.%20*",
    "*/..%20*",
    "*/%20.*",
    "*/%20%20*",
    "*/%20 *",
    "*/ %*",
];

fn scopes(scope: &str) -> Token {
    Token::access().claim("scope", json!(scope))
}

/// The faults with which a table is refused.
fn refusal(rest: &str) -> String {
    let refused = Setup::config(&one_pool("https://jwks.example/", rest)).refused().expect("it starts");
    refused.init_error.unwrap()
}

fn groups(groups: &[&str]) -> Token {
    Token::access().claim("cognito:groups", json!(groups))
}

fn covering(routes: &str) -> Api {
    Api::of(&format!("policy: {{ covers: token }}\nroutes:\n{routes}"))
}

fn covering_by_silence(routes: &str) -> Api {
    Api::of(&format!("policy: {{ covers: token, implicit_deny: true }}\nroutes:\n{routes}"))
}

/// What is denied beside an allowed wildcard that overlaps no stricter route.
fn with_escapes() -> Vec<&'static str> {
    [&UNSAFE_WITHIN_WILDCARDS[..], &UNSAFE_ESCAPES].concat()
}

/// What is denied beside one that overlaps a stricter route.
fn within_a_wildcard(more: &[&'static str]) -> Vec<&'static str> {
    [&UNSAFE_WITHIN_WILDCARDS[..], &["*%*", "*/ ?*"], more].concat()
}

#[test]
fn literal_routes_are_spelled_out_with_and_without_a_trailing_slash() {
    let api = covering("  GET /a: { any_scope: [r] }\n  POST /a: { any_scope: [w] }\n");
    api.check(&scopes("r"), &["GET/a", "GET/a/"], &["POST/?*"]);
    api.check(&scopes("w"), &["POST/a", "POST/a/"], &["GET/?*"]);
    api.check(&scopes("r w"), &["GET/a", "GET/a/", "POST/a", "POST/a/"], &[]);
    api.check(&scopes("x"), &[], &["*"]);
}

#[test]
fn any_is_seven_methods() {
    let api = covering("  ANY /a/{x+}: {}\n");
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let allow: Vec<String> = methods.iter().map(|method| format!("{method}/a/?*")).collect();
    api.check(&scopes("x"), &allow.iter().map(String::as_str).collect::<Vec<_>>(), &with_escapes());
}

#[test]
fn what_lies_deeper_than_a_parameter_is_denied() {
    let api = covering("  GET /a/{x}: {}\n");
    api.check(&scopes("x"), &["GET/a/?*"], &[&["?*/a/?*/?*"][..], &with_escapes()].concat());
}

#[test]
fn a_stricter_route_within_an_open_one_is_denied_and_so_is_every_escape() {
    let api = covering("  GET /{x+}: {}\n  GET /admin/{x+}: { any_group: [admin] }\n");
    let besides = ["GET/admin/?*", "*/admin;*", "*/admin *", "*:*/admin *", "*/admin.*/*", "*:*/admin.*/*"];
    api.check(&groups(&["user"]), &["GET/?*"], &within_a_wildcard(&besides));
    api.check(&groups(&["admin"]), &["GET/?*"], &with_escapes());
}

#[test]
fn where_shorter_paths_are_another_routes_a_greedy_one_starts_below_them() {
    let api = covering("  GET /a/{x}: { any_scope: [r] }\n  GET /a/{x+}: { all_scopes: [r, w] }\n");
    api.check(
        &scopes("r"),
        &["GET/a/?*"],
        &within_a_wildcard(&[
            "?*/a/?*/?*",
            "?*:*/a/?*/?*",
            "?*/a/?*:*/?*",
            "?*:*/a/?*:*/?*",
            "*/a;*",
            "*/a *",
            "*:*/a *",
            "*/a.*/*",
            "*:*/a.*/*",
        ]),
    );
}

#[test]
fn a_bound_parameter_is_the_users_own_path() {
    let api = covering_by_silence(
        "  GET /users/{id}/{x+}: { any: [{ claims: { sub: \"{id}\" } }, { any_group: [admin] }] }\n",
    );
    let of = |sub: &str| Token::access().claim("sub", json!(sub));
    api.check(&of("ann"), &["GET/users/ann/?*"], &with_escapes());
    api.check(&groups(&["admin"]), &["GET/users/?*/?*"], &with_escapes());
    // None of these is a segment that IAM takes as it stands.
    for sub in
        ["*", "a*", "a?", "${aws:username}", "a/b", "..", "a%20b", "a;b", "a\\b", "a\nb", "a#b", "a.", "a ", "\u{ff41}"]
    {
        let (allowed, _) = api.says("GET", "/nowhere", &of(sub));
        assert_eq!(allowed, Vec::<String>::new(), "{sub}");
    }
}

#[test]
fn default_is_all_that_no_other_route_has_but_not_connect() {
    let api = covering("  $default: { any_scope: [r] }\n  GET /a: { all_scopes: [r, w] }\n");
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let all: Vec<String> = methods.iter().flat_map(|m| [(*m).to_owned(), format!("{m}/*")]).collect();
    let (allowed, _) = api.says("GET", "/nowhere", &scopes("r"));
    let mut expected = all.clone();
    expected.sort();
    assert_eq!(allowed, expected);
    let refused =
        refusal("policy: { covers: token }\nroutes:\n  $default: { any_scope: [r] }\n  GET /a: { any_scope: [w] }\n");
    assert!(refused.contains("`$default`") && refused.contains("`GET /a`"), "{refused}");
}

#[test]
fn routes_that_ask_for_more_than_token_and_path_answer_for_themselves() {
    let api = covering(
        "  GET /a: {}\n  GET /recent: { max_auth_age: 1h }\n  GET /either: { any: [{ max_auth_age: 1h }, { any_group: [x] }] }\n",
    );
    let token = Token::access();
    api.check(&token, &["GET/a", "GET/a/"], &["?*/recent", "?*/recent/", "?*/either", "?*/either/"]);
    assert_eq!(api.says("GET", "/recent", &token), (vec!["GET/recent".to_owned()], vec![]));
    let old = token.claim("auth_time", json!(1_000_000));
    assert_eq!(api.says("GET", "/recent", &old), (vec![], vec!["GET/recent".to_owned()]));
    assert_eq!(api.answer("GET", "/recent", &old)["context"]["reason"], "authentication_too_old");
}

#[test]
fn a_denied_request_gets_the_policy_of_its_token_and_the_context_of_its_claims() {
    let api = covering("  GET /a: { any_scope: [r] }\n  POST /a: { any_scope: [w] }\n");
    let token = scopes("r");
    let allowed = api.answer("GET", "/a", &token);
    for (method, path) in [("POST", "/a"), ("GET", "/a//b"), ("POST", "/a/b")] {
        assert_eq!(api.answer(method, path, &token), allowed, "{method} {path}");
    }
    // Where the policy would say nothing of it, it denies what was asked for besides.
    for (method, path) in [("GET", "/nowhere"), ("PUT", "/a"), ("GET", "/%2e%2e/a")] {
        let mut answer = api.answer(method, path, &token);
        let own = answer["policyDocument"]["Statement"].as_array_mut().unwrap().pop().unwrap();
        assert_eq!((&own["Effect"], &own["Resource"]), (&json!("Deny"), &json!([crate::events::arn(method, path)])));
        assert_eq!(answer, allowed, "{method} {path}");
    }
    assert_eq!(
        allowed["context"],
        json!({"sub": crate::tokens::READER_SUB, "username": "reader", "client_id": "web-client", "scope": "r"})
    );
}

#[test]
fn what_a_wildcard_would_allow_is_denied_to_the_request_that_asks() {
    let api = covering("  GET /a/{x}: {}\n  GET /a/{x}/b: {}\n");
    let token = Token::access();
    // Too deep for the one and no request of the other.
    let (allowed, denied) = api.says("GET", "/a/x/c", &token);
    assert_eq!(allowed, ["GET/a/?*"]);
    assert!(denied.contains(&"GET/a/x/c".to_owned()), "{denied:?}");
}

#[test]
fn a_denial_that_would_match_other_requests_is_not_kept() {
    let routes = "  GET /orders/{id}: {}\n  GET /items: {}\n  GET /admin/{x+}: { any_group: [admin] }\n";
    let stars = |count: usize| "*".repeat(count);
    let (api, silent) = (covering(routes), covering_by_silence(routes));
    for (path, is_kept) in [
        (format!("/orders/{}", stars(36)), false),
        ("/orders/1?".to_owned(), false),
        ("/orders/${a}".to_owned(), false),
        (format!("/{}", stars(5)), false),
        ("/*".to_owned(), false),
        ("/nowhere?".to_owned(), false),
        (format!("/orders/{}", "a".repeat(600)), false),
        // The policy denies these anyway.
        (format!("/admin/{}", stars(36)), true),
        (format!("/orders/1/{}", stars(3)), true),
        ("/a//*".to_owned(), true),
    ] {
        let event = Kind::RestToken.event("GET", &path, &format!("Bearer {}", Token::access().text()));
        let (answer, line) = api.function.ask_unjudged(&event);
        let reason = (line["decision"].as_str().unwrap(), line["reason"].as_str().unwrap());
        assert_eq!(reason, ("forbidden", "unsafe_path"), "{path}");
        match answer {
            Answer::Error(_) => {
                assert!(!is_kept, "{path} {answer:?}");
                assert_eq!(answer.json()["errorType"], "unsafe_path");
            }
            Answer::Response(_) => {
                assert!(is_kept, "{path} {answer:?}");
                let deny = &answer.json()["policyDocument"]["Statement"][1]["Resource"];
                assert_eq!(
                    *deny,
                    api.answer("GET", "/items", &Token::access())["policyDocument"]["Statement"][1]["Resource"]
                );
            }
        }
        // Silence says it where nothing else allows, but not of what the policy allows.
        let (answer, _) = silent.function.ask_unjudged(&event);
        let is_allowed_by_wildcard = path.starts_with("/orders/") && !path.starts_with("/orders/1/");
        assert_eq!(matches!(answer, Answer::Error(_)), is_allowed_by_wildcard, "{path}");
    }
}

#[test]
fn a_user_with_many_groups_is_let_in_and_the_backend_is_told_of_claims_that_do_not_fit() {
    for routes in [1, 16, 17, 40] {
        let table: String = (0..routes).map(|n| format!("  GET /r{n}: {{ any_scope: [read, \"r{n}\"] }}\n")).collect();
        for covers in ["token", "request"] {
            let api = Api::of(&format!("policy: {{ covers: {covers} }}\nroutes:\n{table}"));
            for count in [1, 100, 250] {
                let ids: Vec<String> = (0..count).map(|n| format!("{n:08}-1111-4222-8333-444444444444")).collect();
                let token = Token::access().claim("cognito:groups", json!(ids)).claim("scope", json!("read"));
                for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
                    let event = kind.event("GET", "/r0", &format!("Bearer {}", token.text()));
                    let (answer, line) = api.function.ask_unjudged(&event);
                    let case = format!("{routes} routes, {covers}, {count} groups, {kind:?}");
                    assert_eq!(line["decision"], "allow", "{case}");
                    assert!(answer.text().len() <= 8192, "{case}");
                    let context = &answer.json()["context"];
                    assert_eq!(context["sub"], crate::tokens::READER_SUB, "{case}");
                    let whole = if kind == Kind::Http2 { json!(ids) } else { json!(ids.join(" ")) };
                    match context.get("groups") {
                        Some(groups) => assert_eq!((groups, context.get("omitted_claims")), (&whole, None), "{case}"),
                        None => assert_eq!(context["omitted_claims"], "groups", "{case}"),
                    }
                    assert_eq!(line.get("omitted_claims"), context.get("omitted_claims"), "{case}");
                    // A hundred are about half of an answer: it depends on the policy beside them.
                    if count != 100 {
                        assert_eq!(context.get("groups").is_none(), count == 250, "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_left_out_of_a_context_does_not_depend_on_the_request() {
    let api = covering("  GET /items: {}\n");
    let token = Token::access().claim("cognito:groups", json!(["x".repeat(6300)]));
    let context = |path: &str| api.answer("GET", path, &token)["context"].clone();
    let whole = context("/items");
    assert!(whole.get("groups").is_some());
    for path in ["/nowhere".to_owned(), format!("/{}", "n".repeat(300))] {
        assert_eq!(context(&path), whole, "{}", path.len());
    }
}

#[test]
fn a_context_key_that_the_authorizer_uses_is_refused_and_keys_must_have_room() {
    let of = |context: &str| format!("context: {{ {context} }}\nroutes: {{ GET /a: {{}} }}");
    assert!(refusal(&of("omitted_claims: sub")).contains("context.omitted_claims"));
    let keys = |bytes: usize| format!("{}: sub", "k".repeat(bytes - 1));
    let covering = |context: &str| format!("{}\npolicy: {{ covers: token }}", of(context));
    for (config, starts) in
        [(of(&keys(2048)), true), (of(&keys(2049)), false), (covering(&keys(459)), true), (covering(&keys(460)), false)]
    {
        let site = Site::with_keys(&cognito_jwks());
        let refused = Setup::config(&one_pool(&site.url("/jwks.json"), &config)).refused();
        assert_eq!(refused.is_none(), starts, "{config}");
        if let Some(refused) = refused {
            assert!(refused.init_error.unwrap().contains("bytes in all"), "{config}");
        }
    }
}

#[test]
fn what_cannot_be_written_for_one_route_costs_that_route_alone() {
    let cases = Cases::default();
    let routes = "  GET /items: {}
  GET /users/{id}: { claims: { sub: \"{id}\" } }
  GET /users/{id}/orders: { any: [{ claims: { sub: \"{id}\" } }, { any_group: [admin] }] }
  GET /tenants/{t}: { claims: { tenants: \"{t}\" } }
  GET /{x}/profile/settings: { claims: { sub: \"{x}\" } }
  GET /open/{y}: { any_scope: [never] }
";
    let api = covering_by_silence(routes);
    let of = |sub: &str| Token::access().claim("sub", json!(sub));
    let tenants = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let long = "a".repeat(460);
    for (what, token, allowed) in [
        ("a usual sub", of("ann"), vec!["/items", "/users/ann", "/users/ann/orders", "/ann/profile/settings"]),
        ("a sub of 460 characters", of(&long), vec!["/items"]),
        (
            "an administrator with such a sub",
            of(&long).claim("cognito:groups", json!(["admin"])),
            vec!["/items", "/users/ann/orders"],
        ),
        ("a sub that is called like a segment", of("open"), vec!["/items", "/users/open", "/users/open/orders"]),
        ("a sub that is called like another", of("users"), vec!["/items", "/users/users", "/users/users/orders"]),
        ("several tenants", of("ann").claim("tenants", json!(tenants(5))), vec!["/items", "/tenants/t1", "/users/ann"]),
        (
            "too many tenants",
            of("ann").claim("tenants", json!(tenants(100))),
            vec!["/items", "/users/ann", "/ann/profile/settings"],
        ),
    ] {
        for path in [
            "/items",
            "/users/ann",
            "/users/ann/orders",
            "/users/open",
            "/tenants/t1",
            "/ann/profile/settings",
            "/open/profile/settings",
            "/nowhere",
        ] {
            let event = Kind::RestToken.event("GET", path, &format!("Bearer {}", token.text()));
            let (answer, line) = api.function.ask_unjudged(&event);
            cases.is(format!("{what}, {path}: {answer:?}"), matches!(answer, Answer::Response(_)));
            cases.is(format!("{what}, {path}: {line}"), line["decision"] != "unavailable");
            if allowed.contains(&path) {
                cases.equal(format!("{what}, {path}"), line["decision"].as_str(), Some("allow"));
            }
        }
    }
    let event = Kind::RestToken.event(
        "GET",
        "/tenants/t1",
        &format!("Bearer {}", of("ann").claim("tenants", json!(tenants(100))).text()),
    );
    let (_, line) = api.function.ask_unjudged(&event);
    cases.equal(
        "the log says why",
        line["detail"].as_str(),
        Some("no cached policy has room for this route and the token's claims"),
    );
}

#[test]
fn a_sender_bound_tokens_denial_matches_its_own_request_alone() {
    // Such a token is answered for its own request; this one's certificate is not there.
    let api = covering("  GET /items: {}\n");
    let bound = Token::access().claim("cnf", json!({ "x5t#S256": "x" }));
    let event = Kind::RestToken.event("GET", "/*****", &format!("Bearer {}", bound.text()));
    assert!(api.function.ask(&event).failed_as_unauthorized());
}

#[test]
fn what_is_asked_for_and_denied_is_never_left_to_silence() {
    let routes = "  GET /items: {}\n  GET /admin: { any_group: admin }\n";
    let denials = |api: &Api, method, path| api.says(method, path, &Token::access()).1;
    for (method, path, denied) in [
        ("GET", "/nowhere", "GET/nowhere"),
        ("DELETE", "/items", "DELETE/items"),
        ("GET", "/Admin", "GET/Admin"),
        ("GET", "/%61dmin", "GET/%61dmin"),
        ("GET", "/items/%zz", "GET/items/%zz"),
        ("GET", "/a%2fb", "GET/a%2fb"),
        ("GET", "/admin;x", "GET/admin;x"),
    ] {
        let own = denied.to_owned();
        assert!(denials(&covering(routes), method, path).contains(&own), "{method} {path}");
        assert!(!denials(&covering_by_silence(routes), method, path).contains(&own), "{method} {path}");
    }
}

#[test]
fn what_is_refused_when_asked_for_is_denied_by_the_policy_that_is_cached() {
    let public = covering("  GET /public/{p+}: {}\n  ANY /admin/{p+}: { any_group: [admin] }\n");
    let open = covering("  GET /{x}: {}\n  GET /admin: { any_group: [admin] }\n");
    let by_default = covering("  $default: {}\n  GET /admin: { any_group: [admin] }\n");
    for (api, path) in [
        (&public, "/public/..%20/admin/x"),
        (&public, "/public/%20../admin/x"),
        (&public, "/public/.%20/x"),
        (&public, "/public/.. /admin/x"),
        (&public, "/public/..#/admin/x"),
        (&public, "/public/x:y/../admin/z"),
        (&open, "/admin#x"),
        (&open, "/admin.json"),
        (&open, "/admin."),
        (&open, "/admin%20"),
        (&open, "/admin "),
        (&by_default, "/admin#x"),
        (&by_default, "/x:y/../admin"),
    ] {
        let policy = api.answer("GET", "/nowhere/at/all", &Token::access())["policyDocument"].clone();
        assert_eq!(evaluated(&policy, "GET", path), "Deny", "{path}");
        let own = api.answer("GET", path, &Token::access())["policyDocument"].clone();
        assert_eq!(evaluated(&own, "GET", path), "Deny", "{path}");
    }
    let policy = open.answer("GET", "/x", &Token::access())["policyDocument"].clone();
    for (path, expected) in [("/report.json", "Allow"), ("/x", "Allow"), ("/admin", "Deny")] {
        assert_eq!(evaluated(&policy, "GET", path), expected, "{path}");
    }
}

/// What IAM says of a request: `Allow`, `Deny` or nothing.
fn evaluated(policy: &Value, method: &str, path: &str) -> &'static str {
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| fits(rest, &text[taken..])),
            Some((wanted, rest)) => {
                text.split_first().is_some_and(|(found, text)| (*wanted == '?' || wanted == found) && fits(rest, text))
            }
        }
    }
    let arn: Vec<char> = crate::events::arn(method, path).chars().collect();
    let says = |effect: &str| {
        let mut statements = policy["Statement"].as_array().unwrap().iter().filter(|one| one["Effect"] == effect);
        statements.any(|one| {
            let resources = one["Resource"].as_array().cloned().unwrap_or_else(|| vec![one["Resource"].clone()]);
            resources.iter().any(|resource| fits(&resource.as_str().unwrap().chars().collect::<Vec<_>>(), &arn))
        })
    };
    if says("Deny") {
        "Deny"
    } else if says("Allow") {
        "Allow"
    } else {
        ""
    }
}

#[test]
fn a_token_that_may_be_used_nowhere_is_denied_on_the_whole_stage() {
    let routes = "  GET /a: { any_scope: [r] }\n  GET /{x}/b: { any_scope: [w] }\n";
    for api in [covering(routes), covering_by_silence(routes)] {
        for path in ["/a", "/x/b", "/nowhere", "/a//b", "/*"] {
            assert_eq!(api.says("GET", path, &scopes("x")), (vec![], vec!["*".to_owned()]), "{path}");
        }
    }
}

/// What an answer by a policy comes to.
#[derive(Debug, PartialEq)]
enum Kept {
    /// `Unauthorized`, which API Gateway does not keep.
    Nothing,
    /// A Deny of this, from the method on.
    Deny(String),
}

#[test]
fn a_token_that_is_bad_for_good_is_denied_on_the_whole_stage_and_no_other_401_is_kept() {
    let token = Token::access();
    let bearer = |token: &Token| format!("Bearer {}", token.text());
    let cases = [
        ("malformed_token", "Bearer x.y.z".to_owned(), true),
        ("malformed_token", "Basic abc".to_owned(), true),
        ("token_too_large", format!("Bearer {}", "a".repeat(16_385)), true),
        ("algorithm_not_allowed", format!("Bearer {}", token.clone().algorithm("PS256").text()), true),
        ("unknown_issuer", bearer(&token.clone().claim("iss", json!("https://else.example"))), true),
        ("bad_signature", format!("Bearer {}", token.with_signature(&[7; 256])), true),
        ("token_expired", bearer(&token.clone().claim("exp", json!(1_000_000))), true),
        ("wrong_token_use", bearer(&token.clone().claim("token_use", json!("refresh"))), true),
        ("wrong_client", bearer(&token.clone().claim("client_id", json!("other"))), true),
        ("malformed_claims", bearer(&token.clone().claim("exp", json!("soon"))), true),
        ("unknown_key", bearer(&token.clone().header("kid", json!("nobody's"))), false),
        ("token_not_yet_valid", bearer(&token.clone().claim("nbf", json!(4_000_000_000_i64))), false),
        ("sender_not_proven", bearer(&token.clone().claim("cnf", json!({ "x5t#S256": "x" }))), false),
        ("missing_token", String::new(), false),
    ];
    let settings = "rest_api: { unauthorized: deny }\nhttp_api: { response: policy }\n";
    let of = |policy: &str| Api::of(&format!("{settings}policy: {policy}\nroutes: {{ GET /a: {{}}, GET /b: {{}} }}"));
    let (by_request, by_token, by_silence) =
        (of("{ covers: request }"), of("{ covers: token }"), of("{ covers: token, implicit_deny: true }"));
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
        for (reason, authorization, is_final) in &cases {
            let event = match authorization.is_empty() {
                true => kind.event_without_token("GET", "/a"),
                false => kind.event("GET", "/a", authorization),
            };
            let kept = |api: &Api| {
                let verdict = api.function.ask(&event);
                assert_eq!(verdict.outcome(), *reason, "{kind:?} {authorization}");
                if verdict.failed_as_unauthorized() {
                    return Kept::Nothing;
                }
                assert_eq!(verdict.response()["principalId"], "anonymous");
                let resource = verdict.resources().concat();
                Kept::Deny(resource.strip_prefix(&format!("{STAGE_ARN}/")).expect(&resource).to_owned())
            };
            assert_eq!(kept(&by_request), Kept::Deny("GET/a".to_owned()), "{kind:?} {reason}");
            let expected = || if *is_final { Kept::Deny("*".to_owned()) } else { Kept::Nothing };
            assert_eq!(kept(&by_token), expected(), "{kind:?} {reason}");
            assert_eq!(kept(&by_silence), expected(), "{kind:?} {reason}");
        }
    }
}

#[test]
fn two_credentials_are_no_word_on_either() {
    let api = Api::of(
        "policy: { covers: token }\nrest_api: { unauthorized: deny }\ntoken: [{ header: Authorization }, { cookie: t }]\nroutes: { GET /a: {} }",
    );
    let mut event = Kind::RestRequest.event("GET", "/a", &format!("Bearer {}", Token::access().text()));
    event["headers"]["Cookie"] = json!(format!("t={}", Token::admin().text()));
    event["multiValueHeaders"]["Cookie"] = json!([event["headers"]["Cookie"]]);
    let verdict = api.function.ask(&event);
    assert_eq!((verdict.outcome(), verdict.failed_as_unauthorized()), ("ambiguous_token", true));
}

#[test]
fn a_policy_that_expires_says_when() {
    for (covers, path) in [("request", "/a"), ("token", "/a"), ("token", "/recent")] {
        let api = Api::of(&format!(
            "policy: {{ covers: {covers}, expires_with_token: true }}\nroutes: {{ GET /a: {{}}, GET /recent: {{ max_auth_age: 1h }} }}"
        ));
        let answer = api.answer("GET", path, &Token::access().claim("exp", json!(4_102_444_799.5_f64)));
        let statements = answer["policyDocument"]["Statement"].as_array().unwrap();
        let condition = json!({ "DateLessThan": { "aws:CurrentTime": "2099-12-31T23:59:59Z" } });
        assert_eq!(statements[0]["Effect"], "Allow");
        assert_eq!(statements[0]["Condition"], condition, "{covers}");
        assert!(statements[1..].iter().all(|deny| deny["Effect"] == "Deny" && deny.get("Condition").is_none()));
    }
}

#[test]
fn a_simple_answer_speaks_of_its_request_alone() {
    let api = covering("  GET /a: {}\n  GET /b: { any_scope: [b] }\n");
    let token = Token::access();
    let bearer = format!("Bearer {}", token.text());
    let ask = |path: &str| api.function.ask(&Kind::Http2.event("GET", path, &bearer));
    assert_eq!(ask("/a").response()["isAuthorized"], true);
    assert_eq!(ask("/b").context()["reason"], "insufficient_scope");
}

#[test]
fn a_table_that_iam_cannot_say_is_refused_with_both_routes() {
    // (routes, implicit_deny, what the fault says)
    let stricter_outside = "  GET /users/{id}: { any_scope: [s] }\n  GET /users/{id}/orders: { any_scope: [r] }\n";
    let bound = "  GET /users/{id}: { claims: { sub: \"{id}\" } }\n";
    let live = "  GET /a/{x}: { max_auth_age: 1h }\n  GET /a/b: {}\n";
    for (routes, silence_will_do, named) in [
        (stricter_outside, true, &["`GET /users/{id}`", "`GET /users/{id}/orders`"][..]),
        (bound, true, &["`GET /users/{id}`"]),
        (live, true, &["`GET /a/{x}`", "`GET /a/b`"]),
    ] {
        let fault = refusal(&format!("policy: {{ covers: token }}\nroutes:\n{routes}"));
        assert!(fault.contains("policy.covers: ") && fault.contains("implicit_deny") == silence_will_do, "{fault}");
        assert!(named.iter().all(|route| fault.contains(route)), "{fault}");
        if silence_will_do {
            covering_by_silence(routes).function.wait_until_ready();
        }
    }
    for (routes, named) in [
        (
            "  GET /users/{id}/orders: { any_scope: [r] }\n  GET /users/{id}/{x+}: { claims: { sub: \"{id}\" } }\n",
            "no IAM policy allows all of `GET /users/{id}/orders` and keeps `GET /users/{id}/{x+}` out",
        ),
        (
            "  GET /a/{x}/b/{y+}: {}\n  GET /a/{x}/{z}/b/c: { any_scope: [s] }\n",
            "no IAM policy allows all of `GET /a/{x}/b/{y+}` and keeps `GET /a/{x}/{z}/b/c` out (`GET /a/x/x/b/c`)",
        ),
    ] {
        for implicit in [false, true] {
            let fault = refusal(&format!("policy: {{ covers: token, implicit_deny: {implicit} }}\nroutes:\n{routes}"));
            assert!(fault.contains(named), "{fault}");
        }
    }
}

#[test]
fn a_stricter_inner_route_needs_no_silence() {
    let api = covering("  GET /users/{id}: { any_scope: [r] }\n  GET /users/{id}/orders: { all_scopes: [r, s] }\n");
    api.check(
        &scopes("r"),
        &["GET/users/?*"],
        &within_a_wildcard(&[
            "?*/users/?*/?*",
            "?*/users/?*:*/?*",
            "?*:*/users/?*/?*",
            "?*:*/users/?*:*/?*",
            "*/orders *",
            "*/orders;*",
            "*/users *",
            "*/users;*",
            "*/users.*/*",
            "*:*/orders *",
            "*:*/users *",
            "*:*/users.*/*",
            "GET/users/?*/orders.*",
            "GET/users/?*:*/orders.*",
        ]),
    );
    let (allowed, denied) = api.says("GET", "/nowhere", &scopes("r s"));
    assert_eq!(allowed, ["GET/users/?*"]);
    assert!(!denied.contains(&"?*/users/?*/?*".to_owned()), "{denied:?}");
}

#[test]
fn a_policy_of_more_than_8_kb_is_refused_with_the_arithmetic() {
    let routes: String = (0..60).map(|n| format!("  GET /some-longer-name-{n}/{{id}}: {{}}\n")).collect();
    let fault = refusal(&format!("policy: {{ covers: token }}\nroutes:\n{routes}"));
    assert!(fault.contains("bytes") && fault.contains("Resources"), "{fault}");
}

#[test]
fn with_case_insensitive_paths_no_policy_covers_a_token() {
    let fault = refusal("case_insensitive_paths: true\npolicy: { covers: token }\nroutes: { GET /a: {} }");
    assert!(fault.contains("case_insensitive_paths"), "{fault}");
}

#[test]
fn what_cached_policies_cannot_but_allow_is_told_once_at_start() {
    let api = covering("  GET /a/{x}: {}\n  GET /a/{x}/b: {}\n");
    api.function.wait_until_ready();
    api.function.end();
    let said = api.function.stdout();
    let notes: Vec<_> = said.iter().filter(|line| line.contains("must name every route")).collect();
    assert!(notes.len() == 1 && notes[0].contains("GET /a/{x}") && notes[0].contains("GET /a/x/x"), "{said:#?}");
}

#[test]
fn the_start_says_what_a_cached_simple_answer_is_keyed_by() {
    for (routes, cache_key) in [
        ("{ $default: {} }", "the token"),
        ("{ $default: {}, $connect: {} }", "the token"),
        ("{ $default: {}, GET /a: {} }", "the token, $context.routeKey"),
        ("{ GET /a: {} }", "the token, $context.routeKey"),
        (
            "{ 'GET /a/{x}': { any: [{ claims: { sub: '{x}' } }, { any_scope: a }] } }",
            "the token, $context.routeKey, $context.path",
        ),
        ("{ $default: { source_ip: 192.0.2.0/24 } }", "the token, $context.identity.sourceIp"),
        (
            "{ GET /a: {}, GET /b: { any: [{ source_ip: 192.0.2.1 }, { any_scope: b }] } }",
            "the token, $context.routeKey, $context.identity.sourceIp",
        ),
    ] {
        let api = Api::of(&format!("routes: {routes}"));
        api.function.wait_until_ready();
        api.function.end();
        let said = api.function.stdout();
        let told: Vec<&String> = said.iter().filter(|line| line.contains("simple_answers")).collect();
        assert!(told.len() == 1 && told[0].contains(&format!("\"cache_key\":\"{cache_key}\"")), "{routes}: {said:#?}");
    }
    let by_policy = Api::of("routes: { GET /a: {} }\nhttp_api: { response: policy }");
    by_policy.function.wait_until_ready();
    by_policy.function.end();
    assert!(!by_policy.function.stdout().iter().any(|line| line.contains("simple_answers")));
}

#[test]
fn identity_sources_that_would_let_a_cached_answer_leak_are_warned_of_once() {
    let token = Token::access();
    let bearer = format!("Bearer {}", token.text());
    // (routes, identity sources, what is said to be missing)
    for (routes, sources, missing) in [
        ("{ GET /a: {} }", json!([bearer]), Some("$context.routeKey")),
        ("{ GET /a: {} }", json!([bearer, "GET /a"]), None),
        ("{ GET /a: {} }", json!(null), None),
        ("{ $default: {} }", json!([bearer]), None),
        ("{ 'GET /{x}': { claims: { sub: '{x}' } } }", json!([bearer, "GET /a"]), Some("$context.path")),
        ("{ 'GET /{x}': { claims: { sub: '{x}' } } }", json!([bearer, "GET /a", "/test/a"]), None),
        ("{ 'GET /{x}': { claims: { sub: '{x}' } } }", json!([bearer]), Some("$context.routeKey, $context.path")),
    ] {
        let api = Api::of(&format!("routes: {routes}"));
        let mut event = Kind::Http2.event("GET", "/a", &bearer);
        event["routeKey"] = json!("GET /a");
        event["identitySource"] = sources.clone();
        for _ in 0..2 {
            api.function.ask(&event);
        }
        api.function.end();
        let said = api.function.stdout();
        let warnings: Vec<&String> = said.iter().filter(|line| line.contains("\"identity_sources\"")).collect();
        let expected = missing.map(|missing| format!("\"missing_identity_sources\":\"{missing}\""));
        assert_eq!(warnings.len(), usize::from(missing.is_some()), "{routes} {sources}: {said:#?}");
        assert!(warnings.iter().all(|line| line.contains(expected.as_deref().unwrap_or_default())), "{warnings:#?}");
    }
    // Of a policy it is the Resource that tells requests apart.
    for (settings, kind) in
        [("http_api: { response: policy }", Kind::Http2), ("", Kind::Http1), ("", Kind::RestRequest)]
    {
        let api = Api::of(&format!("routes: {{ GET /a: {{}} }}\n{settings}"));
        let mut event = kind.event("GET", "/a", &bearer);
        event["identitySource"] = json!([bearer]);
        assert_eq!(api.function.ask(&event).outcome(), "allow");
        api.function.end();
        let said = api.function.stdout();
        assert!(!said.iter().any(|line| line.contains("\"identity_sources\"")), "{}: {said:#?}", kind.name());
    }
}

#[test]
fn what_lies_deeper_than_every_route_is_denied_where_a_shallower_one_cannot_be() {
    let api = covering("  GET /a/{x}: {}\n  GET /a/{x}/b: {}\n");
    let (_, denied) = api.says("GET", "/nowhere", &Token::access());
    assert!(denied.contains(&"?*/a/?*/?*/?*".to_owned()), "{denied:?}");
}

#[test]
fn a_cached_policys_context_is_flat() {
    let api = covering("  GET /a: {}\n");
    for path in ["/a", "/nowhere"] {
        assert_eq!(api.answer("GET", path, &groups(&["x", "y"]))["context"]["groups"], "x y", "{path}");
    }
}

#[test]
fn a_permit_that_no_cached_policy_can_say_is_a_denial_with_its_own_reason() {
    let api = covering("  GET /{x+}: {}\n  GET /admin/{x+}: { any_group: [admin] }\n");
    // Every escape is denied to whom something is.
    for (path, group) in [("/a%41", "user"), ("/a%41", "admin"), ("/a", "user")] {
        api.answer("GET", path, &groups(&[group]));
    }
    api.function.end();
    let reasons: Vec<Value> = api.function.stdout().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let reasons: Vec<&Value> =
        reasons.iter().filter(|line| line["message"] == "decision").map(|line| &line["reason"]).collect();
    assert_eq!(reasons, [&json!("unsafe_path"), &Value::Null, &Value::Null]);
}

#[test]
fn a_resource_of_more_than_512_characters_is_an_error_of_the_authorizer() {
    let route = "a".repeat(100);
    let api = covering(&format!("  GET /{route}: {{}}\n  GET /b: {{}}\n"));
    let bearer = format!("Bearer {}", Token::access().text());
    let ask = |longest: usize| {
        // The longest is that of the long route with a slash at its end.
        let stage = "s".repeat(longest - format!("{}/GET/{route}/", STAGE_ARN.trim_end_matches("test")).len());
        let mut event = Kind::RestToken.event("GET", "/b", &bearer);
        let arn = event["methodArn"].as_str().unwrap().replace("/test/", &format!("/{stage}/"));
        event["methodArn"] = json!(arn);
        api.function.send(&event.to_string()).1.json()
    };
    assert_eq!(ask(512)["policyDocument"]["Statement"][0]["Effect"], "Allow");
    assert_eq!(ask(513)["errorType"], "internal");
}

#[test]
fn claims_with_too_many_values_for_a_policy_are_none_for_a_simple_answer() {
    let api = covering_by_silence("  GET /{g}/{x+}: { claims: { 'cognito:groups': \"{g}\" } }\n");
    let many: Vec<String> = (0..65).map(|n| format!("g{n}")).collect();
    let many = groups(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let bearer = format!("Bearer {}", many.text());
    for (kind, decision) in [(Kind::RestToken, "forbidden"), (Kind::Http2, "allow")] {
        let (_, line) = api.function.ask_unjudged(&kind.event("GET", "/g1/a", &bearer));
        assert_eq!(line["decision"], decision, "{}", kind.name());
    }
}
