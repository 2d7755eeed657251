//! What is made durable before a write is sent, so that whoever comes back after a crash knows of it.

use usher_core::escrow::Sent;
use usher_core::ports::{Commit, EscrowChange, PairingChange, SubjectKey};
use usher_core::program::MappingProgram;
use usher_core::steps::matching;
use usher_core::{Action, Escrow, Facts, Operation, OperationKind, Plan, StepKind};
use usher_expr::Context;

use crate::cases::CaseError;
use crate::subject::{Mode, Progress, Run};

impl Run<'_> {
    /// Made durable before a create is sent: whoever comes back after a crash matches by what was sent.
    pub(crate) async fn remember_create(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        context: &Context,
        progress: &mut Progress,
    ) -> Result<(), CaseError> {
        let Some(source) = &facts.source else { return Ok(()) };
        let object = usher_core::steps::import::with_defaults(mapping, source);
        let sought = matching::values(mapping, &object.attributes, context).unwrap_or_default();
        let sent = Sent {
            at: self.engine.clock.now(),
            sought: sought.into_iter().map(|(one, value)| (one.target.clone(), value.to_json())).collect(),
        };
        let SubjectKey { job, source_type, source_anchor } = self.subject(mapping, &source.anchor);
        let escrow = Escrow::before_create(job, source_type, source_anchor, progress.escrow.as_ref(), sent);
        let escrows = vec![EscrowChange::put(escrow.clone())];
        self.engine.store.commit(&Commit { escrows, ..Commit::default() }).await?;
        progress.escrow = Some(escrow);
        Ok(())
    }

    /// A write was not sent after all: what was known before it counts again.
    pub(crate) async fn take_back(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        earlier: Option<Escrow>,
        progress: &mut Progress,
    ) -> Result<(), CaseError> {
        if progress.escrow == earlier {
            return Ok(());
        }
        let change = match &earlier {
            Some(earlier) => EscrowChange::put(earlier.clone()),
            None => EscrowChange::Remove(self.key_of(mapping, facts)),
        };
        self.engine.store.commit(&Commit { escrows: vec![change], ..Commit::default() }).await?;
        progress.escrow = earlier;
        Ok(())
    }

    /// An account that was found by what an earlier create had sent is paired before it is written to: the write may
    /// change what it was found by.
    pub(crate) async fn remember_found(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: &Plan,
    ) -> Result<(), CaseError> {
        let (None, Some(_), Some(target)) = (&facts.pairing, &facts.sent_create, &plan.target) else {
            return Ok(());
        };
        let pairing = self.pairing_with(mapping, facts, target.anchor.clone(), true, &plan.reportable);
        let pairings = vec![PairingChange::Put(pairing)];
        Ok(self.engine.store.commit(&Commit { pairings, ..Commit::default() }).await?)
    }

    /// Made durable before an account is brought back from the target's recycle bin: it may come back switched on, and
    /// what is to be done about it must not be forgotten with this process.
    pub(crate) async fn remember_restore(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        operation: &Operation,
        progress: &mut Progress,
    ) -> Result<(), CaseError> {
        let brings_back = self.target.connector().recycle_bin().is_some_and(|bin| bin.brings_back(operation));
        let (true, Some(account)) = (brings_back, &operation.anchor) else { return Ok(()) };
        let SubjectKey { job, source_type, source_anchor } = self.key_of(mapping, facts);
        let identity = (job, source_type, source_anchor);
        let (earlier, now) = (progress.escrow.as_ref(), self.engine.clock.now());
        let escrow = Escrow::before_restore(identity, earlier, account.clone(), now);
        let escrows = vec![EscrowChange::put(escrow.clone())];
        self.engine.store.commit(&Commit { escrows, ..Commit::default() }).await?;
        progress.escrow = Some(escrow);
        Ok(())
    }

    /// An account that another process was bringing back, and that by now looks as it should, gets what is left to be
    /// written to every account that comes back: an operation without changes. Nobody reviewed that where a plan is
    /// applied.
    pub(crate) fn with_rest_of_restore(
        &self,
        mapping: &MappingProgram,
        plan: Plan,
        progress: &Progress,
    ) -> Plan {
        let account = progress.escrow.as_ref().and_then(|escrow| escrow.restoring.clone());
        let (Some(account), Some(bin)) = (account, self.target.connector().recycle_bin()) else {
            return plan;
        };
        let is_left = bin.is_half_back(&account) && plan.operations.is_empty() && plan.failure.is_none();
        if !is_left || matches!(self.mode, Mode::Apply(_)) {
            return plan;
        }
        let operation = Operation {
            kind: OperationKind::Update,
            object_type: mapping.target_type.clone(),
            anchor: Some(account),
            changes: Vec::new(),
        };
        let steps = plan.steps.into_iter().filter(|step| step.kind != StepKind::Export).collect();
        Plan { action: Action::Update, steps, operations: vec![operation], skip: None, ..plan }
    }

    /// A write failed: an account that did not come back, or is back with all that was written to it, needs no care.
    pub(crate) fn forget_restore(&self, progress: &mut Progress) {
        let Some(bin) = self.target.connector().recycle_bin() else { return };
        if let Some(escrow) = &mut progress.escrow {
            escrow.restoring = escrow.restoring.take().filter(|account| bin.is_half_back(account));
        }
    }

    /// Tells the target of an account that another process was bringing back.
    pub(crate) fn tell_restore(&self, escrow: Option<&Escrow>) {
        let account = escrow.and_then(|escrow| escrow.restoring.as_ref());
        if let (Some(account), Some(bin)) = (account, self.target.connector().recycle_bin()) {
            bin.was_coming_back(account);
        }
    }
}
