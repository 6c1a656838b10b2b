//! What differs outside of the routes: issuers and what they accept, and the other sections.

use super::judge::{Verdict, Witness};
use super::report::{Difference, Direction, Proof};
use super::routes::{Pair, kinds};
use super::terms::{facts, terms};
use super::tokens::{Built, Mentioned, build, clients};
use crate::template::Node;
use cognito_authorizer::access::Rule;
use cognito_authorizer::config::Config;
use cognito_authorizer::token::{Audience, Expectations, IssuerKind, TokenUse};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

/// What has become of the issuers.
pub(super) fn issuers(pair: Pair<'_>, [old_root, new_root]: [&Node; 2]) -> Vec<Difference> {
    let mut found = Vec::new();
    let named =
        |config: &'_ Config, name: &str| config.shared_expectations().find(|one| *one.issuer == *name).map(Arc::clone);
    for (direction, lenient, strict) in
        [(Direction::Widened, pair.new, pair.old), (Direction::Narrowed, pair.old, pair.new)]
    {
        for own in lenient.shared_expectations() {
            let place = format!("issuers: {}", own.issuer);
            let other = named(strict, &own.issuer);
            let more = match &other {
                None => {
                    vec![format!("this issuer is {}", if direction == Direction::Widened { "new" } else { "gone" })]
                }
                Some(other) => accepts_beside(own, other),
            };
            if more.is_empty() {
                continue;
            }
            let text = match (direction == Direction::Widened, &other) {
                (true, _) | (false, None) => more.join("; "),
                (false, Some(_)) => format!("no more: {}", more.join("; ")),
            };
            let proof = accepted_by_one(pair, own, lenient, strict);
            found.push(Difference { direction, name: place, text, proof });
        }
    }
    for new in pair.new.shared_expectations() {
        let Some(old) = named(pair.old, &new.issuer) else { continue };
        let place = format!("issuers: {}", new.issuer);
        found.extend(unaccounted(&old, new).into_iter().map(|what| Difference::undecided(&place, what)));
    }
    let nodes = |config: &Config, root: &Node| {
        let names: Vec<String> = config.shared_expectations().map(|one| one.issuer.to_string()).collect();
        let mut names = names.into_iter();
        let entries = root.get("issuers").map_or(&[][..], Node::items).iter().flat_map(|item| item.entries());
        let named = entries.map(|(kind, node)| match kind.as_str() {
            "cognito" | "oidc" => (names.next().unwrap_or_default(), true, node.clone()),
            kind => (
                node.get("issuer")
                    .and_then(Node::text)
                    .map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")),
                false,
                node.clone(),
            ),
        });
        named.collect::<Vec<_>>()
    };
    let (old, new) = (nodes(pair.old, old_root), nodes(pair.new, new_root));
    for (name, is_of_tokens, node) in &new {
        let place = format!("issuers: {name}");
        match old.iter().find(|(known, ..)| known == name) {
            Some((_, _, before)) if *is_of_tokens => found.extend(beside_expectations(&place, before, node)),
            Some((_, _, before)) if !same(before, node) => {
                found.push(Difference::undecided(&place, "its settings differ"))
            }
            None if !is_of_tokens => {
                found.push(Difference::setting(Direction::Widened, &place, "credentials of this kind are accepted"))
            }
            Some(_) | None => {}
        }
    }
    for (name, ..) in
        old.iter().filter(|(name, is_of_tokens, _)| !is_of_tokens && !new.iter().any(|(known, ..)| known == name))
    {
        let place = format!("issuers: {name}");
        found.push(Difference::setting(Direction::Narrowed, &place, "credentials of this kind are accepted no more"));
    }
    found
}

/// What tokens `own` accepts and `other` does not.
fn accepts_beside(own: &Expectations, other: &Expectations) -> Vec<String> {
    let mut more = Vec::new();
    let mut add = |what: &str, own: BTreeSet<String>, other: BTreeSet<String>| {
        let new: Vec<String> = own.difference(&other).map(|one| format!("`{one}`")).collect();
        if !new.is_empty() {
            more.push(format!("{what} {}", new.join(", ")));
        }
    };
    let of_clients = |one: &Expectations| -> BTreeSet<String> {
        clients(one).into_iter().map(|client| client.unwrap_or_else(|| "(not looked at)".to_owned())).collect()
    };
    add("tokens of the client", of_clients(own), of_clients(other));
    let audiences = |one: &Expectations| -> BTreeSet<String> {
        match &one.audience {
            Audience::OneOf(all) => all.iter().cloned().collect(),
            Audience::Absent => BTreeSet::from(["none".to_owned()]),
            Audience::Unchecked => BTreeSet::from(["(not looked at)".to_owned()]),
        }
    };
    add("tokens for the audience", audiences(own), audiences(other));
    let uses = |one: &Expectations| -> BTreeSet<String> {
        match &one.kind {
            IssuerKind::Cognito { token_uses } => {
                token_uses.iter().map(|one| if *one == TokenUse::Id { "id" } else { "access" }.to_owned()).collect()
            }
            IssuerKind::Oidc => BTreeSet::from(["of any kind".to_owned()]),
        }
    };
    add("tokens whose use is", uses(own), uses(other));
    let algorithms = |one: &Expectations| one.algorithms.iter().map(|one| one.name().to_owned()).collect();
    add("signatures by", algorithms(own), algorithms(other));
    if own.typ != other.typ && own.typ.is_none() {
        more.push("tokens with any `typ`".to_owned());
    }
    if own.leeway > other.leeway {
        more.push(format!("tokens that ended {:?} ago", own.leeway));
    }
    more
}

/// Differences of what an issuer accepts of which the direction is not known.
fn unaccounted(old: &Expectations, new: &Expectations) -> Vec<&'static str> {
    let differ = |one: &dyn Debug, other: &dyn Debug| format!("{one:?}") != format!("{other:?}");
    let mut found = Vec::new();
    if old.claim_names != new.claim_names {
        found.push("it keeps scopes, groups or names in other claims");
    }
    if differ(&old.tenants, &new.tenants) {
        found.push("its tenants differ");
    }
    if old.typ != new.typ && old.typ.is_some() && new.typ.is_some() {
        found.push("it asks for another `typ`");
    }
    found
}

/// Keys of an issuer that say nothing of what a token must look like.
fn beside_expectations(place: &str, old: &Node, new: &Node) -> Vec<Difference> {
    const SEEN: [&str; 10] = [
        "user_pool_id",
        "issuer",
        "client_ids",
        "token_use",
        "audience",
        "algorithms",
        "typ",
        "claims",
        "tenants",
        "opaque_tokens",
    ];
    let mut found = Vec::new();
    let is_true = |node: &Node| node.get("opaque_tokens").and_then(Node::text) == Some("true");
    match (is_true(old), is_true(new)) {
        (false, true) => {
            found.push(Difference::setting(Direction::Widened, place, "tokens that are no JWT are accepted, too"))
        }
        (true, false) => {
            found.push(Difference::setting(Direction::Narrowed, place, "tokens that are no JWT are accepted no more"))
        }
        (true, true) | (false, false) => {}
    }
    for key in keys(old, new).into_iter().filter(|key| !SEEN.contains(&key.as_str())) {
        let (before, now) = (old.get(&key), new.get(&key));
        let is_same = before.zip(now).is_some_and(|(before, now)| same(before, now));
        let difference = match (key.as_str(), before, now) {
            _ if is_same => continue,
            ("introspection", Some(_), None) => {
                Difference::setting(Direction::Widened, place, "it is not asked whether a token is still good any more")
            }
            ("introspection", None, Some(_)) => {
                Difference::setting(Direction::Narrowed, place, "it is asked whether a token is still good")
            }
            ("introspection", Some(before), Some(now)) if only_timeouts_differ(before, now) => {
                Difference::setting(Direction::Changed, place, "introspection.timeout")
            }
            _ => Difference::undecided(place, &format!("`{key}` differs")),
        };
        found.push(difference);
    }
    found
}

fn only_timeouts_differ(old: &Node, new: &Node) -> bool {
    keys(old, new)
        .iter()
        .filter(|key| *key != "timeout")
        .all(|key| old.get(key).zip(new.get(key)).is_some_and(|(old, new)| same(old, new)))
}

/// A token of this issuer that one configuration lets in somewhere, and the other accepts nowhere.
fn accepted_by_one(pair: Pair<'_>, issuer: &Expectations, lenient: &Config, strict: &Config) -> Option<Proof> {
    let of_lenient = std::ptr::eq(lenient, pair.new);
    let kinds = kinds(pair).ok()?;
    for ((old, new), requests) in &kinds {
        let Some(key) = (if of_lenient { new } else { old }) else { continue };
        let rule = lenient.rules().iter().map(|(_, rule)| rule).find(|rule: &&Rule| *rule.key == **key)?;
        let mut mentioned = Mentioned::default();
        mentioned.add(&facts(&rule.requirement));
        mentioned.add_issuer(issuer);
        let Some(request) = requests.first() else { continue };
        for term in terms(&rule.requirement).unwrap_or_default() {
            let parameter = |name: &str| {
                let place = super::paths::place(&rule.key, name)?;
                let segments = Witness::segments(request, &|_| None);
                let is_greedy = rule.key.contains(&format!("{{{name}+}}"));
                if is_greedy { Some(segments.get(place..)?.join("/")) } else { segments.get(place).cloned() }
            };
            let Built::Tokens(tokens) = build(&term, issuer, &mentioned, &parameter, pair.now.as_f64()) else {
                continue;
            };
            for (claims, address) in tokens {
                let mut witness = Witness::of(request, &|_| None);
                witness.claims = claims;
                witness.address = address;
                let [own, other] = [lenient, strict].map(|config| witness.judged_by(config, pair.now));
                if own.is_allowed() && matches!(other, Verdict::NotAccepted(_)) {
                    let verdicts = if of_lenient { [other, own] } else { [own, other] };
                    return Some(Proof { witness, verdicts });
                }
            }
        }
    }
    None
}

/// What has become of the sections beside issuers and routes.
pub(super) fn sections(old: &Node, new: &Node, are_same_policies: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    for key in keys(old, new).into_iter().filter(|key| !matches!(key.as_str(), "issuers" | "routes" | "leeway")) {
        let (before, now) = (old.get(&key), new.get(&key));
        if before.zip(now).is_some_and(|(before, now)| same(before, now)) {
            continue;
        }
        match key.as_str() {
            "revocations" => found.extend(revocations(before, now)),
            "withdrawn_keys" => {
                found.extend(list(
                    before,
                    now,
                    "withdrawn_keys",
                    [Direction::Narrowed, Direction::Widened],
                    "signatures by the key",
                ));
            }
            "token" => found.extend(list(
                before,
                now,
                "token",
                [Direction::Widened, Direction::Narrowed],
                "tokens at the place",
            )),
            "http_api" | "rest_api" | "context" | "metrics" | "jwks" | "policy" => {
                let text = "what is answered, kept or counted; not who is let in";
                found.push(Difference::setting(Direction::Changed, &key, text));
            }
            _ => found.push(Difference::undecided(&key, "this section differs")),
        }
    }
    if !are_same_policies {
        found.push(Difference::undecided("cedar", "the policies themselves are not compared"));
    }
    found
}

fn revocations(old: Option<&Node>, new: Option<&Node>) -> Vec<Difference> {
    let setting = |direction, text: &str| vec![Difference::setting(direction, "revocations", text)];
    let is_of_all = |node: &Node| node.get("check").and_then(Node::text) == Some("all");
    let table = |node: &Node| node.get("table").and_then(Node::text).map(str::to_owned);
    match (old, new) {
        (Some(_), None) => setting(Direction::Widened, "no token is looked up in the table any more"),
        (None, Some(_)) => setting(Direction::Narrowed, "tokens are looked up in the table"),
        (Some(old), Some(new)) if table(old) != table(new) => {
            vec![Difference::undecided("revocations", "another table is asked")]
        }
        (Some(old), Some(new)) => match (is_of_all(old), is_of_all(new)) {
            (true, false) => setting(Direction::Widened, "tokens are looked up on routes with `introspect` alone"),
            (false, true) => setting(Direction::Narrowed, "tokens are looked up on every route"),
            _ => vec![Difference::undecided("revocations", "this section differs")],
        },
        (None, None) => Vec::new(),
    }
}

/// Members that a list has got and lost.
fn list(
    old: Option<&Node>,
    new: Option<&Node>,
    key: &str,
    [added, removed]: [Direction; 2],
    what: &str,
) -> Vec<Difference> {
    let members = |node: Option<&Node>| -> BTreeSet<String> {
        let of_text = node.and_then(Node::text).into_iter().flat_map(|text| text.split([',', ' '])).map(str::to_owned);
        let items = node.map_or(&[][..], Node::items).iter().map(shown);
        of_text.chain(items).filter(|member| !member.is_empty()).collect()
    };
    let (before, now) = (members(old), members(new));
    let has_none = |node: Option<&Node>| node.is_none();
    if key == "token" && (has_none(old) || has_none(new)) {
        return vec![Difference::undecided("token", "one of the two has the places that nothing names")];
    }
    let told = |direction, members: Vec<&String>, verb: &str| {
        let members: Vec<String> = members.into_iter().map(|member| format!("`{member}`")).collect();
        (!members.is_empty())
            .then(|| Difference::setting(direction, key, format!("{what} {} {verb}", members.join(", "))))
    };
    let (yes, no) = if added == Direction::Widened {
        ("are taken", "are taken no more")
    } else {
        ("are taken no more", "are taken again")
    };
    let more = told(added, now.difference(&before).collect(), yes);
    let less = told(removed, before.difference(&now).collect(), no);
    let found: Vec<Difference> = more.into_iter().chain(less).collect();
    if found.is_empty() { vec![Difference::setting(Direction::Changed, key, "in another order")] } else { found }
}

fn keys(old: &Node, new: &Node) -> BTreeSet<String> {
    old.entries().iter().chain(new.entries()).map(|(key, _)| key.clone()).collect()
}

/// Whether both say the same, wherever it stands.
fn same(one: &Node, other: &Node) -> bool {
    shown(one) == shown(other)
}

/// Its content in one line, with the keys of maps in order.
fn shown(node: &Node) -> String {
    if let Some(text) = node.text() {
        return format!("{text:?}").trim_matches('"').to_owned();
    }
    if !node.items().is_empty() {
        return format!("[{}]", node.items().iter().map(shown).collect::<Vec<_>>().join(", "));
    }
    let mut entries: Vec<String> = node.entries().iter().map(|(key, node)| format!("{key}: {}", shown(node))).collect();
    entries.sort();
    format!("{{{}}}", entries.join(", "))
}
