//! `opaque_tokens: true`: tokens that are no JWTs live from introspection alone.

use serde_json::{Value, json};

use crate::events::Kind;
use crate::stage::{
    LIVE, OIDC_AUDIENCE, OIDC_ISSUER, OPEN, Rows, Stage, WITH_TABLE, WITH_TABLE_ALWAYS, oidc, oidc_token, unique,
};
use crate::stub::dynamodb::{BATCH_GET_ITEM, asked_for, item, table};
use crate::stub::oauth::{INTROSPECT, active, challenge};
use crate::stub::{Answer, Reply};
use crate::tokens::now;
use crate::verdict::Cases;

const OPAQUE: &str = "      opaque_tokens: true\n";

/// An opaque token that nobody has seen.
fn opaque() -> String {
    format!("2YotnFZFEjr1zCsicMWpAA~{}", unique())
}

/// What a server says of one that is good.
fn members() -> Value {
    json!({
        "iss": OIDC_ISSUER,
        "sub": "user-7",
        "aud": OIDC_AUDIENCE,
        "client_id": "spa",
        "username": "seven",
        "token_type": "Bearer",
        "scope": "orders.read orders.write",
        "iat": now() - 60,
        "exp": now() + 3600,
    })
}

fn with(name: &str, value: Value) -> Answer {
    let mut members = members();
    members[name] = value;
    active(members)
}

fn without(name: &str) -> Answer {
    let mut members = members();
    members.as_object_mut().unwrap().remove(name);
    active(members)
}

#[test]
fn every_answer_has_its_decision() {
    let config = oidc(&format!("{OPAQUE}      client_ids: [spa]\n"), "", "");
    let rows = Rows::new("Opaque tokens", Stage::start(&config), INTROSPECT, active(members()), opaque);

    rows.row("active: true with all claims", active(members()), "allow");
    rows.row("no iss: the answer came from there", without("iss"), "allow");
    rows.row("another iss", with("iss", json!("https://elsewhere.example.com")), "unknown_issuer");
    rows.row("another iss", with("iss", json!(null)), "unknown_issuer");
    rows.row("a list of aud with an accepted one", with("aud", json!(["x", OIDC_AUDIENCE])), "allow");
    rows.row("no accepted aud", without("aud"), "wrong_audience");
    rows.row("no accepted aud", with("aud", json!("api://billing")), "wrong_audience");
    rows.row("no accepted aud", with("aud", json!([])), "wrong_audience");
    rows.row("a client that is not accepted, or none", with("client_id", json!("other")), "wrong_client");
    rows.row("a client that is not accepted, or none", without("client_id"), "wrong_client");
    rows.row("a client that is not accepted, or none", with("client_id", json!(7)), "wrong_client");
    for name in ["sub", "jti", "origin_jti"] {
        for odd in [json!(42), json!(null), json!("")] {
            rows.row("a sub, jti or origin_jti that is not a non-empty text", with(name, odd), "malformed_claims");
        }
    }
    rows.row("no exp, or one that is no date", without("exp"), "malformed_claims");
    rows.row("no exp, or one that is no date", with("exp", json!(null)), "malformed_claims");
    rows.row("no exp, or one that is no date", with("exp", json!("soon")), "malformed_claims");
    rows.row("an exp that is over", with("exp", json!(now() - 3600)), "token_expired");
    rows.row("an exp that is over by less than leeway", with("exp", json!(now() - 2)), "allow");
    rows.row("an nbf or iat to come", with("nbf", json!(now() + 600)), "token_not_yet_valid");
    rows.row("an nbf or iat to come", with("iat", json!(now() + 600)), "token_not_yet_valid");
    rows.row("an nbf or iat that is no date", with("nbf", json!("now")), "malformed_claims");
    rows.row("bound to a sender (cnf)", with("cnf", json!({ "jkt": "x" })), "sender_not_proven");
    rows.row("active: false", Reply::json(200, &json!({ "active": false })), "token_inactive");
    rows.row("active is missing or no boolean", Reply::json(200, &members()), "introspection_unavailable");
    rows.row("401 or 403: our own credentials were refused", challenge(401, "Basic"), "introspection_unavailable");
    rows.row("401 or 403: our own credentials were refused", challenge(403, ""), "introspection_unavailable");
    for status in [302, 400, 404, 429, 500, 503] {
        rows.row("any other status", Reply::json(status, &members()), "introspection_unavailable");
    }
}

#[test]
fn the_rules_of_the_routes_hold_for_opaque_tokens_too() {
    let routes = "
  GET /scoped: { any_scope: [orders.read] }
  GET /other-scope: { any_scope: [orders.admin] }
  GET /groups: { any_group: [admin] }
  GET /users/{id}: { claims: { sub: \"{id}\" } }
  GET /clients: { client_ids: [spa] }
  GET /issuers: { issuers: [https://login.example.com] }
  GET /recent: { max_auth_age: 10m }
";
    let stage = Stage::start(&oidc(&format!("{OPAQUE}      claims: {{ groups: roles }}\n"), "", routes));
    let cases = Cases::default();
    let mut members = members();
    members["roles"] = json!(["staff"]);
    stage.stub.answer(INTROSPECT, active(members.clone()));
    for (path, expected) in [
        (OPEN, "allow"),
        (LIVE, "allow"),
        ("/scoped", "allow"),
        ("/other-scope", "insufficient_scope"),
        ("/groups", "insufficient_group"),
        ("/users/user-7", "allow"),
        ("/users/user-8", "claim_mismatch"),
        ("/clients", "allow"),
        ("/issuers", "allow"),
        ("/recent", "authentication_too_old"),
        ("/nowhere", "no_route"),
        ("/users//", "unsafe_path"),
    ] {
        cases.check(path, &stage.ask(path, &opaque()), expected);
    }
    members["roles"] = json!(["admin"]);
    members["auth_time"] = json!(now() - 60);
    stage.stub.answer(INTROSPECT, active(members));
    cases.check("now an admin", &stage.ask("/groups", &opaque()), "allow");
    cases.check("signed in lately", &stage.ask("/recent", &opaque()), "allow");
    // The token is judged before the route.
    stage.stub.answer(INTROSPECT, Reply::json(200, &json!({ "active": false })));
    cases.check("inactive, no route", &stage.ask("/nowhere", &opaque()), "token_inactive");
}

#[test]
fn the_backend_is_told_the_same_of_an_opaque_token() {
    let stage = Stage::start(&oidc(OPAQUE, "", "http_api: { response: policy }\n"));
    stage.stub.answer(INTROSPECT, active(members()));
    let token = opaque();
    for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
        let verdict = stage.function.ask(&kind.event("GET", OPEN, &format!("Bearer {token}")));
        assert_eq!(verdict.outcome(), "allow", "{kind:?}");
        assert_eq!(verdict.response()["principalId"], "user-7", "{kind:?}");
        let context = verdict.context();
        assert_eq!(
            context,
            json!({ "sub": "user-7", "username": "seven", "client_id": "spa", "scope": "orders.read orders.write" }),
            "{kind:?}"
        );
        assert_eq!(verdict.log["issuer"], OIDC_ISSUER);
        assert_eq!(verdict.log["principal_id"], "user-7");
        assert_eq!(verdict.log["client_id"], "spa");
    }
}

#[test]
fn an_opaque_token_is_asked_about_once_for_each_request_on_every_route() {
    let stage = Stage::start(&oidc(OPAQUE, "", ""));
    stage.stub.answer(INTROSPECT, active(members()));
    let token = opaque();
    // On a live route as well: its claims are the issuer's answer of this moment.
    for path in [OPEN, LIVE, OPEN, LIVE, "/nowhere"] {
        let (_, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(path, &token));
        assert_eq!(calls, 1, "{path}");
    }
    // A JWT is asked about where the route says so.
    for (path, expected) in [(OPEN, 0), (LIVE, 1), ("/nowhere", 0)] {
        let (_, calls) = stage.calls_of(INTROSPECT, |stage| stage.ask(path, &oidc_token().text()));
        assert_eq!(calls, expected, "{path}");
    }
}

#[test]
fn what_has_not_the_form_of_a_token_is_not_asked_about() {
    let stage = Stage::start(&oidc(OPAQUE, "", ""));
    let cases = Cases::default();
    stage.stub.answer(INTROSPECT, active(members()));
    let jwt = oidc_token();
    for (what, token, expected) in [
        ("a space", "a b".to_owned(), "malformed_token"),
        ("a character that no token has", "a\u{e9}".to_owned(), "malformed_token"),
        ("a quote", "a\"b".to_owned(), "malformed_token"),
        ("an ampersand", "a&token=b".to_owned(), "malformed_token"),
        ("too large", "a".repeat(16_385), "token_too_large"),
        ("a JWT with a wrong signature", jwt.with_signature(&[7; 256]), "bad_signature"),
        ("a JWT of nobody", jwt.clone().claim("iss", json!("https://nobody.example.com")).text(), "unknown_issuer"),
        ("a JWT that is over", jwt.clone().claim("exp", json!(now() - 600)).text(), "token_expired"),
        ("a JWT without a signature", jwt.with_signature(&[]), "malformed_token"),
        ("a JWT by a forbidden algorithm", jwt.header_begins_with(r#""alg":"none""#), "malformed_token"),
    ] {
        cases.check(what, &stage.ask(OPEN, &token), expected);
    }
    cases.equal("calls", stage.stub.calls(INTROSPECT), 0);
    for (what, token) in [
        ("short", "a"),
        ("padded", "YWJj=="),
        ("one dot", "a.b"),
        ("signs", "-._~+/"),
        ("largest", &"a".repeat(16_384)),
    ] {
        cases.check(what, &stage.ask(OPEN, token), "allow");
    }
    cases.equal("calls", stage.stub.calls(INTROSPECT), 5);
}

#[test]
fn without_opaque_tokens_such_a_token_is_malformed_and_nobody_is_asked() {
    for settings in ["", "      opaque_tokens: false\n"] {
        let stage = Stage::start(&oidc(settings, "", ""));
        stage.stub.answer(INTROSPECT, active(members()));
        for path in [OPEN, LIVE] {
            assert_eq!(stage.ask(path, &opaque()).outcome(), "malformed_token");
        }
        assert_eq!(stage.stub.all_calls(), 0);
    }
}

#[test]
fn the_table_ends_an_opaque_token_too() {
    let cases = Cases::default();
    let mut with_jti = members();
    with_jti["jti"] = json!("opaque-jti");
    for (section, path) in [(WITH_TABLE, LIVE), (WITH_TABLE_ALWAYS, OPEN), (WITH_TABLE_ALWAYS, LIVE)] {
        let stage = Stage::start(&oidc(OPAQUE, "", section));
        stage.stub.answer(INTROSPECT, active(with_jti.clone()));
        cases.check("nothing revoked", &stage.ask(path, &opaque()), "allow");
        let expected =
            ["client#https://login.example.com#spa", "jti#opaque-jti", "sub#https://login.example.com#user-7"];
        let mut asked = asked_for(&stage.stub.last_request(BATCH_GET_ITEM));
        asked.sort();
        cases.equal("what is looked up", asked, expected);
        for key in expected {
            stage.stub.answer(BATCH_GET_ITEM, table(&[item(key)]));
            cases.check(key, &stage.ask(path, &opaque()), "token_revoked");
        }
    }
    let stage = Stage::start(&oidc(OPAQUE, "", WITH_TABLE));
    stage.stub.answer(INTROSPECT, active(members()));
    cases.check("an open route", &stage.ask(OPEN, &opaque()), "allow");
    cases.equal("no look-up there", stage.stub.calls(BATCH_GET_ITEM), 0);
}
