//! `usher connect` and `usher doctor` against authorities and services that answer well, badly, or not as such.

use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{Ran, finish, program};

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
        let mut command = program();
        command.args(words).env("USHER_CONFIG_DIR", self.folder.path());
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
        "failed  groups of a user: the answer to GET /v1.0/users/one/memberOf/microsoft.graph.group has no list 'value'",
        "skipped who is assigned to an application: no app is known to try it on",
        "failed  batches: the answer has no 'responses'",
        "failed  directory extensions: the answer has no list 'value'",
    ] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let cast = place.asked("/v1.0/users/one/memberOf/microsoft.graph.group").await;
    assert_eq!(cast[0].headers["consistencylevel"], "eventual");
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
