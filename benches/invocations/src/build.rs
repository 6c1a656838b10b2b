//! Builds what is measured, each as it is delivered.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs are.
pub(crate) struct Built {
    /// Cargo's `release` folder: this harness's own.
    pub(crate) folder: PathBuf,
    /// Where results go, and what the programs read.
    pub(crate) results: PathBuf,
    /// The Node program; `None` where there is no Node or its package cannot be had.
    pub(crate) node_program: Option<PathBuf>,
}

/// Builds the authorizer alone.
pub(crate) fn authorizer(root: &Path) -> Result<PathBuf, String> {
    let folder = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = folder.parent().ok_or("the harness is in no folder")?;
    let target = folder.parent().ok_or("the harness is in no target folder")?;
    cargo_build(&root.join("Cargo.toml"), ["--bin", "authorizer"], target)?;
    Ok(folder.join("authorizer"))
}

fn cargo_build(manifest: &Path, what: [&str; 2], target: &Path) -> Result<(), String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--locked"]).args(what);
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target);
    let built = cargo.status().is_ok_and(|status| status.success());
    if built { Ok(()) } else { Err(format!("`cargo build {}` failed", what.join(" "))) }
}

/// Builds the authorizer and the references. Each on its own: Cargo unites the
/// features of what it builds together, and nobody deploys that.
pub(crate) fn all(root: &Path) -> Result<Built, String> {
    let folder = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = folder.parent().ok_or("the harness is in no folder")?.to_owned();
    let target = folder.parent().ok_or("the harness is in no target folder")?;
    let benches = root.join("benches");
    for (manifest, what) in [
        (root.join("Cargo.toml"), ["--bin", "authorizer"]),
        (benches.join("Cargo.toml"), ["--package", "constant"]),
        (benches.join("Cargo.toml"), ["--package", "jsonwebtoken-minimum"]),
    ] {
        cargo_build(&manifest, what, target)?;
    }
    let results = target.join("bench");
    std::fs::create_dir_all(&results).map_err(|error| error.to_string())?;
    Ok(Built { results, node_program: node_program(&benches.join("reference/aws_jwt_verify")), folder })
}

fn node_program(folder: &Path) -> Option<PathBuf> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(folder).stdin(Stdio::null());
    let installed = folder.join("node_modules").is_dir() || npm.status().is_ok_and(|status| status.success());
    if !installed {
        eprintln!("aws-jwt-verify is left out: it needs Node and npm");
    }
    installed.then(|| folder.join("index.mjs"))
}
