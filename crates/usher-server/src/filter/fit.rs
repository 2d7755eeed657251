//! Whether a filter fits the properties that it names: a comparison that can never hold would be a wrong answer.

use serde_json::Value;

use super::{Filter, Operand, Operator, TextTest, instant};
use crate::graph::types::{self, Members, Type};

/// What a property is, as far as filters go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Integer,
    /// An instant.
    Instant,
    /// A list of texts or objects.
    List,
    /// A list of which only is known how many there are; it can be asked whether it is empty, or has one.
    Counted,
    /// Anything.
    Open,
}

impl Filter {
    /// What is wrong with the filter, if anything is, by the form of each property at a path.
    pub fn misfit(&self, form: &dyn Fn(&[String]) -> Option<Form>) -> Option<String> {
        let found = |path: &[String]| {
            form(path).ok_or_else(|| {
                format!("Could not find a property named '{}' on this resource.", path.join("/"))
            })
        };
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.misfit(form).or_else(|| right.misfit(form))
            }
            Self::Not(inner) => inner.misfit(form),
            Self::Compare(operator, operand, value) => match found(&operand.path) {
                Ok(form) => compared(*operator, operand, value, form),
                Err(wrong) => Some(wrong),
            },
            Self::In(operand, values) => match found(&operand.path) {
                Ok(form) => values.iter().find_map(|value| compared(Operator::Eq, operand, value, form)),
                Err(wrong) => Some(wrong),
            },
            Self::Text(_, operand, _) => match found(&operand.path) {
                Ok(Form::Text | Form::Open) => None,
                Ok(_) => Some(format!("'{}' is not a text.", operand.path.join("/"))),
                Err(wrong) => Some(wrong),
            },
            Self::Count(operator, path, number) => match found(path) {
                Ok(Form::List | Form::Open) => None,
                Ok(Form::Counted) => {
                    let is_known = matches!(operator, Operator::Eq | Operator::Ne) && matches!(number, 0 | 1);
                    (!is_known).then(|| {
                        format!("'{}/$count' can be compared by eq and ne with 0 and 1.", path.join("/"))
                    })
                }
                Ok(_) => Some(format!("'{}' is not a collection.", path.join("/"))),
                Err(wrong) => Some(wrong),
            },
            Self::Any(path, _, inner) => match found(path) {
                Ok(Form::List) => inner.misfit(&|inside: &[String]| {
                    Some(if inside.len() == 1 { Form::Text } else { Form::Open })
                }),
                Ok(Form::Open) => None,
                Ok(_) => Some(format!("'{}' is not a collection.", path.join("/"))),
                Err(wrong) => Some(wrong),
            },
        }
    }

    /// The tests of texts, each with the property that it is about.
    pub fn text_tests(&self) -> Vec<(TextTest, &[String])> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.text_tests().into_iter().chain(right.text_tests()).collect()
            }
            Self::Not(inner) => inner.text_tests(),
            Self::Text(test, operand, _) => vec![(*test, &operand.path)],
            Self::Any(path, _, inner) => {
                inner.text_tests().into_iter().map(|(test, _)| (test, path.as_slice())).collect()
            }
            Self::Compare(..) | Self::In(..) | Self::Count(..) => Vec::new(),
        }
    }
}

fn compared(operator: Operator, operand: &Operand, value: &Value, form: Form) -> Option<String> {
    let name = operand.path.join("/");
    let is_equality = matches!(operator, Operator::Eq | Operator::Ne);
    let fits = match (form, value) {
        (Form::List | Form::Counted, _) => {
            return Some(format!("'{name}' is a collection: write {name}/any(x:x eq 'a') or {name}/$count."));
        }
        (_, Value::Null) => is_equality,
        (Form::Flag, Value::Bool(_)) => is_equality,
        (Form::Text, Value::String(_)) | (Form::Integer, Value::Number(_)) | (Form::Open, _) => true,
        (Form::Instant, Value::String(text)) => instant(text).is_some(),
        _ => false,
    };
    (!fits).then(|| {
        let wanted = match form {
            Form::Flag => "true or false, by eq or ne",
            Form::Integer => "a whole number",
            Form::Instant => "an instant or a date, without quotes",
            _ => "a text in single quotes",
        };
        format!("A value of another type was found; '{name}' is compared with {wanted}.")
    })
}

impl Type {
    /// What the property at a path of this type is.
    pub fn at(&self, path: &[String]) -> Option<Form> {
        let (first, rest) = path.split_first()?;
        let (Members::Listed(known) | Members::Exactly(known)) = self.members else {
            return Some(Form::Open);
        };
        let (_, form) = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(first))?;
        of(form, rest)
    }
}

fn of(form: &types::Form, rest: &[String]) -> Option<Form> {
    use types::Form as Of;
    Some(match form {
        Of::Maybe(inner) => return of(inner, rest),
        Of::Any => Form::Open,
        Of::One(inner) if rest.is_empty() => match inner.members {
            Members::Open => Form::Open,
            _ => return None,
        },
        Of::One(inner) => return inner.at(rest),
        _ if !rest.is_empty() => return None,
        Of::Text | Of::Span | Of::Guid | Of::Words(_) => Form::Text,
        Of::Flag => Form::Flag,
        Of::Integer => Form::Integer,
        Of::Instant => Form::Instant,
        Of::Many(_) => Form::List,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_hold_is_told() {
        let form = |path: &[String]| {
            Some(match path.first()?.as_str() {
                "text" => Form::Text,
                "flag" => Form::Flag,
                "number" => Form::Integer,
                "at" => Form::Instant,
                "list" => Form::List,
                "owners" => Form::Counted,
                "open" => Form::Open,
                _ => return None,
            })
        };
        for fits in [
            "text eq 'a'",
            "text ge 'a' and not startsWith(text,'b')",
            "text eq null",
            "text in ('a', 'b')",
            "flag eq true or flag ne null",
            "number lt 5",
            "at gt 2026-01-01 and at lt 2026-01-02T00:00:00Z",
            "list/any(x:x eq 'a') and list/$count ge 2",
            "list/any(x:x/name eq 5)",
            "owners/$count eq 0 or owners/$count ne 1",
            "open/inside eq 5",
        ] {
            assert_eq!(Filter::parse(fits).expect(fits).misfit(&form), None, "{fits}");
        }
        for wrong in [
            "text eq 5",
            "text eq true",
            "text in ('a', 5)",
            "text gt null",
            "flag eq 'true'",
            "flag gt true",
            "number eq '5'",
            "at gt 'soon'",
            "list eq 'a'",
            "text/any(x:x eq 'a')",
            "text/$count eq 0",
            "startsWith(flag,'t')",
            "list/any(x:x eq 5)",
            "owners/$count gt 0",
            "owners/any(x:x/id eq 'a')",
            "nothing eq 'a'",
            "not (text eq 'a' or nothing eq 'a')",
        ] {
            assert!(Filter::parse(wrong).expect(wrong).misfit(&form).is_some(), "{wrong}");
        }
    }
}
