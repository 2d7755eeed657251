//! Tables and JSON on standard output.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::view::line;

/// How lists and objects are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// The service's JSON.
    Json,
}

/// Prints a list: the columns are heading and member name.
pub fn list(format: Format, items: &[Value], columns: &[(&str, &str)]) {
    match format {
        Format::Json => anstream::println!("{:#}", Value::Array(items.to_vec())),
        Format::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(columns.iter().map(|(heading, _)| heading.to_uppercase()));
            for item in items {
                table.add_row(columns.iter().map(|(_, path)| cell(item, path)));
            }
            anstream::println!("{}", table.trim_fmt());
        }
    }
}

/// Prints one object: as JSON, or a line for each member that is a plain value.
pub fn object(format: Format, object: &Value) {
    match (format, object) {
        (Format::Table, Value::Object(members)) => {
            let width = members.keys().map(|name| name.chars().count()).max().unwrap_or(0);
            for (name, value) in members.iter().filter(|(name, _)| !name.starts_with('@')) {
                let text = match value {
                    Value::String(text) => line(text),
                    other => other.to_string(),
                };
                anstream::println!("{name:width$}  {text}");
            }
        }
        _ => anstream::println!("{object:#}"),
    }
}

fn cell(item: &Value, path: &str) -> String {
    let value = path.split('/').try_fold(item, |value, name| value.get(name));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => line(text),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), line))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}
