//! The function's own core on a desk: what a configuration answers to whom, without network and credentials.
//!
//! Goes in: `authorizer.yaml`, personas, a request or an event, a time. Comes out: what API Gateway would get, the decision,
//! and what was found on the way. Tokens are really signed and verified; only the keys are local ones, and live checks, the
//! table of revocations and a policy store answer as the persona says.
//!
//! | file | what it does |
//! |---|---|
//! | `engine` | judges one question |
//! | `explain`, `steps`, `tree`, `opposite`, `caching` | what happened to one request, and why |
//! | `run`, `coverage` | a suite's cases, asked and compared; which branches of which rules they reach |
//! | `matrix`, `matrix_text`, `matrix_html` | who may do what |
//! | `schema`, `schema_types` | JSON Schemas of both files, made out of the documents |
//! | `real_token` | an event's own token, decoded: who sent it |
//! | `persona`, `suite` | `authorizer.test.yaml` |
//! | `request_line` | `GET /users/{reader}?a=1` |
//! | `token` | a persona's token: the claims that its provider would write, signed |
//! | `keys`, `local_issuers` | local key pairs; what answers in the place of the network |
//! | `event` | events as API Gateway sends them |
//! | `reasons` | the reason codes, with what docs/reasons.md says of them |
//! | `nearest` | what a misspelt name was meant to be |

mod caching;
mod coverage;
mod engine;
mod event;
mod explain;
mod keys;
mod local_issuers;
mod matrix;
mod matrix_html;
mod matrix_text;
mod nearest;
mod opposite;
mod persona;
mod real_token;
mod reasons;
mod request_line;
mod run;
mod schema;
mod schema_types;
mod steps;
mod suite;
mod token;
mod tree;

pub use caching::{beside_token_and_path, kept_by};
pub use coverage::{Coverage, Gap, Side};
pub use engine::{Engine, Judgement, Question, Subject};
pub use event::{EventError, KINDS, kind_named};
pub use explain::{Explanation, answer};
pub use local_issuers::LocalIssuers;
pub use matrix::{Cell, Matrix, Row, asks};
pub use nearest::nearest;
pub use persona::{Live, Persona, Personas, PolicyReply, Signature};
pub use reasons::{Reason, is_reason, reason, reasons};
pub use request_line::{RequestLine, RequestLineError};
pub use run::CaseResult;
pub use schema::{config_schema, tests_schema};
pub use steps::{State, Step};
pub use suite::{Case, Expected, Needs, Suite, SuiteError, Test};
pub use token::Minted;
pub use tree::{Tree, TreeNode, check_text};
