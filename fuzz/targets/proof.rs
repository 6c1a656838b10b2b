//! A DPoP proof beside a token that is bound to a key, through the whole handler. The first byte says how the others become
//! one: as they stand; as a header and a payload that are then rightly signed; as changes to a good proof's text; as
//! changes to its JSON, signed anew.
//!
//! Whatever is allowed was signed by the bound key, over these very bytes, and says what a naive reader asks of it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::harness::{Harness, OIDC, Outcome, steady};
use super::memory::within;
use super::token::changed;
use super::tokens::{Key, Token, encode, now};

static HARNESS: LazyLock<Harness> = LazyLock::new(|| {
    let issuer = format!(
        "{{ issuer: \"{OIDC}\", audience: api://orders, jwks_uri: none, jwks_file: keys.json, dpop: required }}"
    );
    let config = format!("issuers: [{{ oidc: {issuer} }}]\nroutes: {{ $default: {{}} }}\nleeway: 0s\n");
    Harness::with(&config).expect("the configuration loads")
});

/// Its `jkt` is that of the test key Ed25519, and its SHA-256 is the proofs' `ath`.
static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let jkt = encode(sha256(&format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":{}}}", Key::Ed25519.jwk()["x"])));
    steady(Token::oidc(OIDC)).claim("cnf", json!({ "jkt": jkt })).text()
});

const URL: &str = "https://api.example.com/test/items";

/// JSON of small objects becomes some sixty times as large.
const PER_BYTE: usize = 96;
/// The memory of used proofs grows at times.
const AND: usize = 8 * 1024 * 1024;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let Some((proof, is_signed)) = make(*mode, rest) else { return };
    let arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/items";
    let event = json!({
        "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": "/test/items",
        "headers": { "authorization": format!("DPoP {}", *TOKEN), "dpop": proof },
        "requestContext": { "domainName": "api.example.com" },
    });
    let event = event.to_string().into_bytes();
    let outcome = within(event.len() * PER_BYTE + AND, || HARNESS.answer(&event)).expect("the event is JSON");
    match outcome {
        Outcome::Allow(_) => assert!(is_signed && may_pass(&proof), "{proof}"),
        Outcome::Deny(reason) => assert_eq!(reason, "sender_not_proven"),
        Outcome::KeepWarm => panic!("an event of API Gateway is no ping"),
        Outcome::Failed(reason, _) => panic!("nothing can be unavailable here: {reason}"),
    }
}

/// A proof, and whether the bound key signed it as it stands.
fn make(mode: u8, rest: &[u8]) -> Option<(String, bool)> {
    let (header, payload) = good();
    match mode & 3 {
        0 => Some((String::from_utf8(rest.to_vec()).ok()?, false)),
        1 => {
            let split = rest.iter().position(|byte| *byte == 0)?;
            Some((signed(&rest[..split], &rest[split + 1..]), true))
        }
        2 => {
            let base = signed(header.as_bytes(), payload.as_bytes());
            let text = String::from_utf8(changed(base.as_bytes(), rest)).ok()?;
            // The signature is over all that stands before it.
            let is_signed = text == base;
            Some((text, is_signed))
        }
        _ => {
            let (of_header, of_payload) = rest.split_at(rest.len() / 2);
            let header = changed(header.as_bytes(), of_header);
            Some((signed(&header, &changed(payload.as_bytes(), of_payload)), true))
        }
    }
}

/// The JSON of a good proof; each has a `jti` of its own.
fn good() -> (String, String) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let jwk = Key::Ed25519.jwk_with(json!({ "kid": null }));
    let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
    let jti = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let ath = encode(sha256(&TOKEN));
    let payload = json!({ "jti": jti, "htm": "GET", "htu": URL, "iat": now(), "ath": ath });
    (header.to_string(), payload.to_string())
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(Key::Ed25519.sign("EdDSA", input.as_bytes()));
    format!("{input}.{signature}")
}

fn sha256(text: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

/// What anybody would ask of a proof, read once more with other means.
fn may_pass(proof: &str) -> bool {
    let read =
        |part: Option<&str>| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part?).ok()?).ok() };
    let mut parts = proof.split('.');
    let (Some(header), Some(payload)) = (read(parts.next()), read(parts.next())) else { return false };
    let is_ours = header["jwk"]["x"] == Key::Ed25519.jwk()["x"] && header["jwk"].get("d").is_none();
    let is_proof = header["typ"] == "dpop+jwt" && ["EdDSA", "Ed25519"].iter().any(|alg| header["alg"] == *alg);
    let is_plain = header.get("crit").is_none() && header.get("b64").is_none();
    let htu = payload["htu"].as_str().unwrap_or_default();
    let htu = htu.split(['?', '#']).next().unwrap_or_default();
    // However it is spelled, its letters are these.
    let is_url = htu.eq_ignore_ascii_case(URL) || htu.contains('%') || htu.contains("com:");
    let age = payload["iat"].as_f64().map(|iat| now() as f64 - iat);
    let is_fresh = age.is_some_and(|age| (-2.0..=62.0).contains(&age));
    let is_of_request = payload["htm"] == "GET" && payload["ath"] == encode(sha256(&TOKEN));
    let has_jti = payload["jti"].as_str().is_some_and(|jti| !jti.is_empty());
    is_ours && is_proof && is_plain && is_url && is_fresh && is_of_request && has_jti
}
