//! `…/synchronization`: all that an application has of provisioning.

use serde_json::{Value, json};

use super::operation::{Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE};
use super::types::{PING, SYNCHRONIZATION};
use super::{jobs, secrets, templates};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::only;

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization",
        SYNC_READ,
        "Get the synchronization of an application",
        run!(get),
    )
    .for_owners()
    .one(&SYNCHRONIZATION),
    Operation::new(
        "PUT",
        "/{applications|servicePrincipals}/{id}/synchronization",
        SYNC_WRITE,
        "Set the synchronization of an application",
        run!(replace),
    )
    .for_owners()
    .takes(&SYNCHRONIZATION)
    .one(&SYNCHRONIZATION),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization",
        SYNC_WRITE,
        "Remove the synchronization of an application",
        run!(delete),
    )
    .for_owners(),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/Ping",
        SYNC_READ,
        "Ask whether synchronization answers",
        run!(ping),
    )
    .for_owners()
    .in_beta()
    .one(&PING),
];

/// The parts that `$select` and `$expand` may name.
const PARTS: &[&str] = &["id", "secrets", "jobs", "templates"];

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand"])?;
    let wanted = |option: &str| -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = call.option(option) else { return Ok(None) };
        text.split(',')
            .map(|name| {
                let name = name.trim();
                let known = PARTS.iter().find(|known| known.eq_ignore_ascii_case(name));
                known.map(|known| (*known).to_owned()).ok_or_else(|| {
                    Refusal::bad_request(format!(
                        "Could not find a property named '{name}' on this resource."
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    };
    let (selected, expanded) = (wanted("$select")?, wanted("$expand")?.unwrap_or_default());
    Ok(Answer::ok(view(&call, selected, &expanded).await?))
}

async fn view(call: &Call, selected: Option<Vec<String>>, expanded: &[String]) -> Result<Value, Refusal> {
    let principal = call.service_principal().await?;
    let has = |list: &[String], name: &str| list.iter().any(|known| known == name);
    let shows = |name: &str| selected.as_ref().is_none_or(|names| has(names, name));
    let mut body = json!({
        "@odata.context": call.context(&format!("{}/synchronization/$entity", call.parent_context())),
    });
    if shows("id") {
        body["id"] = json!(principal.id.as_str());
    }
    if shows("secrets") {
        body["secrets"] = Value::Array(secrets::views(call, &principal).await?);
    }
    if has(expanded, "jobs") {
        body["jobs"] = Value::Array(jobs::views(call, &principal).await?);
    }
    if has(expanded, "templates") {
        body["templates"] = Value::Array(templates::views(call, &principal).await?);
    }
    Ok(body)
}

/// Only the secrets can be set here; jobs and templates have addresses of their own.
async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    for (name, value) in &body {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        match name.as_str() {
            "secrets" | "id" => {}
            name if name.starts_with('@') => {}
            "jobs" | "templates" if is_empty => {}
            "jobs" | "templates" => {
                return Err(Refusal::bad_request(format!(
                    "'{name}' cannot be set here; write to …/synchronization/{name}"
                )));
            }
            name => {
                return Err(Refusal::bad_request(format!(
                    "Property '{name}' does not exist on type 'microsoft.graph.synchronization'."
                )));
            }
        }
    }
    if let Some(list) = body.get("secrets").filter(|list| !list.is_null()) {
        let list = list.as_array().ok_or_else(|| Refusal::bad_request("'secrets' must be a list"))?;
        secrets::store(&call, &principal, list).await?;
    }
    Ok(Answer::ok(view(&call, None, &[]).await?))
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let engine = &call.state.engine;
    for job in engine.jobs(&principal.id).await? {
        engine.remove_job(&principal.id, &job.id).await?;
    }
    engine.replace_secrets(&principal.id, Vec::new()).await?;
    engine.forget_templates(&principal.id).await?;
    Ok(Answer::done())
}

async fn ping(call: Call) -> Result<Answer, Refusal> {
    call.service_principal().await?;
    Ok(Answer::ok(json!({ "@odata.context": call.context("Edm.String"), "value": "pong" })))
}
