//! Issuers as they are in the wild: names that are no addresses, tokens without `aud`, claims below
//! other claims, lists in texts, many tenants of one application, clients that are URLs.

use serde_json::{Value, json};

use crate::events::{self, Kind};
use crate::jwks_server::{Page, Site};
use crate::runtime_api::Function;
use crate::tokens::{CLIENT, Key, POOL, Token, cognito_jwks, jwk_set};
use crate::verdict::{Cases, Verdict};

/// The function with these issuers, in which `KEYS` stands for an address of keys, and the rest of the file.
struct Wild {
    function: Function,
    site: Site,
    cases: Cases,
}

impl Wild {
    fn start(issuers: &str, rest: &str) -> Wild {
        let site = Site::with_keys(&cognito_jwks());
        site.page("/other.json", Page::json(&jwk_set(&[Key::RsaC.jwk()])));
        let config = format!("issuers:\n{issuers}\n{rest}\n");
        let filled = config.replace("KEYS", &site.url("/jwks.json")).replace("OTHER", &site.url("/other.json"));
        Wild { function: Function::start(&filled), site, cases: Cases::default() }
    }

    #[track_caller]
    fn ask_as(&self, kind: Kind, path: &str, token: &Token) -> Verdict {
        self.function.ask(&kind.event("GET", path, &format!("Bearer {}", token.text())))
    }

    #[track_caller]
    fn check(&self, what: &str, path: &str, token: &Token, expected: &str) {
        self.cases.check(what, &self.ask_as(Kind::Http2, path, token), expected);
    }
}

const ANY: &str = "routes: { $default: {} }";

#[test]
fn an_http_issuer_whose_keys_are_given_is_a_name_and_never_fetched() {
    const ADFS: &str = "http://adfs.example.com/adfs/services/trust";
    let wild = Wild::start(
        &format!(
            "  - oidc: {{ issuer: {ADFS}, audience: api, jwks_uri: \"KEYS\" }}
  - oidc: {{ issuer: \"urn:example:issuer\", audience: api, jwks_uri: \"KEYS\" }}"
        ),
        ANY,
    );
    // On this machine, an http:// issuer would be asked for its metadata.
    let local = wild.site.url("");
    let named = Wild::start(&format!("  - oidc: {{ issuer: \"{local}\", audience: api, jwks_uri: \"KEYS\" }}"), ANY);
    for (wild, issuer) in [(&wild, ADFS), (&wild, "urn:example:issuer"), (&named, local.as_str())] {
        let token = Token::oidc(issuer).claim("aud", json!("api"));
        wild.check(issuer, "/", &token, "allow");
        wild.check(issuer, "/", &token.claim("iss", json!(format!("{issuer}/"))), "unknown_issuer");
        wild.cases.equal("metadata fetched", wild.site.visits("/.well-known/openid-configuration"), 0);
    }
}

#[test]
fn without_an_audience_a_token_has_no_aud_at_all_and_an_accepted_client() {
    let wild = Wild::start(
        "  - oidc: { issuer: https://clerk.example.com, audience: none, client_ids: [spa], jwks_uri: \"KEYS\" }",
        ANY,
    );
    let token = Token::oidc("https://clerk.example.com").without("aud");
    wild.check("no aud", "/", &token, "allow");
    for aud in [json!("spa"), json!("none"), json!(null), json!([]), json!(""), json!(7)] {
        wild.check(&format!("aud {aud}"), "/", &token.clone().claim("aud", aud), "wrong_audience");
    }
    wild.check("another client", "/", &token.clone().claim("azp", json!("other")), "wrong_client");
    wild.check("no client", "/", &token.without("azp"), "wrong_client");
}

#[test]
fn claims_below_other_claims_are_named_by_a_pointer() {
    let wild = Wild::start(
        "  - oidc:
      issuer: https://keycloak.example.com/realms/main
      audience: api
      jwks_uri: \"KEYS\"
      claims: { groups: /realm_access/roles, username: /user/name, scope: /perms, client_id: /client/id }
      client_ids: [app]",
        "routes:
  GET /admin: { any_group: [admin] }
  GET /scope: { any_scope: [write] }
  GET /client: { client_ids: [app] }
  GET /orgs/{org}: { claims: { /org/id: \"{org}\", /org/plan: [gold, silver], realm_access.roles: dotted } }
context: { roles: groups, name: username, client: client_id, first: /realm_access/roles/0, dotted: realm_access.roles, none: /org/none }",
    );
    let token = Token::oidc("https://keycloak.example.com/realms/main")
        .claim("aud", json!("api"))
        .claim("realm_access", json!({ "roles": ["admin", "ops"] }))
        .claim("realm_access.roles", json!("dotted"))
        .claim("user", json!({ "name": "ann" }))
        .claim("client", json!({ "id": "app" }))
        .claim("perms", json!("read write"))
        .claim("org", json!({ "id": "o1", "plan": "gold" }));
    wild.check("a group below", "/admin", &token, "allow");
    wild.check("a scope below", "/scope", &token, "allow");
    wild.check("a client below", "/client", &token, "allow");
    wild.check("a claim of the rule", "/orgs/o1", &token, "allow");
    wild.check("another organisation's", "/orgs/o2", &token, "claim_mismatch");
    for (what, path, claim, value, expected) in [
        ("the usual place", "/admin", "realm_access", json!({}), "insufficient_group"),
        ("the dotted name", "/admin", "realm_access", json!(null), "insufficient_group"),
        ("no object", "/admin", "realm_access", json!(["roles", "admin"]), "insufficient_group"),
        ("another client", "/client", "client", json!({ "id": "other" }), "wrong_client"),
        ("no client", "/client", "client", json!({}), "wrong_client"),
        ("a client that is no text", "/client", "client", json!({ "id": 7 }), "wrong_client"),
        ("another plan", "/orgs/o1", "org", json!({ "id": "o1", "plan": "tin" }), "claim_mismatch"),
        ("no plan", "/orgs/o1", "org", json!({ "id": "o1" }), "claim_mismatch"),
        ("another dotted claim", "/orgs/o1", "realm_access.roles", json!("x"), "claim_mismatch"),
    ] {
        let token = token.clone().claim("cognito:groups", json!(["admin"])).claim(claim, value);
        wild.check(what, path, &token, expected);
    }
    wild.cases.equal(
        "the context",
        wild.ask_as(Kind::RestToken, "/admin", &token).context(),
        json!({ "roles": "admin ops", "name": "ann", "client": "app", "first": "admin", "dotted": "dotted" }),
    );
    let nobody = token.without("sub");
    let answer = wild.ask_as(Kind::RestToken, "/admin", &nobody).response();
    wild.cases.equal("the principal of a token without sub", &answer["principalId"], "app");
}

#[test]
fn a_list_in_a_text_is_read_in_its_form_and_in_no_other() {
    let wild = Wild::start(
        &format!(
            "  - cognito:
      user_pool_id: {POOL}
      client_ids: [{CLIENT}]
      jwks_uri: \"KEYS\"
      token_use: [access, id]
      claims: {{ groups: {{ claim: \"custom:groups\", list: brackets }} }}
  - oidc: {{ issuer: https://j.example.com, audience: api, jwks_uri: \"KEYS\", claims: {{ groups: {{ claim: /g/json, list: json }} }} }}
  - oidc: {{ issuer: https://c.example.com, audience: api, jwks_uri: \"KEYS\", claims: {{ groups: {{ claim: g, list: commas }}, scope: {{ claim: s, list: commas }} }} }}
  - oidc: {{ issuer: https://s.example.com, audience: api, jwks_uri: \"KEYS\", claims: {{ groups: {{ claim: g, list: spaces }} }} }}"
        ),
        "routes: { GET /: { any_group: [admin] }, GET /blank: { any_group: [Domain Admins] }, GET /scope: { any_scope: [read] } }",
    );
    let oidc = |host: &str| Token::oidc(&format!("https://{host}.example.com")).claim("aud", json!("api"));
    let of_pool = |groups: Value| Token::id().claim("custom:groups", groups).claim("cognito:groups", json!(["admin"]));
    for (groups, expected) in [
        (json!("[staff, admin]"), "allow"),
        (json!("[admin]"), "allow"),
        (json!(["staff", "admin"]), "allow"),
        (json!("admin"), "insufficient_group"),
        (json!("[admin"), "insufficient_group"),
        (json!("[not admin]"), "insufficient_group"),
        (json!("[\"admin\"]"), "insufficient_group"),
        (json!("[]"), "insufficient_group"),
        (json!(""), "insufficient_group"),
        (json!(null), "insufficient_group"),
        (json!({ "a": "admin" }), "insufficient_group"),
    ] {
        wild.check(&format!("brackets: {groups}"), "/", &of_pool(groups), expected);
    }
    wild.check("a blank in a group", "/blank", &of_pool(json!("[Domain Admins, x]")), "allow");
    wild.check("no claim", "/", &Token::id().claim("cognito:groups", json!(["admin"])), "insufficient_group");
    for (host, groups, expected) in [
        ("c", json!("staff, admin"), "allow"),
        ("c", json!("[admin, x, admin]"), "insufficient_group"),
        ("s", json!("staff admin"), "allow"),
        ("s", json!("staff,admin"), "insufficient_group"),
    ] {
        wild.check(&format!("{host}: {groups}"), "/", &oidc(host).claim("g", groups), expected);
    }
    let json_in = |text: &str| oidc("j").claim("g", json!({ "json": text }));
    wild.check("json", "/", &json_in(r#"["staff","admin"]"#), "allow");
    wild.check("json, another form", "/", &json_in("[staff, admin]"), "insufficient_group");
    wild.check("scopes", "/scope", &oidc("c").claim("s", json!("write,read")), "allow");
    let context = |groups: Value| wild.ask_as(Kind::RestToken, "/", &of_pool(groups)).context()["groups"].clone();
    wild.cases.equal("joined", context(json!("[staff, admin]")), "staff admin");
    wild.cases.equal("with a blank", context(json!("[not staff, admin]")), r#"["not staff","admin"]"#);
}

#[test]
fn a_group_with_a_blank_never_reads_as_two() {
    let wild = Wild::start(
        &format!("  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}], jwks_uri: \"KEYS\" }}"),
        ANY,
    );
    for (groups, flat, nested) in [
        (json!(["not admin"]), json!(r#"["not admin"]"#), json!(["not admin"])),
        (json!(["a", "not admin"]), json!(r#"["a","not admin"]"#), json!(["a", "not admin"])),
        (json!("not admin"), json!(r#"["not admin"]"#), json!("not admin")),
        (json!(["a", "b"]), json!("a b"), json!(["a", "b"])),
        (json!("admin"), json!("admin"), json!("admin")),
    ] {
        let token = Token::access().claim("cognito:groups", groups.clone());
        for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1] {
            let context = wild.ask_as(kind, "/", &token).context();
            wild.cases.equal(format!("{} {groups}", kind.name()), &context["groups"], &flat);
        }
        wild.cases.equal(
            format!("nested {groups}"),
            &wild.ask_as(Kind::Http2, "/", &token).context()["groups"],
            &nested,
        );
    }
}

const ENTRA: &str = "https://login.microsoftonline.com/{tid}/v2.0";

#[test]
fn each_accepted_tenant_is_an_issuer_of_its_own() {
    let wild = Wild::start(
        &format!(
            "  - oidc: {{ issuer: \"{ENTRA}\", tenants: [contoso-1, fabrikam.2], audience: api, jwks_uri: \"KEYS\" }}
  - oidc: {{ issuer: \"https://any.example.com/{{org}}\", tenants: \"*\", audience: api, jwks_uri: \"KEYS\" }}
  - oidc: {{ issuer: https://any.example.com/plain, audience: api, jwks_uri: \"OTHER\" }}"
        ),
        &format!("routes:\n  GET /: {{}}\n  GET /one: {{ issuers: [\"{}\"] }}", ENTRA.replace("{tid}", "contoso-1")),
    );
    let of = |tenant: &str| {
        Token::oidc(&ENTRA.replace("{tid}", tenant)).claim("aud", json!("api")).claim("tid", json!(tenant))
    };
    for round in ["first", "again"] {
        for tenant in ["contoso-1", "fabrikam.2"] {
            let verdict = wild.ask_as(Kind::Http2, "/", &of(tenant));
            wild.cases.check(format!("{tenant}, {round}"), &verdict, "allow");
            wild.cases.equal("the log's issuer", &verdict.log["issuer"], &json!(ENTRA.replace("{tid}", tenant)));
        }
    }
    wild.check("another tenant", "/", &of("third"), "unknown_issuer");
    wild.check("the template itself", "/", &of("{tid}"), "unknown_issuer");
    wild.check("empty", "/", &of(""), "unknown_issuer");
    wild.check("in another case", "/", &of("Contoso-1"), "unknown_issuer");
    for tid in [json!("fabrikam.2"), json!(null), json!(7), json!(["contoso-1"]), json!("")] {
        wild.check(&format!("tid {tid}"), "/", &of("contoso-1").claim("tid", tid), "unknown_issuer");
    }
    wild.check("no tid", "/", &of("contoso-1").without("tid"), "unknown_issuer");
    wild.check("its own route", "/one", &of("contoso-1"), "allow");
    wild.check("another tenant's route", "/one", &of("fabrikam.2"), "forbidden");
    let any = |org: &str| {
        Token::oidc(&format!("https://any.example.com/{org}")).claim("aud", json!("api")).claim("org", json!(org))
    };
    wild.check("any", "/", &any("x"), "allow");
    for odd in ["x/y", "x#y", "", "*", "x y", "é", "{org}"] {
        wild.check(&format!("any: {odd}"), "/", &any(odd), "unknown_issuer");
    }
    // A configured name goes before a template that it fits, with its own keys alone.
    wild.check("plain, with the keys of the tenants", "/", &any("plain"), "unknown_key");
    wild.check("plain", "/", &any("plain").key(Key::RsaC), "allow");
    wild.cases.equal("one set of keys for all tenants", wild.site.visits("/jwks.json"), 2);
}

#[test]
fn a_key_that_names_its_issuer_signs_for_no_other_tenant() {
    const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let issuer_of = |tenant: &str| ENTRA.replace("{tid}", tenant);
    let wild = Wild::start(
        &format!(
            "  - oidc: {{ issuer: \"{ENTRA}\", tenants: [contoso-1, fabrikam.2], audience: api, jwks_uri: \"KEYS\" }}
  - oidc: {{ issuer: https://plain.example.com, audience: api, jwks_uri: \"KEYS\" }}"
        ),
        "routes: { GET /: {} }\njwks: { max_age: 500ms }",
    );
    let of = |tenant: &str, kid: &str| {
        let token = Token::oidc(&issuer_of(tenant)).claim("aud", json!("api")).claim("tid", json!(tenant));
        token.header("kid", json!(kid))
    };
    let cases = [
        ("template", json!("https://login.microsoftonline.com/{tenantid}/v2.0"), "allow", "allow"),
        ("by-claim", json!(ENTRA), "allow", "allow"),
        ("own", json!(issuer_of("contoso-1")), "allow", "unknown_key"),
        ("consumers", json!(issuer_of(CONSUMERS)), "unknown_key", "unknown_key"),
        ("v1", json!("https://sts.windows.net/{tenantid}/"), "unknown_key", "unknown_key"),
        ("empty", json!(""), "unknown_key", "unknown_key"),
        ("number", json!(7), "unknown_key", "unknown_key"),
        ("null", json!(null), "allow", "allow"),
    ];
    let keys = |issuers: &[(&str, Value)]| {
        let key = |(kid, issuer): &(&str, Value)| Key::RsaA.jwk_with(json!({ "kid": kid, "issuer": issuer }));
        Page::json(&jwk_set(&issuers.iter().map(key).collect::<Vec<_>>()))
    };
    let page: Vec<_> = cases.iter().map(|(kid, issuer, ..)| (*kid, issuer.clone())).collect();
    wild.site.page("/jwks.json", keys(&page));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for round in ["first", "again", "known"] {
        for (kid, _, contoso, fabrikam) in &cases {
            wild.check(&format!("contoso, {kid}, {round}"), "/", &of("contoso-1", kid), contoso);
            wild.check(&format!("fabrikam, {kid}, {round}"), "/", &of("fabrikam.2", kid), fabrikam);
            let plain = Token::oidc("https://plain.example.com").claim("aud", json!("api"));
            wild.check(&format!("plain, {kid}, {round}"), "/", &plain.header("kid", json!(kid)), "allow");
        }
    }
    // A token that was verified before, by a key that is now another tenant's.
    wild.site.page("/jwks.json", keys(&[("own", json!(issuer_of("fabrikam.2")))]));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    wild.check("a known token", "/", &of("contoso-1", "own"), "unknown_key");
}

#[test]
fn a_client_that_is_a_url_may_be_below_a_configured_one() {
    let wild = Wild::start(
        "  - oidc: { issuer: https://mcp.example.com, audience: api, jwks_uri: \"KEYS\", client_ids: [spa, \"https://app.example.com/clients/*\"] }",
        ANY,
    );
    let of =
        |client: &str| Token::oidc("https://mcp.example.com").claim("aud", json!("api")).claim("azp", json!(client));
    for good in ["spa", "https://app.example.com/clients/a", "https://app.example.com/clients/a/b.json"] {
        wild.check(good, "/", &of(good), "allow");
    }
    for bad in [
        "https://app.example.com/clients",
        "https://app.example.com/clients/",
        "https://app.example.com/clients/*",
        "https://app.example.com/clients//a",
        "https://app.example.com/clients/../a",
        "https://app.example.com/clients/a/../../b",
        "https://app.example.com/clients/%2e%2e/a",
        "https://app.example.com/clients/a%2fb",
        "https://app.example.com/clientsa",
        "https://app.example.com/other/a",
        "https://app.example.com.evil.example/clients/a",
        "https://app.example.com@evil.example/clients/a",
        "https://user:pw@app.example.com/clients/a",
        "https://APP.example.com/clients/a",
        "http://app.example.com/clients/a",
    ] {
        wild.check(bad, "/", &of(bad), "wrong_client");
    }
}

#[test]
fn a_rest_answer_that_allows_has_the_usage_identifier_key() {
    let pool = format!("  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}], jwks_uri: \"KEYS\" }}");
    let routes = "routes: { GET /: {}, GET /admin: { any_group: [admin] } }";
    let wild =
        Wild::start(&pool, &format!("{routes}\nrest_api: {{ usage_identifier_key: /plan/key, unauthorized: deny }}"));
    let token = Token::access().claim("plan", json!({ "key": "k-1" }));
    let key = |verdict: &Verdict| verdict.response().get("usageIdentifierKey").cloned();
    for kind in [Kind::RestToken, Kind::RestRequest] {
        let name = kind.name();
        wild.cases.equal(name, key(&wild.ask_as(kind, "/", &token)), Some(json!("k-1")));
        wild.cases.equal(format!("{name} denied"), key(&wild.ask_as(kind, "/admin", &token)), None);
        let expired = token.clone().claim("exp", json!(1));
        wild.cases.equal(format!("{name} expired"), key(&wild.ask_as(kind, "/", &expired)), None);
        for odd in [json!(null), json!(7), json!(""), json!(["k"])] {
            let token = token.clone().claim("plan", json!({ "key": odd }));
            wild.cases.equal(format!("{name} {odd}"), key(&wild.ask_as(kind, "/", &token)), None);
        }
        let long = token.clone().claim("plan", json!({ "key": "k".repeat(129) }));
        let verdict = wild.ask_as(kind, "/", &long);
        wild.cases.equal(format!("{name} too long"), (verdict.outcome(), key(&verdict)), ("allow", None));
        wild.cases.equal(format!("{name} too long, logged"), &verdict.log["omitted_claims"], "usageIdentifierKey");
        wild.cases.equal(format!("{name} without"), key(&wild.ask_as(kind, "/", &Token::access())), None);
    }
    for kind in [Kind::Http1, Kind::Http2] {
        wild.cases.equal(kind.name(), key(&wild.ask_as(kind, "/", &token)), None);
    }
    let connect = events::websocket(json!({ "Authorization": format!("Bearer {}", token.text()) }));
    wild.cases.equal("websocket", key(&wild.function.ask(&connect)), None);
    // Of a policy that is kept for the token, every answer carries it.
    let kept = Wild::start(
        &pool,
        &format!("{routes}\nrest_api: {{ usage_identifier_key: client_id }}\npolicy: {{ covers: token }}"),
    );
    for path in ["/", "/admin"] {
        let event = Kind::RestToken.event("GET", path, &format!("Bearer {}", token.text()));
        let answer = kept.function.ask_unjudged(&event).0.json();
        kept.cases.equal(format!("kept, {path}"), &answer["usageIdentifierKey"], CLIENT);
    }
}

#[test]
fn what_only_commas_separate_may_hold_blanks() {
    let pool = format!("  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}], jwks_uri: \"KEYS\" }}");
    let wild = Wild::start(
        &pool,
        "routes: { GET /list: { any_group: [Domain Admins] }, GET /text: { any_group: \"Domain Admins, Ops\" }, GET /all: { all_groups: \"Domain Admins,Ops\" } }",
    );
    let token = |groups: Value| Token::access().claim("cognito:groups", groups);
    for path in ["/list", "/text"] {
        wild.check(path, path, &token(json!(["Domain Admins"])), "allow");
        wild.check(path, path, &token(json!(["Domain", "Admins"])), "insufficient_group");
    }
    wild.check("all", "/all", &token(json!(["Domain Admins", "Ops"])), "allow");
    wild.check("one of all", "/all", &token(json!(["Domain Admins"])), "insufficient_group");
}
