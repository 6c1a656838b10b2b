//! An event of the trigger, read. The types of `aws_lambda_events` refuse what AWS documents and Cognito sends: machine clients'
//! `TokenGeneration_ClientCredentials`, a `preferredRole` that is a list, an empty `groupConfiguration`. Answers are built of them.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

use super::refusal::Refusal;
use serde_json::{Map, Value};

/// The version of the event, as the pool's `LambdaVersion` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// ID tokens alone.
    V1,
    /// Access tokens of users too.
    V2,
    /// Access tokens of machine clients too.
    V3,
}

impl Version {
    pub(super) fn name(self) -> &'static str {
        match self {
            Version::V1 => "V1_0",
            Version::V2 => "V2_0",
            Version::V3 => "V3_0",
        }
    }
}

/// A sign-in for which Cognito is about to make tokens. It holds personal data, and so has no `Debug`.
#[derive(Clone, Copy)]
pub(super) struct SignIn<'e> {
    pub(super) version: Version,
    /// Why tokens are made: `TokenGeneration_...`.
    pub(super) trigger: &'e str,
    pub(super) user_pool: Option<&'e str>,
    pub(super) client_id: Option<&'e str>,
    /// A client-credentials grant, which has no user.
    pub(super) is_machine: bool,
    attributes: Option<&'e Map<String, Value>>,
    metadata: Option<&'e Map<String, Value>>,
    group_configuration: Option<&'e Map<String, Value>>,
    groups: Option<&'e Vec<Value>>,
}

impl<'e> SignIn<'e> {
    /// # Errors
    /// [`Refusal::MalformedEvent`].
    pub(super) fn read(event: &'e Value) -> Result<Self, Refusal> {
        let event = event.as_object().ok_or(Refusal::MalformedEvent("not an object"))?;
        let version = match text(event, "version")? {
            Some("1") => Version::V1,
            Some("2") => Version::V2,
            Some("3") => Version::V3,
            Some(_) | None => return Err(Refusal::MalformedEvent("`version` is not 1, 2 or 3")),
        };
        let trigger = text(event, "triggerSource")?.filter(|trigger| trigger.starts_with(TRIGGERS));
        let trigger = trigger.ok_or(Refusal::MalformedEvent("`triggerSource` is none of token generation"))?;
        let request = event.get("request").and_then(Value::as_object);
        let request = request.ok_or(Refusal::MalformedEvent("without `request`"))?;
        let context = object(event, "callerContext")?;
        let group_configuration = object(request, "groupConfiguration")?.filter(|groups| !groups.is_empty());
        let groups = match group_configuration.and_then(|groups| groups.get("groupsToOverride")) {
            None | Some(Value::Null) => None,
            Some(Value::Array(groups)) if groups.iter().all(Value::is_string) => Some(groups),
            Some(_) => return Err(Refusal::MalformedEvent("`groupsToOverride` is no list of texts")),
        };
        Ok(Self {
            version,
            trigger,
            user_pool: text(event, "userPoolId")?,
            client_id: context.map_or(Ok(None), |context| text(context, "clientId"))?,
            is_machine: trigger == MACHINE,
            attributes: object(request, "userAttributes")?,
            metadata: object(request, "clientMetadata")?,
            group_configuration,
            groups,
        })
    }

    /// The user's `sub`.
    pub(super) fn subject(&self) -> Result<Option<&'e str>, Refusal> {
        if self.is_machine { Ok(None) } else { self.attribute("sub") }
    }

    /// A user attribute that is there and not empty.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<&'e str>, Refusal> {
        self.attributes.map_or(Ok(None), |attributes| text(attributes, name))
    }

    /// Whether Cognito would write that attribute into an ID token.
    pub(super) fn has_attribute(&self, name: &str) -> bool {
        self.attributes.is_some_and(|attributes| attributes.contains_key(name))
    }

    /// What the client sent under that key.
    pub(super) fn metadata(&self, key: &str) -> Result<Option<&'e str>, Refusal> {
        self.metadata.map_or(Ok(None), |metadata| text(metadata, key))
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &'e str> {
        self.groups.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The groups and roles as Cognito has them, to be given back: what an answer leaves empty there, Cognito takes from the user.
    pub(super) fn group_configuration(&self) -> Option<&'e Map<String, Value>> {
        self.group_configuration
    }
}

/// A member that is a text and not empty; null is as good as absent, anything else a fault.
fn text<'v>(of: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, Refusal> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::MalformedEvent("a value that should be a text is none"))
        }
    }
}

fn object<'v>(of: &'v Map<String, Value>, name: &str) -> Result<Option<&'v Map<String, Value>>, Refusal> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(Refusal::MalformedEvent("a value that should be an object is none"))
        }
    }
}

const TRIGGERS: &str = "TokenGeneration_";
const MACHINE: &str = "TokenGeneration_ClientCredentials";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "version": "2", "triggerSource": "TokenGeneration_Authentication", "userPoolId": "p",
            "callerContext": { "clientId": "c" },
            "request": {
                "userAttributes": { "sub": "s", "custom:plan": "", "email": null },
                "groupConfiguration": { "groupsToOverride": ["a", "b"] },
            },
        })
    }

    #[track_caller]
    fn refused(change: impl Fn(&mut Value), why: &str) {
        let mut event = event();
        change(&mut event);
        match SignIn::read(&event) {
            Err(Refusal::MalformedEvent(found)) => assert!(found.contains(why), "{found}"),
            Err(_) | Ok(_) => panic!("{event} is read"),
        }
    }

    #[test]
    fn an_event_is_read() {
        let event = event();
        let sign_in = SignIn::read(&event).unwrap();
        assert_eq!((sign_in.version, sign_in.is_machine), (Version::V2, false));
        assert_eq!((sign_in.user_pool, sign_in.client_id), (Some("p"), Some("c")));
        assert_eq!(sign_in.subject(), Ok(Some("s")));
        assert_eq!(sign_in.groups().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_empty_value_and_null_are_no_values() {
        let event = event();
        let sign_in = SignIn::read(&event).unwrap();
        for name in ["custom:plan", "email", "name"] {
            assert_eq!(sign_in.attribute(name), Ok(None), "{name}");
        }
        assert_eq!(sign_in.metadata("any"), Ok(None));
    }

    #[test]
    fn what_is_no_event_of_the_trigger_is_refused() {
        refused(|event| *event = json!([]), "not an object");
        refused(|event| *event = json!({}), "`version`");
        refused(|event| *event = json!({ "request": {}, "response": {} }), "`version`");
        for version in [json!("4"), json!("0"), json!("V2_0"), json!(null)] {
            refused(|event| event["version"] = version.clone(), "`version`");
        }
        refused(|event| event["version"] = json!(2), "should be a text");
        for trigger in ["PreSignUp_SignUp", "tokengeneration_Authentication", ""] {
            refused(|event| event["triggerSource"] = json!(trigger), "`triggerSource`");
        }
        refused(|event| event["request"] = json!(null), "`request`");
        refused(|event| event["request"]["userAttributes"] = json!([]), "should be an object");
        refused(|event| event["request"]["clientMetadata"] = json!("a"), "should be an object");
        refused(|event| event["request"]["groupConfiguration"]["groupsToOverride"] = json!("a"), "no list of texts");
        refused(|event| event["request"]["groupConfiguration"]["groupsToOverride"] = json!([7]), "no list of texts");
    }

    #[test]
    fn a_value_of_another_type_is_a_fault_where_it_is_asked_for() {
        let mut event = event();
        event["request"]["userAttributes"]["sub"] = json!(7);
        let sign_in = SignIn::read(&event).unwrap();
        assert!(sign_in.subject().is_err());
    }

    #[test]
    fn a_machine_client_has_no_subject_whatever_the_event_says() {
        let mut event = event();
        event["triggerSource"] = json!("TokenGeneration_ClientCredentials");
        let sign_in = SignIn::read(&event).unwrap();
        assert!(sign_in.is_machine && sign_in.subject() == Ok(None));
    }
}
