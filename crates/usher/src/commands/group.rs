//! `usher group`: groups of the directory inside.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, quoted, segment};
use crate::commands::user::{Output, merge, reference};
use crate::failure::DONE;
use crate::lookup;
use crate::output;

/// Groups of the directory inside.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher group create Retail --member adele@contoso.example --member megan@contoso.example\n  \
    usher group add Retail alex@contoso.example\n  \
    usher group members Retail")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List groups.
    List {
        /// Only groups whose display name begins with this.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Make a security group.
    Create {
        /// The display name.
        name: String,
        /// A member; may be given several times.
        #[arg(long = "member", value_name = "USER")]
        members: Vec<String>,
        /// A further property, NAME=VALUE; VALUE may be JSON.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        properties: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Show a group.
    Show {
        /// Object id or display name.
        group: String,
        #[command(flatten)]
        output: Output,
    },
    /// Change properties of a group.
    Update {
        /// Object id or display name.
        group: String,
        /// A property, NAME=VALUE; VALUE may be JSON, `null` clears.
        #[arg(long = "set", value_name = "NAME=VALUE", required = true)]
        properties: Vec<String>,
    },
    /// Delete a group.
    Delete {
        /// Object id or display name.
        group: String,
    },
    /// List the members of a group.
    Members {
        /// Object id or display name.
        group: String,
        #[command(flatten)]
        output: Output,
    },
    /// Add members.
    Add {
        /// Object id or display name.
        group: String,
        /// Users to add.
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Remove members.
    Remove {
        /// Object id or display name.
        group: String,
        /// Users to remove.
        #[arg(required = true)]
        users: Vec<String>,
    },
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    match args.verb {
        Verb::List { name, output } => {
            let filter = name.map(|name| format!("?$filter=startsWith(displayName,{})", quoted(&name)));
            let groups = client.list(&format!("/v1.0/groups{}", filter.unwrap_or_default())).await?;
            output::list(
                output.output,
                &groups,
                &[("id", "id"), ("name", "displayName"), ("description", "description")],
            );
        }
        Verb::Create { name, members, properties, output } => {
            let nickname: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            let mut body = json!({
                "displayName": name,
                "mailEnabled": false,
                "mailNickname": if nickname.is_empty() { "group".to_owned() } else { nickname },
                "securityEnabled": true,
            });
            merge(&mut body, &properties)?;
            // Members are looked up first: a name that does not exist must not leave half a group behind.
            let mut ids = Vec::with_capacity(members.len());
            for member in &members {
                ids.push(lookup::subject(&client, "User", member).await?);
            }
            let group = client.post("/v1.0/groups", &body).await?;
            for id in ids {
                add(&client, lookup::text(&group, "id"), &id).await?;
            }
            output::object(output.output, &group);
        }
        Verb::Show { group, output } => {
            output::object(output.output, &client.get(&path(&client, &group).await?).await?);
        }
        Verb::Update { group, properties } => {
            let mut body = json!({});
            merge(&mut body, &properties)?;
            client.patch(&path(&client, &group).await?, &body).await?;
        }
        Verb::Delete { group } => client.delete(&path(&client, &group).await?).await?,
        Verb::Members { group, output } => {
            let members = client.list(&format!("{}/members", path(&client, &group).await?)).await?;
            output::list(
                output.output,
                &members,
                &[("id", "id"), ("user principal name", "userPrincipalName"), ("name", "displayName")],
            );
        }
        Verb::Add { group, users } => {
            let group = lookup::subject(&client, "Group", &group).await?;
            for user in users {
                let id = lookup::subject(&client, "User", &user).await?;
                add(&client, &group, &id).await?;
            }
        }
        Verb::Remove { group, users } => {
            let path = path(&client, &group).await?;
            for user in users {
                let id = lookup::subject(&client, "User", &user).await?;
                client.delete(&format!("{path}/members/{}/$ref", segment(&id))).await?;
            }
        }
    }
    Ok(DONE)
}

async fn add(client: &Client, group: &str, user: &str) -> Result<()> {
    let path = format!("/v1.0/groups/{}/members/$ref", segment(group));
    client.post(&path, &reference("directoryObjects", user)).await.map(drop)
}

async fn path(client: &Client, group: &str) -> Result<String> {
    Ok(format!("/v1.0/groups/{}", segment(&lookup::subject(client, "Group", group).await?)))
}
