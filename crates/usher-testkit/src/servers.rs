//! Real servers that tests start on loopback: SCIM applications, Samba, OpenLDAP. `cargo xtask test` installs them and names their folder in
//! the variable `USHER_TEST_SERVERS`.

mod process;
mod samba;
mod slapd;
pub(crate) mod tls;

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

pub use samba::Samba;
pub use slapd::{Slapd, SlapdOptions};

/// The variable with the folder the servers are installed in.
pub const VARIABLE: &str = "USHER_TEST_SERVERS";

/// How long a server may take until it answers; a loaded machine is slow, a broken server is noticed earlier.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A server that takes a port which somebody else took in between is started again on another.
const ATTEMPTS: usize = 3;

/// A running server. It ends when the value is dropped.
pub struct RealServer {
    /// The address to give to a SCIM client.
    pub base_address: String,
    /// The bearer token it accepts, different for every server.
    pub token: String,
    child: Child,
    leftovers: Vec<PathBuf>,
}

/// How scim2-server behaves.
#[derive(Clone, Debug, Default)]
pub struct Scim2Options {
    /// Answer PATCH with 501.
    pub is_without_patch: bool,
    /// The most resources in one page of a list.
    pub page_limit: Option<u32>,
}

impl RealServer {
    /// scim2-server: strict and complete, in memory.
    pub async fn scim2_server(options: &Scim2Options) -> io::Result<RealServer> {
        start("scim2-server", "/v2", |place| {
            let config = place.log_folder.join(format!("scim2-server-{}.json", place.port));
            fs::write(&config, service_provider_config(options).to_string())?;
            let mut command = Command::new(place.servers.join("venv/bin/scim2-server"));
            command
                .args(["--hostname", "127.0.0.1", "--port", &place.port.to_string()])
                .args(["--bearer-token", &place.token])
                .arg("--service-provider-config")
                .arg(&config);
            Ok((command, vec![config]))
        })
        .await
    }

    /// An application with the SCIM plugin of better-auth, with its compatibility for Entra.
    pub async fn better_auth() -> io::Result<RealServer> {
        start("better-auth", "/api/auth/scim/v2", |place| {
            let mut command = Command::new("node");
            command
                .arg(place.servers.join("better-auth/server.mjs"))
                .args([&place.port.to_string(), &place.token]);
            Ok((command, Vec::new()))
        })
        .await
    }

    /// A Django project with django-scim2, which knows few attributes, few filters and almost no PATCH.
    pub async fn django() -> io::Result<RealServer> {
        start("django-scim2", "/scim/v2", |place| {
            let database = place.log_folder.join(format!("django-scim2-{}.sqlite", place.port));
            if database.exists() {
                fs::remove_file(&database)?;
            }
            let mut command = Command::new(place.servers.join("venv/bin/python"));
            command
                .arg(place.servers.join("django-scim2/serve.py"))
                .args([&place.port.to_string(), &place.token])
                .arg(&database);
            Ok((command, vec![database]))
        })
        .await
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // A child that is gone already needs neither; none of these servers starts children of its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for path in &self.leftovers {
            let _ = fs::remove_file(path);
        }
    }
}

struct Place {
    servers: PathBuf,
    log_folder: PathBuf,
    port: u16,
    token: String,
}

async fn start(
    name: &str,
    base_path: &str,
    prepare: impl Fn(&Place) -> io::Result<(Command, Vec<PathBuf>)>,
) -> io::Result<RealServer> {
    let mut failure = io::Error::other(format!("{name} was not started"));
    for _ in 0..ATTEMPTS {
        match start_once(name, base_path, &prepare).await {
            Ok(server) => return Ok(server),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn start_once(
    name: &str,
    base_path: &str,
    prepare: impl Fn(&Place) -> io::Result<(Command, Vec<PathBuf>)>,
) -> io::Result<RealServer> {
    let servers = PathBuf::from(std::env::var_os(VARIABLE).ok_or_else(|| {
        io::Error::other(format!("{VARIABLE} is not set: run `cargo xtask test`, which installs the servers"))
    })?);
    let log_folder = servers.join("log");
    fs::create_dir_all(&log_folder)?;
    let place = Place { servers, log_folder, port: free_port()?, token: new_token() };
    let log = place.log_folder.join(format!("{name}-{}.log", place.port));
    let output = File::create(&log)?;
    let (mut command, leftovers) = prepare(&place)?;
    let child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{name} cannot be started: {error}")))?;
    let mut server = RealServer {
        base_address: format!("http://127.0.0.1:{}{base_path}", place.port),
        token: place.token,
        child,
        leftovers,
    };
    let path = format!("{base_path}/Users");
    let ready = until_ready(&mut server.child, place.port, &path, &server.token);
    match timeout(START_LIMIT, ready).await {
        Ok(Ok(())) => Ok(server),
        Ok(Err(error)) => {
            Err(io::Error::new(error.kind(), format!("{name}: {error}; it said: {}", tail(&log))))
        }
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{name} did not answer in {START_LIMIT:?}; it said: {}", tail(&log)),
        )),
    }
}

/// Asks until the server answers 200 to its own token, which tells it from any other server on that port.
async fn until_ready(child: &mut Child, port: u16, path: &str, token: &str) -> io::Result<()> {
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("it ended ({status})")));
        }
        if let Ok(answer) = ask(port, path, token).await
            && answer.split(' ').nth(1) == Some("200")
        {
            return Ok(());
        }
    }
}

async fn ask(port: u16, path: &str, token: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn service_provider_config(options: &Scim2Options) -> serde_json::Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": !options.is_without_patch },
        "bulk": { "supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576 },
        "filter": { "supported": true, "maxResults": options.page_limit.unwrap_or(1000) },
        "changePassword": { "supported": true },
        "sort": { "supported": true },
        "etag": { "supported": true },
    })
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}

/// better-auth refuses short tokens; being different is all that is asked of them otherwise.
fn new_token() -> String {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    format!("a-token-for-tests-and-nothing-else-{}-{number}", std::process::id())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
