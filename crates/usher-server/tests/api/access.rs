//! Who gets in.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use usher_core::ports::Clock;

use crate::stage::{Stage, TEMPLATE, TENANT};

/// A path of an operation with its variables filled.
pub fn filled(operation: &usher_server::Operation) -> String {
    let (pattern, version) = (operation.path, if operation.is_beta { "beta" } else { "v1.0" });
    let path: Vec<&str> = pattern
        .split('/')
        .map(|part| match part {
            "{applications|servicePrincipals}" => "servicePrincipals",
            part if part.starts_with('{') => "22222222-2222-2222-2222-222222222222",
            part => part,
        })
        .collect();
    format!("/{version}{}", path.join("/"))
}

#[tokio::test]
async fn no_operation_answers_without_a_right_token() {
    let stage = Stage::new().await;
    for operation in usher_server::operations() {
        let path = filled(operation);
        for token in ["", "garbage", "a.b.c"] {
            let reply = stage.with_token(token, operation.method, &path, Value::Null).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{} {path}", operation.method);
            assert_eq!(reply.code(), "InvalidAuthenticationToken");
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
        }
    }
}

#[tokio::test]
async fn no_operation_answers_without_a_permission() {
    let stage = Stage::new().await;
    let (_, token) = stage.client("nobody", &[]).await;
    let owned = ["Application.ReadWrite.OwnedBy", "SynchronizationData-User.Upload.OwnedBy"];
    let (_, owner) = stage.client("owner of nothing", &owned).await;
    for operation in usher_server::operations() {
        let path = filled(operation);
        let reply = stage.with_token(&token, operation.method, &path, Value::Null).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{} {path}", operation.method);
        assert_eq!(reply.code(), "Authorization_RequestDenied");
        let is_of_an_application =
            operation.path.contains("{id}") && !operation.path.starts_with("/applicationTemplates");
        if operation.owner_permission.is_some() && is_of_an_application {
            let reply = stage.with_token(&owner, operation.method, &path, Value::Null).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{} {path} for a stranger", operation.method);
        }
    }
}

#[tokio::test]
async fn a_token_expires() {
    let stage = Stage::new().await;
    assert_eq!(stage.send("GET", "/v1.0/users", Value::Null).await.status, StatusCode::OK);
    stage.clock.advance(Duration::from_secs(3_600));
    let reply = stage.send("GET", "/v1.0/users", Value::Null).await;
    assert_eq!(
        (reply.status, reply.message()),
        (StatusCode::UNAUTHORIZED, "Access token has expired or is not yet valid.")
    );
}

#[tokio::test]
async fn a_secret_counts_from_its_start_to_its_end() {
    let stage = Stage::new().await;
    let made = stage
        .must(
            "POST",
            &format!("/v1.0/applicationTemplates/{TEMPLATE}/instantiate"),
            json!({ "displayName": "x" }),
            201,
        )
        .await;
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let (app, client) = (text(&made["application"]["id"]), text(&made["application"]["appId"]));
    let path = format!("/v1.0/applications/{app}/addPassword");
    let at = |hours| (stage.clock.now() + jiff::SignedDuration::from_hours(hours)).to_string();
    let body = |start: i64, end: i64| json!({ "passwordCredential": { "displayName": "short", "startDateTime": at(start), "endDateTime": at(end) } });
    let wish = body(1, 3);
    let password = stage.must("POST", &path, wish.clone(), 200).await;
    assert_eq!(password["displayName"], "short");
    for (name, given) in [("startDateTime", at(1)), ("endDateTime", at(3))] {
        let instant = |text: &str| text.parse::<jiff::Timestamp>().expect("it is an instant");
        assert_eq!(instant(password[name].as_str().expect("it is a text")), instant(&given));
    }
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={}&scope=https://graph.microsoft.com/.default",
        text(&password["secretText"])
    );
    for (hours, status) in [(0, 401), (2, 200), (2, 401)] {
        stage.clock.advance(Duration::from_secs(hours * 3_600));
        assert_eq!(stage.ask_token(TENANT, &form).await.status.as_u16(), status);
    }
    let token = stage.token_of(&stage.client_id, &stage.secret).await;
    for wrong in [
        body(3, 1),
        json!({ "passwordCredential": { "endDateTime": "soon" } }),
        json!({ "passwordCredential": 7 }),
    ] {
        let refused = stage.with_token(&token, "POST", &path, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    }
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() {
    let stage = Stage::new().await;
    let (head, signature) = stage.token.rsplit_once('.').expect("a token has three parts");
    let other = Stage::new().await;
    let (other_head, _) = other.token.rsplit_once('.').expect("a token has three parts");
    for token in [format!("{head}."), format!("{other_head}.{signature}"), other.token.clone()] {
        let reply = stage.with_token(&token, "GET", "/v1.0/users", Value::Null).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_token_endpoint_answers_in_the_words_of_entra() {
    let stage = Stage::new().await;
    let form = |client: &str, secret: &str, grant: &str| {
        format!("grant_type={grant}&client_id={client}&client_secret={secret}")
    };
    let right = form(&stage.client_id, &stage.secret, "client_credentials");
    let reply = stage.ask_token(TENANT, &right).await;
    assert_eq!((reply.status, reply.body["expires_in"].as_i64()), (StatusCode::OK, Some(3_599)));
    assert_eq!(reply.header("cache-control"), "no-cache");
    for (tenant, form, status, number) in [
        (TENANT, form(&stage.client_id, "wrong", "client_credentials"), 401, 7_000_215),
        (TENANT, form("nobody", "x", "client_credentials"), 401, 700_016),
        (TENANT, form(&stage.client_id, &stage.secret, "password"), 400, 70_003),
        (TENANT, form("", "", "client_credentials"), 400, 900_144),
        (TENANT, format!("{right}&scope=foo"), 400, 1_002_012),
        (TENANT, format!("{right}&scope=User.Read.All"), 400, 1_002_012),
        ("elsewhere", right.clone(), 400, 90_002),
    ] {
        let reply = stage.ask_token(tenant, &form).await;
        assert_eq!(
            (reply.status.as_u16(), reply.body["error_codes"][0].as_i64()),
            (status, Some(number)),
            "{form}"
        );
        assert!(!reply.body.to_string().contains(&stage.secret));
    }
}

#[tokio::test]
async fn an_owner_manages_what_it_made_and_nothing_else() {
    let stage = Stage::new().await;
    let (_, owner) = stage.client("owner", &["Application.ReadWrite.OwnedBy"]).await;
    let (_, stranger) = stage.client("stranger", &["Application.ReadWrite.OwnedBy"]).await;
    let path = format!("/v1.0/applicationTemplates/{}/instantiate", TEMPLATE);
    let made = stage.with_token(&owner, "POST", &path, json!({ "displayName": "mine" })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    for (parent, kind) in [("servicePrincipals", "servicePrincipal"), ("applications", "application")] {
        let id = made.body[kind]["id"].as_str().expect("it has an id");
        let jobs = format!("/v1.0/{parent}/{id}/synchronization/jobs");
        let body = json!({ "templateId": "scim" });
        assert_eq!(stage.with_token(&owner, "POST", &jobs, body.clone()).await.status, StatusCode::CREATED);
        assert_eq!(stage.with_token(&stranger, "POST", &jobs, body).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(
        stage.with_token(&owner, "POST", "/v1.0/users", json!({})).await.status,
        StatusCode::FORBIDDEN,
        "owning an application gives no right over people"
    );
}

#[tokio::test]
async fn discovery_and_keys_are_open() {
    let stage = Stage::new().await;
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let reply = stage.with_token("", "GET", &path, Value::Null).await;
    assert_eq!(reply.body["token_endpoint"], format!("https://usher.test/{TENANT}/oauth2/v2.0/token"));
    let keys = stage.with_token("", "GET", &format!("/{TENANT}/discovery/v2.0/keys"), Value::Null).await;
    assert_eq!(keys.body["keys"][0]["kty"], "EC");
    assert!(keys.body["keys"][0].get("d").is_none(), "the private half stays here");
}

/// A key of somebody else, as PEM, and its public half as a JWKS document.
fn outside_key() -> (String, String) {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use rcgen::PublicKeyData;
    let pair = rcgen::KeyPair::generate().expect("a key can be made");
    let point = pair.der_bytes();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let jwks =
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k1", "x": x, "y": y }] });
    (pair.serialize_pem(), jwks.to_string())
}

#[tokio::test]
async fn tokens_of_the_outside_issuer_are_taken_and_only_those() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let (pem, jwks) = outside_key();
    let mut options = usher_server::ServerOptions::new("https://usher.test");
    let issuer = usher_server::OutsideIssuer::new("https://login.test", "usher", &jwks);
    options.outside_issuer = Some(issuer.expect("it is a JWKS document"));
    let stage = Stage::with(options).await;
    let sign = |pem: &str, kid: &str, claims: Value| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("it is a key");
        encode(&header, &claims, &key).expect("it can be signed")
    };
    let right = json!({
        "iss": "https://login.test", "aud": "usher", "exp": 3_600, "sub": "client", "roles": ["User.Read.All"],
    });
    let (other, _) = outside_key();
    let but = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        claims
    };
    let delegated = |scopes: &str| json!({ "iss": "https://login.test", "aud": "usher", "exp": 3_600, "sub": "person", "scp": scopes });
    // A permission for owners, on behalf of a user, opens nothing, not even what asks for no ownership.
    let token =
        sign(&pem, "k1", delegated("Application.ReadWrite.OwnedBy SynchronizationData-User.Upload.OwnedBy"));
    let made = stage.with_token(&token, "POST", "/v1.0/applications", json!({ "displayName": "mine" })).await;
    assert_eq!(made.status, StatusCode::FORBIDDEN);
    for (token, status) in [
        (sign(&pem, "k1", right.clone()), StatusCode::OK),
        (sign(&pem, "k1", but("scope", json!("User.Read.All"))), StatusCode::OK),
        (sign(&pem, "k1", but("roles", json!([]))), StatusCode::FORBIDDEN),
        (sign(&pem, "k1", delegated("User.Read.All")), StatusCode::OK),
        (sign(&pem, "k1", delegated("Application.ReadWrite.OwnedBy")), StatusCode::FORBIDDEN),
        (sign(&pem, "k1", but("iss", json!("https://evil.test"))), StatusCode::UNAUTHORIZED),
        (sign(&pem, "k1", but("aud", json!("other"))), StatusCode::UNAUTHORIZED),
        (sign(&pem, "k1", but("exp", json!(-1))), StatusCode::UNAUTHORIZED),
        (sign(&pem, "k2", right.clone()), StatusCode::UNAUTHORIZED),
        (sign(&other, "k1", right.clone()), StatusCode::UNAUTHORIZED),
    ] {
        let reply = stage.with_token(&token, "GET", "/v1.0/users", Value::Null).await;
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    // Who is no administrator manages no provisioning and reads no log, whatever the application may do.
    let everybody = "b79fbf4d-3ef9-4689-8143-76b194e85509";
    let (application, reports) =
        ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "4a5d8f65-41da-4de4-8968-e035b65339cf");
    let (base, ..) = stage.application().await;
    for (roles, jobs, log) in [
        (vec![everybody], StatusCode::FORBIDDEN, StatusCode::FORBIDDEN),
        (vec![everybody, reports], StatusCode::FORBIDDEN, StatusCode::OK),
        (vec![everybody, application], StatusCode::OK, StatusCode::OK),
    ] {
        let mut claims = delegated("Synchronization.Read.All AuditLog.Read.All User.Read.All");
        claims["wids"] = json!(roles);
        let token = sign(&pem, "k1", claims);
        for (path, status) in [
            (format!("{base}/jobs"), jobs),
            ("/v1.0/auditLogs/provisioning".to_owned(), log),
            ("/v1.0/users".to_owned(), StatusCode::OK),
        ] {
            let reply = stage.with_token(&token, "GET", &path, Value::Null).await;
            assert_eq!(reply.status, status, "{path} as {roles:?}: {}", reply.body);
        }
    }
}

/// An issuer whose keys a test may change.
struct Published(std::sync::Mutex<(String, usize)>);

#[async_trait::async_trait]
impl usher_server::KeySource for Published {
    async fn keys(&self) -> Result<String, String> {
        let mut state = self.0.lock().expect("no test panics while it holds this");
        state.1 += 1;
        Ok(state.0.clone())
    }
}

#[tokio::test]
async fn keys_of_an_issuer_are_discovered_and_follow_its_changes() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let (old, old_set) = outside_key();
    let (new, new_set) = outside_key();
    let new_set = new_set.replace("\"k1\"", "\"k2\"");
    let source = std::sync::Arc::new(Published(std::sync::Mutex::new((old_set, 0))));
    let mut options = usher_server::ServerOptions::new("https://usher.test");
    let issuer = usher_server::OutsideIssuer::discovered("https://login.test", "usher", source.clone());
    options.outside_issuer = Some(issuer);
    let stage = Stage::with(options).await;
    let claims = json!({
        "iss": "https://login.test", "aud": "usher", "exp": 1_000_000, "sub": "client", "roles": ["User.Read.All"],
    });
    let sign = |pem: &str, kid: &str| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_pem(pem.as_bytes()).expect("it is a key");
        encode(&header, &claims, &key).expect("it can be signed")
    };
    let ask = async |token: &str| stage.with_token(token, "GET", "/v1.0/users", Value::Null).await.status;
    let asked = || source.0.lock().expect("nobody panics").1;
    assert_eq!(ask(&sign(&old, "k1")).await, StatusCode::OK);
    assert_eq!(ask(&sign(&old, "k1")).await, StatusCode::OK);
    assert_eq!(asked(), 1, "keys are kept");
    source.0.lock().expect("nobody panics").0 = new_set;
    assert_eq!(ask(&sign(&new, "k2")).await, StatusCode::UNAUTHORIZED, "not asked again within a minute");
    assert_eq!(asked(), 1, "strange tokens do not make us ask without end");
    stage.clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&sign(&new, "k2")).await, StatusCode::OK, "a new key is found");
    assert_eq!(
        ask(&sign(&old, "k1")).await,
        StatusCode::UNAUTHORIZED,
        "a key that was taken back counts no more"
    );
}
