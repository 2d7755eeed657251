//! The token endpoint: client credentials for the applications that are registered here.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;
use usher_core::{Entry, EntryKind};

use crate::access::GRAPH_AUDIENCE;
use crate::keys;
use crate::server::State;

/// How long a token counts, in seconds.
const LIFE: i64 = 3_599;

/// A refusal in OAuth's words.
pub struct OauthError {
    /// The HTTP status.
    pub status: StatusCode,
    /// The OAuth error.
    error: &'static str,
    /// The number in front of the description.
    number: u32,
    /// What is wrong.
    description: String,
}

impl OauthError {
    fn new(status: StatusCode, error: &'static str, number: u32, description: impl Into<String>) -> Self {
        Self { status, error, number, description: description.into() }
    }

    /// The body of the answer.
    pub fn body(&self, state: &State) -> Value {
        let clock = &state.engine.clock;
        json!({
            "error": self.error,
            "error_description": format!("AADSTS{}: {}", self.number, self.description),
            "error_codes": [self.number],
            "timestamp": clock.now().strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            "trace_id": clock.guid().to_string(),
            "correlation_id": clock.guid().to_string(),
        })
    }
}

/// Gives a token for client credentials, in the form or as HTTP basic.
///
/// # Errors
/// OAuth's, with the numbers that clients of Entra know.
pub async fn issue(
    state: &State,
    tenant: &str,
    authorization: Option<&str>,
    body: &[u8],
) -> Result<Value, OauthError> {
    let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    check_tenant(state, tenant)?;
    if get("grant_type") != "client_credentials" {
        return Err(OauthError::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70003,
            format!(
                "The app requested an unsupported grant type '{}'. Use client_credentials.",
                get("grant_type")
            ),
        ));
    }
    // Applications are given what they were granted as a whole, whatever the resource is called.
    let scope = get("scope");
    if !scope.is_empty() && !scope.trim().ends_with("/.default") {
        return Err(OauthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            1002012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
                 with /.default suffixed to the resource identifier (application ID URI)."
            ),
        ));
    }
    let basic = basic(authorization);
    let (client, secret) = match &basic {
        Some((client, secret)) => (client.as_str(), secret.as_str()),
        None => (get("client_id"), get("client_secret")),
    };
    if client.is_empty() || secret.is_empty() {
        return Err(OauthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            900144,
            "The request body must contain the following parameters: 'client_id', 'client_secret'.",
        ));
    }
    let principal = authenticate(state, client, secret).await?;
    let permissions = state.engine.permissions_of(&principal).await.map_err(|_| unavailable())?;
    let now = state.engine.clock.now().as_second();
    let claims = json!({
        "aud": GRAPH_AUDIENCE,
        "iss": state.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + LIFE,
        "appid": principal.text("appId"),
        "app_displayname": principal.text("displayName"),
        "oid": principal.id.as_str(),
        "sub": principal.id.as_str(),
        "tid": state.engine.settings.tenant,
        "idtyp": "app",
        "roles": permissions,
        "uti": state.engine.clock.guid().simple().to_string(),
        "ver": "1.0",
    });
    let token = state.key.sign(&claims).map_err(|_| unavailable())?;
    Ok(json!({ "token_type": "Bearer", "expires_in": LIFE, "ext_expires_in": LIFE, "access_token": token }))
}

/// What OpenID Connect clients ask first.
pub fn discovery(state: &State) -> Value {
    let tenant = &state.engine.settings.tenant;
    let base = &state.options.address;
    json!({
        "issuer": state.issuer,
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["https://graph.microsoft.com/.default"],
    })
}

/// The tenant of the path must be ours: its id, or one of the words that mean any.
///
/// # Errors
/// It is another one.
pub fn check_tenant(state: &State, tenant: &str) -> Result<(), OauthError> {
    let known = [state.engine.settings.tenant.as_str(), "common", "organizations"];
    if known.iter().any(|known| known.eq_ignore_ascii_case(tenant)) {
        return Ok(());
    }
    Err(OauthError::new(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        90002,
        format!(
            "Tenant '{tenant}' not found. This service has the tenant '{}'.",
            state.engine.settings.tenant
        ),
    ))
}

async fn authenticate(state: &State, client: &str, secret: &str) -> Result<Entry, OauthError> {
    let unknown = || {
        OauthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            700016,
            format!("Application with identifier '{client}' was not found in the directory."),
        )
    };
    let store = &state.engine.store;
    let principal = store
        .entry_by_key(EntryKind::ServicePrincipal, "appId", client)
        .await
        .map_err(|_| unavailable())?
        .filter(|entry| entry.is_true("accountEnabled"))
        .ok_or_else(unknown)?;
    let digests = state.engine.password_digests(client).await.map_err(|_| unavailable())?;
    let given = keys::digest(secret);
    if digests.iter().any(|digest| keys::is_same(digest.expose(), &given)) {
        return Ok(principal);
    }
    Err(OauthError::new(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        7_000_215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
         the client secret ID.",
    ))
}

fn basic(authorization: Option<&str>) -> Option<(String, String)> {
    let encoded =
        authorization?.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))?.1;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    // RFC 6749 §2.3.1: both halves are form-encoded.
    let plain = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    Some((plain(client), plain(secret)))
}

fn unavailable() -> OauthError {
    OauthError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        90033,
        "A transient error has occurred. Please try again.",
    )
}
