//! docs/revoking.md: its commands run as they stand there, its variables are those of the programs.

use crate::authctl::PROGRAM;
use crate::ministack::{MiniStack, USERNAME};
use crate::processes::scratch;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use test_support::certificates::client;

const PAGE: &str = include_str!("../../../docs/revoking.md");

/// The ```sh blocks; those for an account are marked otherwise.
fn scripts() -> Vec<String> {
    let mut scripts = Vec::new();
    let mut inside: Option<String> = None;
    for line in PAGE.lines() {
        match (inside.take(), line) {
            (None, "```sh") => inside = Some(String::new()),
            (Some(script), "```") => scripts.push(script),
            (Some(script), line) => inside = Some(format!("{script}{line}\n")),
            (None, _) => {}
        }
    }
    scripts
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn the_commands_work_as_they_stand_there() {
    let ministack = MiniStack::start().await;
    let pool = ministack.pool().await;
    let folder = scratch("documentation");
    let scripts = scripts();
    assert_eq!(scripts.len(), 8, "{scripts:#?}");
    for script in scripts {
        let tokens = ministack.sign_in(&pool).await;
        std::fs::write(folder.join("token.txt"), &tokens.access).unwrap();
        std::fs::write(folder.join("partner-a.pem"), client("partner-a")).unwrap();
        std::fs::write(folder.join("refresh-token.txt"), &tokens.refresh).unwrap();
        let output = Command::new("/bin/sh")
            .args(["-euc", &script])
            .env_clear()
            .envs(ministack.environment())
            .env("PATH", Path::new(PROGRAM).parent().unwrap())
            .env("USER_POOL_ID", &pool.id)
            .env("CLIENT_ID", &pool.client_id)
            .env("USERNAME", USERNAME)
            .env("SUB", &pool.subject)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|error| panic!("sh: {error}"));
        let text = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaint.is_empty(), "{script}{text}{complaint}");
    }
}

#[test]
fn the_variables_are_those_that_the_programs_read() {
    for (heading, files) in [
        (
            "## `authctl`",
            &["src/bin/authctl/main.rs", "src/bin/authctl/table.rs", "src/bin/authctl/revoke.rs"] as &[&str],
        ),
        ("## The `revoker`", &["src/bin/revoker.rs"]),
    ] {
        let section = PAGE.split_once(&format!("\n{heading}\n")).unwrap().1;
        let section = section.split("\n## ").next().unwrap();
        let table = section.split_once("| variable |").unwrap().1;
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let described: BTreeSet<_> = rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect();
        let mut read = BTreeSet::new();
        for file in files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let code = std::fs::read_to_string(path).unwrap();
            let calls = code.split("environment.get(\"").skip(1);
            read.extend(calls.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()));
        }
        assert_eq!(described, read, "{heading}");
    }
}
