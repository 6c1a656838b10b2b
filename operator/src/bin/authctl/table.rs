//! Which table is meant, and which routes ask it.

use crate::arguments::TableOptions;
use aws_sdk_dynamodb::Client;
use cognito_authorizer::config::{ConfigText, Environment, Faults, RevocationSettings};
use cognito_authorizer_operator::revoking::{CheckedRoutes, RevocationStore, load};
use std::path::Path;

/// The table and what the configuration says of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) checked: CheckedRoutes,
}

impl Table {
    /// The table that the options name, else the configuration, else `REVOCATIONS_TABLE`.
    pub(crate) fn find(options: &TableOptions, environment: &Environment) -> Result<Self, String> {
        let settings = match &options.config {
            Some(path) => {
                read_config(path).and_then(|text| RevocationSettings::parse(&text, environment)).map_err(told)?
            }
            // A configuration that only happens to be near is of use where it is whole.
            None => match ConfigText::find(environment) {
                Ok(text) => match RevocationSettings::parse(&text, environment) {
                    Ok(settings) => settings,
                    Err(faults) if options.table.is_none() => return Err(told(faults)),
                    Err(_) => None,
                },
                Err(_) => None,
            },
        };
        let configured = settings.as_ref().map(|settings| settings.table.as_str());
        let name = options.table.as_deref().or(configured).or(environment.get("REVOCATIONS_TABLE"));
        let name = name.filter(|name| !name.is_empty()).ok_or(NO_TABLE)?.to_owned();
        let checked = match settings {
            Some(settings) if settings.table == name && settings.always => CheckedRoutes::All,
            Some(settings) if settings.table == name => CheckedRoutes::Introspected,
            _ => CheckedRoutes::Unknown,
        };
        Ok(Self { name, checked })
    }

    pub(crate) async fn store(&self) -> RevocationStore {
        RevocationStore::new(Client::new(&load(None).await), self.name.clone())
    }
}

pub(crate) fn read_config(path: &Path) -> Result<ConfigText, Faults> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Faults::one(format!("cannot read the configuration `{}`: {error}", path.display())))?;
    Ok(ConfigText { text, folder: path.parent().map(Path::to_path_buf).unwrap_or_default() })
}

fn told(faults: Faults) -> String {
    format!("{faults}\n(or name the table with --table)")
}

const NO_TABLE: &str =
    "no table: give --table or REVOCATIONS_TABLE, or an authorizer.yaml with `revocations` (--config)";

#[cfg(test)]
mod tests {
    use super::*;

    fn find(table: Option<&str>, environment: &Environment) -> Result<(String, CheckedRoutes), String> {
        let options = TableOptions { table: table.map(str::to_owned), config: None };
        Table::find(&options, environment).map(|table| (table.name, table.checked))
    }

    #[test]
    fn the_option_goes_before_the_configuration_and_that_before_the_environment() {
        let configured = |config| Environment::from([("AUTHORIZER_CONFIG", config), ("REVOCATIONS_TABLE", "e")]);
        let whole = configured("revocations: { table: c, check: all }");
        assert_eq!(find(None, &whole), Ok(("c".into(), CheckedRoutes::All)));
        assert_eq!(find(Some("c"), &whole), Ok(("c".into(), CheckedRoutes::All)));
        assert_eq!(find(Some("o"), &whole), Ok(("o".into(), CheckedRoutes::Unknown)));
        let from_environment = configured("revocations: { table: '${REVOCATIONS_TABLE}' }");
        assert_eq!(find(None, &from_environment), Ok(("e".into(), CheckedRoutes::Introspected)));
        let without = configured("issuers: []");
        assert_eq!(find(None, &without), Ok(("e".into(), CheckedRoutes::Unknown)));
    }

    #[test]
    fn a_faulty_configuration_matters_where_it_is_needed() {
        let faulty = Environment::from([("AUTHORIZER_CONFIG", "revocations: { table: '${NONE_SUCH}' }")]);
        assert!(find(None, &faulty).unwrap_err().contains("the environment has no `NONE_SUCH`"));
        assert_eq!(find(Some("o"), &faulty), Ok(("o".into(), CheckedRoutes::Unknown)));
        let nothing = Environment::from([("AUTHORIZER_CONFIG_FILE", "/none/such.yaml")]);
        assert_eq!(find(None, &nothing), Err(NO_TABLE.to_owned()));
        let options = TableOptions { table: Some("o".into()), config: Some("/none/such.yaml".into()) };
        assert!(Table::find(&options, &nothing).unwrap_err().contains("cannot read the configuration"));
    }
}
