//! The whole handler with a configuration, in this process and without a network.

use std::path::PathBuf;
use std::sync::LazyLock;

use cognito_authorizer::config::{Config, ConfigText, Environment, Faults};
use cognito_authorizer::gateway::{Handler, RawEvent};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};

use super::tokens::{Key, Token, jwk_set};

/// A pool, and an OpenID provider that signs in several ways.
pub(super) const ISSUERS: &str = r#"
issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: [web-client, machine-client], jwks_uri: none, jwks_file: keys.json }
  - oidc: { issuer: "https://login.example.com/tenant/v2.0", audience: api://orders, jwks_uri: none, jwks_file: keys.json, algorithms: [RS256, PS256, ES256, EdDSA] }
"#;

pub(super) const OIDC: &str = "https://login.example.com/tenant/v2.0";

/// The keys that are published, all of them by both issuers.
pub(super) const PUBLISHED: [Key; 3] = [Key::RsaA, Key::P256, Key::Ed25519];

/// 2100-01-01: what is kept in a corpus stays alive.
const EXPIRY: i64 = 4_102_444_800;

pub(super) struct Harness {
    handler: Handler,
    runtime: tokio::runtime::Runtime,
}

/// What an invocation came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// With the whole answer.
    Allow(Value),
    /// With the reason in the answer's context.
    Deny(String),
    /// The event asked for nothing: it only keeps the function warm.
    KeepWarm,
    /// With the error's type and message.
    Failed(String, String),
}

impl Harness {
    pub(super) fn with(config: &str) -> Result<Harness, Faults> {
        let config = Config::parse(&text(config), &Environment::default())?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Ok(Harness { handler: config.into_handler(), runtime })
    }

    /// Answers an event; `None` where the bytes are no JSON, which `lambda_runtime` itself refuses.
    pub(super) fn answer(&self, event: &[u8]) -> Option<Outcome> {
        let event: RawEvent = serde_json::from_slice(event).ok()?;
        let answer = self.runtime.block_on(self.handler.invoke(LambdaEvent::new(event, Context::default())));
        Some(match answer {
            Err(failure) => {
                assert_ne!(failure.error_type, "internal", "{}", failure.error_message);
                Outcome::Failed(failure.error_type, failure.error_message)
            }
            Ok(answer) => {
                let answer: Value = serde_json::from_str(answer.get()).expect("the answer is JSON");
                // The whole of it: nothing that API Gateway could take for an authorizer's answer.
                if answer == json!({ "keepWarm": true }) {
                    return Some(Outcome::KeepWarm);
                }
                let statements = answer["policyDocument"]["Statement"].as_array().map_or(&[][..], Vec::as_slice);
                let allowed = answer["isAuthorized"] == true || statements.iter().any(|one| one["Effect"] == "Allow");
                let reason = answer["context"]["reason"].as_str().map(str::to_owned);
                match (allowed, reason) {
                    (true, _) => Outcome::Allow(answer),
                    (false, reason) => Outcome::Deny(reason.expect("a denial says why")),
                }
            }
        })
    }
}

/// An HTTP API's event, answered by a simple response.
pub(super) fn http_2(method: &str, path: &str, token: &str) -> Vec<u8> {
    let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/{method}{path}");
    json!({ "version": "2.0", "type": "REQUEST", "routeArn": arn, "headers": { "authorization": token } })
        .to_string()
        .into_bytes()
}

/// A configuration beside which `keys.json` lies.
pub(super) fn text(config: &str) -> ConfigText {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("cognito-authorizer-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("keys.json"), jwk_set(&PUBLISHED.map(Key::jwk)).to_string()).unwrap();
        folder
    });
    ConfigText { text: config.to_owned(), folder: FOLDER.clone() }
}

/// Tokens whose text is the same in every run.
pub(super) fn steady(token: Token) -> Token {
    token
        .claim("exp", json!(EXPIRY))
        .claim("iat", json!(1_600_000_000))
        .claim("auth_time", json!(1_600_000_000))
        .without("nbf")
}

/// The tokens of the corpora: whoever has one is let in.
pub(super) fn known_tokens() -> &'static [String] {
    static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
        [
            Token::access(),
            Token::admin(),
            Token::oidc(OIDC),
            Token::access().key(Key::RsaA),
            Token::oidc(OIDC).key(Key::Ed25519),
        ]
        .map(|token| steady(token).text())
        .to_vec()
    });
    &TOKENS
}
