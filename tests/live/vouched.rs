//! `policy: { covers: token }` beside `revocations: { check: all }`: no answer allows anything, on any route, before the
//! table of revocations has vouched for the token.

use serde_json::{Value, json};

use crate::events::{Kind, arn};
use crate::stage::{LIVE, OIDC_ISSUER, Stage, fresh, oidc, oidc_token, pool, token, unique};
use crate::stub::Reply;
use crate::stub::cognito::{self, GET_USER};
use crate::stub::dynamodb::{BATCH_GET_ITEM, CORAL, error, item, table};
use crate::stub::oauth::{INTROSPECT, USER_INFO, active, challenge};
use crate::tokens::{CLIENT, ISSUER, POOL, READER_SUB, Token, now};
use crate::verdict::{Answer, Cases};

const COVERING: &str = "
  GET /recent: { max_auth_age: 1h }
policy: { covers: token }
http_api: { response: policy }
revocations: { table: revocations, check: all }
";

/// What is asked for, and what the log says of it once the token is vouched for.
const COVERED: [(&str, &str, &str); 6] = [
    ("GET", "/items", "allow"),
    ("POST", "/items", "insufficient_scope"),
    ("GET", "/nope", "no_route"),
    ("GET", "/a//b", "unsafe_path"),
    ("PROPFIND", "/items", "no_route"),
    ("GET", "/items/%2e%2e", "unsafe_path"),
];

/// These two are answered for their own request alone.
const OWN: [&str; 2] = ["/recent", "/admin"];

const KINDS: [Kind; 4] = [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2];

fn stage() -> Stage {
    Stage::start(&format!(
        "issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: {CLIENT}, jwks_uri: \"KEYS\" }} }}]
routes:
  GET /items: {{ any_scope: [read] }}
  POST /items: {{ any_scope: [write] }}
  GET /admin: {{ introspect: true }}{COVERING}"
    ))
}

fn reader() -> String {
    fresh(Token::access().claim("scope", json!("read")).claim("auth_time", json!(now() - 60))).text()
}

/// What an answer allows, why the log says that it was denied, and how often the table was asked for it.
#[derive(Debug, PartialEq)]
struct Outcome {
    allowed: Vec<String>,
    reason: String,
    calls: usize,
}

fn ask(stage: &Stage, kind: Kind, method: &str, path: &str, token: &str) -> Outcome {
    let event = kind.event(method, path, &format!("Bearer {token}"));
    let ((answer, line), calls) = stage.calls_of(BATCH_GET_ITEM, |stage| stage.function.ask_unjudged(&event));
    let allowed = match &answer {
        Answer::Error(_) => Vec::new(),
        Answer::Response(_) => allowed(&answer.json()),
    };
    Outcome { allowed, reason: line["reason"].as_str().unwrap_or("allow").to_owned(), calls }
}

fn allowed(answer: &Value) -> Vec<String> {
    let texts = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let statements = answer["policyDocument"]["Statement"].as_array().unwrap().iter();
    let allows = statements.filter(|statement| statement["Effect"] == "Allow");
    let resources = allows.flat_map(|statement| texts(&statement["Resource"]));
    resources.map(|resource| resource.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_vouched_for_token_is_looked_up_once_for_each_request_and_gets_its_policy() {
    let (stage, cases) = (stage(), Cases::default());
    let may_use = [arn("GET", "/items/"), arn("GET", "/items")];
    for kind in KINDS {
        for (method, path, reason) in COVERED {
            let expected = Outcome { allowed: may_use.to_vec(), reason: reason.to_owned(), calls: 1 };
            cases.equal(format!("{kind:?} {method} {path}"), ask(&stage, kind, method, path, &reader()), expected);
        }
        for path in OWN {
            let expected = Outcome { allowed: vec![arn("GET", path)], reason: "allow".to_owned(), calls: 1 };
            cases.equal(format!("{kind:?} {path}"), ask(&stage, kind, "GET", path, &reader()), expected);
        }
    }
}

#[test]
fn a_revoked_token_is_allowed_nowhere_whatever_it_asks_for() {
    let (stage, cases) = (stage(), Cases::default());
    stage.stub.answer(BATCH_GET_ITEM, table(&[item(&format!("sub#{ISSUER}#{READER_SUB}"))]));
    refuses_everywhere(&stage, &cases, "token_revoked", reader);
}

#[test]
fn while_the_table_is_out_of_reach_no_token_is_allowed_anywhere() {
    let (stage, cases) = (stage(), Cases::default());
    stage.stub.answer(BATCH_GET_ITEM, error(400, CORAL, "AccessDeniedException"));
    refuses_everywhere(&stage, &cases, "revocations_unavailable", reader);
}

#[test]
fn a_token_that_the_table_cannot_name_is_allowed_nowhere() {
    let stage = Stage::start(&oidc("", "", COVERING));
    let nameless = || {
        let token = Token::oidc(OIDC_ISSUER).without("sub").without("azp").without("jti");
        token.claim("auth_time", json!(now() - 60)).claim("nonce", json!(unique())).text()
    };
    refuses_everywhere(&stage, &Cases::default(), "not_introspectable", nameless);
}

#[test]
fn an_opaque_token_is_allowed_nowhere_before_the_table_vouched_for_it() {
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", COVERING));
    let cases = Cases::default();
    stage.stub.answer(
        INTROSPECT,
        active(json!({
            "sub": "user-7", "aud": "api://orders", "scope": "read", "exp": now() + 3600, "auth_time": now() - 60,
        })),
    );
    let token = || format!("2YotnFZFEjr1zCsicMWpAA~{}", unique());
    for (method, path, _) in COVERED {
        let good = ask(&stage, Kind::RestToken, method, path, &token());
        cases.equal(format!("{method} {path}"), (good.allowed.len(), good.calls), (2, 1));
    }
    stage.stub.answer(BATCH_GET_ITEM, table(&[item(&format!("sub#{OIDC_ISSUER}#user-7"))]));
    refuses_everywhere(&stage, &cases, "token_revoked", token);
}

/// Every request is denied for that reason, and its answer allows nothing.
#[track_caller]
fn refuses_everywhere(stage: &Stage, cases: &Cases, reason: &str, token: impl Fn() -> String) {
    for kind in KINDS {
        let own = OWN.map(|path| ("GET", path));
        for (method, path) in COVERED.iter().map(|(method, path, _)| (*method, *path)).chain(own) {
            let Outcome { allowed, reason: why, .. } = ask(stage, kind, method, path, &token());
            cases.equal(format!("{kind:?} {method} {path}"), (allowed, why), (Vec::<String>::new(), reason.to_owned()));
        }
    }
}

#[test]
fn an_answer_for_one_request_is_looked_up_for_only_where_it_would_allow() {
    let stage = Stage::start(&format!(
        "issuers: [{{ cognito: {{ user_pool_id: {POOL}, client_ids: {CLIENT}, jwks_uri: \"KEYS\" }} }}]
routes: {{ GET /items: {{ any_scope: [read] }}, POST /items: {{ any_scope: [write] }} }}
http_api: {{ response: policy }}
revocations: {{ table: revocations, check: all }}"
    ));
    let cases = Cases::default();
    for kind in KINDS {
        for (method, path, reason) in COVERED {
            let is_allowed = reason == "allow";
            let allowed = if is_allowed { vec![arn(method, path)] } else { Vec::new() };
            let expected = Outcome { allowed, reason: reason.to_owned(), calls: usize::from(is_allowed) };
            cases.equal(format!("{kind:?} {method} {path}"), ask(&stage, kind, method, path, &reader()), expected);
        }
    }
}

/// Answers are policies that API Gateway keeps under the token, 401s too.
const KEPT_BY_TOKEN: &str = "
policy: { covers: token }
rest_api: { unauthorized: deny }
http_api: { response: policy }
";

/// The Resource of the denial that API Gateway would keep; `None` where the invocation failed with `Unauthorized`.
fn kept(stage: &Stage, kind: Kind, path: &str, token: &str, reason: &str) -> Option<String> {
    let verdict = stage.function.ask(&kind.event("GET", path, &format!("Bearer {token}")));
    assert_eq!(verdict.outcome(), reason, "{kind:?} {path}: {verdict}");
    (!verdict.failed_as_unauthorized()).then(|| verdict.resources().concat())
}

#[test]
fn what_an_issuer_says_for_now_is_never_kept_as_a_denial() {
    let cases = Cases::default();
    let endpoint = Stage::start(&oidc("", "", KEPT_BY_TOKEN));
    let introspected = || oidc_token().text();
    for (what, answer) in [
        ("an nbf to come", active(json!({ "nbf": now() + 100 }))),
        ("active: false", Reply::json(200, &json!({ "active": false })).into()),
        ("another user", active(json!({ "sub": "user-8" }))),
    ] {
        endpoint.stub.answer(INTROSPECT, answer);
        for kind in KINDS {
            let kept = kept(&endpoint, kind, LIVE, &introspected(), "token_inactive");
            cases.equal(format!("introspection: {what}, {kind:?}"), kept, None::<String>);
        }
    }
    let user_info = Stage::start(&pool("{ method: user_info, endpoint: \"STUB/oauth2/userInfo\" }", KEPT_BY_TOKEN));
    user_info.stub.answer(USER_INFO, challenge(401, "Bearer error=\"invalid_token\""));
    cases.equal(
        "user_info: 401",
        kept(&user_info, Kind::RestToken, LIVE, &token().text(), "token_inactive"),
        None::<String>,
    );
    let get_user = Stage::start(&pool("{ method: get_user }", KEPT_BY_TOKEN));
    for (code, words) in [
        ("PasswordResetRequiredException", "Password reset required for the user"),
        ("UserNotConfirmedException", "User is not confirmed."),
        ("NotAuthorizedException", "User is disabled."),
        ("NotAuthorizedException", "Words that nobody has seen yet"),
    ] {
        get_user.stub.answer(GET_USER, cognito::error(code, words));
        let kept = kept(&get_user, Kind::RestToken, LIVE, &token().text(), "token_inactive");
        cases.equal(format!("{code}: {words}"), kept, None::<String>);
    }
}

#[test]
fn an_opaque_token_that_its_issuer_does_not_know_yet_is_not_kept_as_denied() {
    let stage = Stage::start(&oidc("      opaque_tokens: true\n", "", KEPT_BY_TOKEN));
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    let token = format!("2YotnFZFEjr1zCsicMWpAA~{}", unique());
    for path in ["/items", LIVE] {
        assert_eq!(kept(&stage, Kind::RestToken, path, &token, "token_inactive"), None, "{path}");
    }
}

#[test]
fn a_token_that_is_revoked_is_denied_on_the_whole_stage_whoever_says_so() {
    let stage_arn = || Some(arn("GET", "/").replace("/GET/", "/*"));
    let get_user = Stage::start(&pool("{ method: get_user }", KEPT_BY_TOKEN));
    get_user.stub.answer(GET_USER, cognito::error("NotAuthorizedException", "Access Token has been revoked"));
    assert_eq!(kept(&get_user, Kind::RestToken, LIVE, &token().text(), "token_revoked"), stage_arn());
    let with_table = Stage::start(&oidc("", "", &format!("{KEPT_BY_TOKEN}revocations: {{ table: revocations }}\n")));
    with_table.stub.answer(BATCH_GET_ITEM, table(&[item(&format!("sub#{OIDC_ISSUER}#user-7"))]));
    assert_eq!(kept(&with_table, Kind::RestToken, LIVE, &oidc_token().text(), "token_revoked"), stage_arn());
}
