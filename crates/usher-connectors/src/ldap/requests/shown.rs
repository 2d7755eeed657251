//! Requests as people read them; passwords are not among them, and one that is drawn when it is sent is told as such.

use serde_json::{Map, Value as Json, json};
use usher_core::ports::PreparedRequest;

use crate::transcript::DRAWN;

use super::{Dn, Edit, Values};

/// An entry is added.
pub(in super::super) fn add(name: &Dn, attributes: &[Values]) -> PreparedRequest {
    let mut body = Map::new();
    for (name, values) in attributes {
        body.insert(name.clone(), texts(name, values));
    }
    PreparedRequest { method: "ADD".into(), path: name.text(), body: Some(Json::Object(body)) }
}

/// Attributes of an entry are changed.
pub(in super::super) fn modify(name: &str, edits: &[Edit]) -> PreparedRequest {
    let told: Vec<Json> = edits
        .iter()
        .map(|edit| {
            let verb = match edit {
                Edit::Add(..) => "add",
                Edit::Remove(..) => "delete",
                Edit::Replace(..) => "replace",
            };
            json!({ verb: edit.attribute(), "values": texts(edit.attribute(), edit.values()) })
        })
        .collect();
    PreparedRequest { method: "MODIFY".into(), path: name.to_owned(), body: Some(Json::Array(told)) }
}

/// An entry is renamed, moved, or both.
pub(in super::super) fn rename(name: &str, relative: &str, container: Option<&str>) -> PreparedRequest {
    let mut body = Map::new();
    body.insert("newrdn".to_owned(), json!(relative));
    body.insert("deleteoldrdn".to_owned(), json!(true));
    if let Some(container) = container {
        body.insert("newsuperior".to_owned(), json!(container));
    }
    PreparedRequest { method: "MODDN".into(), path: name.to_owned(), body: Some(Json::Object(body)) }
}

/// An entry is deleted.
pub(in super::super) fn delete(name: &str) -> PreparedRequest {
    PreparedRequest { method: "DELETE".into(), path: name.to_owned(), body: None }
}

fn texts(name: &str, values: &[Vec<u8>]) -> Json {
    use base64::Engine;
    let folded = name.to_ascii_lowercase();
    if folded.ends_with("pwd") || folded.ends_with("password") {
        let is_drawn = values == [super::quoted(DRAWN)];
        return json!([if is_drawn { DRAWN } else { "[Redact]" }]);
    }
    let text = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    };
    values.iter().map(text).collect()
}
