//! `docs/providers.md`: each block is run as it stands, but for keys and dates.

use serde_json::{Value, json};

use crate::events::Kind;
use crate::runtime_api::Function;
use crate::tokens::{Key, Token, jwk_set, now};
use crate::verdict::Cases;

const PAGE: &str = include_str!("../../docs/providers.md");

/// The blocks of the page: what stands after the fence, and the text.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((info, text.join("\n")));
        }
    }
    blocks
}

/// The configuration with the keys of these tests instead of the provider's, which is not asked.
fn with_our_keys(config: &str, keys: &str) -> String {
    let mut ours = String::new();
    for line in config.lines().filter(|line| !line.trim_start().starts_with("jwks_uri:")) {
        ours.push_str(line);
        ours.push('\n');
        if line == "  - cognito:" || line == "  - oidc:" {
            ours.push_str(&format!("      jwks_file: {keys}\n      jwks_uri: none\n"));
        }
    }
    ours
}

/// A token with these claims, of now.
fn token(claims: &Value, algorithm: &str) -> Token {
    let mut token = Token::new(claims.clone()).key(match algorithm {
        "" => Key::RsaA,
        "ES256" => Key::P256,
        "ES384" => Key::P384,
        other => panic!("no key for {other}"),
    });
    for (name, seconds) in [("iat", -60), ("nbf", -60), ("auth_time", -60), ("exp", 3600)] {
        if claims[name].is_number() {
            token = token.claim(name, json!(now() + seconds));
        }
    }
    token
}

#[test]
fn every_provider_has_a_configuration_that_takes_its_tokens() {
    let keys = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys-of-providers.json");
    std::fs::write(&keys, jwk_set(&[Key::RsaA.jwk(), Key::P256.jwk(), Key::P384.jwk()]).to_string()).unwrap();
    let keys = keys.to_str().unwrap();
    let cases = Cases::default();
    let (mut function, mut current) = (None, None);
    let (mut allowed, mut refused, mut configurations) = (0, 0, 0);
    for (info, text) in blocks() {
        match info.split_once(' ').unwrap_or((info, "")) {
            ("yaml", "") => {
                function = Some(Function::start(&with_our_keys(&text, keys)));
                configurations += 1;
            }
            ("json", kind) => {
                let claims: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                current = Some(token(&claims, kind.strip_prefix("token").unwrap().trim()));
            }
            ("text", "requests") => {
                let (function, token): (&Function, &Token) = (function.as_ref().unwrap(), current.as_ref().unwrap());
                for line in text.lines() {
                    let [method, path, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                        panic!("{line}")
                    };
                    let event = Kind::Http2.event(method, path, &format!("Bearer {}", token.text()));
                    cases.check(format!("{line} {}", token.payload_json()), &function.ask(&event), expected);
                    if expected == "allow" { allowed += 1 } else { refused += 1 }
                }
            }
            other => panic!("a block that nobody reads: {other:?}"),
        }
    }
    // Each configuration has one request of either kind, and a token that is refused whatever it asks for is told of.
    cases.equal("allowed", allowed, configurations);
    cases.is(format!("{refused} refused"), refused >= configurations);
    cases.equal("providers", configurations, 17);
}
