//! The issuer changes its keys while requests keep coming.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::jwks_server::Page;
use crate::stage::{JWKS, Stage, Tally};
use crate::tokens::{Key, Token, jwk_set};

const ROTATIONS: usize = 9;
const EACH: Duration = Duration::from_millis(600);
const MAX_AGE: Duration = Duration::from_millis(200);
const COOLDOWN: Duration = Duration::from_millis(300);

/// The key of a rotation: two pairs of numbers take turns, each time under a name that never was.
fn key(rotation: usize) -> (Key, String) {
    let key = if rotation.is_multiple_of(2) { Key::RsaA } else { Key::RsaB };
    (key, format!("rotation-{rotation}"))
}

fn token(rotation: usize) -> String {
    let (key, kid) = key(rotation);
    Token::access().key(key).header("kid", json!(kid)).text()
}

/// The set in which that key has just come, and the one before it is still there.
fn set(rotation: usize) -> Page {
    let rotations = [rotation, rotation.saturating_sub(1)];
    let keys = rotations.map(|rotation| {
        let (key, kid) = key(rotation);
        key.jwk_with(json!({ "kid": kid, "use": "sig", "alg": "RS256" }))
    });
    Page::json(&jwk_set(&keys))
}

#[test]
fn a_rotation_under_load_fails_no_request_and_lets_no_withdrawn_key_live() {
    let stage = Stage::with(set(0), "max_age: 200ms, cooldown: 300ms");
    assert_eq!(stage.ask(&token(0)), "allow");
    let before = stage.fetches();
    let (mut current, mut previous, mut withdrawn, mut forgeries) =
        (Tally::default(), Tally::default(), Tally::default(), Tally::default());
    let started = Instant::now();
    for rotation in 1..=ROTATIONS {
        // The new key signs from now on; the one before it is still published, the one before that no more.
        let (now, then) = (token(rotation), token(rotation - 1));
        let gone = rotation.checked_sub(2).map(token);
        let (_, kid) = key(rotation);
        let forged = Token::access().key(Key::RsaC).header("kid", json!(kid)).text();
        stage.site.page(JWKS, set(rotation));
        let rotated = Instant::now();
        while rotated.elapsed() < EACH {
            current.add(&stage.ask(&now));
            previous.add(&stage.ask(&then));
            // Within twice `max_age` it may still pass.
            if let Some(gone) = gone.as_ref().filter(|_| rotated.elapsed() > 2 * MAX_AGE) {
                withdrawn.add(&stage.ask(gone));
            }
            forgeries.add(&stage.ask(&forged));
        }
    }
    current.assert_only("the current key", &["allow"]);
    previous.assert_only("the previous key", &["allow"]);
    withdrawn.assert_only("a withdrawn key", &["unknown_key"]);
    forgeries.assert_only("forged", &["bad_signature"]);
    assert!(withdrawn.of("unknown_key") > 0, "no withdrawn key was tried");
    let (fetches, elapsed) = (stage.fetches() - before, started.elapsed());
    // One for each age, one for each new key, and one each cooldown for the key that is gone.
    let times = |span: Duration| usize::try_from(elapsed.as_millis() / span.as_millis()).unwrap() + 1;
    let most = times(MAX_AGE) + ROTATIONS + times(COOLDOWN);
    assert!(fetches <= most, "{fetches} fetches, {most} at most");
    println!(
        "{ROTATIONS} rotations in {elapsed:?}: {} requests, 0 wrong decisions, 0 failed, {fetches} fetches",
        [&current, &previous, &withdrawn, &forgeries].iter().flat_map(|tally| tally.0.values()).sum::<usize>(),
    );
}
