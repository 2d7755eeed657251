//! Tolerant access to the members of a JSON object, with a path for everything that is noticed.

use serde_json::{Map, Value};
use usher_expr::Severity;

use super::kinds::{self, Kind};
use super::{SchemaDiagnostic, scalar};

/// A JSON object with the place where it stands.
pub struct Place<'a> {
    /// Its members.
    pub members: &'a Map<String, Value>,
    /// Its JSON path.
    pub path: String,
}

/// Reads members and gathers what is wrong with them.
pub struct Reader {
    /// What was noticed.
    pub diagnostics: Vec<SchemaDiagnostic>,
}

impl Reader {
    /// Notices members whose names differ in case only, and objects that stand where another kind belongs.
    pub fn enter(&mut self, place: &Place<'_>, kind: &Kind) {
        for name in place.members.keys() {
            if let Some(known) = kind.nearly(name) {
                self.warn(
                    "memberCase",
                    format!("{}.{name}", place.path),
                    format!("'{name}' is not '{known}'; it is kept, but not read"),
                    format!("write '{known}'"),
                );
            }
        }
        if kind.is_told_by(place.members.keys()) {
            return;
        }
        if let Some(other) = kinds::ALL.iter().find(|other| other.is_told_by(place.members.keys())) {
            let message = format!("here stands {} in place of {}", other.name, kind.name);
            self.error("misplaced", &place.path, message, kind.shape);
        }
    }

    /// The objects of a list.
    pub fn list<T>(
        &mut self,
        place: &Place<'_>,
        name: &str,
        kind: &Kind,
        mut read: impl FnMut(&mut Self, &Place<'_>) -> T,
    ) -> Vec<T> {
        let items = match place.members.get(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(place, name, "a list", other);
                return Vec::new();
            }
        };
        let empty = Map::new();
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}.{name}[{index}]", place.path);
            let members = match item {
                Value::Object(members) => members,
                other => {
                    let message = format!("here stands {}, not {}", what(other), kind.name);
                    self.error("wrongType", &path, message, "remove it");
                    // It keeps its place, so that the paths of the others stay right.
                    &empty
                }
            };
            let place = Place { members, path };
            self.enter(&place, kind);
            list.push(read(self, &place));
        }
        list
    }

    /// The object under a name.
    pub fn child<'a>(&mut self, place: &Place<'a>, name: &str, kind: &Kind) -> Option<Place<'a>> {
        match place.members.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => {
                let child = Place { members, path: format!("{}.{name}", place.path) };
                self.enter(&child, kind);
                Some(child)
            }
            Some(other) => {
                self.wrong_type(place, name, "an object", other);
                None
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&mut self, place: &Place<'_>, name: &str) -> Vec<String> {
        let items = match place.members.get(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(place, name, "a list of texts", other);
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match scalar(item) {
                Some(text) => texts.push(text),
                None => self.wrong_type(place, &format!("{name}[{index}]"), "a text", item),
            }
        }
        texts
    }

    /// Metadata and the like: a list of key and value.
    pub fn pairs(&mut self, place: &Place<'_>, name: &str) -> Vec<(String, String)> {
        self.list(place, name, &kinds::PAIR, |reader, place| {
            let value = match place.members.get("value") {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (reader.text(place, "key"), value)
        })
    }

    /// A text; missing and null are empty.
    pub fn text(&mut self, place: &Place<'_>, name: &str) -> String {
        self.optional_text(place, name).unwrap_or_default()
    }

    /// A text that may be missing or null.
    pub fn optional_text(&mut self, place: &Place<'_>, name: &str) -> Option<String> {
        match place.members.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let text = scalar(value);
                if text.is_none() {
                    self.wrong_type(place, name, "a text", value);
                }
                text
            }
        }
    }

    /// True or false, also as text.
    pub fn flag(&mut self, place: &Place<'_>, name: &str, default: bool) -> bool {
        match place.members.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
            Some(other) => {
                self.wrong_type(place, name, "true or false", other);
                default
            }
        }
    }

    /// A whole number of 32 bits, also as text; missing is 0.
    pub fn number(&mut self, place: &Place<'_>, name: &str) -> i32 {
        let value = match place.members.get(name) {
            None | Some(Value::Null) => return 0,
            Some(value) => value,
        };
        let number = match value {
            Value::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().and_then(whole))
                .and_then(|number| number.try_into().ok()),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.wrong_type(place, name, "a whole number of 32 bits", value);
            0
        })
    }

    /// An enumeration: by name without regard to case, or by its number. Unknown members count as the default.
    pub fn choice<T: Copy + Default>(&mut self, place: &Place<'_>, name: &str, choices: &[(&str, T)]) -> T {
        let found = match place.members.get(name) {
            None | Some(Value::Null) => return T::default(),
            Some(Value::Number(number)) => {
                let index = number.as_u64().and_then(|number| usize::try_from(number).ok());
                index.and_then(|index| choices.get(index))
            }
            Some(Value::String(text)) => {
                choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(text.trim()))
            }
            Some(other) => {
                self.wrong_type(place, name, "a text", other);
                return T::default();
            }
        };
        found.map(|(_, value)| *value).unwrap_or_else(|| {
            let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
            self.warn(
                "unknownValue",
                format!("{}.{name}", place.path),
                format!("{} is not known here; it is kept, and counts as {}", place.members[name], known[0]),
                format!("one of {}", known.join(", ")),
            );
            T::default()
        })
    }

    /// Notices a value of another JSON type.
    pub fn wrong_type(&mut self, place: &Place<'_>, name: &str, wanted: &str, found: &Value) {
        self.error(
            "wrongType",
            &format!("{}.{name}", place.path),
            format!("'{name}' is {}, not {wanted}", what(found)),
            format!("give {wanted}"),
        );
    }

    /// Notices what keeps the schema from being used.
    pub fn error(
        &mut self,
        code: &'static str,
        path: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Severity::Error, code, path.to_owned(), message.into(), remedy.into());
    }

    /// Notices what does not.
    pub fn warn(
        &mut self,
        code: &'static str,
        path: String,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, path, message.into(), remedy.into());
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        path: String,
        message: String,
        remedy: String,
    ) {
        let remedy = Some(remedy);
        self.diagnostics.push(SchemaDiagnostic { severity, code, path, position: None, message, remedy });
    }
}

/// A JSON value in words.
pub fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The whole number that a decimal such as `1.0` stands for.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e15).then(|| format!("{number:.0}").parse().ok())?
}
