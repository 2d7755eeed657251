//! Reads expressions into a tree: the literal grammar, with variables and members where a script may have them.
//! Never panics, and nesting is bounded.

use super::command::may_stand_in_parentheses;
use super::cursor::{Cursor, is_break};
use super::number::read_number;
use super::syntax::{
    Expression, ExpressionKind, Position, ReadError, Stage, is_dash, is_double_quote, is_single_quote,
};
use super::value::{PsValue, Table, TableKind};

/// How deeply values may be nested.
pub const DEPTH_LIMIT: usize = 64;

/// What reading gives.
pub(super) type Read<T> = Result<T, ReadError>;

/// Reads one text from beginning to end.
pub(super) struct Reader<'t> {
    pub(super) cursor: Cursor<'t>,
    depth: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { cursor: Cursor::new(text), depth: 0 }
    }

    /// One expression with optional commas, and nothing after it.
    pub(super) fn whole_expression(&mut self) -> Read<Expression> {
        self.cursor.separators()?;
        let expression = self.list()?;
        self.cursor.separators()?;
        match self.cursor.peek() {
            None => Ok(expression),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// Expressions divided by line breaks or semicolons, to the end of the text.
    pub(super) fn whole_sequence(&mut self) -> Read<Vec<Expression>> {
        let items = self.sequence()?;
        match self.cursor.peek() {
            None => Ok(items),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn sequence(&mut self) -> Read<Vec<Expression>> {
        let mut items = Vec::new();
        self.cursor.separators()?;
        while self.cursor.peek().is_some_and(|character| character != ')') {
            items.push(self.list()?);
            if !self.cursor.separators()? {
                break;
            }
        }
        Ok(items)
    }

    /// `value, value`; a comma in front makes a list of one.
    pub(super) fn list(&mut self) -> Read<Expression> {
        self.cursor.blanks()?;
        let at = self.cursor.at();
        if self.cursor.eat(',') {
            self.cursor.gaps()?;
            let item = self.value()?;
            return Ok(Expression { at, kind: ExpressionKind::List(vec![item]) });
        }
        let first = self.value()?;
        self.rest_of_list(first, Self::value)
    }

    pub(super) fn rest_of_list(
        &mut self,
        first: Expression,
        next: impl Fn(&mut Self) -> Read<Expression>,
    ) -> Read<Expression> {
        let at = first.at;
        let mut items = vec![first];
        loop {
            let before = self.cursor;
            self.cursor.blanks()?;
            if !self.cursor.eat(',') {
                self.cursor = before;
                break;
            }
            self.cursor.gaps()?;
            if self.cursor.peek().is_none() {
                let text = "Missing expression after ','.";
                return Err(ReadError::new(self.cursor.at(), "MissingExpression", text).incomplete());
            }
            items.push(next(self)?);
        }
        match (items.pop(), items.is_empty()) {
            (Some(only), true) => Ok(only),
            (last, _) => {
                items.extend(last);
                Ok(Expression { at, kind: ExpressionKind::List(items) })
            }
        }
    }

    /// One value, with the members taken of it.
    pub(super) fn value(&mut self) -> Read<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(too_deep(self.cursor.at()));
        }
        let value = self.primary();
        self.depth -= 1;
        value
    }

    fn primary(&mut self) -> Read<Expression> {
        self.cursor.blanks()?;
        let at = self.cursor.at();
        let Some(character) = self.cursor.peek() else {
            let text = "An expression was expected, but the text ends here.";
            return Err(ReadError::new(at, "ExpectedExpression", text).incomplete());
        };
        let second = self.cursor.peek_second();
        match character {
            '@' => match second {
                Some('{') => self.table(TableKind::Hash),
                Some('(') => self.array(),
                Some(quote) if is_single_quote(quote) || is_double_quote(quote) => {
                    Ok(Expression { at, kind: self.here_string()?.finish() })
                }
                Some(letter) if is_name(letter) => {
                    self.cursor.bump();
                    let name = self.cursor.take_while(is_name);
                    Err(ReadError::new(
                        at,
                        "SplattingNotPermitted",
                        format!(
                            "The splatting operator '@' cannot be used to reference variables in an expression. '@{name}' can be used only as an argument to a command. To reference variables in an expression use '${name}'."
                        ),
                    ))
                }
                None => Err(ReadError::new(at, "UnrecognizedToken", "Unrecognized token in source text.")
                    .incomplete()),
                Some(_) => Err(ReadError::new(at, "UnrecognizedToken", "Unrecognized token in source text.")),
            },
            '$' => {
                let value = self.variable_or_group()?;
                self.members(value)
            }
            '(' => {
                let value = self.group(at)?;
                self.members(value)
            }
            '[' => self.cast(),
            quote if is_single_quote(quote) || is_double_quote(quote) => {
                let kind = self.quoted()?.finish();
                self.members(Expression { at, kind })
            }
            '0'..='9' | '.' | '+' => self.number(),
            dash if is_dash(dash) => self.number(),
            letter if is_name(letter) => {
                let word = self.cursor.take_while(is_name);
                Err(unexpected_token(at, word).with_hint(format!("a text stands in quotes: '{word}'")))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `$name`, `${name}`, `$true`, `$(…)`; the cursor stands on the `$`.
    pub(super) fn variable_or_group(&mut self) -> Read<Expression> {
        let at = self.cursor.at();
        self.cursor.bump();
        if self.cursor.peek() == Some('(') {
            return self.group(at);
        }
        let name = if self.cursor.eat('{') {
            let name = self.cursor.take_while(|character| character != '}' && !is_break(character));
            if !self.cursor.eat('}') {
                let text = "The variable name is missing the closing '}'.";
                return Err(ReadError::new(at, "IncompleteDollarBraceVariable", text).incomplete());
            }
            name
        } else {
            let name = self.cursor.take_while(is_name);
            let is_scope = self.cursor.peek() == Some(':') && self.cursor.peek_second() != Some(':');
            if is_scope && self.cursor.peek_second().is_some_and(is_name) {
                let text =
                    format!("The variable '${name}:…' names a scope or a drive, which is not supported.");
                return Err(ReadError::new(at, "ScopedVariableNotSupported", text));
            }
            name
        };
        if name.is_empty() {
            let text = "A variable name was expected after '$'.";
            return Err(ReadError::new(at, "MissingVariableName", text)
                .with_hint("a shell such as sh replaces $name itself: put the literal in single quotes"));
        }
        let kind = match name.to_ascii_lowercase().as_str() {
            "true" => ExpressionKind::Constant(PsValue::Bool(true)),
            "false" => ExpressionKind::Constant(PsValue::Bool(false)),
            "null" => ExpressionKind::Constant(PsValue::Null),
            _ => ExpressionKind::Variable(name.to_owned()),
        };
        Ok(Expression { at, kind })
    }

    /// `.Name.Name` directly after a value.
    pub(super) fn members(&mut self, mut value: Expression) -> Read<Expression> {
        let mut steps = 0;
        loop {
            let at = self.cursor.at();
            steps += 1;
            if steps > DEPTH_LIMIT {
                return Err(too_deep(at));
            }
            match (self.cursor.peek(), self.cursor.peek_second()) {
                (Some('.'), Some(letter)) if is_name(letter) => {
                    self.cursor.bump();
                    let name = self.cursor.take_while(is_name).to_owned();
                    if self.cursor.peek() == Some('(') {
                        let text = format!("Calling a method ('{name}') is not supported.");
                        return Err(ReadError::new(at, "MethodNotSupported", text));
                    }
                    value = Expression { at: value.at, kind: ExpressionKind::Member(Box::new(value), name) };
                }
                (Some('['), _) => {
                    let text = "Taking an item by index is not supported.";
                    return Err(ReadError::new(at, "IndexNotSupported", text));
                }
                _ => return Ok(value),
            }
        }
    }

    /// `(…)`; the cursor stands on the parenthesis, `at` on what is in front of it.
    fn group(&mut self, at: Position) -> Read<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        self.cursor.bump();
        self.cursor.gaps()?;
        let pipeline = self.pipeline()?;
        for (index, stage) in pipeline.stages.iter().enumerate() {
            if let Stage::Command(command) = stage {
                may_stand_in_parentheses(index, command)?;
            }
        }
        self.cursor.gaps()?;
        self.close(')', "Missing closing ')' in expression.", "MissingEndParenthesisInExpression")?;
        self.depth -= 1;
        Ok(Expression { at, kind: ExpressionKind::Group(Box::new(pipeline)) })
    }

    fn array(&mut self) -> Read<Expression> {
        let at = self.cursor.at();
        self.cursor.eat_text("@(");
        let items = self.sequence()?;
        self.close(')', "Missing closing ')' in expression.", "MissingEndParenthesisInExpression")?;
        self.members(Expression { at, kind: ExpressionKind::Array(items) })
    }

    fn close(&mut self, wanted: char, text: &str, id: &'static str) -> Read<()> {
        if self.cursor.eat(wanted) {
            return Ok(());
        }
        match self.cursor.peek() {
            None => Err(ReadError::new(self.cursor.at(), id, text).incomplete()),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn table(&mut self, kind: TableKind) -> Read<Expression> {
        let at = self.cursor.at();
        self.cursor.eat_text("@{");
        let mut seen = Table::new(kind);
        let mut entries = Vec::new();
        self.cursor.separators()?;
        while !self.cursor.eat('}') {
            let key = self.key(at)?;
            if let ExpressionKind::Constant(constant) = &key.kind
                && seen.insert(constant.to_text(), PsValue::Null).is_some()
            {
                return Err(duplicate_key(key.at, &constant.to_text()));
            }
            self.cursor.blanks()?;
            if !self.cursor.eat('=') {
                return Err(match self.cursor.peek() {
                    None => incomplete_table(at),
                    Some(_) => ReadError::new(
                        self.cursor.at(),
                        "MissingEqualsInHashLiteral",
                        "Missing '=' operator after key in hash literal.",
                    ),
                });
            }
            self.cursor.gaps()?;
            if self.cursor.peek().is_none() {
                return Err(incomplete_table(at));
            }
            if self.cursor.peek() == Some('}') || self.cursor.peek() == Some(';') {
                let text = "Missing statement after '=' in hash literal.";
                return Err(ReadError::new(self.cursor.at(), "MissingStatementInHashLiteral", text));
            }
            let value = self.list()?;
            entries.push((key, value));
            let divided = self.cursor.separators()?;
            match self.cursor.peek() {
                Some('}') => {}
                None => return Err(incomplete_table(at)),
                Some(_) if divided => {}
                Some(_) => return Err(self.unexpected()),
            }
        }
        self.members(Expression { at, kind: ExpressionKind::Table(kind, entries) })
    }

    fn key(&mut self, table: Position) -> Read<Expression> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            None => Err(incomplete_table(table)),
            Some(letter) if is_name(letter) && !letter.is_ascii_digit() => {
                let name = self.cursor.take_while(is_name);
                Ok(Expression { at, kind: ExpressionKind::Constant(PsValue::text(name)) })
            }
            Some(quote) if is_single_quote(quote) || is_double_quote(quote) => {
                Ok(Expression { at, kind: self.quoted()?.finish() })
            }
            Some(character) if character.is_ascii_digit() || is_dash(character) => self.number(),
            Some('=') => {
                Err(ReadError::new(at, "MissingKeyInHashLiteral", "Missing key before '=' in hash literal."))
            }
            Some(_) => Err(self.unexpected()),
        }
    }

    /// `[type]value`, or `[ordered]@{…}`.
    fn cast(&mut self) -> Read<Expression> {
        let at = self.cursor.at();
        self.cursor.bump();
        let mut name = String::new();
        let mut open = 1_usize;
        loop {
            match self.cursor.bump() {
                Some('[') => {
                    open += 1;
                    name.push('[');
                }
                Some(']') if open == 1 => break,
                Some(']') => {
                    open -= 1;
                    name.push(']');
                }
                Some(character) if is_name(character) || matches!(character, '.' | ',' | ' ' | '`' | '+') => {
                    name.push(character);
                }
                None => {
                    let text = "Missing ] at end of type token.";
                    return Err(ReadError::new(at, "EndSquareBracketExpectedAtEndOfType", text).incomplete());
                }
                Some(_) => {
                    let text = "Missing type name after '['.";
                    return Err(ReadError::new(at, "MissingTypename", text)
                        .with_hint("a list is written @( … ); JSON must be JSON from end to end"));
                }
            }
        }
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err(ReadError::new(at, "MissingTypename", "Missing type name after '['."));
        }
        if self.cursor.rest().starts_with("::") {
            let text = format!("Static members of a type ('[{name}]::') are not supported.");
            return Err(ReadError::new(self.cursor.at(), "StaticMemberNotSupported", text));
        }
        self.cursor.gaps()?;
        if name.eq_ignore_ascii_case("ordered") {
            if !self.cursor.rest().starts_with("@{") {
                let text = "The ordered attribute can be specified only on a hash literal node.";
                let error = ReadError::new(self.cursor.at(), "OrderedAttributeOnlyOnHashLiteralNode", text);
                let is_end = self.cursor.peek().is_none();
                return Err(if is_end { error.incomplete() } else { error });
            }
            return self.table(TableKind::Ordered);
        }
        let value = self.value()?;
        Ok(Expression { at, kind: ExpressionKind::Cast(name, Box::new(value)) })
    }

    fn number(&mut self) -> Read<Expression> {
        let at = self.cursor.at();
        let mut text = String::new();
        match self.cursor.peek() {
            Some('+') => {
                self.cursor.bump();
                text.push('+');
            }
            Some(dash) if is_dash(dash) => {
                self.cursor.bump();
                text.push('-');
            }
            _ => {}
        }
        let mut previous = ' ';
        while let Some(character) = self.cursor.peek() {
            let is_exponent_sign = (character == '+' || is_dash(character))
                && matches!(previous, 'e' | 'E')
                && !text.to_ascii_lowercase().contains("0x")
                && self.cursor.peek_second().is_some_and(|next| next.is_ascii_digit());
            if !(is_name(character) || character == '.' || is_exponent_sign) {
                break;
            }
            self.cursor.bump();
            text.push(if is_dash(character) { '-' } else { character });
            previous = character;
        }
        match read_number(&text) {
            Some(value) => Ok(Expression { at, kind: ExpressionKind::Constant(value) }),
            None if text.starts_with(|first: char| first.is_ascii_digit())
                && text.bytes().all(|byte| {
                    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
                }) =>
            {
                Err(ReadError::new(
                    at,
                    "BadNumericConstant",
                    format!("The numeric constant {text} is not valid."),
                ))
            }
            None => Err(unexpected_token(at, &text).with_hint("a text stands in quotes")),
        }
    }

    /// The error of a token that has no place where it stands.
    pub(super) fn unexpected(&self) -> ReadError {
        let mut ahead = self.cursor;
        let word = ahead.take_while(is_name);
        match (word, self.cursor.peek()) {
            ("", None) => ReadError::new(self.cursor.at(), "ExpectedExpression", "The text ends too early.")
                .incomplete(),
            ("", Some(character)) => unexpected_token(self.cursor.at(), &character.to_string()),
            (word, _) => unexpected_token(self.cursor.at(), word),
        }
    }
}

/// Whether the character can stand in a bare name.
pub(super) fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Whether a dash before the character makes a parameter name.
pub(super) fn is_parameter_start(character: char) -> bool {
    character == '_' || character == '?' || character.is_alphabetic()
}

/// The error of two entries with one key.
pub(super) fn duplicate_key(at: Position, key: &str) -> ReadError {
    let text = format!("Duplicate keys '{key}' are not allowed in hash literals.");
    ReadError::new(at, "DuplicateKeyInHashLiteral", text)
}

fn too_deep(at: Position) -> ReadError {
    let text = format!("The value is nested more than {DEPTH_LIMIT} levels deep.");
    ReadError::new(at, "ScriptTooComplicated", text)
}

fn incomplete_table(at: Position) -> ReadError {
    ReadError::new(at, "IncompleteHashLiteral", "The hash literal was incomplete.").incomplete()
}

fn unexpected_token(at: Position, token: &str) -> ReadError {
    ReadError::new(at, "UnexpectedToken", format!("Unexpected token '{token}' in expression or statement."))
}
