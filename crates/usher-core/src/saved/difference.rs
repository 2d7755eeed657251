//! What is not as it was planned.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{PlannedObject, PlannedRequest, VERSION_HEADER};

/// One thing that is not as it was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Where: `source`, `target`, `match`, `pair`, `decision` or `requests`.
    pub place: Place,
    /// The attribute, when it is one.
    pub attribute: Option<SmolStr>,
    /// What the plan says.
    pub planned: Option<String>,
    /// What is found now.
    pub found: Option<String>,
}

/// Where something is not as it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The source object.
    Source,
    /// The target object.
    Target,
    /// Which target object it is.
    Match,
    /// Which target object it is paired with.
    Pair,
    /// What is to be done.
    Decision,
    /// What would be sent.
    Requests,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.place {
            Place::Source => "in the source",
            Place::Target => "in the target",
            Place::Match => "the target object",
            Place::Pair => "the object that it is paired with",
            Place::Decision => "what is to be done",
            Place::Requests => "what would be sent",
        };
        let text = |value: &Option<String>| match value {
            Some(value) => format!("\"{value}\""),
            None => "nothing".to_owned(),
        };
        if let Some(attribute) = &self.attribute {
            write!(out, "{attribute} ")?;
        }
        write!(out, "{what} was {} and is {}", text(&self.planned), text(&self.found))
    }
}

/// Everything in which an object differs from what was planned for it; nothing when it may be written.
pub fn differences(planned: &PlannedObject, found: &PlannedObject) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(Place::Source, planned.source.as_ref(), found.source.as_ref(), &mut all);
    let mut note = |place, planned: Option<String>, found: Option<String>| {
        if planned != found {
            all.push(Difference { place, attribute: None, planned, found });
        }
    };
    let text = |anchor: &Option<crate::Anchor>| anchor.as_ref().map(ToString::to_string);
    note(Place::Match, text(&planned.target_anchor), text(&found.target_anchor));
    // Of an object whose pair is lost with its account one difference says enough.
    let is_told = planned.paired_with == planned.target_anchor && found.paired_with == found.target_anchor;
    if !is_told {
        note(Place::Pair, text(&planned.paired_with), text(&found.paired_with));
    }
    note(Place::Decision, Some(decision(planned)), Some(decision(found)));
    compare(Place::Target, planned.target.as_ref(), found.target.as_ref(), &mut all);
    let is_same = same(&planned.requests, &found.requests) && planned.digest == found.digest;
    if all.is_empty() && !is_same {
        let told = |object: &PlannedObject| {
            let requests: Vec<String> = object
                .requests
                .iter()
                .map(|request| {
                    let body = request.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
                    format!("{} {}{body}", request.method, request.address)
                })
                .collect();
            Some(requests.join("; "))
        };
        let (mut planned, mut found) = (told(planned), told(found));
        if planned == found {
            planned = Some("a value that is not shown".to_owned());
            found = Some("another value".to_owned());
        }
        all.push(Difference { place: Place::Requests, attribute: None, planned, found });
    }
    all
}

/// Whether what is to be sent for an object is the rest of what was planned for it: the source is as it was, and an
/// account was to be made and is there by now.
pub fn is_rest(planned: &PlannedObject, found: &PlannedObject) -> bool {
    let was_made = planned.target.is_none() && found.target.is_some();
    let begins = planned.requests.len().checked_sub(found.requests.len()).filter(|sent| *sent > 0);
    was_made
        && !found.requests.is_empty()
        && found.failure.is_none()
        && planned.source == found.source
        && planned.target_anchor == found.target_anchor
        && begins.is_some_and(|sent| same(&planned.requests[sent..], &found.requests))
}

/// Whether requests are the same. A service may count versions up for things that no mapping looks at.
fn same(planned: &[PlannedRequest], found: &[PlannedRequest]) -> bool {
    let rest = |requests: &[PlannedRequest]| {
        let mut requests = requests.to_vec();
        for request in &mut requests {
            request.headers.shift_remove(VERSION_HEADER);
        }
        requests
    };
    rest(planned) == rest(found)
}

fn decision(object: &PlannedObject) -> String {
    match (&object.failure, object.reason) {
        (Some(failure), _) => format!("failure {}: {}", failure.code, failure.reason),
        (None, Some(reason)) => format!("skip {}", reason.as_str()),
        (None, None) => format!("{:?}", object.action).to_lowercase(),
    }
}

fn compare(
    place: Place,
    planned: Option<&IndexMap<SmolStr, String>>,
    found: Option<&IndexMap<SmolStr, String>>,
    all: &mut Vec<Difference>,
) {
    let empty = IndexMap::new();
    let (old, new) = (planned.unwrap_or(&empty), found.unwrap_or(&empty));
    if planned.is_some() != found.is_some() {
        let told = |object: Option<&_>| object.map(|_| "there".to_owned());
        all.push(Difference { place, attribute: None, planned: told(planned), found: told(found) });
        return;
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        let (planned, found) = (old.get(name).cloned(), new.get(name).cloned());
        if planned != found {
            all.push(Difference { place, attribute: Some(name.clone()), planned, found });
        }
    }
}
