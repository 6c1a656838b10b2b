//! `authctl matrix`: who may do what.

use crate::Outcome;
use crate::arguments::{MatrixArguments, MatrixFormat};
use crate::testing::time;
use cognito_authorizer::config::Environment;
use cognito_authorizer_operator::workbench::Matrix;

pub(crate) fn run(arguments: &MatrixArguments, environment: &Environment) -> Result<Outcome, String> {
    let suite = crate::personas(&arguments.personas, environment)?;
    let at = time(arguments.at.as_deref())?;
    let matrix = Matrix::of(&suite.engine, &suite.personas, at)?;
    let text = match arguments.format {
        MatrixFormat::Text => matrix.text(),
        MatrixFormat::Markdown => matrix.markdown(),
        MatrixFormat::Csv => matrix.csv(),
        MatrixFormat::Html => matrix.html(&suite.config_path.display().to_string(), at),
    };
    let Some(path) = &arguments.output else { return Ok(Outcome::done(text)) };
    std::fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(Outcome::done(format!("{}\n", path.display())))
}
