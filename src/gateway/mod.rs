//! API Gateway's JSON, in and out; nothing else in this crate knows it.

mod answer;
mod context;
mod details;
mod event;
mod handler;
mod method_arn;
mod policy;
mod token_sources;
mod trace;

pub use answer::{Answer, AnswerSettings, HttpResponse, MIN_CONTEXT_BYTES, Unauthorized};
pub use context::{ClaimSource, ContextMap, OMITTED_CLAIMS};
pub use event::{EventKind, TokenSource};
pub use handler::{Handler, RawEvent};
pub use method_arn::MethodArn;
pub use token_sources::TokenSources;
