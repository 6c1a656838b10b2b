//! Requests that are signed as RFC 9421 says, and the keys that sign them. The signature base is made of the event alone, and by no code
//! of the authorizer's.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::events::Kind;
use crate::tokens::{Key, now};

pub(crate) const DOMAIN: &str = "api.example.com";

/// What the secrets of HMAC keys are derived from.
pub(crate) const MASTER: &str = "a-master-secret-of-at-least-32-bytes";

/// A key that signs.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) id: &'static str,
    /// As the table names it.
    pub(crate) algorithm: &'static str,
    key: Option<Key>,
}

/// One key of each algorithm.
pub(crate) const SIGNERS: [Signer; 6] = [
    Signer { id: "hmac", algorithm: "hmac-sha256", key: None },
    Signer { id: "ed25519", algorithm: "ed25519", key: Some(Key::Ed25519) },
    Signer { id: "p-256", algorithm: "ecdsa-p256-sha256", key: Some(Key::P256) },
    Signer { id: "p-384", algorithm: "ecdsa-p384-sha384", key: Some(Key::P384) },
    Signer { id: "rsa-pss", algorithm: "rsa-pss-sha512", key: Some(Key::RsaA) },
    Signer { id: "rsa-v1_5", algorithm: "rsa-v1_5-sha256", key: Some(Key::RsaA) },
];

impl Signer {
    pub(crate) fn of(id: &str) -> Signer {
        SIGNERS.iter().find(|signer| signer.id == id).unwrap().clone()
    }

    /// Its item in the table of keys.
    pub(crate) fn item(&self) -> Value {
        let mut item = json!({
            "pk": { "S": format!("key#{}", self.id) },
            "algorithm": { "S": self.algorithm },
            "sub": { "S": format!("partner-{}", self.id) },
            "groups": { "SS": ["partners"] },
            "scope": { "S": "orders.read" },
            "created_at": { "N": (now() - 600).to_string() },
        });
        if let Some(key) = self.key {
            item["public_key"] = json!({ "S": public_pem(key) });
        }
        item
    }

    /// Its private half; none of an HMAC key.
    pub(crate) fn private_pem(&self) -> Option<&'static str> {
        Some(match self.key? {
            Key::Ed25519 => include_str!("../keys/ed25519.pem"),
            Key::P256 => include_str!("../keys/p-256.pem"),
            Key::P384 => include_str!("../keys/p-384.pem"),
            Key::RsaA | Key::RsaB | Key::RsaC | Key::Rsa1024 | Key::Rsa4096 | Key::P521 => {
                include_str!("../keys/rsa-a.pem")
            }
        })
    }

    fn sign(&self, base: &[u8]) -> Vec<u8> {
        match self.key {
            None => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret_of(self.id)), base).as_ref().to_vec(),
            Some(key) => key.sign(if self.algorithm == "rsa-pss-sha512" { "PS512" } else { key.algorithm() }, base),
        }
    }
}

/// HKDF-SHA256 (RFC 5869) as docs/credentials.md describes it, written out: the first block is all of it.
pub(crate) fn secret_of(id: &str) -> [u8; 32] {
    let hmac = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let pseudorandom = hmac(b"cognito-authorizer http message signatures", MASTER.as_bytes());
    let block = hmac(pseudorandom.as_ref(), &[id.as_bytes(), &[1]].concat());
    block.as_ref().try_into().unwrap()
}

pub(crate) fn public_pem(key: Key) -> &'static str {
    match key {
        Key::Ed25519 => include_str!("../keys/ed25519.pub.pem"),
        Key::P256 => include_str!("../keys/p-256.pub.pem"),
        Key::P384 => include_str!("../keys/p-384.pub.pem"),
        Key::RsaA => include_str!("../keys/rsa-a.pub.pem"),
        Key::Rsa1024 => include_str!("../keys/rsa-1024.pub.pem"),
        Key::RsaB | Key::RsaC | Key::Rsa4096 | Key::P521 => panic!("no public key of {key:?}"),
    }
}

/// A request, and how it is signed.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) signer: Signer,
    /// As they stand in `Signature-Input`.
    pub(crate) components: Vec<&'static str>,
    /// All parameters, in their order.
    pub(crate) parameters: String,
    pub(crate) label: &'static str,
}

/// A request that is right: `GET /items`, signed by the Ed25519 key.
pub(crate) fn signed() -> Signed {
    Signed {
        kind: Kind::Http2,
        method: "GET",
        path: "/items",
        query: "",
        headers: Vec::new(),
        signer: Signer::of("ed25519"),
        components: vec!["\"@method\"", "\"@authority\"", "\"@path\""],
        parameters: parameters(0, "ed25519"),
        label: "sig1",
    }
}

/// `created` so many seconds from now, and `keyid`.
pub(crate) fn parameters(seconds: i64, key_id: &str) -> String {
    format!("created={};keyid=\"{key_id}\"", now() + seconds)
}

impl Signed {
    pub(crate) fn by(self, id: &str) -> Signed {
        Signed { signer: Signer::of(id), parameters: parameters(0, id), ..self }
    }

    pub(crate) fn with(mut self, more: &str) -> Signed {
        self.parameters.push_str(more);
        self
    }

    pub(crate) fn covering(mut self, components: &[&'static str]) -> Signed {
        self.components.extend(components);
        self
    }

    /// `Signature-Input` and `Signature`.
    pub(crate) fn fields(&self) -> (String, String) {
        let inner = format!("({});{}", self.components.join(" "), self.parameters);
        let unsigned = self.unsigned();
        let mut base = String::new();
        for component in &self.components {
            base.push_str(&format!("{component}: {}\n", self.value(component, &unsigned)));
        }
        base.push_str(&format!("\"@signature-params\": {inner}"));
        let signature = STANDARD.encode(self.signer.sign(base.as_bytes()));
        (format!("{}={inner}", self.label), format!("{}=:{signature}:", self.label))
    }

    pub(crate) fn event(&self) -> Value {
        let (input, signature) = self.fields();
        with_headers(self.unsigned(), &[("signature-input", &input), ("signature", &signature)])
    }

    /// The event without its signature.
    pub(crate) fn unsigned(&self) -> Value {
        let mut event = self.kind.event_without_token(self.method, self.path);
        event["requestContext"]["domainName"] = json!(DOMAIN);
        if self.kind == Kind::Http2 {
            event["rawQueryString"] = json!(self.query);
        }
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        with_headers(event, &headers)
    }

    fn value(&self, component: &str, event: &Value) -> String {
        let path = match self.kind {
            Kind::Http2 => event["rawPath"].as_str(),
            Kind::RestToken | Kind::RestRequest | Kind::Http1 | Kind::WebSocket => {
                event["requestContext"]["path"].as_str()
            }
        };
        match component {
            "\"@method\"" => self.method.to_owned(),
            "\"@authority\"" => DOMAIN.to_owned(),
            "\"@path\"" => path.unwrap_or_default().to_owned(),
            "\"@query\"" => format!("?{}", self.query),
            "\"@target-uri\"" => format!("https://{DOMAIN}{}?{}", path.unwrap_or_default(), self.query),
            "\"@query-param\";name=\"a\"" => "1".to_owned(),
            field => {
                let name = field.trim_matches('"');
                let value = self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
                value.unwrap_or_default()
            }
        }
    }
}

/// The event with these headers, wherever events of its kind have them.
pub(crate) fn with_headers(mut event: Value, headers: &[(&str, &str)]) -> Value {
    for (name, value) in headers {
        event["headers"][name] = json!(value);
        if event.get("multiValueHeaders").is_some_and(Value::is_object) {
            event["multiValueHeaders"][name] = json!([value]);
        }
    }
    event
}
