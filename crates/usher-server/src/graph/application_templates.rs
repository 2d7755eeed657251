//! `/applicationTemplates`: from nothing to an application.

use serde_json::{Value, json};
use usher_engine::cases::applications::NON_GALLERY_TEMPLATE;

use super::applications::{APPLICATIONS, PRINCIPALS};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::whole;

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(whole(&call, "applicationTemplates", vec![view()])))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    if !call.parameter("id").eq_ignore_ascii_case(NON_GALLERY_TEMPLATE) {
        return Err(Refusal::not_found(call.parameter("id")));
    }
    let mut body = view();
    body["@odata.context"] = call.context("applicationTemplates/$entity");
    Ok(Answer::ok(body))
}

pub async fn instantiate(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let (application, principal) =
        call.state.engine.instantiate(call.parameter("id"), call.object()?, owner.as_ref()).await?;
    let body = json!({
        "@odata.context": call.context("microsoft.graph.applicationServicePrincipal"),
        "application": Value::Object(APPLICATIONS.view(&application, None)),
        "servicePrincipal": Value::Object(PRINCIPALS.view(&principal, None)),
    });
    let location = format!("{}/servicePrincipals/{}", call.base(), principal.id);
    Ok(Answer::created(body, location))
}

fn view() -> Value {
    json!({
        "id": NON_GALLERY_TEMPLATE,
        "displayName": "Custom",
        "homePageUrl": null,
        "supportedSingleSignOnModes": [],
        "supportedProvisioningTypes": ["sync"],
        "logoUrl": null,
        "categories": [],
        "publisher": "Usher",
        "description": "An application that is not in the gallery, with a SCIM 2.0 endpoint",
    })
}
