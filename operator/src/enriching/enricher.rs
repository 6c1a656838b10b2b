//! The order of the steps, and one log line for each sign-in.

use super::answer::response;
use super::changes::{Changes, TokenChanges};
use super::item::Item;
use super::lookup::ItemLookup;
use super::refusal::Refusal;
use super::sign_in::{SignIn, Version};
use cognito_authorizer::config::enricher::{EnricherConfig, OnFailure};
use serde_json::Value;
use std::time::Instant;

/// Adds what its configuration asks for.
pub struct Enricher {
    config: EnricherConfig,
    lookup: Option<ItemLookup>,
}

impl Enricher {
    /// By this configuration, with the credentials and endpoints of this process.
    pub async fn new(config: EnricherConfig) -> Self {
        Self { lookup: ItemLookup::new(&config).await, config }
    }

    /// The event with its `response` filled in, for Cognito to read. The log gets names of claims, never values.
    ///
    /// # Errors
    /// [`Refusal`]: Cognito issues no tokens.
    pub async fn handle(&self, mut event: Value) -> Result<Value, Refusal> {
        let outcome = self.response(&event).await;
        let filled = match outcome {
            Ok(filled) => filled,
            Err(refusal) => {
                let (reason, detail) = (refusal.code(), refusal.detail());
                tracing::error!(message = "not_enriched", reason, detail);
                return Err(refusal);
            }
        };
        if let Value::Object(event) = &mut event {
            event.insert("response".to_owned(), filled);
        }
        Ok(event)
    }

    async fn response(&self, event: &Value) -> Result<Value, Refusal> {
        let sign_in = SignIn::read(event)?;
        let started = Instant::now();
        let (item, lookup) = self.item(&sign_in).await?;
        let lookup_us = lookup.map(|_| u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
        let changes = Changes::of(&self.config, &sign_in, &item.unwrap_or_default())?;
        tell(&sign_in, &changes, lookup, lookup_us);
        response(&sign_in, changes).map_err(|_| Refusal::TooLarge("claims that are no JSON"))
    }

    /// The item of whoever signs in, and a word for the log; neither where nothing is looked up.
    async fn item(&self, sign_in: &SignIn<'_>) -> Result<(Option<Item>, Option<&'static str>), Refusal> {
        let (Some(items), Some(lookup)) = (&self.lookup, &self.config.lookup) else { return Ok((None, None)) };
        let pattern = if sign_in.is_machine { &lookup.client } else { &lookup.user };
        let Some(pattern) = pattern else { return Ok((None, None)) };
        let found = match pattern.fill(sign_in.subject()?, sign_in.client_id) {
            Some(key) => items.find(key).await,
            None => Err("the event lacks what the key is made of"),
        };
        match (found, lookup.on_failure) {
            (Ok(Some(item)), _) => Ok((Some(item), Some("found"))),
            (Ok(None), _) => Ok((None, Some("no_item"))),
            (Err(why), on_failure) => {
                tracing::error!(message = "lookup_failed", why);
                match on_failure {
                    OnFailure::Refuse => Err(Refusal::LookupFailed),
                    OnFailure::Continue => Ok((None, Some("failed"))),
                }
            }
        }
    }
}

fn tell(sign_in: &SignIn<'_>, changes: &Changes, lookup: Option<&'static str>, lookup_us: Option<u64>) {
    let names = |token: &TokenChanges| token.claims.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    let Changes { access, id } = changes;
    let (version, trigger) = (sign_in.version.name(), sign_in.trigger);
    let (user_pool_id, client_id) = (sign_in.user_pool, sign_in.client_id);
    if sign_in.version == Version::V1 {
        let lost = !access.claims.is_empty() || !access.scopes.is_empty();
        let access_token = if lost {
            "unchanged: V1_0 changes ID tokens alone; what the configuration adds to access tokens is lost"
        } else {
            "unchanged"
        };
        let id_claims = names(id);
        tracing::info!(
            message = "enriched",
            version,
            trigger,
            user_pool_id,
            client_id,
            access_token,
            id_claims,
            lookup,
            lookup_us
        );
        return;
    }
    let (access_claims, id_claims) = (names(access), names(id));
    let [scopes_added, scopes_suppressed] = [&access.scopes, &access.suppressed_scopes]
        .map(|scopes| scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
    tracing::info!(
        message = "enriched",
        version,
        trigger,
        user_pool_id,
        client_id,
        access_claims,
        id_claims,
        scopes_added,
        scopes_suppressed,
        lookup,
        lookup_us
    );
}
