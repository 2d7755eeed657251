//! People to try a schema on: files in YAML or JSON.

mod check;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::program::{ProgramError, RuleProgram};
use usher_core::schema::{self, Schema, Severity};
use usher_core::trial::{Person, Tried, attempt};
use usher_core::{Anchor, AttributeSet};
use usher_expr::{Context, Value, nearest};

use super::document;
use crate::failure::Failure;

pub use check::check;

/// What the names of files with expectations end with.
pub const EXPECTED: &str = ".expected.json";
/// What the names of files of people end with, behind the dot.
pub const ENDINGS: &[&str] = &["yaml", "yml", "json"];
/// What `Now()` means unless a file says otherwise.
const NOW: &str = "2026-01-01T00:00:00Z";
const MEMBERS: &[&str] =
    &["name", "type", "id", "rule", "source", "assigned", "account", "paired", "accounts", "taken"];
const FILE_MEMBERS: &[&str] = &["now", "defaultDomain", "connector", "settings", "people"];

/// A file of people.
pub struct People {
    /// The file.
    pub file: PathBuf,
    /// The people.
    pub cases: Vec<Case>,
    /// What expressions are evaluated with.
    pub context: Context,
    /// The connector whose requests are expected.
    pub connector: Option<Connection>,
}

/// A connector of a file of people.
pub struct Connection {
    /// The kind.
    pub kind: String,
    /// The settings by their keys.
    pub settings: Vec<(String, String)>,
}

/// A person with a name for the report.
pub struct Case {
    /// The name.
    pub name: String,
    /// The rule; the first that provisions such objects unless given.
    pub rule: Option<String>,
    /// The person.
    pub person: Person,
}

impl People {
    /// The file's name without folder and ending.
    pub fn title(&self) -> String {
        self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// What a file of people should look like.
const HINT: &str = "the guide page schema-tests.md tells what a person looks like";

/// All files of people in a folder but the `schemas` that lie there, too; or the one file.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn find(path: &Path, schemas: &[&Path]) -> Result<Vec<People>> {
    if !path.exists() {
        return Err(Failure::with_hint(
            format!("there is no folder or file '{}'", path.display()),
            "give a folder with people, or a file of people",
        ));
    }
    if !path.is_dir() {
        return Ok(vec![read(path)?]);
    }
    let schemas: Vec<PathBuf> = schemas.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let file = entry?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_people = ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}")))
            && !name.ends_with(EXPECTED)
            && name != "schema.json";
        if is_people && file.is_file() && !file.canonicalize().is_ok_and(|file| schemas.contains(&file)) {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::with_hint(
            format!("{} holds no people", path.display()),
            "give files that end with .yaml or .json",
        ));
    }
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<People> {
    let document = document::read(file, HINT)?;
    from_json(file, &document).map_err(|what| mistake(file, &what))
}

fn mistake(file: &Path, what: &str) -> anyhow::Error {
    Failure::with_hint(format!("{}: {what}", file.display()), HINT)
}

/// People from a document: a list of them, or an object with the list in `people`.
///
/// # Errors
/// What is wrong with it.
pub fn from_json(file: &Path, document: &Json) -> Result<People, String> {
    let empty = Map::new();
    let head = document.as_object().unwrap_or(&empty);
    known(head, FILE_MEMBERS)?;
    let list = document.as_array().or_else(|| head.get("people").and_then(Json::as_array));
    let list = list.ok_or("it is neither a list of people nor an object with 'people'")?;
    let now = text(head, "now")?.unwrap_or_else(|| NOW.to_owned());
    let now: Timestamp =
        now.parse().map_err(|_| format!("'now' is no instant such as {NOW}, but '{now}'"))?;
    let mut context = Context::new(now, 0);
    context.default_domain = text(head, "defaultDomain")?.map(SmolStr::from);
    let connector = connector(head)?;
    if list.is_empty() {
        return Err("it names nobody, so that nothing would be tested".to_owned());
    }
    let cases = list
        .iter()
        .enumerate()
        .map(|(place, person)| case(person).map_err(|what| format!("person {}: {what}", place + 1)))
        .collect::<Result<Vec<Case>, String>>()?;
    for (place, one) in cases.iter().enumerate() {
        if cases[..place].iter().any(|other| other.name == one.name) {
            return Err(format!("two people are called '{}'", one.name));
        }
    }
    Ok(People { file: file.to_owned(), cases, context, connector })
}

/// The kind of connector and its settings. A setting that it does not read would be without effect.
fn connector(head: &Map<String, Json>) -> Result<Option<Connection>, String> {
    let given = object(head, "settings")?;
    let Some(kind) = text(head, "connector")? else {
        return match given.is_empty() {
            true => Ok(None),
            false => Err("it has 'settings', but no 'connector' that would read them".to_owned()),
        };
    };
    let kinds = usher_connectors::kinds();
    let Some(found) = kinds.iter().find(|known| known.name.eq_ignore_ascii_case(&kind)) else {
        let names = kinds.iter().map(|known| known.name);
        return Err(unknown(&format!("there is no connector '{kind}'"), &kind, names));
    };
    if !found.capabilities.target {
        return Err(format!(
            "the connector '{}' writes nothing, so that no requests can be expected",
            found.name
        ));
    }
    let mut settings: Vec<(String, String)> = Vec::new();
    for (key, value) in given {
        let names = || found.settings.iter().map(|setting| setting.key);
        let Some(name) = names().find(|name| name.eq_ignore_ascii_case(key)) else {
            return Err(unknown(
                &format!("the connector '{}' has no setting '{key}'", found.name),
                key,
                names(),
            ));
        };
        if settings.iter().any(|(known, _)| known == name) {
            return Err(format!("the setting '{name}' is given twice"));
        }
        let value = plain(value).ok_or_else(|| format!("the setting '{key}' is no text"))?;
        settings.push((name.to_owned(), value));
    }
    Ok(Some(Connection { kind: found.name.to_owned(), settings }))
}

/// What is not known, with the nearest name that is, or with all.
fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, names.clone()) {
        Some(near) => format!("{what}; did you mean '{near}'?"),
        None if names.clone().next().is_none() => format!("{what}; it has none"),
        None => format!("{what}; there are: {}", names.collect::<Vec<_>>().join(", ")),
    }
}

fn case(document: &Json) -> Result<Case, String> {
    let members = document.as_object().ok_or("it is no object")?;
    known(members, MEMBERS)?;
    let text = |name: &str| text(members, name);
    let flag = |name: &str| match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(format!("'{name}' is neither true nor false")),
    };
    let attributes = |name: &str| match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(values)) => Ok(Some(
            values
                .iter()
                .map(|(name, value)| (SmolStr::from(name.as_str()), Value::from_json(value)))
                .collect::<AttributeSet>(),
        )),
        Some(_) => Err(format!("'{name}' is no object of attributes")),
    };
    let name = text("name")?.filter(|name| !name.trim().is_empty()).ok_or("it has no 'name'")?;
    if !members.contains_key("source") {
        return Err(
            "it has no 'source'; null means that the source does not have the person any more".to_owned()
        );
    }
    let account = attributes("account")?;
    if account.is_none() && members.contains_key("paired") {
        return Err("it has 'paired', but no 'account' to be paired with".to_owned());
    }
    let mut accounts = BTreeMap::new();
    for (from, to) in object(members, "accounts")? {
        let to = match to {
            Json::Null => None,
            to => Some(plain(to).ok_or_else(|| format!("the account of '{from}' in 'accounts' is no text"))?),
        };
        accounts.insert(Anchor::new(from.as_str()), to.map(Anchor::new));
    }
    let person = Person {
        object_type: text("type")?.unwrap_or_else(|| "User".to_owned()).into(),
        anchor: Anchor::new(text("id")?.unwrap_or_else(|| name.clone())),
        source: attributes("source")?,
        is_assigned: Some(flag("assigned")?.unwrap_or(true)),
        is_paired: flag("paired")?.unwrap_or(account.is_some()),
        account,
        accounts,
        taken: object(members, "taken")?
            .iter()
            .map(|(name, values)| {
                let values = Value::from_json(values).values().to_vec();
                (SmolStr::from(name.as_str()), values)
            })
            .collect(),
    };
    Ok(Case { name, rule: text("rule")?, person })
}

fn known(members: &Map<String, Json>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(unknown(&format!("'{name}' is not known here"), name, names.iter().copied())),
        None => Ok(()),
    }
}

/// A member that is a text, or a number that is meant as one; `None` when it is null or not there.
fn text(members: &Map<String, Json>, name: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => plain(value).map(Some).ok_or_else(|| format!("'{name}' is no text")),
    }
}

/// A member that is an object; empty when it is null or not there.
fn object<'a>(members: &'a Map<String, Json>, name: &str) -> Result<&'a Map<String, Json>, String> {
    static EMPTY: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    match members.get(name) {
        None | Some(Json::Null) => Ok(&EMPTY),
        Some(Json::Object(members)) => Ok(members),
        Some(_) => Err(format!("'{name}' is no object of names and values")),
    }
}

/// A text, number or truth value as text.
fn plain(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// The schema of a file; it must run.
///
/// # Errors
/// It cannot be read, or has errors.
pub fn schema(file: &Path) -> Result<Schema> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let reading = schema::read(&bytes);
    let mut problems = reading.diagnostics;
    problems.extend(reading.schema.iter().flat_map(schema::check));
    let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let first = errors.next().map(|first| {
        let more = match errors.count() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        format!("{} has errors: {}: {}{more}", file.display(), first.path, first.message)
    });
    let wrong = |message: String| {
        Failure::with_hint(message, format!("`usher schema check {}` lists them", file.display()))
    };
    match (first, reading.schema) {
        (None, Some(schema)) => Ok(schema),
        (first, _) => Err(wrong(first.unwrap_or_else(|| format!("{} is no schema", file.display())))),
    }
}

/// The rules of a schema, compiled.
///
/// # Errors
/// One of them cannot run.
pub fn programs(schema: &Schema) -> Result<Vec<RuleProgram>> {
    let compiled: Result<Vec<RuleProgram>, Vec<ProgramError>> =
        schema.synchronization_rules.iter().map(|rule| RuleProgram::compile(schema, rule)).collect();
    compiled.map_err(|errors| {
        let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::refused(format!("the schema cannot run: {}", said.join("; ")))
    })
}

/// What comes of a person; `None` when no rule provisions such objects.
pub fn tried(rules: &[RuleProgram], case: &Case, context: &Context) -> Option<Tried> {
    let wanted = |rule: &&RuleProgram| case.rule.as_deref().is_none_or(|id| rule.id.as_str() == id);
    rules.iter().filter(wanted).find_map(|rule| attempt(rule, &case.person, context))
}
