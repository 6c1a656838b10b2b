//! An event may name the route that API Gateway runs. Where that is another rule than the path's, both must hold.

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

fn start(rest: &str) -> (Site, Function) {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), rest));
    (site, function)
}

/// An event of this kind for which API Gateway runs the integration of that route.
fn event(kind: Kind, path: &str, token: &Token, (method, resource): (&str, &str)) -> Value {
    let mut event = kind.event("GET", path, &format!("Bearer {}", token.text()));
    match kind {
        Kind::Http2 => {
            let key = if resource.starts_with('$') { resource.to_owned() } else { format!("{method} {resource}") };
            event["routeKey"] = json!(key);
            event["requestContext"]["routeKey"] = json!(key);
        }
        Kind::RestRequest | Kind::Http1 => {
            event["resource"] = json!(resource);
            event["httpMethod"] = json!(method);
            event["requestContext"]["resourcePath"] = json!(resource);
        }
        Kind::RestToken | Kind::WebSocket => {}
    }
    event
}

const TABLE: &str = "
routes:
  GET /{tenant}/admin: { any_group: [admin] }
  GET /public/{proxy+}: {}
  GET /{user}/files: { claims: { sub: '{user}' } }
  ANY /any/{x}: {}
  $default: { any_group: [ops] }
";

#[test]
fn the_rule_of_the_route_that_api_gateway_runs_must_hold_as_well() {
    let (_site, function) = start(TABLE);
    let cases = Cases::default();
    let (reader, admin) = (Token::access(), Token::admin());
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        for (path, token, named, expected) in [
            ("/public/admin", &reader, ("GET", "/{tenant}/admin"), "forbidden"),
            ("/public/admin", &admin, ("GET", "/{tenant}/admin"), "allow"),
            ("/public/admin", &reader, ("GET", "/{t}/admin"), "forbidden"),
            ("/public/admin", &reader, ("GET", "/public/{proxy+}"), "allow"),
            ("/public/admin", &reader, ("GET", "/public/{rest+}"), "allow"),
            ("/public/files", &reader, ("GET", "/{user}/files"), "forbidden"),
            ("/public/admin/", &reader, ("GET", "/{tenant}/admin"), "forbidden"),
            // The path of a rule with a slash behind it is `$default`'s to an HTTP API.
            ("/any/x/", &reader, ("GET", "$default"), "forbidden"),
            ("/any/x", &reader, ("GET", "/any/{x}"), "allow"),
            // What is no route of the table says nothing.
            ("/public/admin", &reader, ("GET", "/{proxy+}"), "allow"),
            ("/public/admin", &reader, ("GET", "/public/admin"), "allow"),
            ("/public/admin", &reader, ("GET", ""), "allow"),
            ("/public/admin", &reader, ("GET", "/{x/\u{0}//"), "allow"),
        ] {
            let verdict = function.ask(&event(kind, path, token, named));
            let what = format!("{kind:?} {path} {named:?}");
            cases.check(&what, &verdict, expected);
            if expected == "forbidden" {
                cases.equal(&what, &verdict.log["detail"], "gateway route");
            }
        }
    }
    // On HTTP APIs the key may name any method.
    let verdict = function.ask(&event(Kind::Http2, "/public/admin", &reader, ("ANY", "/{tenant}/admin")));
    cases.check("ANY", &verdict, "forbidden");
    // The path's own rule comes first.
    let verdict = function.ask(&event(Kind::Http2, "/acme/admin", &reader, ("GET", "/public/{proxy+}")));
    cases.check("the path's own rule", &verdict, "insufficient_group");
    // A TOKEN event names no route.
    let verdict = function.ask(&Kind::RestToken.event("GET", "/public/admin", &format!("Bearer {}", reader.text())));
    cases.check("TOKEN", &verdict, "allow");
}

#[test]
fn a_parameter_of_the_other_rule_is_read_by_its_own_path() {
    let (_site, function) = start(
        "
routes:
  GET /{user}/files: { claims: { sub: '{user}' } }
  GET /alice/{proxy+}: {}
",
    );
    let cases = Cases::default();
    for kind in [Kind::RestRequest, Kind::Http1, Kind::Http2] {
        for (path, sub, expected) in [
            ("/alice/files", "alice", "allow"),
            ("/alice/files", "bob", "forbidden"),
            ("/alice/files", "files", "forbidden"),
            ("/alice/other", "alice", "forbidden"),
            ("/alice/files/x", "alice", "forbidden"),
        ] {
            let token = Token::access().claim("sub", json!(sub));
            let verdict = function.ask(&event(kind, path, &token, ("GET", "/{user}/files")));
            cases.check(format!("{kind:?} {path} {sub}"), &verdict, expected);
        }
    }
}

#[test]
fn pairs_of_rules_that_api_gateway_may_read_otherwise_are_told_once_at_the_start() {
    for (routes, told) in [
        (
            "GET /{tenant}/admin: { any_group: [admin] }, 'GET /public/{proxy+}': {}",
            Some(
                "for `GET /public/admin` the table picks `GET /public/{proxy+}` and API Gateway runs `GET /{tenant}/admin`",
            ),
        ),
        (
            "GET /a/{x}: { any_group: [admin] }, 'GET /{y}/b': {}",
            Some("for `GET /a/b` the table picks `GET /a/{x}` and API Gateway may run `GET /{y}/b`"),
        ),
        ("GET /{tenant}/admin: {}, 'GET /public/{proxy+}': {}", None),
        ("GET /a/{x}: { any_group: [admin] }, 'GET /a/{p+}': {}", None),
    ] {
        let (_site, function) = start(&format!(
            "routes: {{ {} }}",
            routes.replace("GET /a/{x}", "'GET /a/{x}'").replace("GET /{tenant}/admin", "'GET /{tenant}/admin'")
        ));
        function.wait_until_ready();
        function.end();
        let said = function.stdout();
        let warnings: Vec<&String> = said.iter().filter(|line| line.contains("\"WARN\"")).collect();
        assert_eq!(warnings.len(), usize::from(told.is_some()), "{routes}: {said:#?}");
        assert!(warnings.iter().all(|line| line.contains(told.unwrap())), "{routes}: {said:#?}");
    }
}
