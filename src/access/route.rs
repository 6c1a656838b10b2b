//! Route keys as API Gateway writes them, and the table that finds the most
//! specific one for a method and path.
//!
//! Grammar of a key: `$connect`, `$default`, or `METHOD /segment/...` where METHOD
//! is `ANY` or one of seven, and a segment is a literal, `{name}` (one non-empty
//! segment) or, last, `{name+}` (one or more).

use super::path::SafePath;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// An HTTP method that API Gateway can route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as in RFC 9110")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// What `ANY` stands for.
    pub(super) const ALL: [Method; 7] =
        [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Options];

    /// Its name, in upper case as HTTP has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }

    /// The method of that name, in upper case as HTTP has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Whether `/Admin` and `/admin` are two paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterCase {
    /// As RFC 3986 6.2.2.1 has it.
    Distinguished,
    /// As some backends take it.
    Ignored,
}

impl LetterCase {
    /// The text as it is compared. Upper case goes first: some letters have a lower
    /// case only by way of it, such as the long s.
    pub(super) fn of(self, text: &str) -> Cow<'_, str> {
        match self {
            LetterCase::Distinguished => Cow::Borrowed(text),
            // A capital I with a dot becomes two characters, or one for who maps characters one by one.
            LetterCase::Ignored => Cow::Owned(text.to_uppercase().to_lowercase().replace("i\u{307}", "i")),
        }
    }
}

/// A parsed route key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteKey {
    /// `$connect`: a WebSocket's handshake.
    Connect,
    /// `$default`: whatever no other key serves, except `$connect`.
    Default,
    /// A method (`None` for `ANY`) and a path.
    Http {
        /// `None` stands for `ANY`.
        method: Option<Method>,
        /// The path's segments, from the left.
        segments: Vec<Segment>,
    },
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Matches itself.
    Literal(String),
    /// `{name}`: matches one segment.
    Parameter(String),
    /// `{name+}`: matches this and all that follow.
    Greedy(String),
}

/// Why a text is no route key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteKeyError(pub &'static str);

impl fmt::Display for RouteKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl RouteKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`RouteKeyError`], in words for the operator.
    pub fn parse(key: &str) -> Result<Self, RouteKeyError> {
        match key {
            "$connect" => return Ok(RouteKey::Connect),
            "$default" => return Ok(RouteKey::Default),
            _ if key.starts_with('$') => {
                return Err(RouteKeyError("API Gateway asks an authorizer only for `$connect` and HTTP routes"));
            }
            _ => {}
        }
        let (method, path) =
            key.split_once(' ').ok_or(RouteKeyError("must be `METHOD /path`, `$connect` or `$default`"))?;
        let method = if method == "ANY" {
            None
        } else {
            let unknown = "the method must be ANY, GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS";
            Some(Method::parse(method).ok_or(RouteKeyError(unknown))?)
        };
        // The path itself must be one that a request could have.
        let path = SafePath::parse(path)
            .map_err(|_| RouteKeyError("the path must start with `/` and have no empty, dot or escaped segments"))?;
        if path.segments().iter().any(|segment| matches!(segment, Cow::Owned(_)) || segment.contains('%')) {
            return Err(RouteKeyError("write the path decoded: requests are decoded before they are compared"));
        }
        if path.segments().iter().any(|segment| segment.contains('#')) {
            return Err(RouteKeyError("a `#` ends the path of a URL: no route can have one"));
        }
        let mut segments: Vec<Segment> = Vec::new();
        for text in path.segments() {
            if matches!(segments.last(), Some(Segment::Greedy(_))) {
                return Err(RouteKeyError("nothing may follow a `{name+}` segment"));
            }
            let segment = Segment::parse(text)?;
            if segment.name().is_some() && segments.iter().any(|earlier| earlier.name() == segment.name()) {
                return Err(RouteKeyError("duplicate path parameter"));
            }
            segments.push(segment);
        }
        Ok(RouteKey::Http { method, segments })
    }

    /// Whether the path is one of the route's, whatever the method.
    pub(super) fn has_path(&self, path: &SafePath<'_>, case: LetterCase) -> bool {
        let RouteKey::Http { segments, .. } = self else { return *self == RouteKey::Default };
        let mut rest = path.segments().iter();
        for segment in segments {
            let Some(next) = rest.next() else { return false };
            match segment {
                Segment::Literal(text) if case.of(text) != case.of(next) => return false,
                Segment::Literal(_) | Segment::Parameter(_) => {}
                Segment::Greedy(_) => return true,
            }
        }
        rest.next().is_none()
    }

    /// Whether the last segment of a path that it serves is written out in it.
    pub(super) fn names_last_segment(&self, path: &SafePath<'_>) -> bool {
        match self {
            RouteKey::Http { segments, .. } => {
                segments.len() == path.segments().len() && matches!(segments.last(), Some(Segment::Literal(_)))
            }
            RouteKey::Connect | RouteKey::Default => false,
        }
    }

    /// Its path parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        let RouteKey::Http { segments, .. } = self else { return Vec::new() };
        let named = segments.iter().enumerate();
        named
            .filter_map(|(index, segment)| {
                let name = segment.name()?.to_owned();
                Some(Parameter { name, index, greedy: matches!(segment, Segment::Greedy(_)) })
            })
            .collect()
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, RouteKeyError> {
        let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            if text.contains(['{', '}']) {
                return Err(RouteKeyError("a `{name}` must be a whole segment"));
            }
            return Ok(Segment::Literal(text.to_owned()));
        };
        let (name, greedy) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            return Err(RouteKeyError("a parameter's name has letters, digits, `_`, `-` and `.`"));
        }
        Ok(if greedy { Segment::Greedy(name.to_owned()) } else { Segment::Parameter(name.to_owned()) })
    }

    fn name(&self) -> Option<&str> {
        match self {
            Segment::Literal(_) => None,
            Segment::Parameter(name) | Segment::Greedy(name) => Some(name),
        }
    }
}

/// A path parameter of a route: where in the path its value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without braces.
    pub name: String,
    index: usize,
    greedy: bool,
}

impl Parameter {
    /// Its place among the path's segments.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Whether it stands for all segments from there on.
    pub(super) fn is_greedy(&self) -> bool {
        self.greedy
    }

    /// Whether the two have the same value in each path.
    pub(super) fn is_in_the_place_of(&self, other: &Self) -> bool {
        (self.index, self.greedy) == (other.index, other.greedy)
    }

    /// Its value in a path that the route matched; `None` where there is none.
    #[must_use]
    pub(super) fn value<'p>(&self, path: &'p SafePath<'_>) -> Option<Cow<'p, str>> {
        let values = path.segments().get(self.index..)?;
        if self.greedy { Some(values.join("/").into()) } else { values.first().map(|value| Cow::Borrowed(&**value)) }
    }
}

/// Finds the most specific route of a method and path: at each segment from the
/// left a literal goes before `{name}` before `{name+}`, then a named method
/// before `ANY`, then `$default`. Holds positions into a list kept elsewhere.
#[derive(Debug, Default)]
pub(super) struct RouteIndex {
    root: Node,
    connect: Option<usize>,
    default: Option<usize>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    parameter: Option<Box<Node>>,
    ends_here: ByMethod,
    greedy: ByMethod,
}

#[derive(Debug, Default)]
struct ByMethod {
    named: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl RouteIndex {
    /// Adds a route.
    ///
    /// # Errors
    /// The position of an earlier route that means the same; nothing is added then.
    pub(super) fn insert(&mut self, key: &RouteKey, case: LetterCase, position: usize) -> Result<(), usize> {
        let (method, segments) = match key {
            RouteKey::Connect => return fill(&mut self.connect, position),
            RouteKey::Default => return fill(&mut self.default, position),
            RouteKey::Http { method, segments } => (*method, segments),
        };
        let mut node = &mut self.root;
        for segment in segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(case.of(text).into()).or_default(),
                Segment::Parameter(_) => node.parameter.get_or_insert_default(),
                Segment::Greedy(_) => return node.greedy.insert(method, position),
            };
        }
        node.ends_here.insert(method, position)
    }

    /// The route that serves a WebSocket's handshake.
    pub(super) fn connect(&self) -> Option<usize> {
        self.connect
    }

    /// The route that has the path of this one, parameters' names apart, for requests of the method.
    pub(super) fn of_path(&self, route: &RouteKey, method: Option<Method>, case: LetterCase) -> Option<usize> {
        let segments = match route {
            RouteKey::Connect => return self.connect,
            RouteKey::Default => return self.default,
            RouteKey::Http { segments, .. } => segments,
        };
        let mut node = &self.root;
        for segment in segments {
            node = match segment {
                Segment::Literal(text) => node.literals.get(&*case.of(text))?,
                Segment::Parameter(_) => node.parameter.as_ref()?,
                Segment::Greedy(_) => return node.greedy.of(method),
            };
        }
        node.ends_here.of(method)
    }

    /// The most specific route. A method outside of the seven is served by
    /// `$default`, but on no path that another route of the table has: API Gateway
    /// may hand it to that route's backend.
    pub(super) fn find(&self, method: Option<Method>, path: &SafePath<'_>, case: LetterCase) -> Option<usize> {
        let find = |method| self.root.find(method, path.segments(), case);
        match method {
            Some(method) => find(method).or(self.default),
            None if Method::ALL.into_iter().any(|method| find(method).is_some()) => None,
            None => self.default,
        }
    }
}

impl Node {
    // Each step goes one segment deeper, so a request visits no node twice and
    // at most as many as the table has.
    fn find(&self, method: Method, segments: &[Cow<'_, str>], case: LetterCase) -> Option<usize> {
        let Some((first, rest)) = segments.split_first() else { return self.ends_here.find(method) };
        self.literals
            .get(&*case.of(first))
            .and_then(|node| node.find(method, rest, case))
            .or_else(|| self.parameter.as_ref().and_then(|node| node.find(method, rest, case)))
            .or_else(|| self.greedy.find(method))
    }
}

impl ByMethod {
    fn insert(&mut self, method: Option<Method>, position: usize) -> Result<(), usize> {
        let Some(method) = method else { return fill(&mut self.any, position) };
        match self.named.iter().find(|(named, _)| *named == method) {
            Some((_, earlier)) => Err(*earlier),
            None => {
                self.named.push((method, position));
                Ok(())
            }
        }
    }

    fn of(&self, method: Option<Method>) -> Option<usize> {
        method.map_or(self.any, |method| self.find(method))
    }

    fn find(&self, method: Method) -> Option<usize> {
        self.named.iter().find(|(named, _)| *named == method).map(|(_, position)| *position).or(self.any)
    }
}

fn fill(slot: &mut Option<usize>, position: usize) -> Result<(), usize> {
    match slot {
        Some(earlier) => Err(*earlier),
        None => {
            *slot = Some(position);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(keys: &[&str]) -> RouteIndex {
        let mut index = RouteIndex::default();
        for (position, key) in keys.iter().enumerate() {
            index.insert(&RouteKey::parse(key).unwrap(), LetterCase::Distinguished, position).unwrap();
        }
        index
    }

    #[track_caller]
    fn check(keys: &[&str], method: &str, path: &str, expected: Option<&str>) {
        let index = index(keys);
        let found = index.find(Method::parse(method), &SafePath::parse(path).unwrap(), LetterCase::Distinguished);
        assert_eq!(found.map(|position| keys[position]), expected, "{method} {path}");
    }

    #[test]
    fn the_most_specific_path_wins_from_the_left() {
        let keys = ["GET /a/b", "GET /a/{x}", "GET /a/{x+}", "GET /{x}/b", "GET /{x+}", "$default"];
        for (path, expected) in [
            ("/a/b", "GET /a/b"),
            ("/a/b/", "GET /a/b"),
            ("/a/c", "GET /a/{x}"),
            ("/a/c/d", "GET /a/{x+}"),
            ("/c/b", "GET /{x}/b"),
            ("/c", "GET /{x+}"),
            ("/a", "GET /{x+}"),
            ("/c/d/e", "GET /{x+}"),
            ("/", "$default"),
        ] {
            check(&keys, "GET", path, Some(expected));
        }
        check(&keys, "POST", "/a/b", Some("$default"));
        check(&["GET /a/{p+}", "GET /{x}/b"], "GET", "/a/b", Some("GET /a/{p+}"));
    }

    #[test]
    fn only_rules_whose_method_fits_are_compared() {
        let keys = ["POST /a/b", "GET /a/{x}", "ANY /a/{x}", "ANY /{x+}"];
        check(&keys, "POST", "/a/b", Some("POST /a/b"));
        check(&keys, "GET", "/a/b", Some("GET /a/{x}"));
        check(&keys, "PUT", "/a/b", Some("ANY /a/{x}"));
        check(&keys, "PUT", "/a", Some("ANY /{x+}"));
        check(&keys, "TRACE", "/a", None);
        check(&keys, "get", "/a/b", None);
        let keys = ["ANY /a", "$default"];
        check(&keys, "TRACE", "/a", None);
        check(&keys, "TRACE", "/b", Some("$default"));
    }

    #[test]
    fn without_a_default_an_unlisted_route_is_not_found() {
        check(&["GET /a"], "GET", "/b", None);
        check(&["GET /a"], "GET", "/A", None);
        check(&["GET /a/{x}"], "GET", "/a", None);
        check(&["GET /a/{x+}"], "GET", "/a/", None);
        check(&["$connect"], "GET", "/", None);
        check(&[], "GET", "/", None);
    }

    #[test]
    fn the_root_is_a_route() {
        check(&["GET /"], "GET", "/", Some("GET /"));
        check(&["GET /", "GET /{x+}"], "GET", "/a", Some("GET /{x+}"));
    }

    #[test]
    fn keys_that_mean_the_same_route_are_duplicates() {
        for (first, second) in [
            ("GET /a", "GET /a/"),
            ("GET /a/{x}", "GET /a/{y}"),
            ("ANY /a/{x+}", "ANY /a/{y+}"),
            ("$default", "$default"),
            ("$connect", "$connect"),
        ] {
            let mut index = index(&[first]);
            assert_eq!(
                index.insert(&RouteKey::parse(second).unwrap(), LetterCase::Distinguished, 1),
                Err(0),
                "{first} {second}"
            );
        }
        index(&["GET /a", "ANY /a", "POST /a", "GET /a/{x}", "GET /a/{x+}", "GET /a/{x}/{y}"]);
    }

    #[test]
    fn what_is_no_route_key_is_refused() {
        for key in [
            "",
            "GET",
            "/a",
            "get /a",
            "TRACE /a",
            "GET a",
            "GET  /a",
            "GET /a//b",
            "GET /a/../b",
            "GET /a%20b",
            "GET /a*",
            "GET /{x+}/b",
            "GET /{x}/{x}",
            "GET /a{x}",
            "GET /{x}b",
            "GET /{}",
            "GET /{+}",
            "GET /{a b}",
            "GET /{${x}}",
            "$disconnect",
            "$Connect",
            "sendmessage",
            "GET /a b?c",
        ] {
            assert!(RouteKey::parse(key).is_err(), "{key}");
        }
        for (key, words) in [("$disconnect", "asks an authorizer only for"), ("TRACE /a", "the method must be")] {
            let told = RouteKey::parse(key).unwrap_err().to_string();
            assert!(told.contains(words), "{key}: {told}");
        }
    }

    #[test]
    fn a_path_is_a_routes_own_whatever_the_method() {
        for (key, path, is_own) in [
            ("GET /", "/", true),
            ("GET /", "/a", false),
            ("GET /a/{x}", "/a/b", true),
            ("GET /a/{x}", "/a/b/", true),
            ("GET /a/{x}", "/a", false),
            ("GET /a/{x}", "/a/b/c", false),
            ("GET /a/{x}", "/b/b", false),
            ("ANY /a/{x+}", "/a/b/c", true),
            ("ANY /a/{x+}", "/a", false),
            ("GET /A", "/a", false),
            ("$default", "/a", true),
            ("$connect", "/", false),
        ] {
            let (key, path) = (RouteKey::parse(key).unwrap(), SafePath::parse(path).unwrap());
            assert_eq!(key.has_path(&path, LetterCase::Distinguished), is_own, "{key:?} {path:?}");
        }
        let [key, path] = ["/\u{c9}", "/\u{e9}"].map(|path| (RouteKey::parse(&format!("GET {path}")), path));
        assert!(key.0.unwrap().has_path(&SafePath::parse(path.1).unwrap(), LetterCase::Ignored));
    }

    #[test]
    fn parameters_are_read_by_position() {
        let key = RouteKey::parse("GET /users/{id}/{rest+}").unwrap();
        let path = SafePath::parse("/users/42/a/b%20c").unwrap();
        let values: Vec<_> = key.parameters().iter().map(|p| (p.name.clone(), p.value(&path).unwrap())).collect();
        assert_eq!(values, [("id".to_owned(), "42".into()), ("rest".to_owned(), "a/b c".into())]);
    }
}
