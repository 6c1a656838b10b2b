//! `authctl cedar`: are the policies and the route table all right, which policies
//! decide about an event, and the same policies for Verified Permissions.

use crate::Outcome;
use crate::arguments::Cedar;
use cognito_authorizer::config::Environment;

#[cfg(feature = "cedar")]
mod check;
#[cfg(feature = "cedar")]
mod explain;
#[cfg(feature = "cedar")]
mod template;

#[cfg(feature = "cedar")]
pub(crate) async fn run(what: Cedar, environment: &Environment) -> Result<Outcome, String> {
    match what {
        Cedar::Check(options) => check::run(&options, environment),
        Cedar::Explain(arguments) => explain::run(&arguments, environment).await,
        Cedar::Template(options) => template::run(&options, environment),
    }
}

#[cfg(not(feature = "cedar"))]
pub(crate) async fn run(_: Cedar, _: &Environment) -> Result<Outcome, String> {
    Err("this authctl has no Cedar: build it with `--features cedar`".to_owned())
}

#[cfg(feature = "cedar")]
fn configured(
    options: &crate::arguments::CedarOptions,
    environment: &Environment,
) -> Result<cognito_authorizer::config::Config, String> {
    use cognito_authorizer::config::{Config, ConfigText};
    let text = match &options.config {
        Some(path) => crate::table::read_config(path),
        None => ConfigText::find(environment),
    };
    text.and_then(|text| Config::parse(&text, environment)).map_err(|faults| faults.to_string())
}
