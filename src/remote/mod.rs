//! All waiting: what must be asked over the network, with its time-outs, caps and
//! retries. What is not known is no "yes".
//!
//! | file | asks |
//! |---|---|
//! | `jwks_cache`, `jwks_source`, `discovery` | an issuer for its keys |
//! | `live_check` | whether a token still stands, through the others |
//! | `cognito`, `user_info`, `introspection` | the issuer, as it can be asked |
//! | `revocations` | the table of revocations |
//! | `permission_check` | the Cedar policies, here or in a store |
//! | `verified_permissions`, `policy_key` | Amazon Verified Permissions |
//! | `user_pool` | nobody: what follows from a pool's id |
//! | `inquiry`, `desk`, `breaker` | once for many, and not at all for a while where nobody answers; verified tokens and opaque ones apart |
//! | `caller` | nobody: whose request it is |
//! | `https`, `aws_http` | whomever they are told to: the one HTTP client, for itself and for the AWS clients |
//! | `memory` | nobody: what was answered, while it may be used again |
//! | `tally` | nobody: how often the others asked |

mod address;
mod aws;
mod aws_http;
mod breaker;
mod caller;
mod cognito;
mod desk;
mod discovery;
mod doubt;
mod https;
mod inquiry;
mod introspection;
mod jwks_cache;
mod jwks_source;
mod live_check;
mod memory;
mod moment;
mod outage;
mod permission_check;
#[cfg(feature = "cedar")]
mod policy_key;
mod revocations;
mod tally;
mod token_facts;
mod user_info;
mod user_pool;
#[cfg(feature = "cedar")]
mod verified_permissions;

pub use address::{Address, AddressError};
pub use aws_http::http_client;
pub use cognito::{CognitoDirectory, CognitoMethod};
pub use desk::InquirySettings;
pub use discovery::Discovery;
pub use https::{FetchError, HttpsClient};
pub use inquiry::{Inquiry, Method};
pub use introspection::{ClientAuthentication, IntrospectionEndpoint};
pub use jwks_cache::{JwksCache, JwksSettings, WithdrawnKeys};
pub use jwks_source::JwksSource;
pub use live_check::{LiveCheck, LiveLog};
pub use permission_check::{Applicant, Judge, PermissionCheck, PermissionLog};
pub use revocations::{Revocation, RevocationKey, RevocationTable};
pub use tally::{Calls, MAX_TIMED, RemoteCalls};
pub use user_info::UserInfo;
pub use user_pool::UserPool;
#[cfg(feature = "cedar")]
pub use verified_permissions::{PolicyStore, PolicyStoreSettings};
