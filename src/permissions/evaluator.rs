//! A question held against the policies of the zip.

use super::policies::Policies;
use super::question::{PrincipalKind, Question};
use super::value::{Record, Value};
use super::verdict::{PolicyError, Verdict};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression,
};
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

/// The policies, and the names of what they are about.
pub struct Evaluator {
    policies: Policies,
    authorizer: Authorizer,
    types: Types,
    /// The actions of the schema with the groups of actions that they are in.
    actions: HashMap<String, Entity>,
}

struct Types {
    user: EntityTypeName,
    client: EntityTypeName,
    group: EntityTypeName,
    action: EntityTypeName,
    application: EntityUid,
}

/// Why a question could not be put to Cedar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAQuestion(pub &'static str);

impl Types {
    /// `None` where the namespace is none.
    fn of(namespace: &str) -> Option<Self> {
        let name = |kind: &str| EntityTypeName::from_str(&format!("{namespace}::{kind}")).ok();
        let application = EntityUid::from_type_name_and_id(name("Application")?, EntityId::new(namespace));
        let (user, client) = (name(PrincipalKind::User.name())?, name(PrincipalKind::Client.name())?);
        Some(Self { user, client, group: name("UserGroup")?, action: name("Action")?, application })
    }
}

impl Evaluator {
    /// An evaluator for entities of this namespace.
    ///
    /// # Errors
    /// Where the namespace is none.
    pub fn new(namespace: &str, policies: Policies) -> Result<Self, NotAQuestion> {
        let types = Types::of(namespace).ok_or(NotAQuestion("not a namespace"))?;
        let actions = match &policies.schema {
            Some(schema) => schema.action_entities().map_err(|_| NotAQuestion("the schema's actions make no sense"))?,
            None => Entities::empty(),
        };
        let actions = actions
            .iter()
            .filter(|action| *action.uid().type_name() == types.action)
            .map(|action| (action.uid().id().unescaped().to_owned(), action.clone()))
            .collect();
        Ok(Self { policies, authorizer: Authorizer::new(), types, actions })
    }

    /// Whether entity types can be named in this namespace.
    #[must_use]
    pub fn is_namespace(text: &str) -> bool {
        Types::of(text).is_some()
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What the policies answer.
    ///
    /// # Errors
    /// [`NotAQuestion`] for what Cedar does not take; never an answer.
    pub fn decide(&self, question: &Question) -> Result<Verdict, NotAQuestion> {
        let principal = self.principal(question);
        let action = self.action(&question.action);
        let context = expressions(&question.whole_context())?;
        let context = Context::from_pairs(context).map_err(|_| NotAQuestion("the context cannot be written"))?;
        let groups = question.groups.iter().map(|id| entity(&self.types.group, id)).collect::<HashSet<_>>();
        let attributes = expressions(&question.attributes)?.into_iter().collect();
        let attributed = Entity::new(principal.clone(), attributes, groups)
            .map_err(|_| NotAQuestion("the principal's attributes cannot be written"))?;
        let entities = std::iter::once(attributed).chain(self.actions.get(&question.action).cloned());
        let entities = Entities::from_entities(entities, None).map_err(|_| NotAQuestion("two entities of one name"))?;
        let request = Request::new(principal, action, self.types.application.clone(), context, None)
            .map_err(|_| NotAQuestion("a request that is none"))?;
        let response = self.authorizer.is_authorized(&request, &self.policies.set, &entities);
        let mut determining: Vec<_> = response.diagnostics().reason().map(|id| self.policies.name(id)).collect();
        determining.sort_unstable();
        let mut errors: Vec<_> = response.diagnostics().errors().map(|error| self.error(error)).collect();
        errors.sort_unstable_by(|one, other| one.policy.cmp(&other.policy));
        Ok(Verdict { allowed: response.decision() == Decision::Allow, determining, errors })
    }

    /// The resource of every question.
    pub(super) fn application(&self) -> &EntityUid {
        &self.types.application
    }

    pub(super) fn action(&self, id: &str) -> EntityUid {
        entity(&self.types.action, id)
    }

    /// The schema's action of that id, with the groups that it is in.
    pub(super) fn known_action(&self, id: &str) -> Option<&Entity> {
        self.actions.get(id)
    }

    pub(super) fn known_actions(&self) -> impl Iterator<Item = &str> {
        self.actions.keys().map(String::as_str)
    }

    pub(super) fn principal_types(&self) -> [&EntityTypeName; 2] {
        [&self.types.user, &self.types.client]
    }

    fn principal(&self, question: &Question) -> EntityUid {
        let kind = match question.principal.kind {
            PrincipalKind::Client => &self.types.client,
            PrincipalKind::User => &self.types.user,
        };
        entity(kind, &question.principal.id)
    }

    fn error(&self, error: &AuthorizationError) -> PolicyError {
        let AuthorizationError::PolicyEvaluationError(error) = error;
        let id = error.policy_id();
        PolicyError { policy: self.policies.name(id), may_forbid: self.policies.forbids(id) }
    }
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").field("policies", &self.policies.count()).finish_non_exhaustive()
    }
}

fn entity(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn expressions(record: &Record) -> Result<Vec<(String, RestrictedExpression)>, NotAQuestion> {
    record.iter().map(|(name, value)| Ok((name.clone(), expression(value)?))).collect()
}

fn expression(value: &Value) -> Result<RestrictedExpression, NotAQuestion> {
    Ok(match value {
        Value::Bool(value) => RestrictedExpression::new_bool(*value),
        Value::Datetime(text) => RestrictedExpression::new_datetime(text),
        Value::Decimal(text) => RestrictedExpression::new_decimal(text),
        Value::Ip(address) => RestrictedExpression::new_ip(address.to_string()),
        Value::Long(value) => RestrictedExpression::new_long(*value),
        Value::Record(record) => {
            RestrictedExpression::new_record(expressions(record)?).map_err(|_| NotAQuestion("duplicate member"))?
        }
        Value::Set(items) => {
            RestrictedExpression::new_set(items.iter().map(expression).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Text(text) => RestrictedExpression::new_string(text.clone()),
    })
}
