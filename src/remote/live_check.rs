//! Whether a token still stands, as far as its issuer and the table of revocations
//! can be asked. Every check that is configured must agree; they run side by side.

use super::inquiry::Inquiry;
use super::revocations::RevocationTable;
use super::tally::RemoteCalls;
use crate::access::{Live, Vouched};
use crate::denial::{Class, Denial};
use crate::request::UnixSeconds;
use crate::token::{BearerToken, Claims, IntrospectedToken};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one issuer's tokens can be checked by.
#[derive(Clone, Debug, Default)]
pub struct LiveCheck {
    /// The issuer itself.
    pub inquiry: Option<Arc<Inquiry>>,
    /// The table of revocations.
    pub revocations: Option<Arc<RevocationTable>>,
    /// Whether the table is asked about every accepted token, on routes without a live check too.
    pub revocations_always: bool,
}

/// What was asked, what it answered and how long it took, for the log.
#[derive(Debug, Default)]
pub struct LiveLog(String);

impl LiveLog {
    /// The text, where anything was asked.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }

    fn note(&mut self, asked: &str, answer: &Result<(), Denial>, took: Duration, remembered: bool) {
        let separator = if self.0.is_empty() { "" } else { ", " };
        let answer = answer.as_ref().map_or_else(Denial::code, |()| "good");
        // Writing to a string cannot fail.
        let _ = match remembered {
            true => write!(self.0, "{separator}{asked}: {answer} (remembered)"),
            false => write!(self.0, "{separator}{asked}: {answer} in {} us", took.as_micros()),
        };
    }
}

impl LiveCheck {
    /// Adds the calls that were made since this was asked last.
    pub fn take_calls(&self, calls: &mut RemoteCalls) {
        if let Some(inquiry) = &self.inquiry {
            calls.introspections.add(inquiry.take_calls());
        }
        // Issuers share a table: the first takes all of its calls.
        if let Some(table) = &self.revocations {
            calls.revocation_checks.add(table.take_calls());
        }
    }

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
        let inquiry = self.inquiry.as_ref().filter(|_| !has_answered && !claims.is_cognito_client_token());
        if inquiry.is_none() && self.revocations.is_none() && !has_answered {
            return Err(Denial::NotIntrospectable("neither the issuer nor a table can be asked about this token"));
        }
        let asked = async {
            let started = Instant::now();
            match inquiry {
                Some(inquiry) => {
                    let answered = inquiry.ask(token, claims, now).await;
                    Some((inquiry.name(), answered, started.elapsed()))
                }
                None => None,
            }
        };
        let mut table_log = LiveLog::default();
        let looked_up = self.check_revocations(claims, now, &mut table_log);
        let (asked, looked_up) = futures_util::join!(asked, looked_up);
        let mut results = Vec::with_capacity(2);
        if let Some((name, answered, took)) = asked {
            let result = answered.result.map(drop);
            log.note(name, &result, took, answered.remembered);
            results.push(result);
        }
        if let Some(text) = table_log.text() {
            log.0.push_str(if log.0.is_empty() { "" } else { ", " });
            log.0.push_str(text);
        }
        results.push(looked_up);
        // Of two denials the plainer one is told: a "no" before a "nobody knows".
        match results.into_iter().filter_map(Result::err).min_by_key(plainness) {
            Some(denial) => Err(denial),
            None => Ok(Live::assertion()),
        }
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
        let inquiry =
            self.inquiry.as_ref().ok_or(Denial::Internal("an issuer of opaque tokens that cannot be asked"))?;
        let started = Instant::now();
        let answered = inquiry.resolve(token, now).await;
        let result = answered.result.as_ref().map(drop).map_err(Denial::clone);
        log.note(inquiry.name(), &result, started.elapsed(), answered.remembered);
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
        let result = table.check(claims, now).await;
        log.note("revocations", &result, started.elapsed(), false);
        result
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
