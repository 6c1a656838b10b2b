//! Where the keys come from and how often they are asked for: every fetch is counted.
//!
//! Where a test says that nothing is fetched again, the durations are an hour; where it says that
//! something is, they are a fraction of a second and the waits are well beyond them. So a slow
//! machine makes these tests slower, not wrong.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::{Page, Site, dead_url};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{CLIENT, Key, POOL, Token, as_cognito_publishes, cognito_jwks, jwk_set};
use crate::verdict::{Cases, Verdict};

const JWKS: &str = "/jwks.json";

/// A user pool with these `jwks:` settings and every valid token allowed.
fn pool(site: &Site, settings: &str) -> Function {
    Function::start(&one_pool(&site.url(JWKS), &format!("routes: {{ $default: {{}} }}\njwks: {settings}")))
}

fn ask(function: &Function, token: &Token) -> Verdict {
    function.ask(&Kind::Http2.event("GET", "/", &format!("Bearer {}", token.text())))
}

fn of_key(key: Key) -> Token {
    Token::access().key(key)
}

fn of_kid(kid: &str) -> Token {
    Token::access().header("kid", json!(kid))
}

fn keys(keys: &[Key]) -> Page {
    let keys: Vec<Value> = keys.iter().map(|key| as_cognito_publishes(*key)).collect();
    Page::json(&jwk_set(&keys))
}

fn wait(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

/// Pages that are no JWKS, each for a reason of its own. Those that take time are left out.
fn no_jwks(site: &Site) -> Vec<(&'static str, Page)> {
    let good = cognito_jwks();
    site.page("/elsewhere", Page::json(&good));
    let to = |status: u16| Page::Redirect(status, site.url("/elsewhere"), good.to_string());
    let alone = |keys: &[Value]| Page::json(&jwk_set(keys));
    vec![
        ("301", to(301)),
        ("302", to(302)),
        ("303", to(303)),
        ("307", to(307)),
        ("308", to(308)),
        ("204", Page::Status(204)),
        ("401", Page::Status(401)),
        ("404", Page::Status(404)),
        ("429", Page::Status(429)),
        ("500", Page::Status(500)),
        ("503", Page::Status(503)),
        ("256 KiB and a byte", Page::Body(of_length(&good, 256 * 1024 + 1))),
        ("256 KiB and a byte in chunks", Page::Chunked(of_length(&good, 256 * 1024 + 1))),
        ("ten megabytes", Page::Chunked(of_length(&good, 10 << 20))),
        ("nothing", Page::Body(String::new())),
        ("no JSON", Page::Body("<html>503</html>".into())),
        ("cut off", Page::Body(good.to_string()[..300].into())),
        ("null", Page::Body("null".into())),
        ("a list", Page::Body("[]".into())),
        ("no keys", Page::Body("{}".into())),
        ("keys is null", Page::Body(r#"{"keys":null}"#.into())),
        ("keys is an object", Page::Body(r#"{"keys":{}}"#.into())),
        ("an empty set", alone(&[])),
        ("senseless keys alone", alone(&senseless_keys())),
        ("only a key of another type", alone(&[Key::P256.jwk()])),
        ("only a key that is too small", alone(&[as_cognito_publishes(Key::Rsa1024)])),
        ("only a key for encryption", alone(&[Key::RsaA.jwk_with(json!({ "use": "enc" }))])),
        ("only a key of another algorithm", alone(&[Key::RsaA.jwk_with(json!({ "alg": "RS512" }))])),
        ("nobody there", Page::HangUp),
        ("no HTTP", Page::Noise),
    ]
}

/// Members of `keys` that mean nothing, none of which may spoil the others.
fn senseless_keys() -> Vec<Value> {
    vec![
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!({}),
        json!({ "kid": "x" }),
        json!({ "kid": "x", "kty": null }),
        json!({ "kid": "x", "kty": 7, "n": "AQAB", "e": "AQAB" }),
        json!({ "kid": "x", "kty": "unheard of" }),
        json!({ "kid": "x", "kty": "RSA" }),
        json!({ "kid": "x", "kty": "RSA", "n": null, "e": null }),
        json!({ "kid": "x", "kty": "RSA", "n": "", "e": "" }),
        json!({ "kid": "x", "kty": "RSA", "n": "*", "e": "AQAB" }),
        json!({ "kid": "x", "kty": "RSA", "n": ["AQAB"], "e": { "a": 1 } }),
        json!({ "kid": 7, "kty": "RSA", "n": Key::RsaA.jwk()["n"], "e": "AQAB" }),
        json!({ "kid": null, "kty": "RSA", "n": Key::RsaA.jwk()["n"], "e": "AQAB" }),
        json!({ "kid": "x", "kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB" }),
        json!({ "kid": "x", "kty": "EC", "crv": "P-999", "x": "AQAB", "y": "AQAB" }),
        json!({ "kid": "x", "kty": "OKP", "crv": "Ed448", "x": "AQAB" }),
        json!({ "kid": "x", "kty": "oct", "k": "c2VjcmV0" }),
        json!({ "kid": "x", "kty": "RSA", "alg": 7, "use": [], "key_ops": "verify" }),
    ]
}

/// The set as JSON of exactly this many bytes.
fn of_length(jwks: &Value, length: usize) -> String {
    let mut padded = jwks.clone();
    padded["padding"] = json!("");
    let bare = padded.to_string().len();
    padded["padding"] = json!("p".repeat(length - bare));
    let text = padded.to_string();
    assert_eq!(text.len(), length);
    text
}

#[test]
fn many_requests_make_one_fetch() {
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    for _ in 0..10 {
        cases.check("one key", &ask(&function, &of_key(Key::RsaA)), "allow");
        cases.check("the other key", &ask(&function, &of_key(Key::RsaB)), "allow");
        cases.check("no kid", &ask(&function, &Token::access().without_header("kid")), "unknown_key");
        cases.check("forged", &ask(&function, &of_key(Key::RsaC).header("kid", json!("rsa-a"))), "bad_signature");
    }
    cases.equal("fetches", site.visits(JWKS), 1);
}

#[test]
fn keys_are_fetched_ahead_of_the_first_request() {
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    site.wait_for_visits(JWKS, 1);
    let cases = Cases::default();
    cases.check("the first request", &ask(&function, &Token::access()), "allow");
    cases.equal("fetches", site.visits(JWKS), 1);
}

#[test]
fn requests_during_the_first_fetch_share_it() {
    let site = Site::start();
    site.page(JWKS, Page::After(Duration::from_millis(700), Box::new(Page::json(&cognito_jwks()))));
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    // The function may have begun to fetch while it started; the first request comes into that.
    let cases = Cases::default();
    cases.check("the first", &ask(&function, &Token::access()), "allow");
    cases.check("the second", &ask(&function, &Token::access()), "allow");
    cases.equal("fetches", site.visits(JWKS), 1);
}

#[test]
fn an_issuer_that_does_not_answer_holds_up_no_other() {
    let site = Site::with_keys(&cognito_jwks());
    site.page("/hangs", Page::Hang);
    let config = format!(
        "
issuers:
  - oidc: {{ issuer: https://hangs.example.com, audience: api://orders, jwks_uri: \"{}\" }}
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}], jwks_uri: \"{}\" }}
routes: {{ $default: {{}} }}
jwks: {{ timeout: 20s }}
",
        site.url("/hangs"),
        site.url(JWKS)
    );
    let function = Function::start(&config);
    let started = Instant::now();
    let cases = Cases::default();
    cases.check("the pool's token", &ask(&function, &Token::access()), "allow");
    cases.check(
        "a stranger's token",
        &ask(&function, &Token::access().claim("iss", json!("https://x.example.com"))),
        "unknown_issuer",
    );
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
}

#[test]
fn an_unknown_kid_is_looked_up_once_per_cooldown() {
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("a known kid", &ask(&function, &Token::access()), "allow");
    for _ in 0..5 {
        cases.check("an unknown kid", &ask(&function, &of_kid("stray")), "unknown_key");
    }
    cases.equal("fetches: the first, and one for the kid", site.visits(JWKS), 2);
}

#[test]
fn a_flood_of_unknown_kids_makes_at_most_three_fetches_per_cooldown() {
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("a known kid", &ask(&function, &Token::access()), "allow");
    for number in 0..50 {
        cases.check(format!("kid {number}"), &ask(&function, &of_kid(&format!("stray-{number}"))), "unknown_key");
    }
    cases.equal("fetches: the first, and three", site.visits(JWKS), 4);
    cases.check("a known kid is still known", &ask(&function, &Token::access()), "allow");

    // The same flood before any good token came.
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    for number in 0..50 {
        cases.check(format!("kid {number}"), &ask(&function, &of_kid(&format!("stray-{number}"))), "unknown_key");
    }
    cases.is(format!("{} fetches", site.visits(JWKS)), site.visits(JWKS) <= 4);
    cases.check("a known kid", &ask(&function, &Token::access()), "allow");
}

#[test]
fn a_stray_token_does_not_hold_up_a_rotation() {
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA]));
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("before the rotation", &ask(&function, &of_key(Key::RsaA)), "allow");
    cases.check("a stray token", &ask(&function, &of_kid("stray")), "unknown_key");
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    cases.check("the new key", &ask(&function, &of_key(Key::RsaB)), "allow");
    cases.check("the old key", &ask(&function, &of_key(Key::RsaA)), "allow");
    cases.check("the stray token again", &ask(&function, &of_kid("stray")), "unknown_key");
    cases.equal("fetches", site.visits(JWKS), 3);
    // The new key went unseen once; the next rotation is noticed all the same.
    site.page(JWKS, keys(&[Key::RsaB, Key::RsaC]));
    cases.check("the next key", &ask(&function, &of_key(Key::RsaC)), "allow");
    cases.check("the withdrawn key, seen to be gone", &ask(&function, &of_key(Key::RsaA)), "unknown_key");
    cases.is(format!("{} fetches", site.visits(JWKS)), site.visits(JWKS) <= 4);
}

#[test]
fn a_failed_look_up_says_nothing_about_the_kid() {
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA]));
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("before the rotation", &ask(&function, &of_key(Key::RsaA)), "allow");
    site.page(JWKS, Page::Status(503));
    cases.check("the new key, out of reach", &ask(&function, &of_key(Key::RsaB)), "jwks_unavailable");
    cases.check("the old key meanwhile", &ask(&function, &of_key(Key::RsaA)), "allow");
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    cases.check("the new key, at the next request", &ask(&function, &of_key(Key::RsaB)), "allow");
}

#[test]
fn failed_fetches_count_towards_the_three() {
    let site = Site::start();
    site.page(JWKS, Page::Status(500));
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    let cases = Cases::default();
    for number in 0..10 {
        cases.check("known later", &ask(&function, &Token::access()), "jwks_unavailable");
        cases.check("stray", &ask(&function, &of_kid(&format!("stray-{number}"))), "jwks_unavailable");
    }
    cases.equal("fetches", site.visits(JWKS), 3);

    // The look-ups of a warm function, likewise.
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA]));
    let function = pool(&site, "{ max_age: 1h, cooldown: 1h }");
    cases.check("warm", &ask(&function, &of_key(Key::RsaA)), "allow");
    site.page(JWKS, Page::Status(500));
    for number in 0..10 {
        cases.check("stray", &ask(&function, &of_kid(&format!("stray-{number}"))), "jwks_unavailable|unknown_key");
        cases.check("the same", &ask(&function, &of_key(Key::RsaB)), "jwks_unavailable|unknown_key");
    }
    cases.equal("fetches", site.visits(JWKS), 4);
}

#[test]
fn after_an_outage_the_next_request_tries_again() {
    let site = Site::start();
    let cases = Cases::default();
    for (what, page) in [
        ("500", Page::Status(500)),
        ("hang", Page::Hang),
        ("a trickle", Page::Trickle(cognito_jwks().to_string())),
        ("a hang-up", Page::HangUp),
    ] {
        site.page(JWKS, page);
        let function = pool(&site, "{ max_age: 1h, cooldown: 1h, timeout: 400ms }");
        let started = Instant::now();
        cases.check(what, &ask(&function, &Token::access()), "jwks_unavailable");
        let took = started.elapsed();
        cases.is(format!("{what}: within the timeout, not {took:?}"), took < Duration::from_secs(4));
        site.page(JWKS, Page::json(&cognito_jwks()));
        cases.check(format!("{what}, then the keys"), &ask(&function, &Token::access()), "allow");
    }

    // When the three are used up, the cooldown is waited for, and no longer.
    site.page(JWKS, Page::Status(500));
    let function = pool(&site, "{ max_age: 1h, cooldown: 500ms }");
    for _ in 0..5 {
        cases.check("outage", &ask(&function, &Token::access()), "jwks_unavailable");
    }
    site.page(JWKS, Page::json(&cognito_jwks()));
    wait(800);
    cases.check("after the cooldown", &ask(&function, &Token::access()), "allow");

    let function = Function::start(&one_pool(&dead_url(), "routes: { $default: {} }"));
    cases.check("nobody listens", &ask(&function, &Token::access()), "jwks_unavailable");
}

#[test]
fn what_is_no_jwks_is_a_failed_fetch() {
    let site = Site::start();
    let mut issuers = String::new();
    let pages = no_jwks(&site);
    for (number, (_, page)) in pages.iter().enumerate() {
        site.page(&format!("/{number}"), page.clone());
        issuers += &format!(
            "  - oidc: {{ issuer: \"https://{number}.example.com\", audience: api://orders, jwks_uri: \"{}\" }}\n",
            site.url(&format!("/{number}"))
        );
    }
    let function = Function::start(&format!("issuers:\n{issuers}routes: {{ $default: {{}} }}"));
    let cases = Cases::default();
    for (number, (what, _)) in pages.iter().enumerate() {
        let token = Token::oidc(&format!("https://{number}.example.com"));
        cases.check(what, &ask(&function, &token), "jwks_unavailable");
        cases.is(format!("{what}: was asked for"), site.visits(&format!("/{number}")) > 0);
    }
    cases.equal("redirects followed", site.visits("/elsewhere"), 0);
}

#[test]
fn the_log_says_why_no_key_of_a_set_can_be_used() {
    let site = Site::start();
    let padded = format!("{}==", Key::RsaA.jwk()["n"].as_str().unwrap());
    let table = [
        (vec![Key::RsaA.jwk_with(json!({ "alg": "rs256" }))], "of 1, the first has the `alg` `rs256`, "),
        (vec![Key::RsaA.jwk_with(json!({ "use": "SIG" })), json!({})], "of 2, the first has the `use` `SIG`, "),
        (vec![Key::RsaA.jwk_with(json!({ "kid": null }))], "of 1, the first has no `kid`"),
        (vec![Key::RsaA.jwk_with(json!({ "n": padded }))], "of 1, the first has an `n` that is not base64url "),
        (vec![Key::Rsa1024.jwk()], "of 1, the first is an RSA key of 1024 bits; "),
        (vec![json!({ "kty": "oct", "kid": "a", "k": "c2VjcmV0" })], "of 1, the first is symmetric (`kty` is `oct`)"),
        (vec![json!({ "kty": "RSA", "kid": "a", "x5c": ["MIIB"] })], "of 1, the first has a certificate (`x5c`) "),
        (vec![Key::P256.jwk()], "of 1, the first is of a type that none of the issuer's algorithms uses, "),
        (vec![], "a JWK Set without keys"),
    ];
    let cases = Cases::default();
    for (keys, expected) in table {
        site.page("/jwks.json", Page::json(&jwk_set(&keys)));
        let verdict = ask(&pool(&site, "{ cooldown: 1s }"), &Token::access());
        cases.check(expected, &verdict, "jwks_unavailable");
        let detail = verdict.log["detail"].as_str().unwrap_or_default();
        cases.is(format!("{expected}: {detail}"), detail.contains(expected));
    }
}

#[test]
fn a_bad_answer_does_not_lose_the_keys_that_are_held() {
    let site = Site::with_keys(&cognito_jwks());
    let function = pool(&site, "{ max_age: 1h, cooldown: 50ms, timeout: 300ms }");
    let cases = Cases::default();
    cases.check("warm", &ask(&function, &Token::access()), "allow");
    let mut pages = no_jwks(&site);
    pages.push(("hang", Page::Hang));
    for (number, (what, page)) in pages.into_iter().enumerate() {
        site.page(JWKS, page);
        wait(100);
        let before = site.visits(JWKS);
        let verdict = ask(&function, &of_kid(&format!("stray-{number}")));
        cases.check(format!("{what}: a stray kid"), &verdict, "jwks_unavailable");
        cases.is(format!("{what}: was asked for"), site.visits(JWKS) > before);
        cases.check(format!("{what}: a known kid"), &ask(&function, &of_key(Key::RsaA)), "allow");
        cases.check(format!("{what}: the other"), &ask(&function, &of_key(Key::RsaB)), "allow");
    }
    cases.equal("redirects followed", site.visits("/elsewhere"), 0);
}

#[test]
fn a_set_may_be_odd_as_long_as_it_holds_a_good_key() {
    let site = Site::start();
    let good = as_cognito_publishes(Key::RsaA);
    let mut before = senseless_keys();
    before.push(good.clone());
    let mut after = vec![good.clone()];
    after.extend(senseless_keys());
    let mut more_members = jwk_set(std::slice::from_ref(&good));
    more_members["x"] = json!({ "keys": [] });
    let mut private = good.clone();
    private["d"] = json!("AQAB");
    let pages = [
        ("senseless keys before it", Page::json(&jwk_set(&before))),
        ("senseless keys after it", Page::json(&jwk_set(&after))),
        ("other members", Page::json(&more_members)),
        ("exactly 256 KiB", Page::Body(of_length(&cognito_jwks(), 256 * 1024))),
        ("exactly 256 KiB in chunks", Page::Chunked(of_length(&cognito_jwks(), 256 * 1024))),
        (
            "keys of every type",
            Page::json(&jwk_set(
                &[Key::P256, Key::P384, Key::P521, Key::Ed25519, Key::RsaA, Key::Rsa4096].map(Key::jwk),
            )),
        ),
        ("white space", Page::Body(serde_json::to_string_pretty(&cognito_jwks()).unwrap() + "\n")),
        ("a private key by mistake", Page::json(&jwk_set(&[private]))),
        (
            "a chain of certificates",
            Page::json(&jwk_set(&[Key::RsaA.jwk_with(json!({ "x5c": ["MIIB"], "x5t": "abc" }))])),
        ),
    ];
    let mut issuers = String::new();
    for (number, (_, page)) in pages.iter().enumerate() {
        site.page(&format!("/{number}"), page.clone());
        issuers += &format!(
            "  - oidc: {{ issuer: \"https://{number}.example.com\", audience: api://orders, jwks_uri: \"{}\" }}\n",
            site.url(&format!("/{number}"))
        );
    }
    let function = Function::start(&format!("issuers:\n{issuers}routes: {{ $default: {{}} }}"));
    let cases = Cases::default();
    for (number, (what, _)) in pages.iter().enumerate() {
        let token = Token::oidc(&format!("https://{number}.example.com"));
        cases.check(what, &ask(&function, &token), "allow");
        cases.check(
            format!("{what}: a senseless kid"),
            &ask(&function, &token.header("kid", json!("x"))),
            "unknown_key",
        );
    }
}

#[test]
fn a_withdrawn_key_dies_within_twice_max_age() {
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    let function = pool(&site, "{ max_age: 500ms, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("while it is published", &ask(&function, &of_key(Key::RsaA)), "allow");
    site.page(JWKS, keys(&[Key::RsaB]));
    wait(1_100);
    cases.check("withdrawn, twice max_age ago", &ask(&function, &of_key(Key::RsaA)), "unknown_key");
    cases.check("the other key", &ask(&function, &of_key(Key::RsaB)), "allow");
}

#[test]
fn a_flood_does_not_keep_a_withdrawn_key_alive() {
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    let function = pool(&site, "{ max_age: 500ms, cooldown: 1h }");
    let cases = Cases::default();
    cases.check("while it is published", &ask(&function, &of_key(Key::RsaA)), "allow");
    // What is limited are look-ups of unknown keys; a refresh for age is none.
    for number in 0..5 {
        cases.check("a stray token", &ask(&function, &of_kid(&format!("stray-{number}"))), "unknown_key");
    }
    site.page(JWKS, keys(&[Key::RsaB]));
    wait(1_100);
    cases.check("withdrawn, twice max_age ago", &ask(&function, &of_key(Key::RsaA)), "unknown_key");
    cases.check("the other key", &ask(&function, &of_key(Key::RsaB)), "allow");
}

#[test]
fn an_outage_is_bridged_for_as_long_as_stale_if_error_says() {
    let site = Site::with_keys(&cognito_jwks());
    let patient = pool(&site, "{ max_age: 200ms, cooldown: 100ms, stale_if_error: 24h }");
    let brief = pool(&site, "{ max_age: 200ms, cooldown: 100ms, stale_if_error: 600ms }");
    let never = pool(&site, "{ max_age: 200ms, cooldown: 100ms, stale_if_error: 0s }");
    let cases = Cases::default();
    for function in [&patient, &brief, &never] {
        cases.check("warm", &ask(function, &Token::access()), "allow");
    }
    site.page(JWKS, Page::Status(503));
    wait(1_000);
    for _ in 0..3 {
        cases.check("24h", &ask(&patient, &Token::access()), "allow");
        cases.check("600ms", &ask(&brief, &Token::access()), "jwks_unavailable");
        cases.check("0s", &ask(&never, &Token::access()), "jwks_unavailable");
        wait(150);
    }
    site.page(JWKS, Page::json(&cognito_jwks()));
    wait(300);
    for function in [&patient, &brief, &never] {
        cases.check("when it is over", &ask(function, &Token::access()), "allow");
    }
}

#[test]
fn keys_from_a_file_need_no_network() {
    let site = Site::start();
    site.page(JWKS, Page::Hang);
    let directory = scratch("keys-from-a-file");
    let file = directory.join("jwks.json");
    fs::write(&file, jwk_set(&[as_cognito_publishes(Key::RsaA)]).to_string()).unwrap();
    let cases = Cases::default();
    let pool = |jwks_uri: &str, jwks_file: &str| {
        format!(
            "
issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}], jwks_uri: \"{jwks_uri}\", jwks_file: \"{jwks_file}\" }}
routes: {{ $default: {{}} }}
jwks: {{ timeout: 500ms }}
"
        )
    };

    let function = Function::start(&pool("none", file.to_str().unwrap()));
    for _ in 0..3 {
        cases.check("a key of the file", &ask(&function, &of_key(Key::RsaA)), "allow");
        cases.check("another key", &ask(&function, &of_key(Key::RsaB)), "unknown_key");
        cases.check("forged", &ask(&function, &of_key(Key::RsaB).header("kid", json!("rsa-a"))), "bad_signature");
    }
    cases.equal("fetches", site.all_visits(), 0);

    // With a URI as well, the file's keys are there at once, whatever the URI does.
    let function = Function::start(&pool(&site.url(JWKS), file.to_str().unwrap()));
    let started = Instant::now();
    cases.check("a key of the file", &ask(&function, &of_key(Key::RsaA)), "allow");
    cases.is(format!("{:?}", started.elapsed()), started.elapsed() < Duration::from_secs(10));
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    wait(600);
    cases.check("a key that is not in the file", &ask(&function, &of_key(Key::RsaB)), "allow");
    cases.check("a key of the file", &ask(&function, &of_key(Key::RsaA)), "allow");

    // As it is deployed: both files beside one another in the task's root, by relative name.
    fs::write(directory.join("authorizer.yaml"), pool("none", "jwks.json")).unwrap();
    let function = Setup::bare().env("LAMBDA_TASK_ROOT", directory.to_str().unwrap()).in_directory(&directory).start();
    cases.check("a relative name", &ask(&function, &of_key(Key::RsaA)), "allow");
}

/// The emergency: the issuer still publishes a key that leaked, or a file still holds it.
#[test]
fn a_withdrawn_key_verifies_nothing_whatever_a_set_or_a_file_says() {
    let cases = Cases::default();
    let directory = scratch("withdrawn-keys");
    let file = directory.join("jwks.json");
    fs::write(&file, jwk_set(&[as_cognito_publishes(Key::RsaA), as_cognito_publishes(Key::RsaB)]).to_string()).unwrap();
    let site = Site::start();
    site.page(JWKS, keys(&[Key::RsaA, Key::RsaB]));
    let start = |keys: &str, withdrawn: &str| {
        let issuer = format!("{{ user_pool_id: {POOL}, client_ids: [{CLIENT}], {keys} }}");
        let config = format!(
            "issuers:\n  - cognito: {issuer}\nroutes: {{ $default: {{}} }}\njwks: {{ max_age: 300ms, cooldown: 100ms }}\nwithdrawn_keys: {withdrawn}\n"
        );
        Setup::config(&config).env("WITHDRAWN_KEYS", "rsa-b, other").start()
    };
    let (set, from_file) = (format!("jwks_uri: \"{}\"", site.url(JWKS)), format!("jwks_file: \"{}\"", file.display()));
    for (what, keys) in [
        ("of a set", set.clone()),
        ("of a file", format!("{from_file}, jwks_uri: none")),
        ("of both", format!("{from_file}, {set}")),
    ] {
        for withdrawn in ["[rsa-b]", "rsa-b", "[unheard-of, rsa-b]", "\"${WITHDRAWN_KEYS}\""] {
            let function = start(&keys, withdrawn);
            for time in 0..3 {
                cases.check(format!("{what}, {withdrawn}, {time}"), &ask(&function, &of_key(Key::RsaB)), "unknown_key");
                cases.check(
                    format!("{what}, {withdrawn}, {time}: another"),
                    &ask(&function, &of_key(Key::RsaA)),
                    "allow",
                );
            }
            // Also after a fetch that brought it again.
            wait(700);
            ask(&function, &of_key(Key::RsaA));
            cases.check(format!("{what}, {withdrawn}, later"), &ask(&function, &of_key(Key::RsaB)), "unknown_key");
        }
        cases.check(format!("{what}, not withdrawn"), &ask(&start(&keys, "[]"), &of_key(Key::RsaB)), "allow");
    }
}

#[test]
fn a_withdrawn_key_is_never_fetched_for() {
    let cases = Cases::default();
    let site = Site::start();
    site.page(JWKS, Page::Status(500));
    // Six issuers: nothing is fetched ahead of time.
    let issuers: String = (1..=6)
        .map(|number| {
            let name = if number == 1 { POOL.to_owned() } else { format!("us-east-1_Other{number}") };
            format!(
                "  - cognito: {{ user_pool_id: {name}, client_ids: [{CLIENT}], jwks_uri: \"{}\" }}\n",
                site.url(JWKS)
            )
        })
        .collect();
    let function =
        Function::start(&format!("issuers:\n{issuers}routes: {{ $default: {{}} }}\nwithdrawn_keys: [rsa-b]\n"));
    for _ in 0..10 {
        cases.check("withdrawn", &ask(&function, &of_key(Key::RsaB)), "unknown_key");
    }
    cases.equal("fetches", site.all_visits(), 0);
    cases.check("any other", &ask(&function, &of_key(Key::RsaA)), "jwks_unavailable");
    cases.is("fetches for any other", site.all_visits() > 0);
}

#[test]
fn keys_are_fetched_ahead_of_time_for_five_issuers_at_most() {
    let cases = Cases::default();
    for (issuers, ahead) in [(1, 1), (5, 5), (6, 0), (500, 0)] {
        let site = Site::start();
        site.page(JWKS, Page::json(&cognito_jwks()));
        let list: String = (1..=issuers)
            .map(|number| {
                let name = if number == 1 { POOL.to_owned() } else { format!("us-east-1_Other{number}") };
                let keys = site.url(JWKS);
                format!("  - cognito: {{ user_pool_id: {name}, client_ids: [{CLIENT}], jwks_uri: \"{keys}\" }}\n")
            })
            .collect();
        let function = Function::start(&format!("issuers:\n{list}routes: {{ $default: {{}} }}\n"));
        function.wait_until_ready();
        if ahead > 0 {
            site.wait_for_visits(JWKS, ahead);
        }
        wait(300);
        cases.equal(format!("{issuers} issuers: fetches ahead"), site.all_visits(), ahead);
        // And one for the issuer that a token names.
        cases.check(format!("{issuers} issuers"), &ask(&function, &Token::access()), "allow");
        cases.equal(format!("{issuers} issuers: fetches"), site.all_visits(), ahead.max(1));
    }
}

#[test]
fn an_openid_provider_is_discovered() {
    let site = Site::start();
    let plain = jwk_set(&[Key::RsaA.jwk()]);
    site.page("/keys", Page::json(&plain));
    site.page("/elsewhere", Page::json(&json!({ "issuer": site.url("/redirected"), "jwks_uri": site.url("/keys") })));
    let discovery = |name: &str, document: Value| {
        site.page(&format!("/{name}/.well-known/openid-configuration"), Page::json(&document));
    };
    let named = |name: &str, jwks_uri: Value| json!({ "issuer": site.url(&format!("/{name}")), "jwks_uri": jwks_uri });
    discovery("good", named("good", json!(site.url("/keys"))));
    // OpenID Connect Discovery 1.0, section 4.3: the issuer of the document must be the one asked for.
    discovery("impostor", json!({ "issuer": site.url("/good"), "jwks_uri": site.url("/keys") }));
    discovery("nameless", json!({ "jwks_uri": site.url("/keys") }));
    discovery("keyless", json!({ "issuer": site.url("/keyless") }));
    discovery("null", named("null", json!(null)));
    discovery("list", named("list", json!([site.url("/keys")])));
    discovery("plain-http", named("plain-http", json!("http://example.com/keys")));
    discovery("file", named("file", json!("file:///etc/passwd")));
    discovery("no-url", named("no-url", json!("keys")));
    discovery("gone", named("gone", json!(site.url("/nothing-there"))));
    site.page("/redirected/.well-known/openid-configuration", Page::Redirect(302, site.url("/elsewhere"), "{}".into()));
    site.page(
        "/large/.well-known/openid-configuration",
        Page::Body(of_length(&named("large", json!(site.url("/keys"))), 256 * 1024 + 1)),
    );
    site.page("/noise/.well-known/openid-configuration", Page::Body("<html>".into()));
    site.page("/hang/.well-known/openid-configuration", Page::Hang);
    let names = [
        "good",
        "impostor",
        "nameless",
        "keyless",
        "null",
        "list",
        "plain-http",
        "file",
        "no-url",
        "gone",
        "redirected",
        "large",
        "noise",
        "hang",
        "missing",
    ];
    let issuers: String = names
        .iter()
        .map(|name| format!("  - oidc: {{ issuer: \"{}\", audience: api://orders }}\n", site.url(&format!("/{name}"))))
        .collect();
    let function = Function::start(&format!(
        "issuers:\n{issuers}routes: {{ $default: {{}} }}\njwks: {{ max_age: 1h, cooldown: 1h, timeout: 400ms }}"
    ));
    let cases = Cases::default();
    for _ in 0..3 {
        for name in names {
            let expected = if name == "good" { "allow" } else { "jwks_unavailable" };
            cases.check(name, &ask(&function, &Token::oidc(&site.url(&format!("/{name}")))), expected);
        }
    }
    cases.equal("one discovery", site.visits("/good/.well-known/openid-configuration"), 1);
    cases.equal("one fetch of the keys", site.visits("/keys"), 1);
    cases.equal("redirects followed", site.visits("/elsewhere"), 0);
    for name in &names[1..] {
        let visits = site.visits(&format!("/{name}/.well-known/openid-configuration"));
        cases.is(format!("{name}: {visits} fetches"), (1..=3).contains(&visits));
    }
}

fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}
