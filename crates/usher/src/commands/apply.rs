//! `usher apply`: a saved plan, exactly as it was reviewed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use owo_colors::OwoColorize;
use serde_json::{Value, json};
use usher_core::saved::applied::{Applied, Outcome, State};
use usher_core::saved::{SIGNATURE, doubled_member};

use crate::client::{Client, segment};
use crate::failure::{DONE, Failure, REFUSED};
use crate::lookup::text;
use crate::output::{self, Format};
use crate::view::{self, line};

/// How long applying a plan may take.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// The largest document that is sent; a larger one is held against the one that the service keeps.
const LARGEST: usize = 3 * 1024 * 1024;

/// Apply a saved plan: exactly what was reviewed, or nothing.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher plan User adele@contoso.example --app hr-portal -o plan.json\n  \
    usher apply plan.json\n\n\
    Each object is looked at once more before it is written; the first that is not as planned ends the application,\n\
    and what changed is told. An object that the target refuses is told, and the others go on; a target that fails\n\
    ends the application. Applying the plan again goes on there, and tries once more what failed. An object that\n\
    failed when the plan was made is left out, and told.\n\n\
    Exit code 0: all of the plan is applied; 1: it stopped, was refused, or an object failed.")]
pub struct Args {
    /// The plan, as `usher plan -o` saved it.
    file: PathBuf,
    /// What was done, for people or as JSON.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Applies the plan.
pub async fn run(args: Args) -> Result<u8> {
    let content =
        fs::read_to_string(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    let no_plan = || {
        Failure::with_hint(
            format!("{} is no saved plan", args.file.display()),
            "make one with `usher plan … -o FILE`",
        )
    };
    let document: Value = serde_json::from_str(&content).map_err(|_| no_plan())?;
    if let Some(path) = doubled_member(&content) {
        return Err(Failure::with_hint(
            format!("{} was changed: {path} stands twice in it; nothing was applied", args.file.display()),
            "plan again",
        ));
    }
    let named: Vec<&str> =
        ["servicePrincipal", "job", "id", SIGNATURE].iter().map(|name| text(&document, name)).collect();
    if named.contains(&"") {
        return Err(no_plan());
    }
    let client = Client::connect_with_patience(PATIENCE)?;
    let path = format!(
        "/v1.0/servicePrincipals/{}/synchronization/jobs/{}/plans/{}",
        segment(named[0]),
        segment(named[1]),
        segment(named[2])
    );
    let body = if content.len() <= LARGEST {
        json!({ "document": document })
    } else {
        let stored = client.get(&path).await?;
        if stored["document"] != document {
            return Err(Failure::refused("the plan was changed after it was made; nothing was applied"));
        }
        json!({})
    };
    let answer = client.post(&format!("{path}/apply"), &body).await?;
    let applied: Applied =
        serde_json::from_value(answer.clone()).context("this is no answer of this version of usher")?;
    match args.output {
        Format::Json => output::object(Format::Json, &answer),
        Format::Table => anstream::print!("{}", told(&answer, &applied)),
    }
    Ok(if applied.is_complete() { DONE } else { REFUSED })
}

/// What came of each object, and of all.
fn told(answer: &Value, applied: &Applied) -> String {
    let mut out = String::new();
    for object in answer["objects"].as_array().into_iter().flatten() {
        let action = line(text(object, "action"));
        let (mark, word) = match text(object, "outcome") {
            "done" => ("✓".green().to_string(), action),
            "alreadyDone" => ("✓".green().to_string(), format!("{action} (done before)")),
            "notPlanned" => {
                ("✗".red().to_string(), "failed when the plan was made; nothing was sent".to_owned())
            }
            "refused" if object["requests"].as_array().is_none_or(Vec::is_empty) => {
                ("✗".red().to_string(), "is not as planned; nothing was sent".to_owned())
            }
            "refused" => ("✗".red().to_string(), "is not as planned".to_owned()),
            _ => ("✗".red().to_string(), format!("{action} failed")),
        };
        out.push_str(&format!(
            "{mark} {} {}: {word}\n",
            line(text(object, "sourceType")),
            line(text(object, "reportable")).bold()
        ));
        for request in object["requests"].as_array().into_iter().flatten() {
            out.push_str(&format!("    {}\n", view::exchange(request)));
        }
        for difference in object["differences"].as_array().into_iter().flatten() {
            out.push_str(&format!("    {}\n", line(text(difference, "description")).yellow()));
        }
        if let Some(failure) = object["failure"].as_object() {
            for name in ["code", "reason", "additionalDetails", "recommendedAction"] {
                if let Some(said) = failure.get(name).and_then(Value::as_str) {
                    out.push_str(&format!("    {}\n", line(said)));
                }
            }
        }
    }
    out.push_str(&summary(applied));
    out
}

fn summary(applied: &Applied) -> String {
    let counts = &applied.counts;
    let others = [
        (counts.skipped, "skipped"),
        (counts.held_back, "held back"),
        (counts.failed, "failed"),
        (counts.different, "not as planned"),
        (counts.not_reached, "not reached"),
    ];
    let mut what = format!("{} applied", counts.applied);
    for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
        what.push_str(&format!(", {count} {word}"));
    }
    let failed_in_the_plan =
        applied.objects.iter().filter(|object| object.outcome == Outcome::NotPlanned).count() as u64;
    let incomplete = "incomplete:".red().bold().to_string();
    match applied.state {
        State::Applied if counts.held_back > 0 => format!(
            "applied but for what the deletion guard holds back: {what}; see `usher job restart --reset ForceDeletes`\n"
        ),
        State::Applied => format!("all of the plan is applied: {what}\n"),
        State::Incomplete if counts.failed == failed_in_the_plan && counts.different == 0 => {
            format!("{incomplete} {what}; mend what failed when the plan was made, and plan anew\n")
        }
        State::Incomplete => {
            format!("{incomplete} {what}; apply the plan again to try once more what is left, or plan anew\n")
        }
        _ => format!("{} {what}; apply the plan again to go on, or plan anew\n", "stopped:".red().bold()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::tests::{hostile, is_harmless};

    fn applied(state: &str, counts: Value, objects: Value) -> (Value, Applied) {
        let answer = json!({
            "plan": "p", "state": state, "objects": objects, "done": 1, "total": 9, "counts": counts,
        });
        let applied = serde_json::from_value(answer.clone()).expect("it is an answer");
        (answer, applied)
    }

    #[test]
    fn what_others_named_cannot_look_like_our_own_lines() {
        let failure = json!({
            "code": hostile("code"), "reason": hostile("reason"), "additionalDetails": hostile("details"),
            "category": "failure", "recommendedAction": hostile("help"),
        });
        let object = json!({
            "sourceType": hostile("User"), "sourceAnchor": "1", "reportable": hostile("adele"), "action": "update",
            "outcome": "failed", "targetAnchor": null, "failure": failure,
            "requests": [{ "method": "PATCH", "path": hostile("/Users/1"), "answer": { "status": 400 } }],
            "differences": [{
                "place": "target", "attribute": "title", "planned": null, "found": null,
                "description": hostile("title in the target was"),
            }],
        });
        let counts = json!({ "applied": 1, "skipped": 0, "heldBack": 0, "failed": 1, "different": 0, "notReached": 7 });
        let (answer, applied) = applied("stopped", counts, json!([object]));
        let shown = told(&answer, &applied);
        is_harmless("an application", &shown);
        assert!(
            shown.ends_with(
                "1 applied, 1 failed, 7 not reached; apply the plan again to go on, or plan anew\n"
            ),
            "{shown}"
        );
    }

    #[test]
    fn what_was_held_back_and_skipped_is_not_called_applied() {
        let counts = json!({ "applied": 2, "skipped": 3, "heldBack": 4, "failed": 0, "different": 0, "notReached": 0 });
        let (answer, applied) = applied("applied", counts, json!([]));
        assert_eq!(
            told(&answer, &applied),
            "applied but for what the deletion guard holds back: 2 applied, 3 skipped, 4 held back; see `usher job restart --reset ForceDeletes`\n"
        );
    }
}
