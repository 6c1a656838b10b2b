//! Invented keys, and many requests with one key: how often the table is read.

use serde_json::json;
use std::time::Duration;

use crate::api_keys::stage::{Key, OPEN, Stage};
use crate::emf::Emf;
use crate::stub::Answer;
use crate::stub::dynamodb::{GET_ITEM, keys};

/// The table has this key alone.
fn stage(key: &Key, settings: &str) -> Stage {
    let stage = Stage::api_keys(settings, "");
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    stage
}

/// The key with another letter somewhere in its secret: its checksum is wrong.
fn damaged(key: &Key, place: usize) -> String {
    let mut text: Vec<u8> = key.text.clone().into_bytes();
    let place = 21 + place % 32;
    text[place] = if text[place] == b'x' { b'y' } else { b'x' };
    String::from_utf8(text).unwrap()
}

#[test]
fn a_flood_of_keys_with_wrong_checksums_reads_nothing() {
    let key = Key::new();
    let stage = stage(&key, "");
    for number in 0..200 {
        assert_eq!(stage.ask_by_key(OPEN, &damaged(&key, number)).outcome(), "invalid_key");
    }
    assert_eq!(stage.reads(), 0);
}

#[test]
fn a_flood_of_one_id_with_other_secrets_is_one_read_and_the_real_key_is_taken_all_the_while() {
    let key = Key::new();
    let stage = stage(&key, "");
    for _ in 0..50 {
        // Well formed, with a right checksum, and that key's id: anybody can make such a text.
        let invented = with_id_of(&key);
        assert_eq!(stage.ask_by_key(OPEN, &invented).outcome(), "invalid_key");
        assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    }
    assert_eq!(stage.reads(), 1);
}

#[test]
fn an_invented_id_is_read_once_and_a_flood_of_them_pushes_no_record_out() {
    let key = Key::new();
    let stage = stage(&key, "");
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    let invented: Vec<String> = (0..100).map(|_| Key::new().text).collect();
    for _ in 0..3 {
        for text in &invented {
            assert_eq!(stage.ask_by_key(OPEN, text).outcome(), "invalid_key");
        }
    }
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    assert_eq!(stage.reads(), 101, "the key, and each invented id once");
}

#[test]
fn without_a_cache_each_request_reads() {
    let key = Key::new();
    let stage = stage(&key, ", cache: 0s");
    for _ in 0..3 {
        assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
        assert_eq!(stage.ask_by_key(OPEN, &Key::new().text).outcome(), "invalid_key");
    }
    assert_eq!(stage.reads(), 6);
}

#[test]
fn a_record_is_read_again_after_the_cache_and_a_new_key_is_taken_then() {
    let key = Key::new();
    let stage = stage(&key, ", cache: 1s");
    stage.stub.answer(GET_ITEM, keys(&[]));
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "invalid_key");
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(stage.ask_by_key(OPEN, &key.text).outcome(), "allow");
    assert_eq!(stage.reads(), 2);
}

#[test]
fn while_the_table_is_dead_requests_do_not_wait_and_none_is_allowed() {
    let stage = Stage::api_keys("", "");
    stage.stub.answer(GET_ITEM, Answer::Hang);
    let outcomes: Vec<String> = (0..8).map(|_| stage.ask_by_key(OPEN, &Key::new().text).outcome().to_owned()).collect();
    assert!(outcomes.iter().all(|outcome| outcome == "keys_unavailable"), "{outcomes:?}");
    // A lost call may have been tried twice; after three lost ones the breaker asks nobody for a while.
    assert!(stage.reads() <= 6, "{}", stage.reads());
    let details: Vec<_> = (0..2).map(|_| stage.ask_by_key(OPEN, &Key::new().text).log["detail"].clone()).collect();
    assert!(details.contains(&json!("nobody answered lately")), "{details:?}");
}

#[test]
fn reads_are_counted_in_the_metrics() {
    let key = Key::new();
    let stage = stage_with_metrics(&key);
    stage.ask_by_key(OPEN, &key.text);
    stage.ask_by_key(OPEN, &key.text);
    let lines = stage.function.metric_lines(2);
    let reads: Vec<usize> = lines.iter().map(|line| Emf::parse(line).values("KeyReadDuration").len()).collect();
    assert_eq!(reads, [1, 0]);
}

fn stage_with_metrics(key: &Key) -> Stage {
    let stage = Stage::api_keys("", "metrics: { namespace: N }");
    stage.stub.answer(GET_ITEM, keys(std::slice::from_ref(&key.item)));
    stage
}

/// Another secret behind that key's id, with its checksum.
fn with_id_of(key: &Key) -> String {
    use cognito_authorizer::credentials::{DEFAULT_PREFIX, NewApiKey};
    // The first 16 bytes that are asked for become the id.
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut id = key.id.bytes().map(|letter| letters.iter().position(|known| *known == letter).unwrap() as u8);
    let fill = |bytes: &mut [u8]| match id.next() {
        Some(number) => {
            bytes.fill(number);
            Ok(())
        }
        None => aws_lc_rs::rand::fill(bytes),
    };
    NewApiKey::make(DEFAULT_PREFIX, fill).unwrap().unwrap().text().to_owned()
}
