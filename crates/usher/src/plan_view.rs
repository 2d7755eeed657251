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
            line(short(&one.target_type)),
            line(&one.display_name).bold(),
            line(one.target_anchor.as_str())
        ));
    }
    out.push_str(&summary(plan));
    out
}

/// The objects of a plan for people.
pub fn objects(plan: &SavedPlan) -> String {
    plan.objects.iter().map(|object| object_for_people(object) + "\n").collect()
}

/// An object, and how its plan came about.
pub fn explained(object: &PlannedObject) -> String {
    let mut out = object_for_people(object) + "\n";
    if let Some(description) = &object.description {
        out.push_str(&format!("  {}\n", line(description)));
    }
    out.push_str(&object.explanation.as_ref().map(explanation).unwrap_or_default());
    out.push('\n');
    out
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
        "{} for {}: {} to create, {} to update, {} to disable, {} to delete; {}{} in step, {} skipped, {} failed\n",
        what.bold(),
        line(&plan.target),
        counts.create,
        counts.update,
        counts.disable,
        counts.delete,
        if counts.held_back > 0 { format!("{} held back, ", counts.held_back) } else { String::new() },
        counts.unchanged,
        counts.skipped,
        counts.failed
    );
    if plan.guard.holds_back {
        out.push_str(&format!(
            "{} {} would be disabled or deleted, {} allowed{}: all of them are held back\n",
            "guard:".red().bold(),
            number(plan.guard.count, "account"),
            are(plan.guard.threshold.unwrap_or_default()),
            match plan.guard.recent {
                0 => String::new(),
                recent => format!(", and other plans have disabled or deleted {recent} lately"),
            }
        ));
    }
    if plan.extent == Extent::Drift {
        out.push_str(&format!(
            "{} {}; {} paired with nothing\n",
            "drift:".bold(),
            drift(plan),
            plan.unpaired.len()
        ));
    }
    out
}

fn number(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn are(count: u64) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

/// What was changed in the target behind our back, and of how many accounts that cannot be told.
fn drift(plan: &SavedPlan) -> String {
    let paired = || plan.objects.iter().filter(|object| object.paired_with.is_some());
    if plan.counts.unchanged == 0 && paired().next().is_none() {
        return "no account is paired yet, so that none can have changed behind our back".to_owned();
    }
    let drifted = paired().filter(|object| object.is_drift == Some(true)).count();
    let is_open = |object: &&PlannedObject| {
        !object.requests.is_empty()
            || object.status == Status::Failure
            || object.action == Action::StagedDelete
    };
    let untold = paired().filter(is_open).filter(|object| object.is_drift.is_none()).count();
    let told = format!("{drifted} changed in the target behind our back");
    match untold {
        0 => told,
        _ => format!(
            "{told}, and of {untold} it cannot be told (they fail or are held back, or no cycle has compared them yet)"
        ),
    }
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
        Some(true) if object.drift.is_empty() => format!(", {}", "changed behind our back".red()),
        Some(true) => {
            let names: Vec<String> = object.drift.iter().map(|name| line(name)).collect();
            format!(", {}: {}", "changed behind our back".red(), names.join(", "))
        }
        Some(false) | None => String::new(),
    };
    let account = object
        .target_anchor
        .as_ref()
        .map(|anchor| format!(" ({})", line(anchor.as_str())))
        .unwrap_or_default();
    let mut out = format!(
        "{mark} {} {}{account}: {word}{drift}\n",
        line(&object.source_type),
        line(&object.reportable).bold()
    );
    out.push_str(&view::body(&json!({
        "provisioningSteps": object.steps.iter().map(step).collect::<Vec<_>>(),
        "modifiedProperties": object.attributes.iter().map(|one| json!({
            "displayName": one.name.as_str(), "oldValue": one.old_value, "newValue": one.new_value,
        })).collect::<Vec<_>>(),
    })));
    if let Some(failure) = &object.failure {
        out.push_str(&format!(
            "\n  {} {}\n  {}\n",
            "reason:".bold(),
            line(&failure.code),
            line(&failure.reason)
        ));
        if let Some(details) = &failure.additional_details {
            out.push_str(&format!("  {}\n", line(details)));
        }
        if let Some(action) = &failure.recommended_action {
            out.push_str(&format!("  {} {}\n", "help:".cyan(), line(action)));
        }
    }
    if !object.requests.is_empty() {
        out.push_str(&format!("\n  {}\n", "requests".bold()));
        for request in &object.requests {
            out.push_str(&format!("  {} {}\n", line(&request.method).bold(), line(&request.address)));
            if let Some(body) = &request.body {
                out.push_str(&view::document(body, "    "));
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
                line(&object.source_type),
                line(&object.reportable),
                wire(request)
            ));
        }
    }
    out
}

fn wire(request: &PlannedRequest) -> String {
    let mut out = format!("{} {}\n", line(&request.method), line(&request.address));
    for (name, value) in &request.headers {
        out.push_str(&format!("{}: {}\n", line(name), line(value)));
    }
    if let Some(body) = &request.body {
        out.push_str(&format!("\n{}\n", view::escaped(&body.to_string())));
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
        let error = clause.error.as_ref().map(|error| format!(" ({})", line(error))).unwrap_or_default();
        out.push_str(&format!(
            "  {mark} {}: {} has {value}{error}\n",
            line(&clause.title),
            line(&clause.attribute)
        ));
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
        out.push_str(&format!("  {}{matching} = {}\n", line(&mapped.target).bold(), line(&mapped.value)));
        if let Some(current) = &mapped.current {
            out.push_str(&format!("    {} \"{}\"\n", "the target has".dimmed(), line(current)));
        }
        if mapped.parts.is_empty() {
            out.push_str(&format!("    {}\n", view::expression(&mapped.source).dimmed()));
        }
        mapped.parts.iter().for_each(|part| tell(part, 2, &mut out));
    }
    out
}

fn tell(part: &Part, depth: usize, out: &mut String) {
    out.push_str(&format!(
        "{}{} = {}\n",
        "  ".repeat(depth),
        view::expression(&part.source).dimmed(),
        line(&part.value)
    ));
    part.parts.iter().for_each(|part| tell(part, depth + 1, out));
}

/// The last word of a name such as `urn:…:User`.
fn short(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use usher_core::explain::{Asked, Clause, Mapped};
    use usher_core::saved::{Guard, PlanCounts, Unpaired, VERSION};
    use usher_core::{
        Anchor, EntryId, ErrorCategory, Failure, JobId, ModifiedProperty, PairingEffect, References, RuleId,
    };

    use super::*;
    use crate::view::tests::{hostile, is_harmless};

    fn object() -> PlannedObject {
        let part = Part { source: hostile("source"), value: hostile("value"), parts: Vec::new() };
        let mapped = |parts: Vec<Part>| Mapped {
            target: hostile("target").into(),
            source: hostile("mapping"),
            value: hostile("value"),
            current: Some(hostile("current")),
            matching_priority: None,
            parts,
        };
        PlannedObject {
            rule: RuleId::new("r"),
            source_type: hostile("User").into(),
            source_anchor: Anchor::new(hostile("anchor")),
            named: hostile("named").into(),
            references: References::All,
            reportable: hostile("reportable"),
            action: Action::Update,
            status: Status::Failure,
            reason: None,
            description: Some(hostile("description")),
            failure: Some(Failure {
                code: hostile("code").into(),
                reason: hostile("reason"),
                additional_details: Some(hostile("details")),
                category: ErrorCategory::Failure,
                recommended_action: Some(hostile("action")),
            }),
            is_drift: Some(true),
            drift: vec![hostile("title").into()],
            steps: vec![Step {
                name: hostile("step").into(),
                kind: StepKind::Import,
                status: Status::Success,
                description: hostile("said"),
                details: IndexMap::from([("ErrorCode".to_owned(), hostile("detail"))]),
            }],
            attributes: vec![ModifiedProperty {
                name: hostile("attribute").into(),
                old_value: Some(hostile("old")),
                new_value: Some(hostile("new")),
            }],
            source: None,
            target_type: hostile("account").into(),
            target_anchor: Some(Anchor::new(hostile("target"))),
            target: None,
            paired_with: Some(Anchor::new(hostile("pair"))),
            pairing: PairingEffect::None,
            requests: vec![PlannedRequest {
                method: hostile("PATCH").into(),
                address: hostile("https://x"),
                path: hostile("/x"),
                headers: IndexMap::from([(hostile("name"), hostile("header"))]),
                body: Some(json!({ hostile("member"): hostile("value") })),
            }],
            digest: "d".into(),
            explanation: Some(Explanation {
                clauses: vec![Clause {
                    title: hostile("title"),
                    attribute: hostile("attribute").into(),
                    value: Some(hostile("value")),
                    passed: false,
                    error: Some(hostile("error")),
                }],
                questions: vec![Asked { question: hostile("question"), answer: hostile("answer") }],
                mappings: vec![mapped(Vec::new()), mapped(vec![part])],
            }),
        }
    }

    #[test]
    fn what_others_named_cannot_look_like_our_own_lines() {
        let plan = SavedPlan {
            id: "p".into(),
            version: VERSION,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            tenant: "t".to_owned(),
            service_principal: EntryId::new("sp"),
            target: hostile("portal"),
            job: JobId::new("j"),
            schema: "s".into(),
            connection: "c".into(),
            extent: Extent::Drift,
            watermarks: Default::default(),
            counts: PlanCounts::default(),
            guard: Guard::default(),
            objects: vec![object()],
            unpaired: vec![Unpaired {
                target_type: hostile("urn:x:account").into(),
                target_anchor: Anchor::new(hostile("target")),
                display_name: hostile("stranger"),
            }],
            signature: None,
        };
        for (what, shown) in [
            ("people", people(&plan)),
            ("requests", requests(&plan)),
            ("explained", explained(&plan.objects[0])),
        ] {
            is_harmless(what, &shown);
        }
    }
}
