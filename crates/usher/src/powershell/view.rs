//! How results look: tables, lists with hanging indents, JSON.

use jiff::tz::TimeZone;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::host::{Host, Output, Stream};
use super::json::to_json;
use super::results::{columns, display_name};
use super::value::{PsValue, Table, TableKind};

/// How many items of a collection a cell shows.
const ENUMERATION_LIMIT: usize = 4;

/// Shows results one by one as they arrive.
pub struct Printer {
    output: Output,
    width: usize,
    has_begun: bool,
}

impl Printer {
    /// A printer for one run.
    pub fn new(output: Output, width: usize) -> Self {
        Self { output, width, has_begun: false }
    }

    /// Shows one result.
    pub fn show(&mut self, value: &PsValue, host: &mut dyn Host) {
        let text = match self.output {
            Output::Json => pretty(&to_json(value, &TimeZone::UTC)),
            Output::List => format!("\n{}", list_block(value, &properties(value, Output::List), self.width)),
            Output::Table => {
                let columns = properties(value, Output::Table);
                if columns.is_empty() {
                    self.has_begun = true;
                    host.write(Stream::Output, &value.to_text());
                    return;
                }
                let layout = Layout::even(&columns, self.width);
                let row = layout.row(&cells(value, &columns));
                if self.has_begun { row } else { format!("\n{}\n{row}", layout.head(&columns)) }
            }
        };
        self.has_begun = true;
        host.write(Stream::Output, &text);
    }

    /// Ends the run.
    pub fn finish(&mut self, host: &mut dyn Host) {
        if self.has_begun && self.output != Output::Json {
            host.write(Stream::Output, "");
        }
    }
}

/// Values as they look when nothing says how: texts as they are, objects as tables, wide ones as lists.
pub fn default_view(values: &[PsValue], width: usize) -> Option<String> {
    /// More properties than this make a list.
    const TABLE_LIMIT: usize = 4;
    let mut blocks = Vec::new();
    for group in values.chunk_by(|one, other| shape(one) == shape(other)) {
        match group.first() {
            Some(PsValue::Table(table)) if table.kind == TableKind::Object && table.len() > TABLE_LIMIT => {
                blocks.extend(format_list(group, None, width));
            }
            Some(PsValue::Table(_)) => blocks.extend(format_table(group, None, width, false, false)),
            _ => blocks.extend(group.iter().filter(|value| **value != PsValue::Null).map(PsValue::to_text)),
        }
    }
    (!blocks.is_empty()).then(|| blocks.join("\n"))
}

/// Values of equal shape stand in one table.
fn shape(value: &PsValue) -> Option<(TableKind, Vec<String>)> {
    match value {
        PsValue::Table(table) if table.kind == TableKind::Object => {
            Some((table.kind, table.iter().map(|(key, _)| key.to_lowercase()).collect()))
        }
        PsValue::Table(table) => Some((table.kind, Vec::new())),
        _ => None,
    }
}

/// `Format-List`.
pub fn format_list(values: &[PsValue], wanted: Option<&[String]>, width: usize) -> Option<String> {
    let mut blocks = Vec::new();
    for value in values {
        for row in rows(value) {
            let columns = chosen(&row, wanted, Output::List);
            blocks.push(list_block(&row, &columns, width));
        }
    }
    (!blocks.is_empty()).then(|| format!("\n{}\n", blocks.join("\n\n")))
}

/// `Format-Table`, with `-AutoSize` and `-Wrap`.
pub fn format_table(
    values: &[PsValue],
    wanted: Option<&[String]>,
    width: usize,
    auto_size: bool,
    wrap: bool,
) -> Option<String> {
    let rows: Vec<_> = values.iter().flat_map(rows).collect();
    let columns = chosen(rows.first()?, wanted, Output::Table);
    if columns.is_empty() {
        let texts: Vec<_> = rows.iter().map(PsValue::to_text).collect();
        return Some(texts.join("\n"));
    }
    let cells: Vec<_> = rows.iter().map(|row| cells(row, &columns)).collect();
    let layout =
        if auto_size { Layout::fitted(&columns, &cells, width) } else { Layout::even(&columns, width) };
    let mut text = format!("\n{}", layout.head(&columns));
    for row in &cells {
        text.push('\n');
        text.push_str(&if wrap { layout.wrapped_row(row) } else { layout.row(row) });
    }
    text.push('\n');
    Some(text)
}

/// `ConvertTo-Json`: one value, or a list of several; says whether something lay too deep.
pub fn json_text(values: &[PsValue], depth: usize, compress: bool, zone: &TimeZone) -> (String, bool) {
    let mut is_cut = false;
    let json = match values {
        [only] => cut(to_json(only, zone), depth, &mut is_cut),
        several => Value::Array(
            several
                .iter()
                .map(|value| cut(to_json(value, zone), depth.saturating_sub(1), &mut is_cut))
                .collect(),
        ),
    };
    (if compress { json.to_string() } else { pretty(&json) }, is_cut)
}

/// What lies deeper than `depth` becomes text.
fn cut(value: Value, depth: usize, is_cut: &mut bool) -> Value {
    match value {
        Value::Array(items) if depth > 0 => {
            Value::Array(items.into_iter().map(|item| cut_below(item, depth, is_cut)).collect())
        }
        Value::Object(members) if depth > 0 => Value::Object(
            members.into_iter().map(|(key, value)| (key, cut_below(value, depth, is_cut))).collect(),
        ),
        other => other,
    }
}

fn cut_below(value: Value, depth: usize, is_cut: &mut bool) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 1 => {
            *is_cut = true;
            Value::String(value.to_string())
        }
        other => cut(other, depth - 1, is_cut),
    }
}

fn pretty(json: &Value) -> String {
    format!("{json:#}")
}

/// The rows that a value makes: a hashtable has one for each entry.
fn rows(value: &PsValue) -> Vec<PsValue> {
    match value {
        PsValue::Table(table) if matches!(table.kind, TableKind::Hash | TableKind::Ordered) => table
            .iter()
            .map(|(name, value)| {
                let mut row = Table::new(TableKind::Object);
                row.insert("Name", PsValue::text(name));
                row.insert("Value", value.clone());
                PsValue::Table(row)
            })
            .collect(),
        other => vec![other.clone()],
    }
}

fn properties(value: &PsValue, output: Output) -> Vec<String> {
    match value {
        PsValue::Table(Table { kind: TableKind::Model { name, .. }, .. }) if output == Output::Table => {
            columns(name)
        }
        PsValue::Table(table) => table.iter().map(|(name, _)| name.to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn chosen(value: &PsValue, wanted: Option<&[String]>, output: Output) -> Vec<String> {
    let Some(wanted) = wanted else { return properties(value, output) };
    let all = properties(value, Output::List);
    let mut columns: Vec<String> = Vec::new();
    for name in wanted {
        if name == "*" {
            columns.extend(all.iter().cloned());
        } else {
            let known = all.iter().find(|known| known.eq_ignore_ascii_case(name));
            columns.push(known.unwrap_or(name).clone());
        }
    }
    columns
}

fn cells(value: &PsValue, columns: &[String]) -> Vec<String> {
    columns.iter().map(|column| cell(&value.member(column))).collect()
}

/// A value inside a table or list.
fn cell(value: &PsValue) -> String {
    match value {
        PsValue::List(items) => braces(items.iter().map(|item| match item {
            PsValue::Table(table) if matches!(table.kind, TableKind::Model { .. } | TableKind::Object) => {
                display_name(table).unwrap_or_else(|| item.to_text())
            }
            other => other.to_text(),
        })),
        PsValue::Table(table) if matches!(table.kind, TableKind::Hash | TableKind::Ordered) => {
            braces(table.iter().map(|(key, value)| format!("[{key}, {}]", value.to_text())))
        }
        other => other.to_text(),
    }
}

fn braces(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    let shown = items.iter().take(ENUMERATION_LIMIT).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rest = if items.len() > ENUMERATION_LIMIT { "…" } else { "" };
    format!("{{{shown}{rest}}}")
}

fn list_block(value: &PsValue, columns: &[String], width: usize) -> String {
    if columns.is_empty() {
        return value.to_text();
    }
    let label = columns.iter().map(|column| column.width()).max().unwrap_or(0);
    let indent = " ".repeat(label + 3);
    let room = width.saturating_sub(label + 3).max(10);
    let mut lines = Vec::new();
    for column in columns {
        let mut wrapped = wrap(&cell(&value.member(column)), room).into_iter();
        let first = wrapped.next().unwrap_or_default();
        lines.push(format!("{} : {first}", padded(column, label)).trim_end().to_owned());
        lines.extend(wrapped.map(|line| format!("{indent}{line}")));
    }
    lines.join("\n")
}

/// Breaks a text into lines of at most `width` columns, at blanks where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let room = word.trim_end().width();
            if used > 0 && used + room > width {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for character in word.chars() {
                let columns = character.width().unwrap_or(0);
                if used + columns > width && character != ' ' {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += columns;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The first line of a text, cut to a width.
fn shortened(text: &str, width: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    let is_whole = first.len() == text.trim_end_matches(['\r', '\n']).len();
    if is_whole && first.width() <= width {
        return first.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for character in first.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        shown.push(character);
        used += columns;
    }
    shown.push('…');
    shown
}

/// The widths of a table's columns.
struct Layout {
    widths: Vec<usize>,
}

impl Layout {
    /// Every column gets the same share of the window.
    fn even(columns: &[String], width: usize) -> Self {
        let count = columns.len().max(1);
        let share = width.saturating_sub(count).checked_div(count).unwrap_or(0).max(4);
        // Name and Value of a hashtable: the names are short.
        let widths = match columns {
            [name, value] if name == "Name" && value == "Value" => {
                let name = 30.min(share);
                vec![name, width.saturating_sub(name + 2).max(4)]
            }
            _ => vec![share; columns.len()],
        };
        Self { widths }
    }

    /// Every column is as wide as its widest cell; the last one takes what is left.
    fn fitted(columns: &[String], rows: &[Vec<String>], width: usize) -> Self {
        let mut left = width.saturating_sub(1);
        let widths = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.width());
                let fitted = cells.chain([column.width()]).max().unwrap_or(0).min(left.max(4));
                left = left.saturating_sub(fitted + 1);
                fitted
            })
            .collect();
        Self { widths }
    }

    fn head(&self, columns: &[String]) -> String {
        let rules: Vec<_> = columns.iter().map(|column| "-".repeat(column.width())).collect();
        format!("{}\n{}", self.row(columns), self.row(&rules))
    }

    fn row(&self, cells: &[String]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .zip(&self.widths)
            .map(|(cell, width)| padded(&shortened(cell, *width), *width))
            .collect();
        cells.join(" ").trim_end().to_owned()
    }

    fn wrapped_row(&self, cells: &[String]) -> String {
        let columns: Vec<_> =
            cells.iter().zip(&self.widths).map(|(cell, width)| wrap(cell, *width)).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        let empty = String::new();
        let lines: Vec<_> = (0..height)
            .map(|line| {
                let cells: Vec<_> = columns
                    .iter()
                    .zip(&self.widths)
                    .map(|(lines, width)| padded(lines.get(line).unwrap_or(&empty), *width))
                    .collect();
                cells.join(" ").trim_end().to_owned()
            })
            .collect();
        lines.join("\n")
    }
}
