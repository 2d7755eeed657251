//! `usher doctor`: tries on the service that we are connected to what jobs and commands need of it.

mod reads;
mod writes;

use crate::client::{Client, Refusal};
use crate::clock::SystemClock;
use crate::failure::{DONE, REFUSED};
use crate::profile::Profile;
use anyhow::Result;

/// Try on the service that you are connected to what jobs and commands need of it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher doctor --environment Global                          reads only\n  \
    usher doctor --environment Global --write contoso.com      makes two users and a group, and deletes them again\n\n\
    Connect first: `usher connect --environment Global …`. The exit code is 1 when something does not work.")]
pub struct Args {
    /// The cloud that you mean: Global, USGov, USGovDoD or China. Another connection than that is refused.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Also make two users in this verified domain and a group, change them, and delete them again.
    #[arg(long, value_name = "DOMAIN")]
    write: Option<String>,
}

/// Runs the checks.
pub async fn run(args: Args) -> Result<u8> {
    let profile = Profile::load()?;
    if let Some(name) = &args.environment {
        profile.is_to(name)?;
    }
    let client = Client::with(&profile)?;
    anstream::println!("{} tenant {}", profile.address, profile.tenant);
    let mut failed = reads::run(&client).await?;
    if let Some(domain) = &args.write {
        let root = format!("{}/v1.0", profile.address.trim_end_matches('/'));
        for Outcome { what, permission, result } in writes::run(&client, &root, domain, &SystemClock).await {
            failed += usize::from(!told(what, permission, &result));
        }
    }
    Ok(if failed == 0 { DONE } else { REFUSED })
}

/// How a check went.
struct Outcome {
    what: &'static str,
    /// The least permission that allows it.
    permission: &'static str,
    result: Result<()>,
}

/// Prints how a check went, and says whether it went well.
fn told(what: &str, permission: &str, result: &Result<()>) -> bool {
    let Err(error) = result else {
        anstream::println!("ok      {what}");
        return true;
    };
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.status == 403 && refusal.is_published => {
            anstream::println!("denied  {what}: it needs the permission {permission} ({})", refusal.ids);
        }
        _ => anstream::println!("failed  {what}: {error:#}"),
    }
    false
}
