//! From a method and a path to an operation.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::{Method, StatusCode};

use super::operation::Operation;
use crate::errors::Refusal;
use crate::path::{GraphPath, Version};

/// An operation with the variable segments of a path.
pub type Found = (&'static Operation, HashMap<&'static str, String>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(&'static str),
    /// One of a few words; the name of the variable is `parent`.
    OneOf(Vec<&'static str>),
    Variable(&'static str),
}

struct Route {
    parts: Vec<Part>,
    operation: &'static Operation,
}

/// Routes by number of segments; words go before variables.
static ROUTES: LazyLock<HashMap<usize, Vec<Route>>> = LazyLock::new(|| {
    let mut routes: HashMap<usize, Vec<Route>> = HashMap::new();
    for operation in super::operations() {
        let parts: Vec<Part> = operation.path.split('/').filter(|part| !part.is_empty()).map(part).collect();
        routes.entry(parts.len()).or_default().push(Route { parts, operation });
    }
    for same_length in routes.values_mut() {
        same_length.sort_by(|left, right| left.parts.cmp(&right.parts));
    }
    routes
});

fn part(text: &'static str) -> Part {
    match text.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(words) if words.contains('|') => Part::OneOf(words.split('|').collect()),
        Some(name) => Part::Variable(name),
        None => Part::Word(text),
    }
}

/// The operation of a method and path. Words of the path are compared without regard to case.
///
/// # Errors
/// 400 for a path that there is not, 405 for a method that it does not have.
pub fn find(method: &Method, path: &GraphPath) -> Result<Found, Refusal> {
    let mut is_known = false;
    for route in ROUTES.get(&path.segments.len()).into_iter().flatten() {
        let operation = route.operation;
        if (operation.is_beta && path.version != Version::Beta) || !matches(&route.parts, &path.segments) {
            continue;
        }
        is_known = true;
        if operation.method == method.as_str() {
            return Ok((operation, parameters(&route.parts, &path.segments)));
        }
    }
    if is_known {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            format!("Specified HTTP method {method} is not allowed for the request target."),
        ));
    }
    let last = path.segments.last().map(String::as_str).unwrap_or_default();
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "BadRequest",
        format!("Resource not found for the segment '{last}'."),
    ))
}

fn matches(parts: &[Part], segments: &[String]) -> bool {
    parts.iter().zip(segments).all(|(part, segment)| match part {
        Part::Word(word) => word.eq_ignore_ascii_case(segment),
        Part::OneOf(words) => words.iter().any(|word| word.eq_ignore_ascii_case(segment)),
        Part::Variable(_) => true,
    })
}

fn parameters(parts: &[Part], segments: &[String]) -> HashMap<&'static str, String> {
    parts
        .iter()
        .zip(segments)
        .filter_map(|(part, segment)| match part {
            Part::Word(_) => None,
            Part::OneOf(words) => {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(segment))?;
                Some(("parent", (*word).to_owned()))
            }
            Part::Variable(name) => Some((*name, segment.clone())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_operations_have_the_same_address() {
        let mut known = std::collections::HashSet::new();
        for operation in super::super::operations() {
            let plain: Vec<&str> = operation
                .path
                .split('/')
                .map(|part| if part.starts_with('{') && !part.contains('|') { "{}" } else { part })
                .collect();
            assert!(known.insert((operation.method, plain.join("/"))), "{operation:?}");
        }
    }

    #[test]
    fn words_go_before_variables() {
        let path = crate::path::parse("/v1.0/users/DELTA()").expect("it has a version");
        let (operation, _) = find(&Method::GET, &path).expect("it is there");
        assert_eq!(operation.path, "/users/delta");
    }
}
