//! A source object as it was imported, kept with its event so that it can be tried on another schema later.
//!
//! It is personal data: a job keeps it only when its setting says so, and for how long.

use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

use crate::explain::Explanation;
use crate::ports::Exchange;
use crate::program::MappingProgram;
use crate::saved::hiding::Hidden;
use crate::steps::processing::REDACTED;
use crate::{Answer, AttributeSet, Facts, Job, Plan, Question};

/// The job setting: an ISO 8601 duration, or `Off`.
pub const SETTING: &str = "KeepSourceObjects";

/// A source object with what was made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// The event of the provisioning log.
    pub event: SmolStr,
    /// When it was recorded.
    pub at: Timestamp,
    /// Fingerprint of the schema at that time.
    pub schema: SmolStr,
    /// The object, in the form in which tests of schemas tell of people.
    pub person: Json,
    /// How its plan came about.
    pub explanation: Explanation,
    /// What was sent and what came back, as it may be shown.
    pub requests: Vec<Exchange>,
}

/// How long a job keeps source objects; `None` when it keeps none.
pub fn kept(job: &Job) -> Option<Duration> {
    job.setting(SETTING).and_then(|text| duration(text).ok().flatten())
}

/// A value of the setting.
///
/// # Errors
/// It is neither a duration of at least an hour nor `Off`.
pub fn duration(text: &str) -> Result<Option<Duration>, String> {
    const LEAST: Duration = Duration::from_secs(3600);
    if text.trim().is_empty() || text.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    text.trim()
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok())
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration >= LEAST)
        .map(Some)
        .ok_or_else(|| {
            format!("'{text}' is no time to keep source objects: give an ISO 8601 duration of an hour or more, such as P7D, or Off")
        })
}

/// The object of facts, as tests tell of people; what redacted mappings read is hidden.
pub fn person(mapping: &MappingProgram, facts: &Facts, plan: &Plan) -> Json {
    let hidden = Hidden::of(mapping);
    let object = |attributes: &AttributeSet, hides: &dyn Fn(&str) -> bool| -> Json {
        let members: Map<String, Json> = attributes
            .iter()
            .map(|(name, value)| {
                (name.to_string(), if hides(name) { json!(REDACTED) } else { value.to_json() })
            })
            .collect();
        Json::Object(members)
    };
    let mut person = IndexMap::from([
        ("name", json!(format!("{} ({})", plan.reportable, facts.named))),
        ("type", json!(mapping.source_type.as_str())),
        ("id", json!(facts.named.as_str())),
        (
            "source",
            facts
                .source
                .as_ref()
                .map_or(Json::Null, |source| object(&source.attributes, &|name| hidden.hides_source(name))),
        ),
        (
            "assigned",
            json!(
                facts.takes_all
                    || facts.entitlement.as_ref().is_none_or(|one| one.is_assigned && one.has_role)
            ),
        ),
    ]);
    if let Some(target) = &plan.target {
        person.insert("account", object(&target.attributes, &|name| hidden.hides_target(name)));
        person.insert("paired", json!(facts.pairing.is_some()));
    }
    let accounts: Map<String, Json> = facts
        .answers
        .iter()
        .filter_map(|(question, answer)| match (question, answer) {
            (Question::References { anchors, .. }, Answer::References(pairs)) => Some((anchors, pairs)),
            _ => None,
        })
        .flat_map(|(anchors, pairs)| {
            anchors
                .iter()
                .map(|anchor| (anchor.to_string(), json!(pairs.get(anchor).map(ToString::to_string))))
        })
        .collect();
    if !accounts.is_empty() {
        person.insert("accounts", Json::Object(accounts));
    }
    person.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_a_duration_of_an_hour_or_more_or_off() {
        assert_eq!(duration("P7D"), Ok(Some(Duration::from_secs(7 * 24 * 3600))));
        for off in ["", " ", "off", "Off"] {
            assert_eq!(duration(off), Ok(None));
        }
        for nonsense in ["PT59M", "7 days or so", "-P1D", "true"] {
            assert!(duration(nonsense).is_err(), "{nonsense}");
        }
    }
}
