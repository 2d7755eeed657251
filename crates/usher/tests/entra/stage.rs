//! A tenant: our own Graph API on a port, with faults that a test asks for.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use usher::client::Client;
use usher::profile::{Profile, ProfileCredential};
use usher::wiring;
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::Secret;
use usher_core::ports::{Connector, ConnectorError, ConnectorSettings, Connectors};
use usher_engine::Engine;
use usher_server::{Exchanges, Server, ServerOptions, bootstrap};
use usher_testkit::ManualClock;

use crate::published;

/// What goes wrong, request by request.
#[derive(Default)]
pub struct Faults {
    /// Every so manieth request is told to come back at once; zero means none.
    pub throttles: AtomicUsize,
    count: AtomicUsize,
    /// The answers to so many creates are lost on the way back.
    pub lost_creates: AtomicUsize,
    /// The answers to so many restores are lost on the way back.
    pub lost_restores: AtomicUsize,
    /// Whoever asks for the next restore dies when it took effect.
    dies_after_restore: AtomicBool,
    died: tokio::sync::Notify,
    /// So many requests about a new object find nothing yet.
    pub lag: AtomicUsize,
    /// So many batches find Graph busy.
    pub busy_batches: AtomicUsize,
    /// So many batches have parts that are put off.
    pub throttled_parts: AtomicUsize,
    /// For how many seconds such parts are put off.
    pub retry_after: AtomicUsize,
    /// Delta links are forgotten.
    pub forgets: AtomicUsize,
    /// Advanced queries find nothing: their index lags behind.
    pub index_lags: AtomicBool,
    /// Somebody on the way swallows what is told of single users and in batches: the answer is good, and empty.
    pub swallows: AtomicBool,
    /// Of what users are members of, only the ids are told, and a role comes along.
    pub told_groups: AtomicBool,
    /// Who links objects is told that one of them is not known.
    pub unlinked: AtomicBool,
    /// So many requests are answered by a page for people, with this status, in place of Graph.
    pub pages: AtomicUsize,
    /// The status of such pages.
    pub page_status: AtomicUsize,
    /// So many requests for a token are answered so.
    pub token_pages: AtomicUsize,
    /// What whoever reads a single user is told.
    pub told_of_users: Mutex<Option<(StatusCode, Value)>>,
    /// Users that are not known yet where single objects are read, and groups whose members are not; what begins with a
    /// slash is the end of a path.
    pub hidden: Mutex<Vec<String>>,
    /// What the connector sent although Microsoft does not publish it.
    unpublished: Mutex<Vec<String>>,
    /// How many requests of the connector were held against that.
    pub checked: AtomicUsize,
    /// Method and path of everything that came, in order.
    pub seen: Mutex<Vec<String>>,
}

/// A tenant and a way to look into it.
pub struct Tenant {
    _folder: TempDir,
    pub engine: Engine,
    pub client: Client,
    pub faults: Arc<Faults>,
    /// The clock of connectors: waiting takes no time.
    pub clock: Arc<ManualClock>,
    settings: Vec<(&'static str, String)>,
}

impl Tenant {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let engine = wiring::engine(&folder.path().join("data"), None, None, HttpOptions::default())
            .await
            .expect("the engine starts");
        let tenant = engine.settings.tenant.clone();
        let first = bootstrap(&engine).await.expect("the store works").expect("the directory is new");
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = tokio::net::TcpListener::bind(anywhere).await.expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it has an address"));
        let mut options = ServerOptions::new(&address);
        // Whoever wants to hold our requests against the published description says where they are to be kept.
        if let Some(file) = std::env::var_os("USHER_RECORD_EXCHANGES") {
            let exchanges = Exchanges::append_to(Path::new(&file)).expect("the file can be written");
            options.exchanges = Some(Arc::new(exchanges));
        }
        let server = Server::new(engine.clone(), options).await.expect("the server starts");
        let faults = Arc::new(Faults::default());
        let known = faults.clone();
        let router = server.router().layer(middleware::from_fn(move |request, next| {
            let faults = known.clone();
            async move { faults.pass(request, next).await }
        }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::with(&Profile {
            address: address.clone(),
            authority: address.clone(),
            tenant: tenant.clone(),
            credential: ProfileCredential::ClientSecret {
                client_id: first.client_id.clone(),
                secret: first.secret.clone(),
            },
            ca: None,
            timeout: None,
        })
        .expect("the client is made");
        let settings = vec![
            ("GraphAddress", address.clone()),
            ("Authority", address),
            ("TenantId", tenant),
            ("ClientId", first.client_id),
            ("ClientSecret", first.secret.expose().to_owned()),
        ];
        let clock = Arc::new(ManualClock::at(engine.clock.now()));
        Self { _folder: folder, engine, client, faults, clock, settings }
    }

    /// What a job has to know of the tenant.
    pub fn settings(&self) -> &[(&'static str, String)] {
        &self.settings
    }

    /// A connector to the tenant, with some settings more.
    pub fn connector(&self, more: &[(&'static str, &str)]) -> Arc<dyn Connector> {
        self.build(more).expect("the settings are good")
    }

    pub fn build(&self, more: &[(&'static str, &str)]) -> Result<Arc<dyn Connector>, ConnectorError> {
        let mut settings = ConnectorSettings::default();
        for (key, value) in &self.settings {
            settings.set(*key, Secret::new(value.as_str()));
        }
        for (key, value) in more {
            settings.set(*key, Secret::new(*value));
        }
        let http = HttpOptions::default();
        let all = AllConnectors::new(self.engine.store.clone(), self.clock.clone(), http);
        all.expect("the options are good").build("entra", &settings)
    }

    /// Makes a user.
    pub async fn user(&self, name: &str) -> String {
        let user = json!({
            "accountEnabled": true, "displayName": name, "mailNickname": name, "jobTitle": "Clerk",
            "userPrincipalName": format!("{name}@contoso.example"), "passwordProfile": { "password": "x" },
        });
        id(&self.client.post("/v1.0/users", &user).await.expect("the user is made"))
    }

    /// Makes a security group with members.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let group = json!({
            "displayName": name, "mailNickname": name, "mailEnabled": false, "securityEnabled": true,
        });
        let group = id(&self.client.post("/v1.0/groups", &group).await.expect("the group is made"));
        for member in members {
            let reference =
                json!({ "@odata.id": format!("https://graph.example/v1.0/directoryObjects/{member}") });
            let path = format!("/v1.0/groups/{group}/members/$ref");
            self.client.post(&path, &reference).await.expect("the member is added");
        }
        group
    }

    /// Makes an application and its service principal, whose id is given.
    pub async fn application(&self) -> String {
        let made = self.client.post("/v1.0/applications", &json!({ "displayName": "hr" })).await;
        let app_id = made.expect("the application is made")["appId"].clone();
        let principal = self.client.post("/v1.0/servicePrincipals", &json!({ "appId": app_id })).await;
        id(&principal.expect("the service principal is made"))
    }

    /// Assigns a user or a group to an application.
    pub async fn assign(&self, application: &str, principal: &str) -> String {
        let body = json!({
            "principalId": principal, "resourceId": application,
            "appRoleId": "00000000-0000-0000-0000-000000000000",
        });
        let path = format!("/v1.0/servicePrincipals/{application}/appRoleAssignedTo");
        id(&self.client.post(&path, &body).await.expect("it is assigned"))
    }

    /// Single reads do not know a user yet, or do so again.
    pub fn hide(&self, user: Option<&str>) {
        *self.faults.hidden.lock().expect("nobody panics with it") =
            user.into_iter().map(str::to_owned).collect();
    }

    /// Lets a process work until it dies: when it has restored somebody, before it learns so.
    pub async fn dies_after_restore(&self, process: impl Future) {
        self.faults.dies_after_restore.store(true, Ordering::SeqCst);
        tokio::select! {
            _ = process => panic!("it did not die"),
            () = self.faults.died.notified() => {}
        }
    }

    /// Method and path of what came since this was asked last.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.seen.lock().expect("nobody panics with it"))
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let unpublished = self.faults.unpublished.lock().expect("nobody panics with it");
            assert!(unpublished.is_empty(), "Microsoft does not publish: {unpublished:#?}");
        }
    }
}

fn id(document: &Value) -> String {
    document["id"].as_str().expect("it has an id").to_owned()
}

/// Takes one of so many.
fn take(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Faults {
    async fn pass(&self, request: Request, next: Next) -> Response {
        let path = request.uri().path().to_owned();
        if path.ends_with("/token") {
            if take(&self.token_pages) {
                return self.page();
            }
            return next.run(request).await;
        }
        self.seen.lock().expect("nobody panics with it").push(format!("{} {path}", request.method()));
        let request = self.hold_against_what_is_published(request).await;
        if take(&self.pages) {
            return self.page();
        }
        let is_create = request.method() == http::Method::POST && matches!(path.as_str(), "/v1.0/users");
        let every = self.throttles.load(Ordering::SeqCst);
        if every > 0 && self.count.fetch_add(1, Ordering::SeqCst).is_multiple_of(every) {
            let error = json!({ "error": { "code": "TooManyRequests", "message": "Too many requests." } });
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], axum::Json(error))
                .into_response();
        }
        if is_create && take(&self.lost_creates) {
            drop(next.run(request).await);
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        if path.ends_with("/$batch") && take(&self.busy_batches) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if path.ends_with("/restore") && self.dies_after_restore.swap(false, Ordering::SeqCst) {
            drop(next.run(request).await);
            self.died.notify_one();
            return std::future::pending().await;
        }
        if path.ends_with("/restore") && take(&self.lost_restores) {
            drop(next.run(request).await);
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        let is_link = path.ends_with("/$ref")
            || request.method() == http::Method::PATCH && path.starts_with("/v1.0/groups/");
        let is_unlinked = is_link && self.unlinked.load(Ordering::SeqCst);
        if is_unlinked || self.hides(&path) || path.contains("/users/") && take(&self.lag) {
            return (StatusCode::NOT_FOUND, axum::Json(not_found(&path))).into_response();
        }
        let is_advanced = request.uri().query().is_some_and(|query| query.contains("$count=true"));
        if is_advanced && self.index_lags.load(Ordering::SeqCst) {
            return axum::Json(json!({ "value": [], "@odata.count": 0 })).into_response();
        }
        let is_of_one = path.rsplit_once('/').is_some_and(|(above, _)| above == "/v1.0/users");
        if request.method() == http::Method::GET
            && is_of_one
            && let Some((status, told)) = self.told_of_users.lock().expect("nobody panics with it").clone()
        {
            return (status, axum::Json(told)).into_response();
        }
        if request.method() == http::Method::GET && is_of_one && self.swallows.load(Ordering::SeqCst) {
            return StatusCode::OK.into_response();
        }
        if path.ends_with("/delta") && take(&self.forgets) {
            let error = json!({ "error": { "code": "syncStateNotFound", "message": "Sync state generation is not found." } });
            return (
                StatusCode::GONE,
                [("location", "https://graph.example/v1.0/users/delta")],
                axum::Json(error),
            )
                .into_response();
        }
        if path.ends_with("/memberOf") && self.told_groups.load(Ordering::SeqCst) {
            let mut document = whole(next.run(request).await.into_body()).await;
            let values = document["value"].as_array_mut().expect("it is a list");
            for group in values.iter_mut() {
                group["securityEnabled"] = Value::Null;
            }
            let role = "8f1f0d0e-0000-4000-8000-00000000701e";
            values.push(json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": role }));
            return axum::Json(document).into_response();
        }
        if !path.ends_with("/$batch") {
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        let asked = whole(body).await;
        let request = Request::from_parts(parts, Body::from(asked.to_string()));
        let response = next.run(request).await;
        let (parts, body) = response.into_parts();
        let mut document = whole(body).await;
        self.spoil(&asked, &mut document);
        let mut answer = Response::new(Body::from(document.to_string()));
        *answer.status_mut() = parts.status;
        answer
    }

    /// Whatever the connector sends has to be published. The test's own hand says that it is the command line.
    async fn hold_against_what_is_published(&self, request: Request) -> Request {
        let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
        if agent.is_some_and(|agent| agent.starts_with("usher-cli/")) {
            return request;
        }
        self.checked.fetch_add(1, Ordering::SeqCst);
        let (parts, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body is whole");
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let is_eventual = parts.headers.get("consistencylevel").is_some_and(|level| level == "eventual");
        let checked = match path.strip_prefix("/v1.0") {
            Some(path) => published::check(parts.method.as_str(), path, is_eventual, &body),
            None => Err(format!("{path} is not below the version")),
        };
        if let Err(why) = checked {
            self.unpublished.lock().expect("nobody panics with it").push(why);
        }
        Request::from_parts(parts, Body::from(bytes))
    }

    /// What a proxy says to people.
    fn page(&self) -> Response {
        let status = u16::try_from(self.page_status.load(Ordering::SeqCst)).expect("it is a status");
        let page = axum::response::Html("<!doctype html><title>Sign in</title>");
        (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), page).into_response()
    }

    fn hides(&self, path: &str) -> bool {
        let hidden = self.hidden.lock().expect("nobody panics with it");
        hidden.iter().any(|id| {
            let is_end = id.starts_with('/') && path.ends_with(id.as_str());
            is_end || path.ends_with(&format!("/users/{id}")) || path.ends_with(&format!("/{id}/members"))
        })
    }

    /// Some parts of a batch find nothing yet; of others the first is told to come back at once.
    fn spoil(&self, asked: &Value, answer: &mut Value) {
        let requests = asked["requests"].as_array().expect("it is a list");
        let responses = answer["responses"].as_array_mut().expect("it is a list");
        for response in responses.iter_mut() {
            let request = requests.iter().find(|request| request["id"] == response["id"]);
            let url = request.and_then(|request| request["url"].as_str()).unwrap_or_default();
            let path = url.split('?').next().unwrap_or_default();
            let is_unlinked = path.ends_with("/$ref") && self.unlinked.load(Ordering::SeqCst);
            if is_unlinked || self.hides(path) {
                *response = json!({ "id": response["id"], "status": 404, "body": not_found(path) });
            }
            if self.swallows.load(Ordering::SeqCst) {
                *response = json!({ "id": response["id"], "status": 200, "body": {} });
            }
        }
        if take(&self.throttled_parts) {
            responses[0] = json!({
                "id": responses[0]["id"], "status": 429,
                "headers": { "Retry-After": self.retry_after.load(Ordering::SeqCst).to_string() },
                "body": { "error": { "code": "TooManyRequests", "message": "Too many requests." } },
            });
        }
    }
}

async fn whole(body: Body) -> Value {
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body is whole");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

pub fn not_found(path: &str) -> Value {
    let message = format!(
        "Resource '{path}' does not exist or one of its queried reference-property objects are not present."
    );
    json!({ "error": { "code": "Request_ResourceNotFound", "message": message } })
}
