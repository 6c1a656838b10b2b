//! `authctl dev`: what a function and its developer need where there is no AWS. Issuers whose tokens anybody here can
//! have, the answers of live checks, and a page on which to try the table.
//!
//! | file | what it does |
//! |---|---|
//! | `arguments` | the command line |
//! | `session` | the keys and settings that all commands of a folder share |
//! | `keys` | key pairs, JWK Sets, signatures |
//! | `project` | the configuration and the personas, read anew for each question |
//! | `tokens` | a persona's token |
//! | `event` | a sample of an event with a token in it |
//! | `local_config` | the configuration with local addresses |
//! | `server` | HTTP on loopback, and who may ask |
//! | `issuers` | discovery, keys, live checks |
//! | `page`, `api`, `judged` | the playground |
//!
//! Nothing of it is in the function, and nothing here makes the function take what it would not take elsewhere: it gets a
//! configuration whose keys are here.

mod api;
pub(crate) mod arguments;
mod event;
mod issuers;
mod judged;
mod keys;
mod local_config;
mod page;
mod project;
mod server;
mod session;
mod tokens;

use crate::Outcome;
use arguments::{Dev, DevCommand, Token};
use cognito_authorizer::config::Environment;
use cognito_authorizer_operator::revoking::printable;
use project::Project;
use session::{FOLDER, Session};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Starts the server, or does what belongs to it.
pub(crate) async fn run(arguments: Dev, environment: Environment) -> Result<Outcome, String> {
    match arguments.command {
        None => start(arguments, environment).await,
        Some(DevCommand::Exec(what)) => exec(&what.program, environment),
        Some(DevCommand::Event(what)) => {
            let session = Session::open(Path::new(FOLDER))?;
            let project = Project::load(&session.settings, &environment)?;
            let sample = std::fs::read_to_string(&what.event)
                .map_err(|error| format!("cannot read `{}`: {error}", what.event.display()))?;
            event::filled(&sample, what.persona.as_deref(), &project, &session.keys).map(Outcome::done)
        }
    }
}

/// Prints a token.
pub(crate) fn token(arguments: &Token, environment: Environment) -> Result<Outcome, String> {
    let session = Session::open(Path::new(FOLDER))?;
    let project = Project::load(&session.settings, &environment)?;
    let persona = project.persona(&arguments.persona)?;
    let token = tokens::token(persona, arguments.ttl, &project, &session.keys)?;
    Ok(Outcome::done(format!("{token}\n")))
}

async fn start(arguments: Dev, environment: Environment) -> Result<Outcome, String> {
    let folder = Path::new(FOLDER);
    if arguments.new_keys {
        let _ = std::fs::remove_file(folder.join("session.json"));
    }
    let mut session = Session::open(folder)?;
    let (listener, port) = server::listen(arguments.port).await?;
    let set = arguments.set.into_iter().map(|setting| (setting.name, setting.value.0));
    session.settings = session::Settings {
        config: arguments.config.map(absolute).transpose()?,
        tests: arguments.tests.map(absolute).transpose()?,
        set: set.collect(),
        port,
    };
    let project = Project::load(&session.settings, &environment)?;
    session.save(folder)?;
    let text = welcome(&project, &session);
    crate::say(&mut std::io::stdout(), &text);
    let serving = server::serve(listener, Arc::new(session));
    let Some((program, rest)) = arguments.program.split_first() else {
        serving.await;
        return Ok(Outcome::done(""));
    };
    let mut child =
        Command::new(program).args(rest).spawn().map_err(|error| format!("cannot start the command: {error}"))?;
    let ended = tokio::task::spawn_blocking(move || child.wait());
    tokio::select! {
        () = serving => Ok(Outcome::done("")),
        status = ended => match status {
            Ok(Ok(status)) if status.success() => Ok(Outcome::done("")),
            Ok(Ok(status)) => Err(format!("the command ended: {status}")),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        },
    }
}

fn welcome(project: &Project, session: &Session) -> String {
    let base = server::base(session.settings.port);
    let mut text = format!("playground  {base}/#{}\n", session.access_key);
    for (index, issuer) in project.engine.config().expectations().enumerate() {
        text.push_str(&format!(
            "issuer      {} signs here: {base}/issuers/{index}/jwks.json\n",
            printable(&issuer.issuer)
        ));
    }
    let names: Vec<&str> = project.personas.names().collect();
    let names =
        if names.is_empty() { "none: write some into authorizer.test.yaml".to_owned() } else { names.join(", ") };
    text.push_str(&format!("personas    {}\n", printable(&names)));
    text
}

/// Becomes the function: the program runs with a configuration whose keys are here, and with an AWS that is here.
fn exec(program: &[OsString], environment: Environment) -> Result<Outcome, String> {
    let session = Session::open(Path::new(FOLDER))?;
    let base = server::base(session.settings.port);
    let project = Project::load(&session.settings, &environment)?;
    let local = local_config::with_local_addresses(&project.config.text, &base).map_err(|faults| faults.to_string())?;
    let Some((program, rest)) = program.split_first() else { return Err("no program is given".to_owned()) };
    let mut command = Command::new(program);
    command.args(rest);
    // Stand-ins for secrets are no variables: the function asks for them.
    let variables = project.values.iter().filter(|(name, _)| !name.contains(':'));
    command.envs(variables.map(|(name, value)| (name, value)));
    command.env("AUTHORIZER_CONFIG", local).env("LAMBDA_TASK_ROOT", absolute(project.config.folder.clone())?);
    // A program that is being worked on gets no real credentials, and reaches no AWS.
    let is_account = |name: &str| name.starts_with("AWS_") && !name.starts_with("AWS_LAMBDA_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_account(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.env("AWS_ENDPOINT_URL", &base).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", &session.access_key).env("AWS_SECRET_ACCESS_KEY", "local");
    Err(format!("cannot start the function: {}", replace_this_process(&mut command)))
}

#[cfg(unix)]
fn replace_this_process(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace_this_process(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, String> {
    let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
    std::path::absolute(&path).map_err(|error| format!("`{}`: {error}", path.display()))
}
