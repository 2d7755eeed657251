//! `ReplaceChars`: single characters, each by its own text.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::limits;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ReplaceChars",
    summary: "Replaces single characters, each by a text of its own.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text to change; every value of a list is changed."),
        Param::required(
            "pattern",
            Type::Text,
            "Characters and what replaces them, as in \"a:x,b:,c:yz\"; white space does not count.",
        ),
    ],
    examples: &[
        Example::hybrid(r#"ReplaceChars("Müller-Øst", "ü:ue,Ø:Oe,-:")"#, r#""MuellerOest""#),
        Example::hybrid(r#"ReplaceChars("abc", [table])"#, "error: ReplaceChars, pattern: \"ab\" is not one character")
            .inputs(r#"{"table": "ab:x"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

/// The replacements, in the order of the pattern.
struct Table(Vec<(char, String)>);

impl Table {
    fn parse(pattern: &str) -> Result<Table, String> {
        let compact: String = pattern.chars().filter(|one| !one.is_whitespace()).collect();
        let pairs = compact.split(',').filter(|entry| !entry.is_empty()).map(|entry| {
            let Some((from, to)) = entry.split_once(':') else { return Err(format!("\"{entry}\" has no colon")) };
            let mut characters = from.chars();
            match (characters.next(), characters.next()) {
                (Some(character), None) => Ok((character, to.to_owned())),
                _ => Err(format!("\"{from}\" is not one character")),
            }
        });
        pairs.collect::<Result<_, _>>().map(Table)
    }

    fn longest(&self) -> usize {
        self.0.iter().map(|(_, to)| to.len()).max().unwrap_or(0).max(4)
    }
}

fn check(call: &mut Check<'_>) {
    let Some(pattern) = call.constant_text(1) else { return };
    match Table::parse(&pattern) {
        Ok(table) => call.prepare(table),
        Err(message) => call.error(Some(1), codes::ARGUMENT_VALUE, message, "write pairs like \"ä:ae,ö:oe\""),
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let parsed;
    let table = match call.prepared::<Table>() {
        Some(table) => table,
        None => {
            parsed = Table::parse(&call.text(1)?).map_err(|message| call.fail_at(1, message))?;
            &parsed
        }
    };
    call.map_value_text(0, source, |text| {
        let longest = text.len().saturating_mul(table.longest());
        if longest > limits::LONGEST_TEXT {
            limits::check_length(longest).map_err(|message| call.fail(message))?;
        }
        let mut replaced = SmolStrBuilder::with_capacity(text.len());
        for character in text.chars() {
            match table.0.iter().find(|(from, _)| *from == character) {
                Some((_, to)) => replaced.push_str(to),
                None => replaced.push(character),
            }
        }
        Ok(Value::Text(replaced.finish()))
    })
}
