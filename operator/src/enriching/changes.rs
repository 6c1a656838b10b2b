//! What the configuration adds to the tokens of one sign-in.

use super::item::Item;
use super::refusal::Refusal;
use super::sign_in::{SignIn, Version};
use cognito_authorizer::config::enricher::{Claim, EnricherConfig, Limits, Source};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The changes of both tokens. It holds personal data, and so has no `Debug`.
#[derive(Default, PartialEq)]
pub(super) struct Changes {
    pub(super) access: TokenChanges,
    pub(super) id: TokenChanges,
}

/// The changes of one token. Everything in an order of its own, so that the same sign-in has the same answer.
#[derive(Default, PartialEq)]
pub(super) struct TokenChanges {
    pub(super) claims: BTreeMap<String, Value>,
    /// Attributes that would stand in the place of a claim that has no value.
    pub(super) suppressed_claims: BTreeSet<String>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) suppressed_scopes: BTreeSet<String>,
}

impl Changes {
    /// The changes for this sign-in, and the item that was looked up for it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn of(config: &EnricherConfig, sign_in: &SignIn<'_>, item: &Item) -> Result<Self, Refusal> {
        let mut changes = Self::default();
        for claim in &config.claims {
            changes.add(config, claim, sign_in, item)?;
        }
        if !sign_in.is_machine {
            changes.scopes(config, sign_in)?;
        }
        for token in [&changes.access, &changes.id] {
            token.check(config.limits)?;
        }
        Ok(changes)
    }

    fn add(
        &mut self,
        config: &EnricherConfig,
        claim: &Claim,
        sign_in: &SignIn<'_>,
        item: &Item,
    ) -> Result<(), Refusal> {
        let value = value(&claim.source, sign_in, item)?;
        if value.is_none() && claim.required && can_have(config, &claim.source, sign_in) {
            return Err(Refusal::ClaimMissing);
        }
        let tokens = [(claim.tokens.access, &mut self.access), (claim.tokens.id, &mut self.id)];
        for (_, token) in tokens.into_iter().filter(|(wanted, _)| *wanted) {
            match &value {
                Some(value) => {
                    token.claims.insert(claim.name.clone(), value.clone());
                }
                // What the user wrote must not pass for what was looked up.
                None if sign_in.has_attribute(&claim.name) => {
                    token.suppressed_claims.insert(claim.name.clone());
                }
                None => {}
            }
        }
        Ok(())
    }

    fn scopes(&mut self, config: &EnricherConfig, sign_in: &SignIn<'_>) -> Result<(), Refusal> {
        let access = &mut self.access;
        for rule in &config.scopes {
            if sign_in.groups().any(|group| group == rule.group) == rule.members {
                access.scopes.extend(rule.add.iter().cloned());
                access.suppressed_scopes.extend(rule.suppress.iter().cloned());
            }
        }
        access.scopes.retain(|scope| !access.suppressed_scopes.contains(scope));
        if sign_in.version == Version::V1 && !access.suppressed_scopes.is_empty() {
            return Err(Refusal::VersionTooLow);
        }
        Ok(())
    }
}

impl TokenChanges {
    fn check(&self, limits: Limits) -> Result<(), Refusal> {
        if self.claims.len() > limits.claims {
            return Err(Refusal::TooLarge("more claims than `limits.claims`"));
        }
        let claims = serde_json::to_vec(&self.claims).map_err(|_| Refusal::TooLarge("claims that are no JSON"))?;
        let scopes = self.scopes.iter().map(String::len).fold(0, usize::saturating_add);
        if claims.len().saturating_add(scopes).saturating_add(self.scopes.len()) > limits.bytes {
            return Err(Refusal::TooLarge("more bytes than `limits.bytes`"));
        }
        Ok(())
    }
}

/// What the source has for this sign-in; nothing empty.
fn value(source: &Source, sign_in: &SignIn<'_>, item: &Item) -> Result<Option<Value>, Refusal> {
    Ok(match source {
        // A machine client has no attributes, whatever an event says.
        Source::Attribute { .. } | Source::ByGroup(_) | Source::GroupPrefix(_) if sign_in.is_machine => None,
        Source::Attribute { name, .. } => sign_in.attribute(name)?.map(Value::from),
        Source::ByGroup(values) => {
            let is_in = |group: &str| sign_in.groups().any(|member_of| member_of == group);
            values.iter().find(|(group, _)| is_in(group)).map(|(_, value)| value.clone())
        }
        Source::GroupPrefix(prefix) => {
            let rests: BTreeSet<_> = sign_in.groups().filter_map(|group| group.strip_prefix(&**prefix)).collect();
            let rests: Vec<_> = rests.into_iter().filter(|rest| !rest.is_empty()).map(Value::from).collect();
            (!rests.is_empty()).then(|| rests.into())
        }
        Source::ClientMetadata(key) => sign_in.metadata(key)?.map(Value::from),
        Source::Item(name) => item.get(name).cloned(),
    })
}

/// Whether the source can have a value for whoever signs in: else a required claim would keep all of them out.
fn can_have(config: &EnricherConfig, source: &Source, sign_in: &SignIn<'_>) -> bool {
    match source {
        Source::Attribute { .. } | Source::ByGroup(_) | Source::GroupPrefix(_) => !sign_in.is_machine,
        Source::ClientMetadata(_) => true,
        Source::Item(_) => config
            .lookup
            .as_ref()
            .is_some_and(|lookup| if sign_in.is_machine { lookup.client.is_some() } else { lookup.user.is_some() }),
    }
}
