//! What is wrong with a configuration, and where.

use std::fmt;

/// One fault: where it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of keys, such as `routes."GET /items".any_scope`; empty for the file itself.
    pub place: String,
    /// What is wrong; never a secret.
    pub message: String,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// The character of that line, from 1.
    pub column: Option<usize>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// All faults of a configuration, in the order of the file where they have a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single fault without a place.
    #[must_use]
    pub fn one(message: impl Into<String>) -> Self {
        Self(vec![Fault { place: String::new(), message: message.into(), line: None, column: None }])
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
