//! Synchronization jobs and what they remember.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::steps::trace::Trace;
use crate::{Anchor, EntryId, JobId, ResetScope};

/// Whether a job runs on its schedule (Graph `synchronizationScheduleState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScheduleState {
    /// Runs at its interval.
    Active,
    /// Never started, or stopped.
    Disabled,
    /// Paused by the system.
    Paused,
}

/// A synchronization job: one running pair of directories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Identifies the job.
    pub id: JobId,
    /// The service principal that it belongs to.
    pub service_principal: EntryId,
    /// The template that it was made from.
    pub template: SmolStr,
    /// The built-in template that runs it, when `template` is one of the application's own.
    #[serde(default)]
    pub factory: Option<SmolStr>,
    /// The interval between two cycles, an ISO 8601 duration.
    pub interval: SmolStr,
    /// Whether it runs on its schedule.
    pub state: ScheduleState,
    /// Settings by name, in order.
    pub settings: Vec<(String, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The newest restart that somebody asked for; carried out once its number is in the job's state.
    #[serde(default)]
    pub restart: Option<RestartRequest>,
}

/// The job setting with the most accounts that one cycle may disable and delete.
pub const THRESHOLD_SETTING: &str = "QuarantineTooManyDeletesThreshold";

/// The job setting with the most requests to the target that are under way at once.
pub const CONCURRENCY_SETTING: &str = "TargetConcurrency";

/// The job settings that Usher gives a meaning. Connectors know more, and mappings refer to others by name.
pub const SETTINGS: &[&str] = &[
    THRESHOLD_SETTING,
    CONCURRENCY_SETTING,
    "TargetRequestsPerSecond",
    "WorkersPerPage",
    "LookaheadQueryEnabled",
    "AzureIngestionAttributeOptimization",
    crate::recording::SETTING,
];

/// What is wrong with the value of a job setting, where Usher gives it a meaning; others are taken as they are, since
/// mappings may refer to them. An empty value means that the setting is not set.
pub fn setting_problem(name: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let number = value.parse::<u32>().ok();
    let (is_good, what) = match name.to_ascii_lowercase().as_str() {
        "quarantinetoomanydeletesthreshold" => (number.is_some(), "a whole number, not below zero"),
        "workersperpage" => {
            (number.is_some_and(|number| (1..=999).contains(&number)), "a whole number from 1 to 999")
        }
        "targetrequestspersecond" => {
            (number.is_some_and(|number| (1..=100_000).contains(&number)), "a whole number from 1 to 100000")
        }
        "targetconcurrency" => {
            (number.is_some_and(|number| (1..=256).contains(&number)), "a whole number from 1 to 256")
        }
        "lookaheadqueryenabled" | "azureingestionattributeoptimization" => {
            let is_switch = ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word));
            (is_switch, "True or False")
        }
        _ => (true, ""),
    };
    (!is_good).then(|| format!("the job setting {name} must be {what}, not '{value}'"))
}

/// Somebody asked for a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartRequest {
    /// Counts the requests of a job.
    pub number: u64,
    /// What is forgotten.
    pub scope: ResetScope,
}

impl Job {
    /// A setting, compared without regard to case.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The stored fact that a source object and a target object are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// The job that paired them.
    pub job: JobId,
    /// The source object's name in the schema.
    pub source_type: SmolStr,
    /// The source object.
    pub source_anchor: Anchor,
    /// The target object's name in the schema.
    pub target_type: SmolStr,
    /// The target object.
    pub target_anchor: Anchor,
    /// False once the object was disabled because it left the scope: the job does not come back to it.
    pub is_managed: bool,
    /// The name people know the source object by.
    pub display_name: String,
    /// When the pair was last confirmed by a write or a comparison.
    pub confirmed_at: Timestamp,
    /// What the target object had then.
    #[serde(default, skip_serializing_if = "Trace::is_empty")]
    pub trace: Trace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_would_stop_a_job_later_are_refused_at_once() {
        for value in ["0", "1000", "abc", "-1", "1.5"] {
            let problem = setting_problem("workersPerPage", value).unwrap_or_default();
            assert!(problem.contains("from 1 to 999"), "{value}: {problem}");
        }
        for (name, value) in [("TargetConcurrency", "257"), ("TargetRequestsPerSecond", "4294967295")] {
            assert!(setting_problem(name, value).is_some(), "{name} {value}");
        }
        for value in ["1", " 999 ", ""] {
            assert_eq!(setting_problem("WorkersPerPage", value), None, "{value}");
        }
    }
}
