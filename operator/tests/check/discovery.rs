//! `authctl discovery`, as docs/mcp.md has it.

use crate::authctl::Folder;
use serde_json::Value;
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/mcp.md");

fn block(info: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n```{info}\n")).unwrap_or_else(|| panic!("no {info}"));
    rest.split("```").next().unwrap()
}

fn run(folder: &Folder, arguments: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_authctl"))
        .args(arguments.split_whitespace())
        .env_clear()
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

#[test]
fn the_commands_of_the_page_work_and_the_document_is_the_pages() {
    let folder = Folder::new("discovery-page", block("yaml"), "");
    let commands: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("authctl ")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    for command in commands {
        let (good, text) = run(&folder, command);
        // The last one is about a resource of another path, which this file's `audience` does not have.
        assert_eq!(good, !command.contains("--base-path"), "{text}");
        if command.contains("--format template") && good {
            assert!(text.contains("/.well-known/oauth-protected-resource/mcp:"), "{text}");
            let header = r#"WWW-Authenticate: "'Bearer resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource/mcp\"'""#;
            assert!(text.contains(header), "{text}");
        } else if good {
            let document: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(document, serde_json::from_str::<Value>(block("json document")).unwrap());
        } else {
            assert!(text.contains("RFC 8707"), "{text}");
        }
    }
    let elsewhere = block("yaml").replace("example.com/mcp", "example.com/v1/mcp");
    let folder = Folder::new("discovery-below", &elsewhere, "");
    let (good, text) =
        run(&folder, "discovery --resource https://api.example.com/v1/mcp --base-path /v1 --format template");
    assert!(good && text.contains("https://api.example.com/v1/.well-known/oauth-protected-resource/mcp"), "{text}");
}

#[test]
fn what_is_made_fits_a_template_that_is_checked() {
    let folder = Folder::new("discovery-template", block("yaml"), "");
    let (good, made) = run(&folder, "discovery --resource https://api.example.com/mcp --format template");
    assert!(good, "{made}");
    let indented: String = made.lines().map(|line| format!("      {line}\n")).collect();
    let template = format!(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: A
        Authorizers:
          A:
            FunctionArn: !GetAtt F.Arn
            FunctionPayloadType: REQUEST
            Identity: {{ Headers: [Authorization], ReauthorizeEvery: 0 }}
{indented}
  F: {{ Type: AWS::Serverless::Function, Properties: {{}} }}
"
    );
    std::fs::write(folder.path("template.yaml"), template).unwrap();
    let open = "/.well-known/oauth-protected-resource/mcp";
    let told = folder.check(&["--template", "template.yaml"]);
    assert!(told.stdout.contains(&format!("GET {open}")), "{}\n{}", told.stdout, told.stderr);
    let meant = folder.check(&[
        "--template",
        "template.yaml",
        "--open",
        &format!("GET {open}"),
        "--open",
        &format!("OPTIONS {open}"),
    ]);
    assert!(!meant.stdout.contains("error:"), "{}", meant.stdout);
}

#[test]
fn what_cannot_be_made_is_told() {
    let folder = Folder::new("discovery-faults", block("yaml"), "");
    for (arguments, part) in [
        ("discovery --resource http://api.example.com/mcp", "https://"),
        ("discovery --resource https://api.example.com/mcp?a=b", "no query"),
        ("discovery --resource https://api.example.com/mcp --base-path /v1", "does not begin with `/v1`"),
        ("discovery --resource https://api.example.com/mcp --config none.yaml", "cannot read"),
        ("discovery", "--resource"),
        ("discovery --resource https://api.example.com/mcp --format xml", "--format"),
    ] {
        let (good, text) = run(&folder, arguments);
        assert!(!good && text.contains(part), "{arguments}: {text}");
    }
}
