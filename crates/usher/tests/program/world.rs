//! A running service with people, and a SCIM application to provision into.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use usher::client::Client;
use usher::profile::{Profile, ProfileCredential};
use usher::wiring;
use usher_connectors::HttpOptions;
use usher_sandbox::{Exchange, Faults, Options, Running, Sandbox};
use usher_server::{Server, ServerOptions, bootstrap};

/// The service, the application, and the ids that cmdlets need.
pub struct World {
    pub folder: TempDir,
    pub application: Running,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    pub client: Client,
    pub principal: String,
    pub application_id: String,
    pub job: String,
    pub rule: String,
    environment: Vec<(&'static str, String)>,
}

/// What a run of the program printed.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    pub async fn start() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let seen = exchanges.clone();
        let observer = move |exchange: &Exchange| seen.lock().expect("nobody panics").push(exchange.clone());
        let options = Options { observer: Some(Arc::new(observer)), ..Options::new("t") };
        let application = Sandbox::start(options, anywhere).await.expect("the sandbox starts");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let http = HttpOptions { timeout: std::time::Duration::from_secs(20), ..HttpOptions::default() };
        let engine =
            wiring::engine(&folder.path().join("data"), None, None, http).await.expect("the engine starts");
        let tenant = engine.settings.tenant.clone();
        let first = bootstrap(&engine).await.expect("the store works").expect("the directory is new");
        let listener = tokio::net::TcpListener::bind(anywhere).await.expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it has an address"));
        let mut options = ServerOptions::new(&address);
        options.on_demand_limit = 1_000;
        let jobs = engine.clone();
        tokio::spawn(async move { jobs.run_jobs(std::future::pending()).await });
        let server = Server::new(engine, options).await.expect("the server starts");
        tokio::spawn(server.serve_plain(listener, std::future::pending()));
        let environment = vec![
            ("USHER_ADDRESS", address.clone()),
            ("USHER_TENANT", tenant.clone()),
            ("USHER_CLIENT_ID", first.client_id.clone()),
            ("USHER_CLIENT_SECRET", first.secret.expose().to_owned()),
            ("USHER_CONFIG_DIR", folder.path().join("config").display().to_string()),
        ];
        let client = Client::with(&Profile {
            address: address.clone(),
            authority: address,
            tenant,
            credential: ProfileCredential::ClientSecret { client_id: first.client_id, secret: first.secret },
            ca: None,
            timeout: None,
        })
        .expect("the client is made");
        let mut world = Self {
            folder,
            application,
            exchanges,
            client,
            principal: String::new(),
            application_id: String::new(),
            job: String::new(),
            rule: String::new(),
            environment,
        };
        world.fill().await;
        world
    }

    async fn fill(&mut self) {
        let token = self.file("token.txt", "t\n");
        let made = self
            .run(&[
                "app",
                "create",
                "hr-portal",
                "--base-address",
                &self.application.base_address(),
                "--token-file",
                &token.display().to_string(),
                "--output",
                "json",
            ])
            .await;
        let made: Value = serde_json::from_str(&made.out).expect("it is JSON");
        let text = |name: &str| made[name].as_str().expect("it is a text").to_owned();
        self.principal = text("servicePrincipalId");
        self.application_id = text("applicationId");
        self.job = text("synchronizationJobId");
        let path =
            format!("/v1.0/servicePrincipals/{}/synchronization/jobs/{}/schema", self.principal, self.job);
        let schema = self.client.get(&path).await.expect("the job has a schema");
        self.rule = schema["synchronizationRules"][0]["id"].as_str().expect("it is a text").to_owned();
        for name in ["adele", "megan", "alex"] {
            let upn = format!("{name}@contoso.example");
            let ran = self.run(&["user", "create", &upn, "--name", name, "--set", "jobTitle=Clerk"]).await;
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
        for arguments in [
            &["user", "manager", "adele@contoso.example", "megan@contoso.example"][..],
            &["app", "assign", "hr-portal", "adele@contoso.example", "megan@contoso.example"],
            &[
                "group",
                "create",
                "Retail",
                "--member",
                "adele@contoso.example",
                "--member",
                "megan@contoso.example",
            ],
            &["app", "assign", "hr-portal", "Retail", "--group"],
        ] {
            let ran = self.run(arguments).await;
            assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        }
    }

    /// A file in the world's folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path
    }

    /// Runs the program with these words.
    pub async fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, None).await
    }

    /// Runs the program, with something on standard input.
    pub async fn run_with(&self, words: &[&str], input: Option<&str>) -> Ran {
        let mut command = program();
        command.args(words).envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
        let input = input.unwrap_or_default().to_owned();
        tokio::task::spawn_blocking(move || finish(command, &input)).await.expect("the program runs")
    }

    /// Runs the program to provision this person.
    pub async fn provision(&self, name: &str) -> Ran {
        let upn = format!("{name}@contoso.example");
        self.run(&["provision", "User", &upn, "--app", "hr-portal"]).await
    }

    /// The object id of a person.
    pub async fn id(&self, name: &str) -> String {
        let user = self
            .client
            .get(&format!("/v1.0/users/{name}@contoso.example"))
            .await
            .expect("the person is there");
        user["id"].as_str().expect("it is a text").to_owned()
    }

    /// The user names that the application has.
    pub fn accounts(&self) -> Vec<String> {
        let users = self.application.sandbox().users();
        users.iter().map(|user| user["userName"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the application was asked since the last time.
    pub fn exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().expect("nobody panics"))
    }

    /// What a job needs to read from this world as from a tenant.
    pub fn as_tenant(&self) -> Vec<String> {
        let value = |name: &str| {
            let found = self.environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone()).expect("the world has it")
        };
        let address = value("USHER_ADDRESS");
        [
            ("GraphAddress", address.clone()),
            ("Authority", address),
            ("TenantId", value("USHER_TENANT")),
            ("ClientId", value("USHER_CLIENT_ID")),
            ("ClientSecret", value("USHER_CLIENT_SECRET")),
            ("ServicePrincipalId", self.principal.clone()),
        ]
        .into_iter()
        .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
        .collect()
    }

    /// The application's faults.
    pub fn faults(&self) -> &Faults {
        self.application.sandbox().faults()
    }
}

/// The program, with nothing of this machine's settings.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    for name in [
        "USHER_ADDRESS",
        "USHER_TENANT",
        "USHER_CLIENT_ID",
        "USHER_CLIENT_SECRET",
        "USHER_TOKEN",
        "USHER_CA",
        "USHER_AUTHORITY",
    ] {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

/// Runs a command to its end.
pub fn finish(mut command: Command, input: &str) -> Ran {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("it has an input");
    // A program that does not read its input closes it.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// An on-demand body for one user, as JSON.
pub fn body(rule: &str, user: &str) -> Value {
    json!({ "parameters": [{ "ruleId": rule, "subjects": [{ "objectId": user, "objectTypeName": "User" }] }] })
}
