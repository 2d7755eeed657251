//! What the engine found out for one subject, and what the planner still wants to know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use usher_expr::Value;

use crate::escrow::{COPIED_AFTER, later};
use crate::ports::{Entitlement, GetRequest, MatchQuery};
use crate::{Anchor, DirectoryObject, Pairing};

/// What is known about a subject before anything is decided. Answers to questions are added as they come in.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How the subject was named: object id, distinguished name, worker id.
    pub named: SmolStr,
    /// The object as the source has it; `None` when the source does not have it.
    pub source: Option<DirectoryObject>,
    /// Its assignment to the application; `None` where the source keeps no assignments.
    pub entitlement: Option<Entitlement>,
    /// The job takes all objects, assigned or not (secret `SyncAll`).
    pub takes_all: bool,
    /// Objects that leave the scope are left alone (secret `SkipOutOfScopeDeletions`).
    pub skips_out_of_scope: bool,
    /// The scoping filters count. They do not on demand from Active Directory to Entra ID.
    pub applies_filters: bool,
    /// The source itself said that the object is gone, or a read by anchor found nothing (cycles).
    pub is_gone: bool,
    /// A paired target object that vanished is matched again instead of being a failure (initial cycles).
    pub rematches_vanished: bool,
    /// Since when the paired target object is not found, in a target whose parts lag behind one another; none where it is
    /// found, is known to be gone, or was not looked for.
    pub missing_since: Option<Timestamp>,
    /// A create was sent for this object, and nobody knows whether it took effect.
    pub sent_create: Option<SentCreate>,
    /// The stored pair of the subject.
    pub pairing: Option<Pairing>,
    /// Source objects whose place this one takes for good: their pairs go over to it.
    pub superseded: Vec<Anchor>,
    /// Which references are worked on.
    pub references: References,
    /// Answers given so far.
    pub answers: Vec<(Question, Answer)>,
}

/// A create whose outcome is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentCreate {
    /// The matching attributes and values at that time: the account bears them, whatever the source says by now.
    pub sought: Vec<(SmolStr, Value)>,
    /// So long ago that a search which finds nothing may be believed.
    pub is_settled: bool,
}

impl Facts {
    /// Whether the paired target object may be there although it is not found.
    pub fn is_unsettled(&self, now: Timestamp) -> bool {
        self.missing_since.is_some_and(|since| now < later(since, COPIED_AFTER))
    }

    /// The answer to a question, when it was asked and answered.
    pub fn answer(&self, question: &Question) -> Option<&Answer> {
        self.answers.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer)
    }
}

/// Which values of multi-valued references (members, owners) a run works on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum References {
    /// All of them, as a cycle does.
    #[default]
    All,
    /// Only the objects that were named; the others stay as they are.
    Named(Vec<NamedReference>),
}

/// An object that was named along with a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedReference {
    /// The source attribute that refers to it: `members`, `owners`, `manager`.
    pub attribute: SmolStr,
    /// Its anchor in the source.
    pub anchor: Anchor,
}

/// Something only the world can tell. The engine asks it and calls the planner again.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Which target objects have this value?
    Match(MatchQuery),
    /// What does the target object look like?
    Target(GetRequest),
    /// Which other source objects are paired with this target object?
    Claims {
        /// The target object's name in the schema.
        object_type: SmolStr,
        /// The target object.
        anchor: Anchor,
    },
    /// Which of these values is the first that no target object has?
    Unique {
        /// The target object's name in the schema.
        object_type: SmolStr,
        /// The target attribute.
        attribute: SmolStr,
        /// The candidates, best first.
        candidates: Vec<Value>,
    },
    /// Which target objects are these source objects?
    References {
        /// The names in the schema that the source objects may have; empty means any.
        object_types: Vec<SmolStr>,
        /// The source objects.
        anchors: Vec<Anchor>,
    },
}

/// What the world told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To `Match`.
    Matches(Vec<DirectoryObject>),
    /// To `Target`; `None` when it is gone.
    Target(Option<DirectoryObject>),
    /// To `Claims`: the anchors of the other source objects.
    Claims(Vec<Anchor>),
    /// To `Unique`: the first free value, or `None` when all are taken.
    Unique(Option<Value>),
    /// To `References`: the target object's anchor for each source object that has a pair.
    References(BTreeMap<Anchor, Anchor>),
}
