//! `usher sandbox`: a strict SCIM 2.0 application that prints every request it receives.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use owo_colors::OwoColorize;
use usher_core::ports::Clock;
use usher_sandbox::workday::{Workday, WorkdayObserver, WorkdayOptions};
use usher_sandbox::{Exchange, Options, Sandbox};

use crate::clock::SystemClock;
use crate::failure::DONE;

/// Run a strict SCIM 2.0 application that prints every request it receives.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    usher sandbox --token demo\n  \
    usher app create my-app --base-address http://127.0.0.1:8880/scim/v2 --token-file token.txt\n\n\
    Everything is kept in memory and forgotten at the end.")]
pub struct Args {
    /// The address to listen on; only loopback addresses are taken, since it speaks plain HTTP.
    #[arg(long, default_value = "127.0.0.1:8880", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The bearer token that callers must show.
    #[arg(long, default_value = "sandbox", env = "USHER_SANDBOX_TOKEN", hide_env_values = true)]
    token: String,
    /// Run a stand-in for a tenant of Workday with three workers in place of the application; the token is the
    /// password of its user.
    #[arg(long)]
    workday: bool,
    /// Print no bodies, only the request lines.
    #[arg(long)]
    brief: bool,
}

/// Runs until interrupted.
pub async fn run(args: Args) -> Result<u8> {
    if !args.listen.ip().is_loopback() {
        return Err(crate::failure::Failure::usage(
            format!("{} is not a loopback address", args.listen),
            "the sandbox speaks plain HTTP and keeps no secrets; listen on 127.0.0.1",
        ));
    }
    if args.workday {
        return workday(&args).await;
    }
    let brief = args.brief;
    let observer = Arc::new(move |exchange: &Exchange| anstream::println!("{}", shown(exchange, brief)));
    let options = Options { observer: Some(observer), ..Options::new(args.token) };
    let running = Sandbox::start(options, args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    anstream::eprintln!("a SCIM 2.0 application listens on {}", running.base_address());
    tokio::signal::ctrl_c().await.context("cannot wait for an interrupt")?;
    running.stop().await;
    Ok(DONE)
}

async fn workday(args: &Args) -> Result<u8> {
    let observer: WorkdayObserver = Arc::new(|line: &str, status: u16, workers: usize| {
        anstream::println!("{line} → {status}, {workers} workers");
    });
    let options =
        WorkdayOptions { observer: Some(observer), ..WorkdayOptions::new("acme", args.token.as_str()) };
    let running = Workday::start(options, args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    super::demo::fill_workday(running.workday(), SystemClock.now());
    anstream::eprintln!("a stand-in for Workday listens on {}", running.address("v43.0"));
    anstream::eprintln!("its user is {}, its workers are 21001, 21023 and 21030", running.user());
    tokio::signal::ctrl_c().await.context("cannot wait for an interrupt")?;
    Ok(DONE)
}

/// One exchange as people read it.
pub fn shown(exchange: &Exchange, brief: bool) -> String {
    let line = format!("{} {}", exchange.method.bold(), exchange.path);
    let status = exchange.status.to_string();
    let status = if exchange.status < 400 { status.green().to_string() } else { status.red().to_string() };
    let mut text = format!("{line} → {status}");
    if !brief {
        if let Some(request) = &exchange.request {
            text.push_str(&format!("\n  {} {request}", "sent".dimmed()));
        }
        if let Some(response) = exchange.response.as_ref().filter(|_| exchange.status >= 400) {
            text.push_str(&format!("\n  {} {response}", "answer".dimmed()));
        }
    }
    text
}
