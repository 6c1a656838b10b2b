//! A route without `introspect` makes no call at all, however the issuers can be asked.

use serde_json::json;

use crate::events::Kind;
use crate::stage::{Credentials, LIVE, OPEN, Stage, WITH_TABLE, oidc, oidc_token, pool, token};
use crate::stub::Stub;
use crate::tokens::{Token, now};
use crate::verdict::Cases;

#[test]
fn an_open_route_asks_nobody() {
    let cases = Cases::default();
    for (what, config, token) in [
        ("get_user", pool("{ method: get_user }", ""), token()),
        ("admin_get_user", pool("{ method: admin_get_user }", ""), token()),
        ("user_info", pool("{ method: user_info, endpoint: \"STUB/oauth2/userInfo\" }", ""), token()),
        ("a table", pool("", WITH_TABLE), token()),
        ("get_user and a table", pool("{ method: get_user }", WITH_TABLE), token()),
        ("introspection", oidc("", "", ""), oidc_token()),
        ("introspection and opaque tokens", oidc("      opaque_tokens: true\n", "", ""), oidc_token()),
        ("introspection and a table", oidc("", "", WITH_TABLE), oidc_token()),
    ] {
        let stage = Stage::start(&config);
        for kind in [Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2] {
            let verdict = stage.function.ask(&kind.event("GET", OPEN, &format!("Bearer {}", token.text())));
            cases.check(format!("{what}, {kind:?}"), &verdict, "allow");
            cases.is(format!("{what}: the log line has no live_check"), verdict.log.get("live_check").is_none());
        }
        cases.equal(format!("{what}: calls"), stage.stub.all_calls(), 0);
        // That the stub counts at all.
        cases.check(format!("{what}: live"), &stage.ask(LIVE, &token.text()), "allow");
        cases.is(format!("{what}: calls of a live route"), stage.stub.all_calls() >= 1);
    }
}

#[test]
fn what_is_refused_before_is_not_asked_about() {
    let stage = Stage::pool("{ method: get_user }", WITH_TABLE);
    let cases = Cases::default();
    let good = token();
    for (what, path, token, expected) in [
        ("no such route", "/nowhere", good.text(), "no_route"),
        ("an unsafe path", "/admin//", good.text(), "unsafe_path"),
        ("a scope missing", "/reports", good.text(), "insufficient_scope"),
        ("expired", LIVE, good.clone().claim("exp", json!(now() - 600)).text(), "token_expired"),
        ("another client", LIVE, good.clone().claim("client_id", json!("stranger")).text(), "wrong_client"),
        (
            "another issuer",
            LIVE,
            good.clone().claim("iss", json!("https://nobody.example.com")).text(),
            "unknown_issuer",
        ),
        ("a wrong signature", LIVE, good.with_signature(&[7; 256]), "bad_signature"),
        ("no JWT", LIVE, "2YotnFZFEjr1zCsicMWpAA".to_owned(), "malformed_token"),
        ("bound to a sender", LIVE, good.clone().claim("cnf", json!({ "jkt": "x" })).text(), "sender_not_proven"),
    ] {
        let verdict = stage.ask(path, &token);
        cases.check(what, &verdict, expected);
        cases.is(format!("{what}: the log line has no live_check"), verdict.log.get("live_check").is_none());
    }
    cases.equal("calls", stage.stub.all_calls(), 0);
}

#[test]
fn max_auth_age_is_held_before_anybody_is_asked() {
    let stage = Stage::pool("{ method: get_user }", "  GET /danger: { max_auth_age: 15m, introspect: true }\n");
    let signed_in = |ago: i64| token().claim("auth_time", json!(now() - ago)).text();
    assert_eq!(stage.ask("/danger", &signed_in(3600)).outcome(), "authentication_too_old");
    assert_eq!(stage.ask("/danger", &token().without("auth_time").text()).outcome(), "authentication_too_old");
    assert_eq!(stage.stub.all_calls(), 0);
    assert_eq!(stage.ask("/danger", &signed_in(60)).outcome(), "allow");
    assert_eq!(stage.stub.all_calls(), 1);
}

#[test]
fn no_proxy_of_the_environment_is_heeded() {
    for config in [
        pool("{ method: get_user }", ""),
        pool("", WITH_TABLE),
        pool("{ method: user_info, endpoint: \"STUB/oauth2/userInfo\" }", ""),
        oidc("", "", ""),
    ] {
        let proxy = Stub::start();
        let environment = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, proxy.url("")));
        let environment = environment.each_ref().map(|(name, url)| (*name, url.as_str()));
        let stage = Stage::start_with(&config, Credentials::Some, &environment);
        let token = if config.contains("oidc") { oidc_token() } else { token() };
        assert_eq!(stage.ask(LIVE, &token.text()).outcome(), "allow", "{config}");
        assert_eq!((proxy.all_calls(), stage.stub.all_calls()), (0, 1), "{config}");
    }
}

#[test]
fn every_kind_of_event_is_asked_about_in_the_same_way() {
    let stage = Stage::pool("{ method: get_user }", "  $connect: { introspect: true }\n");
    for kind in Kind::ALL {
        let before = stage.stub.all_calls();
        let verdict = stage.function.ask(&kind.event("GET", LIVE, &format!("Bearer {}", token().text())));
        assert_eq!(verdict.outcome(), "allow", "{kind:?}");
        assert_eq!(stage.stub.all_calls() - before, 1, "{kind:?}");
    }
    stage
        .stub
        .answer("GetUser", crate::stub::cognito::error("NotAuthorizedException", "Access Token has been revoked"));
    for kind in Kind::ALL {
        let verdict = stage.function.ask(&kind.event("GET", LIVE, &format!("Bearer {}", token().text())));
        assert_eq!(verdict.outcome(), "token_revoked", "{kind:?}");
        assert_eq!(verdict.failed_as_unauthorized(), !matches!(kind, Kind::Http1 | Kind::Http2), "{kind:?}");
    }
}

#[test]
fn a_token_that_names_no_user_pool_user_is_asked_about_all_the_same() {
    let stage = Stage::pool("{ method: get_user }", "");
    let (_, calls) = stage.calls_of("GetUser", |stage| stage.ask_live(&Token::access().without("username")));
    assert_eq!(calls, 1);
}
