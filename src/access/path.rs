//! The path of a request, in segments, once it is known that every backend reads
//! it the same way.
//!
//! Gateways and backends disagree about `//`, `..`, `%2f` and the like; a rule that
//! was held against one reading must not admit a request for the other. Such paths
//! are refused rather than repaired. Segments are decoded once; what would turn
//! into something else on being decoded again is refused too.
//!
//! What is refused here, cached policies deny as far as IAM can say it
//! (`coverage/unsafe_paths.rs`, whose tests hold the two together).

use super::route::LetterCase;
use crate::denial::Denial;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::borrow::Cow;

/// A path that has one reading, or several that are all safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafePath<'a> {
    segments: Vec<Cow<'a, str>>,
    /// What some backends take the segments for.
    others: Vec<Vec<String>>,
}

impl<'a> SafePath<'a> {
    /// `/`.
    #[must_use]
    pub fn root() -> Self {
        Self::of(Vec::new())
    }

    fn of(segments: Vec<Cow<'a, str>>) -> Self {
        Self { segments, others: Vec::new() }
    }

    /// Splits and decodes a path. One trailing slash makes no difference.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`].
    pub fn parse(path: &'a str) -> Result<Self, Denial> {
        let path = path.strip_prefix('/').ok_or(Denial::UnsafePath("no leading slash"))?;
        if path.is_empty() {
            return Ok(Self::root());
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<Cow<'a, str>> = path.split('/').map(segment).collect::<Result<_, _>>()?;
        let others = other_readings(&segments)?;
        Ok(Self { segments, others })
    }

    /// What some backends take the path for: decoded once more, without path parameters
    /// (`;a=b`), without blanks at the ends of segments and without dots at the right
    /// end, as Windows does, and with other characters for the same letters (Unicode's
    /// NFKC), in any order.
    pub(super) fn other_readings(&self) -> Vec<SafePath<'a>> {
        let reading = |segments: &Vec<String>| Self::of(segments.iter().cloned().map(Cow::Owned).collect());
        self.others.iter().map(reading).collect()
    }

    /// The path in Unicode's NFKC, to a backend that finds its routes by that. `None`
    /// where there is nothing but ASCII.
    pub(super) fn normalized(&self) -> Option<SafePath<'a>> {
        let is_ascii = self.segments.iter().all(|segment| segment.is_ascii());
        (!is_ascii).then(|| self.read_as(|segment| NFKC.normalize(segment).into_owned()))
    }

    /// The path without what may be a format (`/report.json`), once for each dot.
    pub(super) fn without_format(&self) -> Vec<SafePath<'a>> {
        let Some((last, before)) = self.segments.split_last() else { return Vec::new() };
        let names = last.match_indices('.').filter_map(|(dot, _)| last.get(..dot)).filter(|name| !name.is_empty());
        let path = |name: &str| Self::of(before.iter().cloned().chain([Cow::Owned(name.to_owned())]).collect());
        names.map(path).collect()
    }

    /// What is left of the path where one of its `#` makes the rest a fragment: for a proxy
    /// that puts the decoded path into a URL again, or takes a fragment off before it decodes.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`].
    pub(super) fn before_fragments(&self) -> Result<Vec<SafePath<'a>>, Denial> {
        let mut fragments = Vec::new();
        for (position, segment) in self.segments.iter().enumerate() {
            for before in segment.match_indices('#').filter_map(|(place, _)| segment.get(..place)) {
                if fragments.len() >= MAX_FRAGMENTS {
                    return Err(Denial::UnsafePath("too many readings"));
                }
                let whole = self.segments.iter().take(position).map(|segment| Cow::Owned(segment.to_string()));
                let last = (!before.is_empty()).then(|| Cow::Owned(before.to_owned()));
                let segments: Vec<Cow<'a, str>> = whole.chain(last).collect();
                let others = other_readings(&segments)?;
                fragments.push(SafePath { segments, others });
            }
        }
        Ok(fragments)
    }

    /// The path as it is compared where letter case is ignored.
    pub(super) fn in_case(&self, case: LetterCase) -> SafePath<'a> {
        self.read_as(|segment| case.of(segment).into_owned())
    }

    fn read_as(&self, read: impl Fn(&str) -> String) -> SafePath<'a> {
        Self::of(self.segments.iter().map(|segment| Cow::Owned(read(segment))).collect())
    }

    /// The decoded segments; none for the root.
    #[must_use]
    pub fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }
}

/// All other readings, each of them safe.
fn other_readings(segments: &[Cow<'_, str>]) -> Result<Vec<Vec<String>>, Denial> {
    if !segments.iter().any(|segment| has_other_readings(segment)) {
        return Ok(Vec::new());
    }
    let mut known: Vec<Vec<String>> = vec![segments.iter().map(|segment| segment.to_string()).collect()];
    let mut read = 0;
    while let Some(reading) = known.get(read).cloned() {
        read += 1;
        for step in READING_STEPS {
            let other = reading.iter().map(|segment| step(segment)).collect::<Result<Vec<_>, _>>()?;
            if known.contains(&other) {
                continue;
            }
            other.iter().try_for_each(|segment| check_structure(segment))?;
            if known.len() > MAX_READINGS {
                return Err(Denial::UnsafePath("too many readings"));
            }
            known.push(other);
        }
    }
    known.remove(0);
    Ok(known)
}

/// Whether some step of [`READING_STEPS`] may change it.
fn has_other_readings(segment: &str) -> bool {
    !segment.is_ascii() || segment.contains(['%', ';']) || segment.starts_with(' ') || segment.ends_with(['.', ' '])
}

type ReadingStep = fn(&str) -> Result<String, Denial>;

/// What some backends do to a segment. Each leaves less, or does nothing the second time.
const READING_STEPS: [ReadingStep; 5] = [
    |segment| decode(segment, InvalidEscape::Kept),
    |segment| Ok(unless_empty(segment.split(';').next().unwrap_or_default(), segment)),
    |segment| Ok(unless_empty(segment.trim(), segment)),
    |segment| Ok(unless_empty(segment.trim_end_matches(|c: char| c == '.' || c.is_whitespace()), segment)),
    |segment| Ok(in_plain_letters(segment)),
];

fn unless_empty(left: &str, segment: &str) -> String {
    if left.is_empty() { segment.to_owned() } else { left.to_owned() }
}

/// Full-width and other special forms of letters as the plain ones. Accents stay as they
/// are written: a name is the same name with them composed or not.
fn in_plain_letters(segment: &str) -> String {
    let plain = NFKC.normalize(segment);
    if plain == NFC.normalize(segment) { segment.to_owned() } else { plain.into_owned() }
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
    if segment.is_empty() || segment.starts_with(';') {
        return Err(Denial::UnsafePath("an empty segment"));
    }
    check_structure(segment)?;
    // They would be wildcards and variables in a policy's Resource.
    if segment.contains(['*', '?']) || segment.contains("${") {
        return Err(Denial::UnsafePath("a character that means something else elsewhere"));
    }
    Ok(())
}

/// What would change which segments there are.
fn check_structure(segment: &str) -> Result<(), Denial> {
    // Some servers take a path parameter (`..;a=b`), a fragment or blanks off before they look at dots.
    let bare = segment.split(';').next().unwrap_or_default();
    if matches!(bare.split('#').next().unwrap_or_default().trim(), "." | "..") {
        return Err(Denial::UnsafePath("a dot segment"));
    }
    if segment.contains(|c: char| c.is_control()) {
        return Err(Denial::UnsafePath("a control character"));
    }
    if segment.contains(['/', '\\']) {
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

/// Honest paths have one or two.
const MAX_READINGS: usize = 64;

/// Honest paths have one.
const MAX_FRAGMENTS: usize = 4;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

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
        safe("/ /a b/ c", &[" ", "a b", " c"]);
        safe("/a./b.c", &["a.", "b.c"]);
        safe("/\u{ff08}\u{ff1f}\u{ff09}", &["\u{ff08}\u{ff1f}\u{ff09}"]);
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
            "/a/..\u{a0}/b",
            "/a/%e3%80%80./b",
            "/a/\u{2003}..;x",
            "/\u{ff0e}\u{ff0e}/a",
            "/a/\u{2025}/b",
            "/a\u{ff0f}b",
            "/a\u{ff3c}b",
            "/\u{ff05}2e/a",
            "/a\u{2100}b",
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
    fn other_readings_are_what_some_backends_take_a_path_for() {
        let texts = |paths: Vec<SafePath<'_>>| {
            let mut texts: Vec<String> = paths.iter().map(|path| format!("/{}", path.segments().join("/"))).collect();
            texts.sort();
            texts
        };
        for (path, readings) in [
            ("/a/b.c/d-e", &[][..]),
            ("/caf\u{e9}/e\u{301}", &[]),
            ("/a;x/b", &["/a/b"]),
            ("/%2561", &["/a"]),
            ("/a.", &["/a"]),
            ("/a. ./b", &["/a/b"]),
            ("/a%20", &["/a"]),
            ("/%20a\u{a0}", &["/ a", "/ a ", "/a"]),
            ("/\u{ff41}", &["/a"]),
            ("/a.%3Bx", &["/a", "/a."]),
            ("/\u{ff05}61", &["/%61", "/a"]),
            ("/.../ ", &[]),
        ] {
            assert_eq!(texts(SafePath::parse(path).unwrap().other_readings()), readings, "{path:?}");
        }
    }

    #[test]
    fn a_format_is_what_follows_a_dot_of_the_last_segment() {
        for (path, names) in [
            ("/a.b/c.tar.gz", &["/a.b/c", "/a.b/c.tar"][..]),
            ("/a.json", &["/a"]),
            ("/.json", &[]),
            ("/..a", &["/."]),
            ("/a.b/c", &[]),
            ("/", &[]),
        ] {
            let texts: Vec<String> = SafePath::parse(path)
                .unwrap()
                .without_format()
                .iter()
                .map(|path| format!("/{}", path.segments().join("/")))
                .collect();
            assert_eq!(texts, names, "{path}");
        }
    }

    #[test]
    fn a_path_with_more_readings_than_an_honest_one_is_refused() {
        let odd = "/%2520a%253bx.%2520/\u{ff05}2561;x/%20b%25EF%25BC%2585%2541 ./c%25253b";
        assert_eq!(SafePath::parse(odd), Err(Denial::UnsafePath("too many readings")));
        assert!(SafePath::parse("/%2520a%25253bx%2520.%2520/%20b/\u{ff43}.").is_ok());
    }

    #[test]
    fn a_fragment_ends_the_path_for_who_makes_a_url_of_it() {
        let before = |path: &str| {
            let fragments = SafePath::parse(path).unwrap().before_fragments()?;
            let texts = fragments.iter().map(|path| format!("/{}", path.segments().join("/")));
            Ok(texts.collect::<Vec<_>>())
        };
        for (path, expected) in [
            ("/a/b;c", &[][..]),
            ("/a/b%23c/d", &["/a/b"]),
            ("/a/%23c/d", &["/a"]),
            ("/%23", &["/"]),
            ("/a#b#c", &["/a", "/a#b"]),
            ("/a%23b/c#d", &["/a", "/a#b/c"]),
        ] {
            assert_eq!(before(path), Ok(expected.iter().map(|path| (*path).to_owned()).collect()), "{path}");
        }
        assert!(before("/a####").is_ok());
        assert_eq!(before("/a#####"), Err(Denial::UnsafePath("too many readings")));
    }

    #[test]
    fn escapes_of_escapes_of_what_is_refused_are_refused() {
        for path in ["/%252e%252e", "/a%252fb", "/%25252e", "/%255c", "/%2500", "/%25ff", "/%25252525252541"] {
            unsafe_(path);
        }
    }
}
