//! The grammar of filters and value paths, by recursive descent with a bounded depth.

use jiff::Timestamp;
use serde_json::Value;

use super::{Filter, Operator, Selection};
use crate::path::{Located, Place, locate, locate_part};
use crate::schema::{Attribute, ResourceType, Type};

/// Parentheses, brackets and negations may nest this deep; a filter from outside must not exhaust the stack.
const DEEPEST: usize = 32;

/// Reads a filter from left to right.
pub(crate) struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

/// Whose attributes the names in a filter are.
#[derive(Clone, Copy)]
enum Scope {
    Resource(&'static ResourceType),
    Element(&'static Attribute),
}

impl<'a> Parser<'a> {
    /// Starts at the beginning of the text.
    pub(crate) fn new(text: &'a str) -> Parser<'a> {
        Parser { rest: text, depth: 0 }
    }

    /// Whether only blanks are left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.trim_start().is_empty()
    }

    /// Reads a filter whose names are attributes of a resource.
    pub(crate) fn resource_filter(&mut self, definition: &'static ResourceType) -> Result<Filter, String> {
        self.any(Scope::Resource(definition))
    }

    /// Reads `[filter]` and, if it follows, `.part`.
    pub(crate) fn value_path(
        &mut self,
        place: &Place,
    ) -> Result<(Filter, Option<&'static Attribute>), String> {
        let attribute = place.attribute;
        if place.part.is_some() || attribute.kind != Type::Complex || !attribute.is_multivalued {
            return Err(format!("attribute \"{}\" has no list of values to choose from", place.leaf().name));
        }
        self.expect('[')?;
        let filter = self.nested(|parser| parser.any(Scope::Element(attribute)))?;
        self.expect(']')?;
        let Some(after_dot) = self.rest.strip_prefix('.') else { return Ok((filter, None)) };
        self.rest = after_dot;
        let part = locate_part(attribute, self.word())?;
        Ok((filter, Some(part)))
    }

    fn any(&mut self, scope: Scope) -> Result<Filter, String> {
        self.chain("or", Filter::Any, |parser| parser.chain("and", Filter::All, |parser| parser.term(scope)))
    }

    fn chain(
        &mut self,
        word: &str,
        join: fn(Vec<Filter>) -> Filter,
        mut next: impl FnMut(&mut Self) -> Result<Filter, String>,
    ) -> Result<Filter, String> {
        let first = next(self)?;
        let mut terms = vec![first];
        while self.take_word(word) {
            terms.push(next(self)?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { join(terms) })
    }

    fn term(&mut self, scope: Scope) -> Result<Filter, String> {
        self.skip_blanks();
        if self.rest.starts_with('(') {
            return self.group(scope);
        }
        let name = self.word();
        if name.eq_ignore_ascii_case("not") {
            return Ok(Filter::Not(Box::new(self.group(scope)?)));
        }
        if name.is_empty() {
            return Err(format!("an attribute is missing before \"{}\"", self.rest));
        }
        self.condition(scope, name)
    }

    fn group(&mut self, scope: Scope) -> Result<Filter, String> {
        self.expect('(')?;
        let filter = self.nested(|parser| parser.any(scope))?;
        self.expect(')')?;
        Ok(filter)
    }

    fn condition(&mut self, scope: Scope, name: &str) -> Result<Filter, String> {
        let mut place = match scope {
            Scope::Element(attribute) => {
                Place { extension: None, attribute: locate_part(attribute, name)?, part: None }
            }
            Scope::Resource(definition) => match locate(definition, name)? {
                Located::Place(place) => place,
                Located::Extension(urn) => return Err(format!("\"{urn}\" is a schema, not an attribute")),
            },
        };
        let mut among = None;
        if self.rest.starts_with('[') {
            let (filter, part) = self.value_path(&place)?;
            place.part = part;
            among = Some(Box::new(filter));
            self.skip_blanks();
            if part.is_none() && !self.is_before_operator() {
                return Ok(Filter::Present(Selection { place, among }));
            }
        }
        let operator = self.word();
        if operator.eq_ignore_ascii_case("pr") {
            return readable(Selection { place, among }).map(Filter::Present);
        }
        let operator = parse_operator(operator)?;
        if place.leaf().kind == Type::Complex {
            place.part = Some(locate_part(place.attribute, "value")?);
        }
        let value = self.literal(place.leaf(), operator)?;
        Ok(Filter::Compare(readable(Selection { place, among })?, operator, value))
    }

    fn literal(&mut self, attribute: &Attribute, operator: Operator) -> Result<Value, String> {
        self.skip_blanks();
        let value = if self.rest.starts_with('"') {
            self.quoted()?
        } else {
            let word = self.word().to_ascii_lowercase();
            serde_json::from_str(&word)
                .map_err(|_| format!("\"{word}\" is no value; texts stand in quotes"))?
        };
        let value = match (attribute.kind, value) {
            (_, Value::Null) if matches!(operator, Operator::Eq | Operator::Ne) => Value::Null,
            (Type::Boolean, value) => Value::Bool(
                as_boolean(&value).ok_or_else(|| format!("\"{}\" is true or false", attribute.name))?,
            ),
            (Type::DateTime, Value::String(text)) if text.parse::<Timestamp>().is_err() => {
                return Err(format!("\"{text}\" is no date and time"));
            }
            (_, Value::String(text)) => Value::String(text),
            _ => return Err(format!("\"{}\" is compared with a text", attribute.name)),
        };
        if attribute.kind == Type::Boolean && !matches!(operator, Operator::Eq | Operator::Ne) {
            return Err(format!("\"{}\" has no order", attribute.name));
        }
        Ok(value)
    }

    fn quoted(&mut self) -> Result<Value, String> {
        let mut is_escaped = false;
        let end = self.rest.char_indices().skip(1).find_map(|(at, character)| {
            let ends = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            ends.then_some(at + 1)
        });
        let end = end.ok_or("a quote is not closed")?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        serde_json::from_str(text).map_err(|_| format!("{text} is no text in JSON"))
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err("the filter is nested too deeply".into());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn is_before_operator(&self) -> bool {
        let mut ahead = Parser { rest: self.rest, depth: self.depth };
        let word = ahead.word();
        word.eq_ignore_ascii_case("pr") || parse_operator(word).is_ok()
    }

    fn take_word(&mut self, word: &str) -> bool {
        let before = self.rest;
        let is_it = self.word().eq_ignore_ascii_case(word);
        if !is_it {
            self.rest = before;
        }
        is_it
    }

    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let end = self
            .rest
            .find(|character: char| character.is_whitespace() || "()[]\"".contains(character))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn expect(&mut self, character: char) -> Result<(), String> {
        self.skip_blanks();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("'{character}' is missing before \"{}\"", self.rest)),
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

/// Reads a boolean that may be written as text, as in `primary eq "True"`.
pub(crate) fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A filter on a value that is never shown would show it.
fn readable(selection: Selection) -> Result<Selection, String> {
    let name = selection.place.attribute.name;
    if selection.place.attribute.returned == crate::schema::Returned::Never {
        return Err(format!("attribute \"{name}\" cannot be asked for"));
    }
    Ok(selection)
}

fn parse_operator(word: &str) -> Result<Operator, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "co" => Operator::Co,
        "sw" => Operator::Sw,
        "ew" => Operator::Ew,
        "gt" => Operator::Gt,
        "ge" => Operator::Ge,
        "lt" => Operator::Lt,
        "le" => Operator::Le,
        _ => return Err(format!("\"{word}\" is no operator")),
    })
}
