//! Finding things by what people call them: applications, jobs, rules, users and groups.

use anyhow::Result;
use serde_json::{Value, json};
use usher_core::templates;

use crate::client::{Client, quoted, segment};
use crate::failure::Failure;

/// Whether the text is a GUID.
pub fn is_guid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() == 36
}

/// A member of an object that is a text; empty when it is not there.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The service principal with this object id, appId or display name.
///
/// # Errors
/// None or several have the name; several are listed.
pub async fn service_principal(client: &Client, name: &str) -> Result<Value> {
    let filters: &[&str] = if is_guid(name) { &["id", "appId"] } else { &["displayName"] };
    for property in filters {
        let found = client
            .list(&format!("/v1.0/servicePrincipals?$filter={property}%20eq%20{}", quoted(name)))
            .await?;
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one.clone()),
            several => return Err(ambiguous("application", name, several)),
        }
    }
    Err(Failure::with_hint(
        format!("there is no application '{name}'"),
        "`usher app list` shows them, `usher app create NAME` makes one",
    ))
}

/// The job with this id, or the only one that there is.
///
/// # Errors
/// There is none, or there are several and none was named.
pub async fn job(client: &Client, service_principal: &str, id: Option<&str>) -> Result<Value> {
    let path = format!("/v1.0/servicePrincipals/{}/synchronization/jobs", segment(service_principal));
    if let Some(id) = id {
        return client.get(&format!("{path}/{}", segment(id))).await;
    }
    let jobs = client.list(&path).await?;
    match jobs.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::with_hint(
            "the application has no synchronization job",
            "`usher job create --app NAME` makes one",
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|job| text(job, "id")).collect();
            Err(Failure::usage(
                format!("the application has {} synchronization jobs: {}", ids.len(), ids.join(", ")),
                "say which with --job ID",
            ))
        }
    }
}

/// The id of the rule that provisions this object type on demand: the one that was named, or the only one.
///
/// # Errors
/// There is none, or there are several and none was named.
pub fn rule(schema: &Value, object_type: &str, id: Option<&str>) -> Result<String> {
    if let Some(id) = id {
        return Ok(id.to_owned());
    }
    let rules = schema.get("synchronizationRules").and_then(Value::as_array).cloned().unwrap_or_default();
    let maps = |rule: &&Value| {
        rule.get("objectMappings").and_then(Value::as_array).is_some_and(|mappings| {
            mappings.iter().any(|mapping| {
                mapping.get("enabled").and_then(Value::as_bool).unwrap_or(true)
                    && text(mapping, "sourceObjectName").eq_ignore_ascii_case(object_type)
            })
        })
    };
    let found: Vec<&str> = rules.iter().filter(maps).map(|rule| text(rule, "id")).collect();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(Failure::refused(format!(
            "no rule of the job's schema provisions objects of type '{object_type}'"
        ))),
        several => Err(Failure::usage(
            format!(
                "{} rules provision objects of type '{object_type}': {}",
                several.len(),
                several.join(", ")
            ),
            "say which with --rule ID",
        )),
    }
}

/// The object id of a user or group that is named by id, user principal name or display name. Other object types are
/// taken as they stand: a distinguished name or worker id belongs to a directory that is not asked here.
///
/// # Errors
/// None or several have the name; several are listed.
pub async fn subject(client: &Client, object_type: &str, name: &str) -> Result<String> {
    if is_guid(name) {
        return Ok(name.to_owned());
    }
    let (collection, properties): (&str, &[&str]) = match object_type {
        "User" => ("users", &["userPrincipalName", "mail", "displayName"]),
        "Group" => ("groups", &["displayName"]),
        _ => return Ok(name.to_owned()),
    };
    for property in properties {
        let found = client
            .list(&format!(
                "/v1.0/{collection}?$filter={property}%20eq%20{}&$select=id,displayName",
                quoted(name)
            ))
            .await?;
        match found.as_slice() {
            [] => {}
            [one] => return Ok(text(one, "id").to_owned()),
            several => return Err(ambiguous(&object_type.to_lowercase(), name, several)),
        }
    }
    let kind = object_type.to_lowercase();
    Err(Failure::with_hint(format!("there is no {kind} '{name}'"), format!("`usher {kind} list` shows them")))
}

/// The same for the subject of a job. Where the job reads from a tenant of Entra ID, people are not those of the directory
/// inside: the service is asked whom the tenant knows by the name.
///
/// # Errors
/// None or several have the name.
pub async fn subject_of(
    client: &Client,
    job: &str,
    rule: &str,
    object_type: &str,
    name: &str,
) -> Result<String> {
    if is_guid(name) || !matches!(object_type, "User" | "Group") {
        return Ok(name.to_owned());
    }
    let template = client.get(job).await?;
    if templates::find(text(&template, "templateId")).is_none_or(|template| template.source != "entra") {
        return subject(client, object_type, name).await;
    }
    let subjects = json!([{ "objectId": name, "objectTypeName": object_type }]);
    let body = json!({ "parameters": [{ "ruleId": rule, "subjects": subjects }] });
    let answer = client.act(&format!("{job}/explain"), &body).await?;
    let object = &answer["document"]["objects"][0];
    let id = text(object, "sourceAnchor");
    if is_guid(id) {
        return Ok(id.to_owned());
    }
    let kind = object_type.to_lowercase();
    let failure = &object["failure"];
    let is_nobody = text(failure, "code") == "EntryNotFound" && text(failure, "category") != "failure";
    if !failure.is_null() && !is_nobody {
        let said = match text(failure, "additionalDetails") {
            "" => String::new(),
            said => format!(" ({said})"),
        };
        return Err(Failure::with_hint(
            format!(
                "the tenant that the job reads from cannot tell who '{name}' is: {}{said}",
                text(failure, "reason")
            ),
            text(failure, "recommendedAction"),
        ));
    }
    let why = match text(object, "description") {
        "" => String::new(),
        why => format!(": {why}"),
    };
    Err(Failure::with_hint(
        format!("the tenant that the job reads from knows no {kind} '{name}'{why}"),
        "a user is named by object id or user principal name, a group by its object id",
    ))
}

fn ambiguous(kind: &str, name: &str, found: &[Value]) -> anyhow::Error {
    let list: Vec<String> =
        found.iter().map(|one| format!("{} ({})", text(one, "id"), text(one, "displayName"))).collect();
    Failure::usage(
        format!("{} {kind}s are called '{name}': {}", found.len(), list.join(", ")),
        "name one of them by its id",
    )
}
