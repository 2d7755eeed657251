//! Commands against a service that answers as Microsoft's cloud is published to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher::profile::ProfileCredential;
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::Secret;
use usher_core::ports::{ConnectorSettings, Connectors, MatchQuery};
use usher_testkit::{ManualClock, MemoryStore};

use crate::local::{profile, serve_with};
use crate::world::{Ran, finish, program};

const PRINCIPAL: &str = "0b0b0b0b-1111-4a4a-8888-000000000001";
const USER: &str = "0b0b0b0b-1111-4a4a-8888-000000000002";
const RULE: &str = "0b0b0b0b-1111-4a4a-8888-000000000003";

/// What is listed below one object.
const LISTS: &[&str] = &["/memberOf", "/members", "/owners", "/appRoleAssignments", "/appRoleAssignedTo"];

/// A tenant in the cloud: one application with one job, one person.
struct Cloud {
    folder: TempDir,
    address: String,
    /// How often on-demand provisioning was asked for.
    asked: Arc<AtomicUsize>,
}

impl Cloud {
    /// `lists` says which of the published forms the answer has; `busy` so many requests are put off first.
    async fn start(lists: bool, busy: usize) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let router = Router::new().fallback(move |request: Request| {
            let count = count.clone();
            async move { answer(&request, lists, busy, &count) }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it has an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { folder: tempfile::tempdir().expect("a folder can be made"), address, asked }
    }

    async fn run(&self, words: &[&str]) -> Ran {
        let mut command = program();
        command
            .args(words)
            .env("USHER_CONFIG_DIR", self.folder.path())
            .env("AZURE_AUTHORITY_HOST", &self.address)
            .env("AZURE_CLIENT_ID", "app")
            .env("AZURE_CLIENT_SECRET", "s3cret-value");
        tokio::task::spawn_blocking(move || finish(command, "s3cret-value\n"))
            .await
            .expect("the program runs")
    }

    async fn connect(&self, more: &[&str]) -> Ran {
        let address = self.address.clone();
        let mut words = vec!["connect", "--address", &address, "--tenant", "contoso.example"];
        words.extend(more);
        self.run(&words).await
    }
}

fn answer(request: &Request, lists: bool, busy: usize, count: &AtomicUsize) -> Response {
    let path = request.uri().path();
    let page =
        |value: Value| json!({ "@odata.context": "https://graph.example/v1.0/$metadata#x", "value": value });
    let body = match path {
        "/contoso.example/oauth2/v2.0/token" => {
            json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "t", "refresh_token": "for-later" })
        }
        "/contoso.example/oauth2/v2.0/devicecode" => json!({
            "device_code": "d", "user_code": "ABCD-1234", "verification_uri": "https://login.example/device",
            "expires_in": 900, "interval": 1, "message": "Enter ABCD-1234.",
        }),
        "/v1.0/auditLogs/provisioning" => {
            let error =
                json!({ "error": { "code": "Authorization_RequestDenied", "message": "Insufficient." } });
            return (StatusCode::FORBIDDEN, axum::Json(error)).into_response();
        }
        "/v1.0/$batch" => json!({ "responses": [{ "id": "1", "status": 200, "body": page(json!([])) }] }),
        _ if path.ends_with("/provisionOnDemand") => {
            if count.fetch_add(1, Ordering::SeqCst) < busy {
                let headers = [("retry-after", "0")];
                return (StatusCode::SERVICE_UNAVAILABLE, headers, "{}").into_response();
            }
            provisioned(lists)
        }
        _ if path.ends_with("/schema") => json!({ "id": "s", "synchronizationRules": [{
            "id": RULE, "name": "USER_OUTBOUND_USER", "priority": 1, "editable": true,
            "sourceDirectoryName": "Azure Active Directory", "targetDirectoryName": "customappsso",
            "objectMappings": [{ "enabled": true, "flowTypes": "Add, Update, Delete", "name": "Users",
                "sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": [] }],
        }], "directories": [] }),
        _ if path.ends_with("/jobs") => {
            page(json!([{ "id": "customappsso.1", "templateId": "customappsso" }]))
        }
        "/v1.0/servicePrincipals" => {
            page(json!([{ "id": PRINCIPAL, "displayName": "hr-portal", "appId": "a" }]))
        }
        _ if path.starts_with("/v1.0/servicePrincipals/") && !path.ends_with("/appRoleAssignedTo") => {
            json!({ "id": PRINCIPAL, "displayName": "hr-portal", "appId": "a" })
        }
        "/v1.0/users/delta" | "/v1.0/groups/delta" => {
            let link = "https://graph.example/v1.0/users/delta?$deltatoken=x";
            json!({ "@odata.deltaLink": link, "value": [] })
        }
        _ if LISTS.iter().any(|list| path.ends_with(list)) => page(json!([])),
        _ if path.starts_with("/v1.0/users/") || path.starts_with("/v1.0/groups/") => {
            json!({ "id": USER, "userPrincipalName": "ann@contoso.example" })
        }
        _ => page(json!([{ "id": USER, "userPrincipalName": "ann@contoso.example" }])),
    };
    axum::Json(body).into_response()
}

/// The answer in the documented form, or in the one that tenants give.
fn provisioned(lists: bool) -> Value {
    let details = json!({
        "action": "Create", "reportableIdentifier": "ann@contoso.example",
        "provisioningSteps": [
            { "name": "EntryImport", "type": "Import", "status": "Success",
              "description": "Retrieved User 'ann@contoso.example' from Azure Active Directory", "details": {} },
            { "name": "EntryExportAdd", "type": "Export", "status": "Success",
              "description": "User 'ann@contoso.example' was created in customappsso", "details": {} },
        ],
        "modifiedProperties": [], "statusInfo": { "status": "Success" },
    });
    if lists {
        json!({ "@odata.context": "https://graph.example/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair",
                "key": "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo",
                "value": json!([details]).to_string() })
    } else {
        json!({ "key": json!({ "result": "Success", "details": {} }).to_string(), "value": details.to_string() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_published_forms_of_the_answer_are_shown_as_the_same_steps() {
    let mut shown = Vec::new();
    for lists in [false, true] {
        let cloud = Cloud::start(lists, 2).await;
        let ran = cloud.connect(&["--client-id", "app"]).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        let ran = cloud.run(&["provision", "User", "ann@contoso.example", "--app", "hr-portal"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("was created in customappsso"), "{}", ran.out);
        assert_eq!(cloud.asked.load(Ordering::SeqCst), 3, "what is busy is asked again");
        shown.push(ran.out);
    }
    assert_eq!(shown[0], shown[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_plan_is_not_asked_to() {
    let cloud = Cloud::start(false, 0).await;
    let ran = cloud.connect(&["--client-id", "app"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = cloud.run(&["provision", "User", "ann@contoso.example", "--app", "hr-portal", "--plan"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("might write instead; nothing was sent"), "{}", ran.err);
    assert_eq!(cloud.asked.load(Ordering::SeqCst), 0, "it does not know dryRun, and would provision");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_device_code_and_machines_by_their_environment() {
    let cloud = Cloud::start(true, 0).await;
    let ran = cloud.connect(&["--use-device-code", "--scopes", "Synchronization.ReadWrite.All"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("https://login.example/device") && ran.err.contains("ABCD-1234"), "{}", ran.err);
    let ran = cloud.run(&["connect", "--show"]).await;
    assert!(ran.out.contains("DeviceCode") && !ran.out.contains("for-later"), "{}", ran.out);
    let file = cloud.folder.path().join("connection.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("it is saved").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else can read it");
    }
    let ran = cloud.connect(&["--environment-variable"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let saved = std::fs::read_to_string(&file).expect("it is saved");
    assert!(saved.contains("Environment") && !saved.contains("s3cret-value"), "{saved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_the_permission_that_is_missing_and_the_cloud_that_is_meant() {
    let cloud = Cloud::start(true, 0).await;
    cloud.connect(&["--client-id", "app"]).await;
    let ran = cloud.run(&["doctor"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let said = |start: &str| ran.out.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(
        (said("ok "), said("denied "), said("failed "), said("skipped ")),
        (32, 1, 0, 0),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains(
            "denied  provisioning log: it needs the permission AuditLog.Read.All (client-request-id "
        ),
        "{}",
        ran.out
    );
    let ran = cloud.run(&["doctor", "--environment", "Global"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("graph.microsoft.com"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_connect_cannot_do_here_is_refused_with_what_to_do_in_its_place() {
    let cloud = Cloud::start(false, 0).await;
    let pfx = cloud.folder.path().join("app.pfx");
    std::fs::write(&pfx, [0x30, 0x82, 0x0a, 0xff, 0x02]).expect("the file is written");
    let pfx = pfx.display().to_string();
    for (words, remedy) in [
        (&["--certificate-thumbprint", "AB12"][..], "--certificate FILE"),
        (&["--certificate-subject-name", "CN=app"], "--certificate FILE"),
        (&["--client-id", "app", "--context-scope", "Process"], "USHER_TOKEN"),
        (&["--client-id", "app", "--context-scope", "Room"], "CurrentUser or Process"),
        (&["--client-id", "app", "--client-timeout", "0"], "above 0"),
        (&["--client-id", "app", "--certificate", &pfx], "openssl pkcs12"),
    ] {
        let ran = cloud.connect(words).await;
        assert_ne!(ran.code, 0, "{words:?}");
        assert!(ran.err.contains(remedy), "{words:?}: {}", ran.err);
    }
    let words = ["--client-id", "app", "--context-scope", "CurrentUser", "--client-timeout", "2.5"];
    let ran = cloud.connect(&words).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = cloud.run(&["connect", "--show"]).await;
    let shown: Value = serde_json::from_str(&shown.out).expect("it is JSON");
    assert_eq!(shown["clientTimeout"], json!(2.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connector_speaks_tls_to_a_tenant_and_trusts_only_whom_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    let mut service = serve_with(&data, &[]);
    let profile = profile(&data);
    assert!(profile.address.starts_with("https://"), "{}", profile.address);
    let ProfileCredential::ClientSecret { client_id, secret } = &profile.credential else {
        panic!("the first credential is a secret");
    };
    let mut settings = ConnectorSettings::default();
    for (key, value) in [
        ("GraphAddress", profile.address.as_str()),
        ("Authority", &profile.authority),
        ("TenantId", &profile.tenant),
        ("ClientId", client_id),
        ("ClientSecret", secret.expose()),
    ] {
        settings.set(key, Secret::new(value));
    }
    let query = MatchQuery {
        object_type: "User".into(),
        attribute: "userPrincipalName".into(),
        value: usher_expr::Value::from("nobody@contoso.example"),
        attributes: Vec::new(),
    };
    let connector = |authorities: Option<Vec<u8>>| {
        let http = HttpOptions { extra_ca_pem: authorities, ..HttpOptions::default() };
        let store = Arc::new(MemoryStore::default());
        let all = AllConnectors::new(store, Arc::new(ManualClock::default()), http).expect("good options");
        all.build("entra", &settings).expect("good settings")
    };
    // The authority is made before the first connection is taken: what is no TLS is hung up on then.
    let target = profile.address.trim_start_matches("https://");
    let mut early = TcpStream::connect(target).await.expect("it listens");
    early.write_all(b"GET / HTTP/1.0\r\n\r\n").await.expect("it is taken");
    let _ = early.read_to_end(&mut Vec::new()).await;
    let authority = std::fs::read(profile.ca.as_ref().expect("it made an authority")).expect("it is kept");
    connector(Some(authority)).check(&query).await.expect("the tenant is reached");
    let error = connector(None).check(&query).await.expect_err("nobody trusts it");
    assert!(error.to_string().contains("not trusted"), "{error}");
    service.kill().expect("it is killed");
    service.wait().expect("it is gone");
}
