//! `*.cedar` files become one set of policies; anything doubtful is a fault with file,
//! line and reason.

use cedar_policy::{
    CedarSchemaError, Effect, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode, Validator,
};
use miette::Diagnostic;
use std::collections::HashMap;
use std::str::FromStr;

/// A file of policies.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFile<'a> {
    /// Its name, for faults and for the names of its policies.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A schema.
#[derive(Clone, Copy, Debug)]
pub struct SchemaFile<'a> {
    /// Its name; one that ends in `.json` is Cedar's JSON.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// `documents.cedar:12`, where a line is known.
    pub place: String,
    /// The reason, in Cedar's words.
    pub message: String,
}

impl std::fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Policies that parse and, where there is a schema, hold against it.
#[derive(Debug)]
pub struct Policies {
    pub(super) set: PolicySet,
    pub(super) schema: Option<Schema>,
    schema_as_json: Option<serde_json::Value>,
    /// How the log names each policy: `@id` and place.
    names: HashMap<PolicyId, String>,
    warnings: Vec<PolicyFault>,
}

impl Policies {
    /// Parses and validates.
    ///
    /// # Errors
    /// All [`PolicyFault`]s.
    pub fn parse(files: &[PolicyFile<'_>], schema: Option<SchemaFile<'_>>) -> Result<Self, Vec<PolicyFault>> {
        let (mut set, mut names, mut faults) = (PolicySet::new(), HashMap::new(), Vec::new());
        for file in files {
            add(file, &mut set, &mut names, &mut faults);
        }
        if faults.is_empty() && set.is_empty() {
            faults.push(PolicyFault { place: "*.cedar".to_owned(), message: "there is no policy".to_owned() });
        }
        let read = |file| -> Result<_, PolicyFault> { Ok((read_schema(file)?, schema_as_json(file)?)) };
        let (schema, schema_as_json) = match schema.map(read) {
            Some(Ok((schema, json))) => (Some(schema), Some(json)),
            Some(Err(fault)) => {
                faults.push(fault);
                (None, None)
            }
            None => (None, None),
        };
        let mut policies = Self { set, schema, schema_as_json, names, warnings: Vec::new() };
        if faults.is_empty() {
            faults = policies.validate();
        }
        if faults.is_empty() { Ok(policies) } else { Err(faults) }
    }

    /// The policy's name in the log.
    #[must_use]
    pub fn name(&self, id: &PolicyId) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// How many policies there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.set.policies().count()
    }

    /// The schema in Cedar's JSON, as CloudFormation takes it.
    #[must_use]
    pub fn schema_as_json(&self) -> Option<&serde_json::Value> {
        self.schema_as_json.as_ref()
    }

    /// The text of each policy, with its name, in the order of the files.
    #[must_use]
    pub fn statements(&self) -> Vec<(String, String)> {
        let mut policies: Vec<_> = self.set.policies().collect();
        policies.sort_by_key(|policy| {
            let id = policy.id().to_string();
            // `documents.cedar:12` comes after `documents.cedar:3`.
            let (file, line) =
                id.rsplit_once(':').map_or((id.as_str(), 0), |(file, line)| (file, line.parse().unwrap_or(0)));
            (file.to_owned(), line)
        });
        policies.iter().map(|policy| (self.name(policy.id()), policy.to_string())).collect()
    }

    /// What the validator finds odd, but not wrong.
    #[must_use]
    pub fn warnings(&self) -> &[PolicyFault] {
        &self.warnings
    }

    pub(super) fn forbids(&self, id: &PolicyId) -> bool {
        // A policy that is not known here is no reason to admit anybody.
        self.set.policy(id).is_none_or(|policy| policy.effect() == Effect::Forbid)
    }

    fn validate(&mut self) -> Vec<PolicyFault> {
        let Some(schema) = &self.schema else { return Vec::new() };
        let result = Validator::new(schema.clone()).validate(&self.set, ValidationMode::Strict);
        let fault = |id: &PolicyId, message: String| PolicyFault { place: id.to_string(), message };
        let mut faults: Vec<_> =
            result.validation_errors().map(|error| fault(error.policy_id(), error.to_string())).collect();
        faults.sort_by(|one, other| one.place.cmp(&other.place));
        self.warnings =
            result.validation_warnings().map(|warning| fault(warning.policy_id(), warning.to_string())).collect();
        faults
    }
}

fn add(
    file: &PolicyFile<'_>,
    set: &mut PolicySet,
    names: &mut HashMap<PolicyId, String>,
    faults: &mut Vec<PolicyFault>,
) {
    let parsed = match PolicySet::from_str(file.text) {
        Ok(parsed) => parsed,
        Err(errors) => {
            faults.extend(
                errors
                    .iter()
                    .map(|error| PolicyFault { place: place(file, offset(error)), message: error.to_string() }),
            );
            return;
        }
    };
    if let Some(template) = parsed.templates().next() {
        let message = "a template decides nothing until it is linked: write the policy itself".to_owned();
        faults.push(PolicyFault { place: place(file, file.text.find(&template.to_string())), message });
    }
    // Cedar numbers them in the order of the text: `policy0`, `policy1`.
    let number = |policy: &&Policy| policy.id().to_string().trim_start_matches("policy").parse::<usize>().ok();
    let mut policies: Vec<_> = parsed.policies().collect();
    policies.sort_by_key(number);
    let mut reading = Reading { rest: file.text, line: 1 };
    for policy in policies {
        // Two policies on one line must not replace each other.
        let mut name = format!("{}:{}", file.name, reading.line_of(&policy.to_string()));
        while set.policy(&PolicyId::new(&name)).is_some() {
            name.push('+');
        }
        let id = PolicyId::new(name);
        let name = match policy.annotation("id").filter(|annotation| !annotation.is_empty()) {
            Some(annotation) => format!("{annotation} ({id})"),
            None => id.to_string(),
        };
        if set.add(policy.new_id(id.clone())).is_err() {
            faults.push(PolicyFault { place: id.to_string(), message: "cannot be added".to_owned() });
        }
        names.insert(id, name);
    }
}

/// A file that is gone through once, to tell on which line each policy begins.
struct Reading<'a> {
    rest: &'a str,
    line: usize,
}

impl Reading<'_> {
    fn line_of(&mut self, policy: &str) -> usize {
        let lines = |text: &str| text.matches('\n').count();
        if let Some((before, after)) = self.rest.split_once(policy) {
            let begins = self.line.saturating_add(lines(before));
            self.line = begins.saturating_add(lines(policy));
            self.rest = after;
            return begins;
        }
        self.line
    }
}

fn read_schema(file: SchemaFile<'_>) -> Result<Schema, PolicyFault> {
    let as_policy_file = PolicyFile { name: file.name, text: file.text };
    let fault = |offset, message| PolicyFault { place: place(&as_policy_file, offset), message };
    if file.name.ends_with(".json") {
        return Schema::from_json_str(file.text).map_err(|error| fault(offset(&error), with_cause(&error)));
    }
    match Schema::from_cedarschema_str(file.text) {
        Ok((schema, _)) => Ok(schema),
        Err(CedarSchemaError::Parse(error)) => Err(fault(offset(&error), with_cause(&error))),
        Err(error) => Err(fault(offset(&error), with_cause(&error))),
    }
}

fn schema_as_json(file: SchemaFile<'_>) -> Result<serde_json::Value, PolicyFault> {
    let fault = |message: String| PolicyFault { place: file.name.to_owned(), message };
    let fragment = if file.name.ends_with(".json") {
        SchemaFragment::from_json_str(file.text).map_err(|error| fault(with_cause(&error)))?
    } else {
        SchemaFragment::from_cedarschema_str(file.text).map_err(|error| fault(with_cause(&error)))?.0
    };
    fragment.to_json_value().map_err(|error| fault(error.to_string()))
}

/// The place of a byte in a file.
fn place(file: &PolicyFile<'_>, offset: Option<usize>) -> String {
    match offset.and_then(|offset| file.text.get(..offset)) {
        Some(before) => format!("{}:{}", file.name, before.split('\n').count()),
        None => file.name.to_owned(),
    }
}

fn offset(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}

fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, schema: Option<&str>) -> Result<Policies, Vec<String>> {
        let schema = schema.map(|text| SchemaFile { name: "s.cedarschema", text });
        Policies::parse(&[PolicyFile { name: "a.cedar", text }], schema)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn check(text: &str, schema: Option<&str>, expected: &[&str]) {
        let faults = parse(text, schema).err().unwrap_or_default();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    const PERMIT: &str = "permit (principal, action, resource);\n";

    const SCHEMA: &str = "namespace NS {
    entity Application;
    entity User;
    action \"get /a\" appliesTo { principal: User, resource: Application, context: { n: Long } };
}";

    #[test]
    fn a_fault_names_file_line_and_reason() {
        check("", None, &["*.cedar: there is no policy"]);
        check("// none\n", None, &["*.cedar: there is no policy"]);
        check(&format!("{PERMIT}\nallow (principal, action, resource);"), None, &["a.cedar:3: "]);
        check(
            &format!("{PERMIT}permit (principal == ?principal, action, resource);"),
            None,
            &["a.cedar:2: a template"],
        );
        check("permit (principal, action, resource) when { context.n == 1.5 };", None, &["a.cedar:1: "]);
        check(PERMIT, Some("namespace {"), &["s.cedarschema:1: "]);
        check(
            "permit (principal, action == NS::Action::\"get /b\", resource);\n\
             permit (principal, action == NS::Action::\"get /a\", resource) when { context.n == \"x\" };",
            Some(SCHEMA),
            &["a.cedar:1: for policy `a.cedar:1`", "a.cedar:2: the types Long and String"],
        );
    }

    #[test]
    fn a_policy_is_named_by_its_annotation_and_its_place() {
        let text = format!(
            "// first\n{PERMIT}\n@id(\"no-archived\")\nforbid (principal, action, resource)\nwhen {{ false }};\n"
        );
        let policies = parse(&text, None).unwrap();
        let mut names: Vec<_> = policies.set.policies().map(|policy| policies.name(policy.id())).collect();
        names.sort();
        assert_eq!(names, ["a.cedar:2", "no-archived (a.cedar:4)"]);
        assert!(policies.forbids(&PolicyId::new("a.cedar:4")));
        assert!(!policies.forbids(&PolicyId::new("a.cedar:2")));
        assert!(policies.forbids(&PolicyId::new("unknown")));
    }

    #[test]
    fn policies_on_one_line_or_written_alike_are_each_counted() {
        let twice = format!("{}{PERMIT}{PERMIT}", PERMIT.trim_end());
        let policies = parse(&twice, None).unwrap();
        let mut names: Vec<_> = policies.set.policies().map(|policy| policies.name(policy.id())).collect();
        names.sort();
        assert_eq!(names, ["a.cedar:1", "a.cedar:1+", "a.cedar:2"]);
    }

    #[test]
    fn policies_of_several_files_do_not_replace_each_other() {
        let files = [PolicyFile { name: "a.cedar", text: PERMIT }, PolicyFile { name: "b.cedar", text: PERMIT }];
        assert_eq!(Policies::parse(&files, None).unwrap().count(), 2);
    }
}
