//! DPoP proofs (RFC 9449 4.3): a JWS by which a request shows that its sender holds the key that its token is bound to.
//!
//! In goes what the request says and the time; out comes a [`KeyProof`], of which the caller must find out whether it was
//! used before. The key is in the proof itself, so that a proof says nothing by being well signed: the token's `cnf.jkt`
//! names the key that it must be signed with, and is looked at first.

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::jwk::{VerifyingKey, decode};
use super::strict_json;
use crate::denial::Denial;
use crate::request::{Message, UnixSeconds};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::time::Duration;

/// That tokens of an issuer must be bound to a key, and each request with one must prove that its sender holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DpopSettings {
    /// The origins of the URLs that clients ask; empty: `https://` and the domain that API Gateway names.
    pub origins: Vec<String>,
}

/// A request that a proof must be about. It holds the token, and so has no `Debug`.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The HTTP method.
    pub(super) method: &'a str,
    /// The request as its client sent it.
    pub(super) message: &'a Message<'a>,
    /// The access token.
    pub(super) token: &'a str,
}

/// A proof that holds, and by what it is known: it must not have been used before.
#[derive(Clone, Copy, PartialEq)]
pub struct KeyProof {
    id: [u8; 32],
    until: UnixSeconds,
}

impl KeyProof {
    /// What no other proof has: the SHA-256 of its key and its `jti`.
    #[must_use]
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The same as text.
    #[must_use]
    pub fn id_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }

    /// The thumbprint of its key, which the claims that it came with name.
    #[must_use]
    pub fn thumbprint<'c>(&self, claims: &'c Claims) -> &'c str {
        claims.get("cnf").and_then(|cnf| cnf.get("jkt")).and_then(Value::as_str).unwrap_or_default()
    }

    /// Why a proof that was used is refused.
    pub const USED_BEFORE: Denial = Denial::SenderNotProven("dpop: the proof was used before");

    #[cfg(test)]
    pub(crate) fn of(id: [u8; 32], until: UnixSeconds) -> Self {
        Self { id, until }
    }

    /// When it is too old to be used again.
    #[must_use]
    pub fn until(&self) -> UnixSeconds {
        self.until
    }
}

impl std::fmt::Debug for KeyProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyProof(redacted)")
    }
}

impl DpopSettings {
    /// Holds the request's one proof against the request, its token and the key that the token is bound to (`jkt`).
    ///
    /// # Errors
    /// [`Denial::SenderNotProven`].
    pub(super) fn verify(
        &self,
        asked: Asked<'_>,
        jkt: &str,
        now: UnixSeconds,
        leeway: Duration,
    ) -> Result<KeyProof, Denial> {
        // RFC 9449 4.3: "There is not more than one DPoP HTTP request header field."
        let mut proofs = asked.message.header("dpop");
        let proof = match (proofs.next(), proofs.next()) {
            (Some(only), None) => UnverifiedProof::parse(only)?,
            (Some(_), Some(_)) => return refuse("dpop: more than one proof"),
            (None, _) => return refuse("dpop: no proof"),
        };
        if proof.thumbprint()? != jkt {
            return refuse("dpop: the proof is by another key");
        }
        let claims = proof.verify()?;
        let text = |name| claims.get(name).and_then(Value::as_str);
        if text("htm") != Some(asked.method) {
            return refuse("dpop: htm is another method");
        }
        self.check_url(text("htu").unwrap_or_default(), asked.message)?;
        if text("ath") != Some(&*URL_SAFE_NO_PAD.encode(digest(&SHA256, asked.token.as_bytes()))) {
            return refuse("dpop: ath is not the token's");
        }
        let issued_at = claims.get("iat").and_then(Value::as_f64).and_then(UnixSeconds::new);
        let issued_at = issued_at.ok_or(Denial::SenderNotProven("dpop: iat is not a date"))?;
        let until = issued_at.plus(MAX_AGE).plus(leeway);
        if until <= now {
            return refuse("dpop: iat is too long ago");
        }
        if issued_at > now.plus(leeway) {
            return refuse("dpop: iat is in the future");
        }
        let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(Denial::SenderNotProven("dpop: no jti"))?;
        // A thumbprint has no dot, so that no two pairs make one text.
        let named = digest(&SHA256, [jkt, ".", jti].concat().as_bytes());
        let mut id = [0; 32];
        // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
        id.copy_from_slice(named.as_ref());
        Ok(KeyProof { id, until })
    }

    /// RFC 9449 4.3: `htu` matches the request's URL, "ignoring any query and fragment parts".
    fn check_url(&self, htu: &str, message: &Message<'_>) -> Result<(), Denial> {
        let (scheme, rest) = htu.split_once("://").ok_or(Denial::SenderNotProven("dpop: htu is not a URL"))?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let origin = origin(scheme, authority);
        let is_ours = if self.origins.is_empty() {
            let domain = message.domain.as_deref().filter(|domain| !domain.is_empty());
            let domain = domain.ok_or(Denial::SenderNotProven("dpop: the event names no domain"))?;
            origin == self::origin("https", domain)
        } else {
            self.origins.contains(&origin)
        };
        if !is_ours {
            return refuse("dpop: htu is of another host");
        }
        let asked = message.path.as_deref().ok_or(Denial::SenderNotProven("dpop: the event names no path"))?;
        if plain(path) == plain(asked) { Ok(()) } else { refuse("dpop: htu is of another path") }
    }
}

/// A proof of which nothing is known but its shape and its key.
struct UnverifiedProof<'a> {
    signing_input: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    jwk: Map<String, Value>,
    payload: Map<String, Value>,
}

impl<'a> UnverifiedProof<'a> {
    fn parse(proof: &'a str) -> Result<Self, Denial> {
        const SHAPE: Denial = Denial::SenderNotProven("dpop: the proof is not a JWS of a JSON object");
        if proof.len() > MAX_BYTES {
            return refuse("dpop: the proof is too large");
        }
        let (signing_input, signature) = proof.rsplit_once('.').ok_or(SHAPE)?;
        let (header, payload) = signing_input.split_once('.').ok_or(SHAPE)?;
        if signature.is_empty() || decode(signature).is_none() {
            return Err(SHAPE);
        }
        // As for tokens: strict base64url, which has no dot, and no member twice.
        let object = |part| strict_json::object(&decode(part).ok_or(SHAPE)?).map_err(|_| SHAPE);
        let (mut header, payload) = (object(header)?, object(payload)?);
        if header.contains_key("crit") || header.contains_key("b64") {
            return refuse("dpop: the proof has crit or b64");
        }
        if header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
            return refuse("dpop: typ is not dpop+jwt");
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            // RFC 9864 2.2: the name of that curve alone.
            Some("Ed25519") => Some(Algorithm::EdDsa),
            alg => alg.and_then(Algorithm::parse),
        };
        let algorithm = algorithm.ok_or(Denial::SenderNotProven("dpop: alg is not accepted"))?;
        let Some(Value::Object(jwk)) = header.remove("jwk") else { return refuse("dpop: no jwk") };
        // RFC 9449 4.2: the key "MUST NOT contain a private key".
        if PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member)) {
            return refuse("dpop: jwk is not a public key");
        }
        Ok(Self { signing_input, signature, algorithm, jwk, payload })
    }

    /// RFC 7638 3, RFC 8037 2: the SHA-256 of the members that make the key, in the order of their names.
    fn thumbprint(&self) -> Result<String, Denial> {
        const UNFIT: Denial = Denial::SenderNotProven("dpop: jwk does not fit alg");
        let text = |name| self.jwk.get(name).and_then(Value::as_str).ok_or(UNFIT);
        let members: &[&str] = match text("kty")? {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            _ => return Err(UNFIT),
        };
        let mut json = String::from("{");
        for name in members {
            let value = text(name)?;
            // What these members hold is written in JSON as it is; a quote or a backslash is in none of them.
            if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
                return Err(UNFIT);
            }
            let comma = if json.len() > 1 { "," } else { "" };
            json.extend([comma, "\"", *name, "\":\"", value, "\""]);
        }
        json.push('}');
        Ok(URL_SAFE_NO_PAD.encode(digest(&SHA256, json.as_bytes())))
    }

    /// The claims, once the proof's own key is found to have signed them.
    fn verify(self) -> Result<Map<String, Value>, Denial> {
        let key = VerifyingKey::embedded(Value::Object(self.jwk), self.algorithm);
        let key = key.map_err(|_| Denial::SenderNotProven("dpop: jwk does not fit alg"))?;
        let verified = key.verify(self.signing_input.as_bytes(), self.signature);
        verified.map_err(|_| Denial::SenderNotProven("dpop: the proof's signature is bad"))?;
        Ok(self.payload)
    }
}

fn refuse<T>(detail: &'static str) -> Result<T, Denial> {
    Err(Denial::SenderNotProven(detail))
}

/// RFC 3986 6.2.2.1, 6.2.3: scheme and host in small letters, the default port left out.
fn origin(scheme: &str, authority: &str) -> String {
    let authority = authority.strip_suffix(":443").or_else(|| authority.strip_suffix(':')).unwrap_or(authority);
    [scheme, "://", authority].concat().to_ascii_lowercase()
}

/// A path with its escapes decoded once: events have it with or without them. An escape of a slash belongs to no path that
/// a rule serves. RFC 3986 6.2.3: an empty path is that of the root.
fn plain(path: &str) -> Cow<'_, [u8]> {
    match path {
        "" => Cow::Borrowed(b"/"),
        path => percent_decoded(path),
    }
}

/// What is no escape stays as it is.
fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let digit =
        |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, others)) = rest.split_first() {
        match (digit(others.first()), digit(others.get(1))) {
            (Some(high), Some(low)) if *first == b'%' => {
                decoded.push(high << 4 | low);
                rest = others.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push(*first);
                rest = others;
            }
        }
    }
    Cow::Owned(decoded)
}

/// How old a proof may be, beside the leeway of the clocks.
const MAX_AGE: Duration = Duration::from_secs(60);

/// All headers of a request together may have 10,240 bytes at API Gateway. A proof with a key of 8192 bits has 4,000.
const MAX_BYTES: usize = 8192;

/// RFC 7518 6.2.2, 6.3.2, 6.4.1, RFC 8037 2.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[cfg(test)]
#[path = "dpop_tests.rs"]
mod tests;
