//! The contract of connectors, and what Graph does not take.

use std::sync::atomic::Ordering;

use usher_core::ports::{ConnectorErrorKind, GetRequest, MatchQuery};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::connector::{self, Vocabulary, add};

use crate::stage::Tenant;

fn create(changes: Vec<AttributeChange>) -> Operation {
    Operation { kind: OperationKind::Create, object_type: "User".into(), anchor: None, changes }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connector_keeps_the_contract() {
    let tenant = Tenant::start().await;
    connector::run(&*tenant.connector(&[]), Vocabulary::DIRECTORY, "entra-").await;
    assert!(
        tenant.faults.checked.load(Ordering::SeqCst) > 20,
        "its requests are held against what is published"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_graph_does_not_take_are_left_out_with_the_reason() {
    let tenant = Tenant::start().await;
    let operation = create(vec![
        add("userPrincipalName", "ina@contoso.example"),
        add("displayName", "Ina"),
        add("OnPremisesSamAccountName", "ina"),
        add("MSExchRecipientTypeDetails", "1"),
        add("ThumbnailPhoto", "x"),
    ]);
    let written = tenant.connector(&[]).write(&operation).await.expect("the rest is written");
    let names: Vec<&str> = written.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["OnPremisesSamAccountName", "MSExchRecipientTypeDetails", "ThumbnailPhoto"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_gets_members_in_blocks_of_twenty() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let mut ids = Vec::new();
    for number in 0..45 {
        ids.push(tenant.user(&format!("p{number}")).await);
    }
    let reference = |id: &String| Value::Reference(id.as_str().into());
    let members = |change| AttributeChange {
        attribute: "members".into(),
        change,
        is_reference: true,
        is_multivalued: true,
    };
    let group = Operation { object_type: "Group".into(), ..create(vec![add("displayName", "Retail")]) };
    let group = connector.write(&group).await.expect("the group is made").anchor;
    tenant.seen();
    let update = |change| Operation {
        kind: OperationKind::Update,
        object_type: "Group".into(),
        anchor: Some(group.clone()),
        changes: vec![members(change)],
    };
    let all = Change::Add(ids.iter().map(reference).collect());
    let written = connector.write(&update(all)).await.expect("they are added");
    assert_eq!(written.left_out, []);
    assert_eq!(tenant.seen(), vec![format!("PATCH /v1.0/groups/{}", group.as_str()); 3]);
    // One of a block is there already, another is nobody: the rest comes all the same.
    let late = tenant.user("late").await;
    let nobody = "8f1f0d0e-0000-4000-8000-00000000dead".to_owned();
    let some = Change::Add([&ids[0], &nobody, &late].into_iter().map(reference).collect());
    let written = connector.write(&update(some)).await.expect("what can be added is");
    assert_eq!((written.left_out, written.put_off.len()), (Vec::new(), 1));
    assert_eq!(written.put_off[0].anchor.as_str(), nobody);
    tenant.seen();
    tenant.faults.throttled_parts.store(1, Ordering::SeqCst);
    let replaced = Change::Replace([&ids[1], &late].into_iter().map(reference).collect());
    connector.write(&update(replaced)).await.expect("they are replaced");
    // Forty-four go, twenty in a batch, and one of them is put off.
    let seen = tenant.seen();
    assert_eq!(seen.iter().filter(|line| line.as_str() == "POST /v1.0/$batch").count(), 4, "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("DELETE")), "{seen:?}");
    let held = tenant.client.list(&format!("/v1.0/groups/{}/members?$select=id", group.as_str())).await;
    let mut held: Vec<String> = held
        .expect("they are listed")
        .iter()
        .map(|one| one["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    held.sort();
    let mut wanted = [ids[1].clone(), late];
    wanted.sort();
    assert_eq!(held, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_with_what_to_do() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[("ClientSecret", "not-the-secret")]);
    let query = MatchQuery {
        object_type: "User".into(),
        attribute: "userPrincipalName".into(),
        value: Value::from("x@contoso.example"),
        attributes: Vec::new(),
    };
    let error = connector.check(&query).await.expect_err("the secret is wrong");
    assert_eq!(error.kind, ConnectorErrorKind::Unauthorised);
    assert!(error.to_string().contains("gave no token"), "{error}");
    assert!(!format!("{error:?}").contains("not-the-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_in_the_recycle_bin_is_brought_back_where_that_is_wanted() {
    let tenant = Tenant::start().await;
    let ina = tenant.user("ina").await;
    let path = format!("/v1.0/users/{ina}");
    tenant.client.delete(&path).await.expect("she is deleted");
    let query = MatchQuery {
        object_type: "User".into(),
        attribute: "userPrincipalName".into(),
        value: Value::from("Ina@contoso.example"),
        attributes: vec!["userPrincipalName".into(), "accountEnabled".into()],
    };
    let found = tenant.connector(&[]).find(&query).await.expect("it is answered");
    assert_eq!(found, [], "nobody looks into the bin unasked");

    let connector = tenant.connector(&[("RestoreDeletedUsers", "True")]);
    let found = connector.find(&query).await.expect("it is answered");
    let [found] = found.as_slice() else { panic!("one is found: {found:?}") };
    assert_eq!(found.anchor.as_str(), ina);
    assert_eq!(found.attributes.value("accountEnabled"), Some(&Value::from("False")));
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(found.anchor.clone()),
        changes: vec![add("jobTitle", "Head")],
    };
    let restore = format!("/directory/deletedItems/{ina}/restore");
    assert_eq!(connector.preview(&update)[0].path, restore);
    tenant.seen();
    // For a while the tenant does not know everywhere that she is back.
    tenant.faults.lag.store(2, Ordering::SeqCst);
    connector.write(&update).await.expect("she is restored, then changed");
    let patch = format!("PATCH {path}");
    // The switch goes first and alone; it is what is sent three times here.
    let sent = [format!("POST /v1.0{restore}"), patch.clone(), patch.clone(), patch.clone(), patch];
    assert_eq!(tenant.seen(), sent);
    let user = tenant.client.get(&path).await.expect("she is back");
    assert_eq!(user["jobTitle"], "Head");
    assert_eq!(connector.preview(&update).len(), 1, "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_a_pair_comes_back_from_the_recycle_bin_where_that_is_wanted() {
    let tenant = Tenant::start().await;
    let ina = tenant.user("ina").await;
    let path = format!("/v1.0/users/{ina}");
    tenant.client.delete(&path).await.expect("she is deleted");
    let request = GetRequest {
        object_type: "User".into(),
        anchor: Anchor::new(ina.as_str()),
        attributes: vec!["userPrincipalName".into(), "accountEnabled".into()],
    };
    let found = tenant.connector(&[]).get(&request).await.expect("it is answered");
    assert_eq!(found, None, "nobody looks into the bin unasked");

    let connector = tenant.connector(&[("RestoreDeletedUsers", "True")]);
    let found = connector.get(&request).await.expect("it is answered").expect("she is in the bin");
    assert_eq!(found.attributes.value("accountEnabled"), Some(&Value::from("False")));
    assert_eq!(found.attributes.value("userPrincipalName"), Some(&Value::from("ina@contoso.example")));
    let update = |attribute: &str, value: &str| Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(found.anchor.clone()),
        changes: vec![add(attribute, value)],
    };
    connector.write(&update("jobTitle", "Head")).await.expect("she is restored, then changed");
    let user = tenant.client.get(&format!("{path}?$select=jobTitle,accountEnabled")).await;
    let user = user.expect("she is back");
    assert_eq!((&user["jobTitle"], &user["accountEnabled"]), (&"Head".into(), &false.into()));
    connector.write(&update("accountEnabled", "True")).await.expect("she is switched on");
}
