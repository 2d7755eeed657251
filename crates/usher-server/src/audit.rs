//! The audit log: every change that was asked for, and how it ended.

use usher_core::AuditRecord;

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::failed;
use crate::pipeline::Exchange;
use crate::server::State;

/// What is known of a change before it is carried out.
pub struct Draft(AuditRecord);

impl Draft {
    /// What a call asks for.
    pub fn of(call: &Call, path: &str, exchange: &Exchange) -> Self {
        let operation = call.operation;
        // The thing itself, or the collection that it will be in.
        let last = operation.path.split('/').rfind(|part| part.starts_with('{') && !part.contains('|'));
        let target = last.map(|name| call.parameter(name.trim_matches(['{', '}'])).to_owned());
        let target_type =
            operation.path.split('/').rfind(|part| !part.starts_with(['{', '$']) && !part.is_empty());
        Self(AuditRecord {
            id: call.state.engine.clock.guid().to_string(),
            at: call.state.engine.clock.now(),
            activity: operation.summary.to_owned(),
            method: operation.method.to_owned(),
            path: path.to_owned(),
            status: 0,
            reason: None,
            app_id: call.caller.app_id.clone(),
            object_id: call.caller.object_id.clone(),
            caller: call.caller.name.clone(),
            target,
            target_type: target_type.unwrap_or_default().to_owned(),
            request_id: exchange.request_id.clone(),
            client_request_id: exchange.client_request_id.clone(),
        })
    }

    /// Writes the record. A change that cannot be written down is answered as a failure: nobody shall take it for
    /// recorded.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn write(self, state: &State, outcome: &Result<Answer, Refusal>) -> Result<(), Refusal> {
        let mut record = self.0;
        match outcome {
            Ok(answer) => {
                record.status = answer.status.as_u16();
                if let Some(id) = answer.body.as_ref().and_then(|body| body["id"].as_str()) {
                    record.target = Some(id.to_owned());
                }
            }
            Err(refusal) => {
                record.status = refusal.status.as_u16();
                record.reason = Some(refusal.code.to_owned());
            }
        }
        state.engine.store.add_audit(&record).await.map_err(failed)
    }
}
