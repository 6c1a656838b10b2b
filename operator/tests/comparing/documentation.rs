//! Every command of docs/comparing.md, and what it prints.

use crate::authctl::{authctl, folder};
use std::path::Path;
use std::process::Command;

#[test]
fn the_commands_of_the_page_print_what_it_shows() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/comparing.md")).unwrap();
    let block = |info: &str| {
        let (_, rest) = page.split_once(&format!("```{info}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let folder = folder("documentation");
    let _ = std::fs::remove_dir_all(folder.join(".git"));
    let old = "issuers: [{ oidc: { issuer: https://login.example.com, audience: [api] } }]
routes:
  GET /items: { any_scope: [items.read] }
  ANY /admin/{proxy+}: { any_group: [admin] }
  ANY /{proxy+}: { any_scope: [items.read] }
";
    std::fs::write(folder.join("authorizer.yaml"), old).unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        assert!(
            Command::new("git").args(identity).args(arguments).current_dir(&folder).output().unwrap().status.success()
        );
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "authorizer.yaml"]);
    git(&["commit", "-q", "-m", "before"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let new = old.replace("  ANY /admin/{proxy+}: { any_group: [admin] }\n", "");
    std::fs::write(folder.join("authorizer.yaml"), &new).unwrap();
    git(&["commit", "-q", "-a", "-m", "now"]);
    std::fs::write(folder.join("before.yaml"), old).unwrap();
    let mut commands = 0;
    for line in page.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines()) {
        let words: Vec<&str> = line.strip_prefix("authctl ").unwrap().split(' ').collect();
        let run = authctl(&folder, &words);
        assert_eq!(run.code, Some(i32::from(words.contains(&"--fail-on"))), "{line}: {run:?}");
        if commands == 0 {
            assert_eq!(run.stdout, block("text"), "{run:?}");
        }
        commands += 1;
    }
    assert_eq!(commands, 3);
}
