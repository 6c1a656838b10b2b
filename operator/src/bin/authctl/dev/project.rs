//! The files that a session is about, read anew for each question, so that an edit counts at once.

use super::session::Settings;
use crate::table::read_config;
use cognito_authorizer::config::yaml::{self, Tags};
use cognito_authorizer::config::{ConfigText, Environment, Fault, Faults, Fields, Reader};
use cognito_authorizer_operator::revoking::printable;
use cognito_authorizer_operator::workbench::{Engine, Persona, Personas, nearest};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// The two files as texts: those on disk, or those that somebody edits on the page.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) config: ConfigText,
    /// `authorizer.test.yaml`; empty where there is none.
    pub(crate) tests: String,
    /// Where the second one is, or would be.
    pub(crate) tests_path: PathBuf,
}

/// A configuration without faults, and who asks.
pub(crate) struct Project {
    pub(crate) config: ConfigText,
    /// What `environment` in the second file and `--set` give to the configuration. They may be secrets.
    pub(crate) values: Vec<(String, String)>,
    pub(crate) engine: Engine,
    pub(crate) personas: Personas,
}

/// Which of the files has the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Config,
    Tests,
}

impl Files {
    /// Reads both.
    ///
    /// # Errors
    /// A configuration that cannot be read. A test file may be missing.
    pub(crate) fn read(settings: &Settings, environment: &Environment) -> Result<Self, String> {
        let config = match &settings.config {
            Some(path) => read_config(path),
            None => ConfigText::find(environment),
        };
        let config = config.map_err(|faults| faults.to_string())?;
        let tests_path = settings.tests.clone().unwrap_or_else(|| config.folder.join(TESTS));
        let tests = match std::fs::read_to_string(&tests_path) {
            Ok(text) => text,
            Err(error) if settings.tests.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read `{}`: {error}", tests_path.display())),
        };
        Ok(Self { config, tests, tests_path })
    }
}

impl Project {
    /// Reads the files on disk.
    ///
    /// # Errors
    /// All faults, a line each.
    pub(crate) fn load(settings: &Settings, environment: &Environment) -> Result<Self, String> {
        let files = Files::read(settings, environment)?;
        Self::of(&files, settings, environment).map_err(|faults| {
            let line = |(place, fault): &(Place, Fault)| {
                let name = if *place == Place::Tests { "authorizer.test.yaml: " } else { "" };
                format!("fault: {name}{}", printable(&fault.to_string()))
            };
            faults.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }

    /// Understands two texts.
    ///
    /// # Errors
    /// The faults of both.
    pub(crate) fn of(
        files: &Files,
        settings: &Settings,
        environment: &Environment,
    ) -> Result<Self, Vec<(Place, Fault)>> {
        let at = |place, faults: Faults| faults.0.into_iter().map(move |fault| (place, fault)).collect::<Vec<_>>();
        let tests = if files.tests.trim().is_empty() { NO_TESTS } else { &files.tests };
        let (root, faults) = yaml::parse(tests, Tags::Refused).map_err(|faults| at(Place::Tests, faults))?;
        let folder = files.tests_path.parent().map(PathBuf::from).unwrap_or_default();
        let reader = Reader::new(environment, &folder, faults);
        // The tests themselves are for `authctl test`.
        let mut file = Fields::of(&reader, &root, "");
        let section = file.as_mut().and_then(|file| file.take("environment"));
        let mut values: Vec<(String, String)> = match section.and_then(|item| item.fields()) {
            Some(mut fields) => {
                let text = |(name, item): &(&str, _)| Some(((*name).to_owned(), text_of(item)?));
                fields.rest().iter().filter_map(text).collect()
            }
            None => Vec::new(),
        };
        values.extend(settings.set.iter().cloned());
        let engine = Engine::new(&files.config, &environment.clone().with(values.iter().cloned()));
        let known = engine.as_ref().ok().map(Engine::config);
        let personas = file.and_then(|mut file| file.take("personas")).and_then(|item| Personas::read(&item, known));
        let mut all = at(Place::Tests, reader.into_faults());
        match engine {
            Ok(engine) if all.is_empty() => {
                Ok(Self { config: files.config.clone(), values, engine, personas: personas.unwrap_or_default() })
            }
            Ok(_) => Err(all),
            Err(faults) => {
                all.splice(0..0, at(Place::Config, faults));
                Err(all)
            }
        }
    }

    /// The persona of that name.
    ///
    /// # Errors
    /// The name that was meant, or all that there are.
    pub(crate) fn persona(&self, name: &str) -> Result<&Persona, String> {
        self.personas.get(name).ok_or_else(|| {
            let meant = match nearest(name, self.personas.names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known are {}", self.personas.names().collect::<Vec<_>>().join(", ")),
            };
            format!("no persona is called `{}`; {}", printable(name), printable(&meant))
        })
    }

    /// What a token of that persona says.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn claims(&self, persona: &Persona) -> Result<Arc<Map<String, Value>>, String> {
        let now = cognito_authorizer::time::now().ok_or("the machine's clock is wrong")?;
        self.engine.token(persona, now).map(|minted| minted.claims)
    }
}

fn text_of(item: &cognito_authorizer::config::Item<'_>) -> Option<String> {
    if item.node().text() == Some("") { Some(String::new()) } else { item.string() }
}

const TESTS: &str = "authorizer.test.yaml";

const NO_TESTS: &str = "personas: {}";
