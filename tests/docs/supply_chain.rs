//! What can be said of the dependencies without a tool that takes minutes to install; `make deny` says the rest.

use crate::{read, root};
use std::collections::BTreeSet;

const LOCK_FILES: [&str; 3] = ["Cargo.lock", "benches/Cargo.lock", "fuzz/Cargo.lock"];

/// The packages of our own, which come from nowhere.
const OURS: [&str; 7] = [
    "cognito-authorizer",
    "cognito-authorizer-operator",
    "constant",
    "fuzz",
    "invocations",
    "jsonwebtoken-minimum",
    "test-support",
];

#[test]
fn every_dependency_comes_from_the_registry_with_its_checksum() {
    for file in LOCK_FILES {
        let packages = packages(file);
        assert!(packages.len() > 50, "{file}");
        for package in packages {
            let of = |key: &str| field(&package, key);
            let name = of("name").unwrap();
            if OURS.contains(&name.as_str()) {
                assert_eq!(of("source"), None, "{file}: {name}");
                continue;
            }
            let source = of("source").unwrap_or_else(|| panic!("{file}: {name} comes from a folder"));
            assert_eq!(source, "registry+https://github.com/rust-lang/crates.io-index", "{file}: {name}");
            assert_eq!(of("checksum").map(|sum| sum.len()), Some(64), "{file}: {name} has no checksum");
        }
    }
}

/// Nothing else builds with it day by day.
#[test]
fn the_fuzz_targets_lock_file_knows_what_this_package_depends_on() {
    let mut packages = packages("fuzz/Cargo.lock").into_iter();
    let ours = packages.find(|package| field(package, "name").as_deref() == Some("cognito-authorizer")).unwrap();
    let locked: BTreeSet<&str> =
        ours.lines().filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next()).collect();
    let manifest = read("Cargo.toml");
    let dependencies = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let wanted = dependencies.lines().filter(|line| !line.contains("optional = true"));
    assert_eq!(locked, wanted.filter_map(|line| line.split_whitespace().next()).collect());
}

/// Reading a command line is no part of the function, and neither is anything else that only people need.
#[test]
fn the_authorizer_has_no_command_line() {
    let packages = packages("Cargo.lock");
    let mut of_the_authorizer = BTreeSet::from(["cognito-authorizer".to_owned()]);
    let mut waiting: Vec<String> = of_the_authorizer.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        let package = packages.iter().find(|package| field(package, "name").as_ref() == Some(&name)).unwrap();
        for line in package.lines().filter_map(|line| line.strip_prefix(" \"")) {
            let name = line.split(['"', ' ']).next().unwrap().to_owned();
            if of_the_authorizer.insert(name.clone()) {
                waiting.push(name);
            }
        }
    }
    assert!(of_the_authorizer.len() > 50 && of_the_authorizer.contains("tokio"), "{of_the_authorizer:?}");
    let command_line = |name: &&String| name.starts_with("clap") || name.starts_with("cognito-authorizer-");
    assert_eq!(of_the_authorizer.iter().find(command_line), None);
}

#[test]
fn what_is_banned_is_not_there() {
    let rules = read("deny.toml");
    let banned: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("{ name = \"")?.split('"').next()).collect();
    assert!(banned.contains(&"openssl") && banned.contains(&"rsa"), "{banned:?}");
    for package in packages("Cargo.lock") {
        let name = field(&package, "name").unwrap();
        assert!(!banned.contains(&name.as_str()), "{name} is banned");
    }
}

#[test]
fn what_is_kept_for_a_reason_is_still_there() {
    let names: BTreeSet<String> =
        packages("Cargo.lock").iter().map(|package| field(package, "name").unwrap()).collect();
    let rules = read("deny.toml");
    let kept = rules.lines().filter_map(|line| line.strip_prefix("#   ")).filter(|line| !line.starts_with(' '));
    let kept: Vec<&str> = kept.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(kept.len() > 5, "{kept:?}");
    for name in kept {
        assert!(names.contains(name), "deny.toml keeps `{name}`, which is not there");
    }
}

/// Without `--locked` a build takes whatever versions are there on the day.
#[test]
fn the_release_is_built_from_the_lock_file() {
    let files: Vec<String> = std::iter::once("Makefile".to_owned())
        .chain(std::fs::read_dir(root().join("tools")).unwrap().filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.ends_with(".sh").then(|| format!("tools/{name}"))
        }))
        .collect();
    let mut commands = 0;
    for file in &files {
        let text = read(file).replace("\\\n", " ");
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            for command in [
                "cargo build",
                "cargo lambda build",
                "cargo test",
                "cargo nextest run",
                "cargo run",
                "cargo doc",
                "cargo install",
            ] {
                if let Some((_, rest)) = line.split_once(command) {
                    let rest = rest.split(';').next().unwrap_or_default();
                    assert!(rest.contains("--locked"), "{file}: {}", line.trim());
                    commands += 1;
                }
            }
        }
    }
    assert!(commands > 8, "{commands} commands");
}

/// The `[[package]]` tables of a lock file.
fn packages(file: &str) -> Vec<String> {
    read(file).split("[[package]]").skip(1).map(str::to_owned).collect()
}

fn field(package: &str, key: &str) -> Option<String> {
    let line = package.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")))?;
    line.strip_suffix('"').map(str::to_owned)
}
