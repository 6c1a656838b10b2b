//! Whether a token is still good, as its issuer and the table of revocations say. Every
//! check that is configured must agree; they run at the same time.

use super::issuer_check::IssuerCheck;
use super::revocations::RevocationTable;
use crate::access::{Live, Vouched};
use crate::denial::{Class, Denial};
use crate::request::UnixSeconds;
use crate::substitute::Substitute;
use crate::token::{BearerToken, Claims, IntrospectedToken};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one issuer's tokens can be checked by.
#[derive(Clone, Debug, Default)]
pub struct LiveCheck {
    /// The issuer itself.
    pub issuer_check: Option<Arc<IssuerCheck>>,
    /// The table of revocations.
    pub revocations: Option<Arc<RevocationTable>>,
    /// Whether the table is asked about every accepted token, on routes without a live check too.
    pub revocations_always: bool,
    /// What answers in the place of both, where nothing is asked over the network.
    pub substitute: Option<Arc<dyn Substitute>>,
}

/// What the live checks of a request came to and how long they took, for the log.
#[derive(Debug, Default)]
pub struct LiveLog {
    outcome: Option<&'static str>,
    took: Option<Duration>,
}

impl LiveLog {
    /// `good`, `remembered` where nobody had to be asked for that, or the reason for "no"; nothing
    /// where there was no check.
    #[must_use]
    pub fn outcome(&self) -> Option<&'static str> {
        self.outcome
    }

    /// How long the request waited for answers, in microseconds; nothing where nobody was asked.
    #[must_use]
    pub fn microseconds(&self) -> Option<u64> {
        self.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
    }

    /// `took` is nothing where the answer was remembered. Checks that are noted one after the other
    /// were made so.
    fn note(&mut self, answer: Result<(), &Denial>, took: Option<Duration>) {
        self.outcome = match (answer, took, self.outcome) {
            (Err(denial), _, _) => Some(denial.code()),
            (Ok(()), None, None | Some(REMEMBERED)) => Some(REMEMBERED),
            (Ok(()), _, _) => Some(GOOD),
        };
        if let Some(took) = took {
            self.took = Some(self.took.unwrap_or_default().saturating_add(took));
        }
    }
}

const GOOD: &str = "good";
const REMEMBERED: &str = "remembered";

impl LiveCheck {
    /// Vouches for a token, or does not.
    ///
    /// # Errors
    /// [`Denial::TokenRevoked`], [`Denial::TokenInactive`], [`Denial::NotIntrospectable`],
    /// [`Denial::IntrospectionUnavailable`], [`Denial::RevocationsUnavailable`].
    pub async fn vouch(
        &self,
        token: &BearerToken<'_>,
        claims: &Claims,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<Live, Denial> {
        // A client-credentials token has no user to ask for, and an opaque token's
        // claims are the issuer's answer of this moment.
        let has_answered = claims.were_introspected();
        let issuer_check = self.issuer_check.as_ref().filter(|_| !has_answered && !claims.is_cognito_client_token());
        let asked = async {
            let issuer_check = issuer_check?;
            let answered = match &self.substitute {
                Some(substitute) => issuer_check.answered_by(&**substitute, claims),
                None => issuer_check.ask(token, claims, now).await,
            };
            Some((answered.result.map(drop), answered.remembered))
        };
        self.agree(asked, claims, now, log).await
    }

    /// Vouches for a credential that is no token, or does not. `asked` is what the keeper of its record says now, where
    /// there is one.
    ///
    /// # Errors
    /// As [`Self::vouch`], and what `asked` says.
    pub async fn vouch_for_record(
        &self,
        asked: impl Future<Output = Option<Result<(), Denial>>>,
        claims: &Claims,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<Live, Denial> {
        let asked = async { asked.await.map(|result| (result, false)) };
        self.agree(asked, claims, now, log).await
    }

    /// Asks whoever `asked` stands for, which also says whether it remembered the answer, and the table; both must agree.
    async fn agree(
        &self,
        asked: impl Future<Output = Option<(Result<(), Denial>, bool)>>,
        claims: &Claims,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<Live, Denial> {
        let started = Instant::now();
        let looked_up = async {
            match &self.revocations {
                Some(table) => Some(self.look_up(table, claims, now).await),
                None => None,
            }
        };
        let (asked, looked_up) = futures_util::join!(asked, looked_up);
        let waited = looked_up.is_some() || asked.as_ref().is_some_and(|(_, remembered)| !remembered);
        let results = [asked.map(|(result, _)| result), looked_up];
        let was_asked = results.iter().any(Option::is_some);
        if !was_asked && !claims.were_introspected() {
            return Err(Denial::NotIntrospectable("neither the issuer nor a table can be asked about this credential"));
        }
        // Of two denials the plainer one is told: a "no" before a "nobody knows".
        let denial = results.into_iter().flatten().filter_map(Result::err).min_by_key(plainness);
        let result = denial.map_or(Ok(()), Err);
        if was_asked {
            log.note(result.as_ref().copied(), waited.then(|| started.elapsed()));
        }
        result.map(|()| Live::assertion())
    }

    /// Asks the issuer whose this opaque token is.
    ///
    /// # Errors
    /// [`Denial::TokenInactive`], [`Denial::IntrospectionUnavailable`].
    pub async fn resolve(
        &self,
        token: &BearerToken<'_>,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<IntrospectedToken, Denial> {
        // INVARIANT: the configuration refuses opaque tokens without introspection.
        let issuer_check =
            self.issuer_check.as_ref().ok_or(Denial::Internal("an issuer of opaque tokens that cannot be asked"))?;
        let started = Instant::now();
        let answered = match &self.substitute {
            Some(substitute) => issuer_check.resolved_by(&**substitute, token),
            None => issuer_check.resolve(token, now).await,
        };
        log.note(answered.result.as_ref().map(drop), (!answered.remembered).then(|| started.elapsed()));
        answered.result
    }

    /// Makes the checks that the configuration asks of every accepted token.
    ///
    /// # Errors
    /// As [`Self::vouch`], for the table alone.
    pub async fn vouch_for_accepted(
        &self,
        claims: &Claims,
        now: UnixSeconds,
        log: &mut LiveLog,
    ) -> Result<Vouched, Denial> {
        if self.revocations_always {
            self.check_revocations(claims, now, log).await?;
        }
        Ok(Vouched::assertion())
    }

    /// Looks the token up in the table of revocations, where there is one.
    async fn check_revocations(&self, claims: &Claims, now: UnixSeconds, log: &mut LiveLog) -> Result<(), Denial> {
        let Some(table) = &self.revocations else { return Ok(()) };
        let started = Instant::now();
        let result = self.look_up(table, claims, now).await;
        log.note(result.as_ref().copied(), Some(started.elapsed()));
        result
    }

    async fn look_up(&self, table: &RevocationTable, claims: &Claims, now: UnixSeconds) -> Result<(), Denial> {
        match &self.substitute {
            Some(substitute) => RevocationTable::answered_by(&**substitute, claims),
            None => table.check(claims, now).await,
        }
    }
}

fn plainness(denial: &Denial) -> u8 {
    match denial.class() {
        Class::Unauthorized if matches!(denial, Denial::TokenRevoked(_)) => 0,
        Class::Unauthorized => 1,
        Class::Unavailable => 2,
        Class::Forbidden => 3,
    }
}
