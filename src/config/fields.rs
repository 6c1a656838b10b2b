//! Nodes become typed values. Whatever does not fit is noted as a fault with its
//! place, and reading goes on, so that one run tells all of them.

use super::faults::{Fault, Faults};
use super::interpolate::{SECRETS_MANAGER, interpolate};
use super::source::Environment;
use super::yaml::{Node, Value, quoted};
use crate::http::Address;
use crate::token::ClaimPath;
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What all values are read with: the environment, the folder of relative paths,
/// and the faults found so far.
pub struct Reader<'r> {
    environment: &'r Environment,
    folder: &'r Path,
    faults: RefCell<Vec<Fault>>,
}

impl<'r> Reader<'r> {
    /// A reader without faults but for those that the text itself has.
    #[must_use]
    pub fn new(environment: &'r Environment, folder: &'r Path, faults: Vec<Fault>) -> Self {
        Self { environment, folder, faults: RefCell::new(faults) }
    }

    /// All faults, in the order of the text.
    #[must_use]
    pub fn into_faults(self) -> Faults {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| fault.line);
        Faults(faults)
    }

    fn fault(&self, place: &str, (line, column): (usize, usize), message: impl Into<String>) {
        let (place, message) = (place.to_owned(), message.into());
        let fault = Fault { place, message, line: Some(line), column: Some(column) };
        self.faults.borrow_mut().push(fault);
    }
}

/// A map whose keys are taken one by one; what is not taken is a fault.
pub struct Fields<'r> {
    reader: &'r Reader<'r>,
    place: String,
    position: (usize, usize),
    left: Vec<&'r (String, Node)>,
    known: Vec<&'static str>,
}

impl<'r> Fields<'r> {
    /// The map at that node; a fault, and `None`, where it is none.
    #[must_use]
    pub fn of(reader: &'r Reader<'r>, node: &'r Node, place: &str) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => Some(Self {
                reader,
                place: place.to_owned(),
                position: (node.line, node.column),
                left: entries.iter().collect(),
                known: Vec::new(),
            }),
            Value::Scalar { .. } | Value::List(_) => {
                reader.fault(place, (node.line, node.column), "must be a map");
                None
            }
        }
    }

    /// The value of a key that may be left out.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'r>> {
        self.known.push(key);
        let position = self.left.iter().position(|(name, _)| name == key)?;
        let (_, node) = self.left.remove(position);
        Some(Item { reader: self.reader, place: child(&self.place, key), node })
    }

    /// Whether the key is there, and not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(name, _)| name == key)
    }

    /// The value of a key that must be there.
    pub fn require(&mut self, key: &'static str) -> Option<Item<'r>> {
        let item = self.take(key);
        if item.is_none() {
            self.reader.fault(&child(&self.place, key), self.position, "is missing");
        }
        item
    }

    /// All keys that are left, with their values.
    pub fn rest(&mut self) -> Vec<(&'r str, Item<'r>)> {
        let rest = std::mem::take(&mut self.left).into_iter();
        rest.map(|(key, node)| {
            (key.as_str(), Item { reader: self.reader, place: child(&self.place, &quoted(key)), node })
        })
        .collect()
    }

    /// Notes what was not taken.
    pub fn finish(mut self) {
        let known = self.known.join(", ");
        for (_, item) in self.rest() {
            item.fault(format!("unknown key; known are {known}"));
        }
    }

    /// Notes a fault of the map as a whole.
    pub fn fault(&self, message: impl Into<String>) {
        self.reader.fault(&self.place, self.position, message);
    }
}

/// A value and its place.
pub struct Item<'r> {
    reader: &'r Reader<'r>,
    place: String,
    node: &'r Node,
}

impl<'r> Item<'r> {
    /// The node itself, where what it holds is not of one type.
    #[must_use]
    pub fn node(&self) -> &'r Node {
        self.node
    }

    /// An item of this one that is read by hand, under that name in its place.
    #[must_use]
    pub fn inner(&self, name: &str, node: &'r Node) -> Self {
        Self { reader: self.reader, place: child(&self.place, &quoted(name)), node }
    }

    /// Notes a fault of this value. What quotes it is left out where a secret is part of it.
    pub fn fault(&self, message: impl Into<String>) {
        let message = message.into();
        let message = if self.shows_secret(&message) { UNSHOWN.to_owned() } else { message };
        self.reader.fault(&self.place, (self.node.line, self.node.column), message);
    }

    /// Whether this value has a secret in it that was read, and the message quotes something.
    fn shows_secret(&self, message: &str) -> bool {
        let text = self.node.text().filter(|text| text.contains(SECRETS_MANAGER) && message.contains('`'));
        text.is_some_and(|text| interpolate(text, self.reader.environment).is_ok())
    }

    fn faulty<T>(&self, message: impl Into<String>) -> Option<T> {
        self.fault(message);
        None
    }

    /// Its keys; a fault, and `None`, where it is no map.
    #[must_use]
    pub fn fields(&self) -> Option<Fields<'r>> {
        Fields::of(self.reader, self.node, &self.place)
    }

    /// The items of a list that has at least one.
    pub fn items(&self) -> Option<Vec<Item<'r>>> {
        match &self.node.value {
            Value::List(items) if items.is_empty() => self.faulty("must not be empty"),
            Value::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, node)| Item { reader: self.reader, place: format!("{}[{index}]", self.place), node })
                    .collect(),
            ),
            Value::Scalar { .. } | Value::Map(_) => self.faulty("must be a list"),
        }
    }

    /// Whether it is a map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// A non-empty text, with the environment's values in it.
    pub fn text(&self) -> Option<Cow<'r, str>> {
        let Some(text) = self.node.text() else { return self.faulty("must be a text") };
        if self.node.is_null() {
            return self.faulty("must not be empty");
        }
        match interpolate(text, self.reader.environment) {
            Ok(text) if text.is_empty() => self.faulty("must not be empty"),
            Ok(text) => Some(text),
            Err(message) => self.faulty(message),
        }
    }

    /// As [`Self::text`], owned.
    #[must_use]
    pub fn string(&self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// A list of texts, or one text separated by commas or white space.
    pub fn strings(&self) -> Option<Vec<String>> {
        if self.is_list() {
            return self.items()?.iter().map(|item| item.member(|c| c == ',' || c.is_whitespace())).collect();
        }
        let text = self.text()?;
        let words: Vec<_> = text.split([',', ' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return self.faulty("must not be empty");
        }
        Some(words.into_iter().map(str::to_owned).collect())
    }

    /// As [`Self::strings`], where an empty list, or a variable that is empty, has no texts.
    pub fn strings_or_none(&self) -> Option<Vec<String>> {
        let is_blank = |text: &str| text.chars().all(|c| c == ',' || c.is_whitespace());
        match &self.node.value {
            Value::List(items) if items.is_empty() => Some(Vec::new()),
            Value::Scalar { text, .. }
                if self.is_from_environment()
                    && interpolate(text, self.reader.environment).is_ok_and(|text| is_blank(&text)) =>
            {
                Some(Vec::new())
            }
            Value::List(_) | Value::Scalar { .. } | Value::Map(_) => self.strings(),
        }
    }

    /// A list of groups, whose names may hold white space, or one text separated by commas.
    pub fn groups(&self) -> Option<Vec<String>> {
        if self.is_list() {
            return self.items()?.iter().map(|item| item.member(|c| c == ',')).collect();
        }
        let text = self.text()?;
        let groups: Vec<_> = text.split(',').map(str::trim).filter(|group| !group.is_empty()).collect();
        match groups.as_slice() {
            [] => self.faulty("must not be empty"),
            [only] if only.contains(char::is_whitespace) => {
                self.faulty("could be one group or several: write a list, as in [Domain Admins]")
            }
            _ => Some(groups.into_iter().map(str::to_owned).collect()),
        }
    }

    /// A member of a list. A variable that holds several is not split there.
    fn member(&self, separates: impl Fn(char) -> bool) -> Option<String> {
        let text = self.string()?;
        if self.is_from_environment() && text.contains(separates) {
            return self.faulty("holds several texts: write it instead of the list, not in it");
        }
        Some(text)
    }

    /// One of the named values.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        match choices.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Some(*value),
            None => {
                let names = choices.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
                self.faulty(format!("must be {names}"))
            }
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        self.choice(&[("true", true), ("false", false)])
    }

    /// A duration such as `500ms`, `5s`, `15m`, `1h`; never zero.
    pub fn duration(&self) -> Option<Duration> {
        match self.duration_or_zero()? {
            Duration::ZERO => self.faulty("must be longer than 0s"),
            duration => Some(duration),
        }
    }

    /// A duration that may be zero.
    #[must_use]
    pub fn duration_or_zero(&self) -> Option<Duration> {
        let text = self.text()?;
        match parse_duration(&text) {
            Some(duration) => Some(duration),
            None => self.faulty("must be a duration such as `500ms`, `5s`, `15m` or `1h`, of a year at most"),
        }
    }

    /// An address that is safe to fetch from.
    pub fn address(&self) -> Option<Address> {
        match Address::parse(&self.text()?) {
            Ok(address) => Some(address),
            Err(error) => self.faulty(error.to_string()),
        }
    }

    /// Notes a fault where this text, which the item has in other words, is no safe address.
    pub fn address_like(&self, text: &str) -> Option<()> {
        match Address::parse(text) {
            Ok(_) => Some(()),
            Err(error) => self.faulty(error.to_string()),
        }
    }

    /// Where a claim is: its name, or a JSON pointer.
    pub fn claim(&self) -> Option<ClaimPath> {
        match ClaimPath::parse(&self.text()?) {
            Ok(path) => Some(path),
            Err(error) => self.faulty(error.to_string()),
        }
    }

    /// A file, its path relative to the configuration's folder.
    pub fn file(&self) -> Option<Vec<u8>> {
        let path: PathBuf = self.reader.folder.join(&*self.text()?);
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => self.faulty(format!("cannot read `{}`: {error}", path.display())),
        }
    }

    /// The texts of a folder's files whose names end in that extension, by name; the
    /// folder is relative to the configuration's.
    #[cfg(feature = "cedar")]
    pub fn files(&self, extension: &str) -> Option<Vec<(String, String)>> {
        let folder: PathBuf = self.reader.folder.join(&*self.text()?);
        let read = || -> std::io::Result<Vec<(String, String)>> {
            let mut files = Vec::new();
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str());
                if let Some(name) = name.filter(|_| path.extension().is_some_and(|actual| actual == extension)) {
                    files.push((name.to_owned(), std::fs::read_to_string(&path)?));
                }
            }
            files.sort();
            Ok(files)
        };
        match read() {
            Ok(files) => Some(files),
            Err(error) => self.faulty(format!("cannot read `{}`: {error}", folder.display())),
        }
    }

    /// A scalar to compare a claim with: what is written plainly is a boolean or a
    /// number where it looks like one (YAML's core schema); what is quoted or
    /// comes from the environment is text.
    pub fn literal(&self) -> Option<serde_json::Value> {
        let Value::Scalar { text, plain } = &self.node.value else { return self.faulty("must be a single value") };
        let read = self.text()?;
        let literal = if *plain && !self.is_from_environment() { plain_literal(text) } else { None };
        Some(literal.unwrap_or_else(|| serde_json::Value::String(read.into_owned())))
    }

    /// Any value: maps, lists, and single values as [`Self::literal`] reads them.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        match &self.node.value {
            Value::Scalar { .. } => self.literal(),
            Value::List(_) => self.items()?.iter().map(Self::json).collect(),
            Value::Map(_) => {
                let members = self.fields()?.rest();
                members.into_iter().map(|(name, item)| Some((name.to_owned(), item.json()?))).collect()
            }
        }
    }

    /// Whether a value of the environment is part of it: such a text means itself
    /// and nothing else.
    pub fn is_from_environment(&self) -> bool {
        matches!(&self.node.value, Value::Scalar { text, .. } if text.contains("${"))
    }
}

fn plain_literal(text: &str) -> Option<serde_json::Value> {
    match text {
        "true" | "True" | "TRUE" => Some(true.into()),
        "false" | "False" | "FALSE" => Some(false.into()),
        _ => text.parse::<serde_json::Number>().ok().map(serde_json::Value::Number),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let duration = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (duration <= LONGEST).then_some(duration)
}

/// A year; what is longer is a mistake, and far from any overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const UNSHOWN: &str = "is not what belongs here; what is wrong with it is not shown, since a secret is part of it";

fn child(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { [place, ".", key].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, expected) in [
            ("500ms", Some(Duration::from_millis(500))),
            ("5s", Some(Duration::from_secs(5))),
            ("15m", Some(Duration::from_secs(900))),
            ("1h", Some(Duration::from_secs(3600))),
            ("0s", Some(Duration::ZERO)),
            ("5", None),
            ("s", None),
            ("", None),
            ("-5s", None),
            ("1.5s", None),
            ("5 s", None),
            ("1d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
            ("18446744073709551615s", None),
            ("8784h", Some(LONGEST)),
            ("8785h", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
