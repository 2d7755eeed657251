//! `usher job upload`: records for a job of API-driven provisioning.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Which;
use crate::client::Client;
use crate::failure::{DONE, Failure};

/// How many operations one request may have (Graph, bulkUpload).
const MOST: usize = 50;
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Which file for which job.
#[derive(clap::Args)]
pub struct Upload {
    #[command(flatten)]
    which: Which,
    /// SCIM users as a JSON list, a JSON line each, or a SCIM bulk request; `-` is standard input.
    file: PathBuf,
}

/// Uploads all records, fifty at a time.
pub async fn run(client: &Client, upload: Upload) -> Result<u8> {
    let text = if upload.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        fs::read_to_string(&upload.file).with_context(|| format!("cannot read {}", upload.file.display()))?
    };
    let records = records(&text).map_err(|what| {
        Failure::usage(
            format!("{}: {what}", upload.file.display()),
            "give SCIM users as a JSON list, a JSON line each, or a SCIM bulk request",
        )
    })?;
    let path = format!("{}/bulkUpload", upload.which.path(client).await?);
    for (round, chunk) in records.chunks(MOST).enumerate() {
        let operations: Vec<Value> = chunk
            .iter()
            .enumerate()
            .map(|(place, user)| {
                let id = format!("{}", round * MOST + place + 1);
                json!({ "method": "POST", "bulkId": id, "path": "/Users", "data": user })
            })
            .collect();
        let body = json!({ "schemas": [BULK], "Operations": operations, "failOnErrors": null });
        client.post_scim(&path, &body).await?;
    }
    anstream::println!("{} records are staged; the job provisions them while it runs", records.len());
    Ok(DONE)
}

fn records(text: &str) -> Result<Vec<Value>, String> {
    let all = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(members)) => match members.get("Operations").and_then(Value::as_array) {
            Some(operations) => operations.iter().map(|one| one["data"].clone()).collect(),
            None => vec![Value::Object(members)],
        },
        Ok(_) => return Err("it is neither a list nor an object".to_owned()),
        Err(_) => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(place, line)| {
                serde_json::from_str(line).map_err(|error| format!("line {} is not JSON: {error}", place + 1))
            })
            .collect::<Result<_, _>>()?,
    };
    if all.is_empty() {
        return Err("it holds no records".to_owned());
    }
    all.into_iter()
        .enumerate()
        .map(|(place, mut user)| {
            let members =
                user.as_object_mut().ok_or_else(|| format!("record {} is not an object", place + 1))?;
            if !members.get("externalId").is_some_and(Value::is_string) {
                return Err(format!("record {} has no 'externalId', which tells it from others", place + 1));
            }
            members.entry("schemas").or_insert_with(|| json!([USER]));
            Ok(user)
        })
        .collect()
}
