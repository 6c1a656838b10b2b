//! `authctl`: revokes tokens, shows and lifts what was revoked, makes API keys, tries Cedar policies, and
//! checks a configuration before it is deployed. For people; no part of the function.
//!
//! Answers on stdout, complaints on stderr; 0 where all was done, 1 where not, 2 for a
//! command line that makes no sense. No token and no secret is in any of them, but
//! for a new API key, which is printed once.

use arguments::{Arguments, Command, PersonaOptions, SchemaOf, Setting};
use clap::Parser;
use clap::error::ErrorKind;
use cognito_authorizer::config::Environment;
use cognito_authorizer_operator::workbench::{Needs, Suite, config_schema, tests_schema};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

mod annotations;
mod arguments;
mod cedar;
mod check;
mod comparing;
mod complaint;
mod dev;
mod discovery;
mod explaining;
mod importing;
mod issuers;
mod key;
mod matrix;
mod revocations;
mod revoke;
mod table;
mod template;
mod testing;

/// What was done and, where not all was, what went wrong.
struct Outcome {
    text: String,
    failure: Option<String>,
}

impl Outcome {
    fn done(text: impl ToString) -> Self {
        Self { text: text.to_string(), failure: None }
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and the version hold nothing of the user's words.
        Err(error) if !error.use_stderr() => {
            say(&mut io::stdout(), &error.render().to_string());
            return ExitCode::SUCCESS;
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            say(&mut io::stderr(), &error.render().to_string());
            return ExitCode::from(2);
        }
        Err(error) => {
            say(&mut io::stderr(), &format!("authctl: {}\n", complaint::about(&error)));
            return ExitCode::from(2);
        }
    };
    let outcome = run(arguments.command).unwrap_or_else(|why| Outcome { text: String::new(), failure: Some(why) });
    say(&mut io::stdout(), &outcome.text);
    match outcome.failure {
        None => ExitCode::SUCCESS,
        Some(why) => {
            say(&mut io::stderr(), &format!("authctl: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<Outcome, String> {
    let environment = Environment::of_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        match command {
            Command::Revoke(what) => revoke::run(what, &environment).await,
            Command::Revocations(what) => revocations::run(what, &environment).await,
            Command::Dev(arguments) => dev::run(arguments, environment).await,
            Command::Token(arguments) => dev::token(&arguments, environment),
            Command::Key(what) => key::run(what, &environment).await,
            Command::Cedar(what) => cedar::run(what, &environment).await,
            Command::Check(arguments) => check::run(&arguments, environment),
            Command::Discovery(arguments) => discovery::run(&arguments, environment),
            Command::Diff(arguments) => comparing::run(&arguments, environment),
            Command::Import(arguments) => importing::run(&arguments),
            Command::Test(arguments) => testing::run(&arguments, &environment),
            Command::Explain(arguments) => explaining::run(&arguments, &environment),
            Command::Matrix(arguments) => matrix::run(&arguments, &environment),
            Command::Schema { of } => Ok(Outcome::done(schema(of))),
        }
    })
}

/// The configuration and the personas that the options name.
fn personas(options: &PersonaOptions, environment: &Environment) -> Result<Suite, String> {
    let given = pairs(&options.config.set);
    let config = options.config.config.as_deref();
    let default = PathBuf::from(testing::DEFAULT_FILE);
    let file = options.tests.as_ref().unwrap_or(&default);
    let suite = match std::fs::read_to_string(file) {
        Ok(text) => Suite::of_text(&text, file, config, environment, &given, Needs::Personas),
        // Without a file of tests there are events, and nobody.
        Err(_) if options.tests.is_none() => Suite::of_text("{}", file, config, environment, &given, Needs::Personas),
        Err(error) => return Err(format!("cannot read `{}`: {error}", file.display())),
    };
    suite.map_err(|error| format!("{}\n{error}", counted(error.0.len(), "fault")))
}

fn schema(of: SchemaOf) -> String {
    let schema = match of {
        SchemaOf::Config => config_schema(),
        SchemaOf::Tests => tests_schema(),
    };
    format!("{schema:#}\n")
}

fn pairs(settings: &[Setting]) -> Vec<(String, String)> {
    settings.iter().map(|setting| (setting.name.clone(), setting.value.0.clone())).collect()
}

fn counted(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// Whoever closed the pipe has read enough.
fn say(to: &mut dyn Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
