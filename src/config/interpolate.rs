//! `${NAME}` and `${NAME:-default}` in scalar values.
//!
//! Works on single values after the YAML was parsed, so that no value of the
//! environment can add structure. As in a shell, `:-` stands in for a variable that
//! is missing or empty.

use super::source::Environment;
use std::borrow::Cow;

/// Puts the environment's values in. `Owned` where there was something to put in.
///
/// # Errors
/// What is wrong, in words for the operator.
pub(super) fn interpolate<'a>(text: &'a str, environment: &Environment) -> Result<Cow<'a, str>, String> {
    if !text.contains("${") {
        return Ok(Cow::Borrowed(text));
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (expression, tail) = after.split_once('}').ok_or("`${` without `}`")?;
        let (name, default) = match expression.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (expression, None),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("`${{{name}}}` is not a variable's name"));
        }
        result.push_str(before);
        match (environment.get(name), default) {
            (Some(""), Some(default)) | (None, Some(default)) => result.push_str(default),
            (Some(value), _) => result.push_str(value),
            (None, None) => return Err(format!("the environment has no `{name}`")),
        }
        rest = tail;
    }
    result.push_str(rest);
    Ok(Cow::Owned(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_the_environment() {
        let environment = Environment::from([("A", "1"), ("EMPTY", ""), ("NESTED", "${A}")]);
        for (text, expected) in [
            ("plain $A {A} $", Ok("plain $A {A} $")),
            ("${A}", Ok("1")),
            ("x${A}y${A}z", Ok("x1y1z")),
            ("${B:-d}", Ok("d")),
            ("${A:-d}", Ok("1")),
            ("${EMPTY:-d}", Ok("d")),
            ("${EMPTY}", Ok("")),
            ("${B:-}", Ok("")),
            ("${B:-a:-b}", Ok("a:-b")),
            ("${NESTED}", Ok("${A}")), // a value is never read again
            ("${B}", Err("the environment has no `B`")),
            ("${A", Err("`${` without `}`")),
            ("${}", Err("`${}` is not a variable's name")),
            ("${A-d}", Err("`${A-d}` is not a variable's name")),
        ] {
            let actual = interpolate(text, &environment);
            assert_eq!(actual.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
