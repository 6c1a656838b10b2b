//! A plan as text: the Resources of its statements, but for what is before the method
//! in an ARN and for the values of the token's claims.

use super::Covering;
use super::partition::{CONNECT, Glob, Partition};
use super::pattern::{Pattern, Step, Symbol};
use super::plan::{Flaw, Overlap, Plan};
use super::symbols::Meaning;
use super::unsafe_paths::{
    ANY_ESCAPE, ESCAPES_OF_OTHER_FORMS, LEADING_BLANK, OTHER_FORMS, UNSAFE, UNSAFE_BEYOND_COLONS, UNSAFE_ESCAPES,
    UNSAFE_WITHIN_WILDCARDS,
};

/// The Resources of both statements; it depends on the table and on what is held,
/// not on whose token it is.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) allow: Vec<Resource>,
    pub(super) deny: Vec<Resource>,
    /// What is allowed, and denied again for want of room.
    pub(super) in_the_way: Option<Flaw>,
}

/// One Resource, from the method on.
pub(super) type Resource = Vec<Part>;

/// A piece of a Resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// A value of the token's claims, by position.
    Value(usize),
}

impl Resources {
    pub(super) fn new(partition: &Partition, plan: &Plan<'_>) -> Self {
        if plan.allowed.is_empty() {
            return Self::denying_everything();
        }
        let allow = texts(partition, &plan.allow());
        let overlapped = plan.overlapped();
        let (of_routes, of_nothing): (Vec<_>, Vec<_>) = plan.deny.iter().partition(|glob| plan.denies_a_route(glob));
        let mut deny = texts(partition, &of_routes);
        if overlapped.is_some() {
            deny = deny.iter().flat_map(across_colons).collect();
        }
        deny.extend(texts(partition, &of_nothing));
        let mut resources = Self { allow, deny, in_the_way: None };
        resources.deny_all(&UNSAFE);
        if plan.allows_by_wildcard() {
            resources.deny_all(&UNSAFE_WITHIN_WILDCARDS);
            resources.deny_all(&UNSAFE_BEYOND_COLONS);
            let escapes_are_listed = match overlapped {
                Some(overlap) => {
                    resources.deny_all(&[ANY_ESCAPE, LEADING_BLANK]);
                    if !resources.deny_other_readings(partition, &overlap) {
                        resources.in_the_way = plan.denied_by_the_broadest();
                    }
                    false
                }
                None => {
                    resources.deny_if_it_fits(&UNSAFE_ESCAPES, VALUE_CHARACTERS, MAX_POLICY_BYTES) || {
                        // Where there is no room for each escape of what is unsafe, all escapes are denied.
                        resources.deny_all(&[ANY_ESCAPE]);
                        false
                    }
                }
            };
            let is_usual = |resources: &mut Self, texts: &[&str]| {
                resources.deny_if_it_fits(texts, LONG_VALUE_CHARACTERS, USUAL_POLICY_BYTES)
            };
            if is_usual(&mut resources, &OTHER_FORMS) && escapes_are_listed {
                is_usual(&mut resources, &ESCAPES_OF_OTHER_FORMS);
            }
        }
        resources
    }

    pub(super) fn denying_everything() -> Self {
        Self { allow: Vec::new(), deny: vec![vec![Part::Text(EVERYTHING.to_owned())]], in_the_way: None }
    }

    fn deny_all<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.deny.extend(texts.iter().map(|text| vec![Part::Text(text.as_ref().to_owned())]));
    }

    /// Denies these texts where there is room for them beside values of so many characters.
    fn deny_if_it_fits(&mut self, texts: &[&str], value: usize, most: usize) -> bool {
        let others = self.deny.len();
        self.deny_all(texts);
        let fits = self.bytes(PREFIX_CHARACTERS, value) <= most;
        if !fits {
            self.deny.truncate(others);
        }
        fits
    }

    /// Denies what some backends take for a route that is denied, and an allowed wildcard
    /// matches: `/admin;x`, `/admin ` and `/admin.` are `/admin` to some, and so is
    /// `/admin.json`. Where there is no room for each route's, those of every route. Whether
    /// there is.
    fn deny_other_readings(&mut self, partition: &Partition, overlap: &Overlap) -> bool {
        let others = self.deny.len();
        let names = |symbols: &[Symbol]| -> Vec<&str> {
            symbols.iter().filter_map(|symbol| partition.symbols.literal(*symbol)).collect()
        };
        for name in names(&overlap.literals) {
            self.deny_all(&[format!("*/{name};*"), format!("*/{name} *"), format!("*:*/{name} *")]);
        }
        for name in names(&overlap.within) {
            self.deny_all(&[format!("*/{name}.*/*"), format!("*:*/{name}.*/*")]);
        }
        for glob in &overlap.ends {
            let group = glob.group.and_then(|group| partition.groups.get(group));
            let methods = group.map_or(&[][..], |group| &group.methods);
            let formats = methods.iter().map(|method| with(path(partition, glob, method), ".*"));
            self.deny.extend(formats.flat_map(|resource| across_colons(&resource)));
        }
        let fits = self.planned_bytes() <= MAX_POLICY_BYTES;
        if !fits {
            self.deny.truncate(others);
            self.deny_all(&["*;*", "* *", "*:* *", "*./*", "*:*./*"]);
            for name in names(&overlap.last) {
                self.deny_all(&[format!("*/{name}.*"), format!("*:*/{name}.*")]);
            }
        }
        fits
    }

    /// How many bytes they take, as far as can be known before an API and a token are.
    pub(super) fn planned_bytes(&self) -> usize {
        self.bytes(PREFIX_CHARACTERS, VALUE_CHARACTERS)
    }

    /// How many bytes they take in a policy, with so many characters for the ARN before
    /// the method and for each value.
    fn bytes(&self, before_method: usize, value: usize) -> usize {
        bytes(self.allow.iter().chain(&self.deny), before_method, |_| value)
    }

    /// How many bytes of JSON they take behind that, with these values.
    pub(super) fn json_bytes(&self, before_method: &str, values: &[String]) -> usize {
        let of_value = |position: usize| values.get(position).map_or(0, |value| json_bytes(value));
        bytes(self.allow.iter().chain(&self.deny), before_method.len(), of_value)
    }

    /// As they are written behind that, with these values.
    pub(super) fn texts(&self, before_method: &str, values: &[String], leaves_out: bool) -> Covering {
        let text = |resource: &Resource| {
            let mut text = before_method.to_owned();
            for part in resource {
                text.push_str(match part {
                    Part::Text(text) => text,
                    // INVARIANT: the plan was compiled for as many values.
                    Part::Value(position) => values.get(*position).map_or("", String::as_str),
                });
            }
            text
        };
        let (allow, deny) = (self.allow.iter().map(text).collect(), self.deny.iter().map(text).collect());
        Covering { allow, deny, leaves_out }
    }

    /// Whether they fit into no policy, whichever API and values they are for.
    pub(super) fn fit_nowhere(&self) -> bool {
        self.bytes(LEAST_BEFORE_METHOD, 1) > MAX_ANSWER_BYTES
    }
}

/// Whether what a plan allows fits into no policy, whatever is denied.
pub(super) fn allows_too_much(plan: &Plan<'_>) -> bool {
    // INVARIANT: there are no fewer Resources than globs.
    let globs = plan.some_allowed(MAX_ANSWER_BYTES / LEAST_BEFORE_METHOD + 1);
    bytes(&texts(plan.partition, &globs), LEAST_BEFORE_METHOD, |_| 1) > MAX_ANSWER_BYTES
}

/// With so many bytes for the value at each position.
fn bytes<'r>(
    resources: impl IntoIterator<Item = &'r Resource>,
    before_method: usize,
    value: impl Fn(usize) -> usize,
) -> usize {
    let length = |resource: &Resource| {
        let parts = resource.iter().map(|part| match part {
            Part::Text(text) => json_bytes(text),
            Part::Value(position) => value(*position),
        });
        // Two quotes and a comma.
        before_method + parts.sum::<usize>() + 3
    };
    resources.into_iter().map(length).sum()
}

/// In JSON a quote takes two bytes. A safe path has no backslash and no control character.
fn json_bytes(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| *byte == b'"').count()
}

/// Every glob as it stands in an ARN. Where both a path and all below it are meant,
/// `/*` says it in one.
fn texts(partition: &Partition, globs: &[&Glob]) -> Vec<Resource> {
    let below = |glob: &Glob| {
        let steps = glob.pattern.steps().iter().copied().chain([Step::More]).collect();
        Pattern::new(steps).map(|pattern| Glob { group: glob.group, pattern })
    };
    let ends_in_literal = |glob: &&&Glob| matches!(glob.pattern.steps().last(), Some(Step::Literal(_)));
    let merged: Vec<Glob> = globs
        .iter()
        .filter(ends_in_literal)
        .filter_map(|glob| below(glob))
        .filter(|below| globs.contains(&below))
        .collect();
    let mut resources = Vec::new();
    for glob in globs.iter().filter(|glob| !merged.contains(glob)) {
        let any = [WILDCARD];
        let methods = match glob.group.and_then(|group| partition.groups.get(group)) {
            Some(group) => group.methods.as_slice(),
            None => &any,
        };
        for method in methods {
            let path = path(partition, glob, method);
            if !matches!(glob.pattern.steps().last(), Some(Step::Literal(_))) || *method == CONNECT {
                resources.push(path);
                continue;
            }
            let all_below = below(glob).is_some_and(|below| merged.contains(&below));
            resources.push(with(path.clone(), if all_below { "/*" } else { "/" }));
            resources.push(path);
        }
    }
    resources
}

/// The Resource, and the same once more for paths with colons. IAM's reference says
/// that a wildcard at the end of a part of an ARN goes on beyond the next colon, and
/// nothing of one in its middle: whichever way that is read, what is denied must stay
/// denied where an allowed wildcard would match.
fn across_colons(resource: &Resource) -> Vec<Resource> {
    let mut all = vec![Vec::new()];
    let is_last = |index: usize| index + 1 == resource.len();
    for (index, part) in resource.iter().enumerate() {
        let Part::Text(text) = part else {
            all.iter_mut().for_each(|resource| resource.push(part.clone()));
            continue;
        };
        let pieces: Vec<&str> = text.split(WILDCARD).collect();
        for (position, piece) in pieces.iter().enumerate() {
            let is_within = position > 0 && !(is_last(index) && position + 1 == pieces.len() && piece.is_empty());
            let wildcards: &[&str] = match (position, is_within) {
                (0, _) => &[""],
                (_, true) => &[WILDCARD, "?*:*"],
                (_, false) => &[WILDCARD],
            };
            let longer = |resource: &Resource| {
                wildcards
                    .iter()
                    .map(|wildcard| with(resource.clone(), &format!("{wildcard}{piece}")))
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
    }
    all
}

fn path(partition: &Partition, glob: &Glob, method: &str) -> Resource {
    let mut parts = vec![Part::Text(method.to_owned())];
    for step in glob.pattern.steps().iter().skip(1) {
        parts = with(parts, "/");
        match step {
            Step::Literal(symbol) => match piece(partition, *symbol) {
                Some(Part::Text(text)) => parts = with(parts, &text),
                Some(value @ Part::Value(_)) => parts.push(value),
                // INVARIANT: no glob names what nothing names. As a wildcard it would be
                // too much; as an empty segment it matches no request.
                None => {}
            },
            Step::One | Step::More => parts = with(parts, WILDCARD),
        }
    }
    parts
}

fn with(mut parts: Resource, text: &str) -> Resource {
    match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
    parts
}

fn piece(partition: &Partition, symbol: Symbol) -> Option<Part> {
    match partition.symbols.meaning(symbol) {
        Meaning::Literal(text) => Some(Part::Text(text.to_owned())),
        Meaning::Value(position) => Some(Part::Value(position)),
        Meaning::Other => None,
    }
}

/// What API Gateway takes of an authorizer.
const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// The same, less 1 KB for the context, the principal and the statements' other words.
pub(super) const MAX_POLICY_BYTES: usize = MAX_ANSWER_BYTES - 1024;

/// `arn:aws:execute-api:ap-southeast-1:123456789012:abcdef1234/prod/` and one more.
pub(super) const PREFIX_CHARACTERS: usize = 66;

/// A UUID.
const VALUE_CHARACTERS: usize = 36;

/// What is of use to few must not cost those their policy who have long names or a large
/// context.
const LONG_VALUE_CHARACTERS: usize = 256;
const USUAL_POLICY_BYTES: usize = 6 * 1024;

/// `arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v/`
const LEAST_BEFORE_METHOD: usize = 56;

/// One segment or more, between slashes or at the end.
const WILDCARD: &str = "?*";

/// All requests of a stage, a WebSocket's handshake too.
const EVERYTHING: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Vouched;
    use crate::access::examples::{bound, claims, group, rule, scope, table};
    use crate::access::route::LetterCase;
    use crate::access::rules::Rule;
    use serde_json::{Value, json};

    /// The policies for a table, one kind of token after the other.
    struct Policies(crate::access::Rules);

    impl Policies {
        fn of(rules: impl IntoIterator<Item = Rule>, implicit_deny: bool) -> Self {
            let mut rules = table(LetterCase::Distinguished, rules);
            rules.cover(implicit_deny).unwrap();
            Self(rules)
        }

        /// What is denied stands before what is unsafe.
        #[track_caller]
        fn check(&self, token: Value, allow: &[&str], deny: &[&str], besides: Besides<'_>) {
            let claims = claims(token.clone());
            let token_permissions = self.0.token_permissions(&claims, None).unwrap().confirm(Vouched::assertion());
            let mut denied: Vec<String> = deny.iter().map(|text| (*text).to_owned()).collect();
            denied.extend(if allow.is_empty() { Vec::new() } else { besides.texts() });
            let with_stage = |texts: Vec<String>| texts.iter().map(|text| format!("s/{text}")).collect::<Vec<_>>();
            let expected = with_stage(allow.iter().map(|text| (*text).to_owned()).collect());
            let Covering { allow: allowed, deny: mut all_denied, leaves_out } =
                token_permissions.resources("s/", 8192).unwrap();
            // There is not always room for them.
            let other_forms = with_stage(
                [&OTHER_FORMS[..], &ESCAPES_OF_OTHER_FORMS].concat().into_iter().map(str::to_owned).collect(),
            );
            all_denied.retain(|text| !other_forms.contains(text));
            assert_eq!((allowed, all_denied, leaves_out), (expected, with_stage(denied), false), "{token}");
        }
    }

    /// What is denied besides routes.
    #[derive(Clone, Copy)]
    enum Besides<'t> {
        /// Nothing is allowed by a wildcard.
        Unsafe,
        /// No allowed wildcard overlaps what is denied: unsafe escapes.
        Listed,
        /// The same where there is no room for unsafe escapes.
        Escapes,
        /// A wildcard overlaps routes with these literals, of which those stand before another segment, and which are
        /// denied with a format.
        Overlap { literals: &'t [&'t str], within: &'t [&'t str], formats: &'t [&'t str] },
    }

    impl Besides<'_> {
        fn texts(self) -> Vec<String> {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let wildcards = [&UNSAFE[..], &UNSAFE_WITHIN_WILDCARDS, &UNSAFE_BEYOND_COLONS].concat();
            match self {
                Besides::Unsafe => owned(&UNSAFE),
                Besides::Listed => owned(&[&wildcards[..], &UNSAFE_ESCAPES].concat()),
                Besides::Escapes => owned(&[&wildcards[..], &["*%*"]].concat()),
                Besides::Overlap { literals, within, formats } => {
                    let mut texts = owned(&[&wildcards[..], &["*%*", "*/ ?*"]].concat());
                    for literal in literals {
                        texts.extend([format!("*/{literal};*"), format!("*/{literal} *"), format!("*:*/{literal} *")]);
                    }
                    for literal in within {
                        texts.extend([format!("*/{literal}.*/*"), format!("*:*/{literal}.*/*")]);
                    }
                    texts.extend(owned(formats));
                    texts
                }
            }
        }
    }

    #[test]
    fn methods_are_spelled_out_where_it_takes_them() {
        let policies = Policies::of([rule("ANY /items", &[]), rule("DELETE /items", &[group("admin")])], false);
        let all = [
            "GET/items/",
            "GET/items",
            "HEAD/items/",
            "HEAD/items",
            "POST/items/",
            "POST/items",
            "PUT/items/",
            "PUT/items",
            "PATCH/items/",
            "PATCH/items",
            "OPTIONS/items/",
            "OPTIONS/items",
            "DELETE/items/",
            "DELETE/items",
        ];
        policies.check(json!({}), &all[..12], &["DELETE/?*"], Besides::Unsafe);
        policies.check(json!({ "groups": "admin" }), &all, &[], Besides::Unsafe);
    }

    #[test]
    fn what_there_is_no_room_for_is_left_out_and_then_all_escapes_are_denied() {
        for (count, escapes, other_forms, their_escapes) in [
            (3, Besides::Listed, true, true),
            (4, Besides::Listed, true, false),
            (15, Besides::Listed, true, false),
            (16, Besides::Listed, false, false),
            (36, Besides::Listed, false, false),
            (37, Besides::Escapes, true, false),
        ] {
            let route = |number: usize| rule(&format!("GET /{number}/{{x+}}"), &[]);
            let policies = Policies::of((10..10 + count).map(route), false);
            let allow: Vec<String> = (10..10 + count).map(|number| format!("GET/{number}/?*")).collect();
            policies.check(json!({}), &allow.iter().map(String::as_str).collect::<Vec<_>>(), &[], escapes);
            let claims = claims(json!({}));
            let token_permissions = policies.0.token_permissions(&claims, None).unwrap().confirm(Vouched::assertion());
            let denied = token_permissions.resources("", 8192).unwrap().deny;
            let has_all = |texts: &[&str]| texts.iter().all(|text| denied.iter().any(|denied| denied == text));
            assert_eq!(
                (has_all(&OTHER_FORMS), has_all(&ESCAPES_OF_OTHER_FORMS)),
                (other_forms, their_escapes),
                "{count}"
            );
        }
    }

    #[test]
    fn a_path_and_all_below_it_are_one() {
        let admin = [group("admin")];
        let policies = Policies::of(
            [rule("POST /admin", &admin), rule("POST /admin/{x+}", &admin), rule("GET /public", &[])],
            false,
        );
        policies.check(json!({}), &["GET/public/", "GET/public"], &["POST/?*"], Besides::Unsafe);
        policies.check(
            json!({ "groups": "admin" }),
            &["GET/public/", "GET/public", "POST/admin/*", "POST/admin"],
            &[],
            Besides::Listed,
        );
        let policies = Policies::of(
            [rule("ANY /admin", &admin), rule("ANY /admin/{x+}", &admin), rule("GET /public", &[])],
            false,
        );
        policies.check(json!({}), &["GET/public/", "GET/public"], &["?*/admin/*", "?*/admin"], Besides::Unsafe);
    }

    #[test]
    fn default_is_every_path_and_connect_is_none() {
        let policies = Policies::of(
            [
                rule("$default", &[scope("r")]),
                rule("$connect", &[scope("w")]),
                rule("GET /a", &[scope("r"), scope("w")]),
            ],
            false,
        );
        let paths = [
            "GET/*",
            "GET",
            "HEAD/*",
            "HEAD",
            "POST/*",
            "POST",
            "PUT/*",
            "PUT",
            "PATCH/*",
            "PATCH",
            "DELETE/*",
            "DELETE",
            "OPTIONS/*",
            "OPTIONS",
            "$connect",
        ];
        let roots = [
            "GET/", "GET", "HEAD/", "HEAD", "POST/", "POST", "PUT/", "PUT", "PATCH/", "PATCH", "DELETE/", "DELETE",
            "OPTIONS/", "OPTIONS", "?*/?*",
        ];
        let formats = Besides::Overlap { literals: &["a"], within: &[], formats: &["GET/a.*"] };
        policies.check(json!({ "scope": "r" }), &paths[..14], &["$connect", "GET/a/", "GET/a"], formats);
        policies.check(json!({ "scope": "w" }), &["$connect"], &roots, Besides::Unsafe);
        policies.check(json!({ "scope": "r w" }), &paths, &[], Besides::Listed);
    }

    #[test]
    fn one_s_own_places_are_spelled_out() {
        let own = |route: &str| rule(route, &[bound("who", route, "id")]);
        let policies = Policies::of(
            [
                own("GET /users/{id}"),
                own("GET /users/{id}/orders"),
                rule("ANY /admin/{x}", &[group("admin")]),
                rule("GET /items", &[]),
            ],
            true,
        );
        let of_ann = ["GET/users/ann/", "GET/users/ann"];
        let orders = ["GET/users/ann/orders/", "GET/users/ann/orders"];
        let items = ["GET/items/", "GET/items"];
        let around = ["?*/users/", "?*/users", "?*/admin/*", "?*/admin", "?*/items/?*"];
        policies.check(json!({}), &items, &["?*/users/?*", "?*/admin/?*"], Besides::Unsafe);
        policies.check(json!({ "who": "ann" }), &[items, of_ann, orders].concat(), &around, Besides::Unsafe);
        policies.check(
            json!({ "who": ["ann", "bob"] }),
            &[
                items,
                of_ann,
                ["GET/users/bob/", "GET/users/bob"],
                orders,
                ["GET/users/bob/orders/", "GET/users/bob/orders"],
            ]
            .concat(),
            &around,
            Besides::Unsafe,
        );
        let admins = [
            "GET/admin/?*",
            "HEAD/admin/?*",
            "POST/admin/?*",
            "PUT/admin/?*",
            "PATCH/admin/?*",
            "DELETE/admin/?*",
            "OPTIONS/admin/?*",
        ];
        policies.check(
            json!({ "who": "ann", "groups": "admin" }),
            &[&items[..], &admins, &of_ann, &orders].concat(),
            &["?*/items/?*", "?*/admin/?*/?*"],
            Besides::Listed,
        );
    }

    #[test]
    fn a_place_that_two_claims_name_is_where_they_agree() {
        let both = |route: &str| rule(route, &[bound("who", route, "x"), bound("tenant", route, "x")]);
        let policies =
            Policies::of([both("GET /a/{x}/b"), rule("GET /c/{y+}", &[bound("who", "GET /c/{y+}", "y")])], true);
        let around = ["?*/a/", "?*/a", "?*/c/", "?*/c", "?*/a/?*/?*/b/", "?*/a/?*/?*/b"];
        let nothing_of_a = ["?*/a/*", "?*/a", "?*/c/", "?*/c"];
        let c = ["GET/c/s/", "GET/c/s"];
        policies.check(
            json!({ "who": "s", "tenant": "s" }),
            &[c, ["GET/a/s/b/", "GET/a/s/b"]].concat(),
            &around,
            Besides::Unsafe,
        );
        policies.check(json!({ "who": "s", "tenant": "t" }), &c, &nothing_of_a, Besides::Unsafe);
        policies.check(
            json!({ "who": ["s", "t"], "tenant": ["t", "u", "s"] }),
            &["GET/c/s/", "GET/c/s", "GET/c/t/", "GET/c/t", "GET/a/s/b/", "GET/a/s/b", "GET/a/t/b/", "GET/a/t/b"],
            &around,
            Besides::Unsafe,
        );
        policies.check(
            json!({ "who": "s/t", "tenant": "s/t" }),
            &["GET/c/s/t/", "GET/c/s/t"],
            &nothing_of_a,
            Besides::Unsafe,
        );
        // Named like a segment of the table.
        policies.check(
            json!({ "who": "b", "tenant": "b" }),
            &["GET/c/b/", "GET/c/b", "GET/a/b/b/", "GET/a/b/b"],
            &around,
            Besides::Unsafe,
        );
    }

    #[test]
    fn what_an_allowed_wildcard_overlaps_is_denied_on_both_sides_of_colons() {
        let rw = || [scope("r"), scope("w")];
        let policies = Policies::of(
            [rule("GET /a/{x}", &[scope("r")]), rule("GET /a/{x+}", &rw()), rule("GET /b/{x}/c", &[])],
            false,
        );
        let c = ["GET/b/?*/c/", "GET/b/?*/c"];
        policies.check(json!({}), &c, &["GET/a/?*", "?*/b/?*/?*/c/", "?*/b/?*/?*/c"], Besides::Listed);
        policies.check(
            json!({ "scope": "r" }),
            &[&["GET/a/?*"], &c[..]].concat(),
            &[
                "?*/a/?*/?*",
                "?*/a/?*:*/?*",
                "?*:*/a/?*/?*",
                "?*:*/a/?*:*/?*",
                "?*/b/?*/?*/c/",
                "?*/b/?*/?*:*/c/",
                "?*/b/?*:*/?*/c/",
                "?*/b/?*:*/?*:*/c/",
                "?*:*/b/?*/?*/c/",
                "?*:*/b/?*/?*:*/c/",
                "?*:*/b/?*:*/?*/c/",
                "?*:*/b/?*:*/?*:*/c/",
                "?*/b/?*/?*/c",
                "?*/b/?*/?*:*/c",
                "?*/b/?*:*/?*/c",
                "?*/b/?*:*/?*:*/c",
                "?*:*/b/?*/?*/c",
                "?*:*/b/?*/?*:*/c",
                "?*:*/b/?*:*/?*/c",
                "?*:*/b/?*:*/?*:*/c",
            ],
            Besides::Overlap { literals: &["a"], within: &["a"], formats: &[] },
        );
        policies.check(
            json!({ "scope": "r w" }),
            &[&["GET/a/?*"], &c[..]].concat(),
            &["GET/b/?*/?*/c/", "GET/b/?*/?*/c"],
            Besides::Listed,
        );
    }

    #[test]
    fn what_lies_too_deep_needs_no_second_side() {
        let r = [scope("r")];
        let policies =
            Policies::of([rule("GET /a/{x}/c/{y}", &[]), rule("GET /a/b/c/d", &r), rule("GET /a/b/{x}/d", &r)], true);
        policies.check(
            json!({}),
            &["GET/a/?*/c/?*"],
            &[
                "?*/a/b/?*/d/",
                "?*/a/b/?*:*/d/",
                "?*:*/a/b/?*/d/",
                "?*:*/a/b/?*:*/d/",
                "?*/a/b/?*/d",
                "?*/a/b/?*:*/d",
                "?*:*/a/b/?*/d",
                "?*:*/a/b/?*:*/d",
                "?*/a/?*/c/?*/?*",
                "?*/a/?*/?*/c/?*",
            ],
            Besides::Overlap {
                literals: &["a", "c", "b", "d"],
                within: &["a", "c", "b"],
                formats: &["GET/a/b/c/d.*", "GET/a/b/?*/d.*", "GET/a/b/?*:*/d.*"],
            },
        );
    }

    #[test]
    fn of_denials_that_cover_as_much_for_their_length_the_broader_goes_first() {
        let r = [scope("r")];
        let policies = Policies::of([rule("GET /a/b", &r), rule("GET /{x}/b", &r), rule("GET /z", &[])], false);
        policies.check(json!({}), &["GET/z/", "GET/z"], &["?*/a/?*", "?*/?*/b/", "?*/?*/b"], Besides::Unsafe);
    }

    #[test]
    fn a_named_method_goes_before_any_wherever_it_stands_in_the_table() {
        for path in ["/a/{x}", "/a/{x+}"] {
            let [any, get] = [format!("ANY {path}"), format!("GET {path}")];
            let policies = Policies::of([rule(&any, &[]), rule(&get, &[scope("r")])], false);
            let all = ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(|method| format!("{method}/a/?*"));
            let too_deep: &[&str] = if path == "/a/{x}" { &["?*/a/?*/?*"] } else { &[] };
            let deny = [&["GET/?*"], too_deep].concat();
            policies.check(json!({}), &all.each_ref().map(String::as_str), &deny, Besides::Listed);
        }
    }

    #[test]
    fn a_greedy_route_starts_where_the_shorter_paths_of_others_end() {
        let policies = Policies::of([rule("GET /{x}", &[scope("r")]), rule("GET /{x+}", &[])], true);
        policies.check(json!({}), &["GET/?*/?*"], &[], Besides::Listed);
        policies.check(json!({ "scope": "r" }), &["GET/?*"], &[], Besides::Listed);
    }
}
