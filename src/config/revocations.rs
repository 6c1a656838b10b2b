//! The `revocations` section alone: whoever writes the table must know its name, and
//! has neither the other sections' environment nor a use for them.

use super::fields::{Fields, Reader};
use super::settings::Revocations;
use super::{ConfigText, Environment, Faults, settings, yaml};
use crate::http::RemoteCounts;

/// What the section says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationSettings {
    /// The table's name.
    pub table: String,
    /// Whether every route asks it, not only those with `introspect`.
    pub always: bool,
}

impl RevocationSettings {
    /// Reads the section; `None` where there is none. Faults elsewhere in the file are
    /// the authorizer's to tell.
    ///
    /// # Errors
    /// What is not YAML, and the section's own [`Faults`].
    pub fn parse(text: &ConfigText, environment: &Environment) -> Result<Option<Self>, Faults> {
        let (root, _) = yaml::parse(&text.text, yaml::Tags::Refused)?;
        let reader = Reader::new(environment, &text.folder, Vec::new());
        let section = Fields::of(&reader, &root, "")
            .and_then(|mut file| settings::revocations(&mut file, &RemoteCounts::default()));
        let faults = reader.into_faults();
        match section {
            Some(section) if faults.is_empty() => {
                Ok(section.map(|Revocations { table, always }| Self { table: table.name().to_owned(), always }))
            }
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<(String, bool)>, String> {
        let text = ConfigText { text: text.to_owned(), folder: "tests".into() };
        let settings = RevocationSettings::parse(&text, &Environment::from([("TABLE", "t")]));
        let settings = settings.map(|settings| settings.map(|settings| (settings.table, settings.always)));
        settings.map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_section_is_read_without_the_others_environment() {
        let others = "issuers: [{ cognito: { user_pool_id: '${USER_POOL_ID}', client_ids: '${CLIENT_IDS}' } }]\n";
        for (section, expected) in [
            ("", None),
            ("revocations: { table: x }", Some(("x".to_owned(), false))),
            ("revocations: { table: '${TABLE}', check: all }", Some(("t".to_owned(), true))),
            ("revocations: { table: '${NONE:-d}', check: introspected }", Some(("d".to_owned(), false))),
        ] {
            assert_eq!(read(&format!("{others}{section}")), Ok(expected), "{section}");
        }
    }

    #[test]
    fn its_own_faults_are_told() {
        for (text, fault) in [
            ("revocations: { table: '${REVOCATIONS_TABLE}' }", "the environment has no `REVOCATIONS_TABLE`"),
            ("revocations: {}", "revocations.table: is missing"),
            ("revocations: { table: x, chek: all }", "unknown key"),
            ("[]", "must be a map"),
            ("a: [", "not YAML"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
