//! A user pool and a table in MiniStack, the tokens that users and machines really get there, and the function that is
//! told to trust them.

use cognito_authorizer::http::http_client;
use std::process::Command;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider as idp;
use aws_sdk_dynamodb as dynamodb;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::config::{BehaviorVersion, Credentials, Region};
use idp::types::{
    AttributeType, AuthFlowType, ExplicitAuthFlowsType, OAuthFlowType, ResourceServerScopeType, UserPoolClientType,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::events::Kind;
use crate::form;
use crate::processes::{Process, free_address, required, scratch};
use crate::runtime_api::{Function, Setup};
use crate::verdict::Verdict;

const REGION: &str = "us-east-1";
const PASSWORD: &str = "Correct-Horse-1";
const CALLBACK: &str = "https://app.example.com/callback";
pub(crate) const API: &str = "https://api.example.com";
pub(crate) const TABLE: &str = "revocations";

pub(crate) struct Cognito {
    url: String,
    pub(crate) runtime: Runtime,
    pub(crate) idp: idp::Client,
    pub(crate) dynamodb: dynamodb::Client,
    pub(crate) pool: String,
    web: String,
    machine: UserPoolClientType,
    _process: Process,
}

/// What a user got by signing in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) id: String,
    pub(crate) refresh: String,
}

impl Cognito {
    #[track_caller]
    pub(crate) fn start() -> Cognito {
        let address = free_address();
        let url = format!("http://{address}");
        let mut command = Command::new(required("MINISTACK"));
        // Without `AUTH` tokens are not looked at; nothing of this may reach a real account.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AUTH", "true")
            .env("AWS_ENDPOINT_URL", &url)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("IOT_MTLS_ENABLED", "false")
            .env("STATE_DIR", scratch("ministack-state"));
        let mut process = Process::start(&mut command, "ministack");
        process.wait_for_port(address);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let idp = idp::Client::from_conf(
            idp::Config::builder()
                .http_client(http_client(Duration::from_secs(30)))
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .endpoint_url(&url)
                .credentials_provider(credentials.clone())
                .build(),
        );
        let dynamodb = dynamodb::Client::from_conf(
            dynamodb::Config::builder()
                .http_client(http_client(Duration::from_secs(30)))
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(REGION))
                .endpoint_url(&url)
                .credentials_provider(credentials)
                .build(),
        );
        let (pool, web, machine) = runtime.block_on(user_pool(&idp));
        Cognito { url, runtime, idp, dynamodb, pool, web, machine, _process: process }
    }

    /// The function, asking in this way; `more` is the rest of the file.
    pub(crate) fn function(&self, introspection: &str, more: &str) -> Function {
        let introspection = match introspection {
            "" => String::new(),
            given => format!("introspection: {}", given.replace("URL", &self.url)),
        };
        let config = format!(
            "issuers:
  - cognito:
      user_pool_id: {}
      client_ids: [{}, {}]
      token_use: [access, id]
      jwks_uri: {}/{}/.well-known/jwks.json
      {introspection}
routes:
  GET /items: {{}}
  GET /admin: {{ introspect: true }}
{more}",
            self.pool,
            self.web,
            self.machine.client_id().unwrap(),
            self.url,
            self.pool
        );
        Setup::config(&config)
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .start()
    }

    /// Makes a user, and returns the `sub`.
    pub(crate) fn user(&self, name: &str) -> String {
        self.runtime.block_on(async {
            let user = self.idp.admin_create_user().user_pool_id(&self.pool).username(name);
            let user = user.message_action(idp::types::MessageActionType::Suppress).send().await.unwrap().user.unwrap();
            let password = self.idp.admin_set_user_password().user_pool_id(&self.pool).username(name);
            password.password(PASSWORD).permanent(true).send().await.unwrap();
            let attributes: &[AttributeType] = user.attributes();
            attributes.iter().find(|attribute| attribute.name() == "sub").unwrap().value().unwrap().to_owned()
        })
    }

    /// Signs in through Cognito's API: the token has the scope `aws.cognito.signin.user.admin` and no other.
    pub(crate) fn sign_in(&self, name: &str) -> Session {
        let answer = self.runtime.block_on(
            self.idp
                .initiate_auth()
                .auth_flow(AuthFlowType::UserPasswordAuth)
                .client_id(&self.web)
                .auth_parameters("USERNAME", name)
                .auth_parameters("PASSWORD", PASSWORD)
                .send(),
        );
        let result = answer.unwrap().authentication_result.unwrap();
        Session {
            access: result.access_token.unwrap(),
            id: result.id_token.unwrap(),
            refresh: result.refresh_token.unwrap(),
        }
    }

    /// Signs in through the hosted pages and the token endpoint, for these scopes.
    #[track_caller]
    pub(crate) fn sign_in_for(&self, name: &str, scopes: &str) -> Session {
        let question = [
            ("client_id", self.web.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", scopes),
            ("username", name),
            ("password", PASSWORD),
        ];
        let answer = form::post(&self.runtime, &format!("{}/login", self.url), None, &question);
        let location = answer.location.unwrap_or_else(|| panic!("{name} could not sign in: {}", answer.body));
        let query = location.split_once('?').unwrap().1;
        let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned();
        let tokens = self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.web),
            ("redirect_uri", CALLBACK),
            ("code", &code),
        ]);
        let token = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
        Session { access: token("access_token"), id: token("id_token"), refresh: token("refresh_token") }
    }

    /// A client-credentials token.
    pub(crate) fn machine_token(&self) -> String {
        let tokens = self.token(&[
            ("grant_type", "client_credentials"),
            ("client_id", self.machine.client_id().unwrap()),
            ("client_secret", self.machine.client_secret().unwrap()),
            ("scope", &format!("{API}/read")),
        ]);
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn token(&self, form: &[(&str, &str)]) -> Value {
        form::post(&self.runtime, &format!("{}/oauth2/token", self.url), None, form).json()
    }

    /// Ends all that came of one sign-in.
    pub(crate) fn revoke(&self, session: &Session) {
        let revocation = self.idp.revoke_token().client_id(&self.web).token(&session.refresh).send();
        self.runtime.block_on(revocation).unwrap();
    }

    /// Makes the table of revocations.
    pub(crate) fn create_table(&self) {
        use dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
        let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let table = self.dynamodb.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap());
        self.runtime.block_on(table.send()).unwrap();
    }

    /// Writes an item with these numbers.
    pub(crate) fn put(&self, pk: &str, numbers: &[(&str, i64)]) {
        let mut item = self.dynamodb.put_item().table_name(TABLE).item("pk", AttributeValue::S(pk.to_owned()));
        for (name, number) in numbers {
            item = item.item(*name, AttributeValue::N(number.to_string()));
        }
        self.runtime.block_on(item.send()).unwrap();
    }

    pub(crate) fn delete(&self, pk: &str) {
        let item = self.dynamodb.delete_item().table_name(TABLE).key("pk", AttributeValue::S(pk.to_owned()));
        self.runtime.block_on(item.send()).unwrap();
    }

    pub(crate) fn issuer(&self) -> String {
        format!("https://cognito-idp.{REGION}.amazonaws.com/{}", self.pool)
    }
}

async fn user_pool(idp: &idp::Client) -> (String, String, UserPoolClientType) {
    let pool = idp.create_user_pool().pool_name("live").send().await.unwrap().user_pool.unwrap().id.unwrap();
    let scope =
        |name: &str| ResourceServerScopeType::builder().scope_name(name).scope_description(name).build().unwrap();
    let api = idp.create_resource_server().user_pool_id(&pool).identifier(API).name("items");
    api.scopes(scope("read")).send().await.unwrap();
    let web = idp
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name("web")
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
        .allowed_o_auth_flows_user_pool_client(true)
        .allowed_o_auth_flows(OAuthFlowType::Code)
        .set_allowed_o_auth_scopes(Some(
            ["openid", "aws.cognito.signin.user.admin", "https://api.example.com/read"].map(str::to_owned).to_vec(),
        ))
        .callback_urls(CALLBACK)
        .supported_identity_providers("COGNITO");
    let web = web.send().await.unwrap().user_pool_client.unwrap().client_id.unwrap();
    let machine = idp
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name("machine")
        .generate_secret(true)
        .allowed_o_auth_flows_user_pool_client(true)
        .allowed_o_auth_flows(OAuthFlowType::ClientCredentials)
        .allowed_o_auth_scopes(format!("{API}/read"));
    (pool, web, machine.send().await.unwrap().user_pool_client.unwrap())
}

/// Sends the token to the route that asks live.
#[track_caller]
pub(crate) fn live(function: &Function, token: &str) -> Verdict {
    function.ask(&Kind::Http2.event("GET", "/admin", &format!("Bearer {token}")))
}

/// Sends the token to a route that does not.
#[track_caller]
pub(crate) fn open(function: &Function, token: &str) -> Verdict {
    function.ask(&Kind::Http2.event("GET", "/items", &format!("Bearer {token}")))
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap_or(json!(null))
}
