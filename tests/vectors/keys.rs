//! The token brings its key along, says where to get it, or names it in a way that means something to a look-up.

use serde_json::{Value, json};

use crate::forgery::hmac_signed;
use crate::target::{ATTACKER, EVERY, OTHER, Target};
use crate::tokens::{CLIENT_CERT, Key, Token, encode, pem_to_der};

/// A token of the attacker's with that header: `unknown_key` under the attacker's `kid`, `bad_signature` under a
/// trusted one, whatever the header holds.
#[track_caller]
fn brought(target: &Target, what: &str, name: &str, value: Value) {
    let token = Token::access().key(ATTACKER).header(name, value);
    target.expect(&format!("{what}, its own kid"), token.text(), "unknown_key");
    target.expect(
        &format!("{what}, a trusted kid"),
        token.clone().header("kid", json!("rsa-a")).text(),
        "bad_signature",
    );
    target.expect(&format!("{what}, no kid"), token.without_header("kid").text(), "unknown_key");
}

#[test]
fn cve_2018_0114_the_key_in_the_header() {
    let target = Target::stand();
    brought(&target, "jwk", "jwk", ATTACKER.jwk());
    brought(&target, "jwk under a trusted name", "jwk", ATTACKER.jwk_with(json!({ "kid": "rsa-a" })));
    brought(&target, "a set", "jwks", json!({ "keys": [ATTACKER.jwk()] }));
    brought(&target, "a symmetric jwk", "jwk", json!({ "kty": "oct", "k": encode("secret") }));
    for what in [json!(null), json!("rsa-c"), json!([]), json!(7)] {
        brought(&target, "a senseless jwk", "jwk", what);
    }
    let oct = Token::access().header("jwk", json!({ "kty": "oct", "k": encode("secret") }));
    target.expect("HS256 with the jwk's secret", hmac_signed(&oct, "HS256", b"secret"), "algorithm_not_allowed");
    target.expect("beside a good signature", Token::access().header("jwk", ATTACKER.jwk()).text(), "allow");
}

#[test]
fn jku_to_the_attackers_server() {
    let target = Target::stand();
    let url = target.attackers_url("/jwks.json");
    let host = url.trim_start_matches("http://");
    for jku in [
        url.clone(),
        format!("{url}#.well-known/jwks.json"),
        // What a prefix check, a suffix check and a check for the host's name would let pass.
        format!("http://cognito-idp.us-east-1.amazonaws.com@{host}"),
        format!("{url}?https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123/.well-known/jwks.json"),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{}".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        brought(&target, &jku, "jku", json!(jku));
    }
    target.expect_no_visit_to_the_attacker();
}

#[test]
fn x5u_to_the_attackers_server() {
    let target = Target::stand();
    let url = target.attackers_url("/cert.pem");
    brought(&target, "x5u", "x5u", json!(url));
    brought(&target, "x5u, a list", "x5u", json!([url]));
    target.expect_no_visit_to_the_attacker();
}

#[test]
fn x5c_with_a_certificate_of_the_attackers() {
    let target = Target::stand();
    use base64::Engine;
    let certificate = base64::engine::general_purpose::STANDARD.encode(pem_to_der(CLIENT_CERT));
    brought(&target, "x5c", "x5c", json!([certificate]));
    brought(&target, "x5c, a chain", "x5c", json!([certificate, certificate]));
    brought(&target, "x5c, a text", "x5c", json!(certificate));
    brought(&target, "x5t", "x5t", json!(crate::tokens::thumbprint(CLIENT_CERT)));
    brought(&target, "x5t#S256", "x5t#S256", json!(crate::tokens::thumbprint(CLIENT_CERT)));
}

/// The `kid` as a path, a query, a command, a template, a header: nothing is looked up but a name in the set.
#[test]
fn kid_injection() {
    let target = Target::stand();
    let long = "k".repeat(8 * 1024);
    for kid in [
        "../../../../../../dev/null",
        "/dev/null",
        "/proc/self/environ",
        "..\\..\\windows\\win.ini",
        "file:///dev/null",
        "x' UNION SELECT 'secret';-- ",
        "rsa-a' OR '1'='1",
        "rsa-a\"; DROP TABLE keys; --",
        "$(touch /tmp/owned)",
        "`id`",
        "|/usr/bin/id",
        "{{7*7}}",
        "${jndi:ldap://127.0.0.1/a}",
        "%00",
        "%72sa-a",
        "rsa-a\u{0}",
        "\u{0}",
        "rsa-a\n",
        "rsa-a\r\nX-Forged: 1",
        "rsa-a\",\"decision\":\"allow",
        "RSA-A",
        "rsa\u{2010}a",
        "rs\u{430}-a",
        "rsa-a\u{301}",
        "__proto__",
        "constructor",
        "*",
        "",
        &long,
    ] {
        let shown: String = kid.chars().take(40).collect();
        target.expect(&format!("{shown:?}"), Token::access().header("kid", json!(kid)).text(), "unknown_key");
        // With HMAC: what the path points at is empty, and so is the secret.
        let hmac = hmac_signed(&Token::access().header("kid", json!(kid)), "HS256", b"");
        target.expect(&format!("{shown:?}, HS256"), hmac, "algorithm_not_allowed");
    }
    for kid in [json!(null), json!(0), json!(true), json!([]), json!(["rsa-a"]), json!({ "rsa-a": 1 }), json!(1e308)] {
        target.expect(&format!("{kid}"), Token::access().header("kid", kid).text(), "unknown_key");
    }
    target.expect(
        "the name itself, escaped",
        Token::access().spelled(r#"{"alg":"RS256","kid":"rsa\u002da"}"#, &Token::access().payload_json()),
        "allow",
    );
}

/// CVE-2018-15801 and others: a signature by some trusted key is not one by the key of the token's issuer.
#[test]
fn a_kid_of_another_issuers_set() {
    let target = Target::stand();
    target.expect("the other issuer's own", Token::oidc(OTHER).key(Key::Rsa4096).text(), "allow");
    target.expect("OTHER's token with EVERY's key", Token::oidc(OTHER).key(Key::RsaA).text(), "unknown_key");
    target.expect("EVERY's token with OTHER's key", Token::oidc(EVERY).key(Key::Rsa4096).text(), "unknown_key");
    target.expect("Cognito's token with OTHER's key", Token::access().key(Key::Rsa4096).text(), "unknown_key");
    target.expect(
        "Cognito's kid over OTHER's signature",
        Token::access().key(Key::Rsa4096).header("kid", json!("rsa-a")).text(),
        "bad_signature",
    );
}
