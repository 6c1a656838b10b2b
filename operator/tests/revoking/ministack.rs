//! MiniStack on a free loopback port, with a table of revocations and a user pool; ended with the test.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ExplicitAuthFlowsType, MessageActionType};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use cognito_authorizer::http::http_client;
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use crate::processes::{Process, free_address, required, scratch};

pub(crate) const TABLE: &str = "revocations";
pub(crate) const USERNAME: &str = "rita";
const PASSWORD: &str = "Correct-Horse-1";

pub(crate) struct MiniStack {
    _process: Process,
    pub(crate) url: String,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) cognito: aws_sdk_cognitoidentityprovider::Client,
}

/// A pool with one client and one user.
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) subject: String,
}

/// What a sign-in gives.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl MiniStack {
    /// Starts it and makes the table.
    pub(crate) async fn start() -> Self {
        let ministack = Self::launch();
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
        let text = ScalarAttributeType::S;
        let pk = AttributeDefinition::builder().attribute_name("pk").attribute_type(text).build().unwrap();
        let table = ministack.dynamodb.create_table().table_name(TABLE).key_schema(key).attribute_definitions(pk);
        table.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
        ministack
    }

    fn launch() -> Self {
        let address = free_address();
        let url = format!("http://{address}");
        let mut command = Command::new(required("MINISTACK"));
        // Without `AUTH` tokens are not looked at; nothing of this may reach a real account.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AUTH", "true")
            .env("AWS_ENDPOINT_URL", &url)
            .env("BIND_HOST", address.ip().to_string())
            .env("GATEWAY_PORT", address.port().to_string())
            .env("IOT_MTLS_ENABLED", "false")
            .env("STATE_DIR", scratch("ministack-state"));
        let mut process = Process::start(&mut command, "ministack");
        process.wait_for_port(address);
        let credentials = Credentials::new("test", "test", None, None, "test");
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .http_client(http_client(Duration::from_secs(30)))
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials.clone())
            .endpoint_url(&url)
            .build();
        let cognito = aws_sdk_cognitoidentityprovider::Config::builder()
            .http_client(http_client(Duration::from_secs(30)))
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(&url)
            .build();
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(dynamodb);
        let cognito = aws_sdk_cognitoidentityprovider::Client::from_conf(cognito);
        Self { _process: process, url, dynamodb, cognito }
    }

    /// What a program needs to reach it and the table.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("REVOCATIONS_TABLE", TABLE),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// An entry's attributes: numbers and texts as DynamoDB has them.
    pub(crate) async fn item(&self, pk: &str) -> Option<HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(pk.to_owned());
        self.dynamodb.get_item().table_name(TABLE).key("pk", key).send().await.unwrap().item
    }

    /// A date of an entry.
    pub(crate) async fn date(&self, pk: &str, name: &str) -> Option<i64> {
        let item = self.item(pk).await.unwrap_or_else(|| panic!("no entry {pk}"));
        item.get(name).map(|value| value.as_n().unwrap().parse().unwrap())
    }

    /// How many entries there are.
    pub(crate) async fn count(&self) -> usize {
        self.dynamodb.scan().table_name(TABLE).send().await.unwrap().items().len()
    }

    pub(crate) async fn pool(&self) -> Pool {
        let pool = self.cognito.create_user_pool().pool_name("p").send().await.unwrap();
        let id = pool.user_pool().unwrap().id().unwrap().to_owned();
        let client = self.cognito.create_user_pool_client().user_pool_id(&id).client_name("web");
        let client = client
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth);
        let client = client.send().await.unwrap();
        let client_id = client.user_pool_client().unwrap().client_id().unwrap().to_owned();
        let user = self.cognito.admin_create_user().user_pool_id(&id).username(USERNAME);
        let user = user.message_action(MessageActionType::Suppress).send().await.unwrap();
        let attributes = user.user().unwrap().attributes();
        let subject =
            attributes.iter().find(|attribute| attribute.name() == "sub").unwrap().value().unwrap().to_owned();
        let password = self.cognito.admin_set_user_password().user_pool_id(&id).username(USERNAME);
        password.password(PASSWORD).permanent(true).send().await.unwrap();
        Pool { id, client_id, subject }
    }

    pub(crate) async fn sign_in(&self, pool: &Pool) -> Tokens {
        let answer = self.cognito.initiate_auth().client_id(&pool.client_id).auth_flow(AuthFlowType::UserPasswordAuth);
        let answer = answer.auth_parameters("USERNAME", USERNAME).auth_parameters("PASSWORD", PASSWORD);
        let result = answer.send().await.unwrap().authentication_result.unwrap();
        Tokens { access: result.access_token.unwrap(), refresh: result.refresh_token.unwrap() }
    }

    /// Whether Cognito still takes an access token.
    pub(crate) async fn takes(&self, access_token: &str) -> bool {
        self.cognito.get_user().access_token(access_token).send().await.is_ok()
    }
}

impl Pool {
    pub(crate) fn issuer(&self) -> String {
        format!("https://cognito-idp.us-east-1.amazonaws.com/{}", self.id)
    }

    pub(crate) fn newer_issuer(&self) -> String {
        format!("https://issuer-cognito-idp.us-east-1.amazonaws.com/{}", self.id)
    }

    /// The keys of the user's entries.
    pub(crate) fn user_keys(&self) -> [String; 2] {
        [self.issuer(), self.newer_issuer()].map(|issuer| format!("sub#{issuer}#{}", self.subject))
    }
}
