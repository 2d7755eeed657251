//! `usher explain`: why a subject is created, changed, disabled or skipped.

use anyhow::Result;
use clap::ArgGroup;
use serde_json::json;

use crate::client::{Client, Refusal, segment};
use crate::commands::plan::{self, Subjects};
use crate::failure::{DONE, Failure, REFUSED};
use crate::output::{self, Format};
use crate::{plan_view, view};

/// Say why a subject is created, changed, disabled or skipped.
#[derive(clap::Args)]
#[command(
    group = ArgGroup::new("what").args(["object_type", "event"]).required(true),
    after_help = "Examples:\n  \
    usher explain User adele@contoso.example --app hr-portal\n  \
    usher explain --event 0199c3c8-0000-7000-8000-000000000000 --app hr-portal\n\n\
    Nothing is written. Without --event the subject is looked at now; with it, the provisioning log tells of then."
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

/// Explains.
pub async fn run(args: Args) -> Result<u8> {
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
        let alone = usher_core::saved::SavedPlan { objects: vec![object.clone()], ..plan.clone() };
        anstream::print!("{}", plan_view::objects(&alone));
        if let Some(description) = &object.description {
            anstream::println!("  {description}");
        }
        if let Some(explanation) = &object.explanation {
            anstream::print!("{}", plan_view::explanation(explanation));
        }
        anstream::println!();
    }
    Ok(if plan.counts.failed > 0 { REFUSED } else { DONE })
}

/// What the log says of an event: every step with all its details.
async fn explain_event(client: &Client, args: &Args, id: &str) -> Result<u8> {
    let event = client.get(&format!("/v1.0/auditLogs/provisioning/{}", segment(id))).await?;
    if event["id"].as_str().is_none() {
        return Err(Failure::refused(format!("there is no event '{id}'")));
    }
    let text = crate::lookup::text;
    let path = format!(
        "/v1.0/servicePrincipals/{}/synchronization/jobs/{}/recordings/{}",
        segment(text(&event["servicePrincipal"], "id")),
        segment(text(&event, "jobId")),
        segment(id)
    );
    let recording = match client.get(&path).await {
        Ok(recording) => Some(recording),
        Err(error) if error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.status == 404) => None,
        Err(error) => return Err(error),
    };
    if args.output == Format::Json {
        output::object(Format::Json, &json!({ "event": event, "recording": recording }));
        return Ok(DONE);
    }
    view::print_event(&event);
    if let Some(mut recording) = recording {
        let told = serde_json::from_value(recording["explanation"].take())?;
        anstream::print!("{}", plan_view::explanation(&told));
        for request in recording["requests"].as_array().into_iter().flatten() {
            anstream::println!("\n  {}", view::exchange(request));
            for body in
                [&request["body"], &request["answer"]["body"]].into_iter().filter(|one| !one.is_null())
            {
                anstream::print!("{}", view::indent(&format!("{body:#}"), "    "));
            }
        }
        return Ok(DONE);
    }
    anstream::eprintln!(
        "the job kept no source object of this event; below is what the log itself holds (usher job set \
         --keep-source-objects P7D keeps them from now on)"
    );
    for step in event["provisioningSteps"].as_array().into_iter().flatten() {
        let details = step["details"].as_object().filter(|details| !details.is_empty());
        let Some(details) = details else { continue };
        anstream::println!("\n  {}", text(step, "description"));
        for (name, value) in details {
            anstream::println!("    {name}: {}", value.as_str().unwrap_or_default());
        }
    }
    Ok(DONE)
}
