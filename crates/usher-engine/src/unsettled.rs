//! What a target does not find although it may be there: some are of many parts, and these lag behind one another.

use jiff::Timestamp;
use smol_str::format_smolstr;
use usher_core::escrow::{COPIED_AFTER, Missing, later};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, PutOff};
use usher_core::steps::{Names, export};
use usher_core::{Escrow, Facts, Operation, OperationKind};

use crate::subject::{Progress, Run};

impl Run<'_> {
    /// What is to be remembered of a paired account that is not found.
    pub(crate) fn missing(&self, facts: &Facts, since: Timestamp) -> Missing {
        Missing { since, is_matched_again: facts.rematches_vanished }
    }

    /// Whether an account that is not found to be deleted has not been found for so long that it is gone.
    pub(crate) fn is_gone(
        &self,
        facts: &Facts,
        operation: &Operation,
        error: &ConnectorError,
        progress: &mut Progress,
    ) -> bool {
        if operation.kind != OperationKind::Delete || error.kind != ConnectorErrorKind::Unsettled {
            return false;
        }
        let now = self.engine.clock.now();
        let missing = *progress.missing.get_or_insert_with(|| self.missing(facts, now));
        now >= later(missing.since, COPIED_AFTER)
    }

    /// Notes which references are to be tried again, and which have been for long enough.
    pub(crate) fn note_put_off(&self, names: &Names, all: &[PutOff], progress: &mut Progress) {
        let now = self.engine.clock.now();
        let known = progress.escrow.as_ref().map(|escrow| escrow.put_off.clone()).unwrap_or_default();
        for one in all {
            let key = format_smolstr!("{}:{}", one.attribute, one.anchor);
            let since = known.get(&key).copied().unwrap_or(now);
            progress.put_off.insert(key, since);
            progress.not_taken.push(one.attribute.clone());
            progress.left_out = true;
            self.note(progress, export::put_off(names, one, Escrow::gives_up(since, now)));
        }
    }
}
