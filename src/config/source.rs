//! Where the configuration's text is found.

use super::faults::Faults;
use super::interpolate::{SECRETS_MANAGER, secret_references};
use super::yaml::{self, Node, Value};
use crate::secrets::Secret;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The process's environment, read once, and the secrets that the configuration refers to. A value that is not Unicode is
/// not there. It holds secrets, and so has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// By their references.
    secrets: HashMap<String, Secret>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect(), secrets: HashMap::new() }
    }

    /// With these values in the place of others, or beside them. A name `secretsmanager:NAME` is that secret's.
    #[must_use]
    pub fn with(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in pairs {
            match name.strip_prefix(SECRETS_MANAGER) {
                Some(reference) => self.secrets.insert(reference.to_owned(), Ok(value)).map(drop),
                None => self.variables.insert(name, value).map(drop),
            };
        }
        self
    }

    /// With what was found of the secrets that a configuration refers to.
    #[must_use]
    pub fn with_secrets(mut self, secrets: HashMap<String, Secret>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// A secret, by its reference.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn secret(&self, reference: &str) -> Result<&str, String> {
        match self.secrets.get(reference) {
            Some(secret) => secret.as_deref().map_err(Clone::clone),
            None => Err(format!(
                "the secret `{reference}` is not known: `authctl` takes it from `--set {SECRETS_MANAGER}{reference}=...`"
            )),
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self::default().with(pairs.into_iter().map(owned))
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
        let given = (environment.get("AUTHORIZER_CONFIG"), environment.get("AUTHORIZER_CONFIG_FILE"));
        Self::find_as(given, FILE_NAME, environment)
    }

    /// The text itself or a file's path, as given by variables; else the file of that name.
    pub(super) fn find_as(
        (text, path): (Option<&str>, Option<&str>),
        file_name: &str,
        environment: &Environment,
    ) -> Result<Self, Faults> {
        let task_root = environment.get("LAMBDA_TASK_ROOT").map(PathBuf::from);
        // Empty counts as absent: a template's parameter may default to nothing.
        let is_given = |value: &&str| !value.is_empty();
        if let Some(text) = text.filter(is_given) {
            return Ok(Self { text: text.to_owned(), folder: task_root.unwrap_or_default() });
        }
        if let Some(path) = path.filter(is_given) {
            return Self::read(Path::new(path));
        }
        match task_root.map(|root| root.join(file_name)).filter(|path| path.exists()) {
            Some(path) => Self::read(&path),
            None => Self::read(Path::new(file_name)),
        }
    }

    /// The secrets that its scalar values refer to; none where it is not YAML, which is for [`super::Config::parse`] to say.
    #[must_use]
    pub fn secret_references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        // Most configurations have none, and need not be parsed twice.
        if self.text.contains(SECRETS_MANAGER)
            && let Ok((root, _)) = yaml::parse(&self.text, yaml::Tags::Refused)
        {
            collect(&root, &mut found);
        }
        found
    }

    fn read(path: &Path) -> Result<Self, Faults> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Faults::one(format!("cannot read the configuration `{}`: {error}", path.display())))?;
        Ok(Self { text, folder: path.parent().map(Path::to_path_buf).unwrap_or_default() })
    }
}

fn collect(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Scalar { text, .. } => found.extend(secret_references(text).map(str::to_owned)),
        Value::List(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| collect(node, found)),
    }
}

const FILE_NAME: &str = "authorizer.yaml";
