//! The segments that the route table names, by number.

use super::partition::CONNECT;
use super::pattern::{METHOD, OTHER, Symbol};
use std::collections::HashMap;

/// Numbers for the literal segments of a table; equal text, equal number.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    numbers: HashMap<Box<str>, Symbol>,
    texts: Vec<Box<str>>,
}

impl Symbols {
    /// The number of a literal, a new one where the text is new.
    pub(super) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        // INVARIANT: a configuration has fewer segments than there are numbers below FIRST_VALUE.
        let number = u32::try_from(self.texts.len()).map_or(OTHER, |index| index.saturating_add(FIRST_LITERAL));
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The number of a literal that some route names.
    pub(super) fn find(&self, text: &str) -> Option<Symbol> {
        self.numbers.get(text).copied()
    }

    /// The literals that are this one with one of these characters behind it, and more (`report.json`).
    pub(super) fn beginning_with(&self, symbol: Symbol, then: &[char]) -> impl Iterator<Item = Symbol> {
        let name = self.literal(symbol);
        let goes_on = move |text: &str| {
            name.is_some_and(|name| text.strip_prefix(name).is_some_and(|rest| rest.starts_with(then)))
        };
        self.all().filter(move |(text, _)| goes_on(text)).map(|(_, number)| number)
    }

    /// All literals that some route names, in the table's order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Symbol)> {
        self.texts.iter().filter_map(|text| Some((&**text, self.find(text)?)))
    }

    /// A request of these segments, to show to people.
    pub(super) fn example(&self, method: &str, segments: &[Symbol]) -> String {
        if method == CONNECT {
            return method.to_owned();
        }
        let segments = segments.iter().map(|symbol| match self.meaning(*symbol) {
            Meaning::Literal(text) => text,
            Meaning::Value(_) => "{claim}",
            Meaning::Other => "x",
        });
        format!("{method} /{}", segments.collect::<Vec<_>>().join("/"))
    }

    /// The segment that the table names.
    pub(super) fn literal(&self, symbol: Symbol) -> Option<&str> {
        match self.meaning(symbol) {
            Meaning::Literal(text) => Some(text),
            Meaning::Value(_) | Meaning::Other => None,
        }
    }

    /// What a symbol stands for.
    pub(super) fn meaning(&self, symbol: Symbol) -> Meaning<'_> {
        if let Some(index) = symbol.checked_sub(FIRST_VALUE) {
            return Meaning::Value(usize::try_from(index).unwrap_or(usize::MAX));
        }
        let index = symbol.checked_sub(FIRST_LITERAL).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.texts.get(index)).map_or(Meaning::Other, |text| Meaning::Literal(text))
    }
}

/// A symbol's meaning.
pub(super) enum Meaning<'a> {
    /// A segment that the table names.
    Literal(&'a str),
    /// The segment of a token's claim that no route names, by its position.
    Value(usize),
    /// Any segment that nothing names.
    Other,
}

/// The symbol of a claim's value that no route names; equal values, equal position.
pub(super) fn value(position: usize) -> Symbol {
    u32::try_from(position).map_or(Symbol::MAX, |position| FIRST_VALUE.saturating_add(position))
}

const FIRST_LITERAL: Symbol = METHOD + 1;
const FIRST_VALUE: Symbol = 1 << 31;
