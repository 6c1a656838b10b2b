//! Where the configuration's text is found.

use super::faults::Faults;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The process's environment, read once. A value that is not Unicode is not there.
/// It holds secrets, and so has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// With these values in the place of others, or beside them.
    #[must_use]
    pub fn with(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(pairs);
        self
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// A configuration's text, and the folder that its relative paths start from. It may
/// hold secrets, and so has no `Debug`.
#[derive(Clone)]
pub struct ConfigText {
    /// YAML.
    pub text: String,
    /// Where relative paths start.
    pub folder: PathBuf,
}

impl ConfigText {
    /// `AUTHORIZER_CONFIG` (the text itself), else the file `AUTHORIZER_CONFIG_FILE`,
    /// else `authorizer.yaml` in `LAMBDA_TASK_ROOT`, else in the working directory.
    ///
    /// # Errors
    /// A fault where no text can be read.
    pub fn find(environment: &Environment) -> Result<Self, Faults> {
        let task_root = environment.get("LAMBDA_TASK_ROOT").map(PathBuf::from);
        // Empty counts as absent: a template's parameter may default to nothing.
        let is_given = |value: &&str| !value.is_empty();
        if let Some(text) = environment.get("AUTHORIZER_CONFIG").filter(is_given) {
            return Ok(Self { text: text.to_owned(), folder: task_root.unwrap_or_default() });
        }
        if let Some(path) = environment.get("AUTHORIZER_CONFIG_FILE").filter(is_given) {
            return Self::read(Path::new(path));
        }
        match task_root.map(|root| root.join(FILE_NAME)).filter(|path| path.exists()) {
            Some(path) => Self::read(&path),
            None => Self::read(Path::new(FILE_NAME)),
        }
    }

    fn read(path: &Path) -> Result<Self, Faults> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Faults::one(format!("cannot read the configuration `{}`: {error}", path.display())))?;
        Ok(Self { text, folder: path.parent().map(Path::to_path_buf).unwrap_or_default() })
    }
}

const FILE_NAME: &str = "authorizer.yaml";
