//! A right signature over claims that a lenient reader takes for others.

use serde_json::json;

use crate::target::{EVERY, OTHER, Target};
use crate::tokens::{ISSUER, Key, Token, now};

/// CVE-2024-53861: a part of the issuer's name is enough; CVE-2025-30144: one of a list is.
#[test]
fn cve_2025_30144_iss_in_a_list_or_in_part() {
    let target = Target::stand();
    let token = Token::access();
    for iss in [
        json!(["https://evil.example.com", ISSUER]),
        json!([ISSUER]),
        json!({ "0": ISSUER }),
        json!("https"),
        json!(""),
        json!("cognito-idp"),
        json!(&ISSUER[..ISSUER.len() - 1]),
        json!(format!("{ISSUER}/")),
        json!(format!("{ISSUER}?x")),
        json!(format!("{ISSUER}\u{0}")),
        json!(format!("{ISSUER}.evil.example.com")),
        json!(format!("https://evil.example.com/{ISSUER}")),
        json!(ISSUER.replace("amazonaws", "amaz\u{43e}naws")),
        json!(ISSUER.replace("us-east-1_", "eu-west-1_")),
        json!(".*"),
        json!(null),
    ] {
        target.expect(&format!("iss: {iss}"), token.clone().claim("iss", iss).text(), "unknown_issuer");
    }
}

/// CVE-2018-15801: the key set is right, the issuer is not asked about; and one issuer that speaks for another.
#[test]
fn cve_2018_15801_one_issuer_for_another() {
    let target = Target::stand();
    let others = Token::oidc(OTHER).key(Key::Rsa4096);
    target.expect("OTHER for itself", others.text(), "allow");
    target.expect("OTHER for EVERY", others.clone().claim("iss", json!(EVERY)).text(), "unknown_key");
    target.expect("OTHER for Cognito", others.clone().claim("iss", json!(ISSUER)).text(), "unknown_key");
    // With everything that Cognito's tokens have, but Cognito's signature.
    let cognitos = Token::access().key(Key::Rsa4096);
    target.expect("Cognito's claims by OTHER", cognitos.clone().claim("iss", json!(OTHER)).text(), "wrong_audience");
    target.expect("the same for Cognito", cognitos.text(), "unknown_key");
    target.expect("EVERY's token, renamed", Token::oidc(EVERY).claim("iss", json!(OTHER)).text(), "unknown_key");
}

/// CVE-2020-26160: an empty list of audiences is no list that holds ours.
#[test]
fn cve_2020_26160_empty_and_odd_audiences() {
    let target = Target::stand();
    let token = Token::oidc(EVERY);
    for aud in [
        json!([]),
        json!([""]),
        json!(""),
        json!([null]),
        json!(null),
        json!([[]]),
        json!({}),
        json!(0),
        json!("api://orders,api://other"),
        json!("api://orders\u{0}"),
        json!("API://ORDERS"),
        json!(["api://orders", 7]),
        json!([["api://orders"]]),
        json!({ "api://orders": true }),
    ] {
        target.expect(&format!("aud: {aud}"), token.clone().claim("aud", aud).text(), "wrong_audience");
    }
    target.expect("none", token.without("aud").text(), "wrong_audience");
}

/// An expiry that is no number, or none that a clock will reach.
#[test]
fn never_expiring_tokens() {
    let target = Target::stand();
    let token = Token::access();
    target.expect("none", token.clone().without("exp").text(), "malformed_claims");
    for exp in [
        json!(null),
        json!(""),
        json!("4102444800"),
        json!("never"),
        json!("2099-01-01T00:00:00Z"),
        json!("NaN"),
        json!("Infinity"),
        json!(true),
        json!([]),
        json!([4_102_444_800_i64]),
        json!({ "$numberLong": "4102444800" }),
        // No date before the year 10000: milliseconds, an overflow, all the bits.
        json!(now() * 1_000),
        json!(253_402_300_800_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(-1e300),
        json!(i64::MIN),
    ] {
        target.expect(&format!("exp: {exp}"), token.clone().claim("exp", exp).text(), "malformed_claims");
    }
    for exp in [json!(0), json!(-1), json!(-0.0), json!(1e-300), json!(now()), json!(now() as f64 - 0.5)] {
        target.expect(&format!("exp: {exp}"), token.clone().claim("exp", exp).text(), "token_expired");
    }
    for text in ["NaN", "Infinity", "-Infinity", "1e999", "0x7fffffff", "+1", "01", "1_000", "1.", ".5", "4102444800n"]
    {
        target.expect(&format!("exp: {text}"), token.claim_text("exp", text), "malformed_token");
    }
    target.expect("the last second of 9999", token.clone().claim("exp", json!(253_402_300_799_i64)).text(), "allow");
    target.expect("with an exponent", token.claim_text("exp", "41024448e2"), "allow");
    target.expect(
        "more digits than a float has",
        token.claim_text("exp", "4102444800.00000000000000000000001"),
        "allow",
    );
}

/// The other dates, where a wrong type would let them lapse.
#[test]
fn tokens_from_the_future() {
    let target = Target::stand();
    for claim in ["nbf", "iat"] {
        let token = |value| Token::access().claim(claim, value).text();
        target.expect(claim, token(json!(now() + 60)), "token_not_yet_valid");
        for value in [json!("0"), json!(null), json!(true), json!([]), json!(1e300), json!(i64::MAX)] {
            target.expect(&format!("{claim}: {value}"), token(value), "malformed_claims");
        }
    }
}
