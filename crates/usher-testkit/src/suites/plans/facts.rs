//! What holds of plans, whichever connector the target is behind.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value as Json;
use usher_core::ports::Exchange;
use usher_core::saved::applied::{Applied, Outcome, State};
use usher_core::saved::symbols::resolved;
use usher_core::saved::{PlannedObject, PlannedRequest, SavedPlan, VERSION_HEADER};
use usher_core::{Anchor, Status};

use super::{DRAWN, ENTRY, fits};
use crate::wire::Sent;

/// A job whose target is behind a connector. A new connector joins by being one.
#[async_trait]
pub trait PlanSite: Sync {
    /// What the next cycle would do.
    async fn plan(&self) -> SavedPlan;

    /// Applies a plan.
    async fn apply(&self, plan: &SavedPlan) -> Applied;

    /// What changes something and went over the wire since this was asked last; `None` where there is no wire, or
    /// where nobody can read along.
    fn sent(&self) -> Option<Vec<Sent>>;

    /// Somebody else changes an account in the target, in an attribute that the job compares.
    async fn change_account(&self, account: &Anchor);
}

/// Plans, applies all of it, and holds what was sent against what was planned: what the application tells, and what was
/// on the wire.
///
/// # Panics
/// When something else was sent, or not all of it.
pub async fn what_is_sent_is_what_was_planned(site: &dyn PlanSite) -> SavedPlan {
    let plan = site.plan().await;
    let failed: Vec<_> =
        plan.objects.iter().filter(|one| one.status == Status::Failure).map(|one| &one.failure).collect();
    assert!(failed.is_empty(), "the plan fails: {failed:#?}");
    if plan.has_changes() {
        apply_exactly(site, &plan).await;
    }
    plan
}

/// Once everything is in step, a plan has nothing to do.
///
/// # Panics
/// When something is left.
pub async fn a_plan_of_a_plans_result_is_empty(site: &dyn PlanSite) {
    let plan = site.plan().await;
    let left: Vec<&PlannedObject> =
        plan.objects.iter().filter(|one| one.is_change() || one.status == Status::Failure).collect();
    assert!(left.is_empty(), "something is left: {left:#?}");
}

/// When an account that a plan changes is changed by somebody else, the plan is not applied to it: the difference is
/// told, and nothing is sent. A plan made anew takes the change in. Says whether the plan had such an account.
///
/// # Panics
/// When the plan was applied all the same.
pub async fn apply_after_an_outside_change_refuses(site: &dyn PlanSite) -> bool {
    let plan = site.plan().await;
    let changed = plan.objects.iter().position(|object| {
        object.paired_with.is_some()
            && object.paired_with == object.target_anchor
            && object.is_change()
            && object.target.as_ref().is_some_and(|target| !target.is_empty())
    });
    let Some(place) = changed else { return false };
    let account = plan.objects[place].target_anchor.clone().expect("it is paired");
    site.change_account(&account).await;
    site.sent();
    let applied = site.apply(&plan).await;
    assert_eq!(applied.state, State::Stopped, "{:#?}", applied.objects);
    let last = applied.objects.last().expect("it stopped at one");
    assert_eq!((last.outcome, applied.done), (Outcome::Refused, place), "{last:#?}");
    assert!(!last.differences.is_empty() && last.requests.is_empty(), "{last:#?}");
    let before: Vec<&PlannedRequest> =
        plan.objects[..place].iter().flat_map(|object| &object.requests).collect();
    if let Some(sent) = site.sent() {
        assert_eq!(sent.len(), before.len(), "nothing is sent for who changed: {sent:#?}");
    }
    let again = site.apply(&plan).await;
    let same = again.objects.iter().find(|object| object.source_anchor == last.source_anchor);
    let same = same.expect("the application goes on there");
    // Somebody else may have done just what was planned: then it is done, and nothing is sent either.
    assert!(matches!(same.outcome, Outcome::Refused | Outcome::AlreadyDone), "{same:#?}");
    assert!(same.requests.is_empty(), "{same:#?}");
    what_is_sent_is_what_was_planned(site).await;
    a_plan_of_a_plans_result_is_empty(site).await;
    true
}

async fn apply_exactly(site: &dyn PlanSite, plan: &SavedPlan) {
    site.sent();
    let applied = site.apply(plan).await;
    assert!(applied.is_complete(), "{:#?}\nof {:#?}", applied.objects.last(), requests(plan));
    let changes = plan.objects.iter().filter(|object| object.is_change());
    let symbols: BTreeMap<Anchor, Anchor> = changes
        .zip(&applied.objects)
        .filter_map(|(planned, done)| Some((planned.target_anchor.clone()?, done.target_anchor.clone()?)))
        .collect();
    let planned = requests(plan);
    let told: Vec<&Exchange> = applied.objects.iter().flat_map(|object| &object.requests).collect();
    assert_eq!(told.len(), planned.len(), "{told:#?}\nplanned: {planned:#?}");
    for (planned, told) in planned.iter().zip(told) {
        let body = told.request.body.as_ref().map(Json::to_string);
        let is_same = planned.method == told.request.method
            && same(&planned.path, &told.request.path, &symbols)
            && same_body(planned, body.as_deref(), &symbols);
        assert!(is_same, "planned: {planned:#?}\ntold: {told:#?}");
    }
    let Some(sent) = site.sent() else { return };
    assert_eq!(sent.len(), planned.len(), "on the wire: {sent:#?}\nplanned: {planned:#?}");
    for (planned, sent) in planned.iter().zip(&sent) {
        let address = target(&planned.address);
        let is_same = planned.method == sent.method.as_str()
            && same(address, &sent.path, &symbols)
            && same_body(planned, sent.body.as_deref(), &symbols)
            && same_headers(planned, sent);
        assert!(is_same, "planned: {planned:#?}\non the wire: {sent:#?}");
    }
}

fn requests(plan: &SavedPlan) -> Vec<&PlannedRequest> {
    plan.objects.iter().flat_map(|object| &object.requests).collect()
}

/// What of an address goes over the wire.
fn target(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("://") else { return address };
    rest.find('/').map_or("/", |start| &rest[start..])
}

fn same(planned: &str, sent: &str, symbols: &BTreeMap<Anchor, Anchor>) -> bool {
    planned.starts_with(ENTRY) || resolved(planned, symbols) == sent
}

/// The same bytes, but for what only the server knows and for what nobody is shown.
fn same_body(planned: &PlannedRequest, sent: Option<&str>, symbols: &BTreeMap<Anchor, Anchor>) -> bool {
    let method = planned.method.as_str();
    let (Some(planned), Some(sent)) = (&planned.body, sent) else {
        return planned.body.is_none() && sent.is_none();
    };
    let planned = resolved(&planned.to_string(), symbols).to_string();
    if planned == sent {
        return true;
    }
    let is_ldap = matches!(method, "ADD" | "MODIFY");
    let (Ok(planned), Ok(read)) =
        (serde_json::from_str::<Json>(&planned), serde_json::from_str::<Json>(sent))
    else {
        return false;
    };
    let is_same = fits(&planned, &read) || is_drawn(&planned, &read);
    let written = read.to_string();
    let read = if is_ldap { without_drawn(&planned, read) } else { read };
    written.as_str() == sent && (is_same || is_ldap && fits(&in_order(planned), &in_order(read)))
}

/// The values of an attribute of LDAP are a set: in which order they go over the wire means nothing (RFC 4511, 4.1.7).
fn in_order(body: Json) -> Json {
    match body {
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(name, value)| (name, in_order(value))).collect())
        }
        Json::Array(values) if values.iter().all(|value| value.get("values").is_none()) => {
            let mut values = values;
            values.sort_by_key(Json::to_string);
            Json::Array(values)
        }
        Json::Array(edits) => Json::Array(edits.into_iter().map(in_order).collect()),
        other => other,
    }
}

/// A password that was drawn is on the wire, and nowhere else.
fn is_drawn(planned: &Json, sent: &Json) -> bool {
    let text = planned.to_string();
    if !text.contains(DRAWN) {
        return false;
    }
    let drawn = sent.pointer("/passwordProfile/password").and_then(Json::as_str);
    let Some(drawn) = drawn.filter(|drawn| *drawn != DRAWN && *drawn != "[Redact]") else { return false };
    text == sent.to_string().replace(drawn, DRAWN)
}

/// The same for a password of Active Directory: a text in quotation marks, in UTF-16.
fn without_drawn(planned: &Json, mut sent: Json) -> Json {
    const ATTRIBUTE: &str = "/unicodePwd/0";
    let is_planned = planned.pointer(ATTRIBUTE).is_some_and(|planned| planned == DRAWN);
    if let Some(password) = sent.pointer_mut(ATTRIBUTE).filter(|_| is_planned)
        && password.as_str().is_some_and(|text| text.starts_with("\"\0") && text.len() > 40)
    {
        *password = Json::from(DRAWN);
    }
    sent
}

/// Every header of the plan was sent; a credential is not shown, and a version is the one of that moment.
fn same_headers(planned: &PlannedRequest, sent: &Sent) -> bool {
    let is_planned = planned.headers.iter().all(|(name, value)| {
        let found = sent.header(&name.to_ascii_lowercase());
        match found {
            Some(found) => {
                value.contains("[Redact]") || name.as_str() == VERSION_HEADER || found == value.as_str()
            }
            None => false,
        }
    });
    let is_expected = sent.headers.iter().all(|(name, _)| {
        OF_THE_CONNECTION.contains(&name.as_str())
            || planned.headers.keys().any(|known| known.eq_ignore_ascii_case(name))
            || VERSION_HEADER.eq_ignore_ascii_case(name)
    });
    is_planned && (is_expected || sent.headers.is_empty())
}

/// Headers that no plan tells: they are of the connection, or name the one request.
const OF_THE_CONNECTION: &[&str] =
    &["host", "content-length", "user-agent", "accept-encoding", "client-request-id", "traceparent"];
