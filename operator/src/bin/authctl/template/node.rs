//! A template's text becomes nodes: YAML or JSON, of a size that CloudFormation takes.

pub(crate) use cognito_authorizer::config::yaml::{Node, Value};

use cognito_authorizer::config::yaml::{self, Tags};

/// What CloudFormation and SAM mean by a node.
pub(crate) trait Expression: Sized {
    /// The function that CloudFormation computes the value by, and its argument.
    fn intrinsic(&self) -> Option<(&str, &Node)>;

    /// What both say, `over` where they differ: SAM's way with `Globals`.
    fn merged(&self, over: &Node) -> Node;
}

impl Expression for Node {
    fn intrinsic(&self) -> Option<(&str, &Node)> {
        match self.entries() {
            [(name, argument)] if name == "Ref" || name == "Condition" || name.starts_with("Fn::") => {
                Some((name, argument))
            }
            _ => None,
        }
    }

    fn merged(&self, over: &Node) -> Node {
        let value = match (&self.value, &over.value) {
            (Value::Map(_), Value::Map(entries)) if self.intrinsic().is_none() && over.intrinsic().is_none() => {
                let inherited = self.entries().iter().filter(|(key, _)| over.get(key).is_none()).cloned();
                let own = entries.iter().map(|(key, node)| {
                    (key.clone(), self.get(key).map_or_else(|| node.clone(), |inherited| inherited.merged(node)))
                });
                Value::Map(inherited.chain(own).collect())
            }
            (Value::List(inherited), Value::List(own)) => Value::List(inherited.iter().chain(own).cloned().collect()),
            _ => return over.clone(),
        };
        Node { line: over.line, column: over.column, value }
    }
}

/// What a key that is left out says.
pub(crate) fn empty() -> Node {
    Node { line: 0, column: 0, value: Value::Map(Vec::new()) }
}

/// Reads one document.
///
/// # Errors
/// What is wrong with it, with the line where there is one.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("larger than the {MAX_BYTES} bytes that CloudFormation takes"));
    }
    let (root, faults) = yaml::parse(text, Tags::CloudFormation).map_err(|faults| faults.to_string())?;
    match faults.first() {
        None => Ok(root),
        Some(fault) => Err(fault.to_string()),
    }
}

/// CloudFormation's limit for a template in S3.
const MAX_BYTES: usize = 1_048_576;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, wherever and in whatever quotes it is written.
    fn meaning(node: Node) -> Node {
        let value = match node.value {
            Value::Scalar { text, .. } => Value::Scalar { text, plain: true },
            Value::List(items) => Value::List(items.into_iter().map(meaning).collect()),
            Value::Map(entries) => Value::Map(entries.into_iter().map(|(key, node)| (key, meaning(node))).collect()),
        };
        Node { line: 1, column: 1, value }
    }

    #[track_caller]
    fn same(one: &str, other: &str) {
        assert_eq!(meaning(parse(one).unwrap()), meaning(parse(other).unwrap()), "{one}\n{other}");
    }

    #[test]
    fn short_tags_are_what_they_are_short_for() {
        same("a: !Ref b", r#"{"a": {"Ref": "b"}}"#);
        same("a: !GetAtt b.Arn", r#"{"a": {"Fn::GetAtt": "b.Arn"}}"#);
        same("a: !If [c, !Ref d, e]", r#"{"a": {"Fn::If": ["c", {"Ref": "d"}, "e"]}}"#);
        same("a: !Sub {b: c}", r#"{"a": {"Fn::Sub": {"b": "c"}}}"#);
        same("a: !!str b", "a: b");
        same("a: &x [1]\nb: *x", "{a: [1], b: [1]}");
        same("{\n\t\"a\": [\n\t\t1\n\t]\n}", "a: [1]");
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.contains(why), "{error} should contain {why}");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        refused("", "empty");
        refused("a: [", "not YAML");
        refused("a: 1\na: 2", "duplicate key `a` (line 2)");
        refused("a: 1\n---\nb: 2", "more than one YAML document");
        refused("{[a]: b}", "a key that is not text");
        refused("a: &x {b: 1}\nc: {<<: *x}", "merge key");
        refused("a: &x [*x]", "alias");
    }

    #[test]
    fn what_is_too_much_is_refused_at_once() {
        refused(&"[".repeat(65), "nested too deeply");
        refused(&"[".repeat(100_000), "recursion limit");
        refused(&" ".repeat(MAX_BYTES + 1), "larger than");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{inner}]\n");
        }
        refused(&bomb, "too large");
    }

    #[test]
    fn what_is_global_is_inherited() {
        let parse = |text| parse(text).unwrap();
        let merged = |global, own| meaning(parse(global).merged(&parse(own)));
        assert_eq!(
            merged("{a: {b: 1, c: 2}, d: [1]}", "{a: {c: 3}, d: [2]}"),
            meaning(parse("{a: {b: 1, c: 3}, d: [1, 2]}"))
        );
        assert_eq!(merged("{a: {b: 1}}", "{a: !Ref c}"), meaning(parse("{a: !Ref c}")));
    }
}
