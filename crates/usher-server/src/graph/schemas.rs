//! The schema of a job or template, its directories, and what its mappings and filters may use.

mod expression;

use serde_json::{Map, Value, json};
use usher_core::JobId;
use usher_core::operators::{self, Arity, MultivaluedComparison};
use usher_engine::cases::directories::SchemaOf;
use usher_expr::{Dialect, functions};

use super::operation::{Operation, run};
use super::permissions::{DISCOVER, SYNC_READ, SYNC_WRITE};
use super::types::{DIRECTORY, EXPRESSION, FUNCTION, OPERATOR, PARSED, SCHEMA};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema", SYNC_READ, "Get the schema of a job", run!(get)).for_owners().one(&SCHEMA),
    Operation::new("PUT", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema", SYNC_WRITE, "Replace the schema of a job", run!(replace)).for_owners().takes(&SCHEMA),
    Operation::new("PATCH", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema", SYNC_WRITE, "Replace the schema of a job", run!(replace)).for_owners().takes(&SCHEMA),
    Operation::new("DELETE", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema", SYNC_WRITE, "Drop the changes of the schema of a job", run!(reset)).for_owners(),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories", SYNC_READ, "List the directories of the schema of a job", run!(directories)).for_owners().many(&DIRECTORY),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories", SYNC_WRITE, "Add a directory to the schema of a job", run!(add_directory)).for_owners().takes(&DIRECTORY).created(&DIRECTORY),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories/$count", SYNC_READ, "Count the directories of the schema of a job", run!(count_directories)).for_owners().count(),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories/{directory}", SYNC_READ, "Get a directory of the schema of a job", run!(directory)).for_owners().one(&DIRECTORY),
    Operation::new("PATCH", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories/{directory}", SYNC_WRITE, "Update a directory of the schema of a job", run!(update_directory)).for_owners().takes(&DIRECTORY).one(&DIRECTORY),
    Operation::new("DELETE", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories/{directory}", SYNC_WRITE, "Remove a directory from the schema of a job", run!(remove_directory)).for_owners(),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/directories/{directory}/discover", DISCOVER, "Discover the attributes of a directory of a job", run!(discover)).for_owners().one(&DIRECTORY),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/filterOperators", SYNC_WRITE, "List filter operators for a job", run!(filter_operators)).for_owners().many(&OPERATOR),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/functions", SYNC_WRITE, "List mapping functions for a job", run!(functions)).for_owners().many(&FUNCTION),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/schema/parseExpression", SYNC_WRITE, "Parse and evaluate a mapping expression of a job", run!(expression::parse)).for_owners().reads().takes(&EXPRESSION).one(&PARSED),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema", SYNC_READ, "Get the schema of a template", run!(get)).for_owners().one(&SCHEMA),
    Operation::new("PUT", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema", SYNC_WRITE, "Replace the schema of a template", run!(replace)).for_owners().takes(&SCHEMA),
    Operation::new("PATCH", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema", SYNC_WRITE, "Replace the schema of a template", run!(replace)).for_owners().takes(&SCHEMA),
    Operation::new("DELETE", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema", SYNC_WRITE, "Drop the changes of the schema of a template", run!(reset)).for_owners(),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories", SYNC_READ, "List the directories of the schema of a template", run!(directories)).for_owners().many(&DIRECTORY),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories", SYNC_WRITE, "Add a directory to the schema of a template", run!(add_directory)).for_owners().takes(&DIRECTORY).created(&DIRECTORY),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories/$count", SYNC_READ, "Count the directories of the schema of a template", run!(count_directories)).for_owners().count(),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories/{directory}", SYNC_READ, "Get a directory of the schema of a template", run!(directory)).for_owners().one(&DIRECTORY),
    Operation::new("PATCH", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories/{directory}", SYNC_WRITE, "Update a directory of the schema of a template", run!(update_directory)).for_owners().takes(&DIRECTORY).one(&DIRECTORY),
    Operation::new("DELETE", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories/{directory}", SYNC_WRITE, "Remove a directory from the schema of a template", run!(remove_directory)).for_owners(),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/directories/{directory}/discover", DISCOVER, "Discover the attributes of a directory of a template", run!(discover)).for_owners().one(&DIRECTORY),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/filterOperators", SYNC_WRITE, "List filter operators for a template", run!(filter_operators)).for_owners().many(&OPERATOR),
    Operation::new("GET", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/functions", SYNC_WRITE, "List mapping functions for a template", run!(functions)).for_owners().many(&FUNCTION),
    Operation::new("POST", "/{applications|servicePrincipals}/{id}/synchronization/templates/{template}/schema/parseExpression", SYNC_WRITE, "Parse and evaluate a mapping expression of a template", run!(expression::parse)).for_owners().reads().takes(&EXPRESSION).one(&PARSED),
];

/// The job that the path names.
fn job(call: &Call) -> JobId {
    JobId::new(call.parameter("job"))
}

/// Whose schema the path is about.
fn of<'a>(call: &'a Call, job: &'a JobId) -> SchemaOf<'a> {
    match call.parameter("template") {
        "" => SchemaOf::Job(job),
        template => SchemaOf::Template(template),
    }
}

/// How contexts name the schema.
fn place(call: &Call, job: &JobId) -> String {
    let parent = call.parent_context();
    match of(call, job) {
        SchemaOf::Job(job) => format!("{parent}/synchronization/jobs('{job}')/schema"),
        SchemaOf::Template(id) => format!("{parent}/synchronization/templates('{id}')/schema"),
    }
}

/// A document as the answer of a call about it alone.
fn entity(call: &Call, context: &str, mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.shift_remove("@odata.context");
        members.shift_insert(0, "@odata.context".to_owned(), call.context(context));
    }
    body
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$expand", "$select"])?;
    let principal = call.service_principal().await?;
    let job = job(&call);
    let schema = call.state.engine.any_schema(&principal, of(&call, &job)).await?;
    let mut body = entity(&call, &format!("{}/$entity", place(&call, &job)), schema.to_json());
    if let Some(members) = body.as_object_mut() {
        // Null collections are rendered as empty ones (Graph, JSON conventions).
        for name in ["synchronizationRules", "directories"] {
            if members.get(name).is_none_or(Value::is_null) {
                members.insert(name.to_owned(), json!([]));
            }
        }
        if let Some(names) = call.option("$select") {
            let names: Vec<&str> = names.split(',').map(str::trim).collect();
            members.retain(|member, _| {
                member.starts_with('@') || names.iter().any(|name| name.eq_ignore_ascii_case(member))
            });
        }
    }
    Ok(Answer::ok(body))
}

async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let mut document = call.object()?;
    document.retain(|name, _| !name.starts_with("@odata.context"));
    let document = Value::Object(document).to_string();
    let job = job(&call);
    call.state.engine.replace_any_schema(&principal, of(&call, &job), document.as_bytes()).await?;
    Ok(Answer::done())
}

async fn reset(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    match call.parameter("template") {
        "" => call.state.engine.reset_schema(&principal.id, &job(&call)).await?,
        template => call.state.engine.reset_template_schema(&principal, template).await?,
    }
    Ok(Answer::done())
}

async fn directories(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top", "$count", "$select", "$expand"])?;
    let principal = call.service_principal().await?;
    let job = job(&call);
    let list = call.state.engine.directories(&principal, of(&call, &job)).await?;
    Ok(Answer::ok(whole(&call, &format!("{}/directories", place(&call, &job)), list)?))
}

async fn count_directories(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let job = job(&call);
    Ok(Answer::count(call.state.engine.directories(&principal, of(&call, &job)).await?.len()))
}

async fn directory(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand"])?;
    let principal = call.service_principal().await?;
    let (job, id) = (job(&call), call.parameter("directory"));
    let found = call.state.engine.directory(&principal, of(&call, &job), id).await?;
    Ok(Answer::ok(directory_entity(&call, &job, found)))
}

fn directory_entity(call: &Call, job: &JobId, directory: Value) -> Value {
    entity(call, &format!("{}/directories/$entity", place(call, job)), directory)
}

/// The body without annotations.
fn definition(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let mut body = call.object()?;
    body.retain(|name, _| !name.starts_with("@odata.context"));
    Ok(body)
}

async fn add_directory(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let job = job(&call);
    let added = call.state.engine.add_directory(&principal, of(&call, &job), definition(&call)?).await?;
    let id = added["id"].as_str().unwrap_or_default();
    let location = format!("{}/{}/directories('{id}')", call.base(), place(&call, &job));
    Ok(Answer::created(directory_entity(&call, &job, added), location))
}

async fn update_directory(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let (job, id) = (job(&call), call.parameter("directory"));
    let body = definition(&call)?;
    let changed = call.state.engine.update_directory(&principal, of(&call, &job), id, body).await?;
    Ok(Answer::ok(directory_entity(&call, &job, changed)))
}

async fn remove_directory(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let job = job(&call);
    call.state.engine.remove_directory(&principal, of(&call, &job), call.parameter("directory")).await?;
    Ok(Answer::done())
}

async fn discover(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let (job, id) = (job(&call), call.parameter("directory"));
    let found = call.state.engine.discover(&principal, of(&call, &job), id).await?;
    let context = "microsoft.graph.directoryDefinition";
    Ok(Answer::ok(entity(&call, context, found)))
}

async fn filter_operators(call: Call) -> Result<Answer, Refusal> {
    exists(&call).await?;
    let values = operators::all()
        .iter()
        .map(|operator| {
            let types: Vec<&str> = operator.types.iter().map(|one| one.name()).collect();
            let arity = match operator.arity {
                Arity::Unary => "Unary",
                Arity::Binary => "Binary",
            };
            let comparison = match operator.multivalued_comparison() {
                MultivaluedComparison::All => "All",
                MultivaluedComparison::Any => "Any",
            };
            json!({
                "id": operator.name,
                "arity": arity,
                "multivaluedComparisonType": comparison,
                "supportedAttributeTypes": types,
            })
        })
        .collect();
    Ok(Answer::ok(whole(&call, "filterOperators", values)?))
}

async fn functions(call: Call) -> Result<Answer, Refusal> {
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
                        "type": param.ty.graph_name(),
                        "required": param.required,
                        "allowMultipleOccurrences": param.repeats,
                    })
                })
                .collect();
            json!({ "id": function.name, "parameters": parameters })
        })
        .collect();
    Ok(Answer::ok(whole(&call, "functions", values)?))
}

/// The job or template must be there.
async fn exists(call: &Call) -> Result<(), Refusal> {
    let principal = call.service_principal().await?;
    let job = job(call);
    match of(call, &job) {
        SchemaOf::Job(job) => drop(call.state.engine.job(&principal.id, job).await?),
        SchemaOf::Template(id) => drop(call.state.engine.template(&principal, id).await?),
    }
    Ok(())
}
