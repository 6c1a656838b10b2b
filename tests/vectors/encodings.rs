//! Two readings of one token: repeated members, escapes, base64 with room to play, other serialisations, other shapes.

use serde_json::json;

use crate::target::{ATTACKER, EVERY, Target};
use crate::tokens::{Key, Token, encode};

/// CVE-2017-12635's kind: one reader takes the first of two members, the next one the last.
#[test]
fn cve_2017_12635_duplicate_members() {
    let target = Target::stand();
    let token = Token::access();
    for member in
        [r#""alg":"none""#, r#""alg":"HS256""#, r#""alg":"RS256""#, r#""kid":"rsa-b""#, r#""\u006bid":"rsa-b""#]
    {
        target.expect(&format!("header: {member}"), token.header_begins_with(member), "malformed_token");
    }
    for member in [
        r#""iss":"https://evil.example.com""#,
        r#""sub":"33333333-aaaa-4bbb-8ccc-000000000003""#,
        r#""exp":1"#,
        r#""exp":4102444800"#,
        r#""client_id":"other""#,
        r#""token_use":"id""#,
        r#""\u0069ss":"https://evil.example.com""#,
        r#""\u0065\u0078\u0070":4102444800"#,
        r#""x":{"a":1,"\u0061":2}"#,
    ] {
        target.expect(&format!("payload: {member}"), token.claims_begin_with(member), "malformed_token");
    }
}

/// A member's name in escapes is that name; one that only looks like it is another.
#[test]
fn escaped_and_look_alike_member_names() {
    let target = Target::stand();
    let token = Token::access();
    let (header, payload) = (token.header_json(), token.payload_json());
    let with_header = |from: &str, to: &str| token.spelled(&header.replace(from, to), &payload);
    let with_payload = |from: &str, to: &str| token.spelled(&header, &payload.replace(from, to));
    target.expect("alg, escaped", with_header("\"alg\"", "\"\\u0061lg\""), "allow");
    target.expect(
        "alg none, escaped",
        with_header("\"alg\":\"RS256\"", "\"\\u0061lg\":\"none\""),
        "algorithm_not_allowed",
    );
    target.expect("RS256, escaped", with_header("RS256", "R\\u0053256"), "allow");
    target.expect("crit, escaped", token.header_begins_with(r#""\u0063rit":["exp"]"#), "malformed_token");
    target.expect("iss, escaped", with_payload("\"iss\"", "\"\\u0069ss\""), "allow");
    // Not `alg`, `iss`, `exp` but Cyrillic, full-width, capital, with a byte beyond: they say nothing.
    for (from, to, code) in [
        ("\"iss\"", "\"\u{456}ss\"", "unknown_issuer"),
        ("\"iss\"", "\"ISS\"", "unknown_issuer"),
        ("\"iss\"", "\"iss\\u0000\"", "unknown_issuer"),
        ("\"exp\"", "\"\u{435}xp\"", "malformed_claims"),
        ("\"exp\"", "\"exp \"", "malformed_claims"),
        ("\"token_use\"", "\"Token_use\"", "wrong_token_use"),
        ("\"client_id\"", "\"client_\u{456}d\"", "wrong_client"),
    ] {
        target.expect(&format!("{to} for {from}"), with_payload(from, to), code);
    }
    target.expect("\u{430}lg for alg", with_header("\"alg\"", "\"\u{430}lg\""), "algorithm_not_allowed");
    target.expect("ALG beside alg", token.header_begins_with(r#""ALG":"none""#), "allow");
}

/// CVE-2022-25898: characters that are no base64url, skipped by the decoder and so free to vary.
#[test]
fn cve_2022_25898_base64_that_is_not_canonical() {
    let target = Target::stand();
    let good = Token::access().text();
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    for (what, altered) in [
        ("=", format!("{header}.{payload}.{signature}=")),
        ("==", format!("{header}.{payload}.{signature}==")),
        ("%3D", format!("{header}.{payload}.{signature}%3D")),
        ("!", format!("{header}.{payload}.!{signature}")),
        ("\\x41", format!("{header}.{payload}.\\x41{}", &signature[1..])),
        ("\\n at the end", format!("{header}.{payload}.{signature}\\n")),
        ("a tab within", format!("{header}.{payload}.{}\t{}", &signature[..9], &signature[9..])),
        ("a line break within", format!("{header}.{payload}.{}\n{}", &signature[..9], &signature[9..])),
        ("a zero byte at the end", format!("{header}.{payload}.{signature}\0")),
        ("a blank after the header", format!("{header} .{payload}.{signature}")),
        ("standard base64", format!("{header}.{payload}.{}", signature.replace('-', "+").replace('_', "/"))),
        ("full width", format!("{header}.{payload}.\u{ff21}{}", &signature[1..])),
    ] {
        target.expect(what, altered, "malformed_token");
    }
    // The last character of 256 bytes has four bits to spare.
    let stray = char::from(signature.as_bytes()[signature.len() - 1] + 1);
    let altered = format!("{header}.{payload}.{}{stray}", &signature[..signature.len() - 1]);
    target.expect("stray bits", altered, "malformed_token");
    // Signed as it stands, so that the encoding alone is wrong.
    let token = Token::access();
    for (what, part) in [("padding", format!("{header}=")), ("stray bits", stray_bits(header))] {
        target.expect(&format!("{what} in a signed header"), token.encoded(&part, payload), "malformed_token");
    }
}

/// CVE-2022-39227: a JSON serialisation in the place of the compact one. It holds commas, where credentials are split.
#[test]
fn cve_2022_39227_json_serialisation() {
    let target = Target::stand();
    let good = Token::access().text();
    let parts: Vec<&str> = good.split('.').collect();
    let [protected, payload, signature] = parts[..] else { panic!("three parts") };
    let forged = encode(Token::admin().payload_json());
    for (what, token, code) in [
        (
            "the forgery",
            format!(
                r#"{{"  {protected}.{forged}.":"","protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#
            ),
            "ambiguous_token",
        ),
        (
            "flattened",
            format!(r#"{{"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#),
            "ambiguous_token",
        ),
        (
            "general",
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#
            ),
            "ambiguous_token",
        ),
        ("compact, in a JSON string", format!("\"{good}\""), "malformed_token"),
        ("compact, in an array", format!("[\"{good}\"]"), "malformed_token"),
        ("without commas", format!(r#"{{"token":"{good}"}}"#), "malformed_token"),
    ] {
        target.expect(what, token, code);
    }
}

/// CVE-2023-51774: an encrypted token where a signed one is expected; CVE-2024-28176, CVE-2024-33664 and
/// CVE-2023-50658: one that costs more to open than to send. None is opened.
#[test]
fn cve_2023_51774_encrypted_tokens() {
    let target = Target::stand();
    let part = encode("0123456789abcdef");
    for header in [
        r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rsa-a"}"#,
        r#"{"alg":"dir","enc":"A128CBC-HS256","kid":"rsa-a"}"#,
        r#"{"alg":"ECDH-ES","enc":"A128GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}"#,
        r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
        r#"{"alg":"RS256","enc":"A256GCM","kid":"rsa-a","cty":"JWT"}"#,
    ] {
        let jwe = format!("{}.{part}.{part}.{part}.{part}", encode(header));
        target.expect(header, jwe, "malformed_token");
        target.expect(
            &format!("{header}, without a key"),
            format!("{}..{part}.{part}.{part}", encode(header)),
            "malformed_token",
        );
    }
    // Three parts, the algorithm that of an encryption.
    for alg in ["RSA-OAEP", "dir", "A256KW"] {
        let token = Token::access().header("alg", json!(alg)).header("enc", json!("A256GCM"));
        target.expect(alg, token.text(), "algorithm_not_allowed");
    }
    // A signed token whose payload is a token, as RFC 7519, section 5.2 nests them.
    let outer = Token::access().header("cty", json!("JWT"));
    target.expect("nested", outer.spelled(&outer.header_json(), &Token::access().text()), "malformed_token");
    // What a signed token says of compression is nothing that RFC 7515 knows.
    target.expect("zip on a signed token", Token::access().header("zip", json!("DEF")).text(), "allow");
}

/// CVE-2025-59420, CVE-2026-32597: what must be understood and is not.
#[test]
fn cve_2025_59420_unknown_crit() {
    let target = Target::stand();
    for crit in [json!(["bork"]), json!(["cnf"]), json!(["exp"]), json!(["alg"]), json!([]), json!("bork"), json!(null)]
    {
        let token = Token::access().header("crit", crit.clone()).header("bork", json!(true));
        target.expect(&format!("crit: {crit}"), token.text(), "malformed_token");
    }
}

/// RFC 7797: `b64: false` lets the payload stand as it is, so that one signature fits two texts.
#[test]
fn b64_false() {
    let target = Target::stand();
    let token = Token::access().header("b64", json!(false));
    let critical = token.clone().header("crit", json!(["b64"]));
    target.expect(
        "unencoded",
        critical.encoded(&encode(critical.header_json()), &token.payload_json().replace([',', '.'], "")),
        "malformed_token",
    );
    target.expect("encoded all the same", critical.text(), "malformed_token");
    target.expect("not critical", token.text(), "malformed_token");
    target.expect("true", Token::access().header("b64", json!(true)).text(), "malformed_token");
}

/// CVE-2025-30204, CVE-2025-27144: memory for each dot of a token that has nothing else; and other sizes.
#[test]
fn cve_2025_30204_a_token_of_dots() {
    let target = Target::stand();
    for (what, token, code) in [
        ("16,384 dots", ".".repeat(16_384), "malformed_token"),
        ("16,385 dots", ".".repeat(16_385), "token_too_large"),
        ("8,192 parts", "e.".repeat(8_192), "malformed_token"),
        ("a megabyte", "a".repeat(1 << 20), "token_too_large"),
        (
            "a good token and a megabyte",
            format!("{}{}", Token::access().text(), "A".repeat(1 << 20)),
            "token_too_large",
        ),
    ] {
        target.expect_of_all(what, &token, code);
    }
    // CVE-2025-61920: parts of a size that no header or signature has.
    let token = Token::access();
    let large = token.clone().header("x", json!("x".repeat(8_192)));
    target.expect("a header of 8 KiB, rightly signed", large.text(), "allow");
    target.expect("a signature of 8 KiB", token.with_signature(&[1; 8_192]), "bad_signature");
}

/// Depth costs stack, and as many as a token holds are refused before they do.
#[test]
fn deep_nesting() {
    let target = Target::stand();
    let token = Token::access();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("\"x\":{}1{}", open.repeat(depth), close.repeat(depth));
        target.expect("100 deep, claims", token.claims_begin_with(&nested(100)), "allow");
        target.expect("100 deep, header", token.header_begins_with(&nested(100)), "allow");
        let most = 11_000 / (open.len() + close.len());
        target.expect("as deep as can be, claims", token.claims_begin_with(&nested(most)), "malformed_token");
        target.expect("as deep as can be, header", token.header_begins_with(&nested(most)), "malformed_token");
        let unsigned =
            format!("{}.{}.AAAA", encode(r#"{"alg":"RS256","kid":"rsa-a"}"#), encode(open.repeat(11_000 / open.len())));
        target.expect("never closed, unsigned", unsigned, "malformed_token");
    }
    target.expect("and the process lives", token.text(), "allow");
}

/// Bytes that some decoder takes for others: overlong forms, surrogates, a byte order mark.
#[test]
fn text_that_is_not_utf_8() {
    let target = Target::stand();
    let token = Token::access();
    let payload = token.payload_json();
    for (what, inserted) in [
        ("an overlong quote", &b"\xc0\xa2"[..]),
        ("an overlong zero", b"\xc0\x80"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf4\x90\x80\x80"),
        ("a stray continuation", b"\x80"),
        ("Latin-1", b"\xe9"),
    ] {
        let spliced = [b"{\"x\":\"", inserted, b"\",", &payload.as_bytes()[1..]].concat();
        let signed = token.encoded(&encode(token.header_json()), &encode(&spliced));
        target.expect(what, signed, "malformed_token");
    }
    for (what, text) in [
        ("a byte order mark", format!("\u{feff}{payload}")),
        ("UTF-16", payload.chars().flat_map(|c| [c, '\0']).collect()),
    ] {
        target.expect(what, token.spelled(&token.header_json(), &text), "malformed_token");
    }
    target.expect("a lone surrogate, escaped", token.claims_begin_with(r#""x":"\ud800""#), "malformed_token");
    target.expect("U+FFFF is a character", token.claims_begin_with("\"x\":\"\u{ffff}\""), "allow");
}

/// RFC 8725, section 2.8: what is no JWT of the issuer's, signed by the issuer for another purpose.
#[test]
fn cross_jwt_confusion() {
    let target = Target::stand();
    for (what, token, code) in [
        ("Cognito's ID token", Token::id(), "wrong_token_use"),
        ("a logout token", Token::oidc(EVERY).without("exp").without("aud"), "malformed_claims"),
        ("for another API", Token::oidc(EVERY).claim("aud", json!("api://other")), "wrong_audience"),
        ("of another client", Token::access().claim("client_id", json!("other")), "wrong_client"),
        ("a client's own assertion", Token::oidc("web-client").key(ATTACKER), "unknown_issuer"),
        (
            "a DPoP proof",
            Token::oidc(EVERY).key(Key::P256).header("typ", json!("dpop+jwt")).without("aud"),
            "wrong_audience",
        ),
    ] {
        target.expect(what, token.text(), code);
    }
}

/// The next character of the alphabet differs in bits that no byte takes.
fn stray_bits(part: &str) -> String {
    assert_ne!(part.len() % 4, 0, "the part has no bits to spare");
    let last = part.as_bytes()[part.len() - 1];
    format!("{}{}", &part[..part.len() - 1], char::from(last + 1))
}
