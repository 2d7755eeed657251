//! Drift: what somebody else did to accounts is told from what is on its way.

use usher_core::ports::{ConnectorError, ConnectorErrorKind};
use usher_engine::PlanRequest;
use usher_expr::Value;
use usher_testkit::Fault;

use crate::stage::{ACCOUNT, Stage};

#[tokio::test]
async fn drift_is_told_from_changes_that_are_on_their_way() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    stage.engine.run_job(&stage.job).await.expect("the store works");
    stage.person("b", &[("jobTitle", Value::from("Boss"))]);
    let accounts = stage.target.objects();
    let account = accounts
        .iter()
        .find(|object| object.attributes.value("userName") == Some(&Value::from("a@x")))
        .expect("it is there");
    let changed: Vec<(&str, Value)> = account
        .attributes
        .iter()
        .map(|(name, value)| {
            let value = if name == "displayName" { Value::from("A. Hacker") } else { value.clone() };
            (name.as_str(), value)
        })
        .collect();
    stage.target.put(ACCOUNT, account.anchor.as_str(), changed);
    stage.target.put(ACCOUNT, "stranger", [("userName", Value::from("stranger@x"))]);
    let plan = stage.plan(&PlanRequest { drift: true, ..stage.request() }).await.plan;
    let told: Vec<(&str, Option<bool>)> =
        plan.objects.iter().map(|object| (object.reportable.as_str(), object.is_drift)).collect();
    assert_eq!(told, [("a@x", Some(true)), ("b@x", Some(false))]);
    let strangers: Vec<&str> = plan.unpaired.iter().map(|one| one.display_name.as_str()).collect();
    assert_eq!(strangers, ["stranger@x"]);
}

#[tokio::test]
async fn a_change_of_the_source_hides_no_drift_of_the_same_person() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c", "d"] {
        stage.person(name, &[("jobTitle", Value::from("Clerk"))]);
    }
    stage.engine.run_job(&stage.job).await.expect("the store works");
    // One change of each side in different attributes, one of the source alone, both in one, one of the target alone.
    for name in ["a", "b", "c"] {
        stage.person(name, &[("jobTitle", Value::from("Boss"))]);
    }
    for (name, attribute, by_hand) in
        [("a", "displayName", "Hacker"), ("c", "title", "King"), ("d", "title", "King")]
    {
        let accounts = stage.target.objects();
        let name = format!("{name}@x");
        let account = accounts
            .iter()
            .find(|object| object.attributes.value("userName") == Some(&Value::from(name.as_str())))
            .expect("it is there");
        let changed = account.attributes.iter().map(|(known, value)| {
            (known.as_str(), if known == attribute { Value::from(by_hand) } else { value.clone() })
        });
        let changed: Vec<(&str, Value)> = changed.collect();
        stage.target.put(ACCOUNT, account.anchor.as_str(), changed);
    }
    let plan = stage.plan(&PlanRequest { drift: true, ..stage.request() }).await.plan;
    let told: Vec<String> = plan
        .objects
        .iter()
        .map(|object| format!("{} {:?} {}", object.reportable, object.is_drift, object.drift.join(" ")))
        .collect();
    assert_eq!(
        told,
        ["a@x Some(true) displayName", "b@x Some(false) ", "c@x Some(true) title", "d@x Some(true) title"]
    );
}

#[tokio::test]
async fn what_a_cycle_failed_to_write_is_nobodys_drift() {
    let stage = Stage::new().await;
    stage.person("a", &[]);
    stage.engine.run_job(&stage.job).await.expect("the store works");
    stage.person("a", &[("jobTitle", Value::from("Boss"))]);
    let refuses = ConnectorError::new(ConnectorErrorKind::Rejected, "Nope", "the target does not like it");
    stage.target.fail_write(Fault::Before(refuses));
    stage.engine.run_job(&stage.job).await.expect("the store works");
    let plan = stage.plan(&PlanRequest { drift: true, ..stage.request() }).await.plan;
    let told: Vec<(&str, Option<bool>)> =
        plan.objects.iter().map(|object| (object.reportable.as_str(), object.is_drift)).collect();
    assert_eq!(told, [("a@x", Some(false))]);
}

#[tokio::test]
async fn what_a_domain_cannot_do_without_is_nobodys_drift() {
    let stage = Stage::new().await;
    let mut schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it reads").to_json();
    let objects = schema["directories"]
        .as_array_mut()
        .expect("directories")
        .iter_mut()
        .flat_map(|directory| directory["objects"].as_array_mut().expect("objects"));
    for object in objects.filter(|object| object["name"] == ACCOUNT) {
        let attributes = object["attributes"].as_array_mut().expect("attributes");
        let mut critical = attributes[0].clone();
        critical["name"] = "isCriticalSystemObject".into();
        critical["type"] = "Boolean".into();
        critical["anchor"] = false.into();
        critical["apiExpressions"] = serde_json::json!([]);
        attributes.push(critical);
    }
    let document = schema.to_string();
    stage
        .engine
        .replace_schema(&stage.application, &stage.job, document.as_bytes())
        .await
        .expect("it is taken");
    let critical = ("isCriticalSystemObject", Value::Boolean(true));
    stage.target.put(ACCOUNT, "m-krbtgt", [("userName", Value::from("krbtgt")), critical]);
    stage.target.put(ACCOUNT, "m-guest", [("sAMAccountName", Value::from("guest"))]);
    let plan = stage.plan(&PlanRequest { drift: true, ..stage.request() }).await.plan;
    let strangers: Vec<&str> = plan.unpaired.iter().map(|one| one.display_name.as_str()).collect();
    assert_eq!(strangers, ["m-guest"], "sAMAccountName is not mapped here, so nobody asks for it");
}

#[tokio::test]
async fn no_plan_is_made_while_the_source_does_not_give_what_it_tells_of() {
    let stage = Stage::new().await;
    stage.person("a", &[]);
    stage.engine.run_job(&stage.job).await.expect("the store works");
    stage.person("a", &[("jobTitle", Value::from("Boss"))]);
    stage.source.withhold("a", true);
    for request in
        [PlanRequest { drift: true, ..stage.request() }, PlanRequest { cycle: true, ..stage.request() }]
    {
        let refused = stage.engine.plan(&stage.application, &request).await.expect_err("it waits");
        assert!(refused.to_string().contains("plan again in a moment"), "{refused}");
    }
    stage.source.give("a");
    let plan = stage.plan(&PlanRequest { drift: true, ..stage.request() }).await.plan;
    let told: Vec<(&str, Option<bool>)> =
        plan.objects.iter().map(|object| (object.reportable.as_str(), object.is_drift)).collect();
    assert_eq!(told, [("a@x", Some(false))]);
}
