//! Published signatures, by the keys alone: most of them are over texts that are no claims sets, which
//! [`UnverifiedJwt`](super::UnverifiedJwt) refuses before it comes to the signature. Those that are go through every
//! step in `tests/vectors`.

use super::algorithm::{Algorithm, AlgorithmSet};
use super::jwk::KeySet;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Whether these keys verify the signature of a JWS in compact form, its `kid` or, where it has none, this one.
fn verifies(jws: &str, keys: &Value, kid: Option<&str>) -> bool {
    let verified = || {
        let set =
            KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), AlgorithmSet::of(&Algorithm::ALL)).ok()?;
        let (input, signature) = jws.rsplit_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(input.split_once('.')?.0).ok()?).ok()?;
        let key = set.find(kid.or(header["kid"].as_str())?, Algorithm::parse(header["alg"].as_str()?)?)?;
        URL_SAFE_NO_PAD.decode(signature).ok()?;
        key.verify(input.as_bytes(), signature).ok()
    };
    verified().is_some()
}

/// The tests of one file of Project Wycheproof, each with the keys of its group.
fn wycheproof(file: &str) -> Vec<(Value, Value)> {
    let file: Value = serde_json::from_str(file).unwrap();
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().unwrap() {
        // A group of HMACs has no public half: what a set of its secrets could do is asked.
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = key.get("keys").cloned().unwrap_or_else(|| json!([key]));
        cases.extend(group["tests"].as_array().unwrap().iter().map(|test| (test.clone(), keys.clone())));
    }
    assert_eq!(cases.len(), file["numberOfTests"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap());
    cases
}

fn is_asymmetric(keys: &Value) -> bool {
    keys.as_array().unwrap().iter().all(|key| key["kty"] != "oct")
}

#[test]
fn wycheproof_signatures() {
    let mut accepted = 0;
    for (test, keys) in wycheproof(include_str!("../../tests/vectors/wycheproof/json_web_signature_test.json")) {
        let id = test["tcId"].as_u64().unwrap();
        // RFC 7520's figures 20 and 27: the vectors' keys name PS256 and `ES521`, their headers PS384 and ES512. A key
        // verifies the algorithm that it names, and no other; without that name they do, below.
        let names_another = [346, 347, 350, 351].contains(&id);
        let expected = test["result"] == "valid" && is_asymmetric(&keys) && !names_another;
        let found = test["jws"].as_str().is_some_and(|jws| verifies(jws, &keys, None));
        assert_eq!(found, expected, "{id}: {}", test["comment"]);
        accepted += usize::from(found);
    }
    assert!(accepted > 30, "{accepted}");
}

#[test]
fn wycheproof_keys() {
    for (test, keys) in wycheproof(include_str!("../../tests/vectors/wycheproof/json_web_key_test.json")) {
        let id = test["tcId"].as_u64().unwrap();
        // 7: a key of a broken generator (ROCA, CVE-2017-15361). It is looked like any other, and the issuer published
        // it: who the issuer is, is trusted for its own keys.
        let expected = (test["result"] == "valid" && is_asymmetric(&keys)) || id == 7;
        assert_eq!(verifies(test["jws"].as_str().unwrap(), &keys, None), expected, "{id}: {}", test["comment"]);
    }
}

#[test]
fn rfc_7515_appendix_a_4_es512() {
    let key = json!([{
        "kty": "EC",
        "kid": "k",
        "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    }]);
    let jws = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    assert!(verifies(jws, &key, Some("k")));
    assert!(!verifies(&jws.replace("UGF5bG9hZA", "UGF5bG9hZB"), &key, Some("k")));
}

/// Sections 4.1 to 4.3; 4.4 is an HMAC. As Wycheproof has them, the `alg` of the keys aside.
#[test]
fn rfc_7520_section_4() {
    let mut found = 0;
    for (test, mut keys) in wycheproof(include_str!("../../tests/vectors/wycheproof/json_web_signature_test.json")) {
        let id = test["tcId"].as_u64().unwrap();
        if [345, 346, 347].contains(&id) {
            keys[0].as_object_mut().unwrap().remove("alg");
            assert!(verifies(test["jws"].as_str().unwrap(), &keys, None), "{id}");
            found += 1;
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn rfc_8037_appendix_a_4_ed25519() {
    let key =
        json!([{ "kty": "OKP", "kid": "k", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }]);
    let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(verifies(jws, &key, Some("k")));
    assert!(!verifies(&jws.replace("RXhhbXBsZSBv", "RXhhbXBsZSBw"), &key, Some("k")));
}
