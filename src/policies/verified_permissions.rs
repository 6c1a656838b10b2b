//! Amazon Verified Permissions: `IsAuthorizedWithToken` for a Cognito user's token,
//! which the store's identity source reads; `IsAuthorized`, with the entities of our
//! own, for every other.
//!
//! Whatever is no clear answer of the store is none: never a pass, never a 403.

use super::permission_check::PolicyCaller;
use super::policy_key::key;
use crate::bounded_store::{Limits, Weight};
use crate::denial::Denial;
use crate::http::{Outage, aws};
use crate::live::{Breaker, Caller, Lasts, Memory};
use crate::permissions::{PolicyError, PrincipalKind, Question, Record, Value, Verdict};
use crate::request::UnixSeconds;
use crate::token::{BearerToken, Claims};
use aws_sdk_verifiedpermissions::Client;
use aws_sdk_verifiedpermissions::error::BuildError;
use aws_sdk_verifiedpermissions::operation::is_authorized::builders::IsAuthorizedFluentBuilder;
use aws_sdk_verifiedpermissions::operation::is_authorized_with_token::builders::IsAuthorizedWithTokenFluentBuilder;
use aws_sdk_verifiedpermissions::types::{
    ActionIdentifier, AttributeValue, ContextDefinition, Decision, DeterminingPolicyItem, EntitiesDefinition,
    EntityIdentifier, EntityItem, EvaluationErrorItem,
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::OnceCell;

/// A policy store, and how it is asked.
pub struct PolicyStore {
    settings: PolicyStoreSettings,
    client: OnceCell<Client>,
    breaker: Breaker,
    memory: Memory<Verdict>,
}

/// Which store, for how long.
#[derive(Clone, Debug)]
pub struct PolicyStoreSettings {
    /// The store's id, or `policy-store-alias/<name>`.
    pub id: String,
    /// The namespace of its entity types.
    pub namespace: String,
    /// For one question, a retry included.
    pub timeout: Duration,
    /// How long an answer may be used again; zero: every request asks.
    pub cache: Duration,
}

/// What a store answered, before it is believed.
struct Answer {
    decision: Decision,
    determining: Vec<DeterminingPolicyItem>,
    errors: Vec<EvaluationErrorItem>,
    /// Whom the store took the token to be about, where it says so.
    principal: Option<EntityIdentifier>,
}

impl PolicyStore {
    /// The store of these settings.
    #[must_use]
    pub fn new(settings: PolicyStoreSettings) -> Self {
        Self { settings, client: OnceCell::new(), breaker: Breaker::default(), memory: Memory::new(REMEMBERED) }
    }

    /// What the store's policies answer.
    ///
    /// # Errors
    /// [`Denial::PermissionsUnavailable`] for everything that is no answer.
    pub(super) async fn decide(
        &self,
        question: &Question,
        policy_caller: &PolicyCaller<'_>,
        now: UnixSeconds,
    ) -> Result<Verdict, Denial> {
        let key = (!self.settings.cache.is_zero()).then(|| key(question, &policy_caller.credential()));
        if let Some(key) = &key
            && let Some(verdict) = self.memory.recall(key, now)?
        {
            return Ok(verdict);
        }
        let (caller, timeout) = (Caller::of(policy_caller.claims), self.settings.timeout);
        let verdict = self.breaker.call(caller, timeout, self.ask(question, policy_caller)).await;
        let verdict = verdict.map_err(|outage| Denial::PermissionsUnavailable(outage.why))?;
        if let Some(key) = key {
            let lasts = Lasts { for_at_most: self.settings.cache, expires: policy_caller.claims.expires() };
            self.memory.remember(key, verdict.clone(), lasts, now)?;
        }
        Ok(verdict)
    }

    async fn ask(&self, question: &Question, policy_caller: &PolicyCaller<'_>) -> Result<Verdict, Outage> {
        let connect = || async { aws::client!(aws_sdk_verifiedpermissions, None, self.settings.timeout) };
        let client = self.client.get_or_init(connect).await;
        // The identity source reads users of a pool alone: the entity of a client is ours.
        let claims = policy_caller.claims;
        let is_read =
            claims.is_cognito() && !claims.were_introspected() && question.principal.kind == PrincipalKind::User;
        let answer = if let Some(token) = policy_caller.token.filter(|_| is_read) {
            let request = self.about_token(client, question, token, claims).map_err(unwritable)?;
            let told = request.send().await.map_err(|error| aws::outage(&error))?;
            Answer {
                decision: told.decision,
                determining: told.determining_policies,
                errors: told.errors,
                principal: told.principal,
            }
        } else {
            let request = self.about_entities(client, question).map_err(unwritable)?;
            let told = request.send().await.map_err(|error| aws::outage(&error))?;
            Answer {
                decision: told.decision,
                determining: told.determining_policies,
                errors: told.errors,
                principal: None,
            }
        };
        self.believe(answer, question)
    }

    fn about_token(
        &self,
        client: &Client,
        question: &Question,
        token: &BearerToken<'_>,
        claims: &Claims,
    ) -> Result<IsAuthorizedWithTokenFluentBuilder, BuildError> {
        let token = token.as_str();
        let request = client
            .is_authorized_with_token()
            .policy_store_id(&self.settings.id)
            .action(self.action(question)?)
            .resource(self.application()?)
            .set_context(context(&question.context));
        Ok(match claims.is_cognito_id_token() {
            true => request.identity_token(token),
            false => request.access_token(token),
        })
    }

    fn about_entities(&self, client: &Client, question: &Question) -> Result<IsAuthorizedFluentBuilder, BuildError> {
        let principal = self.principal(question)?;
        let groups: Result<Vec<_>, _> = question.groups.iter().map(|id| self.entity("UserGroup", id)).collect();
        let attributes = attributes(&question.attributes);
        let entity = EntityItem::builder()
            .identifier(principal.clone())
            .set_attributes((!attributes.is_empty()).then_some(attributes))
            .set_parents(Some(groups?).filter(|groups| !groups.is_empty()))
            .build();
        Ok(client
            .is_authorized()
            .policy_store_id(&self.settings.id)
            .principal(principal)
            .action(self.action(question)?)
            .resource(self.application()?)
            .set_context(context(&question.whole_context()))
            .entities(EntitiesDefinition::EntityList(vec![entity])))
    }

    /// An answer counts where it makes sense as one to this question.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the service may add decisions, and none of them is an allow")]
    fn believe(&self, answer: Answer, question: &Question) -> Result<Verdict, Outage> {
        let expected = self.principal(question).map_err(unwritable)?;
        if answer.principal.is_some_and(|principal| principal != expected) {
            return Err(Outage::answered("the store decided about another principal: see its identity source"));
        }
        let determining: Vec<_> = answer.determining.into_iter().map(|policy| policy.policy_id).collect();
        let allowed = match answer.decision {
            // Cedar allows by a policy that permits, or not at all.
            Decision::Allow if determining.is_empty() => return Err(Outage::answered("an answer that makes no sense")),
            Decision::Allow => true,
            Decision::Deny => false,
            _ => return Err(Outage::answered("an answer that is not known")),
        };
        // The store tells in words which policy erred, and not whether it forbids.
        let unnamed = || PolicyError { policy: "a policy of the store".to_owned(), may_forbid: true };
        let errors = answer.errors.iter().map(|error| PolicyError {
            policy: quoted(&error.error_description).map_or_else(|| unnamed().policy, str::to_owned),
            ..unnamed()
        });
        Ok(Verdict { allowed, determining, errors: errors.collect() })
    }

    fn principal(&self, question: &Question) -> Result<EntityIdentifier, BuildError> {
        self.entity(question.principal.kind.name(), &question.principal.id)
    }

    fn application(&self) -> Result<EntityIdentifier, BuildError> {
        self.entity("Application", &self.settings.namespace)
    }

    fn entity(&self, kind: &str, id: &str) -> Result<EntityIdentifier, BuildError> {
        let kind = format!("{}::{kind}", self.settings.namespace);
        EntityIdentifier::builder().entity_type(kind).entity_id(id).build()
    }

    fn action(&self, question: &Question) -> Result<ActionIdentifier, BuildError> {
        let kind = format!("{}::Action", self.settings.namespace);
        ActionIdentifier::builder().action_type(kind).action_id(&question.action).build()
    }
}

impl Weight for Verdict {
    fn bytes_elsewhere(&self) -> usize {
        let determining = self.determining.iter().map(|policy| size_of::<String>() + policy.len());
        let errors = self.errors.iter().map(|error| size_of::<PolicyError>() + error.policy.len());
        determining.chain(errors).sum()
    }
}

impl std::fmt::Debug for PolicyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyStore").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn unwritable(_: BuildError) -> Outage {
    Outage::answered("the question cannot be written")
}

/// "omit the context parameter [...] rather than sending context {}" (the API's reference).
fn context(record: &Record) -> Option<ContextDefinition> {
    (!record.is_empty()).then(|| ContextDefinition::ContextMap(attributes(record)))
}

fn attributes(record: &Record) -> HashMap<String, AttributeValue> {
    record.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Bool(value) => AttributeValue::Boolean(*value),
        Value::Datetime(text) => AttributeValue::Datetime(text.clone()),
        Value::Decimal(text) => AttributeValue::Decimal(text.clone()),
        Value::Ip(address) => AttributeValue::Ipaddr(address.to_string()),
        Value::Long(value) => AttributeValue::Long(*value),
        Value::Record(record) => AttributeValue::Record(attributes(record)),
        Value::Set(items) => AttributeValue::Set(items.iter().map(attribute).collect()),
        Value::Text(text) => AttributeValue::String(text.clone()),
    }
}

/// The first word in backticks, where it looks like a policy's id: the rest is the
/// store's text, and may quote the request.
fn quoted(text: &str) -> Option<&str> {
    let id = text.split('`').nth(1)?;
    let is_id = id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte));
    (is_id && !id.is_empty()).then_some(id)
}

/// Some 400 bytes each, and more where many policies decide.
const REMEMBERED: Limits = Limits { entries: 10_000, bytes: 8 * 1024 * 1024 };

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn of_the_stores_words_only_a_policys_id_is_repeated() {
        for (text, expected) in [
            ("error while evaluating policy `SPabc-123`: no attribute `x`", Some("SPabc-123")),
            ("no attribute", None),
            ("attribute `a b`", None),
            ("``", None),
            ("`", None),
        ] {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }
}
