//! Synchronization templates: what jobs are made from.

use serde_json::{Map, Value, json};
use usher_core::Entry;
use usher_engine::cases::templates::OwnTemplate;

use super::operation::{Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE};
use super::types::TEMPLATE;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};
use crate::path::Version;

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/templates",
        SYNC_READ,
        "List synchronization templates",
        run!(list),
    )
    .for_owners()
    .many(&TEMPLATE),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/templates",
        SYNC_WRITE,
        "Create a synchronization template",
        run!(create),
    )
    .for_owners()
    .takes(&TEMPLATE)
    .created(&TEMPLATE),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/templates/$count",
        SYNC_READ,
        "Count synchronization templates",
        run!(count),
    )
    .for_owners()
    .count(),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}",
        SYNC_READ,
        "Get a synchronization template",
        run!(get),
    )
    .for_owners()
    .one(&TEMPLATE),
    Operation::new(
        "PATCH",
        "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}",
        SYNC_WRITE,
        "Replace a synchronization template",
        run!(replace),
    )
    .for_owners()
    .takes(&TEMPLATE),
    Operation::new(
        "PUT",
        "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}",
        SYNC_WRITE,
        "Replace a synchronization template",
        run!(replace),
    )
    .for_owners()
    .takes(&TEMPLATE)
    .unpublished(),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}",
        SYNC_WRITE,
        "Delete a synchronization template",
        run!(delete),
    )
    .for_owners(),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top", "$count"])?;
    let principal = call.service_principal().await?;
    let context = format!("{}/synchronization/templates", call.parent_context());
    Ok(Answer::ok(whole(&call, &context, views(&call, &principal).await?)?))
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    Ok(Answer::count(views(&call, &principal).await?.len()))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$expand", "$select"])?;
    let principal = call.service_principal().await?;
    let template = call.state.engine.template(&principal, call.parameter("template")).await?;
    let mut body = entity(&call, &template);
    match call.option("$expand") {
        None => {}
        Some(name) if name.trim().eq_ignore_ascii_case("schema") => {
            let context = format!(
                "{}/synchronization/templates('{}')/schema/$entity",
                call.parent_context(),
                template.id
            );
            body["schema@odata.context"] = call.context(&context);
            body["schema"] = call.state.engine.template_schema(&principal, &template.id).await?.to_json();
        }
        Some(name) => return Err(Refusal::bad_request(format!("'{name}' cannot be expanded; 'schema' can"))),
    }
    Ok(Answer::ok(body))
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let template = call.state.engine.put_template(&principal, None, &call.object()?).await?;
    let location = format!(
        "{}/servicePrincipals/{}/synchronization/templates/{}",
        call.base(),
        principal.id,
        template.id
    );
    Ok(Answer::created(entity(&call, &template), location))
}

async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body: Map<String, Value> = call.object()?;
    call.state.engine.put_template(&principal, Some(call.parameter("template")), &body).await?;
    Ok(Answer::done())
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.remove_template(&principal, call.parameter("template")).await?;
    Ok(Answer::done())
}

/// Those that can be discovered; the others are found by their ids.
pub async fn views(call: &Call, principal: &Entry) -> Result<Vec<Value>, Refusal> {
    let templates = call.state.engine.templates(principal).await?;
    Ok(templates
        .iter()
        .filter(|template| template.discoverable)
        .map(|template| view(call, template))
        .collect())
}

fn entity(call: &Call, template: &OwnTemplate) -> Value {
    let mut body = view(call, template);
    body["@odata.context"] =
        call.context(&format!("{}/synchronization/templates/$entity", call.parent_context()));
    body
}

fn view(call: &Call, template: &OwnTemplate) -> Value {
    json!({
        "id": template.id,
        "applicationId": template.application_id,
        "default": template.is_default,
        "description": template.description,
        "discoverable": template.discoverable,
        "factoryTag": template.factory_tag,
        "metadata": template.metadata.clone().unwrap_or_else(|| fields(call, template)),
    })
}

/// The secrets to ask for. The metadata keys begin with a capital in v1.0 and with a small letter in beta, as published.
fn fields(call: &Call, template: &OwnTemplate) -> Vec<Value> {
    let fields: Vec<Value> = template
        .base
        .fields
        .iter()
        .map(|(name, is_secret)| {
            let name = name.to_lowercase();
            if *is_secret { json!({ "name": name, "secret": true }) } else { json!({ "name": name }) }
        })
        .collect();
    let key = match call.version {
        Version::V1 => "ConfigurationFields",
        Version::Beta => "configurationFields",
    };
    vec![json!({ "key": key, "value": Value::Array(fields).to_string() })]
}
