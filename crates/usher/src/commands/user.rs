//! `usher user`: users of the directory inside.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::client::{Client, quoted, segment};
use crate::failure::{DONE, Failure};
use crate::lookup;
use crate::output::{self, Format};

/// Users of the directory inside.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher user create adele@contoso.example --name 'Adele Vance' --set givenName=Adele --set surname=Vance\n  \
    usher user manager adele@contoso.example megan@contoso.example\n  \
    usher user update adele@contoso.example --set jobTitle='Retail Manager'")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List users.
    List {
        /// Only users whose display name begins with this.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Make a user.
    Create {
        /// The user principal name.
        user_principal_name: String,
        /// The display name; the part before the @ when not given.
        #[arg(long)]
        name: Option<String>,
        /// A further property, NAME=VALUE; VALUE may be JSON.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        properties: Vec<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Show a user.
    Show {
        /// Object id, user principal name, mail or display name.
        user: String,
        #[command(flatten)]
        output: Output,
    },
    /// Change properties of a user.
    Update {
        /// Object id, user principal name, mail or display name.
        user: String,
        /// A property, NAME=VALUE; VALUE may be JSON, `null` clears.
        #[arg(long = "set", value_name = "NAME=VALUE", required = true)]
        properties: Vec<String>,
    },
    /// Put a user into the bin.
    Delete {
        /// Object id, user principal name, mail or display name.
        user: String,
    },
    /// Show, set or clear a user's manager.
    Manager {
        /// Object id, user principal name, mail or display name.
        user: String,
        /// The manager; without it the present one is shown.
        manager: Option<String>,
        /// Clear the manager.
        #[arg(long, conflicts_with = "manager")]
        clear: bool,
    },
}

/// How answers are printed.
#[derive(clap::Args)]
pub struct Output {
    /// Columns for people, or the service's JSON.
    #[arg(long, value_enum, default_value_t)]
    pub output: Format,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    let client = Client::connect()?;
    match args.verb {
        Verb::List { name, output } => {
            let filter = name.map(|name| format!("?$filter=startsWith(displayName,{})", quoted(&name)));
            let users = client.list(&format!("/v1.0/users{}", filter.unwrap_or_default())).await?;
            output::list(
                output.output,
                &users,
                &[
                    ("id", "id"),
                    ("user principal name", "userPrincipalName"),
                    ("name", "displayName"),
                    ("mail", "mail"),
                ],
            );
        }
        Verb::Create { user_principal_name, name, properties, output } => {
            let alias = user_principal_name.split('@').next().unwrap_or_default().to_owned();
            let mut body = json!({
                "accountEnabled": true,
                "displayName": name.unwrap_or_else(|| alias.clone()),
                "mailNickname": alias,
                "userPrincipalName": user_principal_name,
                "passwordProfile": { "password": uuid_password(), "forceChangePasswordNextSignIn": true },
            });
            merge(&mut body, &properties)?;
            output::object(output.output, &client.post("/v1.0/users", &body).await?);
        }
        Verb::Show { user, output } => {
            let id = lookup::subject(&client, "User", &user).await?;
            output::object(output.output, &client.get(&format!("/v1.0/users/{}", segment(&id))).await?);
        }
        Verb::Update { user, properties } => {
            let id = lookup::subject(&client, "User", &user).await?;
            let mut body = json!({});
            merge(&mut body, &properties)?;
            client.patch(&format!("/v1.0/users/{}", segment(&id)), &body).await?;
        }
        Verb::Delete { user } => {
            let id = lookup::subject(&client, "User", &user).await?;
            client.delete(&format!("/v1.0/users/{}", segment(&id))).await?;
        }
        Verb::Manager { user, manager, clear } => {
            let id = lookup::subject(&client, "User", &user).await?;
            let path = format!("/v1.0/users/{}/manager", segment(&id));
            if clear {
                client.delete(&format!("{path}/$ref")).await?;
            } else if let Some(manager) = manager {
                let manager = lookup::subject(&client, "User", &manager).await?;
                client.put(&format!("{path}/$ref"), &reference("users", &manager)).await?;
            } else {
                output::object(Format::Table, &client.get(&path).await?);
            }
        }
    }
    Ok(DONE)
}

/// The body of a `$ref` request.
pub fn reference(collection: &str, id: &str) -> Value {
    json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/{collection}/{id}") })
}

/// Adds `NAME=VALUE` pairs to a body. A value that is JSON is taken as JSON, anything else as text.
pub fn merge(body: &mut Value, properties: &[String]) -> Result<()> {
    let members: &mut Map<String, Value> = body.as_object_mut().expect("bodies are made as objects");
    for property in properties {
        let Some((name, value)) = property.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Failure::usage(
                format!("'{property}' is not NAME=VALUE"),
                "for example --set jobTitle='Retail Manager'",
            ));
        };
        let is_json = value.starts_with(['{', '[', '"']) || matches!(value, "true" | "false" | "null");
        let value = if is_json {
            serde_json::from_str(value).map_err(|error| {
                Failure::usage(format!("the value of '{name}' is not JSON: {error}"), "put texts in quotes")
            })?
        } else {
            Value::from(value)
        };
        members.insert(name.trim().to_owned(), value);
    }
    Ok(())
}

/// A password that nobody knows: the directory wants one, and nobody signs in here.
#[expect(clippy::disallowed_methods, reason = "a password must not be predictable")]
fn uuid_password() -> String {
    format!("Aa1!{}", uuid::Uuid::new_v4())
}
