//! How the function starts, and that any doubt about its configuration keeps it from starting: all
//! faults at once, each with its place, the Runtime API told, exit status 1.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::config::{any_valid_token, one_pool};
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::{Function, RefusedStart, Setup};
use crate::tokens::{CLIENT, ISSUER, Key, MACHINE, POOL, Token, as_cognito_publishes, cognito_jwks, jwk_set};
use crate::verdict::Cases;

/// A `jwks_uri` for configurations that never get so far as to use it.
const NOWHERE: &str = "http://127.0.0.1:9/jwks.json";

fn pool(rest: &str) -> String {
    one_pool(NOWHERE, rest)
}

fn allows(function: &Function, token: &Token) -> bool {
    function.ask(&Kind::Http2.event("GET", "/items", &format!("Bearer {}", token.text()))).outcome() == "allow"
}

/// Holds a refused start to all that the contract says of one, and returns what was written.
#[track_caller]
fn faults(cases: &Cases, what: &str, refused: Option<RefusedStart>) -> String {
    let Some(refused) = refused else {
        cases.is(format!("{what}: started all the same"), false);
        return String::new();
    };
    cases.equal(format!("{what}: the exit status"), refused.status.code(), Some(1));
    let init_error = refused.init_error.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let told = init_error.as_ref().is_some_and(|error| {
        let filled = |member: &str| error[member].as_str().is_some_and(|text| !text.is_empty());
        filled("errorType") && filled("errorMessage")
    });
    cases.is(format!("{what}: /runtime/init/error got {init_error:?}"), told);
    cases.is(format!("{what}: a panic: {}", refused.output), !refused.output.contains("panicked at"));
    // Log lines are JSON, in which the quotes of a place are escaped.
    refused.output.replace("\\\"", "\"")
}

/// Expects the start to be refused, and each of these to be named.
#[track_caller]
fn check(cases: &Cases, config: &str, named: &[&str]) {
    let refused = Setup::config(config).refused();
    let what: String = config.trim().lines().last().unwrap_or_default().chars().take(160).collect();
    let output = faults(cases, &what, refused);
    for name in named.iter().filter(|_| !output.is_empty()) {
        cases.is(format!("{what}: does not name `{name}`: {output}"), output.contains(name));
    }
}

#[test]
fn faults_of_the_routes_keep_it_from_starting() {
    let cases = Cases::default();
    let routes = |routes: &str, named: &[&str]| check(&cases, &pool(&format!("routes:\n{routes}")), named);
    // Empty lists, which would hold always or never.
    routes("  GET /items: { any_scope: [] }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { all_scopes: [] }", &[r#"routes."GET /items".all_scopes"#]);
    routes("  GET /items: { any_group: [] }", &[r#"routes."GET /items".any_group"#]);
    routes("  GET /items: { all_groups: [] }", &[r#"routes."GET /items".all_groups"#]);
    routes("  GET /items: { client_ids: [] }", &[r#"routes."GET /items".client_ids"#]);
    routes("  GET /items: { issuers: [] }", &[r#"routes."GET /items".issuers"#]);
    routes("  GET /items: { token_use: [] }", &[r#"routes."GET /items".token_use"#]);
    routes("  GET /items: { claims: { tenant: [] } }", &[r#"routes."GET /items".claims"#, "tenant"]);
    routes("  GET /items: { any: [] }", &[r#"routes."GET /items".any"#]);
    routes("  GET /items: { all: [] }", &[r#"routes."GET /items".all"#]);
    routes("  GET /items: { any: [{ any_scope: [] }] }", &[r#"routes."GET /items".any"#, "any_scope"]);
    routes("  GET /items: { any_scope: \"\" }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: \" , \" }", &[r#"routes."GET /items".any_scope"#]);
    // Nothing where something should be: `null` is not `{}`.
    routes("  GET /items:", &[r#"routes."GET /items""#]);
    routes("  GET /items: null", &[r#"routes."GET /items""#]);
    routes("  GET /items: true", &[r#"routes."GET /items""#]);
    routes("  GET /items: []", &[r#"routes."GET /items""#]);
    routes("  GET /items: allow", &[r#"routes."GET /items""#]);
    routes("  GET /items: { any_scope: }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: ~ }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: [~] }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: [\"\"] }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: { a: b } }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { any_scope: [[a]] }", &[r#"routes."GET /items".any_scope"#]);
    routes("  GET /items: { claims: { tenant: } }", &[r#"routes."GET /items".claims"#, "tenant"]);
    routes("  GET /items: { claims: [tenant] }", &[r#"routes."GET /items".claims"#]);
    routes("  GET /items: { claims: { tenant: \"\" } }", &[r#"routes."GET /items".claims"#, "tenant"]);
    routes("  GET /items: { any: { any_scope: [a] } }", &[r#"routes."GET /items".any"#]);
    routes("  GET /items: { any: [~] }", &[r#"routes."GET /items".any"#]);
    // Unknown words.
    routes("  GET /items: { any_scopes: [a] }", &[r#"routes."GET /items".any_scopes"#]);
    routes("  GET /items: { scope: [a] }", &[r#"routes."GET /items".scope"#]);
    routes("  GET /items: { any: [{ groups: [a] }] }", &[r#"routes."GET /items".any"#, "groups"]);
    routes("  GET /items: { token_use: refresh }", &[r#"routes."GET /items".token_use"#]);
    routes("  GET /items: { issuers: [https://unknown.example.com] }", &[r#"routes."GET /items".issuers"#]);
    // Durations.
    for duration in ["0s", "15", "15 m", "m", "-15m", "1d", "15min", "1.5h", "\"\"", "99999999999999999999h", "[15m]"] {
        routes(&format!("  GET /items: {{ max_auth_age: {duration} }}"), &[r#"routes."GET /items".max_auth_age"#]);
    }
    // Live checks that nothing could answer.
    routes("  GET /items: { introspect: true }", &[r#"routes."GET /items".introspect"#]);
    routes("  GET /items: { introspect: \"yes\" }", &[r#"routes."GET /items".introspect"#]);
    routes("  GET /items: { any: [{ introspect: true }] }", &[r#"routes."GET /items".any"#, "introspect"]);
    // A path parameter that the route has not.
    routes("  GET /users/{id}: { claims: { sub: \"{user_id}\" } }", &[r#"routes."GET /users/{id}".claims"#, "user_id"]);
    // Keys that are no route.
    for key in [
        "GET",
        "GET items",
        "/items",
        "items",
        "FETCH /items",
        "get /items",
        "GET  /items/{}",
        "GET /a//b",
        "GET /a/../b",
        "GET /a/./b",
        "GET /{a}{b}",
        "GET /x{a}",
        "GET /{a}x",
        "GET /{a+}/b",
        "GET /{a}/{a}",
        "GET /{a",
        "GET /a}",
        "GET /*",
        "GET /a?b",
        "GET /a b/c d/%zz",
        "$disconnect",
        "$DEFAULT",
        "ANY $default",
        "*",
    ] {
        routes(&format!("  '{key}': {{}}"), &["routes", key]);
    }
}

#[test]
fn two_rules_for_one_route_keep_it_from_starting() {
    let cases = Cases::default();
    for (one, two) in [
        ("GET /items", "GET /items"),
        ("GET /items", "GET /items/"),
        ("GET /{a}", "GET /{b}"),
        ("GET /x/{a}/y", "GET /x/{b}/y"),
        ("GET /x/{a}/y", "GET /x/{b}/y/"),
        ("ANY /{a+}", "ANY /{b+}"),
        ("ANY /items", "ANY /items/"),
        ("$default", "$default"),
        ("$connect", "$connect"),
    ] {
        let config = pool(&format!("routes:\n  '{one}': {{}}\n  '{two}': {{ any_group: [a] }}"));
        check(&cases, &config, &["routes", two]);
    }
    // These are two routes.
    for (one, two) in [
        ("GET /items", "ANY /items"),
        ("GET /items", "POST /items"),
        ("GET /{a}", "GET /{a+}"),
        ("GET /a", "GET /{a}"),
        ("GET /A", "GET /a"),
    ] {
        let function = Function::start(&pool(&format!("routes:\n  '{one}': {{}}\n  '{two}': {{}}")));
        function.wait_until_ready();
    }
}

#[test]
fn faults_of_the_issuers_keep_it_from_starting() {
    let cases = Cases::default();
    let issuers = |issuers: &str, named: &[&str]| {
        check(&cases, &format!("routes: {{ GET /: {{}} }}\nissuers:\n{issuers}"), named);
    };
    let cognito = |members: &str, named: &[&str]| issuers(&format!("  - cognito: {{ {members} }}"), named);
    let oidc = |members: &str, named: &[&str]| issuers(&format!("  - oidc: {{ {members} }}"), named);
    let pool = format!("user_pool_id: {POOL}");

    check(&cases, "routes: { GET /: {} }", &["issuers"]);
    check(&cases, "issuers: []\nroutes: { GET /: {} }", &["issuers"]);
    check(&cases, "issuers:\nroutes: { GET /: {} }", &["issuers"]);
    check(&cases, "issuers: https://login.example.com\nroutes: { GET /: {} }", &["issuers"]);
    issuers("  - {}", &["issuers"]);
    issuers("  - google: { client_id: x }", &["issuers", "google"]);
    issuers("  - cognito:", &["cognito"]);
    issuers(
        &format!(
            "  - cognito: {{ {pool}, client_ids: [a] }}\n    oidc: {{ issuer: https://x.example.com, audience: [a] }}"
        ),
        &["issuers"],
    );
    issuers(
        &format!("  - cognito: {{ {pool}, client_ids: [a] }}\n  - cognito: {{ {pool}, client_ids: [b] }}"),
        &["issuers", ISSUER],
    );
    issuers(
        &format!("  - cognito: {{ {pool}, client_ids: [a] }}\n  - oidc: {{ issuer: \"{ISSUER}\", audience: [b] }}"),
        &["issuers", ISSUER],
    );

    cognito("client_ids: [a]", &["user_pool_id"]);
    cognito(&pool, &["client_ids"]);
    for id in
        ["\"\"", "~", "7", "nonsense", "[a]", "\"us-east-1_a/../b\"", "\"us-east-1_a b\"", "\"https://x/us-east-1_a\""]
    {
        cognito(&format!("user_pool_id: {id}, client_ids: [a]"), &["user_pool_id"]);
    }
    for ids in ["[]", "\"\"", "~", "\", ,\"", "{}", "[\"\"]", "[[a]]"] {
        cognito(&format!("{pool}, client_ids: {ids}"), &["client_ids"]);
    }
    cognito(&format!("{pool}, client_ids: [a, \"*\"]"), &["client_ids"]);
    for token_use in ["[]", "refresh", "[access, refresh]", "~", "Access"] {
        cognito(&format!("{pool}, client_ids: [a], token_use: {token_use}"), &["token_use"]);
    }
    cognito(&format!("{pool}, client_ids: [a], audience: []"), &["audience"]);
    cognito(&format!("{pool}, client_ids: [a], algorithms: [RS256]"), &["algorithms"]);
    cognito(&format!("{pool}, client_ids: [a], client_id: b"), &["client_id"]);
    for uri in [
        "http://example.com/jwks.json",
        "http://10.0.0.1/jwks.json",
        "http://127.0.0.1.example.com/jwks.json",
        "http://localhost.example.com/jwks.json",
        "http://127.0.0.1@example.com/jwks.json",
        "http://example.com/127.0.0.1",
        "http://example.com#@127.0.0.1",
        "http://0.0.0.0/jwks.json",
        "HTTP://example.com/jwks.json",
        "ftp://example.com/jwks.json",
        "file:///jwks.json",
        "//example.com/jwks.json",
        "example.com/jwks.json",
        "https://",
        "https:///jwks.json",
        "",
    ] {
        cognito(&format!("{pool}, client_ids: [a], jwks_uri: \"{uri}\""), &["jwks_uri"]);
    }
    cognito(&format!("{pool}, client_ids: [a], issuer: \"http://example.com\""), &["issuer"]);
    cognito(&format!("{pool}, client_ids: [a], jwks_uri: none"), &["jwks"]);
    cognito(&format!("{pool}, client_ids: [a], jwks_file: /nowhere/jwks.json"), &["jwks_file"]);
    cognito(&format!("{pool}, client_ids: [a], introspection: {{ method: get_everything }}"), &["introspection"]);

    oidc("audience: [a]", &["issuer"]);
    oidc("issuer: https://login.example.com", &["audience"]);
    oidc("issuer: https://login.example.com, audience: []", &["audience"]);
    oidc("issuer: https://login.example.com, audience: [a], client_ids: []", &["client_ids"]);
    oidc("issuer: http://login.example.com, audience: [a]", &["issuer"]);
    oidc("issuer: \"\", audience: [a]", &["issuer"]);
    for algorithms in ["[]", "[HS256]", "[none]", "[RS256, HS512]", "[rs256]", "[RS1]", "[ES256K]", "\"\"", "~"] {
        oidc(&format!("issuer: https://login.example.com, audience: [a], algorithms: {algorithms}"), &["algorithms"]);
    }
    oidc("issuer: https://login.example.com, audience: [a], typ: \"\"", &["typ"]);
    oidc("issuer: https://login.example.com, audience: [a], typ: [at+jwt]", &["typ"]);
    oidc("issuer: https://login.example.com, audience: [a], claims: { scopes: scp }", &["claims", "scopes"]);
    oidc("issuer: https://login.example.com, audience: [a], claims: { scope: }", &["claims"]);
    oidc("issuer: https://login.example.com, audience: [a], user_pool_id: x", &["user_pool_id"]);
    oidc("issuer: https://login.example.com, audience: [a], opaque_tokens: true", &["opaque_tokens"]);
    oidc(
        "issuer: https://login.example.com, audience: [a], introspection: { endpoint: \"http://login.example.com/i\", client_id: a, client_secret: b }",
        &["introspection"],
    );
}

#[test]
fn faults_of_issuers_in_the_wild_keep_it_from_starting() {
    let cases = Cases::default();
    let oidc = |members: &str, named: &[&str]| {
        check(&cases, &format!("routes: {{ GET /: {{}} }}\nissuers:\n  - oidc: {{ {members} }}"), named);
    };
    let login = format!("issuer: https://login.example.com, jwks_uri: \"{NOWHERE}\"");
    for (audience, client_ids) in [
        ("\"*\"", "[a]"),
        ("[\"*\"]", "[a]"),
        ("[a, \"*\"]", "[a]"),
        ("none", "\"*\""),
        ("[none]", "[a]"),
        ("[none, a]", "[a]"),
        ("\"none, a\"", "[a]"),
    ] {
        oidc(&format!("{login}, audience: {audience}, client_ids: {client_ids}"), &["oidc.audience"]);
    }
    oidc(&format!("{login}, audience: none"), &["oidc.audience", "client_ids"]);
    for ids in [
        "[\"a*\"]",
        "[a, \"*\"]",
        "[\"http://a/*\"]",
        "[\"https://*\"]",
        "[\"https://A/*\"]",
        "[\"https://*.a.example/*\"]",
    ] {
        oidc(&format!("{login}, audience: a, client_ids: {ids}"), &["oidc.client_ids"]);
    }
    let named = |issuer: &str| format!("issuer: \"{issuer}\", jwks_uri: \"{NOWHERE}\", audience: a");
    for issuer in ["https://a.example.com/{tid}", "https://*.example.com", "https://a.example.com/*", "urn:{x}"] {
        oidc(&named(issuer), &["oidc.issuer", "tenants"]);
    }
    for (issuer, tenants, place) in [
        ("https://a.example.com/t", "[a]", "oidc.issuer"),
        ("https://a.example.com/{}", "[a]", "oidc.issuer"),
        ("https://a.example.com/{t}/{t}", "[a]", "oidc.issuer"),
        ("https://a.example.com/{t}/*", "[a]", "oidc.issuer"),
        ("https://a.example.com/{t", "[a]", "oidc.issuer"),
        ("https://a.example.com/{t}", "[]", "oidc.tenants"),
        ("https://a.example.com/{t}", "[a, \"*\"]", "oidc.tenants"),
        ("https://a.example.com/{t}", "[a/b]", "oidc.tenants"),
        ("https://a.example.com/{t}", "[\"a*\"]", "oidc.tenants"),
    ] {
        oidc(&format!("{}, tenants: {tenants}", named(issuer)), &[place]);
    }
    oidc("issuer: \"https://a.example.com/{t}\", tenants: [a], audience: a", &["oidc.issuer", "jwks_uri"]);
    let introspection =
        "introspection: { endpoint: https://a.example.com/i, client_id: a, client_secret: b }, opaque_tokens: true";
    oidc(&format!("{}, tenants: [a], {introspection}", named("https://a.example.com/{t}")), &["opaque_tokens"]);
    oidc(&named("http://user name.example.com"), &["oidc.issuer"]);
    oidc(
        "issuer: http://adfs.example.com/x, audience: a, jwks_uri: \"http://adfs.example.com/keys\"",
        &["oidc.jwks_uri"],
    );
    for claims in [
        "{ groups: /a~2 }",
        "{ client_id: /a~ }",
        "{ groups: { claim: a } }",
        "{ groups: { list: json } }",
        "{ groups: { claim: a, list: yaml } }",
        "{ groups: { claim: a, list: json, form: b } }",
        "{ username: { claim: a, list: json } }",
    ] {
        oidc(&format!("{login}, audience: a, claims: {claims}"), &["oidc.claims"]);
    }
    let cognito = |members: &str, named: &[&str]| {
        check(
            &cases,
            &format!("routes: {{ GET /: {{}} }}\nissuers:\n  - cognito: {{ user_pool_id: {POOL}, {members} }}"),
            named,
        );
    };
    cognito("client_ids: [a], claims: { client_id: cid }", &["cognito.claims.client_id"]);
    cognito("client_ids: [a], tenants: [a]", &["tenants"]);
    cognito("client_ids: [a], issuer: \"https://cognito.example.com/{pool}\"", &["cognito.issuer", "tenants"]);
    cognito("client_ids: \"*\", audience: none", &["cognito.audience"]);
    let rest = |rest: &str, named: &[&str]| check(&cases, &pool(&format!("routes: {{ GET /: {{}} }}\n{rest}")), named);
    rest("context: { usageIdentifierKey: sub }", &["context.usageIdentifierKey", "rest_api.usage_identifier_key"]);
    rest("context: { key: /a~2 }", &["context.key"]);
    rest("rest_api: { usage_identifier_key: /a~2 }", &["rest_api.usage_identifier_key"]);
    rest("rest_api: { usage_identifier_key: }", &["rest_api.usage_identifier_key"]);
    let route =
        |requirement: &str, named: &[&str]| check(&cases, &pool(&format!("routes: {{ GET /: {requirement} }}")), named);
    route("{ any_group: Domain Admins }", &["any_group", "list"]);
    route("{ all_groups: \"a b\" }", &["all_groups", "list"]);
    route("{ any_group: \" , \" }", &["any_group"]);
    route("{ claims: { /a~2: x } }", &["claims"]);
    route("{ client_ids: [\"https://a.example.com/*\"] }", &["client_ids"]);
}

#[test]
fn faults_of_the_settings_keep_it_from_starting() {
    let cases = Cases::default();
    let settings =
        |settings: &str, named: &[&str]| check(&cases, &pool(&format!("routes: {{ GET /: {{}} }}\n{settings}")), named);
    for duration in ["61s", "2m", "-1s", "5", "5 s", "1d", "\"\"", "~", "[5s]", "1.5s", "99999999999999999999s"] {
        settings(&format!("leeway: {duration}"), &["leeway"]);
    }
    for member in ["max_age", "cooldown", "timeout"] {
        for duration in ["0s", "0ms", "10", "-1s", "~", "later"] {
            settings(&format!("jwks: {{ {member}: {duration} }}"), &["jwks", member]);
        }
    }
    settings("jwks: { stale_if_error: soon }", &["stale_if_error"]);
    settings("jwks: { ttl: 1h }", &["jwks", "ttl"]);
    settings("jwks: 1h", &["jwks"]);
    settings("http_api: { response: iam }", &["http_api", "response"]);
    settings("http_api: { unauthorized: 401 }", &["http_api", "unauthorized"]);
    settings("http_api: { simple: true }", &["http_api", "simple"]);
    settings("rest_api: { unauthorized: \"no\" }", &["rest_api", "unauthorized"]);
    settings("rest_api: { response: simple }", &["rest_api", "response"]);
    settings("policy: { covers: everything }", &["policy", "covers"]);
    settings("policy: { expires_with_token: maybe }", &["policy", "expires_with_token"]);
    settings("policy: { effect: Allow }", &["policy", "effect"]);
    settings("token: []", &["token"]);
    settings("token: [{}]", &["token"]);
    settings("token: Authorization", &["token"]);
    settings("token: [{ body: token }]", &["token", "body"]);
    settings("token: [{ header: \"\" }]", &["token", "header"]);
    settings("token: [{ header: }]", &["token", "header"]);
    settings("token: [{ header: A, query: b }]", &["token"]);
    for reserved in ["principalId", "integrationLatency", "claims"] {
        settings(&format!("context: {{ {reserved}: sub }}"), &["context", reserved]);
    }
    settings("context: { sub: }", &["context", "sub"]);
    settings("context: { sub: [a] }", &["context", "sub"]);
    settings("context: { sub: \"\" }", &["context", "sub"]);
    settings("context: sub", &["context"]);
    settings("revocations: { check: all }", &["revocations"]);
    settings("unknown: 1", &["unknown"]);
    settings("Routes: {}", &["Routes"]);
    settings("leeway: 5s\nleeway: 5s", &["leeway"]);
    settings("jwks: { max_age: 1h, max_age: 1h }", &["max_age"]);
    // No configuration at all, in several ways.
    check(
        &cases,
        &format!("issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: [a] }} }}]\nroutes: [GET /]"),
        &["routes"],
    );
    check(&cases, "[]", &[]);
    check(&cases, "text", &[]);
    check(&cases, "{", &[]);
    check(&cases, "issuers: [", &[]);
    check(&cases, "a: b: c", &[]);
    check(&cases, "\tissuers: 1", &[]);
    check(&cases, &format!("{}\n---\n{}", pool("routes: { GET /: {} }"), pool("routes: { GET /: {} }")), &[]);
    check(&cases, "a: &a [*a]", &[]);
    // Every level a hundred times the one before it: refused, and not worked out first.
    let bomb: String = (1..9)
        .map(|level| format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 100].join(", ")))
        .collect();
    check(&cases, &format!("l0: &l0 [x]\n{bomb}"), &[]);
    check(&cases, &format!("x: {}", "[".repeat(100_000)), &[]);
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let cases = Cases::default();
    let refused = Setup::config(
        "
issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: [], token_use: refresh }
  - oidc: { issuer: \"http://login.example.com\", audience: [a], algorithms: [HS256] }
routes:
  GET /items: { any_scope: [], any_groop: [admin] }
  POST /items: { max_auth_age: soon, claims: { tenant: \"${NOT_SET}\" } }
  GET /orders: {}
  GET /orders/: {}
leeway: 2m
jwks: { cooldown: 0s, retries: 3 }
context: { principalId: sub }
unknown: 1
",
    )
    .refused();
    let output = faults(&cases, "many faults", refused);
    for place in [
        "client_ids",
        "token_use",
        "oidc.issuer",
        "algorithms",
        r#"routes."GET /items".any_scope"#,
        r#"routes."GET /items".any_groop"#,
        r#"routes."POST /items".max_auth_age"#,
        r#"routes."POST /items".claims"#,
        "NOT_SET",
        "GET /orders/",
        "leeway",
        "jwks.cooldown",
        "jwks.retries",
        "context.principalId",
        "unknown",
    ] {
        cases.is(format!("`{place}` is not told: {output}"), output.contains(place));
    }
}

#[test]
fn every_setting_of_the_contract_is_known() {
    // The contract's own example, but for what later issues bring.
    let site = Site::with_keys(&cognito_jwks());
    let uri = site.url("/jwks.json");
    let directory = scratch("every-setting");
    fs::write(directory.join("jwks.json"), jwk_set(&[as_cognito_publishes(Key::RsaA)]).to_string()).unwrap();
    let file = directory.join("jwks.json");
    let config = format!(
        r#"
issuers:
  - cognito:
      user_pool_id: ${{USER_POOL_ID}}
      client_ids: ${{CLIENT_IDS}}
      token_use: access
      audience: [https://api.example.com]
      issuer: https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123
      jwks_uri: "{uri}"
      jwks_file: "{}"
  - cognito: {{ user_pool_id: eu-west-1_Other1234, client_ids: "*", token_use: [access, id] }}
  - oidc:
      issuer: https://login.example.com/tenant/v2.0
      audience: [api://orders]
      client_ids: [spa]
      algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA]
      jwks_uri: "{uri}"
      typ: at+jwt
      claims: {{ scope: scp, groups: roles, username: preferred_username }}
      opaque_tokens: false
routes:
  GET /items:         {{ any_scope: [https://api.example.com/read] }}
  POST /items:        {{ any_scope: [https://api.example.com/write] }}
  ANY /users/{{user_id}}/{{proxy+}}:
    any:
      - claims: {{ sub: "{{user_id}}" }}
      - any_group: [admin]
  ANY /admin/{{proxy+}}: {{ any_group: [admin], introspect: false, max_auth_age: 15m }}
  GET /more: {{ all_scopes: [a, b], all_groups: "a, b", client_ids: [spa], issuers: [https://login.example.com/tenant/v2.0], token_use: [access, id], all: [{{ any_scope: a }}] }}
  $connect:           {{}}
  $default: {{}}
context:
  sub: sub
  username: username
  client_id: client_id
  scope: scope
  groups: groups
  "custom:role": "custom:role"
leeway: 5s
jwks: {{ max_age: 1h, cooldown: 10s, timeout: 2s, stale_if_error: 24h }}
http_api: {{ response: simple, unauthorized: deny }}
rest_api: {{ unauthorized: error }}
policy: {{ covers: request, expires_with_token: false, implicit_deny: false }}
token: [{{ header: Authorization }}, {{ query: access_token }}, {{ cookie: session }}]
"#,
        file.display()
    );
    let function =
        Setup::config(&config).env("USER_POOL_ID", POOL).env("CLIENT_IDS", &format!("{CLIENT},{MACHINE}")).start();
    let token = Token::access()
        .claim("iss", json!("https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123"))
        .claim("aud", json!("https://api.example.com"));
    assert!(allows(&function, &token));
    for duration in ["0s", "500ms", "60s", "1m"] {
        Function::start(&pool(&format!("routes: {{ GET /: {{}} }}\nleeway: {duration}"))).wait_until_ready();
    }
    Function::start(&pool(
        "routes: { GET /: {} }\njwks: { max_age: 1ms, cooldown: 15m, timeout: 1h, stale_if_error: 0s }",
    ))
    .wait_until_ready();
}

#[test]
fn loopback_may_be_spoken_to_without_tls() {
    for uri in [
        "http://127.0.0.1:9/x",
        "http://localhost:9/x",
        "http://[::1]:9/x",
        "http://127.0.0.1/x",
        "https://example.com/x?y=z",
    ] {
        Function::start(&one_pool(&format!("\"{uri}\""), "routes: { GET /: {} }")).wait_until_ready();
    }
}

#[test]
fn values_come_from_the_environment() {
    let cases = Cases::default();
    let site = Site::with_keys(&cognito_jwks());
    let uri = site.url("/jwks.json");
    let config = |claims: &str| {
        format!(
            "issuers:
  - cognito: {{ user_pool_id: \"${{POOL}}\", client_ids: \"${{CLIENTS}}\", jwks_uri: \"{uri}\" }}
routes:
  GET /items:
    claims:
      tenant: {claims}
"
        )
    };
    let start = |claims: &str, tenant: &str| {
        Setup::config(&config(claims)).env("POOL", POOL).env("CLIENTS", CLIENT).env("TENANT", tenant).start()
    };
    let of = |tenant: &str| Token::access().claim("tenant", json!(tenant));
    // (value in the file, TENANT, a tenant that is then right, one that is not)
    for (claims, tenant, right, wrong) in [
        ("\"${TENANT}\"", "acme", "acme", "${TENANT}"),
        ("${TENANT}", "acme", "acme", "${TENANT}"),
        ("'a-${TENANT}-z'", "acme", "a-acme-z", "acme"),
        ("'${TENANT}${TENANT}'", "acme", "acmeacme", "acme"),
        ("'${TENANT:-umbrella}'", "acme", "acme", "umbrella"),
        ("'${MISSING:-umbrella}'", "acme", "umbrella", "acme"),
        ("'${MISSING:-a b}'", "acme", "a b", "a"),
        ("['${TENANT}', other]", "acme", "acme", "x"),
        // A value is a value, whatever it looks like.
        ("\"${TENANT}\"", "[a, b]", "[a, b]", "a"),
        ("\"${TENANT}\"", "a: b", "a: b", "a"),
        ("\"${TENANT}\"", "x\n  POST /items: [a]", "x\n  POST /items: [a]", "x"),
        ("\"${TENANT}\"", "\"\nunknown: \"", "\"\nunknown: \"", "x"),
        ("\"${TENANT}\"", "null", "null", "x"),
        ("\"${TENANT}\"", "# no comment", "# no comment", "x"),
        ("\"${TENANT}\"", "*alias", "*alias", "x"),
    ] {
        let function = start(claims, tenant);
        cases.is(format!("{claims} with {tenant:?} takes {right:?}"), allows(&function, &of(right)));
        cases.is(format!("{claims} with {tenant:?} takes no {wrong:?}"), !allows(&function, &of(wrong)));
    }
    // What comes from the environment is not looked into for more of its kind.
    let function = Setup::config(&one_pool(&uri, "routes: { GET /items: { any_group: [\"${GROUP}\"] } }"))
        .env("GROUP", "${OTHER}")
        .env("OTHER", "admin")
        .start();
    let member = |group: &str| Token::access().claim("cognito:groups", json!([group]));
    cases.is("the value as it stands", allows(&function, &member("${OTHER}")));
    cases.is("no value of a value", !allows(&function, &member("admin")));
    // A list of strings may be one string, separated by commas or white space.
    for clients in [
        format!("{CLIENT},{MACHINE}"),
        format!("{CLIENT} {MACHINE}"),
        format!(" {CLIENT} ,\n\t{MACHINE}, "),
        format!("x,{CLIENT},,{MACHINE}"),
    ] {
        let function = Setup::config(&format!(
            "issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: \"${{CLIENTS}}\", jwks_uri: \"{uri}\" }} }}]\nroutes: {{ $default: {{}} }}"
        ))
        .env("CLIENTS", &clients)
        .start();
        cases.is(format!("{clients:?}: the one"), allows(&function, &Token::access()));
        cases.is(format!("{clients:?}: the other"), allows(&function, &Token::machine()));
        cases.is(
            format!("{clients:?}: both as one"),
            !allows(&function, &Token::access().claim("client_id", json!(clients))),
        );
    }
    // A name that is missing and has no default; the last are not closed or not names.
    for value in ["${MISSING}", "a${MISSING}", "${MISSING", "${}", "${MIS SING}"] {
        let refused = Setup::config(&config(&format!("'{value}'"))).env("POOL", POOL).env("CLIENTS", CLIENT).refused();
        let output = faults(&cases, value, refused);
        cases.is(format!("{value}: the place: {output}"), output.contains(r#"routes."GET /items".claims"#));
        if value.contains("${MISSING}") {
            cases.is(format!("{value}: the name: {output}"), output.contains("MISSING"));
        }
    }
    let refused = Setup::config(&config("a")).env("CLIENTS", "").env("POOL", POOL).refused();
    let output = faults(&cases, "empty CLIENTS", refused);
    cases.is(format!("an empty list by way of the environment: {output}"), output.contains("client_ids"));
}

#[test]
fn the_configuration_is_found_where_it_is_said_to_be() {
    let cases = Cases::default();
    let site = Site::with_keys(&cognito_jwks());
    let uri = site.url("/jwks.json");
    let good = any_valid_token(&uri);
    // Each place that is not meant to be read holds what would keep the function from starting.
    let (task_root, working, elsewhere, empty) =
        (scratch("task-root"), scratch("working"), scratch("elsewhere"), scratch("empty"));
    let put = |directory: &PathBuf, name: &str, text: &str| fs::write(directory.join(name), text).unwrap();
    put(&elsewhere, "good.yaml", &good);
    put(&elsewhere, "bad.yaml", "bad");
    let of = |directory: &PathBuf, name: &str| directory.join(name).to_str().unwrap().to_owned();
    let root = task_root.to_str().unwrap();
    let works = |what: &str, setup: Setup| cases.is(what, allows(&setup.start(), &Token::access()));

    put(&working, "authorizer.yaml", "bad");
    put(&task_root, "authorizer.yaml", "bad");
    works("the text wins over the file", {
        Setup::config(&good)
            .env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "bad.yaml"))
            .env("LAMBDA_TASK_ROOT", root)
            .in_directory(&working)
    });
    works("the file that is named", {
        Setup::bare()
            .env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "good.yaml"))
            .env("LAMBDA_TASK_ROOT", root)
            .in_directory(&working)
    });
    put(&task_root, "authorizer.yaml", &good);
    works("the file in the task's root", Setup::bare().env("LAMBDA_TASK_ROOT", root).in_directory(&working));
    put(&working, "authorizer.yaml", &good);
    works("the file in the working directory", Setup::bare().in_directory(&working));
    works("there, where the task's root has none", {
        Setup::bare().env("LAMBDA_TASK_ROOT", empty.to_str().unwrap()).in_directory(&working)
    });

    for (what, setup) in [
        ("no configuration", Setup::bare().in_directory(&empty)),
        (
            "a file that is not there",
            Setup::bare().env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "none.yaml")).in_directory(&working),
        ),
        (
            "a directory for a file",
            Setup::bare().env("AUTHORIZER_CONFIG_FILE", elsewhere.to_str().unwrap()).in_directory(&working),
        ),
        (
            "bad text beside a good file",
            Setup::config("bad").env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "good.yaml")),
        ),
        (
            "a bad file beside a good default",
            Setup::bare().env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "bad.yaml")).in_directory(&working),
        ),
        ("a log filter that is none", Setup::config(&good).env("AUTHORIZER_LOG", "info,=,!!")),
    ] {
        if what.starts_with("a log filter") {
            // Silence for want of a filter would hide decisions: refused, or passed over with `info`.
            let function = setup.start();
            function.wait_until_ready();
            continue;
        }
        faults(&cases, what, setup.refused());
    }
    put(&elsewhere, "binary.yaml", "");
    fs::write(elsewhere.join("binary.yaml"), [0xff, 0xfe, 0x00, 0x80]).unwrap();
    faults(
        &cases,
        "a file that is not UTF-8",
        Setup::bare().env("AUTHORIZER_CONFIG_FILE", &of(&elsewhere, "binary.yaml")).refused(),
    );
}

fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}
