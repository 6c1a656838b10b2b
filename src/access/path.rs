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
    /// What some backends take the segments for. These have no readings of their own.
    others: Vec<SafePath<'a>>,
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
        if path.len() > MAX_PATH_BYTES {
            return Err(Denial::UnsafePath("a path of more than 2,048 bytes"));
        }
        let path = path.strip_prefix('/').ok_or(Denial::UnsafePath("no leading slash"))?;
        if path.is_empty() {
            return Ok(Self::root());
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut whole = Self::of(path.split('/').map(segment).collect::<Result<_, _>>()?);
        if whole.segments.iter().any(|segment| has_other_readings(segment)) {
            let mut known = vec![whole.clone()];
            add_readings(&mut known, 0, |path| path.steps().collect())?;
            known.remove(0);
            whole.others = known;
        }
        Ok(whole)
    }

    /// What some backends take the path for: decoded once more, without path parameters
    /// (`;a=b`), without blanks at the ends of segments and without dots at the right
    /// end, as Windows does, and with other characters for the same letters (Unicode's
    /// NFC and NFKC), in any order.
    pub(super) fn other_readings(&self) -> &[SafePath<'a>] {
        &self.others
    }

    /// What is left of the path where one of its `#` makes the rest a fragment, and what some
    /// backends take that for: for a proxy that puts the decoded path into a URL again, or takes
    /// a fragment off before it decodes. Only what is not among the other readings.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`], also where the path has too many readings with these.
    pub(super) fn before_fragments(&self) -> Result<Vec<SafePath<'a>>, Denial> {
        let has_fragment = |path: &SafePath<'_>| path.segments.iter().any(|segment| segment.contains('#'));
        if !has_fragment(self) && !self.others.iter().any(has_fragment) {
            return Ok(Vec::new());
        }
        let mut known: Vec<SafePath<'a>> = vec![Self::of(self.segments.clone())];
        known.extend(self.others.iter().cloned());
        let readings = known.len();
        for position in 0..readings {
            let Some(path) = known.get(position).cloned() else { break };
            path.cut().try_for_each(|cut| add_reading(&mut known, cut))?;
        }
        add_readings(&mut known, readings, |path| path.steps().chain(path.cut().map(Ok)).collect())?;
        Ok(known.split_off(readings))
    }

    /// Each path that one step makes of this one.
    fn steps(&self) -> impl Iterator<Item = Result<SafePath<'a>, Denial>> {
        READING_STEPS.into_iter().map(|step| {
            let segments = self.segments.iter().map(|segment| {
                let other = step(segment)?;
                check_structure(&other)?;
                Ok(Cow::Owned(other))
            });
            Ok(Self::of(segments.collect::<Result<_, _>>()?))
        })
    }

    /// The path before each of its `#`.
    fn cut(&self) -> impl Iterator<Item = SafePath<'a>> {
        self.segments.iter().enumerate().flat_map(move |(position, segment)| {
            segment.match_indices('#').filter_map(|(place, _)| segment.get(..place)).map(move |before| {
                let whole = self.segments.iter().take(position).cloned();
                let last = (!before.is_empty()).then(|| Cow::Owned(before.to_owned()));
                Self::of(whole.chain(last).collect())
            })
        })
    }

    /// Looks at the path without what may be a format (`/report.json`), once for each dot.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`] where there are too many dots; what `look` finds.
    pub(super) fn without_format(
        &self,
        mut look: impl FnMut(&SafePath<'_>) -> Result<(), Denial>,
    ) -> Result<(), Denial> {
        let Some((last, before)) = self.segments.split_last() else { return Ok(()) };
        // One copy that borrows all of its text, whatever the number of dots.
        let mut shorter = SafePath::of(before.iter().map(|segment| Cow::Borrowed(&**segment)).collect());
        let names = last.match_indices('.').filter_map(|(dot, _)| last.get(..dot)).filter(|name| !name.is_empty());
        for (dots, name) in names.enumerate() {
            if dots >= MAX_DOTS {
                return Err(Denial::UnsafePath("too many dots"));
            }
            shorter.segments.truncate(before.len());
            shorter.segments.push(Cow::Borrowed(name));
            look(&shorter)?;
        }
        Ok(())
    }

    /// Whether its last segment has a dot.
    pub(super) fn may_have_format(&self) -> bool {
        self.segments.last().is_some_and(|last| last.contains('.'))
    }

    /// The same path, with text of its own and without its readings.
    pub(super) fn to_owned_text(&self) -> SafePath<'static> {
        SafePath::of(self.segments.iter().map(|segment| Cow::Owned(segment.to_string())).collect())
    }

    /// The path as it is compared where letter case is ignored.
    pub(super) fn in_case(&self, case: LetterCase) -> SafePath<'a> {
        Self::of(self.segments.iter().map(|segment| Cow::Owned(case.of(segment).into_owned())).collect())
    }

    /// The decoded segments; none for the root.
    #[must_use]
    pub fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }
}

type Steps<'a> = Vec<Result<SafePath<'a>, Denial>>;

/// Adds all that the steps make of the paths from `first` on, and of what they make, in any order.
fn add_readings<'a>(
    known: &mut Vec<SafePath<'a>>,
    first: usize,
    steps: impl Fn(&SafePath<'a>) -> Steps<'a>,
) -> Result<(), Denial> {
    let mut next = first;
    while let Some(path) = known.get(next) {
        next += 1;
        steps(path).into_iter().try_for_each(|other| add_reading(known, other?))?;
    }
    Ok(())
}

fn add_reading<'a>(known: &mut Vec<SafePath<'a>>, path: SafePath<'a>) -> Result<(), Denial> {
    if !known.contains(&path) {
        known.push(path);
        // The path itself is the first.
        check_count(known.len() - 1)?;
    }
    Ok(())
}

/// Refuses a request that stands for more other paths than an honest one.
pub(super) fn check_count(other_paths: usize) -> Result<(), Denial> {
    if other_paths > MAX_READINGS { Err(Denial::UnsafePath("too many readings")) } else { Ok(()) }
}

/// Whether some step of [`READING_STEPS`] may change it.
fn has_other_readings(segment: &str) -> bool {
    !segment.is_ascii() || segment.contains(['%', ';']) || segment.starts_with(' ') || segment.ends_with(['.', ' '])
}

type ReadingStep = fn(&str) -> Result<String, Denial>;

/// What some backends do to a segment. Each leaves less, or does nothing the second time.
const READING_STEPS: [ReadingStep; 6] = [
    |segment| decode(segment, InvalidEscape::Kept),
    |segment| Ok(unless_empty(segment.split(';').next().unwrap_or_default(), segment)),
    |segment| Ok(unless_empty(segment.trim(), segment)),
    |segment| Ok(unless_empty(segment.trim_end_matches(|c: char| c == '.' || c.is_whitespace()), segment)),
    |segment| normalized(segment, NFC),
    |segment| normalized(segment, NFKC),
];

fn unless_empty(left: &str, segment: &str) -> String {
    if left.is_empty() { segment.to_owned() } else { left.to_owned() }
}

/// Other characters for the same letters: composed accents (NFC) and plain forms of full-width
/// and other special ones (NFKC). Both turn some characters into ASCII: NFC makes a `;` of the
/// Greek question mark.
fn normalized(segment: &str, form: ComposingNormalizerBorrowed<'static>) -> Result<String, Denial> {
    let normal = form.normalize(segment);
    if segment.starts_with('\u{37e}') {
        return Err(Denial::UnsafePath("an empty segment"));
    }
    Ok(normal.into_owned())
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

/// Other paths that one request may stand for, in all. Honest ones have one or two.
pub(super) const MAX_READINGS: usize = 64;

/// Dots of a last segment. A host name under `ip6.arpa` has 33, an object identifier some 20.
const MAX_DOTS: usize = 64;

/// As long as 512 characters of an ARN may be in UTF-8.
pub(super) const MAX_PATH_BYTES: usize = 2048;

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
            "/public/..\u{37e}/adm/x",
            "/a/.%CD%BEx",
            "/a/\u{37e}/b",
            "/\u{ff0e}.\u{37e}",
            "/a/..%25CD%25BE",
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
        let texts = |paths: &[SafePath<'_>]| {
            let mut texts: Vec<String> = paths.iter().map(|path| format!("/{}", path.segments().join("/"))).collect();
            texts.sort();
            texts
        };
        for (path, readings) in [
            ("/a/b.c/d-e", &[][..]),
            ("/caf\u{e9}", &[]),
            ("/e\u{301}", &["/\u{e9}"]),
            ("/\u{212a}ate", &["/Kate"]),
            ("/a\u{37e}b", &["/a", "/a;b"]),
            ("/a%CD%BEb", &["/a", "/a;b"]),
            ("/\u{ff42}\u{212a}\u{37e}", &["/bK", "/bK;", "/\u{ff42}K", "/\u{ff42}K;"]),
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
            let mut texts = Vec::new();
            let look = |path: &SafePath<'_>| {
                texts.push(format!("/{}", path.segments().join("/")));
                Ok(())
            };
            SafePath::parse(path).unwrap().without_format(look).unwrap();
            assert_eq!(texts, names, "{path}");
        }
    }

    #[test]
    fn a_last_segment_has_as_many_dots_as_an_address_name_and_not_many_more() {
        let look =
            |dots: usize| SafePath::parse(&format!("/{}a", "a.".repeat(dots))).unwrap().without_format(|_| Ok(()));
        assert_eq!(look(MAX_DOTS), Ok(()));
        assert_eq!(look(MAX_DOTS + 1), Err(Denial::UnsafePath("too many dots")));
    }

    #[test]
    fn a_path_has_2048_bytes_at_most() {
        let path =
            |bytes: usize| format!("/{}", "\u{e9}".repeat(bytes / 2) + &"a".repeat(bytes % 2))[..=bytes].to_owned();
        assert!(SafePath::parse(&path(MAX_PATH_BYTES - 1)).is_ok());
        assert_eq!(SafePath::parse(&path(MAX_PATH_BYTES)), Err(Denial::UnsafePath("a path of more than 2,048 bytes")));
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
        assert_eq!(before(&format!("/a{}", "#".repeat(MAX_READINGS))).map(|paths| paths.len()), Ok(MAX_READINGS));
        let more = format!("/a{}", "#".repeat(MAX_READINGS + 1));
        assert_eq!(before(&more), Err(Denial::UnsafePath("too many readings")));
    }

    #[test]
    fn escapes_of_escapes_of_what_is_refused_are_refused() {
        for path in ["/%252e%252e", "/a%252fb", "/%25252e", "/%255c", "/%2500", "/%25ff", "/%25252525252541"] {
            unsafe_(path);
        }
    }
}
