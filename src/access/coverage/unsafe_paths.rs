//! Paths that backends read in more than one way, in IAM's words. [`SafePath`] refuses
//! them when they are asked for; a policy that is cached denies them, as far as IAM can
//! say it.
//!
//! `../unsafe_segments.json` has one segment of each kind. The tests of this module and of
//! `path.rs` and the random paths of `tests/coverage` take them from there.
//!
//! IAM cannot say: `*`, `?` and `${` as text, control characters, escapes that mean
//! nothing, and every form of every letter.
//!
//! [`SafePath`]: crate::access::path::SafePath

/// Segments that are empty, `.` or `..`, to some only with a path parameter left out.
/// Denied to everybody.
pub(super) const UNSAFE: [&str; 8] = ["*//*", "*/.", "*/./*", "*/..", "*/../*", "*\\*", "*/;*", "*.;*"];

/// Denied where a wildcard is allowed: what may be a fragment, and dots beside blanks.
/// What begins with one blank is often a name.
pub(super) const UNSAFE_WITHIN_WILDCARDS: [&str; 5] = ["*#*", "*/. *", "*/.. *", "*/ .*", "*/  *"];

/// The same beyond a colon, more broadly, and any escape. IAM's reference says that a
/// wildcard goes on beyond a colon at the end of a part of an ARN and nothing of one in
/// its middle; a path may have colons.
pub(super) const UNSAFE_BEYOND_COLONS: [&str; 7] = ["*:*//*", "*:*/.*", "*:*\\*", "*:*;*", "*:*#*", "*:*/ *", "*:*%*"];

/// Any escape: where an allowed wildcard overlaps a denied route, `/%61dmin` would be
/// allowed for not being `/admin`.
pub(super) const ANY_ESCAPE: &str = "*%*";

/// Some servers leave blanks at the ends of a segment out.
pub(super) const LEADING_BLANK: &str = "*/ ?*";

/// Escapes of what is unsafe: slashes, dots, blanks beside dots and what else IAM or a
/// backend may read as something of its own; control characters; ASCII in more bytes than
/// UTF-8 takes for it, and in the escapes of IIS.
pub(super) const UNSAFE_ESCAPES: [&str; 38] = [
    "*%2e*",
    "*%2E*",
    "*%2f*",
    "*%2F*",
    "*%5c*",
    "*%5C*",
    "*%25*",
    "*%3b*",
    "*%3B*",
    "*%23*",
    "*%3f*",
    "*%3F*",
    "*%2a*",
    "*%2A*",
    "*%0?*",
    "*%1?*",
    "*%7f*",
    "*%7F*",
    "*%c2%8?*",
    "*%C2%8?*",
    "*%c2%9?*",
    "*%C2%9?*",
    "*%c0*",
    "*%C0*",
    "*%c1*",
    "*%C1*",
    "*%e0%8?*",
    "*%E0%8?*",
    "*%f0%8?*",
    "*%F0%8?*",
    "*%u*",
    "*%U*",
    "*/.%20*",
    "*/..%20*",
    "*/%20.*",
    "*/%20%20*",
    "*/%20 *",
    "*/ %*",
];

/// Other forms of dots, slashes and blanks, which some backends take for the plain ones.
pub(super) const OTHER_FORMS: [&str; 8] =
    ["*\u{ff0e}*", "*\u{2024}*", "*\u{2025}*", "*\u{fe52}*", "*\u{ff0f}*", "*\u{ff3c}*", "*\u{a0}*", "*\u{3000}*"];

/// Their escapes.
pub(super) const ESCAPES_OF_OTHER_FORMS: [&str; 12] = [
    "*%ef%bc%8e*",
    "*%EF%BC%8E*",
    "*%ef%bc%8f*",
    "*%EF%BC%8F*",
    "*%ef%bc%bc*",
    "*%EF%BC%BC*",
    "*%e2%80%a?*",
    "*%E2%80%A?*",
    "*%c2%a0*",
    "*%C2%A0*",
    "*%e3%80%80*",
    "*%E3%80%80*",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::path::SafePath;
    use serde_json::Value;

    /// IAM's wildcards: `*` is any text, `?` any one character.
    fn matches(pattern: &str, text: &str) -> bool {
        let mut rest = text.chars();
        match pattern.chars().next() {
            None => text.is_empty(),
            Some('*') => {
                let pattern = &pattern[1..];
                matches(pattern, text) || rest.next().is_some() && matches(&format!("*{pattern}"), rest.as_str())
            }
            Some(wanted) => {
                rest.next().is_some_and(|found| wanted == '?' || wanted == found)
                    && matches(&pattern[wanted.len_utf8()..], rest.as_str())
            }
        }
    }

    fn is_denied(path: &str, denials: &[&[&str]]) -> bool {
        denials.iter().copied().flatten().any(|text| matches(text, path))
    }

    fn segments(kind: &str) -> Vec<String> {
        let all: Value = serde_json::from_str(include_str!("../unsafe_segments.json")).unwrap();
        all[kind].as_array().unwrap().iter().map(|segment| segment.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn one_of_each_kind_is_refused_and_denied() {
        let ascii: [&[&str]; 3] = [&UNSAFE, &UNSAFE_WITHIN_WILDCARDS, &UNSAFE_ESCAPES];
        let all = [&ascii[..], &[&OTHER_FORMS, &ESCAPES_OF_OTHER_FORMS]].concat();
        let overlapped: [&[&str]; 4] = [&UNSAFE, &UNSAFE_WITHIN_WILDCARDS, &[ANY_ESCAPE], &OTHER_FORMS];
        for (kind, denials) in [("denied", &ascii[..]), ("denied_where_there_is_room", &all), ("beyond_iam", &[])] {
            for segment in segments(kind) {
                for path in [format!("/a/{segment}/b"), format!("/{segment}/b/")] {
                    assert!(SafePath::parse(&path).is_err(), "{path:?} is not refused");
                    let is_expected = kind != "beyond_iam";
                    assert!(!is_expected || is_denied(&path, denials), "{path:?} is not denied");
                    assert!(!is_expected || is_denied(&path, &overlapped), "{path:?} is not denied");
                    let beyond = is_denied(&format!("/x:y{path}"), &[&UNSAFE_BEYOND_COLONS, &OTHER_FORMS]);
                    assert!(!is_expected || beyond, "{path:?} is not denied beyond a colon");
                }
            }
        }
    }

    #[test]
    fn whatever_is_refused_is_denied() {
        let pieces = [".", " ", ";", "#", "/", "\\", "a", ":", "%20", "%2e", "%2F", "%23", "%61", "%25"];
        let mut paths = vec![String::new()];
        let mut refused = 0;
        for _ in 0..4 {
            paths = paths.iter().flat_map(|path| pieces.map(|piece| format!("{path}{piece}"))).collect();
            for path in paths.iter().map(|path| format!("/a/{path}")) {
                if SafePath::parse(&path).is_err() {
                    refused += 1;
                    let plain: [&[&str]; 2] = [&UNSAFE, &UNSAFE_WITHIN_WILDCARDS];
                    let escape: [&[&str]; 2] = [&UNSAFE_ESCAPES, &[ANY_ESCAPE]];
                    let is_plain = is_denied(&path, &plain);
                    assert!(is_plain || escape.iter().all(|escapes| is_denied(&path, &[escapes])), "{path:?}");
                    assert!(is_denied(&format!("/x:y{path}"), &[&UNSAFE_BEYOND_COLONS]), "{path:?}");
                }
            }
        }
        assert!(refused > 10_000, "{refused}");
    }

    #[test]
    fn what_is_safe_and_plain_is_not_denied() {
        for path in [
            "/.well-known/a",
            "/a/...",
            "/a/..b",
            "/a/b.",
            "/a b",
            "/ ",
            "/ /b",
            "/a/ b",
            "/J. Smith",
            "/a:b",
            "/a;b=c",
            "/a%20b",
            "/a%3Ab/%C3%A9",
            "/%E2%80%99",
            "/\u{ff08}1\u{ff09}",
        ] {
            assert!(SafePath::parse(path).is_ok(), "{path:?} is refused");
            let all: [&[&str]; 5] =
                [&UNSAFE, &UNSAFE_WITHIN_WILDCARDS, &UNSAFE_ESCAPES, &OTHER_FORMS, &ESCAPES_OF_OTHER_FORMS];
            assert!(!is_denied(path, &all), "{path:?} is denied");
        }
    }
}
