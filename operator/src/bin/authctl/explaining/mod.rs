//! `authctl explain`: what happens to one request, step by step, and why.
//!
//! | file | what it does |
//! |---|---|
//! | `subject` | tells a request, an event and a decision line apart |
//! | `text` | the explanation for people |
//! | `line` | what a decision line of the log means |

mod line;
mod subject;
mod text;

use crate::Outcome;
use crate::arguments::{Colour, ExplainFormat, ExplainRequest};
use crate::testing::time;
use cognito_authorizer::config::Environment;
use cognito_authorizer::gateway::EventKind;
use cognito_authorizer_operator::workbench::{
    Explanation, KINDS, Persona, Question, RequestLine, Subject, Suite, kind_named, nearest,
};
use std::io::IsTerminal;
use subject::What;
use text::Style;

pub(crate) fn run(arguments: &ExplainRequest, environment: &Environment) -> Result<Outcome, String> {
    let suite = crate::personas(&arguments.personas, environment)?;
    let persona = persona(&suite, arguments.persona.as_deref())?;
    let kind = kind(arguments.on.as_deref())?;
    let at = time(arguments.at.as_deref())?;
    let style = style(arguments.color, environment);
    let source_ip = arguments.source_ip.as_deref();
    let explained = |question: &Question<'_>, remarks: &[&str]| {
        let explanation = Explanation::of(&suite.engine, question)?;
        Ok(match arguments.format {
            ExplainFormat::Text => text::text(&explanation, remarks, style),
            ExplainFormat::Json => format!("{:#}\n", explanation.json()),
        })
    };
    let text: Result<String, String> = match subject::read(&arguments.what)? {
        What::Request(request) => {
            let keys = suite.engine.config().rules().iter().map(|(_, rule)| &*rule.key);
            let lines = RequestLine::parse(&request, &suite.personas, keys).map_err(|error| error.to_string())?;
            let mut text = String::new();
            for line in lines {
                let own = if line.is_connect() { EventKind::WebSocket } else { EventKind::Http2 };
                let kind = kind.unwrap_or(own);
                let question = Question { subject: Subject::Request(&line), persona, kind, at, source_ip };
                text.push_str(&explained(&question, &[])?);
            }
            Ok(text)
        }
        What::Event(event) => {
            let own = suite.engine.kind_of(&event)?;
            let kind = kind.unwrap_or(own);
            // A real token cannot be verified without the network: a local one with its claims stands in for it.
            let stand_in = match persona {
                Some(_) => None,
                None => suite.engine.persona_of_event(&event)?,
            };
            let remarks: &[&str] = if stand_in.is_some() { &[NOT_VERIFIED] } else { &[] };
            let without_credential = arguments.persona.is_some();
            let subject = Subject::Event { event: &event, without_credential };
            let persona = persona.or(stand_in.as_ref());
            explained(&Question { subject, persona, kind, at, source_ip }, remarks)
        }
        What::DecisionLine(line) => Ok(match arguments.format {
            ExplainFormat::Text => line::text(&line, suite.engine.config(), style),
            ExplainFormat::Json => format!("{:#}\n", line::json(&line, suite.engine.config())),
        }),
    };
    Ok(Outcome::done(text?))
}

fn persona<'s>(suite: &'s Suite, name: Option<&str>) -> Result<Option<&'s Persona>, String> {
    let Some(name) = name.filter(|name| !matches!(*name, "nobody" | "none" | "anonymous")) else { return Ok(None) };
    let found = suite.personas.get(name);
    let hint = nearest(name, suite.personas.names()).map(|one| format!("; did you mean `{one}`?")).unwrap_or_default();
    found.map(Some).ok_or_else(|| format!("no persona is called `{name}`{hint}"))
}

fn kind(name: Option<&str>) -> Result<Option<EventKind>, String> {
    let Some(name) = name else { return Ok(None) };
    let known = KINDS.map(EventKind::name).join(", ");
    kind_named(name).map(Some).ok_or_else(|| format!("--on must be one of {known}"))
}

/// As <https://no-color.org> has it.
fn style(colour: Colour, environment: &Environment) -> Style {
    let is_wanted = match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => std::io::stdout().is_terminal() && environment.get("NO_COLOR").is_none_or(str::is_empty),
    };
    if is_wanted { Style::Colours } else { Style::Plain }
}

const NOT_VERIFIED: &str = "The signature of the event's own token was not checked: that takes its issuer's keys. A local token with its claims \
     stands in for it; live checks say yes.";
