//! Signatures that are none, that were one, or that are the same one written in another way.

use cognito_authorizer::token::{Algorithm, AlgorithmSet, BearerToken, KeySet, UnverifiedJwt};
use serde_json::json;

use crate::forgery::{add_little_endian, ecdsa_der, subtract};
use crate::target::{ATTACKER, EVERY, Target};
use crate::tokens::{Key, Token, encode, jwk_set};

/// `r = s = 0`, and what else makes the sums come out without a key, on each curve.
#[test]
fn cve_2022_21449_psychic_signatures() {
    let target = Target::stand();
    for (key, order) in [(Key::P256, ORDER_OF_P256), (Key::P384, ORDER_OF_P384), (Key::P521, ORDER_OF_P521)] {
        let order = bytes(order);
        let size = order.len();
        let one = [vec![0; size - 1], vec![1]].concat();
        let zero = vec![0; size];
        let token = Token::oidc(EVERY).key(key);
        for (r_name, r) in [("0", &zero), ("1", &one), ("n", &order)] {
            for (s_name, s) in [("0", &zero), ("1", &one), ("n", &order)] {
                let forged = token.with_signature(&[&r[..], s].concat());
                target.expect(&format!("{key:?}: r = {r_name}, s = {s_name}"), forged, "bad_signature");
            }
        }
        target.expect(
            &format!("{key:?}: the DER of r = s = 0"),
            token.with_signature(&[0x30, 6, 2, 1, 0, 2, 1, 0]),
            "bad_signature",
        );
    }
    let ed = Token::oidc(EVERY).key(Key::Ed25519);
    // R = the identity and S = 0: good for a key of small order, which this is not.
    let identity = [vec![1], vec![0; 63]].concat();
    target.expect("Ed25519: the identity", ed.with_signature(&identity), "bad_signature");
}

/// CVE-2020-28042: a signature that was cut off is compared with as much of the right one.
#[test]
fn cve_2020_28042_cut_off_signatures() {
    let target = Target::stand();
    for (key, issuer) in [(Key::RsaA, EVERY), (Key::P256, EVERY), (Key::Ed25519, EVERY)] {
        let token = Token::oidc(issuer).key(key);
        let right = token.signature();
        target.expect("nothing", token.with_signature(b""), "malformed_token");
        for length in [1, 2, 16, right.len() / 2, right.len() - 1] {
            let what = format!("{key:?}: the first {length} bytes");
            target.expect(&what, token.with_signature(&right[..length]), "bad_signature");
            let what = format!("{key:?}: the last {length} bytes");
            target.expect(&what, token.with_signature(&right[right.len() - length..]), "bad_signature");
        }
    }
}

/// CVE-2020-14966, CVE-2020-14968: zeros before or after a number that is right otherwise.
#[test]
fn cve_2020_14968_padded_signatures() {
    let target = Target::stand();
    for (key, algorithm) in [
        (Key::RsaA, "RS256"),
        (Key::RsaA, "PS256"),
        (Key::P256, "ES256"),
        (Key::P521, "ES512"),
        (Key::Ed25519, "EdDSA"),
    ] {
        let token = Token::oidc(EVERY).key(key).algorithm(algorithm);
        let right = token.signature();
        let (r, s) = right.split_at(right.len() / 2);
        for (what, padded) in [
            ("a zero before it", [&[0], &right[..]].concat()),
            ("a zero after it", [&right[..], &[0]].concat()),
            ("256 zeros before it", [&[0; 256], &right[..]].concat()),
            ("256 zeros after it", [&right[..], &[0; 256]].concat()),
            ("a zero before each half", [&[0], r, &[0], s].concat()),
            ("twice", [&right[..], &right].concat()),
            ("in hexadecimal", right.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
            ("in base64url, once more", encode(&right).into_bytes()),
        ] {
            target.expect(&format!("{algorithm}: {what}"), token.with_signature(&padded), "bad_signature");
        }
    }
}

/// The same signature written otherwise. What nothing here relies on is that a token has one text.
#[test]
fn signature_malleability() {
    let target = Target::stand();
    for (key, order) in [(Key::P256, ORDER_OF_P256), (Key::P384, ORDER_OF_P384), (Key::P521, ORDER_OF_P521)] {
        let token = Token::oidc(EVERY).key(key);
        let raw = token.signature();
        let (r, s) = raw.split_at(raw.len() / 2);
        let mirrored = subtract(&bytes(order), s);
        // RFC 7518, section 3.4 asks for no low `s`: who has one of the two has the other, over the very same bytes.
        target.expect(&format!("{key:?}: n - s"), token.with_signature(&[r, &mirrored].concat()), "allow");
        target.expect(&format!("{key:?}: s and r"), token.with_signature(&[s, r].concat()), "bad_signature");
        target.expect(&format!("{key:?}: DER"), token.with_signature(&ecdsa_der(&raw)), "bad_signature");
    }
    // CVE-2020-36843: RFC 8032, section 5.1.7 wants S below the order.
    let ed = Token::oidc(EVERY).key(Key::Ed25519);
    let raw = ed.signature();
    let mut order = bytes(ORDER_OF_ED25519);
    order.reverse();
    let beyond = [&raw[..32], &add_little_endian(&raw[32..], &order)].concat();
    target.expect("Ed25519: S + L", ed.with_signature(&beyond), "bad_signature");
    // RSA: `s + n` where it still has 256 bytes, that is, never with a modulus above half; so `n - s` and `n` itself.
    use base64::Engine;
    let n = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(Key::RsaA.jwk()["n"].as_str().unwrap()).unwrap();
    let rsa = Token::oidc(EVERY);
    target.expect("RSA: n - s", rsa.with_signature(&subtract(&n, &rsa.signature())), "bad_signature");
    target.expect("RSA: n", rsa.with_signature(&n), "bad_signature");
    target.expect("RSA: 1", rsa.with_signature(&[&[0; 255][..], &[1]].concat()), "bad_signature");
}

/// A signature that is right, of another token, part or place.
#[test]
fn transplanted_signatures() {
    let target = Target::stand();
    let (mine, admins) = (Token::access(), Token::admin());
    target.expect("another token's", admins.with_signature(&mine.signature()), "bad_signature");
    let good = mine.text();
    let parts: Vec<&str> = good.split('.').collect();
    target.expect(
        "the payload's dot moved",
        format!("{}.{}{}.{}", parts[0], &parts[1][..4], &parts[1][4..], parts[2]),
        "allow",
    );
    let swapped = format!("{}.{}.{}", parts[1], parts[0], parts[2]);
    target.expect("header and payload swapped", swapped, "algorithm_not_allowed");
    let attackers = Token::admin().key(ATTACKER).header("kid", json!("rsa-a"));
    target.expect_of_all("the attacker's own, under a trusted kid", &attackers.text(), "bad_signature");
    target.expect(
        "over the payload alone",
        admins.with_signature(&Key::RsaA.sign("RS256", admins.payload_json().as_bytes())),
        "bad_signature",
    );
    let without_dot = format!("{}{}", encode(admins.header_json()), encode(admins.payload_json()));
    target.expect(
        "without the dot",
        admins.with_signature(&Key::RsaA.sign("RS256", without_dot.as_bytes())),
        "bad_signature",
    );
}

/// CVE-2006-4339, and CVE-2021-30246 after it: with e = 3, a cube root whose cube begins with the right padding and
/// hash and ends in garbage. The token was made for the modulus of `rsa-a` with e = 3.
#[test]
fn cve_2006_4339_a_cube_root_for_a_signature() {
    let key = Key::RsaA.jwk_with(json!({ "kid": "cubed", "e": "Aw" }));
    let keys = KeySet::parse(jwk_set(&[key]).to_string().as_bytes(), AlgorithmSet::of(&[Algorithm::Rs256])).unwrap();
    let key = keys.find("cubed", Algorithm::Rs256).expect("three is an odd exponent, and allowed");
    let request = crate::published::bearing(CUBE_ROOT);
    let token = BearerToken::from_request(&request).unwrap();
    let jwt = UnverifiedJwt::parse(&token).unwrap_or_else(|denial| panic!("{denial:?}"));
    assert_eq!(jwt.verify(key).map(drop).unwrap_err().code(), "bad_signature");
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

const CUBE_ROOT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImN1YmVkIn0.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tL3RlbmFudC92Mi4wIiwic3ViIjoiYXR0YWNrZXIiLCJhdWQiOiJhcGk6Ly9vcmRlcnMiLCJleHAiOjQxMDI0NDQ4MDB9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x6wiHdQmTNIw1skEyGqZt_AFIxBPxjwTGqK_CnQXwksnK3AdB-jGyJue4O2kRbR1rHErRh-qzdGRqA";

// FIPS 186-4, D.1.2, and RFC 8032, 5.1: the orders of the groups.
const ORDER_OF_P256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const ORDER_OF_P384: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const ORDER_OF_P521: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
const ORDER_OF_ED25519: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
