//! Which entries stop a token, a user or a client, and for how long they must stand.

use super::decoded_token::DecodedToken;
use super::entry::{Entry, Mark};
use cognito_authorizer::credentials::certificate::ClientCertificate;
use cognito_authorizer::live::{Revocation, RevocationKey};
use cognito_authorizer::request::{MAX_LEEWAY, UnixSeconds};
use std::time::Duration;

/// What all entries of one revocation share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From when on.
    pub now: UnixSeconds,
    /// The longest life that a token of the issuer can have.
    pub token_life: Duration,
    /// Why.
    pub mark: Mark,
}

/// Which tokens of a user or a client are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that were issued by now, until the last of them has expired.
    IssuedByNow,
    /// Those that are issued later too, until the entry is lifted.
    UntilLifted,
}

impl Plan {
    /// For one token and, where it names its sign-in, all tokens of that sign-in. Empty
    /// where nothing in the token could name an entry, or where it is over.
    #[must_use]
    pub fn for_token(&self, token: &DecodedToken) -> Vec<Entry> {
        let jti = token.jti.clone().map(|jti| {
            // An entry that ended at `exp` would let the token pass again for the authorizer's leeway.
            let expires_at = token.expires.map_or_else(|| self.after_a_life(), |end| end.plus(MAX_LEEWAY));
            self.entry(&RevocationKey::Jti(jti), None, Some(expires_at))
        });
        // Tokens that a refresh token fetches later bear the same `origin_jti`: no
        // `not_before` spares them.
        let origin_jti = token
            .origin_jti
            .clone()
            .map(|origin_jti| self.entry(&RevocationKey::OriginJti(origin_jti), None, Some(self.after_a_life())));
        [jti, origin_jti].into_iter().flatten().filter(|entry| !entry.is_over(self.now)).collect()
    }

    /// For all tokens of a user, by each of the issuers that may name it.
    #[must_use]
    pub fn for_user(&self, issuers: &[String], subject: &str, reach: Reach) -> Vec<Entry> {
        self.for_each(issuers, reach, |issuer| RevocationKey::Subject { issuer, subject: subject.to_owned() })
    }

    /// For all tokens of a client, by each of the issuers that may name it.
    #[must_use]
    pub fn for_client(&self, issuers: &[String], client_id: &str, reach: Reach) -> Vec<Entry> {
        self.for_each(issuers, reach, |issuer| RevocationKey::Client { issuer, client_id: client_id.to_owned() })
    }

    /// For a client certificate, and for the tokens that are bound to it: one entry that names it by its DER, and one by
    /// what its authority signed, which is the same whatever its holder makes of the signature. Empty where it has expired.
    #[must_use]
    pub fn for_certificate(&self, certificate: &ClientCertificate) -> Vec<Entry> {
        // It is valid for all of its last second, and a claim's `exp` for the authorizer's leeway after that.
        let expires_at = certificate.not_after().plus(MAX_LEEWAY);
        let names = [certificate.fingerprint(), certificate.signed_fingerprint()];
        let keys = names.map(|name| RevocationKey::Certificate(name.to_owned()));
        let entries = keys.map(|key| self.entry(&key, None, Some(expires_at)));
        entries.into_iter().filter(|entry| !entry.is_over(self.now)).collect()
    }

    fn for_each(&self, issuers: &[String], reach: Reach, key: impl Fn(String) -> RevocationKey) -> Vec<Entry> {
        let (not_before, expires_at) = match reach {
            // `iat` counts whole seconds: a token of this very second must not slip through.
            Reach::IssuedByNow => (Some(whole_second(self.now)), Some(self.after_a_life())),
            Reach::UntilLifted => (None, None),
        };
        issuers.iter().map(|issuer| self.entry(&key(issuer.clone()), not_before, expires_at)).collect()
    }

    /// When the last token that was issued by now has expired for every authorizer.
    fn after_a_life(&self) -> UnixSeconds {
        whole_second(self.now).plus(self.token_life).plus(MAX_LEEWAY)
    }

    fn entry(&self, key: &RevocationKey, not_before: Option<UnixSeconds>, expires_at: Option<UnixSeconds>) -> Entry {
        let revocation = Revocation { not_before, expires_at: expires_at.map(whole_second) };
        Entry { pk: key.to_string(), revocation, mark: self.mark.clone() }
    }
}

/// This time, or the next whole second after it.
fn whole_second(at: UnixSeconds) -> UnixSeconds {
    UnixSeconds::new(at.as_f64().ceil()).unwrap_or(at)
}

/// Cognito's longest: access and ID tokens live for a day at most.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html>
pub const LONGEST_TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: f64) -> Option<UnixSeconds> {
        UnixSeconds::new(seconds)
    }

    fn plan(now: f64) -> Plan {
        Plan { now: at(now).unwrap(), token_life: HOUR, mark: Mark::default() }
    }

    #[track_caller]
    fn check(entries: &[Entry], expected: &[(&str, Option<f64>, Option<f64>)]) {
        let seconds = |date: Option<UnixSeconds>| date.map(UnixSeconds::as_f64);
        let actual = entries.iter().map(|entry| {
            let Revocation { not_before, expires_at } = entry.revocation;
            (entry.pk.as_str(), seconds(not_before), seconds(expires_at))
        });
        assert_eq!(actual.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_token_is_refused_until_no_leeway_lets_it_pass_and_its_sign_in_for_a_life() {
        let token = DecodedToken { jti: Some("j".into()), origin_jti: Some("o".into()), expires: at(1500.0) };
        check(
            &plan(1000.0).for_token(&token),
            &[("jti#j", None, Some(1560.0)), ("origin_jti#o", None, Some(1000.0 + 3600.0 + 60.0))],
        );
        let endless = DecodedToken { expires: None, ..token.clone() };
        check(
            &plan(1000.0).for_token(&endless),
            &[("jti#j", None, Some(4660.0)), ("origin_jti#o", None, Some(4660.0))],
        );
        let fraction = DecodedToken { expires: at(1500.2), origin_jti: None, ..token };
        check(&plan(1000.0).for_token(&fraction), &[("jti#j", None, Some(1561.0))]);
    }

    #[test]
    fn a_token_that_is_over_needs_no_entry_but_its_sign_in_does() {
        let token = DecodedToken { jti: Some("j".into()), origin_jti: Some("o".into()), expires: at(1500.0) };
        check(&plan(1559.0).for_token(&token)[..1], &[("jti#j", None, Some(1560.0))]);
        check(&plan(1560.0).for_token(&token), &[("origin_jti#o", None, Some(1560.0 + 3660.0))]);
        check(&plan(1560.0).for_token(&DecodedToken { origin_jti: None, ..token }), &[]);
        check(&plan(1000.0).for_token(&DecodedToken::default()), &[]);
    }

    #[test]
    fn a_certificate_is_refused_until_no_leeway_lets_it_pass() {
        let pem = include_str!("../../../tests/keys/client-cert.pem");
        let certificate = ClientCertificate::parse(pem).unwrap();
        let [by_der, by_content] =
            [certificate.fingerprint(), certificate.signed_fingerprint()].map(|name| format!("cert#{name}"));
        let end = certificate.not_after().as_f64();
        let entries = |now: f64| plan(now).for_certificate(&certificate);
        let expected = [(&*by_der, None, Some(end + 60.0)), (&*by_content, None, Some(end + 60.0))];
        check(&entries(1000.0), &expected);
        check(&entries(end + 59.0), &expected);
        check(&entries(end + 60.0), &[]);
    }

    #[test]
    fn users_and_clients_are_refused_by_every_issuer_up_to_the_next_whole_second() {
        let issuers = ["https://i.example".to_owned(), "https://j.example".to_owned()];
        check(
            &plan(1000.25).for_user(&issuers, "s", Reach::IssuedByNow),
            &[
                ("sub#https://i.example#s", Some(1001.0), Some(1001.0 + 3660.0)),
                ("sub#https://j.example#s", Some(1001.0), Some(1001.0 + 3660.0)),
            ],
        );
        check(
            &plan(1000.0).for_client(&issuers[..1], "c", Reach::IssuedByNow),
            &[("client#https://i.example#c", Some(1000.0), Some(4660.0))],
        );
        check(
            &plan(1000.0).for_client(&issuers[..1], "c", Reach::UntilLifted),
            &[("client#https://i.example#c", None, None)],
        );
    }
}
