//! `usher log`: the provisioning log.

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use crate::client::{Client, quoted, segment};
use crate::commands::user::Output;
use crate::failure::DONE;
use crate::output::{self, Format};
use crate::view;

/// The provisioning log.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher log list\n  \
    usher log list --status failure --top 20\n  \
    usher log show ID\n  \
    usher log export > events.jsonl")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List events, newest first.
    List {
        #[command(flatten)]
        query: Query,
        #[command(flatten)]
        output: Output,
    },
    /// Show one event with its steps.
    Show {
        /// The id of the event.
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Print events as JSON lines.
    Export {
        #[command(flatten)]
        query: Query,
    },
}

#[derive(clap::Args)]
struct Query {
    /// Only events of this job.
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Only events with this status: success, failure, skipped, warning.
    #[arg(long)]
    status: Option<String>,
    /// Only events with this action: create, update, delete, disable, stagedDelete, other.
    #[arg(long)]
    action: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    top: usize,
}

impl Query {
    fn path(&self) -> String {
        let mut terms = Vec::new();
        for (name, value) in [
            ("jobId", &self.job),
            ("provisioningStatusInfo/status", &self.status),
            ("provisioningAction", &self.action),
        ] {
            if let Some(value) = value {
                terms.push(format!("{name}%20eq%20{}", quoted(value)));
            }
        }
        let filter =
            if terms.is_empty() { String::new() } else { format!("&$filter={}", terms.join("%20and%20")) };
        format!("/v1.0/auditLogs/provisioning?$top={}{filter}", self.top.clamp(1, 999))
    }

    async fn events(&self, client: &Client) -> Result<Vec<Value>> {
        let mut page = client.get(&self.path()).await?;
        let mut events = match page["value"].take() {
            Value::Array(events) => events,
            _ => Vec::new(),
        };
        events.truncate(self.top);
        Ok(events)
    }
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    match args.verb {
        Verb::List { query, output } => output::list(
            output.output,
            &query.events(&client).await?,
            &[
                ("id", "id"),
                ("when", "activityDateTime"),
                ("action", "provisioningAction"),
                ("status", "provisioningStatusInfo/status"),
                ("object", "sourceIdentity/displayName"),
                ("code", "provisioningStatusInfo/errorInformation/errorCode"),
            ],
        ),
        Verb::Show { id, output } => {
            let event = client.get(&format!("/v1.0/auditLogs/provisioning/{}", segment(&id))).await?;
            match output.output {
                Format::Json => output::object(Format::Json, &event),
                Format::Table => view::print_event(&event),
            }
        }
        Verb::Export { query } => {
            for event in query.events(&client).await? {
                anstream::println!("{event}");
            }
        }
    }
    Ok(DONE)
}
