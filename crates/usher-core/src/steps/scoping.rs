//! Scoping: is the subject active, assigned, entitled, and does it pass the filters?

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{Names, import, step};
use crate::program::MappingProgram;
use crate::{DirectoryObject, Facts, SkipReason, Status, Step, StepKind};

/// What scoping found.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Neither in the bin nor switched off in the source.
    pub is_active: bool,
    /// Assigned to the application, or the job takes all, or the source keeps no assignments.
    pub is_assigned: bool,
    /// The assignment carries a role of provisioning category.
    pub has_role: bool,
    /// The scoping filters let it pass.
    pub passes_filter: bool,
    /// An input or category filter dropped it: it is ignored altogether and never deprovisioned.
    pub is_ignored: bool,
}

impl Verdict {
    /// Entitled: assigned with a role, and let through by the filters. Says nothing of being active.
    pub fn is_entitled(&self) -> bool {
        self.is_assigned && self.has_role && self.passes_filter && !self.is_ignored
    }
}

/// Decides whether the subject is in scope, and says so in a step.
pub fn scope(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    object: &DirectoryObject,
) -> (Verdict, Step) {
    let (is_assigned, has_role) = match (&facts.entitlement, facts.takes_all) {
        (_, true) | (None, _) => (true, true),
        (Some(entitlement), false) => (entitlement.is_assigned, entitlement.has_role),
    };
    let filter = mapping.filter.evaluate(&object.attributes);
    let is_ignored = facts.applies_filters && (filter.dropped_by_input_filter || filter.not_in_category);
    let passes_filter = !facts.applies_filters || filter.passed;
    let verdict =
        Verdict { is_active: import::is_active(object), is_assigned, has_role, passes_filter, is_ignored };

    let mut evaluation = Map::new();
    if facts.applies_filters {
        for clause in &filter.clauses {
            let value = match &clause.error {
                Some(error) => Json::String(error.clone()),
                None => Json::Bool(clause.passed),
            };
            evaluation.insert(clause.title.clone(), value);
        }
    }
    let truth = |value: bool| if value { "True" } else { "False" }.to_owned();
    let mut step = step(
        "EntrySynchronizationScoping",
        StepKind::Scoping,
        Status::Success,
        format!(
            "Determine if {} in scope by evaluating against each scoping filter{}",
            names.object_type,
            if facts.applies_filters {
                ""
            } else {
                " (scoping filters are not applied on demand from this source)"
            }
        ),
    );
    step.details = IndexMap::from([
        ("Active in the source system".to_owned(), truth(verdict.is_active)),
        ("Assigned to the application".to_owned(), truth(verdict.is_assigned)),
        (format!("{} has the required role", names.object_type), truth(verdict.has_role)),
        ("Scoping filter evaluation passed".to_owned(), truth(verdict.passes_filter && !verdict.is_ignored)),
        ("ScopeEvaluationResult".to_owned(), Json::Object(evaluation).to_string()),
    ]);
    if facts.takes_all {
        step.details.insert("Scope sync all".into(), truth(true));
    }
    if !(verdict.is_entitled() && verdict.is_active) {
        step.status = Status::Skipped;
    }
    (verdict, step)
}

/// The sentence for a subject that is left out, with the numbered reasons that apply.
pub fn not_entitled(names: &Names, verdict: &Verdict, scoping: &Step) -> Step {
    let mut reasons = Vec::new();
    if !verdict.is_active {
        reasons.push(
            "This object is not active in the source system. If this is not expected, enable or restore it."
                .to_owned(),
        );
    }
    if !verdict.is_assigned {
        reasons.push(
            "This object is not assigned to the application. If this is not expected, assign it to the application \
             or take all users and groups into scope."
                .to_owned(),
        );
    }
    if !verdict.has_role {
        reasons.push(
            "This object does not have required entitlement for provisioning. If this is not expected, assign it \
             with a role of provisioning category or take all users and groups into scope."
                .to_owned(),
        );
    }
    if !verdict.passes_filter || verdict.is_ignored {
        reasons.push(
            "This object did not pass a scoping filter. If this is not expected, review the scoping filters."
                .to_owned(),
        );
    }
    let numbered: Vec<String> =
        reasons.iter().enumerate().map(|(index, reason)| format!("{}) {reason}", index + 1)).collect();
    let mut step = step(
        "EntrySynchronizationSkip",
        StepKind::Export,
        Status::Skipped,
        format!(
            "The {} '{}' will be skipped due to the following reasons: {}",
            names.object_type,
            names.reportable,
            numbered.join(" ")
        ),
    );
    step.details.insert("SkipReason".into(), SkipReason::NotEffectivelyEntitled.as_str().into());
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    for (name, value) in &scoping.details {
        step.details.insert(name.clone(), value.clone());
    }
    step
}
