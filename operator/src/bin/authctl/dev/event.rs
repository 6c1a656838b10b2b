//! A sample of an event (`events/`) with a real token in the place of its word: `${READER}` is a token of the persona
//! `reader`, `${READER_SUB}` its `sub`.

use super::keys::Keys;
use super::project::Project;
use super::tokens::token;
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

/// The event; all its tokens are `persona`'s where one is given.
///
/// # Errors
/// A word that stands for no persona.
pub(crate) fn filled(sample: &str, persona: Option<&str>, project: &Project, keys: &Keys) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), sample);
    // One value for each word: two different tokens in one request are refused.
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let mut tokens = 0_usize;
    while let Some((before, (word, after))) =
        rest.split_once("${").and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        filled.push_str(before);
        rest = after;
        tokens += usize::from(!word.ends_with(SUBJECT));
        let value = match values.entry(word) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(value_of(word, persona, project, keys)?),
        };
        filled.push_str(value);
    }
    filled.push_str(rest);
    match persona {
        Some(_) if tokens == 0 => {
            Err("the event has no place for a token: write `${READER}`, or any such word, there".to_owned())
        }
        _ => Ok(filled),
    }
}

/// What stands in the place of a word, as a part of a JSON text.
fn value_of(word: &str, persona: Option<&str>, project: &Project, keys: &Keys) -> Result<String, String> {
    let named = |word: &str| project.persona(&word.to_ascii_lowercase());
    let value = match (word.strip_suffix(SUBJECT), persona) {
        (Some(owner), _) => {
            let claims = project.claims(named(owner)?)?;
            let subject = claims.get("sub").and_then(serde_json::Value::as_str);
            subject.ok_or_else(|| format!("`{}` has no `sub`", printable(owner)))?.to_owned()
        }
        (None, Some(persona)) => token(project.persona(persona)?, LIFE, project, keys)?,
        (None, None) => token(named(word)?, LIFE, project, keys)?,
    };
    let quoted = serde_json::Value::from(value).to_string();
    Ok(quoted.trim_matches('"').to_owned())
}

const SUBJECT: &str = "_SUB";

/// Of a token in an event.
const LIFE: Duration = Duration::from_secs(60 * 60);
