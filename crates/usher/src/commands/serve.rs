//! `usher serve`: runs the service.

use std::fs;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use tracing_subscriber::EnvFilter;
use usher_connectors::{HttpOptions, Issuer};
use usher_server::{Exchanges, KeySource, OutsideIssuer, Server, ServerOptions, Tls, bootstrap};

use crate::failure::{DONE, Failure};
use crate::open_files;
use crate::profile::{Profile, ProfileCredential, write_private};
use crate::wiring;

/// Run the service.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher serve --data ./usher-data\n  \
    usher serve --data /var/lib/usher --listen 0.0.0.0:8443 --address https://usher.example:8443 \\\n      \
        --tls-cert usher.pem --tls-key usher.key\n  \
    usher serve --data ./usher-data --http --listen 127.0.0.1:8080\n\n\
    All state is in one SQLite file in the data folder. The first start makes an administrator's credential, prints\n\
    it once and keeps it in DATA/administrator.json, readable by you only; `usher connect --data DATA` uses it.")]
pub struct Args {
    /// The folder that holds all state; made when it is not there.
    #[arg(long, value_name = "DIR", default_value = "usher-data", env = "USHER_DATA")]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// The address by which callers know the service; made from --listen when not given.
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// Speak plain HTTP. Only on a loopback address.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    http: bool,
    /// The certificate chain (PEM); without it one is made on the first start, with a CA in DATA/tls/ca.pem.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The tenant id; a random one is made on the first start.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Certificates (PEM) of targets to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    trust_ca: Option<PathBuf>,
    /// How many seconds a target may take for one answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3600))]
    target_timeout: u64,
    /// How many on-demand requests one caller may send in ten seconds.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    on_demand_limit: u32,
    /// How many days events of the provisioning log are kept.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    log_retention: u64,
    /// The key that secrets in the database are sealed under; made at the first start. $USHER_KEY may hold the key
    /// itself instead.
    #[arg(long, value_name = "FILE", env = "USHER_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Write every exchange to this file, a JSON line each, secrets masked: for whoever debugs a client.
    #[arg(long, value_name = "FILE")]
    record_exchanges: Option<PathBuf>,
    /// An outside issuer whose tokens are taken as well; its keys are found by OpenID Connect discovery.
    #[arg(long, value_name = "URL", requires = "audience")]
    issuer: Option<String>,
    /// The audience that tokens of the outside issuer must name.
    #[arg(long, value_name = "TEXT", requires = "issuer")]
    audience: Option<String>,
    /// The outside issuer's keys, a JWKS document, when they cannot be discovered.
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks: Option<PathBuf>,
    /// Write the log as JSON lines.
    #[arg(long)]
    log_json: bool,
}

/// Runs until interrupted.
pub async fn run(args: Args) -> Result<u8> {
    start_log(args.log_json);
    if args.http && !args.listen.ip().is_loopback() {
        return Err(Failure::usage(
            format!("plain HTTP is not spoken on {}", args.listen),
            "tokens would cross the network in the clear: leave out --http, or listen on 127.0.0.1",
        ));
    }
    let http = HttpOptions {
        extra_ca_pem: args
            .trust_ca
            .as_ref()
            .map(|file| fs::read(file).with_context(|| format!("cannot read {}", file.display())))
            .transpose()?,
        timeout: Duration::from_secs(args.target_timeout),
        ..HttpOptions::default()
    };
    if let (Err(error), Some(file)) = (http.check(), &args.trust_ca) {
        return Err(Failure::with_hint(
            format!("{}: {error}", file.display()),
            "give a file with certificates in PEM form: they stand between BEGIN CERTIFICATE and END CERTIFICATE",
        ));
    }
    let retention = Duration::from_secs(args.log_retention * 24 * 3600);
    let engine =
        wiring::engine(&args.data, args.key_file.as_deref(), args.tenant.as_deref(), http.clone()).await?;
    let engine = engine.keeping_log(retention);
    let tls = match (args.http, &args.tls_cert, &args.tls_key) {
        (true, _, _) => Tls::PlainLoopback,
        (false, Some(certificate), Some(key)) => {
            Tls::Files { certificate: certificate.clone(), key: key.clone() }
        }
        _ => Tls::SelfMade { folder: args.data.join("tls") },
    };
    let ca = matches!(tls, Tls::SelfMade { .. }).then(|| absolute(&args.data.join("tls/ca.pem")));
    let tls = tls.ready().await?;
    open_files::raise_limit();
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let listens = listener.local_addr().context("the listener has no address")?;
    let scheme = if args.http { "http" } else { "https" };
    let address = match &args.address {
        Some(address) => address.trim_end_matches('/').to_owned(),
        None if listens.ip().is_unspecified() => format!("{scheme}://localhost:{}", listens.port()),
        None => format!("{scheme}://{listens}"),
    };
    let tenant = engine.settings.tenant.clone();
    let first = bootstrap(&engine).await?;
    let mut options = ServerOptions::new(&address);
    options.on_demand_limit = usize::try_from(args.on_demand_limit).unwrap_or(usize::MAX);
    options.outside_issuer = outside_issuer(&args, http)?;
    if let Some(file) = &args.record_exchanges {
        let exchanges =
            Exchanges::append_to(file).with_context(|| format!("cannot write {}", file.display()))?;
        options.exchanges = Some(Arc::new(exchanges));
    }
    let jobs = engine.clone();
    let server = Server::new(engine, options).await?;
    // Keeping the credential comes after everything that can fail, so that no start loses it half-way.
    let file = args.data.join("administrator.json");
    if let Some(first) = first {
        let profile = Profile {
            address: address.clone(),
            authority: address.clone(),
            tenant: tenant.clone(),
            credential: ProfileCredential::ClientSecret {
                client_id: first.client_id.clone(),
                secret: first.secret.clone(),
            },
            ca,
            timeout: None,
        };
        write_private(&file, &format!("{:#}\n", profile.to_json()))?;
        anstream::println!(
            "The administrator's credential, printed this once and kept in {}:",
            file.display()
        );
        anstream::println!("  tenant         {tenant}");
        anstream::println!("  client id      {}", first.client_id);
        anstream::println!("  client secret  {}", first.secret.expose());
    } else {
        refresh_address(&file, &address, ca)?;
    }
    anstream::eprintln!("usher serves tenant {tenant} at {address}");
    anstream::eprintln!("hint: usher connect --data {}", args.data.display());
    // Jobs run beside the server and stop with it: what is in flight is finished, the rest goes on at the next start.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let jobs = tokio::spawn(async move {
        jobs.run_jobs(async move {
            // The sender is gone when the server ended by itself.
            let _ = stopped.await;
        })
        .await;
    });
    let served = server.serve(listener, tls, interrupted()).await;
    let _ = stop.send(());
    jobs.await.context("the scheduler stopped")?;
    served.context("the service stopped")?;
    anstream::eprintln!("stopped");
    Ok(DONE)
}

/// The administrator's file follows the address that the service has now.
fn refresh_address(file: &Path, address: &str, ca: Option<PathBuf>) -> Result<()> {
    let Ok(text) = fs::read_to_string(file) else { return Ok(()) };
    let Ok(mut document) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(()) };
    let before = document.clone();
    document["address"] = address.into();
    document["authority"] = address.into();
    match ca {
        Some(ca) => document["ca"] = absolute(&ca).display().to_string().into(),
        None => {
            if let Some(members) = document.as_object_mut() {
                members.shift_remove("ca");
            }
        }
    }
    if document != before {
        write_private(file, &format!("{document:#}\n"))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn outside_issuer(args: &Args, http: HttpOptions) -> Result<Option<OutsideIssuer>> {
    let (Some(issuer), Some(audience)) = (&args.issuer, &args.audience) else { return Ok(None) };
    let Some(jwks) = &args.jwks else {
        let source = Arc::new(Discovered(Issuer::new(issuer, http)?));
        return Ok(Some(OutsideIssuer::discovered(issuer, audience, source)));
    };
    let keys = fs::read_to_string(jwks).with_context(|| format!("cannot read {}", jwks.display()))?;
    OutsideIssuer::new(issuer, audience, &keys)
        .map(Some)
        .with_context(|| format!("{} is not a JWKS document", jwks.display()))
}

/// The keys that an issuer publishes.
struct Discovered(Issuer);

#[async_trait]
impl KeySource for Discovered {
    async fn keys(&self) -> Result<String, String> {
        self.0.keys().await
    }
}

async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("signal handlers can be set");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

fn start_log(as_json: bool) {
    let filter = EnvFilter::try_from_env("USHER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process (tests) keeps the first log.
    let _ = if as_json { builder.json().try_init() } else { builder.try_init() };
}
