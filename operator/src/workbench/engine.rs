//! Judges one question: who asks for what, when, by which kind of event.

use super::event::{self, EventError};
use super::local_issuers::LocalIssuers;
use super::persona::Persona;
use super::real_token;
use super::request_line::RequestLine;
use super::token::{Minted, mint};
use cognito_authorizer::access::Observer;
use cognito_authorizer::config::{Config, ConfigText, Environment, Faults};
use cognito_authorizer::denial::{Class, Denial};
use cognito_authorizer::gateway::{Answer, EventKind, Handler, Rehearsal};
use cognito_authorizer::request::UnixSeconds;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// A configuration that can be asked.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    handler: Handler,
    local: Arc<LocalIssuers>,
    tokens: Mutex<Tokens>,
}

/// The tokens of personas at a time.
#[derive(Default)]
struct Tokens(HashMap<(u64, u64), Minted>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("held", &self.0.len()).finish()
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// What the request is.
    pub subject: Subject<'q>,
    /// Who sends it; without one it carries no credential, or, of an event, the event's own.
    pub persona: Option<&'q Persona>,
    /// By which kind of event it comes.
    pub kind: EventKind,
    /// What time it is.
    pub at: UnixSeconds,
    /// The address that it comes from; without one 192.0.2.1, or, of an event, the event's own.
    pub source_ip: Option<&'q str>,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'q> {
    /// As somebody writes it.
    Request(&'q RequestLine),
    /// As API Gateway sent it. Asked as another kind of event than its own, it is made anew out of its method, path and query.
    Event {
        /// The event.
        event: &'q Value,
        /// Whether its own credential is taken out where there is no persona.
        without_credential: bool,
    },
}

/// What would become of it.
#[derive(Debug)]
pub struct Judgement {
    /// What the function's own steps came to.
    pub rehearsal: Rehearsal,
    /// The claims of the persona's token, whether it was accepted or not.
    pub claims: Option<Arc<Map<String, Value>>>,
}

impl Engine {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All [`Faults`].
    pub fn new(text: &ConfigText, environment: &Environment) -> Result<Self, Faults> {
        let local = LocalIssuers::new();
        let parse = || Config::parse_offline(text, environment, Arc::<LocalIssuers>::clone(&local));
        // One to look at, one that answers.
        let (config, handler) = (parse()?, parse()?.into_handler());
        Ok(Self { config, handler, local, tokens: Mutex::default() })
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The local issuers, which publish their keys.
    #[must_use]
    pub fn local_issuers(&self) -> &LocalIssuers {
        &self.local
    }

    /// Asks. `observer` sees the rule held against the claims.
    ///
    /// # Errors
    /// Why the question cannot be asked.
    pub fn judge<O: Observer>(&self, question: &Question<'_>, observer: &mut O) -> Result<Judgement, String> {
        // One question at a time: the local issuers answer as its persona says.
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = match question.persona {
            Some(persona) => Some(self.minted(persona, question.at, &mut tokens)?),
            None => None,
        };
        let event = self.event(question, minted.as_ref()).map_err(|error| error.to_string())?.to_string();
        let introspection = minted.as_ref().and_then(|minted| {
            let body = minted.introspection.clone()?;
            Some((Arc::clone(&minted.text), body))
        });
        self.local.answer_as(question.persona, introspection);
        let rehearsal = at_once(self.handler.rehearse(event.as_bytes(), question.at, observer))?;
        let rehearsal = rehearsal.ok_or_else(|| EventError("no event of an authorizer").to_string())?;
        Ok(Judgement { rehearsal, claims: minted.map(|minted| minted.claims) })
    }

    /// A persona's token as of that time.
    ///
    /// # Errors
    /// Why there is none.
    pub fn token(&self, persona: &Persona, at: UnixSeconds) -> Result<Minted, String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        self.minted(persona, at, &mut tokens)
    }

    /// The event of a question, with the persona's token in it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn event_of(&self, question: &Question<'_>) -> Result<Value, String> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = match question.persona {
            Some(persona) => Some(self.minted(persona, question.at, &mut tokens)?),
            None => None,
        };
        self.event(question, minted.as_ref()).map_err(|error| error.to_string())
    }

    /// The kind of an event that came from elsewhere.
    ///
    /// # Errors
    /// Why it is no event of an authorizer.
    pub fn kind_of(&self, event: &Value) -> Result<EventKind, String> {
        event::read(event).map(|(kind, _, _)| kind).map_err(|error| error.to_string())
    }

    /// Who sent an event: a persona with the claims of the token in it, which is not verified. `None` where there is no JWT
    /// of a configured issuer in it: then the event's own credential says why.
    ///
    /// # Errors
    /// Why it is no event of an authorizer.
    pub fn persona_of_event(&self, event: &Value) -> Result<Option<Persona>, String> {
        let kind = self.kind_of(event)?;
        let token = event::carried(event, kind, self.config.token_sources());
        Ok(token.and_then(|token| real_token::persona(&token, &self.config)))
    }

    fn minted(&self, persona: &Persona, at: UnixSeconds, tokens: &mut Tokens) -> Result<Minted, String> {
        let key = (persona.id(), at.as_f64().to_bits());
        if let Some(known) = tokens.0.get(&key) {
            return Ok(known.clone());
        }
        let name = persona.issuer().ok_or_else(|| format!("the persona `{}` has no issuer", persona.name()))?;
        let issuer = self.config.issuers().iter().find(|issuer| issuer.expectations.issuer == *name);
        let issuer = issuer.ok_or_else(|| format!("the configuration has no issuer `{name}`"))?;
        let minted = mint(persona, issuer, at, &self.local)?;
        if tokens.0.len() >= MAX_TOKENS {
            tokens.0.clear();
        }
        tokens.0.insert(key, minted.clone());
        Ok(minted)
    }

    fn event(&self, question: &Question<'_>, minted: Option<&Minted>) -> Result<Value, EventError> {
        let token = minted.map(|minted| &*minted.text);
        let (mut event, has_own) = match question.subject {
            Subject::Request(request) => {
                (event::event(question.kind, request, question.source_ip.unwrap_or(SOURCE_IP)), false)
            }
            Subject::Event { event, without_credential } => {
                let (own_kind, request, own_ip) = event::read(event)?;
                let source_ip = question.source_ip.or(own_ip.as_deref()).unwrap_or(SOURCE_IP);
                if own_kind == question.kind && question.source_ip.is_none() {
                    (event.clone(), !without_credential)
                } else {
                    (event::event(question.kind, &request, source_ip), false)
                }
            }
        };
        if token.is_some() || !has_own {
            event::carry(&mut event, question.kind, token, self.config.token_sources());
        }
        Ok(event)
    }
}

impl Judgement {
    /// `allow`, or the reason code.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        self.denial().map_or("allow", Denial::code)
    }

    /// `allow`, `unauthorized`, `forbidden` or `unavailable`, as the log has it.
    #[must_use]
    pub fn decision(&self) -> &'static str {
        match self.denial().map(Denial::class) {
            None => "allow",
            Some(Class::Unauthorized) => "unauthorized",
            Some(Class::Forbidden) => "forbidden",
            Some(Class::Unavailable) => "unavailable",
        }
    }

    /// Why it is refused, where it is.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        self.rehearsal.ruling.as_ref().err()
    }

    /// The key of the route that serves the path, whatever the token.
    #[must_use]
    pub fn route(&self) -> Option<&Arc<str>> {
        self.rehearsal.request.as_ref()?.route.as_ref().ok()
    }

    /// The context that the backend gets, or what a client may be told of a refusal.
    #[must_use]
    pub fn context(&self) -> Map<String, Value> {
        let Answer::Result(text) = &self.rehearsal.answer else { return Map::new() };
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        answer.get("context").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

/// What a future comes to that waits for nothing, since nothing is asked over the network.
fn at_once<T>(future: impl Future<Output = T>) -> Result<T, String> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("the authorizer waits for an answer that nobody gives".to_owned()),
    }
}

/// TEST-NET-1 (RFC 5737).
const SOURCE_IP: &str = "192.0.2.1";

/// One each of many personas and times.
const MAX_TOKENS: usize = 10_000;
