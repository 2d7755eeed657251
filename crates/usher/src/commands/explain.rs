//! `usher explain`: why a subject is created, changed, disabled or skipped.

use anyhow::Result;
use clap::ArgGroup;
use serde_json::{Value, json};

use crate::client::{Client, Refusal, segment};
use crate::commands::plan::{self, Subjects};
use crate::failure::{self, DONE, Failure, REFUSED};
use crate::lookup::{self, text};
use crate::output::{self, Format};
use crate::plan_view;
use crate::view::{self, line};

/// Say why a subject is created, changed, disabled or skipped.
#[derive(clap::Args)]
#[command(
    group = ArgGroup::new("what").args(["object_type", "event"]).required(true),
    after_help = "Examples:\n  \
    usher explain User adele@contoso.example --app hr-portal\n  \
    usher explain --event 0199c3c8-0000-7000-8000-000000000000 --app hr-portal\n\n\
    Nothing is written. Without --event the subject is looked at now; with it, the provisioning log tells of then.\n\n\
    Exit code 0: it is explained; 1: an error, or the object fails."
)]
pub struct Args {
    #[command(flatten)]
    subjects: Subjects,
    /// An event of the provisioning log, by its id.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// For people, or as JSON.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Explains. The exit code says nothing of the command line, as that of a plan.
pub async fn run(args: Args) -> u8 {
    match explain(args).await {
        Ok(code) => code,
        Err(error) => {
            failure::report(&error);
            REFUSED
        }
    }
}

async fn explain(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    if let Some(event) = &args.event {
        return explain_event(&client, &args, event).await;
    }
    let (path, parameters) = args.subjects.parameters(&client).await?;
    let (path, request) = (format!("{path}/explain"), json!({ "parameters": parameters }));
    let mut answer = client.act(&path, &request).await?;
    let document = answer["document"].take();
    if args.output == Format::Json {
        output::object(Format::Json, &document);
        return Ok(DONE);
    }
    let plan = plan::read(&document)?;
    for object in &plan.objects {
        anstream::print!("{}", plan_view::explained(object));
    }
    Ok(if plan.counts.failed > 0 { REFUSED } else { DONE })
}

/// What the log says of an event: every step with all its details, and what was sent.
async fn explain_event(client: &Client, args: &Args, id: &str) -> Result<u8> {
    let which = &args.subjects.which;
    let app = lookup::service_principal(client, &which.app).await?;
    let event = client.get(&format!("/v1.0/auditLogs/provisioning/{}", segment(id))).await?;
    if event["id"].as_str().is_none() {
        return Err(Failure::refused(format!("there is no event '{id}'")));
    }
    let (principal, job) = (&event["servicePrincipal"], text(&event, "jobId"));
    if text(principal, "id") != text(&app, "id") {
        let owner = text(principal, "displayName");
        return Err(Failure::with_hint(
            format!("the event '{id}' is none of '{}': it belongs to '{owner}'", text(&app, "displayName")),
            format!("give --app {owner}"),
        ));
    }
    if let Some(other) = which.job.as_ref().filter(|other| !other.eq_ignore_ascii_case(job)) {
        return Err(Failure::with_hint(
            format!("the event '{id}' is none of the job '{other}'"),
            format!("give --job {job}, or leave it out"),
        ));
    }
    let below = |what: &str| {
        format!(
            "/v1.0/servicePrincipals/{}/synchronization/jobs/{}/{what}/{}",
            segment(text(principal, "id")),
            segment(job),
            segment(id)
        )
    };
    let recording = found(client, &below("recordings")).await?;
    // The recording has the answers whole; the log keeps of them what it may.
    let exchanges = match &recording {
        Some(recording) => recording["requests"].clone(),
        None => {
            found(client, &below("exchanges")).await?.map_or(Value::Null, |mut all| all["requests"].take())
        }
    };
    if args.output == Format::Json {
        let told = json!({ "event": event, "requests": exchanges, "recording": recording });
        output::object(Format::Json, &told);
        return Ok(DONE);
    }
    view::print_event(&event);
    let is_whole = recording.is_some();
    match recording {
        Some(mut recording) => {
            let told = serde_json::from_value(recording["explanation"].take())?;
            anstream::print!("{}", plan_view::explanation(&told));
        }
        None => anstream::print!("{}", details(&event)),
    }
    anstream::print!("{}", sent(&exchanges));
    if !is_whole && decides(&event) {
        anstream::eprintln!(
            "hint: what the clauses and mappings looked at is not kept; `usher job set --app {} --keep-source-objects \
             P7D` keeps it of what happens from now on",
            which.app
        );
    }
    Ok(DONE)
}

/// Whether clauses or mappings had a say in an event: there is more to tell of it than the log keeps.
fn decides(event: &Value) -> bool {
    let mut steps = event["provisioningSteps"].as_array().into_iter().flatten();
    steps.any(|step| matches!(text(step, "provisioningStepType"), "scoping" | "processing"))
}

/// What is there; `None` when it is not.
async fn found(client: &Client, path: &str) -> Result<Option<Value>> {
    match client.get(path).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.status == 404) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Every step of an event with all its details.
fn details(event: &Value) -> String {
    let mut out = String::new();
    for step in event["provisioningSteps"].as_array().into_iter().flatten() {
        let details = step["details"].as_object().filter(|details| !details.is_empty());
        let Some(details) = details else { continue };
        out.push_str(&format!("\n  {}\n", line(text(step, "description"))));
        for (name, value) in details {
            out.push_str(&format!("    {}: {}\n", line(name), line(value.as_str().unwrap_or_default())));
        }
    }
    out
}

/// Requests with their answers.
fn sent(exchanges: &Value) -> String {
    let mut out = String::new();
    for exchange in exchanges.as_array().into_iter().flatten() {
        out.push_str(&format!("\n  {}\n", view::exchange(exchange)));
        for body in [&exchange["body"], &exchange["answer"]["body"]].into_iter().filter(|one| !one.is_null())
        {
            out.push_str(&view::document(body, "    "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::{hostile, is_harmless};

    #[test]
    fn what_others_named_cannot_look_like_our_own_lines() {
        let event = json!({ "provisioningSteps": [
            { "description": hostile("said"), "details": { hostile("name"): hostile("detail") } },
        ]});
        is_harmless("details", &details(&event));
        let exchange = json!({
            "method": "POST", "path": hostile("/Users"), "body": { hostile("a"): hostile("b") },
            "answer": { "status": 400, "body": hostile("no") },
        });
        is_harmless("what was sent", &sent(&json!([exchange])));
    }
}
