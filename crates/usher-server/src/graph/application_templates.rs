//! `/applicationTemplates`: from nothing to an application.

use serde_json::{Value, json};
use usher_engine::cases::applications::NON_GALLERY_TEMPLATE;

use super::applications::APPLICATIONS;
use super::operation::{Operation, run};
use super::permissions::{APP_READ, APP_WRITE};
use super::service_principals::PRINCIPALS;
use super::types::{APPLICATION_TEMPLATE, INSTANCE, NAME};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{self, keep, whole};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/applicationTemplates", APP_READ, "List application templates", run!(list))
        .for_owners()
        .many(&APPLICATION_TEMPLATE),
    Operation::new(
        "GET",
        "/applicationTemplates/$count",
        APP_READ,
        "Count application templates",
        run!(count),
    )
    .for_owners()
    .count(),
    Operation::new("GET", "/applicationTemplates/{id}", APP_READ, "Get an application template", run!(get))
        .for_owners()
        .one(&APPLICATION_TEMPLATE),
    Operation::new(
        "POST",
        "/applicationTemplates/{id}/instantiate",
        APP_WRITE,
        "Create an application from a template",
        run!(instantiate),
    )
    .for_owners()
    .takes(&NAME)
    .created(&INSTANCE),
];

async fn count(_: Call) -> Result<Answer, Refusal> {
    Ok(Answer::count(1))
}

async fn list(call: Call) -> Result<Answer, Refusal> {
    let filter = call
        .option("$filter")
        .map(|text| odata::parsed(text, &|path| APPLICATION_TEMPLATE.at(path)))
        .transpose()?;
    let mut all = vec![view()];
    all.retain(|one| filter.as_ref().is_none_or(|filter| filter.holds(one, true)));
    for one in &mut all {
        keep(&call, &APPLICATION_TEMPLATE, one)?;
    }
    Ok(Answer::ok(whole(&call, "applicationTemplates", all)?))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    if !call.parameter("id").eq_ignore_ascii_case(NON_GALLERY_TEMPLATE) {
        return Err(Refusal::not_found(call.parameter("id")));
    }
    let mut body = view();
    body["@odata.context"] = call.context("applicationTemplates/$entity");
    Ok(Answer::ok(body))
}

async fn instantiate(call: Call) -> Result<Answer, Refusal> {
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
