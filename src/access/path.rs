//! The path of a request, in segments, once it is known that every backend reads
//! it the same way.
//!
//! Gateways and backends disagree about `//`, `..`, `%2f` and the like; a rule that
//! was held against one reading must not admit a request for the other. Such paths
//! are refused rather than repaired. Segments are decoded once; what would turn
//! into something else on being decoded again is refused too.

use super::route::LetterCase;
use crate::denial::Denial;
use std::borrow::Cow;

/// A path that has one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafePath<'a> {
    segments: Vec<Cow<'a, str>>,
}

impl<'a> SafePath<'a> {
    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self { segments: Vec::new() }
    }

    /// Splits and decodes a path. One trailing slash makes no difference.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`].
    pub fn parse(path: &'a str) -> Result<Self, Denial> {
        let path = path.strip_prefix('/').ok_or(Denial::UnsafePath("no leading slash"))?;
        if path.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self { segments })
    }

    /// What some backends take the path for, where that may be another one: decoded
    /// once more, path parameters (`;a=b`) left out.
    pub(super) fn other_readings(&self) -> Vec<SafePath<'a>> {
        let mut readings = Vec::new();
        if !self.segments.iter().any(|segment| segment.contains(['%', ';'])) {
            return readings;
        }
        let mut reading = self.read_as(str::to_owned);
        for _ in 0..=MAX_DEEPER_LAYERS {
            readings.push(reading.read_as(|segment| segment.split(';').next().unwrap_or_default().to_owned()));
            // INVARIANT: what cannot be decoded was refused with the path.
            let deeper = reading.read_as(|segment| decode(segment, InvalidEscape::Kept).unwrap_or_default());
            if deeper == reading {
                break;
            }
            readings.push(deeper.read_as(str::to_owned));
            reading = deeper;
        }
        readings
    }

    /// What is left of the path where a `#` makes the rest a fragment: for a proxy that puts
    /// the decoded path into a URL again. `None` where there is no `#`.
    pub(super) fn before_fragment(&self) -> Option<SafePath<'a>> {
        let (position, before) = self.segments.iter().enumerate().find_map(|(position, segment)| {
            let (before, _) = segment.split_once('#')?;
            Some((position, before.to_owned()))
        })?;
        let whole = self.segments.iter().take(position).map(|segment| Cow::Owned(segment.to_string()));
        let segments = whole.chain((!before.is_empty()).then_some(Cow::Owned(before))).collect();
        Some(SafePath { segments })
    }

    /// The path as it is compared where letter case is ignored.
    pub(super) fn in_case(&self, case: LetterCase) -> SafePath<'a> {
        self.read_as(|segment| case.of(segment).into_owned())
    }

    fn read_as(&self, read: impl Fn(&str) -> String) -> SafePath<'a> {
        SafePath { segments: self.segments.iter().map(|segment| Cow::Owned(read(segment))).collect() }
    }

    /// The decoded segments; none for the root.
    #[must_use]
    pub fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }
}

fn segment(raw: &str) -> Result<Cow<'_, str>, Denial> {
    check(raw)?;
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let decoded = decode(raw, InvalidEscape::Refused)?;
    check(&decoded)?;
    check_deeper(&decoded)?;
    Ok(Cow::Owned(decoded))
}

/// What a segment may not be or hold, before and after it is decoded.
fn check(segment: &str) -> Result<(), Denial> {
    // Some servers take a path parameter (`..;a=b`), a fragment or blanks off before they look at dots.
    let bare = segment.split(';').next().unwrap_or_default();
    if bare.is_empty() {
        return Err(Denial::UnsafePath("an empty segment"));
    }
    if matches!(bare.split('#').next().unwrap_or_default().trim_matches(' '), "." | "..") {
        return Err(Denial::UnsafePath("a dot segment"));
    }
    if segment.contains(|c: char| c.is_control()) {
        return Err(Denial::UnsafePath("a control character"));
    }
    // `*`, `?` and `${` would be wildcards and variables in a policy's Resource.
    if segment.contains(['/', '\\', '*', '?']) || segment.contains("${") {
        return Err(Denial::UnsafePath("a character that means something else elsewhere"));
    }
    Ok(())
}

/// Refuses what a backend that decodes again would read as an unsafe path
/// (`%252e%252e`, `%252f`). A lone `%` is harmless: it decodes to nothing.
fn check_deeper(decoded: &str) -> Result<(), Denial> {
    let mut text = Cow::Borrowed(decoded);
    for _ in 0..MAX_DEEPER_LAYERS {
        if !text.contains('%') {
            return Ok(());
        }
        let deeper = decode(&text, InvalidEscape::Kept)?;
        if deeper == *text {
            return Ok(());
        }
        check(&deeper)?;
        text = Cow::Owned(deeper);
    }
    Err(Denial::UnsafePath("escapes of escapes"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InvalidEscape {
    Refused,
    Kept,
}

/// RFC 3986 2.1, into UTF-8.
fn decode(text: &str, invalid: InvalidEscape) -> Result<String, Denial> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, after)),
            _ => None,
        };
        match escape {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None if *first == b'%' && invalid == InvalidEscape::Refused => {
                return Err(Denial::UnsafePath("an invalid escape"));
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| Denial::UnsafePath("not UTF-8"))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// More layers of encoding than this have no honest use, and looking through each
/// costs time.
const MAX_DEEPER_LAYERS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn safe(path: &str, segments: &[&str]) {
        let parsed = SafePath::parse(path).unwrap_or_else(|denial| panic!("{path}: {denial:?}"));
        assert_eq!(parsed.segments(), segments, "{path}");
    }

    #[track_caller]
    fn unsafe_(path: &str) {
        assert!(matches!(SafePath::parse(path), Err(Denial::UnsafePath(_))), "{path}");
    }

    #[test]
    fn plain_paths_are_split_and_one_trailing_slash_is_nothing() {
        safe("/", &[]);
        safe("/items", &["items"]);
        safe("/items/", &["items"]);
        safe("/a/b:c/d;e=f/~g", &["a", "b:c", "d;e=f", "~g"]);
        safe("/.well-known/...", &[".well-known", "..."]);
        safe("/a/$", &["a", "$"]);
        safe("/caf\u{e9}", &["caf\u{e9}"]);
    }

    #[test]
    fn escapes_are_decoded_once() {
        safe("/a%20b", &["a b"]);
        safe("/caf%C3%A9", &["caf\u{e9}"]);
        safe("/%41", &["A"]);
        safe("/100%25", &["100%"]);
        safe("/a%2520b", &["a%20b"]);
        safe("/%24", &["$"]);
    }

    #[test]
    fn what_backends_read_differently_is_refused() {
        for path in [
            "",
            "items",
            "//",
            "//items",
            "/items//",
            "/a//b",
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/a\\b",
            "/a\u{0}b",
            "/a\nb",
            "/a\u{7f}",
            "/a\u{85}b",
            "/a/..;/b",
            "/a/%2e%2e;/b",
            "/a/..%3bx/b",
            "/a/.;x=y/b",
            "/a/;/b",
            "/;x",
            "/a/..#/b",
            "/a/..%23x",
            "/a/%2e%2e%23;x",
            "/a/..%20",
            "/a/%20./b",
            "/a*",
            "/a?b",
            "/${a}",
            "/a${",
        ] {
            unsafe_(path);
        }
    }

    #[test]
    fn escapes_of_what_is_refused_are_refused() {
        for path in [
            "/%2e",
            "/%2E%2e",
            "/.%2e",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a%00",
            "/a%0ab",
            "/a%7f",
            "/%2a",
            "/%3f",
            "/%24%7b",
            "/$%7bx}",
            "/%24{x}",
            "/%ff",
            "/%c0%af",
            "/%c0%ae",
            "/%ed%a0%80",
            "/%",
            "/%2",
            "/%zz",
            "/a%2",
            "/%%32e",
        ] {
            unsafe_(path);
        }
    }

    #[test]
    fn a_fragment_ends_the_path_for_who_makes_a_url_of_it() {
        for (path, expected) in [
            ("/a/b;c", None),
            ("/a/b%23c/d", Some(&["a", "b"][..])),
            ("/a/%23c/d", Some(&["a"])),
            ("/%23", Some(&[])),
            ("/a#b#c", Some(&["a"])),
        ] {
            let before = SafePath::parse(path).unwrap().before_fragment();
            assert_eq!(
                before.as_ref().map(|path| path.segments().to_vec()),
                expected.map(|path| { path.iter().map(|segment| Cow::Borrowed(*segment)).collect::<Vec<_>>() }),
                "{path}"
            );
        }
    }

    #[test]
    fn escapes_of_escapes_of_what_is_refused_are_refused() {
        for path in ["/%252e%252e", "/a%252fb", "/%25252e", "/%255c", "/%2500", "/%25ff", "/%25252525252541"] {
            unsafe_(path);
        }
    }
}
