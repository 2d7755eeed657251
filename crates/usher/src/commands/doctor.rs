//! `usher doctor`: tries on the service that we are connected to what jobs and commands need of it.

use anyhow::Result;
use serde_json::{Value, json};
use usher_connectors::graph::{CLOUDS, Cloud};
use usher_core::ports::Clock;

use crate::client::{Client, Refusal, segment};
use crate::clock::SystemClock;
use crate::failure::{DONE, Failure, REFUSED};
use crate::profile::Profile;

/// Try on the service that you are connected to what jobs and commands need of it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher doctor --environment Global                          reads only\n  \
    usher doctor --environment Global --write contoso.com      makes a user and a group, and deletes them again\n\n\
    Connect first: `usher connect --environment Global …`. The exit code is 1 when something does not work.")]
pub struct Args {
    /// The cloud that you mean: Global, USGov, USGovDoD or China. Another connection than that is refused.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Also make a user and a group in this verified domain, change them, and delete them again.
    #[arg(long, value_name = "DOMAIN")]
    write: Option<String>,
}

/// What is read: what for, where, and the least permission that allows it.
const READS: &[(&str, &str, &str)] = &[
    ("users", "/v1.0/users?$select=id,userPrincipalName&$top=1", "User.Read.All"),
    ("managers", "/v1.0/users?$select=id&$expand=manager($select=id)&$top=1", "User.Read.All"),
    ("changes of users", "/v1.0/users/delta?$select=displayName,manager&$deltatoken=latest", "User.Read.All"),
    ("deleted users", "/v1.0/directory/deletedItems/microsoft.graph.user?$select=id&$top=1", "User.Read.All"),
    ("groups", "/v1.0/groups?$select=id,displayName&$top=1", "GroupMember.Read.All"),
    (
        "changes of groups",
        "/v1.0/groups/delta?$select=displayName,members&$deltatoken=latest",
        "GroupMember.Read.All",
    ),
    ("applications", "/v1.0/servicePrincipals?$select=id,displayName&$top=1", "Application.Read.All"),
    ("provisioning log", "/v1.0/auditLogs/provisioning?$top=1", "AuditLog.Read.All"),
];

/// Runs the checks.
pub async fn run(args: Args) -> Result<u8> {
    let profile = Profile::load()?;
    if let Some(name) = &args.environment {
        is_connected_to(&profile, name)?;
    }
    let client = Client::with(&profile)?;
    anstream::println!("{} tenant {}", profile.address, profile.tenant);
    let mut failed = 0;
    for (what, path, permission) in READS {
        let outcome = client.get(path).await.map(drop);
        failed += usize::from(!told(what, permission, outcome)?);
    }
    let batch = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users?$select=id&$top=1" }] });
    let outcome = client.post("/v1.0/$batch", &batch).await.and_then(|answer| {
        match answer["responses"][0]["status"].as_u64() {
            Some(200) => Ok(()),
            status => Err(anyhow::anyhow!("its part was answered with {status:?}")),
        }
    });
    failed += usize::from(!told("batches", "User.Read.All", outcome)?);
    if let Some(domain) = &args.write {
        let outcome = write(&client, domain).await;
        failed += usize::from(!told("writes", "User.ReadWrite.All, Group.ReadWrite.All", outcome)?);
    }
    Ok(if failed == 0 { DONE } else { REFUSED })
}

fn is_connected_to(profile: &Profile, name: &str) -> Result<()> {
    let Some(cloud) = Cloud::named(name) else {
        let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
        return Err(Failure::usage(
            format!("there is no environment '{name}'"),
            format!("the published ones are {}", known.join(", ")),
        ));
    };
    if profile.address.trim_end_matches('/') == cloud.graph {
        return Ok(());
    }
    Err(Failure::unreachable(
        format!("you are connected to {}, not to {}", profile.address, cloud.graph),
        format!("connect with `usher connect --environment {} …`", cloud.name),
    ))
}

/// Prints how a check went. Without a connection there is no use in the next one.
fn told(what: &str, permission: &str, outcome: Result<()>) -> Result<bool> {
    let error = match outcome {
        Ok(()) => {
            anstream::println!("ok      {what}");
            return Ok(true);
        }
        Err(error) if error.downcast_ref::<Failure>().is_some() => return Err(error),
        Err(error) => error,
    };
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.status == 403 => {
            anstream::println!("denied  {what}: it needs the permission {permission}");
        }
        _ => anstream::println!("failed  {what}: {error}"),
    }
    Ok(false)
}

/// Makes a user and a group, changes them, and deletes them again, whatever happens in between.
async fn write(client: &Client, domain: &str) -> Result<()> {
    let nonce = SystemClock.guid().simple().to_string();
    let name = format!("usher-doctor-{}", &nonce[..12]);
    let user = json!({
        "accountEnabled": false, "displayName": name, "mailNickname": name,
        "userPrincipalName": format!("{name}@{domain}"),
        "passwordProfile": { "password": format!("Pw1!{nonce}") },
    });
    let user = client.post("/v1.0/users", &user).await?;
    let user = format!("/v1.0/users/{}", segment(user["id"].as_str().unwrap_or_default()));
    let changed = change(client, &user, &name).await;
    client.delete(&user).await?;
    changed
}

async fn change(client: &Client, user: &str, name: &str) -> Result<()> {
    // A tenant may not know everywhere at once whom it has just made.
    let mut tries = 0;
    while let Err(error) = client.patch(user, &json!({ "jobTitle": "Clerk" })).await {
        tries += 1;
        let is_missing = error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.status == 404);
        if !is_missing || tries == 6 {
            return Err(error);
        }
        SystemClock.wait(std::time::Duration::from_secs(1 << tries)).await;
    }
    let group = json!({
        "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true,
    });
    let group: Value = client.post("/v1.0/groups", &group).await?;
    let group = format!("/v1.0/groups/{}", segment(group["id"].as_str().unwrap_or_default()));
    client.delete(&group).await
}
