//! The playground's API: the texts of the page go in, what the function's own core says of them comes out.

use super::judged;
use super::project::{Files, Place, Project};
use super::server::{Call, Reply};
use super::session::Session;
use cognito_authorizer::config::yaml::{self, Node, Tags, Value as Held};
use cognito_authorizer::config::{ConfigText, Environment, Fault, Fields, Reader};
use cognito_authorizer::gateway::EventKind;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer_operator::workbench::{KINDS, Persona, RequestLine, kind_named};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

/// Answers the page.
pub(crate) fn answer(call: &Call, session: &Session) -> Reply {
    let shown = call.header("x-authctl-key").unwrap_or_default();
    if aws_lc_rs::constant_time::verify_slices_are_equal(shown.as_bytes(), session.access_key.as_bytes()).is_err() {
        return Reply::refused(
            StatusCode::UNAUTHORIZED,
            "Open the address that authctl dev printed: it has this session's key.\n",
        );
    }
    // The browser asks a server first before it sends this type for a page from elsewhere, and gets no leave here.
    let is_json = call.header("content-type") == Some("application/json");
    let asked = match call.method {
        Method::GET => Some(Value::Null),
        Method::POST if is_json => serde_json::from_slice(&call.body).ok(),
        _ => None,
    };
    let Some(asked) = asked else { return Reply::refused(StatusCode::BAD_REQUEST, "The request is not JSON.\n") };
    let api = Api { session, environment: Environment::of_process(), asked: &asked };
    let answer = match (&call.method, call.path.as_str()) {
        (&Method::GET, "/api/project") => api.project(),
        (&Method::POST, "/api/judge") => api.judge(),
        (&Method::POST, "/api/routes") => api.of_question(judged::routes),
        (&Method::POST, "/api/matrix") => api.of_question(judged::matrix),
        (&Method::POST, "/api/diff") => api.changes(),
        _ => return Reply::refused(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    };
    match answer {
        Ok(json) => Reply::json(StatusCode::OK, &json),
        Err(why) => Reply::new(StatusCode::UNPROCESSABLE_ENTITY, "text/plain; charset=utf-8", why),
    }
}

struct Api<'a> {
    session: &'a Session,
    environment: Environment,
    asked: &'a Value,
}

/// A question that can be asked.
pub(crate) struct Question<'a> {
    pub(crate) project: &'a Project,
    pub(crate) persona: Option<&'a Persona>,
    /// Whether the page changed the persona.
    pub(crate) is_edited: bool,
    pub(crate) request: RequestLine,
    pub(crate) kind: EventKind,
    pub(crate) at: UnixSeconds,
}

/// What is wrong, and in which field of the page.
struct Finding {
    field: &'static str,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl Api<'_> {
    fn text(&self, name: &str) -> &str {
        self.asked.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The files on disk, and what can be chosen.
    fn project(&self) -> Result<Value, String> {
        let files = Files::read(&self.session.settings, &self.environment)?;
        let config_path = self.session.settings.config.as_deref().unwrap_or(Path::new("authorizer.yaml"));
        let project = Project::of(&files, &self.session.settings, &self.environment).ok();
        Ok(json!({
            "config": { "path": config_path.display().to_string(), "text": files.config.text },
            "tests": { "path": files.tests_path.display().to_string(), "text": files.tests },
            "kinds": KINDS.map(EventKind::name),
            "personas": project.iter().flat_map(|project| project.personas.names()).collect::<Vec<_>>(),
            "requests": project.as_ref().map(judged::requests).unwrap_or_default(),
        }))
    }

    fn judge(&self) -> Result<Value, String> {
        let (personas, requests, judgement, findings) = match self.edited() {
            Err(findings) => (Vec::new(), Vec::new(), None, findings),
            Ok(project) => {
                let personas = project.personas.names().map(str::to_owned).collect();
                let requests = judged::requests(&project);
                match self.with_question(&project, judged::judgement) {
                    Ok(judgement) => (personas, requests, Some(judgement?), Vec::new()),
                    Err(findings) => (personas, requests, None, findings),
                }
            }
        };
        let findings = findings.into_iter().map(|finding| {
            let Finding { field, line, column, message } = finding;
            json!({ "field": field, "line": line, "column": column, "message": message })
        });
        Ok(json!({
            "faults": findings.collect::<Vec<_>>(), "personas": personas, "requests": requests, "judgement": judgement,
        }))
    }

    fn of_question(&self, answer: fn(&Question<'_>) -> Result<Value, String>) -> Result<Value, String> {
        let project = self.edited().map_err(|_| NO_VERDICT.to_owned())?;
        self.with_question(&project, answer).map_err(|_| NO_VERDICT.to_owned())?
    }

    /// How the edited files differ from those on disk.
    fn changes(&self) -> Result<Value, String> {
        let edited = self.edited().map_err(|_| NO_VERDICT.to_owned())?;
        let saved = Project::load(&self.session.settings, &self.environment)
            .map_err(|why| format!("The saved files have faults, so that nothing can be compared.\n{why}"))?;
        judged::changes(&saved, &edited)
    }

    /// The texts of the page.
    fn edited(&self) -> Result<Project, Vec<Finding>> {
        let whole = |message| vec![Finding { field: "config", line: None, column: None, message }];
        let files = Files::read(&self.session.settings, &self.environment).map_err(whole)?;
        let config = ConfigText { text: self.text("config").to_owned(), ..files.config };
        let files = Files { config, tests: self.text("tests").to_owned(), ..files };
        Project::of(&files, &self.session.settings, &self.environment).map_err(|faults| {
            let field = |place| if place == Place::Config { "config" } else { "tests" };
            faults.into_iter().map(|(place, fault)| finding(field(place), fault)).collect()
        })
    }

    fn with_question<T>(&self, project: &Project, answer: impl FnOnce(&Question<'_>) -> T) -> Result<T, Vec<Finding>> {
        let at_request = |message: String| vec![Finding { field: "request", line: None, column: None, message }];
        let at =
            cognito_authorizer::time::now().ok_or_else(|| at_request("The machine's clock is wrong.".to_owned()))?;
        let is_edited = !self.text("own").trim().is_empty();
        let edited;
        let persona = match (self.text("persona"), is_edited) {
            ("nobody", _) => None,
            (name, false) => Some(project.persona(name).map_err(at_request)?),
            (name, true) => {
                edited = self.edited_persona(name, project)?;
                Some(&edited)
            }
        };
        let keys = project.engine.config().rules().iter().map(|(_, rule)| &*rule.key);
        let requests = RequestLine::parse(self.text("request"), &project.personas, keys);
        let requests = requests.map_err(|error| at_request(error.to_string()))?;
        let request = requests.into_iter().next().ok_or_else(|| at_request("there is none".to_owned()))?;
        let kind = match (kind_named(self.text("kind")), request.is_connect()) {
            (_, true) => EventKind::WebSocket,
            (Some(EventKind::WebSocket), false) => {
                return Err(at_request("a WebSocket API asks about `$connect` alone".to_owned()));
            }
            (kind, false) => kind.unwrap_or(EventKind::Http2),
        };
        Ok(answer(&Question { project, persona, is_edited, request, kind, at }))
    }

    /// The persona of that name with what the page says instead.
    fn edited_persona(&self, name: &str, project: &Project) -> Result<Persona, Vec<Finding>> {
        let all = |faults: Vec<Fault>| faults.into_iter().map(|fault| finding("own", fault)).collect::<Vec<_>>();
        let (mut own, faults) = yaml::parse(self.text("own"), Tags::Refused).map_err(|faults| all(faults.0))?;
        let place = Node { value: Held::List(Vec::new()), ..own.clone() };
        if let Held::Map(entries) = &mut own.value
            && !entries.iter().any(|(key, _)| key == "extends")
        {
            let parent = Held::Scalar { text: name.to_owned(), plain: false };
            entries.push(("extends".to_owned(), Node { value: parent, ..place.clone() }));
        }
        let root = Node { value: Held::Map(vec![("persona".to_owned(), own)]), ..place };
        let reader = Reader::new(&self.environment, Path::new(""), faults);
        let item = Fields::of(&reader, &root, "").and_then(|mut fields| fields.take("persona"));
        let persona = item.and_then(|item| project.personas.read_one(name, &item, Some(project.engine.config())));
        let faults = reader.into_faults();
        match persona {
            Some(persona) if faults.is_empty() => Ok(persona),
            _ => Err(all(faults.0)),
        }
    }
}

fn finding(field: &'static str, fault: Fault) -> Finding {
    let Fault { place, message, line, column } = fault;
    let message = if place.is_empty() { message } else { format!("{place}: {message}") };
    Finding { field, line, column, message }
}

const NO_VERDICT: &str = "First mend the faults.";
