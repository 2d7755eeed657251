//! Plans that are kept: made for subjects or for a whole cycle, and applied later exactly as they were reviewed.

mod allowance;
mod apply;
mod drift;
mod key;
mod make;
mod object;
mod order;

pub(crate) use key::PlanKey;

use usher_core::{Initiator, JobId};

use crate::Parameters;

/// What a plan is asked for.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The job.
    pub job: JobId,
    /// Rules and subjects; none when the plan is for a cycle.
    pub parameters: Vec<Parameters>,
    /// What the next cycle would do.
    pub cycle: bool,
    /// All objects, to find what was changed in the target.
    pub drift: bool,
    /// Tell of every object how it came about.
    pub explain: bool,
    /// Who asks.
    pub initiated_by: Initiator,
}
