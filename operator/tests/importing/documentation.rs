//! Every command of docs/importing.md, run in a folder that has the files it names.

use crate::authctl::{authctl, here};
use std::path::Path;

#[test]
fn each_command_of_the_page_does_what_it_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/importing.md")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("importing").join("documentation");
    std::fs::create_dir_all(&folder).unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(here().join(from), folder.join(to)).unwrap();
    copy("sources/cdk.template.json", "cdk.template.json");
    copy("sources/cdk.template.json", "template.yaml");
    copy("sources/serverless.yml", "serverless.yml");
    let plan = std::fs::read_to_string(here().join("sources/terraform-plan.json")).unwrap();
    std::fs::write(
        folder.join("plan.json"),
        plan.replace("aws_apigatewayv2_api.this", "aws_apigatewayv2_api.tickets").replace("\"this\"", "\"tickets\""),
    )
    .unwrap();
    let openapi = "openapi: 3.0.3
paths:
  /photos/{album}: { get: { security: [{ login: [photos/read, photos/admin] }] } }
components: { securitySchemes: { login: { type: http, scheme: bearer } } }
";
    std::fs::write(folder.join("openapi.yaml"), openapi).unwrap();
    let mut commands = 0;
    for block in page.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            let (line, to) = line.split_once(" > ").map_or((line, None), |(line, to)| (line, Some(to)));
            let words: Vec<&str> = line.strip_prefix("authctl ").unwrap().split(' ').collect();
            let is_strict = words.contains(&"--strict");
            let settings = ["--set", "USER_POOL_ID=us-east-1_AbCdEf123", "--set", "CLIENT_IDS=web"];
            let words = if is_strict { [&words, &settings[..]].concat() } else { words };
            let run = authctl(&folder, &words);
            // The imported `$default` is in no path of that document, and `--strict` says so by its status.
            assert_eq!(run.code, Some(i32::from(is_strict)), "{line}: {run:?}");
            if is_strict {
                assert!(run.stdout.contains("warning: the rule `$default` is in no path of openapi.yaml"), "{run:?}");
            }
            if let Some(to) = to {
                std::fs::write(folder.join(to), &run.stdout).unwrap();
            }
            commands += 1;
        }
    }
    assert_eq!(commands, 7);
}
