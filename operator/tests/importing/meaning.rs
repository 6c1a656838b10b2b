//! What is imported lets in no request that its source would not have let in, and those that it should.

use crate::authctl::{authctl, config, here, imported};
use cognito_authorizer::config::Config;
use cognito_authorizer::request::{Request, UnixSeconds};
use cognito_authorizer::token::{Introspection, Sender};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whether the configuration lets in a request of a token with these claims.
fn lets_in(config: &Config, claims: &Value, method: &str, path: &str) -> bool {
    let mut answer = json!({ "active": true, "sub": "u-1", "exp": 9e9 });
    answer.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let now = UnixSeconds::new(1.8e9).unwrap();
    config.expectations().any(|expectations| {
        let Some(Introspection::Active(token)) = Introspection::parse(answer.to_string().as_bytes()) else { panic!() };
        let Ok(claims) = token.into_claims(&Arc::new(copy(expectations)), now, &Sender::default()) else {
            return false;
        };
        let request = Request::new(method, path, Vec::new());
        let Ok(matched) = config.rules().route(&request) else { return false };
        matched.authorize(Arc::new(claims), now).is_ok()
    })
}

fn copy(of: &cognito_authorizer::token::Expectations) -> cognito_authorizer::token::Expectations {
    cognito_authorizer::token::Expectations {
        issuer: Arc::clone(&of.issuer),
        tenants: None,
        kind: of.kind.clone(),
        algorithms: of.algorithms,
        client_ids: of.client_ids.clone(),
        audience: of.audience.clone(),
        typ: of.typ.clone(),
        claim_names: of.claim_names.clone(),
        dpop: of.dpop.clone(),
        leeway: of.leeway,
    }
}

fn of_source(source: &str) -> Config {
    config(&authctl(&here().join("sources"), &["import", source]).stdout)
}

#[test]
fn a_sam_templates_routes_ask_for_their_own_issuer_and_scopes() {
    let config = of_source("sam.yaml");
    let of_pool = |scope: &str| {
        json!({ "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_First", "token_use": "access",
            "client_id": "one", "scope": scope })
    };
    let partner = json!({ "iss": "https://login.partner.example/oauth2", "aud": "https://shop.example/api" });
    for (claims, method, path, expected) in [
        (of_pool("shop/read"), "GET", "/orders", true),
        (of_pool("shop/read"), "POST", "/orders", false),
        (of_pool("shop/admin"), "POST", "/orders", true),
        (partner.clone(), "GET", "/orders", false),
        (of_pool("shop/read"), "GET", "/feed/1", false),
        (of_pool("shop/read"), "GET", "/v1/a", false),
        (of_pool("shop/read"), "GET", "/ledger", false),
        (of_pool("shop/read"), "GET", "/health", false),
    ] {
        assert_eq!(lets_in(&config, &claims, method, path), expected, "{claims} {method} {path}");
    }
}

#[test]
fn a_rest_api_takes_id_tokens_where_no_scope_is_asked_for_and_access_tokens_where_one_is() {
    let config = of_source("cloudformation.yaml");
    let token = |token_use: &str| {
        json!({ "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Readers01", "token_use": token_use,
            "client_id": "one", "aud": "one", "scope": "library/write" })
    };
    for (token_use, method, path, expected) in [
        ("id", "GET", "/books", true),
        ("access", "GET", "/books", false),
        ("access", "POST", "/books", true),
        ("id", "POST", "/books", false),
        ("id", "GET", "/books/7", false),
    ] {
        assert_eq!(lets_in(&config, &token(token_use), method, path), expected, "{token_use} {method} {path}");
    }
}

#[test]
fn openapi_asks_for_all_scopes_and_lets_in_by_one_of_several_ways() {
    let config = of_source("openapi.yaml");
    let of = |issuer: &str, audience: &str, scope: &str| json!({ "iss": issuer, "aud": audience, "scope": scope });
    let (login, partner) = ("https://login.fleet.example", "https://first.example");
    for (claims, method, path, expected) in [
        (of(login, "api", "vehicles.read vehicles.write"), "POST", "/vehicles", true),
        (of(login, "api", "vehicles.write"), "POST", "/vehicles", false),
        (of(partner, "other-api", "vehicles.write"), "POST", "/vehicles", true),
        (of(partner, "other-api", "vehicles.read"), "GET", "/vehicles", false),
        (of(login, "api", "vehicles.read"), "GET", "/vehicles/1.pdf", false),
    ] {
        assert_eq!(lets_in(&config, &claims, method, path), expected, "{claims} {method} {path}");
    }
}

/// A route of an HTTP API, and what API Gateway asks for it.
#[derive(Debug)]
struct Native {
    key: &'static str,
    guard: Guard,
}

#[derive(Clone, Debug)]
enum Guard {
    Open,
    Refuses(&'static str),
    /// The position of an authorizer, and scopes of which one is needed.
    Jwt(usize, Vec<&'static str>),
}

/// Issuer and audience of each authorizer.
const AUTHORIZERS: [(&str, &str); 4] = [
    ("https://a.example", "one"),
    ("https://a.example", "two"),
    ("https://b.example", "one"),
    ("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Own", "one"),
];

const KEYS: [&str; 9] =
    ["GET /a", "ANY /a", "GET /{x}", "ANY /{x+}", "GET /a/{y}", "GET /{x}/b", "GET /a/{y+}", "POST /a/b", "$default"];

const PATHS: [&str; 5] = ["/a", "/c", "/a/b", "/a/c", "/c/b"];

/// A template of these routes.
fn template(routes: &[Native]) -> String {
    let mut resources = serde_json::Map::new();
    resources
        .insert("Api".into(), json!({ "Type": "AWS::ApiGatewayV2::Api", "Properties": { "ProtocolType": "HTTP" } }));
    for (index, (issuer, audience)) in AUTHORIZERS.iter().enumerate() {
        let properties = json!({ "ApiId": { "Ref": "Api" }, "AuthorizerType": "JWT",
            "JwtConfiguration": { "Issuer": issuer, "Audience": [audience] } });
        resources
            .insert(format!("A{index}"), json!({ "Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties }));
    }
    for (index, route) in routes.iter().enumerate() {
        let mut properties = json!({ "ApiId": { "Ref": "Api" }, "RouteKey": route.key });
        match &route.guard {
            Guard::Open => {}
            Guard::Refuses("unknown scope") => {
                properties["AuthorizationType"] = json!("JWT");
                properties["AuthorizerId"] = json!({ "Ref": "A0" });
                properties["AuthorizationScopes"] = json!([{ "Ref": "Scope" }]);
            }
            Guard::Refuses("unknown key") => properties["RouteKey"] = json!({ "Ref": "Key" }),
            Guard::Refuses(kind) => properties["AuthorizationType"] = json!(kind),
            Guard::Jwt(authorizer, scopes) => {
                properties["AuthorizationType"] = json!("JWT");
                properties["AuthorizerId"] = json!({ "Ref": format!("A{authorizer}") });
                properties["AuthorizationScopes"] = json!(scopes);
            }
        }
        resources.insert(format!("R{index}"), json!({ "Type": "AWS::ApiGatewayV2::Route", "Properties": properties }));
    }
    json!({ "Resources": resources }).to_string()
}

/// The route that API Gateway runs: a full match before a greedy one, the longest of those, then `$default`.
fn selected<'r>(routes: &'r [Native], method: &str, path: &str) -> Option<&'r Native> {
    let rank = |route: &Native| {
        let Some((of, key)) = route.key.split_once(' ') else { return Some((3, Vec::new(), 0)) };
        if of != "ANY" && of != method {
            return None;
        }
        let mut rest = path.split('/').skip(1);
        let mut kinds = Vec::new();
        let mut is_greedy = false;
        for segment in key.split('/').skip(1) {
            let own = rest.next()?;
            if segment.ends_with("+}") {
                is_greedy = true;
                break;
            }
            match segment.starts_with('{') {
                true => kinds.push(1),
                false if segment == own => kinds.push(0),
                false => return None,
            }
        }
        if !is_greedy && rest.next().is_some() {
            return None;
        }
        let length = -i32::try_from(kinds.len()).unwrap();
        Some(if is_greedy { (2, vec![length], i32::from(of == "ANY")) } else { (1, kinds, i32::from(of == "ANY")) })
    };
    routes
        .iter()
        .filter_map(|route| Some((rank(route)?, route)))
        .min_by(|one, other| one.0.cmp(&other.0))
        .map(|(_, route)| route)
}

fn native_lets_in(routes: &[Native], token: &(usize, &str), method: &str, path: &str) -> bool {
    let Some(route) = selected(routes, method, path) else { return false };
    match &route.guard {
        Guard::Open => true,
        Guard::Refuses(_) => false,
        Guard::Jwt(authorizer, scopes) => {
            AUTHORIZERS[*authorizer] == AUTHORIZERS[token.0]
                && (scopes.is_empty() || scopes.iter().any(|scope| token.1.split(' ').any(|own| own == *scope)))
        }
    }
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

#[test]
fn nothing_is_imported_more_permissive_than_it_was() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut let_in, mut judged) = (0, 0);
    for case in 0..60 {
        let mut routes: Vec<Native> = Vec::new();
        for key in KEYS {
            if numbers.below(3) == 0 {
                continue;
            }
            let guard = match numbers.below(16) {
                0 => Guard::Open,
                1 => Guard::Refuses(["AWS_IAM", "CUSTOM", "unknown scope", "unknown key"][numbers.below(4)]),
                _ => Guard::Jwt(
                    numbers.below(4),
                    [vec![], vec!["s"], vec!["s", "t"], vec!["t"]][numbers.below(4)].clone(),
                ),
            };
            routes.push(Native { key, guard });
        }
        let run = imported("random", &template(&routes), &[]);
        if !routes.iter().any(|route| matches!(route.guard, Guard::Jwt(..))) {
            continue;
        }
        assert_eq!(run.code, Some(0), "case {case}: {routes:?}: {run:?}");
        let config = config(&run.stdout);
        for (authorizer, (issuer, audience)) in AUTHORIZERS.iter().enumerate() {
            for scope in ["", "s", "t", "s t", "u"] {
                let claims = json!({ "iss": issuer, "aud": audience, "client_id": audience, "token_use": "access", "scope": scope });
                for method in ["GET", "POST"] {
                    for path in PATHS {
                        let imported = lets_in(&config, &claims, method, path);
                        let native = native_lets_in(&routes, &(authorizer, scope), method, path);
                        assert!(
                            !imported || native,
                            "case {case}: {claims} {method} {path}: {routes:?}\n{}",
                            run.stdout
                        );
                        judged += 1;
                        let_in += usize::from(imported);
                    }
                }
            }
        }
    }
    assert!(let_in * 50 > judged, "{let_in} of {judged} let in: the property says nothing where all is refused");
}
