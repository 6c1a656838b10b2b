//! A second opinion: wherever `jsonwebtoken`, strictly configured, rejects a token, the binary must
//! not allow it. (Not the other way round: this project refuses more than that library does.)

use std::collections::HashMap;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{Key, Token, encode, jwk_set, now};
use crate::verdict::Cases;

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "api://orders";

/// The algorithms that both know; jsonwebtoken has no ES512.
const SIGNERS: [(Key, &str, Algorithm); 8] = [
    (Key::RsaA, "RS256", Algorithm::RS256),
    (Key::RsaB, "RS384", Algorithm::RS384),
    (Key::Rsa4096, "RS512", Algorithm::RS512),
    (Key::RsaA, "PS256", Algorithm::PS256),
    (Key::RsaB, "PS512", Algorithm::PS512),
    (Key::P256, "ES256", Algorithm::ES256),
    (Key::P384, "ES384", Algorithm::ES384),
    (Key::Ed25519, "EdDSA", Algorithm::EdDSA),
];

/// Whether jsonwebtoken accepts the token for our issuer and audience.
fn second_opinion(token: &str) -> bool {
    let Ok(header) = decode_header(token) else { return false };
    let Some(kid) = header.kid else { return false };
    let Some((key, ..)) = SIGNERS.iter().find(|(key, ..)| key.kid() == kid) else { return false };
    if !SIGNERS.iter().any(|(_, _, algorithm)| *algorithm == header.alg) {
        return false;
    }
    let jwk: Jwk = serde_json::from_value(key.jwk()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    decode::<HashMap<String, Value>>(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).is_ok()
}

#[test]
fn what_jsonwebtoken_rejects_is_never_allowed() {
    let jwks = jwk_set(&[Key::RsaA, Key::RsaB, Key::Rsa4096, Key::P256, Key::P384, Key::Ed25519].map(Key::jwk));
    let site = Site::with_keys(&jwks);
    let function = Function::start(&format!(
        "
issuers:
  - oidc:
      issuer: {ISSUER}
      audience: [{AUDIENCE}]
      algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
      jwks_uri: \"{}\"
routes: {{ $default: {{}} }}
leeway: 0s
",
        site.url("/jwks.json")
    ));
    let cases = Cases::default();
    let (mut allowed, mut rejected) = (0, 0);
    let mut compare = |what: &str, token: &str| {
        let verdict = function.ask(&Kind::Http2.event("GET", "/", &format!("Bearer {token}")));
        let here = verdict.outcome() == "allow";
        let there = second_opinion(token);
        allowed += usize::from(here && there);
        rejected += usize::from(!there);
        cases.is(format!("{what}: allowed here, rejected there: {token}"), there || !here);
        there
    };

    for (key, name, _) in SIGNERS {
        let good = Token::oidc(ISSUER).key(key).algorithm(name);
        assert!(compare(name, &good.text()), "a good {name} token is good there");
        let text = good.text();
        // Every character of the token changed, at a stride that reaches each part and the edges.
        let stride = 1 + text.len() / 40;
        for place in (0..text.len()).step_by(stride).chain([text.len() - 1, text.len() - 2]) {
            let mut changed = text.clone().into_bytes();
            changed[place] = match changed[place] {
                b'.' => b'A',
                b'A' => b'B',
                _ => b'A',
            };
            let changed = String::from_utf8(changed).unwrap();
            if changed != text {
                compare(&format!("{name}, character {place} changed"), &changed);
            }
        }
        for length in [1, text.len() / 3, text.len() / 2, text.len() - 1] {
            compare(&format!("{name}, cut to {length}"), &text[..length]);
        }
        // Each signature under the name of every other algorithm, and of every other key.
        for (other_key, other_name, _) in SIGNERS {
            compare(&format!("{name} called {other_name}"), &good.clone().header("alg", json!(other_name)).text());
            compare(
                &format!("{name} of {}", other_key.kid()),
                &good.clone().header("kid", json!(other_key.kid())).text(),
            );
        }
        for alg in ["none", "HS256", "ES512", "rs256", ""] {
            compare(&format!("{name} called {alg:?}"), &good.clone().header("alg", json!(alg)).text());
        }
        let signature = good.signature();
        for (what, bytes) in [
            ("empty", vec![]),
            ("zeros", vec![0; signature.len()]),
            ("reversed", signature.iter().rev().copied().collect()),
            ("twice", [&signature[..], &signature[..]].concat()),
            ("short", signature[1..].to_vec()),
            ("long", [&signature[..], &[0]].concat()),
        ] {
            compare(&format!("{name}, signature {what}"), &good.with_signature(&bytes));
        }
        for (claim, value) in [
            ("exp", json!(now() - 1)),
            ("exp", json!(null)),
            ("exp", json!("4102444800")),
            ("exp", json!([4_102_444_800_i64])),
            ("nbf", json!(now() + 60)),
            ("iss", json!("https://other.example.com")),
            ("iss", json!(null)),
            ("iss", json!(7)),
            ("aud", json!("api://other")),
            ("aud", json!(["api://other"])),
            ("aud", json!([])),
            ("aud", json!(null)),
        ] {
            compare(&format!("{name}, {claim}: {value}"), &good.clone().claim(claim, value.clone()).text());
        }
        for claim in ["exp", "iss", "aud"] {
            compare(&format!("{name}, no {claim}"), &good.clone().without(claim).text());
        }
        let (header, payload) = (encode(good.header_json()), encode(good.payload_json()));
        for input in [
            format!("{header}=.{payload}"),
            format!("{header}.{payload}="),
            format!("{payload}.{header}"),
            format!("{header}.{header}"),
        ] {
            let (header, payload) = input.split_once('.').unwrap();
            compare(&format!("{name}, parts {:.20}", header), &good.encoded(header, payload));
        }
    }
    assert!(allowed >= SIGNERS.len(), "{allowed} allowed by both");
    assert!(rejected > 300, "{rejected} rejected there");
}
