//! A text in JSON or YAML as a document. A key that stands twice in one object is refused: the parsers would keep the
//! last one and say nothing.

use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

use crate::failure::Failure;

/// Reads a file: JSON when its name ends with `.json`, YAML otherwise.
///
/// # Errors
/// It cannot be read, is neither, or holds a key twice; the message names file and line.
pub fn read(file: &Path, hint: &str) -> Result<Json> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let parsed = if is_json { json(&text) } else { yaml(&text) };
    parsed.map_err(|what| Failure::with_hint(format!("{}: {what}", file.display()), hint))
}

fn json(text: &str) -> Result<Json, String> {
    let mut parser = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let document = Strict.deserialize(&mut parser).map_err(|error| error.to_string())?;
    parser.end().map_err(|error| error.to_string())?;
    Ok(document)
}

fn yaml(text: &str) -> Result<Json, String> {
    Strict.deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| error.to_string())
}

/// Any value without doubled keys.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, number, boolean, null, list or object")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value).map(Json::Number);
        number.ok_or_else(|| E::custom(format!("'{value}' is no number; a text stands in quotes")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    /// An empty text in YAML.
    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let members = RefCell::new(Map::new());
        while let Some(name) = entries.next_key_seed(Key(&members))? {
            let value = entries.next_value_seed(Strict)?;
            members.borrow_mut().insert(name, value);
        }
        Ok(Json::Object(members.into_inner()))
    }
}

/// A key that does not stand among the others yet. It is refused while it is read, so that the parser tells its line.
struct Key<'a>(&'a RefCell<Map<String, Json>>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
        if self.0.borrow().contains_key(name) {
            return Err(E::custom(format!("the key '{name}' stands here a second time")));
        }
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_told_with_its_line() {
        for (parse, text, says) in [
            (
                yaml as fn(&str) -> Result<Json, String>,
                "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n",
                "the key 'c' stands here a second time at line 5 column 3",
            ),
            (yaml, "- {name: a, source: {x: 1, x: 2}}", "the key 'x' stands here a second time at line 1"),
            (json, "{\n  \"a\": 1,\n  \"a\": 2\n}", "the key 'a' stands here a second time at line 3"),
            (json, "[{\"a\\u0062\": 1, \"ab\": 2}]", "the key 'ab' stands here a second time at line 1"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(says), "{says}: {error}");
        }
    }

    #[test]
    fn the_rest_is_read_as_the_parsers_read_it() {
        let text = r#"{"a":[1,-2,3.5,true,null,"x",18446744073709551615],"b":{"a":{},"c":"ä\n"}}"#;
        let expected: Json = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(json(text), Ok(expected.clone()));
        assert_eq!(yaml(text), Ok(expected));
        assert_eq!(
            yaml("&x a: {1: one, true: 2}\nb: *x"),
            Ok(serde_json::json!({ "a": { "1": "one", "true": 2 }, "b": "a" }))
        );
        assert!(json("{} {}").is_err() && json("{\"a\":1").is_err() && yaml("a: .nan").is_err());
    }
}
