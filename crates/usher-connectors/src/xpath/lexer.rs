//! The tokens of XPath 1.0 (§3.7), with the rules that tell operators from names.

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `(`, `)`, `[`, `]`, `.`, `..`, `@`, `,`, `::`, `/`, `//`.
    Mark(&'static str),
    /// `and`, `or`, `mod`, `div`, `*` between operands, `|`, `+`, `-`, `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Operator(&'static str),
    /// A name, a wildcard or a part of one: prefix, and local name or `*`.
    Name(Option<String>, String),
    Literal(String),
    Number(f64),
}

const MARKS: [&str; 11] = ["::", "//", "..", "(", ")", "[", "]", "@", ",", "/", "."];
const OPERATORS: [&str; 9] = ["!=", "<=", ">=", "|", "+", "-", "=", "<", ">"];
const WORDS: [&str; 4] = ["and", "or", "mod", "div"];

/// All tokens, or where something is that is none.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let space = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if space > 0 {
            at += space;
            continue;
        }
        let (kind, length) = token(rest, follows_operand(&tokens)).map_err(|message| (at, message))?;
        tokens.push(Token { kind, at });
        at += length;
    }
    Ok(tokens)
}

/// Whether an operator is expected: after an operand `*` multiplies and `and` joins; elsewhere they are names (§3.7).
fn follows_operand(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|token| match &token.kind {
        Kind::Mark(mark) => matches!(*mark, ")" | "]" | "." | ".."),
        Kind::Operator(_) => false,
        Kind::Name(..) | Kind::Literal(_) | Kind::Number(_) => true,
    })
}

fn token(rest: &str, after_operand: bool) -> Result<(Kind, usize), String> {
    let first = rest.chars().next().unwrap_or_default();
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit())) {
        return number(rest);
    }
    if first == '"' || first == '\'' {
        let length = rest[1..].find(first).ok_or("the text is not closed")?;
        return Ok((Kind::Literal(rest[1..=length].to_owned()), length + 2));
    }
    if first == '$' {
        return Err("there are no variables here".to_owned());
    }
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        return Ok((Kind::Mark(mark), mark.len()));
    }
    if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
        return Ok((Kind::Operator(operator), operator.len()));
    }
    if first == '*' {
        let kind = if after_operand { Kind::Operator("*") } else { Kind::Name(None, "*".to_owned()) };
        return Ok((kind, 1));
    }
    let name = name(rest).ok_or_else(|| format!("'{first}' means nothing here"))?;
    if after_operand {
        let word = WORDS.iter().find(|word| **word == name);
        return word
            .map(|word| (Kind::Operator(word), word.len()))
            .ok_or_else(|| format!("an operator is expected, not '{name}'"));
    }
    let local = rest[name.len()..].strip_prefix(':').filter(|local| !local.starts_with(':'));
    match local {
        Some(local) if local.starts_with('*') => {
            Ok((Kind::Name(Some(name.to_owned()), "*".to_owned()), name.len() + 2))
        }
        Some(local) => {
            let local = self::name(local).ok_or("a name is expected after ':'")?;
            Ok((Kind::Name(Some(name.to_owned()), local.to_owned()), name.len() + 1 + local.len()))
        }
        None => Ok((Kind::Name(None, name.to_owned()), name.len())),
    }
}

fn number(rest: &str) -> Result<(Kind, usize), String> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|one: char| one.is_ascii_digit()).len();
    let mut length = digits(rest);
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
    }
    let number = rest[..length].parse().map_err(|_| "the number is malformed".to_owned())?;
    Ok((Kind::Number(number), length))
}

/// The name without a colon (NCName) that a text begins with.
fn name(text: &str) -> Option<&str> {
    let is_start = |one: char| one.is_alphabetic() || one == '_';
    if !text.starts_with(is_start) {
        return None;
    }
    let goes_on = |one: char| one.is_alphanumeric() || matches!(one, '_' | '-' | '.' | '\u{b7}');
    let end = text.find(|one: char| !goes_on(one)).unwrap_or(text.len());
    Some(&text[..end])
}
