//! Values written as PowerShell literals, so that the reader of this module gives the same value back.

use super::syntax::is_single_quote;
use super::value::{PsValue, Table, TableKind};

/// The value as a literal, on one line unless a text in it has line breaks.
pub fn to_literal(value: &PsValue) -> String {
    match value {
        PsValue::Null => "$null".into(),
        PsValue::Bool(true) => "$true".into(),
        PsValue::Bool(false) => "$false".into(),
        PsValue::Int(number) if i64::try_from(*number).is_err() => format!("{number}ul"),
        PsValue::Int(number) => number.to_string(),
        // `[double]` reads what no number can be written for.
        PsValue::Float(number) if !number.is_finite() => format!("[double]'{number}'"),
        PsValue::Float(number) => format!("{number:?}"),
        PsValue::Decimal(number) => format!("{number}d"),
        PsValue::Text(text) => quoted(text),
        PsValue::Date(date) => format!("[datetime]'{}'", date.to_literal()),
        PsValue::List(items) => list(items),
        PsValue::Table(table) => table_literal(table),
    }
}

/// A text in single quotes; the quotes inside, smart ones too, are doubled.
pub fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('\'');
    for character in text.chars() {
        if is_single_quote(character) {
            written.push(character);
        }
        written.push(character);
    }
    written.push('\'');
    written
}

fn list(items: &[PsValue]) -> String {
    match items {
        // `@(@(1))` is the list of 1: the comma keeps the inner list whole.
        [PsValue::List(inner)] => format!("@(,{})", list(inner)),
        [PsValue::Null] => "@($null)".into(),
        _ => format!("@({})", items.iter().map(to_literal).collect::<Vec<_>>().join(", ")),
    }
}

fn table_literal(table: &Table) -> String {
    let cast = match table.kind {
        TableKind::Hash => "",
        TableKind::Ordered => "[ordered]",
        TableKind::Object | TableKind::Model { .. } => "[pscustomobject]",
    };
    if table.is_empty() {
        return format!("{cast}@{{}}");
    }
    let entries: Vec<_> =
        table.iter().map(|(key, value)| format!("{} = {}", quoted(key), to_literal(value))).collect();
    format!("{cast}@{{ {} }}", entries.join("; "))
}
