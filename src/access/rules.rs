//! The route table: finds the rule of a request and holds the claims against it.

use super::path::SafePath;
use super::permit::{PendingPermit, Permit, Ruling};
use super::requirement::{Facts, Requirement};
use super::route::{Method, RouteIndex, RouteKey};
use crate::denial::Denial;
use crate::request::{MAX_RESOURCE_CHARACTERS, Request, UnixSeconds};
use crate::token::Claims;
use std::sync::Arc;

/// A route and what it asks of a token.
#[derive(Debug)]
pub struct Rule {
    /// The key as the configuration has it.
    pub key: Arc<str>,
    /// What must hold.
    pub requirement: Requirement,
    /// Whether a live check must also vouch for the token, asked when all else holds.
    pub introspect: bool,
}

/// The whole table; a request that no rule serves is denied.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    index: RouteIndex,
}

/// Two keys mean the same route.
#[derive(Debug)]
pub struct DuplicateRoute {
    /// The key that came first.
    pub earlier: Arc<str>,
}

impl Rules {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`DuplicateRoute`] where a rule for the same route is there already.
    pub fn insert(&mut self, key: &RouteKey, rule: Rule) -> Result<(), DuplicateRoute> {
        match self.index.insert(key, self.rules.len()) {
            Ok(()) => {
                self.rules.push(rule);
                Ok(())
            }
            Err(earlier) => {
                let earlier =
                    self.rules.get(earlier).map_or_else(|| Arc::clone(&rule.key), |rule| Arc::clone(&rule.key));
                Err(DuplicateRoute { earlier })
            }
        }
    }

    /// Finds the rule that serves a request.
    ///
    /// # Errors
    /// [`Denial::UnsafePath`] for a path, method or ARN that could be read in
    /// two ways, [`Denial::NoRoute`].
    pub fn route<'a>(&'a self, request: &'a Request<'_>) -> Result<MatchedRule<'a>, Denial> {
        if request.resource_characters.is_some_and(|characters| characters > MAX_RESOURCE_CHARACTERS) {
            return Err(Denial::UnsafePath("an ARN too long for a policy"));
        }
        let (path, position) = if request.method == "$connect" {
            (SafePath::parse("/")?, self.index.connect())
        } else {
            // API Gateway lets unusual methods through; they stand in the ARN.
            if !request.method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(Denial::UnsafePath("a method with other than letters"));
            }
            let path = SafePath::parse(request.path)?;
            let position = self.index.find(Method::parse(request.method), &path);
            (path, position)
        };
        let rule = position.and_then(|position| self.rules.get(position)).ok_or(Denial::NoRoute)?;
        Ok(MatchedRule { rule, path })
    }
}

/// The rule that serves a request, not yet held against anybody's claims.
#[derive(Debug)]
pub struct MatchedRule<'a> {
    rule: &'a Rule,
    path: SafePath<'a>,
}

impl MatchedRule<'_> {
    /// The rule's key.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.rule.key
    }

    /// Holds the claims against the rule.
    ///
    /// # Errors
    /// The denial of the first check that does not hold.
    pub fn authorize(&self, claims: Claims, now: UnixSeconds) -> Result<Ruling, Denial> {
        self.rule.requirement.hold(&Facts { claims: &claims, path: &self.path, now })?;
        let permit = Permit::new(claims);
        Ok(match self.rule.introspect {
            true => Ruling::PermitIfLive(PendingPermit::new(permit)),
            false => Ruling::Permit(permit),
        })
    }
}
