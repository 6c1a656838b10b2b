//! What is attacked: the function with a Cognito pool and two OpenID providers, and a server of the attacker's.

use std::cell::Cell;

use serde_json::json;

use crate::events::Kind;
use crate::jwks_server::Site;
use crate::runtime_api::Function;
use crate::tokens::{CLIENT, Key, MACHINE, POOL, Token, cognito_jwks, jwk_set};
use crate::verdict::{Cases, Verdict};

/// An issuer that signs with every algorithm there is, and one with RS256 and a key of its own alone.
pub(crate) const EVERY: &str = "https://login.example.com/tenant/v2.0";
pub(crate) const OTHER: &str = "https://other.example.com";

pub(crate) struct Target {
    pub(crate) function: Function,
    /// Holds a set with the attacker's key, under its own name and under that of a trusted one.
    attacker: Site,
    cases: Cases,
    asked: Cell<usize>,
    _keys: Site,
}

impl Target {
    #[track_caller]
    pub(crate) fn stand() -> Target {
        let keys = Site::with_keys(&cognito_jwks());
        let every = [Key::RsaA, Key::RsaB, Key::P256, Key::P384, Key::P521, Key::Ed25519];
        keys.page("/every.json", crate::jwks_server::Page::json(&jwk_set(&every.map(Key::jwk))));
        keys.page("/other.json", crate::jwks_server::Page::json(&jwk_set(&[Key::Rsa4096.jwk()])));
        let (cognito, every, other) = (keys.url("/jwks.json"), keys.url("/every.json"), keys.url("/other.json"));
        let attacker = Site::with_keys(&jwk_set(&[ATTACKER.jwk(), ATTACKER.jwk_with(json!({ "kid": "rsa-a" }))]));
        let function = Function::start(&format!(
            "
issuers:
  - cognito: {{ user_pool_id: {POOL}, client_ids: [{CLIENT}, {MACHINE}], jwks_uri: \"{cognito}\" }}
  - oidc: {{ issuer: \"{EVERY}\", audience: api://orders, jwks_uri: \"{every}\", algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA] }}
  - oidc: {{ issuer: \"{OTHER}\", audience: api://orders, jwks_uri: \"{other}\" }}
routes: {{ $default: {{}}, $connect: {{}} }}
leeway: 0s
"
        ));
        let target = Target { function, attacker, cases: Cases::default(), asked: Cell::new(0), _keys: keys };
        target.expect("to begin with, a good token", Token::access().text(), "allow");
        target.expect("and one of the other kind of issuer", Token::oidc(EVERY).text(), "allow");
        target
    }

    /// The token in an event of the next kind, and what must come of it.
    #[track_caller]
    pub(crate) fn expect(&self, what: &str, token: impl AsRef<str>, code: &str) {
        let kind = Kind::ALL[self.asked.replace(self.asked.get() + 1) % Kind::ALL.len()];
        let verdict = self.ask(kind, token.as_ref());
        self.cases.check(format!("{what} ({})", kind.name()), &verdict, code);
    }

    /// The token in an event of each kind.
    #[track_caller]
    pub(crate) fn expect_of_all(&self, what: &str, token: &str, code: &str) {
        for kind in Kind::ALL {
            self.cases.check(format!("{what} ({})", kind.name()), &self.ask(kind, token), code);
        }
    }

    /// A URL of the attacker's.
    pub(crate) fn attackers_url(&self, path: &str) -> String {
        self.attacker.url(path)
    }

    /// Nothing was fetched that a token named.
    #[track_caller]
    pub(crate) fn expect_no_visit_to_the_attacker(&self) {
        self.cases.equal("visits to the attacker's server", self.attacker.all_visits(), 0);
    }

    #[track_caller]
    fn ask(&self, kind: Kind, token: &str) -> Verdict {
        self.function.ask(&kind.event("GET", "/items", &format!("Bearer {token}")))
    }
}

/// The key that the attacker holds: no issuer publishes it.
pub(crate) const ATTACKER: Key = Key::RsaC;
