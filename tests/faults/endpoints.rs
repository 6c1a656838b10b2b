//! The endpoint of the keys goes bad, before the function starts or while it is warm.

use std::time::Duration;

use serde_json::json;

use crate::jwks_server::{Page, Site};
use crate::stage::{JWKS, Stage, Tally, page, set, wait};
use crate::tokens::{Key, Token, jwk_set};

/// Everything that an endpoint may do but give the keys.
fn faults(elsewhere: &Site) -> Vec<(&'static str, Page)> {
    let good = set(&[Key::RsaA]);
    // Where a redirect leads there would be keys: the attacker's under a trusted name.
    elsewhere.page("/keys", Page::json(&jwk_set(&[Key::RsaC.jwk_with(json!({ "kid": "rsa-a" }))])));
    let mut padded = good.clone();
    padded["padding"] = json!("p".repeat(10 << 20));
    vec![
        ("slow beyond the time-out", Page::After(Duration::from_secs(2), Box::new(Page::json(&good)))),
        ("half-open: takes the request, never answers", Page::Hang),
        ("a byte each 100 ms", Page::Trickle(good.to_string())),
        ("closes without an answer", Page::HangUp),
        ("closes in the middle of the body", Page::CutOff(good.to_string())),
        ("no HTTP", Page::Noise),
        ("500", Page::Status(500)),
        ("503", Page::Status(503)),
        ("429", Page::Status(429)),
        ("404", Page::Status(404)),
        ("HTML", Page::Body("<!doctype html><title>Sign in</title>".into())),
        ("nothing", Page::Body(String::new())),
        ("an empty set", Page::Body(r#"{"keys":[]}"#.into())),
        ("keys of another type alone", Page::json(&jwk_set(&[Key::P256.jwk()]))),
        ("ten megabytes", Page::json(&padded)),
        ("ten megabytes in chunks", Page::Chunked(padded.to_string())),
        ("half of the document", Page::Body(good.to_string()[..good.to_string().len() / 2].into())),
        ("a redirect elsewhere", Page::Redirect(302, elsewhere.url("/keys"), good.to_string())),
        ("a permanent redirect", Page::Redirect(308, elsewhere.url("/keys"), String::new())),
    ]
}

/// A good token, a forged one, one of a key that was never published.
fn tokens() -> [String; 3] {
    [
        Token::access().text(),
        Token::access().key(Key::RsaC).header("kid", json!("rsa-a")).text(),
        Token::access().key(Key::RsaB).text(),
    ]
}

#[test]
fn an_endpoint_that_goes_bad_fails_no_request_of_a_known_key() {
    let elsewhere = Site::start();
    let [good, forged, unknown] = tokens();
    println!(
        "| fault of the endpoint, function warm | requests | wrong decisions | failed, known key | failed, unknown key | fetches |"
    );
    for (what, fault) in faults(&elsewhere) {
        let stage = Stage::with(page(&[Key::RsaA]), "max_age: 200ms, cooldown: 1h");
        assert_eq!(stage.ask(&good), "allow", "{what}: warm");
        stage.site.page(JWKS, fault);
        let before = stage.fetches();
        wait(450);
        let (mut goods, mut forgeds, mut unknowns) = (Tally::default(), Tally::default(), Tally::default());
        for _ in 0..8 {
            goods.add(&stage.ask(&good));
            forgeds.add(&stage.ask(&forged));
            unknowns.add(&stage.ask(&unknown));
        }
        goods.assert_only(what, &["allow"]);
        forgeds.assert_only(what, &["bad_signature"]);
        unknowns.assert_only(what, &["jwks_unavailable"]);
        let fetches = stage.fetches() - before;
        assert!((1..=3).contains(&fetches), "{what}: {fetches} fetches within the cooldown");
        println!("| {what} | 24 | 0 | 0 | {} | {fetches} |", unknowns.of("jwks_unavailable"));
    }
    assert_eq!(elsewhere.all_visits(), 0, "a redirect was followed");
}

#[test]
fn an_endpoint_that_is_bad_from_the_start_admits_nobody_until_it_is_mended() {
    let elsewhere = Site::start();
    let [good, forged, unknown] = tokens();
    println!(
        "| fault of the endpoint, function cold | requests | wrong decisions | failed | fetches | after mending |"
    );
    for (what, fault) in faults(&elsewhere) {
        let stage = Stage::with(fault, "max_age: 1h, cooldown: 1s");
        let mut all = Tally::default();
        for token in [&good, &forged, &unknown, &good] {
            all.add(&stage.ask(token));
        }
        all.assert_only(what, &["jwks_unavailable"]);
        let fetches = stage.fetches();
        // The cooldown may have passed meanwhile, where each fetch takes its time.
        assert!((1..=6).contains(&fetches), "{what}: {fetches} fetches");
        stage.site.page(JWKS, page(&[Key::RsaA]));
        wait(1_100);
        let mended = [stage.ask(&good), stage.ask(&forged), stage.ask(&unknown)];
        assert_eq!(mended, ["allow", "bad_signature", "unknown_key"], "{what}");
        println!("| {what} | 4 | 0 | 4 | {fetches} | allow |");
    }
    assert_eq!(elsewhere.all_visits(), 0, "a redirect was followed");
}

/// A set that is well-formed and wrong is believed: the issuer says what its keys are. It harms until the next fetch.
#[test]
fn a_set_with_other_keys_under_the_same_names_is_believed_until_it_is_mended() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 300ms, cooldown: 1h");
    let [good, of_the_other_key, _] = tokens();
    assert_eq!([stage.ask(&good), stage.ask(&of_the_other_key)], ["allow", "bad_signature"]);
    let swapped = Key::RsaC.jwk_with(json!({ "kid": "rsa-a", "use": "sig", "alg": "RS256" }));
    stage.site.page(JWKS, Page::json(&jwk_set(&[swapped])));
    wait(700);
    assert_eq!([stage.ask(&good), stage.ask(&of_the_other_key)], ["bad_signature", "allow"]);
    stage.site.page(JWKS, page(&[Key::RsaA]));
    wait(700);
    assert_eq!([stage.ask(&good), stage.ask(&of_the_other_key)], ["allow", "bad_signature"]);
    // On a slow machine the keys are of age again between two requests.
    assert!((3..=6).contains(&stage.fetches()), "{} fetches", stage.fetches());
}

/// A fetch that was under way when the issuer rotated says nothing of the new key.
#[test]
fn a_key_that_came_during_a_fetch_is_not_called_unknown() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 1s, cooldown: 1h");
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    wait(1_100);
    stage.site.page(JWKS, Page::After(Duration::from_millis(400), Box::new(page(&[Key::RsaA]))));
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    stage.site.wait_for_visits(JWKS, 2);
    stage.site.page(JWKS, page(&[Key::RsaA, Key::RsaB]));
    assert_eq!([stage.ask_of(Key::RsaB), stage.ask_of(Key::RsaA)], ["allow", "allow"]);
    assert!((3..=4).contains(&stage.fetches()), "{} fetches", stage.fetches());
}

/// A slow endpoint that is not too slow: who must wait does, who need not does not.
#[test]
fn an_endpoint_that_is_slow_within_the_time_out_costs_no_request() {
    let slow = |keys: &[Key]| Page::After(Duration::from_millis(250), Box::new(page(keys)));
    let stage = Stage::with(slow(&[Key::RsaA]), "max_age: 1s, cooldown: 1h");
    let mut all = Tally::default();
    for _ in 0..20 {
        all.add(&stage.ask_of(Key::RsaA));
        wait(100);
    }
    stage.site.page(JWKS, slow(&[Key::RsaA, Key::RsaB]));
    all.add(&stage.ask_of(Key::RsaB));
    all.assert_only("slow", &["allow"]);
    assert!((2..=20).contains(&stage.fetches()), "{} fetches", stage.fetches());
}
