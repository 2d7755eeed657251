//! The first start: the application that stands for this API with all permissions, and one administrator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use usher_core::{Entry, EntryId, EntryKind, Secret};
use usher_engine::Engine;
use usher_engine::cases::CaseError;
use usher_engine::cases::applications::{GRAPH_APP_ID, PasswordWish};
use uuid::Uuid;

use crate::graph;
use crate::keys;

/// The administrator's credential, to be shown once.
pub struct FirstCredential {
    /// The tenant.
    pub tenant: String,
    /// The application (client) id.
    pub client_id: String,
    /// The client secret.
    pub secret: Secret,
}

/// Makes what a new directory needs. `None` when it was made before.
///
/// # Errors
/// The store failed.
pub async fn bootstrap(engine: &Engine) -> Result<Option<FirstCredential>, CaseError> {
    let graph = graph_principal(engine).await?;
    const DONE: &str = "administrator";
    if engine.store.setting(DONE).await?.is_some() {
        return Ok(None);
    }
    let body = Map::from_iter([("displayName".to_owned(), json!("Usher administrator"))]);
    let application = engine.create_application(body, None).await?;
    let client_id = application.text("appId").unwrap_or_default().to_owned();
    let body = Map::from_iter([("appId".to_owned(), json!(client_id))]);
    let principal = engine.create_service_principal(body, None).await?;
    for role in graph.properties.get("appRoles").and_then(Value::as_array).into_iter().flatten() {
        let id = role["id"].as_str().unwrap_or_default();
        engine.assign(principal.id.as_str(), graph.id.as_str(), id).await?;
    }
    let secret = new_secret(engine);
    let hint = secret.expose().chars().take(3).collect();
    engine
        .add_password(
            application.id.as_str(),
            PasswordWish { display_name: Some("first start".to_owned()), ..PasswordWish::default() },
            hint,
            &keys::digest(secret.expose()),
        )
        .await?;
    engine.store.put_setting(DONE, &Secret::new(client_id.clone())).await?;
    Ok(Some(FirstCredential { tenant: engine.settings.tenant.clone(), client_id, secret }))
}

/// A client secret of 256 random bits.
pub fn new_secret(engine: &Engine) -> Secret {
    // Four GUIDs of the clock's dice carry 488 random bits; a digest leaves 256 of them.
    let mut digest = Sha256::new();
    for _ in 0..4 {
        digest.update(engine.clock.guid().as_bytes());
    }
    Secret::new(URL_SAFE_NO_PAD.encode(digest.finalize()))
}

/// The service principal whose app roles are the permissions of this API; brought up to date with the table.
async fn graph_principal(engine: &Engine) -> Result<Entry, CaseError> {
    let roles: Vec<Value> = graph::permissions()
        .into_iter()
        .map(|name| {
            json!({
                "id": Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string(),
                "value": name,
                "displayName": name,
                "description": name,
                "isEnabled": true,
                "allowedMemberTypes": ["Application"],
                "origin": "Application",
            })
        })
        .collect();
    let known = engine.store.entry_by_key(EntryKind::ServicePrincipal, "appId", GRAPH_APP_ID).await?;
    let mut entry = known.unwrap_or_else(|| Entry {
        id: EntryId::new(engine.clock.guid().to_string()),
        kind: EntryKind::ServicePrincipal,
        properties: Map::from_iter([
            ("appId".to_owned(), json!(GRAPH_APP_ID)),
            ("displayName".to_owned(), json!("Microsoft Graph")),
            ("accountEnabled".to_owned(), json!(true)),
            ("appRoleAssignmentRequired".to_owned(), json!(false)),
            ("servicePrincipalType".to_owned(), json!("Application")),
        ]),
        created_at: engine.clock.now(),
        deleted_at: None,
    });
    entry.properties.insert("appRoles".to_owned(), Value::Array(roles));
    engine.store.put_entry(&entry).await?;
    Ok(entry)
}
