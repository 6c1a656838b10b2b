//! Random rule tables, tokens and requests. Names come from a small alphabet in which some are the beginning of others,
//! so that routes overlap, shadow and miss each other by a hair; requests are made from the table's own routes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A rule table and the settings that go with it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
    pub(crate) settings: Settings,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) covers_token: bool,
    pub(crate) implicit_deny: bool,
    pub(crate) expires_with_token: bool,
    /// `case_insensitive_paths`: backends take `/Admin` for `/admin`.
    pub(crate) ignores_case: bool,
    /// `unauthorized: deny`, for every kind of API: a 401 is answered with a policy too.
    pub(crate) denies_unauthorized: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) key: Key,
    pub(crate) needs: Needs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Connect,
    Default,
    /// No method is `ANY`.
    Path(Option<&'static str>, Vec<Segment>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(&'static str),
    Parameter(String),
    Greedy(String),
}

/// A requirement; what is empty is not asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    pub(crate) any_scope: Vec<&'static str>,
    pub(crate) all_scopes: Vec<&'static str>,
    pub(crate) any_group: Vec<&'static str>,
    pub(crate) all_groups: Vec<&'static str>,
    pub(crate) tenant: Vec<&'static str>,
    /// `claims: { sub: "{name}" }`; before the route is known, which of its parameters.
    pub(crate) sub_is: Option<Bound>,
    pub(crate) max_auth_age_minutes: Option<i64>,
    pub(crate) any: Vec<Needs>,
    pub(crate) all: Vec<Needs>,
    pub(crate) introspect: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Bound {
    Nth(usize),
    To(String),
}

/// What a token says; absent members are absent claims.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) sub: Option<String>,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) groups: Vec<&'static str>,
    pub(crate) tenant: Option<&'static str>,
    /// How long ago the user signed in, in seconds; negative is in the future.
    pub(crate) signed_in_ago: Option<i64>,
    /// Bound to the client certificate that the events then carry.
    pub(crate) is_bound: bool,
}

/// One request, as the ARN names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Connect,
    Http(&'static str, String),
}

pub(crate) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The last ones are rare: letters that mean something in patterns, escapes or variables elsewhere.
const LITERALS: [&str; 12] = ["a", "b", "ab", "a-b", "aa", "A", "b.c", "a:b", "$a", "é", "a b", "~"];
const COMMON_LITERALS: usize = 5;
const SCOPES: [&str; 3] = ["read", "write", "https://api.example.com/x"];
const GROUPS: [&str; 2] = ["admin", "team/a|b"];
const TENANTS: [&str; 2] = ["acme", "umbrella"];

impl Route {
    pub(crate) fn key_text(&self) -> String {
        self.key.text()
    }

    /// Whether it is answered for its own ARN alone: it depends on more than token and path.
    pub(crate) fn is_own(&self) -> bool {
        self.needs.introspect || self.needs.asks_auth_age()
    }
}

impl Key {
    /// A key as it is written, for tables that are written by hand.
    pub(crate) fn parse(text: &'static str) -> Key {
        let segment = |text: &'static str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.to_owned()),
                None => Segment::Parameter(name.to_owned()),
            },
            None => Segment::Literal(text),
        };
        match text.split_once(" /") {
            Some((method, path)) => {
                let segments = if path.is_empty() { Vec::new() } else { path.split('/').map(segment).collect() };
                Key::Path(METHODS.into_iter().find(|known| *known == method), segments)
            }
            None if text == "$connect" => Key::Connect,
            None => Key::Default,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Key::Connect => "$connect".to_owned(),
            Key::Default => "$default".to_owned(),
            Key::Path(method, segments) => {
                let path: String = segments.iter().map(|segment| format!("/{}", segment.text())).collect();
                format!("{} {}", method.unwrap_or("ANY"), if path.is_empty() { "/" } else { &path })
            }
        }
    }

    /// Two keys of one shape mean the same route.
    fn shape(&self, ignores_case: bool) -> String {
        match self {
            Key::Connect | Key::Default => self.text(),
            Key::Path(method, segments) => {
                let shape = |segment: &Segment| match segment {
                    Segment::Literal(name) => format!("/={name}"),
                    Segment::Parameter(_) => "/{}".to_owned(),
                    Segment::Greedy(_) => "/{+}".to_owned(),
                };
                let shape: String = segments.iter().map(shape).collect();
                format!("{method:?} {}", if ignores_case { shape.to_lowercase() } else { shape })
            }
        }
    }

    fn parameters(&self) -> Vec<&str> {
        let Key::Path(_, segments) = self else { return Vec::new() };
        segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Literal(_) => None,
                Segment::Parameter(name) | Segment::Greedy(name) => Some(name.as_str()),
            })
            .collect()
    }
}

impl Segment {
    fn text(&self) -> String {
        match self {
            Segment::Literal(name) => (*name).to_owned(),
            Segment::Parameter(name) => format!("{{{name}}}"),
            Segment::Greedy(name) => format!("{{{name}+}}"),
        }
    }
}

impl Needs {
    pub(crate) fn asks_auth_age(&self) -> bool {
        self.max_auth_age_minutes.is_some() || self.any.iter().chain(&self.all).any(Needs::asks_auth_age)
    }

    pub(crate) fn asks_for_sub(&self) -> bool {
        self.sub_is.is_some() || self.any.iter().chain(&self.all).any(Needs::asks_for_sub)
    }

    fn is_empty(&self) -> bool {
        self.json() == json!({})
    }

    /// As `authorizer.yaml` has it: JSON is YAML too.
    pub(crate) fn json(&self) -> Value {
        let mut members = Map::new();
        for (name, values) in [
            ("any_scope", &self.any_scope),
            ("all_scopes", &self.all_scopes),
            ("any_group", &self.any_group),
            ("all_groups", &self.all_groups),
        ] {
            if !values.is_empty() {
                members.insert(name.to_owned(), json!(values));
            }
        }
        let mut claims = Map::new();
        if !self.tenant.is_empty() {
            claims.insert("tenant".to_owned(), json!(self.tenant));
        }
        if let Some(Bound::To(name)) = &self.sub_is {
            claims.insert("sub".to_owned(), json!(format!("{{{name}}}")));
        }
        if !claims.is_empty() {
            members.insert("claims".to_owned(), claims.into());
        }
        if let Some(minutes) = self.max_auth_age_minutes {
            members.insert("max_auth_age".to_owned(), json!(format!("{minutes}m")));
        }
        for (name, nested) in [("any", &self.any), ("all", &self.all)] {
            if !nested.is_empty() {
                members.insert(name.to_owned(), nested.iter().map(Needs::json).collect());
            }
        }
        if self.introspect {
            members.insert("introspect".to_owned(), json!(true));
        }
        Value::Object(members)
    }

    /// Binds to a parameter of the route, where it has one; nested requirements must ask for something.
    fn fit(&mut self, parameters: &[&str]) {
        if let Some(Bound::Nth(index)) = self.sub_is {
            self.sub_is = match parameters.len() {
                0 => None,
                count => Some(Bound::To(parameters[index % count].to_owned())),
            };
        }
        for nested in [&mut self.any, &mut self.all] {
            nested.iter_mut().for_each(|needs| needs.fit(parameters));
            nested.retain(|needs| !needs.is_empty());
        }
    }
}

impl Table {
    /// A table with these routes, each once, and requirements that fit them.
    pub(crate) fn new(routes: Vec<Route>, settings: Settings) -> Table {
        let mut table = Table { routes: Vec::new(), settings };
        for mut route in routes {
            let shape = |key: &Key| key.shape(table.settings.ignores_case);
            if table.routes.iter().all(|earlier| shape(&earlier.key) != shape(&route.key)) {
                let parameters: Vec<String> = route.key.parameters().into_iter().map(str::to_owned).collect();
                route.needs.fit(&parameters.iter().map(String::as_str).collect::<Vec<_>>());
                table.routes.push(route);
            }
        }
        table
    }

    /// The routes and the policy's settings, as `authorizer.yaml` has them.
    pub(crate) fn yaml(&self) -> String {
        let routes: String = self
            .routes
            .iter()
            .map(|route| format!("  {}: {}\n", json!(route.key_text()), route.needs.json()))
            .collect();
        let Settings { covers_token, implicit_deny, expires_with_token, ignores_case, denies_unauthorized } =
            self.settings;
        let case = if ignores_case { "case_insensitive_paths: true\n" } else { "" };
        let covers = if covers_token { "token" } else { "request" };
        let unauthorized = if denies_unauthorized { "deny" } else { "error" };
        format!(
            "routes:\n{routes}policy: {{ covers: {covers}, implicit_deny: {implicit_deny}, \
             expires_with_token: {expires_with_token} }}\nhttp_api: {{ response: policy, unauthorized: {unauthorized} }}\n\
             rest_api: {{ unauthorized: {unauthorized} }}\n{case}"
        )
    }
}

/// Tables of up to seven routes.
pub(crate) fn table() -> impl Strategy<Value = Table> {
    let settings = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.1), any::<bool>()).prop_map(
        |(implicit_deny, expires_with_token, ignores_case, denies_unauthorized)| Settings {
            // IAM tells upper case from lower: there is no policy for backends that do not.
            covers_token: !ignores_case,
            implicit_deny,
            expires_with_token,
            ignores_case,
            denies_unauthorized,
        },
    );
    (vec(route(), 1..=7), settings).prop_map(|(routes, settings)| Table::new(routes, settings))
}

/// Tables in which API Gateway may run another route than the one whose rule the table picks.
pub(crate) fn crossing_table() -> impl Strategy<Value = Table> {
    let key = (0_usize..7, select(&LITERALS[..2]), select(&LITERALS[..2])).prop_map(|(shape, one, other)| {
        let [one, other] = [one, other].map(Segment::Literal);
        let [first, second] = ["p0", "p1"].map(|name| Segment::Parameter(name.to_owned()));
        let rest = |place: usize| Segment::Greedy(format!("rest{place}"));
        let segments = match shape {
            0 => vec![first, other],
            1 => vec![one, rest(1)],
            2 => vec![one, second],
            3 => vec![first, other, rest(2)],
            4 => vec![first, second, other],
            5 => vec![first, rest(1)],
            _ => vec![one, other],
        };
        Key::Path(Some("GET"), segments)
    });
    let needs = prop_oneof![2 => Just(Needs::default()), 3 => needs()];
    let routes = vec((key, needs).prop_map(|(key, needs)| Route { key, needs }), 2..=5);
    (routes, prop::bool::weighted(0.8)).prop_map(|(routes, implicit_deny)| {
        let settings = Settings {
            covers_token: true,
            implicit_deny,
            expires_with_token: false,
            ignores_case: false,
            denies_unauthorized: false,
        };
        Table::new(routes, settings)
    })
}

fn route() -> impl Strategy<Value = Route> {
    (key(), needs()).prop_map(|(key, needs)| Route { key, needs })
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        20 => path_key(),
        1 => Just(Key::Connect),
        1 => Just(Key::Default),
    ]
}

fn path_key() -> impl Strategy<Value = Key> {
    let method = prop_oneof![
        5 => Just(Some("GET")),
        2 => Just(Some("POST")),
        1 => select(&METHODS[..]).prop_map(Some),
        3 => Just(None),
    ];
    (method, vec(segment(), 0..=4)).prop_map(|(method, segments)| {
        let mut named = Vec::new();
        for (place, segment) in segments.into_iter().enumerate() {
            let is_last = segment == Kind::Greedy;
            named.push(match segment {
                Kind::Literal(name) => Segment::Literal(name),
                Kind::Parameter => Segment::Parameter(format!("p{place}")),
                Kind::Greedy => Segment::Greedy(format!("rest{place}")),
            });
            if is_last {
                break;
            }
        }
        Key::Path(method, named)
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Literal(&'static str),
    Parameter,
    Greedy,
}

fn segment() -> impl Strategy<Value = Kind> {
    prop_oneof![
        10 => select(&LITERALS[..COMMON_LITERALS]).prop_map(Kind::Literal),
        1 => select(&LITERALS[COMMON_LITERALS..]).prop_map(Kind::Literal),
        4 => Just(Kind::Parameter),
        1 => Just(Kind::Greedy),
    ]
}

fn needs() -> impl Strategy<Value = Needs> {
    let top = (
        simple_needs(),
        vec(simple_needs(), 0..=2),
        vec(simple_needs(), 0..=2),
        prop::bool::weighted(0.12),
        prop::bool::weighted(0.06),
    );
    top.prop_map(|(mut needs, any, all, is_nested, introspect)| {
        if is_nested {
            (needs.any, needs.all) = (any, all);
        }
        needs.introspect = introspect;
        needs
    })
}

/// One condition, or none, or now and then two.
fn simple_needs() -> impl Strategy<Value = Needs> {
    let one = || {
        prop_oneof![
            6 => Just(Needs::default()),
            5 => some_of(&SCOPES).prop_map(|any_scope| Needs { any_scope, ..Needs::default() }),
            1 => some_of(&SCOPES).prop_map(|all_scopes| Needs { all_scopes, ..Needs::default() }),
            5 => some_of(&GROUPS).prop_map(|any_group| Needs { any_group, ..Needs::default() }),
            1 => some_of(&GROUPS).prop_map(|all_groups| Needs { all_groups, ..Needs::default() }),
            1 => some_of(&TENANTS).prop_map(|tenant| Needs { tenant, ..Needs::default() }),
            4 => (0_usize..4).prop_map(|index| Needs { sub_is: Some(Bound::Nth(index)), ..Needs::default() }),
            1 => Just(Needs { max_auth_age_minutes: Some(15), ..Needs::default() }),
        ]
    };
    (one(), prop::option::weighted(0.1, one())).prop_map(|(mut needs, more)| {
        if let Some(Needs { any_group, sub_is, .. }) = more {
            needs.any_group.extend(any_group);
            needs.any_group.dedup();
            needs.sub_is = needs.sub_is.or(sub_is);
        }
        needs
    })
}

fn some_of<const N: usize>(from: &'static [&'static str; N]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(from.to_vec(), 1..=N.min(2))
}

/// Tokens of users with few rights and odd names.
pub(crate) fn token() -> impl Strategy<Value = Token> {
    let sub = prop_oneof![
        6 => select(&["alice", "a", "ab", "u-1"][..]).prop_map(|sub| Some(sub.to_owned())),
        4 => select(&ODD_SUBS[..]).prop_map(|sub| Some(sub.to_owned())),
        1 => select(&[380_usize, 430, 460, 600][..]).prop_map(|length| Some("x".repeat(length))),
        1 => Just(None),
    ];
    let rights = (
        subsequence(SCOPES.to_vec(), 0..=2),
        subsequence(GROUPS.to_vec(), 0..=1),
        prop::option::weighted(0.3, select(&TENANTS[..])),
    );
    let signed_in = prop::option::weighted(0.7, select(&[60_i64, 600, 3600, -600][..]));
    (sub, rights, signed_in, prop::bool::weighted(0.04)).prop_map(
        |(sub, (scopes, groups, tenant), signed_in_ago, is_bound)| Token {
            sub,
            scopes,
            groups,
            tenant,
            signed_in_ago,
            is_bound,
        },
    )
}

const ODD_SUBS: [&str; 37] = [
    "*",
    "a*",
    "?",
    "a?",
    "${aws:username}",
    "${*}",
    "$",
    "a/b",
    "/",
    "a/",
    "a//b",
    "a b",
    " ",
    "50%",
    "%61",
    "a%2fb",
    "é",
    "e\u{301}",
    "💥",
    ".",
    "..",
    "a\\b",
    "\u{7}",
    "a:b",
    "A",
    "a;b",
    "b;",
    "%2561",
    "a#b",
    "#",
    "a.",
    "a.b",
    "a ",
    " a",
    "\u{ff41}",
    "a\u{a0}",
    "a:b/c",
];

/// Choices from which a request is made once table and token are known.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    route: usize,
    method: usize,
    values: Vec<usize>,
    greedy: usize,
    tweaks: Vec<(usize, usize)>,
}

/// Requests: mostly instances of a route, as they are or changed once or twice.
pub(crate) fn seed() -> impl Strategy<Value = Seed> {
    let tweaks = prop_oneof![
        5 => Just(Vec::new()),
        5 => vec((0_usize..TWEAKS.len(), 0_usize..4096), 1),
        2 => vec((0_usize..TWEAKS.len(), 0_usize..4096), 2..=3),
    ];
    (0_usize..8, 0_usize..12, vec(0_usize..64, 4), 1_usize..4, tweaks)
        .prop_map(|(route, method, values, greedy, tweaks)| Seed { route, method, values, greedy, tweaks })
}

impl Seed {
    pub(crate) fn ask(&self, table: &Table, token: &Token) -> Ask {
        let value = |index: usize| value(self.values[index % self.values.len()] + index / self.values.len(), token);
        // One past the last: a path of nothing but values.
        let key = table.routes.get(self.route % (table.routes.len() + 1)).map(|route| &route.key);
        let free: Vec<Segment> = (0..self.greedy).map(|place| Segment::Parameter(place.to_string())).collect();
        let (method, segments) = match key {
            Some(Key::Connect) => return Ask::Connect,
            Some(Key::Path(method, segments)) => (*method, segments),
            Some(Key::Default) | None => (None, &free),
        };
        // The route's own method, most of the time.
        let method = match METHODS.get(self.method) {
            Some(other) if method.is_none() || self.method.is_multiple_of(3) => other,
            _ => method.unwrap_or("GET"),
        };
        let mut parts: Vec<String> = Vec::new();
        for (place, segment) in segments.iter().enumerate() {
            match segment {
                Segment::Literal(name) => parts.push((*name).to_owned()),
                Segment::Parameter(_) => parts.push(value(place)),
                Segment::Greedy(_) => parts.extend((0..self.greedy).map(|offset| value(place + offset))),
            }
        }
        let mut path: String = parts.iter().map(|part| format!("/{part}")).collect();
        if path.is_empty() {
            path.push('/');
        }
        for &(tweak, place) in &self.tweaks {
            path = TWEAKS[tweak](&path, place);
        }
        Ask::Http(method, path)
    }
}

/// What a parameter's place is filled with.
fn value(index: usize, token: &Token) -> String {
    let sub = token.sub.as_deref().unwrap_or("nobody");
    match index {
        0..=11 => LITERALS[index].to_owned(),
        12..=35 => sub.to_owned(),
        36..=37 => escaped(sub),
        38..=39 => "bob".to_owned(),
        40 => format!("{sub}x"),
        41 => "x".repeat(450),
        42 => "$connect".to_owned(),
        43 => "$default".to_owned(),
        44 => "{p0}".to_owned(),
        45 => "a;b".to_owned(),
        46 => "a,b".to_owned(),
        47 => "...".to_owned(),
        48 => "GET".to_owned(),
        _ => LITERALS[index % COMMON_LITERALS].to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

type Tweak = fn(&str, usize) -> String;

/// Changes that lead to a neighbouring path, or to one that backends read differently. A place is a segment, and where
/// there is a choice, that too.
const TWEAKS: [Tweak; 36] = [
    |path, place| with_segment(path, place % 8, choice(&UNSAFE_SEGMENTS, place)),
    |path, place| with_segment(path, place % 8, choice(&UNSAFE_SEGMENTS, place)),
    |path, place| on_segment(path, place % 8, |_| choice(&UNSAFE_SEGMENTS, place).to_owned()),
    |path, place| on_segment(path, place % 8, |segment| format!("{segment}{}", choice(&UNSAFE_SEGMENTS, place))),
    |path, place| on_segment(path, place % 8, |segment| format!("{segment}{}", choice(&ENDS, place))),
    |path, place| on_segment(path, place % 8, |segment| format!("{segment}{}", choice(&ENDS, place))),
    |path, place| on_segment(path, place % 8, |segment| format!("{}{segment}", choice(&STARTS, place))),
    |path, place| on_segment(path, place, |segment| segment.chars().map(full_width).collect()),
    |path, place| on_segment(path, place, |segment| escaped(&segment.chars().map(full_width).collect::<String>())),
    |path, place| on_segment(path, place, |segment| segment.replace('\u{e9}', "e\u{301}")),
    |path, place| with_segment(path, place, "x:y"),
    |path, _| format!("{path}/"),
    |path, _| path.trim_end_matches('/').to_owned() + "/",
    |path, place| without_segment(path, place),
    |path, _| path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent }).to_owned(),
    |path, place| with_segment(path, place, COMMON[place % COMMON.len()]),
    |path, _| format!("{}/x", path.trim_end_matches('/')),
    |path, place| format!("{}/{}", path.trim_end_matches('/'), COMMON[place % COMMON.len()]),
    |path, place| on_segment(path, place, |segment| format!("{segment}b")),
    |path, place| on_segment(path, place, |segment| format!("a{segment}")),
    |path, place| on_segment(path, place, |segment| segment.chars().skip(1).collect()),
    |path, place| on_segment(path, place, str::to_uppercase),
    |path, place| on_segment(path, place, escaped_first),
    |path, place| on_segment(path, place, |segment| escaped_first(segment).replacen('%', "%25", 1)),
    |path, place| on_segment(path, place, |segment| format!("{segment};v=1")),
    |path, place| on_segment(path, place, |_| String::new()),
    |path, place| with_segment(path, place, ".."),
    |path, place| with_segment(path, place, "."),
    |path, place| with_segment(path, place, "%2e%2E"),
    |path, place| with_segment(path, place, "..;"),
    |path, place| on_segment(path, place, |segment| format!("{segment}\\")),
    |path, place| on_segment(path, place, |segment| format!("{segment}%2Fa")),
    |path, place| on_segment(path, place, |segment| format!("{segment}*")),
    |path, place| on_segment(path, place, |_| "?".to_owned()),
    |path, place| with_segment(path, place, "%252e%252e"),
    |path, place| on_segment(path, place, |segment| format!("{segment}%23x")),
];

const COMMON: [&str; 6] = ["a", "b", "ab", "a-b", "aa", "x"];

/// What some backends take off a segment.
const ENDS: [&str; 30] = [
    " ",
    "%20",
    "  ",
    ".",
    "..",
    ". ",
    " .",
    ".%20",
    ".json",
    ".b",
    ".c",
    ".tar.gz",
    ";",
    ";x",
    ";x.y",
    "%3bx",
    ".;x",
    "#",
    "#x",
    "%23x",
    ".#x",
    "\u{a0}",
    "%c2%a0",
    "\u{3000}",
    "%E3%80%80",
    "\u{2003}",
    ":",
    ":x",
    "\u{ff0e}",
    "%EF%BC%8Ejson",
];
const STARTS: [&str; 10] = [" ", "%20", "  ", "\u{a0}", "%C2%A0", "\u{3000}", ".", ":", "x:", "#"];

/// One of each kind of segment that is refused.
static UNSAFE_SEGMENTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let kinds: Value = serde_json::from_str(include_str!("../../src/access/unsafe_segments.json")).unwrap();
    let all = kinds.as_object().unwrap().values().flat_map(|kind| kind.as_array().unwrap());
    all.map(|segment| segment.as_str().unwrap().to_owned()).collect()
});

fn choice<T: AsRef<str>>(list: &[T], place: usize) -> &str {
    list[place / 8 % list.len()].as_ref()
}

/// The letter as East Asian fonts set it.
fn full_width(letter: char) -> char {
    match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap(),
        _ => letter,
    }
}

/// Escapes the first character, whatever it is.
fn escaped_first(segment: &str) -> String {
    let mut characters = segment.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect())
        .unwrap_or_default();
    first + characters.as_str()
}

fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/').split('/').map(str::to_owned).collect()
}

fn joined(segments: &[String]) -> String {
    format!("/{}", segments.join("/"))
}

fn on_segment(path: &str, place: usize, change: impl Fn(&str) -> String) -> String {
    let mut segments = segments(path);
    let place = place % segments.len();
    segments[place] = change(&segments[place]);
    joined(&segments)
}

fn with_segment(path: &str, place: usize, segment: &str) -> String {
    let mut segments = segments(path);
    segments.insert(place % (segments.len() + 1), segment.to_owned());
    joined(&segments)
}

fn without_segment(path: &str, place: usize) -> String {
    let mut segments = segments(path);
    segments.remove(place % segments.len());
    joined(&segments)
}
