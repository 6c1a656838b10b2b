//! Fine-grained permissions: a request and its claims become a question to Cedar
//! policies, in the entity model of Verified Permissions' own authorizer for API
//! Gateway; pure. The policies are evaluated here, or by the service, which
//! [`policies`](crate::policies) asks.
//!
//! | file | what it holds |
//! |---|---|
//! | `value` | JSON claims as Cedar values |
//! | `question` | who asks to do what, in which context |
//! | `verdict` | what the policies answer; the only place that grants |
//! | `policies` | `*.cedar` files, parsed and validated once |
//! | `evaluator` | a question held against them |
//! | `coherence` | do the policies and the route table know each other? |
//!
//! The last three are part of builds with the feature `cedar` alone.

#[cfg(feature = "cedar")]
mod coherence;
#[cfg(feature = "cedar")]
mod evaluator;
#[cfg(feature = "cedar")]
mod policies;
mod question;
mod value;
mod verdict;

#[cfg(feature = "cedar")]
pub use coherence::Coherence;
#[cfg(feature = "cedar")]
pub use evaluator::{Evaluator, NotAQuestion};
#[cfg(feature = "cedar")]
pub use policies::{Policies, PolicyFault, PolicyFile, SchemaFile};
pub use question::{ContextSettings, NotAsked, Principal, PrincipalKind, Question};
pub use value::{Record, Value};
pub use verdict::{PolicyError, Verdict};
