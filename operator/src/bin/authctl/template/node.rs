//! YAML or JSON text becomes nodes. CloudFormation's short tags become what they are
//! short for: `!Ref a` is `{ Ref: a }`, `!GetAtt a.b` is `{ Fn::GetAtt: a.b }`.
//!
//! A template may come from anywhere: size, depth and number of nodes have limits, and
//! what CloudFormation itself would not read (a key that stands twice) is refused.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A value in a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// `plain` where it was written without quotes.
    Text {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Keys are distinct.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key; `None` in what is no map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map; none of what is no map.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        match self {
            Node::Map(entries) => entries,
            Node::Text { .. } | Node::List(_) => &[],
        }
    }

    /// The items of a list; none of what is no list.
    pub(crate) fn items(&self) -> &[Node] {
        match self {
            Node::List(items) => items,
            Node::Text { .. } | Node::Map(_) => &[],
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Node::Text { text, .. } => Some(text),
            Node::List(_) | Node::Map(_) => None,
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Node::Text { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The function that CloudFormation computes the value by, and its argument.
    pub(crate) fn intrinsic(&self) -> Option<(&str, &Node)> {
        match self.entries() {
            [(name, argument)] if name == "Ref" || name == "Condition" || name.starts_with("Fn::") => {
                Some((name, argument))
            }
            _ => None,
        }
    }

    /// What both say, `over` where they differ: SAM's way with `Globals`.
    pub(crate) fn merged(&self, over: &Node) -> Node {
        match (self, over) {
            (Node::Map(_), Node::Map(entries)) if self.intrinsic().is_none() && over.intrinsic().is_none() => {
                let inherited = self.entries().iter().filter(|(key, _)| over.get(key).is_none()).cloned();
                let own = entries.iter().map(|(key, node)| {
                    (key.clone(), self.get(key).map_or_else(|| node.clone(), |inherited| inherited.merged(node)))
                });
                Node::Map(inherited.chain(own).collect())
            }
            (Node::List(inherited), Node::List(own)) => Node::List(inherited.iter().chain(own).cloned().collect()),
            _ => over.clone(),
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Text { .. } => 1,
            Node::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Node::Map(entries) => 1 + entries.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

/// Reads one document.
///
/// # Errors
/// What is wrong with it, with the line where there is one.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("larger than the {MAX_BYTES} bytes that CloudFormation takes"));
    }
    let mut loader = Loader { open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("not YAML: {error}"))?;
        loader.take(event).map_err(|message| format!("{message} (line {})", span.start.line()))?;
    }
    loader.root.ok_or_else(|| "empty".to_owned())
}

struct Loader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or map whose end has not come.
struct Open {
    anchor: usize,
    function: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, keys: HashSet<String>, key: Option<String> },
}

impl Loader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = Node::Text { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.place(node, function(tag), anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(anchor, tag, Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, tag, Content::Map { entries: Vec::new(), keys: HashSet::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().ok_or("an end without a start")?;
                let node = match open.content {
                    Content::List(items) => Node::List(items),
                    Content::Map { entries, .. } => Node::Map(entries),
                };
                self.place(node, open.function, open.anchor)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or("an alias within its own anchor")?;
                self.place(node, None, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => Err("more than one YAML document".to_owned()),
            Event::DocumentStart(_) | Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<Cow<'_, Tag>>, content: Content) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        self.open.push(Open { anchor, function: function(tag), content });
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn place(&mut self, node: Node, function: Option<String>, anchor: usize) -> Result<(), String> {
        let node = match function {
            Some(function) => Node::Map(vec![(function, node)]),
            None => node,
        };
        // Aliases of aliases could make a short text large.
        self.nodes += node.count();
        if self.nodes > MAX_NODES {
            return Err("more than any template has".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, keys, key } => match (key.take(), node) {
                (None, Node::Text { text, .. }) if text == "<<" => {
                    return Err("a merge key (`<<`), which CloudFormation does not read".to_owned());
                }
                (None, Node::Text { text, .. }) if !keys.insert(text.clone()) => {
                    return Err(format!("the key `{text}` stands twice"));
                }
                (None, Node::Text { text, .. }) => *key = Some(text),
                (None, Node::List(_) | Node::Map(_)) => return Err("a key that is not text".to_owned()),
                (Some(name), node) => entries.push((name, node)),
            },
        }
        Ok(())
    }
}

/// What a short tag stands for; tags of YAML's own only say what a text looks like.
fn function(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    let tag = tag.filter(|tag| !tag.is_yaml_core_schema())?;
    Some(match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

/// CloudFormation's limit for a template in S3.
const MAX_BYTES: usize = 1_048_576;

const MAX_DEPTH: usize = 64;

const MAX_NODES: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(one: &str, other: &str) {
        let plain = |text| format!("{:?}", parse(text).unwrap()).replace("plain: false", "plain: true");
        assert_eq!(plain(one), plain(other), "{one}\n{other}");
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
        refused("a: 1\na: 2", "`a` stands twice (line 2)");
        refused("a: 1\n---\nb: 2", "more than one YAML document");
        refused("{[a]: b}", "a key that is not text");
        refused("a: &x {b: 1}\nc: {<<: *x}", "merge key");
        refused("a: &x [*x]", "alias");
    }

    #[test]
    fn what_is_too_much_is_refused_at_once() {
        refused(&"[".repeat(MAX_DEPTH + 1), "nested too deeply");
        refused(&"[".repeat(100_000), "recursion limit");
        refused(&" ".repeat(MAX_BYTES + 1), "larger than");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{inner}]\n");
        }
        refused(&bomb, "more than any template has");
    }

    #[test]
    fn what_is_global_is_inherited() {
        let merged = |global, own| parse(global).unwrap().merged(&parse(own).unwrap());
        assert_eq!(
            merged("{a: {b: 1, c: 2}, d: [1]}", "{a: {c: 3}, d: [2]}"),
            parse("{a: {b: 1, c: 3}, d: [1, 2]}").unwrap()
        );
        assert_eq!(merged("{a: {b: 1}}", "{a: !Ref c}"), parse("{a: !Ref c}").unwrap());
    }
}
