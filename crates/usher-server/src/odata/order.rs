//! `$orderby`: which properties, in which direction, and where a page ended.

use std::cmp::{Ordering, Reverse};

use serde_json::{Value, json};

use super::{Collection, is_eventual, wants_count};
use crate::call::Call;
use crate::errors::Refusal;

/// An order of entries.
pub struct Order {
    by: Vec<(String, bool)>,
}

/// Where an entry stands in an order. Texts are compared without regard to case, as the directory does.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    parts: Vec<(String, bool)>,
    id: String,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = self.parts.iter().zip(&other.parts).map(|((mine, is_down), (theirs, _))| {
            if *is_down { Reverse(mine).cmp(&Reverse(theirs)) } else { mine.cmp(theirs) }
        });
        parts.fold(Ordering::Equal, Ordering::then).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    /// The place for a `$skiptoken`.
    pub fn write(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|(text, _)| text.as_str()).collect();
        json!([parts, self.id]).to_string()
    }
}

/// The order that was asked for.
///
/// # Errors
/// 400 for a property that there is not, or with `$filter` and without the headers of advanced queries.
pub fn asked(call: &Call, collection: &Collection) -> Result<Option<Order>, Refusal> {
    let Some(text) = call.option("$orderby").map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let mut by = Vec::new();
    for one in text.split(',') {
        let mut words = one.split_whitespace();
        let name = words.next().unwrap_or_default();
        let is_down = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(Refusal::bad_request(format!(
                    "'{other}' is not a direction of $orderby; write asc or desc"
                )));
            }
        };
        if !collection.is_known(name) || words.next().is_some() {
            return Err(Refusal::bad_request(format!(
                "Could not find a property named '{name}' on this resource."
            )));
        }
        by.push((collection.spelled(name), is_down));
    }
    if call.option("$filter").is_some() && !(is_eventual(call) && wants_count(call)) {
        return Err(Refusal::unsupported_query(
            "$orderby together with $filter needs the header ConsistencyLevel: eventual and the query option \
             $count=true.",
        ));
    }
    Ok(Some(Order { by }))
}

impl Order {
    /// Where an entry stands.
    pub fn key(&self, whole: &Value, id: &str) -> Key {
        let parts = self.by.iter().map(|(name, is_down)| {
            let text = match &whole[name] {
                Value::Null => String::new(),
                Value::String(text) => text.to_lowercase(),
                other => other.to_string(),
            };
            (text, *is_down)
        });
        Key { parts: parts.collect(), id: id.to_owned() }
    }

    /// The place that a `$skiptoken` holds.
    ///
    /// # Errors
    /// 400 for a token of another query.
    pub fn place(&self, text: &str) -> Result<Key, Refusal> {
        let read: Option<(Vec<String>, String)> = serde_json::from_str(text).ok();
        read.filter(|(parts, _)| parts.len() == self.by.len())
            .map(|(parts, id)| Key {
                parts: parts.into_iter().zip(self.by.iter().map(|(_, is_down)| *is_down)).collect(),
                id,
            })
            .ok_or_else(|| {
                Refusal::bad_request(
                    "the $skiptoken is of another query; follow @odata.nextLink as it stands",
                )
            })
    }
}
