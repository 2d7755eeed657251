//! Quarantine: a job slowed down because too much failed, or because too much would be deleted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::cycle::Counts;
use crate::escrow::{GIVES_UP_AFTER, later, published_attempt_after};

/// Failures are looked at from so many on.
const LOOKED_AT_FROM: u64 = 5_000;
/// More failures than this are too many, whatever succeeded; references do not count.
const BASE: u64 = 40_000;
/// So many failures are too many, references included.
const TOTAL: u64 = 60_000;
/// A greater share of failures, in per cent, is too much.
const SHARE: u64 = 40;

/// Why a job is in quarantine (Graph `quarantineReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantineReason {
    /// More than 40,000 objects failed.
    EncounteredBaseEscrowThreshold,
    /// 60,000 objects and references failed.
    EncounteredTotalEscrowThreshold,
    /// More than 40 % of the objects failed, and at least 5,000.
    EncounteredEscrowProportionThreshold,
    /// The target cannot be reached, refuses the credentials, or does not speak the protocol.
    EncounteredQuarantineException,
    /// More accounts would be disabled or deleted than the guard allows.
    TooManyDeletes,
}

impl QuarantineReason {
    /// The published name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EncounteredBaseEscrowThreshold => "EncounteredBaseEscrowThreshold",
            Self::EncounteredTotalEscrowThreshold => "EncounteredTotalEscrowThreshold",
            Self::EncounteredEscrowProportionThreshold => "EncounteredEscrowProportionThreshold",
            Self::EncounteredQuarantineException => "EncounteredQuarantineException",
            Self::TooManyDeletes => "TooManyDeletes",
        }
    }
}

/// An error of a whole run (Graph `synchronizationError`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// The published code.
    pub code: SmolStr,
    /// What failed, in a sentence; holds no secret.
    pub message: String,
    /// The administrator can repair it.
    pub is_tenant_actionable: bool,
}

/// The state of being in quarantine (Graph `synchronizationQuarantine`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Why.
    pub reason: QuarantineReason,
    /// When this one began.
    pub current_began: Timestamp,
    /// When the next run is tried.
    pub next_attempt: Timestamp,
    /// When the first of the series began.
    pub series_began: Timestamp,
    /// How many runs in a row ended in quarantine.
    pub series_count: u64,
    /// What was wrong.
    pub error: RunError,
}

/// Into quarantine, or deeper into it.
pub fn enter(
    earlier: Option<&Quarantine>,
    reason: QuarantineReason,
    error: RunError,
    now: Timestamp,
) -> Quarantine {
    let series_began = earlier.map_or(now, |earlier| earlier.series_began);
    let current_began =
        earlier.filter(|earlier| earlier.reason == reason).map_or(now, |earlier| earlier.current_began);
    Quarantine {
        reason,
        current_began,
        next_attempt: published_attempt_after(series_began, now),
        series_began,
        series_count: earlier.map_or(0, |earlier| earlier.series_count).saturating_add(1),
        error,
    }
}

impl Quarantine {
    /// Whether it has lasted so long that the job stops trying.
    pub fn is_hopeless(&self, now: Timestamp) -> bool {
        now >= later(self.series_began, GIVES_UP_AFTER)
    }
}

/// Whether the failures so far are too many whatever comes.
pub fn too_many(counts: &Counts) -> Option<QuarantineReason> {
    let (objects, all) = (counts.failed, counts.failed.saturating_add(counts.failed_references));
    if objects > BASE {
        Some(QuarantineReason::EncounteredBaseEscrowThreshold)
    } else if all >= TOTAL {
        Some(QuarantineReason::EncounteredTotalEscrowThreshold)
    } else {
        None
    }
}

/// Whether a cycle that is over failed too much.
pub fn judge(counts: &Counts) -> Option<QuarantineReason> {
    too_many(counts).or_else(|| {
        let is_looked_at = counts.failed >= LOOKED_AT_FROM;
        let is_too_much = counts.failed.saturating_mul(100)
            > counts.failed.saturating_add(counts.succeeded).saturating_mul(SHARE);
        (is_looked_at && is_too_much).then_some(QuarantineReason::EncounteredEscrowProportionThreshold)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(failed: u64, succeeded: u64, failed_references: u64) -> Option<QuarantineReason> {
        judge(&Counts { failed, succeeded, failed_references, ..Counts::default() })
    }

    #[test]
    fn the_published_examples_come_out_as_published() {
        use QuarantineReason as Reason;
        assert_eq!(judged(4_000, 0, 0), None);
        assert_eq!(judged(45_000, 1_000_000, 0), Some(Reason::EncounteredBaseEscrowThreshold));
        assert_eq!(judged(30_000, 5_000, 0), Some(Reason::EncounteredEscrowProportionThreshold));
        assert_eq!(judged(6_000, 4_000, 0), Some(Reason::EncounteredEscrowProportionThreshold));
        assert_eq!(judged(20_000, 100_000, 0), None);
        assert_eq!(judged(40_000, 1_000_000, 21_000), Some(Reason::EncounteredTotalEscrowThreshold));
    }

    #[test]
    fn the_boundaries_are_where_they_are_published() {
        assert_eq!(judged(4_999, 0, 0), None);
        assert!(judged(5_000, 7_499, 0).is_some());
        assert_eq!(judged(5_000, 7_500, 0), None);
        assert_eq!(judged(40_000, 1_000_000, 19_999), None);
    }

    #[test]
    fn a_series_slows_down_and_ends_after_four_weeks() {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).expect("small");
        let mut quarantine =
            enter(None, QuarantineReason::EncounteredQuarantineException, RunError::default(), at(0));
        let mut hours = Vec::new();
        while !quarantine.is_hopeless(quarantine.next_attempt) {
            hours.push(quarantine.next_attempt.as_second() / 3600);
            quarantine =
                enter(Some(&quarantine), quarantine.reason, RunError::default(), quarantine.next_attempt);
        }
        assert_eq!(hours[..4], [6, 12, 24, 48]);
        assert_eq!(hours.last(), Some(&(27 * 24)));
        assert_eq!((quarantine.series_began, quarantine.current_began), (at(0), at(0)));
        assert_eq!(quarantine.series_count, hours.len() as u64 + 1);
    }
}
