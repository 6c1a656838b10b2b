//! No key, secret part of a key, or hash in any output, at the most talkative log level, whatever the table says.

use serde_json::json;

use crate::api_keys::stage::{AWS_SECRET, Key, LIVE, OPEN, ROUTES, Stage, api_keys, event_with_key};
use crate::events::{Kind, rest_token};
use crate::stub::dynamodb::{CORAL, GET_ITEM, error, keys, reply};

#[test]
fn nothing_of_a_key_is_ever_seen_outside() {
    let rest = format!("{ROUTES}revocations: {{ table: revocations, check: all }}\n");
    let stage = Stage::start_with(&api_keys(", cache: 0s"), &rest, &[("AUTHORIZER_LOG", "trace")]);
    let mut secrets = vec![AWS_SECRET.to_owned()];
    let mut remember = |key: &Key| {
        let secret = key.text.split('_').next_back().unwrap();
        let hash = key.item["sha256"]["S"].as_str().unwrap_or_default();
        secrets.extend([&key.text, secret, &secret[..16], &secret[16..32], hash].map(str::to_owned));
    };
    for kind in Kind::ALL {
        let key = Key::new();
        stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
        stage.function.ask(&event_with_key(kind, OPEN, &key.text));
        stage.function.ask(&event_with_key(kind, LIVE, &key.text));
        remember(&key);
        // A typing error, a key that the table does not have, one of another id, one with words around it.
        let (stranger, typo) = (Key::new(), format!("{}0", &key.text[..key.text.len() - 1]));
        for text in
            [typo, stranger.text.clone(), format!("Bearer {}", key.text), format!("{},{}", key.text, stranger.text)]
        {
            stage.function.ask(&event_with_key(kind, OPEN, &text));
        }
        remember(&stranger);
    }
    for index in 0..4 {
        let key = Key::new();
        let (text, hash) = (&key.text, key.item["sha256"]["S"].as_str().unwrap());
        let answer = match index {
            0 => error(400, CORAL, text),
            1 => error(400, CORAL, hash),
            2 => reply(200, &json!({ "Item": { "pk": { "S": text }, "sha256": { "S": text } } })).into(),
            _ => reply(200, &json!({ "Item": { "sha256": { "S": format!("{hash}x") }, "sub": { "N": text } } })).into(),
        };
        stage.stub.answer(GET_ITEM, answer);
        stage.ask_by_key(OPEN, text);
        stage.function.ask(&rest_token("GET", OPEN, text));
        remember(&key);
    }
    let said = stage.function.everything_said();
    assert!(said.iter().any(|line| line.contains("invalid_key")), "the search can find something at all");
    for secret in &secrets {
        let shown: Vec<&String> = said.iter().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{shown:#?}");
    }
}
