//! A connector's failure in the words of the provisioning log.

use usher_core::ports::{ConnectorError, ConnectorErrorKind};
use usher_core::steps::{Names, export};
use usher_core::{Action, ErrorCategory, Failure, PairingEffect, Plan};

/// The failure for the log: code for programs, reason for people, what to do. The connector's own remedy comes before the
/// one of the kind.
pub fn failure(error: &ConnectorError) -> Failure {
    use ConnectorErrorKind as Kind;
    let (category, action) = match error.kind {
        Kind::Unreachable => (
            ErrorCategory::Failure,
            "check that the target is up and that its address is right; the object can be provisioned again at any time",
        ),
        Kind::Throttled => (ErrorCategory::Failure, "wait a moment and provision the object again"),
        Kind::Unauthorised => (
            ErrorCategory::NonServiceFailure,
            "correct the credentials of the job, or give them the right that is missing",
        ),
        Kind::NotFound => (
            ErrorCategory::NonServiceFailure,
            "restart the job with the reset scope ConnectorDataStore, so that the object is matched again",
        ),
        Kind::Unsettled => (
            ErrorCategory::Failure,
            "nothing needs to be done where the job runs: it is looked at again; else provision the object again in ten \
             minutes",
        ),
        Kind::AlreadyExists => (
            ErrorCategory::NonServiceFailure,
            "remove or rename the conflicting object in the target, or choose another matching attribute",
        ),
        Kind::Rejected => (
            ErrorCategory::NonServiceFailure,
            "correct the value in the source or the attribute mapping, or what the target allows",
        ),
        Kind::Conflict => (ErrorCategory::Failure, "provision the object again"),
        Kind::Unsupported => (
            ErrorCategory::NonServiceFailure,
            "the target does not know this operation; change the mapping or the target",
        ),
        Kind::Stopped => (ErrorCategory::Failure, "nothing needs to be done: the next run goes on here"),
        Kind::Protocol => (
            ErrorCategory::NonServiceFailure,
            "check the address: what answers there does not speak the protocol as it should",
        ),
    };
    Failure {
        code: error.code.clone(),
        reason: error.message.clone(),
        additional_details: error.detail.clone(),
        category,
        recommended_action: Some(error.remedy.unwrap_or(action).to_owned()),
    }
}

/// A plan that does nothing because a directory failed while it was asked.
pub(crate) fn broken(names: &Names, failure: Failure) -> Plan {
    Plan {
        steps: vec![export::stopped(names, &failure)],
        action: Action::Other,
        operations: Vec::new(),
        modified: Vec::new(),
        skip: None,
        failure: Some(failure),
        unresolved: Vec::new(),
        pairing: PairingEffect::None,
        target: None,
        reportable: names.reportable.clone(),
        scope: None,
    }
}
