//! Ways to sign in, against an authority that answers as published.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use serde_json::json;
use usher_testkit::ManualClock;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::graph::Endpoint;
use crate::http::HttpOptions;

const RESOURCE: &str = "https://graph.example";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-05-04T08:00:00Z".parse().unwrap()))
}

fn identity(
    server: &MockServer,
    sign_in: SignIn,
    variables: &[(&str, &str)],
) -> Result<Identity, IdentityError> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let authority =
        Authority { address: Url::parse(&server.uri()).unwrap(), tenant: "contoso.example".to_owned() };
    let http = Arc::new(Http::new(HttpOptions::default()).unwrap());
    let resource = Url::parse(RESOURCE).unwrap();
    Identity::with(http, clock(), authority, &resource, sign_in, &move |name| variables.get(name).cloned())
}

fn granted() -> ResponseTemplate {
    let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "a-good-token" });
    ResponseTemplate::new(200).set_body_json(token)
}

async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/contoso.example/oauth2/v2.0/token"))
        .respond_with(template)
        .mount(&server)
        .await;
    server
}

/// The form of a request, with what differs from run to run left out.
fn form(request: &Request) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(&request.body).into_owned().collect()
}

fn secret() -> SignIn {
    SignIn::Secret { client_id: "app".to_owned(), secret: Secret::new("s3cret-value") }
}

#[tokio::test]
async fn a_secret_is_shown_once_for_many_tokens() {
    let server = answering(granted()).await;
    let identity = identity(&server, secret(), &[]).unwrap();
    for _ in 0..3 {
        assert_eq!(identity.token().await.unwrap().expose(), "a-good-token");
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    expect![[r#"
        {
            "client_id": "app",
            "client_secret": "s3cret-value",
            "grant_type": "client_credentials",
            "scope": "https://graph.example/.default",
        }
    "#]]
    .assert_debug_eq(&form(&requests[0]));
    identity.refused(&Secret::new("a-good-token"), None).await;
    identity.token().await.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn claims_that_a_token_lacked_are_asked_for() {
    let server = answering(granted()).await;
    let identity = identity(&server, secret(), &[]).unwrap();
    let token = identity.token().await.unwrap();
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
    let challenge = format!(
        r#"Bearer realm="", error="insufficient_claims", claims="{}""#,
        STANDARD.encode(claims).trim_end_matches('=')
    );
    identity.refused(&token, Some(&challenge)).await;
    identity.token().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(form(requests.last().unwrap()).get("claims").map(String::as_str), Some(claims));
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_that_names_it() {
    let server = answering(granted()).await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["usher.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    let sign_in = SignIn::Certificate { client_id: "app".to_owned(), pem: Secret::new(pem) };
    identity(&server, sign_in, &[]).unwrap().token().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let sent = form(&requests[0]);
    assert_eq!(sent.get("client_assertion_type").map(String::as_str), Some(ASSERTION_TYPE));
    assert!(!sent.contains_key("client_secret"));
    let assertion = &sent["client_assertion"];
    let header = jsonwebtoken::decode_header(assertion).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::PS256);
    let thumbprint = {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        use sha2::Digest as _;
        URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(certificate.der()))
    };
    assert_eq!(header.x5t_s256, Some(thumbprint));
    // The service verifies it by the certificate's public key; its clock is the one of the test.
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::PS256);
    rules.validate_exp = false;
    rules.set_audience(&[format!("{}/contoso.example/oauth2/v2.0/token", server.uri())]);
    let public = jsonwebtoken::DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    let claims = jsonwebtoken::decode::<serde_json::Value>(assertion, &public, &rules).unwrap().claims;
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("app"), &json!("app")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 660);
}

#[tokio::test]
async fn a_chain_is_shown_when_it_is_asked_for_and_the_key_says_whose_certificate_comes_first() {
    let server = answering(granted()).await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let mine =
        rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let above =
        rcgen::CertificateParams::new(vec!["b.example".to_owned()]).unwrap().self_signed(&other).unwrap();
    let pem = Secret::new(format!("{}{}{}", above.pem(), key.serialize_pem(), mine.pem()));
    let sign_in = SignIn::CertificateChain { client_id: "app".to_owned(), pem: pem.clone() };
    identity(&server, sign_in, &[]).unwrap().token().await.unwrap();
    let sign_in = SignIn::Certificate { client_id: "app".to_owned(), pem };
    identity(&server, sign_in, &[]).unwrap().token().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let header =
        |place: usize| jsonwebtoken::decode_header(&form(&requests[place])["client_assertion"]).unwrap();
    assert_eq!(header(0).x5c, Some(vec![STANDARD.encode(mine.der()), STANDARD.encode(above.der())]));
    assert_eq!(header(1).x5c, None);
    assert_eq!(header(0).x5t_s256, header(1).x5t_s256);
}

#[tokio::test]
async fn a_certificate_that_cannot_sign_is_refused_with_the_reason() {
    let server = answering(granted()).await;
    let pair = || {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key);
        (key.serialize_pem(), certificate.unwrap().pem())
    };
    let ((key, certificate), (stranger, _)) = (pair(), pair());
    let traditional = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (pem, why) in [
        (format!("{certificate}{traditional}"), "its private key is encrypted"),
        (format!("{certificate}-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "its private key is encrypted"),
        (format!("{stranger}{certificate}"), "its private key belongs to another certificate"),
        (key, "it holds no certificate"),
        (certificate, "it holds no private key"),
    ] {
        let sign_in = SignIn::Certificate { client_id: "app".to_owned(), pem: Secret::new(pem) };
        let error = identity(&server, sign_in, &[]).err().unwrap().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[tokio::test]
async fn a_federated_token_is_read_for_every_exchange() {
    let server = answering(granted()).await;
    let folder = std::env::temp_dir().join(format!("usher-identity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("token");
    std::fs::write(&file, "first\n").unwrap();
    let uri = server.uri();
    let variables = [
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ("AZURE_AUTHORITY_HOST", uri.as_str()),
    ];
    let identity = identity(&server, SignIn::WorkloadIdentity, &variables).unwrap();
    let token = identity.token().await.unwrap();
    std::fs::write(&file, "second\n").unwrap();
    identity.refused(&token, None).await;
    identity.token().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let sent: Vec<String> = requests.iter().map(|one| form(one)["client_assertion"].clone()).collect();
    assert_eq!(sent, ["first", "second"]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn the_credential_of_the_machine_is_shown_to_no_authority_that_a_job_names() {
    let server = answering(granted()).await;
    let variables = [("AZURE_CLIENT_ID", "app"), ("AZURE_CLIENT_SECRET", "s3cret-value")];
    let error = identity(&server, SignIn::Environment, &variables).err().unwrap();
    assert!(error.to_string().contains("AZURE_AUTHORITY_HOST"), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_managed_identity_is_waited_for_until_it_is_ready() {
    let server = MockServer::start().await;
    let place = "/metadata/identity/oauth2/token";
    Mock::given(path(place)).respond_with(ResponseTemplate::new(404)).up_to_n_times(2).mount(&server).await;
    Mock::given(path(place)).respond_with(granted()).mount(&server).await;
    let uri = server.uri();
    let sign_in = SignIn::ManagedIdentity { client_id: Some("mine".to_owned()) };
    let identity = identity(&server, sign_in, &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &uri)]).unwrap();
    assert_eq!(identity.token().await.unwrap().expose(), "a-good-token");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].headers["metadata"], "true");
    expect!["api-version=2018-02-01&resource=https%3A%2F%2Fgraph.example%2F&client_id=mine"]
        .assert_eq(requests[0].url.query().unwrap());
}

#[tokio::test]
async fn app_service_proves_itself_by_a_header() {
    let server = MockServer::start().await;
    Mock::given(path("/msi/token")).respond_with(granted()).mount(&server).await;
    let endpoint = format!("{}/msi/token", server.uri());
    let variables = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "proof")];
    identity(&server, SignIn::ManagedIdentity { client_id: None }, &variables)
        .unwrap()
        .token()
        .await
        .unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].headers["x-identity-header"], "proof");
}

#[tokio::test]
async fn whoever_answers_for_azure_arc_gets_no_other_file() {
    let server = MockServer::start().await;
    let challenge = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=/etc/passwd");
    Mock::given(path("/arc")).respond_with(challenge).mount(&server).await;
    let endpoint = format!("{}/arc", server.uri());
    let variables = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IMDS_ENDPOINT", "http://127.0.0.1")];
    let identity = identity(&server, SignIn::ManagedIdentity { client_id: None }, &variables).unwrap();
    let error = identity.token().await.err().unwrap();
    assert!(error.to_string().contains("/etc/passwd"), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

async fn refused(code: &str, description: &str, expected: &Expect) {
    let server = answering(ResponseTemplate::new(401).set_body_json(json!({
        "error": code, "error_description": description, "trace_id": "t", "correlation_id": "c",
    })))
    .await;
    let error = identity(&server, secret(), &[]).unwrap().token().await.err().unwrap();
    expected.assert_eq(&error.to_string().replace(&server.address().to_string(), "login.example"));
    assert!(!format!("{error:?}").contains("s3cret-value"));
}

#[tokio::test]
async fn refusals_say_what_to_do_and_keep_the_service_s_own_code() {
    refused(
        "invalid_client",
        "AADSTS7000215: Invalid client secret provided: 's3cret-value'. Trace ID: 1 Correlation ID: 2",
        &expect!["login.example gave no token: the client secret is wrong; give the secret's value, not its id (AADSTS7000215)"],
    )
    .await;
    refused(
        "invalid_client",
        "AADSTS7000222: The provided client secret keys are expired.",
        &expect!["login.example gave no token: the client secret has expired; make a new one for the application (AADSTS7000222)"],
    )
    .await;
    refused(
        "unauthorized_client",
        "AADSTS700016: Application with identifier 'app' was not found.",
        &expect!["login.example gave no token: the tenant has no application with this client id; look at both (AADSTS700016)"],
    )
    .await;
    refused(
        "invalid_request",
        "AADSTS999999: Something new. Trace ID: 1",
        &expect!["login.example gave no token: AADSTS999999: Something new."],
    )
    .await;
    refused("invalid_request", "", &expect!["login.example gave no token: invalid_request"]).await;
}

#[tokio::test]
async fn a_device_code_is_polled_until_somebody_has_signed_in() {
    let server = MockServer::start().await;
    Mock::given(path("/contoso.example/oauth2/v2.0/devicecode"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "device_code": "d3vice", "user_code": "ABCD-1234", "verification_uri": "https://login.example/device",
            "expires_in": 900, "interval": 5, "message": "Enter ABCD-1234.",
        })))
        .mount(&server)
        .await;
    for code in ["authorization_pending", "slow_down"] {
        Mock::given(path("/contoso.example/oauth2/v2.0/token"))
            .respond_with(ResponseTemplate::new(400).set_body_json(json!({ "error": code })))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    Mock::given(path("/contoso.example/oauth2/v2.0/token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "access_token": "a-good-token", "refresh_token": "for-later", "expires_in": 3599,
        })))
        .mount(&server)
        .await;
    let endpoint = Endpoint {
        base_url: RESOURCE.to_owned(),
        authority: server.uri(),
        tenant: "contoso.example".to_owned(),
    };
    let clock = clock();
    let scopes = ["Synchronization.ReadWrite.All".to_owned()];
    let code =
        DeviceCode::begin(&endpoint, "app", &scopes, clock.clone(), HttpOptions::default()).await.unwrap();
    assert_eq!(
        (code.prompt.code.as_str(), code.prompt.address.as_str()),
        ("ABCD-1234", "https://login.example/device")
    );
    assert_eq!(code.finish().await.unwrap().expose(), "for-later");
    let waited: Vec<u64> = clock.waited().iter().map(Duration::as_secs).collect();
    assert_eq!(waited, [5, 5, 10]);
}

#[tokio::test]
async fn a_refresh_token_is_kept_anew_when_it_changes() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({
        "access_token": "a-good-token", "refresh_token": "the-next", "expires_in": 3599,
    })))
    .await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let list = kept.clone();
    let sign_in = SignIn::Refresh {
        client_id: "app".to_owned(),
        token: Secret::new("the-first"),
        keep: Arc::new(move |token: &Secret| list.lock().unwrap().push(token.expose().to_owned())),
    };
    let identity = identity(&server, sign_in, &[]).unwrap();
    let token = identity.token().await.unwrap();
    identity.refused(&token, None).await;
    identity.token().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let sent: Vec<String> = requests.iter().map(|one| form(one)["refresh_token"].clone()).collect();
    assert_eq!(sent, ["the-first", "the-next"]);
    assert_eq!(*kept.lock().unwrap(), ["the-next", "the-next"]);
}
