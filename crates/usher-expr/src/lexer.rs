//! Cuts an expression into tokens. Nothing is refused: what cannot be read becomes a diagnostic.

use std::ops::Range;

use smol_str::SmolStr;

use crate::diagnostic::{Diagnostic, codes};
use crate::node::Operator;

/// The smallest parts of the language.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    Comma,
    Ampersand,
    Operator(Operator),
    Attribute(SmolStr),
    Text(SmolStr),
    Number(SmolStr),
    Parameter(SmolStr),
    Variable(SmolStr),
    Identifier(SmolStr),
    /// An operand that could not be read; a diagnostic says why.
    Broken,
}

impl Token {
    /// Whether an operand can begin with this token.
    pub(crate) fn begins_term(&self) -> bool {
        !matches!(self, Token::Close | Token::Comma | Token::Ampersand | Token::Operator(_) | Token::Open)
    }

    /// Whether an operand can end with this token, so that a following `&` is an operator.
    fn ends_term(&self) -> bool {
        !matches!(self, Token::Open | Token::Comma | Token::Ampersand | Token::Operator(_))
    }
}

/// A token and the bytes it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) span: Range<usize>,
}

/// All tokens of the text.
pub(crate) fn tokenize(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Lexeme> {
    let mut lexer = Lexer { text, position: 0, lexemes: Vec::new(), diagnostics };
    while lexer.next_token() {}
    lexer.lexemes
}

struct Lexer<'a> {
    text: &'a str,
    position: usize,
    lexemes: Vec<Lexeme>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn push(&mut self, token: Token, length: usize) {
        let span = self.position..self.position + length;
        self.position = span.end;
        self.lexemes.push(Lexeme { token, span });
    }

    /// Reads one token or passes over what is none; false at the end of the text.
    fn next_token(&mut self) -> bool {
        self.position += self.rest().len() - self.rest().trim_start().len();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        match first {
            '(' => self.push(Token::Open, 1),
            ')' => self.push(Token::Close, 1),
            ',' => self.push(Token::Comma, 1),
            '=' | '<' | '>' | '!' => self.operator(rest),
            '[' => self.attribute(rest),
            '"' => self.quoted(rest),
            '%' | '$' => self.named(rest, first),
            '&' => self.ampersand(rest),
            '0'..='9' => self.number(rest),
            '-' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(rest),
            '\'' | '‘' | '’' | '‚' | '“' | '”' | '„' => self.wrongly_quoted(rest, first),
            _ if identifier_length(rest) > 0 => {
                let length = identifier_length(rest);
                self.push(Token::Identifier(SmolStr::new(&rest[..length])), length);
            }
            other => self.unexpected(other, rest),
        }
        true
    }

    fn operator(&mut self, rest: &str) {
        let (operator, length, meant) = if rest.starts_with("<>") {
            (Operator::NotEqual, 2, None)
        } else if rest.starts_with("<=") {
            (Operator::LessOrEqual, 2, None)
        } else if rest.starts_with(">=") {
            (Operator::GreaterOrEqual, 2, None)
        } else if rest.starts_with("==") {
            (Operator::Equal, 2, Some(("==", "=")))
        } else if rest.starts_with("!=") {
            (Operator::NotEqual, 2, Some(("!=", "<>")))
        } else if rest.starts_with('=') {
            (Operator::Equal, 1, None)
        } else if rest.starts_with('<') {
            (Operator::Less, 1, None)
        } else if rest.starts_with('>') {
            (Operator::Greater, 1, None)
        } else {
            return self.unexpected('!', rest);
        };
        if let Some((written, right)) = meant {
            let span = self.position..self.position + length;
            self.diagnostics.push(
                Diagnostic::error(
                    codes::UNEXPECTED_CHARACTER,
                    span,
                    format!("`{written}` is no comparison operator"),
                )
                .remedy(format!("write `{right}`")),
            );
        }
        self.push(Token::Operator(operator), length);
    }

    fn attribute(&mut self, rest: &str) {
        if let Some(end) = rest.find(']') {
            let name = &rest[1..end];
            if name.is_empty() {
                let span = self.position..self.position + end + 1;
                self.diagnostics.push(
                    Diagnostic::error(codes::BAD_ATTRIBUTE, span, "an attribute without a name")
                        .remedy("write the attribute's name between the brackets"),
                );
            }
            if let Some(inner) = name.find('[') {
                let start = self.position + 1 + inner;
                self.diagnostics.push(
                    Diagnostic::warning(
                        codes::BAD_ATTRIBUTE,
                        start..start + 1,
                        "an attribute's name contains `[`",
                    )
                    .remedy("close the attribute before it with `]`"),
                );
            }
            return self.push(Token::Attribute(SmolStr::new(name)), end + 1);
        }
        let end = rest.find([',', ')', '\n', '"']).unwrap_or(rest.len());
        let span = self.position..self.position + end;
        self.diagnostics.push(
            Diagnostic::error(codes::BAD_ATTRIBUTE, span, "an attribute without its closing bracket")
                .remedy("put `]` behind the attribute's name"),
        );
        self.push(Token::Attribute(SmolStr::new(rest[1..end].trim_end())), end);
    }

    /// Only `\\` and `\"` are escapes; any other backslash stands for itself.
    fn quoted(&mut self, rest: &str) {
        let mut content = String::new();
        let mut characters = rest.char_indices().skip(1).peekable();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => return self.push(Token::Text(SmolStr::from(content)), offset + 1),
                '\\' => {
                    if let Some((_, escaped @ ('\\' | '"'))) = characters.peek().copied() {
                        characters.next();
                        content.push(escaped);
                    } else {
                        content.push('\\');
                    }
                }
                other => content.push(other),
            }
        }
        let span = self.position..self.position + 1;
        self.diagnostics.push(
            Diagnostic::error(codes::UNTERMINATED_TEXT, span, "a text without its closing quote")
                .remedy("put `\"` at the end of the text; inside it write `\\\"` for a quote"),
        );
        self.push(Token::Text(SmolStr::from(content)), rest.len());
    }

    /// Text in single or curly quotes is read as text up to the closing quote, with an error.
    fn wrongly_quoted(&mut self, rest: &str, quote: char) {
        let is_closing = |one: char| match quote {
            '\'' => one == '\'',
            '‘' | '’' | '‚' => matches!(one, '‘' | '’'),
            _ => matches!(one, '“' | '”' | '"'),
        };
        let content = &rest[quote.len_utf8()..];
        let end = content.find(|one| is_closing(one) || one == '\n');
        let Some((end, closing)) = end.and_then(|end| {
            content[end..].chars().next().filter(|one| is_closing(*one)).map(|one| (end, one))
        }) else {
            return self.unexpected(quote, rest);
        };
        let length = quote.len_utf8() + end + closing.len_utf8();
        let span = self.position..self.position + length;
        self.diagnostics.push(
            Diagnostic::error(codes::UNEXPECTED_CHARACTER, span, "texts stand in straight double quotes")
                .remedy(format!("write {}", crate::node::quote(&content[..end]))),
        );
        self.push(Token::Text(SmolStr::new(&content[..end])), length);
    }

    /// `%name%` and `$name`.
    fn named(&mut self, rest: &str, sigil: char) {
        if sigil == '$' {
            let length = identifier_length(&rest[1..]);
            if length > 0 {
                return self.push(Token::Variable(SmolStr::new(&rest[1..=length])), length + 1);
            }
            return self.unexpected('$', rest);
        }
        let length = rest[1..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
            .unwrap_or(rest.len() - 1);
        if length > 0 && rest[1 + length..].starts_with('%') {
            return self.push(Token::Parameter(SmolStr::new(&rest[1..=length])), length + 2);
        }
        let span = self.position..self.position + 1 + length;
        self.diagnostics.push(
            Diagnostic::error(codes::BAD_PARAMETER, span, "a parameter without its name or its closing `%`")
                .remedy("write a parameter as `%Name%`"),
        );
        if length > 0 {
            self.push(Token::Parameter(SmolStr::new(&rest[1..=length])), length + 1);
        } else {
            self.position += 1;
        }
    }

    /// `&` between operands joins them; `&H` where an operand begins is a hexadecimal number.
    fn ampersand(&mut self, rest: &str) {
        let is_operator = self.lexemes.last().is_some_and(|last| last.token.ends_term());
        if is_operator || !rest[1..].starts_with(['H', 'h']) {
            return self.push(Token::Ampersand, 1);
        }
        let digits = rest[2..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        let text = &rest[..2 + digits];
        if i64::from_str_radix(&text[2..], 16).is_err() {
            return self.bad_number(text.len(), format!("`{text}` is no hexadecimal number of 64 bits"));
        }
        self.push(Token::Number(SmolStr::new(text)), text.len());
    }

    fn number(&mut self, rest: &str) {
        let bytes = rest.as_bytes();
        let mut length = usize::from(bytes[0] == b'-');
        length += bytes[length..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_decimal =
            bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        if is_decimal {
            length += 1;
            length += bytes[length..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
        let attached = identifier_length(&rest[length..]);
        if attached > 0 {
            let text = &rest[..length + attached];
            return self.bad_number(text.len(), format!("`{text}` is neither a number nor a name"));
        }
        if !is_decimal && rest[..length].parse::<i64>().is_err() {
            return self.bad_number(length, format!("`{}` does not fit into 64 bits", &rest[..length]));
        }
        self.push(Token::Number(SmolStr::new(&rest[..length])), length);
    }

    fn bad_number(&mut self, length: usize, message: String) {
        let span = self.position..self.position + length;
        self.diagnostics.push(
            Diagnostic::error(codes::BAD_NUMBER, span, message)
                .remedy("put the value in quotes if it is meant as text"),
        );
        self.push(Token::Broken, length);
    }

    fn unexpected(&mut self, character: char, rest: &str) {
        let remedy = match character {
            '\'' | '“' | '”' | '„' | '‘' | '’' => "texts stand in double quotes: \"text\"",
            ';' => "arguments are separated by commas",
            '+' => "there is no arithmetic; texts are put together with Join or Append",
            '-' | '*' | '/' | '^' => "there is no arithmetic in this language",
            '!' => "negate with Not(…), compare with `<>`",
            '|' => "there is no OR: nest an IIF in the false branch",
            ']' => "an attribute begins with `[`",
            '{' | '}' => "braces have a meaning only inside texts",
            '$' => "a variable has a name: `$item`",
            _ => "remove it, or put it in double quotes if it is text",
        };
        let length = rest.chars().take_while(|next| *next == character).map(char::len_utf8).sum::<usize>();
        let span = self.position..self.position + length;
        self.position = span.end;
        self.diagnostics.push(
            Diagnostic::error(
                codes::UNEXPECTED_CHARACTER,
                span,
                format!("unexpected character `{character}`"),
            )
            .remedy(remedy),
        );
    }
}

/// Names of the language have ASCII letters only; others are read too, so that the message can name them.
fn identifier_length(text: &str) -> usize {
    if !text.starts_with(|one: char| one.is_alphabetic() || one == '_') {
        return 0;
    }
    text.find(|one: char| !(one.is_alphanumeric() || one == '_')).unwrap_or(text.len())
}
