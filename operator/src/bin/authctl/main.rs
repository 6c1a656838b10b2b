//! `authctl`: revokes tokens, shows and lifts what was revoked, makes API keys, tries Cedar policies, and
//! checks a configuration before it is deployed. For people; no part of the function.
//!
//! Answers on stdout, complaints on stderr; 0 where all was done, 1 where not, 2 for a
//! command line that makes no sense. No token and no secret is in any of them, but
//! for a new API key, which is printed once.

use arguments::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use cognito_authorizer::config::Environment;
use std::io::{self, Write};
use std::process::ExitCode;

mod arguments;
mod cedar;
mod check;
mod comparing;
mod complaint;
mod discovery;
mod importing;
mod issuers;
mod key;
mod revocations;
mod revoke;
mod table;
mod template;

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
            Command::Key(what) => key::run(what, &environment).await,
            Command::Cedar(what) => cedar::run(what, &environment).await,
            Command::Check(arguments) => check::run(&arguments, environment),
            Command::Discovery(arguments) => discovery::run(&arguments, environment),
            Command::Diff(arguments) => comparing::run(&arguments, environment),
            Command::Import(arguments) => importing::run(&arguments),
        }
    })
}

/// Whoever closed the pipe has read enough.
fn say(to: &mut dyn Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
