//! The command lines of `authctl test`, `explain` and `matrix`.

use super::{Setting, setting};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files of tests; without one `authorizer.test.yaml`
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigOptions,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t = TestFormat::Text)]
    pub(crate) format: TestFormat,
    /// Fail where a route, or a branch of its requirement, is not reached, for allow and for refusal
    #[arg(long)]
    pub(crate) require_coverage: bool,
    /// Run again whenever one of the files changes
    #[arg(long)]
    pub(crate) watch: bool,
    /// The time of the tests that name none, such as 2026-12-01T00:00:00Z; without it now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A request (`GET /users/7`, `$connect`), the file of an event, or a decision line of the log; `-` reads it from standard input
    pub(crate) what: String,
    /// The persona who sends it
    #[arg(long = "as", value_name = "PERSONA")]
    pub(crate) persona: Option<String>,
    #[command(flatten)]
    pub(crate) personas: PersonaOptions,
    /// The kind of event: rest_token, rest_request, http_1.0, http_2.0 or websocket
    #[arg(long, value_name = "KIND")]
    pub(crate) on: Option<String>,
    /// When, such as 2026-12-01T00:00:00Z; without it now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The address that the request comes from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source_ip: Option<String>,
    /// How the explanation is printed
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text)]
    pub(crate) format: ExplainFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) color: Colour,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArguments {
    #[command(flatten)]
    pub(crate) personas: PersonaOptions,
    /// How the matrix is printed
    #[arg(long, value_enum, default_value_t = MatrixFormat::Text)]
    pub(crate) format: MatrixFormat,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The time of the requests, such as 2026-12-01T00:00:00Z; without it now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigOptions {
    /// The configuration; without it the one that the file of tests names, else the authorizer.yaml beside it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A variable of the function's environment; goes before the `environment` of the file of tests
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
}

#[derive(Debug, Args)]
pub(crate) struct PersonaOptions {
    /// The file of tests that has the personas; without it `authorizer.test.yaml`, where there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) tests: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    Text,
    Json,
    Junit,
    Tap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    Text,
    Markdown,
    Csv,
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// authorizer.yaml
    Config,
    /// authorizer.test.yaml
    Tests,
}
