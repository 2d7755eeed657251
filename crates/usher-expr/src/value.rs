//! The values that expressions read and yield.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use smol_str::{SmolStr, format_smolstr};

use crate::dotnet::dates;

/// One value of the language. Cloning is cheap: texts are inline or shared, lists and bytes are shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// An attribute that is absent, or an omitted argument without default.
    #[default]
    Null,
    /// A text; `""` is a text, not null.
    Text(SmolStr),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A truth value; prints `True` or `False`.
    Boolean(bool),
    /// An instant, always UTC; prints `M/d/yyyy h:mm:ss tt` in invariant culture.
    DateTime(Timestamp),
    /// Bytes, such as an `objectGUID`; prints as base64.
    Binary(Arc<[u8]>),
    /// The values of a multi-valued attribute, in order.
    List(Arc<[Value]>),
    /// A reference to another object, by its anchor; never transformed by text functions.
    Reference(SmolStr),
    /// A structured value that only the functions made for it understand (app role assignments).
    Object(Arc<serde_json::Value>),
}

impl Value {
    /// A text value.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(SmolStr::new(text))
    }

    /// A list of the given values.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
        Value::List(values.into_iter().collect())
    }

    /// The value as text: numbers in decimal, booleans as `True` and `False`, date-times as
    /// `M/d/yyyy h:mm:ss tt`, bytes as base64, null as `""`, a list joined by `, `.
    pub fn to_text(&self) -> SmolStr {
        match self {
            Value::Null => SmolStr::default(),
            Value::Text(text) | Value::Reference(text) => text.clone(),
            Value::Integer(number) => format_smolstr!("{number}"),
            Value::Boolean(true) => SmolStr::new_static("True"),
            Value::Boolean(false) => SmolStr::new_static("False"),
            Value::DateTime(instant) => dates::standard(*instant),
            Value::Binary(bytes) => SmolStr::from(BASE64.encode(bytes)),
            Value::List(values) => {
                let texts: Vec<SmolStr> = values.iter().map(Value::to_text).collect();
                SmolStr::from(texts.join(", "))
            }
            Value::Object(json) => format_smolstr!("{json}"),
        }
    }

    /// Whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether the value is null, `""` or a list without a value that is neither.
    pub fn is_null_or_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) | Value::Reference(text) => text.is_empty(),
            Value::List(values) => values.iter().all(Value::is_null_or_empty),
            Value::Binary(bytes) => bytes.is_empty(),
            _ => false,
        }
    }

    /// The value as a whole number: a number, or text that holds one in decimal; `None` otherwise.
    pub fn as_integer(&self) -> Option<i64> {
        match self.single() {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Boolean(truth) => Some(i64::from(*truth)),
            _ => None,
        }
    }

    /// Whether a condition with this value holds: `True` in any case, or a number other than zero.
    pub fn truth(&self) -> bool {
        match self.single() {
            Value::Boolean(truth) => *truth,
            Value::Integer(number) => *number != 0,
            Value::Text(text) => text.eq_ignore_ascii_case("True"),
            _ => false,
        }
    }

    /// The only value of a list with one value; null for an empty list; the value itself otherwise.
    pub fn single(&self) -> &Value {
        match self {
            Value::List(values) => match &**values {
                [] => &Value::Null,
                [only] => only.single(),
                _ => self,
            },
            _ => self,
        }
    }

    /// The values of a list, or the one value as a list of one; nothing for null.
    pub fn values(&self) -> &[Value] {
        match self {
            Value::Null => &[],
            Value::List(values) => values,
            _ => std::slice::from_ref(self),
        }
    }

    /// What the value is, for messages: `text`, `number`, `list of 3 values` and so on.
    pub fn kind(&self) -> SmolStr {
        SmolStr::new_static(match self {
            Value::Null => "null",
            Value::Text(_) => "text",
            Value::Integer(_) => "a number",
            Value::Boolean(_) => "a boolean",
            Value::DateTime(_) => "a date-time",
            Value::Binary(_) => "binary data",
            Value::Reference(_) => "a reference",
            Value::Object(_) => "a structured value",
            Value::List(values) => return format_smolstr!("a list of {} values", values.len()),
        })
    }

    /// Reads a test input: text, number, boolean, null, a list of these; an object stays structured.
    pub fn from_json(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(truth) => Value::Boolean(*truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Value::Integer(integer),
                None => Value::Text(format_smolstr!("{number}")),
            },
            serde_json::Value::String(text) => Value::text(text),
            serde_json::Value::Array(items) => Value::list(items.iter().map(Value::from_json)),
            serde_json::Value::Object(_) => Value::Object(Arc::new(json.clone())),
        }
    }

    /// The value as JSON: numbers and booleans keep their type, date-times, bytes and references are text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Integer(number) => serde_json::Value::from(*number),
            Value::Boolean(truth) => serde_json::Value::from(*truth),
            Value::List(values) => values.iter().map(Value::to_json).collect(),
            Value::Object(json) => (**json).clone(),
            Value::Text(_) | Value::DateTime(_) | Value::Binary(_) | Value::Reference(_) => {
                serde_json::Value::from(self.to_text().as_str())
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(SmolStr::from(text))
    }
}

impl From<SmolStr> for Value {
    fn from(text: SmolStr) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Boolean(truth)
    }
}

impl From<Timestamp> for Value {
    fn from(instant: Timestamp) -> Value {
        Value::DateTime(instant)
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Value {
        Value::List(values.into())
    }
}
