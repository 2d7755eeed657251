//! Plans by REST: made, looked at, applied, removed.

use http::StatusCode;
use serde_json::{Value, json};

use usher_server::ServerOptions;

use crate::stage::{Reply, Stage, on_demand};

#[tokio::test]
async fn a_plan_is_made_read_applied_and_audited() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    for name in ["adele", "megan"] {
        stage.person(name);
    }
    let plans = format!("{path}/plans");
    let made = stage.must("POST", &plans, on_demand(&rule, "adele"), 201).await;
    assert_eq!((&made["state"], &made["hasChanges"]), (&json!("planned"), &json!(true)));
    assert_eq!(made["counts"]["create"], 1);
    let id = made["id"].as_str().expect("it has an id");
    let read = stage.must("GET", &format!("{plans}/{id}"), Value::Null, 200).await;
    assert_eq!(read["document"], made["document"]);
    let listed = stage.must("GET", &plans, Value::Null, 200).await;
    assert_eq!((&listed["value"][0]["id"], &listed["value"][0]["document"]), (&made["id"], &Value::Null));
    assert!(stage.target.written().is_empty());

    let mut changed = made["document"].clone();
    changed["objects"][0]["reportable"] = json!("eve");
    let refused = stage.send("POST", &format!("{plans}/{id}/apply"), json!({ "document": changed })).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    let body = json!({ "document": made["document"] });
    let applied = stage.must("POST", &format!("{plans}/{id}/apply"), body, 200).await;
    assert_eq!((&applied["state"], &applied["objects"][0]["outcome"]), (&json!("applied"), &json!("done")));
    assert_eq!(stage.target.objects().len(), 1);
    let again = stage.send("POST", &format!("{plans}/{id}/apply"), Value::Null).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);

    let cycle = stage.must("POST", &plans, json!({ "cycle": true }), 201).await;
    assert_eq!((&cycle["extent"]["of"], &cycle["counts"]["create"]), (&json!("cycle"), &json!(1)));
    let kept = cycle["id"].as_str().expect("it has an id");
    stage.person("late");
    stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, "megan"), 200).await;
    let stopped = stage.must("POST", &format!("{plans}/{kept}/apply"), json!({}), 200).await;
    assert_eq!(stopped["state"], "stopped");
    let said = stopped["objects"][0]["differences"].to_string();
    assert!(said.contains("the object that it is paired with was nothing and is"), "{said}");
    stage.must("DELETE", &format!("{plans}/{kept}"), Value::Null, 204).await;
    assert_eq!(
        stage.send("GET", &format!("{plans}/{kept}"), Value::Null).await.status,
        StatusCode::NOT_FOUND
    );

    let audits = stage.must("GET", "/v1.0/auditLogs/directoryAudits", Value::Null, 200).await.to_string();
    for activity in ["Create a plan", "Apply a plan", "Delete a plan"] {
        assert!(audits.contains(activity), "{activity}");
    }
}

#[tokio::test]
async fn an_explanation_is_no_change_and_needs_no_right_to_write() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let (_, reader) = stage.client("reader", &["Synchronization.Read.All"]).await;
    let body = on_demand(&rule, "adele");
    let told = stage.with_token(&reader, "POST", &format!("{path}/explain"), body.clone()).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    let object = &told.body["document"]["objects"][0];
    assert!(object["explanation"]["mappings"].as_array().is_some_and(|mappings| mappings.len() > 5));
    let refused = stage.with_token(&reader, "POST", &format!("{path}/plans"), body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for (body, says) in [
        (json!({}), "needs subjects"),
        (json!({ "cycle": 1 }), "'cycle'"),
        (json!({ "cycles": true }), "cycles"),
    ] {
        for (at, what) in [("plans", "a plan"), ("explain", "an explanation")] {
            let refused = stage.send("POST", &format!("{path}/{at}"), body.clone()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            let (said, is_of_this) =
                (refused.message(), says != "needs subjects" || refused.message().starts_with(what));
            assert!(said.contains(says) && is_of_this, "{at}: {}", refused.body);
        }
    }
}

#[tokio::test]
async fn a_member_that_stands_twice_in_a_document_is_a_change() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let made = stage.must("POST", &format!("{path}/plans"), on_demand(&rule, "adele"), 201).await;
    let body = json!({ "document": made["document"] }).to_string();
    let twice = body.replacen("\"action\":\"create\"", "\"action\":\"delete\",\"action\":\"create\"", 1);
    assert_ne!(twice, body);
    let id = made["id"].as_str().expect("it has an id");
    let refused = post(&stage, &format!("{path}/plans/{id}/apply"), twice).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    assert!(refused.message().ends_with("$.document.objects[0].action stands twice"), "{}", refused.body);
    assert!(stage.target.written().is_empty());
}

/// Sends a text that no serializer makes.
async fn post(stage: &Stage, path: &str, body: String) -> Reply {
    let request = http::Request::post(path)
        .header("authorization", format!("Bearer {}", stage.token))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .expect("it can be sent");
    stage.raw(request).await
}

#[tokio::test]
async fn a_body_in_which_a_member_stands_twice_is_refused_wherever_it_goes() {
    let stage = Stage::new().await;
    let (base, path, rule) = stage.application().await;
    stage.person("adele");
    let subject = r#"{"objectId": "adele", "objectTypeName": "User"}"#;
    for (at, body, member) in [
        (
            "plans",
            format!(
                r#"{{"cycle": true, "cycle": false, "parameters": [{{"ruleId": "{rule}", "subjects": [{subject}]}}]}}"#
            ),
            "$.cycle",
        ),
        (
            "explain",
            format!(r#"{{"parameters": [{{"ruleId": "x", "ruleId": "{rule}", "subjects": [{subject}]}}]}}"#),
            "$.parameters[0].ruleId",
        ),
        (
            "provisionOnDemand",
            format!(
                r#"{{"dryRun": true, "parameters": [{{"ruleId": "{rule}", "subjects": [{subject}]}}], "dryRun": false}}"#
            ),
            "$.dryRun",
        ),
    ] {
        let refused = post(&stage, &format!("{path}/{at}"), body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{at}: {}", refused.body);
        assert_eq!(
            refused.message(),
            format!("Unable to read JSON request payload: {member} stands twice"),
            "{at}"
        );
    }
    let schema = stage.must("GET", &format!("{path}/schema"), Value::Null, 200).await.to_string();
    let twice = schema.replacen("\"directories\"", "\"synchronizationRules\":[],\"directories\"", 1);
    let request = http::Request::put(format!("{path}/schema"))
        .header("authorization", format!("Bearer {}", stage.token))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(twice))
        .expect("it can be sent");
    let refused = stage.raw(request).await;
    assert!(refused.message().ends_with("$.synchronizationRules stands twice"), "{}", refused.body);
    assert!(stage.target.written().is_empty(), "{base}");
}

#[tokio::test]
async fn links_that_such_objects_do_not_have_are_refused() {
    let stage =
        Stage::with(ServerOptions { on_demand_limit: 99, ..ServerOptions::new("https://usher.test") }).await;
    let (_, path, rule) = stage.application().await;
    for name in ["adele", "megan"] {
        stage.person(name);
    }
    let megan = json!({ "objectId": "megan", "objectTypeName": "User" });
    for (kind, links, says) in [
        ("User", json!({ "members": [megan] }), "objects of type 'User' have no members"),
        ("User", json!({ "owners": [megan] }), "have no owners"),
        ("Group", json!({ "manager": megan }), "objects of type 'Group' have no manager"),
    ] {
        let subject = json!({ "objectId": "adele", "objectTypeName": kind, "links": links });
        let body = json!({ "parameters": [{ "ruleId": rule, "subjects": [subject] }] });
        for at in ["plans", "explain", "provisionOnDemand"] {
            let refused = stage.send("POST", &format!("{path}/{at}"), body.clone()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{at}: {}", refused.body);
            assert!(refused.message().contains(says), "{at}: {}", refused.body);
        }
    }
}

#[tokio::test]
async fn what_was_sent_for_an_event_is_told_to_who_may_read_the_log() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, "adele"), 200).await;
    let log = stage.must("GET", "/v1.0/auditLogs/provisioning", Value::Null, 200).await;
    let event = &log["value"][0];
    assert!(event.get("requests").is_none(), "the published resource is as it is published: {event}");
    let id = event["id"].as_str().expect("it has an id");
    let told = stage.must("GET", &format!("{path}/exchanges/{id}"), Value::Null, 200).await;
    assert_eq!((&told["id"], &told["requests"][0]["method"]), (&event["id"], &json!("CREATE")));
    let missing = stage.send("GET", &format!("{path}/exchanges/nonsense"), Value::Null).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let (_, reader) = stage.client("reader", &["Synchronization.Read.All"]).await;
    let refused = stage.with_token(&reader, "GET", &format!("{path}/exchanges/{id}"), Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
