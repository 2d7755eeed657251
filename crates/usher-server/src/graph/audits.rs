//! `/auditLogs/directoryAudits`: who changed what.

use serde_json::{Map, Value, json};
use usher_core::AuditRecord;
use usher_core::ports::AuditQuery;

use super::on_demand::stamp;
use super::operation::{Operation, run};
use super::permissions::AUDIT_READ;
use super::types::AUDIT;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{self, failed, only};

/// How many records one page looks at before it is handed out, however few match.
const LOOKED_AT: usize = 20_000;

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/auditLogs/directoryAudits",
        AUDIT_READ,
        "List changes that were asked for",
        run!(list),
    )
    .many(&AUDIT)
    .unpublished(),
    Operation::new(
        "GET",
        "/auditLogs/directoryAudits/{record}",
        AUDIT_READ,
        "Get a change that was asked for",
        run!(get),
    )
    .one(&AUDIT)
    .unpublished(),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$filter", "$top", "$skiptoken"])?;
    let filter =
        call.option("$filter").map(|text| odata::parsed(text, &|path| AUDIT.at(path))).transpose()?;
    let top = odata::top(&call, 999)?;
    let place = odata::skipped(&call)?.map(|text| text.parse::<u64>()).transpose();
    let mut before = place.map_err(|_| Refusal::bad_request("the $skiptoken is not one of ours"))?;
    let mut values = Vec::new();
    let (mut looked, mut is_end) = (0, false);
    while values.len() < top && looked < LOOKED_AT && !is_end {
        let records =
            call.state.engine.store.audits(&AuditQuery { before, limit: top }).await.map_err(failed)?;
        is_end = records.len() < top;
        for (number, record) in records {
            looked += 1;
            before = Some(number);
            let seen = view(&record);
            if filter.as_ref().is_none_or(|filter| filter.holds(&seen, false)) {
                values.push(seen);
            }
            if values.len() == top {
                is_end = false;
                break;
            }
        }
    }
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), call.context("auditLogs/directoryAudits"));
    if let Some(before) = before.filter(|_| !is_end) {
        let link = odata::next_link(&call, "auditLogs/directoryAudits", &before.to_string());
        page.insert("@odata.nextLink".to_owned(), link);
    }
    page.insert("value".to_owned(), Value::Array(values));
    Ok(Answer::ok(Value::Object(page)))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = call.parameter("record");
    let record = call.state.engine.store.audit(id).await.map_err(failed)?;
    let mut body = view(&record.ok_or_else(|| Refusal::not_found(id))?);
    body["@odata.context"] = call.context("auditLogs/directoryAudits/$entity");
    Ok(Answer::ok(body))
}

fn view(record: &AuditRecord) -> Value {
    let operation = match record.method.as_str() {
        "POST" => "Add",
        "DELETE" => "Delete",
        _ => "Update",
    };
    let is_success = record.status < 400;
    json!({
        "id": record.id,
        "category": "ProvisioningManagement",
        "correlationId": record.client_request_id,
        "result": if is_success { "success" } else { "failure" },
        "resultReason": record.reason.clone().unwrap_or_default(),
        "activityDisplayName": record.activity,
        "activityDateTime": stamp(record.at),
        "loggedByService": "Usher",
        "operationType": operation,
        "initiatedBy": {
            "user": null,
            "app": {
                "appId": record.app_id,
                "displayName": record.caller,
                "servicePrincipalId": record.object_id,
                "servicePrincipalName": null,
            },
        },
        "targetResources": [{
            "id": record.target,
            "displayName": null,
            "type": record.target_type,
            "modifiedProperties": [],
        }],
        "additionalDetails": [
            { "key": "request", "value": format!("{} {}", record.method, record.path).trim_start() },
            { "key": "status", "value": record.status.to_string() },
            { "key": "requestId", "value": record.request_id },
        ],
    })
}
