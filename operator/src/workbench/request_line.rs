//! A request as people write it: `GET /users/{reader}/orders?page=2`, or `$connect`.

use super::nearest::hint;
use super::persona::Personas;
use cognito_authorizer::access::{Method, RouteKey};
use std::fmt;

/// A request's method, path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The method, or `$connect`.
    pub method: String,
    /// The path, percent-encoded as on the wire.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
}

/// What is wrong with a request line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLineError(pub String);

impl fmt::Display for RequestLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let blank = if self.path.is_empty() { "" } else { " " };
        write!(f, "{}{blank}{}{mark}{}", self.method, self.path, self.query)
    }
}

impl RequestLine {
    /// The handshake of a WebSocket API.
    #[must_use]
    pub fn connect() -> Self {
        Self { method: "$connect".to_owned(), path: String::new(), query: String::new() }
    }

    /// Whether it is the handshake of a WebSocket API.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.method == "$connect"
    }

    /// Reads one line. `ANY` stands for each of the seven methods. `{name}` in the path is the `sub` of the persona of that
    /// name; in the key of a route of the table every other `{name}` stands for some text.
    ///
    /// # Errors
    /// [`RequestLineError`].
    pub fn parse<'k>(
        text: &str,
        personas: &Personas,
        routes: impl IntoIterator<Item = &'k str>,
    ) -> Result<Vec<Self>, RequestLineError> {
        let text = text.trim();
        if text == "$connect" {
            return Ok(vec![Self::connect()]);
        }
        let Some((method, target)) = text.split_once(' ') else {
            return Err(RequestLineError("must be `METHOD /path` or `$connect`".to_owned()));
        };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(RequestLineError(format!("`{method}` is not a method")));
        }
        if let Some(upper) = Some(method.to_ascii_uppercase()).filter(|upper| upper != method) {
            let is_known = upper == "ANY" || Method::parse(&upper).is_some();
            if is_known {
                return Err(RequestLineError(format!("methods are compared letter for letter: write `{upper}`")));
            }
        }
        let target = target.trim_start();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if !path.starts_with('/') {
            return Err(RequestLineError("the path must begin with `/`".to_owned()));
        }
        let is_route_key =
            routes.into_iter().any(|key| key == text || key.split_once(' ').is_some_and(|(_, own)| own == path));
        let path = filled(path, personas, is_route_key)?;
        let of = |method: &str| Self { method: method.to_owned(), path: path.clone(), query: query.to_owned() };
        if method == "ANY" { Ok(METHODS.map(of).to_vec()) } else { Ok(vec![of(method)]) }
    }

    /// A request that this route serves; each path parameter has the value that `value` gives it.
    #[must_use]
    pub fn of_route(key: &str, value: impl Fn(&str) -> String) -> Option<Self> {
        match RouteKey::parse(key).ok()? {
            RouteKey::Connect => return Some(Self::connect()),
            RouteKey::Default => {
                return Some(Self { method: "GET".to_owned(), path: "/default".to_owned(), query: String::new() });
            }
            RouteKey::Http { .. } => {}
        }
        let (method, path) = key.split_once(' ')?;
        let method = if method == "ANY" { "GET" } else { method };
        let segment = |segment: &str| match parameter(segment) {
            Some(name) => value(name),
            None => segment.to_owned(),
        };
        let path = path.split('/').map(segment).collect::<Vec<_>>().join("/");
        Some(Self { method: method.to_owned(), path, query: String::new() })
    }
}

/// The name of a segment that is a path parameter, with the `+` of one that stands for several.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn filled(path: &str, personas: &Personas, is_route_key: bool) -> Result<String, RequestLineError> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let Some(name) = parameter(segment) else {
            segments.push(segment.to_owned());
            continue;
        };
        let persona = personas.get(name);
        segments.push(match persona {
            Some(persona) => encoded(&persona.subject()),
            None if is_route_key && name.ends_with('+') => "a/b".to_owned(),
            None if is_route_key => "some".to_owned(),
            None => {
                let hint = hint(name, personas.names());
                return Err(RequestLineError(format!(
                    "`{{{name}}}` is no persona, whose `sub` would stand there{hint}"
                )));
            }
        });
    }
    Ok(segments.join("/"))
}

/// Percent-encoded as a segment of a path (RFC 3986 3.3), where it has to be.
pub(super) fn encoded(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, String> {
        let personas = Personas::of_names(&["reader", "writer"]);
        let lines = RequestLine::parse(text, &personas, ["ANY /users/{user_id}/{proxy+}"]);
        lines.map(|lines| lines.iter().map(ToString::to_string).collect()).map_err(|error| error.0)
    }

    #[test]
    fn a_request_is_a_method_and_a_path() {
        for (text, expected) in [
            ("GET /items", "GET /items"),
            ("GET /items?a=1&b=2", "GET /items?a=1&b=2"),
            ("$connect", "$connect"),
            ("GET /users/{reader}/orders", "GET /users/reader/orders"),
            ("GET /users/{user_id}/{proxy+}", "GET /users/some/a/b"),
            ("PURGE /items", "PURGE /items"),
        ] {
            assert_eq!(parse(text), Ok(vec![expected.to_owned()]), "{text}");
        }
        assert_eq!(parse("ANY /items").map(|lines| lines.len()), Ok(7));
    }

    #[test]
    fn what_is_no_request_says_why() {
        for (text, expected) in [
            ("/items", "must be `METHOD /path`"),
            ("GET items", "begin with `/`"),
            ("get /items", "write `GET`"),
            ("G@T /items", "not a method"),
            ("GET /users/{raeder}/orders", "did you mean `reader`?"),
        ] {
            assert!(parse(text).unwrap_err().contains(expected), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn a_route_has_a_request() {
        let of = |key| RequestLine::of_route(key, |name| name.replace('+', "s")).map(|line| line.to_string());
        for (key, expected) in [
            ("ANY /users/{id}/{proxy+}", "GET /users/id/proxys"),
            ("POST /items", "POST /items"),
            ("$connect", "$connect"),
            ("$default", "GET /default"),
        ] {
            assert_eq!(of(key).as_deref(), Some(expected));
        }
    }
}
