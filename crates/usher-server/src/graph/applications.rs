//! `/applications` and `/servicePrincipals`, and the secrets that applications show for a token.

use serde_json::{Value, json};
use usher_core::EntryKind;
use usher_engine::cases::applications::{APPLICATION, SERVICE_PRINCIPAL};

use crate::bootstrap::new_secret;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::keys;
use crate::odata::{Collection, only};

/// What `/applications` may be asked.
pub const APPLICATIONS: Collection = Collection {
    kind: EntryKind::Application,
    name: "applications",
    shown: &[
        "id",
        "deletedDateTime",
        "appId",
        "createdDateTime",
        "displayName",
        "description",
        "identifierUris",
        "notes",
        "signInAudience",
        "tags",
        "appRoles",
        "passwordCredentials",
    ],
    extra: &[],
    known: APPLICATION,
};

/// What `/servicePrincipals` may be asked.
pub const PRINCIPALS: Collection = Collection {
    kind: EntryKind::ServicePrincipal,
    name: "servicePrincipals",
    shown: &[
        "id",
        "deletedDateTime",
        "accountEnabled",
        "appId",
        "appRoleAssignmentRequired",
        "createdDateTime",
        "description",
        "displayName",
        "notes",
        "servicePrincipalType",
        "tags",
        "appRoles",
    ],
    extra: &[],
    known: SERVICE_PRINCIPAL,
};

pub async fn list_applications(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(APPLICATIONS.page(&call).await?))
}

pub async fn create_application(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_application(call.object()?, owner.as_ref()).await?;
    let location = format!("{}/applications/{}", call.base(), entry.id);
    Ok(Answer::created(APPLICATIONS.one(&call, &entry)?, location))
}

pub async fn get_application(call: Call) -> Result<Answer, Refusal> {
    get(&call, &APPLICATIONS).await
}

pub async fn update_application(call: Call) -> Result<Answer, Refusal> {
    update(&call, EntryKind::Application).await
}

pub async fn delete_application(call: Call) -> Result<Answer, Refusal> {
    delete(&call, EntryKind::Application).await
}

pub async fn list_principals(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(PRINCIPALS.page(&call).await?))
}

pub async fn create_principal(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_service_principal(call.object()?, owner.as_ref()).await?;
    let location = format!("{}/servicePrincipals/{}", call.base(), entry.id);
    Ok(Answer::created(PRINCIPALS.one(&call, &entry)?, location))
}

pub async fn get_principal(call: Call) -> Result<Answer, Refusal> {
    get(&call, &PRINCIPALS).await
}

pub async fn update_principal(call: Call) -> Result<Answer, Refusal> {
    update(&call, EntryKind::ServicePrincipal).await
}

pub async fn delete_principal(call: Call) -> Result<Answer, Refusal> {
    delete(&call, EntryKind::ServicePrincipal).await
}

pub async fn add_password(call: Call) -> Result<Answer, Refusal> {
    let application = call.named(EntryKind::Application, call.parameter("id")).await?;
    let body = call.object_or_empty()?;
    let display_name =
        body.get("passwordCredential").and_then(|one| one["displayName"].as_str()).map(str::to_owned);
    let secret = new_secret(&call.state.engine);
    let hint = secret.expose().chars().take(3).collect();
    let digest = keys::digest(secret.expose());
    let password =
        call.state.engine.add_password(application.id.as_str(), display_name, hint, &digest).await?;
    // The one time that the secret is shown.
    Ok(Answer::ok(json!({
        "@odata.context": call.context("microsoft.graph.passwordCredential"),
        "customKeyIdentifier": null,
        "displayName": password.display_name,
        "startDateTime": password.start.to_string(),
        "endDateTime": password.end.to_string(),
        "hint": password.hint,
        "keyId": password.key_id,
        "secretText": secret.expose(),
    })))
}

pub async fn remove_password(call: Call) -> Result<Answer, Refusal> {
    let application = call.named(EntryKind::Application, call.parameter("id")).await?;
    let body = call.object()?;
    let Some(key) = body.get("keyId").and_then(Value::as_str) else {
        return Err(Refusal::bad_request("the body needs 'keyId'"));
    };
    call.state.engine.remove_password(application.id.as_str(), key).await?;
    Ok(Answer::done())
}

async fn get(call: &Call, collection: &Collection) -> Result<Answer, Refusal> {
    only(call, &["$select"])?;
    let entry = call.named(collection.kind, call.parameter("id")).await?;
    Ok(Answer::ok(collection.one(call, &entry)?))
}

async fn update(call: &Call, kind: EntryKind) -> Result<Answer, Refusal> {
    let entry = call.named(kind, call.parameter("id")).await?;
    call.state.engine.update_application(kind, entry.id.as_str(), call.object()?).await?;
    Ok(Answer::done())
}

async fn delete(call: &Call, kind: EntryKind) -> Result<Answer, Refusal> {
    let entry = call.named(kind, call.parameter("id")).await?;
    call.state.engine.delete_entry(kind, entry.id.as_str()).await?;
    Ok(Answer::done())
}
