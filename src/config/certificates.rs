//! The `certificates` kind of `issuers`: client certificates.

use super::fields::Item;
use super::issuers::{Shared, is_plain_name, issuer_name};
use crate::credentials::certificate::{Authorities, DistinguishedName, Identities, Identity, Name, UriPattern};
use crate::issuers::{ClientCertificates, RecordIssuer};
use crate::token::FACTS_OF_A_CREDENTIAL;
use serde_json::{Map, Value};

/// Reads one.
pub(super) fn read(item: &Item<'_>, shared: &Shared) -> Option<RecordIssuer> {
    let mut fields = item.fields()?;
    let authorities = fields.require("authorities").and_then(|item| authorities(&item));
    let identities = fields.require("identities").and_then(|item| identities(&item));
    let issuer = match fields.take("issuer") {
        Some(item) => issuer_name(&item, true).filter(|name| is_plain_name(&item, name)),
        None => Some(DEFAULT_ISSUER.to_owned()),
    };
    fields.finish();
    let verifier = Box::new(ClientCertificates::new(authorities?, identities?));
    shared.record_issuer(issuer?.into(), verifier)
}

/// Where no `issuer` is configured.
const DEFAULT_ISSUER: &str = "urn:client-certificates";

fn authorities(item: &Item<'_>) -> Option<Authorities> {
    let mut fields = item.fields()?;
    let file = fields.require("file");
    fields.finish();
    let file = file?;
    match Authorities::parse(&file.file()?) {
        Ok(authorities) => Some(authorities),
        Err(faults) => {
            faults.into_iter().for_each(|fault| file.fault(fault));
            None
        }
    }
}

fn identities(item: &Item<'_>) -> Option<Identities> {
    let items = item.items()?;
    let read: Vec<_> = items.iter().map(identity).collect();
    match Identities::new(read.into_iter().collect::<Option<_>>()?) {
        Ok(identities) => Some(identities),
        Err(hidden) => {
            for (position, before) in hidden {
                if let Some(item) = items.get(position) {
                    item.fault(format!(
                        "is never picked: identities[{before}] comes first and matches all that it does"
                    ));
                }
            }
            None
        }
    }
}

fn identity(item: &Item<'_>) -> Option<Identity> {
    let mut fields = item.fields()?;
    let (subject, uri) = (fields.take("subject"), fields.take("san_uri"));
    let claims = fields.take("claims").map_or(Some(Map::new()), |item| claims(&item));
    fields.finish();
    let name = match (subject, uri) {
        (Some(subject), None) => subject_name(&subject),
        (None, Some(uri)) => match UriPattern::parse(&uri.text()?) {
            Ok(pattern) => Some(Name::Uri(pattern)),
            Err(why) => {
                uri.fault(why);
                None
            }
        },
        (Some(_), Some(_)) | (None, None) => {
            item.fault("must have either `subject` or `san_uri`");
            None
        }
    };
    Some(Identity { name: name?, claims: claims? })
}

fn subject_name(item: &Item<'_>) -> Option<Name> {
    let text = item.string()?;
    match DistinguishedName::parse(&text) {
        Ok(name) => Some(Name::Subject { text, name }),
        Err(why) => {
            item.fault(format!("must be a distinguished name such as `CN=partner-a,O=Example` (RFC 4514): {why}"));
            None
        }
    }
}

fn claims(item: &Item<'_>) -> Option<Map<String, Value>> {
    let read = item.fields()?.rest().into_iter().map(|(name, item)| Some((name.to_owned(), claim(name, &item)?)));
    // All faults at once.
    read.collect::<Vec<_>>().into_iter().collect()
}

/// A claim's value: of the normalised claims what they are made of, of all others any value.
fn claim(name: &str, item: &Item<'_>) -> Option<Value> {
    match name {
        "sub" | "client_id" | "username" => item.string().map(Value::String),
        "groups" => Some(item.groups()?.into()),
        "scope" => Some(item.strings()?.join(" ").into()),
        _ if FACTS_OF_A_CREDENTIAL.contains(&name) => {
            item.fault("is a fact of the certificate or the issuer, and cannot be set");
            None
        }
        // Read, or shown to Cedar policies, in the place of another.
        "scp" | "azp" | "cognito:groups" | "jti" => {
            item.fault("is a name of tokens alone: write `scope`, `client_id` or `groups`");
            None
        }
        _ => item.json(),
    }
}
