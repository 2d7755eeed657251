//! Casts: `[string]`, `[guid]`, `[datetime]`, `[int]`, … in front of a value.

use super::date::Date;
use super::number::{Decimal, read_number};
use super::syntax::{Position, ReadError};
use super::value::{PsValue, Table, TableKind};

/// A cast that does not work, before its place is known.
#[derive(Debug, PartialEq)]
pub struct CastError {
    id: &'static str,
    message: String,
}

impl CastError {
    /// The error at a place.
    pub fn at(self, at: Position) -> ReadError {
        ReadError::new(at, self.id, self.message)
    }
}

/// The value as another type.
pub fn cast(type_name: &str, value: PsValue) -> Result<PsValue, CastError> {
    let name = type_name.to_ascii_lowercase();
    let name = name.strip_prefix("system.").unwrap_or(&name);
    if let Some(element) = name.strip_suffix("[]") {
        let items = match value {
            PsValue::Null => return Ok(PsValue::Null),
            PsValue::List(items) => items,
            single => vec![single],
        };
        let items = items.into_iter().map(|item| cast(element, item)).collect::<Result<_, _>>()?;
        return Ok(PsValue::List(items));
    }
    match name {
        "object" | "management.automation.psobject" | "psobject" => Ok(as_object(value, name != "object")),
        "pscustomobject" | "management.automation.pscustomobject" => Ok(as_object(value, true)),
        "string" => Ok(PsValue::Text(value.to_text())),
        "char" => {
            let text = value.to_text();
            if text.chars().count() == 1 {
                Ok(PsValue::Text(text))
            } else {
                Err(cannot("System.Char", &value))
            }
        }
        "guid" => {
            let text = value.to_text();
            let guid = uuid::Uuid::try_parse(text.trim()).map_err(|_| cannot("System.Guid", &value))?;
            Ok(PsValue::Text(guid.hyphenated().to_string()))
        }
        "uri" => Ok(PsValue::Text(value.to_text())),
        "datetime" | "datetimeoffset" => match value {
            PsValue::Date(date) => Ok(PsValue::Date(date)),
            other => {
                let date = Date::parse(&other.to_text()).ok_or_else(|| cannot("System.DateTime", &other))?;
                Ok(PsValue::Date(date))
            }
        },
        "bool" | "boolean" | "switch" | "management.automation.switchparameter" => {
            Ok(PsValue::Bool(is_true(&value)))
        }
        "byte" => whole(&value, "System.Byte", 0, u8::MAX.into()),
        "sbyte" => whole(&value, "System.SByte", i8::MIN.into(), i8::MAX.into()),
        "int16" | "short" => whole(&value, "System.Int16", i16::MIN.into(), i16::MAX.into()),
        "uint16" | "ushort" => whole(&value, "System.UInt16", 0, u16::MAX.into()),
        "int" | "int32" => whole(&value, "System.Int32", i32::MIN.into(), i32::MAX.into()),
        "uint" | "uint32" => whole(&value, "System.UInt32", 0, u32::MAX.into()),
        "long" | "int64" => whole(&value, "System.Int64", i64::MIN.into(), i64::MAX.into()),
        "ulong" | "uint64" => whole(&value, "System.UInt64", 0, u64::MAX.into()),
        "double" | "float" | "single" => {
            let number = float(&value).ok_or_else(|| cannot("System.Double", &value))?;
            Ok(PsValue::Float(if matches!(name, "double") { number } else { f64::from(number as f32) }))
        }
        "decimal" => decimal(&value).map(PsValue::Decimal).ok_or_else(|| cannot("System.Decimal", &value)),
        "array" | "collections.arraylist" => Ok(match value {
            list @ PsValue::List(_) => list,
            PsValue::Null => PsValue::List(Vec::new()),
            single => PsValue::List(vec![single]),
        }),
        "hashtable" | "collections.hashtable" | "collections.idictionary" => match value {
            PsValue::Table(table) if table.kind == TableKind::Hash => Ok(PsValue::Table(table)),
            PsValue::Table(table) => Ok(PsValue::Table(with_kind(&table, TableKind::Hash))),
            PsValue::Null => Ok(PsValue::Null),
            other => Err(cannot("System.Collections.Hashtable", &other)),
        },
        // The models of the SDK are filled from hashtables; here the hashtable itself does.
        model if is_graph_model(model) => match value {
            table @ (PsValue::Table(_) | PsValue::Null) => Ok(table),
            other => Err(cannot(type_name, &other)),
        },
        _ => Err(CastError { id: "TypeNotFound", message: format!("Unable to find type [{type_name}].") }),
    }
}

/// What PowerShell takes for true.
pub fn is_true(value: &PsValue) -> bool {
    match value {
        PsValue::Null => false,
        PsValue::Bool(value) => *value,
        PsValue::Int(number) => *number != 0,
        PsValue::Float(number) => *number != 0.0,
        PsValue::Decimal(number) => number.whole() != Some(0),
        PsValue::Text(text) => !text.is_empty(),
        PsValue::Date(_) | PsValue::Table(_) => true,
        PsValue::List(items) => match items.as_slice() {
            [] => false,
            [only] => is_true(only),
            _ => true,
        },
    }
}

fn is_graph_model(name: &str) -> bool {
    name.starts_with("microsoft.graph.powershell.models.")
        || name.starts_with("microsoft.graph.beta.powershell.models.")
}

fn as_object(value: PsValue, converts: bool) -> PsValue {
    match value {
        PsValue::Table(table) if converts && !matches!(table.kind, TableKind::Model { .. }) => {
            PsValue::Table(with_kind(&table, TableKind::Object))
        }
        other => other,
    }
}

fn with_kind(table: &Table, kind: TableKind) -> Table {
    let mut changed = table.clone();
    changed.kind = kind;
    changed
}

fn whole(value: &PsValue, type_name: &str, least: i128, most: i128) -> Result<PsValue, CastError> {
    let number = match value {
        PsValue::Int(number) => Some(*number),
        _ => float(value).filter(|number| number.abs() < 1e30).map(|number| number.round_ties_even() as i128),
    };
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(PsValue::Int(number)),
        _ => Err(cannot(type_name, value)),
    }
}

fn float(value: &PsValue) -> Option<f64> {
    match value {
        PsValue::Null => Some(0.0),
        PsValue::Bool(value) => Some(if *value { 1.0 } else { 0.0 }),
        PsValue::Int(number) => Some(*number as f64),
        PsValue::Float(number) => Some(*number),
        PsValue::Decimal(number) => Some(number.to_float()),
        PsValue::Text(text) => match text.trim() {
            "" => Some(0.0),
            "NaN" => Some(f64::NAN),
            "inf" | "Infinity" | "∞" => Some(f64::INFINITY),
            "-inf" | "-Infinity" | "-∞" => Some(f64::NEG_INFINITY),
            text => match read_number(text)? {
                PsValue::Text(_) => None,
                number => float(&number),
            },
        },
        _ => None,
    }
}

fn decimal(value: &PsValue) -> Option<Decimal> {
    match value {
        PsValue::Decimal(number) => Some(*number),
        PsValue::Int(number) => Decimal::new(*number, 0),
        PsValue::Text(text) if Decimal::parse(text.trim()).is_some() => Decimal::parse(text.trim()),
        other => Decimal::parse(&float(other)?.to_string()),
    }
}

fn cannot(type_name: &str, value: &PsValue) -> CastError {
    CastError {
        id: "InvalidCastConstructorException",
        message: format!("Cannot convert value \"{}\" to type \"{type_name}\".", value.to_text()),
    }
}
