//! A JWS in compact form (RFC 7515 3.1, 5.2) that carries claims (RFC 7519).
//!
//! [`UnverifiedJwt`] tells what a verifier must know to find the key, and nothing
//! else; [`UnverifiedJwt::verify`] is the only way on.

use super::algorithm::Algorithm;
use super::bearer::BearerToken;
use super::jwk::VerifyingKey;
use super::strict_json;
use crate::denial::Denial;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A token whose shape is right and of which nothing else is known.
pub struct UnverifiedJwt<'a> {
    signing_input: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    payload: Map<String, Value>,
    payload_text: Vec<u8>,
}

/// A token that the holder of a key signed. Whether it is meant for us is not yet
/// known.
pub struct VerifiedJwt {
    pub(super) payload: Map<String, Value>,
    pub(super) proof: Proof,
}

/// What a key was found to have signed. Cloning shares it.
#[derive(Clone)]
pub struct Proof {
    pub(super) kid: Option<Arc<str>>,
    pub(super) typ: Option<Arc<str>>,
    /// The payload, as it was decoded.
    pub(super) payload: Arc<[u8]>,
    pub(super) key: Arc<VerifyingKey>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Reads the three parts. `jku`, `x5u`, `jwk` and `x5c` are not looked at
    /// (RFC 8725 3.10): a token does not choose the key that it is verified with.
    ///
    /// # Errors
    /// [`Denial::MalformedToken`] where it is no JWS of a JSON object, and for
    /// extensions that must be understood (`crit`) or change what is signed
    /// (`b64`); [`Denial::AlgorithmNotAllowed`] for an algorithm that no issuer could allow.
    pub fn parse(token: &BearerToken<'a>) -> Result<Self, Denial> {
        let token = token.as_str();
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Denial::MalformedToken("not three parts"))?;
        let (header, payload) = signing_input.split_once('.').ok_or(Denial::MalformedToken("not three parts"))?;
        if payload.contains('.') {
            return Err(Denial::MalformedToken("not three parts"));
        }
        let header = decode(header, "the header is not strict base64url")?;
        let header = strict_json::object(&header)
            .map_err(|_| Denial::MalformedToken("the header is not a JSON object without repeated members"))?;
        // RFC 7515 4.1.11: what is listed in `crit` MUST be understood; nothing is.
        // RFC 7797: `b64` changes the signing input.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Denial::MalformedToken("the header has crit or b64"));
        }
        let text = |name| header.get(name).and_then(Value::as_str).map(str::to_owned);

        let payload_text = decode(payload, "the payload is not strict base64url")?;
        let payload = strict_json::object(&payload_text)
            .map_err(|_| Denial::MalformedToken("the payload is not a JSON object without repeated members"))?;
        let signature = decode(signature, "the signature is not strict base64url")?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let algorithm = algorithm.ok_or(Denial::AlgorithmNotAllowed)?;
        Ok(Self { signing_input, signature, algorithm, kid: text("kid"), typ: text("typ"), payload, payload_text })
    }

    /// The `iss` claim, to pick among the configured issuers. Not yet true.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.payload.get("iss").and_then(Value::as_str)
    }

    /// The `alg` header, to be held against the issuer's algorithms.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` header, to pick among the issuer's keys.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Verifies the signature, and nothing else.
    ///
    /// # Errors
    /// [`Denial::UnknownKey`] for a key of another algorithm, [`Denial::BadSignature`].
    pub fn verify(self, key: &Arc<VerifyingKey>) -> Result<VerifiedJwt, Denial> {
        if key.algorithm() != self.algorithm {
            return Err(Denial::UnknownKey);
        }
        key.verify(self.signing_input.as_bytes(), &self.signature).map_err(|_| Denial::BadSignature)?;
        let proof = Proof {
            kid: self.kid.map(Arc::from),
            typ: self.typ.map(Arc::from),
            payload: self.payload_text.into(),
            key: Arc::clone(key),
        };
        Ok(VerifiedJwt { payload: self.payload, proof })
    }
}

impl VerifiedJwt {
    /// What was signed, to be remembered.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof.clone()
    }
}

impl Proof {
    /// The token that it proves; `None` where it could not be read, as it was before.
    pub(super) fn into_jwt(self) -> Option<VerifiedJwt> {
        let payload = strict_json::object(&self.payload).ok()?;
        Some(VerifiedJwt { payload, proof: self })
    }
}

/// Decodes one part. Strict: RFC 7515 2 has no padding, and bits beyond the last
/// byte would make two texts of one token.
fn decode(part: &str, otherwise: &'static str) -> Result<Vec<u8>, Denial> {
    if part.is_empty() {
        return Err(Denial::MalformedToken("an empty part"));
    }
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Denial::MalformedToken(otherwise))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Credential, Request};

    fn b64(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn code(token: &str) -> &'static str {
        let request = Request {
            method: "GET",
            path: "/",
            credentials: vec![Credential(token.into())],
            client_certificate: None,
            resource_characters: None,
            details: None,
        };
        let token = BearerToken::from_request(&request).unwrap();
        UnverifiedJwt::parse(&token).map_or_else(|denial| denial.code(), |_| "ok")
    }

    #[test]
    fn three_non_empty_strict_parts_make_a_token() {
        let (header, payload, signature) = (b64(r#"{"alg":"RS256"}"#), b64("{}"), b64("signature"));
        assert_eq!(code(&format!("{header}.{payload}.{signature}")), "ok");
        for token in [
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!(".{payload}.{signature}"),
            format!("{header}..{signature}"),
            format!("{header}.{payload}.{signature}.{signature}"),
            format!("{header}.{payload}.{signature}.a.b"),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}.c2ln="),
            format!("{header}.e31.{signature}"), // bits beyond the last byte
            format!("{header}.e+30.{signature}"),
            format!("{header}.{payload}.a b"),
            "abc".to_owned(),
        ] {
            assert_eq!(code(&token), "malformed_token", "{token}");
        }
    }

    #[test]
    fn headers_are_held_to_the_rfc() {
        for (header, expected) in [
            (r#"{"alg":"RS256","kid":"a","jku":"https://evil.example","jwk":{}}"#, "ok"),
            (r#"{"alg":"RS256","crit":["exp"]}"#, "malformed_token"),
            (r#"{"alg":"RS256","crit":null}"#, "malformed_token"),
            (r#"{"alg":"RS256","b64":false}"#, "malformed_token"),
            (r#"{"alg":"RS256","alg":"RS256"}"#, "malformed_token"),
            (r#"{"alg":"none"}"#, "algorithm_not_allowed"),
            (r#"{"alg":"HS256"}"#, "algorithm_not_allowed"),
            (r#"{"alg":7}"#, "algorithm_not_allowed"),
            (r#"{}"#, "algorithm_not_allowed"),
            (r#"[]"#, "malformed_token"),
        ] {
            assert_eq!(code(&format!("{}.{}.{}", b64(header), b64("{}"), b64("s"))), expected, "{header}");
        }
    }
}
