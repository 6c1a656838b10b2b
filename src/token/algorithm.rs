//! The signature algorithms of RFC 7518 3.1 and RFC 8037 3.1 that a token may be
//! signed with. There is no `none` and no HMAC here, so neither can be configured
//! nor accepted.

use std::fmt;

/// An asymmetric JWS algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is named as in its RFC")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::EdDsa,
    ];

    /// The algorithm of that name, letter for letter.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Its name in the `alg` header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    fn bit(self) -> u16 {
        match self {
            Algorithm::Rs256 => 1,
            Algorithm::Rs384 => 1 << 1,
            Algorithm::Rs512 => 1 << 2,
            Algorithm::Ps256 => 1 << 3,
            Algorithm::Ps384 => 1 << 4,
            Algorithm::Ps512 => 1 << 5,
            Algorithm::Es256 => 1 << 6,
            Algorithm::Es384 => 1 << 7,
            Algorithm::Es512 => 1 << 8,
            Algorithm::EdDsa => 1 << 9,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some algorithms; the empty set accepts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The set of these.
    #[must_use]
    pub fn of(algorithms: &[Algorithm]) -> Self {
        Self(algorithms.iter().fold(0, |bits, algorithm| bits | algorithm.bit()))
    }

    /// Whether `algorithm` is one of them.
    #[must_use]
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// The algorithms in it.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_letter_for_letter() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
        let names = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
        assert_eq!(Algorithm::ALL.map(Algorithm::name), names);
        assert_eq!(Algorithm::ALL.map(|algorithm| algorithm.to_string()), names);
        for name in ["", "none", "None", "NONE", "HS256", "HS512", "rs256", "RS256 ", "ES256K", "eddsa", "Ed25519"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_it_was_made_of_and_nothing_else() {
        for one in Algorithm::ALL {
            let set = AlgorithmSet::of(&[one]);
            for other in Algorithm::ALL {
                assert_eq!(set.contains(other), one == other);
            }
        }
        assert_eq!(AlgorithmSet::of(&[]).iter().count(), 0);
        assert!(AlgorithmSet::of(&Algorithm::ALL).iter().eq(Algorithm::ALL));
        assert_eq!(AlgorithmSet::of(&[Algorithm::Es256; 2]), AlgorithmSet::of(&[Algorithm::Es256]));
    }
}
