//! What keeps the function warm is no request: keys that are due are fetched, and nothing is decided.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::config::one_pool;
use crate::emf::Emf;
use crate::events::Kind;
use crate::jwks_server::{Page, Site};
use crate::runtime_api::{Function, Setup};
use crate::tokens::{Token, cognito_jwks};
use crate::verdict::{Answer, Cases};

const JWKS: &str = "/jwks.json";
const PROCESSES: [(&str, &[(&str, &str)]); 2] =
    [("the loop of its own", &[]), ("Managed Instances", &[("AWS_LAMBDA_MAX_CONCURRENCY", "8")])];

fn start(config: &str, environment: &[(&str, &str)]) -> Function {
    environment.iter().fold(Setup::config(config), |setup, (name, value)| setup.env(name, value)).start()
}

fn pings() -> [Value; 4] {
    let schedule = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-11-29T12:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/warm"], "detail": {},
    });
    [json!({}), json!({ "source": "serverless-plugin-warmup" }), schedule, json!({ "warmer": true, "concurrency": 3 })]
}

fn said(function: &Function, message: &str) -> Vec<Value> {
    let lines = function.stdout().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

#[test]
fn a_ping_is_answered_and_logged_as_one_and_decides_nothing() {
    for (process, environment) in PROCESSES {
        let cases = Cases::default();
        let site = Site::with_keys(&cognito_jwks());
        let metrics = "routes: { $default: {} }\nmetrics: { namespace: Authorizer }";
        let function = start(&one_pool(&site.url(JWKS), metrics), environment);
        for ping in pings() {
            let (_, answer) = function.send(&ping.to_string());
            cases.equal(format!("{process}: {ping}"), matches!(answer, Answer::Response(_)), true);
            cases.equal(format!("{process}: {ping}"), answer.text(), r#"{"keepWarm":true}"#);
        }
        let verdict = function.ask(&Kind::RestToken.event("GET", "/", &format!("Bearer {}", Token::access().text())));
        cases.check(process, &verdict, "allow");
        function.end();
        let lines = said(&function, "keep_warm");
        cases.equal(process, lines.len(), pings().len());
        for line in &lines {
            cases.equal(process, &line["level"], "INFO");
            cases.is(format!("{process}: {line}"), line["request_id"].is_string() && line["duration_us"].is_u64());
            cases.is(format!("{process}: {line}"), line.get("decision").is_none() && line.get("reason").is_none());
        }
        cases.equal(process, said(&function, "decision").len(), 1);
        let metric_lines: Vec<String> =
            function.stdout().into_iter().filter(|line| line.contains("\"_aws\"")).collect();
        cases.equal(process, metric_lines.len(), 1);
        cases.equal(process, Emf::parse(&metric_lines[0]).sum("Decisions"), 1.0);
    }
}

#[test]
fn what_is_no_object_stays_a_malformed_event() {
    let site = Site::with_keys(&cognito_jwks());
    for (process, environment) in PROCESSES {
        let cases = Cases::default();
        let function = start(&one_pool(&site.url(JWKS), "routes: { $default: {} }"), environment);
        for event in ["[]", "[{}]", "null", "7", "\"serverless-plugin-warmup\"", "{\"source\":", "{\"a\"}"] {
            let (_, answer) = function.send(event);
            cases.is(format!("{process}: {event}"), matches!(answer, Answer::Error(_)));
            cases.is(format!("{process}: {event}"), answer.text().contains("malformed_event"));
        }
        cases.equal(process, said(&function, "keep_warm").len(), 0);
    }
}

#[test]
fn keys_that_are_due_are_fetched_before_the_answer() {
    let cases = Cases::default();
    let site = Site::with_keys(&cognito_jwks());
    let settings = "routes: { $default: {} }\njwks: { max_age: 1s }";
    let function = Function::start(&one_pool(&site.url(JWKS), settings));
    let ping = || function.send("{}").1;
    ping();
    cases.equal("the keys that are fetched at the start are waited for", site.visits(JWKS), 1);
    ping();
    cases.equal("young keys are left alone", site.visits(JWKS), 1);
    thread::sleep(Duration::from_millis(1_100));
    ping();
    cases.equal("old keys are fetched anew", site.visits(JWKS), 2);
    thread::sleep(Duration::from_millis(1_100));
    site.page(JWKS, Page::Hang);
    let started = std::time::Instant::now();
    cases.equal("an issuer that hangs", ping().text(), r#"{"keepWarm":true}"#);
    cases.is("the time-out ends the wait", started.elapsed() < Duration::from_secs(10));
}

#[test]
fn keys_that_could_not_be_fetched_are_tried_again() {
    let cases = Cases::default();
    let site = Site::start();
    let function = Function::start(&one_pool(&site.url(JWKS), "routes: { $default: {} }"));
    site.wait_for_visits(JWKS, 1);
    function.send("{}");
    site.page(JWKS, Page::json(&cognito_jwks()));
    function.send("{}");
    let visits = site.visits(JWKS);
    let verdict = function.ask(&Kind::RestToken.event("GET", "/", &format!("Bearer {}", Token::access().text())));
    cases.check("the keys are there", &verdict, "allow");
    cases.equal("and no request had to fetch them", site.visits(JWKS), visits);
}
