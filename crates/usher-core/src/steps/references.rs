//! Reference resolution: source anchors become target anchors through the stored pairs.

use std::collections::BTreeMap;

use smol_str::SmolStr;
use usher_expr::Value;

use super::{Names, step};
use crate::program::{AttributeProgram, MappingProgram, Source};
use crate::schema::{FlowType, Mutability};
use crate::{
    Anchor, Answer, AttributeChange, Change, DirectoryObject, Facts, ModifiedProperty, Question, References,
    SkipReason, Status, Step, StepKind,
};

/// What the references of an object need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The changes of reference attributes.
    pub changes: Vec<AttributeChange>,
    /// The same before and after, for people.
    pub modified: Vec<ModifiedProperty>,
    /// What has no pair yet: attribute and source anchor.
    pub unresolved: Vec<(SmolStr, Anchor)>,
}

/// Resolves and compares. `target` of `None` means that the object will be created.
///
/// # Errors
/// The questions to ask first.
pub fn resolve(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    source: &DirectoryObject,
    target: Option<&DirectoryObject>,
    steps: &mut Vec<Step>,
) -> Result<Resolved, Vec<Question>> {
    let mut resolved = Resolved::default();
    let mut questions = Vec::new();
    for attribute in mapping.attributes.iter().filter(|attribute| attribute.is_reference()) {
        let Source::Attribute(from) = &attribute.source else { continue };
        let is_written = match attribute.mutability {
            Mutability::ReadOnly => false,
            Mutability::Immutable => target.is_none(),
            Mutability::ReadWrite | Mutability::WriteOnly => true,
        };
        if !is_written || (attribute.flow_type == FlowType::ObjectAddOnly && target.is_some()) {
            continue;
        }
        let (wanted, unwanted) = wanted(facts, attribute, from, source);
        if wanted.is_empty() && unwanted.is_empty() {
            // The last member left: a cycle takes those away that the target still has.
            let has_some = target.is_some_and(|object| object.attributes.value(&attribute.target).is_some());
            if attribute.is_multivalued && has_some && facts.references == References::All {
                compare(facts, attribute, names, target, (&[], &[]), &BTreeMap::new(), &mut resolved, steps);
            }
            continue;
        }
        let question = Question::References {
            object_types: attribute.referenced.clone(),
            anchors: wanted.iter().chain(&unwanted).cloned().collect(),
        };
        let Some(Answer::References(pairs)) = facts.answer(&question) else {
            questions.push(question);
            continue;
        };
        compare(facts, attribute, names, target, (&wanted, &unwanted), pairs, &mut resolved, steps);
    }
    if questions.is_empty() { Ok(resolved) } else { Err(questions) }
}

/// The source anchors that the target is to refer to, and those it is to refer to no longer.
fn wanted(
    facts: &Facts,
    attribute: &AttributeProgram,
    from: &SmolStr,
    source: &DirectoryObject,
) -> (Vec<Anchor>, Vec<Anchor>) {
    let mut present: Vec<Anchor> = source.attributes.value(from).map(anchors).unwrap_or_default();
    // Directories refuse whoever is their own manager, and groups that are their own members.
    present.retain(|anchor| *anchor != source.anchor);
    let References::Named(named) = &facts.references else { return (present, Vec::new()) };
    if !attribute.is_multivalued {
        return (present, Vec::new());
    }
    named
        .iter()
        .filter(|reference| reference.attribute.eq_ignore_ascii_case(from))
        .map(|reference| reference.anchor.clone())
        .partition(|anchor| present.contains(anchor))
}

fn anchors(value: &Value) -> Vec<Anchor> {
    match value {
        Value::Null => Vec::new(),
        Value::List(values) => values.iter().flat_map(anchors).collect(),
        one => Some(one.to_text()).filter(|text| !text.is_empty()).map(Anchor::new).into_iter().collect(),
    }
}

#[expect(clippy::too_many_arguments, reason = "one attribute's whole situation, used in one place")]
fn compare(
    facts: &Facts,
    attribute: &AttributeProgram,
    names: &Names,
    target: Option<&DirectoryObject>,
    (wanted, unwanted): (&[Anchor], &[Anchor]),
    pairs: &BTreeMap<Anchor, Anchor>,
    resolved: &mut Resolved,
    steps: &mut Vec<Step>,
) {
    let has: Vec<Anchor> =
        target.and_then(|object| object.attributes.value(&attribute.target)).map(anchors).unwrap_or_default();
    let mut want = Vec::new();
    for anchor in wanted {
        match pairs.get(anchor) {
            Some(other) => want.push(other.clone()),
            None => {
                steps.push(unresolved(names, attribute, anchor));
                resolved.unresolved.push((attribute.target.clone(), anchor.clone()));
            }
        }
    }
    let lacks: Vec<Anchor> = want.iter().filter(|anchor| !has.contains(anchor)).cloned().collect();
    let surplus: Vec<Anchor> = if attribute.flow_type == FlowType::MultiValueAddOnly {
        Vec::new()
    } else {
        match &facts.references {
            // The target may not tell its members: a removal is sent then too, it does no harm when repeated.
            References::Named(_) if attribute.is_multivalued => unwanted
                .iter()
                .filter_map(|anchor| pairs.get(anchor))
                .filter(|anchor| target.is_some() && (has.is_empty() || has.contains(anchor)))
                .cloned()
                .collect(),
            _ if attribute.is_multivalued => {
                has.iter().filter(|anchor| !want.contains(anchor)).cloned().collect()
            }
            _ => Vec::new(),
        }
    };
    if !lacks.is_empty() {
        let old = (!attribute.is_multivalued).then(|| has.first()).flatten();
        let values = references(&lacks);
        let change = if old.is_some() { Change::Replace(values) } else { Change::Add(values) };
        for anchor in &lacks {
            resolved.modified.push(ModifiedProperty {
                name: attribute.target.clone(),
                old_value: old.map(ToString::to_string),
                new_value: Some(anchor.to_string()),
            });
        }
        resolved.changes.push(reference_change(attribute, change));
    }
    if !surplus.is_empty() {
        for anchor in &surplus {
            resolved.modified.push(ModifiedProperty {
                name: attribute.target.clone(),
                old_value: Some(anchor.to_string()),
                new_value: None,
            });
        }
        resolved.changes.push(reference_change(attribute, Change::Remove(references(&surplus))));
    }
}

fn references(anchors: &[Anchor]) -> Vec<Value> {
    anchors.iter().map(|anchor| Value::Reference(anchor.as_str().into())).collect()
}

fn reference_change(attribute: &AttributeProgram, change: Change) -> AttributeChange {
    AttributeChange {
        attribute: attribute.target.clone(),
        change,
        is_reference: true,
        is_multivalued: attribute.is_multivalued,
    }
}

fn unresolved(names: &Names, attribute: &AttributeProgram, anchor: &Anchor) -> Step {
    let mut step = step(
        "EntrySynchronizationSkip",
        StepKind::ReferenceResolution,
        Status::Warning,
        format!("We were unable to assign {anchor} as the {} of {}.", attribute.target, names.reportable),
    );
    step.details
        .insert("SkipReason".into(), SkipReason::UnableToResolveReferenceAttributeValue.as_str().into());
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step
}
