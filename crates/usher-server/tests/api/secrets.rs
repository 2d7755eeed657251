//! Synchronization secrets: who sees them, where they may go, and what they may be.

use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::Stage;

const HOME: &str = "https://app.example/scim";
const AWAY: &str = "https://evil.example/scim";

fn set(pairs: &[(&str, &str)]) -> Value {
    let list: Vec<Value> = pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "value": list })
}

fn credentials(pairs: &[(&str, &str)]) -> Value {
    json!({ "credentials": set(pairs)["value"] })
}

async fn stored(stage: &Stage, base: &str) -> Vec<(String, String)> {
    let principal = base.split('/').nth(3).expect("the path names it");
    let secrets = stage.engine.secrets(&usher_core::EntryId::new(principal)).await.expect("the store works");
    secrets.into_iter().map(|secret| (secret.key, secret.value.expose().to_owned())).collect()
}

#[tokio::test]
async fn secrets_are_masked_and_the_mask_keeps_them() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let secrets = format!("{base}/secrets");
    let put = |value: &str| json!({ "value": [{ "key": "BaseAddress", "value": "https://a.test" }, { "key": "SecretToken", "value": value }] });
    stage.must("PUT", &secrets, put("hush-hush"), 204).await;
    let shown = stage.must("GET", &secrets, Value::Null, 200).await;
    assert!(!shown.to_string().contains("hush-hush"));
    let mask = shown["value"][1]["value"].as_str().expect("it is masked").to_owned();
    stage.must("PUT", &secrets, put(&mask), 204).await;
    stage.must("PUT", &secrets, json!({ "value": [] }), 204).await;
    let reply = stage.send("PUT", &secrets, put(&mask)).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "a mask of nothing keeps nothing");
}

#[tokio::test]
async fn what_an_address_carries_is_masked_and_kept_as_it_was_shown() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let secrets = format!("{base}/secrets");
    let address = format!("{HOME}?aadOptscim062020&token=abc&b4re");
    stage.must("PUT", &secrets, set(&[("BaseAddress", &address), ("SyncAll", "true")]), 204).await;
    let shown = stage.must("GET", &secrets, Value::Null, 200).await;
    assert_eq!(shown["value"][0]["value"], format!("{HOME}?aadOptscim062020&token=*****&*****"));
    let shown = shown["value"][0]["value"].as_str().expect("it is a text");

    let same = set(&[("BaseAddress", shown), ("SyncAll", "false")]);
    stage.must("PUT", &secrets, same, 204).await;
    assert_eq!(stored(&stage, &base).await[0], ("BaseAddress".to_owned(), address.clone()));
    for other in
        [shown.replace("scim?", "v2?"), shown.replace("token", "other"), format!("{AWAY}?token=*****")]
    {
        let reply = stage.send("PUT", &secrets, set(&[("BaseAddress", &other)])).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{other}");
        assert!(
            reply.body["error"]["message"]
                .as_str()
                .is_some_and(|said| said.contains("'BaseAddress' has the mask"))
        );
    }
    let moved = set(&[("Source.BaseAddress", shown)]);
    assert_eq!(stage.send("PUT", &secrets, moved).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(stored(&stage, &base).await[0].1, address);
}

#[tokio::test]
async fn a_token_is_acquired_or_nothing_is_kept() {
    let stage = Stage::new().await;
    let (base, _, _) = stage.application().await;
    let body = json!({ "credentials": [{ "key": "Oauth2ClientId", "value": "me" }] });
    stage.must("POST", &format!("{base}/acquireAccessToken"), body, 204).await;
    assert_eq!(stage.must("GET", &format!("{base}/secrets/$count"), Value::Null, 200).await, json!(1));
    stage.must("POST", &format!("{base}/acquireAccessToken"), json!({ "credentials": 7 }), 400).await;
}

#[tokio::test]
async fn what_is_stored_for_one_address_is_sent_to_no_other() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let (secrets, acquire) = (format!("{base}/secrets"), format!("{base}/acquireAccessToken"));
    let home = [("BaseAddress", HOME), ("SecretToken", "hush-hush"), ("SyncAll", "true")];
    stage.must("PUT", &secrets, set(&home), 204).await;
    for away in [
        &[("BaseAddress", AWAY), ("SecretToken", "*****")] as &[_],
        &[("BaseAddress", HOME), ("SecretToken", "*****"), ("Oauth2TokenExchangeUri", AWAY)],
    ] {
        let refused = stage.must("PUT", &secrets, set(away), 400).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("the address changes: give the secret"), "{message}");
    }
    stage.must("POST", &acquire, credentials(&[("BaseAddress", AWAY), ("SecretToken", "*****")]), 400).await;
    assert_eq!(stored(&stage, &base).await.len(), 3, "nothing changed");

    // By way of no address at all.
    stage.must("PUT", &secrets, set(&[("SecretToken", "*****")]), 204).await;
    stage.must("PUT", &secrets, set(&[("BaseAddress", AWAY), ("SecretToken", "*****")]), 400).await;

    // Another path at the same place is no other place.
    stage.must("PUT", &secrets, set(&home), 204).await;
    let deeper = format!("{HOME}/v2?aadOptscim062020");
    stage.must("PUT", &secrets, set(&[("BaseAddress", &deeper), ("SecretToken", "*****")]), 204).await;
    assert!(stored(&stage, &base).await.contains(&("SecretToken".to_owned(), "hush-hush".to_owned())));

    stage.must("PUT", &secrets, set(&home), 204).await;
    stage.must("POST", &acquire, credentials(&[("BaseAddress", AWAY)]), 204).await;
    let kept = stored(&stage, &base).await;
    assert!(!kept.iter().any(|(key, _)| key == "SecretToken"), "the token stayed at home: {kept:?}");
    assert!(kept.iter().any(|(key, _)| key == "SyncAll"), "settings are no secrets");
}

#[tokio::test]
async fn a_mask_given_with_credentials_means_what_is_stored() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let home = [("BaseAddress", HOME), ("SecretToken", "hush-hush")];
    stage.must("PUT", &format!("{base}/secrets"), set(&home), 204).await;
    let again = credentials(&[("SecretToken", "*****")]);
    stage.must("POST", &format!("{base}/acquireAccessToken"), again, 204).await;
    assert!(stored(&stage, &base).await.contains(&("SecretToken".to_owned(), "hush-hush".to_owned())));
}

#[tokio::test]
async fn secrets_that_would_be_misread_are_refused() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let secrets = format!("{base}/secrets");
    for (key, value, says) in [
        ("Nope", "x", "'Nope' is no key"),
        ("", "x", "is no key"),
        ("BaseAddress", "file:///etc/passwd", "'BaseAddress' must be an address"),
        ("BaseAddress", "ftp://app.example/", "'BaseAddress' must begin with https://"),
        ("BaseAddress", "http://10.0.0.1/", "'BaseAddress' must begin with https://"),
        ("SyncAll", "banana", "'SyncAll' must be true or false"),
        ("SyncNotificationSettings", "{not json", "must be a JSON object"),
        ("SyncNotificationSettings", "{\"DeleteThresholdEnabled\":true}", "must have DeleteThresholdValue"),
    ] {
        let refused = stage.must("PUT", &secrets, set(&[(key, value)]), 400).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{message}");
        let acquire = format!("{base}/acquireAccessToken");
        stage.must("POST", &acquire, credentials(&[(key, value)]), 400).await;
    }
    let twice = set(&[("SyncAll", "true"), ("syncall", "false")]);
    stage.must("PUT", &secrets, twice, 400).await;
    assert!(stored(&stage, &base).await.is_empty());
}
