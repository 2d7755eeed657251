//! `usher job`: synchronization jobs.

mod control;
mod progress;
mod upload;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, segment};
use crate::commands::user::Output;
use crate::failure::DONE;
use crate::lookup::{self, text};
use crate::output::{self, Format};

/// Synchronization jobs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher job create --app hr-portal\n  \
    usher job test --app hr-portal\n  \
    usher job start --app hr-portal\n  \
    usher job watch --app hr-portal\n  \
    usher job restart --app hr-portal --reset Watermark,Escrows\n  \
    usher job set --app hr-portal --interval PT10M --delete-threshold 20\n  \
    usher job upload --app hr-feed people.json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// Names a job: the application, and the job where there are several.
#[derive(clap::Args)]
pub struct Which {
    /// Object id, appId or display name of the application.
    #[arg(long, value_name = "APP")]
    pub app: String,
    /// The job; not needed when the application has one.
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
}

impl Which {
    /// The path of the job.
    ///
    /// # Errors
    /// The application or the job is not there, or not the only one.
    pub async fn path(&self, client: &Client) -> Result<String> {
        let app = lookup::service_principal(client, &self.app).await?;
        let job = lookup::job(client, text(&app, "id"), self.job.as_deref()).await?;
        Ok(format!(
            "/v1.0/servicePrincipals/{}/synchronization/jobs/{}",
            segment(text(&app, "id")),
            segment(text(&job, "id"))
        ))
    }
}

#[derive(Subcommand)]
enum Verb {
    /// List the jobs of an application.
    List {
        /// Object id, appId or display name of the application.
        #[arg(long, value_name = "APP")]
        app: String,
        #[command(flatten)]
        output: Output,
    },
    /// List the templates that jobs are made from.
    Templates {
        /// Object id, appId or display name of the application.
        #[arg(long, value_name = "APP")]
        app: String,
        #[command(flatten)]
        output: Output,
    },
    /// Make a job.
    Create {
        /// Object id, appId or display name of the application.
        #[arg(long, value_name = "APP")]
        app: String,
        /// The template.
        #[arg(long, default_value = "scim")]
        template: String,
        #[command(flatten)]
        output: Output,
    },
    /// Show a job.
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// Test the connection to the job's target with the stored secrets.
    Test {
        #[command(flatten)]
        which: Which,
    },
    /// Let a job run on its schedule, at once and going on where it was; lifts a quarantine.
    Start {
        #[command(flatten)]
        which: Which,
    },
    /// Stop a job after what is in flight; everything it remembers is kept.
    Pause {
        #[command(flatten)]
        which: Which,
    },
    /// Run a job at once, after forgetting what --reset says.
    Restart(control::Restart),
    /// Change the interval and settings of a job.
    Set {
        #[command(flatten)]
        set: control::Changes,
        #[command(flatten)]
        output: Output,
    },
    /// Say how a job is: its last run, its progress, why it is in quarantine.
    Status {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        output: Output,
    },
    /// Wait until no cycle is under way. Exit code 0 when the last one succeeded.
    Wait(progress::Wait),
    /// Show a cycle as it goes, until it is over.
    Watch {
        #[command(flatten)]
        which: Which,
    },
    /// Upload records for a job of API-driven provisioning (template API2AAD).
    Upload(upload::Upload),
    /// Remove a job. Accounts in the target stay.
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    match args.verb {
        Verb::List { app, output } => {
            let path = format!("{}/jobs", base(&client, &app).await?);
            output::list(
                output.output,
                &client.list(&path).await?,
                &[
                    ("id", "id"),
                    ("template", "templateId"),
                    ("schedule", "schedule/state"),
                    ("interval", "schedule/interval"),
                    ("status", "status/code"),
                ],
            );
        }
        Verb::Templates { app, output } => {
            let path = format!("{}/templates", base(&client, &app).await?);
            output::list(
                output.output,
                &client.list(&path).await?,
                &[("id", "id"), ("factory tag", "factoryTag"), ("description", "description")],
            );
        }
        Verb::Create { app, template, output } => {
            let path = format!("{}/jobs", base(&client, &app).await?);
            output::object(output.output, &client.post(&path, &json!({ "templateId": template })).await?);
        }
        Verb::Show { which, output } => {
            output::object(output.output, &client.get(&which.path(&client).await?).await?);
        }
        Verb::Test { which } => {
            let path = format!("{}/validateCredentials", which.path(&client).await?);
            client.act(&path, &json!({ "useSavedCredentials": true })).await?;
            anstream::eprintln!("the connection works");
        }
        Verb::Start { which } => control::start(&client, &which).await?,
        Verb::Pause { which } => control::pause(&client, &which).await?,
        Verb::Restart(args) => control::restart(&client, &args).await?,
        Verb::Set { set, output } => {
            let job = control::set(&client, &set).await?;
            match output.output {
                Format::Json => output::object(Format::Json, &job),
                Format::Table => progress::print(&job),
            }
        }
        Verb::Status { which, output } => {
            let job = client.get(&which.path(&client).await?).await?;
            match output.output {
                Format::Json => output::object(Format::Json, &job["status"]),
                Format::Table => progress::print(&job),
            }
        }
        Verb::Wait(args) => return progress::wait(&client, &args).await,
        Verb::Watch { which } => return progress::watch(&client, &which).await,
        Verb::Upload(upload) => return upload::run(&client, upload).await,
        Verb::Delete { which } => client.delete(&which.path(&client).await?).await?,
    }
    Ok(DONE)
}

async fn base(client: &Client, app: &str) -> Result<String> {
    let app = lookup::service_principal(client, app).await?;
    Ok(format!("/v1.0/servicePrincipals/{}/synchronization", segment(text(&app, "id"))))
}
