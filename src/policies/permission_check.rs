//! Whether the Cedar policies grant a request: those of the zip, evaluated here, or
//! those of a policy store, which is asked. In a build without the feature `cedar`
//! there are neither, and no configuration that asks them.

#[cfg(feature = "cedar")]
use super::verified_permissions::PolicyStore;
use crate::access::{Granted, PolicyQuestion};
use crate::denial::Denial;
#[cfg(feature = "cedar")]
use crate::permissions::Evaluator;
use crate::permissions::{ContextSettings, NotAsked, Question, Verdict};
use crate::request::{Details, UnixSeconds};
use crate::substitute::Substitute;
#[cfg(feature = "cedar")]
use crate::substitute::{OUTAGE, Reply};
use crate::token::{BearerToken, Claims};
#[cfg(feature = "cedar")]
use std::borrow::Cow;
use std::sync::Arc;

/// The policies of a configuration.
#[derive(Debug)]
pub struct PermissionCheck {
    /// The namespace of all entity types.
    pub namespace: String,
    /// What the context holds.
    pub context: ContextSettings,
    /// What evaluates them.
    pub engine: PolicyEngine,
}

/// What evaluates the policies.
#[derive(Debug)]
pub enum PolicyEngine {
    /// The policies of the zip.
    #[cfg(feature = "cedar")]
    Local(Box<Evaluator>),
    /// Amazon Verified Permissions.
    #[cfg(feature = "cedar")]
    Store(Box<PolicyStore>),
    /// What answers in the place of a store, where nothing is asked over the network.
    #[cfg(feature = "cedar")]
    Substitute(Arc<dyn Substitute>),
}

/// Who sends the request that the policies are asked about.
#[derive(Debug)]
pub struct PolicyCaller<'a> {
    /// The token, for a store that reads it itself; none where the credential is no token.
    pub token: Option<&'a BearerToken<'a>>,
    /// Its claims, which were accepted.
    pub claims: &'a Claims,
    /// The name of its issuer in the ids of users and groups.
    pub issuer_name: &'a str,
}

#[cfg(feature = "cedar")]
impl PolicyCaller<'_> {
    /// What no other caller's credential is: the token, or what names another credential and its issuer. A token has no
    /// line break in it.
    pub(super) fn credential(&self) -> Cow<'_, str> {
        match self.token {
            Some(token) => token.as_str().into(),
            None => format!("{}\n{}", self.claims.issuer(), self.claims.credential_id().unwrap_or_default()).into(),
        }
    }
}

/// The question and the answer, for the log.
#[derive(Debug, Default)]
pub struct PermissionLog {
    /// The question, once there was one.
    pub question: Option<Question>,
    /// The answer, once there was one.
    pub verdict: Option<Verdict>,
    /// Why there was no question.
    pub not_asked: Option<NotAsked>,
}

impl PermissionCheck {
    /// Asks the policies.
    ///
    /// # Errors
    /// [`Denial::Forbidden`], [`Denial::PermissionsUnavailable`].
    pub async fn ask(
        &self,
        asked: &PolicyQuestion<'_>,
        policy_caller: &PolicyCaller<'_>,
        details: &Details<'_>,
        now: UnixSeconds,
        log: &mut PermissionLog,
    ) -> Result<Granted, Denial> {
        let PolicyCaller { claims, issuer_name, .. } = policy_caller;
        let question = match Question::new(asked, claims, issuer_name, details, self.context, now) {
            Ok(question) => log.question.insert(question),
            Err(why) => {
                log.not_asked = Some(why);
                return Err(Denial::Forbidden);
            }
        };
        let verdict = self.engine.decide(question, policy_caller, now).await?;
        log.verdict.insert(verdict).grant()
    }
}

impl PolicyEngine {
    #[cfg(feature = "cedar")]
    async fn decide(
        &self,
        question: &Question,
        policy_caller: &PolicyCaller<'_>,
        now: UnixSeconds,
    ) -> Result<Verdict, Denial> {
        match self {
            PolicyEngine::Local(evaluator) => {
                evaluator.decide(question).map_err(|error| Denial::PermissionsUnavailable(error.0.into()))
            }
            // On the heap, so that the future of a request that asks no store stays small.
            PolicyEngine::Store(store) => Box::pin(store.decide(question, policy_caller, now)).await,
            PolicyEngine::Substitute(substitute) => {
                let allowed = match substitute.policy_store() {
                    Reply::Yes => true,
                    Reply::No | Reply::Revoked => false,
                    Reply::Outage => return Err(Denial::PermissionsUnavailable(OUTAGE.into())),
                };
                Ok(Verdict { allowed, determining: Vec::new(), errors: Vec::new() })
            }
        }
    }

    /// The same, without the network: a store is answered for.
    #[must_use]
    #[cfg(feature = "cedar")]
    pub fn offline(self, substitute: &Arc<dyn Substitute>) -> Self {
        match self {
            PolicyEngine::Store(_) => PolicyEngine::Substitute(Arc::clone(substitute)),
            here @ (PolicyEngine::Local(_) | PolicyEngine::Substitute(_)) => here,
        }
    }

    /// The same: there is no engine in this build.
    #[must_use]
    #[cfg(not(feature = "cedar"))]
    pub fn offline(self, _: &Arc<dyn Substitute>) -> Self {
        match self {}
    }

    #[cfg(not(feature = "cedar"))]
    async fn decide(&self, _: &Question, _: &PolicyCaller<'_>, _: UnixSeconds) -> Result<Verdict, Denial> {
        match *self {}
    }
}

impl PermissionLog {
    /// The policies that decided, by name.
    #[must_use]
    pub fn policies(&self) -> Option<String> {
        let verdict = self.verdict.as_ref()?;
        (!verdict.determining.is_empty()).then(|| verdict.determining.join(", "))
    }

    /// The policies that could not be evaluated, by name, or why none was asked.
    #[must_use]
    pub fn errors(&self) -> Option<String> {
        if let Some(NotAsked(why)) = self.not_asked {
            return Some(format!("not asked: {why}"));
        }
        let verdict = self.verdict.as_ref()?;
        let names: Vec<_> = verdict.errors.iter().map(|error| error.policy.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
