//! The `authctl` binary, run to its end.

use std::io::Write;
use std::process::{Command, Stdio};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_authctl");

/// `authctl` in an environment of its own, and what it must never show.
pub(crate) struct Authctl {
    environment: Vec<(String, String)>,
    secrets: Vec<String>,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Authctl {
    pub(crate) fn with(environment: Vec<(String, String)>) -> Self {
        Self { environment, secrets: Vec::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// From now on no run may show this text, or the signature part of it.
    pub(crate) fn never_shows(&mut self, secret: &str) {
        self.secrets.push(secret.rsplit('.').next().unwrap().to_owned());
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Run {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // A directory without an `authorizer.yaml`, so that none is found by accident.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command line that makes no sense is refused before anything is read.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let run = Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        for secret in &self.secrets {
            let shown = run.stdout.contains(secret) || run.stderr.contains(secret);
            assert!(!shown, "{arguments:?} shows a secret:\n{run:#?}");
        }
        run
    }

    /// Runs it where it must succeed and say all of this.
    #[track_caller]
    pub(crate) fn does(&self, arguments: &[&str], stdin: &str, says: &[&str]) -> Run {
        let run = self.run(arguments, stdin);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}\n{}", run.stdout);
        for expected in says {
            assert!(run.stdout.contains(expected), "{arguments:?}\n{}\nshould contain {expected}", run.stdout);
        }
        run
    }

    /// Runs it where it must fail and complain about this.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], stdin: &str, complaint: &str) -> Run {
        let run = self.run(arguments, stdin);
        assert!(!matches!(run.code, Some(0) | None), "{arguments:?}\n{run:#?}");
        assert!(run.stderr.contains(complaint), "{arguments:?}\n{}\nshould contain {complaint}", run.stderr);
        run
    }
}
