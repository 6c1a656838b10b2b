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
    signature: &'a str,
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
        Self::parse_text(token.as_str()).map_err(|denial| match token.spelling_mistake() {
            Some(detail) if matches!(denial, Denial::MalformedToken(_)) => Denial::MalformedToken(detail),
            _ => denial,
        })
    }

    fn parse_text(token: &'a str) -> Result<Self, Denial> {
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
        decode(signature, "the signature is not strict base64url")?;
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
        key.verify(self.signing_input.as_bytes(), self.signature).map_err(|_| Denial::BadSignature)?;
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
    use crate::token::jwk;
    use aws_lc_rs::signature::Ed25519KeyPair;

    fn b64(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn parsed<T>(token: &str, then: impl FnOnce(Result<UnverifiedJwt<'_>, Denial>) -> T) -> T {
        let request = Request::new("GET", "/", vec![Credential(token.into())]);
        let token = BearerToken::from_request(&request).unwrap();
        then(UnverifiedJwt::parse(&token))
    }

    fn code(token: &str) -> &'static str {
        parsed(token, |jwt| jwt.map_or_else(|denial| denial.code(), |_| "ok"))
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
    fn the_log_tells_what_is_wrong_with_a_tokens_shape() {
        let (header, payload, signature) = (b64(r#"{"alg":"RS256"}"#), b64("{}"), b64("s"));
        for (token, detail) in [
            (format!("{header}.{payload}"), "not three parts"),
            (header.clone(), "not three parts"),
            (format!("{header}.{payload}.{signature}.{signature}.{signature}"), "not three parts"),
            (format!("{header}=.{payload}.{signature}"), "the header is not strict base64url"),
            (format!("{header}.{payload}=.{signature}"), "the payload is not strict base64url"),
            (format!("{header}.{payload}.{signature}="), "the signature is not strict base64url"),
            (format!("{header}.{payload}."), "an empty part"),
            (
                format!("{payload}.{}.{signature}", b64("[]")),
                "the payload is not a JSON object without repeated members",
            ),
            (format!("{}.{payload}.{signature}", b64("7")), "the header is not a JSON object without repeated members"),
            (format!("{}.{payload}.{signature}", b64(r#"{"b64":true}"#)), "the header has crit or b64"),
        ] {
            assert_eq!(parsed(&token, |jwt| jwt.err()), Some(Denial::MalformedToken(detail)), "{token}");
        }
    }

    #[test]
    fn a_token_is_verified_by_the_key_that_signed_it_and_names_its_algorithm() {
        // RFC 8037 A.1: the private part of `a_key`.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let (pair, key) = (Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(), jwk::a_key());
        let signed = |header: &str, payload: &str| {
            let input = format!("{}.{}", b64(header), b64(payload));
            let signature = URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes()));
            format!("{input}.{signature}")
        };
        let verified = |token: &str| parsed(token, |jwt| jwt.unwrap().verify(&key).map(|jwt| jwt.proof()));

        let header = r#"{"alg":"EdDSA","kid":"k","typ":"at+jwt"}"#;
        let good = signed(header, r#"{"iss":"i"}"#);
        let (issuer, kid, algorithm) = parsed(&good, |jwt| {
            let jwt = jwt.unwrap();
            (jwt.issuer().map(str::to_owned), jwt.kid().map(str::to_owned), jwt.algorithm())
        });
        assert_eq!((issuer.as_deref(), kid.as_deref(), algorithm), (Some("i"), Some("k"), Algorithm::EdDsa));
        let proof = verified(&good).unwrap();
        assert_eq!((proof.kid.as_deref(), proof.typ.as_deref()), (Some("k"), Some("at+jwt")));
        assert_eq!(&*proof.payload, br#"{"iss":"i"}"#);
        assert!(Arc::ptr_eq(&proof.key, &key));

        let other = signed(header, r#"{"iss":"j"}"#);
        let (start, signature) = (other.rsplit_once('.').unwrap().0, good.rsplit_once('.').unwrap().1);
        assert_eq!(verified(&format!("{start}.{signature}")).err(), Some(Denial::BadSignature));
        // Signed by that key, and said to be by another kind.
        let misnamed = signed(r#"{"alg":"ES256","kid":"k"}"#, "{}");
        assert_eq!(verified(&misnamed).err(), Some(Denial::UnknownKey));
        let odd = signed(r#"{"alg":"EdDSA","kid":7,"typ":["at+jwt"]}"#, r#"{"iss":["i"]}"#);
        let proof = verified(&odd).unwrap();
        assert_eq!((proof.kid, proof.typ), (None, None));
        assert!(parsed(&odd, |jwt| jwt.unwrap().issuer().is_none()));
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
