//! No path slips past a rule because something behind the authorizer reads it differently: the bypasses that were
//! published, one a row, and random paths under every usual reading.

use crate::agreement::{self, Scenario, Tally};
use crate::iam::{Call, Outcome};
use crate::model::{self, Verdict};
use crate::readings;
use crate::stage::{Answer, Credential, Kind, Stage, arn, now};
use crate::tables::{self, Ask, Settings, Table, Token};
use proptest::prelude::*;

/// A strict route within a loose one: everybody may have everything but what is `admin`'s.
const STRICT_WITHIN_LOOSE: &str = "
routes:
  ANY /admin: { any_group: [admin] }
  ANY /admin/{proxy+}: { any_group: [admin] }
  ANY /users/{user_id}: { claims: { sub: \"{user_id}\" } }
  GET /public/{proxy+}: {}
  ANY /{proxy+}: {}
http_api: { response: policy }
";

/// What somebody published, the path, and who it was.
const BYPASSES: [(&str, &str, &str); 57] = [
    ("trailing slash, HTTP API", "/admin/", "infoq.com/news/2026/06/aws-api-gateway-auth-bypass"),
    ("trailing slash, HTTP API, below", "/admin/users/", "infoq.com/news/2026/06/aws-api-gateway-auth-bypass"),
    ("trailing slash, Spring", "/admin/", "spring-projects/spring-framework#28552"),
    ("trailing slash, jhipster", "/admin/websocket/", "jhipster/generator-jhipster#13439"),
    ("two trailing slashes", "/admin//", "istio/istio.io#9961"),
    ("merged slashes, first", "//admin", "nvdweem/PCPanel#146"),
    ("merged slashes, within", "/public//admin", "istio/istio.io#9961"),
    ("merged slashes, below", "/admin//users", "istio/istio.io#9961"),
    ("three slashes", "///admin", "istio/istio.io#9961"),
    ("escaped slash", "/admin%2fusers", "CVE-2021-29492, Envoy"),
    ("escaped slash, upper case", "/admin%2Fusers", "CVE-2021-29492, Envoy"),
    ("escaped leading slash", "/%2fadmin", "CVE-2021-29492, Envoy"),
    ("escaped trailing slash", "/admin%2f", "CVE-2021-29492, Envoy"),
    ("dot segments", "/public/../admin", "CVE-2019-9901, envoyproxy/envoy#6435"),
    ("dot segments, at the end", "/admin/users/..", "CVE-2019-9901, envoyproxy/envoy#6435"),
    ("dot segments, deeper", "/public/a/../../admin", "gravitee-io/gravitee-api-management#19120"),
    ("one dot", "/./admin", "CVE-2019-9901, envoyproxy/envoy#6435"),
    ("one dot, at the end", "/admin/.", "CVE-2019-9901, envoyproxy/envoy#6435"),
    ("escaped dots", "/public/%2e%2e/admin", "CVE-2026-42274, heimdall; jpsnover/ai-triad-research#264"),
    ("escaped dots, upper case", "/public/%2E%2E/admin", "CVE-2026-42274, heimdall"),
    ("escaped dots, one of two", "/public/.%2e/admin", "ohler55/agoo#138"),
    ("escaped dots, the other", "/public/%2e./admin", "ohler55/agoo#138"),
    ("escaped dots and slash", "/public/%2e%2e%2fadmin", "CVE-2026-42274, heimdall"),
    ("dots and escaped slash", "/public/..%2fadmin", "projectcontour/contour#7703"),
    ("four dots and merged slashes", "/....//admin", "Netflix/zuul#2152"),
    ("four escaped dots", "/%2e%2e%2e%2e//admin", "Netflix/zuul#2152"),
    ("escaped twice", "/public/%252e%252e/admin", "open-webui/open-webui#25157"),
    ("escaped twice, slash", "/public/..%252fadmin", "CVE-2020-5410, Spring Cloud Config"),
    ("escaped twice, all", "/public/%252e%252e%252fadmin", "redis/RedisInsight#6504"),
    ("escaped twice, mod_jk", "/admin%252fusers", "CVE-2007-1860"),
    ("escaped three times", "/public/%25252e%25252e/admin", "open-webui/open-webui#25157"),
    ("escaped four times", "/public/%2525252e%2525252e/admin", "open-webui/open-webui#25157"),
    ("escaped letter", "/%61dmin", "CVE-2026-27587, Caddy"),
    ("escaped letters", "/%61%64%6d%69%6e/users", "CVE-2026-27587, Caddy"),
    ("backslash", "/public\\..\\admin", "CVE-2019-9901, envoyproxy/envoy#6435"),
    ("backslash for a slash", "/admin\\users", "redis/RedisInsight#6504"),
    ("escaped backslash", "/admin%5cusers", "redis/RedisInsight#6504"),
    ("escaped backslash and dots", "/public/..%5cadmin", "redis/RedisInsight#6504"),
    ("backslash escaped twice", "/public/..%255cadmin", "redis/RedisInsight#6504"),
    ("null byte", "/admin%00", "chitinhq/agentguard#924"),
    ("null byte and a suffix", "/admin%00.png", "warmcat/libwebsockets#2262"),
    ("null byte and dots", "/public/%00../admin", "chitinhq/agentguard#924"),
    ("null byte escaped twice", "/admin%2500", "chitinhq/agentguard#924"),
    ("line feed", "/admin%0a", "CVE-2022-22978, Spring Security"),
    ("carriage return", "/admin%0d", "CVE-2022-22978, Spring Security"),
    ("tab", "/admin%09", "CVE-2022-22978, Spring Security"),
    ("raw line feed", "/admin\n", "CVE-2022-22978, Spring Security"),
    ("overlong UTF-8, dots", "/public/%c0%ae%c0%ae/admin", "CVE-2000-0884, IIS"),
    ("overlong UTF-8, slash", "/admin%c0%afusers", "CVE-2000-0884, IIS"),
    ("overlong UTF-8, three bytes", "/public/%e0%80%ae%e0%80%ae/admin", "coreruleset/coreruleset#4189"),
    ("invalid escape", "/public/%zz/../admin", "RFC 3986, 2.1"),
    ("half an escape", "/admin%", "RFC 3986, 2.1"),
    ("IIS escape", "/%u0061dmin", "CVE-2000-0884, IIS"),
    ("query mark", "/public/%3f/../admin", "docs.rs/wafrift-encoding, path_norm"),
    ("wildcard of a policy", "/public/*", "AWS: IAM wildcards in a Resource"),
    ("variable of a policy", "/users/${aws:username}", "AWS: IAM policy variables"),
    ("another user's, escaped", "/users/b%6fb", "CVE-2026-27587, Caddy"),
];

/// Readings that need a path parameter of a servlet, which ends at a `;`.
const SERVLET_BYPASSES: [(&str, &str, &str); 8] = [
    ("Tomcat", "/public/..;/admin", "wso2/product-apim#8415"),
    ("Tomcat, with a value", "/public/..;a=b/admin", "HackTricks-wiki/hacktricks#324"),
    ("Tomcat, one dot", "/.;/admin", "HackTricks-wiki/hacktricks#324"),
    ("matrix parameter, first segment", "/admin;x=1/users", "nvdweem/PCPanel#146, quarkusio/quarkus#53930"),
    ("matrix parameter, last segment", "/admin;", "Jarrettluo/all-docs#30"),
    ("matrix parameter, its own segment", "/admin/;/users", "dotCMS/core#22390"),
    ("matrix parameter, escaped", "/admin%3bx=1/users", "CVE-2026-74909, keycloak/keycloak#52836"),
    ("matrix parameter, escaped dots", "/public/%2e%2e%3b/admin", "CVE-2026-74909, keycloak/keycloak#52836"),
];

fn user() -> Token {
    Token {
        sub: Some("alice".to_owned()),
        scopes: Vec::new(),
        groups: Vec::new(),
        tenant: None,
        signed_in_ago: None,
        is_bound: false,
    }
}

/// Whether the request is let through, by the policy that is answered.
fn passes(stage: &Stage, kind: Kind, method: &'static str, path: &str, token: &Token) -> bool {
    let ask = Ask::Http(method, path.to_owned());
    match stage.ask(kind, &ask, &Credential::of(token)).unwrap() {
        Answer::Policy(answer) => answer.policy.evaluate(Call { arn: &arn(&ask), now: now() }) == Outcome::Allow,
        Answer::Unauthorized | Answer::Failed(_) => false,
    }
}

#[track_caller]
fn all_are_refused(bypasses: &[(&str, &str, &str)]) {
    let stage = Stage::start_with(STRICT_WITHIN_LOOSE).unwrap();
    let mut passed = Vec::new();
    for (what, path, source) in bypasses {
        for kind in Kind::ALL {
            if passes(&stage, kind, "GET", path, &user()) {
                passed.push(format!("{what}: {kind:?} {path} ({source})"));
            }
        }
    }
    assert!(passed.is_empty(), "let through:\n{}", passed.join("\n"));
}

#[test]
fn no_published_bypass_passes() {
    all_are_refused(&BYPASSES);
}

#[test]
fn no_bypass_by_a_servlets_path_parameters_passes() {
    all_are_refused(&SERVLET_BYPASSES);
}

/// Users whose names end where a backend stops to read are not the users that it then takes them for.
#[test]
fn a_name_that_a_backend_reads_as_another_s_is_nobodys() {
    let stage = Stage::start_with(STRICT_WITHIN_LOOSE).unwrap();
    let named = |name: &str| Token { sub: Some(name.to_owned()), ..user() };
    for (name, path) in [
        ("bob;x", "/users/bob;x"),
        ("bob;x", "/users/bob%3Bx"),
        ("bob;", "/users/bob;"),
        ("b%6fb", "/users/b%256fb"),
        ("b%256fb", "/users/b%25256fb"),
    ] {
        assert!(!passes(&stage, Kind::RestRequest, "GET", path, &named(name)), "{name} at {path}");
    }
    for (name, path) in [("50%", "/users/50%25"), ("a b", "/users/a%20b"), ("é", "/users/é"), ("a:b", "/users/a:b")] {
        assert!(passes(&stage, Kind::RestRequest, "GET", path, &named(name)), "{name} at {path}");
    }
}

/// Read by the same rules, these are other paths; what would read them otherwise is not usual.
#[test]
fn paths_that_only_look_odd_pass() {
    let stage = Stage::start_with(STRICT_WITHIN_LOOSE).unwrap();
    for path in [
        "/public/a.b",
        "/public/...",
        "/public/a..b",
        "/public/~me",
        "/public/a:b@c",
        "/public/a+b,c",
        "/public/caf%C3%A9",
        "/public/caf\u{e9}",
        "/public/a%20b",
        "/public/50%25",
        "/users/alice",
        "/users/alice/",
        "/users/%61lice",
        "/administrators",
        "/adminx",
        "/admin.json/x",
        "/admins.json",
        "/x.admin",
        "/public/admin.json",
        // Letters are told apart unless the configuration says that the backends do not.
        "/Admin",
    ] {
        assert!(passes(&stage, Kind::RestRequest, "GET", path, &user()), "{path}");
    }
}

#[test]
fn what_the_rules_allow_is_under_no_usual_reading_a_stricter_rules() {
    let tally = agreement::run(&agreement::scenario(single().boxed()), no_reading_is_stricter);
    println!("{} requests have a reading that is stricter, of {}", tally.explicit, tally.cases);
    assert!(tally.explicit * 20 > tally.cases, "hardly any request has a reading that is stricter");
}

fn single() -> impl Strategy<Value = Table> {
    tables::table().prop_map(|table| Table {
        settings: Settings { covers_token: false, expires_with_token: false, ..table.settings },
        routes: table.routes,
    })
}

fn no_reading_is_stricter(scenario: &Scenario, tally: &mut Tally) -> Result<(), String> {
    let stage = Stage::start(&scenario.table).map_err(|faults| faults.to_string())?;
    for token in &scenario.tokens {
        for seed in &scenario.seeds {
            let ask = seed.ask(&scenario.table, token);
            let Ask::Http(method, path) = &ask else { continue };
            tally.cases += 1;
            let is_live =
                model::judge(&scenario.table, token, &ask).route().is_some_and(|route| route.needs.introspect);
            let stricter =
                readings::verdicts(&scenario.table, token, &ask).into_iter().find_map(|verdict| match verdict {
                    Verdict::Denied(route) => Some(route),
                    Verdict::Allowed(route) if route.needs.introspect && !is_live => Some(route),
                    Verdict::Allowed(_) | Verdict::Unsafe | Verdict::NoRoute => None,
                });
            let Some(route) = stricter else { continue };
            tally.explicit += 1;
            let kind = Kind::ALL[scenario.kind % Kind::ALL.len()];
            if passes(&stage, kind, method, path, token) {
                return Err(format!(
                    "\n{method} {path} is allowed, and can be read as a path of {}\n\n{}token: {token:?}\n",
                    route.key_text(),
                    scenario.table.yaml()
                ));
            }
        }
    }
    Ok(())
}
