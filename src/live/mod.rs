//! Live checks: whether a token is still good, as its issuer and the table of revocations say now.
//!
//! Goes in: a token. Comes out: the proof that it was checked, or a denial. What an opaque token says comes from here, too.
//! Never takes a time-out, an odd answer or silence for a "yes".
//!
//! | file | what it does |
//! |---|---|
//! | `live_check` | makes all configured checks of one token |
//! | `issuer_check` | asks one issuer, by one of the next three |
//! | `cognito`, `user_info`, `introspection` | Cognito's API, OpenID Connect's UserInfo, RFC 7662 |
//! | `token_facts`, `check_error` | what these are asked about; what they return in place of "yes" |
//! | `revocations` | reads the table of revocations |
//! | `key_table` | reads the table of keys: API keys, and those of signed requests |
//! | `key_id`, `key_record` | a key's id; what its item says |
//! | `nonces` | takes the nonces of signed requests and proofs, each once |
//! | `cached_check` | asks once for many requests, within a deadline |
//! | `breaker` | makes no calls for a while where calls were lost |
//! | `caller` | whose calls they are |
//! | `memory` | keeps answers while they may be used again |
//! | `used_proofs` | which proofs of possession this process has seen |
//! | `user_pool` | what follows from a user pool's id |

mod breaker;
mod cached_check;
mod caller;
mod check_error;
mod cognito;
mod introspection;
mod issuer_check;
mod key_id;
mod key_record;
mod key_table;
mod live_check;
mod memory;
mod nonces;
mod revocations;
mod token_facts;
mod used_proofs;
mod user_info;
mod user_pool;

#[cfg(feature = "cedar")]
pub(crate) use breaker::Breaker;
pub use cached_check::CheckSettings;
#[cfg(feature = "cedar")]
pub(crate) use caller::Caller;
pub use cognito::{CognitoDirectory, CognitoMethod};
pub use introspection::{ClientAuthentication, IntrospectionEndpoint};
pub use issuer_check::{IssuerCheck, Method};
pub use key_id::KeyId;
pub use key_record::{KeyMaterial, KeyRecord, RESERVED as RESERVED_CLAIMS, UnreadableKey};
pub use key_table::{KeyLookup, KeyTable};
pub use live_check::{LiveCheck, LiveLog};
#[cfg(feature = "cedar")]
pub(crate) use memory::{Digest, Lasts, Memory};
pub use nonces::{Nonce, NonceTable};
pub use revocations::{Revocation, RevocationKey, RevocationTable};
pub use used_proofs::UsedProofs;
pub use user_info::UserInfo;
pub use user_pool::UserPool;
