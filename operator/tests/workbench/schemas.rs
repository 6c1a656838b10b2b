//! The JSON Schemas that are committed are those of the code, and know the keys that the code reads.

use crate::authctl::{authctl, folder, root};
use cognito_authorizer::config::yaml::{self, Node, Tags, Value as Held};
use cognito_authorizer_operator::workbench::{config_schema, tests_schema};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    for (file, of, schema) in [
        ("authorizer.schema.json", "config", config_schema()),
        ("authorizer.test.schema.json", "tests", tests_schema()),
    ] {
        let committed = std::fs::read_to_string(root().join("schemas").join(file)).unwrap_or_default();
        assert_eq!(committed, format!("{schema:#}\n"), "{file}: run `make schemas`");
        assert_eq!(authctl(&root(), &["schema", of], &[]).out, committed);
    }
}

#[test]
fn the_schema_of_tests_has_the_keys_that_are_read_and_no_others() {
    let config = "
issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]
routes: { $default: {} }
";
    let tests = "personas: { a: { '?': 1 } }\ntests: [{ as: a, request: GET /, expect: allow, '?': 1 }]\n'?': 1\n";
    let folder = folder("probe", &[("authorizer.yaml", config), ("authorizer.test.yaml", tests)]);
    let said = authctl(&folder, &["test"], &[]).complaint;
    let schema = tests_schema();
    for (place, object) in [
        ("personas.a.\"?\"", &schema["properties"]["personas"]["additionalProperties"]),
        ("tests[0].\"?\"", &schema["properties"]["tests"]["items"]),
        ("\"?\"", &schema),
    ] {
        let line = said.lines().find(|line| line.contains(&format!(": {place}: unknown key; known are ")));
        let line = line.unwrap_or_else(|| panic!("{place}\n{said}"));
        let known: BTreeSet<&str> = line.rsplit_once("known are ").unwrap().1.split(", ").collect();
        let described: BTreeSet<&str> = object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, known, "{place}");
    }
}

#[test]
fn the_samples_fit_their_schemas_and_misspelt_keys_do_not() {
    let (config, tests) = (config_schema(), tests_schema());
    for (file, schema) in
        [("authorizer.yaml", &config), ("policies/example.yaml", &config), ("authorizer.test.yaml", &tests)]
    {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert_eq!(misfits(&text, schema), Vec::<String>::new(), "{file}");
    }
    for (text, schema) in [
        ("issuers: []\nroutes: { GET /: {} }", &config),
        ("issuers: [{ cognito: { user_pool_id: a, client_ids: b, clients: c } }]\nroutes: { GET /: {} }", &config),
        ("issuers: [{ cognito: { user_pool_id: a } }]\nroutes: { GET /: {} }", &config),
        ("issuers: [{ cognito: { user_pool_id: a, client_ids: b } }]\nroutes: { GET items: {} }", &config),
        ("issuers: [{ cognito: { user_pool_id: a, client_ids: b } }]\nroutes: { GET /: { any_scop: a } }", &config),
        (
            "issuers: [{ cognito: { user_pool_id: a, client_ids: b } }]\nroutes: { GET /: { any: [{ introspect: true }] } }",
            &config,
        ),
        (
            "issuers: [{ cognito: { user_pool_id: a, client_ids: b } }]\nroutes: { GET /: {} }\nhttp_api: { response: easy }",
            &config,
        ),
        ("tests: []", &tests),
        ("tests: [{ as: a, request: GET / }]", &tests),
        ("tests: [{ as: a, request: GET /, expect: allow, on: http }]\npersonas: { a: { live: dead } }", &tests),
    ] {
        assert_ne!(misfits(text, schema), Vec::<String>::new(), "{text}");
    }
}

fn misfits(text: &str, schema: &Value) -> Vec<String> {
    let (node, _) = yaml::parse(text, Tags::Refused).unwrap();
    let mut found = Vec::new();
    hold(&json(&node), schema, schema, "", &mut found);
    found
}

fn json(node: &Node) -> Value {
    match &node.value {
        Held::Scalar { .. } if node.is_null() => Value::Null,
        Held::Scalar { text, plain: true } if text == "true" || text == "false" => Value::Bool(text == "true"),
        Held::Scalar { text, plain: true } => text.parse::<i64>().map_or_else(|_| text.as_str().into(), Value::from),
        Held::Scalar { text, plain: false } => text.as_str().into(),
        Held::List(items) => items.iter().map(json).collect(),
        Held::Map(entries) => {
            Value::Object(entries.iter().map(|(key, node)| (key.clone(), json(node))).collect::<Map<_, _>>())
        }
    }
}

/// What of JSON Schema the two files use.
fn hold(value: &Value, schema: &Value, root: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("no {name}"));
        return hold(value, target, root, place, found);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let one = schema["type"].as_str().into_iter();
    let several = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let types: Vec<&str> = one.chain(several).collect();
    if !types.is_empty() && !types.contains(&kind) {
        found.push(format!("{place}: is {kind}"));
    }
    if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.contains(value)) {
        found.push(format!("{place}: none of {choices:?}"));
    }
    if let Some(ways) = schema["anyOf"].as_array() {
        let fits = |way: &Value| {
            let mut misfits = Vec::new();
            hold(value, way, root, place, &mut misfits);
            misfits.is_empty()
        };
        if !ways.iter().any(fits) {
            found.push(format!("{place}: fits nothing"));
        }
    }
    if schema["pattern"] == r"\$\{" && !value.as_str().is_some_and(|text| text.contains("${")) {
        found.push(format!("{place}: no value of the environment"));
    }
    if let Some(items) = value.as_array() {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        if u64::try_from(items.len()).unwrap() < least {
            found.push(format!("{place}: empty"));
        }
        items.iter().for_each(|item| hold(item, &schema["items"], root, &format!("{place}[]"), found));
    }
    let Some(members) = value.as_object() else { return };
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(required) {
            found.push(format!("{place}: no {required}"));
        }
    }
    for (key, member) in members {
        let place = format!("{place}.{key}");
        let of_pattern = schema["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
        let is_route = cognito_authorizer::access::RouteKey::parse(key).is_ok();
        match (&schema["properties"][key], of_pattern, &schema["additionalProperties"]) {
            (Value::Null, Some(pattern), _) if is_route => hold(member, pattern, root, &place, found),
            (Value::Null, _, Value::Bool(false)) => found.push(format!("{place}: unknown")),
            (Value::Null, _, other) => hold(member, other, root, &place, found),
            (property, _, _) => hold(member, property, root, &place, found),
        }
    }
}
