//! Reads scripts: the statements that published samples are made of, all of them before anything runs.

use super::reader::{Reader, is_name};
use super::syntax::{ExpressionKind, Pipeline, ReadError, Stage, Statement};

/// Words that begin a statement of the language which samples do without.
const KEYWORDS: [&str; 24] = [
    "begin",
    "break",
    "catch",
    "class",
    "continue",
    "data",
    "do",
    "dynamicparam",
    "else",
    "end",
    "exit",
    "filter",
    "finally",
    "for",
    "foreach",
    "function",
    "if",
    "param",
    "process",
    "return",
    "switch",
    "throw",
    "try",
    "while",
];

/// The commands of a script besides the cmdlets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// `Import-Module`.
    ImportModule,
    /// `Connect-MgGraph`.
    Connect,
    /// `Get-Content`.
    GetContent,
    /// `ConvertFrom-Json`.
    ConvertFromJson,
    /// `ConvertTo-Json`.
    ConvertToJson,
    /// `Format-List`.
    FormatList,
    /// `Format-Table`.
    FormatTable,
}

/// Finds a helper by its name or alias.
pub fn find_helper(name: &str) -> Option<Helper> {
    Some(match name.to_ascii_lowercase().as_str() {
        "import-module" | "ipmo" => Helper::ImportModule,
        "connect-mggraph" | "connect-graph" => Helper::Connect,
        "get-content" | "gc" => Helper::GetContent,
        "convertfrom-json" => Helper::ConvertFromJson,
        "convertto-json" => Helper::ConvertToJson,
        "format-list" | "fl" => Helper::FormatList,
        "format-table" | "ft" => Helper::FormatTable,
        _ => return None,
    })
}

impl Helper {
    /// Whether the helper works on what comes down the pipeline.
    fn is_later_stage(self) -> bool {
        !matches!(self, Self::ImportModule | Self::Connect | Self::GetContent)
    }

    /// Whether the helper shows, and gives no value.
    fn is_view(self) -> bool {
        matches!(self, Self::FormatList | Self::FormatTable)
    }
}

/// Reads a script.
pub fn read_script(text: &str) -> Result<Vec<Statement>, ReadError> {
    let mut reader = Reader::new(text);
    let mut statements = Vec::new();
    reader.cursor.separators()?;
    while reader.cursor.peek().is_some() {
        statements.push(reader.statement()?);
        if !reader.cursor.separators()? && reader.cursor.peek().is_some() {
            return Err(reader.unexpected());
        }
    }
    Ok(statements)
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<Statement, ReadError> {
        let at = self.cursor.at();
        self.refuse_keywords()?;
        let before = self.cursor;
        let target = if self.cursor.peek() == Some('$') { self.assignment_target()? } else { None };
        if target.is_none() {
            self.cursor = before;
        } else {
            self.cursor.gaps()?;
            self.refuse_keywords()?;
        }
        let pipeline = self.pipeline()?;
        self.refuse_operators()?;
        check_stages(&pipeline, target.is_some())?;
        Ok(Statement { at, target, pipeline })
    }

    /// `$name =`; anything else is no assignment.
    fn assignment_target(&mut self) -> Result<Option<String>, ReadError> {
        let variable = self.variable_or_group()?;
        self.cursor.blanks()?;
        let rest = self.cursor.rest();
        if !rest.starts_with('=') || rest.starts_with("==") {
            return Ok(None);
        }
        match variable.kind {
            ExpressionKind::Variable(name) => {
                self.cursor.bump();
                Ok(Some(name))
            }
            // `$null = …` throws the value away.
            ExpressionKind::Constant(super::value::PsValue::Null) => {
                self.cursor.bump();
                Ok(Some("null".into()))
            }
            _ => {
                let text = "The left side of an assignment must be a variable here.";
                Err(ReadError::new(variable.at, "InvalidLeftHandSide", text))
            }
        }
    }

    fn refuse_keywords(&self) -> Result<(), ReadError> {
        let mut ahead = self.cursor;
        let at = ahead.at();
        let word = ahead.take_while(|character| is_name(character) || character == '-').to_ascii_lowercase();
        if KEYWORDS.contains(&word.as_str()) {
            let text = format!("'{word}' is not part of what a script may hold here.");
            return Err(ReadError::new(at, "StatementNotSupported", text).with_hint(SCOPE));
        }
        Ok(())
    }

    /// Names what follows a value when it is an operator of the language.
    fn refuse_operators(&mut self) -> Result<(), ReadError> {
        self.cursor.blanks()?;
        let at = self.cursor.at();
        let rest = self.cursor.rest();
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let operator: String = match first {
            '=' | '+' | '*' | '/' | '%' | '&' | '|' | '?' | '!' => rest
                .chars()
                .take_while(|character| {
                    matches!(character, '=' | '+' | '*' | '/' | '%' | '&' | '|' | '?' | '!')
                })
                .collect(),
            dash if super::syntax::is_dash(dash) => rest
                .chars()
                .take_while(|character| {
                    is_name(*character) || super::syntax::is_dash(*character) || *character == '='
                })
                .collect(),
            _ => return Ok(()),
        };
        let text = format!("The operator '{operator}' is not part of what a script may hold here.");
        Err(ReadError::new(at, "OperatorNotSupported", text).with_hint(SCOPE))
    }
}

/// What a script may hold, for whoever has tried more.
pub const SCOPE: &str = "a script may hold: $name = value; Import-Module; Connect-MgGraph; the on-demand cmdlets with variables, splatting (@name) and pipeline input; Get-Content -Raw; | Format-List, Format-Table, ConvertTo-Json, ConvertFrom-Json; comments";

fn check_stages(pipeline: &Pipeline, is_assigned: bool) -> Result<(), ReadError> {
    let last = pipeline.stages.len() - 1;
    for (index, stage) in pipeline.stages.iter().enumerate() {
        let Stage::Command(command) = stage else { continue };
        let Some(helper) = find_helper(&command.name) else { continue };
        let problem = if helper.is_later_stage() && index == 0 {
            "needs something in front of it: … |"
        } else if !helper.is_later_stage() && index > 0 {
            "takes nothing from a pipeline here."
        } else if helper.is_view() && index < last {
            "must be the last in a pipeline."
        } else if helper.is_view() && is_assigned {
            "shows, and gives no value to assign."
        } else {
            continue;
        };
        let text = format!("'{}' {problem}", command.name);
        return Err(ReadError::new(command.at, "PipelineNotSupported", text));
    }
    Ok(())
}
