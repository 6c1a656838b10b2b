//! Route keys of a source as keys of rules.

use cognito_authorizer::access::RouteKey;

/// The requests that a key serves: keys of one shape are duplicates in a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape(String);

/// Why a key can be no rule's, and one that serves all of its requests, where there is such a key.
type NoKey = (String, Option<(String, Shape)>);

/// The key of a rule.
pub(super) fn rule_key(key: &str) -> Result<(String, Shape), NoKey> {
    match RouteKey::parse(key) {
        Ok(_) => Ok((key.to_owned(), shape(key))),
        Err(error) => {
            let wider = wider(key).filter(|wider| RouteKey::parse(wider).is_ok());
            Err((error.to_string(), wider.map(|wider| (wider.clone(), shape(&wider)))))
        }
    }
}

fn shape(key: &str) -> Shape {
    let (method, path) = key.split_once(' ').unwrap_or((key, ""));
    let path = path.split('/').map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if name.ends_with('+') => "{+}",
        Some(_) => "{}",
        None => segment,
    });
    let path = path.collect::<Vec<_>>().join("/");
    Shape(format!("{method} {}", path.trim_end_matches('/')))
}

/// A key that matches all that this one could: its odd segments become parameters.
fn wider(key: &str) -> Option<String> {
    let (method, path) = key.split_once(' ')?;
    let mut segments: Vec<String> = Vec::new();
    for (index, segment) in path.strip_prefix('/')?.split('/').enumerate() {
        if segment.ends_with("+}") {
            segments.push(format!("{{p{index}+}}"));
            break;
        }
        // A parameter's name may be the odd thing about it, too.
        let is_plain = !segment.contains(['{', '}']) && RouteKey::parse(&format!("GET /{segment}")).is_ok();
        segments.push(if is_plain { segment.to_owned() } else { format!("{{p{index}}}") });
    }
    let path = segments.join("/");
    let is_method = RouteKey::parse(&format!("{method} /")).is_ok();
    Some(format!("{} /{path}", if is_method { method } else { "ANY" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_rule_can_have_is_widened_and_never_narrowed() {
        for (key, expected) in [
            ("GET /a/{id}.json", Some("GET /a/{p1}")),
            ("TRACE /a", Some("ANY /a")),
            ("GET /a/{proxy+}/b", Some("GET /a/{p1+}")),
            ("GET /a%20b/{x}", Some("GET /{p0}/{p1}")),
            ("GET /{id}/{id}", Some("GET /{p0}/{p1}")),
            ("GET a", None),
            ("$disconnect", None),
        ] {
            let Err((_, wider)) = rule_key(key) else { panic!("{key}") };
            assert_eq!(wider.map(|(key, _)| key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn keys_of_one_shape_are_duplicates() {
        let same = |one: &str, other: &str| shape(one) == shape(other);
        assert!(same("GET /a/{x}", "GET /a/{y}/") && same("ANY /{a+}", "ANY /{b+}") && same("$default", "$default"));
        assert!(!same("GET /a/{x}", "GET /a/{x+}") && !same("GET /a", "ANY /a") && !same("GET /a", "GET /A"));
    }
}
