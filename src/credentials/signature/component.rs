//! Components of a message that a signature may cover (RFC 9421 2), and their values.
//!
//! A value is what the event shows without a doubt, or there is none: nothing is guessed. Of the parameters of components
//! only `name` of `@query-param` is taken. `sf` and `key` need the type of each field, `bs` the single lines of a field,
//! which API Gateway joins, and `tr` and `req` are of no request's header section: each is refused.

use crate::request::Message;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// What a signature may be about.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'m> {
    /// The request's method.
    pub method: &'m str,
    /// The rest of it.
    pub message: &'m Message<'m>,
}

/// A component's identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    /// `@method` (2.2.1).
    Method,
    /// `@target-uri` (2.2.2).
    TargetUri,
    /// `@authority` (2.2.3).
    Authority,
    /// `@scheme` (2.2.4).
    Scheme,
    /// `@request-target` (2.2.5), in its origin form.
    RequestTarget,
    /// `@path` (2.2.6).
    Path,
    /// `@query` (2.2.7).
    Query,
    /// `@query-param` (2.2.8) with its `name`, which is encoded.
    QueryParam(String),
    /// A header field (2.1), its name in lower case.
    Field(String),
}

impl Component {
    /// The component of that name, without parameters.
    ///
    /// # Errors
    /// Why there is none, in fixed words.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        match name {
            "@method" => Ok(Self::Method),
            "@target-uri" => Ok(Self::TargetUri),
            "@authority" => Ok(Self::Authority),
            "@scheme" => Ok(Self::Scheme),
            "@request-target" => Ok(Self::RequestTarget),
            "@path" => Ok(Self::Path),
            "@query" => Ok(Self::Query),
            "@query-param" => Err("`@query-param` without `name`"),
            _ if name.starts_with('@') => Err("an unknown derived component"),
            _ if is_field_name(name) => Ok(Self::Field(name.to_owned())),
            _ => Err("not the name of a header field in lower case"),
        }
    }

    /// `@query-param` with that name.
    ///
    /// # Errors
    /// Where the name is not encoded as RFC 9421 2.2.8 has it: two spellings of one name would be two components.
    pub(super) fn query_param(name: &str) -> Result<Self, &'static str> {
        let decoded =
            form_urlencoded::parse(["=", name].concat().as_bytes()).next().map(|(_, value)| value.into_owned());
        match decoded {
            Some(decoded) if encoded(&decoded) == name => Ok(Self::QueryParam(name.to_owned())),
            Some(_) | None => Err("the `name` of `@query-param` is not encoded as it must be"),
        }
    }

    /// The name alone.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Method => "@method",
            Self::TargetUri => "@target-uri",
            Self::Authority => "@authority",
            Self::Scheme => "@scheme",
            Self::RequestTarget => "@request-target",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::QueryParam(_) => "@query-param",
            Self::Field(name) => name,
        }
    }

    /// What the message has there.
    ///
    /// # Errors
    /// Where the message does not have it, the event does not show it, or no signature base may hold it; in fixed words.
    pub(super) fn value<'m>(&self, parts: &SignedParts<'m>) -> Result<Cow<'m, str>, &'static str> {
        let value = match self {
            Self::Method => Cow::Borrowed(parts.method),
            Self::TargetUri => {
                let mut target = ["https://", &authority(parts)?, path(parts)?].concat();
                append_query(&mut target, query(parts)?);
                Cow::Owned(target)
            }
            Self::Authority => authority(parts)?,
            // API Gateway serves nothing else.
            Self::Scheme => Cow::Borrowed("https"),
            Self::RequestTarget => {
                let mut target = path(parts)?.to_owned();
                append_query(&mut target, query(parts)?);
                Cow::Owned(target)
            }
            Self::Path => Cow::Borrowed(path(parts)?),
            Self::Query => Cow::Owned(["?", query(parts)?].concat()),
            Self::QueryParam(name) => Cow::Owned(query_param(query(parts)?, name)?),
            Self::Field(name) => field(parts, name)?,
        };
        // RFC 9421 2.5: `derived-component-value`; RFC 9110 5.5: `field-content` without `obs-text`, which has tabs too.
        let is_field = matches!(self, Self::Field(_));
        let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') || (is_field && byte == b'\t');
        if value.bytes().all(is_allowed) {
            Ok(value)
        } else {
            Err("a covered component with a byte that is not allowed")
        }
    }
}

/// As it stands in a signature base, and in an inner list of `Signature-Input`.
impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No name has a character that would have to be escaped.
        write!(f, "\"{}\"", self.name())?;
        if let Self::QueryParam(name) = self { write!(f, ";name=\"{name}\"") } else { Ok(()) }
    }
}

/// RFC 9110 5.1 with 5.6.2, in lower case (RFC 9421 2.1).
fn is_field_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// In lower case (RFC 9110 4.2.3). API Gateway listens on the default port alone, which is left out.
fn authority<'m>(parts: &SignedParts<'m>) -> Result<Cow<'m, str>, &'static str> {
    let authority = parts.message.domain.as_deref().ok_or("the event does not show the authority")?;
    let is_lower = !authority.bytes().any(|byte| byte.is_ascii_uppercase());
    Ok(if is_lower { Cow::Borrowed(authority) } else { Cow::Owned(authority.to_ascii_lowercase()) })
}

/// An empty path is `/` (RFC 9110 4.2.3).
fn path<'m>(parts: &SignedParts<'m>) -> Result<&'m str, &'static str> {
    let path = parts.message.path.as_deref().ok_or("the event does not show the path as it was sent")?;
    Ok(if path.is_empty() { "/" } else { path })
}

fn query<'m>(parts: &SignedParts<'m>) -> Result<&'m str, &'static str> {
    parts.message.raw_query.as_deref().ok_or("the event does not show the query as it was sent")
}

fn append_query(target: &mut String, query: &str) {
    if !query.is_empty() {
        target.push('?');
        target.push_str(query);
    }
}

/// "If a parameter name occurs multiple times in a request, the named query parameter MUST NOT be included."
fn query_param(query: &str, name: &str) -> Result<String, &'static str> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(other, _)| encoded(other) == name);
    match (found.next(), found.next()) {
        // What is not UTF-8 is decoded to this character: several queries would have one signature.
        (Some((_, value)), None) if value.contains(char::REPLACEMENT_CHARACTER) => {
            Err("a covered query parameter is not UTF-8")
        }
        (Some((_, value)), None) => Ok(encoded(&value)),
        (None, _) => Err("a covered query parameter is missing"),
        (Some(_), Some(_)) => Err("a covered query parameter occurs more than once"),
    }
}

/// `application/x-www-form-urlencoded`, but for blanks, which "percent-encode after encoding" writes as `%20`.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        let part = if part == "+" { "%20" } else { part };
        // Writing into a text does not fail.
        let _ = encoded.write_str(part);
    }
    encoded
}

/// All lines of a field, in their order, each without blanks around it, joined as in one line (RFC 9421 2.1).
pub(super) fn field<'m>(parts: &SignedParts<'m>, name: &str) -> Result<Cow<'m, str>, &'static str> {
    let mut lines = parts.message.header(name).map(|line| line.trim_matches([' ', '\t']));
    let mut value = Cow::Borrowed(lines.next().ok_or("a covered header field is missing")?);
    for line in lines {
        let value = value.to_mut();
        value.push_str(", ");
        value.push_str(line);
    }
    Ok(value)
}
