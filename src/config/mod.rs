//! `authorizer.yaml` becomes an authorizer; any doubt is a fault, all faults are
//! told at once with their place, and none of them lets the function start.
//!
//! | file | what it reads |
//! |---|---|
//! | `source` | where the text is: environment, task root, working directory |
//! | `yaml` | text into nodes with lines; repeated keys are faults; `authctl` reads templates with it |
//! | `fields` | nodes into typed values: strings, lists, durations, `${NAME}` |
//! | `issuers`, `introspection`, `api_keys`, `signatures`, `routes`, `cedar`, `settings`, `csrf`, `dpop` | the sections of the file |
//! | `revocations` | the section of that name, for who has no use for the rest |
//! | `enricher` | `enricher.yaml`, the configuration of the function that adds claims to tokens |

mod api_keys;
mod cedar;
mod certificates;
mod csrf;
mod dpop;
pub mod enricher;
mod faults;
mod fields;
mod interpolate;
mod introspection;
mod issuers;
mod revocations;
mod routes;
mod settings;
mod signatures;
mod source;
pub mod yaml;

pub use faults::{Fault, Faults};
pub use fields::{Fields, Item, Reader};
pub use revocations::RevocationSettings;
pub use source::{ConfigText, Environment};

use crate::access::{LetterCase, Rule, Rules};
use crate::authorizer::{Authorizer, Issuer};
use crate::gateway::{AnswerSettings, Handler, MIN_CONTEXT_BYTES, TokenSources};
use crate::http::{HttpsClient, RemoteCounts};
use crate::metrics::Metrics;
use crate::policies::PermissionCheck;
use crate::secrets;
use crate::substitute::Substitute;
use crate::token::Expectations;
use issuers::Issuers;
use settings::{Covers, Policy};
use std::sync::Arc;

/// A configuration without faults.
#[derive(Debug)]
pub struct Config {
    issuers: Issuers,
    rules: Rules,
    revocations_always: bool,
    permissions: Option<PermissionCheck>,
    answers: AnswerSettings,
    token_sources: TokenSources,
    notes: Vec<String>,
    warnings: Vec<String>,
    metrics: Option<Metrics>,
    counts: RemoteCounts,
}

impl Config {
    /// Finds and reads the configuration that the environment names, and the secrets that it refers to.
    ///
    /// # Errors
    /// All [`Faults`].
    pub async fn load(environment: &Environment) -> Result<Self, Faults> {
        let text = ConfigText::find(environment)?;
        let references = text.secret_references();
        if references.is_empty() {
            return Self::parse(&text, environment);
        }
        let secrets = secrets::read(references).await;
        Self::parse(&text, &environment.clone().with_secrets(secrets))
    }

    /// Reads a configuration's text.
    ///
    /// # Errors
    /// All [`Faults`].
    pub fn parse(text: &ConfigText, environment: &Environment) -> Result<Self, Faults> {
        Self::parse_for(text, environment, None)
    }

    /// Reads a configuration's text for a desk: keys are those of `substitute`, and it answers in the place of issuers,
    /// tables and policy stores. Nothing is asked over the network.
    ///
    /// # Errors
    /// All [`Faults`].
    pub fn parse_offline(
        text: &ConfigText,
        environment: &Environment,
        substitute: Arc<dyn Substitute>,
    ) -> Result<Self, Faults> {
        Self::parse_for(text, environment, Some(substitute))
    }

    fn parse_for(
        text: &ConfigText,
        environment: &Environment,
        substitute: Option<Arc<dyn Substitute>>,
    ) -> Result<Self, Faults> {
        let (root, faults) = yaml::parse(&text.text, yaml::Tags::Refused)?;
        let reader = Reader::new(environment, &text.folder, faults);
        let config = Self::read(&reader, &root, substitute);
        let faults = reader.into_faults();
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    /// Reads every section, so that all faults are found; `None` where one has any.
    fn read(reader: &Reader<'_>, root: &yaml::Node, substitute: Option<Arc<dyn Substitute>>) -> Option<Self> {
        let mut file = Fields::of(reader, root, "")?;
        let leeway = settings::leeway(&mut file);
        let jwks = settings::jwks(&mut file);
        let withdrawn_keys = settings::withdrawn_keys(&mut file);
        let answers = settings::answers(&mut file);
        let token_sources = settings::token_sources(&mut file);
        let policy = settings::policy(&mut file);
        let letter_case = settings::letter_case(&mut file);
        let metrics = settings::metrics(&mut file);
        let counts = RemoteCounts::default();
        let revocations = settings::revocations(&mut file, &counts);
        let section = revocations.as_ref().and_then(Option::as_ref);
        let table = section.map(|section| Arc::clone(&section.table));
        let revocations_always = section.is_some_and(|section| section.always);
        let https = Arc::new(HttpsClient::default());
        let shared = issuers::Shared {
            leeway,
            jwks,
            withdrawn_keys,
            https,
            counts: counts.clone(),
            revocations: table.clone(),
            revocations_always,
            token_sources: token_sources.clone(),
            substitute: substitute.clone(),
        };
        let issuers = issuers::read(&mut file, &shared);
        let known = issuers.as_ref();
        // Where a section is faulty itself, that is told; nothing is said of what leans on it.
        let live_checks = revocations.is_none() || known.is_none_or(Issuers::can_be_asked);
        let cedar = cedar::read(&mut file, known);
        let no_policies = cedar.why_none();
        let letter_case = letter_case.unwrap_or(LetterCase::Distinguished);
        let surroundings = routes::Surroundings { issuers: known, live_checks, no_policies, letter_case };
        let mut rules = routes::read(&mut file, &surroundings);
        file.finish();
        let policy = policy?;
        let mut notes = Vec::new();
        if let (Some(rules), Covers::Token) = (&mut rules, policy.covers) {
            notes.extend(cover(rules, &policy)?);
            let asks = |(_, rule): (_, &Rule)| rule.cedar.as_ref().map(|_| format!("`{}`", rule.key));
            let asking: Vec<_> = rules.iter().filter_map(asks).collect();
            if !asking.is_empty() {
                notes.push(format!(
                    "answered for their own request alone, since they ask Cedar policies: {}",
                    asking.join(", ")
                ));
            }
        }
        if let (Some(sources), Covers::Token) = (&token_sources, policy.covers) {
            notes.extend(sources.guarded_cookies().into_iter().map(|name| {
                format!("answered for their own request alone, since `csrf` looks at the page that makes them: requests with the cookie `{name}`")
            }));
        }
        let mut warnings: Vec<String> = rules.as_ref().and_then(two_readings).into_iter().collect();
        let reporting = rules.iter().flat_map(Rules::iter).filter(|(_, rule)| rule.report_only);
        warnings.extend(reporting.map(|(_, rule)| {
            format!("`{}` has `report_only: true`: a good token is let in whether or not the rule holds", rule.key)
        }));
        let records = issuers.iter().flat_map(|issuers| &issuers.records);
        warnings.extend(records.filter_map(|issuer| issuer.verifier.warning().map(str::to_owned)));
        revocations?;
        let mut answers = answers?;
        let key_bytes = answers.context.bytes_of_keys();
        if let (Covers::Token, Some(place), true) =
            (policy.covers, &policy.place, key_bytes > MAX_KEY_BYTES_BESIDE_POLICIES)
        {
            place.fault(format!(
                "beside policies that cover tokens the keys of `context` may have {MAX_KEY_BYTES_BESIDE_POLICIES} bytes in all, \
                 each with a space: an answer must have room to name those that it leaves out. They have {key_bytes}"
            ));
            return None;
        }
        answers.policies_expire = policy.expires_with_token;
        answers.implicit_deny = policy.implicit_deny;
        answers.covers_tokens = policy.covers == Covers::Token;
        let offline = |check: PermissionCheck| match &substitute {
            Some(substitute) => PermissionCheck { engine: check.engine.offline(substitute), ..check },
            None => check,
        };
        let permissions = cedar.into_check()?.map(offline);
        Some(Self {
            issuers: issuers?,
            rules: rules?,
            revocations_always,
            permissions,
            answers,
            token_sources: token_sources?,
            notes,
            warnings,
            metrics: metrics?,
            counts,
        })
    }

    /// What the operator should know of a configuration without faults.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the operator should look at, although the configuration has no fault.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The issuers of tokens, in the order of the file.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers.tokens
    }

    /// What the tokens of each issuer must look like.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectations> {
        self.shared_expectations().map(Arc::as_ref)
    }

    /// The same, for whoever makes claims by them.
    pub fn shared_expectations(&self) -> impl Iterator<Item = &Arc<Expectations>> {
        self.issuers.tokens.iter().map(|issuer| &issuer.expectations)
    }

    /// The rule table.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How requests are answered.
    #[must_use]
    pub fn answers(&self) -> &AnswerSettings {
        &self.answers
    }

    /// The Cedar policies that rules may ask, for `authctl`.
    #[must_use]
    pub fn permissions(&self) -> Option<&PermissionCheck> {
        self.permissions.as_ref()
    }

    /// Where events carry the token.
    #[must_use]
    pub fn token_sources(&self) -> &TokenSources {
        &self.token_sources
    }

    /// The header that API keys come in, where some issuer takes any.
    #[must_use]
    pub fn api_key_header(&self) -> Option<&str> {
        self.issuers.records.iter().find_map(|issuer| issuer.verifier.api_key_header())
    }

    /// Whether some issuer takes tokens.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        !self.issuers.tokens.is_empty()
    }

    /// Whether every accepted token is looked up in the table of revocations.
    #[must_use]
    pub fn revocations_always(&self) -> bool {
        self.revocations_always
    }

    /// Whether some issuer's tokens are introspected on every route.
    #[must_use]
    pub fn takes_opaque_tokens(&self) -> bool {
        self.issuers.tokens.iter().any(|issuer| issuer.opaque_tokens)
    }

    /// Whether the API is said to have no resource policy that allows.
    #[must_use]
    pub fn implicit_deny(&self) -> bool {
        self.answers.implicit_deny
    }

    /// The handler that answers by this configuration.
    #[must_use]
    pub fn into_handler(self) -> Handler {
        let Issuers { tokens, records } = self.issuers;
        let authorizer =
            Authorizer::new(tokens, self.rules, self.permissions, self.counts).with_record_issuers(records);
        Handler::new(authorizer, self.answers, self.token_sources).with_metrics(self.metrics)
    }
}

/// `{"omitted_claims":""}` and the keys fit into what such a policy leaves.
const MAX_KEY_BYTES_BESIDE_POLICIES: usize = MIN_CONTEXT_BYTES - 21;

/// Prepares policies that cover tokens, or says why the table allows of none.
fn cover(rules: &mut Rules, policy: &Policy<'_>) -> Option<Vec<String>> {
    match rules.cover(policy.implicit_deny) {
        Ok(over_allow) => Some(over_allow.iter().map(ToString::to_string).collect()),
        Err(faults) => {
            if let Some(place) = &policy.place {
                faults.iter().for_each(|fault| place.fault(fault.to_string()));
            }
            None
        }
    }
}

/// Names the pairs of rules that API Gateway may pick in another order.
fn two_readings(rules: &Rules) -> Option<String> {
    let pairs: Vec<String> = rules.two_readings().iter().map(ToString::to_string).collect();
    let mut told: Vec<&str> = pairs.iter().take(SHOWN_PAIRS).map(String::as_str).collect();
    let more = pairs.len().saturating_sub(SHOWN_PAIRS);
    let and_more = format!("and {more} more such pairs");
    if more > 0 {
        told.push(&and_more);
    }
    (!told.is_empty()).then(|| {
        format!(
            "two rules that ask different things may serve one request: {}. Where an event names the route, both must \
             hold; a TOKEN event names none, and a cached answer is not asked again: let both rules ask the same, or \
             write a rule for the path",
            told.join("; ")
        )
    })
}

const SHOWN_PAIRS: usize = 5;

#[cfg(test)]
mod tests;
