//! How backends read a path: the steps that servers, frameworks, file systems and proxies are known to take, in any order.

use crate::model::{self, Verdict, unescaped};
use crate::tables::{Ask, Key, Route, Segment, Table, Token};
use icu_normalizer::ComposingNormalizerBorrowed;
use std::collections::BTreeSet;

/// What is done to each segment.
const OF_SEGMENTS: [fn(&str) -> String; 6] = [
    |segment| leniently_unescaped(segment).unwrap_or_else(|| segment.to_owned()),
    // Servlet containers take path parameters off.
    |segment| unless_empty(segment.split(';').next().unwrap_or_default(), segment),
    |segment| unless_empty(segment.trim(), segment),
    // Windows.
    |segment| unless_empty(segment.trim_end_matches(|c: char| c == '.' || c.is_whitespace()), segment),
    |segment| ComposingNormalizerBorrowed::new_nfc().normalize(segment).into_owned(),
    |segment| ComposingNormalizerBorrowed::new_nfkc().normalize(segment).into_owned(),
];

type PathStep = fn(&[String]) -> Vec<String>;

/// What is done to all of the path.
const OF_PATHS: [PathStep; 4] = [
    // What was decoded may have slashes, and a backslash is one to some.
    |path| path.join("/").replace('\\', "/").split('/').map(str::to_owned).collect(),
    // A proxy that puts the path into a URL again.
    |path| path.join("/").split('#').next().unwrap_or_default().split('/').map(str::to_owned).collect(),
    |path| path.iter().filter(|segment| !segment.is_empty()).cloned().collect(),
    |path| {
        let mut resolved: Vec<String> = Vec::new();
        for segment in path {
            match segment.as_str() {
                "." => {}
                ".." => drop(resolved.pop()),
                _ => resolved.push(segment.clone()),
            }
        }
        resolved
    },
];

/// All readings of a path as segments. A trailing slash makes no difference.
pub(crate) fn of(path: &str, fold_too: bool) -> BTreeSet<Vec<String>> {
    // Every backend decodes, once it has taken a fragment off or does not.
    let before_fragment = path.split('#').next().unwrap_or_default();
    let starts = [path, before_fragment].map(|path| {
        let decoded = leniently_unescaped(path).unwrap_or_else(|| path.to_owned());
        decoded.strip_prefix('/').unwrap_or(&decoded).split('/').map(str::to_owned).collect::<Vec<_>>()
    });
    let readings = starts.into_iter().flat_map(|start| {
        closure(start, |path| {
            let of_segments = OF_SEGMENTS.iter().map(|step| path.iter().map(|segment| step(segment)).collect());
            let of_paths = OF_PATHS.iter().map(|step| step(path));
            let folded = fold_too.then(|| path.iter().map(|segment| segment.to_lowercase()).collect());
            of_segments.chain(of_paths).chain(folded).collect()
        })
    });
    let without_slash = |mut path: Vec<String>| {
        if path.last().is_some_and(String::is_empty) {
            path.pop();
        }
        path
    };
    readings.map(without_slash).collect()
}

/// What the rules say of a request's other readings.
pub(crate) fn verdicts<'t>(table: &'t Table, token: &Token, ask: &Ask) -> Vec<Verdict<'t>> {
    let Ask::Http(method, path) = ask else { return Vec::new() };
    let judge = |segments: &[String]| model::judge_segments(table, token, method, segments);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-~:$".contains(c);
    if !table.settings.ignores_case && path.chars().all(is_plain) && !path.contains("//") {
        return vec![model::judge(table, token, ask)];
    }
    let readings = of(path, table.settings.ignores_case);
    // Other spellings of the same names, of which only the route matters, and only where it is another one.
    let route = |verdict: Verdict<'_>| verdict.route().map(Route::key_text);
    let own = route(model::judge(table, token, ask));
    let mut spellings: Vec<Vec<String>> = readings.iter().map(|segments| normalized(segments)).collect();
    let is_written_out = |segments: &[String]| {
        let route = judge(segments).route().map(|route| &route.key);
        matches!(route, Some(Key::Path(_, key)) if key.len() == segments.len() && matches!(key.last(), Some(Segment::Literal(_))))
    };
    let names: Vec<_> = readings
        .iter()
        .chain(&spellings)
        .filter(|segments| !is_written_out(segments))
        .flat_map(|segments| without_format(segments))
        .collect();
    spellings.extend(names);
    let spelled = spellings.iter().map(|segments| judge(segments)).filter(|verdict| route(*verdict) != own);
    readings.iter().map(|segments| judge(segments)).chain(spelled).collect()
}

/// What may become of one segment that is decoded already.
pub(crate) fn forms(segment: &str) -> BTreeSet<String> {
    closure(segment.to_owned(), |segment| OF_SEGMENTS.iter().map(|step| step(segment)).collect())
}

/// The path as Unicode's NFKC has it.
pub(crate) fn normalized(segments: &[String]) -> Vec<String> {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    segments.iter().map(|segment| nfkc.normalize(segment).into_owned()).collect()
}

/// Without what may be a format, once for each dot of the last segment.
pub(crate) fn without_format(segments: &[String]) -> Vec<Vec<String>> {
    let Some((last, before)) = segments.split_last() else { return Vec::new() };
    let names = last.match_indices('.').map(|(dot, _)| &last[..dot]).filter(|name| !name.is_empty());
    names.map(|name| before.iter().cloned().chain([name.to_owned()]).collect()).collect()
}

/// All that the steps make of a start.
fn closure<T: Clone + Ord>(start: T, steps: impl Fn(&T) -> Vec<T>) -> BTreeSet<T> {
    let mut known = BTreeSet::from([start.clone()]);
    let mut next = vec![start];
    while let Some(one) = next.pop() {
        for other in steps(&one) {
            // Odd paths have some dozens.
            if known.len() < 1_000 && known.insert(other.clone()) {
                next.push(other);
            }
        }
    }
    known
}

/// What is nothing but dots, blanks or a path parameter after them is a name.
fn unless_empty(left: &str, segment: &str) -> String {
    if left.is_empty() { segment.to_owned() } else { left.to_owned() }
}

/// Decoded once, as a server does it that leaves invalid escapes as they are; `None` where nothing changes.
fn leniently_unescaped(text: &str) -> Option<String> {
    let decoded = unescaped(text).unwrap_or_else(|| {
        let mut decoded = String::new();
        let mut rest = text;
        while let Some(place) = rest.find('%') {
            decoded.push_str(&rest[..place]);
            let escape = rest.get(place..place + 3).and_then(unescaped);
            decoded.push_str(escape.as_deref().unwrap_or("%"));
            rest = &rest[place + if escape.is_some() { 3 } else { 1 }..];
        }
        decoded + rest
    });
    (decoded != text).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readings_that_published_bypasses_rely_on_are_among_them() {
        for path in [
            "/admin",
            "/admin/",
            "//admin",
            "/./admin",
            "/public/../admin",
            "/public/..;/admin",
            "/public/%2e%2e/admin",
            "/public/%2e%2e%2fadmin",
            "/public/..%252fadmin",
            "/public/%252e%252e/admin",
            "/public/..%5cadmin",
            "/public/..\\admin",
            "/admin;v=1",
            "/%61dmin",
            "/%2561dmin",
            "/%zz/../admin",
            "/admin.",
            "/admin%20",
            "/admin. .",
            "/admin\u{a0}",
            "/admin%E3%80%80",
            "/\u{ff41}dmin",
            "/public/..%20/admin",
            "/public/%20../admin",
            "/admin#x",
            "/admin%23/x",
            "/public/\u{ff0e}\u{ff0e}/admin",
            "/public/\u{2025}/admin",
            "/public/..\u{ff0f}admin",
            "/admin\u{37e}x",
            "/public/..\u{37e}/admin",
        ] {
            assert!(of(path, false).contains(&vec!["admin".to_owned()]), "{path}");
        }
        assert!(!of("/Admin", false).contains(&vec!["admin".to_owned()]));
        assert!(of("/e\u{301}", false).contains(&vec!["e\u{301}".to_owned()]));
        assert!(of("/e\u{301}", false).contains(&vec!["\u{e9}".to_owned()]));
        assert_eq!(of("/plain/path.json", false), BTreeSet::from([vec!["plain".to_owned(), "path.json".to_owned()]]));
        assert!(of("/Admin", true).contains(&vec!["admin".to_owned()]));
    }
}
