//! The `cedar` section: where the policies are, and what their context holds.

use super::fields::{Fields, Item};
use super::issuers::Issuers;
use crate::policies::PermissionCheck;

/// What became of the section.
pub(super) enum Cedar {
    /// There is none.
    Absent,
    /// It has faults, which are told.
    Faulty,
    /// It is whole.
    Whole(Box<PermissionCheck>),
}

impl Cedar {
    /// Why no rule can ask policies; nothing is said of what leans on a faulty section.
    pub(super) fn why_none(&self) -> Option<&'static str> {
        match self {
            Cedar::Absent if cfg!(feature = "cedar") => Some("no policies could be asked: there is no section `cedar`"),
            Cedar::Absent | Cedar::Faulty if !cfg!(feature = "cedar") => Some(NOT_IN_THIS_BUILD),
            Cedar::Absent | Cedar::Faulty | Cedar::Whole(_) => None,
        }
    }

    /// `None` where the section is faulty, `Some(None)` where there is none.
    pub(super) fn into_check(self) -> Option<Option<PermissionCheck>> {
        match self {
            Cedar::Absent => Some(None),
            Cedar::Faulty => None,
            Cedar::Whole(check) => Some(Some(*check)),
        }
    }
}

pub(super) fn read(file: &mut Fields<'_>, issuers: Option<&Issuers>) -> Cedar {
    let Some(item) = file.take("cedar") else { return Cedar::Absent };
    section(&item, issuers).map_or(Cedar::Faulty, |check| Cedar::Whole(Box::new(check)))
}

/// A build that leaves the policies out would admit what they forbid.
#[cfg(not(feature = "cedar"))]
fn section(item: &Item<'_>, _: Option<&Issuers>) -> Option<PermissionCheck> {
    item.fault(NOT_IN_THIS_BUILD);
    None
}

#[cfg(feature = "cedar")]
use with_policies::section;

const NOT_IN_THIS_BUILD: &str = "this build has no Cedar: build it with `--features cedar`";

#[cfg(feature = "cedar")]
mod with_policies {
    use super::{Fields, Issuers, Item, PermissionCheck};
    use crate::permissions::{ContextSettings, Evaluator, Policies, PolicyFile, SchemaFile};
    use crate::policies::{PolicyEngine, PolicyStore, PolicyStoreSettings};
    use std::time::Duration;

    pub(super) fn section(item: &Item<'_>, issuers: Option<&Issuers>) -> Option<PermissionCheck> {
        let mut fields = item.fields()?;
        let namespace = fields.require("namespace").and_then(|item| namespace(&item));
        let (policies, store) = (fields.take("policies"), fields.take("policy_store_id"));
        let schema = fields.take("schema");
        let context = match fields.take("context") {
            Some(item) => context(&item),
            None => Some(ContextSettings::default()),
        };
        let waiting = waiting(&mut fields, store.is_some(), context);
        fields.finish();
        if let Some(item) = schema.as_ref().filter(|_| store.is_some()) {
            item.fault("is for `policies` alone: the store has a schema of its own");
        }
        let issuers_have_names = issuers.is_none_or(|issuers| {
            // `<issuer>|<sub>` must tell where the one ends and the other begins.
            let with_bar: Vec<_> = issuers.names_in_policies().filter(|name| name.contains('|')).collect();
            for name in &with_bar {
                item.fault(format!("the issuer `{name}` has a `|` in it, which ids of users cannot have"));
            }
            with_bar.is_empty()
        });
        let engine = match (policies, store) {
            (Some(policies), None) => local(&policies, schema.as_ref(), namespace.as_deref()),
            (None, Some(store)) => {
                let id = store_id(&store);
                let (timeout, cache) = waiting?;
                let settings = PolicyStoreSettings { id: id?, namespace: namespace.clone()?, timeout, cache };
                Some(PolicyEngine::Store(Box::new(PolicyStore::new(settings))))
            }
            (Some(_), Some(_)) | (None, None) => {
                item.fault("must have either `policies` or `policy_store_id`");
                None
            }
        };
        let check = PermissionCheck { namespace: namespace?, context: context?, engine: engine? };
        (issuers_have_names && waiting.is_some()).then_some(check)
    }

    fn namespace(item: &Item<'_>) -> Option<String> {
        let namespace = item.string()?;
        if Evaluator::is_namespace(&namespace) {
            return Some(namespace);
        }
        item.fault("is not a namespace of Cedar, such as `Orders` or `Shop::Orders`");
        None
    }

    fn context(item: &Item<'_>) -> Option<ContextSettings> {
        let mut settings = ContextSettings::default();
        for name in item.strings()? {
            match name.as_str() {
                "source_ip" => settings.source_ip = true,
                "time" => settings.time = true,
                _ => {
                    item.fault("must be `source_ip` or `time`");
                    return None;
                }
            }
        }
        Some(settings)
    }

    /// How long a store may take, and how long its answer is used.
    fn waiting(
        fields: &mut Fields<'_>,
        is_store: bool,
        context: Option<ContextSettings>,
    ) -> Option<(Duration, Duration)> {
        let (timeout, cache) = (fields.take("timeout"), fields.take("cache"));
        if !is_store {
            let mut given = [timeout, cache].into_iter().flatten().peekable();
            let none = given.peek().is_none();
            given.for_each(|item| item.fault("is for `policy_store_id` alone: policies in the zip wait for nothing"));
            return none.then_some((Duration::ZERO, Duration::ZERO));
        }
        let cached = match &cache {
            Some(item) => item.duration_or_zero(),
            None => Some(Duration::ZERO),
        };
        let is_used_again = cached.is_some_and(|cached| !cached.is_zero());
        if let Some(item) = cache.as_ref().filter(|_| is_used_again && context.is_some_and(|context| context.time)) {
            item.fault("an answer that depends on the time cannot be used again: take `time` out of `context`");
            return None;
        }
        let timeout = match timeout {
            Some(item) => item.duration(),
            None => Some(Duration::from_secs(2)),
        };
        Some((timeout?, cached?))
    }

    fn store_id(item: &Item<'_>) -> Option<String> {
        let id = item.string()?;
        if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte)) {
            return Some(id);
        }
        item.fault("is not a policy store's id");
        None
    }

    fn local(item: &Item<'_>, schema: Option<&Item<'_>>, namespace: Option<&str>) -> Option<PolicyEngine> {
        let files = item.files("cedar");
        let schema = schema.map(|item| (item.text(), utf8(item)));
        let files = files?;
        let files: Vec<_> = files.iter().map(|(name, text)| PolicyFile { name, text }).collect();
        let schema_file = match &schema {
            Some((Some(name), Some(text))) => Some(SchemaFile { name, text }),
            Some(_) => return None,
            None => None,
        };
        let policies = match Policies::parse(&files, schema_file) {
            Ok(policies) => policies,
            Err(faults) => {
                faults.iter().for_each(|fault| item.fault(fault.to_string()));
                return None;
            }
        };
        match Evaluator::new(namespace?, policies) {
            Ok(evaluator) => Some(PolicyEngine::Local(Box::new(evaluator))),
            Err(error) => {
                item.fault(error.0);
                None
            }
        }
    }

    fn utf8(item: &Item<'_>) -> Option<String> {
        let text = String::from_utf8(item.file()?).ok();
        if text.is_none() {
            item.fault("is not UTF-8");
        }
        text
    }
}
