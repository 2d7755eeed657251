//! The service killed outright, again and again, in the midst of cycles against a SCIM server that is not ours: nothing
//! is lost and nothing doubled.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use usher::client::Client;
use usher::clock::SystemClock;
use usher::profile::{Profile, ProfileCredential};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{Clock, Store, StoredSecret};
use usher_core::{CycleKind, Entry, EntryId, EntryKind, JobId, Link, Position, Relation, ResetScope, Secret};
use usher_engine::{Engine, Settings};
use usher_store::SqliteStore;
use usher_testkit::servers::{RealServer, Scim2Options};

use crate::local::serve;

const KILLS: usize = 50;
const PEOPLE: usize = 40;
/// How many people change before each kill; each costs at least two requests.
const CHANGES: usize = 12;
/// A service that sends nothing for so long is broken; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(120);
const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// Stands between the service and the server, counts requests, and rings at a chosen one: before it goes on, or when
/// its answer is there.
struct Gate {
    left: AtomicI64,
    is_after: std::sync::atomic::AtomicBool,
    bell: Notify,
}

impl Gate {
    async fn open(target: String) -> (Arc<Self>, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address").to_string();
        let gate = Arc::new(Self { left: AtomicI64::new(-1), is_after: false.into(), bell: Notify::new() });
        let shared = gate.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (gate, target) = (shared.clone(), target.clone());
                tokio::spawn(async move {
                    // Whoever is killed hangs up; that is what this is about.
                    let _ = gate.pass(client, &target).await;
                });
            }
        });
        (gate, address)
    }

    /// Rings at the request with this number.
    fn ring_at(&self, request: i64, is_after: bool) {
        self.is_after.store(is_after, Ordering::SeqCst);
        self.left.store(request, Ordering::SeqCst);
    }

    fn is_due(&self) -> bool {
        self.left.load(Ordering::SeqCst) > 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }

    async fn pass(&self, client: TcpStream, target: &str) -> std::io::Result<()> {
        let mut holds_answer = false;
        let passed = self.relay(client, target, &mut holds_answer).await;
        if holds_answer {
            // The connection ended before there was an answer to hold: the next request is the one.
            self.left.store(1, Ordering::SeqCst);
        }
        passed
    }

    async fn relay(
        &self,
        mut client: TcpStream,
        target: &str,
        holds_answer: &mut bool,
    ) -> std::io::Result<()> {
        let mut server = TcpStream::connect(target).await?;
        let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = client.read(&mut from_client) => {
                    let count = read?;
                    if count == 0 {
                        return Ok(());
                    }
                    let is_request = from_client[..count].windows(9).any(|bytes| bytes == b" HTTP/1.1");
                    if is_request && self.is_due() {
                        if !self.is_after.load(Ordering::SeqCst) {
                            self.bell.notify_one();
                            std::future::pending::<()>().await;
                        }
                        *holds_answer = true;
                    }
                    server.write_all(&from_client[..count]).await?;
                }
                read = server.read(&mut from_server) => {
                    let count = read?;
                    if count == 0 {
                        return Ok(());
                    }
                    if *holds_answer {
                        self.bell.notify_one();
                        std::future::pending::<()>().await;
                    }
                    client.write_all(&from_server[..count]).await?;
                }
            }
        }
    }
}

/// The system's clock, a day ahead: what had to settle has settled, what had to wait is due.
struct Tomorrow;

#[async_trait]
impl Clock for Tomorrow {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_hours(24)
    }

    async fn wait(&self, duration: Duration) {
        SystemClock.wait(duration).await;
    }

    fn guid(&self) -> uuid::Uuid {
        SystemClock.guid()
    }
}

/// The service's engine over its own file, while no service runs.
async fn engine(data: &Path, clock: Arc<dyn Clock>) -> Engine {
    let store: Arc<dyn Store> = Arc::new(
        SqliteStore::open(
            &usher::sealing::database(data),
            usher::sealing::key(data, None).expect("the key is there"),
        )
        .expect("nobody else has it open"),
    );
    store.put_setting("tenant", &Secret::new(TENANT)).await.expect("it is written");
    let connectors = AllConnectors::new(store.clone(), clock.clone(), HttpOptions::default());
    Engine::new(store, Arc::new(connectors.expect("defaults work")), clock, Settings::new(TENANT))
}

async fn put(engine: &Engine, kind: EntryKind, id: &str, properties: Value) {
    let Value::Object(properties) = properties else { return };
    let entry =
        Entry { id: EntryId::new(id), kind, properties, created_at: SystemClock.now(), deleted_at: None };
    engine.store.put_entry(&entry).await.expect("it is written");
}

fn person(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn put_person(engine: &Engine, number: usize, title: &str) {
    let properties = json!({
        "userPrincipalName": format!("p{number}@contoso.example"), "displayName": format!("Person {number}"),
        "mailNickname": format!("p{number}"), "accountEnabled": true, "jobTitle": title,
        "givenName": "Person", "surname": number.to_string(), "mail": format!("p{number}@contoso.example"),
    });
    put(engine, EntryKind::User, &person(number), properties).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_fifty_times_loses_nothing_and_doubles_nothing() {
    let server = RealServer::scim2_server(&Scim2Options::default()).await.expect("it is installed");
    let url = url::Url::parse(&server.base_address).expect("it is a URL");
    let target = format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or_default());
    let (gate, address) = Gate::open(target).await;
    let folder = TempDir::new().expect("a folder can be made");
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).expect("it can be made");

    let first = engine(&data, Arc::new(SystemClock)).await;
    put(&first, EntryKind::ServicePrincipal, "app", json!({ "appId": "app", "displayName": "killed" })).await;
    for number in 0..PEOPLE {
        put_person(&first, number, "new").await;
    }
    for number in 1..PEOPLE {
        let link = Link {
            from: EntryId::new(person(number)),
            relation: Relation::Manager,
            to: EntryId::new(person(number / 2)),
        };
        first.store.add_link(&link).await.expect("it is written");
    }
    let team = "11111111-0000-4000-8000-000000000000";
    put(&first, EntryKind::Group, team, json!({ "displayName": "Everybody", "securityEnabled": true })).await;
    for number in 0..PEOPLE {
        let to = EntryId::new(person(number));
        let link = Link { from: EntryId::new(team), relation: Relation::Members, to };
        first.store.add_link(&link).await.expect("it is written");
    }
    let secrets = [
        ("BaseAddress", format!("http://{address}{}?aadOptscim062020", url.path())),
        ("SecretToken", server.token.clone()),
        ("SyncAll", "true".to_owned()),
    ];
    let secrets = secrets.map(|(key, value)| StoredSecret { key: key.to_owned(), value: Secret::new(value) });
    let application = EntryId::new("app");
    first.store.put_secrets(&application, &secrets).await.expect("they are written");
    let job = first.create_job(&application, "scim").await.expect("it is made").id;
    first.start_job(&application, &job).await.expect("it starts");
    drop(first);

    let mut dice = ChaCha8Rng::seed_from_u64(7);
    let mut titles: BTreeMap<usize, String> = (0..PEOPLE).map(|number| (number, "new".to_owned())).collect();
    for kill in 0..KILLS {
        let between = engine(&data, Arc::new(SystemClock)).await;
        if kill % 10 == 9 {
            // Now and then a cycle comes to its end, so that incremental ones are killed, too.
            between.restart_job(&application, &job, ResetScope::NONE).await.expect("it restarts");
            between.run_job(&job).await.expect("it runs");
        }
        for _ in 0..CHANGES {
            let number = dice.random_range(0..PEOPLE);
            let title = format!("title {kill}");
            put_person(&between, number, &title).await;
            titles.insert(number, title);
        }
        let state = between.store.job_state(&job).await.expect("it reads").unwrap_or_default();
        // A cycle that has hardly anything left to do would be over before it is killed: everybody comes up again then.
        let goes_on = state.cycle.is_none_or(|cycle| {
            cycle.kind == CycleKind::Initial && matches!(cycle.position, Position::Import { mapping: 0, .. })
        });
        let scope = if goes_on { ResetScope::NONE } else { ResetScope::WATERMARK };
        between.restart_job(&application, &job, scope).await.expect("it restarts");
        drop(between);
        gate.ring_at(dice.random_range(1..=6), dice.random());
        let mut service = serve(&data);
        let rang = tokio::time::timeout(PATIENCE, gate.bell.notified()).await;
        service.kill().expect("it is killed");
        service.wait().expect("it is gone");
        if rang.is_err() {
            let quiet = engine(&data, Arc::new(SystemClock)).await;
            panic!("the service went quiet before kill {kill}: {:?}", quiet.store.job_state(&job).await);
        }
    }

    let last = engine(&data, Arc::new(Tomorrow)).await;
    settle(&last, &application, &job).await;
    let events = last.store.count_pairings(&job).await.expect("it counts");
    assert_eq!(events.iter().map(|(_, _, count)| count).sum::<u64>(), PEOPLE as u64 + 1);
    check(&server, &titles).await;
}

/// Runs the job until nothing is left to do.
async fn settle(engine: &Engine, application: &EntryId, job: &JobId) {
    for _ in 0..5 {
        engine.restart_job(application, job, ResetScope::NONE).await.expect("it restarts");
        let state = engine.run_job(job).await.expect("it runs");
        let last = state.last_execution.expect("it ran");
        if last.counts.imported == 0 && last.escrowed == 0 && state.cycle.is_none() {
            return;
        }
    }
    panic!("the job does not come to rest");
}

/// Everybody has one account with the newest title and the right manager; the group holds everybody.
async fn check(server: &RealServer, titles: &BTreeMap<usize, String>) {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let url = url::Url::parse(&server.base_address).expect("it is a URL");
    let client = Client::with(&Profile {
        address: server.base_address.trim_end_matches(url.path()).to_owned(),
        authority: String::new(),
        tenant: String::new(),
        credential: ProfileCredential::Token(Secret::new(server.token.clone())),
        ca: None,
        timeout: None,
    })
    .expect("the client is made");
    let list = async |kind: &str| {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let path = format!("{}/{kind}?startIndex={}&count=100", url.path(), all.len() + 1);
            let page = client.get(&path).await.expect("it lists");
            let resources = page["Resources"].as_array().cloned().unwrap_or_default();
            let is_last = resources.is_empty();
            all.extend(resources);
            if is_last || all.len() as u64 >= page["totalResults"].as_u64().unwrap_or(0) {
                return all;
            }
        }
    };
    let accounts = list("Users").await;
    assert_eq!(accounts.len(), titles.len(), "one account each");
    let by_name: BTreeMap<&str, &Value> =
        accounts.iter().map(|account| (account["userName"].as_str().unwrap_or_default(), account)).collect();
    for (number, title) in titles {
        let account = by_name[format!("p{number}@contoso.example").as_str()];
        assert_eq!(account["title"], **title, "{account}");
        assert_eq!(account["active"], true, "{account}");
        if *number > 0 {
            let manager = by_name[format!("p{}@contoso.example", number / 2).as_str()];
            assert_eq!(account[ENTERPRISE]["manager"]["value"], manager["id"], "{account}");
        }
    }
    let groups = list("Groups").await;
    assert_eq!(groups.len(), 1);
    let mut members: Vec<&str> = groups[0]["members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|member| member["value"].as_str())
        .collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(members.len(), titles.len(), "everybody is a member, once");
}
