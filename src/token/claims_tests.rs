//! What a verified token's claims must be, one line a case.

use super::*;
use crate::token::{Algorithm, AlgorithmSet, ClientId, Introspection, Proof, jwk};
use serde_json::json;
use std::time::Duration;

const NOW: f64 = 1_800_000_000.0;

fn expectations(kind: IssuerKind) -> Expectations {
    let oidc = kind == IssuerKind::Oidc;
    Expectations {
        issuer: "https://issuer.example".into(),
        tenants: None,
        kind,
        algorithms: AlgorithmSet::of(&[Algorithm::Rs256]),
        client_ids: if oidc { ClientIds::Unchecked } else { one_client("web") },
        audience: if oidc { Audience::OneOf(vec!["api".into(), "api2".into()]) } else { Audience::Unchecked },
        typ: None,
        claim_names: ClaimNames::default(),
        dpop: None,
        leeway: Duration::from_secs(5),
    }
}

fn one_client(id: &str) -> ClientIds {
    ClientIds::OneOf(vec![ClientId::Exact(id.to_owned())])
}

fn list(path: &str, form: Option<ListForm>) -> Option<MappedList> {
    Some(MappedList { path: ClaimPath::parse(path).unwrap(), form })
}

fn cognito() -> Expectations {
    expectations(IssuerKind::Cognito { token_uses: vec![TokenUse::Access] })
}

/// A good token with `changes`; a null in `changes` stands for `null`, an absent
/// marker `"<absent>"` removes the claim.
fn judge(expected: &Expectations, changes: Value) -> Result<Claims, Denial> {
    let mut payload = json!({
        "iss": "https://issuer.example", "exp": NOW + 600.0, "iat": NOW, "sub": "user-1",
        "token_use": "access", "client_id": "web", "aud": "api",
    });
    for (name, value) in changes.as_object().unwrap() {
        if value == "<absent>" {
            payload.as_object_mut().unwrap().remove(name);
        } else {
            payload[name] = value.clone();
        }
    }
    let typ = payload.as_object_mut().unwrap().remove("header.typ");
    let proof = Proof {
        kid: None,
        typ: typ.and_then(|typ| typ.as_str().map(Arc::from)),
        payload: payload.to_string().into_bytes().into(),
        key: jwk::a_key(),
    };
    let jwt = proof.into_jwt().unwrap();
    let expected = Arc::new(Expectations {
        issuer: Arc::clone(&expected.issuer),
        tenants: None,
        kind: expected.kind.clone(),
        client_ids: expected.client_ids.clone(),
        audience: expected.audience.clone(),
        typ: expected.typ.clone(),
        claim_names: expected.claim_names.clone(),
        dpop: None,
        ..*expected
    });
    jwt.into_claims(&expected, UnixSeconds::new(NOW).unwrap(), &Sender::default())
}

#[track_caller]
fn check(expected: &Expectations, changes: Value, code: &str) {
    let actual = judge(expected, changes.clone()).map_or_else(|denial| denial.code(), |_| "ok");
    assert_eq!(actual, code, "{changes}");
}

#[test]
fn exp_must_be_there_and_ahead_of_now_less_the_leeway() {
    check(&cognito(), json!({"exp": NOW - 4.9}), "ok");
    check(&cognito(), json!({"exp": NOW - 5.0}), "token_expired");
    check(&cognito(), json!({"exp": 0}), "token_expired");
    check(&cognito(), json!({"exp": -1}), "token_expired");
    check(&cognito(), json!({"exp": "<absent>"}), "malformed_claims");
    for bad in [json!(null), json!("1900000000"), json!([1]), json!(true), json!(1e15), json!(u64::MAX)] {
        check(&cognito(), json!({ "exp": bad }), "malformed_claims");
    }
    let strict = Expectations { leeway: Duration::ZERO, ..cognito() };
    check(&strict, json!({"exp": NOW}), "token_expired");
    check(&strict, json!({"exp": NOW + 0.5}), "ok");
}

#[test]
fn nbf_and_iat_hold_where_they_are_there() {
    for name in ["nbf", "iat"] {
        check(&cognito(), json!({ name: "<absent>" }), "ok");
        check(&cognito(), json!({ name: NOW + 5.0 }), "ok");
        check(&cognito(), json!({ name: NOW + 5.1 }), "token_not_yet_valid");
        check(&cognito(), json!({ name: -1 }), "ok");
        for bad in [json!(null), json!("1"), json!([]), json!(false), json!(1e300)] {
            check(&cognito(), json!({ name: bad }), "malformed_claims");
        }
    }
    check(&cognito(), json!({"auth_time": NOW + 999.0}), "ok"); // the route asks, not the token
    check(&cognito(), json!({"auth_time": null}), "malformed_claims");
    check(&cognito(), json!({"auth_time": "x"}), "malformed_claims");
}

#[test]
fn cognito_tokens_have_the_accepted_use() {
    check(&cognito(), json!({}), "ok");
    for bad in [json!("id"), json!("Access"), json!(""), json!(null), json!(7), json!(["access"]), json!("<absent>")] {
        check(&cognito(), json!({ "token_use": bad }), "wrong_token_use");
    }
    let both = expectations(IssuerKind::Cognito { token_uses: vec![TokenUse::Access, TokenUse::Id] });
    let both = Expectations { client_ids: one_client("web"), ..both };
    check(&both, json!({"token_use": "id", "aud": "web", "client_id": "<absent>"}), "ok");
    check(&both, json!({"token_use": "id", "aud": "other"}), "wrong_client");
    check(&both, json!({"token_use": "id", "aud": ["web"]}), "wrong_client");
    check(&both, json!({"token_use": "id", "aud": "<absent>"}), "wrong_client");
}

#[test]
fn cognito_access_tokens_name_an_accepted_client() {
    for bad in [json!("other"), json!("WEB"), json!(""), json!(null), json!(7), json!(["web"]), json!("<absent>")] {
        check(&cognito(), json!({ "client_id": bad, "azp": "web" }), "wrong_client");
    }
    let any = Expectations { client_ids: ClientIds::AnyNamed, ..cognito() };
    check(&any, json!({"client_id": "other"}), "ok");
    for bad in [json!(""), json!(null), json!(7), json!("<absent>")] {
        check(&any, json!({ "client_id": bad }), "wrong_client");
    }
}

#[test]
fn a_configured_audience_holds_for_cognito_access_tokens() {
    let bound = Expectations { audience: Audience::OneOf(vec!["https://api.example.com".into()]), ..cognito() };
    check(&bound, json!({"aud": "https://api.example.com"}), "ok");
    check(&bound, json!({"aud": ["x", "https://api.example.com"]}), "ok");
    for bad in [json!("api"), json!([]), json!(["x"]), json!(null), json!(7), json!("<absent>")] {
        check(&bound, json!({ "aud": bad }), "wrong_audience");
    }
    check(&cognito(), json!({"aud": ["anything"]}), "ok");
}

#[test]
fn oidc_tokens_must_be_for_an_accepted_audience() {
    let oidc = expectations(IssuerKind::Oidc);
    check(&oidc, json!({"aud": "api"}), "ok");
    check(&oidc, json!({"aud": ["other", "api2"]}), "ok");
    for bad in [json!("other"), json!([]), json!(["x"]), json!(["api", 7]), json!(null), json!(7), json!("<absent>")] {
        check(&oidc, json!({ "aud": bad }), "wrong_audience");
    }
    check(&oidc, json!({"token_use": "<absent>", "client_id": "<absent>"}), "ok");
}

#[test]
fn oidc_clients_are_client_id_else_azp() {
    let oidc = Expectations { client_ids: one_client("spa"), ..expectations(IssuerKind::Oidc) };
    check(&oidc, json!({"client_id": "spa"}), "ok");
    check(&oidc, json!({"client_id": "<absent>", "azp": "spa"}), "ok");
    check(&oidc, json!({"client_id": "other", "azp": "spa"}), "wrong_client");
    check(&oidc, json!({"client_id": 7, "azp": "spa"}), "wrong_client");
    check(&oidc, json!({"client_id": null, "azp": "spa"}), "wrong_client");
    check(&oidc, json!({"client_id": "<absent>"}), "wrong_client");
}

#[test]
fn a_required_typ_is_compared_as_a_media_type() {
    let typed = Expectations { typ: Some("at+jwt".into()), ..expectations(IssuerKind::Oidc) };
    for good in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        check(&typed, json!({ "header.typ": good }), "ok");
    }
    for bad in [json!("JWT"), json!(""), json!("application/x/at+jwt"), json!(7), json!("<absent>")] {
        check(&typed, json!({ "header.typ": bad }), "wrong_typ");
    }
    // As long as `application/`, and something else.
    for bad in ["audio/mpeg4-at+jwt", "applicationsat+jwt", "text/x/y/z//at+jwt"] {
        check(&typed, json!({ "header.typ": bad }), "wrong_typ");
    }
    let whole = Expectations { typ: Some("x/at+jwt".into()), ..expectations(IssuerKind::Oidc) };
    check(&whole, json!({"header.typ": "X/at+jwt"}), "ok");
    check(&whole, json!({"header.typ": "application/x/at+jwt"}), "wrong_typ");
}

#[test]
fn another_issuers_claims_are_never_taken() {
    check(&cognito(), json!({"iss": "https://issuer.example/"}), "unknown_issuer");
    check(&cognito(), json!({"iss": ["https://issuer.example"]}), "unknown_issuer");
}

#[test]
fn a_bound_token_is_no_bearer_token() {
    for cnf in [json!(null), json!({}), json!({"x5t#S256": "abc"}), json!({"jkt": "abc"})] {
        check(&cognito(), json!({ "cnf": cnf }), "sender_not_proven");
    }
}

#[test]
fn scopes_and_groups_are_words_or_lists() {
    for (claims, has) in [
        (json!({"scope": "a b"}), true),
        (json!({"scope": ["a", "b"]}), true),
        (json!({"scp": "b"}), true),
        (json!({"scp": ["b"]}), true),
        (json!({"scope": null, "scp": "b"}), true),
        (json!({"scope": "a", "scp": "b"}), false),
        (json!({"scope": ["a b"]}), false),
        (json!({"scope": "ab"}), false),
        (json!({"scope": {"b": 1}}), false),
        (json!({"scope": 7}), false),
        (json!({}), false),
    ] {
        assert_eq!(judge(&cognito(), claims.clone()).unwrap().has_scope("b"), has, "{claims}");
    }
    for (claims, has) in [
        (json!({"cognito:groups": ["a", "b"]}), true),
        (json!({"cognito:groups": "b"}), true),
        (json!({"cognito:groups": "a b"}), false),
        (json!({"cognito:groups": [["b"]]}), false),
        (json!({"cognito:groups": null}), false),
        (json!({"groups": ["b"]}), false),
    ] {
        assert_eq!(judge(&cognito(), claims.clone()).unwrap().has_group("b"), has, "{claims}");
    }
}

#[test]
fn mapped_claims_replace_the_usual_places() {
    let names = ClaimNames {
        scope: list("permissions", None),
        groups: list("/realm_access/roles", None),
        username: Some(ClaimPath::member("upn")),
        client_id: Some(ClaimPath::member("cid")),
    };
    let mapped = Expectations { claim_names: names, ..expectations(IssuerKind::Oidc) };
    let given = json!({
        "permissions": ["b"], "scope": "c", "realm_access": {"roles": "g"}, "cognito:groups": ["h"], "upn": "u", "cid": "d",
    });
    let claims = judge(&mapped, given.clone()).unwrap();
    assert!(claims.has_scope("b") && !claims.has_scope("c"));
    assert!(claims.has_group("g") && !claims.has_group("h"));
    assert_eq!((claims.username(), claims.client_id()), (Some(&json!("u")), Some(&json!("d"))));
    let mapped = Expectations { client_ids: one_client("d"), ..mapped };
    check(&mapped, given, "ok");
    // `client_id` is `web` throughout.
    for bad in [json!("web"), json!(null), json!(7), json!(""), json!("<absent>")] {
        check(&mapped, json!({ "cid": bad }), "wrong_client");
    }
}

#[test]
fn a_text_that_is_a_list_is_read_as_one_and_an_array_as_it_is() {
    let names = ClaimNames {
        scope: list("permissions", Some(ListForm::Commas)),
        groups: list("custom:groups", Some(ListForm::Brackets)),
        ..ClaimNames::default()
    };
    let mapped = Expectations { claim_names: names, ..cognito() };
    for (groups, expected) in [
        (json!("[a b, c]"), Some(json!(["a b", "c"]))),
        (json!(["[a b, c]"]), Some(json!(["[a b, c]"]))),
        (json!("c"), Some(json!([]))),
        (json!(null), Some(json!(null))),
        (json!(7), Some(json!(7))),
        (json!("<absent>"), None),
    ] {
        let claims = judge(&mapped, json!({ "custom:groups": groups, "cognito:groups": ["c"] })).unwrap();
        assert_eq!(claims.groups(), expected.as_ref(), "{groups}");
        assert_eq!(claims.has_group("c"), groups == "[a b, c]", "{groups}");
    }
    assert!(judge(&mapped, json!({ "permissions": "read:a,write" })).unwrap().has_scope("read:a"));
}

#[test]
fn without_an_audience_there_is_no_aud_at_all() {
    let none =
        Expectations { audience: Audience::Absent, client_ids: one_client("web"), ..expectations(IssuerKind::Oidc) };
    check(&none, json!({"aud": "<absent>"}), "ok");
    for bad in [json!("api"), json!(""), json!(null), json!([]), json!(7)] {
        check(&none, json!({ "aud": bad }), "wrong_audience");
    }
}

#[test]
fn the_principal_is_the_subject_else_the_client() {
    for (claims, principal) in [(json!({}), Some("user-1")), (json!({"sub": "<absent>"}), Some("web"))] {
        assert_eq!(judge(&cognito(), claims.clone()).unwrap().principal_id(), principal, "{claims}");
    }
    let nobody = json!({"sub": "<absent>", "client_id": "<absent>"});
    assert_eq!(judge(&expectations(IssuerKind::Oidc), nobody).unwrap().principal_id(), None);
}

#[test]
fn identifiers_are_non_empty_texts_where_they_are_present() {
    for expected in [&cognito(), &expectations(IssuerKind::Oidc)] {
        for name in ["sub", "jti", "origin_jti"] {
            check(expected, json!({ name: "<absent>" }), "ok");
            check(expected, json!({ name: "7" }), "ok");
            for bad in [json!(null), json!(""), json!(7), json!(true), json!(["a"]), json!({"a": "b"})] {
                check(expected, json!({ name: bad }), "malformed_claims");
            }
        }
    }
}

#[test]
fn a_client_is_a_non_empty_text_even_where_any_is_accepted() {
    let oidc = expectations(IssuerKind::Oidc);
    check(&oidc, json!({"client_id": "<absent>"}), "ok");
    check(&oidc, json!({"client_id": "<absent>", "azp": null}), "ok");
    check(&oidc, json!({"client_id": null, "azp": 7}), "wrong_client");
    for bad in [json!(""), json!(7), json!(["web"]), json!({})] {
        check(&oidc, json!({ "client_id": bad, "azp": "spa" }), "wrong_client");
        check(&oidc, json!({ "client_id": "<absent>", "azp": bad }), "wrong_client");
    }
    // `azp` counts only where there is no `client_id`.
    check(&oidc, json!({"client_id": "spa", "azp": 7}), "ok");
}

#[test]
fn a_client_token_is_an_access_token_whose_subject_is_its_client() {
    let both = expectations(IssuerKind::Cognito { token_uses: vec![TokenUse::Access, TokenUse::Id] });
    for (changes, is_one) in [
        (json!({"sub": "web"}), true),
        (json!({}), false),
        (json!({"sub": "web", "username": "u"}), false),
        (json!({"sub": "web", "username": ""}), false),
        (json!({"sub": "web", "username": null}), false),
        (json!({"sub": "web", "cognito:username": 7}), false),
        (json!({"sub": "<absent>"}), false),
        (json!({"sub": "<absent>", "token_use": "id", "aud": "web", "client_id": "<absent>"}), false),
        (json!({"sub": "web", "token_use": "id", "aud": "web"}), false),
    ] {
        assert_eq!(judge(&both, changes.clone()).unwrap().is_cognito_client_token(), is_one, "{changes}");
    }
    let oidc = judge(&expectations(IssuerKind::Oidc), json!({"sub": "web"})).unwrap();
    assert!(!oidc.is_cognito_client_token());
}

#[test]
fn claims_tell_what_they_were_judged_by() {
    let both = expectations(IssuerKind::Cognito { token_uses: vec![TokenUse::Access, TokenUse::Id] });
    let at = |seconds: f64| UnixSeconds::new(seconds);
    let access = judge(&both, json!({"iat": NOW - 2.0, "auth_time": NOW - 7.0})).unwrap();
    assert_eq!((access.issuer(), access.leeway()), ("https://issuer.example", Duration::from_secs(5)));
    assert_eq!(Some(access.expires()), at(NOW + 600.0));
    assert_eq!((access.issued_at(), access.auth_time()), (at(NOW - 2.0), at(NOW - 7.0)));
    assert_eq!((access.get("sub"), access.get("other")), (Some(&json!("user-1")), None));
    assert_eq!(access.all().len(), 8);
    assert!(access.is_cognito() && !access.is_cognito_id_token());
    assert!(!access.are_sender_bound() && !access.were_introspected());
    let id = judge(&both, json!({"token_use": "id", "aud": "web", "iat": "<absent>"})).unwrap();
    assert!(id.is_cognito() && id.is_cognito_id_token());
    assert_eq!((id.issued_at(), id.auth_time()), (None, None));
    let oidc = judge(&expectations(IssuerKind::Oidc), json!({"token_use": "id"})).unwrap();
    assert!(!oidc.is_cognito() && !oidc.is_cognito_id_token());
}

#[test]
fn the_client_is_client_id_else_azp_and_an_id_tokens_is_its_aud() {
    let both = expectations(IssuerKind::Cognito { token_uses: vec![TokenUse::Access, TokenUse::Id] });
    let oidc = expectations(IssuerKind::Oidc);
    for (expected, changes, client) in [
        (&both, json!({"azp": "other", "aud": "other"}), Some(json!("web"))),
        (&both, json!({"token_use": "id", "aud": "web", "client_id": "other", "azp": "other"}), Some(json!("web"))),
        (&oidc, json!({"azp": "other"}), Some(json!("web"))),
        (&oidc, json!({"client_id": "<absent>", "azp": "other"}), Some(json!("other"))),
        (&oidc, json!({"client_id": null, "azp": "other"}), Some(json!("other"))),
        (&oidc, json!({"client_id": "<absent>"}), None),
    ] {
        assert_eq!(judge(expected, changes.clone()).unwrap().client_id(), client.as_ref(), "{changes}");
    }
}

#[test]
fn names_are_username_else_cognitos() {
    for (changes, name) in [
        (json!({"username": "a", "cognito:username": "b"}), Some(json!("a"))),
        (json!({"cognito:username": "b"}), Some(json!("b"))),
        (json!({"username": null, "cognito:username": "b"}), Some(json!("b"))),
        (json!({"username": ""}), Some(json!(""))),
        (json!({"name": "c"}), None),
    ] {
        assert_eq!(judge(&cognito(), changes.clone()).unwrap().username(), name.as_ref(), "{changes}");
    }
}

#[test]
fn what_an_issuer_says_of_an_opaque_token_is_held_to_the_same() {
    // "certificate" in PEM clothes, and its thumbprint.
    let pem = "-----BEGIN CERTIFICATE-----\nY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let bound = json!({"x5t#S256": "A9Zt0Ig1wco_EozOrNHzGslBYwlrIPRFroQoW8CDLXI"});
    let oidc = Arc::new(expectations(IssuerKind::Oidc));
    let typed = Arc::new(Expectations { typ: Some("at+jwt".into()), ..expectations(IssuerKind::Oidc) });
    let judge = |expected: &Arc<Expectations>, changes: &Value, pem: Option<&str>| {
        let mut answer = json!({"active": true, "exp": NOW + 600.0, "sub": "user-1", "aud": "api"});
        changes.as_object().unwrap().iter().for_each(|(name, value)| answer[name] = value.clone());
        let Some(Introspection::Active(token)) = Introspection::parse(answer.to_string().as_bytes()) else { panic!() };
        assert_eq!(token.get("sub"), Some(&json!("user-1")));
        assert_eq!(token.expires(), answer["exp"].as_f64().and_then(UnixSeconds::new), "{changes}");
        token.into_claims(
            expected,
            UnixSeconds::new(NOW).unwrap(),
            &pem.map_or_else(Sender::default, Sender::with_certificate),
        )
    };
    for (changes, pem, code) in [
        (json!({}), None, "ok"),
        (json!({"iss": "https://issuer.example"}), None, "ok"),
        (json!({"iss": "https://other.example"}), None, "unknown_issuer"),
        (json!({"iss": null}), None, "unknown_issuer"),
        (json!({"exp": NOW - 5.0}), None, "token_expired"),
        (json!({"exp": "soon"}), None, "malformed_claims"),
        (json!({"auth_time": "soon"}), None, "malformed_claims"),
        (json!({"jti": 7}), None, "malformed_claims"),
        (json!({"client_id": 7}), None, "wrong_client"),
        (json!({"nbf": NOW + 5.1}), None, "token_not_yet_valid"),
        (json!({"aud": "other"}), None, "wrong_audience"),
        (json!({"cnf": bound}), None, "sender_not_proven"),
        (json!({"cnf": bound}), Some(pem), "ok"),
    ] {
        // A `typ` header is what an opaque token has not.
        for expected in [&oidc, &typed] {
            let claims = judge(expected, &changes, pem);
            assert_eq!(claims.as_ref().map_or_else(|denial| denial.code(), |_| "ok"), code, "{changes}");
            let Ok(claims) = claims else { continue };
            assert!(claims.were_introspected() && claims.issuer() == "https://issuer.example");
            assert_eq!(claims.are_sender_bound(), pem.is_some());
            assert_eq!((claims.get("active"), claims.get("iss")), (None, Some(&json!("https://issuer.example"))));
        }
    }
}

#[test]
fn debug_shows_no_claim() {
    let claims = judge(&cognito(), json!({})).unwrap();
    assert_eq!(format!("{claims:?}"), r#"Claims { issuer: "https://issuer.example", .. }"#);
}
