//! The values of PowerShell literals: what a hashtable, a list, a string or a number is once it has been read.

use indexmap::IndexMap;

use super::date::Date;
use super::number::{Decimal, float_text};

/// A PowerShell value.
#[derive(Clone, Debug, PartialEq)]
pub enum PsValue {
    /// `$null`.
    Null,
    /// `$true` or `$false`.
    Bool(bool),
    /// A whole number; the reader keeps it within the 64-bit types, signed and unsigned.
    Int(i128),
    /// A `System.Double`.
    Float(f64),
    /// A `System.Decimal`.
    Decimal(Decimal),
    /// A `System.String`.
    Text(String),
    /// A `System.DateTime`.
    Date(Date),
    /// An array.
    List(Vec<PsValue>),
    /// A hashtable or an object with properties.
    Table(Table),
}

impl PsValue {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value as PowerShell turns it into text, as in `"$value"`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(true) => "True".into(),
            Self::Bool(false) => "False".into(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => float_text(*number),
            Self::Decimal(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date(date) => date.to_text(),
            Self::List(items) => items.iter().map(Self::to_text).collect::<Vec<_>>().join(" "),
            Self::Table(table) => match table.kind {
                TableKind::Hash => "System.Collections.Hashtable".into(),
                TableKind::Ordered => "System.Collections.Specialized.OrderedDictionary".into(),
                TableKind::Model { namespace, name } => model_name(namespace, name),
                TableKind::Object => {
                    let members: Vec<_> =
                        table.iter().map(|(key, value)| format!("{key}={}", value.to_text())).collect();
                    format!("@{{{}}}", members.join("; "))
                }
            },
        }
    }

    /// The .NET name of the value's type, for error texts.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "System.Boolean",
            Self::Int(number) if i32::try_from(*number).is_ok() => "System.Int32",
            Self::Int(number) if i64::try_from(*number).is_ok() => "System.Int64",
            Self::Int(_) => "System.UInt64",
            Self::Float(_) => "System.Double",
            Self::Decimal(_) => "System.Decimal",
            Self::Text(_) => "System.String",
            Self::Date(_) => "System.DateTime",
            Self::List(_) => "System.Object[]",
            Self::Table(table) => match table.kind {
                TableKind::Hash => "System.Collections.Hashtable",
                TableKind::Ordered => "System.Collections.Specialized.OrderedDictionary",
                TableKind::Object => "System.Management.Automation.PSCustomObject",
                TableKind::Model { .. } => "Microsoft.Graph.PowerShell.Models",
            },
        }
    }

    /// What `$value.name` gives: a member, the members of a list's items, or nothing.
    pub fn member(&self, name: &str) -> Self {
        match self {
            Self::Table(table) => match table.get(name) {
                Some(value) => value.clone(),
                None if name.eq_ignore_ascii_case("Count") => Self::Int(table.len() as i128),
                None => Self::Null,
            },
            Self::List(items)
                if name.eq_ignore_ascii_case("Count") || name.eq_ignore_ascii_case("Length") =>
            {
                Self::Int(items.len() as i128)
            }
            Self::List(items) => {
                let mut found: Vec<_> =
                    items.iter().map(|item| item.member(name)).filter(|value| *value != Self::Null).collect();
                match found.len() {
                    0 => Self::Null,
                    1 => found.remove(0),
                    _ => Self::List(found),
                }
            }
            Self::Text(text) if name.eq_ignore_ascii_case("Length") => {
                Self::Int(text.encode_utf16().count() as i128)
            }
            _ => Self::Null,
        }
    }
}

/// The full name of a model's class.
fn model_name(namespace: &str, name: &str) -> String {
    format!("{namespace}.Models.MicrosoftGraph{}", super::names::capital(name))
}

/// What kind of thing a table of names and values is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// `@{…}`.
    Hash,
    /// `[ordered]@{…}`.
    Ordered,
    /// `[pscustomobject]@{…}`, or an object read from JSON.
    Object,
    /// An object of a type of the API, as the Graph SDK models it; views know it.
    Model {
        /// The SDK's namespace, up to `.Models`.
        namespace: &'static str,
        /// The type, as the API calls it.
        name: &'static str,
    },
}

/// Names and values, in the order written; names are found without regard to case.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What the table is.
    pub kind: TableKind,
    entries: IndexMap<String, (String, PsValue)>,
}

impl Table {
    /// A table without entries.
    pub fn new(kind: TableKind) -> Self {
        Self { kind, entries: IndexMap::new() }
    }

    /// Adds an entry, or replaces the one whose name differs at most in case; returns what was replaced.
    pub fn insert(&mut self, key: impl Into<String>, value: PsValue) -> Option<PsValue> {
        let key = key.into();
        self.entries.insert(folded(&key), (key, value)).map(|(_, value)| value)
    }

    /// The value under a name.
    pub fn get(&self, key: &str) -> Option<&PsValue> {
        self.entries.get(&folded(key)).map(|(_, value)| value)
    }

    /// Whether the name is taken.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(&folded(key))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names as written, with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PsValue)> {
        self.entries.values().map(|(key, value)| (key.as_str(), value))
    }
}

impl<K: Into<String>> FromIterator<(K, PsValue)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, PsValue)>>(entries: I) -> Self {
        let mut table = Self::new(TableKind::Hash);
        for (key, value) in entries {
            table.insert(key, value);
        }
        table
    }
}

fn folded(key: &str) -> String {
    key.to_lowercase()
}
