//! YAML as a person would write it: on one line where it fits, in block style where not.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    pub(super) fn texts(texts: &[String]) -> Self {
        Yaml::List(texts.iter().cloned().map(Yaml::Text).collect())
    }

    pub(super) fn one_or_list(texts: &[String]) -> Self {
        match texts {
            [only] => Yaml::Text(only.clone()),
            several => Self::texts(several),
        }
    }

    /// On one line.
    pub(super) fn flow(&self) -> String {
        match self {
            Yaml::Text(text) => scalar(text, true),
            Yaml::List(items) => format!("[{}]", items.iter().map(Yaml::flow).collect::<Vec<_>>().join(", ")),
            Yaml::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Yaml::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{}: {}", scalar(key, true), value.flow()));
                format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// `key: value` at this depth, with all of its lines.
    pub(super) fn entry(&self, key: &str, indent: usize, to: &mut String) {
        let head = format!("{}{}:", " ".repeat(indent), scalar(key, false));
        to.push_str(&head);
        let flow = if let Yaml::Text(text) = self { scalar(text, false) } else { self.flow() };
        let is_short = head.chars().count() + 1 + flow.chars().count() <= WIDTH;
        match self {
            Yaml::List(items) if !is_short && !items.is_empty() => {
                to.push('\n');
                for item in items {
                    to.push_str(&format!("{}- {}\n", " ".repeat(indent + 2), item.flow()));
                }
            }
            Yaml::Map(entries) if !is_short && !entries.is_empty() => {
                to.push('\n');
                entries.iter().for_each(|(key, value)| value.entry(key, indent + 2, to));
            }
            Yaml::Text(_) | Yaml::List(_) | Yaml::Map(_) => to.push_str(&format!(" {flow}\n")),
        }
    }
}

/// A text, in quotes where YAML or the configuration would read anything else without.
fn scalar(text: &str, in_flow: bool) -> String {
    let is_placeholder = text.starts_with("${") && !in_flow;
    let first = text.chars().next();
    let is_word = |c: char| c.is_ascii_alphanumeric() || "/_-.+$".contains(c);
    let starts_well = first.is_some_and(|c| c.is_ascii_alphabetic() || "/$_".contains(c));
    // A colon or a blank is part of a plain text where neither ends a key nor begins a comment.
    let is_inner = |c: char| is_word(c) || c == ':' || !in_flow && "{} ,".contains(c);
    let is_plain = starts_well
        && text.chars().all(is_inner)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_placeholder && text.ends_with('}') && text.chars().all(is_inner) || is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Longer lines are split where they can be.
const WIDTH: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;
    use cognito_authorizer::config::yaml::{Tags, parse};

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in [
            "",
            "a",
            "true",
            "No",
            "~",
            "1",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "{a}",
            "${A}",
            "${A}, b",
            "GET /a/{x}",
            "GET /a/{x+}",
            "$default",
            "x:y",
            "https://a.example/b",
            "*a",
            "&a",
            "!a",
            "a\nb",
            "a\"b\\c",
            "\u{e9}",
            "\u{7}",
            "a,b",
            "[a",
            "' '",
            " a",
            "a ",
            "%a",
            "@a",
            "`a",
            "\u{2028}",
            "?a",
            "| a",
            "\u{85}x",
        ] {
            let value = Yaml::Text(text.to_owned());
            let list = Yaml::List(vec![value.clone(), value.clone()]);
            let mut written = String::new();
            value.entry("a", 0, &mut written);
            list.entry("b", 0, &mut written);
            Yaml::Map(vec![(text.to_owned(), list.clone())]).entry("c", 0, &mut written);
            Yaml::Text("z".to_owned()).entry(&format!("k{text}"), 0, &mut written);
            let (root, faults) = parse(&written, Tags::Refused).unwrap_or_else(|faults| panic!("{written}: {faults}"));
            assert!(faults.is_empty(), "{written}");
            assert_eq!(root.get("a").unwrap().text(), Some(text), "{written}");
            assert!(root.get("b").unwrap().items().iter().all(|item| item.text() == Some(text)), "{written}");
            assert_eq!(root.get("c").unwrap().entries()[0].0, text, "{written}");
            assert!(root.get(&format!("k{text}")).is_some(), "{written}");
            let plain = |node: &cognito_authorizer::config::yaml::Node| node.is_null();
            assert!(!plain(root.get("a").unwrap()) && !plain(&root.get("b").unwrap().items()[0]), "{written}");
        }
    }
}
