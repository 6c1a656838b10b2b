//! `authctl import`: a first `authorizer.yaml` from what a team has. Nothing is asked of AWS.
//!
//! No rule lets in more than its route did. Where that is in doubt, the rule refuses, and a comment says why.
//!
//! | file | what it does |
//! |---|---|
//! | `openapi`, `from_template`, `serverless`, `terraform` | one format each, into `found` |
//! | `found` | routes, who guards them, and what was not read |
//! | `draft`, `issuers`, `route_keys` | `found` becomes sections of a configuration |
//! | `file`, `yaml` | the sections as text, which is read back before anyone gets it |

mod draft;
mod file;
mod found;
mod from_template;
mod issuers;
mod openapi;
mod route_keys;
mod serverless;
mod terraform;
mod yaml;

pub(crate) use found::{Asks, Found};

use crate::Outcome;
use crate::arguments::Import;
use crate::template::{Node, Template};
use cognito_authorizer::config::Faults;
use cognito_authorizer::config::yaml::{Tags, parse as parse_yaml};
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeMap;
use std::path::Path;

/// Imports, and prints the configuration.
pub(crate) fn run(arguments: &Import) -> Result<Outcome, String> {
    let parameters = arguments.parameter.iter().map(|setting| (setting.name.clone(), setting.value.0.clone()));
    let found = read(&arguments.file, arguments.api.as_deref(), &parameters.collect())?;
    let name = arguments.file.file_name().map(|name| printable(&name.to_string_lossy())).unwrap_or_default();
    if found.routes.is_empty() {
        let remarks: String = found.remarks.iter().map(|remark| format!("\n{}", printable(remark))).collect();
        return Err(format!("{name}: no route was found{remarks}"));
    }
    file::write(&found, &name).map(Outcome::done)
}

/// What a file says of routes and who guards them.
///
/// # Errors
/// All that is wrong with it, each with file, line and column where it has them.
pub(crate) fn read(path: &Path, api: Option<&str>, parameters: &BTreeMap<String, String>) -> Result<Found, String> {
    let shown = printable(&path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    let root = parse(&text).map_err(|faults| with_places(&shown, &faults))?;
    let found = match Format::of(&root) {
        Some(Format::Template) => {
            Template::read(&root, parameters).and_then(|template| from_template::read(&template, api))
        }
        Some(Format::OpenApi) if api.is_none() => Ok(openapi::read(&root)),
        Some(Format::Serverless) if api.is_none() => Ok(serverless::read(&root)),
        Some(Format::OpenApi | Format::Serverless) => Err("has one API: --api is for templates and plans".to_owned()),
        Some(Format::Terraform) => terraform::read(&root, api),
        None => Err(NO_FORMAT.to_owned()),
    };
    found.map_err(|why| format!("{shown}:{}:{}: {why}", root.line, root.column))
}

fn parse(text: &str) -> Result<Node, Faults> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (root, faults) = parse_yaml(text, Tags::CloudFormation)?;
    if faults.is_empty() { Ok(root) } else { Err(Faults(faults)) }
}

/// Faults, each with its file, line and column.
pub(crate) fn with_places(file: &str, faults: &Faults) -> String {
    let told = faults.0.iter().map(|fault| {
        let place = match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}: "),
            _ => format!("{file}: "),
        };
        let within = if fault.place.is_empty() { String::new() } else { format!("{}: ", fault.place) };
        printable(&format!("{place}{within}{}", fault.message))
    });
    told.collect::<Vec<_>>().join("\n")
}

#[derive(Clone, Copy, Debug)]
enum Format {
    OpenApi,
    Template,
    Serverless,
    Terraform,
}

impl Format {
    fn of(root: &Node) -> Option<Self> {
        let has = |key: &str| root.get(key).is_some();
        if has("openapi") || has("swagger") {
            return Some(Format::OpenApi);
        }
        if has("Resources") {
            return Some(Format::Template);
        }
        if has("terraform_version") && (has("planned_values") || has("values")) {
            return Some(Format::Terraform);
        }
        (has("service") && (has("provider") || has("functions"))).then_some(Format::Serverless)
    }
}

const NO_FORMAT: &str = "is none of what can be imported: OpenAPI (`openapi:`), a SAM, CloudFormation or CDK template \
    (`Resources:`), serverless.yml (`service:` and `provider:`), or what `terraform show -json` prints";
