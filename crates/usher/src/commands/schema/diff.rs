//! `usher schema diff` and `usher schema replay`: what two versions of a schema do differently, person by person.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use owo_colors::OwoColorize;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use usher_core::program::RuleProgram;
use usher_core::schema as documents;
use usher_core::trial::{Contrast, compare};

use super::people::{self, People};
use super::test::{nobody, sentence};
use crate::client::Client;
use crate::commands::job::Which;
use crate::failure::{self, DONE, Failure, REFUSED};
use crate::output::Format;
use crate::view::line;

/// Exit code: the schemas do something differently.
const DIFFERENT: u8 = 2;

/// Two schemas and people.
#[derive(clap::Args)]
pub struct Args {
    /// The schema as it is.
    old: PathBuf,
    /// The schema as it is to be.
    new: PathBuf,
    /// People in YAML or JSON: a file, or a folder of files.
    #[arg(long, value_name = "PATH", required = true)]
    people: Vec<PathBuf>,
    /// For people, or as JSON.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// A job whose recorded objects are tried on a new schema.
#[derive(clap::Args)]
pub struct Replay {
    /// The schema as it is to be.
    new: PathBuf,
    #[command(flatten)]
    which: Which,
    /// For people, or as JSON.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// Compares. Exit code 2 when something differs.
pub fn run(args: &Args) -> u8 {
    reported(diff(args))
}

/// Replays. Exit code 2 when something differs.
pub async fn replay(args: &Replay) -> u8 {
    reported(replayed(args).await)
}

fn reported(outcome: Result<u8>) -> u8 {
    outcome.unwrap_or_else(|error| {
        failure::report(&error);
        REFUSED
    })
}

fn diff(args: &Args) -> Result<u8> {
    let (old, new) = (people::schema(&args.old)?, people::schema(&args.new)?);
    let mut all: Vec<People> = Vec::new();
    for path in &args.people {
        for people in people::find(path, &[&args.old, &args.new])? {
            // A folder and a file of it name the same people.
            if !all.iter().any(|other| other.file == people.file) {
                all.push(people);
            }
        }
    }
    for people in &all {
        people::check(people, &[&old, &new])?;
    }
    Ok(told(&people::programs(&old)?, &people::programs(&new)?, &all, args.output))
}

async fn replayed(args: &Replay) -> Result<u8> {
    let new = people::programs(&people::schema(&args.new)?)?;
    let client = Client::connect()?;
    let path = args.which.path(&client).await?;
    let document = client.get(&format!("{path}/schema")).await?;
    let schema = documents::read(document.to_string().as_bytes()).schema;
    let schema = schema.ok_or_else(|| Failure::refused("the job's schema cannot be read"))?;
    let old = people::programs(&schema)?;
    let recorded = client.list(&format!("{path}/recordings")).await?;
    if recorded.is_empty() {
        return Err(Failure::with_hint(
            "the job has recorded no source objects",
            "`usher job set --app NAME --keep-source-objects P7D` lets it, for seven days; they are personal data",
        ));
    }
    let list = people_of(recorded);
    let people = people::from_json(Path::new("recorded"), &json!({ "people": list }))
        .map_err(|what| Failure::refused(format!("the recorded objects cannot be read: {what}")))?;
    for (object_type, names) in not_imported(&old, &new) {
        anstream::eprintln!(
            "note: the new schema reads {} of {object_type}, which was not imported for the schema as it is; it counts as empty",
            names.join(", ")
        );
    }
    Ok(told(&old, &new, &[people], args.output))
}

/// What a new schema reads of source objects, and the old one did not: recordings cannot hold it.
fn not_imported(old: &[RuleProgram], new: &[RuleProgram]) -> Vec<(SmolStr, Vec<SmolStr>)> {
    let mappings = new.iter().flat_map(|rule| &rule.mappings);
    let unknown = mappings.filter_map(|mapping| {
        let known: Vec<SmolStr> = old
            .iter()
            .filter_map(|rule| rule.mapping(&mapping.source_type))
            .flat_map(|mapping| mapping.source_attributes())
            .collect();
        let mut names = mapping.source_attributes();
        names.retain(|name| !known.contains(name));
        (!names.is_empty()).then(|| (mapping.source_type.clone(), names))
    });
    unknown.collect()
}

/// The people of recordings. Who came up several times is told apart by the event.
fn people_of(recorded: Vec<Json>) -> Vec<Json> {
    let name = |one: &Json| one["person"]["name"].as_str().unwrap_or_default().to_owned();
    let mut counts: HashMap<String, usize> = HashMap::new();
    recorded.iter().for_each(|one| *counts.entry(name(one)).or_default() += 1);
    recorded
        .into_iter()
        .map(|mut one| {
            let name = name(&one);
            let event = one["id"].as_str().unwrap_or_default().to_owned();
            let mut person = one["person"].take();
            if counts[&name] > 1 {
                person["name"] = json!(format!("{name}, event {event}"));
            }
            person
        })
        .collect()
}

fn told(old: &[RuleProgram], new: &[RuleProgram], all: &[People], output: Format) -> u8 {
    let mut different = Vec::new();
    let mut count = 0;
    for people in all {
        for case in &people.cases {
            count += 1;
            let outcome = |rules| {
                people::tried(rules, case, &people.context)
                    .map_or_else(|| nobody(case), |tried| tried.outcome())
            };
            let contrasts = compare(&outcome(old), &outcome(new));
            if !contrasts.is_empty() {
                // The same name may stand in several files.
                let name = match all.len() {
                    1 => case.name.clone(),
                    _ => format!("{}: {}", people.title(), case.name),
                };
                different.push((name, contrasts));
            }
        }
    }
    match output {
        Format::Json => {
            let list: Vec<Json> =
                different.iter().map(|(name, contrasts)| as_json(name, contrasts)).collect();
            anstream::println!("{:#}", Json::Array(list));
        }
        Format::Table => {
            for (name, contrasts) in &different {
                anstream::println!("{} {}", "~".cyan(), line(name).bold());
                contrasts.iter().for_each(|contrast| anstream::println!("    {}", line(&sentence(contrast))));
            }
            anstream::println!("{} of {count} people come out differently", different.len());
        }
    }
    if different.is_empty() { DONE } else { DIFFERENT }
}

fn as_json(name: &str, contrasts: &[Contrast]) -> Json {
    let list: Vec<Json> =
        contrasts.iter().map(|(place, old, new)| json!({ "place": place, "old": old, "new": new })).collect();
    json!({ "name": name, "differences": list })
}
