//! What the policies are asked: who, what, in which context, for every kind of token and event; and in which order.

use serde_json::{Value, json};

use crate::asked::{Asked, folder, token};
use crate::avp::{Store, WITH_ENTITIES, WITH_TOKEN};
use crate::events::Kind;
use crate::stage::{OIDC_ISSUER, Stage};
use crate::stub::cognito::{GET_USER, user};
use crate::stub::dynamodb::{BATCH_GET_ITEM, table};
use crate::tokens::{CLIENT, MACHINE, POOL, READER_SUB, Token};
use crate::verdict::Cases;

/// Whether a policy with this condition permits `GET /docs/{id}` (or the request given).
#[track_caller]
fn holds(cases: &Cases, what: &str, head_and_condition: &str, asked: &Asked, token: &Token, expected: bool) {
    let policy = format!("permit ({head_and_condition};");
    let routes = "  GET /docs/{id}: { cedar: true }\n  GET /files/{path+}: { cedar: true }\n  GET /: { cedar: true }
  POST /docs/{id}/publish: { cedar: publish }\n  $default: { cedar: other }\n  $connect: { cedar: connect }";
    let section = "namespace: NS, context: [source_ip, time]";
    let expected = if expected { "allow" } else { "forbidden" };
    let mut event = asked.event(&token.text());
    if asked.kind == Kind::Http2 {
        // The API's one route is none of the table's.
        event["routeKey"] = json!("ANY /{proxy+}");
    }
    let local = Stage::local(&folder(&[("a.cedar", &policy)]), section, routes);
    cases.check(what, &local.ask(&event), expected);
    let remote = Stage::remote(Store::new("NS", &policy, None), section, routes);
    cases.check(format!("{what}, by the service"), &remote.ask(&event), expected);
}

fn docs() -> Asked {
    Asked::new("GET", "/docs/7")
}

#[test]
fn the_action_is_the_routes_own_or_the_one_that_is_written() {
    let cases = Cases::default();
    let is =
        |action: &str| format!("principal, action == NS::Action::\"{action}\", resource == NS::Application::\"NS\")");
    for (asked, action) in [
        (docs(), "get /docs/{id}"),
        (Asked::new("GET", "/docs/7/"), "get /docs/{id}"),
        (Asked::new("GET", "/files/a/b"), "get /files/{path+}"),
        (Asked::new("GET", "/"), "get /"),
        (Asked::new("POST", "/docs/7/publish"), "publish"),
        (Asked::new("PURGE", "/elsewhere"), "other"),
        (Asked::new("GET", "/").kind(Kind::WebSocket), "connect"),
    ] {
        holds(&cases, action, &is(action), &asked, &Token::access(), true);
        holds(&cases, "another action", &is("get /docs"), &asked, &Token::access(), false);
    }
}

#[test]
fn a_user_is_named_by_pool_or_issuer_and_sub_and_a_client_is_no_user() {
    let cases = Cases::default();
    let is = |kind: &str, id: &str| format!("principal == NS::{kind}::\"{id}\", action, resource)");
    let oidc_client = Token::oidc(OIDC_ISSUER).claim("sub", json!("spa"));
    for (what, token, kind, id) in [
        ("an access token", Token::access(), "User", format!("{POOL}|{READER_SUB}")),
        ("an ID token", Token::id(), "User", format!("{POOL}|{READER_SUB}")),
        ("a client-credentials token", Token::machine(), "Client", format!("{POOL}|{MACHINE}")),
        ("another issuer's", Token::oidc(OIDC_ISSUER), "User", format!("{OIDC_ISSUER}|user-7")),
        ("another issuer's client", oidc_client, "Client", format!("{OIDC_ISSUER}|spa")),
        (
            "another issuer's without a sub",
            Token::oidc(OIDC_ISSUER).without("sub"),
            "Client",
            format!("{OIDC_ISSUER}|spa"),
        ),
    ] {
        holds(&cases, what, &is(kind, &id), &docs(), &token, true);
        let other = if kind == "User" { "Client" } else { "User" };
        holds(&cases, &format!("{what}, as a {other}"), &is(other, &id), &docs(), &token, false);
    }
}

#[test]
fn groups_are_parents_and_a_group_of_one_issuer_is_none_of_another() {
    let cases = Cases::default();
    let in_group = |id: &str| format!("principal in NS::UserGroup::\"{id}\", action, resource)");
    let oidc = || Token::oidc(OIDC_ISSUER).claim("roles", json!(["admin"]));
    let machine = Token::machine().claim("cognito:groups", json!(["admin"]));
    for (what, token, id, expected) in [
        ("a pool's", Token::admin(), format!("{POOL}|admin"), true),
        ("another's", Token::admin(), format!("{POOL}|ops"), false),
        ("none", Token::access(), format!("{POOL}|admin"), false),
        ("an ID token's", Token::id().claim("cognito:groups", json!(["a", "admin"])), format!("{POOL}|admin"), true),
        ("an issuer's", oidc(), format!("{OIDC_ISSUER}|admin"), true),
        ("an issuer's, taken for a pool's", oidc(), format!("{POOL}|admin"), false),
        ("a pool's, taken for an issuer's", Token::admin(), format!("{OIDC_ISSUER}|admin"), false),
        ("a client's", machine, format!("{POOL}|admin"), false),
    ] {
        holds(&cases, what, &in_group(&id), &docs(), &token, expected);
    }
}

#[test]
fn scopes_and_groups_that_are_not_all_texts_are_never_passed_over() {
    let cases = Cases::default();
    // A `forbid` that names a group or a scope must see all of them.
    let all = "principal, action, resource)";
    for odd in [json!(7), json!(true), json!({}), json!(["a", 7]), json!([null]), json!([["a"]])] {
        for (claim, token) in [
            ("cognito:groups", Token::access()),
            ("cognito:groups", Token::id()),
            ("scope", Token::access()),
            ("roles", Token::oidc(OIDC_ISSUER)),
            ("scp", Token::oidc(OIDC_ISSUER)),
        ] {
            holds(&cases, &format!("{claim}: {odd}"), all, &docs(), &token.claim(claim, odd.clone()), false);
        }
    }
    for good in [json!(null), json!(""), json!([]), json!("a"), json!(["a", "b"])] {
        let token = Token::access().claim("cognito:groups", good.clone()).claim("scope", good.clone());
        holds(&cases, &format!("{good}"), all, &docs(), &token, true);
    }
}

#[test]
fn claims_are_in_the_context_of_an_access_token_and_attributes_of_an_id_tokens_user() {
    let cases = Cases::default();
    let when = |condition: &str| format!("principal, action, resource) when {{ {condition} }}");
    let access =
        || Token::access().claim("scope", json!("a b")).claim("level", json!(3)).claim("flags", json!(["x", "y"]));
    let nested = Token::access()
        .claim("org", json!({ "unit": { "id": 7 }, "__entity": { "type": "NS::UserGroup", "id": "a" } }));
    let oidc = || Token::oidc(OIDC_ISSUER);
    for (condition, token, expected) in [
        ("context.token.scope == [\"b\", \"a\"]", access(), true),
        ("context.token.scope.contains(\"a b\")", access(), false),
        ("context.token.level == 3 && context.token.flags.containsAll([\"x\", \"y\"])", access(), true),
        (&format!("context.token.client_id == \"{CLIENT}\""), access(), true),
        ("context.token[\"cognito:groups\"] == [\"admin\"]", Token::admin(), true),
        ("context.token has \"cognito:groups\"", access(), false),
        ("context.token.exp > context.token.iat", access(), true),
        ("context.token.org.unit.id == 7 && context.token.org has \"__entity\"", nested, true),
        ("principal has sub", access(), false),
        ("principal.email == \"reader@example.com\" && principal.email_verified", Token::id(), true),
        ("context has token", Token::id(), false),
        ("context.token.scope == [\"orders.read\"] && context.token.scp == \"orders.read\"", oidc(), true),
        ("context.token.roles == [\"admin\"]", oidc().claim("roles", json!(["admin"])), true),
        ("context.token.score == decimal(\"1.5\")", oidc().claim("score", json!(1.5)), true),
        ("context.token.score == \"0.12345\"", oidc().claim("score", json!(0.12345)), true),
        ("context.token has score", oidc().claim("score", json!(null)), false),
    ] {
        holds(&cases, condition, &when(condition), &docs(), &token, expected);
    }
}

#[test]
fn the_context_has_parameters_and_what_is_configured() {
    let cases = Cases::default();
    let when = |condition: &str| format!("principal, action, resource) when {{ {condition} }}");
    let rest = |path: &str| Asked::new("GET", path).kind(Kind::RestRequest);
    for (condition, asked, expected) in [
        ("context.pathParameters == { id: \"7\" }", docs(), true),
        ("context.pathParameters == { id: \"7\" }", docs().kind(Kind::RestToken), true),
        ("context.pathParameters.id == \"a b\"", Asked::new("GET", "/docs/a%20b"), true),
        ("context.pathParameters.path == \"a/b.txt\"", Asked::new("GET", "/files/a/b.txt"), true),
        ("context has pathParameters", Asked::new("GET", "/"), false),
        ("context has queryStringParameters", docs(), false),
        ("context.queryStringParameters == { a: \"1\", b: \"x,y\" }", Asked::new("GET", "/docs/7?a=1&b=x,y"), true),
        ("context.queryStringParameters == { a: \"1\", b: \"x,y\" }", rest("/docs/7?a=1&b=x,y"), true),
        ("context.queryStringParameters == { a: \"1\" }", rest("/docs/7?a=1&a=1"), true),
        ("true", Asked::new("GET", "/docs/7?a=1&a=2"), false),
        ("true", rest("/docs/7?a=1&a=2"), false),
        ("context.sourceIp == ip(\"192.0.2.1\")", docs(), true),
        ("context.sourceIp.isInRange(ip(\"2001:db8::/32\"))", docs().from("2001:db8::7"), true),
        ("context.sourceIp.isInRange(ip(\"192.0.2.0/24\"))", docs().from("::ffff:192.0.2.7"), true),
        ("context has sourceIp", docs().from("nonsense"), false),
        ("context has sourceIp", docs().kind(Kind::RestToken), false),
        ("context.time > datetime(\"2026-01-01\") && context.time < datetime(\"2100-01-01\")", docs(), true),
    ] {
        holds(&cases, condition, &when(condition), &asked, &Token::access(), expected);
    }
}

#[test]
fn address_and_time_are_left_out_unless_they_are_configured() {
    let policy = "permit (principal, action, resource) unless { context has sourceIp || context has time };";
    let stage = Stage::local(&folder(&[("a.cedar", policy)]), "namespace: NS", "  GET /docs/{id}: { cedar: true }");
    assert_eq!(stage.ask(&docs().event(&Token::access().text())).outcome(), "allow");
}

#[test]
fn a_cognito_users_token_is_read_by_the_store_and_every_other_told_by_entities() {
    let cases = Cases::default();
    let all = Store::new("NS", "permit (principal, action, resource);", None);
    let stage = Stage::remote(all, "namespace: NS", "  GET /docs/{id}: { cedar: true }");
    for (what, token, operation, member) in [
        ("an access token", Token::access(), WITH_TOKEN, "accessToken"),
        ("an ID token", Token::id(), WITH_TOKEN, "identityToken"),
        ("a client-credentials token", Token::machine(), WITH_ENTITIES, "entities"),
        ("another issuer's token", Token::oidc(OIDC_ISSUER), WITH_ENTITIES, "entities"),
    ] {
        let before = stage.stub.calls(operation);
        let text = token.text();
        cases.check(what, &stage.ask(&docs().event(&text)), "allow");
        cases.equal(format!("{what}: calls"), stage.stub.calls(operation) - before, 1);
        let body: Value = serde_json::from_slice(&stage.stub.last_request(operation).body).unwrap();
        cases.is(format!("{what}: {member}"), body.get(member).is_some());
        cases.equal(format!("{what}: is the token sent?"), body.to_string().contains(&text), operation == WITH_TOKEN);
    }
}

#[test]
fn the_claims_go_first_then_the_policies_and_last_the_live_check() {
    let cases = Cases::default();
    let routes = "  GET /docs/{id}: { any_group: [admin], cedar: true, introspect: true }";
    let policy = "permit (principal, action, resource) when { context.pathParameters.id == \"7\" };";
    let stage = Stage::remote(Store::new("NS", policy, None), "namespace: NS", routes);
    stage.stub.answer(BATCH_GET_ITEM, table(&[]));
    let admin = Token::admin();
    let sub = serde_json::from_str::<Value>(&admin.payload_json()).unwrap()["sub"].clone();
    stage.stub.answer(GET_USER, user("admin", sub.as_str().unwrap()));
    let ask = |path: &str, token: &Token| stage.ask(&Asked::new("GET", path).event(&token.text()));
    cases.check("not in the group", &ask("/docs/7", &Token::access()), "insufficient_group");
    cases.equal("nobody was asked", (stage.calls(), stage.stub.calls(GET_USER)), (0, 0));
    cases.check("the policies refuse", &ask("/docs/8", &admin), "forbidden");
    cases.equal("the issuer was not asked", (stage.calls(), stage.stub.calls(GET_USER)), (1, 0));
    cases.check("all agree", &ask("/docs/7", &admin), "allow");
    cases.equal("both were asked", (stage.calls(), stage.stub.calls(GET_USER)), (2, 1));
    stage.stub.answer(GET_USER, crate::stub::cognito::error("NotAuthorizedException", "Access Token has been revoked"));
    cases.check("revoked", &ask("/docs/7", &admin), "token_revoked");
}

#[test]
fn the_rule_of_the_route_that_api_gateway_runs_is_asked_as_well() {
    let cases = Cases::default();
    let routes = "  GET /docs/{id}: { cedar: true }\n  GET /plain: {}\n  GET /live: { introspect: true }
  $default: { cedar: other, introspect: true }";
    let permits = |actions: &str| format!("permit (principal, action in [{actions}], resource);");
    let [read, other] = ["NS::Action::\"get /docs/{id}\"", "NS::Action::\"other\""];
    for (policy, route_key, path, expected, detail) in [
        (permits(&format!("{read}, {other}")), "$default", "/docs/7", "allow", json!(null)),
        (permits(read), "$default", "/docs/7", "forbidden", json!("gateway route")),
        (permits(other), "$default", "/docs/7", "forbidden", json!(null)),
        (permits(read), "GET /docs/{id}", "/docs/7", "allow", json!(null)),
        (permits(other), "$default", "/plain", "allow", json!(null)),
        (permits(read), "$default", "/plain", "forbidden", json!("gateway route")),
        (permits(read), "GET /plain", "/plain", "allow", json!(null)),
        (permits(other), "$default", "/live", "allow", json!(null)),
        (permits(read), "GET /live", "/live", "allow", json!(null)),
    ] {
        let stages = [
            Stage::local(&folder(&[("a.cedar", &policy)]), "namespace: NS", routes),
            Stage::remote(Store::new("NS", &policy, None), "namespace: NS", routes),
        ];
        let token = Token::access();
        let mut event = Asked::new("GET", path).event(&token.text());
        event["routeKey"] = json!(route_key);
        for stage in stages {
            stage.stub.answer(BATCH_GET_ITEM, table(&[]));
            stage.stub.answer(GET_USER, user("reader", READER_SUB));
            let what = format!("{policy} {route_key} {path}");
            let verdict = stage.ask(&event);
            cases.check(&what, &verdict, expected);
            cases.equal(format!("{what}: detail"), &verdict.log["detail"], &detail);
            let is_live = expected == "allow" && (route_key == "$default" || path == "/live");
            cases.equal(format!("{what}: live checks"), stage.stub.calls(GET_USER), usize::from(is_live));
        }
    }
}

#[test]
fn a_token_in_the_query_is_not_shown_to_the_policies_and_no_claim_to_the_log() {
    let policy = "@id(\"p\") permit (principal, action, resource) when { context.queryStringParameters has tenant };";
    let stage = Stage::local(
        &folder(&[("a.cedar", policy)]),
        "namespace: NS",
        "  GET /docs/{id}: { cedar: true }\ntoken: [{ query: access_token }]",
    );
    let claims = token(&json!({ "secret_claim": "hush-hush" }), false).text();
    let mut event = Asked::new("GET", &format!("/docs/7?access_token={claims}&tenant=acme")).event("unused");
    event["headers"] = json!({});
    let verdict = stage.ask(&event);
    assert_eq!(verdict.outcome(), "allow");
    assert_eq!(verdict.log["policies"], "p (a.cedar:1)");
    stage.function.end();
    let said = stage.function.everything_said().join("\n");
    let signature = claims.rsplit('.').next().unwrap();
    assert!(!said.contains("hush-hush") && !said.contains(signature) && !said.contains("\"tenant\""), "{said}");
}
