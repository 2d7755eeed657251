//! `usher schema test`: people against a schema, without any server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value as Json, json};
use usher_connectors::HttpOptions;
use usher_core::Secret;
use usher_core::ports::{Connector, ConnectorSettings};
use usher_core::schema::Schema;
use usher_core::trial::{Contrast, Tried, compare};

use super::document;
use super::people::{self, Case, Connection, EXPECTED, People};
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
    let schema = args.schema.clone().unwrap_or_else(|| folder.join("schema.json"));
    let found = people::find(&args.folder, &[&schema])?;
    for people in &found {
        alone(&people.file)?;
    }
    let schema = people::schema(&schema)?;
    let rules = people::programs(&schema)?;
    for people in &found {
        people::check(people, &[&schema])?;
    }
    let mut outcomes = Vec::new();
    for people in found {
        let connector = Previewer::of(&people, &schema).await?;
        let file = expectations(&people.file);
        let expected = expected(&file)?;
        let mut actual = Map::new();
        for case in &people.cases {
            let outcome = match people::tried(&rules, case, &people.context) {
                Some(tried) => with_requests(tried.outcome(), &tried, connector.as_ref()),
                None => nobody(case),
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

/// What comes of a person whom no rule provisions, or not the rule that is named.
pub fn nobody(case: &Case) -> Json {
    let because = match &case.rule {
        None => "no rule provisions objects of this type".to_owned(),
        Some(rule) => format!("the schema has no rule '{rule}' that provisions objects of this type"),
    };
    json!({ "action": "none", "skip": "NoObjectMapping", "because": because })
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

/// What is expected so far; nothing when the file is not there yet.
fn expected(file: &Path) -> Result<Map<String, Json>> {
    const HINT: &str = "correct the file, or remove it and let `usher schema test --update` write it anew";
    if matches!(file.try_exists(), Ok(false)) {
        return Ok(Map::new());
    }
    match document::read(file, HINT)? {
        Json::Object(members) => Ok(members),
        _ => Err(Failure::with_hint(format!("{}: it is no object of people's names", file.display()), HINT)),
    }
}

/// Refuses files whose expectations would be in one file: each would overwrite those of the other.
fn alone(file: &Path) -> Result<()> {
    let mut others = people::ENDINGS.iter().map(|ending| file.with_extension(ending));
    match others.find(|other| other != file && other.is_file() && !other.ends_with("schema.json")) {
        None => Ok(()),
        Some(other) => Err(Failure::with_hint(
            format!(
                "{} and {} would share the expectations {}",
                file.display(),
                other.display(),
                expectations(file).display()
            ),
            "rename one of the two, or put their people into one file",
        )),
    }
}

/// A connector that is asked only what it would send.
struct Previewer {
    connector: Arc<dyn Connector>,
    _folder: tempfile::TempDir,
}

impl Previewer {
    async fn of(people: &People, schema: &Schema) -> Result<Option<Self>> {
        let Some(Connection { kind, settings: given }) = &people.connector else { return Ok(None) };
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let engine = wiring::engine(&folder.path().join("data"), None, None, HttpOptions::default()).await?;
        let mut settings = ConnectorSettings::default();
        for (name, value) in given {
            settings.set(name.clone(), Secret::new(value.as_str()));
        }
        if kind == "scim" && settings.get("BaseAddress").is_none() {
            settings.set("BaseAddress", Secret::new("https://scim.example/scim"));
        }
        // As in a job, whose first rule names the directory that is written.
        let rule = schema.synchronization_rules.first();
        if let Some(directory) = rule.and_then(|rule| schema.directory(&rule.target_directory_name)) {
            settings.set_directory(Arc::new(directory.clone()));
        }
        let connector = engine.connectors.build(kind, &settings).map_err(|error| {
            Failure::with_hint(
                format!("{}: {error}", people.file.display()),
                "give it in the file's 'settings'; nothing is connected to, so an example will do",
            )
        })?;
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
