//! What a JWT says of itself, to name the entries that stop it. Nothing is verified:
//! whoever can revoke may revoke any token, and an expired or forged one hurts nobody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_authorizer::request::UnixSeconds;
use serde_json::{Map, Value};
use std::fmt;

/// The claims that entries are named after. Holds no part of the token that could
/// be used as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecodedToken {
    /// `jti`, where it is a text with something in it.
    pub jti: Option<String>,
    /// Cognito's `origin_jti`, which all tokens of one sign-in share.
    pub origin_jti: Option<String>,
    /// `exp`, where it makes sense.
    pub expires: Option<UnixSeconds>,
}

/// Why a text is no JWT that could be read. Shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecodable {
    /// Nothing, or nothing but white space.
    Empty,
    /// Five parts: encrypted, as Cognito's refresh tokens are.
    Encrypted,
    /// Other than three parts with a JSON object in the middle one.
    NotAJwt,
}

impl fmt::Display for NotDecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotDecodable::Empty => "there is no token",
            NotDecodable::Encrypted => {
                "the token is encrypted, as a Cognito refresh token is: see `authctl revoke refresh-token`"
            }
            NotDecodable::NotAJwt => {
                "not a JWT (three parts, a JSON object in the middle one); an opaque token is revoked at its issuer"
            }
        })
    }
}

impl std::error::Error for NotDecodable {}

impl DecodedToken {
    /// Reads the middle part of a JWT, with or without `Bearer` before it.
    ///
    /// # Errors
    /// [`NotDecodable`].
    pub fn parse(text: &str) -> Result<Self, NotDecodable> {
        let text = text.trim();
        let token = match text.split_once(char::is_whitespace) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim_start(),
            _ => text,
        };
        if token.is_empty() {
            return Err(NotDecodable::Empty);
        }
        let parts: Vec<_> = token.split('.').collect();
        let payload = match parts.as_slice() {
            [_, payload, _] => payload,
            [_, _, _, _, _] => return Err(NotDecodable::Encrypted),
            _ => return Err(NotDecodable::NotAJwt),
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| NotDecodable::NotAJwt)?;
        let claims: Map<String, Value> = serde_json::from_slice(&payload).map_err(|_| NotDecodable::NotAJwt)?;
        let text =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let expires = claims.get("exp").and_then(Value::as_f64).and_then(UnixSeconds::new);
        Ok(Self { jti: text("jti"), origin_jti: text("origin_jti"), expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("eyJhbGciOiJSUzI1NiJ9.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn the_claims_that_name_entries_are_read() {
        let token = jwt(r#"{"jti":"j","origin_jti":"o","exp":1500,"sub":"s"}"#);
        let expected =
            DecodedToken { jti: Some("j".into()), origin_jti: Some("o".into()), expires: UnixSeconds::new(1500.0) };
        for text in [token.clone(), format!(" {token}\n"), format!("Bearer {token}"), format!("bearer   {token}")] {
            assert_eq!(DecodedToken::parse(&text), Ok(expected.clone()));
        }
    }

    #[test]
    fn a_claim_that_makes_no_sense_is_not_there() {
        for payload in ["{}", r#"{"jti":"","origin_jti":7,"exp":"soon"}"#, r#"{"jti":null,"exp":1e300}"#] {
            assert_eq!(DecodedToken::parse(&jwt(payload)), Ok(DecodedToken::default()), "{payload}");
        }
    }

    #[test]
    fn what_is_no_jwt_is_refused_without_quoting_it() {
        for (text, expected) in [
            ("", NotDecodable::Empty),
            (" \n", NotDecodable::Empty),
            ("Bearer ", NotDecodable::NotAJwt),
            ("c2VjcmV0", NotDecodable::NotAJwt),
            ("a.b", NotDecodable::NotAJwt),
            ("a.!.c", NotDecodable::NotAJwt),
            ("a.W10.c", NotDecodable::NotAJwt),
            ("a.b.c.d", NotDecodable::NotAJwt),
            ("a.b.c.d.e", NotDecodable::Encrypted),
        ] {
            let error = DecodedToken::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
        }
    }
}
