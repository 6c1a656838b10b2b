//! README.md and docs/ say what is so: every example of a configuration loads, or gives the faults that stand below it;
//! every key, reason and variable of the code is described and no other; links and `make` targets exist.
//!
//! Blocks of YAML say in their info string what they are: `yaml` is a whole file; `yaml fragment` lacks its `issuers` or
//! `routes`, which are added here; `yaml fault` likewise, and the `text` block after it holds its faults, one a line, in
//! which `...` stands for any rest; `yaml template` is CloudFormation's; `yaml enricher` is an `enricher.yaml`, `yaml tests` an `authorizer.test.yaml`. One more word, `cedar` or `no-cedar`, says which
//! build it is for.

use crate::{read, root};
use cognito_authorizer::config::enricher::EnricherConfig;
use cognito_authorizer::config::{Config, ConfigText, Environment};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[test]
fn every_example_loads_or_gives_the_faults_below_it() {
    let mut wrong = Vec::new();
    for page in pages() {
        let blocks = page.blocks();
        for (index, block) in blocks.iter().enumerate() {
            let Some(kind) = block.info.strip_prefix("yaml") else { continue };
            let kind = match kind.rsplit_once(' ') {
                Some((kind, "cedar")) if cfg!(feature = "cedar") => kind,
                Some((kind, "no-cedar")) if cfg!(not(feature = "cedar")) => kind,
                Some((_, "cedar" | "no-cedar")) => continue,
                _ => kind,
            };
            let expected = match kind.trim() {
                "" | "fragment" => "",
                "fault" => match blocks.get(index + 1) {
                    Some(next) if next.info == "text" && next.line == block.end + 1 => next.text.as_str(),
                    _ => panic!("{}:{}: no ```text follows with the faults", page.name, block.line),
                },
                "enricher" => {
                    let text = ConfigText { text: block.text.clone(), folder: PathBuf::new() };
                    if let Err(faults) = EnricherConfig::parse(&text, &environment()) {
                        wrong.push(format!("{}:{} gives\n{faults}", page.name, block.line));
                    }
                    continue;
                }
                // `operator/tests/workbench/documents.rs` runs them.
                "template" | "tests" | "tests fault" => continue,
                other => panic!("{}:{}: what is ```yaml {other}?", page.name, block.line),
            };
            let text = if kind.is_empty() { block.text.clone() } else { completed(&block.text) };
            let actual = faults(&text);
            let is_expected = actual.len() == expected.lines().count()
                && actual.iter().zip(expected.lines()).all(|(actual, expected)| fits(actual, expected));
            if !is_expected {
                let actual = actual.join("\n");
                wrong.push(format!("{}:{} gives\n{actual}\nand should give\n{expected}", page.name, block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_configuration_that_is_deployed_loads() {
    assert_eq!(faults(&read("authorizer.yaml")), [""; 0]);
}

#[test]
fn every_key_is_described_and_no_other() {
    let probe = "
issuers:
  - cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web, introspection: { '?': 1 }, '?': 1 }
  - oidc: { issuer: https://login.example.com, audience: api, claims: { '?': 1 }, introspection: { '?': 1 }, dpop: { '?': 1 }, '?': 1 }
  - api_keys: { table: keys, '?': 1 }
  - certificates: { authorities: { '?': 1 }, identities: [{ '?': 1 }], '?': 1 }
  - signatures: { '?': 1 }
routes: { $default: { '?': 1 } }
jwks: { '?': 1 }
http_api: { '?': 1 }
rest_api: { '?': 1 }
policy: { '?': 1 }
token: [{ '?': 1 }, { cookie: c, csrf: { '?': 1 } }]
revocations: { '?': 1 }
cedar: { '?': 1 }
metrics: { '?': 1 }
'?': 1
";
    let text = ConfigText { text: probe.to_owned(), folder: PathBuf::new() };
    let faults = Config::parse(&text, &environment()).expect_err("it has unknown keys");
    let known: BTreeMap<&str, BTreeSet<String>> = faults
        .0
        .iter()
        .filter_map(|fault| {
            let keys = fault.message.strip_prefix("unknown key; known are ")?;
            let place = fault.place.strip_suffix("\"?\"")?;
            Some((place.trim_end_matches('.'), keys.split(", ").map(str::to_owned).collect()))
        })
        .collect();
    let page = Page::read("docs/configuration.md");
    let sections = [
        ("", "The whole file"),
        ("issuers[0].cognito", "`cognito`"),
        ("issuers[1].oidc", "`oidc`"),
        ("issuers[1].oidc.claims", "`claims` of an issuer"),
        ("routes.$default", "Requirements"),
        ("jwks", "`jwks`"),
        ("http_api", "`http_api`"),
        ("rest_api", "`rest_api`"),
        ("policy", "`policy`"),
        ("token[0]", "`token`"),
        ("token[1].csrf", "Tokens in cookies"),
        ("issuers[0].cognito.introspection", "`introspection` of a `cognito` issuer"),
        ("issuers[1].oidc.introspection", "`introspection` of an `oidc` issuer"),
        ("revocations", "`revocations`"),
        ("cedar", "`cedar`"),
        ("metrics", "`metrics`"),
    ];
    let of_credentials = [
        ("issuers[2].api_keys", "API keys"),
        ("issuers[3].certificates", "Client certificates"),
        ("issuers[3].certificates.identities[0]", "Identities"),
        ("issuers[4].signatures", "Signed requests"),
    ];
    let credentials = Page::read("docs/credentials.md");
    for (place, heading) in of_credentials {
        let known = known.get(place).unwrap_or_else(|| panic!("no keys are told at `{place}`"));
        assert_eq!(&credentials.table(heading, "key"), known, "the keys of `{place}`, under \"{heading}\"");
    }
    // A build without Cedar reads no further than that.
    for (place, heading) in sections.into_iter().filter(|(place, _)| cfg!(feature = "cedar") || *place != "cedar") {
        let known = known.get(place).unwrap_or_else(|| panic!("no keys are told at `{place}`"));
        assert_eq!(&page.table(heading, "key"), known, "the keys of `{place}`, under \"{heading}\"");
    }
}

#[test]
fn every_variable_that_is_read_is_described_and_no_other() {
    let mut read_by_the_code = BTreeSet::new();
    for file in files("src", "rs") {
        let text = read(&file);
        let calls = text.split("environment.get(\"").skip(1);
        read_by_the_code.extend(calls.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()));
    }
    assert_eq!(Page::read("docs/configuration.md").table("Where it is read from", "variable"), read_by_the_code);
}

#[test]
fn every_reason_is_described_in_its_class_and_no_other() {
    // In the table of reasons: row("code", Class, ..)
    let mut classes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in read("src/denial.rs").split("=> row(\"").skip(1) {
        let (code, rest) = row.split_once("\", ").expect("a code in quotes");
        let (class, _) = rest.split_once(',').expect("a class");
        classes.entry(class.to_owned()).or_default().insert(code.to_owned());
    }

    let page = Page::read("docs/reasons.md");
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["Forbidden", "Unauthorized", "Unavailable"]);
    for (class, codes) in classes {
        assert_eq!(page.table(&class, "code"), codes, "{class}");
    }
}

#[test]
fn the_log_line_of_the_readme_has_the_fields_that_are_logged() {
    let blocks = Page::read("README.md").blocks();
    let lines: Vec<_> = blocks.iter().filter(|block| block.info == "json").collect();
    let [line] = lines.as_slice() else { panic!("one log line, as JSON") };
    let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line.text).expect("JSON");
    let documented = Page::read("docs/operations.md").table("The decision line", "field");
    for field in line.keys() {
        assert!(documented.contains(field), "`{field}` is not in docs/operations.md");
    }
    let logged = read("src/gateway/handler.rs");
    for field in documented.iter().filter(|field| !["timestamp", "level"].contains(&field.as_str())) {
        let is_logged = [" =", ","].iter().any(|after| logged.contains(&format!("            {field}{after}")));
        assert!(is_logged, "`{field}` is not logged");
    }
}

#[test]
fn every_metric_and_every_alarm_is_described_and_no_other() {
    let page = Page::read("docs/operations.md");
    let written: BTreeSet<String> =
        cognito_authorizer::metrics::ALL.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(page.table("Metrics", "metric"), written);
    let template = read("template.yaml");
    let alarms = template.lines().zip(template.lines().skip(1));
    let alarms = alarms.filter(|(_, kind)| kind.trim() == "Type: AWS::CloudWatch::Alarm");
    let alarms: BTreeSet<String> = alarms.map(|(name, _)| name.trim().trim_end_matches(':').to_owned()).collect();
    let rows = page.table("The dashboard and the alarms", "alarm");
    // One row speaks of two.
    let described: BTreeSet<String> =
        rows.into_iter().flat_map(|row| row.split("`, `").map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(described, alarms);
}

#[test]
fn every_relative_link_leads_somewhere() {
    for page in pages() {
        for target in page.links() {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').map_or((target.as_str(), None), |(p, a)| (p, Some(a)));
            let folder = Path::new(&page.name).parent().unwrap();
            let file = if path.is_empty() { PathBuf::from(&page.name) } else { folder.join(path) };
            assert!(root().join(&file).exists(), "{}: there is no {target}", page.name);
            if let Some(anchor) = anchor {
                let there = Page::read(file.to_str().unwrap()).headings().iter().any(|heading| slug(heading) == anchor);
                assert!(there, "{}: there is no heading for {target}", page.name);
            }
        }
    }
}

#[test]
fn every_make_target_that_is_named_exists() {
    let makefile = read("Makefile");
    let mut named = 0;
    for page in pages() {
        let scripts = page.blocks().into_iter().filter(|block| block.info == "sh").map(|block| block.text);
        let commands: Vec<String> = page.spans().into_iter().chain(scripts).collect();
        for line in commands.iter().flat_map(|command| command.lines()) {
            let Some(words) = line.strip_prefix("make ") else { continue };
            let target = words.split_whitespace().find(|word| !word.contains('=')).unwrap_or("help");
            let is_target = |line: &str| line.split_once(':').is_some_and(|(name, _)| name == target);
            assert!(makefile.lines().any(is_target), "{}: the Makefile has no target `{target}`", page.name);
            named += 1;
        }
    }
    assert!(named > 3, "no commands were found");
}

#[test]
fn every_threat_has_its_code_and_tests_that_exist() {
    let page = Page::read("docs/threat-model.md");
    let rows: Vec<Vec<&str>> = page
        .prose()
        .into_iter()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect();
    let threats: Vec<_> = rows.iter().filter(|row| row.len() == 4 && row[0] != "threat").collect();
    assert!(threats.len() > 25, "{} threats", threats.len());
    for row in &rows {
        assert!(row.len() == 4 || row.len() == 3 && !row[2].contains("]("), "a threat without a test: {}", row[0]);
    }
    for row in threats {
        let [threat, _, code, tests] = row[..] else { panic!("four columns") };
        assert!(code.contains("]("), "{threat}: no code");
        // `[file](../path): `name`, `name`; [file]...`
        for place in tests.split("; ") {
            let (file, names) = place.split_once("): ").unwrap_or_else(|| panic!("{threat}: {place}"));
            let (_, path) = file.split_once("](../").unwrap_or_else(|| panic!("{threat}: {file}"));
            let text = read(path).replace("#[tokio::test(start_paused = true)]", "#[test]");
            for name in names.split(", ").map(|name| name.trim_matches('`')) {
                let is_test = text.split("#[test]").skip(1).any(|rest| {
                    let function = rest.split_once("fn ").map_or("", |(_, rest)| rest);
                    function.split('(').next() == Some(name)
                });
                assert!(is_test, "{threat}: {path} has no test `{name}`");
            }
        }
    }
}

/// One page, by its path from the repository's root.
struct Page {
    name: String,
    text: String,
}

/// A fenced block.
struct Block {
    info: String,
    text: String,
    /// The lines of its fences.
    line: usize,
    end: usize,
}

impl Page {
    fn read(name: &str) -> Self {
        Self { name: name.to_owned(), text: read(name) }
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    open = Some(Block { info: info.to_owned(), text: String::new(), line: index + 1, end: 0 });
                }
                (Some(_), Some(block)) => blocks.push(Block { end: index + 1, ..block }),
                (None, Some(mut block)) => {
                    block.text += line;
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block has no end", self.name);
        blocks
    }

    /// Its lines outside of blocks.
    fn prose(&self) -> Vec<&str> {
        let mut inside = false;
        self.text
            .lines()
            .filter(|line| {
                let is_fence = line.starts_with("```");
                inside ^= is_fence;
                !inside && !is_fence
            })
            .collect()
    }

    fn headings(&self) -> Vec<&str> {
        let marked = self.prose().into_iter().filter(|line| line.starts_with('#'));
        marked.filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')).collect()
    }

    /// The code spans of its prose.
    fn spans(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        assert_eq!(prose.matches('`').count() % 2, 0, "{}: a code span has no end", self.name);
        prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect()
    }

    /// The targets of its links.
    fn links(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.map(|(target, _)| target.to_owned()).collect()
    }

    /// What stands in code in the first column of the tables under `heading` whose first column is called `column`.
    fn table(&self, heading: &str, column: &str) -> BTreeSet<String> {
        let prose = self.prose();
        let is_heading = |line: &str| line.starts_with('#');
        let start = prose.iter().position(|line| is_heading(line) && line.trim_start_matches('#').trim() == heading);
        let start = start.unwrap_or_else(|| panic!("{}: no heading \"{heading}\"", self.name));
        let section = prose[start + 1..].iter().take_while(|line| !is_heading(line));
        let mut rows = BTreeSet::new();
        let mut inside = false;
        for line in section {
            let first = line.strip_prefix('|').and_then(|row| row.split('|').next()).map(str::trim);
            inside = match first {
                Some(first) if first == column => true,
                Some(first) if inside => {
                    if let Some(name) = first.strip_prefix('`').and_then(|name| name.strip_suffix('`')) {
                        assert!(rows.insert(name.to_owned()), "{}: duplicate `{name}`", self.name);
                    }
                    true
                }
                _ => false,
            };
        }
        rows
    }
}

/// README.md and docs/*.md, and the pages that stand beside what they are about.
fn pages() -> Vec<Page> {
    let others = [
        "README.md",
        "SECURITY.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "fuzz/README.md",
        "cdk/README.md",
        "terraform/README.md",
        "tests/vectors/README.md",
    ];
    let names = files("docs", "md").into_iter().chain(others.map(str::to_owned));
    names.map(|name| Page::read(&name)).collect()
}

/// The files below a folder, from the repository's root.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.extend(files(&name, extension));
        } else if entry.path().extension().is_some_and(|found| found == extension) {
            found.push(name);
        }
    }
    found
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A fragment with the parts that it lacks; added at the end, so that the lines of the fragment stay the same.
fn completed(fragment: &str) -> String {
    let has = |key: &str| fragment.lines().any(|line| line.starts_with(key));
    let mut text = fragment.to_owned();
    if !has("issuers:") {
        text += "issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]\n";
    }
    if !has("routes:") {
        text += "routes: { $default: {} }\n";
    }
    text
}

/// What the start says of a configuration.
fn faults(text: &str) -> Vec<String> {
    let text = ConfigText { text: text.to_owned(), folder: folder_with_keys() };
    match Config::parse(&text, &environment()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

fn fits(actual: &str, expected: &str) -> bool {
    match expected.strip_suffix("...") {
        Some(start) => actual.starts_with(start),
        None => actual == expected,
    }
}

/// A folder in which `jwks.json` is a JWK Set, `ca.pem` holds authorities, and `policies` are the example's.
fn folder_with_keys() -> PathBuf {
    let keys: serde_json::Value = serde_json::from_str(&read("tests/keys/jwks.json")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
    std::fs::create_dir_all(&folder).unwrap();
    // Tests run at once, in threads or in processes: none may see half a file.
    let mine = folder.join(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::write(&mine, serde_json::json!({ "keys": [keys["rsa-a"]] }).to_string()).unwrap();
    std::fs::rename(&mine, folder.join("jwks.json")).unwrap();
    std::fs::write(&mine, read("tests/certificates/authorities.pem")).unwrap();
    std::fs::rename(&mine, folder.join("ca.pem")).unwrap();
    // The example's policies, likewise.
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies).unwrap();
    for name in ["documents.cedar", "limits.cedar", "documents.cedarschema"] {
        std::fs::write(&mine, read(&format!("policies/{name}"))).unwrap();
        std::fs::rename(&mine, policies.join(name)).unwrap();
    }
    folder
}

/// What the examples take from the environment.
fn environment() -> Environment {
    Environment::from([
        ("USER_POOL_ID", "us-east-1_AbCdEf123"),
        ("CLIENT_IDS", "web,machine"),
        ("REVOCATIONS_TABLE", "revocations"),
        ("TENANTS_TABLE", "tenants"),
        ("ENRICHER_TABLE", "tenants"),
        ("JWKS_URI", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123/.well-known/jwks.json"),
        ("secretsmanager:prod/authorizer#client_secret", "any"),
        ("secretsmanager:prod/request-signatures", "0123456789abcdef0123456789abcdef"),
    ])
}
