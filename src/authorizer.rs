//! The order of the steps, from a request to a permit or a denial.

use crate::access::{
    CacheKey, Granted, GrantedRuling, MatchedRule, Permit, Rules, Ruling, TokenPermissions, Vouched, check_page,
};
use crate::credentials::{Presented, presented};
use crate::denial::Denial;
use crate::http::{RemoteCalls, RemoteCounts};
use crate::issuers::RecordIssuer;
use crate::keys::JwksCache;
use crate::live::{LiveCheck, LiveLog, Nonce, NonceTable, UsedProofs};
use crate::policies::{PermissionCheck, PermissionLog, PolicyCaller};
use crate::request::{Request, UnixSeconds};
use crate::token::{
    BearerToken, Claims, CredentialKind, Expectations, KeyProof, KnownToken, Sender, TokenDigest, UnverifiedJwt,
    VerifiedJwt, VerifiedTokens,
};
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;

/// Judges requests by the tokens of the configured issuers and the route table.
#[derive(Debug)]
pub struct Authorizer {
    issuers: HashMap<Arc<str>, Issuer>,
    /// The names of those with tenants.
    with_tenants: Vec<Arc<str>>,
    /// The issuer of tokens that are no JWTs.
    opaque: Option<Arc<str>>,
    /// What need not be verified again.
    verified: VerifiedTokens,
    /// The proofs of possession that were used.
    used_proofs: UsedProofs,
    /// The issuers of credentials that are no tokens, one of a kind.
    record_issuers: Vec<RecordIssuer>,
    /// Their kinds.
    kinds: Vec<CredentialKind>,
    rules: Rules,
    /// The Cedar policies that rules may ask.
    permissions: Option<PermissionCheck>,
    counts: RemoteCounts,
}

/// One issuer of tokens: what its tokens must look like, and its keys, which serve no other.
#[derive(Debug)]
pub struct Issuer {
    /// What its tokens must look like.
    pub expectations: Arc<Expectations>,
    /// Its keys.
    pub keys: JwksCache,
    /// What stands for it in the ids of Cedar entities: a user pool's id, else its name.
    pub name_in_policies: Arc<str>,
    /// How its tokens can be checked live.
    pub live: LiveCheck,
    /// Whether tokens that are no JWTs are its own, to be introspected.
    pub opaque_tokens: bool,
    /// Where each proof of possession is taken once, by all processes of the function.
    pub nonces: Option<Arc<NonceTable>>,
}

/// What was learned on the way to a ruling, for the log and for the answer to a
/// denial. Of a token that was not accepted it tells the configured issuer that it
/// named and its `kid`, nothing else.
#[derive(Debug, Default)]
pub struct DecisionRecord {
    /// The issuer, once the token named a configured one.
    pub issuer: Option<Arc<str>>,
    /// The kind of the credential, where it is no token.
    pub kind: Option<CredentialKind>,
    /// The `kid` header; of a credential that is no token, its id.
    pub kid: Option<String>,
    /// The accepted token's claims.
    pub claims: Option<Arc<Claims>>,
    /// What the accepted token may use of the whole API, where policies cover tokens
    /// and this request's rule depends on nothing else.
    pub token_permissions: Option<TokenPermissions>,
    /// Whether the checks that are asked of every accepted token did not vouch for this one,
    /// so that it is refused whatever it asks for.
    pub is_refused_everywhere: bool,
    /// The key of the rule that serves the request.
    pub route: Option<Arc<str>>,
    /// What was asked live.
    pub live_check: LiveLog,
    /// What the Cedar policies were asked and answered.
    pub permissions: PermissionLog,
}

impl Authorizer {
    /// An authorizer for these issuers and rules.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>, rules: Rules, permissions: Option<PermissionCheck>, counts: RemoteCounts) -> Self {
        let name = |issuer: &Issuer| Arc::clone(&issuer.expectations.issuer);
        let opaque = issuers.iter().find(|issuer| issuer.opaque_tokens).map(name);
        let with_tenants = issuers.iter().filter(|issuer| issuer.expectations.tenants.is_some()).map(name).collect();
        let issuers = issuers.into_iter().map(|issuer| (name(&issuer), issuer)).collect();
        let (verified, used_proofs) = (VerifiedTokens::default(), UsedProofs::default());
        let (record_issuers, kinds) = (Vec::new(), Vec::new());
        Self { issuers, with_tenants, opaque, verified, used_proofs, record_issuers, kinds, rules, permissions, counts }
    }

    /// The same, with issuers of credentials that are no tokens.
    #[must_use]
    pub fn with_record_issuers(self, record_issuers: Vec<RecordIssuer>) -> Self {
        let kinds = record_issuers.iter().map(|issuer| issuer.verifier.kind()).collect();
        Self { record_issuers, kinds, ..self }
    }

    /// The header that API keys come in, where some issuer takes any.
    #[must_use]
    pub fn api_key_header(&self) -> Option<&str> {
        self.record_issuers.iter().find_map(|issuer| issuer.verifier.api_key_header())
    }

    /// Whether a signature or a proof of possession may come with a request.
    #[must_use]
    pub fn asks_message(&self) -> bool {
        self.kinds.contains(&CredentialKind::Signature)
            || self.issuers.values().any(|issuer| issuer.expectations.dpop.is_some())
    }

    /// The rule table.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the key of a cached simple answer must hold.
    #[must_use]
    pub fn cache_key(&self) -> CacheKey {
        self.rules.cache_key()
    }

    /// Starts to fetch the issuers' keys, while the function starts. With many issuers a process sees
    /// tokens of few of them: then each one's keys are fetched when a token names it.
    pub fn prefetch(&self) {
        if self.issuers.len() <= MAX_ISSUERS_AHEAD_OF_TIME {
            self.issuers.values().for_each(|issuer| issuer.keys.prefetch());
        }
    }

    /// Fetches keys that are old, and of a few issuers those that are missing, and waits for them: between invocations
    /// the process is frozen.
    pub async fn fetch_due_keys(&self) {
        let missing_too = self.issuers.len() <= MAX_ISSUERS_AHEAD_OF_TIME;
        join_all(self.issuers.values().map(|issuer| issuer.keys.fetch_due(missing_too))).await;
    }

    /// The calls over the network that ended since this was asked last.
    #[must_use]
    pub fn take_calls(&self) -> RemoteCalls {
        self.counts.take()
    }

    /// Judges one request. The token goes before the route: without a good token
    /// the answer is about the token, whatever the path.
    ///
    /// # Errors
    /// The first reason for "no".
    pub async fn authorize(
        &self,
        request: &Request<'_>,
        now: UnixSeconds,
        record: &mut DecisionRecord,
    ) -> Result<Permit, Denial> {
        let source = match presented(request, &self.kinds)? {
            Presented::Token { token, beside_certificate } => Source::Token { token, beside_certificate },
            Presented::Other(kind) => Source::Record(self.record_issuer(kind)?),
        };
        let (source, claims) = self.claims(source, request, now, record).await?;
        let claims = Arc::new(claims);
        record.claims = Some(Arc::clone(&claims));
        check_page(request)?;
        let rule = self.rules.route(request);
        // An answer that speaks of other requests too may allow where this one is refused:
        // the token is vouched for before the rule is judged. A simple answer never does.
        // One that depends on the page that made the request speaks of this request alone.
        let may_cover = request.guarded_cookie.is_none();
        let permissions = request
            .resource_characters
            .filter(|_| may_cover)
            .and_then(|_| self.rules.token_permissions(&claims, rule.as_ref().ok()));
        if let Some(unvouched) = permissions {
            let vouched = Self::vouch(source.live(), &claims, now, record).await?;
            record.token_permissions = Some(unvouched.confirm(vouched));
        }
        let rule = rule?;
        record.route = Some(Arc::clone(rule.key()));
        // Policies before live checks: they are close by, or at least cost no quota of the issuer's.
        let ruling = match rule.authorize(claims, now)? {
            Ruling::Granted(ruling) => ruling,
            Ruling::AskPolicies(pending) => {
                let granted = self.grant(&rule, request, pending.claims(), &source, now, record).await?;
                pending.confirm(granted)
            }
        };
        match ruling {
            GrantedRuling::Permit(permit) => {
                if record.token_permissions.is_none() {
                    Self::vouch(source.live(), permit.claims(), now, record).await?;
                }
                Ok(permit)
            }
            GrantedRuling::PermitIfLive(pending) => {
                let (claims, log) = (pending.claims(), &mut record.live_check);
                let live = match &source {
                    Verified::Token { issuer, token } => issuer.live.vouch(token, claims, now, log).await?,
                    Verified::Record(issuer) => issuer.vouch(claims, now, log).await?,
                };
                Ok(pending.confirm(live))
            }
        }
    }

    /// Makes the checks that are asked of every accepted credential.
    async fn vouch(
        live: &LiveCheck,
        claims: &Claims,
        now: UnixSeconds,
        record: &mut DecisionRecord,
    ) -> Result<Vouched, Denial> {
        let vouched = live.vouch_for_accepted(claims, now, &mut record.live_check).await;
        // A connection or a request that is refused says nothing of others.
        record.is_refused_everywhere = vouched.is_err() && !claims.are_sender_bound();
        vouched
    }

    /// Asks the Cedar policies.
    async fn grant(
        &self,
        rule: &MatchedRule<'_>,
        request: &Request<'_>,
        claims: &Claims,
        source: &Verified<'_>,
        now: UnixSeconds,
        record: &mut DecisionRecord,
    ) -> Result<Granted, Denial> {
        // INVARIANT: the configuration refuses rules that ask where there are no policies.
        let no_policies = Denial::Internal("a rule that asks policies where there are none");
        let (Some(permissions), Some(details)) = (&self.permissions, &request.details) else {
            return Err(no_policies);
        };
        let (token, issuer_name) = match source {
            // A tenant's users are nobody in another tenant.
            Verified::Token { issuer, token } if issuer.expectations.tenants.is_none() => {
                (Some(token), &*issuer.name_in_policies)
            }
            Verified::Token { token, .. } => (Some(token), claims.issuer()),
            Verified::Record(_) => (None, claims.issuer()),
        };
        let policy_caller = PolicyCaller { token, claims, issuer_name };
        let mut granted = Err(no_policies);
        for (asked, unless_granted) in rule.policy_questions(request.method) {
            let answer = permissions.ask(&asked, &policy_caller, details, now, &mut record.permissions).await;
            let of_its_rule = |denial| if denial == Denial::Forbidden { unless_granted } else { denial };
            granted = Ok(answer.map_err(of_its_rule)?);
        }
        granted
    }

    /// Whether any rule asks the Cedar policies, which want to know more of a request.
    #[must_use]
    pub fn asks_policies(&self) -> bool {
        self.permissions.is_some() && self.rules.ask_policies()
    }

    /// Whether any rule asks for the address of a request.
    #[must_use]
    pub fn asks_address(&self) -> bool {
        self.rules.ask_address()
    }

    fn record_issuer(&self, kind: CredentialKind) -> Result<&RecordIssuer, Denial> {
        let issuer = self.record_issuers.iter().find(|issuer| issuer.verifier.kind() == kind);
        // INVARIANT: only the kinds of these issuers are looked for.
        issuer.ok_or(Denial::Internal("a credential that no issuer takes"))
    }

    /// The claims of a credential, and who vouches for them.
    async fn claims<'s>(
        &'s self,
        source: Source<'s>,
        request: &Request<'_>,
        now: UnixSeconds,
        record: &mut DecisionRecord,
    ) -> Result<(Verified<'s>, Claims), Denial> {
        match source {
            Source::Token { token, beside_certificate } => {
                let (issuer, claims) = self.token_claims(&token, request, now, record).await?;
                // Two credentials, unless the one is bound to the other.
                if beside_certificate && !claims.are_bound_to_certificate() {
                    return Err(Denial::AmbiguousToken);
                }
                if let Some(proof) = claims.key_proof() {
                    self.used_proofs.take(proof, now)?;
                    if let Some(table) = &issuer.nonces {
                        let (key_id, id) = (proof.thumbprint(&claims), proof.id_text());
                        let nonce = Nonce { issuer: claims.issuer(), key_id, nonce: &id };
                        Box::pin(table.claim(nonce, proof.until(), KeyProof::USED_BEFORE)).await?;
                    }
                }
                Ok((Verified::Token { issuer, token }, claims))
            }
            Source::Record(issuer) => {
                record.kind = Some(issuer.verifier.kind());
                record.issuer = Some(Arc::clone(&issuer.expectations.issuer));
                let claims = Box::pin(issuer.claims(request, now, &mut record.kid)).await;
                record.kid = record.kid.take().as_deref().map(shortened);
                Ok((Verified::Record(issuer), claims?))
            }
        }
    }

    /// The claims of a token, verified by its issuer's key or told by its issuer.
    async fn token_claims(
        &self,
        token: &BearerToken<'_>,
        request: &Request<'_>,
        now: UnixSeconds,
        record: &mut DecisionRecord,
    ) -> Result<(&Issuer, Claims), Denial> {
        let sender = &Sender::of(request, token);
        if let Some(issuer) = self.opaque.as_ref().filter(|_| token.is_opaque()).and_then(|name| self.issuers.get(name))
        {
            record.issuer = Some(Arc::clone(&issuer.expectations.issuer));
            let told = issuer.live.resolve(token, now, &mut record.live_check).await?;
            return Ok((issuer, told.into_claims(&issuer.expectations, now, sender)?));
        }
        let digest = TokenDigest::of(token);
        if let Some(known) = self.verified.find(&digest, now)?
            && let Some((issuer, jwt)) = self.still_verified(known, record).await?
        {
            return Ok((issuer, jwt.into_claims(&issuer.expectations, now, sender)?));
        }
        let jwt = UnverifiedJwt::parse(token)?;
        record.kid = jwt.kid().map(shortened);
        let (issuer, name) = jwt.issuer().and_then(|name| self.issuer(name)).ok_or(Denial::UnknownIssuer)?;
        record.issuer = Some(Arc::clone(&name));
        if !issuer.expectations.algorithms.contains(jwt.algorithm()) {
            return Err(Denial::AlgorithmNotAllowed);
        }
        let key = issuer.keys.key(jwt.kid().ok_or(Denial::UnknownKey)?, jwt.algorithm()).await?;
        let jwt = jwt.verify(&key)?;
        let proof = jwt.proof();
        let claims = jwt.into_claims(&issuer.expectations, now, sender)?;
        let until = claims.expires().plus(issuer.expectations.leeway);
        let known = || KnownToken::new(proof, name, until);
        self.verified.keep(digest, now, known)?;
        Ok((issuer, claims))
    }

    /// The configured issuer that a token claims to be from, and its name: its own, or the tenant's.
    fn issuer(&self, name: &str) -> Option<(&Issuer, Arc<str>)> {
        let with_tenants = self.with_tenants.iter().filter_map(|key| self.issuers.get(key));
        let candidates = self.issuers.get(name).into_iter().chain(with_tenants);
        candidates.into_iter().find_map(|issuer| Some((issuer, issuer.expectations.issuer_named(name)?)))
    }

    /// A known token, if its signature holds by its issuer's key of now.
    async fn still_verified(
        &self,
        known: KnownToken,
        record: &mut DecisionRecord,
    ) -> Result<Option<(&Issuer, VerifiedJwt)>, Denial> {
        let Some((issuer, name)) = self.issuer(known.issuer()) else { return Ok(None) };
        record.kid = known.kid().map(shortened);
        record.issuer = Some(name);
        let key = issuer.keys.key(known.kid().ok_or(Denial::UnknownKey)?, known.algorithm()).await?;
        Ok(known.verified_by(&key).map(|jwt| (issuer, jwt)))
    }
}

/// Where a request's credential belongs.
enum Source<'s> {
    Token { token: BearerToken<'s>, beside_certificate: bool },
    Record(&'s RecordIssuer),
}

/// A verified credential's issuer, and what may be asked of it.
enum Verified<'s> {
    Token { issuer: &'s Issuer, token: BearerToken<'s> },
    Record(&'s RecordIssuer),
}

impl Verified<'_> {
    fn live(&self) -> &LiveCheck {
        match self {
            Verified::Token { issuer, .. } => &issuer.live,
            Verified::Record(issuer) => &issuer.live,
        }
    }
}

/// A `kid` is the sender's text until the signature is verified: the log takes a part.
fn shortened(kid: &str) -> String {
    kid.chars().take(MAX_LOGGED_CHARACTERS).collect()
}

/// Of more issuers, only the keys that a token asked for are fetched.
const MAX_ISSUERS_AHEAD_OF_TIME: usize = 5;

const MAX_LOGGED_CHARACTERS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_kid_the_log_has_128_characters() {
        for (characters, logged) in [(0, 0), (127, 127), (128, 128), (129, 128), (10_000, 128)] {
            assert_eq!(shortened(&"\u{e9}".repeat(characters)), "\u{e9}".repeat(logged));
        }
    }
}
