//! `usher connect` and `usher doctor` against authorities and services that answer well, badly, or not as such.

use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{Ran, World, finish, program};

/// An authority and a service at one address, and the folder where a person's connection is saved.
struct Place {
    server: MockServer,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self { server: MockServer::start().await, folder }
    }

    /// Answers to an address, so often.
    async fn gives(&self, place: &str, answer: ResponseTemplate, times: u64) {
        let mock = Mock::given(path(place)).respond_with(answer).up_to_n_times(times);
        mock.mount(&self.server).await;
    }

    async fn tokens(&self, tenant: &str) {
        let place = format!("/{tenant}/oauth2/v2.0/token");
        self.gives(&place, token("t", None), 1000).await;
    }

    async fn applications(&self) {
        let list = ResponseTemplate::new(200).set_body_json(json!({ "value": [] }));
        self.gives("/v1.0/servicePrincipals", list, 1000).await;
    }

    async fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[]).await
    }

    async fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = program();
        command.args(words).env("USHER_CONFIG_DIR", self.folder.path()).envs(variables.iter().copied());
        let ran = tokio::task::spawn_blocking(move || finish(command, "s3cret-value\n"));
        ran.await.expect("the program runs")
    }

    async fn connect(&self, more: &[&str]) -> Ran {
        let address = self.server.uri();
        let words = [&["connect", "--address", &address], more].concat();
        self.run(&words).await
    }

    fn saved(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("connection.json"));
        serde_json::from_str(&text.expect("it is saved")).expect("it is JSON")
    }

    async fn asked(&self, place: &str) -> Vec<Request> {
        let requests = self.server.received_requests().await.expect("they are recorded");
        requests.into_iter().filter(|request| request.url.path() == place).collect()
    }
}

fn token(token: &str, refresh: Option<&str>) -> ResponseTemplate {
    let mut body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": token });
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    ResponseTemplate::new(200).set_body_json(body)
}

fn page() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw("<html><title>Welcome</title></html>", "text/html")
}

const SECRET: [&str; 4] = ["--tenant", "contoso.example", "--client-id", "app"];

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_is_no_service() {
    let place = Place::new().await;
    place.tokens("contoso.example").await;
    place.gives("/v1.0/servicePrincipals", page(), 1).await;
    let ran = place.connect(&SECRET).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("with status 200 and a web page ('Welcome'), not with JSON"), "{}", ran.err);
    assert!(!place.folder.path().join("connection.json").exists(), "nothing is saved");
    let other = ResponseTemplate::new(200).set_body_json(json!({ "status": "UP" }));
    place.gives("/v1.0/servicePrincipals", other, 1).await;
    let ran = place.connect(&SECRET).await;
    assert!(ran.code == 1 && ran.err.contains("has no list 'value', but status"), "{}", ran.err);
    let forbidden = ResponseTemplate::new(403).set_body_raw("<html>Forbidden</html>", "text/html");
    place.gives("/v1.0/servicePrincipals", forbidden, 1).await;
    let ran = place.connect(&SECRET).await;
    assert!(ran.code == 1 && ran.err.contains("was answered with a web page"), "{}", ran.err);

    place.applications().await;
    let ran = place.connect(&SECRET).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    Mock::given(any()).respond_with(page()).mount(&place.server).await;
    let ran = place.run(&["doctor"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("failed  users: ") && ran.out.contains("'Welcome'"), "{}", ran.out);
    assert!(!ran.out.contains("ok      changes of users"), "{}", ran.out);
    let ran = place.run(&["user", "list"]).await;
    assert!(ran.code == 1 && ran.err.contains("not with JSON"), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_for_what_jobs_need_in_answers() {
    let place = Place::new().await;
    place.tokens("contoso.example").await;
    place.applications().await;
    place.connect(&SECRET).await;
    for collection in ["users", "groups"] {
        let list = ResponseTemplate::new(200).set_body_json(json!({ "value": [{ "id": "one" }] }));
        place.gives(&format!("/v1.0/{collection}"), list, 1000).await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "a": 1 })))
        .mount(&place.server)
        .await;
    let ran = place.run(&["doctor"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    for said in [
        "ok      users\n",
        "failed  one user with the manager: the answer has no 'id'",
        "failed  changes of users: the answer has no '@odata.deltaLink'",
        "failed  groups of a user: the answer to GET /v1.0/users/one/memberOf has no list 'value'",
        "skipped who is assigned to an application: no app is known to try it on",
        "failed  batches: the answer has no 'responses'",
        "failed  directory extensions: the answer has no list 'value'",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let advanced = place.asked("/v1.0/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(advanced[1].headers["consistencylevel"], "eventual");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_authority_repeats_is_not_shown_and_sent_once() {
    let place = Place::new().await;
    let refused =
        json!({ "error": "invalid_client", "error_description": "No application has 's3cret-value'." });
    let refused = ResponseTemplate::new(401).set_body_json(refused);
    place.gives("/contoso.example/oauth2/v2.0/token", refused, 1000).await;
    let ran = place.connect(&SECRET).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("No application has '[Redact]'"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret-value"), "{}", ran.err);
    assert!(ran.err.contains("hint: look at the credential"), "{}", ran.err);
    assert_eq!(place.asked("/contoso.example/oauth2/v2.0/token").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_busy_is_asked_again() {
    let place = Place::new().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0");
    place.gives("/contoso.example/oauth2/v2.0/token", busy, 2).await;
    place.tokens("contoso.example").await;
    place.applications().await;
    let ran = place.connect(&SECRET).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(place.asked("/contoso.example/oauth2/v2.0/token").await.len(), 3);
}

/// An authority that gives the device code to whoever asks, and refresh tokens one after the other.
async fn with_people(place: &Place) {
    let code = json!({
        "device_code": "d", "user_code": "ABCD-1234", "verification_uri": "https://login.example/device",
        "expires_in": 900, "interval": 1,
    });
    place
        .gives("/contoso.example/oauth2/v2.0/devicecode", ResponseTemplate::new(200).set_body_json(code), 9)
        .await;
    for number in 1..9 {
        let answer = token("t", Some(&format!("refresh-{number}")));
        place.gives("/contoso.example/oauth2/v2.0/token", answer, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_refresh_tokens_the_newest_is_saved() {
    let place = Place::new().await;
    with_people(&place).await;
    place.applications().await;
    let ran = place.connect(&["--tenant", "contoso.example", "--use-device-code"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(place.saved()["refreshToken"], "refresh-2", "the first has been exchanged for it");
    let ran = place.run(&["app", "list"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(place.saved()["refreshToken"], "refresh-3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_work_replaces_none_that_does() {
    let place = Place::new().await;
    with_people(&place).await;
    let refused = json!({ "error": { "code": "InvalidAuthenticationToken", "message": "No." } });
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(401).set_body_json(refused))
        .mount(&place.server)
        .await;
    let before = json!({ "address": "http://127.0.0.1:1", "tenant": "other.example", "token": "t" });
    let file = place.folder.path().join("connection.json");
    std::fs::write(&file, before.to_string()).expect("it is written");
    let ran = place.connect(&["--tenant", "contoso.example", "--use-device-code"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(place.saved(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_asked_for_only_where_one_is_needed() {
    let place = Place::new().await;
    place.applications().await;
    place.tokens("common").await;
    let code = json!({ "device_code": "d", "user_code": "A", "verification_uri": "https://l.example", "interval": 1 });
    place.gives("/common/oauth2/v2.0/devicecode", ResponseTemplate::new(200).set_body_json(code), 1).await;
    let file = place.folder.path().join("token.txt");
    std::fs::write(&file, "a-token\n").expect("it is written");
    let file = file.display().to_string();
    let ran = place.connect(&["--token-file", &file]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    place.gives("/metadata/identity/oauth2/token", token("t", None), 9).await;
    let address = place.server.uri();
    let words = ["connect", "--address", &address, "--managed-service-identity"];
    let ran = place.run_with(&words, &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &address)]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = place.connect(&["--use-device-code"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("gave no refresh token"), "the dialogue took place: {}", ran.err);
    let ran = place.connect(&["--client-id", "app"]).await;
    assert!(ran.code == 2 && ran.err.contains("no tenant was named"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_named_and_a_secret_in_its_place_is_not() {
    let place = Place::new().await;
    place.tokens("contoso.example").await;
    place.applications().await;
    for more in [&["--client-id", "app"][..], &["--use-device-code"]] {
        let ran =
            place.connect(&[&["--tenant", "contoso.example", "--ca", "/nonexist"], more].concat()).await;
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains("cannot read the certificate file /nonexist: "), "{}", ran.err);
    }
    let none = place.folder.path().join("none.pem");
    std::fs::write(&none, "nothing").expect("it is written");
    let ran = place.connect(&[&SECRET[..], &["--ca", &none.display().to_string()]].concat()).await;
    assert!(ran.err.contains("none.pem holds no certificate in PEM"), "{}", ran.err);
    let ran = place.connect(&["--token-file", "eyJhbGciOi.J9.x"]).await;
    assert!(ran.code == 2 && !ran.err.contains("eyJhbGciOi"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_device_dialogue_waits_as_long_as_it_is_told() {
    let place = Place::new().await;
    let late = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(60));
    place.gives("/common/oauth2/v2.0/devicecode", late, 1).await;
    let ran = place.connect(&["--use-device-code", "--client-timeout", "0.3", "--break"]).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("did not answer in time") && ran.err.contains("--break does nothing"),
        "{}",
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_an_answer_is_told_with_its_id() {
    let place = Place::new().await;
    let late = ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(60));
    Mock::given(any()).respond_with(late).mount(&place.server).await;
    let saved = json!({
        "address": place.server.uri(), "tenant": "contoso.example", "token": "t", "clientTimeout": 0.3,
    });
    std::fs::write(place.folder.path().join("connection.json"), saved.to_string()).expect("it is written");
    for words in [&["user", "list"][..], &["Get-MgUser"]] {
        let ran = place.run(words).await;
        let told = ran.err.contains("did not answer in time (client-request-id ");
        assert!(ran.code != 0 && told, "{words:?}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_itself_is_refused() {
    let place = Place::new().await;
    for words in [
        &["--token-file", "a", "--client-secret-file", "b", "--client-id", "app"][..],
        &["--token-file", "a", "--client-id", "app"],
        &["--azure-cli", "--client-id", "app"],
        &["--client-secret-file", "a", "--certificate", "b", "--client-id", "app"],
        &["--client-id", "app", "--show"],
        &["--send-certificate-chain", "--client-id", "app"],
    ] {
        let ran = place.connect(words).await;
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.err);
    }
    let ran = place.run(&["connect", "--data", ".", "--tenant", "t"]).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
    let address = ("USHER_ADDRESS", "http://127.0.0.1:1");
    for (variables, says) in [
        (&[address][..], "USHER_ADDRESS is set, but not who you are there"),
        (&[address, ("USHER_CLIENT_ID", "app")], "USHER_ADDRESS is set, but not who you are there"),
        (&[address, ("USHER_TOKEN", "t"), ("USHER_CLIENT_ID", "app")], "say different things"),
    ] {
        for words in [&["user", "list"][..], &["Get-MgUser"]] {
            let ran = place.run_with(words, variables).await;
            assert!(ran.code != 0 && ran.err.contains(says), "{words:?} {variables:?}: {}", ran.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_cmdlets_around_connections_work() {
    let place = Place::new().await;
    with_people(&place).await;
    place.applications().await;
    let address = place.server.uri();
    let words =
        ["connect-mggraph", "-Scopes", "User.Read.All,", "Group.Read.All", "-TENANTID", "contoso.example"];
    let ran = place.run(&[&words[..], &["-NoWelcome", "--Address", &address]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("connected to"), "nobody is welcomed: {}", ran.err);
    let asked = place.asked("/contoso.example/oauth2/v2.0/devicecode").await;
    let form = String::from_utf8_lossy(&asked[0].body).into_owned();
    assert!(form.contains("%2FUser.Read.All") && form.contains("%2FGroup.Read.All"), "{form}");
    assert_eq!(place.saved()["signIn"], "DeviceCode");
    let secret = place.folder.path().join("secret.txt");
    std::fs::write(&secret, "s3cret-value\n").expect("it is written");
    let secret = format!("@{}", secret.display());
    let words = ["Connect-MgGraph", "-ApplicationId", "app", "-SecretCredential", &secret];
    let ran = place.run(&[&words[..], &["-TenantId:contoso.example", "-address", &address]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(place.saved()["clientSecret"], "s3cret-value");
    let ran = place.run(&["Get-MgContext"]).await;
    assert!(
        ran.code == 0 && ran.out.contains("contoso.example") && !ran.out.contains("s3cret-value"),
        "{}",
        ran.out
    );
    let ran = place.run(&["Disconnect-MgGraph"]).await;
    assert!(ran.code == 0 && ran.err.contains("forgotten"), "{}", ran.err);
    let ran = place.run(&["Connect-MgGraph", "-?"]).await;
    assert!(ran.code == 0 && ran.out.contains("--use-device-code"), "{}", ran.out);
    let ran = place.run(&["Connect-MgGraph", "-Foo", "x"]).await;
    assert!(ran.code == 2 && ran.err.contains("matches parameter name 'Foo'"), "{}", ran.err);
}

/// A proxy that lets nobody through, and says where people wanted to go.
fn closed_proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("it can be read"));
            reader.read_line(&mut line).expect("it is a request");
            let mut other = String::new();
            while reader.read_line(&mut other).is_ok_and(|length| length > 2) {
                other.clear();
            }
            stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").expect("it is told");
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn cmdlets_go_to_the_cloud_that_is_named_and_to_no_other() {
    let place = Place::new().await;
    let (proxy, wanted) = closed_proxy();
    let file = place.folder.path().join("connection.json");
    let cloud = json!({
        "address": "https://graph.microsoft.com", "authority": "https://login.microsoftonline.com",
        "tenant": "contoso.example", "token": "t",
    });
    let words = [
        "New-MgApplicationSynchronizationJobOnDemand",
        "-ApplicationId",
        "a",
        "--synchronization-job-id",
        "j",
        "-BodyParameter",
        "{\"parameters\":[]}",
    ];
    for name in [&["--environment", "Global"][..], &["-Environment", "global"], &["--NationalCloud=GLOBAL"]] {
        std::fs::write(&file, cloud.to_string()).expect("it is written");
        let ran =
            place.run_with(&[&words[..], name].concat(), &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "")]).await;
        assert_eq!(ran.code, 1, "{}", ran.err);
        let line = wanted.try_recv().unwrap_or_else(|_| panic!("{name:?}: nobody was asked: {}", ran.err));
        assert!(line.starts_with("CONNECT graph.microsoft.com:443"), "{line}");
    }
    let other = json!({ "address": "http://127.0.0.1:1", "tenant": "contoso.example", "token": "t" });
    std::fs::write(&file, other.to_string()).expect("it is written");
    let ran = place.run(&[&words[..], &["--environment", "Global"]].concat()).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err.contains("you are connected to http://127.0.0.1:1, not to https://graph.microsoft.com"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("hint: connect with `usher connect --environment Global"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_our_own_service_well_and_leaves_nothing_behind() {
    let world = World::start().await;
    let counts = async || {
        let users = world.client.list("/v1.0/users").await.expect("they are listed").len();
        let groups = world.client.list("/v1.0/groups").await.expect("they are listed").len();
        let bin = "/v1.0/directory/deletedItems/microsoft.graph.user";
        (users, groups, world.client.list(bin).await.expect("they are listed").len())
    };
    let before = counts().await;
    let ran = world.run(&["doctor", "--write", "contoso.example"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok      setting and clearing a manager"), "{}", ran.out);
    assert_eq!(counts().await, before);
}
