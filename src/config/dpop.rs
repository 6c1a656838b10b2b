//! `dpop` of an `oidc` issuer: whether its tokens must be bound to a key that their sender proves to hold.

use super::csrf;
use super::fields::Item;
use crate::live::NonceTable;
use crate::token::DpopSettings;
use std::sync::Arc;

/// What an issuer asks of proofs, and where each is taken once by all processes of the function.
#[derive(Default)]
pub(super) struct Dpop {
    pub(super) settings: Option<DpopSettings>,
    pub(super) nonces: Option<Arc<NonceTable>>,
}

/// `off`, `required`, or a map: then it is required, with what stands there.
pub(super) fn read(item: &Item<'_>) -> Option<Dpop> {
    if !item.is_map() {
        return match &*item.text()? {
            "off" => Some(Dpop::default()),
            "required" => Some(Dpop { settings: Some(DpopSettings::default()), nonces: None }),
            _ => {
                item.fault("must be `off`, `required` or a map with `required: true`");
                None
            }
        };
    }
    let mut fields = item.fields()?;
    let required = fields.require("required").and_then(|item| {
        let required = item.boolean()?;
        if !required {
            item.fault("must be `true`: else write `dpop: off`");
        }
        Some(required)
    });
    let origins = fields.take("origins").map_or(Some(Vec::new()), |item| csrf::origins(&item));
    let nonces = fields.take("nonce_table").map(|item| item.string().map(NonceTable::new).map(Arc::new));
    fields.finish();
    required?;
    let nonces = match nonces {
        Some(table) => Some(table?),
        None => None,
    };
    Some(Dpop { settings: Some(DpopSettings { origins: origins? }), nonces })
}
