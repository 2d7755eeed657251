//! What is remembered of objects, read for a whole page at once. It is taken once, and forgotten as soon as it changes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_core::JobId;
use usher_core::ports::{Commit, EscrowChange, HeldChange, PairingChange, Remembered, SubjectKey};

/// What was read ahead. All writes of this program go through one store, so that none escapes it.
#[derive(Default)]
pub struct Ahead {
    /// `None` while it is being read.
    known: Mutex<HashMap<SubjectKey, Option<Remembered>>>,
}

/// What a commit changes of what may have been read ahead.
pub struct Changed {
    jobs: Vec<JobId>,
    subjects: Vec<SubjectKey>,
}

impl Changed {
    /// By a commit.
    pub fn by(commit: &Commit) -> Self {
        let pairings = commit.pairings.iter().map(|change| match change {
            PairingChange::Put(pairing) => SubjectKey::of(pairing),
            PairingChange::Forget(subject) => subject.clone(),
        });
        let escrows = commit.escrows.iter().map(|change| match change {
            EscrowChange::Put(escrow) => SubjectKey::of(&**escrow),
            EscrowChange::Remove(subject) => subject.clone(),
        });
        let held = commit.held.iter().map(|change| match change {
            HeldChange::Put(held) => held.subject.clone(),
            HeldChange::Remove(subject) => subject.clone(),
        });
        Self {
            jobs: commit.clear.iter().map(|(job, _)| job.clone()).collect(),
            subjects: pairings.chain(escrows).chain(held).collect(),
        }
    }
}

impl Ahead {
    /// These are going to be read. Whatever was read ahead for the same job before is wanted no longer.
    pub fn expect(&self, subjects: &[SubjectKey]) {
        let mut known = self.known();
        if let Some(first) = subjects.first() {
            known.retain(|subject, _| subject.job != first.job);
        }
        known.extend(subjects.iter().map(|subject| (subject.clone(), None)));
    }

    /// What was read, unless it has changed since `expect`: the read may have seen the file as it was before.
    pub fn fill(&self, read: Vec<(SubjectKey, Remembered)>) {
        let mut known = self.known();
        for (subject, remembered) in read {
            if let Some(place) = known.get_mut(&subject) {
                *place = Some(remembered);
            }
        }
    }

    /// What is known of an object.
    pub fn take(&self, subject: &SubjectKey) -> Option<Remembered> {
        self.known().remove(subject).flatten()
    }

    /// Forgets what a commit has changed. To be called once it is durable, before anybody is told.
    pub fn forget(&self, changed: &Changed) {
        let mut known = self.known();
        if known.is_empty() {
            return;
        }
        for job in &changed.jobs {
            known.retain(|subject, _| subject.job != *job);
        }
        for subject in &changed.subjects {
            known.remove(subject);
        }
    }

    /// Forgets everything of a job.
    pub fn forget_job(&self, job: &JobId) {
        self.known().retain(|subject, _| subject.job != *job);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SubjectKey, Option<Remembered>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use usher_core::Anchor;

    use super::*;

    fn subject(anchor: &str) -> SubjectKey {
        SubjectKey { job: JobId::new("j"), source_type: "User".into(), source_anchor: Anchor::new(anchor) }
    }

    fn read(anchors: &[&str]) -> Vec<(SubjectKey, Remembered)> {
        anchors.iter().map(|anchor| (subject(anchor), Remembered::default())).collect()
    }

    fn change(anchor: &str) -> Changed {
        let escrows = vec![EscrowChange::Remove(subject(anchor))];
        Changed::by(&Commit { escrows, ..Commit::default() })
    }

    #[test]
    fn what_was_read_is_taken_once() {
        let ahead = Ahead::default();
        ahead.expect(&[subject("1")]);
        assert_eq!(ahead.take(&subject("1")), None, "it is still being read");
        ahead.expect(&[subject("1")]);
        ahead.fill(read(&["1"]));
        assert_eq!(ahead.take(&subject("1")), Some(Remembered::default()));
        assert_eq!(ahead.take(&subject("1")), None);
    }

    #[test]
    fn a_change_after_the_read_and_one_during_the_read_are_both_noticed() {
        let ahead = Ahead::default();
        ahead.expect(&[subject("1"), subject("2"), subject("3")]);
        ahead.forget(&change("1"));
        ahead.fill(read(&["1", "2", "3"]));
        ahead.forget(&change("2"));
        let taken = ["1", "2", "3"].map(|anchor| ahead.take(&subject(anchor)).is_some());
        assert_eq!(taken, [false, false, true]);
    }

    #[test]
    fn the_next_page_replaces_what_the_last_one_left_over() {
        let ahead = Ahead::default();
        ahead.expect(&[subject("1")]);
        ahead.fill(read(&["1"]));
        ahead.expect(&[subject("2")]);
        ahead.fill(read(&["1", "2"]));
        assert_eq!(ahead.take(&subject("1")), None);
        ahead.forget_job(&JobId::new("j"));
        assert_eq!(ahead.take(&subject("2")), None);
    }
}
