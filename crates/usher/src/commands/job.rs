//! `usher job`: synchronization jobs.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, segment};
use crate::commands::user::Output;
use crate::failure::DONE;
use crate::lookup::{self, text};
use crate::output;

/// Synchronization jobs.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher job create --app hr-portal\n  \
    usher job list --app hr-portal\n  \
    usher job test --app hr-portal")]
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
            client.post(&path, &json!({ "useSavedCredentials": true })).await?;
            anstream::eprintln!("the connection works");
        }
        Verb::Delete { which } => client.delete(&which.path(&client).await?).await?,
    }
    Ok(DONE)
}

async fn base(client: &Client, app: &str) -> Result<String> {
    let app = lookup::service_principal(client, app).await?;
    Ok(format!("/v1.0/servicePrincipals/{}/synchronization", segment(text(&app, "id"))))
}
