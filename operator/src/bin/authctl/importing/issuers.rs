//! Who issues the tokens that authorizers take, as the section `issuers` has them, and what a rule must name so that it
//! takes those of its own authorizer alone.

use super::found::{Found, FoundAuthorizer, Scopes, Tokens};
use super::yaml::Yaml;
use crate::template::{USER_POOL, Value};
use cognito_authorizer::live::UserPool;
use cognito_authorizer_operator::revoking::printable;
use std::collections::BTreeSet;

/// The issuers of a file, and which authorizer takes whose tokens.
#[derive(Debug, Default)]
pub(super) struct Issuers {
    pub(super) list: Vec<Issuer>,
    taken: Vec<(String, Taken)>,
}

/// One entry of `issuers`.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) comments: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Cognito {
        /// The id, or a placeholder.
        pool: String,
        /// Where it is not the one that follows from the id.
        issuer: Option<String>,
        client_ids: Terms,
        token_uses: BTreeSet<Use>,
    },
    Oidc {
        issuer: String,
        audience: Terms,
    },
}

/// Cognito's kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Access,
    Id,
}

/// What one authorizer takes.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// Positions of issuers, and the clients or audiences of each.
    from: Vec<(usize, Terms)>,
    /// A REST API's authorizer for user pools takes access tokens where scopes are asked for, else ID tokens.
    is_of_rest: bool,
    is_described: bool,
}

/// Client ids or audiences: texts, and placeholders that may stand for several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    texts: Vec<String>,
    placeholders: Vec<String>,
}

impl Terms {
    fn add(&mut self, other: &Terms) {
        for text in &other.texts {
            if !self.texts.contains(text) {
                self.texts.push(text.clone());
            }
        }
        for placeholder in &other.placeholders {
            if !self.placeholders.contains(placeholder) {
                self.placeholders.push(placeholder.clone());
            }
        }
    }

    /// A list; beside placeholders one text, in which each may stand for several.
    pub(super) fn yaml(&self) -> Yaml {
        if self.placeholders.is_empty() {
            return Yaml::texts(&self.texts);
        }
        let all: Vec<&str> = self.texts.iter().chain(&self.placeholders).map(String::as_str).collect();
        Yaml::Text(all.join(", "))
    }
}

impl Issuer {
    /// Where no authorizer names an issuer, and the file must have one all the same.
    pub(super) fn of_nobody() -> Self {
        let client_ids = Terms { texts: Vec::new(), placeholders: vec!["${CLIENT_IDS}".to_owned()] };
        Self {
            comments: vec!["No authorizer that was read names an issuer".to_owned()],
            kind: Kind::Cognito {
                pool: "${USER_POOL_ID}".to_owned(),
                issuer: None,
                client_ids,
                token_uses: BTreeSet::from([Use::Access]),
            },
        }
    }

    /// How a rule names it.
    fn name(&self) -> String {
        match &self.kind {
            Kind::Cognito { issuer: Some(issuer), .. } | Kind::Oidc { issuer, .. } => issuer.clone(),
            Kind::Cognito { pool, .. } => UserPool::parse(pool).map_or_else(|| pool.clone(), |pool| pool.issuer()),
        }
    }
}

impl Issuers {
    pub(super) fn of(found: &Found) -> Self {
        let mut building = Building { issuers: Self::default(), identities: Vec::new(), placeholders: Vec::new() };
        for authorizer in &found.authorizers {
            building.add(authorizer);
        }
        let mut issuers = building.issuers;
        issuers.find_token_uses(found);
        issuers.name_unknown_pools();
        issuers
    }

    pub(super) fn taken(&self, authorizer: &str) -> Option<Taken> {
        self.taken.iter().find(|(name, _)| name == authorizer).map(|(_, taken)| taken.clone())
    }

    /// What a rule must say beside its scopes so that it takes no more than its authorizer.
    pub(super) fn restrictions(&self, taken: &Taken, scopes: &Scopes) -> Vec<(String, Yaml)> {
        let mut entries = Vec::new();
        let own: Vec<&Issuer> = taken.from.iter().filter_map(|(index, _)| self.list.get(*index)).collect();
        if own.len() < self.list.len() {
            let names: Vec<String> = own.iter().map(|issuer| issuer.name()).collect();
            entries.push(("issuers".to_owned(), Yaml::texts(&names)));
        }
        let (mut clients, mut audience, mut narrower) = (Terms::default(), Terms::default(), (false, false));
        let mut uses = BTreeSet::new();
        for (index, terms) in &taken.from {
            match self.list.get(*index).map(|issuer| &issuer.kind) {
                Some(Kind::Cognito { client_ids, token_uses, .. }) => {
                    clients.add(terms);
                    narrower.0 |= client_ids != terms;
                    uses.extend(token_uses);
                }
                Some(Kind::Oidc { audience: all, .. }) => {
                    audience.add(terms);
                    narrower.1 |= all != terms;
                }
                None => {}
            }
        }
        if narrower.0 {
            entries.push(("client_ids".to_owned(), clients.yaml()));
        }
        let needed = taken.uses(scopes);
        if !uses.is_empty() && uses != needed {
            let names: Vec<String> = needed.iter().map(|one| one.name().to_owned()).collect();
            entries.push(("token_use".to_owned(), Yaml::one_or_list(&names)));
        }
        if narrower.1 {
            let all: Vec<String> = audience.texts.iter().chain(&audience.placeholders).cloned().collect();
            entries.push(("claims".to_owned(), Yaml::Map(vec![("aud".to_owned(), Yaml::texts(&all))])));
        }
        entries
    }

    /// A pool takes the kinds of tokens that some route asks for.
    fn find_token_uses(&mut self, found: &Found) {
        for route in &found.routes {
            let super::found::Asks::Token(ways) = &route.asks else { continue };
            for way in ways {
                let Some(taken) = self.taken(&way.authorizer) else { continue };
                for (index, _) in &taken.from {
                    if let Some(Issuer { kind: Kind::Cognito { token_uses, .. }, .. }) = self.list.get_mut(*index) {
                        token_uses.extend(taken.uses(&way.scopes));
                    }
                }
            }
        }
        for issuer in &mut self.list {
            if let Kind::Cognito { token_uses, .. } = &mut issuer.kind
                && token_uses.is_empty()
            {
                token_uses.insert(Use::Access);
            }
        }
    }

    /// Among several issuers a rule names its own: one that follows from a placeholder has no name before.
    fn name_unknown_pools(&mut self) {
        if self.list.len() < 2 {
            return;
        }
        for issuer in &mut self.list {
            if let Kind::Cognito { pool, issuer: name @ None, .. } = &mut issuer.kind
                && let Some(rest) = pool.strip_prefix("${USER_POOL_ID")
            {
                *name = Some(format!("${{USER_POOL_ISSUER{rest}"));
                issuer.comments.push("The rules name it: https://cognito-idp.<Region>.amazonaws.com/<pool>".to_owned());
            }
        }
    }
}

impl Taken {
    fn uses(&self, scopes: &Scopes) -> BTreeSet<Use> {
        match scopes.names().is_empty() {
            // Only access tokens have scopes.
            false => BTreeSet::from([Use::Access]),
            true if self.is_of_rest => BTreeSet::from([Use::Id]),
            true if self.is_described => BTreeSet::from([Use::Access]),
            true => BTreeSet::from([Use::Access, Use::Id]),
        }
    }
}

impl Use {
    pub(super) fn name(self) -> &'static str {
        match self {
            Use::Access => "access",
            Use::Id => "id",
        }
    }
}

/// What makes two authorizers' issuers the same.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    Pool(String),
    /// By what names it in the file.
    UnknownPool(String),
    Oidc(String),
    UnknownOidc(String),
}

struct Building {
    issuers: Issuers,
    identities: Vec<Identity>,
    placeholders: Vec<(&'static str, usize)>,
}

impl Building {
    fn add(&mut self, authorizer: &FoundAuthorizer) {
        let (names, terms, is_of_rest) = match &authorizer.tokens {
            Tokens::Jwt { issuer, audience } => (vec![of_issuer(issuer)], Some(audience.as_slice()), false),
            Tokens::Cognito(pools) => (pools.iter().map(of_arn).collect(), None, true),
            Tokens::Described(Some(issuer)) => (vec![of_issuer(&Value::Known(issuer.clone()))], None, false),
            // Nothing says that two schemes have one issuer.
            Tokens::Described(None) => {
                (vec![Identity::UnknownOidc(format!("the scheme {}", authorizer.name))], None, false)
            }
        };
        let mut from: Vec<(usize, Terms)> = Vec::new();
        for identity in names {
            let index = self.position(identity.clone(), authorizer);
            let terms = self.terms(&identity, terms, authorizer, index);
            if let Some(issuer) = self.issuers.list.get_mut(index) {
                match &mut issuer.kind {
                    Kind::Cognito { client_ids, .. } => client_ids.add(&terms),
                    Kind::Oidc { audience, .. } => audience.add(&terms),
                }
            }
            if !from.iter().any(|(known, _)| *known == index) {
                from.push((index, terms));
            }
        }
        let is_described = matches!(authorizer.tokens, Tokens::Described(_));
        self.issuers.taken.push((authorizer.name.clone(), Taken { from, is_of_rest, is_described }));
    }

    /// The position of the issuer, which is added where it is new.
    fn position(&mut self, identity: Identity, authorizer: &FoundAuthorizer) -> usize {
        if let Some(known) = self.identities.iter().position(|known| *known == identity) {
            return known;
        }
        let mut comments = Vec::new();
        let cognito = |pool: String, issuer: Option<String>| Kind::Cognito {
            pool,
            issuer,
            client_ids: Terms::default(),
            token_uses: BTreeSet::new(),
        };
        let kind = match &identity {
            Identity::Pool(issuer) => match UserPool::of_issuer(issuer) {
                Some(pool) => cognito(pool.id().to_owned(), (pool.issuer() != *issuer).then(|| issuer.clone())),
                None => Kind::Oidc { issuer: issuer.clone(), audience: Terms::default() },
            },
            Identity::UnknownPool(expression) => {
                comments.push(format!("{}: its id is not in the file", printable(expression)));
                cognito(self.placeholder("USER_POOL_ID"), None)
            }
            Identity::Oidc(issuer) => Kind::Oidc { issuer: issuer.clone(), audience: Terms::default() },
            Identity::UnknownOidc(expression) => {
                comments.push(format!("{}: its issuer is not in the file", printable(expression)));
                Kind::Oidc { issuer: self.placeholder("ISSUER"), audience: Terms::default() }
            }
        };
        let place = authorizer.place;
        comments.insert(0, format!("`{}`, line {}", printable(&authorizer.name), place.line));
        self.identities.push(identity);
        self.issuers.list.push(Issuer { comments, kind });
        self.issuers.list.len() - 1
    }

    /// The clients of a pool, or the audiences of another issuer, that the authorizer names.
    fn terms(
        &mut self,
        identity: &Identity,
        named: Option<&[Value]>,
        authorizer: &FoundAuthorizer,
        index: usize,
    ) -> Terms {
        let is_pool = matches!(identity, Identity::Pool(_) | Identity::UnknownPool(_));
        let known = named
            .filter(|named| !named.is_empty())
            .and_then(|named| named.iter().map(plain_term).collect::<Option<Vec<_>>>());
        if let Some(texts) = known {
            return Terms { texts, placeholders: Vec::new() };
        }
        let why = match (named, is_pool) {
            (None, true) if matches!(authorizer.tokens, Tokens::Cognito(_)) => {
                "the authorizer takes tokens of every client of the pool: name those that may"
            }
            (_, true) => "its clients are not in the file",
            (_, false) => "its audience is not in the file",
        };
        let comment = format!("`{}`: {why}", printable(&authorizer.name));
        let placeholder = self.placeholder(if is_pool { "CLIENT_IDS" } else { "AUDIENCE" });
        if let Some(issuer) = self.issuers.list.get_mut(index) {
            issuer.comments.push(comment);
        }
        Terms { texts: Vec::new(), placeholders: vec![placeholder] }
    }

    /// `${NAME}`, then `${NAME_2}` and so on.
    fn placeholder(&mut self, name: &'static str) -> String {
        let count = match self.placeholders.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.placeholders.push((name, 1));
                1
            }
        };
        if count == 1 { format!("${{{name}}}") } else { format!("${{{name}_{count}}}") }
    }
}

fn of_issuer(issuer: &Value) -> Identity {
    match issuer {
        Value::Known(name) if UserPool::of_issuer(name).is_some() => Identity::Pool(name.clone()),
        Value::Known(name) if is_plain_issuer(name) => Identity::Oidc(name.clone()),
        Value::Known(name) => Identity::UnknownOidc(format!("\"{name}\"")),
        Value::Unknown(expression) if expression.starts_with(USER_POOL) || expression.contains("cognito-idp") => {
            Identity::UnknownPool(expression.clone())
        }
        Value::Unknown(expression) => Identity::UnknownOidc(expression.clone()),
    }
}

/// `arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbCdEf123`
fn of_arn(arn: &Value) -> Identity {
    match arn {
        Value::Known(arn) => match arn.rsplit_once(":userpool/").and_then(|(_, id)| UserPool::parse(id)) {
            Some(pool) => Identity::Pool(pool.issuer()),
            None => Identity::UnknownPool(format!("\"{arn}\"")),
        },
        Value::Unknown(expression) => Identity::UnknownPool(expression.clone()),
    }
}

/// An address, which a configuration takes letter for letter.
fn is_plain_issuer(name: &str) -> bool {
    name.starts_with("https://")
        && !name.contains(['{', '}', '*', '$'])
        && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A client or an audience that stands for nothing but itself in a configuration: no list, pattern or keyword.
fn plain_term(value: &Value) -> Option<String> {
    let Value::Known(text) = value else { return None };
    let is_plain = !text.is_empty()
        && text != "none"
        && !text.contains("${")
        && !text.contains(['*', ','])
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| text.clone())
}
