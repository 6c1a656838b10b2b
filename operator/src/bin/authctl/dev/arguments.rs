//! The command line of `authctl dev` and `authctl token`.

use super::session::DEFAULT_PORT;
use crate::arguments::{Setting, duration, setting};
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Dev {
    #[command(subcommand)]
    pub(crate) command: Option<DevCommand>,
    /// The authorizer's configuration; without it where the authorizer looks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The file with the personas; without it authorizer.test.yaml beside the configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) tests: Option<PathBuf>,
    /// A variable of the function's environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
    /// Where to listen on 127.0.0.1; 0 for a port that is free
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,
    /// Make new keys: tokens from before are good no longer
    #[arg(long)]
    pub(crate) new_keys: bool,
    /// A command to run beside the server, and to end with
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DevCommand {
    /// Run a function's program with the local issuers' keys, for `cargo lambda watch`
    Exec(Exec),
    /// Print an event with real tokens in the place of words such as ${READER}
    Event(SampleEvent),
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct SampleEvent {
    /// The sample, as in events/
    pub(crate) event: PathBuf,
    /// Whose token to put into it; without it each word's own persona's
    #[arg(long = "as", value_name = "PERSONA")]
    pub(crate) persona: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The persona, of authorizer.test.yaml
    pub(crate) persona: String,
    /// How long it is good for, such as 90s, 15m or 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub(crate) ttl: Duration,
}
