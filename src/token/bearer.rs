//! The credentials of a request become exactly one token (RFC 6750 2).
//!
//! Accepts `Bearer <token>`, the scheme in any case and followed by one or more
//! spaces, or the bare token, as API Gateway's own authorizers do. `DPoP <token>` (RFC 9449 7.1) is told apart: which of
//! the two a token may come by is for its issuer's settings to say.

use crate::denial::Denial;
use crate::request::{Credential, Request};
use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose};

/// The one credential of a request, not yet looked at. Its `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'a> {
    text: &'a str,
    scheme: Scheme,
}

/// How the token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    /// `Bearer`, or none.
    Bearer,
    /// `DPoP`
    Dpop,
}

impl<'a> BearerToken<'a> {
    /// Takes the one credential that the request carries.
    ///
    /// # Errors
    /// [`Denial::MissingToken`] where there is none, [`Denial::AmbiguousToken`]
    /// where there are two that differ, [`Denial::TokenTooLarge`].
    pub fn from_request(request: &'a Request<'_>) -> Result<Self, Denial> {
        let mut found: Option<Self> = None;
        let mut is_one_without_token = false;
        for Credential(value) in &request.credentials {
            // API Gateway joins repeated headers with commas; no token has a comma in
            // it (RFC 6750 2.1), so that each part is a credential of its own.
            let mut tokens = value.split(',').map(Self::read).filter(|token| !token.text.is_empty()).peekable();
            is_one_without_token |= tokens.peek().is_none();
            for token in tokens {
                match found {
                    Some(first) if first != token => return Err(Denial::AmbiguousToken),
                    _ => found = Some(token),
                }
            }
        }
        let token = found.ok_or(Denial::MissingToken)?;
        // API Gateway may keep the answer under that one (an empty header, a lone `Bearer`), for everybody who sends it.
        if is_one_without_token {
            return Err(Denial::AmbiguousToken);
        }
        if token.text.len() > MAX_TOKEN_BYTES {
            return Err(Denial::TokenTooLarge);
        }
        Ok(token)
    }

    fn read(value: &'a str) -> Self {
        let value = value.trim_matches([' ', '\t']);
        for (name, scheme) in SCHEMES {
            if let Some((start, rest)) = value.split_at_checked(name.len())
                && start.eq_ignore_ascii_case(name)
                && (rest.is_empty() || rest.starts_with(' '))
            {
                return Self { text: rest.trim_start_matches(' '), scheme };
            }
        }
        Self { text: value, scheme: Scheme::Bearer }
    }

    /// Whether it was presented as one whose sender proves to hold its key (RFC 9449 7.1).
    #[must_use]
    pub(super) fn is_dpop(&self) -> bool {
        self.scheme == Scheme::Dpop
    }

    /// Whether this has the form of a token (RFC 6750 2.1) and is neither a JWS nor
    /// a JWE: those begin with a JSON object (RFC 7515 3.1, RFC 7516 3.1), and stay
    /// what they are even where they are bad.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        let text = self.text.trim_end_matches('=');
        let is_token_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let has_form = !text.is_empty() && text.bytes().all(is_token_character);
        has_form && !self.text.split_once('.').is_some_and(|(header, _)| begins_with_an_object(header))
    }

    /// What a client wrote around the token, where that is why it is none: fixed words for the operator.
    pub(super) fn spelling_mistake(&self) -> Option<&'static str> {
        if self.text.starts_with(['"', '\'']) || self.text.ends_with(['"', '\'']) {
            return Some("quotes around the token");
        }
        let (word, _) = self.text.split_once([' ', '\t'])?;
        let is_word = |(known, _): &&(&str, _)| known.eq_ignore_ascii_case(word);
        let known = KNOWN_SCHEMES.iter().find(is_word);
        Some(known.map_or("a blank in the token, or a scheme other than Bearer", |(_, detail)| detail))
    }

    /// The token's text, for the parser and for live checks.
    #[must_use]
    pub(crate) fn as_str(&self) -> &'a str {
        self.text
    }
}

impl std::fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

/// Whether this is the base64url of a text that begins with a JSON object, or was before somebody damaged it: of another
/// alphabet, of an impossible length, with other characters further on.
fn begins_with_an_object(header: &str) -> bool {
    let header = header.replace('+', "-").replace('/', "_");
    let letters = header.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    let whole = if letters % 4 == 1 { letters - 1 } else { letters };
    let decoded = header.get(..whole).and_then(|header| LENIENT.decode(header).ok()).unwrap_or_default();
    decoded.trim_ascii_start().starts_with(b"{")
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_LAST_BITS);

const ANY_LAST_BITS: GeneralPurposeConfig = general_purpose::NO_PAD.with_decode_allow_trailing_bits(true);

/// What clients write before the token, and what is wrong with it.
const KNOWN_SCHEMES: [(&str, &str); 9] = [
    ("Bearer", "a second scheme `Bearer`, or a tab behind it"),
    ("Bearer:", "a colon behind the scheme `Bearer`"),
    ("JWT", "the scheme `JWT`, where `Bearer` belongs"),
    ("Token", "the scheme `Token`, where `Bearer` belongs"),
    ("OAuth", "the scheme `OAuth`, where `Bearer` belongs"),
    ("DPoP", "the scheme `DPoP`, which is not accepted"),
    ("Basic", "the scheme `Basic`, which is no token"),
    ("Digest", "the scheme `Digest`, which is no token"),
    ("Negotiate", "the scheme `Negotiate`, which is no token"),
];

const SCHEMES: [(&str, Scheme); 2] = [("Bearer", Scheme::Bearer), ("DPoP", Scheme::Dpop)];

/// A token of more bytes is refused unread. All headers of a request together
/// may have 10,240 bytes at API Gateway, a query string more.
const MAX_TOKEN_BYTES: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Result<&str, Denial>) {
        let request = Request::new("GET", "/", values.iter().map(|value| Credential((*value).into())).collect());
        assert_eq!(BearerToken::from_request(&request).map(|token| token.text), expected, "{values:?}");
    }

    #[test]
    fn a_credential_is_bearer_or_bare() {
        check(&["Bearer abc"], Ok("abc"));
        check(&["bEARER abc"], Ok("abc"));
        check(&["Bearer abc,, Bearer"], Ok("abc"));
        for without_token in ["", "Bearer", "bearer ", " ", "\t", ",", "Bearer ,"] {
            check(&[without_token], Err(Denial::MissingToken));
            check(&[without_token, "abc"], Err(Denial::AmbiguousToken));
            check(&["abc", without_token], Err(Denial::AmbiguousToken));
        }
        check(&["Bearer    abc"], Ok("abc"));
        check(&[" Bearer abc "], Ok("abc"));
        check(&["abc"], Ok("abc"));
        check(&["Bearerabc"], Ok("Bearerabc"));
        check(&["Bearer\tabc"], Ok("Bearer\tabc"));
        check(&["Basic abc"], Ok("Basic abc"));
        check(&["Bearer Bearer abc"], Ok("Bearer abc"));
        check(&["\tBearer abc \t"], Ok("abc"));
        // Six letters are no scheme yet, and "Bearer" is none without a space after it.
        check(&["Digest abc"], Ok("Digest abc"));
        check(&["Bearerx abc"], Ok("Bearerx abc"));
        check(&["xBearer abc"], Ok("xBearer abc"));
    }

    #[test]
    fn a_token_that_comes_with_a_proof_is_told_apart_by_its_scheme() {
        let of = |values: &[&str]| {
            let request = Request::new("GET", "/", values.iter().map(|value| Credential((*value).into())).collect());
            BearerToken::from_request(&request).map(|token| (token.text.to_owned(), token.is_dpop()))
        };
        for (value, text, is_dpop) in [
            ("DPoP abc", "abc", true),
            ("dpop   abc", "abc", true),
            (" DPOP abc\t", "abc", true),
            ("Bearer abc", "abc", false),
            ("abc", "abc", false),
            ("DPoPabc", "DPoPabc", false),
            ("DPoP\tabc", "DPoP\tabc", false),
            ("Bearer DPoP abc", "DPoP abc", false),
            ("DPoP abc, DPoP abc", "abc", true),
        ] {
            assert_eq!(of(&[value]), Ok((text.to_owned(), is_dpop)), "{value}");
        }
        assert_eq!(of(&["DPoP"]), Err(Denial::MissingToken));
        for two in [["DPoP abc", "Bearer abc"], ["abc", "DPoP abc"], ["DPoP abc", "DPoP abd"]] {
            assert_eq!(of(&two), Err(Denial::AmbiguousToken), "{two:?}");
        }
    }

    #[test]
    fn no_credential_is_missing() {
        check(&[], Err(Denial::MissingToken));
        check(&[""], Err(Denial::MissingToken));
        check(&["  "], Err(Denial::MissingToken));
        check(&["Bearer"], Err(Denial::MissingToken));
        check(&["Bearer "], Err(Denial::MissingToken));
        check(&[","], Err(Denial::MissingToken));
    }

    #[test]
    fn two_different_credentials_are_refused_and_the_same_one_twice_is_not() {
        check(&["Bearer abc", "Bearer abd"], Err(Denial::AmbiguousToken));
        check(&["Bearer abc,Bearer abd"], Err(Denial::AmbiguousToken));
        check(&["Basic abc, Bearer abd"], Err(Denial::AmbiguousToken));
        check(&["Bearer abc", "abc"], Ok("abc"));
        check(&["Bearer abc,Bearer abc", "abc"], Ok("abc"));
    }

    #[test]
    fn the_largest_token_has_16384_bytes() {
        check(&[&"a".repeat(16_384)], Ok(&"a".repeat(16_384)));
        check(&[&"a".repeat(16_385)], Err(Denial::TokenTooLarge));
        check(&[&format!("Bearer {}", "a".repeat(16_384))], Ok(&"a".repeat(16_384)));
    }

    #[test]
    fn what_does_not_begin_with_a_json_object_is_opaque() {
        for (text, opaque) in [
            ("abc", true),
            ("abc==", true),
            ("a.b.c", true),
            ("ya29.a0-._~+/9", true),
            ("v4.local.abc", true),
            ("e30.b", false),
            ("e30.b.c", false),
            ("e30.b.c.d.e", false),
            ("eyJhbGciOiJub25lIn0..", false),
            ("IAp7fQ.b.c", false), // white space before the object
            ("e30", true),
            // Such a header, but no base64url.
            ("eyJhbGciOiJSUzI1NiJ9x.b.c", false),
            ("eyJhbGciOiJSUzI1NiJ9~.b.c", false),
            ("eyJhbGciOiJSUzI1NiIsImtpZCI6Ij4/Pj8+In0.b.c", false),
            ("eyJhbGciOiJSUzI1NiIsImtpZCI6ImFiIn1.b.c", false),
            ("e31.b.c", false),
            ("ey.b", false),
            ("e.b.c", true),
            (".b.c", true),
            ("~e30.b.c", true),
            ("WzFd.b.c", true), // a list
            ("a b", false),
            ("a=b", false),
            ("==", false),
            ("a\u{e9}", false),
        ] {
            assert_eq!(BearerToken { text, scheme: Scheme::Bearer }.is_opaque(), opaque, "{text}");
        }
    }

    #[test]
    fn what_stands_around_the_token_is_named_without_it() {
        for (text, detail) in [
            ("Bearer abc", "a second scheme `Bearer`, or a tab behind it"),
            ("bearer\tabc", "a second scheme `Bearer`, or a tab behind it"),
            ("Bearer: abc", "a colon behind the scheme `Bearer`"),
            ("JWT abc", "the scheme `JWT`, where `Bearer` belongs"),
            ("token abc", "the scheme `Token`, where `Bearer` belongs"),
            ("Basic abc", "the scheme `Basic`, which is no token"),
            ("Secret abc", "a blank in the token, or a scheme other than Bearer"),
            ("abc def", "a blank in the token, or a scheme other than Bearer"),
            ("\"abc\"", "quotes around the token"),
            ("\"Bearer abc\"", "quotes around the token"),
            ("'abc'", "quotes around the token"),
            ("abc\"", "quotes around the token"),
        ] {
            assert_eq!(BearerToken { text, scheme: Scheme::Bearer }.spelling_mistake(), Some(detail), "{text}");
        }
        for text in ["abc", "a.b.c", "JWTabc", "a\"b"] {
            assert_eq!(BearerToken { text, scheme: Scheme::Bearer }.spelling_mistake(), None, "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_token() {
        assert_eq!(format!("{:?}", BearerToken { text: "secret", scheme: Scheme::Bearer }), "BearerToken(redacted)");
        assert_eq!(format!("{:?}", Credential("secret".into())), "Credential(redacted)");
    }
}
