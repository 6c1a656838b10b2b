//! `authctl check`: what can be known of a configuration, and of the template that
//! attaches it, before anything is deployed. Nothing is asked of AWS.
//!
//! | file | what it does |
//! |---|---|
//! | `finding` | errors, warnings and notes |
//! | `table` | the rules alone: by what answers may be cached, whether policies could cover tokens |
//! | `keys` | whether a cache's key tells apart what must be |
//! | `judge` | one API beside the rules |
//! | `attributes` | rules that rely on what users may change |
//! | `enriched` | claims that the enricher adds, and who may write them |
//! | `openapi` | an OpenAPI document beside the rules |
//! | `logs` | access logs that callers could write members into |

mod attributes;
mod enriched;
mod finding;
mod judge;
mod keys;
mod logs;
mod openapi;
mod table;

use crate::annotations::{self, Level, annotation};
use crate::arguments::Check;
use crate::importing;
use crate::table::read_config;
use crate::template::{Api, Guard, OtherWay, Template};
use crate::{Outcome, counted, pairs};
use cognito_authorizer::config::enricher::EnricherConfig;
use cognito_authorizer::config::{Config, ConfigText, Environment, Fault, Faults};
use cognito_authorizer_operator::revoking::printable;
use finding::{Finding, Weight};
use judge::{Judgement, judge};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Checks, and says what was found.
pub(crate) fn run(arguments: &Check, environment: Environment) -> Result<Outcome, String> {
    let environment = environment.with(pairs(&arguments.set));
    let text = match &arguments.config {
        Some(path) => read_config(path),
        None => ConfigText::find(&environment),
    };
    let config = match text.and_then(|text| Config::parse(&text, &environment)) {
        Ok(config) => config,
        Err(faults) => return Ok(told(&faults, arguments.config.as_deref(), &environment)),
    };
    let enricher = arguments.enricher.as_ref().map(|path| read_config(path)).transpose();
    let enricher = enricher.and_then(|text| text.map(|text| EnricherConfig::parse(&text, &environment)).transpose());
    let enricher = match enricher {
        Ok(enricher) => enricher,
        Err(faults) => return Ok(told(&faults, arguments.enricher.as_deref(), &environment)),
    };
    let mut report = Report { text: "no faults\n".to_owned(), counts: BTreeMap::new(), found: Vec::new() };
    report
        .text
        .push_str("\nBy what answers may be cached. Token, method and path are always enough, and so is no cache.\n");
    report.text.push_str(&table::of_rules(&config));
    let mut remarks = table::remarks(&config);
    let added = enricher.as_ref().map(enriched::added_to_access_tokens).unwrap_or_default();
    remarks.extend(attributes::absent(&config, &added));
    report.tell("The rules", "", remarks);
    if let Some(enricher) = &enricher {
        report.tell("The enricher", "", enriched::findings(&config, enricher));
    }
    if let Some(path) = &arguments.template {
        let template = read(path)?;
        let parameters = pairs(&arguments.parameter).into_iter().collect();
        let template = Template::parse(&template, &parameters)
            .map_err(|error| printable(&format!("the template `{}`: {error}", path.display())))?;
        against(&config, &template, arguments, &mut report)?;
    }
    if let Some(path) = &arguments.openapi {
        let found = importing::read(path, None, &BTreeMap::new())?;
        let name = path.file_name().map(|name| printable(&name.to_string_lossy())).unwrap_or_default();
        let mut drift = openapi::drift(&config, &found, &name);
        if drift.is_empty() {
            drift.push(Finding::note(format!("{name} and the rules agree on routes and scopes")));
        }
        report.tell("The OpenAPI document", "", drift);
    }
    if annotations::are_read(&environment) {
        crate::say(&mut std::io::stderr(), &annotated(&report.found, &file(arguments)));
    }
    let (errors, warnings) = (report.count(Weight::Error), report.count(Weight::Warning));
    let summary = format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
    report.text.push_str(&format!("\n{summary}\n"));
    let fails = errors > 0 || arguments.strict && warnings > 0;
    Ok(Outcome { text: report.text, failure: fails.then_some(summary) })
}

/// Faults, each on a line.
fn told(faults: &Faults, file: Option<&Path>, environment: &Environment) -> Outcome {
    if annotations::are_read(environment) {
        let path = file.unwrap_or(Path::new("authorizer.yaml"));
        let of = |fault: &Fault| {
            let message = format!("{}: {}", fault.place, fault.message);
            annotation(Level::Error, path, fault.line.zip(fault.column), "authctl check", &message)
        };
        crate::say(&mut std::io::stderr(), &faults.0.iter().map(of).collect::<String>());
    }
    let lines = faults.0.iter().map(|fault| format!("fault: {}\n", printable(&fault.to_string())));
    let failure = format!("{}: the function would not start", counted(faults.0.len(), "fault"));
    Outcome { text: lines.collect(), failure: Some(failure) }
}

/// The file that annotations are about: the template where there is one, else the configuration.
fn file(arguments: &Check) -> PathBuf {
    let file = arguments.template.as_ref().or(arguments.config.as_ref());
    file.cloned().unwrap_or_else(|| PathBuf::from("authorizer.yaml"))
}

fn annotated(found: &[Finding], path: &Path) -> String {
    let line = |finding: &Finding| {
        let level = match finding.weight {
            Weight::Error => Level::Error,
            Weight::Warning => Level::Warning,
            Weight::Note => return None,
        };
        Some(annotation(level, path, None, "authctl check", &finding.text))
    };
    found.iter().filter_map(line).collect()
}

/// Holds the template's APIs against the configuration.
fn against(config: &Config, template: &Template, arguments: &Check, report: &mut Report) -> Result<(), String> {
    let mut whole: Vec<Finding> = template.remarks.iter().map(Finding::warning).collect();
    whole.extend(
        template.stacks.iter().map(|name| Finding::note(format!("{name} is a stack of its own, and was not read"))),
    );
    let function = function(template, arguments.function.as_deref())?;
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    let mut open: BTreeSet<String> = BTreeSet::new();
    for api in &template.apis {
        let judgement = judge(config, api, &function, &arguments.open);
        reached.extend(judgement.rules.iter().flatten().flatten());
        let details = details(config, api, &judgement);
        open.extend(judgement.open);
        report.tell(&format!("{}: {}", printable(&api.name), api.kind), &details, judgement.findings);
    }
    if template.apis.is_empty() {
        whole.push(Finding::warning("the template has no API"));
    }
    let all_known = template.apis.iter().all(|api| api.routes_are_known);
    for (position, (_, rule)) in config.rules().iter().enumerate() {
        if !reached.contains(&position) && !template.apis.is_empty() {
            let text = format!("the rule `{}` is reached by no route of the template", rule.key);
            whole.push(if all_known { Finding::warning(text) } else { Finding::note(format!("{text} that was read")) });
        }
    }
    whole.extend(around(template, &function));
    whole.extend(logs::forgeable(config, &template.access_logs));
    whole.extend(attributes::writable(config, &template.clients));
    for key in arguments.open.iter().filter(|key| !open.contains(*key)) {
        whole.push(Finding::warning(format!("--open '{key}': no route without an authorizer is called so")));
    }
    whole.sort_by_key(|finding| finding.weight);
    if !whole.is_empty() {
        report.tell("The template", "", whole);
    }
    Ok(())
}

/// The ways around the APIs to the authorizer and to what it guards.
fn around(template: &Template, function: &str) -> Vec<Finding> {
    let matters = |way: &&OtherWay| way.function == function || template.backends.contains(&way.function);
    let ways = template.other_ways.iter().filter(matters);
    let told = ways.map(|OtherWay { function, what, by_iam }| match by_iam {
        true => Finding::note(format!("{function} {what}: whom IAM lets call it needs no authorizer")),
        false => Finding::warning(format!("{function} {what}: a way around the authorizer")),
    });
    told.collect()
}

/// The function whose configuration this is: the one that is told, else the only one
/// that authorizers ask.
fn function(template: &Template, told: Option<&str>) -> Result<String, String> {
    let asked = template.apis.iter().flat_map(|api| &api.authorizers).map(|authorizer| authorizer.function.as_str());
    let asked: BTreeSet<&str> = asked.collect();
    let names = || printable(&asked.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    match (told, asked.len()) {
        (Some(told), _) if asked.contains(told) => Ok(told.to_owned()),
        (Some(_), 0) | (None, 0) => Ok(told.unwrap_or_default().to_owned()),
        (Some(_), _) => {
            Err(format!("no authorizer of the template asks --function; those that are asked: {}", names()))
        }
        (None, 1) => Ok(asked.into_iter().collect()),
        (None, _) => Err(format!("authorizers ask several functions: name this one with --function: {}", names())),
    }
}

/// The authorizers of an API and its routes, in columns.
fn details(config: &Config, api: &Api, judgement: &Judgement) -> String {
    let mut authorizers = Vec::new();
    for authorizer in &api.authorizers {
        let sources: Vec<String> = authorizer.sources.iter().map(ToString::to_string).collect();
        let key = if sources.is_empty() { "nothing".to_owned() } else { sources.join(", ") };
        authorizers.push([authorizer.name.clone(), authorizer.format.to_string(), authorizer.ttl.to_string(), key]);
    }
    let keys: Vec<&str> = config.rules().iter().map(|(_, rule)| &*rule.key).collect();
    let mut routes = Vec::new();
    for (route, rules) in api.routes.iter().zip(&judgement.rules) {
        let guard = match &route.guard {
            Guard::Authorizer(name) | Guard::Other(name) => name.clone(),
            Guard::Open => "open".to_owned(),
            Guard::Unknown(_) => "not known".to_owned(),
        };
        let rules = rules.as_ref().map(|rules| {
            let served = rules.iter().filter_map(|rule| keys.get(*rule));
            let served: Vec<&str> = served.copied().collect();
            if served.is_empty() { "denied".to_owned() } else { finding::listed(served) }
        });
        routes.push([route.key.clone(), guard, rules.unwrap_or_default()]);
    }
    let mut text = table::columns(&authorizers);
    if !authorizers.is_empty() && !routes.is_empty() {
        text.push('\n');
    }
    text.push_str(&table::columns(&routes));
    text
}

/// What is printed, and how many findings of each weight it has.
struct Report {
    text: String,
    counts: BTreeMap<Weight, usize>,
    found: Vec<Finding>,
}

impl Report {
    fn tell(&mut self, heading: &str, details: &str, findings: Vec<Finding>) {
        if details.is_empty() && findings.is_empty() {
            return;
        }
        self.text.push_str(&format!("\n{heading}\n{details}"));
        for finding in findings {
            self.text.push_str(&format!("  {finding}\n"));
            *self.counts.entry(finding.weight).or_default() += 1;
            self.found.push(finding);
        }
    }

    fn count(&self, weight: Weight) -> usize {
        self.counts.get(&weight).copied().unwrap_or(0)
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read the template `{}`: {error}", path.display()))
}
