//! The schema of a job, and what its mappings and filters may use.

use serde_json::{Value, json};
use usher_core::{JobId, operators};
use usher_expr::{Dialect, functions};

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$expand"])?;
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    let mut body = call.state.engine.schema(&principal.id, &job).await?.to_json();
    if let Some(members) = body.as_object_mut() {
        let context = format!("{}/synchronization/jobs('{job}')/schema/$entity", call.parent_context());
        members.shift_remove("@odata.context");
        members.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
    }
    Ok(Answer::ok(body))
}

pub async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let mut document = call.object()?;
    document.retain(|name, _| !name.starts_with("@odata.context"));
    let document = Value::Object(document).to_string();
    let job = JobId::new(call.parameter("job"));
    call.state.engine.replace_schema(&principal.id, &job, document.as_bytes()).await?;
    Ok(Answer::done())
}

pub async fn reset(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.reset_schema(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}

pub async fn filter_operators(call: Call) -> Result<Answer, Refusal> {
    exists(&call).await?;
    let values = operators::all()
        .iter()
        .map(|operator| {
            let types: Vec<String> = operator.types.iter().map(|one| format!("{one:?}")).collect();
            json!({
                "id": operator.name,
                "name": operator.name,
                "arity": format!("{:?}", operator.arity),
                "multivaluedComparisonType": if operator.is_negative { "All" } else { "Any" },
                "supportedAttributeTypes": types,
            })
        })
        .collect();
    Ok(Answer::ok(whole(&call, "filterOperators", values)))
}

pub async fn functions(call: Call) -> Result<Answer, Refusal> {
    exists(&call).await?;
    let values = functions::all()
        .iter()
        .filter(|function| function.dialects.contains(&Dialect::Service))
        .map(|function| {
            let parameters: Vec<Value> = function
                .params
                .iter()
                .map(|param| {
                    json!({
                        "name": param.key.unwrap_or(param.name),
                        "type": format!("{:?}", param.ty),
                        "required": param.required,
                        "allowMultipleOccurrences": param.repeats,
                    })
                })
                .collect();
            json!({ "id": function.name, "name": function.name, "parameters": parameters })
        })
        .collect();
    Ok(Answer::ok(whole(&call, "functions", values)))
}

async fn exists(call: &Call) -> Result<(), Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(())
}
