//! The steps from a credential to accepted claims: which were taken, at which the request was refused, which were not
//! reached. Which it was is the core's word: the reason code says at which step it refused.

use super::engine::{Engine, Judgement, Question};
use cognito_authorizer::authorizer::Issuer;
use cognito_authorizer::gateway::{EventKind, TokenSource};
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::rfc3339;
use cognito_authorizer::token::{Audience, ClientId, ClientIds, IssuerKind, TokenUse};
use serde_json::{Map, Value, json};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is looked at.
    pub what: &'static str,
    /// What became of it.
    pub state: State,
    /// What there is, and what should be.
    pub found: String,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was taken.
    Passed,
    /// The request was refused here.
    Refused,
    /// The request was refused before.
    NotReached,
}

impl Step {
    /// The same for machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let state = match self.state {
            State::Passed => "passed",
            State::Refused => "refused",
            State::NotReached => "not_reached",
        };
        json!({ "what": self.what, "state": state, "found": self.found })
    }
}

/// The steps in the core's order, each with the reasons that refuse there.
const ORDER: [(&str, &[&str]); 12] = [
    ("credential", &["missing_token", "ambiguous_token", "token_too_large"]),
    ("token", &["malformed_token"]),
    ("issuer", &["unknown_issuer"]),
    ("algorithm", &["algorithm_not_allowed"]),
    ("key", &["unknown_key", "jwks_unavailable"]),
    ("signature", &["bad_signature"]),
    ("typ header", &["wrong_typ"]),
    ("identifiers and dates", &["malformed_claims", "token_expired", "token_not_yet_valid"]),
    ("token_use", &["wrong_token_use"]),
    ("client", &["wrong_client"]),
    ("audience", &["wrong_audience"]),
    ("sender", &["sender_not_proven"]),
];

pub(super) fn steps(engine: &Engine, question: &Question<'_>, judgement: &Judgement) -> Vec<Step> {
    let record = &judgement.rehearsal.record;
    let outcome = judgement.outcome();
    let refused_at = match record.claims {
        Some(_) => None,
        None => Some(ORDER.iter().position(|(_, reasons)| reasons.contains(&outcome)).unwrap_or(0)),
    };
    let issuer = record.issuer.as_deref().and_then(|name| configured(engine, name));
    let facts = Facts { engine, question, judgement, issuer, claims: judgement.claims.as_deref() };
    let mut steps = Vec::new();
    for (index, (what, _)) in ORDER.into_iter().enumerate() {
        let state = match refused_at {
            Some(at) if index == at => State::Refused,
            Some(at) if index > at => State::NotReached,
            Some(_) | None => State::Passed,
        };
        if let Some(found) = facts.of(what) {
            steps.push(Step { what, state, found });
        }
    }
    steps
}

/// The configured issuer of that name, or with that tenant.
fn configured<'e>(engine: &'e Engine, name: &str) -> Option<&'e Issuer> {
    engine.config().issuers().iter().find(|issuer| issuer.expectations.issuer_named(name).is_some())
}

struct Facts<'f> {
    engine: &'f Engine,
    question: &'f Question<'f>,
    judgement: &'f Judgement,
    issuer: Option<&'f Issuer>,
    claims: Option<&'f Map<String, Value>>,
}

impl Facts<'_> {
    /// What there is at a step; `None` where the step is none for this token.
    fn of(&self, what: &str) -> Option<String> {
        let record = &self.judgement.rehearsal.record;
        let expectations = self.issuer.map(|issuer| &issuer.expectations);
        let claim = |name: &str| self.claim(name);
        Some(match what {
            "credential" => self.carried(),
            "token" => match self.question.persona {
                Some(persona) if persona.is_opaque() => "an opaque token, which its issuer is asked about".to_owned(),
                _ => "a JWT (its text is not shown)".to_owned(),
            },
            "issuer" => match &record.issuer {
                Some(issuer) => format!("iss is {issuer}, which is configured"),
                None => format!("iss is {}", claim("iss")),
            },
            "algorithm" => {
                let allowed: Vec<&str> = expectations?.algorithms.iter().map(|algorithm| algorithm.name()).collect();
                format!("one of {}", allowed.join(", "))
            }
            "key" => format!("kid is {}", record.kid.as_deref()?),
            "signature" => format!("by the issuer's key {} (a local one here)", record.kid.as_deref()?),
            "typ header" => format!("must be {}", expectations?.typ.as_deref()?),
            "identifiers and dates" => self.dates(),
            "token_use" => {
                let IssuerKind::Cognito { token_uses } = &expectations?.kind else { return None };
                let names = token_uses.iter().map(|one| match one {
                    TokenUse::Access => "access",
                    TokenUse::Id => "id",
                });
                format!("is {}; accepted: {}", claim("token_use"), names.collect::<Vec<_>>().join(", "))
            }
            "client" => {
                let accepted = match &expectations?.client_ids {
                    ClientIds::Unchecked => return None,
                    ClientIds::AnyNamed => "any".to_owned(),
                    ClientIds::OneOf(ids) => ids.iter().map(client_text).collect::<Vec<_>>().join(", "),
                };
                let accepted_claims = record.claims.as_deref().and_then(|claims| claims.client_id());
                let client = accepted_claims.map_or_else(|| claim("client_id"), ToString::to_string);
                format!("is {client}; accepted: {accepted}")
            }
            "audience" => match &expectations?.audience {
                Audience::Unchecked => return None,
                Audience::Absent => format!("aud is {}; there must be none", claim("aud")),
                Audience::OneOf(accepted) => format!("aud is {}; accepted: {}", claim("aud"), accepted.join(", ")),
            },
            "sender" => {
                self.claims?.get("cnf")?;
                "the token is bound to a sender (`cnf`)".to_owned()
            }
            _ => return None,
        })
    }

    fn claim(&self, name: &str) -> String {
        let accepted = self.judgement.rehearsal.record.claims.as_deref();
        let value = accepted.and_then(|claims| claims.get(name)).or_else(|| self.claims?.get(name));
        value.map_or_else(|| "not there".to_owned(), ToString::to_string)
    }

    fn carried(&self) -> String {
        let configured = self.engine.config().token_sources().of(self.question.kind);
        let listed = |sources: &[TokenSource]| sources.iter().map(place).collect::<Vec<_>>().join(", ");
        let Some(request) = &self.judgement.rehearsal.request else { return "not looked for".to_owned() };
        match (request.event, request.carried_in.as_slice()) {
            (EventKind::RestToken, _) => "in `authorizationToken`".to_owned(),
            (_, []) => format!("none; looked for in {}", listed(configured)),
            (_, carried) => format!("in {}", listed(carried)),
        }
    }

    fn dates(&self) -> String {
        let date = |name: &str| {
            let accepted = self.judgement.rehearsal.record.claims.as_deref();
            let value = accepted.and_then(|claims| claims.get(name)).or_else(|| self.claims?.get(name))?;
            let text = value.as_f64().and_then(UnixSeconds::new).map_or_else(|| value.to_string(), rfc3339);
            Some(format!("{name} {text}"))
        };
        let dates: Vec<String> = ["exp", "nbf", "iat"].into_iter().filter_map(date).collect();
        let dates = if dates.is_empty() { "no dates".to_owned() } else { dates.join(", ") };
        format!("{dates}; it is {}", rfc3339(self.question.at))
    }
}

fn client_text(id: &ClientId) -> String {
    match id {
        ClientId::Exact(id) => id.clone(),
        ClientId::Below(prefix) => format!("{prefix}*"),
    }
}

fn place(source: &TokenSource) -> String {
    match source {
        TokenSource::Header(name) => format!("the header `{name}`"),
        TokenSource::Query(name) => format!("the query parameter `{name}`"),
        TokenSource::Cookie(name, _) => format!("the cookie `{name}`"),
        TokenSource::Subprotocol(word) => format!("`Sec-WebSocket-Protocol`, after `{word}`"),
    }
}
