//! The text of an API key: what it must look like, and whether it is the one of its id.
//!
//! ```text
//! key      = prefix "_" id "_" secret checksum
//! prefix   = a lower-case letter, then 1 to 15 lower-case letters or digits   ; `cak` unless the operator says otherwise
//! id       = 16 letters or digits                                             ; no secret: it is logged
//! secret   = 32 letters or digits                                             ; 190 random bits
//! checksum = 6 letters or digits                                              ; of all that goes before, from its SHA-256
//! ```
//!
//! The checksum is no secret: anybody can compute it. It refuses typing errors, and what is no key at all, before anything
//! is looked up, and lets a scanner tell a key from a text that looks like one:
//! `\bcak_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}\b`.
//!
//! Of a key only the SHA-256 of its whole text is kept. With 190 random bits in it nobody can guess the text from the hash,
//! so that a slow hash would add nothing.

use crate::denial::Denial;
use crate::token::{RecordFacts, VerifiedRecord};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};
use std::fmt;

/// A text that has the form of a key, checksum included. Its `Debug` shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKey<'a> {
    text: &'a str,
    id: &'a str,
}

impl<'a> ApiKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// [`Denial::InvalidKey`].
    pub fn parse(text: &'a str) -> Result<Self, Denial> {
        let (id, before_checksum, checksum) = parts(text).ok_or(Denial::InvalidKey("not in the form of a key"))?;
        if checksum.as_bytes() != checksum_of(before_checksum) {
            return Err(Denial::InvalidKey("the checksum is wrong"));
        }
        Ok(Self { text, id })
    }

    /// Whether a text looks like a key, be its checksum right or not.
    #[must_use]
    pub fn has_form(text: &str) -> bool {
        parts(text).is_some()
    }

    /// What names it in the table and in the log.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The SHA-256 of its whole text.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // SHA-256 has 32 bytes; any other length would panic, and a panic is a denial.
        bytes.copy_from_slice(digest(&SHA256, self.text.as_bytes()).as_ref());
        bytes
    }

    /// Whether this is the key of which that hash is kept. Takes as long for every wrong key.
    ///
    /// # Errors
    /// [`Denial::InvalidKey`].
    pub fn verify(
        &self,
        sha256: &[u8; 32],
        facts: RecordFacts,
        claims: Map<String, Value>,
    ) -> Result<VerifiedRecord, Denial> {
        let is_equal = verify_slices_are_equal(&self.sha256(), sha256);
        is_equal.map_err(|_| Denial::InvalidKey("not the key of that id"))?;
        Ok(VerifiedRecord::of_api_key(facts, claims))
    }
}

impl fmt::Debug for ApiKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

/// A key that was made just now, for whoever prints it once. Its `Debug` shows nothing of it.
pub struct NewApiKey(String);

impl NewApiKey {
    /// Makes a key of random bytes; `None` where the prefix is not one. `fill` fills a slice with random bytes.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn make<E>(prefix: &str, mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Option<Self>, E> {
        if !is_prefix(prefix) {
            return Ok(None);
        }
        let mut text = format!("{prefix}_");
        for (length, end) in [(ID_CHARACTERS, "_"), (SECRET_CHARACTERS, "")] {
            let whole = text.len() + length;
            while text.len() < whole {
                let mut byte = [0];
                fill(&mut byte)?;
                // 248 is four times 62: other bytes would make the first letters more likely.
                let [byte] = byte;
                let letter = ALPHABET.get(usize::from(byte % 62)).filter(|_| byte < 248);
                text.extend(letter.map(|letter| char::from(*letter)));
            }
            text.push_str(end);
        }
        text.extend(checksum_of(&text).map(char::from));
        Ok(Some(Self(text)))
    }

    /// The key, as it is sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The key, read.
    ///
    /// # Errors
    /// None that a key that was made could have.
    pub fn parsed(&self) -> Result<ApiKey<'_>, Denial> {
        ApiKey::parse(&self.0)
    }
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewApiKey(redacted)")
    }
}

/// The id, all that goes before the checksum, and the checksum, of a text that looks like a key.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let (prefix, rest) = text.split_once('_')?;
    let (id, last) = rest.split_once('_')?;
    let (before_checksum, checksum) = text.split_at_checked(text.len().checked_sub(CHECKSUM_CHARACTERS)?)?;
    let has_form = is_prefix(prefix)
        && id.len() == ID_CHARACTERS
        && last.len() == SECRET_CHARACTERS + CHECKSUM_CHARACTERS
        && [id, last].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    has_form.then_some((id, before_checksum, checksum))
}

fn is_prefix(text: &str) -> bool {
    let is_other = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=MAX_PREFIX_BYTES).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(is_other)
}

/// Six letters or digits of the hash of a text.
fn checksum_of(text: &str) -> [u8; CHECKSUM_CHARACTERS] {
    let hash = digest(&SHA256, text.as_bytes());
    let first = hash.as_ref().first_chunk::<8>().copied().unwrap_or_default();
    let mut rest = u64::from_be_bytes(first);
    [(); CHECKSUM_CHARACTERS].map(|()| {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        rest /= 62;
        ALPHABET.get(digit).copied().unwrap_or_default()
    })
}

/// What a key begins with, unless the operator says otherwise.
pub const DEFAULT_PREFIX: &str = "cak";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const MAX_PREFIX_BYTES: usize = 16;

const ID_CHARACTERS: usize = 16;

/// 62 to the 32nd is 2 to the 190th.
const SECRET_CHARACTERS: usize = 32;

const CHECKSUM_CHARACTERS: usize = 6;

const MAX_BYTES: usize = MAX_PREFIX_BYTES + 1 + ID_CHARACTERS + 1 + SECRET_CHARACTERS + CHECKSUM_CHARACTERS;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// A key of these "random" bytes, over and over.
    fn made(prefix: &str, bytes: &[u8]) -> Option<String> {
        let mut bytes = bytes.iter().copied().cycle();
        let fill = |slice: &mut [u8]| {
            slice.fill_with(|| bytes.next().unwrap());
            Ok::<_, Infallible>(())
        };
        NewApiKey::make(prefix, fill).unwrap().map(|key| key.0)
    }

    const KEY: &str = "cak_0123456789ABCDEF_GHIJKLMNOPQRSTUVWXYZabcdefghijklesA8sU";

    #[test]
    fn a_key_is_prefix_id_secret_and_checksum() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(made(DEFAULT_PREFIX, &bytes).as_deref(), Some(KEY));
        let key = ApiKey::parse(KEY).unwrap();
        assert_eq!((key.id(), key.sha256().as_slice()), ("0123456789ABCDEF", digest(&SHA256, KEY.as_bytes()).as_ref()));
    }

    #[test]
    fn what_has_another_form_is_refused() {
        let id = "0123456789ABCDEF";
        let last = "0".repeat(38);
        for text in [
            "",
            "_",
            "__",
            "cak",
            "cak__",
            &format!("{id}_{last}"),
            &format!("_{id}_{last}"),
            &format!("c_{id}_{last}"),
            &format!("CAK_{id}_{last}"),
            &format!("1ak_{id}_{last}"),
            &format!("c-k_{id}_{last}"),
            &format!("{}_{id}_{last}", "c".repeat(17)),
            &format!("cak_{id}0_{last}"),
            &format!("cak_{}_{last}", &id[1..]),
            &format!("cak_{id}_{last}0"),
            &format!("cak_{id}_{}", &last[1..]),
            &format!("cak_{id}_{last}_"),
            &format!("cak_{id}_{}_", &last[1..]),
            &format!("cak_{id}_{}é", &last[2..]),
            &format!("cak_{id}_{}.", &last[1..]),
            &format!(" cak_{id}_{last}"),
            &format!("cak_{id}_{last} "),
            &"é".repeat(40),
            &"_".repeat(100_000),
        ] {
            assert!(!ApiKey::has_form(text), "{text}");
            assert_eq!(ApiKey::parse(text), Err(Denial::InvalidKey("not in the form of a key")), "{text}");
        }
        let wrong = format!("cak_{id}_{last}");
        assert!(ApiKey::has_form(&wrong));
        assert_eq!(ApiKey::parse(&wrong), Err(Denial::InvalidKey("the checksum is wrong")));
    }

    #[test]
    fn a_prefix_is_2_to_16_lower_case_letters_and_digits() {
        for (prefix, ok) in [
            ("cak", true),
            ("a1", true),
            (&*"a".repeat(16), true),
            (&*"a".repeat(17), false),
            ("a", false),
            ("", false),
            ("1a", false),
            ("aB", false),
            ("a_b", false),
        ] {
            let key = made(prefix, &[7]);
            assert_eq!(key.is_some(), ok, "{prefix}");
            assert!(key.is_none_or(|key| ApiKey::parse(&key).is_ok() && key.len() <= MAX_BYTES));
        }
    }

    #[test]
    fn bytes_that_would_favour_some_letters_are_not_used() {
        assert_eq!(made("cak", &[248, 255, 0, 61, 62, 247]).unwrap().get(..20), Some("cak_0z0z0z0z0z0z0z0z"));
    }

    #[test]
    fn only_the_key_of_the_hash_is_verified() {
        let key = ApiKey::parse(KEY).unwrap();
        let facts = || RecordFacts { id: key.id().to_owned(), issued_at: None, expires: None };
        assert!(key.verify(&key.sha256(), facts(), Map::new()).is_ok());
        let mut other = key.sha256();
        for byte in 0..32 {
            other[byte] ^= 1;
            let refused = key.verify(&other, facts(), Map::new()).map(drop);
            assert_eq!(refused, Err(Denial::InvalidKey("not the key of that id")));
            other[byte] ^= 1;
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        let key = NewApiKey(KEY.to_owned());
        assert_eq!(format!("{key:?} {:?}", key.parsed().unwrap()), "NewApiKey(redacted) ApiKey(redacted)");
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_and_with_another_character_is_not(
            prefix in "[a-z][a-z0-9]{1,15}",
            random in prop::collection::vec(0..248_u8, 48),
            place in any::<prop::sample::Index>(),
            other in any::<char>(),
        ) {
            let key = made(&prefix, &random).unwrap();
            prop_assert!(ApiKey::parse(&key).is_ok());
            let place = place.index(key.len());
            let changed: String =
                key.chars().enumerate().map(|(at, letter)| if at == place { other } else { letter }).collect();
            prop_assert!(changed == key || ApiKey::parse(&changed).is_err());
            // Typing errors: a letter too few, and two that changed places.
            let mut letters: Vec<char> = key.chars().collect();
            letters.remove(place);
            prop_assert!(ApiKey::parse(&letters.iter().collect::<String>()).is_err());
            let mut letters: Vec<char> = key.chars().collect();
            letters.swap(place, place.saturating_sub(1));
            let swapped: String = letters.into_iter().collect();
            prop_assert!(swapped == key || ApiKey::parse(&swapped).is_err());
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,100}") {
            prop_assert_eq!(ApiKey::parse(&text).is_ok(), false);
        }
    }
}
