//! People to try a schema on: files in YAML or JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::program::{ProgramError, RuleProgram};
use usher_core::schema::{self, ObjectDefinition, ObjectMapping, Rule, Schema, Severity};
use usher_core::trial::{Person, Tried, attempt};
use usher_core::{Anchor, AttributeSet};
use usher_expr::{Context, Value};

use crate::failure::Failure;

/// What the names of files with expectations end with.
pub const EXPECTED: &str = ".expected.json";
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
    /// The kind of connector whose requests are expected, with its settings.
    pub connector: Option<(String, Vec<(String, String)>)>,
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

/// All files of people in a folder, or the one file.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn find(path: &Path) -> Result<Vec<People>> {
    if !path.exists() {
        return Err(Failure::with_hint(
            format!("there is no folder or file '{}'", path.display()),
            "give a folder with people, or a file of people",
        ));
    }
    if !path.is_dir() {
        return Ok(vec![read(path)?]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let file = entry?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_people = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending))
            && !name.ends_with(EXPECTED)
            && name != "schema.json";
        if is_people && file.is_file() {
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
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let wrong = |what: String| mistake(file, &what);
    let is_json = file.extension().is_some_and(|ending| ending == "json");
    let document: Json = if is_json {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
    } else {
        serde_yaml_ng::from_str(&text).map_err(|error| wrong(error.to_string()))?
    };
    from_json(file, &document).map_err(wrong)
}

fn mistake(file: &Path, what: &str) -> anyhow::Error {
    Failure::with_hint(
        format!("{}: {what}", file.display()),
        "the guide page schema-tests.md tells what a person looks like",
    )
}

/// Holds people against schemas: a name that none of them knows is a slip of the pen, and would test nothing.
///
/// # Errors
/// The first such name.
pub fn check(people: &People, schemas: &[&Schema]) -> Result<()> {
    for (place, case) in people.cases.iter().enumerate() {
        // Two versions of a schema may differ in what they know: one that knows all the person's names suffices.
        let mut unknown = schemas.iter().map(|schema| unknown(schema, case));
        let first = unknown.next().flatten();
        if let Some(what) = first.filter(|_| unknown.all(|other| other.is_some())) {
            return Err(mistake(&people.file, &format!("person {} ('{}'): {what}", place + 1, case.name)));
        }
    }
    Ok(())
}

fn unknown(schema: &Schema, case: &Case) -> Option<String> {
    let rules = &schema.synchronization_rules;
    if let Some(id) = case.rule.as_deref().filter(|id| !rules.iter().any(|rule| rule.id == *id)) {
        let known: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        return Some(format!("the schema has no rule '{id}'; there are: {}", known.join(", ")));
    }
    let person = &case.person;
    let rules = || rules.iter().filter(|rule| case.rule.as_deref().is_none_or(|id| rule.id == id));
    let is_named = |name: &str| name.eq_ignore_ascii_case(&person.object_type);
    let mappings: Vec<(&Rule, &ObjectMapping)> = rules()
        .flat_map(|rule| rule.object_mappings.iter().map(move |mapping| (rule, mapping)))
        .filter(|(_, mapping)| is_named(&mapping.source_object_name))
        .collect();
    let definitions: Vec<&ObjectDefinition> = rules()
        .filter_map(|rule| schema.directory(&rule.source_directory_name)?.object(&person.object_type))
        .collect();
    if mappings.is_empty() && definitions.is_empty() {
        return Some(format!("the schema has no source object '{}'", person.object_type));
    }
    let programs: Vec<RuleProgram> =
        rules().filter_map(|rule| RuleProgram::compile(schema, rule).ok()).collect();
    let programs: Vec<_> = programs.iter().filter_map(|rule| rule.mapping(&person.object_type)).collect();
    let reads = |name: &str| {
        programs
            .iter()
            .flat_map(|mapping| mapping.source_attributes())
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let is_defined = |definitions: &[&ObjectDefinition], name: &str| {
        definitions.is_empty() || definitions.iter().any(|object| object.attribute(name).is_some())
    };
    let source = person.source.iter().flat_map(AttributeSet::iter);
    for (name, _) in source {
        if !reads(name) && !is_defined(&definitions, name) {
            return Some(format!("'{name}' is no attribute of {} in the schema", person.object_type));
        }
    }
    let targets: Vec<&ObjectDefinition> = mappings
        .iter()
        .filter_map(|(rule, mapping)| {
            schema.directory(&rule.target_directory_name)?.object(&mapping.target_object_name)
        })
        .collect();
    let writes = |name: &str| {
        let mut mapped = mappings.iter().flat_map(|(_, mapping)| &mapping.attribute_mappings);
        mapped.any(|one| one.target_attribute_name.eq_ignore_ascii_case(name))
    };
    let held = person.account.iter().flat_map(AttributeSet::iter).map(|(name, _)| name);
    for name in held.chain(person.taken.keys()) {
        if !writes(name) && !is_defined(&targets, name) {
            return Some(format!("'{name}' is no attribute of the account in the schema"));
        }
    }
    None
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
    let now = head.get("now").and_then(Json::as_str).unwrap_or(NOW);
    let now: Timestamp =
        now.parse().map_err(|_| format!("'now' is no instant such as {NOW}, but '{now}'"))?;
    let mut context = Context::new(now, 0);
    context.default_domain = head.get("defaultDomain").and_then(Json::as_str).map(SmolStr::from);
    let settings = head.get("settings").and_then(Json::as_object).unwrap_or(&empty);
    let settings = settings.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
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
    Ok(People {
        file: file.to_owned(),
        cases,
        context,
        connector: head.get("connector").and_then(Json::as_str).map(|kind| (kind.to_owned(), settings)),
    })
}

fn case(document: &Json) -> Result<Case, String> {
    let members = document.as_object().ok_or("it is no object")?;
    known(members, MEMBERS)?;
    let text = |name: &str| members.get(name).filter(|value| !value.is_null()).map(plain);
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
    let name = text("name").ok_or("it has no 'name'")?;
    if !members.contains_key("source") {
        return Err(
            "it has no 'source'; null means that the source does not have the person any more".to_owned()
        );
    }
    let object = |name: &str| members.get(name).and_then(Json::as_object).into_iter().flatten();
    let account = attributes("account")?;
    let person = Person {
        object_type: text("type").unwrap_or_else(|| "User".to_owned()).into(),
        anchor: Anchor::new(text("id").unwrap_or_else(|| name.clone())),
        source: attributes("source")?,
        is_assigned: Some(flag("assigned")?.unwrap_or(true)),
        is_paired: flag("paired")?.unwrap_or(account.is_some()),
        account,
        accounts: object("accounts")
            .map(|(from, to)| {
                (
                    Anchor::new(from.as_str()),
                    Some(to).filter(|to| !to.is_null()).map(|to| Anchor::new(plain(to))),
                )
            })
            .collect::<BTreeMap<_, _>>(),
        taken: object("taken")
            .map(|(name, values)| {
                let values = Value::from_json(values).values().to_vec();
                (SmolStr::from(name.as_str()), values)
            })
            .collect(),
    };
    Ok(Case { name, rule: text("rule"), person })
}

fn known(members: &Map<String, Json>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("'{name}' is not known here; there are: {}", names.join(", "))),
        None => Ok(()),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
    let has_errors = problems.iter().any(|problem| problem.severity == Severity::Error);
    reading.schema.filter(|_| !has_errors).ok_or_else(|| {
        Failure::with_hint(
            format!("{} has errors", file.display()),
            format!("`usher schema check {}` lists them", file.display()),
        )
    })
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
