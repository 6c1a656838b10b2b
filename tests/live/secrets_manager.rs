//! `${secretsmanager:NAME}`: read at the start, each secret once; whatever goes wrong keeps the function from starting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::jwks_server::Site;
use crate::runtime_api::Setup;
use crate::stage::{AWS_SECRET, OIDC_AUDIENCE, OIDC_ISSUER, ROUTES};
use crate::stub::oauth::{self, INTROSPECT};
use crate::stub::{Answer, Reply, Stub};
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::Cases;

const GET_SECRET_VALUE: &str = "GetSecretValue";
const SECRET: &str = "the-secret-of-Secrets-Manager";

/// An issuer that is introspected with a secret that stands elsewhere.
fn config(secret: &str) -> String {
    format!(
        "issuers:
  - oidc:
      issuer: {OIDC_ISSUER}
      audience: \"{OIDC_AUDIENCE}\"
      jwks_uri: \"KEYS\"
      introspection:
        endpoint: \"STUB{INTROSPECT}\"
        client_id: authorizer
        client_secret: \"{secret}\"
{ROUTES}"
    )
}

fn setup(stub: &Stub, keys: &Site, secret: &str) -> Setup {
    let config = config(secret).replace("STUB", &stub.url("")).replace("KEYS", &keys.url("/jwks.json"));
    Setup::config(&config)
        .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &stub.url(""))
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
        .env("AUTHORIZER_LOG", "trace")
}

fn text(text: &str) -> Reply {
    reply(200, &json!({ "Name": "n", "VersionId": "v", "SecretString": text }))
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string()).header("Content-Type", "application/x-amz-json-1.1")
}

fn error(name: &str) -> Reply {
    reply(400, &json!({ "__type": name, "Message": SECRET }))
}

/// What a secret store with these two has.
fn store() -> Answer {
    Answer::Worked(Arc::new(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        match asked["SecretId"].as_str() {
            Some("prod/client") => text(SECRET),
            Some("prod/json") => text(&json!({ "client_secret": SECRET, "number": 7 }).to_string()),
            _ => error("ResourceNotFoundException"),
        }
    }))
}

#[test]
fn a_secret_is_read_once_at_the_start_and_never_shown() {
    let (stub, keys, cases) = (Stub::start(), Site::with_keys(&cognito_jwks()), Cases::default());
    stub.answer(GET_SECRET_VALUE, store());
    stub.answer(INTROSPECT, oauth::active(json!({})));
    for reference in ["${secretsmanager:prod/client}", "${secretsmanager:prod/json#client_secret}"] {
        let before = stub.calls(GET_SECRET_VALUE);
        let function = setup(&stub, &keys, reference).start();
        for _ in 0..3 {
            let token = Token::oidc(OIDC_ISSUER).claim("aud", json!(OIDC_AUDIENCE)).text();
            let event = crate::events::Kind::Http2.event("GET", "/admin", &format!("Bearer {token}"));
            cases.check(reference, &function.ask(&event), "allow");
        }
        cases.equal(format!("{reference}: reads"), stub.calls(GET_SECRET_VALUE) - before, 1);
        // As HTTP's basic authentication has it.
        let sent = stub.last_request(INTROSPECT).header("authorization").unwrap_or_default().to_owned();
        let expected =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("authorizer:{SECRET}"));
        cases.equal(format!("{reference}: what the issuer got"), sent, format!("Basic {expected}"));
        function.end();
        let said = function.everything_said().join("\n");
        cases.is(format!("{reference}: the secret in {said}"), !said.contains(SECRET));
    }
}

#[test]
fn two_references_to_one_secret_are_one_read() {
    let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
    stub.answer(GET_SECRET_VALUE, store());
    let function = setup(&stub, &keys, "${secretsmanager:prod/json#client_secret}${secretsmanager:prod/json}").start();
    function.wait_until_ready();
    assert_eq!(stub.calls(GET_SECRET_VALUE), 1);
}

#[test]
fn whatever_goes_wrong_keeps_the_function_from_starting() {
    let (stub, keys, cases) = (Stub::start(), Site::with_keys(&cognito_jwks()), Cases::default());
    let place = "issuers[0].oidc.introspection.client_secret: ";
    let known = || store();
    let says = |reply: Reply| Answer::from(reply);
    for (reference, answer, fault) in [
        ("${secretsmanager:none}", known(), "the secret `none` could not be read: ResourceNotFoundException"),
        (
            "${secretsmanager:prod/client}",
            says(error("AccessDeniedException")),
            "the secret `prod/client` could not be read: AccessDeniedException",
        ),
        (
            "${secretsmanager:prod/client}",
            says(error("X")),
            "the secret `prod/client` could not be read: an unknown error",
        ),
        (
            "${secretsmanager:prod/client}",
            Answer::HangUp,
            "the secret `prod/client` could not be read: the connection broke",
        ),
        ("${secretsmanager:prod/client}", Answer::Noise, "the secret `prod/client` could not be read: "),
        (
            "${secretsmanager:prod/client}",
            says(reply(200, &json!({ "Name": "n", "SecretBinary": "AAAA" }))),
            "the secret `prod/client` could not be read: it is not a text",
        ),
        ("${secretsmanager:prod/client}", says(text("")), "must not be empty"),
        ("${secretsmanager:prod/client#x}", known(), "the secret `prod/client` is not a JSON object"),
        ("${secretsmanager:prod/json#x}", known(), "the secret `prod/json` has no such member"),
        ("${secretsmanager:prod/json#number}", known(), "the secret `prod/json` has no text in that member"),
        ("${secretsmanager:}", known(), "`${secretsmanager:}` does not name a secret"),
    ] {
        stub.answer(GET_SECRET_VALUE, answer);
        let Some(refused) = setup(&stub, &keys, reference).refused() else {
            cases.is(format!("{fault}: started all the same"), false);
            continue;
        };
        cases.equal(format!("{fault}: the exit status"), refused.status.code(), Some(1));
        cases.is(format!("{fault}: {}", refused.output), refused.output.contains(&format!("{place}{fault}")));
        cases.is(format!("{fault}: the secret in {}", refused.output), !refused.output.contains(SECRET));
    }
}

/// The start of a function may take ten seconds.
#[test]
fn a_store_that_hangs_ends_the_start_in_time() {
    let (stub, keys) = (Stub::start(), Site::with_keys(&cognito_jwks()));
    stub.answer(GET_SECRET_VALUE, Answer::Hang);
    let started = Instant::now();
    let refused = setup(&stub, &keys, "${secretsmanager:prod/client}").refused().unwrap();
    assert!(refused.output.contains("the secret `prod/client` could not be read: timed out"), "{}", refused.output);
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
}
