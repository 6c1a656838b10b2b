//! Amazon Verified Permissions, as far as its API reference and user guide describe it: the JSON 1.0 protocol, tokens
//! as an identity source maps them, and Cedar's answers in the service's form. Entities and context take another way into
//! Cedar than the authorizer's: through its JSON.
//! <https://docs.aws.amazon.com/verifiedpermissions/latest/apireference/API_IsAuthorizedWithToken.html>

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request as Question, Schema};
use serde_json::{Map, Value, json};

use crate::http::Request;
use crate::stub::{Answer, Reply};
use crate::tokens::POOL;

pub(crate) const WITH_TOKEN: &str = "IsAuthorizedWithToken";
pub(crate) const WITH_ENTITIES: &str = "IsAuthorized";
pub(crate) const STORE: &str = "PSEXAMPLEabcdefg111111";

/// A policy store with an identity source for the pool of the tests.
pub(crate) struct Store {
    namespace: String,
    policies: PolicySet,
    actions: Entities,
}

impl Store {
    /// With these policies, whose ids the service makes up.
    pub(crate) fn new(namespace: &str, policies: &str, schema: Option<&str>) -> Store {
        let actions = schema.map(|text| Schema::from_cedarschema_str(text).unwrap().0.action_entities().unwrap());
        let policies = PolicySet::from_str(policies).unwrap();
        Store { namespace: namespace.to_owned(), policies, actions: actions.unwrap_or_else(Entities::empty) }
    }

    /// Its answers to whatever is asked, for both operations.
    pub(crate) fn answer(self: &Arc<Store>) -> Answer {
        let store = Arc::clone(self);
        Answer::Worked(Arc::new(move |request| store.reply(request)))
    }

    fn reply(&self, request: &Request) -> Reply {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["policyStoreId"], STORE);
        let target = request.header("x-amz-target").unwrap();
        let answer = match target.strip_prefix("VerifiedPermissions.").unwrap() {
            WITH_TOKEN => self.with_token(&body),
            WITH_ENTITIES => self.with_entities(&body),
            other => panic!("nobody asks for {other}"),
        };
        reply(200, &answer)
    }

    /// Claims of an access token are `context.token`, those of an ID token the principal's attributes; groups are its
    /// parents.
    fn with_token(&self, body: &Value) -> Value {
        let (token, is_access) = match (body["accessToken"].as_str(), body["identityToken"].as_str()) {
            (Some(token), None) => (token, true),
            (None, Some(token)) => (token, false),
            both => panic!("one token: {both:?}"),
        };
        assert!(body.get("entities").is_none(), "the principal is the token's");
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["token_use"], if is_access { "access" } else { "id" });
        let groups = claims.get("cognito:groups").and_then(Value::as_array).cloned().unwrap_or_default();
        let group = |name: &Value| self.uid("UserGroup", &format!("{POOL}|{}", name.as_str().unwrap()));
        let parents: Vec<Value> = groups.iter().map(group).collect();
        let principal = self.uid("User", &format!("{POOL}|{}", claims["sub"].as_str().unwrap()));
        let mapped: Map<String, Value> = claims.into_iter().filter_map(|(name, claim)| mapped(name, claim)).collect();
        let mut context = context(body);
        let attributes = if is_access {
            context.insert("token".to_owned(), Value::Object(mapped));
            Map::new()
        } else {
            mapped
        };
        let entity = json!({ "uid": principal, "attrs": attributes, "parents": parents });
        let mut answer = self.decide(&principal, body, context, json!([entity]));
        answer["principal"] = json!({ "entityType": principal["type"], "entityId": principal["id"] });
        answer
    }

    fn with_entities(&self, body: &Value) -> Value {
        let principal = uid(&body["principal"]);
        let entities: Vec<Value> = body["entities"]["entityList"].as_array().unwrap().iter().map(entity).collect();
        self.decide(&principal, body, context(body), Value::Array(entities))
    }

    fn decide(&self, principal: &Value, body: &Value, context: Map<String, Value>, entities: Value) -> Value {
        let action = json!({ "type": body["action"]["actionType"], "id": body["action"]["actionId"] });
        let resource = uid(&body["resource"]);
        assert_eq!(resource, self.uid("Application", &self.namespace));
        let of = |uid: &Value| EntityUid::from_json(uid.clone()).unwrap();
        let context = Context::from_json_value(Value::Object(context), None).unwrap();
        let entities = Entities::from_json_value(entities, None).unwrap();
        let entities = entities.add_entities(self.actions.iter().cloned(), None).unwrap();
        let question = Question::new(of(principal), of(&action), of(&resource), context, None).unwrap();
        let response = Authorizer::new().is_authorized(&question, &self.policies, &entities);
        let decision = if response.decision() == Decision::Allow { "ALLOW" } else { "DENY" };
        let determining: Vec<Value> =
            response.diagnostics().reason().map(|id| json!({ "policyId": format!("SP{id}") })).collect();
        let errors: Vec<Value> = response
            .diagnostics()
            .errors()
            .map(|error| json!({ "errorDescription": error.to_string().replace("`policy", "`SPpolicy") }))
            .collect();
        json!({ "decision": decision, "determiningPolicies": determining, "errors": errors })
    }

    fn uid(&self, kind: &str, id: &str) -> Value {
        json!({ "type": format!("{}::{kind}", self.namespace), "id": id })
    }
}

/// An answer of the service.
pub(crate) fn reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string())
        .header("Content-Type", "application/x-amz-json-1.0")
        .header("x-amzn-RequestId", "0f7f1e2a-0000-4000-8000-000000000002")
}

pub(crate) fn allow() -> Value {
    json!({ "decision": "ALLOW", "determiningPolicies": [{ "policyId": "SPallow" }], "errors": [] })
}

pub(crate) fn error(status: u16, code: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazonaws.verifiedpermissions#{code}"), "message": "no" });
    reply(status, &body).header("x-amzn-ErrorType", code).into()
}

/// What an identity source makes of a claim. Null is left out; of numbers only whole ones are known to be taken.
fn mapped(name: String, claim: Value) -> Option<(String, Value)> {
    let claim = match (name.as_str(), claim) {
        (_, Value::Null) => return None,
        ("scope", Value::String(scope)) => scope.split(' ').map(|scope| json!(scope)).collect(),
        (_, claim) => claim,
    };
    Some((name, claim))
}

fn context(body: &Value) -> Map<String, Value> {
    let Some(context) = body.get("context") else { return Map::new() };
    let map = context["contextMap"].as_object().expect("a context map");
    assert!(!map.is_empty(), "an empty context is left out");
    map.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn entity(item: &Value) -> Value {
    let none = Map::new();
    let attributes = item.get("attributes").and_then(Value::as_object).unwrap_or(&none);
    let attributes: Map<String, Value> =
        attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let parents = item.get("parents").and_then(Value::as_array).cloned().unwrap_or_default();
    let parents: Vec<Value> = parents.iter().map(uid).collect();
    json!({ "uid": uid(&item["identifier"]), "attrs": attributes, "parents": parents })
}

fn uid(identifier: &Value) -> Value {
    json!({ "type": identifier["entityType"], "id": identifier["entityId"] })
}

/// An `AttributeValue`, which names its type, as Cedar's JSON.
fn attribute(value: &Value) -> Value {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let extension = |function: &str| json!({ "__extn": { "fn": function, "arg": value } });
    match kind.as_str() {
        "boolean" | "long" | "string" => value.clone(),
        "set" => value.as_array().unwrap().iter().map(attribute).collect(),
        "record" => value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
        "ipaddr" => extension("ip"),
        "decimal" => extension("decimal"),
        "datetime" => extension("datetime"),
        other => panic!("no attribute is a {other}"),
    }
}
