//! Diagnostics: what is wrong in an expression, where, and what to do about it.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// The codes of all diagnostics. Each names a page of help; a code is never reused.
pub mod codes {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
            $($(#[$doc])* pub const $name: &str = $code;)*
            /// Every code, for help pages and the uniqueness test.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }
    codes! {
        /// The text has nothing but white space.
        EMPTY = "ExpressionEmpty",
        /// The text is longer than an expression may be.
        TOO_LONG = "ExpressionTooLong",
        /// Calls are nested deeper than is allowed.
        TOO_DEEP = "ExpressionTooDeep",
        /// A character that begins no token.
        UNEXPECTED_CHARACTER = "ExpressionUnexpectedCharacter",
        /// A text without its closing quote.
        UNTERMINATED_TEXT = "ExpressionUnterminatedText",
        /// An attribute without its closing bracket, or without a name.
        BAD_ATTRIBUTE = "ExpressionBadAttribute",
        /// A number that cannot be read.
        BAD_NUMBER = "ExpressionBadNumber",
        /// A parameter or variable that cannot be read.
        BAD_PARAMETER = "ExpressionBadParameter",
        /// A call without its closing parenthesis.
        MISSING_PARENTHESIS = "ExpressionMissingParenthesis",
        /// Two arguments without a comma between them.
        MISSING_COMMA = "ExpressionMissingComma",
        /// An operand is missing beside an operator.
        MISSING_OPERAND = "ExpressionMissingOperand",
        /// Something stands after the end of the expression.
        TRAILING_TEXT = "ExpressionTrailingText",
        /// Comparisons cannot be chained.
        CHAINED_COMPARISON = "ExpressionChainedComparison",
        /// Something stands where it has no meaning.
        UNEXPECTED_TOKEN = "ExpressionUnexpectedToken",
        /// No function has this name.
        UNKNOWN_FUNCTION = "ExpressionUnknownFunction",
        /// The function exists in another dialect only.
        OTHER_DIALECT = "ExpressionOtherDialect",
        /// The name is right but for its case.
        NAME_CASE = "ExpressionNameCase",
        /// A bare word that means nothing here.
        UNKNOWN_WORD = "ExpressionUnknownWord",
        /// A variable that nothing binds.
        UNKNOWN_VARIABLE = "ExpressionUnknownVariable",
        /// A required argument is missing.
        MISSING_ARGUMENT = "ExpressionMissingArgument",
        /// More arguments than the function takes.
        SURPLUS_ARGUMENT = "ExpressionSurplusArgument",
        /// An argument of the wrong type.
        ARGUMENT_TYPE = "ExpressionArgumentType",
        /// An argument whose value cannot be right.
        ARGUMENT_VALUE = "ExpressionArgumentValue",
        /// Arguments that do not fit together.
        ARGUMENT_COMBINATION = "ExpressionArgumentCombination",
        /// A regular expression that cannot be compiled.
        BAD_PATTERN = "ExpressionBadPattern",
        /// `SelectUniqueValue` somewhere else than outermost.
        NOT_OUTERMOST = "ExpressionNotOutermost",
        /// A comparison outside a condition.
        COMPARISON_PLACE = "ExpressionComparisonPlace",
        /// The function is known by name only.
        UNDOCUMENTED_FUNCTION = "ExpressionUndocumentedFunction",
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The expression cannot be evaluated.
    Error,
    /// The expression can be evaluated, but probably not as meant.
    Warning,
}

/// One finding of the parser or compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One of [`codes`].
    pub code: &'static str,
    /// Which bytes of the text it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Diagnostic {
    pub(crate) fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, code, span, message: message.into(), remedy: None }
    }

    pub(crate) fn warning(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, code, span, message: message.into(), remedy: None }
    }

    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Diagnostic {
        self.remedy = Some(remedy.into());
        self
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Draws the diagnostics below the lines they are about, in the order of the list.
///
/// `name` stands above the excerpt: a file, or the mapping's target attribute.
pub fn render(text: &str, name: &str, diagnostics: &[Diagnostic], color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100);
    let source = NamedSource::new(name, text.to_owned());
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        let report = Report { diagnostic, source: &source };
        handler.render_report(&mut drawn, &report).expect("writing into a string does not fail");
    }
    drawn
}

/// A diagnostic together with its text, as the drawing library wants it.
#[derive(Debug)]
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.remedy.as_ref().map(|remedy| Box::new(remedy) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.diagnostic.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::new(None, span.start, span.len()))))
    }
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn codes_are_unique() {
        let mut sorted = codes::ALL.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), codes::ALL.len());
    }
}
