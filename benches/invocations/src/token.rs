//! Cognito access tokens as a user pool mints them, about 1 KB each, all of the
//! same length, signed with the repository's public test key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const USER_POOL_ID: &str = "eu-central-1_AbCdEf123";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123";
pub(crate) const CLIENT_ID: &str = "7a1b2c3d4e5f6g7h8i9j0k1l2m";
/// What the measured route asks for.
pub(crate) const SCOPE: &str = "https://api.example.com/invoices.read";

/// Signs tokens with one key.
pub(crate) struct Signer {
    key: RsaKeyPair,
    kid: String,
}

impl Signer {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        Self::of(include_str!("../../../tests/keys/rsa-a.pem"), KID.to_owned())
    }

    /// The signer of that rotation and of every second one after it: two keys take turns, each time under a new name.
    pub(crate) fn of_rotation(rotation: usize) -> Result<Self, Box<dyn Error>> {
        let pem = match rotation % 2 {
            0 => include_str!("../../../tests/keys/rsa-a.pem"),
            _ => include_str!("../../../tests/keys/rsa-b.pem"),
        };
        Self::of(pem, kid_of(rotation))
    }

    pub(crate) fn rotate_to(&mut self, rotation: usize) {
        self.kid = kid_of(rotation);
    }

    fn of(pem: &str, kid: String) -> Result<Self, Box<dyn Error>> {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Ok(Self { key: RsaKeyPair::from_pkcs8(&STANDARD.decode(base64)?)?, kid })
    }

    /// The access token of that number.
    pub(crate) fn access_token(&self, number: usize) -> Result<String, Box<dyn Error>> {
        let now = unix_seconds();
        let header = json!({ "kid": self.kid, "alg": "RS256" });
        let claims = json!({
            "sub": format!("d3f4a5b6-c071-70aa-9c1e-{number:012x}"),
            "cognito:groups": ["accounting", "eu-central-1_AbCdEf123_Okta"],
            "iss": ISSUER,
            "version": 2,
            "client_id": CLIENT_ID,
            "origin_jti": format!("0f9e8d7c-6b5a-4493-8271-{number:012x}"),
            "event_id": format!("1a2b3c4d-5e6f-4708-9a1b-{number:012x}"),
            "token_use": "access",
            "scope": format!("openid profile https://api.example.com/orders.read {SCOPE}"),
            "auth_time": now - 60,
            "exp": now + 24 * 60 * 60,
            "iat": now - 60,
            "jti": format!("2c3d4e5f-6071-4829-8a3b-{number:012x}"),
            "username": format!("okta_jane.{number:012x}@example.com"),
        });
        let input = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The JWK Set with the keys of these rotations.
pub(crate) fn jwks_of(rotations: &[usize]) -> Result<String, Box<dyn Error>> {
    let keys: Value = serde_json::from_str(include_str!("../../../tests/keys/jwks.json"))?;
    let published = rotations.iter().map(|rotation| {
        let key = if rotation % 2 == 0 { &keys["rsa-a"] } else { &keys["rsa-b"] };
        json!({ "alg": "RS256", "e": key["e"], "kid": kid_of(*rotation), "kty": "RSA", "n": key["n"], "use": "sig" })
    });
    Ok(json!({ "keys": published.collect::<Vec<_>>() }).to_string())
}

/// Of one length for all of them.
fn kid_of(rotation: usize) -> String {
    format!("rotation-{rotation:08}")
}

/// The pool's JWK Set: one key for ID tokens, one for access tokens.
pub(crate) fn jwks() -> Result<String, Box<dyn Error>> {
    let keys: Value = serde_json::from_str(include_str!("../../../tests/keys/jwks.json"))?;
    let published = |name: &str, kid: &str| {
        let key = &keys[name];
        json!({ "alg": "RS256", "e": key["e"], "kid": kid, "kty": "RSA", "n": key["n"], "use": "sig" })
    };
    Ok(json!({ "keys": [published("rsa-b", OTHER_KID), published("rsa-a", KID)] }).to_string())
}

pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

const KID: &str = "8v3bK0pXw1mN6tQyRz2uEf5hJ7aLcG9sDiOxVgTqYbM=";
const OTHER_KID: &str = "Qk1sT4wLz8nH2yXe6rUaB0pVd3mJc7gFo5iRtKxNqSE=";
