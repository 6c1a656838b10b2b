//! `authctl dev`, the real binary: what it serves to whom. What a function and a browser make of it: `tests/dev`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected should stop and say where"
)]

mod dev;

use dev::{CONFIG, Dev, TESTS};
use serde_json::{Value, json};

#[test]
fn an_issuer_publishes_its_keys_and_its_discovery_document() {
    let dev = Dev::start("issuer", CONFIG, TESTS);
    let discovery = dev.get("/issuers/1/.well-known/openid-configuration").json();
    assert_eq!(discovery["issuer"], "https://login.example.com");
    assert_eq!(discovery["jwks_uri"], format!("{}/issuers/1/jwks.json", dev.base));
    let keys = dev.get("/issuers/1/jwks.json").json();
    let algorithms: Vec<&str> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["ES256", "EdDSA"]);
    assert!(keys["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()), "{keys}");
    assert_eq!(dev.get("/.well-known/jwks.json").json(), dev.get("/issuers/0/jwks.json").json());
    for path in
        ["/issuers/2/jwks.json", "/issuers/-1/jwks.json", "/issuers/0/", "/issuers/0/../1/jwks.json", "/nothing"]
    {
        assert_eq!(dev.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_token_has_the_persona_s_claims_and_the_life_that_is_asked_for() {
    let dev = Dev::start("token", CONFIG, TESTS);
    let claims = dev.claims(&["token", "reader", "--ttl", "90s"]);
    assert_eq!(claims["scope"], "https://api.example.com/read");
    assert_eq!(claims["token_use"], "access");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 90 + 60, "issued a minute ago");
    assert_eq!(dev.claims(&["token", "spa"])["iss"], "https://login.example.com");
    assert_ne!(dev.claims(&["token", "reader"])["jti"], dev.claims(&["token", "reader"])["jti"]);
    let wrong = dev.authctl(&["token", "raeder"]);
    assert!(!wrong.status.success());
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("did you mean `reader`?"), "{said}");
}

#[test]
fn keys_stay_until_new_ones_are_asked_for() {
    let kid = |dev: &Dev| dev.get("/issuers/0/jwks.json").json()["keys"][0]["kid"].clone();
    let first = Dev::start("keys", CONFIG, TESTS);
    let (folder, before) = (first.folder.clone(), kid(&first));
    drop(first);
    let again = Dev::start_in(&folder, &[]);
    assert_eq!(kid(&again), before);
    drop(again);
    assert_ne!(kid(&Dev::start_in(&folder, &["--new-keys"])), before);
}

#[test]
fn live_checks_answer_as_the_persona_says() {
    let dev = Dev::start("live", CONFIG, TESTS);
    let answer = |persona: &str| {
        let jti = dev.claims(&["token", persona])["jti"].as_str().unwrap().to_owned();
        let keys = json!({ "RequestItems": { "r": { "Keys": [{ "pk": { "S": format!("jti#{jti}") } }] } } });
        dev.aws("DynamoDB_20120810.BatchGetItem", &keys)
    };
    assert_eq!(answer("reader").json()["Responses"]["r"], json!([]));
    assert_eq!(answer("stolen").json()["Responses"]["r"].as_array().unwrap().len(), 1);
    assert_eq!(answer("unlucky").status, 500);
    let get_user = |persona: &str| {
        let token = dev.token(persona);
        dev.aws("AWSCognitoIdentityProviderService.GetUser", &json!({ "AccessToken": token }))
    };
    assert_eq!(get_user("reader").json()["Username"], "reader-name");
    assert_eq!(get_user("stolen").json()["message"], "Access Token has been revoked");
    assert_eq!(dev.aws("AWSCognitoIdentityProviderService.GetUser", &json!({ "AccessToken": "x.y.z" })).status, 400);
    let introspect = |persona: &str| dev.post("/issuers/1/introspect", &[], &format!("token={}", dev.token(persona)));
    assert_eq!(introspect("spa").json()["active"], true);
    assert_eq!(introspect("stolen").json(), json!({ "active": false }));
    assert_eq!(introspect("unlucky").status, 500);
    let secret = |id: &str, key: &str| {
        let signed = format!("AWS4-HMAC-SHA256 Credential={key}/20261129/us-east-1/secretsmanager/aws4_request");
        let headers = [("x-amz-target", "secretsmanager.GetSecretValue"), ("authorization", signed.as_str())];
        dev.post("/", &headers, &json!({ "SecretId": id }).to_string())
    };
    let key = dev.key.clone();
    assert_eq!(secret("prod/key", &key).json()["SecretString"], r#"{"a":"1"}"#);
    assert_eq!(secret("prod", &key).status, 400);
    for other in ["local", "", &key[1..], format!("{key}x").as_str()] {
        assert_eq!(secret("prod/key", other).json()["__type"], "AccessDeniedException", "{other}");
    }
    assert_eq!(dev.aws("secretsmanager.GetSecretValue", &json!({ "SecretId": "prod/key" })).status, 400);
}

#[test]
fn the_playground_s_api_tells_nothing_without_the_session_s_key() {
    let dev = Dev::start("key", CONFIG, TESTS);
    assert_eq!(dev.get_with("/api/project", &[]).status, 401);
    assert_eq!(dev.get_with("/api/project", &[("x-authctl-key", "0")]).status, 401);
    let twice = [("x-authctl-key", dev.key.as_str()), ("x-authctl-key", dev.key.as_str())];
    assert_eq!(dev.get_with("/api/project", &twice).status, 401);
    let project = dev.get_with("/api/project", &[("x-authctl-key", &dev.key)]);
    assert_eq!(project.json()["config"]["text"], CONFIG);
    // What a form of another page could send.
    let form = [("x-authctl-key", dev.key.as_str()), ("content-type", "text/plain")];
    assert_eq!(dev.post("/api/judge", &form, "{}").status, 400);
}

#[test]
fn the_playground_s_verdict_is_the_core_s() {
    let dev = Dev::start("judge", CONFIG, TESTS);
    let judge = |persona: &str, request: &str, own: &str| {
        let asked = json!({
            "config": CONFIG, "tests": TESTS, "persona": persona, "request": request, "kind": "rest_request", "own": own,
        });
        let headers = [("x-authctl-key", dev.key.as_str()), ("content-type", "application/json")];
        let answer = dev.post("/api/judge", &headers, &asked.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    for (persona, request, own, outcome) in [
        ("reader", "GET /items", "", "allow"),
        ("reader", "GET /admin", "", "insufficient_group"),
        ("reader", "GET /admin", "groups: [admin]", "allow"),
        ("reader", "GET /admin", "{ groups: [admin], live: revoked }", "token_revoked"),
        ("stolen", "GET /admin", "", "token_revoked"),
        ("nobody", "GET /items", "", "missing_token"),
        ("reader", "GET /nothing", "", "no_route"),
    ] {
        assert_eq!(judge(persona, request, own)["judgement"]["outcome"], outcome, "{persona} {request} {own}");
    }
    for (persona, request, own, field) in [
        ("reader", "GET", "", "request"),
        ("raeder", "GET /items", "", "request"),
        ("reader", "GET /items", "grups: [admin]", "own"),
        ("reader", "GET /items", "- 1", "own"),
    ] {
        let judged = judge(persona, request, own);
        assert_eq!((&judged["judgement"], &judged["faults"][0]["field"]), (&Value::Null, &json!(field)), "{judged}");
    }
}

#[test]
fn a_request_that_is_too_large_or_no_http_ends_with_its_connection() {
    let dev = Dev::start("large", CONFIG, TESTS);
    let body = "x".repeat(1024 * 1024 + 1);
    assert_eq!(dev.post("/issuers/0/introspect", &[], &body).status, 413);
    assert_eq!(dev.get_with("/", &[("x-long", &"x".repeat(64 * 1024))]).status, 431);
    assert_eq!(dev.raw("nonsense\r\n\r\n").status, 400);
    assert_eq!(dev.get("/").status, 200, "it lives on");
}

#[test]
fn a_page_from_elsewhere_and_a_rebound_name_are_refused() {
    let dev = Dev::start("rebound", CONFIG, TESTS);
    for path in ["/", "/api/project", "/issuers/0/jwks.json"] {
        assert_eq!(
            dev.raw(&format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).status,
            421,
            "{path}"
        );
        assert_eq!(dev.raw(&format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n")).status, 421, "{path}");
        assert_eq!(dev.get_with(path, &[("origin", "https://evil.example")]).status, 403, "{path}");
    }
    let page = dev.get("/");
    assert!(page.head.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{}", page.head);
}

#[test]
fn it_listens_on_loopback_alone_and_says_when_its_port_is_taken() {
    let dev = Dev::start("port", CONFIG, TESTS);
    assert!(dev.base.starts_with("http://127.0.0.1:"), "{}", dev.base);
    let port = dev.base.rsplit_once(':').unwrap().1.to_owned();
    let second = dev.authctl(&["dev", "--port", &port]);
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("is an `authctl dev` running already?"), "{said}");
}

#[test]
fn the_program_that_exec_starts_gets_a_local_configuration_and_no_credentials_of_ours() {
    let dev = Dev::start("exec", CONFIG, TESTS);
    let output = dev.authctl_with(
        &[
            ("AWS_PROFILE", "payroll"),
            ("AWS_SESSION_TOKEN", "ours"),
            ("AWS_ACCESS_KEY_ID", "ours"),
            ("AWS_SECRET_ACCESS_KEY", "ours"),
        ],
        &["dev", "exec", "env"],
    );
    let variables = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !variables.contains("ours") && !variables.contains("payroll"), "{variables}");
    let config = variables.lines().find_map(|line| line.strip_prefix("AUTHORIZER_CONFIG=")).unwrap();
    assert!(config.contains(&format!("{}/issuers/0/jwks.json", dev.base)), "{config}");
    assert!(variables.contains("CLIENT=web\n"), "{variables}");
    assert!(variables.contains(&format!("AWS_ENDPOINT_URL={}\n", dev.base)), "{variables}");
}

#[test]
fn an_event_has_one_token_for_each_word() {
    let dev = Dev::start("event", CONFIG, TESTS);
    let sample = r#"{"a":"Bearer ${READER}","b":["${READER}"],"c":"/users/${READER_SUB}"}"#;
    std::fs::write(dev.folder.join("event.json"), sample).unwrap();
    let filled = |arguments: &[&str]| {
        let output = dev.authctl(&[&["dev", "event", "event.json"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let event = filled(&[]);
    let token = event["b"][0].as_str().unwrap();
    assert_eq!(
        (event["a"].as_str().unwrap(), &event["c"]),
        (format!("Bearer {token}").as_str(), &json!("/users/reader"))
    );
    assert_eq!(dev::claims(token)["sub"], "reader");
    let event = filled(&["--as", "stolen"]);
    assert_eq!(dev::claims(event["b"][0].as_str().unwrap())["sub"], "stolen");
    assert_eq!(event["c"], "/users/reader", "whose path it is stays");
    std::fs::write(dev.folder.join("event.json"), "{}").unwrap();
    assert!(!dev.authctl(&["dev", "event", "event.json", "--as", "reader"]).status.success());
}
