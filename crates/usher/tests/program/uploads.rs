//! API-driven provisioning: records come in, a job makes people of them.

use serde_json::{Value, json};

use crate::world::World;

fn record(id: &str, name: &str, boss: Option<&str>, active: bool) -> Value {
    json!({
        "externalId": id, "userName": format!("{name}@feed.example"), "displayName": name, "active": active,
        "name": { "givenName": name, "familyName": "Feed" },
        "emails": [{ "type": "work", "value": format!("{name}@mail.example"), "primary": true }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "Sales", "manager": { "value": boss },
        },
    })
}

async fn person(world: &World, name: &str) -> Value {
    let select = "id,displayName,accountEnabled,department,employeeId,mailNickname,mail";
    let path =
        format!("/v1.0/users/{name}@feed.example?$select={select}&$expand=manager($select=displayName)");
    world.client.get(&path).await.expect("the person is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_records_become_people_and_follow_their_changes() {
    let world = World::start().await;
    let made = world.run(&["app", "create", "hr-feed", "--template", "API2AAD"]).await;
    assert_eq!(made.code, 0, "{}", made.err);
    let app = ["--app", "hr-feed"];
    let upload = async |records: Value| {
        let file = world.file("people.json", &records.to_string());
        world.run(&["job", "upload", "--app", "hr-feed", &file.display().to_string()]).await
    };
    let wait = async || {
        let waited = world.run(&[&["job", "wait", "--timeout", "60"], &app[..]].concat()).await;
        assert_eq!(waited.code, 0, "{} {}", waited.out, waited.err);
    };
    // The report comes before its manager; the reference heals.
    let people = json!([record("2", "rita", Some("1"), true), record("1", "boss", None, true)]);
    let uploaded = upload(people).await;
    assert_eq!(uploaded.code, 0, "{}", uploaded.err);
    assert!(uploaded.out.contains("2 records are staged"), "{}", uploaded.out);
    let started = world.run(&[&["job", "start"], &app[..]].concat()).await;
    assert_eq!(started.code, 0, "{}", started.err);
    wait().await;
    let rita = person(&world, "rita").await;
    assert_eq!((&rita["department"], &rita["employeeId"]), (&json!("Sales"), &json!("2")));
    assert_eq!((&rita["mailNickname"], &rita["mail"]), (&json!("rita"), &json!("rita@mail.example")));
    assert_eq!(rita["manager"]["displayName"], "boss");

    let uploaded = upload(json!([record("2", "rita", None, false)])).await;
    assert_eq!(uploaded.code, 0, "{}", uploaded.err);
    let restarted = world.run(&[&["job", "restart", "--reset", "None"], &app[..]].concat()).await;
    assert_eq!(restarted.code, 0, "{}", restarted.err);
    wait().await;
    let changed = person(&world, "rita").await;
    assert_eq!((&changed["id"], &changed["accountEnabled"]), (&rita["id"], &json!(false)));
    assert_eq!(person(&world, "boss").await["accountEnabled"], true, "who was not uploaded again stays");

    for (records, says) in [
        (json!([{ "userName": "x" }]), "record 1 has no 'externalId'"),
        (json!([]), "it holds no records"),
        (json!(7), "neither a list nor an object"),
    ] {
        let refused = upload(records).await;
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains(says), "{}", refused.err);
    }
    let other = world.file("one.json", &json!([record("9", "nobody", None, true)]).to_string());
    let refused = world.run(&["job", "upload", "--app", "hr-portal", &other.display().to_string()]).await;
    assert!(refused.err.contains("only jobs of API-driven templates take uploads"), "{}", refused.err);
}
