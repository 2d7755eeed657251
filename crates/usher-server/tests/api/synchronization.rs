//! The rest of the synchronization API: the container, templates, directories of schemas, expressions.

use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn the_container_shows_and_sets_what_it_holds() {
    let stage = Stage::new().await;
    let (base, job, _) = stage.application().await;
    let body = json!({ "secrets": [{ "key": "SecretToken", "value": "s3cret" }], "jobs": [] });
    let shown = stage.must("PUT", &base, body, 200).await;
    assert_eq!(shown["secrets"], json!([{ "key": "SecretToken", "value": "*****" }]));
    let shown =
        stage.must("GET", &format!("{base}?$expand=jobs,templates&$select=id"), Value::Null, 200).await;
    assert_eq!(shown["jobs"].as_array().map(Vec::len), Some(1));
    assert!(shown["templates"].as_array().is_some_and(|list| !list.is_empty()));
    assert!(shown.get("secrets").is_none());
    let wrong = json!({ "jobs": [{ "templateId": "scim" }] });
    stage.must("PUT", &base, wrong, 400).await;
    let ping = stage.must("GET", &format!("{}/Ping()", base.replace("v1.0", "beta")), Value::Null, 200).await;
    assert_eq!(ping["value"], "pong");
    stage.must("GET", &format!("{base}/Ping()"), Value::Null, 400).await;
    stage.must("DELETE", &base, Value::Null, 204).await;
    stage.must("GET", &job, Value::Null, 404).await;
    let count = stage.must("GET", &format!("{base}/secrets/$count"), Value::Null, 200).await;
    assert_eq!(count, json!(0));
}

#[tokio::test]
async fn templates_are_made_replaced_and_removed() {
    let stage = Stage::new().await;
    let (base, _, _) = stage.application().await;
    let templates = format!("{base}/templates");
    let listed = stage.must("GET", &templates, Value::Null, 200).await;
    let app_id = listed["value"][0]["applicationId"].clone();
    let built_in = listed["value"].as_array().map_or(0, Vec::len);
    let body = json!({ "id": "SCIM-Test1", "applicationId": app_id, "factoryTag": "CustomSCIM", "discoverable": true });
    stage.must("POST", &templates, body.clone(), 201).await;
    assert_eq!(stage.send("POST", &templates, body).await.status, StatusCode::CONFLICT);
    let count = stage.must("GET", &format!("{templates}/$count"), Value::Null, 200).await;
    assert_eq!(count, json!(built_in + 1));
    let one = format!("{templates}/scim-test1");
    let schema = stage.must("GET", &format!("{one}/schema"), Value::Null, 200).await;
    assert_eq!(schema["id"], format!("SCIM-Test1.{}", "0".repeat(32)));
    let mut changed = schema.clone();
    changed["synchronizationRules"][0]["name"] = json!("MINE");
    stage.must("PUT", &format!("{one}/schema"), changed, 204).await;
    let job = stage.must("POST", &format!("{base}/jobs"), json!({ "templateId": "SCIM-Test1" }), 201).await;
    let id = job["id"].as_str().expect("it has an id");
    assert!(id.starts_with("SCIM-Test1."), "{id}");
    let of_job = stage.must("GET", &format!("{base}/jobs/{id}/schema"), Value::Null, 200).await;
    assert_eq!(
        of_job["synchronizationRules"][0]["name"], "MINE",
        "a job gets a copy of its template's schema"
    );
    stage.must("DELETE", &format!("{one}/schema"), Value::Null, 204).await;
    let back = stage.must("GET", &format!("{one}/schema"), Value::Null, 200).await;
    assert_ne!(back["synchronizationRules"][0]["name"], "MINE");
    let replaced = json!({ "id": "SCIM-Test1", "applicationId": app_id, "factoryTag": "CustomSCIM" });
    stage.must("PATCH", &one, replaced, 204).await;
    let erased = stage.must("GET", &one, Value::Null, 200).await;
    assert_eq!((&erased["discoverable"], &erased["description"]), (&json!(false), &Value::Null));
    stage.must("DELETE", &one, Value::Null, 204).await;
    stage.must("GET", &one, Value::Null, 404).await;
    for wrong in [
        json!({ "id": "x", "applicationId": app_id }),
        json!({ "id": "x", "applicationId": app_id, "factoryTag": "Unheard" }),
        json!({ "id": "a b", "applicationId": app_id, "factoryTag": "CustomSCIM" }),
        json!({ "applicationId": app_id, "factoryTag": "CustomSCIM" }),
        json!({ "id": "x", "applicationId": "22222222-2222-2222-2222-222222222222", "factoryTag": "CustomSCIM" }),
        json!({ "id": "x", "applicationId": app_id, "factoryTag": "CustomSCIM", "schema": { "synchronizationRules": 7 } }),
    ] {
        stage.must("POST", &templates, wrong, 400).await;
    }
}

#[tokio::test]
async fn directories_of_a_schema_are_listed_changed_and_discovered() {
    let stage = Stage::new().await;
    let (base, job, _) = stage.application().await;
    for parent in [format!("{job}/schema"), format!("{base}/templates/scim/schema")] {
        let all = format!("{parent}/directories");
        let listed = stage.must("GET", &all, Value::Null, 200).await;
        let count = stage.must("GET", &format!("{all}/$count"), Value::Null, 200).await;
        assert_eq!(count, json!(listed["value"].as_array().map(Vec::len)));
        let target = listed["value"]
            .as_array()
            .and_then(|list| {
                list.iter().find(|one| {
                    one["name"] != "Microsoft Entra ID" && one["name"] != "Azure Active Directory"
                })
            })
            .expect("it has a target");
        let id = target["id"].as_str().expect("it has an id");
        let objects = target["objects"].clone();
        stage
            .must("PATCH", &format!("{all}/{id}"), json!({ "readOnly": false, "objects": objects }), 200)
            .await;
        let found =
            stage.must("POST", &format!("{all}('{id}')/microsoft.graph.discover"), Value::Null, 200).await;
        assert!(found["discoveryDateTime"].is_string() && found["version"].is_string());
        let added = json!({ "name": "Spare", "objects": [], "discoverabilities": "None", "readOnly": false });
        let made = stage.must("POST", &all, added.clone(), 201).await;
        stage.must("POST", &all, added, 400).await;
        let spare = format!("{all}/{}", made["id"].as_str().expect("it has an id"));
        stage.must("POST", &format!("{spare}/discover"), Value::Null, 400).await;
        stage.must("DELETE", &spare, Value::Null, 204).await;
        stage.must("GET", &spare, Value::Null, 404).await;
        stage.must("DELETE", &format!("{all}/{id}"), Value::Null, 400).await;
    }
}

#[tokio::test]
async fn expressions_are_parsed_and_evaluated() {
    let stage = Stage::new().await;
    let (base, job, _) = stage.application().await;
    for parent in [format!("{job}/schema"), format!("{base}/templates/scim/schema")] {
        let path = format!("{parent}/parseExpression");
        let body = json!({
            "expression": "Replace([preferredLanguage], \"-\", , , \"_\", , )",
            "testInputObject": { "definition": null, "properties": [
                { "key": "preferredLanguage", "value": "EN-US" },
                { "key": "proxyAddresses", "value@odata.type": "#Collection(String)", "value": ["a", "b"] },
            ] },
            "targetAttributeDefinition": null,
        });
        let answer = stage.must("POST", &path, body, 200).await;
        assert_eq!(answer["evaluationResult"], json!(["EN_US"]));
        let parameters = &answer["parsedExpression"]["parameters"];
        let keys: Vec<&str> =
            parameters.as_array().into_iter().flatten().filter_map(|one| one["key"].as_str()).collect();
        assert_eq!(keys, ["source", "Find", "Replacement"]);
        let only_parsed = stage.must("POST", &path, json!({ "expression": "[mail]" }), 200).await;
        assert_eq!(
            (&only_parsed["parsingSucceeded"], &only_parsed["evaluationSucceeded"]),
            (&json!(true), &json!(false))
        );
        let wrong = stage.must("POST", &path, json!({ "expression": "Replace(" }), 200).await;
        assert_eq!((&wrong["parsingSucceeded"], &wrong["parsedExpression"]), (&json!(false), &Value::Null));
        assert_eq!(wrong["error"]["code"], "ExpressionParsingFailed");
        stage.must("POST", &path, json!({}), 400).await;
    }
}

#[tokio::test]
async fn operators_and_functions_are_listed_as_published() {
    let stage = Stage::new().await;
    let (_, job, _) = stage.application().await;
    let operators = stage.must("GET", &format!("{job}/schema/filterOperators"), Value::Null, 200).await;
    let find = |list: &Value, id: &str| -> Value {
        let found = list["value"].as_array().and_then(|list| list.iter().find(|one| one["id"] == id));
        found.cloned().unwrap_or_else(|| panic!("{id} is not listed"))
    };
    let (text, all) = (json!(["Integer", "String"]), json!(["Integer", "String", "Binary", "Boolean"]));
    for (id, arity, types) in [
        ("EQUALS", "Binary", &text),
        ("NOT EQUALS", "Binary", &text),
        ("IS TRUE", "Unary", &json!(["Boolean"])),
        ("IS FALSE", "Unary", &json!(["Boolean"])),
        ("IS NULL", "Unary", &all),
        ("IS NOT NULL", "Unary", &all),
        ("REGEX MATCH", "Binary", &text),
        ("NOT REGEX MATCH", "Binary", &text),
    ] {
        let expected = json!({
            "id": id, "arity": arity, "multivaluedComparisonType": "All", "supportedAttributeTypes": types,
        });
        assert_eq!(find(&operators, id), expected);
    }
    let functions = stage.must("GET", &format!("{job}/schema/functions"), Value::Null, 200).await;
    for (id, parameters) in [
        ("DefaultDomain", ""),
        ("IsNothing", "source Boolean"),
        ("Join", "separator String, source String*"),
        ("Mid", "source String, start Integer, length Integer"),
        (
            "Replace",
            "source String, Find? String, RegularExpression? String, RegularExpressionGroupName? String, \
             Replacement? String, ReplacementPropertyName? String, Template? String",
        ),
        ("Switch", "source String, defaultValue? String, switchValue? String*"),
    ] {
        let found = find(&functions, id);
        let listed: Vec<String> = found["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| {
                let mark = |name: &str, wanted: bool, sign: &'static str| {
                    if one[name] == wanted { sign } else { "" }
                };
                format!(
                    "{}{} {}{}",
                    one["name"].as_str().unwrap_or_default(),
                    mark("required", false, "?"),
                    one["type"].as_str().unwrap_or_default(),
                    mark("allowMultipleOccurrences", true, "*"),
                )
            })
            .collect();
        assert_eq!(listed.join(", "), parameters, "{id}");
    }
}

#[tokio::test]
async fn the_description_is_open_and_tells_every_operation() {
    let stage = Stage::new().await;
    let document = stage.with_token("", "GET", "/openapi.json", Value::Null).await.body;
    assert_eq!(
        (&document["openapi"], &document["servers"][0]["url"]),
        (&json!("3.1.0"), &json!("https://usher.test"))
    );
    for operation in usher_server::operations().filter(|operation| !operation.path.contains('|')) {
        let is_told = document["paths"].as_object().is_some_and(|paths| {
            paths.iter().any(|(path, item)| {
                path.replace("microsoft.graph.", "").ends_with(operation.path)
                    && item.get(operation.method.to_lowercase()).is_some()
            })
        });
        assert!(is_told, "{operation:?}");
    }
    let page = stage.with_token("", "GET", "/docs", Value::Null).await.body;
    assert!(page.as_str().is_some_and(|html| html.contains("provisionOnDemand")));
}
