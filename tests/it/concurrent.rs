//! Several invocations in flight in one process, as Lambda Managed Instances send them.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::config::one_pool;
use crate::events::Kind;
use crate::jwks_server::{Page, Site};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{CLIENT, Key, POOL, Token, cognito_jwks};
use crate::verdict::{Cases, Verdict};

const JWKS: &str = "/jwks.json";

fn eight_at_once(config: &str) -> Function {
    Setup::config(config).env("AWS_LAMBDA_MAX_CONCURRENCY", "8").start()
}

fn ask(function: &Function, token: &str) -> Verdict {
    function.ask(&Kind::Http2.event("GET", "/", &format!("Bearer {token}")))
}

#[test]
fn eight_in_flight_share_one_fetch_and_each_gets_its_own_answer() {
    let site = Site::start();
    site.page(JWKS, Page::After(Duration::from_millis(500), Box::new(Page::json(&cognito_jwks()))));
    let function = eight_at_once(&one_pool(&site.url(JWKS), "routes: { $default: {} }\njwks: { timeout: 20s }"));
    let verdicts = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let function = &function;
                scope.spawn(move || {
                    let subject = format!("user-{number}");
                    let good = Token::access().claim("sub", json!(subject)).text();
                    let forged = Token::access().key(Key::RsaC).header("kid", json!("rsa-a")).text();
                    let ask = |_| [ask(function, &good), ask(function, &forged)];
                    (subject, (0..10).map(ask).collect::<Vec<_>>())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let cases = Cases::default();
    for (subject, verdicts) in verdicts {
        for [good, forged] in verdicts {
            cases.check(&subject, &good, "allow");
            cases.equal("whose context it is", good.context()["sub"].as_str(), Some(subject.as_str()));
            cases.check("forged", &forged, "bad_signature");
        }
    }
    cases.equal("fetches", site.visits(JWKS), 1);
}

#[test]
fn one_that_waits_for_its_issuer_holds_up_no_other() {
    let (site, slow) = (Site::with_keys(&cognito_jwks()), Site::start());
    slow.page(JWKS, Page::Hang);
    let other_pool = "us-east-1_ZyXwVu987";
    let function = eight_at_once(&format!(
        "issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: {CLIENT}, jwks_uri: '{}' }}
  - cognito: {{ user_pool_id: {other_pool}, client_ids: {CLIENT}, jwks_uri: '{}' }}
routes: {{ $default: {{}} }}
jwks: {{ timeout: 4s }}",
        site.url(JWKS),
        slow.url(JWKS),
    ));
    let issuer = json!(format!("https://cognito-idp.us-east-1.amazonaws.com/{other_pool}"));
    let of_other = Token::access().claim("iss", issuer).text();
    let cases = Cases::default();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&function, &of_other));
        for _ in 0..3 {
            cases.check("an issuer whose keys are there", &ask(&function, &Token::access().text()), "allow");
        }
        cases.is("the other one still waits", !waiting.is_finished());
        cases.check("in the end", &waiting.join().unwrap(), "jwks_unavailable");
    });
}

#[test]
fn what_is_no_number_above_one_is_one_at_a_time() {
    let site = Site::with_keys(&cognito_jwks());
    let cases = Cases::default();
    for most in ["1", "0", "", "-1", "many"] {
        let config = one_pool(&site.url(JWKS), "routes: { $default: {} }");
        let function = Setup::config(&config).env("AWS_LAMBDA_MAX_CONCURRENCY", most).start();
        cases.check(format!("`{most}`"), &ask(&function, &Token::access().text()), "allow");
    }
}
