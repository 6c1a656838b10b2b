//! JSON Schemas of `authorizer.yaml` and `authorizer.test.yaml`, for editors.
//!
//! They are made out of the tables of keys in docs/configuration.md and docs/testing.md, which tests hold against the code:
//! what is described there, and nothing else, is known here.

use super::schema_types::{of_type, plain};
use serde_json::{Map, Value, json};

/// The schema of `authorizer.yaml` (JSON Schema, draft-07, which editors read).
#[must_use]
pub fn config_schema() -> Value {
    let page = Page(CONFIGURATION);
    let mut issuers = Map::new();
    for kind in page.kinds_of_issuers() {
        let introspection = format!("`introspection` of a `{kind}` issuer");
        let introspection_an = format!("`introspection` of an `{kind}` issuer");
        let nested = |key: &str| match key {
            "claims" => page.object("`claims` of an issuer", &|_| None),
            "introspection" => {
                page.object(&introspection, &|_| None).or_else(|| page.object(&introspection_an, &|_| None))
            }
            _ => None,
        };
        if let Some(object) = page.object(&format!("`{kind}`"), &nested) {
            issuers.insert(kind.to_owned(), object);
        }
    }
    let one_kind = json!({
        "type": "object", "properties": issuers, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    });
    let requirement = page.object("Requirements", &requirement_part).unwrap_or_default();
    let mut nested_requirement = requirement.clone();
    if let Some(properties) = nested_requirement.get_mut("properties").and_then(Value::as_object_mut) {
        ONLY_AT_THE_TOP.iter().for_each(|key| {
            properties.remove(*key);
        });
    }
    if let Some(members) = nested_requirement.as_object_mut() {
        members.insert("minProperties".to_owned(), 1.into());
    }
    let top = |key: &str| match key {
        "issuers" => Some(json!({ "type": "array", "minItems": 1, "items": one_kind })),
        "routes" => Some(json!({
            "type": "object", "minProperties": 1, "additionalProperties": false,
            "patternProperties": { ROUTE_KEY: { "$ref": "#/definitions/route" } },
        })),
        "context" => Some(json!({ "type": "object", "additionalProperties": scalar() })),
        "token" => {
            let place = page.object("`token`", &|_| None)?;
            Some(json!({ "type": "array", "minItems": 1, "items": place }))
        }
        key => page.object(&format!("`{key}`"), &|_| None),
    };
    let mut schema = page.object("The whole file", &top).unwrap_or_default();
    finish(&mut schema, "authorizer.yaml", "What each route asks of a token: docs/configuration.md");
    if let Some(members) = schema.as_object_mut() {
        members.insert("definitions".to_owned(), json!({ "route": requirement, "requirement": nested_requirement }));
    }
    schema
}

/// The schema of `authorizer.test.yaml`.
#[must_use]
pub fn tests_schema() -> Value {
    let page = Page(TESTING);
    let persona = page.object("Personas", &|key| {
        (key == "claims").then(|| json!({ "type": "object", "additionalProperties": true }))
    });
    let test = page.object("Tests", &|key| (key == "context").then(|| json!({ "type": "object" })));
    let top = |key: &str| match key {
        "environment" => Some(json!({ "type": "object", "additionalProperties": scalar_or_nothing() })),
        "personas" => Some(json!({ "type": "object", "additionalProperties": persona })),
        "tests" => Some(json!({ "type": "array", "minItems": 1, "items": test })),
        _ => None,
    };
    let mut schema = page.object("The file", &top).unwrap_or_default();
    finish(&mut schema, "authorizer.test.yaml", "Who may do what with authorizer.yaml: docs/testing.md");
    schema
}

fn requirement_part(key: &str) -> Option<Value> {
    match key {
        "any" | "all" => {
            Some(json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/requirement" } }))
        }
        "claims" => {
            let values = json!({ "anyOf": [scalar(), { "type": "array", "minItems": 1, "items": scalar() }] });
            Some(json!({ "type": "object", "minProperties": 1, "additionalProperties": values }))
        }
        _ => None,
    }
}

fn finish(schema: &mut Value, title: &str, description: &str) {
    let Some(members) = schema.as_object_mut() else { return };
    for (name, value) in [("$schema", DRAFT), ("title", title), ("description", description)] {
        members.insert(name.to_owned(), value.into());
    }
}

fn scalar() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

fn scalar_or_nothing() -> Value {
    json!({ "type": ["string", "number", "boolean", "null"] })
}

/// A page of the documents.
struct Page(&'static str);

/// A row of a table of keys.
struct Row {
    key: &'static str,
    kind: &'static str,
    is_required: bool,
    description: String,
}

impl Page {
    /// The object whose keys stand in the table below a heading; `nested` has the schemas of keys that are more than their
    /// type says.
    fn object(&self, heading: &str, nested: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
        let rows = self.table(heading)?;
        let mut properties = Map::new();
        let mut required = Vec::new();
        for Row { key, kind, is_required, description } in rows {
            let mut schema = nested(key).unwrap_or_else(|| of_type(kind));
            if let Some(members) = schema.as_object_mut().filter(|_| !description.is_empty()) {
                members.insert("description".to_owned(), description.into());
            }
            properties.insert(key.to_owned(), schema);
            if is_required {
                required.push(key);
            }
        }
        let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let Some(members) = object.as_object_mut().filter(|_| !required.is_empty()) {
            members.insert("required".to_owned(), required.into());
        }
        Some(object)
    }

    /// The first table below a heading whose first column is `key`.
    fn table(&self, heading: &str) -> Option<Vec<Row>> {
        let mut lines =
            self.0.lines().skip_while(|line| level(line) == 0 || line.trim_start_matches('#').trim() != heading);
        lines.next()?;
        let mut section = lines.take_while(|line| level(line) == 0).skip_while(|line| !line.starts_with("| key |"));
        let head = cells(section.next()?);
        let has_default = head.get(2).is_some_and(|name| *name == "default");
        let rows = section.skip(1).take_while(|line| line.starts_with('|')).filter_map(|line| {
            let cells = cells(line);
            let key = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
            let kind = cells.get(1)?;
            let is_required = has_default && cells.get(2) == Some(&"required");
            let description = cells.get(if has_default { 3 } else { 2 }).copied().unwrap_or_default();
            Some(Row { key, kind, is_required, description: plain(description) })
        });
        Some(rows.collect())
    }

    /// The kinds of issuers: below `issuers`, what has a heading and a table of its own.
    fn kinds_of_issuers(&self) -> Vec<&'static str> {
        let lines = self.0.lines().skip_while(|line| *line != "## `issuers`").skip(1);
        let headings = lines.take_while(|line| level(line) != 2).filter(|line| level(line) == 3);
        let named =
            headings.filter_map(|line| line.trim_start_matches('#').trim().strip_prefix('`')?.strip_suffix('`'));
        named.filter(|name| !name.contains('`') && self.table(&format!("`{name}`")).is_some()).collect()
    }
}

/// How deep a heading is; 0: it is none.
fn level(line: &str) -> usize {
    let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
    if line.get(hashes..).is_some_and(|rest| rest.starts_with(' ')) { hashes } else { 0 }
}

fn cells(line: &'static str) -> Vec<&'static str> {
    line.trim_matches('|').split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect()
}

const CONFIGURATION: &str = include_str!("../../../docs/configuration.md");

const TESTING: &str = include_str!("../../../docs/testing.md");

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// What a requirement within another cannot ask.
const ONLY_AT_THE_TOP: [&str; 3] = ["cedar", "introspect", "report_only"];

const ROUTE_KEY: &str = r"^(\$connect|\$default|(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /.*)$";
