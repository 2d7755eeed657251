//! `usher app`: applications, and who is assigned to them.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::commands::user::Output;
use crate::failure::{DONE, Failure};
use crate::lookup::{self, text};
use crate::output;

/// The template of an application that is not in the gallery.
const NON_GALLERY: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
/// The role of an assignment to an application that declares none.
const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";

/// Applications, and who is assigned to them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher app create hr-portal --base-address https://hr.example/scim --token-file token.txt\n  \
    usher app create hr --template Workday2AAD --set BaseAddress=https://HOST/ccx/service/TENANT \\\n    \
    --set UserName=isu@TENANT --set Password=@password.txt\n  \
    usher app assign hr-portal adele@contoso.example\n  \
    usher app assignments hr-portal")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List applications.
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Make an application with a synchronization job, and say where the other side is.
    Create {
        /// The display name.
        name: String,
        /// The base address of its SCIM endpoint.
        #[arg(long, value_name = "URL")]
        base_address: Option<String>,
        /// A file that holds the bearer token of its SCIM endpoint.
        #[arg(long, value_name = "FILE")]
        token_file: Option<std::path::PathBuf>,
        /// Any other secret or setting of the connection, KEY=VALUE; a VALUE that begins with @ is read from that
        /// file.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// The synchronization template of the job.
        #[arg(long, default_value = "scim")]
        template: String,
        /// Make no synchronization job.
        #[arg(long)]
        no_job: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Show an application's service principal.
    Show {
        /// Object id, appId or display name.
        app: String,
        #[command(flatten)]
        output: Output,
    },
    /// Put an application into the bin.
    Delete {
        /// Object id, appId or display name.
        app: String,
    },
    /// Assign a user or a group.
    Assign {
        /// Object id, appId or display name of the application.
        app: String,
        /// Users (or with --group groups), by id or name.
        #[arg(required = true)]
        principals: Vec<String>,
        /// The principals are groups.
        #[arg(long)]
        group: bool,
        /// The app role; the default role when not given.
        #[arg(long, value_name = "ID", default_value = DEFAULT_ROLE)]
        role: String,
    },
    /// Take an assignment away.
    Unassign {
        /// Object id, appId or display name of the application.
        app: String,
        /// Users (or with --group groups), by id or name.
        #[arg(required = true)]
        principals: Vec<String>,
        /// The principals are groups.
        #[arg(long)]
        group: bool,
    },
    /// List who is assigned.
    Assignments {
        /// Object id, appId or display name of the application.
        app: String,
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    match args.verb {
        Verb::List { output } => {
            let apps = client.list("/v1.0/servicePrincipals").await?;
            output::list(output.output, &apps, &[("id", "id"), ("app id", "appId"), ("name", "displayName")]);
        }
        Verb::Create { name, base_address, token_file, set, template, no_job, output } => {
            let token = token_file.map(|file| super::secret::read_value(&file)).transpose()?;
            let set =
                set.iter().map(|pair| super::secret::key_and_value(pair)).collect::<Result<Vec<_>>>()?;
            let made = client
                .post(
                    &format!("/v1.0/applicationTemplates/{NON_GALLERY}/instantiate"),
                    &json!({ "displayName": name }),
                )
                .await?;
            let principal = text(&made["servicePrincipal"], "id").to_owned();
            let mut secrets = Vec::new();
            if let Some(address) = &base_address {
                secrets.push(json!({ "key": "BaseAddress", "value": address }));
            }
            if let Some(token) = token {
                secrets.push(json!({ "key": "SecretToken", "value": token }));
            }
            secrets.extend(set.into_iter().map(|(key, value)| json!({ "key": key, "value": value })));
            let base = format!("/v1.0/servicePrincipals/{}/synchronization", segment(&principal));
            if !secrets.is_empty() {
                client.put(&format!("{base}/secrets"), &json!({ "value": secrets })).await?;
            }
            let job = if no_job {
                Value::Null
            } else {
                client.post(&format!("{base}/jobs"), &json!({ "templateId": template })).await?
            };
            let summary = json!({
                "displayName": name,
                "applicationId": made["application"]["id"],
                "servicePrincipalId": principal,
                "appId": made["servicePrincipal"]["appId"],
                "synchronizationJobId": job["id"],
            });
            output::object(output.output, &summary);
        }
        Verb::Show { app, output } => {
            output::object(output.output, &lookup::service_principal(&client, &app).await?);
        }
        Verb::Delete { app } => {
            let app = lookup::service_principal(&client, &app).await?;
            client.delete(&format!("/v1.0/servicePrincipals/{}", segment(text(&app, "id")))).await?;
        }
        Verb::Assign { app, principals, group, role } => {
            let app = lookup::service_principal(&client, &app).await?;
            let resource = text(&app, "id");
            for principal in principals {
                let id = lookup::subject(&client, kind(group), &principal).await?;
                let body = json!({ "principalId": id, "resourceId": resource, "appRoleId": role });
                let path = format!("/v1.0/servicePrincipals/{}/appRoleAssignedTo", segment(resource));
                client.post(&path, &body).await?;
            }
        }
        Verb::Unassign { app, principals, group } => {
            let app = lookup::service_principal(&client, &app).await?;
            let path = format!("/v1.0/servicePrincipals/{}/appRoleAssignedTo", segment(text(&app, "id")));
            let assignments = client.list(&path).await?;
            for principal in principals {
                let id = lookup::subject(&client, kind(group), &principal).await?;
                let found: Vec<&Value> =
                    assignments.iter().filter(|assignment| text(assignment, "principalId") == id).collect();
                if found.is_empty() {
                    return Err(Failure::refused(format!(
                        "'{principal}' is not assigned to the application"
                    )));
                }
                for assignment in found {
                    client.delete(&format!("{path}/{}", segment(text(assignment, "id")))).await?;
                }
            }
        }
        Verb::Assignments { app, output } => {
            let app = lookup::service_principal(&client, &app).await?;
            let path = format!("/v1.0/servicePrincipals/{}/appRoleAssignedTo", segment(text(&app, "id")));
            output::list(
                output.output,
                &client.list(&path).await?,
                &[
                    ("principal", "principalDisplayName"),
                    ("type", "principalType"),
                    ("principal id", "principalId"),
                    ("role", "appRoleId"),
                ],
            );
        }
    }
    Ok(DONE)
}

fn kind(is_group: bool) -> &'static str {
    if is_group { "Group" } else { "User" }
}
