//! The route table: which rule serves a request, and whether its claims satisfy
//! it; pure. Only this layer mints a [`Permit`], and only from [`Claims`](crate::token::Claims).

mod cache_key;
mod contenders;
mod coverage;
#[cfg(test)]
mod examples;
mod forged_request;
mod observer;
mod path;
mod permit;
mod policy_question;
mod requirement;
mod route;
mod rules;
mod source_ip;

pub use cache_key::CacheKey;
pub use contenders::{Contender, LostBy};
pub use coverage::{Covering, Inexpressible, OverAllow, Served, TokenPermissions, TwoReadings, UnvouchedPermissions};
pub use forged_request::check_page;
pub use observer::{Facts, Observer, Part, Role};
pub use path::SafePath;
pub use permit::{Granted, GrantedRuling, Live, PendingPermit, Permit, Ruling, UngrantedPermit, Vouched};
pub use policy_question::{CedarAction, CedarRule, PolicyQuestion};
pub use requirement::{Check, ClaimValue, Requirement};
pub use route::{LetterCase, Method, Parameter, RouteKey, RouteKeyError};
pub use rules::{DuplicateRoute, MatchedRule, Rule, Rules};
pub use source_ip::{IpBlock, IpBlockError};
