//! .NET replacement texts: `$1`, `${name}`, `$&` and the others.

use super::escape::is_word;

/// A parsed replacement text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a replacement text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// `$1` or `${1}`. Without such a group the text stays as it is written.
    Number {
        number: u32,
        written: String,
    },
    /// `${name}`. Without such a group the text stays as it is written.
    Name {
        name: String,
        written: String,
    },
    /// `$&`
    Match,
    /// `` $` ``
    Before,
    /// `$'`
    After,
    /// `$+`
    LastGroup,
    /// `$_`
    Input,
}

impl Replacement {
    /// Parses a replacement text. Every text is one: a `$` that begins nothing known is a
    /// character like others.
    pub fn parse(text: &str) -> Replacement {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            literal.push_str(&rest[..at]);
            rest = &rest[at..];
            match piece(rest) {
                Some((Piece::Literal(text), length)) => {
                    literal.push_str(&text);
                    rest = &rest[length..];
                }
                Some((piece, length)) => {
                    flush(&mut literal, &mut pieces);
                    pieces.push(piece);
                    rest = &rest[length..];
                }
                None => {
                    literal.push('$');
                    rest = &rest[1..];
                }
            }
        }
        literal.push_str(rest);
        flush(&mut literal, &mut pieces);
        Replacement { pieces }
    }
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(std::mem::take(literal)));
    }
}

/// The piece at the start of `text`, which is a `$`, and its length.
fn piece(text: &str) -> Option<(Piece, usize)> {
    let after = &text[1..];
    let simple = match after.chars().next()? {
        '$' => Piece::Literal("$".to_owned()),
        '&' => Piece::Match,
        '`' => Piece::Before,
        '\'' => Piece::After,
        '+' => Piece::LastGroup,
        '_' => Piece::Input,
        '{' => return braced(text, &after[1..]),
        _ => {
            let (number, length) = number(after)?;
            let written = text[..1 + length].to_owned();
            return Some((Piece::Number { number, written }, 1 + length));
        }
    };
    Some((simple, 2))
}

fn braced(text: &str, inside: &str) -> Option<(Piece, usize)> {
    if let Some((number, digits)) = number(inside) {
        let length = 2 + digits + 1;
        let written = text[..2 + digits].to_owned() + "}";
        return inside[digits..].starts_with('}').then_some((Piece::Number { number, written }, length));
    }
    let name = &inside[..inside.find(|c| !is_word(c))?];
    let length = 2 + name.len() + 1;
    let closed = !name.is_empty() && inside[name.len()..].starts_with('}');
    closed.then(|| (Piece::Name { name: name.to_owned(), written: text[..length].to_owned() }, length))
}

/// The number at the start of `text` and its count of digits.
fn number(text: &str) -> Option<(u32, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, digits))
}
