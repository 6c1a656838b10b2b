//! How backends read a path: every combination of the steps that servers, frameworks and proxies are known to take.

use crate::model::unescaped;
use std::collections::BTreeSet;

/// The steps that are not taken by every backend. Escapes are decoded first, once to three times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// Cut each segment at its first `;`, as servlet containers do.
    parameters: bool,
    /// End the path at a `#`, as a proxy does that puts it into a URL again.
    fragments: bool,
    /// Take `\` for `/`, as Windows does.
    backslashes: bool,
    /// Take several slashes for one.
    merge: bool,
    /// Resolve `.` and `..`.
    dots: bool,
    /// Compare letters in any case. Only where the configuration says that backends do.
    fold: bool,
}

/// All readings of a path as segments, without those that are the same. A trailing slash makes no difference.
pub(crate) fn of(path: &str, fold_too: bool) -> BTreeSet<Vec<String>> {
    let mut readings = BTreeSet::new();
    for choice in 0..64_u8 {
        let takes = |bit: u8| choice & (1 << bit) != 0;
        let steps = Steps {
            parameters: takes(0),
            backslashes: takes(1),
            merge: takes(2),
            dots: takes(3),
            fold: takes(4),
            fragments: takes(5),
        };
        if steps.fold && !fold_too {
            continue;
        }
        readings.extend(decoded_texts(path).iter().map(|text| steps.segments(text)));
    }
    readings
}

/// The path decoded once, as every backend does, and once or twice more, as some do.
fn decoded_texts(path: &str) -> Vec<String> {
    let mut texts = vec![leniently_unescaped(path).unwrap_or_else(|| path.to_owned())];
    while texts.len() < 3 {
        let Some(deeper) = leniently_unescaped(&texts[texts.len() - 1]) else { break };
        texts.push(deeper);
    }
    texts
}

impl Steps {
    fn segments(self, path: &str) -> Vec<String> {
        let path = if self.backslashes { path.replace('\\', "/") } else { path.to_owned() };
        let path = if self.fold { path.to_lowercase() } else { path };
        let path = if self.fragments { path.split('#').next().unwrap_or_default().to_owned() } else { path };
        let mut segments: Vec<String> = Vec::new();
        for segment in path.strip_prefix('/').unwrap_or(&path).split('/') {
            let segment = if self.parameters { segment.split(';').next().unwrap_or_default() } else { segment };
            match segment {
                "" if self.merge => {}
                "." if self.dots => {}
                ".." if self.dots => drop(segments.pop()),
                _ => segments.push(segment.to_owned()),
            }
        }
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        segments
    }
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
        ] {
            assert!(of(path, false).contains(&vec!["admin".to_owned()]), "{path}");
        }
        assert!(!of("/Admin", false).contains(&vec!["admin".to_owned()]));
        assert!(of("/Admin", true).contains(&vec!["admin".to_owned()]));
    }
}
