//! Tokens for the tests: well-formed ones as Cognito and other providers mint them, and, from the
//! same parts, deliberately broken ones. Signed with the test keys in `tests/keys`.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// The user pool of the tests, the issuer it stands for, and its newer form.
pub const POOL: &str = "us-east-1_AbCdEf123";
pub const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123";
pub const NEW_ISSUER: &str = "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123";
/// The app clients that the tests configure: one for people, one for client credentials.
pub const CLIENT: &str = "web-client";
pub const MACHINE: &str = "machine-client";
/// Who the tokens speak of.
pub const READER_SUB: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
pub const WRITER_SUB: &str = "22222222-aaaa-4bbb-8ccc-000000000002";
pub const ADMIN_SUB: &str = "33333333-aaaa-4bbb-8ccc-000000000003";
pub const READ: &str = "https://api.example.com/read";
pub const WRITE: &str = "https://api.example.com/write";

/// A key pair of `tests/keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    RsaA,
    RsaB,
    RsaC,
    Rsa1024,
    Rsa4096,
    P256,
    P384,
    P521,
    Ed25519,
}

impl Key {
    /// The `kid` of its JWK.
    pub fn kid(self) -> &'static str {
        match self {
            Key::RsaA => "rsa-a",
            Key::RsaB => "rsa-b",
            Key::RsaC => "rsa-c",
            Key::Rsa1024 => "rsa-1024",
            Key::Rsa4096 => "rsa-4096",
            Key::P256 => "p-256",
            Key::P384 => "p-384",
            Key::P521 => "p-521",
            Key::Ed25519 => "ed25519",
        }
    }

    /// Its public half, with `kid` and nothing else that is optional.
    pub fn jwk(self) -> Value {
        static JWKS: LazyLock<Value> =
            LazyLock::new(|| serde_json::from_str(include_str!("../../keys/jwks.json")).unwrap());
        JWKS[self.kid()].clone()
    }

    /// Its public half with more members, or with others; `Value::Null` takes one away.
    pub fn jwk_with(self, members: Value) -> Value {
        let mut jwk = self.jwk();
        for (name, value) in members.as_object().unwrap() {
            if value.is_null() {
                jwk.as_object_mut().unwrap().remove(name);
            } else {
                jwk[name] = value.clone();
            }
        }
        jwk
    }

    fn pkcs8(self) -> Vec<u8> {
        pem_to_der(match self {
            Key::RsaA => include_str!("../../keys/rsa-a.pem"),
            Key::RsaB => include_str!("../../keys/rsa-b.pem"),
            Key::RsaC => include_str!("../../keys/rsa-c.pem"),
            Key::Rsa1024 => include_str!("../../keys/rsa-1024.pem"),
            Key::Rsa4096 => include_str!("../../keys/rsa-4096.pem"),
            Key::P256 => include_str!("../../keys/p-256.pem"),
            Key::P384 => include_str!("../../keys/p-384.pem"),
            Key::P521 => include_str!("../../keys/p-521.pem"),
            Key::Ed25519 => include_str!("../../keys/ed25519.pem"),
        })
    }

    /// The algorithm it signs with unless told otherwise.
    pub fn algorithm(self) -> &'static str {
        match self {
            Key::P256 => "ES256",
            Key::P384 => "ES384",
            Key::P521 => "ES512",
            Key::Ed25519 => "EdDSA",
            Key::RsaA | Key::RsaB | Key::RsaC | Key::Rsa1024 | Key::Rsa4096 => "RS256",
        }
    }

    /// A signature over `input`. For an elliptic curve key the algorithm is the key's own,
    /// whatever the name says: that is how tokens with a wrong `alg` are made.
    pub fn sign(self, algorithm: &str, input: &[u8]) -> Vec<u8> {
        match self {
            Key::P256 => ecdsa(self, &ECDSA_P256_SHA256_FIXED_SIGNING, input),
            Key::P384 => ecdsa(self, &ECDSA_P384_SHA384_FIXED_SIGNING, input),
            Key::P521 => ecdsa(self, &ECDSA_P521_SHA512_FIXED_SIGNING, input),
            Key::Ed25519 => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.pkcs8()).unwrap().sign(input).as_ref().to_vec()
            }
            Key::RsaA | Key::RsaB | Key::RsaC | Key::Rsa1024 | Key::Rsa4096 => {
                let padding: &dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                rsa(self, padding, input)
            }
        }
    }
}

/// A JWK set of these members.
pub fn jwk_set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

/// What Cognito publishes: two RSA keys, `use` and `alg` given.
pub fn cognito_jwks() -> Value {
    jwk_set(&[as_cognito_publishes(Key::RsaA), as_cognito_publishes(Key::RsaB)])
}

/// One key as Cognito publishes it.
pub fn as_cognito_publishes(key: Key) -> Value {
    key.jwk_with(json!({ "use": "sig", "alg": "RS256" }))
}

/// A token that is still being written: header, claims, and the key to sign with.
#[derive(Clone, Debug)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: Key,
    algorithm: &'static str,
}

impl Token {
    /// A Cognito access token of a user who may read.
    pub fn access() -> Token {
        let now = now();
        Token::new(json!({
            "sub": READER_SUB,
            "iss": ISSUER,
            "client_id": CLIENT,
            "origin_jti": "c0ffee00-0000-4000-8000-000000000001",
            "event_id": "c0ffee00-0000-4000-8000-000000000002",
            "token_use": "access",
            "scope": READ,
            "auth_time": now - 60,
            "iat": now - 60,
            "exp": now + 3600,
            "jti": "c0ffee00-0000-4000-8000-000000000003",
            "username": "reader",
        }))
    }

    /// A Cognito access token of a user who may write.
    pub fn writer() -> Token {
        Token::access().claim("sub", json!(WRITER_SUB)).claim("username", json!("writer")).claim("scope", json!(WRITE))
    }

    /// A Cognito access token of a user in the group `admin`.
    pub fn admin() -> Token {
        Token::access()
            .claim("sub", json!(ADMIN_SUB))
            .claim("username", json!("admin"))
            .claim("cognito:groups", json!(["admin"]))
    }

    /// A Cognito client-credentials token: its subject is the client, and there is no user.
    pub fn machine() -> Token {
        let now = now();
        Token::new(json!({
            "sub": MACHINE,
            "token_use": "access",
            "scope": READ,
            "auth_time": now - 60,
            "iss": ISSUER,
            "exp": now + 3600,
            "iat": now - 60,
            "version": 2,
            "jti": "c0ffee00-0000-4000-8000-000000000004",
            "client_id": MACHINE,
        }))
    }

    /// A Cognito ID token.
    pub fn id() -> Token {
        let now = now();
        Token::new(json!({
            "sub": READER_SUB,
            "iss": ISSUER,
            "aud": CLIENT,
            "cognito:username": "reader",
            "email": "reader@example.com",
            "email_verified": true,
            "origin_jti": "c0ffee00-0000-4000-8000-000000000001",
            "event_id": "c0ffee00-0000-4000-8000-000000000002",
            "token_use": "id",
            "auth_time": now - 60,
            "iat": now - 60,
            "exp": now + 3600,
            "jti": "c0ffee00-0000-4000-8000-000000000005",
        }))
    }

    /// A token of another OpenID provider, for the audience `api://orders`.
    pub fn oidc(issuer: &str) -> Token {
        let now = now();
        Token::new(json!({
            "iss": issuer,
            "sub": "user-7",
            "aud": "api://orders",
            "azp": "spa",
            "scp": "orders.read",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
            "jti": "0000-7",
        }))
        .header("typ", json!("JWT"))
    }

    /// A token with these claims.
    pub fn new(claims: Value) -> Token {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let token = Token { header: Map::new(), claims, key: Key::RsaA, algorithm: "RS256" };
        token.header("kid", json!("rsa-a")).header("alg", json!("RS256"))
    }

    pub fn claim(mut self, name: &str, value: Value) -> Token {
        self.claims.insert(name.to_owned(), value);
        self
    }

    pub fn without(mut self, claim: &str) -> Token {
        self.claims.remove(claim);
        self
    }

    pub fn header(mut self, name: &str, value: Value) -> Token {
        self.header.insert(name.to_owned(), value);
        self
    }

    pub fn without_header(mut self, name: &str) -> Token {
        self.header.remove(name);
        self
    }

    /// Signed by that key: `kid` and `alg` are set accordingly.
    pub fn key(self, key: Key) -> Token {
        let mut token = self.header("kid", json!(key.kid()));
        token.key = key;
        token.algorithm(key.algorithm())
    }

    /// Signed in that way; `alg` says so.
    pub fn algorithm(self, algorithm: &'static str) -> Token {
        let mut token = self.header("alg", json!(algorithm));
        token.algorithm = algorithm;
        token
    }

    pub fn header_json(&self) -> String {
        sorted(&self.header)
    }

    pub fn payload_json(&self) -> String {
        sorted(&self.claims)
    }

    /// The token in compact serialisation.
    pub fn text(&self) -> String {
        self.spelled(&self.header_json(), &self.payload_json())
    }

    /// The same signature algorithm and key over other JSON texts.
    pub fn spelled(&self, header: &str, payload: &str) -> String {
        self.encoded(&encode(header), &encode(payload))
    }

    /// The token with one claim written as this JSON text, which need not be what `serde_json`
    /// would write, nor JSON at all.
    pub fn claim_text(&self, name: &str, json: &str) -> String {
        let payload = self.clone().claim(name, json!("@@")).payload_json().replace("\"@@\"", json);
        self.spelled(&self.header_json(), &payload)
    }

    /// The token with this text put before the first member of its payload.
    pub fn claims_begin_with(&self, text: &str) -> String {
        self.spelled(&self.header_json(), &self.payload_json().replacen('{', &format!("{{{text},"), 1))
    }

    /// The token with this text put before the first member of its header.
    pub fn header_begins_with(&self, text: &str) -> String {
        self.spelled(&self.header_json().replacen('{', &format!("{{{text},"), 1), &self.payload_json())
    }

    /// The same over any two parts at all, base64url or not.
    pub fn encoded(&self, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = encode(self.key.sign(self.algorithm, input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// The token with these bytes where its signature would be.
    pub fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}.{}", encode(self.header_json()), encode(self.payload_json()), encode(signature))
    }

    /// The right signature, as bytes.
    pub fn signature(&self) -> Vec<u8> {
        let input = format!("{}.{}", encode(self.header_json()), encode(self.payload_json()));
        self.key.sign(self.algorithm, input.as_bytes())
    }

    /// A token of exactly this many bytes: padding goes into the claim `padding` and, to reach the
    /// lengths that base64 skips, into the header.
    pub fn of_size(&self, size: usize) -> String {
        let base = self.text().len();
        for filler in 0..4 {
            let token = self.clone().header("filler", json!("f".repeat(filler)));
            let estimate = (size - base) * 3 / 4;
            for padding in estimate.saturating_sub(80)..estimate + 8 {
                let candidate = token.clone().claim("padding", json!("p".repeat(padding)));
                let length = encoded_length(candidate.header_json().len())
                    + encoded_length(candidate.payload_json().len())
                    + encoded_length(self.signature().len())
                    + 2;
                if length == size {
                    let text = candidate.text();
                    assert_eq!(text.len(), size);
                    return text;
                }
            }
        }
        panic!("no token of {size} bytes");
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// HMAC-SHA256, for the attack in which a public key is used as a shared secret.
pub fn hs256(secret: &[u8], input: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes()).as_ref().to_vec()
}

/// An access token, right in all but that its key has only 1,024 bits.
pub const TOKEN_OF_A_1024_BIT_KEY: &str = include_str!("../../keys/rsa-1024.jwt");

/// The client certificates of `tests/keys`, as API Gateway hands them over: PEM.
pub const CLIENT_CERT: &str = include_str!("../../keys/client-cert.pem");
pub const OTHER_CLIENT_CERT: &str = include_str!("../../keys/other-client-cert.pem");

/// RFC 8705's `x5t#S256` of a certificate in PEM.
pub fn thumbprint(pem: &str) -> String {
    encode(digest::digest(&digest::SHA256, &pem_to_der(pem)))
}

/// The DER bytes of the first PEM block.
pub fn pem_to_der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn rsa(key: Key, padding: &'static dyn RsaEncoding, input: &[u8]) -> Vec<u8> {
    // Parsing a private key takes longer than using it; a table signs a hundred tokens.
    static PAIRS: LazyLock<HashMap<Key, RsaKeyPair>> = LazyLock::new(|| {
        [Key::RsaA, Key::RsaB, Key::RsaC, Key::Rsa4096]
            .into_iter()
            .map(|key| (key, RsaKeyPair::from_pkcs8(&key.pkcs8()).unwrap()))
            .collect()
    });
    let pair = PAIRS.get(&key).expect("aws-lc-rs does not sign with a key this small");
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), input, &mut signature).unwrap();
    signature
}

fn ecdsa(key: Key, algorithm: &'static EcdsaSigningAlgorithm, input: &[u8]) -> Vec<u8> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &key.pkcs8()).unwrap();
    pair.sign(&SystemRandom::new(), input).unwrap().as_ref().to_vec()
}

fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// The members in the order of their names, whatever order `serde_json` was built to keep: equal
/// claims make equal tokens.
fn sorted(members: &Map<String, Value>) -> String {
    serde_json::to_string(&members.iter().collect::<std::collections::BTreeMap<_, _>>()).unwrap()
}
