//! `$search`: words at the beginning of words of a property (`"displayName:ann"`), with `AND` and `OR`.

use serde_json::Value;

use super::{Collection, is_eventual};
use crate::call::Call;
use crate::errors::Refusal;

/// The properties that can be searched (Graph, advanced query capabilities).
const SEARCHED: &[&str] =
    &["displayName", "description", "mail", "mailNickname", "userPrincipalName", "givenName", "surname"];

/// What was searched for: any of these, each all of these clauses.
pub struct Search {
    any: Vec<Vec<Clause>>,
}

struct Clause {
    property: String,
    words: Vec<String>,
}

/// The search that was asked for.
///
/// # Errors
/// 400 for what is not understood, or without `ConsistencyLevel: eventual`.
pub fn asked(call: &Call, collection: &Collection) -> Result<Option<Search>, Refusal> {
    let Some(text) = call.option("$search") else { return Ok(None) };
    if !is_eventual(call) {
        return Err(Refusal::unsupported_query("$search needs the header ConsistencyLevel: eventual."));
    }
    let bad = || {
        Refusal::bad_request(
            "Syntax error in $search: write \"property:text\" in double quotes, combined with AND and OR",
        )
    };
    let mut any = vec![Vec::new()];
    let mut rest = text.trim();
    loop {
        let inner = rest.strip_prefix('"').ok_or_else(bad)?;
        let (clause, after) = inner.split_once('"').ok_or_else(bad)?;
        let (property, wanted) = clause.split_once(':').ok_or_else(bad)?;
        let property = property.trim();
        let is_searched = SEARCHED.iter().any(|known| known.eq_ignore_ascii_case(property));
        if !is_searched || !collection.is_known(property) {
            return Err(Refusal::unsupported_query(format!(
                "'{property}' cannot be searched; of the properties of {}, these can: {}",
                collection.name,
                SEARCHED
                    .iter()
                    .filter(|name| collection.is_known(name))
                    .copied()
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        if let Some(all) = any.last_mut() {
            all.push(Clause { property: collection.spelled(property), words: words(wanted) });
        }
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(Some(Search { any }));
        }
        let (word, after) = rest.split_once(char::is_whitespace).ok_or_else(bad)?;
        match word {
            "AND" => {}
            "OR" => any.push(Vec::new()),
            _ => return Err(bad()),
        }
        rest = after.trim_start();
    }
}

impl Search {
    /// Whether an object is found.
    pub fn holds(&self, whole: &Value) -> bool {
        self.any.iter().any(|all| all.iter().all(|clause| clause.holds(whole)))
    }
}

impl Clause {
    fn holds(&self, whole: &Value) -> bool {
        let present = words(whole[&self.property].as_str().unwrap_or_default());
        self.words.iter().all(|wanted| present.iter().any(|word| word.starts_with(wanted.as_str())))
    }
}

/// The words of a text: letters and digits, lowered.
fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
