//! Clients that others' libraries sign for: PyPI's and npm's `http-message-signatures`, as `tests/signing_clients` uses them.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use test_support::repository;

use crate::events::Kind;
use crate::signatures::{ALL_ALGORITHMS, Stage};
use crate::signed::{DOMAIN, SIGNERS, Signer, secret_of, with_headers};
use crate::verdict::Cases;

/// Both clients, with the programs that `make signing` installs.
fn clients() -> [(&'static str, Vec<String>); 2] {
    let file = |path: &str| repository().join(path).to_string_lossy().into_owned();
    let folder = "tests/signing_clients";
    [
        ("Python", vec![file(".venv/signing/bin/python"), file(&format!("{folder}/client.py"))]),
        ("Node", vec!["node".to_owned(), file(&format!("{folder}/client.mjs"))]),
    ]
}

/// What the client adds to the request's headers.
fn signed_by(client: &[String], signer: &Signer, url: &str) -> Value {
    let key = signer.private_pem().map_or_else(|| STANDARD.encode(secret_of(signer.id)), str::to_owned);
    let asked = json!({
        "method": "POST", "url": url, "headers": {}, "body": "{\"amount\": 7}",
        "keyid": signer.id, "algorithm": signer.algorithm, "key": key,
    });
    let output = Command::new(&client[0]).args(&client[1..]).arg(asked.to_string()).output().unwrap();
    assert!(output.status.success(), "{client:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs the clients' libraries: `make signing`"]
fn what_kept_libraries_sign_is_accepted_and_a_replay_of_it_is_not() {
    let settings = format!("{ALL_ALGORITHMS}, nonce_table: nonces").replace("\"@path\"]", "\"@path\", content-digest]");
    let (stage, cases) = (Stage::start(&settings, ""), Cases::default());
    for (name, client) in clients() {
        for signer in SIGNERS.iter().filter(|signer| signer.algorithm != "ecdsa-p384-sha384") {
            for kind in [Kind::RestRequest, Kind::Http2] {
                let headers = signed_by(&client, signer, &format!("https://{DOMAIN}/test/items"));
                let text = |name: &str| headers[name].as_str().unwrap().to_owned();
                let [input, signature, digest] = ["signature-input", "signature", "content-digest"].map(text);
                let mut event = kind.event_without_token("POST", "/items");
                event["requestContext"]["domainName"] = json!(DOMAIN);
                let fields = [("signature-input", &*input), ("signature", &*signature), ("content-digest", &*digest)];
                let event = with_headers(event, &fields);
                let what = format!("{name}, {}, {kind:?}", signer.algorithm);
                cases.check(&what, &stage.function.ask(&event), "allow");
                cases.check(format!("{what}: again"), &stage.function.ask(&event), "bad_signature");
            }
            let headers = signed_by(&client, signer, &format!("https://{DOMAIN}/test/items"));
            let text = |name: &str| headers[name].as_str().unwrap().to_owned();
            let [input, signature] = ["signature-input", "signature"].map(text);
            let mut event = Kind::Http2.event_without_token("POST", "/items");
            event["requestContext"]["domainName"] = json!(DOMAIN);
            let fields =
                [("signature-input", &*input), ("signature", &*signature), ("content-digest", "sha-256=:AAAA:")];
            let what = format!("{name}, {}: another digest", signer.algorithm);
            cases.check(what, &stage.function.ask(&with_headers(event, &fields)), "bad_signature");
        }
    }
}
