//! What the metrics tell of live checks: each call once, with its time, its failure, its throttle.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;

use crate::emf::Emf;
use crate::stage::{
    LIVE, OIDC_AUDIENCE, OPEN, Stage, TIMEOUT, WITH_TABLE, WITH_TABLE_ALWAYS, fresh, oidc, oidc_token, pool, token,
    unique,
};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER, admin_user, error, user};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, CORAL, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, user_info};
use crate::stub::{Answer, Reply};
use crate::tokens::{READER_SUB, Token, now};
use crate::verdict::Cases;

const METRICS: &str = "\nmetrics: { namespace: N }\n";
const INTROSPECTION: &str = "Introspection";
const TABLE: &str = "RevocationCheck";

/// The stage, and how many metric lines it has written.
struct Metered(Stage, Cell<usize>);

impl Metered {
    fn pool(introspection: &str, more: &str) -> Metered {
        Metered::start(&pool(introspection, more))
    }

    fn start(config: &str) -> Metered {
        Metered(Stage::start(&format!("{config}{METRICS}")), Cell::new(0))
    }

    /// The metric line of a request.
    #[track_caller]
    fn ask(&self, path: &str, token: &str) -> Emf {
        self.0.ask(path, token);
        self.1.set(self.1.get() + 1);
        let lines = self.0.function.metric_lines(self.1.get());
        assert_eq!(lines.len(), self.1.get(), "one line for one invocation");
        Emf::parse(lines.last().unwrap())
    }
}

/// How many calls were made, failed and were throttled.
fn calls(emf: &Emf, check: &str) -> (usize, f64, f64) {
    let sum = |what: &str| emf.sum(&format!("{check}{what}"));
    (emf.values(&format!("{check}Duration")).len(), sum("Failures"), sum("Throttles"))
}

const NONE: (usize, f64, f64) = (0, 0.0, 0.0);
const GOOD: (usize, f64, f64) = (1, 0.0, 0.0);
const FAILED: (usize, f64, f64) = (1, 1.0, 0.0);
const THROTTLED: (usize, f64, f64) = (1, 1.0, 1.0);

#[test]
fn every_way_to_ask_is_counted_with_its_failures_and_throttles() {
    let cases = Cases::default();
    let of_the_pool = |method: &str| Metered::pool(&format!("{{ method: {method}, timeout: {TIMEOUT} }}"), "");
    let too_many = || error("TooManyRequestsException", "Rate exceeded");
    let busy = || Answer::from(Reply::new(429, "{}"));
    let opaque = json!({ "sub": "user-7", "aud": OIDC_AUDIENCE, "exp": now() + 60 });
    let of_user_info = format!("user_info, endpoint: \"STUB{USER_INFO}\"");
    let cognito = || token().text();
    let foreign = || oidc_token().text();
    type Row = (Metered, &'static str, fn() -> String, &'static str, Answer, Answer);
    let rows: [Row; 5] = [
        (of_the_pool("get_user"), LIVE, cognito, GET_USER, user("reader", READER_SUB), too_many()),
        (
            of_the_pool("admin_get_user"),
            LIVE,
            cognito,
            ADMIN_GET_USER,
            admin_user("reader", READER_SUB, true, "CONFIRMED"),
            too_many(),
        ),
        (of_the_pool(&of_user_info), LIVE, cognito, USER_INFO, user_info(READER_SUB), busy()),
        (Metered::start(&oidc("", "", "")), LIVE, foreign, INTROSPECT, active(json!({})), busy()),
        (
            Metered::start(&oidc("      opaque_tokens: true\n", "", "")),
            OPEN,
            unique,
            INTROSPECT,
            active(opaque),
            busy(),
        ),
    ];
    for (row, (stage, path, token, operation, good, throttled)) in rows.into_iter().enumerate() {
        for (what, answer, expected) in [
            ("good", good.clone(), GOOD),
            ("throttled", throttled, THROTTLED),
            ("reset", Answer::Reset, FAILED),
            ("good", good, GOOD),
        ] {
            stage.0.stub.answer(operation, answer);
            let emf = stage.ask(path, &token());
            cases.equal(format!("{row} {operation}: {what}"), calls(&emf, INTROSPECTION), expected);
            cases.equal(format!("{row} {operation}: the table"), calls(&emf, TABLE), NONE);
        }
    }
}

#[test]
fn a_no_is_no_failure() {
    let stage = Metered::pool("{ method: get_user }", "");
    stage.0.stub.answer(GET_USER, error("NotAuthorizedException", "Access Token has been revoked"));
    let emf = stage.ask(LIVE, &token().text());
    assert_eq!(emf.labels["Reason"], "token_revoked");
    assert_eq!(calls(&emf, INTROSPECTION), GOOD);
}

#[test]
fn the_table_is_counted_beside_the_issuer() {
    let cases = Cases::default();
    let stage = Metered::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), WITH_TABLE_ALWAYS);
    for (what, answer, expected) in [
        ("good", table(&[]), GOOD),
        ("throttled", dynamodb::error(400, CORAL, "ProvisionedThroughputExceededException"), THROTTLED),
        ("denied", dynamodb::error(400, CORAL, "AccessDeniedException"), FAILED),
        ("good", table(&[]), GOOD),
    ] {
        stage.0.stub.answer(BATCH_GET_ITEM, answer);
        let emf = stage.ask(LIVE, &token().text());
        cases.equal(what, calls(&emf, TABLE), expected);
        cases.equal(format!("{what}: the issuer"), calls(&emf, INTROSPECTION), GOOD);
        let emf = stage.ask(OPEN, &token().text());
        cases.equal(format!("{what}, on an open route"), calls(&emf, TABLE), expected);
        cases.equal(format!("{what}, on an open route: the issuer"), calls(&emf, INTROSPECTION), NONE);
    }
}

#[test]
fn two_issuers_that_share_the_table_count_it_once() {
    let config = pool("{ method: get_user }", WITH_TABLE).replace(
        "\nroutes:",
        "  - oidc: { issuer: https://login.example.com, audience: \"api://orders\", jwks_uri: \"KEYS\" }\n\nroutes:",
    );
    let stage = Metered::start(&config);
    for token in [token().text(), oidc_token().text()] {
        assert_eq!(calls(&stage.ask(LIVE, &token), TABLE), GOOD);
    }
}

#[test]
fn each_call_has_its_own_time() {
    let stage = Metered::pool("{ method: get_user, timeout: 2s }", WITH_TABLE);
    stage.ask(LIVE, &token().text());
    stage.0.stub.answer(GET_USER, user("reader", READER_SUB).after(Duration::from_millis(300)));
    stage.0.stub.answer(BATCH_GET_ITEM, table(&[]).after(Duration::from_millis(1200)));
    // A busy machine makes a call longer, now and then: the shortest of a few counts.
    let mut shortest = [f64::INFINITY; 2];
    for _ in 0..4 {
        let emf = stage.ask(LIVE, &token().text());
        let took = [emf.sum("IntrospectionDuration"), emf.sum("RevocationCheckDuration")];
        assert!(took[0] >= 300_000.0 && took[1] >= 1_200_000.0, "{took:?}");
        assert!(emf.sum("Duration") >= took[1]);
        assert_eq!(emf.metrics["IntrospectionDuration"].unit, "Microseconds");
        shortest = [shortest[0].min(took[0]), shortest[1].min(took[1])];
        if shortest[0] < 1_000_000.0 && shortest[1] < 2_000_000.0 {
            return;
        }
    }
    panic!("{shortest:?}");
}

#[test]
fn what_was_not_asked_is_not_counted() {
    let cases = Cases::default();
    let stage = Metered::pool("{ method: get_user, timeout: 500ms, cache: 1h }", WITH_TABLE);
    let known = token().text();
    cases.equal("asked", calls(&stage.ask(LIVE, &known), INTROSPECTION), GOOD);
    let emf = stage.ask(LIVE, &known);
    cases.equal("remembered", calls(&emf, INTROSPECTION), NONE);
    cases.equal("the table remembers nothing", calls(&emf, TABLE), GOOD);
    // A machine's token has no user to ask for.
    cases.equal("a machine", calls(&stage.ask(LIVE, &fresh(Token::machine()).text()), INTROSPECTION), NONE);
    cases.equal("an open route", calls(&stage.ask(OPEN, &token().text()), INTROSPECTION), NONE);

    stage.0.stub.answer(GET_USER, Answer::Hang);
    for outage in 0..3 {
        let emf = stage.ask(LIVE, &token().text());
        cases.equal(format!("outage {outage}"), calls(&emf, INTROSPECTION), FAILED);
        cases.is("it was waited for", emf.sum("IntrospectionDuration") >= 500_000.0);
    }
    // The breaker answers in the endpoint's place: unavailable all the same, and no call.
    let emf = stage.ask(LIVE, &token().text());
    cases.equal("the breaker", emf.labels["Reason"].as_str(), "introspection_unavailable");
    cases.equal("the breaker", calls(&emf, INTROSPECTION), NONE);
}
