//! The variables without which `lambda_runtime` panics.
//!
//! Lambda sets all of them. A Runtime API elsewhere (an emulator, a test, a bench)
//! may give its address alone; the others only describe the function, so the
//! process starts itself anew with stand-ins. Setting a variable in place would be
//! `unsafe`.

use crate::config::Environment;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Where the Runtime API is.
pub fn address(environment: &Environment) -> Result<&str, String> {
    let address = environment.get("AWS_LAMBDA_RUNTIME_API");
    address.ok_or("AWS_LAMBDA_RUNTIME_API is not set: this program is started by Lambda or by `cargo lambda`".into())
}

/// Makes sure that the variables are there, and says where the Runtime API is.
pub fn complete(environment: &Environment) -> Result<&str, String> {
    let address = address(environment)?;
    let missing: Vec<_> = STAND_INS.iter().filter(|(name, _)| environment.get(name).is_none()).copied().collect();
    if missing.is_empty() {
        return Ok(address);
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Err(Command::new(program).args(std::env::args_os().skip(1)).envs(missing).exec().to_string())
}

const STAND_INS: [(&str, &str); 3] = [
    ("AWS_LAMBDA_FUNCTION_NAME", env!("CARGO_PKG_NAME")),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
];
