//! Making, listing, disabling and rotating the API keys that `live::KeyTable` reads.
//!
//! | file | knows |
//! |---|---|
//! | `draft` | what an operator says of a key, and the item that follows from it |
//! | `store` | the table |
//!
//! A key is in no `Debug`, `Display` or error. Of a hash nothing is shown either.

mod draft;
mod store;

pub use draft::{Draft, KEPT_AFTER_THE_END, SignatureKey};
pub use store::{KeyStore, KeyStoreFault, Listed};
