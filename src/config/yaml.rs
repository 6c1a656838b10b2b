//! YAML 1.2 text becomes nodes that know their line.
//!
//! Of saphyr only the parser is taken: its loaders drop repeated keys, which here
//! are faults. Tags are refused; anchors and aliases work.

use super::faults::{Fault, Faults};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// A value in the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `plain` where it was written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; keys are distinct.
    Map(Vec<(String, Node)>),
}

/// Reads one document. Repeated keys and tags are told beside the rest, so that
/// the faults of its content can be told with them.
///
/// # Errors
/// [`Faults`]: what is not YAML, more than one document, keys that are not text,
/// more nodes than any configuration has.
pub(super) fn parse(text: &str) -> Result<(Node, Vec<Fault>), Faults> {
    let mut loader = Loader { open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0, faults: Vec::new() };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Faults::one(format!("not YAML: {error}")))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
        }
        if documents > 1 {
            return Err(Faults::one("more than one YAML document"));
        }
        loader.take(event, span)?;
    }
    let root = loader.root.ok_or_else(|| Faults::one("the configuration is empty"))?;
    Ok((root, loader.faults))
}

struct Loader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    faults: Vec<Fault>,
}

/// A list or map whose end has not come.
struct Open {
    line: usize,
    anchor: usize,
    value: Value,
    /// In a map: the key whose value comes next.
    key: Option<(String, usize)>,
}

impl Loader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Faults> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.place(Node { line, value }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                self.open(line, anchor, Value::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(line, tag.is_some());
                self.open(line, anchor, Value::Map(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.place(Node { line: open.line, value: open.value }, open.anchor),
                None => Err(Faults::one("not YAML: an end without a start")),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.place(node, 0),
                None => Err(Faults::one("not YAML: an alias within its own anchor")),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, line: usize, anchor: usize, value: Value) -> Result<(), Faults> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Faults::one("nested too deeply"));
        }
        self.open.push(Open { line, anchor, value, key: None });
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Faults> {
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
        match &mut open.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => match node.value {
                    Value::Scalar { text, .. } => open.key = Some((text, node.line)),
                    Value::List(_) | Value::Map(_) => return Err(Faults::one("not YAML: a key that is not text")),
                },
                Some((key, line)) if entries.iter().any(|(known, _)| *known == key) => {
                    fault = Some((line, format!("the key `{key}` stands twice")));
                }
                Some((key, _)) => entries.push((key, node)),
            },
            Value::Scalar { .. } => return Err(Faults::one("not YAML: a scalar with content")),
        }
        if let Some((line, message)) = fault {
            self.fault(line, message);
        }
        Ok(())
    }

    fn refuse_tag(&mut self, line: usize, is_tagged: bool) {
        if is_tagged {
            self.fault(line, "YAML tags are not read");
        }
    }

    fn fault(&mut self, line: usize, message: impl Into<String>) {
        let mut place = String::new();
        for open in &self.open {
            match (&open.value, &open.key) {
                (Value::List(items), _) => place.push_str(&format!("[{}]", items.len())),
                (_, Some((key, _))) if place.is_empty() => place.push_str(&quoted(key)),
                (_, Some((key, _))) => place.push_str(&format!(".{}", quoted(key))),
                (_, None) => {}
            }
        }
        self.faults.push(Fault { place, message: message.into(), line: Some(line) });
    }
}

impl Node {
    /// How many nodes it has; a long text counts for several.
    fn count(&self) -> usize {
        match &self.value {
            Value::Scalar { text, .. } => 1 + text.len() / BYTES_OF_A_NODE,
            Value::List(items) => 1 + items.iter().map(Node::count).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

/// A key as it stands in a place: quoted where it is not a plain word.
pub(super) fn quoted(key: &str) -> String {
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-$".contains(c));
    if is_word { key.to_owned() } else { format!("\"{key}\"") }
}

const MAX_DEPTH: usize = 64;

/// A table of a thousand routes has some ten thousand nodes.
const MAX_NODES: usize = 1_000_000;

/// What a node takes itself.
const BYTES_OF_A_NODE: usize = 64;
