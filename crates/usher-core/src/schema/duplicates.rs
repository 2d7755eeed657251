//! Members that stand twice in one object. The parser keeps the last one, so only the text still shows them.

use std::collections::HashSet;

/// A member that was passed over.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The JSON path of the member.
    pub path: String,
    /// The byte where the second one begins.
    pub offset: usize,
}

/// An object or a list that the scan is in.
struct Container {
    /// How many bytes of the path lead to it.
    path_length: usize,
    /// The names so far; `None` for a list.
    names: Option<HashSet<String>>,
    /// How many items of a list are behind.
    index: usize,
}

/// Finds the duplicates of a text that is known to be JSON.
pub fn find(text: &str) -> Vec<Duplicate> {
    let mut found = Vec::new();
    let mut path = String::from("$");
    let mut containers: Vec<Container> = Vec::new();
    let mut awaits_name = false;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let offset = text.len() - rest.len();
        rest = &rest[next.len_utf8()..];
        match next {
            '"' => {
                let inner = &rest[..text_end(rest)];
                rest = rest.get(inner.len() + 1..).unwrap_or_default();
                if let Some(container) = containers.last_mut().filter(|_| awaits_name) {
                    let name = unescape(inner);
                    path.truncate(container.path_length);
                    path.push('.');
                    path.push_str(&name);
                    if container.names.as_mut().is_some_and(|names| !names.insert(name)) {
                        found.push(Duplicate { path: path.clone(), offset });
                    }
                    awaits_name = false;
                }
            }
            '{' | '[' => {
                awaits_name = next == '{';
                let names = awaits_name.then(HashSet::new);
                containers.push(Container { path_length: path.len(), names, index: 0 });
                if !awaits_name {
                    path.push_str("[0]");
                }
            }
            '}' | ']' => {
                awaits_name = false;
                if let Some(container) = containers.pop() {
                    path.truncate(container.path_length);
                }
            }
            ',' => {
                if let Some(container) = containers.last_mut() {
                    awaits_name = container.names.is_some();
                    container.index += 1;
                    path.truncate(container.path_length);
                    if !awaits_name {
                        path.push_str(&format!("[{}]", container.index));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// How many bytes a text has before its closing quote.
fn text_end(rest: &str) -> usize {
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| match byte {
        _ if is_escaped => {
            is_escaped = false;
            false
        }
        b'\\' => {
            is_escaped = true;
            false
        }
        byte => byte == b'"',
    });
    end.unwrap_or(rest.len())
}

fn unescape(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::find;

    fn paths(text: &str) -> Vec<String> {
        find(text).into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn the_same_name_in_another_object_is_none() {
        assert!(paths(r#"{"a":{"a":[{"a":1},{"a":2}]},"b":"a","c":["a","a"]}"#).is_empty());
    }

    #[test]
    fn duplicates_are_found_with_their_path() {
        assert_eq!(paths(r#"{"a":1,"b":[0,{"c":{},"d":[],"c":3}],"a":2}"#), ["$.b[1].c", "$.a"]);
    }

    #[test]
    fn escapes_do_not_hide_one() {
        assert_eq!(paths(r#"{"a\"}":1,"\u0061\"}":2}"#), [r#"$.a"}"#]);
    }
}
