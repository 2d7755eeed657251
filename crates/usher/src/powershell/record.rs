//! Error records: what PowerShell makes of an error.

use super::cmdlets::Cmdlet;

/// The categories of errors that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// An argument is wrong.
    InvalidArgument,
    /// A value has the wrong form.
    InvalidData,
    /// The service refused.
    InvalidOperation,
    /// A text cannot be read.
    ParserError,
    /// Whoever was asked said stop.
    OperationStopped,
    /// Anything else.
    NotSpecified,
}

/// An error as it is shown, kept in variables, and looked at by scripts.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRecord {
    /// What stands in front of the text, and is the activity of `CategoryInfo`: the cmdlet, with its parameter
    /// set once that is known.
    pub source: Box<str>,
    /// `FullyQualifiedErrorId`.
    pub id: Box<str>,
    /// The kind of error.
    pub category: Category,
    /// What the error is about, as `CategoryInfo` shows it: `value:type`, or `:`.
    pub target: Box<str>,
    /// The type of the exception.
    pub exception: &'static str,
    /// The short text.
    pub message: Box<str>,
    /// The long text, when there is one: what consoles show.
    pub details: Option<Box<str>>,
    /// What to do about it.
    pub hint: Option<Box<str>>,
}

impl ErrorRecord {
    /// An error in binding parameters.
    pub fn binding(cmdlet: &Cmdlet, id: &str, message: impl Into<Box<str>>) -> Self {
        let category = match id {
            "ParameterArgumentTransformationError"
            | "ParameterArgumentValidationError"
            | "ParameterArgumentValidationErrorNullNotAllowed"
            | "ParameterArgumentValidationErrorEmptyStringNotAllowed" => Category::InvalidData,
            _ => Category::InvalidArgument,
        };
        Self {
            source: cmdlet.name.into(),
            id: format!("{id},{}", cmdlet.name).into(),
            category,
            target: ":".into(),
            exception: "ParameterBindingException",
            message: message.into(),
            details: None,
            hint: None,
        }
    }

    /// The same error, with a sentence on what to do.
    pub fn with_hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// `CategoryInfo` in one line.
    pub fn category_info(&self) -> String {
        format!("{:?}: ({}) [{}], {}", self.category, self.target, self.source, self.exception)
    }

    /// The text on the error stream: the error, then what kind it is, then a hint.
    pub fn to_text(&self, place: Option<&str>) -> String {
        let shown = self.details.as_deref().unwrap_or(&self.message);
        let mut text =
            if self.source.is_empty() { shown.to_owned() } else { format!("{}: {shown}", self.source) };
        if let Some(place) = place {
            text.push_str(&format!("\nAt {place}"));
        }
        text.push_str(&format!("\n    + CategoryInfo          : {}", self.category_info()));
        text.push_str(&format!("\n    + FullyQualifiedErrorId : {}", self.id));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }
}
