//! What the policies answer, and the only place where an answer grants.

use crate::access::Granted;
use crate::denial::Denial;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether a policy permits and none forbids.
    pub allowed: bool,
    /// The policies that decided, for the log.
    pub determining: Vec<String>,
    /// The policies that could not be evaluated.
    pub errors: Vec<PolicyError>,
}

/// A policy that could not be evaluated, and so was left out of account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The policy's name, or what is known of it.
    pub policy: String,
    /// Whether it may be one that forbids.
    pub may_forbid: bool,
}

impl Verdict {
    /// The proof that the request is granted.
    ///
    /// # Errors
    /// [`Denial::Forbidden`] where no policy permits or one forbids, and where one
    /// that may forbid erred: Cedar leaves it out of account, which must not admit.
    pub fn grant(&self) -> Result<Granted, Denial> {
        if self.allowed && !self.errors.iter().any(|error| error.may_forbid) {
            Ok(Granted::assertion())
        } else {
            Err(Denial::Forbidden)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_allow_that_left_out_no_forbid_grants() {
        let error = |may_forbid| PolicyError { policy: "p".into(), may_forbid };
        for (allowed, errors, granted) in [
            (true, vec![], true),
            (true, vec![error(false)], true),
            (true, vec![error(false), error(true)], false),
            (false, vec![], false),
            (false, vec![error(false)], false),
            (false, vec![error(true)], false),
        ] {
            let verdict = Verdict { allowed, determining: vec!["p".into()], errors };
            assert_eq!(verdict.grant().is_ok(), granted, "{verdict:?}");
        }
    }
}
