//! The `introspection` of an issuer: how it is asked whether a token is still good.

use super::fields::{Fields, Item};
use crate::http::{HttpsClient, RemoteCounts};
use crate::keys::Discovery;
use crate::live::{
    CheckSettings, ClientAuthentication, CognitoDirectory, CognitoMethod, IntrospectionEndpoint, IssuerCheck, Method,
    UserInfo, UserPool,
};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
enum CognitoCheck {
    Api(CognitoMethod),
    UserInfo,
}

pub(super) fn of_cognito(
    item: &Item<'_>,
    pool: Option<&UserPool>,
    issuer: Option<&str>,
    https: &Arc<HttpsClient>,
    counts: &RemoteCounts,
) -> Option<Arc<IssuerCheck>> {
    let mut fields = item.fields()?;
    let methods = [
        ("get_user", CognitoCheck::Api(CognitoMethod::GetUser)),
        ("admin_get_user", CognitoCheck::Api(CognitoMethod::AdminGetUser)),
        ("user_info", CognitoCheck::UserInfo),
    ];
    let method = fields.require("method").and_then(|item| item.choice(&methods));
    let endpoint = fields.take("endpoint");
    if let (Some(item), Some(CognitoCheck::Api(_))) = (&endpoint, method) {
        item.fault("is for `user_info` alone: AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER names Cognito's own");
    }
    let endpoint = endpoint.map(|item| item.address());
    let settings = settings(&mut fields);
    fields.finish();
    let method = match method? {
        CognitoCheck::Api(method) => {
            let pool = pool?;
            Method::Cognito(CognitoDirectory::new(method, pool.region_of(issuer?), pool.id().to_owned()))
        }
        CognitoCheck::UserInfo => Method::UserInfo(match endpoint {
            Some(endpoint) => UserInfo::at(endpoint?, Arc::clone(https)),
            None => match Discovery::of(issuer?) {
                Some(discovery) => UserInfo::discovered(discovery, Arc::clone(https)),
                None => {
                    item.fault("the issuer is not an https:// URL: give the `endpoint`");
                    return None;
                }
            },
        }),
    };
    Some(IssuerCheck::new(method, settings?, counts))
}

pub(super) fn of_oidc(
    item: &Item<'_>,
    with_dpop: bool,
    https: &Arc<HttpsClient>,
    counts: &RemoteCounts,
) -> Option<Arc<IssuerCheck>> {
    let mut fields = item.fields()?;
    let endpoint = fields.require("endpoint").and_then(|item| item.address());
    let client_id = fields.require("client_id").and_then(|item| item.string());
    let client_secret = fields.require("client_secret").and_then(|item| item.string());
    let authentications = [("basic", ClientAuthentication::Basic), ("post", ClientAuthentication::Post)];
    let authentication = match fields.take("client_authentication") {
        Some(item) => item.choice(&authentications),
        None => Some(ClientAuthentication::Basic),
    };
    let settings = settings(&mut fields);
    fields.finish();
    let https = Arc::clone(https);
    let endpoint = IntrospectionEndpoint::new(endpoint?, client_id?, client_secret?, authentication?, https);
    Some(IssuerCheck::new(Method::Introspection(endpoint.with_dpop(with_dpop)), settings?, counts))
}

fn settings(fields: &mut Fields<'_>) -> Option<CheckSettings> {
    let timeout = fields.take("timeout").map_or(Some(Duration::from_secs(2)), |item| timeout(&item));
    let cache = fields.take("cache").map_or(Some(Duration::ZERO), |item| item.duration_or_zero());
    Some(CheckSettings { timeout: timeout?, cache: cache? })
}

pub(super) fn timeout(item: &Item<'_>) -> Option<Duration> {
    let timeout = item.duration()?;
    if timeout > MAX_TIMEOUT {
        item.fault("must be at most 5s: API Gateway waits 10s for all of the authorizer");
        return None;
    }
    Some(timeout)
}

const MAX_TIMEOUT: Duration = Duration::from_secs(5);
