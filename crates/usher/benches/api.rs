//! The API over loopback beside a bare handler of the same framework that is sent the same requests and gives the
//! same answers. Prints requests a second, 99th percentiles and ratios; asserts nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use usher::client::Client;
use usher::clock::SystemClock;
use usher::profile::{Profile, ProfileCredential};
use usher::wiring;
use usher_connectors::HttpOptions;
use usher_core::Secret;
use usher_core::ports::Clock;
use usher_sandbox::{Options, Sandbox};
use usher_server::{Server, ServerOptions, bootstrap};

/// Requests of each kind.
const READS: usize = 20_000;
/// On-demand requests; each sends requests of its own to an application.
const ON_DEMAND: usize = 4_000;
/// Callers at once.
const CALLERS: usize = 16;
/// Connections that are held and silent while others are served.
const HELD: usize = 1_000;

fn main() {
    usher::open_files::raise_limit();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(measure());
}

async fn measure() {
    let application = Sandbox::start(Options::new("t"), anywhere()).await.expect("the sandbox starts");
    let folder = std::env::temp_dir().join(format!("usher-bench-{}", SystemClock.guid()));
    let engine =
        wiring::engine(&folder, None, None, HttpOptions::default()).await.expect("the engine starts");
    let tenant = engine.settings.tenant.clone();
    let first = bootstrap(&engine).await.expect("the directory is new").expect("it has a first credential");
    let listener = tokio::net::TcpListener::bind(anywhere()).await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("the listener has an address"));
    let mut options = ServerOptions::new(&address);
    options.on_demand_limit = usize::MAX;
    let server = Server::new(engine, options).await.expect("the server starts");
    tokio::spawn(server.serve_plain(listener, std::future::pending()));
    let client = Arc::new(
        Client::with(&Profile {
            address: address.clone(),
            authority: address.clone(),
            tenant,
            credential: ProfileCredential::ClientSecret { client_id: first.client_id, secret: first.secret },
            ca: None,
            timeout: None,
        })
        .expect("the client is made"),
    );
    let (path, body, user) = set_up(&client, &application.base_address()).await;
    let read = format!("/v1.0/users/{user}");
    let post = format!("{path}/provisionOnDemand");
    let read_answer = client.get(&read).await.expect("the person is there");
    let post_answer = client.post(&post, &body).await.expect("it is provisioned");
    let bare = bare(read_answer, post_answer).await;

    println!("{CALLERS} callers; each pair is measured one after the other");
    let ours = load(&client, READS, &read, None).await;
    let theirs = load(&bare, READS, &read, None).await;
    tell("read of a user", &ours, &theirs);
    let ours = load(&client, ON_DEMAND, &post, Some(&body)).await;
    let theirs = load(&bare, ON_DEMAND, &post, Some(&body)).await;
    tell("provisionOnDemand, nothing to change", &ours, &theirs);

    let target = address.trim_start_matches("http://");
    let mut held = Vec::with_capacity(HELD);
    for _ in 0..HELD {
        held.push(TcpStream::connect(target).await.expect("it is accepted"));
    }
    let alone = load(&client, READS, &read, None).await;
    drop(held);
    println!(
        "read of a user while {HELD} silent connections are held: {:.0} a second, p99 {:?}",
        alone.rate, alone.p99
    );
    let _ = std::fs::remove_dir_all(&folder);
}

fn anywhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A bare handler that gives what the service gave.
async fn bare(read: Value, post: Value) -> Arc<Client> {
    let (read, post) = (Arc::new(read.to_string()), Arc::new(post.to_string()));
    let answer =
        |text: Arc<String>| async move { ([("content-type", "application/json")], text.to_string()) };
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let text = if request.method() == "GET" { read.clone() } else { post.clone() };
        async move {
            let _ = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            answer(text).await
        }
    });
    let listener = tokio::net::TcpListener::bind(anywhere()).await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let profile = Profile {
        address,
        authority: String::new(),
        tenant: String::new(),
        credential: ProfileCredential::Token(Secret::new("t")),
        ca: None,
        timeout: None,
    };
    Arc::new(Client::with(&profile).expect("the client is made"))
}

struct Figures {
    rate: f64,
    p99: Duration,
}

/// Sends a request so many times, by all callers.
async fn load(client: &Arc<Client>, count: usize, path: &str, body: Option<&Value>) -> Figures {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (client, next) = (client.clone(), next.clone());
            let (path, body) = (path.to_owned(), body.cloned());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    let sent = Instant::now();
                    match &body {
                        None => client.get(&path).await.map(drop),
                        Some(body) => client.post(&path, body).await.map(drop),
                    }
                    .expect("it is answered");
                    times.push(sent.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::with_capacity(count);
    for caller in callers {
        times.extend(caller.await.expect("the caller ends"));
    }
    let elapsed = began.elapsed();
    times.sort();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Figures { rate: times.len() as f64 / elapsed.as_secs_f64(), p99 }
}

fn tell(what: &str, ours: &Figures, bare: &Figures) {
    println!("{what}: {:.0} a second, p99 {:?}", ours.rate, ours.p99);
    println!("  bare handler: {:.0} a second, p99 {:?}", bare.rate, bare.p99);
    println!(
        "  ratio: {:.2} of its rate, {:.2} times its p99",
        ours.rate / bare.rate,
        ours.p99.as_secs_f64() / bare.p99.as_secs_f64()
    );
}

/// A job, a body that provisions one person with it, and the person.
async fn set_up(client: &Client, base_address: &str) -> (String, Value, String) {
    let made = client
        .post(
            "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate",
            &json!({ "displayName": "bench" }),
        )
        .await
        .expect("the application is made");
    let base = format!(
        "/v1.0/servicePrincipals/{}/synchronization",
        made["servicePrincipal"]["id"].as_str().expect("an id")
    );
    let secrets = json!({ "value": [
        { "key": "BaseAddress", "value": base_address },
        { "key": "SecretToken", "value": "t" },
        { "key": "SyncAll", "value": "true" },
    ] });
    client.put(&format!("{base}/secrets"), &secrets).await.expect("the secrets are stored");
    let job = client
        .post(&format!("{base}/jobs"), &json!({ "templateId": "scim" }))
        .await
        .expect("the job is made");
    let path = format!("{base}/jobs/{}", job["id"].as_str().expect("an id"));
    let schema = client.get(&format!("{path}/schema")).await.expect("the job has a schema");
    let user = json!({
        "accountEnabled": true, "userPrincipalName": "person@contoso.example", "displayName": "A Person",
        "givenName": "A", "surname": "Person", "mailNickname": "person", "mail": "person@contoso.example",
        "jobTitle": "Clerk", "department": "Retail", "employeeId": "1",
        "passwordProfile": { "password": "Aa1!0123456789" },
    });
    let made = client.post("/v1.0/users", &user).await.expect("the user is made");
    let id = made["id"].as_str().expect("an id").to_owned();
    let body = json!({ "parameters": [{ "ruleId": schema["synchronizationRules"][0]["id"],
        "subjects": [{ "objectId": id, "objectTypeName": "User" }] }] });
    (path, body, id)
}
