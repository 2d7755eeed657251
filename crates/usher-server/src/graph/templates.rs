//! Synchronization templates: what jobs are made from.

use serde_json::{Value, json};
use usher_core::Entry;
use usher_core::templates::{self, Template};

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};
use crate::path::Version;

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top"])?;
    let principal = call.service_principal().await?;
    let context = format!("{}/synchronization/templates", call.parent_context());
    let values = templates::all().iter().map(|template| view(&call, template, &principal)).collect();
    Ok(Answer::ok(whole(&call, &context, values)))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    call.service_principal().await?;
    Ok(Answer::count(templates::all().len()))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let template = found(&call)?;
    let mut body = view(&call, template, &principal);
    body["@odata.context"] =
        call.context(&format!("{}/synchronization/templates/$entity", call.parent_context()));
    Ok(Answer::ok(body))
}

pub async fn schema(call: Call) -> Result<Answer, Refusal> {
    call.service_principal().await?;
    let template = found(&call)?;
    let mut body = template.schema().to_json();
    if let Some(members) = body.as_object_mut() {
        let context =
            format!("{}/synchronization/templates('{}')/schema/$entity", call.parent_context(), template.id);
        members.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
    }
    Ok(Answer::ok(body))
}

fn found(call: &Call) -> Result<&'static Template, Refusal> {
    let id = call.parameter("template");
    templates::find(id).ok_or_else(|| Refusal::not_found(id))
}

/// The metadata keys begin with a capital in v1.0 and with a small letter in beta, as published.
fn view(call: &Call, template: &Template, principal: &Entry) -> Value {
    let fields: Vec<Value> = template
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
    json!({
        "id": template.id,
        "applicationId": principal.text("appId"),
        "default": template.is_default,
        "description": template.description,
        "discoverable": true,
        "factoryTag": template.factory_tag,
        "metadata": [{ "key": key, "value": Value::Array(fields).to_string() }],
    })
}
