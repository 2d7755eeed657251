//! Cycles of a job: an initial one beside a bare client that sends the same requests at the same concurrency, the use of
//! a budget of requests, the rate at two sizes, memory, and a cycle with nothing to do.
//! Prints figures and ratios; asserts nothing. `cargo xtask bench cycle-million` measures memory at a million.

mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};
use usher::client::Client;
use usher::clock::SystemClock;
use usher::profile::{Profile, ProfileCredential};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{
    Clock, Connector, ConnectorError, ConnectorSettings, Connectors, Store, StoredSecret,
};
use usher_core::{Entry, EntryId, EntryKind, JobId, Secret};
use usher_engine::{Engine, Settings};
use usher_store::{SecretKey, SqliteStore};

/// How many requests are under way at once, here and there.
const CONCURRENCY: usize = 16;
/// How often the two are held beside each other; the middle counts.
const ROUNDS: usize = 5;
/// How many people are written at once while a directory is filled.
const FILLING: usize = 256;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    if named("target") {
        runtime.block_on(target::serve());
    } else if let Some(count) = arguments.iter().position(|argument| argument == "memory") {
        let count = arguments[count + 1].parse().expect("a number of people");
        runtime.block_on(memory(count));
    } else if let Some(count) = arguments.iter().position(|argument| argument == "initial") {
        let count = arguments[count + 1].parse().expect("a number of people");
        runtime.block_on(async { tokio::spawn(initial(count)).await.expect("nothing panics") });
    } else if named("million") {
        // Both in one call, so that the growth is seen.
        spawn_memory(100_000);
        spawn_memory(1_000_000);
    } else {
        // Among the other tasks, as a job runs in the service.
        runtime.block_on(async { tokio::spawn(measure()).await.expect("nothing panics") });
    }
}

async fn measure() {
    let side = Target::start();
    let small = Stage::new(1_000, &[("BaseAddress", &side.base)], &[]).await;
    let first = small.run().await;
    drop(small);
    side.reset().await;

    // One after the other, several times: whatever else the machine does befalls both.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let stage = Stage::new(10_000, &[("BaseAddress", &side.base)], &[]).await;
        let took = stage.run().await;
        let idle = Instant::now();
        stage.engine.run_job(&stage.job).await.expect("it runs");
        let idle = idle.elapsed();
        let bodies = side.bodies().await;
        drop(stage);
        side.reset().await;
        rounds.push((took, bare(&side.base, &bodies).await, idle));
        side.reset().await;
    }
    for (took, bare, _) in &rounds {
        println!(
            "initial cycle of 10,000 people: {took:?}, {:.0} a second; bare client, the same requests, \
             {CONCURRENCY} at once: {bare:?}",
            rate(10_000, *took)
        );
    }
    let middle = |part: fn(&(Duration, Duration, Duration)) -> f64| {
        let mut parts: Vec<f64> = rounds.iter().map(part).collect();
        parts.sort_by(f64::total_cmp);
        parts[parts.len() / 2]
    };
    println!(
        "ratio: {:.2} (aim: at most 2)",
        middle(|(took, bare, _)| took.as_secs_f64() / bare.as_secs_f64())
    );
    println!(
        "incremental cycle with nothing changed: {:.2} % of the initial one",
        middle(|(took, _, idle)| 100.0 * idle.as_secs_f64() / took.as_secs_f64())
    );

    let people = 600;
    let settings = [("TargetRequestsPerSecond", "100")];
    let stage = Stage::new(people, &[("BaseAddress", &format!("{}/capped", side.base))], &settings).await;
    let took = stage.run().await;
    let (sent, refused) = side.counts().await;
    drop(stage);
    let used = sent as f64 / took.as_secs_f64();
    println!(
        "target capped at 100 requests a second: {sent} requests in {took:?}, {used:.1} a second, {refused} refused: \
         {:.1} % of the budget (aim: at least 95 %)",
        used
    );
    side.reset().await;

    let large = Stage::new(100_000, &[("BaseAddress", &side.base)], &[]).await;
    let took = large.run().await;
    drop(large);
    let (small, large) = (rate(1_000, first), rate(100_000, took));
    println!("rate at 1,000 people: {small:.0} a second; at 100,000: {large:.0} a second");
    println!("ratio: {:.0} % (aim: at least 90 %)", 100.0 * large / small);
    drop(side);

    spawn_memory(100_000);
    println!("memory at a million people: cargo xtask bench cycle-million");
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// One initial cycle over HTTP and nothing else, for whoever looks for where its time goes.
async fn initial(count: usize) {
    let side = Target::start();
    let stage = Stage::new(count, &[("BaseAddress", &side.base)], &[]).await;
    println!("begins");
    let took = stage.run().await;
    println!("initial cycle of {count} people: {took:?}, {:.0} a second", rate(count, took));
}

/// Memory is measured in a process of its own, which holds nothing but the service.
fn spawn_memory(count: usize) {
    let program = std::env::current_exe().expect("the program knows where it is");
    let status = Command::new(program).args(["memory", &count.to_string()]).status();
    assert!(status.expect("the program starts").success(), "the measurement of memory failed");
}

/// A cycle against a target that takes everything and keeps nothing.
async fn memory(count: usize) {
    let stage = Stage::with(count, &[], &[], |_| Arc::new(target::Nowhere::default())).await;
    let before = resident("VmRSS");
    let took = stage.run().await;
    println!(
        "{count} people against a target that keeps nothing: {took:?}, {:.0} a second; resident memory {before} MiB \
         before, {} MiB after, {} MiB at most (aim: at most 200 MiB)",
        rate(count, took),
        resident("VmRSS"),
        resident("VmHWM"),
    );
}

/// A line of the process's status, in MiB.
fn resident(name: &str) -> u64 {
    fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

/// A service with a directory full of people and a started job.
struct Stage {
    engine: Engine,
    job: JobId,
    folder: PathBuf,
    people: usize,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Hands out one connector for the target, and the directory inside.
struct TwoConnectors {
    all: AllConnectors,
    target: Option<Arc<dyn Connector>>,
}

impl Connectors for TwoConnectors {
    fn build(&self, kind: &str, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
        match &self.target {
            Some(target) if kind != "directory" => Ok(target.clone()),
            _ => self.all.build(kind, settings),
        }
    }

    fn reads(&self, key: &str) -> bool {
        self.all.reads(key)
    }
}

impl Stage {
    async fn new(people: usize, secrets: &[(&str, &str)], settings: &[(&str, &str)]) -> Self {
        Self::build(people, secrets, settings, None).await
    }

    async fn with(
        people: usize,
        secrets: &[(&str, &str)],
        settings: &[(&str, &str)],
        target: impl FnOnce(&Path) -> Arc<dyn Connector>,
    ) -> Self {
        let target = target(Path::new("."));
        Self::build(people, secrets, settings, Some(target)).await
    }

    async fn build(
        people: usize,
        secrets: &[(&str, &str)],
        settings: &[(&str, &str)],
        target: Option<Arc<dyn Connector>>,
    ) -> Self {
        let folder = std::env::temp_dir().join(format!("usher-bench-{}", SystemClock.guid()));
        fs::create_dir_all(&folder).expect("there is a place for temporary files");
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.join("usher.sqlite"), key()).expect("the store opens"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let all =
            AllConnectors::new(store.clone(), clock.clone(), HttpOptions::default()).expect("defaults work");
        let connectors = Arc::new(TwoConnectors { all, target });
        let engine = Engine::new(store.clone(), connectors, clock, Settings::new("bench"));
        let application = EntryId::new("app");
        let properties = json!({ "appId": "app", "displayName": "bench" });
        put(&*store, EntryKind::ServicePrincipal, &application, properties).await;
        futures::stream::iter(0..people)
            .for_each_concurrent(FILLING, |number| {
                let store = store.clone();
                async move {
                    let id = EntryId::new(format!("{number:08}-0000-4000-8000-000000000000"));
                    put(&*store, EntryKind::User, &id, person(number)).await;
                }
            })
            .await;
        let secrets: Vec<StoredSecret> = secrets
            .iter()
            .chain([&("SyncAll", "true")])
            .map(|(key, value)| StoredSecret { key: (*key).to_owned(), value: Secret::new(*value) })
            .collect();
        store.put_secrets(&application, &secrets).await.expect("they are stored");
        let job = engine.create_job(&application, "scim").await.expect("the job is made").id;
        let settings: Vec<(String, String)> = settings
            .iter()
            .chain([&("TargetConcurrency", CONCURRENCY.to_string().as_str())])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        engine.update_job(&application, &job, None, &settings).await.expect("they are set");
        engine.start_job(&application, &job).await.expect("it starts");
        Self { engine, job, folder, people }
    }

    /// The first cycle.
    async fn run(&self) -> Duration {
        let began = Instant::now();
        let state = self.engine.run_job(&self.job).await.expect("it runs");
        let took = began.elapsed();
        let execution = state.last_execution.expect("it ran");
        assert_eq!(execution.counts.exported, self.people as u64, "{execution:?}");
        took
    }
}

async fn put(store: &dyn Store, kind: EntryKind, id: &EntryId, properties: Value) {
    let Value::Object(properties) = properties else { return };
    let entry = Entry { id: id.clone(), kind, properties, created_at: SystemClock.now(), deleted_at: None };
    store.put_entry(&entry).await.expect("it is written");
}

fn person(number: usize) -> Value {
    json!({
        "accountEnabled": true, "userPrincipalName": format!("person{number}@contoso.example"),
        "displayName": format!("Person {number}"), "givenName": "Person", "surname": number.to_string(),
        "mailNickname": format!("person{number}"), "mail": format!("person{number}@contoso.example"),
        "jobTitle": "Clerk", "department": "Retail", "employeeId": number.to_string(), "city": "Bern",
        "officeLocation": "12/34", "businessPhones": ["+41 31 000 00 00"], "mobilePhone": "+41 79 000 00 00",
    })
}

/// The requests of the cycle, sent by hand: a search and a create for each person.
async fn bare(base: &str, bodies: &[Value]) -> Duration {
    let url = url::Url::parse(base).expect("the address is a URL");
    let client = Client::with(&Profile {
        address: base.trim_end_matches(url.path()).to_owned(),
        authority: String::new(),
        tenant: String::new(),
        credential: ProfileCredential::Token(Secret::new("t")),
        ca: None,
        timeout: None,
    })
    .expect("the client is made");
    let began = Instant::now();
    futures::stream::iter(bodies)
        .for_each_concurrent(CONCURRENCY, |body| {
            let (client, path) = (&client, url.path());
            async move {
                let name = body["userName"].as_str().unwrap_or_default().replace('@', "%40");
                client
                    .get(&format!("{path}/Users?filter=userName+eq+%22{name}%22"))
                    .await
                    .expect("it answers");
                client.post(&format!("{path}/Users"), body).await.expect("it creates");
            }
        })
        .await;
    began.elapsed()
}

/// The fast target, in a process of its own.
struct Target {
    process: Child,
    base: String,
}

impl Target {
    fn start() -> Self {
        let program = std::env::current_exe().expect("the program knows where it is");
        let mut process =
            Command::new(program).arg("target").stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("it has an output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
            .expect("it says its address");
        Self { process, base: line.trim().to_owned() }
    }

    async fn ask(&self, path: &str) -> Value {
        let url = url::Url::parse(&self.base).expect("the address is a URL");
        let client = Client::with(&Profile {
            address: self.base.trim_end_matches(url.path()).to_owned(),
            authority: String::new(),
            tenant: String::new(),
            credential: ProfileCredential::Token(Secret::new("t")),
            ca: None,
            timeout: None,
        })
        .expect("the client is made");
        client.get(path).await.expect("it answers")
    }

    /// Forgets everything.
    async fn reset(&self) {
        self.ask("/reset").await;
    }

    /// The bodies of all creates.
    async fn bodies(&self) -> Vec<Value> {
        self.ask("/bodies").await["value"].as_array().cloned().unwrap_or_default()
    }

    /// How many requests were taken and refused.
    async fn counts(&self) -> (u64, u64) {
        let counts = self.ask("/counts").await;
        (counts["taken"].as_u64().unwrap_or(0), counts["refused"].as_u64().unwrap_or(0))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn key() -> SecretKey {
    SecretKey::read(&SecretKey::generate()).expect("a generated key is one")
}
