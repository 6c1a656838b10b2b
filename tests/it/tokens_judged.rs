//! Which token is good: every reason code of the class 401, and each claim missing, null, a number,
//! an array and at its edge. The route is `$default: {}` throughout, so that the token alone decides.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::events;
use crate::jwks_server::{Page, Site};
use crate::runtime_api::Function;
use crate::tokens::{
    CLIENT, ISSUER, Key, MACHINE, NEW_ISSUER, READER_SUB, TOKEN_OF_A_1024_BIT_KEY, Token, as_cognito_publishes,
    cognito_jwks, encode, hs256, jwk_set, now,
};
use crate::verdict::{Cases, Verdict};

// One configuration, many issuers: each line of it is a way to judge a token.
const ID_POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_IdTokens1";
const BOTH_POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_BothUses1";
const AUDIENCE_POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Audience1";
const ANY_CLIENT_POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AnyClient";
const CHINA_POOL: &str = "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_ChinaPool";
const OIDC: &str = "https://login.example.com/tenant/v2.0";
const OIDC_CLIENTS: &str = "https://clients.example.com/";
const OIDC_TYP: &str = "https://typ.example.com";
const OIDC_ALGORITHMS: &str = "https://algorithms.example.com";
const ODD_KEYS: &str = "https://odd-keys.example.com";

/// The function with all these issuers, and one table of cases.
struct Harness {
    function: Function,
    site: Site,
    cases: Arc<Cases>,
}

impl Harness {
    fn open() -> Harness {
        Harness::open_with("leeway: 0s")
    }

    fn open_with(settings: &str) -> Harness {
        let site = Site::with_keys(&cognito_jwks());
        let plain = [Key::RsaA, Key::RsaB, Key::Rsa4096, Key::P256, Key::P384, Key::P521, Key::Ed25519];
        site.page("/plain.json", Page::json(&jwk_set(&plain.map(Key::jwk))));
        site.page("/odd.json", Page::json(&odd_keys()));
        let cognito = site.url("/jwks.json");
        let plain = site.url("/plain.json");
        let odd = site.url("/odd.json");
        let clients = format!("client_ids: [{CLIENT}, {MACHINE}]");
        let config = format!(
            r#"
issuers:
  - cognito: {{ user_pool_id: us-east-1_AbCdEf123, {clients}, jwks_uri: "{cognito}" }}
  - cognito: {{ user_pool_id: us-east-1_AbCdEf123, {clients}, jwks_uri: "{cognito}", issuer: "{NEW_ISSUER}" }}
  - cognito: {{ user_pool_id: us-east-1_IdTokens1, {clients}, jwks_uri: "{cognito}", token_use: id }}
  - cognito: {{ user_pool_id: us-east-1_BothUses1, {clients}, jwks_uri: "{cognito}", token_use: [access, id] }}
  - cognito: {{ user_pool_id: eu-west-1_Audience1, {clients}, jwks_uri: "{cognito}", token_use: [access, id], audience: [https://api.example.com, orders] }}
  - cognito: {{ user_pool_id: us-east-1_AnyClient, client_ids: "*", jwks_uri: "{cognito}", token_use: [access, id] }}
  - cognito: {{ user_pool_id: cn-north-1_ChinaPool, issuer: "{CHINA_POOL}", {clients}, jwks_uri: "{cognito}" }}
  - oidc: {{ issuer: "{OIDC}", audience: [api://orders, api://other], jwks_uri: "{plain}" }}
  - oidc: {{ issuer: "{OIDC_CLIENTS}", audience: api://orders, client_ids: [spa, "{CLIENT}"], jwks_uri: "{plain}" }}
  - oidc: {{ issuer: "{OIDC_TYP}", audience: api://orders, typ: at+jwt, jwks_uri: "{plain}" }}
  - oidc: {{ issuer: "{OIDC_ALGORITHMS}", audience: api://orders, jwks_uri: "{plain}", algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA] }}
  - oidc: {{ issuer: "{ODD_KEYS}", audience: api://orders, jwks_uri: "{odd}", algorithms: [RS256, ES256] }}
routes: {{ $default: {{}} }}
{settings}
"#
        );
        Harness { function: Function::start(&config), site, cases: Arc::default() }
    }

    #[track_caller]
    fn judge(&self, token: &str) -> Verdict {
        self.function.ask(&events::Kind::Http2.event("GET", "/items", &format!("Bearer {token}")))
    }

    #[track_caller]
    fn check(&self, what: &str, token: impl AsRef<str>, expected: &str) {
        self.cases.check(what, &self.judge(token.as_ref()), expected);
    }

    /// The claim as each of these JSON values, and not there at all.
    #[track_caller]
    fn check_each(&self, token: &Token, claim: &str, values: &[Value], expected: &str) {
        for value in values {
            self.check(&format!("{claim}: {value}"), token.clone().claim(claim, value.clone()).text(), expected);
        }
    }
}

/// Values of a wrong type for a claim that is a string.
fn no_strings() -> Vec<Value> {
    vec![json!(null), json!(7), json!(true), json!([]), json!([7]), json!({})]
}

/// Values of a wrong type for a claim that is a number.
fn no_numbers() -> Vec<Value> {
    vec![json!(null), json!("4102444800"), json!(true), json!([]), json!([4_102_444_800_i64]), json!({})]
}

#[test]
fn tokens_as_their_issuers_mint_them_are_good() {
    let harness = Harness::open();
    harness.check("Cognito access token", Token::access().text(), "allow");
    harness.check("signed with the other key of the pool", Token::access().key(Key::RsaB).text(), "allow");
    harness.check("client credentials", Token::machine().text(), "allow");
    harness.check("the newer form of the issuer", Token::access().claim("iss", json!(NEW_ISSUER)).text(), "allow");
    harness.check("an issuer in China", Token::access().claim("iss", json!(CHINA_POOL)).text(), "allow");
    harness.check("a Cognito ID token", Token::id().claim("iss", json!(ID_POOL)).text(), "allow");
    harness.check("an ID token where both are taken", Token::id().claim("iss", json!(BOTH_POOL)).text(), "allow");
    harness.check(
        "an access token where both are taken",
        Token::access().claim("iss", json!(BOTH_POOL)).text(),
        "allow",
    );
    harness.check(
        "resource-bound: an audience of its own",
        Token::access().claim("aud", json!("https://x")).text(),
        "allow",
    );
    harness.check("an emulator's `typ`", Token::access().header("typ", json!("JWT")).text(), "allow");
    harness.check(
        "a nested claim of a trigger",
        Token::access().claim("x", json!({"a": [{"b": null}]})).text(),
        "allow",
    );
    harness.check("another provider's token", Token::oidc(OIDC).text(), "allow");
    harness.check(
        "no `iat`, `nbf`, `auth_time`, `jti`",
        Token::access().without("iat").without("nbf").without("auth_time").without("jti").text(),
        "allow",
    );
    harness.check("no `sub`", Token::access().without("sub").text(), "allow");
    harness.check(
        "white space in the JSON",
        {
            let token = Token::access();
            token.spelled(&token.header_json().replace(':', " :\n"), &token.payload_json().replace(",\"", ",\t\""))
        },
        "allow",
    );
}

#[test]
fn the_issuer_must_be_a_configured_one_to_the_letter() {
    let harness = Harness::open();
    let token = Token::access();
    harness.check("no iss", token.clone().without("iss").text(), "unknown_issuer");
    harness.check_each(&token, "iss", &no_strings(), "unknown_issuer");
    let near = [
        json!([ISSUER]),
        json!({ "iss": ISSUER }),
        json!(""),
        json!(" "),
        json!("https://issuer.example.com"),
        json!(format!("{ISSUER}/")),
        json!(format!(" {ISSUER}")),
        json!(format!("{ISSUER} ")),
        json!(format!("{ISSUER}\u{0}")),
        json!(ISSUER.to_uppercase()),
        json!(&ISSUER[..ISSUER.len() - 1]),
        json!(ISSUER.replace("https://", "http://")),
        json!(ISSUER.replace("us-east-1_AbCdEf123", "us-east-1_abcdef123")),
        json!("us-east-1_AbCdEf123"),
    ];
    harness.check_each(&token, "iss", &near, "unknown_issuer");
}

#[test]
fn the_expiry_must_be_there_and_ahead() {
    let harness = Harness::open();
    let token = Token::access();
    harness.check("no exp", token.clone().without("exp").text(), "malformed_claims");
    harness.check_each(&token, "exp", &no_numbers(), "malformed_claims");
    harness.check("exp a minute ago", token.clone().claim("exp", json!(now() - 60)).text(), "token_expired");
    // RFC 7519, section 4.1.4: "on or after which the JWT MUST NOT be accepted".
    harness.check("exp is now", token.clone().claim("exp", json!(now())).text(), "token_expired");
    harness.check("exp in a few seconds", token.clone().claim("exp", json!(now() + 5)).text(), "allow");
    harness.check("exp at a fraction ahead", token.clone().claim("exp", json!(now() as f64 + 5.5)).text(), "allow");
    harness.check(
        "exp at a fraction ago",
        token.clone().claim("exp", json!(now() as f64 - 1.5)).text(),
        "token_expired",
    );
    harness.check("exp in scientific notation", token.claim_text("exp", "4.1024448e9"), "allow");
    harness.check("exp 0", token.clone().claim("exp", json!(0)).text(), "token_expired");
    harness.check("exp negative", token.clone().claim("exp", json!(-1)).text(), "token_expired|malformed_claims");
    harness.check("exp very negative", token.claim_text("exp", "-1e300"), "token_expired|malformed_claims");
    harness.check("exp i64::MIN", token.claim_text("exp", "-9223372036854775808"), "token_expired|malformed_claims");
    // What is too large for an i64 may be taken as far ahead or as malformed; it may not be anything else.
    for huge in ["9223372036854775807", "18446744073709551615", "18446744073709551616", "1e300"] {
        harness.check(&format!("exp {huge}"), token.claim_text("exp", huge), "allow|malformed_claims");
    }
    harness.check("exp beyond every float", token.claim_text("exp", "1e999"), "malformed_claims|malformed_token");
    for no_json in ["NaN", "Infinity", "0x7fffffff", "04102444800", "+4102444800", "4102444800."] {
        harness.check(&format!("exp {no_json}"), token.claim_text("exp", no_json), "malformed_token");
    }
}

#[test]
fn not_before_and_issued_at_hold_where_they_are_there() {
    let harness = Harness::open();
    for claim in ["nbf", "iat"] {
        let token = Token::access();
        harness.check(&format!("no {claim}"), token.clone().without(claim).text(), "allow");
        harness.check_each(&token, claim, &no_numbers(), "malformed_claims");
        harness.check_each(&token, claim, &[json!(now()), json!(now() - 1), json!(0)], "allow");
        harness.check_each(&token, claim, &[json!(-1)], "allow|malformed_claims");
        harness.check_each(&token, claim, &[json!(now() as f64 - 0.5)], "allow");
        harness.check_each(&token, claim, &[json!(now() + 30), json!(now() + 86_400)], "token_not_yet_valid");
        harness.check_each(&token, claim, &[json!(now() as f64 + 30.5)], "token_not_yet_valid");
        harness.check(
            &format!("{claim} 1e300"),
            token.claim_text(claim, "1e300"),
            "token_not_yet_valid|malformed_claims",
        );
    }
    let token = Token::access();
    harness.check("no auth_time", token.clone().without("auth_time").text(), "allow");
    harness.check_each(&token, "auth_time", &no_numbers(), "malformed_claims");
    harness.check_each(&token, "auth_time", &[json!(0), json!(now()), json!(now() as f64 - 0.5)], "allow");
}

#[test]
fn the_leeway_counts_for_expiry_not_before_and_issued_at() {
    let harness = Harness::open_with("leeway: 60s");
    let at = |claim: &str, offset: i64| Token::access().claim(claim, json!(now() + offset)).text();
    harness.check("expired within the leeway", at("exp", -50), "allow");
    harness.check("expired exactly the leeway ago", at("exp", -60), "token_expired");
    harness.check("expired long ago", at("exp", -120), "token_expired");
    harness.check("nbf within the leeway", at("nbf", 60), "allow");
    harness.check("nbf beyond the leeway", at("nbf", 90), "token_not_yet_valid");
    harness.check("iat within the leeway", at("iat", 60), "allow");
    harness.check("iat beyond the leeway", at("iat", 90), "token_not_yet_valid");

    let harness = Harness::open_with("");
    harness.check("the default is five seconds: within", at("exp", -2), "allow");
    harness.check("the default is five seconds: at the edge", at("exp", -5), "token_expired");
    harness.check("the default is five seconds: not yet", at("nbf", 30), "token_not_yet_valid");
}

#[test]
fn the_token_use_must_be_one_that_is_wanted() {
    let harness = Harness::open();
    for issuer in [ISSUER, ID_POOL, BOTH_POOL, AUDIENCE_POOL, ANY_CLIENT_POOL] {
        let token = Token::access().claim("aud", json!("orders")).claim("iss", json!(issuer));
        harness.check(
            &format!("no token_use at {issuer}"),
            token.clone().without("token_use").text(),
            "wrong_token_use",
        );
        harness.check_each(&token, "token_use", &no_strings(), "wrong_token_use");
        let other =
            [json!(["access"]), json!(["id"]), json!("Access"), json!(""), json!("refresh"), json!("access id")];
        harness.check_each(&token, "token_use", &other, "wrong_token_use");
    }
    harness.check("an ID token where access tokens are wanted", Token::id().text(), "wrong_token_use");
    harness.check(
        "an access token where ID tokens are wanted",
        Token::access().claim("iss", json!(ID_POOL)).claim("aud", json!(CLIENT)).text(),
        "wrong_token_use",
    );
    harness.check("another provider knows no token_use", Token::oidc(OIDC).text(), "allow");
}

#[test]
fn the_client_must_be_a_configured_one() {
    let harness = Harness::open();
    let others =
        [json!(""), json!("other-client"), json!("web-client "), json!("Web-Client"), json!("web-clien"), json!("*")];

    let access = Token::access();
    harness.check("no client_id", access.clone().without("client_id").text(), "wrong_client");
    harness.check_each(&access, "client_id", &no_strings(), "wrong_client");
    harness.check_each(&access, "client_id", &[json!([CLIENT])], "wrong_client");
    harness.check_each(&access, "client_id", &others, "wrong_client");
    // An access token's `aud` is no client.
    harness.check(
        "a wrong client_id beside a right aud",
        access.clone().claim("client_id", json!("other")).claim("aud", json!(CLIENT)).text(),
        "wrong_client",
    );

    let id = Token::id().claim("iss", json!(ID_POOL));
    harness.check("an ID token without aud", id.clone().without("aud").text(), "wrong_client");
    harness.check_each(&id, "aud", &no_strings(), "wrong_client");
    harness.check_each(&id, "aud", &others, "wrong_client");
    harness.check_each(&id, "aud", &[json!(["other-client"]), json!([[CLIENT]])], "wrong_client");
    harness.check(
        "a right client_id does not make up for an ID token's aud",
        id.clone().claim("aud", json!("other")).claim("client_id", json!(CLIENT)).text(),
        "wrong_client",
    );

    let any = Token::access().claim("iss", json!(ANY_CLIENT_POOL));
    harness.check_each(&any, "client_id", &[json!("whoever")], "allow");
    harness.check("any client is still a client", any.clone().without("client_id").text(), "wrong_client");
    harness.check_each(&any, "client_id", &no_strings(), "wrong_client");

    let oidc = Token::oidc(OIDC_CLIENTS);
    harness.check("azp", oidc.text(), "allow");
    harness.check("client_id", oidc.clone().without("azp").claim("client_id", json!("spa")).text(), "allow");
    harness.check("neither", oidc.clone().without("azp").text(), "wrong_client");
    harness.check_each(&oidc, "azp", &no_strings(), "wrong_client");
    harness.check_each(&oidc, "azp", &[json!(["spa"]), json!("other")], "wrong_client");
    harness.check("client_id goes before azp", oidc.clone().claim("client_id", json!("other")).text(), "wrong_client");
    harness.check(
        "a mistyped client_id is not made good by azp",
        oidc.clone().claim("client_id", json!(7)).text(),
        "wrong_client",
    );
    harness.check("client_id null beside a good azp", oidc.claim("client_id", json!(null)).text(), "wrong_client");

    // The revocation table and the log know clients by this claim, so its type counts where no client is asked for.
    let unchecked = Token::oidc(OIDC);
    harness.check("no client is asked for", unchecked.clone().without("azp").text(), "allow");
    harness.check_each(&unchecked, "azp", &[json!("whoever")], "allow");
    for name in ["azp", "client_id"] {
        harness.check_each(&unchecked, name, &no_strings()[1..], "wrong_client");
        harness.check_each(&unchecked, name, &[json!(""), json!(["spa"])], "wrong_client");
    }
    // A null names no client, and hides none.
    harness.check_each(&unchecked, "azp", &[json!(null)], "allow");
}

#[test]
fn identifiers_are_non_empty_texts_where_they_are_present() {
    let harness = Harness::open();
    for token in [Token::access(), Token::machine(), Token::oidc(OIDC), Token::id().claim("iss", json!(ID_POOL))] {
        for name in ["sub", "jti", "origin_jti"] {
            harness.check(&format!("no {name}"), token.clone().without(name).text(), "allow");
            harness.check_each(&token, name, &[json!("42"), json!(" ")], "allow");
            harness.check_each(&token, name, &[json!(""), json!(["42"])], "malformed_claims");
            harness.check_each(&token, name, &no_strings(), "malformed_claims");
        }
    }
}

#[test]
fn the_audience_must_hold_a_configured_one() {
    let harness = Harness::open();
    let oidc = Token::oidc(OIDC);
    harness.check_each(
        &oidc,
        "aud",
        &[json!("api://orders"), json!("api://other"), json!(["x", "api://orders"])],
        "allow",
    );
    let access = Token::access().claim("iss", json!(AUDIENCE_POOL));
    harness.check_each(
        &access,
        "aud",
        &[json!("orders"), json!("https://api.example.com"), json!(["x", "orders"])],
        "allow",
    );
    for (name, token) in [("another provider's", oidc), ("a Cognito access token's", access)] {
        harness.check(&format!("{name}: no aud"), token.clone().without("aud").text(), "wrong_audience");
        harness.check_each(&token, "aud", &no_strings(), "wrong_audience");
        let others = [
            json!(""),
            json!("api://order"),
            json!("orders "),
            json!("api://orders api://other"),
            json!(["x"]),
            json!([["api://orders"], ["orders"]]),
            json!({ "api://orders": true, "orders": true }),
        ];
        harness.check_each(&token, "aud", &others, "wrong_audience");
    }
    harness.check(
        "an ID token's aud is its client, and no audience",
        Token::id().claim("iss", json!(AUDIENCE_POOL)).text(),
        "allow",
    );
}

#[test]
fn the_required_typ_must_be_there() {
    let harness = Harness::open();
    let token = Token::oidc(OIDC_TYP);
    harness.check("at+jwt", token.clone().header("typ", json!("at+jwt")).text(), "allow");
    // RFC 9068, section 4, and RFC 7515, section 4.1.9: a media type, whose case and prefix may vary.
    for same in ["application/at+jwt", "AT+JWT"] {
        harness.check(same, token.clone().header("typ", json!(same)).text(), "allow|wrong_typ");
    }
    harness.check("no typ", token.clone().without_header("typ").text(), "wrong_typ");
    for typ in [json!("JWT"), json!(""), json!("at+jwt "), json!("id+jwt"), json!("application/JWT")] {
        harness.check(&format!("typ: {typ}"), token.clone().header("typ", typ).text(), "wrong_typ");
    }
    for typ in no_strings() {
        harness.check(&format!("typ: {typ}"), token.clone().header("typ", typ).text(), "wrong_typ|malformed_token");
    }
}

#[test]
fn only_the_allowed_algorithms_are_taken() {
    let harness = Harness::open();
    // Each algorithm with the key it belongs to, first where it is allowed, then where RS256 alone is.
    for (key, algorithm) in [
        (Key::RsaA, "RS256"),
        (Key::RsaA, "RS384"),
        (Key::RsaA, "RS512"),
        (Key::RsaA, "PS256"),
        (Key::RsaA, "PS384"),
        (Key::RsaA, "PS512"),
        (Key::Rsa4096, "RS256"),
        (Key::P256, "ES256"),
        (Key::P384, "ES384"),
        (Key::P521, "ES512"),
        (Key::Ed25519, "EdDSA"),
    ] {
        let token = Token::oidc(OIDC_ALGORITHMS).key(key).algorithm(algorithm);
        harness.check(algorithm, token.text(), "allow");
        let strict = token.claim("iss", json!(OIDC)).text();
        harness.check(
            &format!("{algorithm} by default"),
            strict,
            if algorithm == "RS256" { "allow" } else { "algorithm_not_allowed" },
        );
        if algorithm != "RS256" {
            let cognito = Token::access().key(key).algorithm(algorithm).text();
            harness.check(&format!("{algorithm} at Cognito"), cognito, "algorithm_not_allowed");
        }
    }
    for issuer in [OIDC, OIDC_ALGORITHMS] {
        let token = Token::oidc(issuer);
        for alg in [
            "none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "RS1", "HS256", "HS512", "RSA-OAEP", "dir", "ES256K",
        ] {
            harness.check(
                &format!("alg: {alg}"),
                token.clone().header("alg", json!(alg)).text(),
                "algorithm_not_allowed",
            );
        }
        // The classic: no signature at all, and the public key as a shared secret.
        let none = token.clone().header("alg", json!("none"));
        harness.check("alg none, signature empty", none.with_signature(b""), "401");
        harness.check("alg none, some signature", none.with_signature(b"0"), "algorithm_not_allowed");
        let hs = token.clone().header("alg", json!("HS256"));
        let input = format!("{}.{}", encode(hs.header_json()), encode(hs.payload_json()));
        let modulus = Key::RsaA.jwk()["n"].as_str().unwrap().to_owned();
        harness.check(
            "HS256 with the public key",
            hs.with_signature(&hs256(modulus.as_bytes(), &input)),
            "algorithm_not_allowed",
        );
        harness.check("no alg", token.clone().without_header("alg").text(), "algorithm_not_allowed|malformed_token");
        for alg in no_strings().into_iter().chain([json!(["RS256"])]) {
            let text = token.clone().header("alg", alg.clone()).text();
            harness.check(&format!("alg: {alg}"), text, "algorithm_not_allowed|malformed_token");
        }
    }
}

#[test]
fn only_the_issuers_key_of_that_name_is_taken() {
    let harness = Harness::open();
    let token = Token::access();
    harness.check("no kid", token.clone().without_header("kid").text(), "unknown_key");
    harness.check("unknown kid", token.clone().header("kid", json!("rsa-z")).text(), "unknown_key");
    harness.check("kid in another case", token.clone().header("kid", json!("RSA-A")).text(), "unknown_key");
    harness.check("kid with a blank", token.clone().header("kid", json!("rsa-a ")).text(), "unknown_key");
    harness.check("empty kid", token.clone().header("kid", json!("")).text(), "unknown_key|malformed_token");
    for kid in no_strings().into_iter().chain([json!(["rsa-a"])]) {
        let text = token.clone().header("kid", kid.clone()).text();
        harness.check(&format!("kid: {kid}"), text, "unknown_key|malformed_token");
    }
    harness.check("kid as a path", token.clone().header("kid", json!("../../etc/passwd")).text(), "unknown_key");
    harness.check(
        "kid as a URL",
        token.clone().header("kid", json!(harness.site.url("/jwks.json"))).text(),
        "unknown_key",
    );
}

/// Keys of one issuer that do not fit for some reason, beside some that do. All of one signature:
/// `rsa-c` signs for each `kid`, so that only the description of the key decides.
fn odd_keys() -> Value {
    let c = |kid: &str, members: Value| {
        let mut members = members;
        members["kid"] = json!(kid);
        Key::RsaC.jwk_with(members)
    };
    jwk_set(&[
        c("bare", json!({})),
        c("for signatures", json!({ "use": "sig" })),
        c("to verify", json!({ "key_ops": ["verify"] })),
        c("with everything", json!({ "use": "sig", "alg": "RS256", "key_ops": ["verify"], "x5t": "abc" })),
        c("for encryption", json!({ "use": "enc" })),
        c("use of a wrong type", json!({ "use": 7 })),
        c("to sign", json!({ "key_ops": ["sign"] })),
        c("for nothing", json!({ "key_ops": [] })),
        c("of RS512", json!({ "alg": "RS512" })),
        c("of PS256", json!({ "alg": "PS256" })),
        c("of RSA-OAEP", json!({ "alg": "RSA-OAEP" })),
        c("of no type", json!({ "kty": null })),
        c("of another type", json!({ "kty": "EC" })),
        c("symmetric", json!({ "kty": "oct", "k": "c2VjcmV0" })),
        Key::Rsa1024.jwk(),
        Key::RsaC.jwk_with(json!({ "kid": null })),
        Key::P256.jwk(),
        Key::P384.jwk(),
    ])
}

#[test]
fn a_key_must_fit_the_algorithm_of_the_token() {
    let harness = Harness::open();
    let signed_c = |kid: &str| Token::oidc(ODD_KEYS).key(Key::RsaC).header("kid", json!(kid)).text();
    for kid in ["bare", "for signatures", "to verify", "with everything"] {
        harness.check(kid, signed_c(kid), "allow");
    }
    for kid in [
        "for encryption",
        "use of a wrong type",
        "to sign",
        "for nothing",
        "of RS512",
        "of PS256",
        "of RSA-OAEP",
        "of no type",
        "of another type",
        "symmetric",
        "rsa-c",
        "p-256",
    ] {
        harness.check(kid, signed_c(kid), "unknown_key");
    }
    harness.check("an EC token with an EC key", Token::oidc(ODD_KEYS).key(Key::P256).text(), "allow");
    harness.check(
        "an EC token with an RSA key's kid",
        Token::oidc(ODD_KEYS).key(Key::P256).header("kid", json!("bare")).text(),
        "unknown_key",
    );
    // The contract names the type, not the curve: either code is a right reading.
    harness.check(
        "a key of another curve",
        Token::oidc(ODD_KEYS).key(Key::P384).header("alg", json!("ES256")).text(),
        "unknown_key|bad_signature",
    );
    // Signed rightly, by a key of 1,024 bits; first that the token is right in all else.
    let site = Site::with_keys(&jwk_set(&[as_cognito_publishes(Key::Rsa1024), as_cognito_publishes(Key::RsaA)]));
    let function = Function::start(&crate::config::any_valid_token(&site.url("/jwks.json")));
    let event = events::Kind::Http2.event("GET", "/", &format!("Bearer {TOKEN_OF_A_1024_BIT_KEY}"));
    harness.cases.check("RSA of 1,024 bits", &function.ask(&event), "unknown_key");
}

#[test]
fn the_signature_must_be_that_keys_over_these_very_bytes() {
    let harness = Harness::open();
    let token = Token::access();
    let right = token.signature();
    harness.check("to begin with, a good one", token.with_signature(&right), "allow");
    harness.check(
        "of another key under its kid",
        token.clone().key(Key::RsaB).header("kid", json!("rsa-a")).text(),
        "bad_signature",
    );
    harness.check(
        "of a stranger's key under its kid",
        token.clone().key(Key::RsaC).header("kid", json!("rsa-a")).text(),
        "bad_signature",
    );
    harness.check("of another token", token.clone().claim("sub", json!("x")).with_signature(&right), "bad_signature");
    harness.check(
        "of the same token, spelled otherwise",
        {
            let (header, payload) = (token.header_json(), format!("{} ", token.payload_json()));
            format!("{}.{}.{}", encode(header), encode(payload), encode(&right))
        },
        "bad_signature",
    );
    for (what, flipped) in [("first", 0), ("middle", 128), ("last", 255)] {
        let mut wrong = right.clone();
        wrong[flipped] ^= 1;
        harness.check(&format!("{what} byte wrong"), token.with_signature(&wrong), "bad_signature");
    }
    harness.check("one byte short", token.with_signature(&right[..255]), "bad_signature");
    harness.check("one byte long", token.with_signature(&[&right[..], &[0]].concat()), "bad_signature");
    harness.check("a zero before it", token.with_signature(&[&[0], &right[..]].concat()), "bad_signature");
    harness.check("all zero", token.with_signature(&[0; 256]), "bad_signature");
    harness.check("all ones", token.with_signature(&[0xff; 256]), "bad_signature");
    harness.check("one byte", token.with_signature(&[1]), "bad_signature");
    harness.check("three bytes", token.with_signature(&[0, 0, 1]), "bad_signature");
    harness.check(
        "RS384 under the name RS256",
        {
            let token = token.clone().algorithm("RS384").header("alg", json!("RS256"));
            token.text()
        },
        "bad_signature",
    );
    harness.check(
        "PSS under the name RS256",
        {
            let token = token.clone().algorithm("PS256").header("alg", json!("RS256"));
            token.text()
        },
        "bad_signature",
    );

    let es = Token::oidc(OIDC_ALGORITHMS).key(Key::P256);
    let raw = es.signature();
    harness.check("a good EC signature", es.with_signature(&raw), "allow");
    harness.check("EC in DER", es.with_signature(&to_der(&raw)), "bad_signature");
    harness.check("EC, r = s = 0", es.with_signature(&[0; 64]), "bad_signature");
    harness.check("EC, r = 0", es.with_signature(&[&[0; 32], &raw[32..]].concat()), "bad_signature");
    harness.check("EC, s = 0", es.with_signature(&[&raw[..32], &[0; 32]].concat()), "bad_signature");
    harness.check(
        "EC, r = s = the order",
        es.with_signature(&[ORDER_OF_P256, ORDER_OF_P256].concat()),
        "bad_signature",
    );
    harness.check("EC, one byte short", es.with_signature(&raw[..63]), "bad_signature");
    harness.check("EC, one byte long", es.with_signature(&[&raw[..], &[0]].concat()), "bad_signature");
    harness.check(
        "EC, of another key",
        es.with_signature(&Token::oidc(OIDC_ALGORITHMS).claim("sub", json!("else")).key(Key::P256).signature()),
        "bad_signature",
    );

    let ed = Token::oidc(OIDC_ALGORITHMS).key(Key::Ed25519);
    let mut wrong = ed.signature();
    harness.check("a good Ed25519 signature", ed.text(), "allow");
    wrong[0] ^= 1;
    harness.check("Ed25519, one bit wrong", ed.with_signature(&wrong), "bad_signature");
    harness.check("Ed25519, all zero", ed.with_signature(&[0; 64]), "bad_signature");
}

#[test]
fn keys_that_a_token_brings_along_are_never_used_nor_fetched() {
    let harness = Harness::open();
    let attacker = Site::with_keys(&jwk_set(&[Key::RsaC.jwk_with(json!({ "kid": "rsa-a" })), Key::RsaC.jwk()]));
    let url = attacker.url("/jwks.json");
    let headers = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", Key::RsaC.jwk()),
        ("x5c", json!([encode("not a certificate")])),
    ];
    for (name, value) in headers {
        let brought = Token::access().key(Key::RsaC).header(name, value.clone());
        harness.check(
            &format!("{name}, the kid of a trusted key"),
            brought.clone().header("kid", json!("rsa-a")).text(),
            "401",
        );
        harness.check(&format!("{name}, the attacker's kid"), brought.clone().text(), "401");
        harness.check(&format!("{name}, no kid"), brought.without_header("kid").text(), "401");
        // On a token that is good without it, such a header may be passed over or refused.
        harness.check(&format!("{name} on a good token"), Token::access().header(name, value).text(), "allow|401");
    }
    assert_eq!(attacker.all_visits(), 0, "a URL out of a token was fetched");
}

#[test]
fn critical_headers_and_unencoded_payloads_are_never_honoured() {
    let harness = Harness::open();
    let token = Token::access();
    // RFC 7515, section 4.1.11: what is not understood and critical makes the JWS invalid; an empty list is one, too.
    for crit in
        [json!(["exp"]), json!(["b64"]), json!(["x"]), json!([]), json!(null), json!("b64"), json!([7]), json!({})]
    {
        let text = token.clone().header("crit", crit.clone()).header("x", json!(1)).text();
        harness.check(&format!("crit: {crit}"), text, "401");
    }
    harness.check(
        "crit and b64: true",
        token.clone().header("crit", json!(["b64"])).header("b64", json!(true)).text(),
        "401",
    );
    // RFC 7797: the payload itself between the dots.
    let unencoded = token.clone().header("b64", json!(false)).header("crit", json!(["b64"]));
    harness.check(
        "unencoded payload",
        unencoded.encoded(&encode(unencoded.header_json()), &token.payload_json()),
        "401",
    );
    let quiet = token.clone().header("b64", json!(false));
    harness.check(
        "unencoded payload, not said to be critical",
        quiet.encoded(&encode(quiet.header_json()), &token.payload_json()),
        "401",
    );
    // On a payload that is encoded after all, passing over `b64` and refusing it are both right.
    for b64 in [json!(false), json!(true), json!(null), json!("no")] {
        harness.check(&format!("b64: {b64}"), token.clone().header("b64", b64.clone()).text(), "allow|401");
    }
}

#[test]
fn a_token_is_three_parts_of_strict_base64url() {
    let harness = Harness::open();
    let good = Token::access().text();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    harness.check("to begin with, a good one", &good, "allow");
    for broken in [
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.{signature}"),
        // The five parts of a JWE.
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!(".{good}"),
        "..".to_owned(),
        ".".to_owned(),
        "a.b.c".to_owned(),
        "opaque-token".to_owned(),
        "e30.e30.e30".to_owned(),
        format!("{header}={payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.A"),
        format!("{header}.{payload}.{signature}AAA*"),
        format!("{header}.{payload}.+{}", &signature[1..]),
        format!("{header}.{payload}./{}", &signature[1..]),
        format!("{header}.{payload}.%41{}", &signature[1..]),
        format!("{header}.{payload}\u{0}.{signature}"),
        format!("{header}.{payload}é.{signature}"),
        format!("{header}.{payload}.{signature}\u{2028}"),
        format!("\u{feff}{good}"),
        format!("\"{good}\""),
    ] {
        harness.check(
            &format!("…{}", &broken[broken.len().saturating_sub(24)..].escape_debug()),
            &broken,
            "malformed_token|unknown_issuer|algorithm_not_allowed",
        );
    }
    // The same rows, where the reason can only be one.
    for (what, broken) in [
        ("two parts", format!("{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", format!("{good}.{payload}.{signature}")),
        ("no dots", "opaque-token".to_owned()),
        ("padding", format!("{header}.{payload}.{signature}==")),
        ("a length that base64 has not", format!("{header}.{payload}.{}", "A".repeat(341))),
        ("standard base64's plus", format!("{header}.{payload}.+{}", &signature[1..])),
        ("standard base64's slash", format!("{header}.{payload}./{}", &signature[1..])),
    ] {
        harness.check(what, &broken, "malformed_token");
    }
    // 256 bytes end in a character with four bits to spare: setting one of them changes no byte.
    let last = signature.chars().next_back().unwrap();
    let twin = char::from(u8::try_from(last).unwrap() + 1);
    assert!("AQgw".contains(last), "the last character of 256 bytes carries two bits");
    harness.check(
        "a stray bit in the signature",
        format!("{header}.{payload}.{}{twin}", &signature[..signature.len() - 1]),
        "malformed_token",
    );
    // Stray bits in a part that is signed as it stands: the signature is right, the encoding is not.
    let token = Token::access();
    for (what, filler) in [("one spare byte", ""), ("two", "f"), ("three", "ff")] {
        let payload = token.clone().claim("filler", json!(filler)).payload_json();
        if payload.len().is_multiple_of(3) {
            continue;
        }
        let encoded = encode(&payload);
        let last = encoded.as_bytes()[encoded.len() - 1];
        // With two or four bits to spare the next character of the alphabet differs in those alone.
        let stray = format!("{}{}", &encoded[..encoded.len() - 1], char::from(last + 1));
        harness.check(
            &format!("stray bits in a signed payload, {what}"),
            token.encoded(header, &stray),
            "malformed_token",
        );
        let padded = format!("{encoded}{}", "=".repeat((4 - encoded.len() % 4) % 4));
        harness.check(
            &format!("padding in a signed payload, {what}"),
            token.encoded(header, &padded),
            "malformed_token",
        );
    }
}

#[test]
fn header_and_payload_are_json_objects() {
    let harness = Harness::open();
    let token = Token::access();
    let (header, payload) = (token.header_json(), token.payload_json());
    for broken in ["", " ", "[]", "\"text\"", "7", "null", "true", "{", "{]", "not json", "{\"a\":}", "{'a':1}"] {
        harness.check(&format!("header {broken:?}"), token.spelled(broken, &payload), "malformed_token");
        harness.check(&format!("payload {broken:?}"), token.spelled(&header, broken), "malformed_token");
    }
    for (what, broken) in [
        ("in an array", format!("[{payload}]")),
        ("twice", format!("{payload}{payload}")),
        ("with something after it", format!("{payload} x")),
        ("with a comma at its end", payload.replace('}', ",}")),
        ("with a comment", payload.replacen('{', "{/**/", 1)),
        ("after a byte order mark", format!("\u{feff}{payload}")),
        ("cut off", payload[..payload.len() - 1].to_owned()),
        ("with a bare control character", payload.replacen(READER_SUB, "a\u{1}b", 1)),
        ("with a raw line break in a string", payload.replacen(READER_SUB, "a\nb", 1)),
    ] {
        harness.check(&format!("payload {what}"), token.spelled(&header, &broken), "malformed_token");
    }
    let mut bytes = payload.clone().into_bytes();
    let place = payload.find(READER_SUB).unwrap();
    bytes[place] = 0xff;
    harness.check("payload that is not UTF-8", token.encoded(&encode(&header), &encode(&bytes)), "malformed_token");
    // A lone surrogate cannot be a Rust string; the token may be refused for it, and nothing worse.
    harness.check("a lone surrogate in a claim", token.claims_begin_with(r#""x":"\ud800""#), "allow|malformed_token");
    harness.check(
        "a lone surrogate in the subject",
        token.claim_text("sub", r#""\udc00""#),
        "malformed_token|malformed_claims",
    );
    // Nesting as deep as a token can be: an answer, not a stack overflow.
    let deep = format!("\"x\":{}{}", "[".repeat(5_000), "]".repeat(5_000));
    harness.check("5,000 arrays in one another", token.claims_begin_with(&deep), "allow|malformed_token");
    harness.check("5,000 arrays in the header", token.header_begins_with(&deep), "allow|malformed_token");
    let deep = format!("\"x\":{}1{}", "{\"a\":".repeat(1_500), "}".repeat(1_500));
    harness.check("1,500 objects in one another", token.claims_begin_with(&deep), "allow|malformed_token");
    harness.check("and the next token is judged as ever", token.text(), "allow");
}

#[test]
fn no_member_may_stand_twice() {
    let harness = Harness::open();
    let token = Token::access();
    harness.check("alg twice", token.header_begins_with(r#""alg":"none""#), "malformed_token");
    harness.check("alg twice, the same", token.header_begins_with(r#""alg":"RS256""#), "malformed_token");
    harness.check("kid twice", token.header_begins_with(r#""kid":"rsa-b""#), "malformed_token");
    harness.check("an unknown header twice", token.header_begins_with(r#""x":1,"x":1"#), "malformed_token");
    for claim in ["iss", "sub", "exp", "client_id", "scope", "token_use", "x"] {
        let twice = token.clone().claim("x", json!(1)).claims_begin_with(&format!("\"{claim}\":1"));
        harness.check(&format!("{claim} twice"), twice, "malformed_token");
    }
    harness.check("twice, once with an escape", token.claims_begin_with(r#""\u0073ub":"admin""#), "malformed_token");
    harness.check(
        "twice, once with an escape, in the header",
        token.header_begins_with(r#""\u0061lg":"RS256""#),
        "malformed_token",
    );
    harness.check("twice, further down", token.claims_begin_with(r#""x":{"a":1,"a":2}"#), "malformed_token");
    harness.check("twice, in an array", token.claims_begin_with(r#""x":[{"a":1,"a":2}]"#), "malformed_token");
    harness.check(
        "the same name in two places is not twice",
        token.claims_begin_with(r#""x":{"sub":1,"y":{"sub":2}}"#),
        "allow",
    );
    harness.check("a value like a name is not twice", token.claims_begin_with(r#""x":"sub""#), "allow");
}

#[test]
fn a_token_has_at_most_16384_bytes() {
    let harness = Harness::open();
    harness.check("16,383 bytes", Token::access().of_size(16_383), "allow");
    harness.check("16,384 bytes", Token::access().of_size(16_384), "allow");
    harness.check("16,385 bytes", Token::access().of_size(16_385), "token_too_large");
    harness.check("20,000 bytes", Token::access().of_size(20_000), "token_too_large");
    harness.check("16,385 bytes of nothing", "a".repeat(16_385), "token_too_large");
    harness.check("a megabyte of dots", ".".repeat(1 << 20), "token_too_large");
}

#[test]
fn encrypted_tokens_are_refused() {
    let harness = Harness::open();
    let jwe = format!("{}.e30.e30.e30.e30", encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#));
    harness.check("a JWE", &jwe, "malformed_token|algorithm_not_allowed");
    let nested = Token::access()
        .header("cty", json!("JWT"))
        .spelled(r#"{"alg":"RS256","kid":"rsa-a","cty":"JWT"}"#, &format!("\"{}\"", Token::access().text()));
    harness.check("a token in a token", nested, "malformed_token");
    // Five parts, the first three of them a good token.
    harness.check("a good token with two more parts", format!("{}.e30.e30", Token::access().text()), "malformed_token");
}

#[test]
fn an_issuer_is_judged_by_its_own_keys_and_rules_alone() {
    let site = Site::start();
    // The same `kid` at two issuers, two different keys.
    site.page("/one", Page::json(&jwk_set(&[Key::RsaA.jwk_with(json!({ "kid": "shared" })), Key::RsaC.jwk()])));
    site.page("/two", Page::json(&jwk_set(&[Key::RsaB.jwk_with(json!({ "kid": "shared" }))])));
    let (one, two) = ("https://one.example.com", "https://two.example.com");
    let function = Function::start(&format!(
        "
issuers:
  - oidc: {{ issuer: {one}, audience: api://one, jwks_uri: \"{}\" }}
  - oidc: {{ issuer: {two}, audience: api://two, jwks_uri: \"{}\" }}
routes: {{ $default: {{}} }}
",
        site.url("/one"),
        site.url("/two")
    ));
    let cases = Cases::default();
    let token = |issuer: &str, audience: &str, key: Key| {
        Token::oidc(issuer).claim("aud", json!(audience)).key(key).header("kid", json!("shared"))
    };
    let check = |what: &str, token: Token, expected: &str| {
        let event = events::Kind::Http2.event("GET", "/", &format!("Bearer {}", token.text()));
        cases.check(what, &function.ask(&event), expected);
    };
    check("one's token", token(one, "api://one", Key::RsaA), "allow");
    check("two's token", token(two, "api://two", Key::RsaB), "allow");
    check("one's key for two", token(two, "api://two", Key::RsaA), "bad_signature");
    check("two's key for one", token(one, "api://one", Key::RsaB), "bad_signature");
    check("one's audience at two", token(two, "api://one", Key::RsaB), "wrong_audience");
    check(
        "a key that only one has, at two",
        token(two, "api://two", Key::RsaC).header("kid", json!("rsa-c")),
        "unknown_key",
    );
    check("and at one", token(one, "api://one", Key::RsaC).header("kid", json!("rsa-c")), "allow");
}

#[test]
fn a_broken_token_is_told_from_an_outage_and_the_process_lives_on() {
    let harness = Harness::open();
    for _ in 0..3 {
        for token in ["", ".", "..", "e30.e30.", "\u{0}", "%", "null"] {
            let verdict = harness.judge(token);
            harness.cases.is(format!("{token:?} is 401, not {verdict}"), verdict.log["decision"] == "unauthorized");
        }
    }
    harness.check("a good one after all that", Token::access().text(), "allow");
    assert!(harness.function.is_running());
}

const ORDER_OF_P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// An EC signature as X.509 writes it, which JWS does not.
fn to_der(raw: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let mut bytes: Vec<u8> = half.iter().copied().skip_while(|byte| *byte == 0).collect();
        if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
            bytes.insert(0, 0);
        }
        let mut der = vec![0x02, u8::try_from(bytes.len()).unwrap()];
        der.extend(bytes);
        der
    };
    let body = [integer(&raw[..32]), integer(&raw[32..])].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}
