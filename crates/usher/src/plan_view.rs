//! How plans, applications and explanations are shown: to people, and as the requests themselves.

use owo_colors::OwoColorize;
use serde_json::{Value, json};
use usher_core::explain::{Explanation, Part};
use usher_core::saved::{Extent, PlannedObject, PlannedRequest, SavedPlan};
use usher_core::{Action, Status, Step, StepKind};

use crate::view::{self, line};

/// A plan for people.
pub fn people(plan: &SavedPlan) -> String {
    let mut out = objects(plan);
    for one in &plan.unpaired {
        out.push_str(&format!(
            "{} {} '{}' ({}) is paired with nothing\n",
            "?".yellow(),
            short(&one.target_type),
            one.display_name.bold(),
            one.target_anchor
        ));
    }
    out.push_str(&summary(plan));
    out
}

/// The objects of a plan for people.
pub fn objects(plan: &SavedPlan) -> String {
    plan.objects.iter().map(|object| object_for_people(object) + "\n").collect()
}

/// The counts of a plan, in a sentence or three.
pub fn summary(plan: &SavedPlan) -> String {
    let counts = &plan.counts;
    let what = match plan.extent {
        Extent::Subjects => "Plan".to_owned(),
        Extent::Cycle(kind) => format!("Plan of the next cycle ({})", kind.as_str()),
        Extent::Drift => "Plan against drift".to_owned(),
    };
    let mut out = format!(
        "{} for {}: {} to create, {} to update, {} to disable, {} to delete; {} in step, {} skipped, {} failed\n",
        what.bold(),
        plan.target,
        counts.create,
        counts.update,
        counts.disable,
        counts.delete,
        counts.unchanged,
        counts.skipped,
        counts.failed
    );
    if plan.guard.holds_back {
        out.push_str(&format!(
            "{} {} accounts would be disabled or deleted, {} are allowed: all of them are held back\n",
            "guard:".red().bold(),
            plan.guard.count,
            plan.guard.threshold.unwrap_or_default()
        ));
    }
    if plan.extent == Extent::Drift {
        let drifted = plan.objects.iter().filter(|object| object.is_drift == Some(true)).count();
        let is_open = |object: &&PlannedObject| object.paired_with.is_some() && !object.requests.is_empty();
        let cannot_tell = plan.objects.iter().filter(is_open).any(|object| object.is_drift.is_none());
        let told = if cannot_tell {
            "what changed in the target behind our back cannot be told before a cycle has run with this schema, or \
             where the source has no deltas"
                .to_owned()
        } else {
            format!("{drifted} changed in the target behind our back")
        };
        out.push_str(&format!("{} {told}; {} paired with nothing\n", "drift:".bold(), plan.unpaired.len()));
    }
    out
}

fn object_for_people(object: &PlannedObject) -> String {
    let (mark, word) = match (object.status, object.action) {
        (Status::Failure, _) => ("!".red().to_string(), "fails".to_owned()),
        (_, Action::StagedDelete) => ("=".yellow().to_string(), "is held back".to_owned()),
        (Status::Skipped, _) => (
            "–".yellow().to_string(),
            object.reason.map_or_else(|| "skipped".to_owned(), |reason| reason.as_str().to_owned()),
        ),
        (_, Action::Create) => ("+".green().to_string(), "create".to_owned()),
        (_, Action::Update) => ("~".cyan().to_string(), "update".to_owned()),
        (_, Action::Disable) => ("~".red().to_string(), "disable".to_owned()),
        (_, Action::Delete) => ("-".red().to_string(), "delete".to_owned()),
        (_, Action::Other) => (" ".to_owned(), "nothing".to_owned()),
    };
    let drift = match object.is_drift {
        Some(true) => format!(" {}", "changed behind our back".red()),
        Some(false) | None => String::new(),
    };
    let account = object
        .target_anchor
        .as_ref()
        .map(|anchor| format!(" ({})", line(anchor.as_str())))
        .unwrap_or_default();
    let mut out = format!(
        "{mark} {} {}{account}: {word}{drift}\n",
        object.source_type,
        line(&object.reportable).bold()
    );
    out.push_str(&view::body(&json!({
        "provisioningSteps": object.steps.iter().map(step).collect::<Vec<_>>(),
        "modifiedProperties": object.attributes.iter().map(|one| json!({
            "displayName": one.name.as_str(), "oldValue": one.old_value, "newValue": one.new_value,
        })).collect::<Vec<_>>(),
    })));
    if let Some(failure) = &object.failure {
        out.push_str(&format!("\n  {} {}\n  {}\n", "reason:".bold(), failure.code, line(&failure.reason)));
        if let Some(details) = &failure.additional_details {
            out.push_str(&format!("  {}\n", line(details)));
        }
        if let Some(action) = &failure.recommended_action {
            out.push_str(&format!("  {} {action}\n", "help:".cyan()));
        }
    }
    if !object.requests.is_empty() {
        out.push_str(&format!("\n  {}\n", "requests".bold()));
        for request in &object.requests {
            out.push_str(&format!("  {} {}\n", request.method.bold(), request.address));
            if let Some(body) = &request.body {
                out.push_str(&view::indent(&format!("{body:#}"), "    "));
            }
        }
    }
    out
}

fn step(step: &Step) -> Value {
    let kind = match step.kind {
        StepKind::Import => "Import",
        StepKind::Scoping => "Scoping",
        StepKind::Matching => "Matching",
        StepKind::Processing => "Processing",
        StepKind::ReferenceResolution => "ReferenceResolution",
        StepKind::Export => "Export",
    };
    json!({
        "name": step.name.as_str(), "type": kind, "status": step.status, "description": step.description,
        "details": step.details,
    })
}

/// The requests of a plan, as they go over the wire, each under the name of its object.
pub fn requests(plan: &SavedPlan) -> String {
    let mut out = String::new();
    for object in &plan.objects {
        for request in &object.requests {
            out.push_str(&format!(
                "# {} {}\n{}\n",
                object.source_type,
                line(&object.reportable),
                wire(request)
            ));
        }
    }
    out
}

fn wire(request: &PlannedRequest) -> String {
    let mut out = format!("{} {}\n", request.method, request.address);
    for (name, value) in &request.headers {
        out.push_str(&format!("{name}: {value}\n"));
    }
    if let Some(body) = &request.body {
        out.push_str(&format!("\n{body}\n"));
    }
    out
}

/// An explanation for people.
pub fn explanation(explanation: &Explanation) -> String {
    let mut out = String::new();
    if !explanation.clauses.is_empty() {
        out.push_str(&format!("\n  {}\n", "scoping filters".bold()));
    }
    for clause in &explanation.clauses {
        let mark = if clause.passed { "✓".green().to_string() } else { "✗".red().to_string() };
        let value = clause
            .value
            .as_ref()
            .map_or_else(|| "no value".to_owned(), |value| format!("\"{}\"", line(value)));
        let error = clause.error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
        out.push_str(&format!("  {mark} {}: {} has {value}{error}\n", clause.title, clause.attribute));
    }
    if !explanation.questions.is_empty() {
        out.push_str(&format!("\n  {}\n", "what was asked".bold()));
    }
    for asked in &explanation.questions {
        out.push_str(&format!("  {}\n    {} {}\n", line(&asked.question), "→".dimmed(), line(&asked.answer)));
    }
    if !explanation.mappings.is_empty() {
        out.push_str(&format!("\n  {}\n", "mappings".bold()));
    }
    for mapped in &explanation.mappings {
        let matching = match mapped.matching_priority {
            Some(priority) => format!(" {}", format!("(matching, {priority})").dimmed()),
            None => String::new(),
        };
        out.push_str(&format!("  {}{matching} = {}\n", mapped.target.bold(), line(&mapped.value)));
        if let Some(current) = &mapped.current {
            out.push_str(&format!("    {} \"{}\"\n", "the target has".dimmed(), line(current)));
        }
        if mapped.parts.is_empty() {
            out.push_str(&format!("    {}\n", mapped.source.dimmed()));
        }
        mapped.parts.iter().for_each(|part| tell(part, 2, &mut out));
    }
    out
}

fn tell(part: &Part, depth: usize, out: &mut String) {
    out.push_str(&format!("{}{} = {}\n", "  ".repeat(depth), part.source.dimmed(), line(&part.value)));
    part.parts.iter().for_each(|part| tell(part, depth + 1, out));
}

/// The last word of a name such as `urn:…:User`.
fn short(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
