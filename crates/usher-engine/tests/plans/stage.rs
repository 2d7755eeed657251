//! Plans for a job between two directories in memory.

#[path = "../stage/mod.rs"]
mod base;

use std::collections::BTreeMap;

use usher_core::ports::{Connector, PreparedRequest};
use usher_core::saved::applied::{Applied, State};
use usher_core::saved::symbols::resolved;
use usher_core::saved::{PlannedObject, SavedPlan};
use usher_core::{Anchor, Initiator, RuleId};
use usher_engine::cases::CaseError;
use usher_engine::cases::plans::StoredPlan;
use usher_engine::{LinkedObjects, Parameters, PlanRequest, Subject};

pub use base::{ACCOUNT, Stage};

const RULE: &str = "9c5e7a10-52a4-4a0e-8d5b-2b8a6c3f1d01";

impl Stage {
    /// A started job over empty directories.
    pub async fn new() -> Self {
        Self::with(|clock| clock).await
    }

    pub fn request(&self) -> PlanRequest {
        PlanRequest {
            job: self.job.clone(),
            parameters: Vec::new(),
            cycle: false,
            drift: false,
            explain: false,
            initiated_by: initiator(),
        }
    }

    pub fn request_of(&self, names: &[&str]) -> PlanRequest {
        let subjects = names.iter().map(|name| subject("User", name)).collect();
        let parameters = vec![Parameters { rule: RuleId::new(RULE), subjects }];
        PlanRequest { parameters, ..self.request() }
    }

    pub async fn plan_of(&self, names: &[&str]) -> StoredPlan {
        self.plan(&self.request_of(names)).await
    }

    pub async fn plan_cycle(&self) -> StoredPlan {
        self.plan(&PlanRequest { cycle: true, ..self.request() }).await
    }

    pub async fn plan(&self, request: &PlanRequest) -> StoredPlan {
        self.engine.plan(&self.application, request).await.expect("it is planned")
    }

    pub async fn apply(&self, plan: &StoredPlan) -> Result<Applied, CaseError> {
        let id = plan.plan.id.as_str();
        self.engine.apply_plan(&self.application, &self.job, id, Some(&plan.document), initiator()).await
    }

    /// Applies a plan whole, and holds what was written against it.
    pub async fn apply_exactly(&self, plan: &StoredPlan) {
        let before = self.target.written().len();
        let applied = self.apply(plan).await.expect("it can be applied");
        assert_eq!(applied.state, State::Applied, "{:#?}", applied.objects.last());
        let symbols = symbols(&plan.plan, &applied);
        let written = self.target.written().into_iter().skip(before);
        let sent: Vec<PreparedRequest> = written.flat_map(|one| self.target.preview(&one)).collect();
        assert_eq!(sent, planned(&plan.plan, &symbols), "what was sent is what was planned");
        let told: Vec<PreparedRequest> = applied
            .objects
            .iter()
            .flat_map(|object| &object.requests)
            .map(|one| one.request.clone())
            .collect();
        assert_eq!(told, sent, "and what is told");
    }
}

/// What the symbols of a plan came to.
pub fn symbols(plan: &SavedPlan, applied: &Applied) -> BTreeMap<Anchor, Anchor> {
    let changes = plan.objects.iter().filter(|object| object.is_change());
    changes
        .zip(&applied.objects)
        .filter_map(|(planned, done)| Some((planned.target_anchor.clone()?, done.target_anchor.clone()?)))
        .collect()
}

/// The requests of a plan with values in place of symbols.
pub fn planned(plan: &SavedPlan, symbols: &BTreeMap<Anchor, Anchor>) -> Vec<PreparedRequest> {
    let requests = plan.objects.iter().flat_map(|object| &object.requests);
    requests
        .map(|request| PreparedRequest {
            method: request.method.clone(),
            path: resolved(&request.path, symbols).to_string(),
            body: request.body.as_ref().map(|body| {
                serde_json::from_str(&resolved(&body.to_string(), symbols)).expect("ids do not spoil JSON")
            }),
        })
        .collect()
}

pub fn initiator() -> Initiator {
    Initiator {
        id: "me".to_owned(),
        display_name: "test".to_owned(),
        initiator_type: "application".to_owned(),
    }
}

pub fn subject(kind: &str, id: &str) -> Subject {
    Subject { object_id: id.to_owned(), object_type: kind.to_owned(), links: LinkedObjects::default() }
}

/// One line for each object: action or reason, name, requests.
pub fn lines(plan: &SavedPlan) -> Vec<String> {
    plan.objects.iter().map(line).collect()
}

fn line(object: &PlannedObject) -> String {
    let word = match (&object.failure, object.reason) {
        (Some(failure), _) => failure.code.to_string(),
        (None, Some(reason)) => reason.as_str().to_owned(),
        (None, None) => format!("{:?}", object.action).to_lowercase(),
    };
    let requests: Vec<String> =
        object.requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
    let requests = requests.join(", ").replace(ACCOUNT, "User");
    format!("{word} {} {requests}", object.reportable).trim_end().to_owned()
}
