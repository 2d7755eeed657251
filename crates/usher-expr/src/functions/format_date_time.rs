//! `FormatDateTime` of the service: a date in another format.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::dates::{self, Styles};
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "FormatDateTime",
    summary: "Reads a date in one format and prints it in another.",
    dialects: SERVICE,
    params: &[SOURCE, STYLES, INPUT_FORMAT, OUTPUT_FORMAT],
    overloads: &[
        &[SOURCE, Param::required("inputFormat", Type::Text, "The format of the source."), OUTPUT_FORMAT],
        &[SOURCE, OUTPUT_FORMAT],
    ],
    examples: &[
        Example::new(r#"FormatDateTime([start], , "yyyyMMdd", "yyyy-MM-dd")"#, r#""2025-07-30""#)
            .inputs(r#"{"start": "20250730"}"#),
        Example::new(r#"FormatDateTime([start], "dd.MM.yyyy HH:mm", "M/d/yyyy h:mm tt")"#, r#""7/30/2025 5:04 PM""#)
            .inputs(r#"{"start": "30.07.2025 17:04"}"#),
        Example::new(r#"FormatDateTime(Now(), "yyyy-MM-ddTHH:mm:ssZ")"#, r#""2025-07-30T00:00:00Z""#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

const SOURCE: Param = Param::required("source", Type::Any, "The date: a text, or a date-time.");
const STYLES: Param =
    Param::optional("dateTimeStyles", Type::Text, "Names of .NET's DateTimeStyles, separated by commas.")
        .key("dateTimeStyle");
const INPUT_FORMAT: Param =
    Param::optional("inputFormat", Type::Text, "The format of the source; omitted for a date-time.");
const OUTPUT_FORMAT: Param = Param::required("outputFormat", Type::Text, "The format to print.");

/// Where styles, input format and output format stand when so many arguments are written.
fn places(count: usize) -> (Option<usize>, Option<usize>, usize) {
    match count {
        2 => (None, None, 1),
        3 => (None, Some(1), 2),
        _ => (Some(1), Some(2), 3),
    }
}

fn check(call: &mut Check<'_>) {
    let (styles, _, output) = places(call.count());
    if let Some(format) = call.constant_text(output)
        && let Err(error) = dates::format(jiff::Timestamp::UNIX_EPOCH, &format)
    {
        call.error(Some(output), codes::ARGUMENT_VALUE, error.to_string(), "write a format like \"yyyy-MM-dd\"");
    }
    match styles.and_then(|styles| call.constant_text(styles)).map(|text| text.parse::<Styles>()) {
        Some(Ok(parsed)) => call.prepare(parsed),
        Some(Err(error)) => {
            call.error(styles, codes::ARGUMENT_VALUE, error.to_string(), "write a style like \"AssumeUniversal\" or omit it");
        }
        None => {}
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let (styles, input, output) = places(call.count());
    let source = call.value(0)?;
    let input = input.map_or(Ok(None), |input| call.optional_text(input))?.filter(|format| !format.is_empty());
    let date = match (source.single(), input) {
        (Value::DateTime(date), None) => *date,
        (source @ (Value::Text(_) | Value::DateTime(_) | Value::Integer(_)), Some(format)) => {
            let parsed = dates::parse_exact(&source.to_text(), &format, parsed_styles(call, styles)?, call.context().now);
            parsed.map_err(|error| call.fail_at(0, error))?
        }
        (Value::Text(text), None) => dates::parse_any(text)
            .ok_or_else(|| call.fail_at(0, format!("\"{text}\" is no date that can be read")))?,
        (other, _) => return Err(call.fail_at(0, format!("a date was expected, not {}", other.kind()))),
    };
    dates::format(date, &call.text(output)?).map(Value::from).map_err(|error| call.fail_at(output, error))
}

fn parsed_styles(call: &Call<'_>, styles: Option<usize>) -> Result<Styles, Halt> {
    if let Some(prepared) = call.prepared::<Styles>() {
        return Ok(*prepared);
    }
    match styles.map_or(Ok(None), |styles| call.optional_text(styles))? {
        Some(text) => text.parse().map_err(|error| call.fail_at(1, error)),
        None => Ok(Styles::default()),
    }
}
