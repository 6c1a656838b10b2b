//! The local issuers: their discovery documents and keys, and what they, Cognito's API and the table of revocations say
//! of a persona's token when the function asks.

use super::project::Project;
use super::server::{Call, Reply, base};
use super::session::Session;
use super::tokens::{claims_of, persona_of};
use cognito_authorizer::config::Environment;
use cognito_authorizer::token::Expectations;
use cognito_authorizer_operator::workbench::{Live, Persona};
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// Answers what is asked of an issuer or of AWS.
pub(crate) fn answer(call: &Call, session: &Session) -> Reply {
    let project = match Project::load(&session.settings, &Environment::of_process()) {
        Ok(project) => project,
        Err(why) => return Reply::new(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", why),
    };
    let asked = Asked { call, session, project: &project };
    let reply = match (&call.method, call.path.as_str()) {
        (&Method::POST, "/") => asked.of_aws(),
        // The first issuer's, under the short address.
        (&Method::GET, path @ ("/.well-known/openid-configuration" | "/.well-known/jwks.json")) => {
            asked.of_issuer("0", path.strip_prefix('/').unwrap_or_default())
        }
        (_, path) => path
            .strip_prefix("/issuers/")
            .and_then(|rest| rest.split_once('/'))
            .and_then(|(index, rest)| asked.of_issuer(index, rest)),
    };
    reply.unwrap_or_else(|| Reply::refused(StatusCode::NOT_FOUND, "there is nothing here\n"))
}

struct Asked<'a> {
    call: &'a Call,
    session: &'a Session,
    project: &'a Project,
}

impl Asked<'_> {
    /// `None` where there is no such issuer or no such address of it.
    fn of_issuer(&self, index: &str, path: &str) -> Option<Reply> {
        let position: usize = index.parse().ok()?;
        let issuer = &*self.project.engine.config().issuers().get(position)?.expectations;
        match (&self.call.method, path) {
            (&Method::GET, ".well-known/openid-configuration") => Some(ok(&self.discovery(position, issuer))),
            (&Method::GET, "jwks.json" | ".well-known/jwks.json") => {
                Some(ok(&self.session.keys.jwk_set(issuer.algorithms)))
            }
            (&Method::POST, "introspect") => Some(self.introspection()),
            (&Method::GET, "userinfo") => Some(self.user_info()),
            _ => None,
        }
    }

    /// OpenID Connect Discovery 1.0, section 3.
    fn discovery(&self, position: usize, issuer: &Expectations) -> Value {
        let base = format!("{}/issuers/{position}", base(self.session.settings.port));
        let algorithms: Vec<&str> = issuer.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        json!({
            "issuer": &*issuer.issuer,
            "jwks_uri": format!("{base}/jwks.json"),
            "userinfo_endpoint": format!("{base}/userinfo"),
            "introspection_endpoint": format!("{base}/introspect"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
        })
    }

    /// RFC 7662 2.2.
    fn introspection(&self) -> Reply {
        let body = String::from_utf8_lossy(&self.call.body);
        // A token has no character that a form would escape.
        let token = body.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
        let persona = self.persona(token);
        match persona.map(|persona| (persona.live(), self.claims(token, persona))) {
            Some((Live::Good, mut claims)) => {
                claims.insert("active".to_owned(), json!(true));
                ok(&Value::Object(claims))
            }
            Some((Live::Outage, _)) => outage(),
            Some((Live::Revoked | Live::Inactive, _)) | None => ok(&json!({ "active": false })),
        }
    }

    /// OpenID Connect Core 1.0, 5.3.2 and 5.3.3.
    fn user_info(&self) -> Reply {
        let token = self.call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let token = token.unwrap_or_default();
        match self.persona(token).map(|persona| (persona.live(), self.claims(token, persona))) {
            Some((Live::Good, claims)) => ok(&json!({ "sub": claims.get("sub") })),
            Some((Live::Outage, _)) => outage(),
            Some((Live::Revoked | Live::Inactive, _)) | None => {
                Reply::json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }))
            }
        }
    }

    /// The operations that the function calls, by `X-Amz-Target`.
    fn of_aws(&self) -> Option<Reply> {
        let (_, operation) = self.call.header("x-amz-target")?.rsplit_once('.')?;
        let body: Value = serde_json::from_slice(&self.call.body).ok()?;
        match operation {
            "BatchGetItem" => self.batch_get_item(&body),
            "GetUser" => {
                let token = body.get("AccessToken")?.as_str()?;
                Some(match self.persona(token).map(Persona::live) {
                    Some(Live::Good) => ok(&user(&claims_of(token).unwrap_or_default(), true)),
                    Some(Live::Revoked) => aws_error("NotAuthorizedException", "Access Token has been revoked"),
                    Some(Live::Inactive) => aws_error("NotAuthorizedException", "User is disabled."),
                    Some(Live::Outage) => outage(),
                    None => aws_error("NotAuthorizedException", "Invalid Access Token"),
                })
            }
            // It does not say by which token: of a persona whose user has that name.
            "AdminGetUser" => {
                let username = body.get("Username")?;
                let of_name = |persona: &&Persona| {
                    self.project.claims(persona).is_ok_and(|claims| claims.get("username") == Some(username))
                };
                let persona = self.project.personas.iter().find(of_name);
                Some(match persona.map(|persona| (persona.live(), self.project.claims(persona))) {
                    Some((Live::Outage, _)) => outage(),
                    Some((live, Ok(claims))) => ok(&user(&claims, live != Live::Inactive)),
                    Some((_, Err(_))) | None => aws_error("UserNotFoundException", "User does not exist."),
                })
            }
            // The values may be real secrets, and every user of this machine can call here.
            "GetSecretValue" if !self.is_called_by_the_function() => {
                Some(aws_error("AccessDeniedException", "The access key is not this session's."))
            }
            "GetSecretValue" => {
                let id = body.get("SecretId")?.as_str()?;
                Some(match self.secret(id) {
                    Some(secret) => ok(&json!({ "Name": id, "SecretString": secret })),
                    None => aws_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
                })
            }
            _ => None,
        }
    }

    /// Whether the call is signed with the session's access key, which the function alone is given.
    fn is_called_by_the_function(&self) -> bool {
        let credential = format!("Credential={}/", self.session.access_key);
        self.call.header("authorization").is_some_and(|signed| signed.contains(&credential))
    }

    /// The stand-in for a secret: `secretsmanager:NAME`, or its members `secretsmanager:NAME#MEMBER`, among the values that
    /// the configuration gets here.
    fn secret(&self, id: &str) -> Option<String> {
        let prefix = format!("secretsmanager:{id}");
        let mut members = Map::new();
        for (name, value) in &self.project.values {
            match name.strip_prefix(&prefix).map(|rest| rest.strip_prefix('#').ok_or(rest)) {
                Some(Err("")) => return Some(value.clone()),
                Some(Ok(member)) => {
                    members.insert(member.to_owned(), json!(value));
                }
                Some(Err(_)) | None => {}
            }
        }
        (!members.is_empty()).then(|| Value::Object(members).to_string())
    }

    /// The table of revocations: it has an entry for each token of a persona that is revoked.
    fn batch_get_item(&self, body: &Value) -> Option<Reply> {
        let mut responses = Map::new();
        for (table, wanted) in body.get("RequestItems")?.as_object()? {
            let keys = wanted.get("Keys")?.as_array()?.iter().filter_map(|key| key.get("pk")?.get("S")?.as_str());
            let mut items = Vec::new();
            for pk in keys {
                let persona = pk.strip_prefix("jti#").and_then(|jti| persona_of(jti, self.project));
                match persona.map(Persona::live) {
                    Some(Live::Revoked) => items.push(json!({ "pk": { "S": pk } })),
                    Some(Live::Outage) => return Some(outage()),
                    Some(Live::Good | Live::Inactive) | None => {}
                }
            }
            responses.insert(table.clone(), json!(items));
        }
        Some(ok(&json!({ "Responses": responses, "UnprocessedKeys": {} })))
    }

    /// Whose token it is. The function verified it before it asked.
    fn persona(&self, token: &str) -> Option<&Persona> {
        let jti = claims_of(token).and_then(|claims| claims.get("jti")?.as_str().map(str::to_owned));
        persona_of(jti.as_deref().unwrap_or(token), self.project)
    }

    fn claims(&self, token: &str, persona: &Persona) -> Map<String, Value> {
        let of_an_opaque_token = || self.project.claims(persona).map(|claims| Map::clone(&claims)).unwrap_or_default();
        claims_of(token).unwrap_or_else(of_an_opaque_token)
    }
}

fn ok(json: &Value) -> Reply {
    Reply::json(StatusCode::OK, json)
}

fn outage() -> Reply {
    Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "__type": "InternalServerError" }))
}

fn aws_error(name: &str, message: &str) -> Reply {
    Reply::json(StatusCode::BAD_REQUEST, &json!({ "__type": name, "message": message }))
}

fn user(claims: &Map<String, Value>, enabled: bool) -> Value {
    let text = |name: &str| claims.get(name).cloned().unwrap_or_default();
    json!({
        "Username": text("username"), "Enabled": enabled, "UserStatus": "CONFIRMED",
        "UserAttributes": [{ "Name": "sub", "Value": text("sub") }],
    })
}
