//! The examples of the RFCs that are JWTs, through every step; and all of Wycheproof, none of which is one.

use std::sync::Arc;
use std::time::Duration;

use cognito_authorizer::request::{Credential, Request, UnixSeconds};
use cognito_authorizer::token::{
    Algorithm, AlgorithmSet, Audience, BearerToken, ClaimNames, ClientIds, Expectations, IssuerKind, KeySet, Sender,
    UnverifiedJwt,
};
use serde_json::{Value, json};

/// A request with that token as its credential.
pub(crate) fn bearing(token: &str) -> Request<'_> {
    Request::new("GET", "/", vec![Credential(token.into())])
}

/// `allow` or the reason code of a token for this audience, under this key of the issuer `joe`, at that second.
fn judge(token: &str, jwk: &Value, audience: &str, now: f64) -> &'static str {
    let algorithms = AlgorithmSet::of(&Algorithm::ALL);
    let expectations = Arc::new(Expectations {
        issuer: "joe".into(),
        tenants: None,
        kind: IssuerKind::Oidc,
        algorithms,
        client_ids: ClientIds::Unchecked,
        audience: Audience::OneOf(vec![audience.to_owned()]),
        typ: None,
        claim_names: ClaimNames::default(),
        dpop: None,
        leeway: Duration::ZERO,
    });
    let mut jwk = jwk.clone();
    jwk["kid"] = json!("example");
    let keys = KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes(), algorithms);
    let request = bearing(token);
    let judged = (|| {
        let token = BearerToken::from_request(&request)?;
        let jwt = UnverifiedJwt::parse(&token)?;
        // The examples have no `kid`, which a token of an issuer must have: the key is handed over here.
        let key = keys.as_ref().ok().and_then(|keys| keys.find("example", jwt.algorithm()));
        let key = key.ok_or(cognito_authorizer::denial::Denial::UnknownKey)?;
        jwt.verify(key)?.into_claims(&expectations, UnixSeconds::new(now).unwrap(), &Sender::default())
    })();
    judged.map_or_else(|denial| denial.code(), |_| "allow")
}

/// RFC 7515, appendix A: one set of claims, signed in three ways and not at all. It has no audience.
#[test]
fn rfc_7515_appendix_a() {
    let token = |header: &str, signature: &str| format!("{header}.{CLAIMS}.{signature}");
    let rs256 = token("eyJhbGciOiJSUzI1NiJ9", RS256_SIGNATURE);
    let es256 = token("eyJhbGciOiJFUzI1NiJ9", ES256_SIGNATURE);
    let hs256 = token("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", HS256_SIGNATURE);
    let none = token("eyJhbGciOiJub25lIn0", "");
    let (rsa, ec) = (json!({ "kty": "RSA", "n": RSA_MODULUS, "e": "AQAB" }), ec_key());
    let oct = json!({ "kty": "oct", "k": HMAC_KEY });
    for (example, token, jwk, now, expected) in [
        // The signature is good where what is missed is the expiry or, one second before it, the audience.
        ("A.2, RS256, when it was alive", &rs256, &rsa, EXPIRY - 1.0, "wrong_audience"),
        ("A.2, RS256, when it expired", &rs256, &rsa, EXPIRY, "token_expired"),
        ("A.2 with A.3's signature", &token("eyJhbGciOiJSUzI1NiJ9", ES256_SIGNATURE), &rsa, 0.0, "bad_signature"),
        ("A.3, ES256, when it was alive", &es256, &ec, EXPIRY - 1.0, "wrong_audience"),
        ("A.3, ES256, when it expired", &es256, &ec, EXPIRY, "token_expired"),
        ("A.3 with A.2's key", &es256, &rsa, 0.0, "unknown_key"),
        ("A.1, HS256", &hs256, &oct, 0.0, "algorithm_not_allowed"),
        ("A.5, unsecured", &none, &rsa, 0.0, "malformed_token"),
    ] {
        assert_eq!(judge(token, jwk, "api://orders", now), expected, "{example}");
    }
}

/// RFC 7519, section 3.1 and 6.1; RFC 7516, appendix A.1; RFC 7797, section 4.2.
#[test]
fn examples_of_what_is_no_signed_claims_set() {
    let jwe = format!(
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.{0}.48V1_ALb6US04U3b.{0}.XFBoMYUZodetZdvTiFvSkQ",
        "AAAA"
    );
    for (example, token, expected) in [
        ("an unsecured JWT", format!("eyJhbGciOiJub25lIn0.{CLAIMS}."), "malformed_token"),
        ("an encrypted one", jwe, "malformed_token"),
        (
            "an unencoded payload",
            "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$02.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"
                .into(),
            "malformed_token",
        ),
    ] {
        assert_eq!(judge(&token, &ec_key(), "api://orders", 0.0), expected, "{example}");
    }
}

/// Project Wycheproof: the payloads are texts such as `foo`, so that the shape alone decides, whatever the signature.
#[test]
fn wycheproof_has_no_claims_sets() {
    let files =
        [include_str!("wycheproof/json_web_signature_test.json"), include_str!("wycheproof/json_web_key_test.json")];
    let mut judged = 0;
    for file in files {
        let file: Value = serde_json::from_str(file).unwrap();
        for test in file["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let jws = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let request = bearing(&jws);
            let parsed = BearerToken::from_request(&request).and_then(|token| UnverifiedJwt::parse(&token).map(drop));
            let code = parsed.map_or_else(|denial| denial.code(), |()| "parsed");
            let of_shape = ["malformed_token", "missing_token", "ambiguous_token"];
            assert!(of_shape.contains(&code), "{}: {} gives {code}", test["tcId"], test["comment"]);
            judged += 1;
        }
    }
    assert_eq!(judged, 401 + 26);
}

fn ec_key() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

const EXPIRY: f64 = 1_300_819_380.0;
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const HMAC_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const HS256_SIGNATURE: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const ES256_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const RS256_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RSA_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
