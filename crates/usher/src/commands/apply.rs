//! `usher apply`: a saved plan, exactly as it was reviewed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use owo_colors::OwoColorize;
use serde_json::{Value, json};
use usher_core::saved::SIGNATURE;
use usher_core::saved::applied::{Applied, Outcome, State};

use crate::client::{Client, segment};
use crate::failure::{DONE, Failure, REFUSED};
use crate::lookup::text;
use crate::output::{self, Format};
use crate::view;

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
    and what changed is told. Applying the plan again goes on there. An object that failed when the plan was made is\n\
    left out, and told.\n\n\
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
        Format::Table => print(&answer, &applied),
    }
    Ok(if applied.is_complete() { DONE } else { REFUSED })
}

fn print(answer: &Value, applied: &Applied) {
    for object in answer["objects"].as_array().into_iter().flatten() {
        let (mark, word) = match text(object, "outcome") {
            "done" => ("✓".green().to_string(), text(object, "action").to_owned()),
            "alreadyDone" => ("✓".green().to_string(), format!("{} (done before)", text(object, "action"))),
            "notPlanned" => {
                ("✗".red().to_string(), "failed when the plan was made; nothing was sent".to_owned())
            }
            "refused" => ("✗".red().to_string(), "is not as planned; nothing was sent".to_owned()),
            _ => ("✗".red().to_string(), format!("{} failed", text(object, "action"))),
        };
        anstream::println!(
            "{mark} {} {}: {word}",
            text(object, "sourceType"),
            text(object, "reportable").bold()
        );
        for request in object["requests"].as_array().into_iter().flatten() {
            anstream::println!("    {}", view::exchange(request));
        }
        for difference in object["differences"].as_array().into_iter().flatten() {
            anstream::println!("    {}", text(difference, "description").yellow());
        }
        if let Some(failure) = object["failure"].as_object() {
            for name in ["code", "reason", "additionalDetails", "recommendedAction"] {
                if let Some(said) = failure.get(name).and_then(Value::as_str) {
                    anstream::println!("    {said}");
                }
            }
        }
    }
    let (done, total) = (applied.done, applied.total);
    let failed = applied.objects.iter().filter(|object| object.outcome == Outcome::NotPlanned).count();
    match (applied.state, failed) {
        (State::Applied, 0) => anstream::println!("all of the plan is applied ({})", objects(total)),
        (State::Applied, _) => anstream::println!(
            "{} {} failed when the plan was made; the others are done. Mend what failed, and plan anew",
            "incomplete:".red().bold(),
            objects(failed)
        ),
        _ => anstream::println!(
            "{} {done} of {} done; apply the plan again to go on, or plan anew",
            "stopped:".red().bold(),
            if total == 1 { "1 object is".to_owned() } else { format!("{total} objects are") }
        ),
    }
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}
