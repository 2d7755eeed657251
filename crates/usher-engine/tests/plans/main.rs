//! Plans: what is reviewed is what is applied, or nothing.

mod drift;
mod failures;
mod guard;
mod random;
mod stage;

use std::time::Duration;

use serde_json::json;
use usher_core::ports::{Clock, EventQuery, Store};
use usher_core::saved::applied::{Outcome, State};
use usher_core::{Action, SkipReason, Status};
use usher_engine::PlanRequest;
use usher_engine::cases::CaseError;
use usher_expr::Value;

use stage::{ACCOUNT, Stage, lines, subject};

#[tokio::test]
async fn a_person_is_planned_reviewed_and_applied_and_then_nothing_is_left() {
    let stage = Stage::new().await;
    stage.person("adele", &[("jobTitle", Value::from("Clerk"))]);
    let plan = stage.plan_of(&["adele"]).await;
    assert_eq!(
        lines(&plan.plan),
        ["create adele@x CREATE /User".replace("/User", &format!("/{ACCOUNT}")).replace(ACCOUNT, "User")]
    );
    assert!(stage.target.written().is_empty() && stage.store.pairings().is_empty());
    let events = stage.store.events(&EventQuery { limit: 9, ..EventQuery::default() }).await;
    assert!(events.expect("it lists").is_empty(), "a plan leaves no trace in the log");
    assert!(plan.plan.has_changes() && plan.plan.counts.create == 1);

    stage.apply_exactly(&plan).await;
    let events = stage.store.events(&EventQuery { limit: 9, ..EventQuery::default() }).await;
    let events = events.expect("it lists");
    assert_eq!((events[0].action, events[0].status), (Action::Create, Status::Success));
    assert_eq!(events[0].cycle, plan.plan.id, "the log names the plan");
    let again = stage.plan_of(&["adele"]).await;
    assert!(!again.plan.has_changes(), "{:?}", lines(&again.plan));
    assert_eq!(again.plan.objects[0].reason, Some(SkipReason::RedundantExport));
    let refused = stage.apply(&plan).await.expect_err("it was applied already");
    assert!(refused.to_string().contains("applied already"), "{refused}");
}

#[tokio::test]
async fn new_objects_refer_to_each_other_by_symbols_whatever_the_order_of_the_source() {
    let stage = Stage::new().await;
    stage.person("ann", &[("manager", Value::Reference("zoe".into()))]);
    stage.person("zoe", &[("manager", Value::Reference("bob".into()))]);
    stage.person("bob", &[]);
    stage.group("Sales", &["ann", "zoe"]);
    let plan = stage.plan_cycle().await;
    let names: Vec<&str> = plan.plan.objects.iter().map(|object| object.reportable.as_str()).collect();
    assert_eq!(names, ["bob@x", "zoe@x", "ann@x", "Sales"], "managers go first");
    let told = plan.document.to_string();
    assert!(told.contains("@new-user-3") && told.contains("@new-group-4"), "{told}");
    stage.apply_exactly(&plan).await;
    let zoe = stage
        .target
        .objects()
        .into_iter()
        .find(|object| object.attributes.value("userName") == Some(&Value::from("zoe@x")));
    assert!(zoe.expect("she is there").attributes.value(&format!("{ACCOUNT}:manager")).is_some());
    assert!(!stage.plan_cycle().await.plan.has_changes());
}

#[tokio::test]
async fn an_outside_change_stops_the_application_and_says_what_changed() {
    let stage = Stage::new().await;
    for name in ["adele", "megan"] {
        stage.person(name, &[]);
        stage.apply_exactly(&stage.plan_of(&[name]).await).await;
    }
    for name in ["adele", "megan"] {
        stage.person(name, &[("jobTitle", Value::from("Boss"))]);
    }
    let plan = stage.plan_of(&["adele", "megan"]).await;
    assert_eq!(plan.plan.counts.update, 2);
    // Somebody changes Megan's account by hand.
    let anchor = plan.plan.objects[1].target_anchor.clone().expect("she has an account");
    let account = stage.target.object(anchor.as_str()).expect("it is there");
    let changed = account.attributes.iter().map(|(name, value)| {
        let value = if name == "displayName" { Value::from("Meg") } else { value.clone() };
        (name.as_str(), value)
    });
    let changed: Vec<(&str, Value)> = changed.collect();
    stage.target.put(ACCOUNT, anchor.as_str(), changed);
    let before = stage.target.written().len();
    let applied = stage.apply(&plan).await.expect("the answer says so");
    assert_eq!(applied.state, State::Stopped);
    assert_eq!((applied.objects.len(), applied.done, applied.total), (2, 1, 2));
    assert_eq!(applied.objects[0].outcome, Outcome::Done);
    let stopped = &applied.objects[1];
    assert_eq!(stopped.outcome, Outcome::Refused);
    let said: Vec<String> = stopped.differences.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["displayName in the target was \"megan\" and is \"Meg\""]);
    assert_eq!(stage.target.written().len(), before + 1, "Megan was not written");

    // The change is taken back: the application goes on where it stopped.
    let original: Vec<(&str, Value)> =
        account.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    stage.target.put(ACCOUNT, anchor.as_str(), original);
    let applied = stage.apply(&plan).await.expect("it goes on");
    assert_eq!((applied.state, applied.objects.len()), (State::Applied, 1));
    assert!(!stage.plan_of(&["adele", "megan"]).await.plan.has_changes());
}

#[tokio::test]
async fn a_change_of_the_source_an_account_that_turned_up_and_a_lost_pair_are_differences_too() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let plan = stage.plan_of(&["adele"]).await;
    stage.person("adele", &[("jobTitle", Value::from("Boss"))]);
    let applied = stage.apply(&plan).await.expect("the answer says so");
    let said = applied.objects[0].differences[0].to_string();
    assert_eq!(said, "jobTitle in the source was nothing and is \"Boss\"");
    stage.person("adele", &[]);
    stage.target.put(ACCOUNT, "t-1", [("userName", Value::from("adele@x"))]);
    let applied = stage.apply(&plan).await.expect("the answer says so");
    let said: Vec<String> = applied.objects[0].differences.iter().map(ToString::to_string).collect();
    assert!(said.contains(&"the target object was \"@new-user-1\" and is \"t-1\"".to_owned()), "{said:?}");
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn a_changed_file_is_refused_whatever_was_changed() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let plan = stage.plan_of(&["adele"]).await;
    let id = plan.plan.id.as_str();
    let mut wrong = Vec::new();
    for change in ["value", "member", "order", "signature", "nothing"] {
        let mut document = plan.document.clone();
        match change {
            "value" => document["objects"][0]["requests"][0]["body"]["add userName"] = json!(["eve@x"]),
            "member" => document["objects"][0]["more"] = json!(1),
            "order" => document["objects"] = json!([]),
            "signature" => document["signature"] = json!("00"),
            _ => drop(document.as_object_mut().expect("an object").shift_remove("signature")),
        }
        let initiator = stage::initiator();
        let outcome =
            stage.engine.apply_plan(&stage.application, &stage.job, id, Some(&document), initiator).await;
        match outcome {
            Err(CaseError::Invalid { message, .. }) if message.contains("was changed after it was made") => {}
            other => wrong.push(format!("{change}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(stage.target.written().is_empty());
    let other = Stage::new().await;
    other.clock.guid();
    other.person("adele", &[]);
    let refused = other.apply(&plan).await.expect_err("another service made it");
    assert!(refused.to_string().contains("another service made it"), "{refused}");
}

#[tokio::test]
async fn a_plan_is_bound_to_schema_and_connection() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let plan = stage.plan_of(&["adele"]).await;
    stage.secrets(&[("SyncAll", "true")]).await;
    let refused = stage.apply(&plan).await.expect_err("the secrets are others");
    assert!(refused.to_string().contains("settings or secrets"), "{refused}");
    let plan = stage.plan_of(&["adele"]).await;
    let mut schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it has one");
    schema.synchronization_rules[0].name = "renamed".into();
    let document = schema.to_json().to_string();
    stage
        .engine
        .replace_schema(&stage.application, &stage.job, document.as_bytes())
        .await
        .expect("it is good");
    let refused = stage.apply(&plan).await.expect_err("the schema is another");
    assert!(refused.to_string().contains("schema of the job is another"), "{refused}");
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn random_values_come_out_as_planned_and_stand_in_no_plan() {
    let stage = Stage::new().await;
    let mut schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it has one");
    let mut mapping = schema.synchronization_rules[0].object_mappings[0]
        .attribute_mappings
        .iter()
        .find(|mapping| mapping.target_attribute_name == "displayName")
        .expect("it is mapped")
        .to_owned();
    mapping.target_attribute_name = "title".into();
    let mut json = schema.to_json();
    let rules = &mut json["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
    let list = rules.as_array_mut().expect("a list");
    list.retain(|one| one["targetAttributeName"] != "title");
    list.push(json!({
        "targetAttributeName": "title", "flowType": "Always", "flowBehavior": "FlowWhenChanged",
        "matchingPriority": 0,
        "source": { "type": "Function", "name": "Redact",
            "expression": "Redact(RandomString(20, 3, 3, 3, 3, \"\"))" },
    }));
    schema = usher_core::schema::read(json.to_string().as_bytes()).schema.expect("it reads");
    stage
        .engine
        .replace_schema(&stage.application, &stage.job, schema.to_json().to_string().as_bytes())
        .await
        .expect("it is good");
    stage.person("adele", &[]);
    let plan = stage.plan_of(&["adele"]).await;
    assert!(plan.document.to_string().contains("[Redact]"));
    let applied = stage.apply(&plan).await.expect("it can be applied");
    assert_eq!(applied.state, State::Applied, "{:?}", applied.objects);
    let written = stage.target.written();
    let drawn = written[0].changes.iter().find(|change| change.attribute == "title").expect("it is sent");
    let usher_core::Change::Add(values) = &drawn.change else { panic!("it is added") };
    let value = values[0].to_text();
    assert_eq!(value.chars().count(), 20);
    assert!(!plan.document.to_string().contains(value.as_str()));
    assert!(!serde_json::to_string(&applied).expect("it has a form").contains(value.as_str()));
}

#[tokio::test]
async fn an_account_that_is_gone_is_told_as_one_difference() {
    let stage = Stage::new().await;
    stage.person("a", &[]);
    stage.apply_exactly(&stage.plan_of(&["a"]).await).await;
    stage.person("a", &[("jobTitle", Value::from("Boss"))]);
    let plan = stage.plan_of(&["a"]).await;
    let anchor = plan.plan.objects[0].target_anchor.clone().expect("it is paired");
    stage.target.remove(anchor.as_str());
    let applied = stage.apply(&plan).await.expect("the answer says so");
    let said: Vec<String> = applied.objects[0].differences.iter().map(ToString::to_string).collect();
    let mut once = said.clone();
    once.dedup();
    assert!(!said.is_empty() && once == said, "{said:?}");
}

#[tokio::test]
async fn two_people_who_would_become_one_account_are_a_conflict() {
    let stage = Stage::new().await;
    stage.person("a", &[]);
    stage.person("b", &[("userPrincipalName", Value::from("A@x"))]);
    let plan = stage.plan_cycle().await;
    let told = lines(&plan.plan);
    assert!(
        told[0].starts_with("create a@x") && told[1].starts_with("DuplicateSourceEntries A@x"),
        "{told:?}"
    );
    assert_eq!((plan.plan.counts.create, plan.plan.counts.failed), (1, 1));
    let applied = stage.apply(&plan).await.expect("it can be applied");
    let outcomes: Vec<Outcome> = applied.objects.iter().map(|object| object.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::NotPlanned], "the other is told, and not counted as done");
    assert!(applied.state == State::Incomplete && !applied.is_complete());
    let stored = stage.engine.stored_plan(&stage.application, &stage.job, &plan.plan.id).await;
    assert_eq!(stored.expect("it is there").progress.state, State::Incomplete, "the service says the same");
    let applied = stage.apply(&plan).await.expect("there is nothing to do again");
    assert_eq!((applied.state, stage.target.objects().len()), (State::Incomplete, 1));
}

#[tokio::test]
async fn two_new_people_are_not_planned_to_have_one_unique_value() {
    let stage = Stage::new().await;
    let schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it has one");
    let mut json = schema.to_json();
    let list = json["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        .as_array_mut()
        .expect("a list");
    list.retain(|one| one["targetAttributeName"] != "title");
    list.push(json!({
        "targetAttributeName": "title", "flowType": "ObjectAddOnly", "flowBehavior": "FlowWhenChanged",
        "matchingPriority": 0,
        "source": { "type": "Function", "name": "SelectUniqueValue",
            "expression": "SelectUniqueValue([department], Append([department], \"2\"))" },
    }));
    let document = json.to_string();
    stage
        .engine
        .replace_schema(&stage.application, &stage.job, document.as_bytes())
        .await
        .expect("it is good");
    for name in ["a", "b"] {
        stage.person(name, &[("department", Value::from("smith"))]);
    }
    let plan = stage.plan_cycle().await;
    let told = plan.document.to_string();
    assert!(told.contains("\"smith\"") && told.contains("\"smith2\""), "{told}");
    stage.apply_exactly(&plan).await;
    assert!(!stage.plan_cycle().await.plan.has_changes());
}

#[tokio::test]
async fn a_plan_that_was_deleted_is_not_applied_whoever_kept_the_document() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let plan = stage.plan_of(&["adele"]).await;
    let id = plan.plan.id.as_str();
    stage.engine.remove_plan(&stage.application, &stage.job, id).await.expect("it is deleted");
    let refused = stage.apply(&plan).await.expect_err("it was deleted");
    assert!(refused.to_string().contains("was deleted"), "{refused}");
    assert!(stage.target.written().is_empty());
    let again = stage.engine.remove_plan(&stage.application, &stage.job, id).await;
    again.expect_err("there is none any more");
}

#[tokio::test]
async fn an_explanation_tells_clauses_questions_and_every_part_of_every_mapping() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let parameters = vec![usher_engine::Parameters {
        rule: usher_core::RuleId::new("9c5e7a10-52a4-4a0e-8d5b-2b8a6c3f1d01"),
        subjects: vec![subject("User", "adele")],
    }];
    let request = PlanRequest { parameters, ..stage.request() };
    let plan = stage.engine.explain(&stage.application, &request).await.expect("it is explained");
    let explanation = plan.objects[0].explanation.as_ref().expect("it was asked for");
    assert!(
        explanation
            .questions
            .iter()
            .any(|asked| { asked.question.ends_with("has userName \"adele@x\"?") && asked.answer == "none" }),
        "{:?}",
        explanation.questions
    );
    let active = explanation.mappings.iter().find(|mapped| mapped.target == "active").expect("mapped");
    assert!(active.source.contains("IsSoftDeleted") && !active.parts.is_empty(), "{active:?}");
    assert!(stage.engine.plans(&stage.application, &stage.job).await.expect("it lists").is_empty());
}

#[tokio::test]
async fn source_objects_are_kept_only_when_the_job_says_so_and_only_so_long() {
    let stage = Stage::new().await;
    stage.person("adele", &[("manager", Value::Reference("boss".into()))]);
    stage.engine.run_job(&stage.job).await.expect("the store works");
    let recorded =
        async || stage.engine.recordings(&stage.application, &stage.job, None).await.expect("it lists").0;
    assert!(recorded().await.is_empty(), "nothing is kept unless the job says so");
    let set = async |value: &str| {
        let settings = [("KeepSourceObjects".to_owned(), value.to_owned())];
        stage.engine.update_job(&stage.application, &stage.job, None, &settings).await
    };
    assert!(set("a while").await.is_err());
    set("P7D").await.expect("it is set");
    stage.person("megan", &[("jobTitle", Value::from("Clerk"))]);
    stage.clock.advance(Duration::from_secs(2400));
    stage.engine.run_job(&stage.job).await.expect("the store works");
    let kept = recorded().await;
    assert_eq!(kept.len(), 1);
    let person = &kept[0].person;
    assert_eq!((&person["id"], &person["source"]["jobTitle"]), (&json!("megan"), &json!("Clerk")));
    assert_eq!(kept[0].requests.len(), 1);
    assert!(kept[0].explanation.mappings.iter().any(|mapped| mapped.value == "\"Clerk\""));
    let event = stage.engine.recording(&stage.application, &stage.job, &kept[0].event).await;
    assert_eq!(event.expect("it is there"), kept[0]);
    stage.clock.advance(Duration::from_secs(6 * 24 * 3600));
    stage.engine.run_jobs(std::future::ready(())).await;
    assert_eq!(recorded().await.len(), 1);
    stage.clock.advance(Duration::from_secs(2 * 24 * 3600));
    stage.engine.run_jobs(std::future::ready(())).await;
    assert!(recorded().await.iter().all(|one| one.event != kept[0].event), "its time is over");
    stage.person("late", &[]);
    stage.engine.run_job(&stage.job).await.expect("the store works");
    set("Off").await.expect("it is set");
    stage.clock.advance(Duration::from_secs(3601));
    stage.engine.run_jobs(std::future::ready(())).await;
    assert!(recorded().await.is_empty(), "a job that keeps nothing any more has nothing");
}

#[tokio::test]
async fn plans_are_listed_removed_pruned_and_go_with_their_job() {
    let stage = Stage::new().await;
    stage.person("adele", &[]);
    let (one, two) = (stage.plan_of(&["adele"]).await, stage.plan_of(&["adele"]).await);
    let ids = async || -> Vec<String> {
        let plans = stage.engine.plans(&stage.application, &stage.job).await.expect("it lists");
        plans.iter().map(|plan| plan.plan.id.to_string()).collect()
    };
    assert_eq!(ids().await.len(), 2);
    stage.engine.remove_plan(&stage.application, &stage.job, &one.plan.id).await.expect("it is there");
    assert_eq!(ids().await, [two.plan.id.to_string()]);
    let gone = stage.engine.remove_plan(&stage.application, &stage.job, &one.plan.id).await;
    assert!(matches!(gone, Err(CaseError::NotFound { .. })));
    stage.apply_exactly(&two).await;
    let stored = stage.engine.stored_plan(&stage.application, &stage.job, &two.plan.id).await;
    assert_eq!(stored.expect("it is there").progress.state, State::Applied);
    stage.clock.advance(Duration::from_secs(31 * 24 * 3600));
    stage.engine.run_jobs(std::future::ready(())).await;
    assert!(ids().await.is_empty(), "plans are kept as long as the log");
    stage.plan_of(&["adele"]).await;
    stage.engine.remove_job(&stage.application, &stage.job).await.expect("it is there");
    let left = stage.store.setting_names("plan/").await.expect("it lists");
    assert!(left.is_empty(), "{left:?}");
}
