//! Cognito's trigger before token generation: claims and scopes that `enricher.yaml` asks for are added to the tokens of a sign-in.
//!
//! | file | knows |
//! |---|---|
//! | `sign_in` | what an event says of the sign-in, whatever its version |
//! | `changes` | what the configuration adds to the tokens of this sign-in |
//! | `item` | an item of DynamoDB as JSON |
//! | `answer` | the changes as Cognito reads them |
//! | `lookup` | one consistent read, with its deadline |
//! | `enricher` | the order of the steps, and the log |
//!
//! All but the last two are pure. No attribute, no metadata, no claim's value and no user's name is in the log or in an error.

mod answer;
mod changes;
mod enricher;
mod item;
mod lookup;
mod refusal;
mod sign_in;

pub use enricher::Enricher;
pub use refusal::Refusal;
