//! What happened to one request, step by step, and why.

use super::caching::kept_by;
use super::engine::{Engine, Judgement, Question};
use super::opposite::opposite;
use super::reasons::reason;
use super::steps::{Step, steps};
use super::tree::{Tree, TreeNode};
use cognito_authorizer::access::{Contender, RouteKey, Rule};
use cognito_authorizer::gateway::Answer;
use cognito_authorizer::time::rfc3339;
use serde_json::{Value, json};

/// What happened to one request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The request, `GET /items`.
    pub request: String,
    /// The kind of event.
    pub event: &'static str,
    /// When.
    pub at: String,
    /// Who asked, where a persona did.
    pub persona: Option<String>,
    /// `allow`, `unauthorized`, `forbidden` or `unavailable`.
    pub decision: &'static str,
    /// The reason code of a refusal.
    pub reason: Option<&'static str>,
    /// Which of several causes it was.
    pub detail: Option<String>,
    /// Of a request that a rule lets in which only reports: why it would be refused.
    pub would_be: Option<&'static str>,
    /// What the reason means, and what to do about it.
    pub meaning: Option<(&'static str, &'static str)>,
    /// From the credential to the checks of its claims.
    pub steps: Vec<Step>,
    /// The route that serves the path, or the reason why none does.
    pub route: Result<String, String>,
    /// The routes that have the path and lost.
    pub contenders: Vec<Contender>,
    /// The rules that were asked, held against the claims of an accepted token.
    pub rules: Vec<TreeNode>,
    /// What live checks came to.
    pub live_check: Option<&'static str>,
    /// What Cedar policies decided.
    pub policies: Option<String>,
    /// What API Gateway gets.
    pub answer: Value,
    /// By what that answer may be cached.
    pub cached_by: Option<String>,
    /// What would have to change for the opposite answer.
    pub opposite: Vec<String>,
}

impl Explanation {
    /// Asks, and writes down what happened.
    ///
    /// # Errors
    /// Why the question cannot be asked.
    pub fn of(engine: &Engine, question: &Question<'_>) -> Result<Self, String> {
        let mut tree = Tree::default();
        let judgement = engine.judge(question, &mut tree)?;
        let request = judgement.rehearsal.request.as_ref();
        let (method, path) = request.map_or(("", ""), |request| (request.method.as_str(), request.path.as_str()));
        let line = if method == "$connect" { method.to_owned() } else { format!("{method} {path}").trim().to_owned() };
        let rules = engine.config().rules();
        let route = match request.map(|request| &request.route) {
            Some(Ok(key)) => Ok(key.to_string()),
            Some(Err(denial)) => Err(match denial.detail() {
                Some(detail) => format!("{}: {detail}", denial.code()),
                None => denial.code().to_owned(),
            }),
            None => Err("the event names no request".to_owned()),
        };
        let rule = route.as_ref().ok().and_then(|key| rules.iter().find(|(_, rule)| *rule.key == **key));
        let denial = judgement.denial();
        let live_check = judgement.rehearsal.record.live_check.outcome();
        Ok(Self {
            request: line,
            event: question.kind.name(),
            at: rfc3339(question.at),
            persona: question.persona.map(|persona| persona.name().to_owned()),
            decision: judgement.decision(),
            reason: denial.map(|denial| denial.code()),
            detail: denial.and_then(|denial| denial.detail()).map(str::to_owned),
            would_be: judgement.rehearsal.would_be.as_ref().map(|denial| denial.code()),
            meaning: denial.and_then(|denial| reason(denial.code())).map(|reason| (reason.meaning, reason.remedy)),
            steps: steps(engine, question, &judgement),
            contenders: if method == "$connect" { Vec::new() } else { rules.contenders(method, path) },
            opposite: opposite(&judgement, &tree.rules, rule.map(|(_, rule)| rule)),
            route,
            rules: tree.rules,
            live_check,
            policies: policies(&judgement),
            answer: answer(&judgement.rehearsal.answer),
            cached_by: rule.map(|(key, rule)| cached_by(engine, question, key, rule)),
        })
    }

    /// The same for machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::json).collect();
        let contenders = self.contenders.iter();
        let contenders: Vec<Value> =
            contenders.map(|lost| json!({ "route": lost.key, "lost_by": lost.lost_by.to_string() })).collect();
        let rules: Vec<Value> = self.rules.iter().map(TreeNode::json).collect();
        let meaning = self.meaning.map(|(meaning, remedy)| json!({ "meaning": meaning, "remedy": remedy }));
        json!({
            "request": self.request, "event": self.event, "at": self.at, "persona": self.persona,
            "decision": self.decision, "reason": self.reason, "detail": self.detail, "would_be": self.would_be,
            "about_the_reason": meaning, "steps": steps,
            "route": self.route.as_ref().ok(), "no_route": self.route.as_ref().err(), "contenders": contenders,
            "rules": rules, "live_check": self.live_check, "policies": self.policies, "answer": self.answer,
            "cached_by": self.cached_by, "opposite": self.opposite,
        })
    }
}

fn policies(judgement: &Judgement) -> Option<String> {
    let log = &judgement.rehearsal.record.permissions;
    let verdict = log.verdict.as_ref();
    let outcome = match verdict {
        Some(verdict) if verdict.allowed => "granted",
        Some(_) => "not granted",
        None => return log.errors(),
    };
    let by = log.policies().map(|names| format!(" by {names}")).unwrap_or_default();
    let errors = log.errors().map(|names| format!("; could not be evaluated: {names}")).unwrap_or_default();
    Some(format!("{outcome}{by}{errors}"))
}

/// What API Gateway gets, as JSON.
#[must_use]
pub fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Result(text) => serde_json::from_str(text).unwrap_or_default(),
        Answer::Failure { error_type, error_message } => {
            json!({ "errorType": error_type, "errorMessage": error_message })
        }
    }
}

fn cached_by(engine: &Engine, question: &Question<'_>, key: &RouteKey, rule: &Rule) -> String {
    let config = engine.config();
    let [policy, simple] = kept_by(config, key, rule, !config.rules().cache_key().route);
    if config.answers().by_policy(question.kind) { policy } else { simple }
}
