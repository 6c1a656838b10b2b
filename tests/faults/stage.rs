//! A function and the endpoint of its keys, and a count of what came of the requests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config::any_valid_token;
use crate::events::Kind;
use crate::jwks_server::{Page, Site};
use crate::runtime_api::Function;
use crate::tokens::{Key, Token, as_cognito_publishes, jwk_set};

pub(crate) const JWKS: &str = "/jwks.json";

/// What a decision may take beyond the time-outs that it may have waited for: a loaded machine, a debug build.
const SLACK: Duration = Duration::from_secs(3);

pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) function: Function,
    patience: Duration,
}

/// Outcomes by their names, `allow` among them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally(pub(crate) BTreeMap<String, usize>);

impl Tally {
    pub(crate) fn add(&mut self, outcome: &str) {
        *self.0.entry(outcome.to_owned()).or_default() += 1;
    }

    pub(crate) fn of(&self, outcome: &str) -> usize {
        self.0.get(outcome).copied().unwrap_or_default()
    }

    /// All but these.
    #[track_caller]
    pub(crate) fn assert_only(&self, what: &str, outcomes: &[&str]) {
        let others: Vec<_> = self.0.iter().filter(|(outcome, _)| !outcomes.contains(&outcome.as_str())).collect();
        assert!(others.is_empty(), "{what}: wrong decisions {others:?} among {:?}", self.0);
    }
}

impl Stage {
    /// With this page in the place of the keys, and these `jwks` settings, a time-out of half a second among them.
    pub(crate) fn with(page: Page, settings: &str) -> Stage {
        let site = Site::start();
        site.page(JWKS, page);
        let config = format!("{}\njwks: {{ timeout: 500ms, {settings} }}", any_valid_token(&site.url(JWKS)));
        Stage { site, function: Function::start(&config), patience: Duration::from_millis(500) + SLACK }
    }

    /// The outcome of one token, which must be there in time.
    #[track_caller]
    pub(crate) fn ask(&self, token: &str) -> String {
        let started = Instant::now();
        let verdict = self.function.ask(&Kind::Http2.event("GET", "/", &format!("Bearer {token}")));
        let took = started.elapsed();
        assert!(took < self.patience, "{} took {took:?}", verdict.outcome());
        verdict.outcome().to_owned()
    }

    #[track_caller]
    pub(crate) fn ask_of(&self, key: Key) -> String {
        self.ask(&Token::access().key(key).text())
    }

    pub(crate) fn fetches(&self) -> usize {
        self.site.visits(JWKS)
    }
}

/// A set of these keys as Cognito publishes them.
pub(crate) fn set(keys: &[Key]) -> Value {
    jwk_set(&keys.iter().map(|key| as_cognito_publishes(*key)).collect::<Vec<_>>())
}

pub(crate) fn page(keys: &[Key]) -> Page {
    Page::json(&set(keys))
}

pub(crate) fn wait(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
