//! The sections as the text of a configuration, which is read back by the authorizer's own reader before anyone gets it.

use super::draft::{Draft, Entry, Requirement};
use super::found::Found;
use super::issuers::{Kind, Use};
use super::yaml::Yaml;
use crate::template::Source;
use cognito_authorizer::config::{Config, ConfigText, Environment};
use cognito_authorizer_operator::revoking::printable;

/// The text.
///
/// # Errors
/// It is not what a configuration takes: then nobody gets it.
pub(super) fn write(found: &Found, name: &str) -> Result<String, String> {
    let mut draft = Draft::of(found, name);
    if !draft.entries.iter().any(|entry| entry.rule.is_some()) {
        return Err(format!("{name}: no route that was read asks for anything: there is nothing to write a rule from"));
    }
    let config = load(&text(&draft, name))?;
    // Which of two rules API Gateway goes by is not certain for every kind of event.
    let mut has_changed = false;
    for pair in config.rules().two_readings() {
        for entry in &mut draft.entries {
            if let Some((key, requirement)) = &mut entry.rule
                && *key == pair.by_table
                && *requirement != Requirement::Refuse
            {
                *requirement = Requirement::Refuse;
                let (path, other) = (&pair.example, &pair.by_gateway);
                entry.comments.push(format!("API Gateway may take `{path}` for `{other}`, which asks something else"));
                has_changed = true;
            }
        }
    }
    let text = text(&draft, name);
    if has_changed {
        load(&text)?;
    }
    Ok(text)
}

/// The configuration that this text is, with anything in the places of what is missing.
fn load(text: &str) -> Result<Config, String> {
    let mut environment: Vec<(String, String)> = Vec::new();
    for (index, rest) in text.split("${").skip(1).enumerate() {
        let Some((name, _)) = rest.split_once('}') else { continue };
        let value = match name {
            name if name.starts_with("USER_POOL_ID") => format!("us-east-1_Pool{index}"),
            name if name.contains("ISSUER") => {
                format!("https://issuer-{name}.example").to_lowercase().replace('_', "-")
            }
            name => name.to_lowercase(),
        };
        if !environment.iter().any(|(known, _)| known == name) {
            environment.push((name.to_owned(), value));
        }
    }
    let environment = Environment::default().with(environment);
    let text = ConfigText { text: text.to_owned(), folder: std::path::PathBuf::new() };
    Config::parse(&text, &environment)
        .map_err(|faults| format!("what was imported is not a configuration: {}", printable(&faults.to_string())))
}

fn text(draft: &Draft, name: &str) -> String {
    let mut text = String::new();
    comment(&format!("Imported from {name}. Read it, fill in what is missing, and run `authctl check`."), 0, &mut text);
    if draft.entries.iter().any(|entry| matches!(entry.rule, Some((_, Requirement::Refuse)))) {
        let refuses = "A rule that asks for two values of `token_use` at once refuses everybody: write what its route asks instead.";
        comment(refuses, 0, &mut text);
    }
    draft.remarks.iter().for_each(|remark| comment(remark, 0, &mut text));
    text.push_str("issuers:\n");
    for issuer in &draft.issuers {
        issuer.comments.iter().for_each(|line| comment(line, 2, &mut text));
        match &issuer.kind {
            Kind::Cognito { pool, issuer, client_ids, token_uses } => {
                text.push_str("  - cognito:\n");
                Yaml::Text(pool.clone()).entry("user_pool_id", 6, &mut text);
                if let Some(issuer) = issuer {
                    Yaml::Text(issuer.clone()).entry("issuer", 6, &mut text);
                }
                client_ids.yaml().entry("client_ids", 6, &mut text);
                let names: Vec<String> = token_uses.iter().map(|one| one.name().to_owned()).collect();
                if !(token_uses.len() == 1 && token_uses.contains(&Use::Access)) {
                    Yaml::one_or_list(&names).entry("token_use", 6, &mut text);
                }
            }
            Kind::Oidc { issuer, audience } => {
                text.push_str("  - oidc:\n");
                Yaml::Text(issuer.clone()).entry("issuer", 6, &mut text);
                audience.yaml().entry("audience", 6, &mut text);
            }
        }
    }
    text.push_str("\nroutes:\n");
    draft.entries.iter().for_each(|entry| rule(entry, &mut text));
    if !draft.token.is_empty() {
        let places = draft.token.iter().map(|place| {
            let (key, name) = match place {
                Source::Header(name) => ("header", name),
                Source::Query(name) | Source::Context(name) | Source::Other(name) => ("query", name),
            };
            Yaml::Map(vec![(key.to_owned(), Yaml::Text(name.clone()))])
        });
        text.push('\n');
        Yaml::List(places.collect()).entry("token", 0, &mut text);
    }
    text
}

fn rule(entry: &Entry, text: &mut String) {
    entry.comments.iter().for_each(|line| comment(line, 2, text));
    match &entry.rule {
        None => {}
        Some((key, Requirement::Of(entries))) => Yaml::Map(entries.clone()).entry(key, 2, text),
        Some((key, Requirement::Refuse)) => refusal().entry(key, 2, text),
    }
}

/// No token is of two kinds.
fn refusal() -> Yaml {
    let of = |name: &str| Yaml::Map(vec![("token_use".to_owned(), Yaml::Text(name.to_owned()))]);
    Yaml::Map(vec![("all".to_owned(), Yaml::List(vec![of("access"), of("id")]))])
}

/// A comment, in lines that are not too long. Nothing in it ends the line.
fn comment(words: &str, indent: usize, text: &mut String) {
    let margin = " ".repeat(indent);
    let mut line = String::new();
    for word in printable(words).split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > WIDTH {
            text.push_str(&format!("{margin}#{line}\n"));
            line = String::from("  ");
        }
        line.push_str(&format!(" {word}"));
    }
    text.push_str(&format!("{margin}#{line}\n"));
}

const WIDTH: usize = 120;
