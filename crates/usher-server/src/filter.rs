//! `$filter`: a small, strict reader. What it does not know is refused, never guessed.

mod fit;

use serde_json::Value;

pub use fit::Form;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A comparison: operator, path, value.
    Compare(Operator, Operand, Value),
    /// `startsWith`, `endsWith`, `contains`.
    Text(TextTest, Operand, String),
    /// `path in ('a','b')`.
    In(Operand, Vec<Value>),
    /// `path/any(x:x eq 'a')`; the inner operands begin with the variable.
    Any(Vec<String>, String, Box<Filter>),
    /// `path/$count eq 0`.
    Count(Operator, Vec<String>, i64),
}

/// What is compared: a path of properties, lowered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The property and its sub-properties.
    pub path: Vec<String>,
    /// `tolower(path)`.
    pub is_lowered: bool,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
    /// `lt`
    Lt,
    /// `le`
    Le,
}

/// A test of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// `startsWith`
    StartsWith,
    /// `endsWith`
    EndsWith,
    /// `contains`
    Contains,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is not understood, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
        let filter = reader.or()?;
        match reader.tokens.get(reader.at) {
            None => Ok(filter),
            Some(token) => Err(format!("'{}' is not expected there", token.text())),
        }
    }

    /// Whether it holds for an object. `fold` compares texts without regard to case, as the directory does.
    pub fn holds(&self, object: &Value, fold: bool) -> bool {
        match self {
            Self::And(left, right) => left.holds(object, fold) && right.holds(object, fold),
            Self::Or(left, right) => left.holds(object, fold) || right.holds(object, fold),
            Self::Not(inner) => !inner.holds(object, fold),
            Self::In(operand, values) => {
                values.iter().any(|value| compare(Operator::Eq, &operand.value(object), value, fold))
            }
            Self::Compare(operator, operand, value) => {
                compare(*operator, &operand.value(object), value, fold)
            }
            Self::Any(path, variable, inner) => {
                let list = Operand { path: path.clone(), is_lowered: false }.value(object);
                list.as_array().is_some_and(|items| {
                    items.iter().any(|item| inner.holds(&serde_json::json!({ variable: item }), fold))
                })
            }
            Self::Count(operator, path, number) => {
                let list = Operand { path: path.clone(), is_lowered: false }.value(object);
                let count = Value::from(list.as_array().map_or(0, Vec::len));
                compare(*operator, &count, &Value::from(*number), fold)
            }
            Self::Text(test, operand, wanted) => match operand.value(object) {
                Value::String(text) => {
                    let (text, wanted) = if fold || operand.is_lowered {
                        (text.to_lowercase(), if fold { wanted.to_lowercase() } else { wanted.clone() })
                    } else {
                        (text, wanted.clone())
                    };
                    match test {
                        TextTest::StartsWith => text.starts_with(&wanted),
                        TextTest::EndsWith => text.ends_with(&wanted),
                        TextTest::Contains => text.contains(&wanted),
                    }
                }
                _ => false,
            },
        }
    }

    /// All paths that it mentions.
    pub fn paths(&self) -> Vec<&[String]> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.paths().into_iter().chain(right.paths()).collect()
            }
            Self::Not(inner) => inner.paths(),
            Self::Compare(_, operand, _) | Self::Text(_, operand, _) | Self::In(operand, _) => {
                vec![&operand.path]
            }
            Self::Any(path, ..) | Self::Count(_, path, _) => vec![path],
        }
    }

    /// Whether it needs the advanced query capabilities (`ConsistencyLevel: eventual` with `$count=true`).
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.is_advanced() || right.is_advanced(),
            Self::Not(_)
            | Self::Count(..)
            | Self::Compare(Operator::Ne, ..)
            | Self::Text(TextTest::EndsWith, ..) => true,
            Self::Any(_, _, inner) => inner.is_advanced(),
            Self::Compare(..) | Self::Text(..) | Self::In(..) => false,
        }
    }

    /// The texts of a filter that is nothing but `property eq 'a' or property eq 'b'`, or `property in ('a','b')`.
    pub fn any_of(&self, property: &str) -> Option<Vec<&str>> {
        match self {
            Self::Or(left, right) => {
                let mut all = left.any_of(property)?;
                all.extend(right.any_of(property)?);
                Some(all)
            }
            Self::Compare(Operator::Eq, operand, Value::String(text)) if operand.is(property) => {
                Some(vec![text])
            }
            Self::In(operand, values) if operand.is(property) => values.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }

    /// The property and text of a filter that is one plain equality.
    pub fn as_equality(&self) -> Option<(&str, &str)> {
        match self {
            Self::Compare(Operator::Eq, operand, Value::String(text)) if operand.path.len() == 1 => {
                Some((&operand.path[0], text))
            }
            _ => None,
        }
    }

    /// The value that the property at this path must equal, when every object that passes has it.
    pub fn required(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::And(left, right) => left.required(wanted).or_else(|| right.required(wanted)),
            Self::Compare(Operator::Eq, operand, Value::String(text))
                if operand.path.len() == 1 && operand.path[0].eq_ignore_ascii_case(wanted) =>
            {
                Some(text)
            }
            _ => None,
        }
    }
}

impl Operand {
    fn is(&self, property: &str) -> bool {
        self.path.len() == 1 && self.path[0].eq_ignore_ascii_case(property)
    }

    fn value(&self, object: &Value) -> Value {
        let found = self.path.iter().try_fold(object, |value, name| {
            value
                .as_object()?
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        });
        match found {
            Some(Value::String(text)) if self.is_lowered => Value::String(text.to_lowercase()),
            Some(value) => value.clone(),
            None => Value::Null,
        }
    }
}

fn compare(operator: Operator, left: &Value, right: &Value, fold: bool) -> bool {
    use std::cmp::Ordering;
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => {
            match (left.parse::<jiff::Timestamp>(), instant(right)) {
                (Ok(left), Some(right)) => Some(left.cmp(&right)),
                _ if fold => Some(left.to_lowercase().cmp(&right.to_lowercase())),
                _ => Some(left.cmp(right)),
            }
        }
        (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    };
    match operator {
        Operator::Eq => order == Some(Ordering::Equal),
        Operator::Ne => order != Some(Ordering::Equal),
        Operator::Gt => order == Some(Ordering::Greater),
        Operator::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => order == Some(Ordering::Less),
        Operator::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// An instant, or the first instant of a date.
pub fn instant(text: &str) -> Option<jiff::Timestamp> {
    text.parse()
        .ok()
        .or_else(|| format!("{text}T00:00:00Z").parse().ok())
        .or_else(|| format!("{text}Z").parse().ok())
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) => text,
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
        }
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(wanted))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(&character) = characters.peek() {
        match character {
            ' ' | '\t' => {
                characters.next();
            }
            '(' | ')' | ',' => {
                characters.next();
                tokens.push(match character {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Comma,
                });
            }
            '\'' => {
                characters.next();
                let mut value = String::new();
                loop {
                    match characters.next() {
                        Some('\'') if characters.peek() == Some(&'\'') => {
                            characters.next();
                            value.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => value.push(other),
                        None => return Err("a text is not closed with a quote".to_owned()),
                    }
                }
                tokens.push(Token::Text(value));
            }
            _ => {
                let mut word = String::new();
                while let Some(&next) = characters.peek() {
                    if next.is_whitespace() || "(),'".contains(next) {
                        break;
                    }
                    word.push(next);
                    characters.next();
                }
                if word.is_empty() {
                    return Err(format!("'{character}' is not expected"));
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// The path of `path/any` before a bracket.
fn lambda(word: &str, next: Option<&Token>) -> Option<Vec<String>> {
    let (path, any) = word.rsplit_once('/')?;
    (any.eq_ignore_ascii_case("any") && next == Some(&Token::Open))
        .then(|| path.split('/').map(str::to_owned).collect())
}

fn comparison(word: &str) -> Result<Operator, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "gt" => Operator::Gt,
        "ge" => Operator::Ge,
        "lt" => Operator::Lt,
        "le" => Operator::Le,
        _ => return Err(format!("'{word}' is not an operator")),
    })
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = self.tokens.get(self.at).is_some_and(|token| token.is_word(word));
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, wanted: Token) -> Result<(), String> {
        match self.next() {
            Some(token) if token == wanted => Ok(()),
            Some(token) => Err(format!("'{}' stands where '{}' belongs", token.text(), wanted.text())),
            None => Err(format!("'{}' is missing at the end", wanted.text())),
        }
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.takes_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.not()?;
        while self.takes_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("it nests too deep".to_owned());
        }
        let filter = if self.takes_word("not") {
            Filter::Not(Box::new(self.not()?))
        } else if self.tokens.get(self.at) == Some(&Token::Open) {
            self.at += 1;
            let inner = self.or()?;
            self.expect(Token::Close)?;
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, String> {
        let Some(Token::Word(word)) = self.tokens.get(self.at).cloned() else {
            return Err("a property is missing".to_owned());
        };
        let test = match word.to_ascii_lowercase().as_str() {
            "startswith" => Some(TextTest::StartsWith),
            "endswith" => Some(TextTest::EndsWith),
            "contains" => Some(TextTest::Contains),
            _ => None,
        };
        if let Some(test) = test {
            self.at += 1;
            self.expect(Token::Open)?;
            let operand = self.operand()?;
            self.expect(Token::Comma)?;
            let Some(Token::Text(wanted)) = self.next() else {
                return Err(format!("'{word}' compares with a text in single quotes"));
            };
            self.expect(Token::Close)?;
            // `startsWith(…) eq true` means the same.
            if self.takes_word("eq") && !self.takes_word("true") {
                return Err(format!("'{word}' can only be compared with true"));
            }
            return Ok(Filter::Text(test, operand, wanted));
        }
        if let Some(path) = lambda(&word, self.tokens.get(self.at + 1)) {
            self.at += 2;
            return self.any(path);
        }
        if let Some(path) = word.strip_suffix("/$count") {
            self.at += 1;
            return self.count(path);
        }
        let operand = self.operand()?;
        let Some(Token::Word(operator)) = self.next() else {
            return Err(format!("an operator is missing after '{}'", operand.path.join("/")));
        };
        if operator.eq_ignore_ascii_case("in") {
            self.expect(Token::Open)?;
            let mut values = vec![self.value()?];
            while self.tokens.get(self.at) == Some(&Token::Comma) {
                self.at += 1;
                values.push(self.value()?);
            }
            self.expect(Token::Close)?;
            return Ok(Filter::In(operand, values));
        }
        Ok(Filter::Compare(comparison(&operator)?, operand, self.value()?))
    }

    /// `x:x eq 'a')`, after `path/any(`; without a variable it asks whether the list has anything.
    fn any(&mut self, path: Vec<String>) -> Result<Filter, String> {
        if self.tokens.get(self.at) == Some(&Token::Close) {
            self.at += 1;
            return Ok(Filter::Count(Operator::Gt, path, 0));
        }
        let Some(Token::Word(word)) = self.next() else { return Err("a variable is missing".to_owned()) };
        let (variable, rest) =
            word.split_once(':').ok_or_else(|| format!("'{word}' is not a variable with a colon"))?;
        if variable.is_empty() || !variable.chars().all(char::is_alphanumeric) {
            return Err(format!("'{variable}' is not a variable"));
        }
        // `x:x eq …` and `x: x eq …` are the same; the rest of the word is put back.
        let mut tokens = self.tokens[self.at..].to_vec();
        if !rest.is_empty() {
            tokens.insert(0, Token::Word(rest.to_owned()));
        }
        let mut reader = Reader { tokens: &tokens, at: 0, depth: self.depth + 1 };
        let inner = reader.or()?;
        reader.expect(Token::Close)?;
        self.at += reader.at - usize::from(!rest.is_empty());
        let is_about = |path: &&[String]| path.first().is_some_and(|first| first == variable);
        if !inner.paths().iter().all(is_about) {
            return Err(format!("inside any, every comparison begins with '{variable}'"));
        }
        Ok(Filter::Any(path, variable.to_owned(), Box::new(inner)))
    }

    fn count(&mut self, path: &str) -> Result<Filter, String> {
        let Some(Token::Word(operator)) = self.next() else {
            return Err("an operator is missing after '$count'".to_owned());
        };
        let operator = comparison(&operator)?;
        match self.value()? {
            Value::Number(number) => Ok(Filter::Count(
                operator,
                path.split('/').map(str::to_owned).collect(),
                number.as_i64().unwrap_or_default(),
            )),
            _ => Err("'$count' is compared with a number".to_owned()),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let Some(Token::Word(word)) = self.next() else { return Err("a property is missing".to_owned()) };
        if word.eq_ignore_ascii_case("tolower") {
            self.expect(Token::Open)?;
            let inner = self.operand()?;
            self.expect(Token::Close)?;
            return Ok(Operand { is_lowered: true, ..inner });
        }
        let path: Vec<String> = word.split('/').map(str::to_owned).collect();
        let is_name = |part: &String| {
            !part.is_empty() && part.chars().all(|character| character.is_alphanumeric() || character == '_')
        };
        if path.iter().all(is_name) {
            Ok(Operand { path, is_lowered: false })
        } else {
            Err(format!("'{word}' is not a property that can be filtered on"))
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => Ok(match word.to_ascii_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => match word.parse::<i64>() {
                    Ok(number) => Value::from(number),
                    // GUIDs and dates stand bare.
                    Err(_) if uuid::Uuid::try_parse(&word).is_ok() || instant(&word).is_some() => {
                        Value::String(word)
                    }
                    Err(_) => return Err(format!("'{word}' is not a value; texts stand in single quotes")),
                },
            }),
            _ => Err("a value is missing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
