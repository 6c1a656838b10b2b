//! template.yaml and policies/store.json belong together: what the one takes from the other is there.

use serde_json::Value;

use crate::asked::read;

fn template() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml")).unwrap()
}

#[test]
fn the_nested_stack_is_given_its_parameters_and_gives_what_is_taken() {
    let (template, store) = (template(), read("store.json"));
    let store: Value = serde_json::from_str(&store).unwrap();
    let stack = template.split("  PolicyStack:").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(stack.contains("TemplateURL: policies/store.json"));
    for parameter in store["Parameters"].as_object().unwrap().keys() {
        assert!(stack.contains(&format!("        {parameter}: ")), "{parameter}");
    }
    let taken: Vec<&str> = template
        .split("PolicyStack.Outputs.")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect();
    assert_eq!(taken.len(), 2);
    for output in taken {
        assert!(store["Outputs"][output].is_object(), "{output}");
    }
}

#[test]
fn the_function_may_ask_by_both_operations_and_nothing_else_of_the_store() {
    let template = template();
    let actions: Vec<&str> = template
        .split("verifiedpermissions:")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect();
    assert_eq!(actions, ["IsAuthorized", "IsAuthorizedWithToken"]);
}
