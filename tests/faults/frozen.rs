//! Lambda freezes the process between invocations, for a second or an hour, whatever it was doing; when it is thawed, its
//! connections are dead and its timers late. An hour is here some multiples of `max_age`.

use std::process::Command;
use std::time::Duration;

use crate::jwks_server::Page;
use crate::runtime_api::Function;
use crate::stage::{JWKS, Stage, page, wait};
use crate::tokens::Key;

fn signal(function: &Function, name: &str) {
    let status = Command::new("kill").args([name, &function.process_id().to_string()]).status().unwrap();
    assert!(status.success(), "kill {name}");
}

/// Frozen for so long; `meanwhile` is what happens in the world.
fn freeze(stage: &Stage, milliseconds: u64, meanwhile: impl FnOnce()) {
    signal(&stage.function, "-STOP");
    meanwhile();
    wait(milliseconds);
    signal(&stage.function, "-CONT");
}

#[test]
fn keys_that_were_withdrawn_during_the_freeze_are_dead_at_the_first_request() {
    let stage = Stage::with(page(&[Key::RsaA, Key::RsaB]), "max_age: 300ms, cooldown: 1h");
    assert_eq!([stage.ask_of(Key::RsaA), stage.ask_of(Key::RsaB)], ["allow", "allow"]);
    freeze(&stage, 1_500, || stage.site.page(JWKS, page(&[Key::RsaB, Key::RsaC])));
    assert_eq!(stage.ask_of(Key::RsaA), "unknown_key");
    assert_eq!([stage.ask_of(Key::RsaB), stage.ask_of(Key::RsaC)], ["allow", "allow"]);
    // The withdrawn key is looked up, since a fetch that came before its request could not know it.
    assert!((2..=5).contains(&stage.fetches()), "{} fetches", stage.fetches());
}

#[test]
fn a_refresh_that_dies_in_the_freeze_fails_no_request() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 300ms, cooldown: 1h");
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    wait(350);
    // The request is served with old keys, and a refresh is left under way.
    stage.site.page(JWKS, Page::After(Duration::from_millis(200), Box::new(Page::HangUp)));
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    stage.site.wait_for_visits(JWKS, 2);
    freeze(&stage, 1_000, || stage.site.page(JWKS, page(&[Key::RsaA, Key::RsaB])));
    assert_eq!([stage.ask_of(Key::RsaA), stage.ask_of(Key::RsaB)], ["allow", "allow"]);
    // On a slow machine the keys are of age again between the two.
    assert!((3..=4).contains(&stage.fetches()), "{} fetches", stage.fetches());
}

#[test]
fn a_first_fetch_that_dies_in_the_freeze_fails_no_request() {
    for (what, page_then) in [
        ("the connection was closed", Page::After(Duration::from_millis(200), Box::new(Page::HangUp))),
        ("the connection is half-open", Page::Hang),
    ] {
        let stage = Stage::with(page_then, "max_age: 1h, cooldown: 1h");
        // Fetched ahead of the first request, while the function starts.
        stage.site.wait_for_visits(JWKS, 1);
        freeze(&stage, 1_200, || stage.site.page(JWKS, page(&[Key::RsaA])));
        assert_eq!(stage.ask_of(Key::RsaA), "allow", "{what}");
        assert_eq!(stage.fetches(), 2, "{what}");
    }
}

#[test]
fn a_fetch_that_is_half_open_after_the_freeze_holds_nobody_up() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 300ms, cooldown: 1h");
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    wait(350);
    stage.site.page(JWKS, Page::Hang);
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    stage.site.wait_for_visits(JWKS, 2);
    freeze(&stage, 1_000, || stage.site.page(JWKS, page(&[Key::RsaA, Key::RsaB])));
    assert_eq!([stage.ask_of(Key::RsaB), stage.ask_of(Key::RsaA)], ["allow", "allow"]);
    assert!((3..=4).contains(&stage.fetches()), "{} fetches", stage.fetches());
}

/// The answer lay in the socket while the process did not run: it comes in at once, and is as old as the freeze.
#[test]
fn an_answer_from_before_the_freeze_is_no_news() {
    let stage = Stage::with(page(&[Key::RsaA, Key::RsaB]), "max_age: 400ms, cooldown: 1h");
    assert_eq!(stage.ask_of(Key::RsaA), "allow");
    wait(450);
    stage.site.page(JWKS, Page::After(Duration::from_millis(300), Box::new(page(&[Key::RsaA, Key::RsaB]))));
    assert_eq!(stage.ask_of(Key::RsaB), "allow");
    stage.site.wait_for_visits(JWKS, 2);
    freeze(&stage, 1_500, || stage.site.page(JWKS, page(&[Key::RsaB, Key::RsaC])));
    assert_eq!([stage.ask_of(Key::RsaA), stage.ask_of(Key::RsaC)], ["unknown_key", "allow"]);
}

#[test]
fn frozen_and_thawed_again_and_again() {
    let stage = Stage::with(page(&[Key::RsaA]), "max_age: 200ms, cooldown: 200ms");
    for round in 0..10 {
        let keys = if round % 2 == 0 { [Key::RsaA, Key::RsaB] } else { [Key::RsaB, Key::RsaC] };
        freeze(&stage, 450, || stage.site.page(JWKS, page(&keys)));
        assert_eq!([stage.ask_of(keys[0]), stage.ask_of(keys[1])], ["allow", "allow"], "round {round}");
    }
    assert!(stage.fetches() <= 31, "{} fetches", stage.fetches());
}
