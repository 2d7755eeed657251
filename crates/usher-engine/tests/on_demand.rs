//! On demand, story by story: what the source and the target hold goes in, what was done and logged comes out.

use std::sync::Arc;
use std::time::Duration;

use usher_core::escrow::SETTLES_AFTER;
use usher_core::ports::{
    Commit, ConnectorError, ConnectorErrorKind, Effect, EventQuery, PairingChange, Store, StoredSecret,
};
use usher_core::{
    Action, Entry, EntryId, EntryKind, Initiator, JobId, OperationKind, RuleId, Secret, SkipReason, Status,
};
use usher_engine::cases::CaseError;
use usher_engine::{Engine, LinkedObjects, OnDemandAnswer, OnDemandRequest, Parameters, Settings, Subject};
use usher_expr::Value;
use usher_testkit::{Fault, ManualClock, MemoryConnector, MemoryConnectors, MemoryStore, suites};

const ACCOUNT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const TEAM: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const RULE: &str = "9c5e7a10-52a4-4a0e-8d5b-2b8a6c3f1d01";

struct Stage {
    engine: Engine,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    source: Arc<MemoryConnector>,
    target: Arc<MemoryConnector>,
    application: EntryId,
    job: JobId,
}

impl Stage {
    async fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        let target = Arc::new(MemoryConnector::new(&["userName"]));
        let connectors =
            MemoryConnectors::default().with("directory", source.clone()).with("scim", target.clone());
        let engine = Engine::new(store.clone(), Arc::new(connectors), clock.clone(), Settings::new("tenant"));
        let properties = serde_json::json!({ "appId": "app", "displayName": "HR Portal" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let job = engine.create_job(&entry.id, "scim").await.expect("the job is made").id;
        let stage = Self { engine, store, clock, source, target, application: entry.id, job };
        stage.person("adele", &[]);
        stage
    }

    /// A person in the source, assigned.
    fn person(&self, name: &str, more: &[(&str, Value)]) {
        let upn = format!("{name}@x");
        let attributes =
            [("userPrincipalName", Value::from(upn.as_str())), ("displayName", Value::from(name))];
        self.source.put("User", name, attributes.into_iter().chain(more.iter().cloned()));
        self.source.entitle(name, true, true);
    }

    async fn ask(&self, request: OnDemandRequest) -> Result<OnDemandAnswer, CaseError> {
        self.engine.provision_on_demand(&self.application, request).await
    }

    async fn provision(&self, name: &str) -> OnDemandAnswer {
        self.ask(self.request(subject("User", name))).await.expect("the request is right")
    }

    fn request(&self, subject: Subject) -> OnDemandRequest {
        OnDemandRequest {
            job: self.job.clone(),
            parameters: vec![Parameters { rule: RuleId::new(RULE), subjects: vec![subject] }],
            dry_run: false,
            initiated_by: Initiator {
                id: String::new(),
                display_name: "test".to_owned(),
                initiator_type: "system".to_owned(),
            },
        }
    }

    fn created(&self) -> usize {
        self.target.written().iter().filter(|operation| operation.kind == OperationKind::Create).count()
    }

    fn value(&self, user_name: &str, attribute: &str) -> String {
        let objects = self.target.objects();
        let found = objects
            .iter()
            .find(|object| object.attributes.value("userName") == Some(&Value::from(user_name)))
            .expect("the account is there");
        found.attributes.value(attribute).map(|value| value.to_text().to_string()).unwrap_or_default()
    }
}

fn subject(kind: &str, id: &str) -> Subject {
    Subject { object_id: id.to_owned(), object_type: kind.to_owned(), links: LinkedObjects::default() }
}

fn failure(kind: ConnectorErrorKind, effect: Effect) -> ConnectorError {
    ConnectorError { effect, ..ConnectorError::new(kind, "Timeout", "the target did not answer") }
}

#[tokio::test]
async fn a_new_person_is_created_paired_and_logged() {
    let stage = Stage::new().await;
    let answer = stage.provision("adele").await;
    assert_eq!((answer.event.action, answer.event.status), (Action::Create, Status::Success));
    assert_eq!(stage.created(), 1);
    assert_eq!(stage.value("adele@x", "active"), "True");
    let pairings = stage.store.pairings();
    assert_eq!(pairings.len(), 1);
    assert!(pairings[0].is_managed);
    let events =
        stage.store.events(&EventQuery { limit: 9, ..EventQuery::default() }).await.expect("it lists");
    assert_eq!(events, [answer.event]);
}

#[tokio::test]
async fn the_same_person_again_is_skipped_and_written_nothing() {
    let stage = Stage::new().await;
    stage.provision("adele").await;
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.skip_reason, Some(SkipReason::RedundantExport));
    assert_eq!(stage.target.written().len(), 1);
}

#[tokio::test]
async fn a_dry_run_plans_the_same_and_writes_nothing_anywhere() {
    let stage = Stage::new().await;
    let dry = OnDemandRequest { dry_run: true, ..stage.request(subject("User", "adele")) };
    let planned = stage.ask(dry).await.expect("the request is right");
    assert_eq!(planned.event.action, Action::Create);
    assert_eq!(planned.requests.len(), 1);
    assert!(stage.target.written().is_empty());
    assert!(stage.store.pairings().is_empty());
    let events =
        stage.store.events(&EventQuery { limit: 9, ..EventQuery::default() }).await.expect("it lists");
    assert!(events.is_empty());
    let done = stage.provision("adele").await;
    assert_eq!(done.event.modified_properties, planned.event.modified_properties);
    assert_eq!(done.requests, planned.requests, "what is applied is what was shown");
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_resolved_by_matching_again() {
    let stage = Stage::new().await;
    stage.target.fail_write(Fault::After(failure(ConnectorErrorKind::Unreachable, Effect::Unknown)));
    let answer = stage.provision("adele").await;
    assert_eq!((answer.event.action, answer.event.status), (Action::Create, Status::Success));
    assert_eq!(stage.created(), 1, "there is no second create");
    assert_eq!(stage.target.objects().len(), 1);
    assert_eq!(stage.store.pairings().len(), 1);
}

#[tokio::test]
async fn a_create_that_never_arrived_fails_and_the_next_request_creates() {
    let stage = Stage::new().await;
    stage.target.fail_write(Fault::Before(failure(ConnectorErrorKind::Unreachable, Effect::Unknown)));
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.failure.as_ref().map(|failure| failure.code.as_str()), Some("Timeout"));
    assert!(stage.target.objects().is_empty());
    assert!(stage.store.pairings().is_empty());
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Failure, "the create may still be on its way");
    stage.clock.advance(SETTLES_AFTER);
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Success);
    assert_eq!(stage.target.objects().len(), 1);
    assert!(stage.store.escrows().is_empty(), "nothing is left to find out");
}

#[tokio::test]
async fn a_create_that_was_refused_leaves_nothing_to_settle() {
    let stage = Stage::new().await;
    let refused = ConnectorError::new(ConnectorErrorKind::Rejected, "MissingValues", "the target wants more");
    stage.target.fail_write(Fault::Before(refused));
    assert_eq!(stage.provision("adele").await.event.status, Status::Failure);
    assert!(stage.store.escrows().is_empty());
    assert_eq!(stage.provision("adele").await.event.status, Status::Success);
}

#[tokio::test]
async fn a_lost_create_is_found_under_the_name_that_was_sent() {
    let stage = Stage::new().await;
    stage.target.lag_finds(1);
    stage.target.fail_write(Fault::After(failure(ConnectorErrorKind::Unreachable, Effect::Unknown)));
    assert_eq!(stage.provision("adele").await.event.status, Status::Failure);
    stage.person("adele", &[("userPrincipalName", Value::from("vance@x"))]);
    stage.clock.advance(SETTLES_AFTER);
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Success);
    assert_eq!(stage.target.objects().len(), 1, "the account is renamed, no second one is made");
    assert_eq!(stage.value("vance@x", "displayName"), "adele");
}

#[tokio::test]
async fn a_lost_create_of_somebody_who_left_is_switched_off() {
    let stage = Stage::new().await;
    stage.target.lag_finds(1);
    stage.target.fail_write(Fault::After(failure(ConnectorErrorKind::Unreachable, Effect::Unknown)));
    assert_eq!(stage.provision("adele").await.event.status, Status::Failure);
    stage.source.entitle("adele", false, false);
    let answer = stage.provision("adele").await;
    assert_eq!((answer.event.action, answer.event.status), (Action::Disable, Status::Success));
    assert_eq!(stage.value("adele@x", "active"), "False");
}

#[tokio::test]
async fn a_lost_create_that_searches_do_not_show_yet_is_not_created_twice() {
    let stage = Stage::new().await;
    stage.target.lag_finds(3);
    stage.target.fail_write(Fault::After(failure(ConnectorErrorKind::Unreachable, Effect::Unknown)));
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Failure);
    for _ in 0..4 {
        stage.provision("adele").await;
    }
    assert_eq!(stage.target.objects().len(), 1);
    assert_eq!(stage.store.pairings().len(), 1, "the match finds it in the end");
}

#[tokio::test]
async fn a_throttling_target_is_waited_for() {
    let stage = Stage::new().await;
    let throttled = ConnectorError {
        retry_after: Some(Duration::from_secs(2)),
        ..ConnectorError::new(ConnectorErrorKind::Throttled, "TooManyRequests", "too many requests")
    };
    stage.target.fail_write(Fault::Before(throttled));
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Success);
    assert_eq!(stage.clock.waited(), [Duration::from_secs(2)]);
}

#[tokio::test]
async fn a_target_that_throttles_for_long_is_not_waited_for() {
    let stage = Stage::new().await;
    let throttled = ConnectorError {
        retry_after: Some(Duration::from_secs(600)),
        ..ConnectorError::new(ConnectorErrorKind::Throttled, "TooManyRequests", "too many requests")
    };
    stage.target.fail_write(Fault::Before(throttled));
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.failure.map(|failure| failure.code), Some("TooManyRequests".into()));
    assert!(stage.clock.waited().is_empty());
}

#[tokio::test]
async fn an_unassigned_person_is_switched_off_once_and_then_left_alone() {
    let stage = Stage::new().await;
    stage.provision("adele").await;
    stage.source.entitle("adele", false, false);
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.action, Action::Disable);
    assert_eq!(stage.value("adele@x", "active"), "False");
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.skip_reason, Some(SkipReason::NotEffectivelyEntitled));
    stage.source.entitle("adele", true, true);
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.action, Action::Update);
    assert_eq!(stage.value("adele@x", "active"), "True");
}

#[tokio::test]
async fn a_person_who_was_deleted_from_the_target_is_an_invalid_anchor() {
    let stage = Stage::new().await;
    stage.provision("adele").await;
    let anchor = stage.store.pairings()[0].target_anchor.clone();
    stage.target.remove(anchor.as_str());
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.failure.map(|failure| failure.code), Some("InvalidAnchor".into()));
    assert_eq!(stage.created(), 1);
}

#[tokio::test]
async fn a_target_that_is_down_stops_before_anything_is_written() {
    let stage = Stage::new().await;
    stage.target.fail_read(failure(ConnectorErrorKind::Unreachable, Effect::None));
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.status, Status::Failure);
    assert_eq!(answer.event.steps.len(), 1);
    assert_eq!(answer.event.steps[0].step.name, "EntryTestConnection");
    let told = &answer.event.steps[0].step.description;
    assert!(told.contains("the target HR Portal failed the test of the connection: "), "{told}");
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn the_manager_comes_first_and_the_reference_follows() {
    let stage = Stage::new().await;
    stage.person("megan", &[]);
    stage.person("adele", &[("manager", Value::Reference("megan".into()))]);
    let mut adele = subject("User", "adele");
    adele.links.manager = Some(Box::new(subject("User", "megan")));
    let answer = stage.ask(stage.request(adele)).await.expect("the request is right");
    assert_eq!(answer.linked.len(), 1);
    assert_eq!(answer.event.status, Status::Success);
    assert!(!stage.value("adele@x", MANAGER).is_empty());
}

#[tokio::test]
async fn two_who_manage_each_other_come_through() {
    let stage = Stage::new().await;
    stage.person("megan", &[("manager", Value::Reference("adele".into()))]);
    stage.person("adele", &[("manager", Value::Reference("megan".into()))]);
    let mut adele = subject("User", "adele");
    adele.links.manager = Some(Box::new(subject("User", "megan")));
    let answer = stage.ask(stage.request(adele)).await.expect("the request is right");
    assert_eq!(answer.linked[0].status, Status::Warning, "Adele has no account yet");
    assert_eq!(answer.event.status, Status::Success);
    let megan = stage.provision("megan").await;
    assert_eq!((megan.event.action, megan.event.status), (Action::Update, Status::Success));
}

#[tokio::test]
async fn a_group_comes_with_the_members_that_are_named() {
    let stage = Stage::new().await;
    stage.person("megan", &[]);
    let members: Vec<Value> = ["adele", "megan", "alex"].map(|name| Value::Reference(name.into())).to_vec();
    stage.source.put(
        "Group",
        "retail",
        [("displayName", Value::from("Retail")), ("members", Value::List(members.into()))],
    );
    stage.source.entitle("retail", true, true);
    let mut group = subject("Group", "retail");
    group.links.members = vec![subject("User", "adele"), subject("User", "megan")];
    let answer = stage.ask(stage.request(group.clone())).await.expect("the request is right");
    assert_eq!(answer.event.status, Status::Success);
    let team =
        stage.target.objects().into_iter().find(|object| object.object_type == TEAM).expect("it is there");
    assert!(matches!(team.attributes.value("members"), Some(Value::List(members)) if members.len() == 2));
    let again = stage.ask(stage.request(group)).await.expect("the request is right");
    assert_eq!(again.event.skip_reason, Some(SkipReason::RedundantExport));
}

#[tokio::test]
async fn requests_that_are_wrong_are_refused_and_change_nothing() {
    let stage = Stage::new().await;
    let refused = |request: OnDemandRequest| async {
        match stage.ask(request).await {
            Err(CaseError::Invalid { code, .. }) => code,
            Err(CaseError::NotFound { .. }) => "NotFound",
            other => panic!("it was taken: {}", other.is_ok()),
        }
    };
    let right = || stage.request(subject("User", "adele"));
    assert_eq!(refused(OnDemandRequest { job: JobId::new("no"), ..right() }).await, "NotFound");
    assert_eq!(refused(OnDemandRequest { parameters: Vec::new(), ..right() }).await, "Request_BadRequest");
    let mut request = right();
    request.parameters[0].rule = RuleId::new("no");
    assert_eq!(refused(request).await, "RequestParameterInvalid");
    assert_eq!(refused(stage.request(subject("Device", "x"))).await, "Request_BadRequest");
    assert_eq!(refused(stage.request(subject("User", " "))).await, "Request_BadRequest");
    let mut group = subject("Group", "retail");
    group.links.members = vec![subject("User", "adele"); 6];
    assert_eq!(refused(stage.request(group)).await, "Request_BadRequest");
    let mut deep = subject("Group", "retail");
    let mut inner = subject("User", "adele");
    inner.links.manager = Some(Box::new(subject("User", "megan")));
    deep.links.members = vec![inner];
    assert_eq!(refused(stage.request(deep)).await, "Request_BadRequest");
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn a_person_the_source_does_not_have_is_a_failure_that_says_so() {
    let stage = Stage::new().await;
    let answer = stage.provision("nobody").await;
    assert_eq!(answer.event.failure.map(|failure| failure.code), Some("EntryNotFound".into()));
}

#[tokio::test]
async fn sync_all_takes_people_without_assignment() {
    let stage = Stage::new().await;
    stage.source.entitle("adele", false, false);
    let secrets = [StoredSecret { key: "SyncAll".to_owned(), value: Secret::new("true") }];
    stage.store.put_secrets(&stage.application, &secrets).await.expect("they are stored");
    assert_eq!(stage.provision("adele").await.event.status, Status::Success);
}

#[tokio::test]
async fn an_account_of_somebody_else_is_not_taken_over() {
    let stage = Stage::new().await;
    stage.target.put(ACCOUNT, "t-1", [("userName", Value::from("adele@x"))]);
    let other = usher_core::Pairing {
        job: stage.job.clone(),
        source_type: "User".into(),
        source_anchor: usher_core::Anchor::new("somebody"),
        target_type: ACCOUNT.into(),
        target_anchor: usher_core::Anchor::new("t-1"),
        is_managed: true,
        display_name: "somebody".to_owned(),
        confirmed_at: suites::store::at(1),
        trace: Default::default(),
    };
    let commit = Commit { pairings: vec![PairingChange::Put(other)], ..Commit::default() };
    stage.store.commit(&commit).await.expect("it is stored");
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.failure.map(|failure| failure.code), Some("DuplicateSourceEntries".into()));
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn many_requests_for_one_person_at_once_create_one_account() {
    let stage = Arc::new(Stage::new().await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let stage = stage.clone();
            tokio::spawn(async move { stage.provision("adele").await.event.status })
        })
        .collect();
    for task in tasks {
        assert_ne!(task.await.expect("no task panics"), Status::Failure);
    }
    assert_eq!(stage.created(), 1);
}

#[tokio::test]
async fn a_store_that_fails_after_the_write_loses_nothing_that_matching_cannot_find() {
    let stage = Stage::new().await;
    stage.store.fail_commits_after(1, 1);
    assert!(stage.ask(stage.request(subject("User", "adele"))).await.is_err());
    assert_eq!(stage.target.objects().len(), 1);
    let answer = stage.provision("adele").await;
    assert_eq!(answer.event.skip_reason, Some(SkipReason::RedundantExport));
    assert_eq!((stage.target.objects().len(), stage.store.pairings().len()), (1, 1));
}
