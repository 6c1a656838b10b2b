//! The server in a folder of its own, and as much of HTTP as it takes to ask it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

pub(crate) const CONFIG: &str = r#"issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: "${CLIENT}" }
  - oidc: { issuer: "https://login.example.com", audience: api, algorithms: [ES256, EdDSA] }
routes:
  GET /items: {}
  GET /admin: { any_group: [admin], introspect: true }
revocations: { table: revocations }
"#;

pub(crate) const TESTS: &str = r#"environment: { CLIENT: web, "secretsmanager:prod/key#a": "1" }
personas:
  reader: { issuer: cognito, scopes: [https://api.example.com/read] }
  stolen: { extends: reader, groups: [admin], live: revoked }
  unlucky: { extends: reader, live: outage }
  spa: { issuer: oidc }
tests: []
"#;

/// A running `authctl dev`; it ends when this is dropped.
pub(crate) struct Dev {
    child: Child,
    pub(crate) folder: PathBuf,
    pub(crate) base: String,
    pub(crate) key: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}\n{}", self.head, self.body))
    }
}

impl Dev {
    /// In a folder with these two files. The name is the test's own.
    pub(crate) fn start(name: &str, config: &str, tests: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dev").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("authorizer.yaml"), config).unwrap();
        std::fs::write(folder.join("authorizer.test.yaml"), tests).unwrap();
        Self::start_in(&folder, &[])
    }

    pub(crate) fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        let mut child =
            command(folder).args(["dev", "--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (base, key) =
            line.trim_start_matches("playground").trim().split_once("/#").unwrap_or_else(|| panic!("{line}"));
        Self { child, folder: folder.to_owned(), base: base.to_owned(), key: key.to_owned() }
    }

    pub(crate) fn authctl(&self, arguments: &[&str]) -> Output {
        self.authctl_with(&[], arguments)
    }

    pub(crate) fn authctl_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        command(&self.folder).envs(environment.iter().copied()).args(arguments).output().unwrap()
    }

    #[track_caller]
    pub(crate) fn token(&self, persona: &str) -> String {
        let output = self.authctl(&["token", persona]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[track_caller]
    pub(crate) fn claims(&self, arguments: &[&str]) -> Map<String, Value> {
        let output = self.authctl(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        claims(String::from_utf8(output.stdout).unwrap().trim())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.raw(&format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers(headers)))
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = self.headers(headers);
        self.raw(&format!("POST {path} HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
    }

    pub(crate) fn aws(&self, target: &str, body: &Value) -> Answer {
        self.post("/", &[("x-amz-target", target)], &body.to_string())
    }

    fn headers(&self, headers: &[(&str, &str)]) -> String {
        let host = self.base.trim_start_matches("http://");
        let own: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("Host: {host}\r\nConnection: close\r\n{own}")
    }

    /// These bytes on a connection of their own.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // It may answer before it has read all, and hang up.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a token says.
pub(crate) fn claims(token: &str) -> Map<String, Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authctl"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(folder);
    command
}
