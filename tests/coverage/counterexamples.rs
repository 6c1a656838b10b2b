//! Tables that everybody writes, and those that the properties found: each small, with the requests that matter, held to
//! the same properties as the random ones.

use crate::agreement::Held;
use crate::stage::{Credential, Kind, Stage};
use crate::tables::{Ask, Bound, Key, METHODS, Needs, Route, Settings, Table, Token};

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
    let settings =
        Settings { covers_token: true, implicit_deny: false, expires_with_token: false, denies_unauthorized: false };
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
    for odd in ["*", "a*", "?", "${aws:username}", "a/b", "", "..", "é", "a b", "a:b", "%61", "orders", "admin"] {
        users.push(sub(odd));
    }
    users.push(sub(&"x".repeat(450)));
    users.push(nobody);
    users
}

/// Every user and method on every path, before and after every other.
#[track_caller]
fn agrees(table: &Table, paths: &[&str]) {
    let stage = Stage::start(table).unwrap_or_else(|faults| panic!("refused:\n{}\n{faults}", table.yaml()));
    for token in users() {
        let mut asks: Vec<Ask> = Vec::new();
        for path in paths {
            for method in METHODS {
                let path = path.replace("{sub}", token.sub.as_deref().unwrap_or("nobody"));
                asks.push(Ask::Http(method, path.clone()));
                asks.push(Ask::Http(method, format!("{path}/")));
            }
        }
        let credential = Credential::of(&token);
        let held = Held { table, token: &token, credential: &credential, kind: Kind::RestRequest, asks: &asks };
        held.covers_the_token(&stage, &mut crate::agreement::Tally::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
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
