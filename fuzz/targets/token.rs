//! A token, through the whole handler. The first byte says how the others become one: as they stand; as a header and a
//! payload that are then rightly signed; as changes to a good token's text; as changes to its JSON, signed anew.
//!
//! Whatever is allowed was signed by one of the keys, over these very bytes, and says what a naive reader asks of it.

use std::sync::LazyLock;

use serde_json::Value;

use super::harness::{Harness, ISSUERS, OIDC, Outcome, http_2, known_tokens, steady};
use super::memory::within;
use super::tokens::{CLIENT, ISSUER, Key, MACHINE, Token, encode, now};

static HARNESS: LazyLock<Harness> = LazyLock::new(|| {
    Harness::with(&format!("{ISSUERS}routes: {{ $default: {{}} }}\nleeway: 0s\n")).expect("the configuration loads")
});

/// JSON of small objects becomes some sixty times as large.
const PER_BYTE: usize = 96;
const AND: usize = 96 * 1024;

/// A token, and whether it is one that a key signed as it stands.
struct Made {
    text: String,
    signed: Option<Key>,
}

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let (harness, known) = (&*HARNESS, known_tokens());
    let Some(made) = make(*mode, rest) else { return };
    let event = http_2("GET", "/items", &made.text);
    let outcome = within(event.len() * PER_BYTE + AND, || harness.answer(&event)).expect("the event is JSON");
    match outcome {
        Outcome::Allow(_) => assert!(may_pass(&made, known), "{} {:?}", made.text, made.signed),
        Outcome::Deny(reason) => {
            assert!(
                !["unsafe_path", "no_route", "forbidden"].contains(&reason.as_str()),
                "the path is in order: {reason}"
            );
        }
        Outcome::KeepWarm => panic!("an event of API Gateway is no ping"),
        Outcome::Failed(reason, _) => panic!("nothing can be unavailable here: {reason}"),
    }
}

fn make(mode: u8, rest: &[u8]) -> Option<Made> {
    let key = key(mode);
    match mode & 3 {
        0 => Some(Made { text: String::from_utf8(rest.to_vec()).ok()?, signed: None }),
        1 => {
            let split = rest.iter().position(|byte| *byte == 0)?;
            let (header, payload) = (&rest[..split], &rest[split + 1..]);
            Some(signed(key, &encode(header), &encode(payload)))
        }
        2 => {
            let tokens = known_tokens();
            let base = &tokens[usize::from(mode >> 2) % tokens.len()];
            let text = String::from_utf8(changed(base.as_bytes(), rest)).ok()?;
            Some(Made { text, signed: None })
        }
        _ => {
            let base = match mode >> 6 {
                0 | 1 => steady(Token::access()),
                _ => steady(Token::oidc(OIDC)).key(key),
            };
            let (header, payload) = rest.split_at(rest.len() / 2);
            let header = changed(base.header_json().as_bytes(), header);
            let payload = changed(base.payload_json().as_bytes(), payload);
            Some(signed(key, &encode(header), &encode(payload)))
        }
    }
}

/// The attacker's key is among them: it signs rightly, and is nobody's.
fn key(mode: u8) -> Key {
    // EdDSA is the quickest by far.
    match (mode >> 2) & 15 {
        0 => Key::RsaA,
        1 => Key::P256,
        2 => Key::RsaC,
        _ => Key::Ed25519,
    }
}

fn signed(key: Key, header: &str, payload: &str) -> Made {
    let input = format!("{header}.{payload}");
    let signature = encode(key.sign(key.algorithm(), input.as_bytes()));
    Made { text: format!("{input}.{signature}"), signed: Some(key) }
}

/// Four bytes are a change: where, what, and with which byte.
pub(super) fn changed(base: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut text = base.to_vec();
    for change in changes.chunks_exact(4).take(64) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % (text.len() + 1);
        match change[2] & 7 {
            0 | 1 => text.insert(place, change[3]),
            2 if place < text.len() => {
                text.remove(place);
            }
            3 => text.truncate(place),
            4 => {
                let copied: Vec<u8> = text.iter().skip(place).take(usize::from(change[3])).copied().collect();
                text.extend(copied);
            }
            5 => text.extend_from_slice(&text.clone()[place..]),
            _ if place < text.len() => text[place] = change[3],
            _ => {}
        }
        text.truncate(20_000);
    }
    text
}

/// What anybody would ask of a token, read once more with other means.
fn may_pass(made: &Made, known: &[String]) -> bool {
    let text = made.text.trim_matches([' ', '\t', ',']);
    let text = match text.split_at_checked(6) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim_start_matches(' '),
        _ => text,
    };
    // The same token twice is one token.
    let text = text.split(',').next().unwrap_or_default().trim_matches([' ', '\t']);
    let Some((input, _)) = text.rsplit_once('.') else { return false };
    let Some(key) = made.signed else {
        return known.iter().any(|token| token.rsplit_once('.').is_some_and(|(known, _)| known == input));
    };
    let read = |part: Option<&str>| -> Option<Value> {
        use base64::Engine;
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part?).ok()?).ok()
    };
    let mut parts = input.split('.');
    let (Some(header), Some(payload)) = (read(parts.next()), read(parts.next())) else { return false };
    let number = |name: &str| payload[name].as_f64();
    let now = now() as f64;
    let in_time = number("exp").is_some_and(|exp| exp > now)
        && ["nbf", "iat"]
            .iter()
            .all(|name| payload.get(*name).is_none() || number(name).is_some_and(|date| date < now + 2.0));
    let is_for_us = match payload["iss"].as_str() {
        Some(ISSUER) => {
            let client = payload["client_id"].as_str();
            header["alg"] == "RS256"
                && payload["token_use"] == "access"
                && (client == Some(CLIENT) || client == Some(MACHINE))
        }
        Some(OIDC) => {
            let audience = &payload["aud"];
            let audiences = audience.as_array().map_or(std::slice::from_ref(audience), Vec::as_slice);
            audiences.iter().any(|audience| audience == "api://orders")
        }
        _ => false,
    };
    let is_of_the_key = key != Key::RsaC && header["kid"] == key.kid() && header["alg"] == key.algorithm();
    let is_plain = header.get("crit").is_none() && header.get("b64").is_none() && payload.get("cnf").is_none();
    in_time && is_for_us && is_of_the_key && is_plain
}
