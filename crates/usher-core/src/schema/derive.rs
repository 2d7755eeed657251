//! What a document leaves unsaid: expressions from type and name, and the defaults inside rule metadata.

use serde_json::Value;
use usher_expr::Dialect;
use usher_expr::functions::{self, Function};

use super::{AttributeMappingSource, SourceType};

/// The expression of a source that has none.
pub fn expression(
    source_type: SourceType,
    name: &str,
    parameters: &[(String, AttributeMappingSource)],
) -> String {
    if name.is_empty() {
        return String::new();
    }
    match source_type {
        SourceType::Attribute => format!("[{name}]"),
        SourceType::Constant => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
        SourceType::Function => format!("{name}({})", arguments(name, parameters).join(", ")),
    }
}

/// The arguments in the function's order: parameters that were omitted leave their place empty.
fn arguments<'a>(name: &str, parameters: &'a [(String, AttributeMappingSource)]) -> Vec<&'a str> {
    let mut arguments = Vec::new();
    let params = function(name).map(|function| function.params).unwrap_or_default();
    for (key, value) in parameters {
        let reach = arguments.len() + params.len();
        let place = (arguments.len()..reach).find(|index| {
            Function::param(params, *index).is_some_and(|param| {
                [param.graph_key(), param.name].iter().any(|known| known.eq_ignore_ascii_case(key))
            })
        });
        arguments.resize(place.unwrap_or(arguments.len()), "");
        arguments.push(value.expression.as_str());
    }
    arguments
}

/// The function that a document means: the service's, where several dialects have one of that name.
fn function(name: &str) -> Option<&'static Function> {
    Dialect::ALL.iter().find_map(|dialect| {
        let has_name = |function: &&Function| function.name.eq_ignore_ascii_case(name);
        functions::all().iter().copied().find(|one| has_name(one) && one.dialects.contains(dialect))
    })
}

/// The constant that an expression states: what stands between the quotes, or the whole text where there are none.
pub fn constant(expression: &str) -> String {
    let text = expression.trim();
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut constant = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(next) = characters.next() {
        match (next, characters.as_str().chars().next()) {
            ('\\', Some(escaped @ ('"' | '\\'))) => {
                characters.next();
                constant.push(escaped);
            }
            _ => constant.push(next),
        }
    }
    constant
}

/// The type that the expression shows: it is the authority where the document's type says something else.
pub fn source_type(stated: SourceType, expression: &str) -> SourceType {
    let text = expression.trim();
    let is_attribute = text.len() > 2 && text.starts_with('[') && text.find(']') == Some(text.len() - 1);
    let is_call = text.ends_with(')')
        && text.split_once('(').is_some_and(|(name, _)| {
            name.trim_end().chars().all(|next| next.is_ascii_alphanumeric()) && !name.trim_end().is_empty()
        });
    match stated {
        SourceType::Function if is_attribute => SourceType::Attribute,
        SourceType::Attribute if is_call => SourceType::Function,
        other => other,
    }
}

/// The defaults of one source object in the metadata `defaultSourceObjectMappings`.
pub fn defaults(document: &Value, object: &str) -> Vec<(String, String)> {
    let Some(mappings) = document.as_array() else { return Vec::new() };
    mappings
        .iter()
        .filter(|mapping| {
            let named = |name| member(mapping, name).and_then(Value::as_str);
            let target = named("TargetObjectName").or_else(|| named("SourceObjectName"));
            target.is_none_or(|name| name.is_empty() || name.eq_ignore_ascii_case(object))
        })
        .filter_map(|mapping| member(mapping, "AttributeMappings")?.as_array())
        .flatten()
        .filter_map(|attribute| {
            let name = member(attribute, "TargetAttributeName")?.as_str()?;
            let value = member(attribute, "DefaultValue")?.as_str()?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
