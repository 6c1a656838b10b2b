//! Thousands of random requests: the policies of the zip and the same policies in a store never disagree.

use serde_json::{Map, Value, json};

use crate::asked::{Asked, token};
use crate::events::Kind;
use crate::stage::{Example, named};
use crate::tokens::Token;
use crate::verdict::Cases;

const REQUESTS: usize = 3000;
/// Tokens are signed, which costs more than the rest.
const TOKENS: usize = 150;

/// xorshift64*: the same requests on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

fn random_token(random: &mut Random) -> Token {
    let mut claims = Map::new();
    let machine = random.below(5) == 0;
    if !machine {
        claims.insert("sub".to_owned(), random.one_of(&[json!("ana"), json!("ana"), json!("ben"), json!("acme|ana")]));
    }
    let odd = [json!(null), json!(7), json!(["acme"]), json!({ "acme": true }), json!(""), json!(true)];
    for (name, usual) in [
        ("tenant", vec![json!("acme"), json!("acme"), json!("acme"), json!("globex")]),
        ("cognito:groups", vec![json!([]), json!(["admin"]), json!(["viewer", "admin"]), json!(["adm|in", "Admin"])]),
        ("scope", vec![json!("documents/publish"), json!("documents/read documents/publish"), json!("documents")]),
        ("access_until", vec![json!(1), json!(4_102_444_800_u64), json!(i64::MAX), json!(i64::MIN), json!("2100")]),
    ] {
        match random.below(12) {
            0..4 => {}
            // Groups and scopes of another type are no tokens of Cognito's.
            4 if !["cognito:groups", "scope"].contains(&name) => {
                claims.insert(name.to_owned(), random.one_of(&odd));
            }
            _ => {
                claims.insert(name.to_owned(), random.one_of(&usual));
            }
        }
    }
    token(&Value::Object(claims), machine)
}

fn random_request(random: &mut Random) -> Asked {
    let method = random.one_of(&["GET", "GET", "PUT", "PUT", "DELETE", "POST", "PATCH", "HEAD"]);
    let owner = random.one_of(&["ana", "ana", "ben", "an%61", "admin"]);
    let tenant = random.one_of(&["acme", "acme", "acme", "globex"]);
    let place = random.one_of(&["documents", "documents", "archive"]);
    let publish = if method == "POST" { "/publish" } else { "" };
    let query = random.one_of(&["", "", "", "?draft=1", "?draft=1&draft=1", "?draft=1&draft=2", "?page=2", "?a=1&b=2"]);
    let path = format!("/tenants/{tenant}/{place}/{owner}/7{publish}{query}");
    let source_ip =
        random.one_of(&["192.0.2.1", "192.0.2.255", "192.0.3.0", "2001:db8::1", "::ffff:192.0.2.9", "odd", ""]);
    let kind = random.one_of(&[Kind::RestToken, Kind::RestRequest, Kind::Http1, Kind::Http2]);
    Asked::new(method, &path).kind(kind).from(source_ip)
}

#[test]
fn policies_here_and_in_a_store_decide_the_same() {
    let example = Example::start();
    let cases = Cases::default();
    let mut random = Random(0x5DEE_CE66);
    let tokens: Vec<(Token, String)> = (0..TOKENS)
        .map(|_| {
            let token = random_token(&mut random);
            let text = token.text();
            (token, text)
        })
        .collect();
    let (mut allowed, mut refused, mut erred) = (0, 0, 0);
    for _ in 0..REQUESTS {
        let (token, text) = &tokens[random.below(TOKENS)];
        let asked = random_request(&mut random);
        let event = asked.event(text);
        let (local, remote) = (example.local.ask(&event), example.remote.ask(&event));
        let what = format!("{asked:?} with {}", token.payload_json());
        cases.equal(
            format!("{what}: errors"),
            named(&local, "policy_errors").len(),
            named(&remote, "policy_errors").len(),
        );
        cases.equal(format!("{what}: policies"), named(&local, "policies").len(), named(&remote, "policies").len());
        cases.equal(what, local.outcome(), remote.outcome());
        match local.outcome() {
            "allow" => allowed += 1,
            _ => refused += 1,
        }
        erred += usize::from(named(&local, "policy_errors") == ["until-a-date"]);
    }
    // Requests that only ever get one answer would show nothing.
    cases.is(
        format!("{allowed} allowed, {refused} refused, {erred} with a policy that erred"),
        allowed > 200 && refused > 200 && erred > 50,
    );
}
