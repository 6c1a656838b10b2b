//! docs/enriching.md says what is so: keys, reserved claims, reasons, log messages; its command runs.

use cognito_authorizer::config::enricher::EnricherConfig;
use cognito_authorizer::config::{ConfigText, Environment};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use test_support::processes::scratch;

const PAGE: &str = include_str!("../../../docs/enriching.md");

fn section(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    section.split("\n## ").next().unwrap()
}

/// The code spans of the first column.
fn rows(section: &str) -> BTreeSet<String> {
    let first = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    first.flat_map(|cell| cell.split('`').step_by(2).map(str::to_owned)).filter(|name| !name.is_empty()).collect()
}

fn code(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between the two in the code.
fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(after)).map(|(found, _)| found.to_owned()).collect()
}

fn parse(text: &str) -> Result<EnricherConfig, String> {
    let text = ConfigText { text: text.to_owned(), folder: PathBuf::new() };
    EnricherConfig::parse(&text, &Environment::default()).map_err(|faults| faults.to_string())
}

#[test]
fn the_reserved_claims_are_those_that_are_refused() {
    let list = section("## Reserved claims").split("\n\n").nth(1).unwrap();
    let names: Vec<&str> = list.split(". (").next().unwrap().split('`').skip(1).step_by(2).collect();
    assert_eq!(names.len(), 23, "{names:?}");
    for name in names.into_iter().chain(["scope", "scp", "cnf"]) {
        let name = if name.ends_with(':') { format!("{name}x") } else { name.to_owned() };
        let faults = parse(&format!("claims: {{ '{name}': {{ group_prefix: a }} }}")).unwrap_err();
        assert!(faults.contains(&name), "{faults}");
    }
}

#[test]
fn every_key_is_described() {
    let described = rows(section("## enricher.yaml")).into_iter().collect::<Vec<_>>().join(" ");
    let keys = code("../src/config/enricher.rs");
    let mut read = between(&keys, "take(\"", "\"");
    read.extend(between(&keys, "require(\"", "\""));
    read.extend(["user_key", "client_key", "claims", "bytes"].map(str::to_owned));
    let everywhere = section("## enricher.yaml");
    for key in read {
        assert!(described.contains(&key) || everywhere.contains(&format!("`{key}: ")), "{key} is not described");
    }
}

#[test]
fn every_reason_and_every_message_is_described_and_no_other() {
    let reasons = between(&code("src/enriching/refusal.rs"), "=> \"", "\",");
    assert_eq!(rows(section("## What fails")), reasons);
    let mut messages = between(&code("src/enriching/enricher.rs"), "message = \"", "\"");
    messages.extend(between(&code("src/bin/enricher.rs"), "message = \"", "\""));
    assert_eq!(rows(section("## The log")), messages);
}

#[test]
fn the_file_of_the_repository_loads_and_adds_only_what_users_cannot_write() {
    assert_eq!(parse(&code("../enricher.yaml")).unwrap().warnings(), [""; 0]);
    // And the other one of its two, without the `#`.
    let text = code("../enricher.yaml");
    let (_, commented) = text.split_once("\n# lookup:\n").unwrap();
    let environment = Environment::from([("ENRICHER_TABLE", "tenants")]);
    let other = ConfigText { text: format!("lookup:\n{}", commented.replace("# ", "")), folder: PathBuf::new() };
    assert_eq!(EnricherConfig::parse(&other, &environment).unwrap().warnings(), [""; 0]);
}

#[test]
fn its_command_works_as_it_stands_there() {
    let (_, rest) = PAGE.split_once("```sh\nauthctl check").unwrap();
    let (arguments, _) = rest.split_once("\n```").unwrap();
    let folder = scratch("enriching-page");
    let block = PAGE.split_once("```yaml enricher\n").unwrap().1.split("```").next().unwrap();
    std::fs::write(folder.join("enricher.yaml"), block).unwrap();
    let config = "issuers: [{ cognito: { user_pool_id: us-east-1_A, client_ids: web } }]
routes: { 'GET /tenants/{tenant}': { claims: { tenant: '{tenant}' } } }";
    std::fs::write(folder.join("authorizer.yaml"), config).unwrap();
    let run = || {
        let program = test_support::program("authctl");
        let output = Command::new(program)
            .arg("check")
            .args(arguments.split_whitespace())
            .env_clear()
            .env("TENANTS_TABLE", "tenants")
            .current_dir(&folder)
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    };
    let (good, text) = run();
    assert!(good && text.contains("The enricher\n  warning: the claim `device` is the client metadata"), "{text}");

    let changed = block
        .replace("{ item: tenant, required: true }", "{ client_metadata: t }")
        .replace("device:", "d: { item: d }\n  device:");
    std::fs::write(folder.join("enricher.yaml"), changed).unwrap();
    let (good, text) = run();
    assert!(!good && text.contains("error: `GET /tenants/{tenant}` relies on the claim `tenant`"), "{text}");

    std::fs::write(folder.join("enricher.yaml"), "claims: { sub: { item: a } }").unwrap();
    let (good, text) = run();
    assert!(!good && text.contains("fault: claims.sub: is a claim that Cognito lets nobody add"), "{text}");
}
