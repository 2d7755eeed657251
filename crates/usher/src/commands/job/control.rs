//! `usher job start | pause | restart | set`: orders to a job.

use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value, json};

use super::Which;
use crate::client::Client;
use crate::failure::Failure;

/// What a restart forgets.
#[derive(Args)]
pub struct Restart {
    #[command(flatten)]
    which: Which,
    /// What is forgotten, separated by commas: None, ConnectorDataStore (pairs), Escrows (failures), Watermark,
    /// QuarantineState, Full (all of these), ForceDeletes (carry out staged deletions). Without it: Watermark,
    /// Escrows and QuarantineState, which looks at everybody again and keeps the pairs.
    #[arg(long, value_name = "SCOPE", conflicts_with = "full")]
    reset: Option<String>,
    /// The same as --reset Full.
    #[arg(long)]
    full: bool,
}

/// What can be changed of a job.
#[derive(Args)]
pub struct Changes {
    #[command(flatten)]
    which: Which,
    /// The interval between two cycles, an ISO 8601 duration.
    #[arg(long, value_name = "DURATION")]
    interval: Option<String>,
    /// How many accounts one cycle may disable and delete.
    #[arg(long, value_name = "COUNT")]
    delete_threshold: Option<u64>,
    /// The most requests a second that the target is sent.
    #[arg(long, value_name = "COUNT")]
    requests_per_second: Option<u32>,
    /// The most requests to the target that are under way at once.
    #[arg(long, value_name = "COUNT")]
    concurrency: Option<u32>,
    /// How long source objects are kept with their events, for `usher schema replay`: an ISO 8601 duration such as P7D,
    /// or Off. They are personal data.
    #[arg(long, value_name = "DURATION")]
    keep_source_objects: Option<String>,
    /// Any other setting.
    #[arg(long, value_name = "NAME=VALUE")]
    setting: Vec<String>,
}

/// Lets the job run on its schedule.
pub async fn start(client: &Client, which: &Which) -> Result<()> {
    client.act(&format!("{}/start", which.path(client).await?), &Value::Null).await?;
    anstream::eprintln!("the job runs; see how with: usher job watch --app {}", which.app);
    Ok(())
}

/// Stops the job after what is in flight.
pub async fn pause(client: &Client, which: &Which) -> Result<()> {
    client.act(&format!("{}/pause", which.path(client).await?), &Value::Null).await?;
    anstream::eprintln!(
        "the job is paused; it goes on where it is with: usher job start --app {}",
        which.app
    );
    Ok(())
}

/// Restarts the job.
pub async fn restart(client: &Client, args: &Restart) -> Result<()> {
    let scope = if args.full { Some("Full") } else { args.reset.as_deref() };
    let body = scope.map_or_else(|| json!({}), |scope| json!({ "criteria": { "resetScope": scope } }));
    client.post(&format!("{}/restart", args.which.path(client).await?), &body).await?;
    anstream::eprintln!("the job restarts; see how with: usher job watch --app {}", args.which.app);
    Ok(())
}

/// Changes the job; gives what it is now.
pub async fn set(client: &Client, args: &Changes) -> Result<Value> {
    let number = |value: Option<String>, name: &str| value.map(|value| (name.to_owned(), value));
    let mut settings: Vec<(String, String)> = [
        number(args.delete_threshold.map(|count| count.to_string()), "QuarantineTooManyDeletesThreshold"),
        number(args.requests_per_second.map(|count| count.to_string()), "TargetRequestsPerSecond"),
        number(args.concurrency.map(|count| count.to_string()), "TargetConcurrency"),
        number(args.keep_source_objects.clone(), usher_core::recording::SETTING),
    ]
    .into_iter()
    .flatten()
    .collect();
    for setting in &args.setting {
        let Some((name, value)) = setting.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Failure::usage(
                format!("'{setting}' is no setting"),
                "give --setting NAME=VALUE, such as --setting LookaheadQueryEnabled=True",
            ));
        };
        settings.push((name.trim().to_owned(), value.to_owned()));
    }
    let mut body = Map::new();
    if let Some(interval) = &args.interval {
        body.insert("schedule".to_owned(), json!({ "interval": interval }));
    }
    if !settings.is_empty() {
        let settings: Vec<Value> =
            settings.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        body.insert("synchronizationJobSettings".to_owned(), settings.into());
    }
    if body.is_empty() {
        return Err(Failure::usage(
            "there is nothing to change",
            "give --interval, --delete-threshold, --requests-per-second, --concurrency, --keep-source-objects or --setting",
        ));
    }
    client.patch(&args.which.path(client).await?, &Value::Object(body)).await
}
