//! One file of each format beside what it becomes.

use crate::authctl::{authctl, config, here};

/// The source becomes the text beside it, the same each time, and `authctl check` takes that.
#[track_caller]
fn check(source: &str, settings: &[&str]) {
    let run = authctl(&here().join("sources"), &["import", source]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let stem = source.split('.').next().unwrap();
    let path = here().join("imported").join(format!("{stem}.yaml"));
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(run.stdout, expected, "{source} becomes:\n{}", run.stdout);
    config(&run.stdout);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 120 && !line.ends_with(' ')), "{}", run.stdout);
    let path = path.display().to_string();
    let settings = settings.iter().flat_map(|setting| ["--set", *setting]);
    let arguments: Vec<&str> = ["check", "--config", &path].into_iter().chain(settings).collect();
    let checked = authctl(&here(), &arguments);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn a_sam_template() {
    let pool = "USER_POOL_ISSUER=https://cognito-idp.us-east-1.amazonaws.com/us-east-1_A";
    check("sam.yaml", &["USER_POOL_ID=us-east-1_A", pool, "CLIENT_IDS=web"]);
}

#[test]
fn a_cloudformation_template_of_a_rest_api() {
    check("cloudformation.yaml", &["CLIENT_IDS=web", "CLIENT_IDS_2=staff"]);
}

#[test]
fn a_template_that_the_cdk_synthesized() {
    check("cdk.template.json", &["USER_POOL_ID=us-east-1_A", "CLIENT_IDS=web"]);
}

#[test]
fn an_openapi_document() {
    check("openapi.yaml", &["AUDIENCE=a", "AUDIENCE_2=b", "ISSUER=https://partner.example"]);
}

#[test]
fn an_openapi_document_that_api_gateway_exported() {
    check("openapi-of-api-gateway.json", &["CLIENT_IDS=web"]);
}

#[test]
fn a_serverless_file() {
    check("serverless.yml", &["CLIENT_IDS=staff"]);
}

#[test]
fn a_terraform_plan() {
    check("terraform-plan.json", &["ISSUER=https://login.example", "AUDIENCE=a"]);
}
