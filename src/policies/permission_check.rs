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
use crate::token::{BearerToken, Claims};

/// The policies of a configuration.
#[derive(Debug)]
pub struct PermissionCheck {
    /// The namespace of all entity types.
    pub namespace: String,
    /// What the context holds.
    pub context: ContextSettings,
    /// Who answers.
    pub judge: Judge,
}

/// Who answers questions to the policies.
#[derive(Debug)]
pub enum Judge {
    /// The policies of the zip.
    #[cfg(feature = "cedar")]
    Local(Box<Evaluator>),
    /// Amazon Verified Permissions.
    #[cfg(feature = "cedar")]
    Store(Box<PolicyStore>),
}

/// What the policies are asked about.
#[derive(Debug)]
pub struct Applicant<'a> {
    /// The token, for a store that reads it itself.
    pub token: &'a BearerToken<'a>,
    /// Its claims, which were accepted.
    pub claims: &'a Claims,
    /// What stands for its issuer in the ids of users and groups.
    pub issuer_name: &'a str,
}

/// What was asked and answered, for the log.
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
        applicant: &Applicant<'_>,
        details: &Details<'_>,
        now: UnixSeconds,
        log: &mut PermissionLog,
    ) -> Result<Granted, Denial> {
        let Applicant { claims, issuer_name, .. } = applicant;
        let question = match Question::new(asked, claims, issuer_name, details, self.context, now) {
            Ok(question) => log.question.insert(question),
            Err(why) => {
                log.not_asked = Some(why);
                return Err(Denial::Forbidden);
            }
        };
        let verdict = self.judge.decide(question, applicant, now).await?;
        log.verdict.insert(verdict).grant()
    }
}

impl Judge {
    #[cfg(feature = "cedar")]
    async fn decide(
        &self,
        question: &Question,
        applicant: &Applicant<'_>,
        now: UnixSeconds,
    ) -> Result<Verdict, Denial> {
        match self {
            Judge::Local(evaluator) => {
                evaluator.decide(question).map_err(|error| Denial::PermissionsUnavailable(error.0.into()))
            }
            // On the heap: requests that ask no store should not carry its state about.
            Judge::Store(store) => Box::pin(store.decide(question, applicant, now)).await,
        }
    }

    #[cfg(not(feature = "cedar"))]
    async fn decide(&self, _: &Question, _: &Applicant<'_>, _: UnixSeconds) -> Result<Verdict, Denial> {
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
