//! On demand over loopback beside a bare client that sends the same requests to the same application.
//! Prints medians, their difference and their ratio; asserts nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher::client::Client;
use usher::clock::SystemClock;
use usher::profile::{Profile, ProfileCredential};
use usher::wiring;
use usher_connectors::HttpOptions;
use usher_core::Secret;
use usher_core::ports::Clock;
use usher_sandbox::{Options, Sandbox};
use usher_server::{Server, ServerOptions, bootstrap};

const PEOPLE: usize = 200;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(measure());
}

async fn measure() {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let application = Sandbox::start(Options::new("t"), anywhere).await.expect("the sandbox starts");
    let folder = std::env::temp_dir().join(format!("usher-bench-{}", SystemClock.guid()));
    let engine =
        wiring::engine(&folder, None, None, HttpOptions::default()).await.expect("the engine starts");
    let tenant = engine.settings.tenant.clone();
    let first = bootstrap(&engine).await.expect("the directory is new").expect("it has a first credential");
    let listener = tokio::net::TcpListener::bind(anywhere).await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("the listener has an address"));
    let mut options = ServerOptions::new(&address);
    options.on_demand_limit = 1_000_000;
    let server = Server::new(engine, options).await.expect("the server starts");
    tokio::spawn(server.serve_plain(listener, std::future::pending()));
    let client = Client::with(&Profile {
        address: address.clone(),
        authority: address.clone(),
        tenant,
        credential: ProfileCredential::ClientSecret { client_id: first.client_id, secret: first.secret },
        ca: None,
        timeout: None,
    })
    .expect("the client is made");

    let (path, rule) = set_up(&client, &application.base_address()).await;
    let mut service = Vec::with_capacity(PEOPLE);
    let mut sent = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let user = user(&client, number).await;
        let body = json!({ "parameters": [{ "ruleId": rule,
            "subjects": [{ "objectId": user, "objectTypeName": "User" }] }] });
        let dry =
            client.post(&format!("{path}/provisionOnDemand?dryRun=true"), &body).await.expect("a dry run");
        let value: Value =
            serde_json::from_str(dry["value"].as_str().unwrap_or("{}")).expect("the value is JSON");
        sent.push(value["requests"][0]["body"].clone());
        let began = Instant::now();
        client.post(&format!("{path}/provisionOnDemand"), &body).await.expect("it is provisioned");
        service.push(began.elapsed());
    }

    // The same three requests that the connector sends for a new person: test, match, create.
    let other = Sandbox::start(Options::new("t"), anywhere).await.expect("the second sandbox starts");
    let base = other.base_address();
    let url = url::Url::parse(&base).expect("the address is a URL");
    let bare = Client::with(&Profile {
        address: base.trim_end_matches(url.path()).to_owned(),
        authority: String::new(),
        tenant: String::new(),
        credential: ProfileCredential::Token(Secret::new("t")),
        ca: None,
        timeout: None,
    })
    .expect("the bare client is made");
    let mut direct = Vec::with_capacity(PEOPLE);
    for (number, body) in sent.iter().enumerate() {
        let began = Instant::now();
        for name in
            ["6b6a0c9e-2b0d-4a0b-8f3a-7a1f7b0a4f39".to_owned(), format!("person{number}@contoso.example")]
        {
            bare.get(&format!("{}/Users?filter=userName+eq+%22{name}%22", url.path()))
                .await
                .expect("it answers");
        }
        bare.post(&format!("{}/Users", url.path()), body).await.expect("it creates");
        direct.push(began.elapsed());
    }

    let (service, direct) = (median(service), median(direct));
    println!("on demand, end to end: median {service:?} over {PEOPLE} people");
    println!("bare client, the same requests: median {direct:?}");
    println!("overhead of the service: {:?}", service.saturating_sub(direct));
    println!("ratio: {:.2}", service.as_secs_f64() / direct.as_secs_f64());
    let _ = std::fs::remove_dir_all(&folder);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

async fn set_up(client: &Client, base_address: &str) -> (String, String) {
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
    let rule = schema["synchronizationRules"][0]["id"].as_str().expect("a rule").to_owned();
    (path, rule)
}

async fn user(client: &Client, number: usize) -> String {
    let body = json!({
        "accountEnabled": true, "userPrincipalName": format!("person{number}@contoso.example"),
        "displayName": format!("Person {number}"), "givenName": "Person", "surname": number.to_string(),
        "mailNickname": format!("person{number}"), "mail": format!("person{number}@contoso.example"),
        "jobTitle": "Clerk", "department": "Retail", "employeeId": number.to_string(),
        "passwordProfile": { "password": "Aa1!0123456789" },
    });
    client.post("/v1.0/users", &body).await.expect("the user is made")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}
