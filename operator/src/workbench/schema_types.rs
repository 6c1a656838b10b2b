//! The types that the documents name, as JSON Schema.

use serde_json::{Value, json};

/// The schema of a type in the words of the tables. A type that is not known takes anything.
pub(super) fn of_type(kind: &str) -> Value {
    let words = in_backticks(kind);
    if kind.starts_with("duration") {
        return json!({ "type": "string", "pattern": r"^[0-9]+(ms|s|m|h)$|\$\{" });
    }
    if kind.starts_with("boolean") {
        return json!({ "anyOf": [{ "type": "boolean" }, from_environment()] });
    }
    if kind.starts_with("claim or list") {
        let listed = json!({
            "type": "object", "required": ["claim", "list"], "additionalProperties": false,
            "properties": { "claim": { "type": "string" }, "list": { "enum": ["brackets", "json", "commas", "spaces"] } },
        });
        return json!({ "anyOf": [{ "type": "string" }, listed] });
    }
    if kind.starts_with("list of requirements") || kind.starts_with("list of maps") {
        return json!({ "type": "array" });
    }
    if kind.starts_with("list") || kind.contains(" or list") || kind.contains(", or a list") {
        let item = if kind.starts_with("list of `") { choice(&words) } else { scalar() };
        // One text, which is split.
        let one = if kind.starts_with("list of `") { json!({ "type": "string" }) } else { scalar() };
        return json!({ "anyOf": [one, { "type": "array", "items": item }] });
    }
    if kind.starts_with("map") {
        return json!({ "type": "object" });
    }
    if kind.starts_with('`') && !kind.contains("name of") && !kind.contains("a map") {
        return choice(&words);
    }
    if ["text", "URL", "file", "folder", "claim", "time", "address", "number"]
        .iter()
        .any(|known| kind.starts_with(known))
    {
        return scalar();
    }
    if kind.starts_with("`true`") {
        return scalar();
    }
    json!({})
}

/// A description without the marks of Markdown.
pub(super) fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    // `[words](target)` is its words.
    while let Some((before, after)) = rest.split_once('[') {
        text.push_str(before);
        match after.split_once("](").and_then(|(words, tail)| Some((words, tail.split_once(')')?.1))) {
            Some((words, tail)) => {
                text.push_str(words);
                rest = tail;
            }
            None => {
                text.push('[');
                rest = after;
            }
        }
    }
    text + rest
}

/// A value of the environment may be any of the choices.
fn choice(words: &[&str]) -> Value {
    let is_boolean = words.iter().any(|word| matches!(*word, "true" | "false"));
    let mut choices: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
    if is_boolean {
        choices.extend([true.into(), false.into()]);
    }
    json!({ "anyOf": [{ "enum": choices }, from_environment()] })
}

fn from_environment() -> Value {
    json!({ "type": "string", "pattern": r"\$\{" })
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

fn in_backticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_in_words_become_schemas() {
        assert_eq!(of_type("text"), scalar());
        assert_eq!(of_type("`simple` or `policy`")["anyOf"][0], json!({ "enum": ["simple", "policy"] }));
        assert_eq!(of_type("list of `access`, `id`")["anyOf"][1]["items"]["anyOf"][0]["enum"], json!(["access", "id"]));
        assert_eq!(of_type("duration, at most `5s`")["type"], "string");
        assert_eq!(of_type("something new"), json!({}));
    }

    #[test]
    fn descriptions_lose_their_links() {
        assert_eq!(plain("See [live checks](#live) [here], `a[0]`."), "See live checks [here], `a[0]`.");
    }
}
