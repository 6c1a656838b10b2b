//! Metrics in the log: nothing without the section, one line in CloudWatch's format for each invocation with it.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::emf::Emf;
use crate::events::Kind;
use crate::jwks_server::{Page, Site, dead_url};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{CLIENT, ISSUER, Key, READER_SUB, Token, cognito_jwks, now};
use crate::verdict::{Cases, FORBIDDEN, UNAUTHORIZED, UNAVAILABLE, Verdict};

const ROUTES: &str = "
routes:
  GET /items: { any_scope: [https://api.example.com/read] }
  ANY /users/{id}/{proxy+}: { any_group: [admin] }
";

const METRICS: &str = "metrics: { namespace: Shop/Authorizer }\n";

/// One function, and the metric line of each of its invocations.
struct Metered {
    function: Function,
    lines: std::cell::Cell<usize>,
}

impl Metered {
    fn start(jwks_uri: &str, more: &str) -> Metered {
        let config = one_pool(jwks_uri, &format!("{ROUTES}{METRICS}{more}"));
        Metered { function: Function::start(&config), lines: std::cell::Cell::new(0) }
    }

    #[track_caller]
    fn ask(&self, event: &Value) -> (Verdict, Emf) {
        let verdict = self.function.ask(event);
        self.lines.set(self.lines.get() + 1);
        let lines = self.function.metric_lines(self.lines.get());
        assert_eq!(lines.len(), self.lines.get(), "one line for one invocation");
        (verdict, Emf::parse(lines.last().unwrap()))
    }
}

fn event(path: &str, token: &Token) -> Value {
    Kind::Http2.event("GET", path, &format!("Bearer {}", token.text()))
}

fn good() -> Value {
    event("/items", &Token::access())
}

#[test]
fn without_the_section_nothing_is_written() {
    let site = Site::with_keys(&cognito_jwks());
    let function = Function::start(&one_pool(&site.url("/jwks.json"), ROUTES));
    for event in [good(), event("/items", &Token::writer()), json!({ "type": "OTHER" })] {
        function.ask(&event);
    }
    function.end();
    assert!(function.stdout().len() > 2);
    for line in function.everything_said() {
        assert!(!line.contains("_aws") && !line.contains("CloudWatchMetrics"), "{line}");
    }
}

#[test]
fn each_invocation_has_a_line_that_tells_what_its_decision_line_tells() {
    let site = Site::with_keys(&cognito_jwks());
    let metered = Metered::start(&site.url("/jwks.json"), "");
    let cases = Cases::default();
    let forged = Token::access().key(Key::RsaC).header("kid", json!("rsa-a"));
    for (event, outcome) in [
        (good(), "allow"),
        (good(), "allow"),
        (event("/items", &Token::writer()), "insufficient_scope"),
        (event("/nowhere", &Token::access()), "no_route"),
        (event("/items", &forged), "bad_signature"),
        (event("/items", &Token::access().claim("exp", json!(now() - 600))), "token_expired"),
        (Kind::Http2.event_without_token("GET", "/items"), "missing_token"),
        (json!({ "type": "OTHER" }), "malformed_event"),
    ] {
        let (verdict, emf) = metered.ask(&event);
        cases.equal("outcome", verdict.outcome(), outcome);
        cases.equal("namespace", emf.namespace.as_str(), "Shop/Authorizer");
        let label = |dimension: &str| emf.labels.get(dimension).map(String::as_str);
        cases.equal("Decision", label("Decision"), verdict.log["decision"].as_str());
        cases.equal("Reason", label("Reason"), verdict.log["reason"].as_str());
        let decisions = &emf.metrics["Decisions"];
        cases.equal("Decisions", decisions.values.as_slice(), [1.0].as_slice());
        cases.equal("the unit of Decisions", decisions.unit.as_str(), "Count");
        let sets: &[&[&str]] = if outcome == "allow" { &[&["Decision"]] } else { &[&["Decision"], &["Reason"]] };
        cases.equal("the dimensions of Decisions", decisions.dimensions.as_slice(), sets);
        let duration = &emf.metrics["Duration"];
        let logged = verdict.log["duration_us"].as_f64().unwrap();
        cases.equal("Duration", duration.values.as_slice(), [logged].as_slice());
        cases.equal("the unit of Duration", duration.unit.as_str(), "Microseconds");
        cases.equal("the dimensions of Duration", duration.dimensions.as_slice(), [[""; 0]].as_slice());
    }
}

#[test]
fn a_cold_start_is_the_first_invocation_of_a_process() {
    let site = Site::with_keys(&cognito_jwks());
    for first in [good(), json!({ "type": "OTHER" })] {
        let metered = Metered::start(&site.url("/jwks.json"), "");
        let starts: Vec<f64> =
            [first, good(), good()].iter().map(|event| metered.ask(event).1.sum("ColdStarts")).collect();
        assert_eq!(starts, [1.0, 0.0, 0.0]);
    }
}

#[test]
fn fetches_of_keys_are_counted_once_each() {
    let cases = Cases::default();
    let fetches = |(_, emf): (Verdict, Emf)| (emf.sum("JwksFetches"), emf.sum("JwksFetchFailures"));
    let site = Site::with_keys(&cognito_jwks());
    let metered = Metered::start(&site.url("/jwks.json"), "jwks: { cooldown: 1h }\n");
    // The one that was made while the function started.
    cases.equal("the first", fetches(metered.ask(&good())), (1.0, 0.0));
    cases.equal("keys that are held", fetches(metered.ask(&good())), (0.0, 0.0));
    let stray = |kid: &str| event("/items", &Token::access().header("kid", json!(kid)));
    cases.equal("an unknown key", fetches(metered.ask(&stray("one"))), (1.0, 0.0));
    cases.equal("the same again", fetches(metered.ask(&stray("one"))), (0.0, 0.0));
    site.page("/jwks.json", Page::Status(500));
    let (verdict, emf) = metered.ask(&stray("two"));
    cases.equal("a failure", verdict.outcome(), "jwks_unavailable");
    cases.equal("a failure", fetches((verdict, emf)), (1.0, 1.0));
    cases.equal("keys that are still held", fetches(metered.ask(&good())), (0.0, 0.0));
    cases.equal("all fetches", site.visits("/jwks.json"), 3);

    let metered = Metered::start(&dead_url(), "");
    let (mut made, mut failed) = (0.0, 0.0);
    for _ in 0..5 {
        let (verdict, emf) = metered.ask(&good());
        cases.equal("an issuer that is down", verdict.outcome(), "jwks_unavailable");
        cases.equal("an issuer that is down", emf.labels["Decision"].as_str(), "unavailable");
        made += emf.sum("JwksFetches");
        failed += emf.sum("JwksFetchFailures");
    }
    // The start's, and as many as the cooldown admits.
    cases.equal("fetches that failed", (made, failed), (3.0, 3.0));
}

#[test]
fn a_fetch_behind_a_requests_back_is_in_a_later_line() {
    let site = Site::with_keys(&cognito_jwks());
    let metered = Metered::start(&site.url("/jwks.json"), "jwks: { max_age: 2s }\n");
    metered.ask(&good());
    std::thread::sleep(Duration::from_millis(2100));
    // Between two and four seconds of age: answered from what is held, fetched anew meanwhile.
    site.page("/jwks.json", Page::After(Duration::from_millis(200), Box::new(Page::json(&cognito_jwks()))));
    assert_eq!(metered.ask(&good()).1.sum("JwksFetches"), 0.0);
    site.wait_for_visits("/jwks.json", 2);
    std::thread::sleep(Duration::from_millis(400));
    let counted: f64 = (0..3).map(|_| metered.ask(&good()).1.sum("JwksFetches")).sum();
    assert_eq!(counted, 1.0);
}

#[test]
fn no_line_holds_anything_of_a_token_a_request_or_the_configuration() {
    let site = Site::with_keys(&cognito_jwks());
    let metered = Metered::start(&site.url("/jwks.json"), "");
    let strange = Token::access()
        .header("kid", json!("kid-of-the-sender"))
        .claim("iss", json!("https://sender.example.com"))
        .claim("sub", json!("sub-of-the-sender"));
    for token in [Token::access(), strange.clone(), strange.claim("iss", json!(ISSUER)), Token::writer(), Token::id()] {
        for kind in Kind::ALL {
            for path in ["/items", "/users/7/secret-path", "/.."] {
                metered.ask(&kind.event("GET", path, &format!("Bearer {}", token.text())));
            }
        }
    }
    let lines = metered.function.metric_lines(metered.lines.get());
    let codes: Vec<&str> = [&UNAUTHORIZED[..], &FORBIDDEN, &UNAVAILABLE].concat();
    for line in &lines {
        let emf = Emf::parse(line);
        for (dimension, value) in &emf.labels {
            let known = match dimension.as_str() {
                "Decision" => ["allow", "forbidden", "unauthorized", "unavailable"].contains(&value.as_str()),
                "Reason" => codes.contains(&value.as_str()),
                _ => false,
            };
            assert!(known, "{dimension}: {value}");
        }
        for part in ["eyJ", "sender", "secret-path", "/items", "/users", "cognito-idp", CLIENT, READER_SUB, "rsa-a"] {
            assert!(!line.contains(part), "{part} in {line}");
        }
    }
}

#[test]
fn metrics_need_no_level_of_the_log() {
    let site = Site::with_keys(&cognito_jwks());
    for (filter, decisions) in [("off", 0), ("warn", 0), ("trace", 2)] {
        let config = one_pool(&site.url("/jwks.json"), &format!("{ROUTES}{METRICS}"));
        let function = Setup::config(&config).env("AUTHORIZER_LOG", filter).start();
        for _ in 0..2 {
            function.send(&good().to_string());
        }
        function.end();
        assert_eq!(function.decisions(), decisions, "{filter}");
        let stdout = function.stdout();
        let (metrics, rest): (Vec<_>, Vec<_>) = stdout.iter().partition(|line| line.contains("\"_aws\""));
        assert_eq!(metrics.len(), 2, "{filter}");
        metrics.iter().for_each(|line| drop(Emf::parse(line)));
        assert!(rest.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{filter}: {rest:?}");
    }
}

/// Another writer to the same pipe can come between two writes, never into one.
#[test]
fn each_line_is_one_write() {
    let site = Site::with_keys(&cognito_jwks());
    // Each write to this socket is a message of its own.
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let config = one_pool(&site.url("/jwks.json"), &format!("{ROUTES}{METRICS}"));
    let function = Setup::config(&config).stdout(OwnedFd::from(theirs).into()).start();
    let mut writes = Vec::new();
    let mut read_all = || {
        let mut message = vec![0; 64 * 1024];
        while let Ok(length) = ours.recv(&mut message) {
            writes.push(String::from_utf8(message[..length].to_vec()).unwrap());
        }
    };
    for _ in 0..3 {
        for event in [good(), event("/items", &Token::writer()), json!({ "type": "OTHER" })] {
            function.send(&event.to_string());
        }
        read_all();
    }
    let mut metrics = 0;
    for write in &writes {
        let line = write.strip_suffix('\n').unwrap_or_else(|| panic!("no whole line: {write}"));
        assert!(!line.contains('\n'), "more than a line: {write}");
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {write}"));
        metrics += usize::from(line.contains("\"_aws\""));
    }
    assert_eq!(metrics, 9, "{writes:#?}");
}
