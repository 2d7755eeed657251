//! What an answer of success holds, as the objects that the Graph SDK would give.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use usher_server::{Form, Gives, Members, Type};

use super::host::Response;
use super::json::from_json;
use super::names::capital;
use super::parameters::forms;
use super::value::{PsValue, Table, TableKind};

/// The columns that the module's own views show; types that are not here show their first plain members.
const COLUMNS: &[(&str, &[&str])] = &[
    ("user", &["Id", "DisplayName", "Mail", "UserPrincipalName", "UserType"]),
    ("group", &["Id", "DisplayName", "Description", "GroupTypes", "AccessType"]),
    ("application", &["Id", "DisplayName", "AppId", "SignInAudience", "PublisherDomain"]),
    ("servicePrincipal", &["Id", "DisplayName", "AppId", "SignInAudience", "PublisherName"]),
    ("directoryObject", &["Id", "DeletedDateTime"]),
];

/// The most columns that a table shows unasked.
const SHOWN: usize = 5;

/// The results of one answer.
#[derive(Debug, Default)]
pub struct Page {
    /// The results.
    pub results: Vec<PsValue>,
    /// The address of the next page.
    pub next: Option<String>,
    /// How many there are on all pages, where that was asked.
    pub count: Option<i128>,
}

/// Reads an answer of success; an empty one has no results.
///
/// # Errors
/// It is not what the operation gives; the text says how.
pub fn page(gives: Gives, namespace: &'static str, response: &Response) -> Result<Page, String> {
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if text.is_empty() {
        return Ok(Page::default());
    }
    let only = |result| Page { results: vec![result], ..Page::default() };
    if matches!(gives, Gives::Count) {
        let number = text.parse().map_err(|_| wrong(response, "with a number"))?;
        return Ok(only(PsValue::Int(number)));
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str::<Value>(text) else {
        return Err(wrong(response, "with a JSON object"));
    };
    match gives {
        Gives::One(of) | Gives::Created(of) => Ok(only(model(of, namespace, members)?)),
        Gives::Many(of) => {
            let next = members.get("@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
            let count = members.get("@odata.count").and_then(Value::as_i64).map(i128::from);
            let Some(Value::Array(items)) = members.remove("value") else {
                return Err(wrong(response, "with a list under 'value'"));
            };
            let results = items
                .into_iter()
                .map(|item| match item {
                    Value::Object(members) => model(of, namespace, members),
                    other => from_json(&other).map_err(|error| error.to_string()),
                })
                .collect::<Result<_, _>>()?;
            Ok(Page { results, next, count })
        }
        _ => Ok(Page::default()),
    }
}

fn wrong(response: &Response, what: &str) -> String {
    let status = response.status;
    format!("The service answered {status} ({}), but not {what}.", super::call::status_name(status))
}

/// An object of a type: its members by the SDK's names, then what the type does not have.
fn model(
    of: &'static Type,
    namespace: &'static str,
    mut members: Map<String, Value>,
) -> Result<PsValue, String> {
    let mut table = Table::new(TableKind::Model { namespace, name: of.name });
    match of.members {
        Members::Exactly(known) | Members::Listed(known) => {
            // The SDK shows members by alphabet.
            let mut known = known.to_vec();
            known.sort_by_key(|(name, _)| *name);
            for (name, form) in &known {
                let value = members.shift_remove(*name).unwrap_or(Value::Null);
                table.insert(capital(name), member(form, namespace, value)?);
            }
        }
        Members::Of(_) => {
            let names: Vec<String> = members.keys().filter(|name| !name.contains('@')).cloned().collect();
            for name in names {
                let value = members.shift_remove(&name).unwrap_or(Value::Null);
                table.insert(capital(&name), from_json(&value).map_err(|error| error.to_string())?);
            }
        }
        Members::Open => {
            for name in ["id", "deletedDateTime"] {
                let value = members.shift_remove(name).unwrap_or(Value::Null);
                table.insert(capital(name), from_json(&value).map_err(|error| error.to_string())?);
            }
        }
    }
    let mut rest = Table::new(TableKind::Hash);
    for (name, value) in members {
        rest.insert(name, from_json(&value).map_err(|error| error.to_string())?);
    }
    table.insert("AdditionalProperties", PsValue::Table(rest));
    Ok(PsValue::Table(table))
}

fn member(form: &Form, namespace: &'static str, value: Value) -> Result<PsValue, String> {
    Ok(match (form, value) {
        (Form::Maybe(form), value) => member(form, namespace, value)?,
        (Form::One(of), Value::Object(members)) => model(of, namespace, members)?,
        // The SDK's objects hold an empty one of what is not there.
        (Form::One(of), Value::Null) => {
            PsValue::Table(Table::new(TableKind::Model { namespace, name: of.name }))
        }
        (Form::Many(form), Value::Array(items)) => PsValue::List(
            items.into_iter().map(|item| member(form, namespace, item)).collect::<Result<_, _>>()?,
        ),
        (Form::Text, value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            PsValue::Text(value.to_string())
        }
        (_, value) => from_json(&value).map_err(|error| error.to_string())?,
    })
}

static TYPES: LazyLock<BTreeMap<&'static str, Vec<String>>> =
    LazyLock::new(|| usher_server::types().iter().map(|of| (of.name, columns_of(of))).collect());

/// The columns of a table of objects of a type, by its name.
pub fn columns(name: &str) -> Vec<String> {
    TYPES.get(name).cloned().unwrap_or_default()
}

fn columns_of(of: &'static Type) -> Vec<String> {
    if let Some((_, columns)) = COLUMNS.iter().find(|(name, _)| *name == of.name) {
        return columns.iter().map(|column| (*column).to_owned()).collect();
    }
    fn is_plain(form: &Form) -> bool {
        match form {
            Form::Maybe(form) => is_plain(form),
            Form::One(_) | Form::Many(_) | Form::Any => false,
            _ => true,
        }
    }
    if matches!(of.members, Members::Open) {
        return vec!["Id".to_owned()];
    }
    let plain = forms(of).into_iter().filter(|(_, form)| is_plain(form));
    plain.take(SHOWN).map(|(name, _)| capital(name)).collect()
}

/// What an item of a list is called in a cell: its name, id or key, as PowerShell chooses.
pub fn display_name(table: &Table) -> Option<String> {
    let ends = |end: &str| {
        let fits = |name: &str| name.to_lowercase().ends_with(end);
        table.iter().find(|(name, value)| fits(name) && matches!(value, PsValue::Text(_)))
    };
    let exact = ["Name", "Id", "Key"].iter().find_map(|name| table.get(name));
    let value = exact.filter(|value| matches!(value, PsValue::Text(_)));
    value
        .or_else(|| ["key", "name", "id"].iter().find_map(|end| ends(end)).map(|(_, value)| value))
        .map(PsValue::to_text)
}
