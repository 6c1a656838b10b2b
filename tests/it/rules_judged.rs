//! Which route may be used: every requirement, every reason code of the class 403, which rule a
//! request falls under, and the paths that are refused whatever their rule.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::{self, Kind};
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{CLIENT, ISSUER, MACHINE, NEW_ISSUER, POOL, READER_SUB, Token, cognito_jwks, now};
use crate::verdict::{Cases, Verdict};

struct Table {
    function: Function,
    _site: Site,
    cases: Cases,
}

impl Table {
    fn of(routes: &str) -> Table {
        let site = Site::with_keys(&cognito_jwks());
        let function = Function::start(&one_pool(&site.url("/jwks.json"), routes));
        Table { function, _site: site, cases: Cases::default() }
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, token: &Token) -> Verdict {
        self.function.ask(&Kind::RestToken.event(method, path, &format!("Bearer {}", token.text())))
    }

    #[track_caller]
    fn check(&self, method: &str, path: &str, token: &Token, expected: &str) {
        self.cases.check(format!("{method} {path} {}", token.payload_json()), &self.ask(method, path, token), expected);
    }

    /// GET, with one claim of an otherwise plain token set.
    #[track_caller]
    fn check_claim(&self, path: &str, claim: &str, value: Value, expected: &str) {
        let what = format!("{path} {claim}: {value}");
        self.cases.check(what, &self.ask("GET", path, &Token::access().claim(claim, value)), expected);
    }

    /// Expects the request to fall under that rule, or under none.
    #[track_caller]
    fn falls_under(&self, method: &str, path: &str, route: Option<&str>) {
        let verdict = self.ask(method, path, &Token::access());
        self.cases.check(format!("{method} {path}"), &verdict, if route.is_some() { "allow" } else { "no_route" });
        self.cases.equal(format!("{method} {path}"), verdict.log["route"].as_str(), route);
    }
}

#[test]
fn scopes_are_whole_words() {
    let table = Table::of(
        "
routes:
  GET /any: { any_scope: [a, https://api.example.com/b] }
  GET /all: { all_scopes: [a, https://api.example.com/b] }
  GET /one: { any_scope: a }
",
    );
    let both = "a https://api.example.com/b";
    for (path, value, expected) in [
        ("/any", json!("a"), "allow"),
        ("/any", json!("https://api.example.com/b"), "allow"),
        ("/any", json!("x a y"), "allow"),
        ("/any", json!("x  a"), "allow"),
        ("/any", json!(["x", "a"]), "allow"),
        ("/any", json!(both), "allow"),
        ("/all", json!(both), "allow"),
        ("/all", json!("https://api.example.com/b x a"), "allow"),
        ("/all", json!(["a", "https://api.example.com/b"]), "allow"),
        ("/one", json!("a"), "allow"),
        ("/any", json!(""), "insufficient_scope"),
        ("/any", json!(" "), "insufficient_scope"),
        ("/any", json!("A"), "insufficient_scope"),
        ("/any", json!("ab"), "insufficient_scope"),
        ("/any", json!("ba"), "insufficient_scope"),
        ("/any", json!("a,https://api.example.com/b"), "insufficient_scope"),
        ("/any", json!("https://api.example.com/bb"), "insufficient_scope"),
        ("/any", json!("https://api.example.com/ b"), "insufficient_scope"),
        ("/any", json!("*"), "insufficient_scope"),
        ("/any", json!(null), "insufficient_scope"),
        ("/any", json!(7), "insufficient_scope"),
        ("/any", json!(true), "insufficient_scope"),
        ("/any", json!({ "a": true }), "insufficient_scope"),
        ("/any", json!([]), "insufficient_scope"),
        ("/any", json!([null, 7]), "insufficient_scope"),
        ("/any", json!([["a"]]), "insufficient_scope"),
        ("/any", json!(["ab"]), "insufficient_scope"),
        ("/all", json!("a"), "insufficient_scope"),
        ("/all", json!("https://api.example.com/b"), "insufficient_scope"),
        ("/all", json!(["a"]), "insufficient_scope"),
        ("/all", json!(["a", ["https://api.example.com/b"]]), "insufficient_scope"),
    ] {
        table.check_claim(path, "scope", value.clone(), expected);
        // `scp` counts as `scope`.
        let scp = Token::access().without("scope").claim("scp", value.clone());
        table.cases.check(format!("{path} scp: {value}"), &table.ask("GET", path, &scp), expected);
    }
    table.check("GET", "/any", &Token::access().without("scope"), "insufficient_scope");
    table.check("GET", "/all", &Token::access().without("scope"), "insufficient_scope");
}

#[test]
fn the_denial_says_which_scope_was_needed() {
    let table = Table::of(
        "
routes:
  GET /one: { any_scope: [https://api.example.com/read] }
  GET /all: { all_scopes: [a, b] }
  GET /any: { any_scope: [a, b] }
  GET /group: { any_group: [admin] }
",
    );
    let scope = |path: &str| {
        let context = table.ask("GET", path, &Token::access().without("scope")).context();
        context["scope"].as_str().map(str::to_owned)
    };
    table.cases.equal("one", scope("/one").as_deref(), Some("https://api.example.com/read"));
    table.cases.equal("all", scope("/all").as_deref(), Some("a b"));
    // One of several: RFC 6750 has no word for "or", so the attribute lists them.
    table.cases.equal("any", scope("/any").as_deref(), Some("a b"));
    table.cases.equal("none", scope("/group"), None::<String>);
}

#[test]
fn groups_are_whole_names() {
    let table = Table::of(
        "
routes:
  GET /any: { any_group: [admin, \"team/a|b\"] }
  GET /all: { all_groups: [admin, \"team/a|b\"] }
",
    );
    for (path, value, expected) in [
        ("/any", json!(["admin"]), "allow"),
        ("/any", json!(["x", "team/a|b"]), "allow"),
        ("/any", json!("admin"), "allow"),
        ("/any", json!("team/a|b"), "allow"),
        ("/all", json!(["team/a|b", "x", "admin"]), "allow"),
        ("/any", json!([]), "insufficient_group"),
        ("/any", json!(""), "insufficient_group"),
        ("/any", json!([""]), "insufficient_group"),
        ("/any", json!(["Admin"]), "insufficient_group"),
        ("/any", json!(["admins"]), "insufficient_group"),
        ("/any", json!(["admin,x"]), "insufficient_group"),
        ("/any", json!("admin,x"), "insufficient_group"),
        ("/any", json!("[admin]"), "insufficient_group"),
        ("/any", json!("[\"admin\"]"), "insufficient_group"),
        ("/any", json!(null), "insufficient_group"),
        ("/any", json!(7), "insufficient_group"),
        ("/any", json!(true), "insufficient_group"),
        ("/any", json!({ "admin": true }), "insufficient_group"),
        ("/any", json!([null, 7, ["admin"]]), "insufficient_group"),
        ("/all", json!(["admin"]), "insufficient_group"),
        ("/all", json!("admin"), "insufficient_group"),
        ("/all", json!(["admin", "admin"]), "insufficient_group"),
    ] {
        table.check_claim(path, "cognito:groups", value, expected);
    }
    table.check("GET", "/any", &Token::access(), "insufficient_group");
    // The claim of another provider is not this one's.
    table.check_claim("/any", "groups", json!(["admin"]), "insufficient_group");
    table.check_claim("/any", "roles", json!(["admin"]), "insufficient_group");
}

#[test]
fn claims_equal_a_value_or_one_of_several() {
    let table = Table::of(
        "
routes:
  GET /one: { claims: { tenant: acme } }
  GET /list: { claims: { tenant: [acme, umbrella] } }
  GET /two: { claims: { tenant: acme, \"custom:tier\": gold } }
",
    );
    for (path, value, expected) in [
        ("/one", json!("acme"), "allow"),
        ("/one", json!(["x", "acme"]), "allow"),
        ("/list", json!("acme"), "allow"),
        ("/list", json!("umbrella"), "allow"),
        ("/list", json!(["x", "umbrella"]), "allow"),
        ("/one", json!("umbrella"), "claim_mismatch"),
        ("/list", json!("other"), "claim_mismatch"),
        ("/list", json!("acme umbrella"), "claim_mismatch"),
        ("/list", json!("acme,umbrella"), "claim_mismatch"),
        ("/one", json!("ACME"), "claim_mismatch"),
        ("/one", json!("acme "), "claim_mismatch"),
        ("/one", json!(""), "claim_mismatch"),
        ("/one", json!(null), "claim_mismatch"),
        ("/one", json!(7), "claim_mismatch"),
        ("/one", json!(true), "claim_mismatch"),
        ("/one", json!([]), "claim_mismatch"),
        ("/one", json!([null, 7, ["acme"]]), "claim_mismatch"),
        ("/one", json!({ "acme": "acme" }), "claim_mismatch"),
        ("/two", json!("acme"), "claim_mismatch"),
    ] {
        table.check_claim(path, "tenant", value, expected);
    }
    table.check("GET", "/one", &Token::access(), "claim_mismatch");
    table.check("GET", "/list", &Token::access(), "claim_mismatch");
    let both = Token::access().claim("tenant", json!("acme")).claim("custom:tier", json!("gold"));
    table.check("GET", "/two", &both, "allow");
    table.check("GET", "/two", &both.clone().claim("custom:tier", json!("silver")), "claim_mismatch");
    table.check("GET", "/two", &both.without("tenant"), "claim_mismatch");
}

#[test]
fn a_claim_equals_a_path_parameter_only_when_both_are_there() {
    let table = Table::of(
        "
routes:
  GET /users/{user_id}: { claims: { sub: \"{user_id}\" } }
  GET /users/{user_id}/{proxy+}: { claims: { sub: \"{user_id}\" } }
  GET /tenants/{tenant}/{id}: { claims: { tenant: \"{tenant}\", ids: \"{id}\" } }
",
    );
    let sub = |sub: &str| Token::access().claim("sub", json!(sub));
    for (path, subject, expected) in [
        ("/users/alice", "alice", "allow"),
        ("/users/alice/", "alice", "allow"),
        ("/users/alice/orders", "alice", "allow"),
        ("/users/alice/orders/7/lines", "alice", "allow"),
        // Percent-decoded once, then compared.
        ("/users/a%6cice", "alice", "allow"),
        ("/users/a%40b.c", "a@b.c", "allow"),
        ("/users/a@b.c", "a@b.c", "allow"),
        ("/users/%C3%A9", "é", "allow"),
        ("/users/é", "é", "allow"),
        // Neither what was decoded once nor what some backends make of it may be another user's.
        ("/users/a%2540b", "a%40b", "claim_mismatch"),
        ("/users/alice;x", "alice;x", "claim_mismatch"),
        ("/users/a+b", "a+b", "allow"),
        ("/users/a:b", "a:b", "allow"),
        ("/users/a%20b", "a b", "allow"),
        ("/users/bob", "alice", "claim_mismatch"),
        ("/users/bob/orders", "alice", "claim_mismatch"),
        ("/users/orders/alice", "alice", "claim_mismatch"),
        ("/users/Alice", "alice", "claim_mismatch"),
        ("/users/alic", "alice", "claim_mismatch"),
        ("/users/alice2", "alice", "claim_mismatch"),
        ("/users/a%2540b", "a@b", "claim_mismatch"),
        ("/users/a+b", "a b", "claim_mismatch"),
        ("/users/{user_id}", "alice", "claim_mismatch"),
        ("/users/e%CC%81", "é", "claim_mismatch"),
        ("/users/alice", "", "malformed_claims"),
    ] {
        table.check("GET", path, &sub(subject), expected);
    }
    table.check("GET", "/users/alice", &Token::access().without("sub"), "claim_mismatch");
    for value in [json!(["bob"]), json!([]), json!([["alice"]]), json!({ "alice": 1 })] {
        table.cases.is(
            format!("sub {value} is not alice"),
            table.ask("GET", "/users/alice", &Token::access().claim("sub", value.clone())).outcome() != "allow",
        );
    }
    table.check("GET", &format!("/users/{READER_SUB}"), &Token::access(), "allow");
    let tenant = Token::access().claim("tenant", json!("t1")).claim("ids", json!(["7", "8"]));
    table.check("GET", "/tenants/t1/8", &tenant, "allow");
    table.check("GET", "/tenants/t1/9", &tenant, "claim_mismatch");
    table.check("GET", "/tenants/t2/8", &tenant, "claim_mismatch");
    table.check("GET", "/tenants/t1/8", &tenant.clone().without("tenant"), "claim_mismatch");
    table.check("GET", "/tenants/null/8", &tenant.claim("tenant", json!(null)), "claim_mismatch");
}

#[test]
fn client_issuer_and_token_use_of_a_route_are_forbidden_elsewhere() {
    let site = Site::with_keys(&cognito_jwks());
    let url = site.url("/jwks.json");
    let function = Function::start(&format!(
        "
issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}, {MACHINE}], token_use: [access, id], jwks_uri: \"{url}\" }}
  - cognito: {{ user_pool_id: {POOL}, issuer: {NEW_ISSUER}, client_ids: [{CLIENT}], jwks_uri: \"{url}\" }}
  - oidc: {{ issuer: https://login.example.com, audience: [api://orders], jwks_uri: \"{url}\" }}
routes:
  GET /machine: {{ client_ids: [{MACHINE}] }}
  GET /clients: {{ client_ids: [spa, {CLIENT}] }}
  GET /old: {{ issuers: [{ISSUER}] }}
  GET /others: {{ issuers: [{NEW_ISSUER}, https://login.example.com] }}
  GET /id: {{ token_use: id }}
  GET /access: {{ token_use: access }}
  GET /either: {{ token_use: [access, id] }}
"
    ));
    let cases = Cases::default();
    let oidc = Token::oidc("https://login.example.com");
    let new = Token::access().claim("iss", json!(NEW_ISSUER));
    for (path, token, expected) in [
        ("/machine", Token::machine(), "allow"),
        ("/machine", Token::access(), "forbidden"),
        ("/clients", Token::access(), "allow"),
        ("/clients", Token::machine(), "forbidden"),
        // An ID token's client is its `aud`, another provider's is `client_id` or else `azp`.
        ("/clients", Token::id(), "allow"),
        ("/clients", oidc.clone(), "allow"),
        ("/clients", oidc.clone().without("azp"), "forbidden"),
        ("/clients", oidc.clone().claim("azp", json!(null)), "forbidden"),
        ("/clients", oidc.clone().claim("azp", json!(["spa"])), "wrong_client"),
        ("/old", Token::access(), "allow"),
        ("/old", new.clone(), "forbidden"),
        ("/old", oidc.clone(), "forbidden"),
        ("/others", new, "allow"),
        ("/others", oidc.clone(), "allow"),
        ("/others", Token::access(), "forbidden"),
        ("/id", Token::id(), "allow"),
        ("/id", Token::access(), "forbidden"),
        ("/access", Token::access(), "allow"),
        ("/access", Token::id(), "forbidden"),
        ("/either", Token::access(), "allow"),
        ("/either", Token::id(), "allow"),
        // A provider without `token_use` cannot meet one.
        ("/id", oidc.clone(), "forbidden"),
        ("/access", oidc, "forbidden"),
    ] {
        let event = events::rest_token("GET", path, &format!("Bearer {}", token.text()));
        cases.check(format!("{path} {}", token.payload_json()), &function.ask(&event), expected);
    }
}

#[test]
fn the_sign_in_must_be_recent_enough() {
    let table =
        Table::of("routes: { GET /: { max_auth_age: 15m }, GET /any: { any: [{ max_auth_age: 1h }] } }\nleeway: 60s");
    for (value, expected) in [
        (json!(now()), "allow"),
        (json!(now() - 880), "allow"),
        // The leeway is for exp, nbf and iat.
        (json!(now() - 905), "authentication_too_old"),
        (json!(now() - 3_600), "authentication_too_old"),
        (json!(0), "authentication_too_old"),
        // A time before 1970 is a number; that no issuer writes one, too, is so.
        (json!(-1), "authentication_too_old|malformed_claims"),
        (json!(now() as f64 - 905.5), "authentication_too_old"),
        (json!(now() as f64 - 880.5), "allow"),
        (json!(null), "malformed_claims"),
        (json!("1700000000"), "malformed_claims"),
    ] {
        table.check_claim("/", "auth_time", value, expected);
    }
    let without = Token::access().without("auth_time");
    table.check("GET", "/", &without, "authentication_too_old");
    table.check("GET", "/any", &without, "authentication_too_old");
    let context = table.ask("GET", "/", &without).context();
    table.cases.equal("RFC 9470", &context["error"], "insufficient_user_authentication");
}

#[test]
fn any_and_all_combine_requirements() {
    let table = Table::of(
        "
routes:
  GET /any: { any: [{ any_scope: [a] }, { any_group: [admin] }] }
  GET /any-scopes: { any: [{ any_scope: [a] }, { all_scopes: [b, c] }] }
  GET /all: { all: [{ any_scope: [a] }, { any_group: [admin] }] }
  GET /both: { any_scope: [a], any_group: [admin] }
  GET /nested: { any_group: [staff], any: [{ all: [{ any_scope: [a] }, { claims: { tenant: acme } }] }, { any_group: [admin] }] }
  GET /users/{id}/{proxy+}: { any: [{ claims: { sub: \"{id}\" } }, { any_group: [admin] }] }
",
    );
    let token =
        |scope: &str, groups: Value| Token::access().claim("scope", json!(scope)).claim("cognito:groups", groups);
    for (path, token, expected) in [
        ("/any", token("a", json!([])), "allow"),
        ("/any", token("", json!(["admin"])), "allow"),
        ("/any", token("a", json!(["admin"])), "allow"),
        // The branches miss for different reasons.
        ("/any", token("", json!([])), "forbidden"),
        ("/any-scopes", token("a", json!([])), "allow"),
        ("/any-scopes", token("b c", json!([])), "allow"),
        ("/any-scopes", token("b", json!([])), "insufficient_scope"),
        ("/all", token("a", json!(["admin"])), "allow"),
        ("/all", token("a", json!([])), "insufficient_group"),
        ("/all", token("", json!(["admin"])), "insufficient_scope"),
        ("/all", token("", json!([])), "403"),
        ("/both", token("a", json!(["admin"])), "allow"),
        ("/both", token("a", json!([])), "insufficient_group"),
        ("/both", token("", json!(["admin"])), "insufficient_scope"),
        ("/both", token("", json!([])), "403"),
        ("/nested", token("", json!(["staff", "admin"])), "allow"),
        ("/nested", token("a", json!(["staff"])).claim("tenant", json!("acme")), "allow"),
        ("/nested", token("a", json!([])).claim("tenant", json!("acme")), "insufficient_group"),
        ("/nested", token("a", json!(["staff"])), "forbidden"),
        ("/nested", token("", json!(["admin"])), "insufficient_group"),
        ("/users/other/x", token("", json!([])), "forbidden"),
        ("/users/other/x", token("", json!(["admin"])), "allow"),
    ] {
        table.check("GET", path, &token, expected);
    }
}

#[test]
fn the_most_specific_rule_decides() {
    let table = Table::of(
        "
routes:
  GET /: {}
  GET /items: {}
  POST /items: {}
  GET /items/{id}: {}
  ANY /items/{id}: {}
  GET /items/special: {}
  ANY /items/special/{rest+}: {}
  GET /items/{id}/{sub}: {}
  GET /x/{b}/c: {}
  GET /x/literal/d: {}
  GET /x/{rest+}: {}
  GET /{a}/b/c: {}
  GET /{a}/b/{rest+}: {}
  ANY /greedy/{proxy+}: {}
  GET /greedy/{one}/end: {}
  GET /named: {}
  ANY /named: {}
  ANY /methods/literal: {}
  GET /methods/{any}: {}
  ANY /MixedCase: {}
  GET /v1.0/~user/-_!',;=@&()+: {}
",
    );
    for (method, path, route) in [
        ("GET", "/", Some("GET /")),
        ("POST", "/", None),
        ("GET", "/items", Some("GET /items")),
        ("POST", "/items", Some("POST /items")),
        ("PUT", "/items", None),
        // GET does not stand for HEAD.
        ("HEAD", "/items", None),
        ("OPTIONS", "/items", None),
        ("GET", "/item", None),
        ("GET", "/items2", None),
        ("GET", "/Items", None),
        ("GET", "/items/7", Some("GET /items/{id}")),
        ("DELETE", "/items/7", Some("ANY /items/{id}")),
        ("HEAD", "/items/7", Some("ANY /items/{id}")),
        ("OPTIONS", "/items/7", Some("ANY /items/{id}")),
        ("GET", "/items/special", Some("GET /items/special")),
        // Of the rules whose method fits: GET /items/special does not fit a POST.
        ("POST", "/items/special", Some("ANY /items/{id}")),
        ("GET", "/items/special/x", Some("ANY /items/special/{rest+}")),
        ("GET", "/items/special/x/y", Some("ANY /items/special/{rest+}")),
        ("GET", "/items/7/x", Some("GET /items/{id}/{sub}")),
        ("GET", "/items/7/x/y", None),
        ("POST", "/items/7/x", None),
        // Segment by segment from the left, and back again where a literal leads nowhere.
        ("GET", "/x/b/c", Some("GET /x/{b}/c")),
        ("GET", "/x/literal/d", Some("GET /x/literal/d")),
        ("GET", "/x/literal/c", Some("GET /x/{b}/c")),
        ("GET", "/x/literal/e", Some("GET /x/{rest+}")),
        ("GET", "/x/literal", Some("GET /x/{rest+}")),
        ("GET", "/x/literal/d/e", Some("GET /x/{rest+}")),
        ("GET", "/x", None),
        ("GET", "/y/b/c", Some("GET /{a}/b/c")),
        ("GET", "/y/b/d", Some("GET /{a}/b/{rest+}")),
        ("GET", "/y/b", None),
        ("GET", "/greedy/a", Some("ANY /greedy/{proxy+}")),
        ("GET", "/greedy/a/b/c/d", Some("ANY /greedy/{proxy+}")),
        ("GET", "/greedy/a/end", Some("GET /greedy/{one}/end")),
        ("POST", "/greedy/a/end", Some("ANY /greedy/{proxy+}")),
        ("GET", "/greedy/a/end/b", Some("ANY /greedy/{proxy+}")),
        // One or more: not none.
        ("GET", "/greedy", None),
        ("GET", "/greedy/", None),
        ("GET", "/named", Some("GET /named")),
        ("POST", "/named", Some("ANY /named")),
        // The path is more specific; only for the same path does the named method go first.
        ("GET", "/methods/literal", Some("ANY /methods/literal")),
        ("GET", "/methods/other", Some("GET /methods/{any}")),
        ("PUT", "/MixedCase", Some("ANY /MixedCase")),
        ("PUT", "/mixedcase", None),
        // One trailing slash makes no difference.
        ("GET", "/items/", Some("GET /items")),
        ("GET", "/items/special/", Some("GET /items/special")),
        ("GET", "/items/7/", Some("GET /items/{id}")),
        ("GET", "/greedy/a/end/", Some("GET /greedy/{one}/end")),
        ("GET", "/greedy/a/", Some("ANY /greedy/{proxy+}")),
        // Segments are decoded once before they are compared.
        ("GET", "/it%65ms", Some("GET /items")),
        ("GET", "/%69%74%65%6D%73/special", Some("GET /items/special")),
        ("GET", "/items%20", None),
        ("GET", "/items;x=1", None),
        ("GET", "/v1.0/~user/-_!',;=@&()+", Some("GET /v1.0/~user/-_!',;=@&()+")),
        ("GET", "/v1%2E0/%7Euser/-_!%27,;=@&()+", Some("GET /v1.0/~user/-_!',;=@&()+")),
    ] {
        table.falls_under(method, path, route);
    }
}

#[test]
fn the_default_rule_takes_the_rest_but_no_connect() {
    let table = Table::of("routes: { GET /items: {}, POST /only-post: {}, $default: {} }");
    table.falls_under("GET", "/items", Some("GET /items"));
    table.falls_under("PATCH", "/items", Some("$default"));
    table.falls_under("GET", "/only-post", Some("$default"));
    table.falls_under("GET", "/", Some("$default"));
    table.falls_under("GET", "/a/b/c", Some("$default"));
    let bearer = format!("Bearer {}", Token::access().text());
    table.cases.check("$connect", &table.function.ask(&Kind::WebSocket.event("", "", &bearer)), "no_route");

    let table = Table::of("routes: { GET /items: {}, $connect: { any_group: [chat] } }");
    let connect =
        |token: &Token| table.function.ask(&Kind::WebSocket.event("", "", &format!("Bearer {}", token.text())));
    table.cases.check("without the group", &connect(&Token::access()), "insufficient_group");
    let verdict = connect(&Token::access().claim("cognito:groups", json!(["chat"])));
    table.cases.check("with the group", &verdict, "allow");
    table.cases.equal("its route", &verdict.log["route"], "$connect");
    // Without `$default` a route that is not listed is denied.
    table.falls_under("GET", "/other", None);

    let table = Table::of("routes:\n  ANY /{proxy+}: {}");
    table.falls_under("GET", "/a/b", Some("ANY /{proxy+}"));
    table.falls_under("GET", "/", None);
    table.cases.check("$connect", &table.function.ask(&Kind::WebSocket.event("", "", &bearer)), "no_route");
}

/// Paths that a backend could read differently, as they stand in an ARN.
const UNSAFE: [&str; 60] = [
    "//",
    "//items",
    "/items//",
    "/items//x",
    "/items///x",
    "/.",
    "/..",
    "/./items",
    "/../items",
    "/items/.",
    "/items/..",
    "/items/./x",
    "/items/../x",
    "/items/./",
    "/items/../",
    "/items\\x",
    "/..\\items",
    "/items/\u{1}",
    "/items\u{0}",
    "/items\n",
    "/items\r\nX: y",
    "/items/\t",
    "/items/\u{7f}",
    "/items/\u{85}",
    "/*",
    "/items/*",
    "/it*",
    "/items?",
    "/items?x=1",
    "/ite?s",
    "/items/${aws:username}",
    "/items/${",
    "/items/%2e",
    "/items/%2E%2e",
    "/items/.%2e",
    "/items/%2e.",
    "/%2e%2e/items",
    "/items%2fx",
    "/items%2Fx",
    "/items/%2f",
    "/items/%2f%2f",
    "/items%5cx",
    "/items%5C",
    "/items/%00",
    "/items/%0a",
    "/items/%0D%0A",
    "/items/%7f",
    "/items/%C2%85",
    "/items/%2a",
    "/items/%3f",
    "/items/%24%7b",
    "/items/$%7B",
    "/items/%",
    "/items/%2",
    "/items/%zz",
    "/items/%c0%af",
    "/items/%ff",
    "/items/..\u{37e}/x",
    "/items/..%CD%BEx",
    "/items/\u{37e}x",
];

#[test]
fn a_path_that_a_backend_could_read_differently_is_refused_whatever_its_rule() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(
        &site.url("/jwks.json"),
        "routes:\n  GET /items: {}\n  ANY /items/{proxy+}: {}\n  ANY /{proxy+}: {}\n  GET /: {}\n  $default: {}",
    ));
    let cases = Cases::default();
    let bearer = format!("Bearer {}", Token::access().text());
    for path in UNSAFE {
        for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
            cases.check(format!("{kind:?} {path:?}"), &function.ask(&kind.event("GET", path, &bearer)), "unsafe_path");
        }
        // The token is judged before the route: without a good one the answer is 401 all the same.
        cases.check(
            format!("{path:?}, no token"),
            &function.ask(&Kind::Http2.event_without_token("GET", path)),
            "missing_token",
        );
    }
    for path in [
        "/",
        "/items",
        "/items/",
        "/items/.hidden",
        "/items/...",
        "/items/a..b",
        "/items/..a",
        "/items/a.",
        "/items/a:b",
        "/items/urn:x:y:z",
        "/items/$x",
        "/items/{x}",
        "/items/$",
        "/items/%24",
        "/items/%25",
        "/items/%20",
        "/items/a b",
        "/items/%C3%A9",
        "/items/é🦀",
        "/items/%F0%9F%A6%80",
        "/items/a;b=c",
        "/items/~",
        "/items/a%2Bb",
        "/items/%23",
        "/items/#",
    ] {
        for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
            cases.check(format!("{kind:?} {path:?}"), &function.ask(&kind.event("GET", path, &bearer)), "allow");
        }
    }
    // Decoded once these are harmless, decoded twice they are not. The contract decodes once; to refuse
    // them is safe as well.
    for path in ["/items/%252e%252e", "/items/%252f", "/items/%255c", "/items/%252a"] {
        cases.check(path, &function.ask(&Kind::Http2.event("GET", path, &bearer)), "allow|unsafe_path");
    }
    // The denial of a path with a wildcard in it allows nothing.
    let verdict = function.ask(&Kind::RestToken.event("GET", "/items/*", &bearer));
    cases.equal("the effect", &verdict.response()["policyDocument"]["Statement"][0]["Effect"], "Deny");
}

#[test]
fn the_token_is_judged_before_the_route() {
    let table = Table::of("routes: { GET /items: { any_scope: [a] } }");
    for path in ["/items", "/nowhere", "/..", "/items/*"] {
        table.check("GET", path, &Token::access().claim("exp", json!(now() - 600)), "token_expired");
        table.check("GET", path, &Token::access().claim("client_id", json!("other")), "wrong_client");
    }
}

#[test]
fn the_mapped_claims_of_an_issuer_are_the_ones_that_count() {
    let site = Site::with_keys(&cognito_jwks());
    let url = site.url("/jwks.json");
    let function = Function::start(&format!(
        "
issuers:
  - oidc:
      issuer: https://mapped.example.com
      audience: api://orders
      jwks_uri: \"{url}\"
      claims: {{ scope: permissions, groups: roles, username: preferred_username }}
  - oidc: {{ issuer: https://plain.example.com, audience: api://orders, jwks_uri: \"{url}\" }}
routes:
  GET /scope: {{ any_scope: [a] }}
  GET /group: {{ any_group: [admin] }}
  GET /: {{}}
"
    ));
    let cases = Cases::default();
    let ask = |path: &str, token: &Token| {
        function.ask(&events::http_2("GET", path, json!({ "authorization": format!("Bearer {}", token.text()) })))
    };
    let mapped = Token::oidc("https://mapped.example.com").without("scp");
    let plain = Token::oidc("https://plain.example.com").without("scp");
    for (path, token, expected) in [
        ("/scope", mapped.clone().claim("permissions", json!(["a", "b"])), "allow"),
        ("/scope", mapped.clone().claim("permissions", json!("b a")), "allow"),
        ("/scope", mapped.clone(), "insufficient_scope"),
        ("/group", mapped.clone().claim("roles", json!(["admin"])), "allow"),
        ("/group", mapped.clone().claim("roles", json!("admin")), "allow"),
        // Where groups are kept elsewhere, this claim is somebody else's word.
        ("/group", mapped.clone().claim("cognito:groups", json!(["admin"])), "insufficient_group"),
        ("/group", mapped.clone().claim("roles", json!(null)), "insufficient_group"),
        ("/scope", plain.clone().claim("scp", json!(["a"])), "allow"),
        ("/scope", plain.clone().claim("scope", json!("a")), "allow"),
        ("/scope", plain.clone().claim("permissions", json!("a")), "insufficient_scope"),
        ("/group", plain.clone().claim("roles", json!(["admin"])), "insufficient_group"),
    ] {
        cases.check(format!("{path} {}", token.payload_json()), &ask(path, &token), expected);
    }
    let verdict = ask(
        "/",
        &mapped
            .claim("preferred_username", json!("me"))
            .claim("username", json!("not me"))
            .claim("roles", json!(["r1", "r2"]))
            .claim("permissions", json!("p1 p2")),
    );
    let context = verdict.context();
    cases.equal("username", &context["username"], "me");
    cases.equal("groups", &context["groups"], &json!(["r1", "r2"]));
    cases.equal("scope", &context["scope"], "p1 p2");
    cases.equal("client_id", &context["client_id"], "spa");
}

#[test]
fn a_path_that_a_backend_could_take_for_another_rules_is_refused() {
    let table = Table::of(
        "
routes:
  GET /admin: { any_group: [admin] }
  GET /{name}: {}
  GET /{name}/{rest+}: {}
  GET /admin/{rest+}: { any_group: [admin] }
",
    );
    let token = Token::access();
    for (path, expected) in [
        // Decoded once it is `%61dmin`, and twice `admin`.
        ("/%2561dmin", "unsafe_path"),
        ("/%2561dmin/x", "unsafe_path"),
        ("/%252561dmin", "unsafe_path"),
        ("/%61dmin", "insufficient_group"),
        // What a semicolon starts is no part of the name to some.
        ("/admin;x=1", "unsafe_path"),
        ("/admin;/x", "unsafe_path"),
        ("/admin%3Bx", "unsafe_path"),
        ("/admin%253Bx", "unsafe_path"),
        // Who makes a URL of it sees what stands before a `#`: that rule must hold as well.
        ("/admin%23x", "insufficient_group"),
        ("/admin#/x", "insufficient_group"),
        ("/admin/%23", "insufficient_group"),
        ("/admin%2523", "insufficient_group"),
        ("/b%23r", "allow"),
        ("/%23", "allow"),
        // Windows takes dots and blanks off the end, some take Unicode's forms of a letter for the letter, and others take
        // what follows a dot for a format.
        ("/admin.", "unsafe_path"),
        ("/admin..", "unsafe_path"),
        ("/admin%20", "unsafe_path"),
        ("/admin ", "unsafe_path"),
        ("/%20admin", "unsafe_path"),
        ("/admin./x", "unsafe_path"),
        ("/admin\u{a0}", "unsafe_path"),
        ("/admin%C2%A0", "unsafe_path"),
        ("/\u{ff41}dmin", "unsafe_path"),
        ("/%EF%BD%81dmin", "unsafe_path"),
        // The normal form of a Greek question mark is a semicolon.
        ("/admin\u{37e}x", "unsafe_path"),
        ("/admin%CD%BEx", "unsafe_path"),
        ("/admin%25CD%25BEx", "unsafe_path"),
        ("/admin\u{37e}x/y", "unsafe_path"),
        ("/b\u{37e}x", "allow"),
        ("/admin.json", "unsafe_path"),
        ("/admin.tar.gz", "unsafe_path"),
        ("/admin.json;x", "unsafe_path"),
        ("/admin.json%23x", "unsafe_path"),
        ("/report.json", "allow"),
        ("/files/admin.json", "allow"),
        ("/admin.json/x", "allow"),
        ("/administrators", "allow"),
        // The same rule either way.
        ("/report.", "allow"),
        ("/report%20", "allow"),
        ("/\u{ff42}", "allow"),
        ("/b%2561r", "allow"),
        ("/user;x=1", "allow"),
        ("/Admin", "allow"),
        ("/100%25", "allow"),
    ] {
        table.check("GET", path, &token, expected);
        // Who may use either rule's route is not kept out.
        table.check("GET", path, &token.clone().claim("cognito:groups", json!(["admin"])), "allow");
    }
}

#[test]
fn a_path_with_more_readings_than_an_honest_one_is_refused() {
    let table = Table::of(
        "
routes:
  GET /{x}: {}
  GET /admin: { any_group: [admin] }
  GET /f/{p+}: {}
",
    );
    let hostile = |dots: usize| format!("/a%2561;{}\u{ff41}%23b%23c%23d", "a.".repeat(dots));
    for (path, expected) in [
        (hostile(4_300), "unsafe_path"),
        (hostile(2_000), "unsafe_path"),
        (hostile(170), "unsafe_path"),
        (format!("/ a%252561;b. ;{}\u{ff41} .;%23b;%23c.%23d%2523 ", "a.".repeat(170)), "unsafe_path"),
        ("/report.v1.2.3.csv".to_owned(), "allow"),
        (format!("/f/{}ip6.arpa", "0.".repeat(32)), "allow"),
        (format!("/{}a", "a.".repeat(64)), "allow"),
        (format!("/{}a", "a.".repeat(65)), "unsafe_path"),
    ] {
        table.check("GET", &path, &Token::access(), expected);
    }
}

#[test]
fn a_claim_equals_a_path_parameter_in_every_normal_form() {
    let table = Table::of("routes: { \"GET /users/{id}\": { claims: { username: \"{id}\" } } }");
    for (username, path, expected) in [
        ("Kate", "/users/Kate", "allow"),
        ("caf\u{e9}", "/users/caf%C3%A9", "allow"),
        ("a.b@example.com", "/users/a.b@example.com", "allow"),
        ("alice.json", "/users/alice.json", "allow"),
        // The Kelvin sign is a K to a backend that compares normal forms.
        ("\u{212a}ate", "/users/\u{212a}ate", "claim_mismatch"),
        ("\u{212a}ate", "/users/%E2%84%AAate", "claim_mismatch"),
        ("Kate", "/users/\u{212a}ate", "claim_mismatch"),
        ("cafe\u{301}", "/users/cafe\u{301}", "claim_mismatch"),
    ] {
        table.check("GET", path, &Token::access().claim("username", json!(username)), expected);
    }
}

#[test]
fn where_letter_case_is_ignored_it_opens_no_other_route() {
    let table = Table::of(
        "
case_insensitive_paths: true
routes:
  GET /Admin: { any_group: [admin] }
  GET /{name}: {}
  GET /users/{id}: { claims: { sub: \"{id}\" } }
",
    );
    let of = |sub: &str| Token::access().claim("sub", json!(sub));
    for (path, sub, expected) in [
        ("/Admin", "u", "insufficient_group"),
        ("/admin", "u", "insufficient_group"),
        ("/ADMIN/", "u", "insufficient_group"),
        ("/%41dmin", "u", "insufficient_group"),
        ("/admins", "u", "allow"),
        ("/USERS/ann", "ann", "allow"),
        // A backend takes it for `ann`'s.
        ("/users/ANN", "ANN", "claim_mismatch"),
        ("/users/ANN", "ann", "claim_mismatch"),
        // The long s is an S in upper case, the Kelvin sign a k in lower case.
        ("/u\u{17f}ers/ann", "bob", "claim_mismatch"),
    ] {
        table.check("GET", path, &of(sub), expected);
    }
}
