//! The secrets that applications show for a token: `addPassword`, `removePassword`.

use serde_json::{Value, json};
use usher_core::{Entry, EntryKind};
use usher_engine::cases::applications::PasswordWish;

use crate::bootstrap::new_secret;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::graph::on_demand::stamp;
use crate::keys;

pub async fn add(call: Call) -> Result<Answer, Refusal> {
    let application = application(&call).await?;
    let body = call.object_or_empty()?;
    let wished = body.get("passwordCredential").unwrap_or(&Value::Null);
    let instant = |name: &str| wished[name].as_str().and_then(|text| text.parse().ok());
    let wish = PasswordWish {
        display_name: wished["displayName"].as_str().map(str::to_owned),
        start: instant("startDateTime"),
        end: instant("endDateTime"),
    };
    let secret = new_secret(&call.state.engine);
    let hint = secret.expose().chars().take(3).collect();
    let digest = keys::digest(secret.expose());
    let password = call.state.engine.add_password(application.id.as_str(), wish, hint, &digest).await?;
    // The one time that the secret is shown.
    Ok(Answer::ok(json!({
        "@odata.context": call.context("microsoft.graph.passwordCredential"),
        "customKeyIdentifier": null,
        "displayName": password.display_name,
        "startDateTime": stamp(password.start),
        "endDateTime": stamp(password.end),
        "hint": password.hint,
        "keyId": password.key_id,
        "secretText": secret.expose(),
    })))
}

pub async fn remove(call: Call) -> Result<Answer, Refusal> {
    let application = application(&call).await?;
    let body = call.object()?;
    let Some(key) = body.get("keyId").and_then(Value::as_str) else {
        return Err(Refusal::bad_request("the body needs 'keyId'"));
    };
    call.state.engine.remove_password(application.id.as_str(), key).await?;
    Ok(Answer::done())
}

/// The application that the path names, by itself or by its service principal.
async fn application(call: &Call) -> Result<Entry, Refusal> {
    let id = call.parameter("id");
    if call.collection() == "applications" {
        return call.named(EntryKind::Application, id).await;
    }
    let principal = call.named(EntryKind::ServicePrincipal, id).await?;
    Ok(call.state.engine.application_of(&principal).await?)
}
