//! `/auditLogs/provisioning`: the provisioning log.

use serde_json::{Map, Value, json};
use usher_core::ports::EventQuery;
use usher_core::{Identity, JobId, ProvisioningEvent};

use super::on_demand::{action, category, stamp};
use super::operation::{Operation, run};
use super::permissions::LOG_READ;
use super::types::EVENT;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::filter::{Filter, Form, Operand, Operator};
use crate::odata::{self, failed, only};
use crate::path::Version;

/// The properties that a filter may name (Graph, provisioningObjectSummary).
const FILTERED: &[(&str, Form)] = &[
    ("id", Form::Text),
    ("activityDateTime", Form::Instant),
    ("tenantId", Form::Text),
    ("jobId", Form::Text),
    ("cycleId", Form::Text),
    ("changeId", Form::Text),
    ("provisioningAction", Form::Text),
    ("durationInMilliseconds", Form::Integer),
    ("initiatedBy/id", Form::Text),
    ("initiatedBy/displayName", Form::Text),
    ("initiatedBy/initiatorType", Form::Text),
    ("servicePrincipal/id", Form::Text),
    ("servicePrincipal/displayName", Form::Text),
    // What filters call the display name.
    ("servicePrincipal/name", Form::Text),
    ("sourceIdentity/id", Form::Text),
    ("sourceIdentity/displayName", Form::Text),
    ("sourceIdentity/identityType", Form::Text),
    ("targetIdentity/id", Form::Text),
    ("targetIdentity/displayName", Form::Text),
    ("targetIdentity/identityType", Form::Text),
    ("sourceSystem/id", Form::Text),
    ("sourceSystem/displayName", Form::Text),
    ("targetSystem/id", Form::Text),
    ("targetSystem/displayName", Form::Text),
    ("provisioningStatusInfo/status", Form::Text),
    ("provisioningStatusInfo/errorInformation/errorCode", Form::Text),
];
/// Those that beta has besides.
const FILTERED_IN_BETA: &[(&str, Form)] = &[("action", Form::Text), ("statusInfo/status", Form::Text)];

/// How many events one page looks at before it is handed out, however few match.
const LOOKED_AT: usize = 20_000;

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/auditLogs/provisioning", LOG_READ, "List provisioning events", run!(list))
        .many(&EVENT),
    Operation::new(
        "GET",
        "/auditLogs/provisioning/$count",
        LOG_READ,
        "Count provisioning events",
        run!(count),
    )
    .count(),
    Operation::new("GET", "/auditLogs/provisioning/{event}", LOG_READ, "Get a provisioning event", run!(get))
        .one(&EVENT),
];

async fn count(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$filter", "$count"])?;
    let filter = filter(&call)?;
    Ok(Answer::count(counted(&call, filter.as_ref()).await?))
}

/// How many events pass the filter.
async fn counted(call: &Call, filter: Option<&Filter>) -> Result<usize, Refusal> {
    let mut query = EventQuery { limit: 999, ..EventQuery::default() };
    if let Some(filter) = filter {
        narrow(filter, &mut query);
    }
    let mut count = 0;
    loop {
        let events = call.state.engine.store.events(&query).await.map_err(failed)?;
        let is_end = events.len() < query.limit;
        query.skip += events.len();
        // What ends from now on is not counted, so that the pages do not shift.
        query.before = query.before.or_else(|| {
            events
                .first()
                .and_then(|event| event.ended_at.checked_add(jiff::SignedDuration::from_micros(1)).ok())
        });
        count += events.iter().filter(|event| passes(call, event, filter).is_some()).count();
        if is_end {
            return Ok(count);
        }
    }
}

/// The event as it is shown, when it passes the filter.
fn passes(call: &Call, event: &ProvisioningEvent, filter: Option<&Filter>) -> Option<Value> {
    let mut seen = view(call, event);
    let Some(filter) = filter else { return Some(seen) };
    seen["servicePrincipal"]["name"] = seen["servicePrincipal"]["displayName"].clone();
    filter.holds(&seen, false).then(|| {
        if let Some(principal) = seen["servicePrincipal"].as_object_mut() {
            principal.shift_remove("name");
        }
        seen
    })
}

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$filter", "$top", "$skiptoken", "$orderby", "$count", "$select"])?;
    let filter = filter(&call)?;
    let oldest_first = is_oldest_first(&call)?;
    odata::keep(&call, &EVENT, &mut Value::Null)?;
    let top = odata::top(&call, 999)?;
    let (began, mut skip) = place(&call)?;
    // What ends from now on shifts no page.
    let until = began.unwrap_or(call.state.engine.clock.now() + jiff::SignedDuration::from_micros(1));
    let mut query =
        EventQuery { limit: top.max(100), before: Some(until), oldest_first, ..EventQuery::default() };
    if let Some(filter) = &filter {
        narrow(filter, &mut query);
    }
    let mut values = Vec::new();
    let mut looked = 0;
    let mut is_end = false;
    while values.len() < top && looked < LOOKED_AT && !is_end {
        query.skip = skip;
        let events = call.state.engine.store.events(&query).await.map_err(failed)?;
        is_end = events.len() < query.limit;
        for event in events {
            skip += 1;
            looked += 1;
            if let Some(mut seen) = passes(&call, &event, filter.as_ref()) {
                odata::keep(&call, &EVENT, &mut seen)?;
                values.push(seen);
            }
            if values.len() == top {
                is_end = false;
                break;
            }
        }
    }
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), call.context("auditLogs/provisioning"));
    if odata::wants_count(&call) {
        page.insert("@odata.count".to_owned(), json!(counted(&call, filter.as_ref()).await?));
    }
    if !is_end && looked > 0 {
        let place = format!("{}|{skip}", until.as_microsecond());
        page.insert("@odata.nextLink".to_owned(), odata::next_link(&call, "auditLogs/provisioning", &place));
    }
    page.insert("value".to_owned(), Value::Array(values));
    Ok(Answer::ok(Value::Object(page)))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let id = call.parameter("event");
    let event =
        call.state.engine.store.event(id).await.map_err(failed)?.ok_or_else(|| Refusal::not_found(id))?;
    let mut body = view(&call, &event);
    odata::keep(&call, &EVENT, &mut body)?;
    if let Some(members) = body.as_object_mut() {
        members.shift_insert(0, "@odata.context".to_owned(), call.context("auditLogs/provisioning/$entity"));
    }
    Ok(Answer::ok(body))
}

fn filter(call: &Call) -> Result<Option<Filter>, Refusal> {
    let Some(text) = call.option("$filter") else { return Ok(None) };
    let in_beta = if call.version == Version::Beta { FILTERED_IN_BETA } else { &[] };
    let form = |path: &[String]| {
        let name = path.join("/");
        let known = FILTERED.iter().chain(in_beta).find(|(known, _)| known.eq_ignore_ascii_case(&name));
        known.map(|(_, form)| *form)
    };
    odata::parsed(text, &form).map(Some)
}

/// What the store can find by an index.
fn narrow(filter: &Filter, query: &mut EventQuery) {
    query.job = filter.required("jobId").map(JobId::new);
    query.cycle = filter.required("cycleId").map(Into::into);
    query.change = filter.required("changeId").map(Into::into);
    bound(filter, query);
}

fn bound(filter: &Filter, query: &mut EventQuery) {
    match filter {
        Filter::And(left, right) => {
            bound(left, query);
            bound(right, query);
        }
        Filter::Compare(Operator::Gt, Operand { path, .. }, Value::String(text))
            if path.len() == 1 && path[0].eq_ignore_ascii_case("activityDateTime") =>
        {
            query.after = crate::filter::instant(text);
        }
        _ => {}
    }
}

/// The order that was asked for; the newest come first when nobody says.
fn is_oldest_first(call: &Call) -> Result<bool, Refusal> {
    let order = call.option("$orderby").unwrap_or("activityDateTime desc").to_lowercase();
    match order.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] | ["activitydatetime", "desc"] => Ok(false),
        ["activitydatetime"] | ["activitydatetime", "asc"] => Ok(true),
        _ => Err(Refusal::unsupported_query("only $orderby=activityDateTime, asc or desc, is supported")),
    }
}

/// When the first page was read, and how many events came before: events that end later do not shift the pages.
fn place(call: &Call) -> Result<(Option<jiff::Timestamp>, usize), Refusal> {
    let Some(text) = odata::skipped(call)? else { return Ok((None, 0)) };
    let parsed = text.split_once('|').and_then(|(began, skip)| {
        Some((jiff::Timestamp::from_microsecond(began.parse().ok()?).ok()?, skip.parse().ok()?))
    });
    let (began, skip) = parsed
        .ok_or_else(|| Refusal::bad_request("the $skiptoken is not one of ours; follow @odata.nextLink"))?;
    Ok((Some(began), skip))
}

fn view(call: &Call, event: &ProvisioningEvent) -> Value {
    let identity = |one: &Identity| {
        json!({
            "id": one.id,
            "displayName": one.display_name,
            "identityType": one.identity_type,
            "details": one.details,
        })
    };
    let system =
        |one: &Identity| json!({ "id": one.id, "displayName": one.display_name, "details": one.details });
    let steps: Vec<Value> = event
        .steps
        .iter()
        .map(|timed| {
            json!({
                "name": timed.step.name.as_str(),
                "provisioningStepType": timed.step.kind,
                "status": timed.step.status,
                "description": timed.step.description,
                "details": timed.step.details,
            })
        })
        .collect();
    let modified: Vec<Value> = event
        .modified_properties
        .iter()
        .map(|one| json!({ "displayName": one.name.as_str(), "oldValue": one.old_value, "newValue": one.new_value }))
        .collect();
    let error = event.failure.as_ref().map_or(Value::Null, |failure| {
        json!({
            "errorCode": failure.code.as_str(),
            "reason": failure.reason,
            "additionalDetails": failure.additional_details,
            "errorCategory": category(failure.category),
            "recommendedAction": failure.recommended_action,
        })
    });
    let duration = event.ended_at.as_millisecond() - event.began_at.as_millisecond();
    let mut body = json!({
        "id": event.id.as_str(),
        "activityDateTime": stamp(event.ended_at),
        "tenantId": call.state.engine.settings.tenant,
        "jobId": event.job.as_str(),
        "cycleId": event.cycle.as_str(),
        "changeId": event.change.as_str(),
        "provisioningAction": event.action,
        "durationInMilliseconds": duration,
        "initiatedBy": {
            "id": event.initiated_by.id,
            "displayName": event.initiated_by.display_name,
            "initiatorType": event.initiated_by.initiator_type,
        },
        "servicePrincipal": { "id": event.service_principal.as_str(), "displayName": event.service_principal_name },
        "sourceIdentity": identity(&event.source_identity),
        "targetIdentity": identity(&event.target_identity),
        "sourceSystem": system(&event.source_system),
        "targetSystem": system(&event.target_system),
        "provisioningStatusInfo": { "status": event.status, "errorInformation": error },
        "provisioningSteps": steps,
        "modifiedProperties": modified,
    });
    if call.version == Version::Beta {
        body["action"] = json!(action(event.action));
        let mut info = json!({ "@odata.type": "#microsoft.graph.statusDetails", "status": event.status });
        if let (Some(info), Some(error)) = (info.as_object_mut(), error.as_object()) {
            info.extend(error.clone());
        }
        body["statusInfo"] = info;
    }
    body
}
