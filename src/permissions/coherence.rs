//! Whether policies and route table know each other: actions that no route asks
//! about, and routes that no policy can allow.

use super::evaluator::Evaluator;
use crate::access::Rules;
use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use std::sync::Arc;

/// What does not fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coherence {
    /// Actions of the schema, or named in a policy's head, that no route asks about.
    pub unused_actions: Vec<String>,
    /// Routes that ask the policies, for which no policy can say yes.
    pub unreachable_routes: Vec<Arc<str>>,
}

impl Evaluator {
    /// Compares the policies with the route table. Conditions are not looked into:
    /// what is told here is so whatever they say.
    #[must_use]
    pub fn coherence(&self, rules: &Rules) -> Coherence {
        let asking: Vec<_> =
            rules.iter().filter_map(|(_, rule)| Some((&rule.key, rule.cedar.as_ref()?.actions()))).collect();
        let asked = |action: &str| asking.iter().any(|(_, actions)| actions.iter().any(|one| one == action));
        let mut unused: Vec<_> = self.known_actions().map(str::to_owned).chain(self.named_actions()).collect();
        unused.sort_unstable();
        unused.dedup();
        unused.retain(|action| !asked(action) && !self.is_group(action));
        let can_allow = |action: &String| self.policies().set.policies().any(|policy| self.can_allow(policy, action));
        let unreachable = asking.iter().filter(|(_, actions)| !actions.iter().any(can_allow));
        Coherence { unused_actions: unused, unreachable_routes: unreachable.map(|(key, _)| Arc::clone(key)).collect() }
    }

    fn named_actions(&self) -> impl Iterator<Item = String> {
        let kind = self.action("").type_name().clone();
        let named = |policy: &Policy| match policy.action_constraint() {
            ActionConstraint::Any => Vec::new(),
            ActionConstraint::Eq(action) => vec![action],
            ActionConstraint::In(actions) => actions,
        };
        let actions = self.policies().set.policies().flat_map(named);
        actions.filter(move |action| *action.type_name() == kind).map(|action| action.id().unescaped().to_owned())
    }

    /// Whether other actions of the schema are in this one.
    fn is_group(&self, id: &str) -> bool {
        let uid = self.action(id);
        self.known_actions().any(|other| other != id && self.is_in(other, &uid))
    }

    fn is_in(&self, action: &str, group: &EntityUid) -> bool {
        self.action(action) == *group
            || self.known_action(action).is_some_and(|action| action.clone().into_inner().2.contains(group))
    }

    fn can_allow(&self, policy: &Policy, action: &str) -> bool {
        let action_fits = match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(one) => self.action(action) == one,
            ActionConstraint::In(groups) => groups.iter().any(|group| self.is_in(action, group)),
        };
        let application = self.application();
        let resource_fits = match policy.resource_constraint() {
            ResourceConstraint::Any => true,
            ResourceConstraint::Eq(one) | ResourceConstraint::In(one) => one == *application,
            ResourceConstraint::Is(kind) => kind == *application.type_name(),
            ResourceConstraint::IsIn(kind, one) => kind == *application.type_name() && one == *application,
        };
        let principal_fits = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::In(_) => true,
            PrincipalConstraint::Eq(one) => self.principal_types().contains(&one.type_name()),
            PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => {
                self.principal_types().contains(&&kind)
            }
        };
        policy.effect() == Effect::Permit && action_fits && resource_fits && principal_fits
    }
}
