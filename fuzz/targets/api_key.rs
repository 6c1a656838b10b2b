//! The text of an API key, against a naive reader. The first byte says whether the text is taken as it is or gets the
//! checksum that belongs to it.

use aws_lc_rs::digest::{SHA256, digest};
use cognito_authorizer::credentials::ApiKey;

pub fn run(data: &[u8]) {
    let Some((how, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let made_right = match text.char_indices().rev().nth(5) {
        Some((start, _)) if how % 2 == 1 => format!("{}{}", &text[..start], checksum(&text[..start])),
        _ => text.to_owned(),
    };
    let text = made_right.as_str();
    let expected = id(text);
    assert_eq!(ApiKey::parse(text).ok().map(|key| key.id()), expected, "{text}");
    assert!(expected.is_none() || ApiKey::has_form(text), "{text}");
    if let Ok(key) = ApiKey::parse(text) {
        assert_eq!(key.sha256(), digest(&SHA256, text.as_bytes()).as_ref(), "{text}");
        assert!(!format!("{key:?}").contains(key.id()), "{text}");
    }
}

/// The id of a text that is a key.
fn id(text: &str) -> Option<&str> {
    let [prefix, id, last] = text.split('_').collect::<Vec<_>>().try_into().ok()?;
    let lower = |c: char| c.is_ascii_lowercase();
    let alphanumeric = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
    let has_prefix = (2..=16).contains(&prefix.chars().count())
        && prefix.chars().next().is_some_and(lower)
        && prefix.chars().all(|c| lower(c) || c.is_ascii_digit());
    let has_form = has_prefix && id.len() == 16 && last.len() == 38 && alphanumeric(id) && alphanumeric(last);
    let start = has_form.then(|| text.len() - 6)?;
    (text[start..] == checksum(&text[..start])).then_some(id)
}

/// The number in the first eight bytes of the hash, its last six digits to the base 62, the last one first.
fn checksum(text: &str) -> String {
    let mut number = digest(&SHA256, text.as_bytes()).as_ref()[..8]
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut digits = String::new();
    for _ in 0..6 {
        let digit = u8::try_from(number % 62).unwrap();
        number /= 62;
        digits.push(char::from(match digit {
            0..10 => b'0' + digit,
            10..36 => b'A' + digit - 10,
            _ => b'a' + digit - 36,
        }));
    }
    digits
}
