//! YAML 1.2 or JSON text becomes nodes that know their line: the configuration's, and a template's of CloudFormation.
//!
//! Of saphyr only the parser is taken: its loaders drop repeated keys, which are faults here. Anchors and aliases
//! work; depth and number of nodes have limits.

use super::faults::{Fault, Faults};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A value in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// The character of that line at which it begins, from 1.
    pub column: usize,
    /// What it holds.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One text.
    Scalar {
        /// Without its quotes.
        text: String,
        /// Whether it was written without quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// In the order of the text; keys are distinct.
    Map(Vec<(String, Node)>),
}

/// Which tags a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// None: each is a fault.
    Refused,
    /// CloudFormation's short tags, which become what they are short for: `!Ref a` is `{ Ref: a }`, `!GetAtt a.b` is
    /// `{ Fn::GetAtt: a.b }`. A merge key (`<<`) is a fault, since CloudFormation does not read it.
    CloudFormation,
}

impl Node {
    /// The value of a key; `None` where the node is not a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map; empty where the node is not a map.
    #[must_use]
    pub fn entries(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar { .. } | Value::List(_) => &[],
        }
    }

    /// The items of a list; empty where the node is not a list.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar { .. } | Value::Map(_) => &[],
        }
    }

    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether it is YAML's null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// How many nodes it has; a long text counts for several.
    fn count(&self) -> usize {
        match &self.value {
            Value::Scalar { text, .. } => 1 + text.len() / BYTES_OF_A_NODE,
            Value::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

/// Reads one document. Repeated keys and refused tags are returned beside it, so that the faults of its content can be
/// reported with them.
///
/// # Errors
/// [`Faults`]: what is not YAML, no document or more than one, keys that are not text, more nodes or levels than any
/// such text has.
pub fn parse(text: &str, tags: Tags) -> Result<(Node, Vec<Fault>), Faults> {
    let mut loader =
        Loader { tags, open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, faults: Vec::new() };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let (line, column) = position(*error.marker());
            Faults(vec![Fault {
                place: String::new(),
                message: format!("not YAML: {}", error.info()),
                line: Some(line),
                column: Some(column),
            }])
        })?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
        }
        if documents > 1 {
            return Err(Faults::one("more than one YAML document"));
        }
        loader.take(event, span)?;
    }
    let root = loader.root.ok_or_else(|| Faults::one("no YAML document: the text is empty"))?;
    Ok((root, loader.faults))
}

struct Loader {
    tags: Tags,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    faults: Vec<Fault>,
}

/// A list or map whose end has not come.
struct Open {
    line: usize,
    column: usize,
    anchor: usize,
    /// The function that its short tag stands for.
    function: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<(String, Node)>,
        keys: HashSet<String>,
        /// The key whose value comes next, with its line and column.
        key: Option<(String, usize, usize)>,
    },
}

impl Loader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Faults> {
        let (line, column) = position(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let function = self.function((line, column), tag);
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.place(Node { line, column, value }, function, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open((line, column), anchor, tag, Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), keys: HashSet::new(), key: None };
                self.open((line, column), anchor, tag, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().ok_or_else(|| Faults::one("not YAML: an end without a start"))?;
                let value = match open.content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                self.place(Node { line: open.line, column: open.column, value }, open.function, open.anchor)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.place(node, None, 0),
                None => Err(Faults::one("not YAML: an alias within its own anchor")),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(
        &mut self,
        (line, column): (usize, usize),
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        content: Content,
    ) -> Result<(), Faults> {
        let function = self.function((line, column), tag);
        if self.open.len() >= MAX_DEPTH {
            return Err(Faults::one("nested too deeply"));
        }
        self.open.push(Open { line, column, anchor, function, content });
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn place(&mut self, node: Node, function: Option<String>, anchor: usize) -> Result<(), Faults> {
        let (line, column) = (node.line, node.column);
        let node = match function {
            Some(function) => Node { line, column, value: Value::Map(vec![(function, node)]) },
            None => node,
        };
        // Aliases of aliases could make a short text large.
        self.nodes += node.count();
        if self.nodes > MAX_NODES {
            return Err(Faults::one("too large"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let mut fault = None;
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, keys, key } => match (key.take(), node.value) {
                (None, Value::Scalar { text, .. }) => *key = Some((text, line, column)),
                (None, Value::List(_) | Value::Map(_)) => {
                    return Err(Faults::one("not YAML: a key that is not text"));
                }
                (Some((name, line, column)), _) if name == MERGE_KEY && self.tags == Tags::CloudFormation => {
                    fault = Some(((line, column), "a merge key (`<<`), which CloudFormation does not read".to_owned()));
                }
                (Some((name, line, column)), _) if !keys.insert(name.clone()) => {
                    fault = Some(((line, column), format!("duplicate key `{name}`")));
                }
                (Some((name, _, _)), value) => entries.push((name, Node { line, column, value })),
            },
        }
        if let Some((position, message)) = fault {
            self.fault(position, message);
        }
        Ok(())
    }

    /// The function that a tag stands for; tags of YAML's own only say what a text looks like.
    fn function(&mut self, position: (usize, usize), tag: Option<Cow<'_, Tag>>) -> Option<String> {
        let tag = tag?;
        match self.tags {
            Tags::Refused => {
                self.fault(position, "YAML tags are not read");
                None
            }
            Tags::CloudFormation if tag.is_yaml_core_schema() => None,
            Tags::CloudFormation => Some(match tag.suffix.as_str() {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            }),
        }
    }

    fn fault(&mut self, (line, column): (usize, usize), message: impl Into<String>) {
        let mut place = String::new();
        for open in &self.open {
            match &open.content {
                Content::List(items) => place.push_str(&format!("[{}]", items.len())),
                Content::Map { key: Some((key, ..)), .. } if place.is_empty() => place.push_str(&quoted(key)),
                Content::Map { key: Some((key, ..)), .. } => place.push_str(&format!(".{}", quoted(key))),
                Content::Map { key: None, .. } => {}
            }
        }
        self.faults.push(Fault { place, message: message.into(), line: Some(line), column: Some(column) });
    }
}

/// Line and column, both from 1.
fn position(marker: Marker) -> (usize, usize) {
    (marker.line(), marker.col().saturating_add(1))
}

/// A key as it stands in a place: quoted where it is not a plain word.
pub(super) fn quoted(key: &str) -> String {
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-$".contains(c));
    if is_word { key.to_owned() } else { format!("\"{key}\"") }
}

const MAX_DEPTH: usize = 64;

/// A table of a thousand routes has some ten thousand nodes; a template has at most a megabyte.
const MAX_NODES: usize = 1_000_000;

/// What a node takes itself.
const BYTES_OF_A_NODE: usize = 64;

const MERGE_KEY: &str = "<<";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_faults_know_their_line_and_column() {
        let (root, faults) = parse("a: 1\nb:\n  - x\n  - {c: d, c: e}\n", Tags::Refused).unwrap();
        let places = |node: &Node| (node.line, node.column);
        let list = root.get("b").unwrap();
        assert_eq!([places(root.get("a").unwrap()), places(list), places(&list.items()[1])], [(1, 4), (3, 3), (4, 5)]);
        assert_eq!((faults[0].line, faults[0].column), (Some(4), Some(12)));
        let error = parse("a: 1\nb: [\n", Tags::Refused).unwrap_err();
        assert!(error.0[0].line.is_some() && error.0[0].column.is_some(), "{error:?}");
    }
}
