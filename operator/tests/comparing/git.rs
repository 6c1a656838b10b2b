//! Revisions of a repository.

use crate::authctl::{authctl, folder};
use std::path::Path;
use std::process::Command;

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(status.status.success(), "{status:?}");
}

const CONFIG: &str =
    "issuers: [{ oidc: { issuer: https://a.example, audience: [api] } }]\nroutes: { GET /a: { any_scope: [s] } }\n";

#[test]
fn a_revision_is_compared_with_the_working_tree_and_with_another() {
    let folder = folder("repository");
    let _ = std::fs::remove_dir_all(folder.join(".git"));
    git(&folder, &["init", "-q"]);
    for text in [CONFIG.to_owned(), CONFIG.replace("[s]", "[s, t]")] {
        std::fs::write(folder.join("authorizer.yaml"), text).unwrap();
        git(&folder, &["add", "authorizer.yaml"]);
        git(&folder, &["commit", "-q", "-m", "change"]);
    }
    std::fs::write(folder.join("authorizer.yaml"), CONFIG.replace("{ any_scope: [s] }", "{}")).unwrap();
    let run = authctl(&folder, &["diff", "HEAD~1:authorizer.yaml", "HEAD:authorizer.yaml"]);
    assert!(run.stdout.contains("\"scope\":\"t\"") && run.stdout.ends_with("1 widened\n"), "{run:?}");
    let run = authctl(&folder, &["diff", "HEAD:authorizer.yaml", "--fail-on", "widened"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for (name, why) in [
        ("HEAD:none.yaml", "git has no `HEAD:none.yaml`"),
        ("--output=x:a", "unexpected argument"),
        ("none.yaml", "cannot read"),
    ] {
        let run = authctl(&folder, &["diff", name, "authorizer.yaml"]);
        assert!(run.code != Some(0) && run.stderr.contains(why), "{run:?}");
    }
}
