//! `${NAME}`, `${NAME:-default}` and `${secretsmanager:NAME}` in scalar values.
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
        if let Some(reference) = expression.strip_prefix(SECRETS_MANAGER) {
            if !is_reference(reference) {
                return Err(format!("`${{{expression}}}` does not name a secret"));
            }
            result.push_str(before);
            result.push_str(environment.secret(reference)?);
            rest = tail;
            continue;
        }
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

/// The secrets that a text refers to.
pub(super) fn secret_references(text: &str) -> impl Iterator<Item = &str> {
    let expressions = text.split("${").skip(1).filter_map(|after| after.split_once('}'));
    expressions.filter_map(|(expression, _)| expression.strip_prefix(SECRETS_MANAGER)).filter(|name| is_reference(name))
}

/// "The secret name can contain ASCII letters, numbers, and the following characters: /_+=.@-" (Secrets Manager); an ARN also
/// colons; `#MEMBER` may follow.
fn is_reference(reference: &str) -> bool {
    let (id, member) = reference.split_once('#').unwrap_or((reference, "any"));
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&byte);
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(is_allowed) && !member.is_empty()
}

/// What stands before the name of a secret.
pub(super) const SECRETS_MANAGER: &str = "secretsmanager:";

/// Secrets Manager, `SecretId`: at most 2048 characters.
const MAX_ID_BYTES: usize = 2048;

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

    #[test]
    fn secrets_come_from_what_was_read() {
        let environment =
            Environment::from([("secretsmanager:prod/key", "1"), ("secretsmanager:a#b", "2"), ("prod/key", "no")]);
        for (text, expected) in [
            ("${secretsmanager:prod/key}", Ok("1")),
            ("x${secretsmanager:prod/key}y${secretsmanager:a#b}", Ok("x1y2")),
            (
                "${secretsmanager:other}",
                Err("the secret `other` is not known: `authctl` takes it from `--set secretsmanager:other=...`"),
            ),
            // No default stands in for a secret.
            (
                "${secretsmanager:other:-d}",
                Err("the secret `other:-d` is not known: `authctl` takes it from `--set secretsmanager:other:-d=...`"),
            ),
            ("${secretsmanager:}", Err("`${secretsmanager:}` does not name a secret")),
            ("${secretsmanager:a b}", Err("`${secretsmanager:a b}` does not name a secret")),
            ("${secretsmanager:a#}", Err("`${secretsmanager:a#}` does not name a secret")),
            ("${secretsmanager:#b}", Err("`${secretsmanager:#b}` does not name a secret")),
            ("${ssm:prod}", Err("`${ssm:prod}` is not a variable's name")),
        ] {
            let actual = interpolate(text, &environment);
            assert_eq!(actual.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let found: Vec<_> =
            secret_references("a${secretsmanager:b}${C}${secretsmanager:d#e}${secretsmanager:f g}${secretsmanager:h")
                .collect();
        assert_eq!(found, ["b", "d#e"]);
    }
}
