//! `usher log`: the provisioning log.

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use crate::client::{Client, quoted, relative, segment};
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
    /// Only events with this status.
    #[arg(long, value_parser = STATUSES)]
    status: Option<String>,
    /// Only events with this action.
    #[arg(long, value_parser = ACTIONS)]
    action: Option<String>,
    /// Only events of this cycle.
    #[arg(long, value_name = "ID")]
    cycle: Option<String>,
    /// Only events after this instant, such as 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    since: Option<jiff::Timestamp>,
    /// Only events before this instant.
    #[arg(long, value_name = "INSTANT")]
    until: Option<jiff::Timestamp>,
    /// At most so many; `list` shows 50 unless told, `export` all.
    #[arg(long)]
    top: Option<usize>,
}

/// The published statuses (Graph, `provisioningResult`).
const STATUSES: [&str; 4] = ["success", "failure", "skipped", "warning"];
/// The published actions (Graph, `provisioningAction`).
const ACTIONS: [&str; 6] = ["create", "update", "delete", "disable", "stagedDelete", "other"];
/// How many events `list` shows unless told.
const SHOWN: usize = 50;
/// How many events are asked for at once.
const PAGE: usize = 500;

impl Query {
    fn path(&self) -> String {
        let mut terms = Vec::new();
        for (name, value) in [
            ("jobId", &self.job),
            ("provisioningStatusInfo/status", &self.status),
            ("provisioningAction", &self.action),
            ("cycleId", &self.cycle),
        ] {
            if let Some(value) = value {
                terms.push(format!("{name}%20eq%20{}", quoted(value)));
            }
        }
        for (comparison, instant) in [("gt", &self.since), ("lt", &self.until)] {
            if let Some(instant) = instant {
                terms.push(format!("activityDateTime%20{comparison}%20{instant}"));
            }
        }
        let filter =
            if terms.is_empty() { String::new() } else { format!("&$filter={}", terms.join("%20and%20")) };
        let page = self.top.unwrap_or(PAGE).clamp(1, PAGE);
        format!("/v1.0/auditLogs/provisioning?$top={page}{filter}")
    }

    /// Hands over events, newest first, page by page, at most `most`.
    async fn each(&self, client: &Client, most: usize, mut take: impl FnMut(Value)) -> Result<()> {
        let mut left = most;
        let mut path = self.path();
        loop {
            let mut page = client.get(&path).await?;
            let Value::Array(events) = page["value"].take() else { return Ok(()) };
            for event in events.into_iter().take(left) {
                left -= 1;
                take(event);
            }
            match page["@odata.nextLink"].as_str() {
                Some(next) if left > 0 => path = relative(next),
                _ => return Ok(()),
            }
        }
    }

    async fn events(&self, client: &Client) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        self.each(client, self.top.unwrap_or(SHOWN), |event| events.push(event)).await?;
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
            let most = query.top.unwrap_or(usize::MAX);
            query.each(&client, most, |event| anstream::println!("{event}")).await?;
        }
    }
    Ok(DONE)
}
