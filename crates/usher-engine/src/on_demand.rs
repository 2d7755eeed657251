//! On demand: one subject through import, scoping, matching, processing and export, now.

use usher_core::{JobId, ProvisioningEvent, RuleId};

/// One object that a caller named, with the objects to provision along with it.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The object id, distinguished name or worker id.
    pub object_id: String,
    /// The source object's name in the schema, such as `User`.
    pub object_type: String,
    /// Members, owners and manager named with it.
    pub links: LinkedObjects,
}

/// Objects named with a subject.
#[derive(Clone, Debug, Default)]
pub struct LinkedObjects {
    /// The manager.
    pub manager: Option<Box<Subject>>,
    /// Members of a group.
    pub members: Vec<Subject>,
    /// Owners of a group.
    pub owners: Vec<Subject>,
}

/// A rule and the subjects to provision with it.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// The rule of the job's schema.
    pub rule: RuleId,
    /// The subjects.
    pub subjects: Vec<Subject>,
}

/// One on-demand request.
#[derive(Clone, Debug)]
pub struct OnDemandRequest {
    /// The job.
    pub job: JobId,
    /// Rules and subjects.
    pub parameters: Vec<Parameters>,
    /// Import, scope, match and plan for real, but write nothing.
    pub dry_run: bool,
    /// Who asks, for the log.
    pub initiated_by: usher_core::Initiator,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct OnDemandAnswer {
    /// The subject's event: steps, attributes, outcome.
    pub event: ProvisioningEvent,
    /// The events of linked objects, in the order in which they were worked on.
    pub linked: Vec<ProvisioningEvent>,
    /// The requests that were sent to the target, or in a dry run would be, per object worked on.
    pub requests: Vec<usher_core::ports::Exchange>,
}
