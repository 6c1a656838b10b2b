//! `Signature-Input` and `Signature` (RFC 9421 4) become labelled signatures.
//!
//! Stricter than RFC 9421 where it leaves room: a label, component or parameter that occurs twice is refused, so is a
//! parameter that it does not register, and a label that is in one of the fields alone.

use super::component::Component;
use super::dictionary::{self, Bare, Content, Item, Member};
use sfv::{KeyRef, RefBareItem, StringRef};
use std::fmt::Write;

/// One signature, as the two fields have it.
#[derive(Debug)]
pub(super) struct Labelled {
    pub(super) components: Vec<Component>,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    pub(super) key_id: String,
    pub(super) algorithm: Option<String>,
    pub(super) nonce: Option<String>,
    /// The value of `@signature-params`: the member, strictly serialised (RFC 9421 2.3).
    pub(super) parameters: String,
    pub(super) signature: Vec<u8>,
}

/// Reads both fields. There is at least one signature.
///
/// # Errors
/// What is wrong, in fixed words.
pub(super) fn parse(input: &str, signature: &str) -> Result<Vec<Labelled>, &'static str> {
    if input.len() > MAX_FIELD_BYTES || signature.len() > MAX_FIELD_BYTES {
        return Err("`Signature-Input` or `Signature` is too long");
    }
    let inputs = dictionary::parse(input).ok_or("`Signature-Input` is not a dictionary")?;
    let mut signatures = dictionary::parse(signature).ok_or("`Signature` is not a dictionary")?;
    if inputs.is_empty() {
        return Err("`Signature-Input` is empty");
    }
    if inputs.len() > MAX_SIGNATURES || signatures.len() != inputs.len() {
        return Err("`Signature-Input` and `Signature` do not have the same labels, or too many");
    }
    let mut labelled = Vec::new();
    for member in inputs {
        // Each label is taken out once, so that neither field can have one twice.
        let position = signatures.iter().position(|signature| signature.key == member.key);
        let position = position.ok_or("`Signature-Input` and `Signature` do not have the same labels")?;
        labelled.push(read(member, signatures.swap_remove(position))?);
    }
    Ok(labelled)
}

fn read(input: Member<'_>, signature: Member<'_>) -> Result<Labelled, &'static str> {
    let Content::List(items) = input.content else { return Err("a member of `Signature-Input` is not an inner list") };
    let (Content::Item(Bare::Bytes(signature)), []) = (signature.content, signature.parameters.as_slice()) else {
        return Err("a member of `Signature` is not a byte sequence");
    };
    if items.len() > MAX_COMPONENTS {
        return Err("too many covered components");
    }
    let mut components: Vec<Component> = Vec::new();
    for item in items {
        let component = component(item)?;
        if components.contains(&component) {
            return Err("a component is covered twice");
        }
        components.push(component);
    }
    let mut parameters = Parameters::default();
    let mut serialised = serialised(&components);
    for (key, value) in input.parameters {
        serialise_parameter(&mut serialised, key, &value)?;
        parameters.take(key, value)?;
    }
    let Parameters { created, expires, key_id, algorithm, nonce, .. } = parameters;
    Ok(Labelled {
        components,
        created: created.ok_or("`created` is missing")?,
        expires,
        key_id: key_id.ok_or("`keyid` is missing")?,
        algorithm,
        nonce,
        parameters: serialised,
        signature,
    })
}

fn component(item: Item<'_>) -> Result<Component, &'static str> {
    let Bare::Text(name) = item.bare else { return Err("a covered component is not a string") };
    match (name.as_str(), item.parameters.as_slice()) {
        ("@query-param", [("name", Bare::Text(name))]) => Component::query_param(name),
        (name, []) => Component::parse(name),
        (_, _) => Err("a component with a parameter that is not taken"),
    }
}

/// The parameters that RFC 9421 2.3 registers.
#[derive(Default)]
struct Parameters {
    created: Option<i64>,
    expires: Option<i64>,
    key_id: Option<String>,
    algorithm: Option<String>,
    nonce: Option<String>,
    tag: Option<String>,
}

impl Parameters {
    fn take(&mut self, key: &str, value: Bare) -> Result<(), &'static str> {
        let (number, text) = match value {
            Bare::Integer(number) => (Some(number), None),
            Bare::Text(text) => (None, Some(text)),
            Bare::Bytes(_) | Bare::Other => (None, None),
        };
        let earlier = match key {
            "created" if number.is_some() => std::mem::replace(&mut self.created, number).is_some(),
            "expires" if number.is_some() => std::mem::replace(&mut self.expires, number).is_some(),
            "keyid" if text.is_some() => std::mem::replace(&mut self.key_id, text).is_some(),
            "alg" if text.is_some() => std::mem::replace(&mut self.algorithm, text).is_some(),
            "nonce" if text.is_some() => std::mem::replace(&mut self.nonce, text).is_some(),
            "tag" if text.is_some() => std::mem::replace(&mut self.tag, text).is_some(),
            "created" | "expires" | "keyid" | "alg" | "nonce" | "tag" => return Err("a parameter of another type"),
            _ => return Err("a parameter that is not known"),
        };
        if earlier { Err("a parameter occurs twice") } else { Ok(()) }
    }
}

fn serialised(components: &[Component]) -> String {
    let mut text = String::from("(");
    for (index, component) in components.iter().enumerate() {
        // Writing into a text does not fail.
        let _ = write!(text, "{}{component}", if index == 0 { "" } else { " " });
    }
    text.push(')');
    text
}

fn serialise_parameter(text: &mut String, key: &str, value: &Bare) -> Result<(), &'static str> {
    const IMPOSSIBLE: &str = "a parameter that cannot be written";
    let value = match value {
        Bare::Integer(number) => RefBareItem::Integer(sfv::Integer::try_from(*number).map_err(|_| IMPOSSIBLE)?),
        Bare::Text(text) => RefBareItem::String(StringRef::from_str(text).map_err(|_| IMPOSSIBLE)?),
        Bare::Bytes(_) | Bare::Other => return Err("a parameter of another type"),
    };
    text.push(';');
    text.push_str(KeyRef::from_str(key).map_err(|_| IMPOSSIBLE)?.as_str());
    text.push('=');
    // It writes into `text`, which it returns.
    let _ = sfv::ItemSerializer::with_buffer(text).bare_item(value).finish();
    Ok(())
}

/// API Gateway takes 10,240 bytes of headers in all.
const MAX_FIELD_BYTES: usize = 8192;

const MAX_SIGNATURES: usize = 4;

const MAX_COMPONENTS: usize = 32;
