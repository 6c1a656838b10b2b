//! The real `authctl`, in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What it answered.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) complaint: String,
}

/// Runs it in that folder, with nothing in the environment but these.
pub(crate) fn authctl(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authctl"));
    command.current_dir(folder).args(arguments).env_clear().envs(environment.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: status.code(), out: text(stdout), complaint: text(stderr) }
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A folder with these files, which goes with the process's temporary folder.
pub(crate) fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("workbench").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}
