//! API Gateway's JSON, in and out; nothing else in this crate knows it.

mod answer;
mod context;
mod details;
mod event;
mod event_kind;
mod handler;
mod method_arn;
mod policy;
mod raw_json;
mod token_sources;
mod trace;

pub use answer::{Answer, AnswerSettings, HttpResponse, MIN_CONTEXT_BYTES, Unauthorized};
pub use context::{ClaimSource, ContextMap, OMITTED_CLAIMS};
pub use event_kind::EventKind;
pub use handler::{Handler, RawEvent, Rehearsal, RehearsedRequest};
pub use method_arn::MethodArn;
pub use token_sources::{Csrf, TokenSource, TokenSources};
