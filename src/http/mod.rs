//! HTTP requests: the one client with its limits, and what all AWS clients share.
//!
//! Goes in: an address and a deadline. Comes out: an answer within the limits, or why there is none.
//! Never follows a redirect, and never decides what an answer means for a token.
//!
//! | file | what it does |
//! |---|---|
//! | `address` | accepts `https://`, and `http://` to this machine only |
//! | `https` | makes one request: size cap, deadline, bundled root certificates |
//! | `aws` | makes AWS clients; sorts their errors |
//! | `aws_http` | sends the requests of AWS clients through the same stack |
//! | `outage` | why a call brought nothing to go by |
//! | `call_counts` | counts calls, for the metrics |

mod address;
pub(crate) mod aws;
mod aws_http;
mod call_counts;
mod https;
mod outage;

pub use address::{Address, AddressError};
pub use aws::{CallLimits, load as load_aws_config};
pub use aws_http::http_client;
pub(crate) use call_counts::{CallCounts, CallEnd};
pub use call_counts::{Calls, MAX_TIMED, RemoteCalls, RemoteCounts};
pub(crate) use https::{Exchange, Reply};
pub use https::{FetchError, HttpsClient};
pub(crate) use outage::{Kind, Outage};
