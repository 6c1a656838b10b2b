//! `dpop` of an `oidc` issuer: whether its tokens must be bound to a key that their sender proves to hold.

use super::csrf;
use super::fields::Item;
use crate::token::DpopSettings;

/// `off`, `required`, or a map: then it is required, with what stands there.
pub(super) fn read(item: &Item<'_>) -> Option<Option<DpopSettings>> {
    if !item.is_map() {
        return match &*item.text()? {
            "off" => Some(None),
            "required" => Some(Some(DpopSettings::default())),
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
    fields.finish();
    required?;
    Some(Some(DpopSettings { origins: origins? }))
}
