//! Faults injected at each call that a live check makes: never an allow, never later than the deadline, and nothing of
//! one request's fault in the next one.

use std::time::Duration;

use serde_json::json;

use crate::PAGE;
use crate::documented::Table;
use crate::stage::{
    Credentials, LIVE, OIDC_AUDIENCE, OPEN, ROUTES, Stage, TIMEOUT, WITH_TABLE, WITH_TABLE_ALWAYS, oidc, oidc_token,
    pool, token, unique,
};
use crate::stub::cognito::{self, ADMIN_GET_USER, GET_USER, admin_user_json, user_json};
use crate::stub::dynamodb::{self, BATCH_GET_ITEM, TABLE};
use crate::stub::oauth::{INTROSPECT, METADATA, USER_INFO, active_reply, user_info_reply};
use crate::stub::{Answer, Reply};
use crate::tokens::{READER_SUB, Token, now};
use crate::verdict::Cases;

/// What a debug build on a busy machine adds to a deadline.
const SLACK: Duration = Duration::from_millis(1500);

/// A call, and what it takes to make it.
struct Call {
    config: String,
    path: &'static str,
    token: fn(&Stage) -> String,
    operation: &'static str,
    good: fn(&Stage) -> Reply,
    timeout: Duration,
    /// The reason for "no" while the call fails.
    unavailable: &'static str,
}

/// Every fault there is, given an answer that would be good.
fn faults(good: &Reply) -> Vec<(&'static str, Answer)> {
    let reply = |status: u16, body: Vec<u8>| Reply { status, headers: good.headers.clone(), body };
    let html =
        |status: u16| Reply::new(status, "<html><body>Bad gateway</body></html>").header("Content-Type", "text/html");
    let (half, whole) = (&good.body[..good.body.len() / 2], &good.body[..]);
    vec![
        ("no answer", Answer::Hang),
        ("an answer a byte at a time", Answer::Trickle(good.clone())),
        ("an answer after the time-out", Answer::from(good.clone()).after(Duration::from_secs(5))),
        ("a connection that is closed", Answer::HangUp),
        ("a connection that is reset", Answer::Reset),
        ("a connection that is closed in the middle of the answer", Answer::CutShort(good.clone())),
        ("a connection that is reset in the middle of the answer", Answer::ResetInBody(good.clone())),
        ("an answer that is not HTTP", Answer::Noise),
        ("500, 502, 503, 504", html(500).into()),
        ("500, 502, 503, 504", reply(500, whole.to_vec()).into()),
        ("500, 502, 503, 504", html(502).into()),
        ("500, 502, 503, 504", reply(503, b"{}".to_vec()).into()),
        ("500, 502, 503, 504", html(504).into()),
        ("429", reply(429, b"{}".to_vec()).into()),
        ("a redirect", reply(302, whole.to_vec()).header("Location", "http://127.0.0.1:9/").into()),
        ("200 and no body", reply(200, Vec::new()).into()),
        ("200 and an empty object", reply(200, b"{}".to_vec()).into()),
        ("200 and half of the answer", reply(200, half.to_vec()).into()),
        ("200 and garbage", html(200).into()),
        ("200 and garbage", reply(200, vec![0xff; 100]).into()),
        ("200 and garbage", reply(200, b"\0".to_vec()).into()),
        ("200 and garbage", reply(200, vec![b'['; 100_000]).into()),
        ("200 and JSON that is no object", reply(200, b"null".to_vec()).into()),
        ("200 and JSON that is no object", reply(200, b"[]".to_vec()).into()),
        ("200 and JSON that is no object", reply(200, b"true".to_vec()).into()),
        ("200 and JSON that is no object", reply(200, [b"[", whole, b"]"].concat()).into()),
        ("200 and more after the answer", reply(200, [whole, whole].concat()).into()),
        ("200 and a huge body", reply(200, padded(whole)).into()),
        ("200 and a huge body", reply(200, vec![b' '; HUGE]).into()),
        ("200 and a huge body", reply(200, vec![b'x'; HUGE]).into()),
        ("200 and a body without end", Answer::Endless(reply(200, vec![b' '; 64 * 1024]))),
    ]
}

/// The good answer, blown up; it is still good JSON.
fn padded(whole: &[u8]) -> Vec<u8> {
    let start = format!("{{\"padding\":\"{}\",", "p".repeat(HUGE));
    [start.as_bytes(), &whole[1..]].concat()
}

const HUGE: usize = 8 * 1024 * 1024;

#[track_caller]
fn inject(call: &Call) {
    let table = Table::under(PAGE, "Faults of the network");
    let stage = Stage::start(&call.config);
    let cases = &table.cases;
    let good = (call.good)(&stage);
    let ask = |what: &str| {
        let verdict = stage.ask(call.path, &(call.token)(&stage));
        let took = Duration::from_micros(verdict.log["duration_us"].as_u64().unwrap());
        cases.is(format!("{what}: took {took:?}"), took < call.timeout + SLACK);
        verdict
    };
    stage.stub.answer(call.operation, good.clone());
    cases.check("before all faults", &ask("before all faults"), "allow");
    for (variant, (fault, answer)) in faults(&good).into_iter().enumerate() {
        let before = stage.stub.calls(call.operation);
        stage.stub.answer(call.operation, answer);
        cases.check(format!("{fault} (variant {variant})"), &ask(fault), call.unavailable);
        cases.is(format!("{fault}: the call was made"), stage.stub.calls(call.operation) > before);
        table.says(fault, "500");
        stage.stub.answer(call.operation, good.clone());
        cases.check(format!("after: {fault}"), &ask(fault), "allow");
    }
    cases.is("it is still the same process", stage.function.is_running());
}

const SHORT: Duration = Duration::from_millis(500);
/// The table's deadline, which is not configured.
const TABLE_TIMEOUT: Duration = Duration::from_secs(2);

fn user_token(_: &Stage) -> String {
    token().text()
}

fn of_cognito(method: &str, operation: &'static str, good: fn(&Stage) -> Reply) -> Call {
    let config = pool(&format!("{{ method: {method}, timeout: {TIMEOUT} }}"), "");
    Call {
        config,
        path: LIVE,
        token: user_token,
        operation,
        good,
        timeout: SHORT,
        unavailable: "introspection_unavailable",
    }
}

#[test]
fn of_get_user() {
    inject(&of_cognito("get_user", GET_USER, |_| cognito::reply(200, &user_json("reader", READER_SUB))));
}

#[test]
fn of_admin_get_user() {
    let good = |_: &Stage| cognito::reply(200, &admin_user_json("reader", READER_SUB, true, "CONFIRMED"));
    inject(&of_cognito("admin_get_user", ADMIN_GET_USER, good));
}

#[test]
fn of_user_info() {
    let method = format!("user_info, endpoint: \"STUB{USER_INFO}\"");
    inject(&of_cognito(&method, USER_INFO, |_| user_info_reply(READER_SUB)));
}

#[test]
fn of_introspection_with_basic() {
    inject(&of_introspection("", ""));
}

#[test]
fn of_introspection_with_post() {
    inject(&of_introspection("        client_authentication: post\n", ""));
}

#[test]
fn of_introspection_of_opaque_tokens() {
    inject(&Call {
        path: OPEN,
        token: |_| format!("2YotnFZFEjr1zCsicMWpAA~{}", unique()),
        good: |_| active_reply(json!({ "sub": "user-7", "aud": OIDC_AUDIENCE, "exp": now() + 3600 })),
        ..of_introspection("", "      opaque_tokens: true\n")
    });
}

fn of_introspection(asked: &str, settings: &str) -> Call {
    Call {
        config: oidc(settings, asked, ""),
        path: LIVE,
        token: |_| oidc_token().text(),
        operation: INTROSPECT,
        good: |_| active_reply(json!({ "sub": "user-7" })),
        timeout: SHORT,
        unavailable: "introspection_unavailable",
    }
}

#[test]
fn of_the_table() {
    inject(&of_the_table_on(LIVE, WITH_TABLE));
}

#[test]
fn of_the_table_on_an_open_route() {
    inject(&of_the_table_on(OPEN, WITH_TABLE_ALWAYS));
}

fn of_the_table_on(path: &'static str, section: &str) -> Call {
    Call {
        config: pool("", section),
        path,
        token: user_token,
        operation: BATCH_GET_ITEM,
        good: |_| dynamodb::reply(200, &json!({ "Responses": { TABLE: [] }, "UnprocessedKeys": {} })),
        timeout: TABLE_TIMEOUT,
        unavailable: "revocations_unavailable",
    }
}

#[test]
fn of_the_metadata_that_name_the_user_info_endpoint() {
    let table = Table::under(PAGE, "Faults of the network");
    let config = format!(
        "issuers: [{{ cognito: {{ user_pool_id: us-east-1_AbCdEf123, client_ids: \"*\", issuer: \"STUB/pool\", jwks_uri: \"KEYS\", \
         introspection: {{ method: user_info, timeout: {TIMEOUT} }} }} }}]\n{ROUTES}"
    );
    let reply = |stage: &Stage| {
        let metadata = json!({ "issuer": stage.stub.url("/pool"), "userinfo_endpoint": stage.stub.url(USER_INFO) });
        Reply::json(200, &metadata)
    };
    let of_the_pool = |stage: &Stage| token().claim("iss", json!(stage.stub.url("/pool"))).text();
    let how_many = faults(&Reply::new(200, "{}")).len();
    // What is good is kept: each fault meets a function that does not know the endpoint yet.
    for index in 0..how_many {
        let stage = Stage::start(&config);
        let good = reply(&stage);
        let (fault, answer) = faults(&good).swap_remove(index);
        stage.stub.answer(METADATA, answer);
        let verdict = stage.ask(LIVE, &of_the_pool(&stage));
        table.cases.check(fault, &verdict, "introspection_unavailable");
        table.cases.is(format!("{fault}: too late"), verdict.log["duration_us"].as_u64().unwrap() < 2_000_000);
        table.cases.equal(format!("{fault}: the endpoint is not asked"), stage.stub.calls(USER_INFO), 0);
        table.says(fault, "500");
        stage.stub.answer(METADATA, good);
        table.cases.check(format!("after: {fault}"), &stage.ask(LIVE, &of_the_pool(&stage)), "allow");
    }
}

#[test]
fn of_the_functions_own_credentials() {
    // Where credentials come from an endpoint, it belongs to the call and to its deadline.
    let cases = Cases::default();
    let credentials = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "STUB/credentials")];
    let admin = pool(&format!("{{ method: admin_get_user, timeout: {TIMEOUT} }}"), "");
    for (what, answer) in [("late", Answer::Hang), ("lost", Answer::Reset), ("refused", Reply::new(403, "{}").into())] {
        for (config, timeout, expected) in [
            (&admin, SHORT, "introspection_unavailable"),
            (&pool("", WITH_TABLE), TABLE_TIMEOUT, "revocations_unavailable"),
        ] {
            let stage = Stage::start_with(config, Credentials::None, &credentials);
            stage.stub.answer("/credentials", answer.clone());
            let verdict = stage.ask(LIVE, &token().text());
            cases.check(format!("credentials {what}"), &verdict, expected);
            cases.equal("the endpoint was asked for them", stage.stub.calls("/credentials") > 0, true);
            let took = Duration::from_micros(verdict.log["duration_us"].as_u64().unwrap());
            cases.is(format!("credentials {what}: took {took:?}"), took < timeout + SLACK);
        }
    }
}

#[test]
fn of_connections_that_died_between_two_requests() {
    // As they do while Lambda has the function frozen.
    let cases = Cases::default();
    for (what, call) in [
        ("get_user", of_cognito("get_user", GET_USER, |_| cognito::reply(200, &user_json("reader", READER_SUB)))),
        ("the table", of_the_table_on(LIVE, WITH_TABLE)),
        ("introspection", of_introspection("", "")),
    ] {
        let stage = Stage::start(&call.config);
        stage.stub.answer(call.operation, Answer::ThenClosed((call.good)(&stage)));
        for request in 0..5 {
            let verdict = stage.ask(call.path, &(call.token)(&stage));
            cases.check(format!("{what}, request {request}"), &verdict, "allow");
        }
    }
}

/// No FIN and no RST: as of a connection that somebody on the way forgot while the function was frozen.
#[test]
fn of_a_kept_connection_that_died_in_silence() {
    let cases = Cases::default();
    for (what, call) in [
        ("get_user", of_cognito("get_user", GET_USER, |_| cognito::reply(200, &user_json("reader", READER_SUB)))),
        ("the table", of_the_table_on(LIVE, WITH_TABLE)),
    ] {
        let stage = Stage::start(&call.config);
        let good = Answer::from((call.good)(&stage));
        stage.stub.answer(call.operation, good.clone());
        cases.check(format!("{what}, before"), &stage.ask(call.path, &(call.token)(&stage)), "allow");
        for time in 0..3 {
            // What hangs is the connection: it is busy with this for good.
            stage.stub.answers(call.operation, [Answer::Hang, good.clone()]);
            let (verdict, calls) = stage.calls_of(call.operation, |stage| stage.ask(call.path, &(call.token)(stage)));
            cases.check(format!("{what}, {time}"), &verdict, "allow");
            cases.equal(format!("{what}, {time}: calls"), calls, 2);
            let took = Duration::from_micros(verdict.log["duration_us"].as_u64().unwrap());
            cases.is(format!("{what}, {time}: took {took:?}"), took < call.timeout);
        }
    }
}

/// Whoever is slow and not dead is waited for, on a kept connection too.
#[test]
fn of_an_answer_that_is_late_and_in_time() {
    let stage = Stage::pool("{ method: get_user, timeout: 2s }", "");
    assert_eq!(stage.ask_live(&token()).outcome(), "allow");
    for _ in 0..2 {
        stage.stub.answer(GET_USER, cognito::user("reader", READER_SUB).after(Duration::from_millis(1200)));
        assert_eq!(stage.ask_live(&token()).outcome(), "allow");
    }
}

/// The lines of the log are those that docs/operations.md names, whatever the AWS clients think.
#[test]
fn of_aws_write_no_lines_of_the_sdks() {
    let stage = Stage::pool(&format!("{{ method: get_user, timeout: {TIMEOUT} }}"), WITH_TABLE);
    let good = cognito::user("reader", READER_SUB);
    for fault in [Reply::new(500, "{}").into(), Answer::Reset, Answer::HangUp, Answer::Noise, Answer::Hang] {
        for operation in [GET_USER, BATCH_GET_ITEM] {
            stage.stub.answer(operation, fault.clone());
        }
        stage.ask_live(&token());
        stage.stub.answer(GET_USER, good.clone());
        stage.stub.answer(BATCH_GET_ITEM, dynamodb::table(&[]));
        stage.ask_live(&token());
    }
    let said = stage.function.stdout();
    let others: Vec<_> = said
        .iter()
        .filter(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            !["decision", "jwks_fetched", "simple_answers", "identity_sources"]
                .contains(&line["message"].as_str().unwrap_or_default())
        })
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn of_a_port_where_nobody_listens() {
    let cases = Cases::default();
    let nobody = crate::jwks_server::dead_url();
    let user_info = pool(&format!("{{ method: user_info, endpoint: \"{nobody}\" }}"), "");
    let introspection = oidc("", "", "").replace(&format!("STUB{INTROSPECT}"), &nobody);
    let opaque = oidc("      opaque_tokens: true\n", "", "").replace(&format!("STUB{INTROSPECT}"), &nobody);
    for (what, config, token) in [
        ("user_info", user_info, token().text()),
        ("introspection", introspection, oidc_token().text()),
        ("opaque", opaque, unique()),
    ] {
        let verdict = Stage::start(&config).ask(LIVE, &token);
        cases.check(what, &verdict, "introspection_unavailable");
    }
}

#[test]
fn of_aws_endpoints_where_nobody_listens() {
    use crate::events::Kind;
    use crate::jwks_server::Site;
    use crate::runtime_api::Setup;
    use crate::tokens::cognito_jwks;
    let cases = Cases::default();
    let keys = Site::with_keys(&cognito_jwks());
    let nobody = crate::jwks_server::dead_url();
    for (introspection, section, expected) in [
        ("{ method: get_user }", "", "introspection_unavailable"),
        ("{ method: admin_get_user }", "", "introspection_unavailable"),
        ("", WITH_TABLE, "revocations_unavailable"),
    ] {
        let function = Setup::config(&pool(introspection, section).replace("KEYS", &keys.url("/jwks.json")))
            .env("AWS_ENDPOINT_URL", &nobody)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
            .start();
        let verdict = function.ask(&Kind::Http2.event("GET", LIVE, &format!("Bearer {}", Token::access().text())));
        cases.check(format!("{introspection}{section}"), &verdict, expected);
        cases.is("at once", verdict.log["duration_us"].as_u64().unwrap() < 2_000_000);
        let said = function.everything_said().join("\n");
        cases.is(format!("no errors of the AWS clients: {said}"), !said.contains("\"ERROR\""));
    }
}
