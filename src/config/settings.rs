//! The sections beside `issuers` and `routes`, each with its defaults.

use super::csrf;
use super::fields::{Fields, Item};
use crate::access::LetterCase;
use crate::gateway::{
    AnswerSettings, ClaimSource, ContextMap, Csrf, EventKind, HttpResponse, OMITTED_CLAIMS, TokenSource, TokenSources,
    Unauthorized,
};
use crate::http::RemoteCounts;
use crate::keys::{JwksSettings, WithdrawnKeys};
use crate::live::RevocationTable;
use crate::metrics::{Metrics, Namespace};
use crate::request::MAX_LEEWAY;
use std::sync::Arc;
use std::time::Duration;

/// How far clocks may differ.
pub(super) fn leeway(file: &mut Fields<'_>) -> Option<Duration> {
    let Some(item) = file.take("leeway") else { return Some(Duration::from_secs(5)) };
    let leeway = item.duration_or_zero()?;
    if leeway > MAX_LEEWAY {
        item.fault("must be at most 60s");
        return None;
    }
    Some(leeway)
}

pub(super) fn jwks(file: &mut Fields<'_>) -> Option<JwksSettings> {
    let mut settings = JwksSettings {
        max_age: Duration::from_secs(60 * 60),
        cooldown: Duration::from_secs(10),
        timeout: Duration::from_secs(2),
        stale_if_error: Duration::from_secs(24 * 60 * 60),
    };
    let Some(item) = file.take("jwks") else { return Some(settings) };
    let mut fields = item.fields()?;
    let mut complete = true;
    for (key, setting) in
        [("max_age", &mut settings.max_age), ("cooldown", &mut settings.cooldown), ("timeout", &mut settings.timeout)]
    {
        if let Some(item) = fields.take(key) {
            complete &= item.duration().map(|duration| *setting = duration).is_some();
        }
    }
    if let Some(item) = fields.take("stale_if_error") {
        complete &= item.duration_or_zero().map(|duration| settings.stale_if_error = duration).is_some();
    }
    fields.finish();
    complete.then_some(settings)
}

/// `kid`s that verify nothing any more.
pub(super) fn withdrawn_keys(file: &mut Fields<'_>) -> Option<WithdrawnKeys> {
    let Some(item) = file.take("withdrawn_keys") else { return Some(WithdrawnKeys::default()) };
    item.strings_or_none().map(WithdrawnKeys::new)
}

pub(super) fn answers(file: &mut Fields<'_>) -> Option<AnswerSettings> {
    // All are taken before any is read: what is faulty must not make the others unknown.
    let (context_item, http_api, rest_api) = (file.take("context"), file.take("http_api"), file.take("rest_api"));
    let mut answers = AnswerSettings::unless_configured();
    let mut complete = true;
    if let Some(item) = context_item {
        let context = item.fields().and_then(|mut fields| context(&mut fields));
        complete &= context.map(|context| answers.context = context).is_some();
    }
    if let Some(item) = http_api {
        match item.fields() {
            Some(fields) => complete &= read_http_api(fields, &mut answers),
            None => complete = false,
        }
    }
    if let Some(item) = rest_api {
        match item.fields() {
            Some(fields) => complete &= read_rest_api(fields, &mut answers),
            None => complete = false,
        }
    }
    complete.then_some(answers)
}

const UNAUTHORIZED: [(&str, Unauthorized); 2] = [("deny", Unauthorized::Deny), ("error", Unauthorized::Error)];

/// Whether all of it could be read.
fn read_http_api(mut fields: Fields<'_>, answers: &mut AnswerSettings) -> bool {
    let mut complete = true;
    if let Some(item) = fields.take("response") {
        let responses = [("simple", HttpResponse::Simple), ("policy", HttpResponse::Policy)];
        complete &= item.choice(&responses).map(|response| answers.http_response = response).is_some();
    }
    if let Some(item) = fields.take("unauthorized") {
        complete &= item.choice(&UNAUTHORIZED).map(|choice| answers.http_unauthorized = choice).is_some();
    }
    fields.finish();
    complete
}

/// Whether all of it could be read.
fn read_rest_api(mut fields: Fields<'_>, answers: &mut AnswerSettings) -> bool {
    let mut complete = true;
    if let Some(item) = fields.take("unauthorized") {
        complete &= item.choice(&UNAUTHORIZED).map(|choice| answers.rest_unauthorized = choice).is_some();
    }
    if let Some(item) = fields.take("usage_identifier_key") {
        complete &= claim_source(&item).map(|source| answers.usage_identifier_key = Some(source)).is_some();
    }
    fields.finish();
    complete
}

fn context(fields: &mut Fields<'_>) -> Option<ContextMap> {
    let mut entries = Vec::new();
    let mut complete = true;
    for (key, item) in fields.rest() {
        if key == "usageIdentifierKey" {
            item.fault("API Gateway reads this key beside the context: set `rest_api.usage_identifier_key`");
            complete = false;
        }
        if key.is_empty() || RESERVED_CONTEXT_KEYS.contains(&key) {
            item.fault("API Gateway keeps this key for itself");
            complete = false;
        }
        if key.contains(char::is_whitespace) {
            item.fault("has white space in it: `omitted_claims` names keys with a space between them");
            complete = false;
        }
        if key == OMITTED_CLAIMS {
            item.fault("the authorizer names the claims that did not fit under this key");
            complete = false;
        }
        match claim_source(&item) {
            Some(claim) => entries.push((key.to_owned(), claim)),
            None => complete = false,
        }
    }
    let context = complete.then(|| ContextMap::new(entries))?;
    if context.bytes_of_keys() > MAX_CONTEXT_KEY_BYTES {
        fields.fault(format!(
            "the keys may have {MAX_CONTEXT_KEY_BYTES} bytes in all, each with a space: an answer must have room to name them"
        ));
        return None;
    }
    Some(context)
}

/// A normalised claim, or one of the token's own.
fn claim_source(item: &Item<'_>) -> Option<ClaimSource> {
    match ClaimSource::normalised(&item.text()?) {
        Some(source) => Some(source),
        None => item.claim().map(ClaimSource::Own),
    }
}

pub(super) fn token_sources(file: &mut Fields<'_>) -> Option<TokenSources> {
    let places = match file.take("token") {
        Some(item) => {
            let places: Vec<_> = item.items()?.iter().map(token_place).collect();
            places.into_iter().collect::<Option<Vec<_>>>()?
        }
        None => vec![(TokenSource::Header("Authorization".to_owned()), TokenSources::KINDS.to_vec())],
    };
    let mut sources = TokenSources::default();
    for (source, kinds) in places {
        kinds.into_iter().for_each(|kind| sources.add(kind, source.clone()));
    }
    Some(sources)
}

/// A place for the token, and the kinds of events in which it is one.
fn token_place(item: &Item<'_>) -> Option<(TokenSource, Vec<EventKind>)> {
    let mut fields = item.fields()?;
    let events = match fields.take("events") {
        Some(events) => event_kinds(&events),
        None => Some(TokenSources::KINDS.to_vec()),
    };
    let csrf = fields.take("csrf");
    if let Some(csrf) = &csrf
        && !fields.has("cookie")
    {
        csrf.fault("is for a `cookie` alone: of all places only a cookie is sent with requests of other sites");
    }
    let found: Vec<_> = [
        fields.take("header").map(|item| header_name(&item).map(TokenSource::Header)),
        fields.take("query").map(|item| item.string().map(TokenSource::Query)),
        fields.take("cookie").map(|item| cookie(&item, csrf)),
        fields.take("subprotocol").map(|item| subprotocol(&item).map(TokenSource::Subprotocol)),
    ]
    .into_iter()
    .flatten()
    .collect();
    fields.finish();
    match found.as_slice() {
        [source] => Some((source.clone()?, events?)),
        _ => {
            item.fault("must be one of `header`, `query`, `cookie` and `subprotocol`");
            None
        }
    }
}

fn cookie(item: &Item<'_>, csrf: Option<Item<'_>>) -> Option<TokenSource> {
    let name = item.string();
    let csrf = csrf.map_or(Some(Csrf::Unspecified), |item| csrf::read(&item));
    Some(TokenSource::Cookie(name?, csrf?))
}

/// Kinds of events by their names in the log.
fn event_kinds(item: &Item<'_>) -> Option<Vec<EventKind>> {
    let named = |name: &String| TokenSources::KINDS.into_iter().find(|kind| kind.name() == name);
    let kinds: Option<Vec<_>> = item.strings()?.iter().map(named).collect();
    if kinds.is_none() {
        item.fault("must be among `rest_request`, `http_1.0`, `http_2.0` and `websocket`");
    }
    kinds
}

pub(super) fn header_name(item: &Item<'_>) -> Option<String> {
    token_of_http(item, "is not a header's name")
}

fn subprotocol(item: &Item<'_>) -> Option<String> {
    token_of_http(item, "is not the name of a subprotocol (RFC 6455 4.1)")
}

/// A `token` in the sense of RFC 9110 5.6.2.
fn token_of_http(item: &Item<'_>, fault: &str) -> Option<String> {
    let name = item.string()?;
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Some(name);
    }
    item.fault(fault);
    None
}

/// What a policy speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    /// The request at hand.
    Request,
    /// All that the token may use.
    Token,
}

/// The `policy` section, and where it says what policies cover.
pub(super) struct Policy<'f> {
    pub(super) covers: Covers,
    pub(super) expires_with_token: bool,
    pub(super) implicit_deny: bool,
    pub(super) place: Option<Item<'f>>,
}

pub(super) fn policy<'f>(file: &mut Fields<'f>) -> Option<Policy<'f>> {
    let mut policy = Policy { covers: Covers::Request, expires_with_token: false, implicit_deny: false, place: None };
    let Some(item) = file.take("policy") else { return Some(policy) };
    let mut fields = item.fields()?;
    let (covers, expires, implicit) =
        (fields.take("covers"), fields.take("expires_with_token"), fields.take("implicit_deny"));
    fields.finish();
    if let Some(item) = expires {
        policy.expires_with_token = item.boolean()?;
    }
    if let Some(item) = implicit {
        policy.implicit_deny = item.boolean()?;
    }
    if let Some(item) = covers {
        policy.covers = item.choice(&[("request", Covers::Request), ("token", Covers::Token)])?;
        policy.place = Some(item);
    }
    Some(policy)
}

/// Whether backends take `/Admin` for `/admin`.
pub(super) fn letter_case(file: &mut Fields<'_>) -> Option<LetterCase> {
    let Some(item) = file.take("case_insensitive_paths") else { return Some(LetterCase::Distinguished) };
    Some(if item.boolean()? { LetterCase::Ignored } else { LetterCase::Distinguished })
}

/// The table of revocations, and when it is asked.
pub(super) struct Revocations {
    pub(super) table: Arc<RevocationTable>,
    /// On every route, not only those with `introspect`.
    pub(super) always: bool,
}

/// `None` where the section is faulty, `Some(None)` where there is none.
pub(super) fn revocations(file: &mut Fields<'_>, counts: &RemoteCounts) -> Option<Option<Revocations>> {
    let Some(item) = file.take("revocations") else { return Some(None) };
    let mut fields = item.fields()?;
    let table = fields.require("table").and_then(|item| item.string());
    let always = match fields.take("check") {
        Some(item) => item.choice(&[("introspected", false), ("all", true)]),
        None => Some(false),
    };
    fields.finish();
    Some(Some(Revocations { table: Arc::new(RevocationTable::new(table?, counts)), always: always? }))
}

/// `None` where the section is faulty, `Some(None)` where there is none.
pub(super) fn metrics(file: &mut Fields<'_>) -> Option<Option<Metrics>> {
    let Some(item) = file.take("metrics") else { return Some(None) };
    let mut fields = item.fields()?;
    let namespace = fields.require("namespace").and_then(|item| {
        let namespace = Namespace::parse(&item.text()?);
        if namespace.is_none() {
            item.fault("must be 1 to 255 letters, digits and `.-_/#:`, and begin with neither `:` nor `AWS/`");
        }
        namespace
    });
    fields.finish();
    Some(Some(Metrics::new(namespace?)))
}

/// `principalId` and `integrationLatency` are API Gateway's on REST, `claims` on HTTP 1.0.
/// A quarter of an answer, beside which a policy for one request has room.
const MAX_CONTEXT_KEY_BYTES: usize = 2048;

const RESERVED_CONTEXT_KEYS: [&str; 3] = ["principalId", "integrationLatency", "claims"];
