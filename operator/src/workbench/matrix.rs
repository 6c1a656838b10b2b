//! Who may do what: personas across, routes down, the outcome in each cell.

use super::engine::{Engine, Question, Subject};
use super::persona::{Persona, Personas};
use super::request_line::{RequestLine, encoded};
use super::tree::check_text;
use cognito_authorizer::access::{Check, ClaimValue, Requirement, RouteKey, Rule};
use cognito_authorizer::gateway::EventKind;
use cognito_authorizer::request::UnixSeconds;

/// Personas across, routes down.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The names of those across; the last one sends no credential.
    pub personas: Vec<String>,
    /// One for each route, in the order of the table; two where a route binds a path parameter to a claim.
    pub rows: Vec<Row>,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its key.
    pub route: String,
    /// What it asks, in a few words.
    pub asks: String,
    /// The request that was made, where the path depends on who asks; `own` or `another's`.
    pub whose: Option<&'static str>,
    /// In the order of the personas.
    pub cells: Vec<Cell>,
}

/// One persona's request for one route.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The request.
    pub request: String,
    /// `allow`, `unauthorized`, `forbidden` or `unavailable`.
    pub decision: &'static str,
    /// `allow`, or the reason.
    pub outcome: &'static str,
    /// Of several causes of the reason the one that it was.
    pub detail: Option<String>,
    /// Why a rule that only reports would refuse it.
    pub would_be: Option<&'static str>,
}

impl Matrix {
    /// Asks for every route as every persona and as nobody.
    ///
    /// # Errors
    /// Why a question cannot be asked.
    pub fn of(engine: &Engine, personas: &Personas, at: UnixSeconds) -> Result<Self, String> {
        let everybody: Vec<Option<&Persona>> = personas.iter().map(Some).chain([None]).collect();
        Self::of_each(engine, &everybody, at)
    }

    /// Asks for every route as each of these; `None` is whoever sends no credential.
    ///
    /// # Errors
    /// Why a question cannot be asked.
    pub fn of_each(engine: &Engine, personas: &[Option<&Persona>], at: UnixSeconds) -> Result<Self, String> {
        let mut rows = Vec::new();
        for (key, rule) in engine.config().rules().iter() {
            let whose: &[Option<&'static str>] =
                if rule.requirement.binds_path() { &[Some(OWN), Some(ANOTHERS)] } else { &[None] };
            for whose in whose {
                let cells = personas.iter().map(|persona| cell(engine, key, rule, *whose, *persona, at));
                let cells = cells.collect::<Result<_, _>>()?;
                rows.push(Row { route: rule.key.to_string(), asks: asks(rule), whose: *whose, cells });
            }
        }
        let names = personas.iter().map(|persona| persona.map_or(NOBODY, Persona::name).to_owned());
        Ok(Self { personas: names.collect(), rows })
    }
}

fn cell(
    engine: &Engine,
    key: &RouteKey,
    rule: &Rule,
    whose: Option<&str>,
    persona: Option<&Persona>,
    at: UnixSeconds,
) -> Result<Cell, String> {
    let claims = match persona {
        Some(persona) => Some(engine.token(persona, at)?.claims),
        None => None,
    };
    let bound = bound_parameters(&rule.requirement);
    let value = |name: &str| {
        let (name, rest) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        let own = bound.iter().find(|(parameter, _)| parameter == name).filter(|_| whose == Some(OWN));
        let claim = own.and_then(|(_, claim)| claims.as_ref()?.get(claim)?.as_str());
        match (claim, rest) {
            (Some(claim), _) => encoded(claim),
            (None, true) => "a/b".to_owned(),
            (None, false) => "some".to_owned(),
        }
    };
    let request = match key {
        RouteKey::Default => unserved(engine),
        RouteKey::Connect | RouteKey::Http { .. } => RequestLine::of_route(&rule.key, value),
    };
    let request = request.ok_or_else(|| format!("`{}` has no request", rule.key))?;
    let kind = if request.is_connect() { EventKind::WebSocket } else { EventKind::Http2 };
    let question = Question { subject: Subject::Request(&request), persona, kind, at, source_ip: None };
    let judgement = engine.judge(&question, &mut ())?;
    Ok(Cell {
        request: request.to_string(),
        decision: judgement.decision(),
        outcome: judgement.outcome(),
        detail: judgement.denial().and_then(|denial| denial.detail()).map(str::to_owned),
        would_be: judgement.rehearsal.would_be.as_ref().map(|denial| denial.code()),
    })
}

/// A request that no route but `$default` serves.
fn unserved(engine: &Engine) -> Option<RequestLine> {
    let rules = engine.config().rules();
    let is_unserved = |path: &String| rules.contenders("GET", path).is_empty();
    let path = (0..100).map(|number| format!("/unlisted-{number}")).find(is_unserved)?;
    Some(RequestLine { method: "GET".to_owned(), path, query: String::new() })
}

/// The path parameters that claims must equal, with the claim.
fn bound_parameters(requirement: &Requirement) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for check in requirement.leaves() {
        let Check::Claim { path, one_of } = check else { continue };
        for value in one_of {
            if let ClaimValue::Parameter(parameter) = value {
                found.push((parameter.name.clone(), path.first().to_owned()));
            }
        }
    }
    found
}

/// What a rule asks, in a few words.
#[must_use]
pub fn asks(rule: &Rule) -> String {
    let mut parts = requirement_parts(&rule.requirement);
    let more = [(rule.cedar.is_some(), "cedar"), (rule.introspect, "introspect"), (rule.report_only, "report_only")];
    parts.extend(more.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name.to_owned()));
    if parts.is_empty() { "any valid token".to_owned() } else { parts.join("; ") }
}

fn requirement_parts(requirement: &Requirement) -> Vec<String> {
    let within = |parts: &[Requirement], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| requirement_parts(part).join(" and ")).collect();
        parts.join(word)
    };
    let part = |check: &Check| {
        if let Check::Any(parts) = check {
            return within(parts, " or ");
        }
        if let Check::All(parts) = check {
            return within(parts, " and ");
        }
        check_text(check)
    };
    requirement.checks.iter().map(part).collect()
}

const OWN: &str = "own";
const ANOTHERS: &str = "another's";

/// Whoever sends no credential.
const NOBODY: &str = "nobody";
