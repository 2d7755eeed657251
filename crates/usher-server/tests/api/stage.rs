//! A service over fakes, and a client that speaks to its router.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use usher_engine::{Engine, Settings};
use usher_server::{Exchanges, Server, ServerOptions, bootstrap};
use usher_testkit::{ManualClock, MemoryConnector, MemoryConnectors, MemoryStore};

/// The tenant of all tests.
pub const TENANT: &str = "11111111-1111-1111-1111-111111111111";
/// The template of an application that is not in the gallery.
pub const TEMPLATE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
/// The role of assignments to applications without roles.
pub const ROLE: &str = "00000000-0000-0000-0000-000000000000";

/// A service with an administrator who is signed in.
pub struct Stage {
    pub router: Router,
    /// The same service; what goes through here is not written down.
    silent: Router,
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub source: Arc<MemoryConnector>,
    pub target: Arc<MemoryConnector>,
    pub client_id: String,
    pub secret: String,
    pub token: String,
    /// The operations that succeeded.
    pub seen: Mutex<BTreeSet<String>>,
}

/// An answer: status, headers that matter, body.
pub struct Reply {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The Graph error code.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The Graph error message.
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(ServerOptions::new("https://usher.test")).await
    }

    pub async fn with(mut options: ServerOptions) -> Self {
        let unrecorded = options.clone();
        // Whoever wants to hold the answers against another description says where they are to be kept.
        if let Some(file) = std::env::var_os("USHER_RECORD_EXCHANGES") {
            let exchanges =
                Exchanges::append_to(std::path::Path::new(&file)).expect("the file can be written");
            options.exchanges = Some(Arc::new(exchanges));
        }
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        let target = Arc::new(MemoryConnector::new(&["userName"]));
        let connectors =
            MemoryConnectors::default().with("directory", source.clone()).with("scim", target.clone());
        let engine = Engine::new(store, Arc::new(connectors), clock.clone(), Settings::new(TENANT));
        let first = bootstrap(&engine).await.expect("the store works").expect("the directory is new");
        let server = Server::new(engine.clone(), options).await.expect("a key is made");
        let silent = Server::new(engine.clone(), unrecorded).await.expect("the key is there");
        let mut stage = Self {
            router: server.router(),
            silent: silent.router(),
            engine,
            clock,
            source,
            target,
            client_id: first.client_id,
            secret: first.secret.expose().to_owned(),
            token: String::new(),
            seen: Mutex::default(),
        };
        stage.token = stage.token_of(&stage.client_id, &stage.secret).await;
        stage
    }

    /// Sends a request as it is.
    pub async fn raw(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        // What Microsoft does not publish cannot be held against what it publishes.
        let router = if crate::contract::is_published(&method, &path) { &self.router } else { &self.silent };
        let response = router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("the body is at hand");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        crate::contract::check(&method, &path, parts.status, bytes.is_empty(), &body);
        if let Some(address) = crate::contract::address(&method, &path).filter(|_| parts.status.is_success())
        {
            self.seen.lock().expect("no test panics while it holds this").insert(address);
        }
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request with a token; a null body is none.
    pub async fn with_token(&self, token: &str, method: &str, path: &str, body: Value) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        self.raw(request.body(body).expect("tests write requests that can be sent")).await
    }

    /// Sends a request as the administrator.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.with_token(&self.token, method, path, body).await
    }

    /// Sends a request that must succeed with this status; gives its body.
    pub async fn must(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let reply = self.send(method, path, body).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}: {}", reply.body);
        reply.body
    }

    /// Asks the token endpoint.
    pub async fn ask_token(&self, tenant: &str, form: &str) -> Reply {
        let request = Request::post(format!("/{tenant}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("it can be sent");
        self.raw(request).await
    }

    /// A token for client credentials.
    pub async fn token_of(&self, client: &str, secret: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope=https://graph.microsoft.com/.default"
        );
        let reply = self.ask_token(TENANT, &form).await;
        reply.body["access_token"].as_str().expect("a token is given").to_owned()
    }

    /// A client with these permissions: its service principal's id and a token.
    pub async fn client(&self, name: &str, permissions: &[&str]) -> (String, String) {
        let made = self
            .must(
                "POST",
                &format!("/v1.0/applicationTemplates/{TEMPLATE}/instantiate"),
                json!({ "displayName": name }),
                201,
            )
            .await;
        let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
        let principal = text(&made["servicePrincipal"]["id"]);
        let graph = self
            .must(
                "GET",
                "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
                Value::Null,
                200,
            )
            .await;
        for role in graph["appRoles"].as_array().expect("it has roles") {
            if permissions.contains(&role["value"].as_str().unwrap_or_default()) {
                let body = json!({
                    "principalId": principal, "resourceId": graph["id"], "appRoleId": role["id"],
                });
                let path = format!("/v1.0/servicePrincipals/{principal}/appRoleAssignments");
                self.must("POST", &path, body, 201).await;
            }
        }
        let application = text(&made["application"]["id"]);
        let password =
            self.must("POST", &format!("/v1.0/applications/{application}/addPassword"), json!({}), 200).await;
        let token = self.token_of(&text(&made["application"]["appId"]), &text(&password["secretText"])).await;
        (principal, token)
    }

    /// An application with a job: paths of the synchronization and of the job, and the rule's id.
    pub async fn application(&self) -> (String, String, String) {
        let made = self
            .must(
                "POST",
                &format!("/v1.0/applicationTemplates/{TEMPLATE}/instantiate"),
                json!({ "displayName": "HR Portal" }),
                201,
            )
            .await;
        let principal = made["servicePrincipal"]["id"].as_str().expect("it has an id");
        let base = format!("/v1.0/servicePrincipals/{principal}/synchronization");
        let job = self.must("POST", &format!("{base}/jobs"), json!({ "templateId": "scim" }), 201).await;
        let path = format!("{base}/jobs/{}", job["id"].as_str().expect("it has an id"));
        let schema = self.must("GET", &format!("{path}/schema"), Value::Null, 200).await;
        let rule = schema["synchronizationRules"][0]["id"].as_str().expect("it has an id").to_owned();
        (base, path, rule)
    }

    /// Runs a job as the scheduler does.
    pub async fn run(&self, path: &str) {
        let job = path.rsplit('/').next().expect("the path ends with the job");
        self.engine.run_job(&usher_core::JobId::new(job)).await.expect("the store works");
    }

    /// A person whom the source has and who is assigned.
    pub fn person(&self, name: &str) {
        let upn = format!("{name}@x");
        self.source.put(
            "User",
            name,
            [
                ("userPrincipalName", usher_expr::Value::from(upn.as_str())),
                ("displayName", usher_expr::Value::from(name)),
            ],
        );
        self.source.entitle(name, true, true);
    }
}

/// The body of an on-demand request for one user.
pub fn on_demand(rule: &str, user: &str) -> Value {
    json!({ "parameters": [{ "ruleId": rule, "subjects": [{ "objectId": user, "objectTypeName": "User" }] }] })
}
