//! The binary in a folder of its own, run to its end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) const ISSUERS: &str = "issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]\n";

/// Files in a folder, and what the environment holds.
pub(crate) struct Folder(PathBuf);

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    /// A folder with `authorizer.yaml` and `template.yaml`. The name is the test's own.
    pub(crate) fn new(name: &str, config: &str, template: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("authorizer.yaml"), config).unwrap();
        std::fs::write(folder.join("template.yaml"), template).unwrap();
        Self(folder)
    }

    /// Where a file of that name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The repository itself.
    pub(crate) fn repository() -> Self {
        Self(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
    }

    pub(crate) fn check(&self, arguments: &[&str]) -> Run {
        self.check_with(&[], arguments)
    }

    pub(crate) fn check_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        let started = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_authctl"))
            .arg("check")
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(started.elapsed() < MUCH_TOO_LONG, "it took {:?}", started.elapsed());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// It ended so, and said all of this on standard output.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for expected in says {
            assert!(self.stdout.contains(expected), "{}\nshould contain {expected}", self.stdout);
        }
        assert!(!self.stdout.contains('\u{1b}') && !self.stderr.contains('\u{1b}'), "no control characters");
        assert_eq!(self.stderr.is_empty(), code == 0, "{}", self.stderr);
    }
}

/// On a machine that does a lot beside.
const MUCH_TOO_LONG: Duration = Duration::from_secs(60);
