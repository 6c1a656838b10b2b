//! Questions to Cedar policies: those of the zip, or those of a store in Amazon Verified Permissions.
//!
//! Goes in: a question that the rules left open. Comes out: the proof that the policies grant it, or a denial.
//! Never builds a question from anything but accepted claims, and never takes an outage for an answer.
//!
//! | file | what it does |
//! |---|---|
//! | `permission_check` | asks whichever of the two is configured |
//! | `verified_permissions` | asks Amazon Verified Permissions |
//! | `policy_key` | the key by which its answers are kept |

mod permission_check;
#[cfg(feature = "cedar")]
mod policy_key;
#[cfg(feature = "cedar")]
mod verified_permissions;

pub use permission_check::{PermissionCheck, PermissionLog, PolicyCaller, PolicyEngine};
#[cfg(feature = "cedar")]
pub use verified_permissions::{PolicyStore, PolicyStoreSettings};
