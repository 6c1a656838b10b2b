//! A token that was accepted before is not verified again, and is judged as strictly as one that
//! was never seen: each test sends a good token first, until the function knows it.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::{Page, Site};
use crate::runtime_api::Function;
use crate::tokens::{
    CLIENT, CLIENT_CERT, Key, MACHINE, OTHER_CLIENT_CERT, POOL, Token, as_cognito_publishes, cognito_jwks, jwk_set,
    now, thumbprint,
};
use crate::verdict::Cases;

const JWKS: &str = "/jwks.json";
const EVERYWHERE: &str = "routes: { $default: {} }";

fn known(function: &Function, token: &str) -> Cases {
    let cases = Cases::default();
    for _ in 0..3 {
        cases.check("known from now on", &function.ask(&request(token)), "allow");
    }
    cases
}

fn request(token: &str) -> Value {
    Kind::Http2.event("GET", "/", &format!("Bearer {token}"))
}

fn set_of(keys: &[Value]) -> Page {
    Page::json(&jwk_set(keys))
}

#[test]
fn a_known_token_whose_key_was_withdrawn_is_of_an_unknown_key() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), &format!("{EVERYWHERE}\njwks: {{ max_age: 300ms }}")));
    let token = Token::access().key(Key::RsaA).text();
    let cases = known(&function, &token);
    site.page(JWKS, set_of(&[as_cognito_publishes(Key::RsaB)]));
    thread::sleep(Duration::from_millis(700));
    cases.check("after the rotation", &function.ask(&request(&token)), "unknown_key");
}

#[test]
fn a_known_token_is_of_a_bad_signature_where_its_kid_names_another_key_now() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), &format!("{EVERYWHERE}\njwks: {{ max_age: 300ms }}")));
    let token = Token::access().key(Key::RsaA).text();
    let cases = known(&function, &token);
    site.page(JWKS, set_of(&[Key::RsaB.jwk_with(json!({ "kid": "rsa-a" }))]));
    thread::sleep(Duration::from_millis(700));
    cases.check("another key of that kid", &function.ask(&request(&token)), "bad_signature");
    site.page(JWKS, Page::json(&cognito_jwks()));
    thread::sleep(Duration::from_millis(700));
    cases.check("its own key again", &function.ask(&request(&token)), "allow");
}

#[test]
fn a_known_token_dies_with_the_keys_that_have_become_too_old() {
    let site = Site::with_keys(&cognito_jwks());
    let settings = "jwks: { max_age: 200ms, stale_if_error: 400ms, cooldown: 200ms }";
    let function = Function::start(&one_pool(&site.url(JWKS), &format!("{EVERYWHERE}\n{settings}")));
    let token = Token::access().text();
    let cases = known(&function, &token);
    site.page(JWKS, Page::Status(500));
    thread::sleep(Duration::from_millis(900));
    cases.check("no keys any more", &function.ask(&request(&token)), "jwks_unavailable");
}

#[test]
fn a_known_token_survives_a_fetch_that_brings_its_key_again() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), &format!("{EVERYWHERE}\njwks: {{ max_age: 200ms }}")));
    let token = Token::access().text();
    let cases = known(&function, &token);
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(500));
        cases.check("another set of the same keys", &function.ask(&request(&token)), "allow");
    }
    assert!(site.visits(JWKS) > 1);
}

#[test]
fn a_known_token_expires() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), &format!("{EVERYWHERE}\nleeway: 1s")));
    // It stands for two to three seconds more.
    let token = Token::access().claim("exp", json!(now() + 2)).text();
    let cases = known(&function, &token);
    thread::sleep(Duration::from_millis(3100));
    cases.check("one second and the leeway later", &function.ask(&request(&token)), "token_expired");
}

#[test]
fn what_differs_from_a_known_token_anywhere_is_another_token() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), EVERYWHERE));
    let token = Token::access();
    let text = token.text();
    let cases = known(&function, &text);
    let check = |what: &str, other: &str, expected: &str| {
        assert_ne!(other, text);
        cases.check(what, &function.ask(&request(other)), expected);
    };
    let (head, last) = text.split_at(text.len() - 1);
    // Of the last character two bits count; the others must be zero.
    for other in ["A", "Q", "g", "w"].iter().filter(|other| **other != last) {
        check("the last character of the signature", &format!("{head}{other}"), "bad_signature");
    }
    let stray = ["B", "R", "h", "x"];
    check(
        "a stray bit in it",
        &format!("{head}{}", stray[["A", "Q", "g", "w"].iter().position(|c| *c == last).unwrap()]),
        "malformed_token",
    );
    check("padding", &format!("{text}=="), "malformed_token");
    let mut signature = token.signature();
    signature[0] ^= 1;
    check("the first bit of the signature", &token.with_signature(&signature), "bad_signature");
    let signature = text.rsplit_once('.').unwrap().1;
    let admin = token.clone().claim("cognito:groups", json!(["admin"])).text();
    let input = admin.rsplit_once('.').unwrap().0;
    check("other claims under its signature", &format!("{input}.{signature}"), "bad_signature");
    let header = token.clone().header("x", json!(1)).text();
    let rest = text.split_once('.').unwrap().1;
    check("another header", &format!("{}.{rest}", header.split_once('.').unwrap().0), "bad_signature");
    check("only its first two parts", text.rsplit_once('.').unwrap().0, "malformed_token");
    cases.check("the token itself", &function.ask(&request(&text)), "allow");
}

#[test]
fn a_known_token_is_held_against_the_rule_of_each_request() {
    let site = Site::with_keys(&cognito_jwks());
    let routes = "routes: { $default: {}, GET /admin: { any_group: [admin] } }";
    let function = Function::start(&one_pool(&site.url(JWKS), routes));
    let token = Token::access().text();
    let cases = known(&function, &token);
    let event = |path: &str| Kind::Http2.event("GET", path, &format!("Bearer {token}"));
    cases.check("a route that asks for more", &function.ask(&event("/admin")), "insufficient_group");
    cases.check("an odd path", &function.ask(&event("/a//b")), "unsafe_path");
    cases.check("the first route again", &function.ask(&event("/")), "allow");
}

#[test]
fn a_known_token_that_is_bound_to_its_sender_needs_the_certificate_each_time() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), EVERYWHERE));
    let token = Token::access().claim("cnf", json!({ "x5t#S256": thumbprint(CLIENT_CERT) })).text();
    let cases = Cases::default();
    let check = |what: &str, certificate: Option<&str>, expected: &str| {
        let mut event = request(&token);
        if let Some(pem) = certificate {
            event["requestContext"]["authentication"]["clientCert"] = json!({ "clientCertPem": pem });
        }
        cases.check(what, &function.ask(&event), expected);
    };
    check("its certificate", Some(CLIENT_CERT), "allow");
    check("its certificate again", Some(CLIENT_CERT), "allow");
    check("another one", Some(OTHER_CLIENT_CERT), "sender_not_proven");
    check("none", None, "sender_not_proven");
    check("its certificate once more", Some(CLIENT_CERT), "allow");
}

#[test]
fn a_refused_token_is_never_known() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url(JWKS), EVERYWHERE));
    let cases = Cases::default();
    let early = Token::access().claim("nbf", json!(now() + 8)).text();
    let forged = Token::access().key(Key::RsaC).header("kid", json!("rsa-a")).text();
    for _ in 0..3 {
        cases.check("too early", &function.ask(&request(&early)), "token_not_yet_valid");
        cases.check("forged", &function.ask(&request(&forged)), "bad_signature");
    }
}

#[test]
fn a_known_token_of_one_issuer_says_nothing_for_another() {
    let (one, other) =
        (Site::with_keys(&cognito_jwks()), Site::with_keys(&jwk_set(&[Key::RsaB.jwk_with(json!({ "kid": "rsa-a" }))])));
    let other_pool = "us-east-1_ZyXwVu987";
    let function = Function::start(&format!(
        "issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}, {MACHINE}], jwks_uri: '{}' }}
  - cognito: {{ user_pool_id: {other_pool}, client_ids: [{CLIENT}, {MACHINE}], jwks_uri: '{}' }}
{EVERYWHERE}",
        one.url(JWKS),
        other.url(JWKS),
    ));
    let cases = known(&function, &Token::access().text());
    let of_other = json!(format!("https://cognito-idp.us-east-1.amazonaws.com/{other_pool}"));
    let borrowed = Token::access().claim("iss", of_other.clone()).text();
    cases.check("signed by the first one's key", &function.ask(&request(&borrowed)), "bad_signature");
    let own = Token::access().key(Key::RsaB).header("kid", json!("rsa-a")).claim("iss", of_other);
    cases.check("signed by its own key", &function.ask(&request(&own.text())), "allow");
}
