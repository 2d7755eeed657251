//! What a target object had when the job last wrote or compared it: a digest of each attribute, kept with the pair. It
//! tells what somebody else changed since, whatever changed in the source meanwhile. Values cannot be read from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use smol_str::{SmolStr, StrExt, format_smolstr};
use usher_expr::Value;
use usher_expr::dotnet::dates::parse_any;

use crate::program::{AttributeProgram, MappingProgram};
use crate::schema::AttributeType;
use crate::{AttributeChange, Change, Facts, PairingEffect, Plan, References};

/// The digest of each attribute that is known.
pub type Trace = BTreeMap<SmolStr, u32>;

/// What is known of the target object once a plan was carried out, or failed. `left_out` are attributes that the target
/// did not take.
pub fn after(mapping: &MappingProgram, facts: &Facts, plan: &Plan, left_out: &[SmolStr]) -> Trace {
    let mut trace = facts.pairing.as_ref().map(|pairing| pairing.trace.clone()).unwrap_or_default();
    let sees_references = facts.references == References::All;
    for attribute in mapping.attributes.iter().filter(|attribute| !attribute.is_redacted()) {
        let name = &attribute.target;
        let current = plan.target.as_ref().and_then(|target| target.attributes.value(name));
        let mut changes = changes(plan).filter(|change| change.attribute == *name).peekable();
        let is_touched = changes.peek().is_some();
        let is_whole = sees_references || !attribute.is_reference();
        let is_lost = plan.failure.is_some() || left_out.contains(name) || !is_whole;
        if is_touched && is_lost {
            trace.remove(name);
        } else if is_touched {
            let values =
                changes.fold(values_of(current), |values, change| changed(attribute, &values, change));
            trace.insert(name.clone(), digest(attribute, &values));
        } else if plan.failure.is_none() && plan.pairing == PairingEffect::Manage && is_whole {
            // It was compared, and is as it should be.
            trace.insert(name.clone(), digest(attribute, &values_of(current)));
        }
    }
    trace
}

/// What of a plan's changes somebody else gave cause for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Attributes that are not as they were when the job last looked.
    pub changed: Vec<SmolStr>,
    /// Attributes of which is not known how they were.
    pub unknown: Vec<SmolStr>,
}

/// Holds what a plan would change against what the job last saw; `None` for an object that is not paired.
pub fn drift(mapping: &MappingProgram, facts: &Facts, plan: &Plan) -> Option<Drift> {
    let pairing = facts.pairing.as_ref()?;
    let mut drift = Drift::default();
    for change in changes(plan) {
        let name = &change.attribute;
        if drift.changed.contains(name) || drift.unknown.contains(name) {
            continue;
        }
        let attribute = mapping.attributes.iter().find(|attribute| attribute.target == *name);
        let current = plan.target.as_ref().and_then(|target| target.attributes.value(name));
        match (attribute, pairing.trace.get(name)) {
            (Some(attribute), Some(known)) if *known == digest(attribute, &values_of(current)) => {}
            (Some(_), Some(_)) => drift.changed.push(name.clone()),
            _ => drift.unknown.push(name.clone()),
        }
    }
    Some(drift)
}

fn changes(plan: &Plan) -> impl Iterator<Item = &AttributeChange> {
    plan.operations.iter().flat_map(|operation| &operation.changes)
}

fn changed<'a>(attribute: &AttributeProgram, had: &[Value], change: &'a AttributeChange) -> Cow<'a, [Value]> {
    let is_in =
        |one: &Value, all: &[Value]| all.iter().any(|other| text(attribute, one) == text(attribute, other));
    match &change.change {
        Change::Add(values) if change.is_multivalued => {
            let more = values.iter().filter(|one| !is_in(one, had));
            Cow::Owned(had.iter().chain(more).cloned().collect())
        }
        Change::Add(values) | Change::Replace(values) => Cow::Borrowed(values),
        Change::Remove(values) if values.is_empty() => Cow::default(),
        Change::Remove(values) => Cow::Owned(had.iter().filter(|one| !is_in(one, values)).cloned().collect()),
    }
}

fn values_of(value: Option<&Value>) -> Cow<'_, [Value]> {
    match value {
        None | Some(Value::Null) => Cow::default(),
        Some(Value::List(values)) => Cow::Borrowed(values),
        Some(one) => Cow::Borrowed(std::slice::from_ref(one)),
    }
}

/// A digest that depends on the values, and not on their order.
fn digest(attribute: &AttributeProgram, values: &[Value]) -> u32 {
    let mut texts: Vec<SmolStr> =
        values.iter().filter(|value| !value.is_null_or_empty()).map(|value| text(attribute, value)).collect();
    texts.sort_unstable();
    // FNV-1a: the same in every build and on every machine.
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u32::try_from((hash >> 32) ^ (hash & 0xffff_ffff)).expect("both halves have 32 bits")
}

/// A value under the attribute's own rules: what counts as the same has the same text.
fn text(attribute: &AttributeProgram, value: &Value) -> SmolStr {
    let text = value.to_text();
    if attribute.value_type == AttributeType::DateTime
        && let Some(instant) = parse_any(&text)
    {
        return format_smolstr!("{instant:?}");
    }
    let is_exact = attribute.is_case_exact && attribute.value_type != AttributeType::Boolean;
    let is_lower = || text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_exact || is_lower() { text } else { text.to_lowercase_smolstr() }
}
