//! `authorizer.test.yaml`: personas, and what becomes of their requests.

use super::engine::Engine;
use super::event::{self, kind_named};
use super::nearest::hint;
use super::persona::{Personas, is_nobody, json};
use super::reasons::{is_reason, reasons};
use super::request_line::RequestLine;
use cognito_authorizer::config::yaml::{self, Tags};
use cognito_authorizer::config::{Config, ConfigText, Environment, Fault, Faults, Fields, Item, Reader};
use cognito_authorizer::gateway::EventKind;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::parse_rfc3339;
use serde_json::{Map, Value};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of tests, and the configuration that it is about.
#[derive(Debug)]
pub struct Suite {
    /// Where it is.
    pub path: PathBuf,
    /// Where the configuration is.
    pub config_path: PathBuf,
    /// The configuration.
    pub engine: Engine,
    /// Who asks.
    pub personas: Personas,
    /// What is asked, in the order of the file.
    pub tests: Vec<Test>,
}

/// One entry of `tests`.
#[derive(Debug)]
pub struct Test {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// Where in that line, from 1.
    pub column: usize,
    /// What it is called, where it has a name.
    pub name: Option<String>,
    /// One for each persona, request and kind of event.
    pub cases: Vec<Case>,
}

/// One question and its expected answer.
#[derive(Clone, Debug)]
pub struct Case {
    /// Who asks; `None`: nobody, or whoever the event says.
    pub persona: Option<String>,
    /// What is asked for.
    pub request: Arc<RequestLine>,
    /// The event that it comes from.
    pub event: Option<Arc<Value>>,
    /// Whether the event's own credential counts.
    pub own_credential: bool,
    /// By which kind of event.
    pub kind: EventKind,
    /// When; `None`: now.
    pub at: Option<UnixSeconds>,
    /// From which address.
    pub source_ip: Option<Arc<str>>,
    /// What should come.
    pub expected: Expected,
    /// What the backend should get, these keys at least; null: not there.
    pub context: Option<Arc<Map<String, Value>>>,
    /// Which route should serve it.
    pub route: Option<Arc<str>>,
    /// Why a rule that only reports should say that it would refuse it.
    pub would_be: Option<Arc<str>>,
}

/// What should come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The request is let in.
    Allow,
    /// It is refused, for whatever reason.
    Deny,
    /// It is refused for this reason.
    Reason(Arc<str>),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Allow => f.write_str("allow"),
            Expected::Deny => f.write_str("deny"),
            Expected::Reason(code) => f.write_str(code),
        }
    }
}

/// What a suite is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Its tests: a file that tests nothing is a fault.
    Tests,
    /// Its personas.
    Personas,
}

/// All that is wrong with a suite: of each file its faults.
#[derive(Clone, Debug, Default)]
pub struct SuiteError(pub Vec<(PathBuf, Fault)>);

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, fault)) in self.0.iter().enumerate() {
            let newline = if index > 0 { "\n" } else { "" };
            write!(f, "{newline}{}", path.display())?;
            if let (Some(line), Some(column)) = (fault.line, fault.column) {
                write!(f, ":{line}:{column}")?;
            }
            let Fault { place, message, .. } = fault;
            let colon = if place.is_empty() { "" } else { ": " };
            write!(f, ": {place}{colon}{message}")?;
        }
        Ok(())
    }
}

impl Suite {
    /// Reads a file of tests and the configuration that it names, else the one beside it. `given` are values of the
    /// environment that go before those of the file; `config` goes before the file's own.
    ///
    /// # Errors
    /// All faults of both files.
    pub fn load(
        path: &Path,
        config: Option<&Path>,
        environment: &Environment,
        given: &[(String, String)],
        needs: Needs,
    ) -> Result<Self, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
        Self::of_text(&text, path, config, environment, given, needs)
    }

    /// The same for a text that would be the file at that path.
    ///
    /// # Errors
    /// All faults of both files.
    pub fn of_text(
        text: &str,
        path: &Path,
        config: Option<&Path>,
        environment: &Environment,
        given: &[(String, String)],
        needs: Needs,
    ) -> Result<Self, SuiteError> {
        let at = |path: &Path, faults: Faults| faults.0.into_iter().map(|fault| (path.to_owned(), fault)).collect();
        Self::parse(text, path, config, environment, given, needs).map_err(|faults| match faults {
            Failure::OfTests(faults) => SuiteError(at(path, faults)),
            Failure::OfBoth(config_path, of_config, of_tests) => {
                let mut all: Vec<_> = at(&config_path, of_config);
                all.extend::<Vec<_>>(at(path, of_tests));
                SuiteError(all)
            }
        })
    }

    fn parse(
        text: &str,
        path: &Path,
        config: Option<&Path>,
        environment: &Environment,
        given: &[(String, String)],
        needs: Needs,
    ) -> Result<Self, Failure> {
        let (root, faults) = yaml::parse(text, Tags::Refused).map_err(Failure::OfTests)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let reader = Reader::new(environment, folder, faults);
        let Some(mut file) = Fields::of(&reader, &root, "") else { return Err(Failure::OfTests(reader.into_faults())) };
        let values = file.take("environment").map(|item| environment_of(&item));
        let named = file.take("config").map(|item| item.string());
        let config_path = match (config, named) {
            (Some(path), _) => path.to_owned(),
            (None, Some(name)) => folder.join(name.unwrap_or_default()),
            (None, None) => folder.join("authorizer.yaml"),
        };
        let environment = environment.clone().with(values.flatten().unwrap_or_default()).with(given.iter().cloned());
        let engine = match std::fs::read_to_string(&config_path) {
            Ok(text) => {
                let folder = config_path.parent().map(Path::to_path_buf).unwrap_or_default();
                Engine::new(&ConfigText { text, folder }, &environment)
            }
            Err(error) => Err(Faults::one(format!("cannot read the configuration: {error}"))),
        };
        let known = engine.as_ref().ok().map(Engine::config);
        let personas = file.take("personas").map(|item| Personas::read(&item, known));
        let are_known = !matches!(personas, Some(None));
        let personas = personas.flatten().unwrap_or_default();
        let defaults = Defaults {
            kinds: file.take("on").and_then(|item| kinds(&item)),
            at: file.take("at").and_then(|item| time(&item)),
            personas: are_known.then_some(&personas),
            config: known,
        };
        let tests = match needs {
            Needs::Tests => file.require("tests"),
            Needs::Personas => file.take("tests"),
        };
        let tests: Vec<Option<Test>> = match tests.and_then(|item| item.items()) {
            Some(items) => items.iter().map(|item| test(item, &defaults)).collect(),
            None => Vec::new(),
        };
        file.finish();
        let tests: Option<Vec<Test>> = tests.into_iter().collect();
        let faults = reader.into_faults();
        match (engine, tests) {
            (Err(of_config), _) => Err(Failure::OfBoth(config_path, of_config, faults)),
            (Ok(engine), Some(tests)) if faults.is_empty() => {
                Ok(Self { path: path.to_owned(), config_path, engine, personas, tests })
            }
            (Ok(_), _) => Err(Failure::OfTests(faults)),
        }
    }
}

enum Failure {
    OfTests(Faults),
    OfBoth(PathBuf, Faults, Faults),
}

fn unreadable(path: &Path, error: &std::io::Error) -> SuiteError {
    let fault = Faults::one(format!("cannot be read: {error}")).0.into_iter();
    SuiteError(fault.map(|fault| (path.to_owned(), fault)).collect())
}

/// What the file says for all tests.
struct Defaults<'d> {
    kinds: Option<Vec<EventKind>>,
    at: Option<UnixSeconds>,
    /// `None` where they are faulty themselves.
    personas: Option<&'d Personas>,
    /// `None` where it is faulty itself.
    config: Option<&'d Config>,
}

fn environment_of(item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let mut fields = item.fields()?;
    let value = |item: &Item<'_>| if item.node().text() == Some("") { Some(String::new()) } else { item.string() };
    fields.rest().iter().map(|(name, item)| Some(((*name).to_owned(), value(item)?))).collect()
}

fn kinds(item: &Item<'_>) -> Option<Vec<EventKind>> {
    let mut read = Vec::new();
    for name in item.strings()? {
        match kind_named(&name) {
            Some(kind) => read.push(kind),
            None => {
                let known = event::KINDS.map(EventKind::name);
                item.fault(format!("`{name}` is none of {}{}", known.join(", "), hint(&name, known)));
                return None;
            }
        }
    }
    Some(read)
}

fn time(item: &Item<'_>) -> Option<UnixSeconds> {
    let time = parse_rfc3339(&item.text()?);
    if time.is_none() {
        item.fault("must be a time in UTC such as `2026-12-01T00:00:00Z`");
    }
    time
}

fn expected(item: &Item<'_>, text: &str) -> Option<Expected> {
    match text {
        "allow" => Some(Expected::Allow),
        "deny" => Some(Expected::Deny),
        code if is_reason(code) => Some(Expected::Reason(code.into())),
        other => {
            let known = reasons().iter().map(|reason| reason.code).chain(["allow", "deny"]);
            item.fault(format!("`{other}` is neither `allow`, `deny` nor a reason{}", hint(other, known)));
            None
        }
    }
}

/// One text, or a list of them, which may hold commas and blanks.
fn texts(item: &Item<'_>) -> Option<Vec<String>> {
    if item.is_list() { item.items()?.iter().map(Item::string).collect() } else { Some(vec![item.string()?]) }
}

fn test(item: &Item<'_>, defaults: &Defaults<'_>) -> Option<Test> {
    let mut fields = item.fields()?;
    let name = fields.take("name").map(|item| item.string());
    let who = fields.take("as").map(|item| who(&item, defaults.personas));
    let (request, requests, event) = (fields.take("request"), fields.take("requests"), fields.take("event"));
    let asked: Option<Vec<RequestLine>> = match (&request, &requests, &event) {
        (Some(item), None, None) | (None, Some(item), None) => lines(item, defaults),
        (None, None, Some(_)) => Some(Vec::new()),
        _ => {
            item.fault("must have one of `request`, `requests` and `event`");
            None
        }
    };
    let event = event.map(|item| event_of(&item));
    let answers = fields.require("expect").and_then(|item| {
        let texts = texts(&item)?;
        texts.iter().map(|text| expected(&item, text)).collect::<Option<Vec<Expected>>>()
    });
    let context = fields.take("context").map(|item| match json(&item)? {
        Value::Object(members) => Some(Arc::new(members)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            item.fault("must be a map");
            None
        }
    });
    let at = match fields.take("at") {
        Some(item) => time(&item).map(Some),
        None => Some(defaults.at),
    };
    let on = fields.take("on").map(|item| kinds(&item));
    let route = fields.take("route").map(|item| route(&item, defaults.config));
    let would_be = fields.take("would_be").map(|item| {
        let text = item.string()?;
        matches!(expected(&item, &text)?, Expected::Reason(_)).then(|| Arc::from(text))
    });
    let source_ip = fields.take("source_ip").map(|item| {
        let text = item.string()?;
        if text.parse::<std::net::IpAddr>().is_err() {
            item.fault("must be an IP address");
            return None;
        }
        Some(Arc::from(text))
    });
    fields.finish();
    if who.is_none() && event.is_none() {
        item.fault("as: is missing: name a persona, or `nobody`");
        return None;
    }
    let own_credential = who.is_none();
    let who = who.unwrap_or_else(|| Some(vec![None]))?;
    let (asked, event) = (asked?, whole(event)?);
    let asked: Vec<Arc<RequestLine>> = match &event {
        Some((_, request, _)) => vec![Arc::new(request.clone())],
        None => asked.into_iter().map(Arc::new).collect(),
    };
    let (answers, context, route, would_be, source_ip) =
        (answers?, whole(context)?, whole(route)?, whole(would_be)?, whole(source_ip)?);
    let of_case = |persona: usize, request: usize| match answers.as_slice() {
        [only] => Some(only),
        several if several.len() == who.len() => several.get(persona),
        several if several.len() == asked.len() => several.get(request),
        _ => None,
    };
    if of_case(0, 0).is_none() {
        item.fault(format!(
            "expect: has {} answers for {} personas and {} requests: write one, or one for each of either",
            answers.len(),
            who.len(),
            asked.len()
        ));
        return None;
    }
    let on = whole(on)?.or_else(|| defaults.kinds.clone());
    let mut cases = Vec::new();
    for (persona_index, persona) in who.iter().enumerate() {
        for (request_index, request) in asked.iter().enumerate() {
            let own_kind = event.as_ref().map(|(_, _, kind)| *kind);
            for kind in kinds_of(request, own_kind, on.as_deref()) {
                cases.push(Case {
                    persona: persona.clone(),
                    request: Arc::clone(request),
                    event: event.as_ref().map(|(event, _, _)| Arc::clone(event)),
                    own_credential,
                    kind,
                    at: at?,
                    source_ip: source_ip.clone(),
                    expected: of_case(persona_index, request_index)?.clone(),
                    context: context.clone(),
                    route: route.clone(),
                    would_be: would_be.clone(),
                });
            }
        }
    }
    if cases.is_empty() {
        item.fault("on: no request of this test comes by such an event: `websocket` is for `$connect` alone");
        return None;
    }
    let node = item.node();
    Some(Test { line: node.line, column: node.column, name: whole(name)?, cases })
}

/// A handshake comes by a WebSocket's event, all else by the others.
fn kinds_of(request: &RequestLine, own: Option<EventKind>, on: Option<&[EventKind]>) -> Vec<EventKind> {
    let fits = |kind: &EventKind| (*kind == EventKind::WebSocket) == request.is_connect();
    match (on, own) {
        (Some(on), _) => on.iter().copied().filter(fits).collect(),
        (None, Some(own)) => vec![own],
        (None, None) if request.is_connect() => vec![EventKind::WebSocket],
        (None, None) => vec![EventKind::Http2],
    }
}

fn who(item: &Item<'_>, personas: Option<&Personas>) -> Option<Vec<Option<String>>> {
    let mut read = Vec::new();
    let mut complete = true;
    for name in item.strings()? {
        let is_known = personas.is_none_or(|personas| personas.get(&name).is_some());
        if is_nobody(&name) {
            read.push(None);
        } else if is_known {
            read.push(Some(name));
        } else {
            let names = personas.into_iter().flat_map(Personas::names).chain(["nobody"]);
            item.fault(format!("no persona is called `{name}`{}", hint(&name, names)));
            complete = false;
        }
    }
    complete.then_some(read)
}

fn lines(item: &Item<'_>, defaults: &Defaults<'_>) -> Option<Vec<RequestLine>> {
    let personas = defaults.personas?;
    let keys: Vec<&str> = keys(defaults.config);
    let mut read = Vec::new();
    let mut complete = true;
    for text in texts(item)? {
        match RequestLine::parse(&text, personas, keys.iter().copied()) {
            Ok(lines) => read.extend(lines),
            Err(error) => {
                item.fault(format!("`{text}`: {error}"));
                complete = false;
            }
        }
    }
    complete.then_some(read)
}

fn keys(config: Option<&Config>) -> Vec<&str> {
    config.into_iter().flat_map(|config| config.rules().iter()).map(|(_, rule)| &*rule.key).collect()
}

fn route(item: &Item<'_>, config: Option<&Config>) -> Option<Arc<str>> {
    let text = item.string()?;
    let keys = keys(config);
    if config.is_some() && !keys.contains(&text.as_str()) {
        item.fault(format!("the table has no route `{text}`{}", hint(&text, keys)));
        return None;
    }
    Some(text.into())
}

fn event_of(item: &Item<'_>) -> Option<(Arc<Value>, RequestLine, EventKind)> {
    let read = serde_json::from_slice::<Value>(&item.file()?).map_err(|error| format!("is not JSON: {error}"));
    let read = read.and_then(|value| match event::read(&value) {
        Ok((kind, request, _)) => Ok((Arc::new(value), request, kind)),
        Err(error) => Err(error.to_string()),
    });
    read.map_err(|why| item.fault(why)).ok()
}

/// A key that is there and faulty makes the whole faulty.
fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |value| value.map(Some))
}
