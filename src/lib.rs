//! A Lambda authorizer for API Gateway.
//!
//! API Gateway asks "may this request pass?"; this crate answers. Data flows one
//! way: an event becomes a [`request`], the request's token becomes claims
//! ([`token`]), the claims are held against the route table ([`access`]), and the
//! ruling becomes an IAM policy or a simple response ([`gateway`]).
//!
//! | module | knows | never does |
//! |---|---|---|
//! | [`request`], [`denial`] | what the core is told of the world; every reason for "no" | I/O |
//! | [`time`] | the clock, and the calendar of RFC 3339 | decide |
//! | [`token`] | RFC 7515/7517/7519: text becomes verified claims | I/O, clock, environment |
//! | [`access`] | routes, requirements, permits | I/O, clock, environment |
//! | [`permissions`] | Cedar: questions to policies, and their answers | I/O, clock, environment |
//! | [`http`] | one HTTP client, for itself and for the AWS clients | decide what an answer means |
//! | [`keys`] | each issuer's keys: when to fetch them, how long to use them | take a key from a token |
//! | [`live`] | issuers and the table of revocations, asked about a token | take silence for a "yes" |
//! | [`credentials`] | API keys, certificates, signed requests: what they stand for | I/O, clock, environment |
//! | [`issuers`] | who verifies those | decide what a rule means |
//! | [`substitute`] | what answers in their place, on a desk | reach the function |
//! | [`policies`] | Cedar policies, asked here or in Verified Permissions | decide what a rule means |
//! | [`authorizer`] | the order of the steps | know API Gateway |
//! | [`metrics`] | CloudWatch's embedded metric format | know tokens, routes, requests |
//! | [`gateway`] | API Gateway's JSON, in and out | decide |
//! | [`secrets`] | Secrets Manager, while the function starts | log a secret |
//! | [`config`] | `authorizer.yaml` | start with a doubt |
//! | [`logging`] | JSON lines on stdout | show a token or a secret |

pub mod request;

mod lock;

mod printable;

mod bounded_store;

pub mod denial;

pub mod token;

pub mod access;

pub mod permissions;

mod age_clock;

pub mod time;

pub mod http;

pub mod keys;

pub mod substitute;

pub mod live;

pub mod credentials;

pub mod issuers;

pub mod policies;

pub mod authorizer;

pub mod metrics;

pub mod gateway;

pub mod secrets;

pub mod config;

mod json_lines;

pub mod logging;
