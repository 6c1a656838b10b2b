//! Proofs, one line a case.

use super::*;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use proptest::prelude::*;
use serde_json::json;

const NOW: f64 = 1_800_000_000.0;
const TOKEN: &str = "eyJ.access.token";
const DOMAIN: &str = "api.example.com";
const LEEWAY: Duration = Duration::from_secs(5);

/// The proof key: RFC 8037 A.1.
fn pair() -> Ed25519KeyPair {
    let seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

fn jwk() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair().public_key()) })
}

/// RFC 8037 A.3: the thumbprint of that key.
const JKT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk() })
}

fn payload() -> Value {
    let ath = URL_SAFE_NO_PAD.encode(digest(&SHA256, TOKEN.as_bytes()));
    json!({ "jti": "j", "htm": "POST", "htu": "https://api.example.com/prod/items", "iat": NOW, "ath": ath })
}

fn signed(header: &str, payload: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(pair().sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn message(proofs: &[&str]) -> Message<'static> {
    let headers = proofs.iter().map(|proof| ("dpop".to_owned(), (*proof).to_owned().into())).collect();
    Message { domain: Some(DOMAIN.into()), path: Some("/prod/items".into()), headers, ..Message::default() }
}

fn verify(settings: &DpopSettings, message: &Message<'_>, jkt: &str, now: f64) -> Result<KeyProof, &'static str> {
    let asked = Asked { method: "POST", message, token: TOKEN };
    settings.verify(asked, jkt, UnixSeconds::new(now).unwrap(), LEEWAY).map_err(|denial| {
        let Denial::SenderNotProven(detail) = denial else { panic!("{denial:?}") };
        detail
    })
}

fn detail(proof: &str) -> &'static str {
    verify(&DpopSettings::default(), &message(&[proof]), JKT, NOW).map_or_else(|detail| detail, |_| "ok")
}

/// The proof with one member of its header or payload set to something else.
#[track_caller]
fn check(part: &str, name: &str, value: Value, expected: &str) {
    let (mut header, mut payload) = (header(), payload());
    let object = if part == "header" { &mut header } else { &mut payload };
    if value == json!("ABSENT") {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value.clone();
    }
    assert_eq!(detail(&signed(&header.to_string(), &payload.to_string())), expected, "{part} {name} {value}");
}

#[test]
fn a_proof_of_the_request_and_its_token_by_the_bound_key_holds() {
    assert_eq!(detail(&signed(&header().to_string(), &payload().to_string())), "ok");
}

#[test]
fn the_vectors_of_rfc_9449_hold_and_only_for_their_own_request() {
    // 7.1, figure 12: the protected resource request; 6.1: its token's `jkt`.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let message = |path: &'static str, domain: &'static str| Message {
        path: Some(path.into()),
        domain: Some(domain.into()),
        ..message(&[proof])
    };
    let hold = |method, token, message: &Message<'_>, jkt| {
        let now = UnixSeconds::new(1_562_262_618.0).unwrap();
        DpopSettings::default().verify(Asked { method, message, token }, jkt, now, LEEWAY).is_ok()
    };
    let own = message("/protectedresource", "resource.example.org");
    assert!(hold("GET", token, &own, jkt));
    assert!(!hold("POST", token, &own, jkt));
    assert!(!hold("GET", "another", &own, jkt));
    assert!(!hold("GET", token, &own, JKT));
    assert!(!hold("GET", token, &message("/other", "resource.example.org"), jkt));
    assert!(!hold("GET", token, &message("/protectedresource", "example.org"), jkt));
    // 4.1, figure 1: a request to the token endpoint, which has no `ath`.
    let at_token_endpoint = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let parsed = UnverifiedProof::parse(at_token_endpoint).unwrap();
    assert_eq!(parsed.thumbprint().unwrap(), jkt);
    let claims = parsed.verify().unwrap();
    assert_eq!((&claims["htm"], claims.get("ath")), (&json!("POST"), None));
}

#[test]
fn a_thumbprint_is_that_of_rfc_7638() {
    let thumbprint = |jwk: Value| {
        let jwk = jwk.as_object().unwrap().clone();
        let algorithm = Algorithm::EdDsa;
        UnverifiedProof { signing_input: "", signature: "", algorithm, jwk, payload: Map::new() }.thumbprint()
    };
    // RFC 7638 3.1.
    let rsa = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
    });
    assert_eq!(thumbprint(rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(thumbprint(jwk()).unwrap(), JKT);
    for odd in [
        json!({}),
        json!({ "kty": "oct", "k": "AA" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AA" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": 7 }),
        json!({ "kty": "OKP", "crv": "Ed25519\",\"x\":\"A", "x": "AA" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "A\\u0041" }),
    ] {
        assert!(thumbprint(odd.clone()).is_err(), "{odd}");
    }
}

#[test]
fn the_header_says_that_it_is_a_proof_and_has_a_public_key() {
    for typ in [json!("jwt"), json!("JWT"), json!("DPOP+JWT"), json!("application/dpop+jwt"), json!(7), json!("ABSENT")]
    {
        check("header", "typ", typ, "dpop: typ is not dpop+jwt");
    }
    for alg in [json!("none"), json!("HS256"), json!("eddsa"), json!(null), json!("ABSENT")] {
        check("header", "alg", alg, "dpop: alg is not accepted");
    }
    for alg in ["ES256", "RS256", "PS512"] {
        check("header", "alg", json!(alg), "dpop: jwk does not fit alg");
    }
    for jwk in [json!("ABSENT"), json!(null), json!("x"), json!([jwk()])] {
        check("header", "jwk", jwk, "dpop: no jwk");
    }
    check("header", "alg", json!("Ed25519"), "ok");
    for crit in ["crit", "b64"] {
        check("header", crit, json!(null), "dpop: the proof has crit or b64");
    }
    for member in PRIVATE_MEMBERS {
        let mut private = jwk();
        private[member] = json!("AA");
        check("header", "jwk", private, "dpop: jwk is not a public key");
    }
    for (member, value) in [("use", json!("enc")), ("key_ops", json!(["sign"])), ("alg", json!("ES256"))] {
        let mut other = jwk();
        other[member] = value;
        check("header", "jwk", other, "dpop: jwk does not fit alg");
    }
    for (member, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("alg", json!("EdDSA")),
        ("alg", json!("Ed25519")),
        ("kid", json!("k")),
    ] {
        let mut more = jwk();
        more[member] = value;
        check("header", "jwk", more, "ok");
    }
    // Those choose no key here.
    for member in ["kid", "jku", "x5u", "x5c"] {
        check("header", member, json!("https://evil.example"), "ok");
    }
    check("header", "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }), "dpop: the proof is by another key");
    check("header", "jwk", json!({}), "dpop: jwk does not fit alg");
}

#[test]
fn the_claims_are_of_this_request_and_this_token() {
    for htm in [json!("GET"), json!("post"), json!(""), json!(["POST"]), json!(null), json!("ABSENT")] {
        check("payload", "htm", htm, "dpop: htm is another method");
    }
    for ath in [json!(""), json!(TOKEN), json!(null), json!("ABSENT"), json!([payload()["ath"]])] {
        check("payload", "ath", ath, "dpop: ath is not the token's");
    }
    check("payload", "ath", json!(format!("{}=", payload()["ath"].as_str().unwrap())), "dpop: ath is not the token's");
    for jti in [json!(""), json!(7), json!(null), json!("ABSENT")] {
        check("payload", "jti", jti, "dpop: no jti");
    }
    check("payload", "nonce", json!("n"), "ok");
}

#[test]
fn a_proof_is_as_old_as_a_minute_and_the_leeway() {
    for (iat, expected) in [
        (json!(NOW - 64.5), "ok"),
        (json!(NOW - 65.0), "dpop: iat is too long ago"),
        (json!(NOW + 5.0), "ok"),
        (json!(NOW + 5.5), "dpop: iat is in the future"),
        (json!(NOW * 1000.0), "dpop: iat is not a date"),
        (json!(0), "dpop: iat is too long ago"),
        (json!(-1e300), "dpop: iat is not a date"),
        (json!(NOW.to_string()), "dpop: iat is not a date"),
        (json!(null), "dpop: iat is not a date"),
        (json!("ABSENT"), "dpop: iat is not a date"),
    ] {
        check("payload", "iat", iat, expected);
    }
}

#[test]
fn the_url_is_the_requests_own() {
    const HOST: &str = "dpop: htu is of another host";
    const PATH: &str = "dpop: htu is of another path";
    for (htu, expected) in [
        ("https://api.example.com/prod/items", "ok"),
        ("HTTPS://API.Example.COM/prod/items", "ok"),
        ("https://api.example.com:443/prod/items", "ok"),
        ("https://api.example.com:/prod/items", "ok"),
        ("https://api.example.com/prod/items?a=b/c", "ok"),
        ("https://api.example.com/prod/items#f", "ok"),
        ("https://api.example.com/prod/%69tems", "ok"),
        ("https://api.example.com/prod/items/", PATH),
        ("https://api.example.com/prod/Items", PATH),
        ("https://api.example.com/items", PATH),
        ("https://api.example.com/prod/x/../items", PATH),
        ("https://api.example.com//prod/items", PATH),
        ("https://api.example.com/prod/items%2f", PATH),
        ("https://api.example.com", PATH),
        ("https://api.example.com?/prod/items", PATH),
        ("https://api.example.com:8443/prod/items", HOST),
        ("http://api.example.com/prod/items", HOST),
        ("https://api.example.com./prod/items", HOST),
        ("https://evil.example/prod/items", HOST),
        ("https://api.example.com@evil.example/prod/items", HOST),
        ("https://evil.example@api.example.com/prod/items", HOST),
        ("https://evil.example/https://api.example.com/prod/items", HOST),
        ("https:///prod/items", HOST),
        (" https://api.example.com/prod/items", HOST),
        ("//api.example.com/prod/items", "dpop: htu is not a URL"),
        ("/prod/items", "dpop: htu is not a URL"),
        ("", "dpop: htu is not a URL"),
    ] {
        check("payload", "htu", json!(htu), expected);
    }
    check("payload", "htu", json!(7), "dpop: htu is not a URL");
    check("payload", "htu", json!("ABSENT"), "dpop: htu is not a URL");
}

#[test]
fn a_path_may_come_with_its_escapes_or_without() {
    for (htu, asked, holds) in [
        ("", "/", true),
        ("/", "", true),
        ("/a%20b", "/a%20b", true),
        ("/a%20b", "/a b", true),
        ("/%C3%A9", "/%c3%a9", true),
        ("/%C3%A9", "/\u{e9}", true),
        ("/100%", "/100%", true),
        ("/a%2", "/a%2", true),
        ("/a%2520b", "/a%20b", false),
        ("/a", "/b", false),
        ("/a+b", "/a b", false),
    ] {
        assert_eq!(plain(htu) == plain(asked), holds, "{htu} {asked}");
    }
}

#[test]
fn where_origins_are_listed_they_count_instead_of_the_domain() {
    let proof = |htu: &str| {
        let mut payload = payload();
        payload["htu"] = json!(htu);
        signed(&header().to_string(), &payload.to_string())
    };
    let settings = DpopSettings { origins: vec!["https://app.example.com".into(), "https://b.example:8443".into()] };
    for (htu, holds) in [
        ("https://app.example.com/prod/items", true),
        ("https://APP.example.com:443/prod/items", true),
        ("https://b.example:8443/prod/items", true),
        ("https://b.example/prod/items", false),
        ("https://api.example.com/prod/items", false),
    ] {
        assert_eq!(verify(&settings, &message(&[&proof(htu)]), JKT, NOW).is_ok(), holds, "{htu}");
    }
}

#[test]
fn what_an_event_does_not_name_is_nobodys() {
    let good = signed(&header().to_string(), &payload().to_string());
    let with = |domain: Option<&'static str>, path: Option<&'static str>| {
        let message = Message { domain: domain.map(Into::into), path: path.map(Into::into), ..message(&[&good]) };
        verify(&DpopSettings::default(), &message, JKT, NOW).err()
    };
    assert_eq!(with(Some(DOMAIN), Some("/prod/items")), None);
    assert_eq!(with(None, Some("/prod/items")), Some("dpop: the event names no domain"));
    assert_eq!(with(Some(""), Some("/prod/items")), Some("dpop: the event names no domain"));
    assert_eq!(with(Some(DOMAIN), None), Some("dpop: the event names no path"));
}

#[test]
fn there_is_one_proof() {
    let good = signed(&header().to_string(), &payload().to_string());
    let of = |proofs: &[&str]| verify(&DpopSettings::default(), &message(proofs), JKT, NOW).err();
    assert_eq!(of(&[&good]), None);
    assert_eq!(of(&[]), Some("dpop: no proof"));
    assert_eq!(of(&[&good, &good]), Some("dpop: more than one proof"));
    const SHAPE: &str = "dpop: the proof is not a JWS of a JSON object";
    let (input, signature) = good.rsplit_once('.').unwrap();
    for odd in [
        format!("{good}, {good}"),
        format!(" {good}"),
        format!("{good}="),
        format!("{input}."),
        format!("{input}.{signature}.{signature}"),
        input.to_owned(),
        String::new(),
        "...".to_owned(),
        signed("[]", &payload().to_string()),
        signed(&header().to_string(), "7"),
        signed(&header().to_string(), r#"{"jti":"a","jti":"b"}"#),
    ] {
        assert_eq!(of(&[&odd]), Some(SHAPE), "{odd}");
    }
    assert_eq!(of(&[&"a".repeat(MAX_BYTES + 1)]), Some("dpop: the proof is too large"));
    let other = signed(&header().to_string(), &payload().to_string().replace("items", "other"));
    let mixed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(of(&[&mixed]), Some("dpop: the proof's signature is bad"));
}

#[test]
fn a_proof_is_known_by_its_key_and_its_jti() {
    let proof = |jti: &str, htm: &str| {
        let mut payload = payload();
        (payload["jti"], payload["htm"]) = (json!(jti), json!(htm));
        let message = message(&[&signed(&header().to_string(), &payload.to_string())]);
        let asked = Asked { method: htm, message: &message, token: TOKEN };
        let now = UnixSeconds::new(NOW).unwrap();
        DpopSettings::default().verify(asked, JKT, now, LEEWAY).unwrap()
    };
    let one = proof("j", "POST");
    assert_eq!(one.id(), proof("j", "GET").id());
    assert_ne!(one.id(), proof("J", "POST").id());
    assert_eq!(one.until().as_f64(), NOW + 65.0);
    assert_eq!(format!("{one:?}"), "KeyProof(redacted)");
}

proptest! {
    #[test]
    fn no_change_of_a_proof_leaves_it_good(place in 0_usize..600, byte in any::<u8>()) {
        let good = signed(&header().to_string(), &payload().to_string());
        let mut changed = good.clone().into_bytes();
        let place = place % changed.len();
        changed[place] = byte;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert_eq!(detail(&changed) == "ok", changed == good, "{}", changed);
        }
    }

    #[test]
    fn no_text_is_a_proof(text in "\\PC*") {
        prop_assert_ne!(detail(&text), "ok");
        let _ = plain(&text);
    }
}
