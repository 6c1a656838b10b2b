//! Tables that everybody writes, and those that the properties found: each small, with the requests that matter, held to
//! the same properties as the random ones.

use crate::agreement::Held;
use crate::iam::{Call, Outcome};
use crate::model::{self, Verdict};
use crate::stage::{self, Answer, Credential, Kind, Stage};
use crate::tables::{Ask, Bound, Key, Needs, Route, Settings, Table, Token};
use std::cell::RefCell;

fn free() -> Needs {
    Needs::default()
}

fn group(group: &'static str) -> Needs {
    Needs { any_group: vec![group], ..Needs::default() }
}

fn scope(scope: &'static str) -> Needs {
    Needs { any_scope: vec![scope], ..Needs::default() }
}

fn own(parameter: &str) -> Needs {
    Needs { sub_is: Some(Bound::To(parameter.to_owned())), ..Needs::default() }
}

fn either(any: Vec<Needs>) -> Needs {
    Needs { any, ..Needs::default() }
}

fn live(needs: Needs) -> Needs {
    Needs { introspect: true, ..needs }
}

fn table(routes: Vec<(&'static str, Needs)>) -> Table {
    let routes = routes.into_iter().map(|(key, needs)| Route { key: Key::parse(key), needs }).collect();
    let settings = Settings {
        covers_token: true,
        implicit_deny: false,
        expires_with_token: false,
        ignores_case: false,
        denies_unauthorized: false,
    };
    Table::new(routes, settings)
}

fn with_implicit_deny(table: Table) -> Table {
    Table { settings: Settings { implicit_deny: true, ..table.settings }, ..table }
}

/// Users by name: nobody in particular, one with each right, and some whose names are traps.
fn users() -> Vec<Token> {
    let nobody = Token {
        sub: Some("alice".to_owned()),
        scopes: Vec::new(),
        groups: Vec::new(),
        tenant: None,
        signed_in_ago: Some(60),
        is_bound: false,
    };
    let sub = |sub: &str| Token { sub: Some(sub.to_owned()), ..nobody.clone() };
    let mut users = vec![
        Token { groups: vec!["admin"], ..nobody.clone() },
        Token { scopes: vec!["read"], ..nobody.clone() },
        Token { scopes: vec!["read", "write"], ..nobody.clone() },
        Token { sub: None, ..nobody.clone() },
    ];
    for odd in ["*", "a*", "?", "${aws:username}", "a/b", "..", "é", "a b", "a:b", "%61", "orders", "admin"] {
        users.push(sub(odd));
    }
    users.push(sub(&"x".repeat(450)));
    users.push(nobody);
    users
}

/// Every user on every path, by some methods, after some others.
#[track_caller]
fn agrees(table: &Table, paths: &[&str]) {
    let stage = Stage::start(table).unwrap_or_else(|faults| panic!("refused:\n{}\n{faults}", table.yaml()));
    for token in users() {
        let mut asks: Vec<Ask> = Vec::new();
        for path in paths {
            for method in ["GET", "POST", "DELETE"] {
                let path = path.replace("{sub}", token.sub.as_deref().unwrap_or("nobody"));
                asks.push(Ask::Http(method, path.clone()));
                asks.push(Ask::Http(method, format!("{path}/")));
            }
        }
        let credential = Credential::of(&token);
        let held = Held {
            table,
            token: &token,
            credential: &credential,
            kind: Kind::RestRequest,
            asks: &asks,
            sent: 5,
            readings: RefCell::default(),
        };
        held.covers_the_token(&stage, &mut crate::agreement::Tally::default())
            .unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[track_caller]
fn is_refused(table: &Table, keys: [&str; 2]) {
    let Err(faults) = Stage::start(table) else { panic!("accepted:\n{}", table.yaml()) };
    let text = faults.to_string();
    for key in keys {
        assert!(text.contains(key), "{text}\ndoes not name `{key}`");
    }
}

const AROUND: [&str; 14] = [
    "/",
    "/items",
    "/items/7",
    "/items/7/8",
    "/users",
    "/users/{sub}",
    "/users/bob",
    "/users/{sub}/orders",
    "/users/bob/orders",
    "/users/{sub}/orders/7",
    "/admin",
    "/admin/reports",
    "/orders/users",
    "/item",
];

#[test]
fn routes_apart_from_each_other_need_nothing() {
    agrees(
        &table(vec![
            ("GET /items", scope("read")),
            ("POST /items", scope("write")),
            ("GET /items/{id}", scope("read")),
            ("ANY /admin/{proxy+}", group("admin")),
            ("GET /users", free()),
        ]),
        &AROUND,
    );
}

#[test]
fn a_route_that_api_gateway_runs_before_the_tables_choice_asks_for_no_more() {
    let paths = ["/public/admin", "/public/other", "/acme/admin", "/public/admin/x", "/a/b", "/a/c", "/c/b"];
    let [admin, any] = ["GET /{tenant}/admin", "GET /public/{proxy+}"];
    for (stricter, wider) in
        [(group("admin"), free()), (group("admin"), scope("read")), (own("tenant"), free()), (live(free()), free())]
    {
        is_refused(&with_implicit_deny(table(vec![(admin, stricter), (any, wider)])), [admin, any]);
    }
    is_refused(
        &with_implicit_deny(table(vec![("GET /a/{x}", free()), ("GET /{y}/b", group("admin"))])),
        ["GET /a/{x}", "GET /{y}/b"],
    );
    agrees(&with_implicit_deny(table(vec![(admin, free()), (any, group("admin"))])), &paths);
    agrees(&with_implicit_deny(table(vec![(admin, group("admin")), (any, live(free()))])), &paths);
    agrees(
        &with_implicit_deny(table(vec![(admin, group("admin")), (any, free()), ("GET /public/admin", free())])),
        &paths,
    );
}

#[test]
fn the_table_of_the_readme_needs_silence_to_be_enough() {
    let readme = table(vec![
        ("GET /items", scope("read")),
        ("POST /items", scope("write")),
        ("ANY /users/{user_id}/{proxy+}", either(vec![own("user_id"), group("admin")])),
        ("ANY /admin/{proxy+}", live(group("admin"))),
        ("$connect", free()),
    ]);
    is_refused(&readme, ["ANY /users/{user_id}/{proxy+}", "implicit_deny"]);
    agrees(&with_implicit_deny(readme), &AROUND);
}

#[test]
fn a_stricter_literal_beside_a_parameter_is_denied() {
    let table = table(vec![("GET /users/{id}", free()), ("GET /users/admin", group("admin"))]);
    agrees(&table, &["/users/admin", "/users/bob", "/users/adminx", "/users/xadmin", "/users", "/users/admin/x"]);
}

#[test]
fn what_escapes_make_unsafe_is_denied_by_a_policy_that_is_cached() {
    // To who decodes early, `/users/%3f` is the list, and `/users/%c0%ae` too.
    let table = table(vec![("GET /users", group("admin")), ("GET /users/{id}", free())]);
    let stage = Stage::start(&table).unwrap();
    let token = users().pop().unwrap();
    let at = |path: &str| Ask::Http("GET", path.to_owned());
    let Ok(Answer::Policy(answer)) = stage.ask(Kind::RestRequest, &at("/users/7"), &Credential::of(&token)) else {
        panic!("no policy")
    };
    let is_allowed =
        |path: &str| answer.policy.evaluate(Call { arn: &stage::arn(&at(path)), now: stage::now() }) == Outcome::Allow;
    let overlong = ["%c0%ae", "%C0%AF", "%c1%9c", "%C1%81", "%e0%80%af", "%E0%80%AE", "%f0%80%80%af", "%F0%80%80%AE"];
    let odd = ["%u002e", "%U002f", "%uff0e", "%c2%85", "%C2%9F", "%c2%80", "%25%32%65", "%252e"];
    let of_ascii = (0..0x80).flat_map(|byte| [format!("%{byte:02x}"), format!("%{byte:02X}")]);
    let mut unsafe_ones = 0;
    for escape in overlong.into_iter().chain(odd).map(str::to_owned).chain(of_ascii) {
        for path in [format!("/users/{escape}"), format!("/users/a{escape}"), format!("/users/{escape}a/")] {
            if matches!(model::judge(&table, &token, &at(&path)), Verdict::Unsafe) {
                unsafe_ones += 1;
                assert!(!is_allowed(&path), "{path}");
            }
        }
    }
    assert!(unsafe_ones > 200, "{unsafe_ones}");
    for path in
        ["7", "%20", "a%3Ab", "a%40b", "a%2Bb", "a%7cb", "%C3%A9", "%c3%bf", "%d0%84", "%E2%80%99", "%f0%9f%92%a5"]
    {
        assert!(is_allowed(&format!("/users/{path}")), "{path}");
    }
}

#[test]
fn a_stricter_method_is_denied() {
    let table = table(vec![("ANY /items", free()), ("DELETE /items", group("admin")), ("GET /items/{id}", free())]);
    agrees(&table, &AROUND);
}

#[test]
fn literals_that_begin_alike_are_told_apart() {
    let table = table(vec![
        ("GET /a", group("admin")),
        ("GET /ab", free()),
        ("GET /a-b", scope("read")),
        ("GET /a/b", free()),
        ("GET /b", scope("write")),
    ]);
    agrees(&table, &["/", "/a", "/ab", "/a-b", "/a/b", "/b", "/aa", "/a/b/c", "/abb", "/a/ab"]);
}

#[test]
fn everything_but_what_lies_below_one_place() {
    let table =
        table(vec![("ANY /{proxy+}", free()), ("ANY /admin/{proxy+}", group("admin")), ("ANY /admin", group("admin"))]);
    agrees(&table, &["/", "/x", "/x/y/z", "/admin", "/admin/x", "/admin/x/y", "/adminx", "/x/admin", "/admi/n"]);
}

#[test]
fn the_default_route_is_everything_else() {
    agrees(&table(vec![("$default", free()), ("GET /items", group("admin"))]), &AROUND);
    let strict = table(vec![("$default", group("admin")), ("GET /items", free())]);
    is_refused(&strict, ["GET /items", "$default"]);
    agrees(&with_implicit_deny(strict), &AROUND);
}

#[test]
fn a_stricter_route_around_an_allowed_one_needs_silence() {
    let around = table(vec![("GET /users/{id}", group("admin")), ("GET /users/{id}/orders", free())]);
    is_refused(&around, ["GET /users/{id}", "GET /users/{id}/orders"]);
    agrees(&with_implicit_deny(around), &AROUND);
}

#[test]
fn a_stricter_parameter_within_a_greedy_route_cannot_be_said() {
    // A Deny of `/a/?*` would also deny `/a/x/y`, which everybody may use.
    let within = table(vec![("GET /{proxy+}", free()), ("GET /a/{id}", group("admin"))]);
    is_refused(&within, ["GET /{proxy+}", "GET /a/{id}"]);
    is_refused(&with_implicit_deny(within), ["GET /{proxy+}", "GET /a/{id}"]);
}

#[test]
fn one_s_own_place_is_a_name_and_never_a_pattern() {
    let own_place = with_implicit_deny(table(vec![("ANY /users/{id}", own("id")), ("GET /users", free())]));
    let paths = ["/users", "/users/{sub}", "/users/bob", "/users/a", "/users/ab", "/users/bob/x", "/users/{sub}/x"];
    agrees(&own_place, &paths);
    is_refused(&table(vec![("ANY /users/{id}", own("id"))]), ["ANY /users/{id}", "implicit_deny"]);
}

#[test]
fn one_s_own_place_is_as_deep_as_its_parameter_may_be() {
    let own_files = with_implicit_deny(table(vec![("GET /files/{path+}", own("path")), ("GET /files", free())]));
    agrees(&own_files, &["/files", "/files/{sub}", "/files/a", "/files/a/b", "/files/b", "/files/{sub}/x"]);
}

#[test]
fn what_lies_below_one_s_own_place_is_no_route() {
    let own_items = table(vec![("GET /{user}/{item}", own("user")), ("GET /items", free())]);
    agrees(&with_implicit_deny(own_items), &["/items", "/{sub}/7", "/{sub}/7/8", "/{sub}/7/8/9", "/bob/7", "/bob/7/8"]);
}

#[test]
fn a_path_too_long_for_a_policy_is_denied_where_it_is_asked_for() {
    let long = format!("/a/{}", "x".repeat(600));
    agrees(&table(vec![("GET /{a}/{b}", free())]), &[&long]);
}

#[test]
fn one_s_own_place_beside_everybodys() {
    let beside = with_implicit_deny(table(vec![
        ("GET /users/{id}", own("id")),
        ("GET /users/{id}/orders", own("id")),
        ("GET /items/{id}", free()),
    ]));
    agrees(&beside, &AROUND);
    // `/?*` crosses into `/users/bob`, which a Deny cannot take back without `/users/alice`.
    let within = with_implicit_deny(table(vec![("GET /users/{id}", own("id")), ("GET /{section}", free())]));
    is_refused(&within, ["GET /users/{id}", "GET /{section}"]);
}

#[test]
fn a_stricter_place_within_one_s_own_is_refused_at_start_and_not_later() {
    // Who has no scope `write` may use `/alice/?*` but not `/alice/a`, and no pattern of the table denies the latter alone.
    let stricter = Needs { sub_is: Some(Bound::To("user".to_owned())), ..scope("write") };
    let table = with_implicit_deny(table(vec![("ANY /{user}/{rest+}", own("user")), ("GET /{user}/a", stricter)]));
    is_refused(&table, ["ANY /{user}/{rest+}", "GET /{user}/a"]);
}

#[test]
fn an_escape_that_only_the_rules_can_allow_gets_the_policy_of_every_other_request() {
    agrees(&table(vec![("GET /a", free()), ("GET /", free())]), &["/a", "/%61", "/", "/a/"]);
}

#[test]
fn what_stands_before_a_fragment_is_another_route_to_who_makes_a_url_of_the_path() {
    agrees(&table(vec![("GET /{a}", free()), ("GET /", group("admin"))]), &["/", "/x", "/%23x", "/x%23", "/%23"]);
}

#[test]
fn the_policy_of_who_has_nothing_is_measured_at_start_too() {
    // Each Deny of a parameter is written for both readings of a colon.
    let large = table(vec![
        ("GET /{p0}/ab/a/{p3}", free()),
        ("ANY /{p0}/a", free()),
        ("GET /{p0}", free()),
        ("GET /ab/{rest1+}", group("team")),
        ("ANY /a/a/{p2}", scope("write")),
    ]);
    let faults = Stage::start(&large).err().map(|faults| faults.to_string()).unwrap_or_default();
    assert!(faults.contains("8 KB") || faults.contains("bytes"), "{faults}");
}

/// The policy that a user without rights gets, held against each path: whether it allows it, and whether it does where
/// wildcards end at colons.
fn cached(table: &Table, token: &Token, paths: &[&str]) -> Vec<(bool, bool)> {
    let stage = Stage::start(table).unwrap_or_else(|faults| panic!("refused:\n{}\n{faults}", table.yaml()));
    let nowhere = Ask::Http("GET", "/nowhere-at-all".to_owned());
    let Ok(Answer::Policy(answer)) = stage.ask(Kind::RestRequest, &nowhere, &Credential::of(token)) else {
        panic!("no policy")
    };
    let of = |path: &&str| {
        let arn = stage::arn(&Ask::Http("GET", (*path).to_owned()));
        let call = Call { arn: &arn, now: stage::now() };
        let is_allow = |outcome| outcome == Outcome::Allow;
        (is_allow(answer.policy.evaluate(call)), is_allow(answer.policy.evaluate_within_colons(call)))
    };
    paths.iter().map(of).collect()
}

#[track_caller]
fn none_is_allowed(table: &Table, token: &Token, paths: &[&str]) {
    for (path, allowed) in paths.iter().zip(cached(table, token, paths)) {
        assert_eq!(allowed, (false, false), "{path:?} in\n{}", table.yaml());
    }
}

fn alice() -> Token {
    users().pop().unwrap()
}

#[test]
fn dots_beside_blanks_and_fragments_are_denied_by_a_policy_that_is_cached() {
    let table = table(vec![("GET /public/{p+}", free()), ("ANY /admin/{p+}", group("admin"))]);
    none_is_allowed(
        &table,
        &alice(),
        &[
            "/public/..%20/admin/x",
            "/public/%20../admin/x",
            "/public/.%20/x",
            "/public/%20%20../admin/x",
            "/public/.. /admin/x",
            "/public/ ../admin/x",
            "/public/   .. /admin/x",
            "/public/. /x",
            "/public/..#/admin/x",
            "/public/x#/../../admin/x",
            "/public/..%23/admin/x",
            "/public/..\u{a0}/admin/x",
            "/public/\u{ff0e}\u{ff0e}/admin/x",
            "/public/..;/admin/x",
        ],
    );
    assert_eq!(cached(&table, &alice(), &["/public/a b/.well-known", "/public/ "]), [(true, true); 2]);
}

#[test]
fn unsafe_paths_with_colons_are_denied_whichever_way_wildcards_are_read() {
    let table = table(vec![("GET /{p+}", free()), ("ANY /admin/{p+}", group("admin"))]);
    none_is_allowed(
        &table,
        &alice(),
        &[
            "/x:y/../admin/z",
            "/x:y/..",
            "/x:y//admin/z",
            "/x:y/z:/./admin/z",
            "/x:y/..;/admin/z",
            "/x:y/.. /admin/z",
            "/x:y/..#/admin/z",
            "/x:y\\..\\admin",
            "/x:y/%2e%2e/admin/z",
            "/x/..%c2%a0/admin/x",
            "/x/..%E3%80%80/admin/x",
            "/admin/x:y",
            "/admin/x:y/z",
        ],
    );
    assert_eq!(cached(&table, &alice(), &["/x:y", "/x:y/z:w"]), [(true, true); 2]);
}

#[test]
fn what_some_backends_take_for_a_denied_route_is_denied_by_a_policy_that_is_cached() {
    for open in ["GET /{x}", "$default"] {
        let routes = vec![(open, free()), ("GET /admin", group("admin"))];
        none_is_allowed(
            &table(routes),
            &alice(),
            &[
                "/admin#x",
                "/admin%23x",
                "/admin;x",
                "/admin.json",
                "/admin.tar.gz",
                "/admin.",
                "/admin..",
                "/admin. .",
                "/admin ",
                "/ admin",
                "/admin%20",
                "/admin.json/",
                "/admin\u{a0}",
                "/admin%c2%a0",
                "/%EF%BD%81dmin",
                "/%61dmin",
            ],
        );
    }
    let beside = table(vec![("GET /{x}", free()), ("GET /admin", group("admin"))]);
    assert_eq!(cached(&beside, &alice(), &["/report.json", "/administrators", "/x.admin"]), [(true, true); 3]);
    let below = table(vec![("GET /{x+}", free()), ("GET /admin/{x}", group("admin"))]);
    is_refused(&below, ["GET /{x+}", "GET /admin/{x}"]);
    let below = table(vec![("GET /{x+}", free()), ("GET /admin/{x+}", group("admin"))]);
    none_is_allowed(
        &below,
        &alice(),
        &["/admin./x", "/admin /x", "/admin;/x", "/ admin/x", "/admin. /x", "/admin.#/x"],
    );
}

#[test]
fn a_name_with_a_fragment_is_no_place_of_its_own() {
    let table = with_implicit_deny(table(vec![("GET /users/{id}", own("id"))]));
    for name in ["alice#bob", "alice#", "alice.", "alice ", "alice\u{a0}", "\u{ff41}lice"] {
        let token = Token { sub: Some(name.to_owned()), ..alice() };
        none_is_allowed(&table, &token, &[&format!("/users/{name}"), "/users/alice"]);
    }
    let token = Token { sub: Some("e\u{301}".to_owned()), ..alice() };
    none_is_allowed(&table, &token, &["/users/e\u{301}", "/users/\u{e9}"]);
    let token = Token { sub: Some("\u{e9}".to_owned()), ..alice() };
    assert_eq!(cached(&table, &token, &["/users/e\u{301}", "/users/\u{e9}"]), [(false, false), (true, true)]);
}

#[test]
fn a_route_that_is_written_with_its_format_is_no_other_routes() {
    let written = || vec![("GET /files/{name}", free()), ("GET /files/report.json", free())];
    let paths = ["/files/report.json", "/files/report", "/files/other.json", "/files/report.json.gz"];
    agrees(&table(written()), &paths);
    // `/files/report.xml` would have to be denied, and `/files/report.json` allowed.
    let beside = written().into_iter().chain([("GET /files/report", group("admin"))]).collect();
    is_refused(&table(beside), ["GET /files/report.json", "GET /files/report"]);
}

#[test]
fn a_route_that_would_be_denied_as_another_name_of_a_stricter_one_is_refused_at_start() {
    let admin = || group("admin");
    for (routes, keys) in [
        (
            vec![("$default", free()), ("ANY /v1/{p+}", admin()), ("ANY /v1.1/{p+}", free())],
            ["ANY /v1.1/{p+}", "ANY /v1/{p+}"],
        ),
        (vec![("$default", free()), ("ANY /v1/{p+}", admin()), ("ANY /v1.1", free())], ["ANY /v1.1", "ANY /v1/{p+}"]),
        (vec![("GET /{x}", free()), ("GET /my", admin()), ("GET /my docs", free())], ["GET /my docs", "GET /my"]),
        (vec![("GET /{x}", free()), ("GET /my", admin()), ("GET /my;docs", free())], ["GET /my;docs", "GET /my"]),
        (vec![("GET /{x}", free()), ("GET /my", admin()), ("POST /a/my docs", free())], ["POST /a/my docs", "GET /my"]),
        (vec![("GET /{x}", free()), ("GET /my", admin()), ("POST / docs", free())], ["POST / docs", "GET /my"]),
    ] {
        is_refused(&table(routes), keys);
    }
    // Nothing overlaps the stricter route, who misses it misses the other too, or the names differ otherwise.
    for routes in [
        vec![("ANY /v1/{p+}", admin()), ("ANY /v1.1/{p+}", free())],
        vec![("$default", free()), ("ANY /v1/{p+}", admin()), ("ANY /v1.1/{p+}", admin())],
        vec![("$default", free()), ("ANY /v1/{p+}", admin()), ("ANY /v11/{p+}", free())],
        vec![("GET /{x}", free()), ("GET /my", admin()), ("GET /mydocs", free())],
    ] {
        agrees(&table(routes), &["/v1/a", "/v1.1/a", "/v11/a", "/my", "/mydocs", "/x"]);
    }
}

#[test]
fn a_route_that_is_denied_for_want_of_room_is_refused_at_start() {
    const REPORTS: [&str; 8] = [
        "POST /adm/report0",
        "POST /adm/report1",
        "POST /adm/report2",
        "POST /adm/report3",
        "POST /adm/report4",
        "POST /adm/report5",
        "POST /adm/report6",
        "POST /adm/report7",
    ];
    let beside = |count: usize, key: &'static str| {
        let mut routes: Vec<_> = REPORTS[..count].iter().map(|key| (*key, group("admin"))).collect();
        routes.extend([("POST /{t}/{x}", free()), (key, free())]);
        table(routes)
    };
    is_refused(&beside(8, "GET /files/report1.csv"), ["GET /files/report1.csv", "POST /adm/report1"]);
    is_refused(&beside(8, "GET /a b"), ["GET /a b", "POST /adm/report0"]);
    is_refused(&beside(8, "GET /a./b"), ["GET /a./b", "POST /adm/report0"]);
    agrees(&beside(8, "GET /files/report.csv"), &["/files/report.csv", "/adm/report1", "/adm/x"]);
    agrees(&beside(2, "GET /files/report1.csv"), &["/files/report1.csv", "/adm/report1", "/adm/x"]);
    agrees(&beside(2, "GET /a b"), &["/a b", "/adm/report1", "/adm/x"]);
}
