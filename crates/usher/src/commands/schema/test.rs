//! `usher schema test`: people against a schema, without any server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value as Json, json};
use usher_connectors::HttpOptions;
use usher_core::Secret;
use usher_core::ports::{Connector, ConnectorSettings};
use usher_core::trial::{Contrast, Tried, compare};

use super::people::{self, EXPECTED, People};
use super::report::{self, Outcome, Report};
use crate::failure::{DONE, Failure, REFUSED};
use crate::wiring;

/// What to test.
#[derive(clap::Args)]
pub struct Args {
    /// A folder with people in YAML or JSON, and their expectations; or one file of people.
    folder: PathBuf,
    /// The schema; `schema.json` in the folder unless given.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Write what comes out as the expectation.
    #[arg(long)]
    update: bool,
    /// For people, in TAP, or in JUnit's form.
    #[arg(long, value_enum, default_value_t)]
    output: Report,
}

/// Runs the tests. Exit code 1 when one fails.
pub async fn run(args: &Args) -> Result<u8> {
    let folder =
        if args.folder.is_dir() { &args.folder } else { args.folder.parent().unwrap_or(Path::new(".")) };
    let found = people::find(&args.folder)?;
    let schema = args.schema.clone().unwrap_or_else(|| folder.join("schema.json"));
    let schema = people::schema(&schema)?;
    let rules = people::programs(&schema)?;
    for people in &found {
        people::check(people, &[&schema])?;
    }
    let mut outcomes = Vec::new();
    for people in found {
        let connector = Previewer::of(&people).await?;
        let file = expectations(&people.file);
        let expected: Map<String, Json> = match fs::read_to_string(&file) {
            Ok(text) => {
                serde_json::from_str(&text).with_context(|| format!("cannot read {}", file.display()))?
            }
            Err(_) => Map::new(),
        };
        let mut actual = Map::new();
        for case in &people.cases {
            let outcome = match people::tried(&rules, case, &people.context) {
                Some(tried) => with_requests(tried.outcome(), &tried, connector.as_ref()),
                None => nobody(),
            };
            actual.insert(case.name.clone(), outcome);
        }
        if args.update {
            let text = format!("{:#}\n", Json::Object(actual.clone()));
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            anstream::eprintln!("wrote {}", file.display());
        }
        let expected = if args.update { &actual } else { &expected };
        outcomes.extend(judge(&people, expected, &actual));
    }
    report::print(args.output, &outcomes);
    Ok(if outcomes.iter().all(|one| one.wrong.is_empty()) { DONE } else { REFUSED })
}

/// What comes of a person whom no rule provisions.
pub fn nobody() -> Json {
    json!({ "action": "none", "skip": "NoObjectMapping", "because": "no rule provisions objects of this type" })
}

fn judge(people: &People, expected: &Map<String, Json>, actual: &Map<String, Json>) -> Vec<Outcome> {
    let outcome = |name: &String, wrong| Outcome { file: people.title(), name: name.clone(), wrong };
    let mut outcomes: Vec<Outcome> = actual
        .iter()
        .map(|(name, found)| match expected.get(name) {
            None => outcome(
                name,
                vec!["nothing is expected yet; `usher schema test --update` writes it down".to_owned()],
            ),
            Some(wanted) => outcome(name, compare(wanted, found).iter().map(sentence).collect()),
        })
        .collect();
    let gone = expected.keys().filter(|name| !actual.contains_key(*name));
    outcomes.extend(
        gone.map(|name| outcome(name, vec!["it is expected, but there is no such person".to_owned()])),
    );
    outcomes
}

/// A difference in words.
pub fn sentence((place, old, new): &Contrast) -> String {
    let told = |value: &Option<Json>| value.as_ref().map_or_else(|| "nothing".to_owned(), Json::to_string);
    format!("{place} was {} and is {}", told(old), told(new))
}

fn expectations(file: &Path) -> PathBuf {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(format!("{stem}{EXPECTED}"))
}

/// A connector that is asked only what it would send.
struct Previewer {
    connector: std::sync::Arc<dyn Connector>,
    _folder: tempfile::TempDir,
}

impl Previewer {
    async fn of(people: &People) -> Result<Option<Self>> {
        let Some((kind, given)) = &people.connector else { return Ok(None) };
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let engine = wiring::engine(&folder.path().join("data"), None, None, HttpOptions::default()).await?;
        let mut settings = ConnectorSettings::default();
        for (name, value) in given {
            settings.set(name.clone(), Secret::new(value.as_str()));
        }
        if kind == "scim" && settings.get("BaseAddress").is_none() {
            settings.set("BaseAddress", Secret::new("https://scim.example/scim"));
        }
        let connector = engine
            .connectors
            .build(kind, &settings)
            .map_err(|error| Failure::refused(format!("{}: {error}", people.file.display())))?;
        Ok(Some(Self { connector, _folder: folder }))
    }
}

fn with_requests(mut outcome: Json, tried: &Tried, previewer: Option<&Previewer>) -> Json {
    if let Some(previewer) = previewer {
        let requests: Vec<Json> = tried
            .shown_operations()
            .iter()
            .flat_map(|operation| previewer.connector.preview(operation))
            .map(|request| {
                json!({ "method": request.method.as_str(), "path": request.path, "body": request.body })
            })
            .collect();
        outcome["requests"] = Json::Array(requests);
    }
    outcome
}
