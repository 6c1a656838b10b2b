//! RFC 7662 for tokens that are JWTs: the endpoint must call them active, and must speak of the same token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::stage::{LIVE, OIDC_ISSUER, OUR_ID, OUR_SECRET, Rows, Stage, claim, oidc, oidc_token};
use crate::stub::oauth::{INTROSPECT, active, challenge};
use crate::stub::{Answer, Reply};
use crate::tokens::now;
use crate::verdict::Cases;

fn json_answer(value: &Value) -> Answer {
    Reply::json(200, value).into()
}

#[test]
fn every_answer_has_its_decision() {
    let stage = Stage::start(&oidc("", "", ""));
    let rows = Rows::new("RFC 7662", stage, INTROSPECT, active(json!({})), || oidc_token().text());
    let with = |name: &str, value: Value| active(json!({ name: value }));

    rows.row("active: true and nothing more", active(json!({})), "allow");
    let token = oidc_token();
    let own = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"].map(|name| (name.to_owned(), claim(&token, name)));
    let mut own = Value::Object(own.into_iter().collect());
    own["client_id"] = claim(&token, "azp");
    rows.row_of("active: true and the token's own exp, sub, client_id, iss, aud", &token.text(), active(own), "allow");
    let nulls = json!({ "exp": null, "sub": null, "client_id": null, "iss": null, "aud": null });
    rows.row("null members", active(nulls), "allow");

    rows.row("active: false", json_answer(&json!({ "active": false })), "token_inactive");
    rows.row(
        "active: false",
        json_answer(&json!({ "active": false, "sub": "user-7", "exp": now() + 3600 })),
        "token_inactive",
    );
    for active in [json!("true"), json!(1), json!(null), json!([true]), json!({})] {
        rows.row(
            "active is missing or no boolean",
            json_answer(&json!({ "active": active })),
            "introspection_unavailable",
        );
    }
    rows.row("active is missing or no boolean", json_answer(&json!({})), "introspection_unavailable");
    rows.row("active is missing or no boolean", json_answer(&json!({ "Active": true })), "introspection_unavailable");
    rows.row(
        "active is missing or no boolean",
        json_answer(&json!({ "error": "invalid_client" })),
        "introspection_unavailable",
    );
    for twice in [
        r#"{"active":false,"active":true}"#,
        r#"{"active":true,"active":false}"#,
        r#"{"active":true,"sub":"user-7","sub":"x"}"#,
    ] {
        rows.row("a member twice", Reply::new(200, twice), "introspection_unavailable");
    }

    for (name, others) in [
        ("sub", vec![json!("user-8"), json!(""), json!(7), json!(["user-7"])]),
        ("client_id", vec![json!("other"), json!(""), json!(true)]),
        ("iss", vec![json!("https://elsewhere.example.com"), json!(format!("{OIDC_ISSUER}/")), json!({})]),
        ("aud", vec![json!("api://billing"), json!(["api://billing"]), json!([]), json!(""), json!(7)]),
    ] {
        for other in others {
            rows.row("another sub, client_id, iss or aud", with(name, other), "token_inactive");
        }
    }
    rows.row("a list of aud with one of the token's", with("aud", json!(["api://billing", "api://orders"])), "allow");
    rows.row("an exp to come", with("exp", json!(now() + 60)), "allow");
    rows.row("an exp to come", with("exp", json!(now() as f64 + 60.5)), "allow");
    for past in [json!(now()), json!(now() - 1), json!(now() - 3600), json!(0), json!(-1)] {
        rows.row("an exp that is over", with("exp", past), "token_inactive");
    }
    for odd in [json!("1795255200"), json!(true), json!([]), json!(1e300)] {
        rows.row("an exp that is no date", with("exp", odd), "introspection_unavailable");
    }

    for kind in [json!("Bearer"), json!("bearer"), json!("access_token")] {
        rows.row("a token_type of bearer tokens", with("token_type", kind), "allow");
    }
    for kind in [json!("DPoP"), json!("refresh_token"), json!("mac"), json!(""), json!(7)] {
        rows.row("another token_type", with("token_type", kind), "token_inactive");
    }
    for binding in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!({}), json!("x")] {
        rows.row("a cnf that the token has not", with("cnf", binding), "sender_not_proven");
    }
    rows.row("an nbf that is over", with("nbf", json!(now() - 60)), "allow");
    for later in [json!(now() + 60), json!("soon"), json!(true)] {
        rows.row("an nbf to come, or that is no date", with("nbf", later), "token_inactive");
    }

    let ours = "401 or 403: our own credentials were refused";
    rows.row(ours, challenge(401, "Basic realm=\"x\", error=\"invalid_client\""), "introspection_unavailable");
    rows.row(ours, Reply::json(401, &json!({ "error": "invalid_client" })), "introspection_unavailable");
    rows.row(ours, Reply::json(401, &json!({ "active": false })), "introspection_unavailable");
    rows.row(ours, Reply::json(403, &json!({ "active": true })), "introspection_unavailable");
    rows.row("400", Reply::json(400, &json!({ "error": "invalid_request" })), "introspection_unavailable");
    rows.row("429", Reply::new(429, "").header("Retry-After", "1"), "introspection_unavailable");
    for status in [301, 302, 303, 307, 308] {
        let to_itself = Reply::json(status, &json!({ "active": true })).header("Location", INTROSPECT);
        rows.row("a redirect", to_itself, "introspection_unavailable");
    }
    for status in [201, 202, 204, 206, 404, 405, 500, 502, 503, 504] {
        rows.row("any other status", Reply::json(status, &json!({ "active": true })), "introspection_unavailable");
    }
    let jwt = Reply::new(200, oidc_token().text()).header("Content-Type", "application/token-introspection+jwt");
    rows.row("a signed answer (RFC 9701)", jwt, "introspection_unavailable");
}

#[test]
fn the_client_proves_itself_in_the_header_or_in_the_form() {
    let cases = Cases::default();
    let token = oidc_token().text();
    // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
    let basic = STANDARD.encode("authorizer%3A1:s3cr3t%3A%2B%2F+%25%26%3Dof-the-authorizer");
    for (what, asked, header, in_form) in [
        ("by default", "", Some(format!("Basic {basic}")), false),
        ("basic", "        client_authentication: basic\n", Some(format!("Basic {basic}")), false),
        ("post", "        client_authentication: post\n", None, true),
    ] {
        let stage = Stage::start(&oidc("", asked, ""));
        cases.check(what, &stage.ask(LIVE, &token), "allow");
        let request = stage.stub.last_request(INTROSPECT);
        cases.equal(format!("{what}: the method"), request.method.as_str(), "POST");
        cases.equal(format!("{what}: the path"), request.target.as_str(), INTROSPECT);
        cases.equal(format!("{what}: Authorization"), request.header("authorization"), header.as_deref());
        cases.equal(
            format!("{what}: the form"),
            request.header("content-type"),
            Some("application/x-www-form-urlencoded"),
        );
        cases.equal(format!("{what}: Accept"), request.header("accept"), Some("application/json"));
        let form: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
        let member = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        cases.equal(format!("{what}: token"), member("token"), Some(token.as_str()));
        cases.equal(format!("{what}: the hint"), member("token_type_hint"), Some("access_token"));
        cases.equal(format!("{what}: client_id"), member("client_id"), in_form.then_some(OUR_ID));
        cases.equal(format!("{what}: client_secret"), member("client_secret"), in_form.then_some(OUR_SECRET));
        cases.equal(format!("{what}: members"), form.len(), if in_form { 4 } else { 2 });
    }
}

#[test]
fn every_answer_means_the_same_however_the_client_proves_itself() {
    let stage = Stage::start(&oidc("", "        client_authentication: post\n", ""));
    let cases = Cases::default();
    for (what, answer, expected) in [
        ("active", active(json!({})), "allow"),
        ("inactive", json_answer(&json!({ "active": false })), "token_inactive"),
        ("another's", active(json!({ "sub": "user-8" })), "token_inactive"),
        (
            "our credentials",
            Reply::json(401, &json!({ "error": "invalid_client" })).into(),
            "introspection_unavailable",
        ),
    ] {
        stage.stub.answer(INTROSPECT, answer);
        cases.check(what, &stage.ask_live(&oidc_token()), expected);
    }
}

#[test]
fn what_the_token_leaves_out_contradicts_nothing() {
    let stage = Stage::start(&oidc("", "", ""));
    let cases = Cases::default();
    stage.stub.answer(INTROSPECT, active(json!({ "sub": "user-7", "client_id": "spa" })));
    cases.check("no sub", &stage.ask_live(&oidc_token().without("sub")), "allow");
    cases.check("no client", &stage.ask_live(&oidc_token().without("azp")), "allow");
    stage.stub.answer(INTROSPECT, active(json!({ "client_id": "spa" })));
    cases.check(
        "client_id before azp",
        &stage.ask_live(&oidc_token().claim("client_id", json!("x"))),
        "token_inactive",
    );
    let machine = oidc_token().claim("sub", json!("spa")).claim("client_id", json!("spa"));
    cases.check("a client-credentials token can be asked about here", &stage.ask_live(&machine), "allow");
}
