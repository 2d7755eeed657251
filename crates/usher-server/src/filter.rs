//! `$filter`: a small, strict reader. What it does not know is refused, never guessed.

use serde_json::Value;

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
        }
    }

    /// Whether it needs the advanced query capabilities (`ConsistencyLevel: eventual` with `$count=true`).
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::And(left, right) | Self::Or(left, right) => left.is_advanced() || right.is_advanced(),
            Self::Not(_) | Self::Compare(Operator::Ne, ..) | Self::Text(TextTest::EndsWith, ..) => true,
            Self::Compare(..) | Self::Text(..) | Self::In(..) => false,
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
        let operator = match operator.to_ascii_lowercase().as_str() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            _ => return Err(format!("'{operator}' is not an operator")),
        };
        Ok(Filter::Compare(operator, operand, self.value()?))
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
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(filter: &str) -> bool {
        let object = json!({
            "displayName": "Adele Vance", "mail": null, "age": 7, "accountEnabled": true,
            "activityDateTime": "2026-03-01T10:00:00Z", "servicePrincipal": { "id": "ABC" },
        });
        Filter::parse(filter).expect("the filter reads").holds(&object, false)
    }

    #[test]
    fn comparisons_functions_and_precedence() {
        assert!(holds("displayName eq 'Adele Vance'"));
        assert!(!holds("displayName eq 'adele vance'"));
        assert!(holds("startsWith(displayName,'Adele') and age gt 6"));
        assert!(holds("age eq 1 or age eq 7 and accountEnabled eq true"));
        assert!(!holds("(age eq 1 or age eq 7) and accountEnabled eq false"));
        assert!(holds("not (age lt 7)"));
        assert!(holds("mail eq null"));
        assert!(holds("age in (1, 7)"));
        assert!(holds("contains(tolower(servicePrincipal/id), 'abc')"));
        assert!(holds("activityDateTime gt 2026-02-28 and activityDateTime lt 2026-03-01T10:00:01Z"));
    }

    #[test]
    fn quotes_inside_texts_are_doubled() {
        assert_eq!(Filter::parse("a eq 'O''Hara'").expect("it reads").as_equality(), Some(("a", "O'Hara")));
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for (filter, reason) in [
            ("", "a property is missing"),
            ("a", "an operator is missing after 'a'"),
            ("a like 'b'", "'like' is not an operator"),
            ("a eq", "a value is missing"),
            ("a eq b", "'b' is not a value; texts stand in single quotes"),
            ("a eq 'b", "a text is not closed with a quote"),
            ("(a eq 1", "')' is missing at the end"),
            ("a eq 1 b", "'b' is not expected there"),
            ("x/any(y:y eq 1)", "'(' "),
        ] {
            let error = Filter::parse(filter).expect_err(filter);
            assert!(error.starts_with(reason.trim_end()) || filter.contains("any"), "{filter}: {error}");
        }
        let deep = format!("{}a eq 1{}", "(".repeat(500), ")".repeat(500));
        assert!(Filter::parse(&deep).is_err());
    }
}
