//! Escrows: objects that failed and wait for another try, and when that try is.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use usher_expr::Value;

use crate::{Anchor, Failure, JobId, SentCreate};

/// How long after a create without answer the target may still show nothing of it. Until then nothing is created for
/// the same object: a search that lags behind would lead to a second account.
pub const SETTLES_AFTER: Duration = Duration::from_secs(120);
/// How long a directory may take to copy an object to all of its parts. For so long after a source told of an object, that
/// the object is not found does not mean that it is gone: an account would be lost for a part that lags behind. For so
/// long after a target did not find a paired account first, that account is neither forgotten nor made anew. Directories
/// in many places take seconds, in bad hours minutes.
pub const COPIED_AFTER: Duration = Duration::from_secs(600);
/// For how long a reference is tried again that the target does not take, because it does not know one of the two objects.
pub const REFERS_AFTER: Duration = Duration::from_secs(24 * 3600);
/// The longest distance between two tries.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How long a job in quarantine keeps trying (Graph: 28 days).
pub const GIVES_UP_AFTER: Duration = Duration::from_secs(28 * 24 * 3600);

/// An object that waits for another try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Escrow {
    /// The job.
    pub job: JobId,
    /// The source object's name in the schema.
    pub source_type: SmolStr,
    /// The source object.
    pub source_anchor: Anchor,
    /// How often it failed. 0 while a create is on its way and nothing has failed.
    pub attempts: u32,
    /// When it failed first.
    pub first_failed_at: Timestamp,
    /// When it failed last.
    pub last_failed_at: Timestamp,
    /// When it is tried again.
    pub next_attempt_at: Timestamp,
    /// The error code of the last failure; empty while a create is on its way.
    pub code: SmolStr,
    /// Only references (manager, members, owners) failed; the object itself is in step.
    pub is_reference: bool,
    /// A create was sent, and nobody knows whether it took effect.
    pub sent: Option<Sent>,
    /// An account that is being brought back from the target's recycle bin, and may be switched on until what follows is
    /// written.
    pub restoring: Option<Anchor>,
    /// When the source last told of the object without giving it; none where the failure is another one.
    pub told_at: Option<Timestamp>,
    /// References that the target did not take because it does not know one of the two objects, and since when; the rest
    /// of the object is in step where nothing else failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub put_off: BTreeMap<SmolStr, Timestamp>,
    /// The paired target object is not found, and may be there all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

/// A paired target object that a target whose parts lag behind one another does not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Since when.
    pub since: Timestamp,
    /// Once that is believed, the source object is matched again: it was an initial cycle that asked first.
    pub is_matched_again: bool,
}

/// A create that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// The matching attributes and their values in it.
    pub sought: Vec<(SmolStr, serde_json::Value)>,
}

impl Sent {
    /// What the planner needs to know of it.
    pub fn facts(&self, now: Timestamp) -> SentCreate {
        SentCreate {
            sought: self
                .sought
                .iter()
                .map(|(attribute, value)| (attribute.clone(), Value::from_json(value)))
                .collect(),
            is_settled: now >= later(self.at, SETTLES_AFTER),
        }
    }
}

impl Escrow {
    /// Whether the source has told of the object so recently that it need not find it everywhere.
    pub fn is_awaited(&self, now: Timestamp) -> bool {
        self.told_at.is_some_and(|at| now < later(at, COPIED_AFTER))
    }

    /// Written before a create is sent, so that a crash in between is remembered.
    pub fn before_create(
        job: JobId,
        source_type: SmolStr,
        source_anchor: Anchor,
        earlier: Option<&Self>,
        sent: Sent,
    ) -> Self {
        let now = sent.at;
        let settled_at = later(now, SETTLES_AFTER);
        match earlier {
            Some(earlier) => Self {
                sent: Some(sent),
                next_attempt_at: earlier.next_attempt_at.max(settled_at),
                ..earlier.clone()
            },
            None => Self {
                job,
                source_type,
                source_anchor,
                attempts: 0,
                first_failed_at: now,
                last_failed_at: now,
                next_attempt_at: settled_at,
                code: SmolStr::default(),
                is_reference: false,
                sent: Some(sent),
                restoring: None,
                told_at: None,
                put_off: BTreeMap::new(),
                missing: None,
            },
        }
    }

    /// Written before an account is brought back from the target's recycle bin, so that a crash in between is remembered.
    /// The next cycle looks at it.
    pub fn before_restore(
        identity: (JobId, SmolStr, Anchor),
        earlier: Option<&Self>,
        account: Anchor,
        now: Timestamp,
    ) -> Self {
        let (job, source_type, source_anchor) = identity;
        match earlier {
            Some(earlier) => Self { restoring: Some(account), next_attempt_at: now, ..earlier.clone() },
            None => Self {
                job,
                source_type,
                source_anchor,
                attempts: 0,
                first_failed_at: now,
                last_failed_at: now,
                next_attempt_at: now,
                code: SmolStr::default(),
                is_reference: false,
                sent: None,
                restoring: Some(account),
                told_at: None,
                put_off: BTreeMap::new(),
                missing: None,
            },
        }
    }

    /// Whether references that were put off at some instant are given up.
    pub fn gives_up(since: Timestamp, now: Timestamp) -> bool {
        now >= later(since, REFERS_AFTER)
    }

    /// Whether nobody knows what has come of a write: what is known of it must not be forgotten.
    pub fn is_open(&self) -> bool {
        self.sent.is_some() || self.restoring.is_some()
    }
}

/// What the next try depends on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The interval between two cycles of the job.
    pub interval: Duration,
    /// The job is in quarantine.
    pub is_quarantined: bool,
    /// A random number that spreads the tries of many objects.
    pub dice: u64,
}

/// The escrow after another failure. Tries follow after 1, 2, 4, 8 … intervals up to a day, each spread by up to a
/// tenth; in quarantine 6, 12 and 24 hours after the first failure, then daily (Graph, quarantine rules).
pub fn after_failure(
    earlier: Option<&Escrow>,
    identity: (JobId, SmolStr, Anchor),
    failure: &Failure,
    is_reference: bool,
    sent: Option<Sent>,
    now: Timestamp,
    pace: Pace,
) -> Escrow {
    let (job, source_type, source_anchor) = identity;
    let failed_before = earlier.filter(|escrow| escrow.attempts > 0);
    let first_failed_at = failed_before.map_or(now, |escrow| escrow.first_failed_at);
    let attempts = failed_before.map_or(0, |escrow| escrow.attempts).saturating_add(1);
    let settles_at = sent.as_ref().map(|sent| later(sent.at, SETTLES_AFTER));
    let next_attempt_at = if pace.is_quarantined {
        published_attempt_after(first_failed_at, now)
    } else {
        let doubled = pace.interval.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(16)));
        let distance = doubled.min(LONGEST.max(pace.interval));
        // The first try is simply the next cycle's; later ones are spread.
        let spread = if attempts == 1 { 0.0 } else { (pace.dice % 1000) as f64 / 10_000.0 };
        later(now, distance.mul_f64(1.0 - spread))
    };
    let is_half_back = earlier.is_some_and(|escrow| escrow.restoring.is_some());
    let next_attempt_at = match settles_at {
        // An account may be switched on meanwhile: no cycle passes it by.
        _ if is_half_back => next_attempt_at.min(later(now, pace.interval)),
        // It only waits for the target to show the account: the next run after that may look.
        Some(settles_at) if settles_at > now => settles_at,
        _ => next_attempt_at,
    };
    Escrow {
        job,
        source_type,
        source_anchor,
        attempts,
        first_failed_at,
        last_failed_at: now,
        next_attempt_at,
        code: failure.code.clone(),
        is_reference,
        sent,
        restoring: earlier.and_then(|escrow| escrow.restoring.clone()),
        told_at: None,
        put_off: earlier.map(|escrow| escrow.put_off.clone()).unwrap_or_default(),
        missing: None,
    }
}

/// The published rhythm: 6, 12 and 24 hours after the first failure, then every 24 hours; the first of these after `now`.
pub fn published_attempt_after(first_failed_at: Timestamp, now: Timestamp) -> Timestamp {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut hours = [6, 12].into_iter().chain((1..).map(|day| day * 24));
    hours
        .find_map(|hour| {
            Some(later(first_failed_at, HOUR * hour)).filter(|at| *at > now || *at == Timestamp::MAX)
        })
        .expect("the sequence has no end")
}

/// An instant so much later, or the end of time.
/// An instant after another, at most the last there is.
pub fn later(instant: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| instant.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCategory;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).expect("small")
    }

    fn failed(earlier: Option<&Escrow>, now: Timestamp, is_quarantined: bool) -> Escrow {
        let failure = Failure {
            code: "InternalServerError".into(),
            reason: "it failed".into(),
            additional_details: None,
            category: ErrorCategory::Failure,
            recommended_action: None,
        };
        let identity = (JobId::new("job"), "User".into(), Anchor::new("u-1"));
        let pace = Pace { interval: Duration::from_secs(40 * 60), is_quarantined, dice: 0 };
        after_failure(earlier, identity, &failure, false, None, now, pace)
    }

    #[test]
    fn tries_come_at_growing_distance_up_to_a_day() {
        let mut escrow = failed(None, at(0), false);
        let mut distances = Vec::new();
        for _ in 0..8 {
            distances.push(escrow.next_attempt_at.duration_since(escrow.last_failed_at).as_mins());
            escrow = failed(Some(&escrow), escrow.next_attempt_at, false);
        }
        assert_eq!(distances, [40, 80, 160, 320, 640, 1280, 1440, 1440]);
        assert_eq!((escrow.attempts, escrow.first_failed_at), (9, at(0)));
    }

    #[test]
    fn what_a_source_tells_of_may_be_missing_for_ten_minutes() {
        let told = Escrow { told_at: Some(at(0)), ..failed(None, at(0), false) };
        assert!(told.is_awaited(at(9)) && !told.is_awaited(at(10)));
        assert!(!failed(Some(&told), at(1), false).is_awaited(at(1)), "it failed for another reason since");
    }

    #[test]
    fn in_quarantine_tries_come_six_twelve_and_twenty_four_hours_after_the_first_failure_then_daily() {
        let mut escrow = failed(None, at(0), true);
        let mut hours = Vec::new();
        for _ in 0..5 {
            hours.push(escrow.next_attempt_at.as_second() / 3600);
            escrow = failed(Some(&escrow), escrow.next_attempt_at, true);
        }
        assert_eq!(hours, [6, 12, 24, 48, 72]);
    }

    #[test]
    fn a_create_without_answer_is_not_repeated_before_it_has_settled() {
        let sent = Sent { at: at(0), sought: vec![("userName".into(), "ann@x".into())] };
        assert!(!sent.facts(at(1)).is_settled && sent.facts(at(2)).is_settled);
        assert_eq!(sent.facts(at(2)).sought, [("userName".into(), Value::from("ann@x"))]);
        let subject = (JobId::new("job"), "User".into(), Anchor::new("u-1"));
        let escrow = Escrow::before_create(subject.0, subject.1, subject.2, None, sent);
        assert_eq!((escrow.attempts, escrow.next_attempt_at), (0, at(2)));
        let after = failed(Some(&escrow), at(1), false);
        assert_eq!((after.attempts, after.next_attempt_at), (1, at(41)), "without a create on its way");
    }

    #[test]
    fn what_waits_for_a_create_to_settle_is_looked_at_as_soon_as_it_has() {
        let sent = Sent { at: at(0), sought: vec![("userName".into(), "ann@x".into())] };
        let failure = Failure {
            code: "Timeout".into(),
            reason: "no answer".into(),
            additional_details: None,
            category: ErrorCategory::Failure,
            recommended_action: None,
        };
        let try_again = |now, is_quarantined| {
            let identity = (JobId::new("job"), "User".into(), Anchor::new("u-1"));
            let pace = Pace { interval: Duration::from_secs(40 * 60), is_quarantined, dice: 0 };
            after_failure(None, identity, &failure, false, Some(sent.clone()), now, pace).next_attempt_at
        };
        assert_eq!(try_again(at(1), false), at(2));
        assert_eq!(try_again(at(1), true), at(2));
        assert_eq!(try_again(at(5), false), at(45), "settled, and failed for another reason");
    }
}
