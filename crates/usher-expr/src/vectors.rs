//! Expressions with inputs and expected results, as JSON files, and what it takes to run them.
//!
//! A file holds an array of objects with `id`, `function`, `expression`, `inputs`, `expected` and, when
//! needed, `dialect`, `now`, `parameters` and `existing`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use crate::compile::compile;
use crate::context::Context;
use crate::dialect::Dialect;
use crate::expression::Outcome;
use crate::value::Value;

/// One expression with its inputs and what it must come to.
#[derive(Clone, Debug)]
pub struct Vector {
    /// The unique name.
    pub id: String,
    /// The function it is filed under.
    pub function: String,
    /// The text to evaluate.
    pub expression: String,
    /// Attributes and their values; one that is not named is null.
    pub inputs: BTreeMap<SmolStr, Value>,
    /// The clock.
    pub now: Timestamp,
    /// Values of `%Name%` parameters.
    pub parameters: BTreeMap<SmolStr, SmolStr>,
    /// Values that are taken in the target, for `SelectUniqueValue`.
    pub existing: BTreeSet<String>,
    /// The result as JSON: text, list of texts, null, or an object with a `signal`.
    pub expected: Json,
    /// The dialect; the provisioning service when the file does not say.
    pub dialect: Dialect,
}

/// The file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum VectorsError {
    /// Not JSON.
    #[error("the vectors are no JSON")]
    Json(#[source] serde_json::Error),
    /// Not an array of objects.
    #[error("the vectors are no array of objects")]
    Shape,
    /// A field that is missing or cannot be read.
    #[error("vector \"{id}\": the field {field} is missing or cannot be read")]
    Field {
        /// Which vector, as far as it is known.
        id: String,
        /// Which field.
        field: &'static str,
    },
}

/// A vector that came to something else.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{id}: {expression} came to {actual}, not {expected}")]
pub struct Failure {
    /// The vector's name.
    pub id: String,
    /// Its expression.
    pub expression: String,
    /// What it should come to, as JSON.
    pub expected: String,
    /// What it came to, as JSON; behind an error stands its message.
    pub actual: String,
}

/// Reads a file of vectors.
pub fn load(text: &str) -> Result<Vec<Vector>, VectorsError> {
    let json: Json = serde_json::from_str(text).map_err(VectorsError::Json)?;
    json.as_array().ok_or(VectorsError::Shape)?.iter().map(read).collect()
}

/// Evaluates a vector and compares.
pub fn run(vector: &Vector) -> Result<(), Failure> {
    let actual = actual(vector);
    if actual.json == vector.expected {
        return Ok(());
    }
    Err(Failure {
        id: vector.id.clone(),
        expression: vector.expression.clone(),
        expected: vector.expected.to_string(),
        actual: actual.to_string(),
    })
}

/// What a vector came to, in the form of `expected`, and the message of an error.
struct Actual {
    json: Json,
    message: Option<String>,
}

impl fmt::Display for Actual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{} ({message})", self.json),
            None => write!(f, "{}", self.json),
        }
    }
}

fn actual(vector: &Vector) -> Actual {
    let compiled = compile(&vector.expression, vector.dialect);
    let Some(expression) = compiled.expression else {
        let messages: Vec<String> = compiled.diagnostics.iter().map(ToString::to_string).collect();
        return signal("Error", Some(messages.join("; ")));
    };
    let mut context = Context::new(vector.now, 0);
    context.parameters = vector.parameters.clone();
    match expression.evaluate(&vector.inputs, &context) {
        Ok(Outcome::Value(value)) => Actual { json: printed(&value), message: None },
        Ok(Outcome::IgnoreAttributeFlow) => signal("IgnoreAttributeFlow", None),
        Ok(Outcome::IgnoreObjectFlow) => signal("IgnoreObjectFlow", None),
        Ok(candidates @ Outcome::Candidates(_)) => {
            match candidates.first_free(|candidate| vector.existing.contains(candidate.to_text().as_str())) {
                Some(free) => Actual { json: printed(free), message: None },
                None => signal("Escrow", None),
            }
        }
        Err(error) => signal("Error", Some(error.to_string())),
    }
}

fn signal(name: &str, message: Option<String>) -> Actual {
    Actual { json: serde_json::json!({ "signal": name }), message }
}

/// Every value printed as text, lists as lists of texts.
fn printed(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::List(values) => values.iter().map(printed).collect(),
        other => Json::from(other.to_text().as_str()),
    }
}

fn read(json: &Json) -> Result<Vector, VectorsError> {
    let object = json.as_object().ok_or(VectorsError::Shape)?;
    let id = object.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
    let missing = |field: &'static str| VectorsError::Field { id: id.clone(), field };
    let text = |field: &'static str| match object.get(field) {
        Some(Json::String(text)) => Ok(text.clone()),
        _ => Err(missing(field)),
    };
    let now = match object.get("now") {
        None | Some(Json::Null) => Timestamp::UNIX_EPOCH,
        Some(Json::String(now)) => now.parse().map_err(|_| missing("now"))?,
        Some(_) => return Err(missing("now")),
    };
    let dialect = match object.get("dialect") {
        None | Some(Json::Null) => Dialect::Service,
        Some(Json::String(dialect)) => dialect.parse().map_err(|_| missing("dialect"))?,
        Some(_) => return Err(missing("dialect")),
    };
    let existing = match object.get("existing") {
        None | Some(Json::Null) => BTreeSet::new(),
        Some(Json::Array(values)) => {
            let texts: Option<BTreeSet<String>> =
                values.iter().map(|one| one.as_str().map(str::to_owned)).collect();
            texts.ok_or_else(|| missing("existing"))?
        }
        Some(_) => return Err(missing("existing")),
    };
    let inputs = fields(object, "inputs").ok_or_else(|| missing("inputs"))?;
    let parameters = fields(object, "parameters").ok_or_else(|| missing("parameters"))?;
    Ok(Vector {
        function: text("function")?,
        expression: text("expression")?,
        inputs: inputs.iter().map(|(name, value)| (SmolStr::new(name), Value::from_json(value))).collect(),
        now,
        parameters: parameters
            .iter()
            .map(|(name, value)| (SmolStr::new(name), Value::from_json(value).to_text()))
            .collect(),
        existing,
        expected: object.get("expected").cloned().ok_or_else(|| missing("expected"))?,
        dialect,
        id: text("id")?,
    })
}

/// The entries of an optional object; `None` when it is something else.
fn fields(object: &Map<String, Json>, name: &str) -> Option<Map<String, Json>> {
    match object.get(name) {
        None | Some(Json::Null) => Some(Map::new()),
        Some(Json::Object(entries)) => Some(entries.clone()),
        Some(_) => None,
    }
}
