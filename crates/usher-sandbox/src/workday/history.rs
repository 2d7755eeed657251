//! Workers and what happened to them, dated twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Texts by name: `first_name`, `last_name`, `preferred_first_name`, `title`, `organisation`, `company`, `city`,
/// `country` (two letters), `address`, `postal_code`, `region`, `locale`, `email`, `phone`, `mobile`, `user_name`,
/// `second_title`, `provisioning_group`.
pub type Fields = BTreeMap<&'static str, String>;

/// What happens to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Hired or contracted.
    Hire(Fields),
    /// Something changes; an empty text takes the value away.
    Change(Fields),
    /// Leaves; the effective day is the first one on which the worker is none any more.
    Terminate,
    /// Comes back with the same worker id.
    Rehire(Fields),
}

/// Something that was entered.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) entered: Timestamp,
    pub(crate) effective: Date,
    pub(crate) event: Event,
    /// When it was taken back.
    pub(crate) rescinded: Option<Timestamp>,
}

/// One profile.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) is_contingent: bool,
    pub(crate) wid: String,
    pub(crate) entries: Vec<Entry>,
}

/// A supervisory organisation.
#[derive(Clone, Debug)]
pub(crate) struct Organisation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) above: Option<String>,
    pub(crate) manager: Option<String>,
}

/// A worker as of a day and an instant of entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) fields: Fields,
    pub(crate) is_active: bool,
    pub(crate) has_begun: bool,
    pub(crate) hire_date: Option<Date>,
    pub(crate) original_hire_date: Option<Date>,
    /// The last day, once it is over.
    pub(crate) last_day: Option<Date>,
    pub(crate) is_rehire: bool,
    pub(crate) is_hire_rescinded: bool,
}

impl Entry {
    /// The business process, as the transaction log calls it.
    pub(crate) fn process(&self, is_contingent: bool) -> &'static str {
        match (&self.event, is_contingent) {
            (Event::Hire(_) | Event::Rehire(_), false) => "Hire Employee",
            (Event::Hire(_) | Event::Rehire(_), true) => "Contract Contingent Worker",
            (Event::Change(_), _) => "Change Job",
            (Event::Terminate, false) => "Terminate Employee",
            (Event::Terminate, true) => "End Contingent Worker Contract",
        }
    }

    /// The instant at which it takes effect: midnight in Pacific time.
    pub(crate) fn takes_effect(&self) -> Timestamp {
        self.effective.to_zoned_datetime(pacific()).map_or(Timestamp::MAX, |at| at.timestamp())
    }
}

impl Worker {
    pub(crate) fn new(id: &str, is_contingent: bool) -> Self {
        Self { id: id.to_owned(), is_contingent, wid: wid_of(id, is_contingent), entries: Vec::new() }
    }

    pub(crate) fn enter(&mut self, entered: Timestamp, effective: Date, event: Event) {
        self.entries.push(Entry { entered, effective, event, rescinded: None });
    }

    pub(crate) fn rescind(&mut self, entered: Timestamp, effective: Date) {
        let found = self.entries.iter_mut().rev();
        if let Some(entry) =
            found.into_iter().find(|entry| entry.effective == effective && entry.rescinded.is_none())
        {
            entry.rescinded = Some(entered);
        }
    }

    /// `None` when nothing was entered by then.
    pub(crate) fn as_of(&self, day: Date, entered: Timestamp) -> Option<Status> {
        let known: Vec<&Entry> = self.entries.iter().filter(|entry| entry.entered <= entered).collect();
        if known.is_empty() {
            return None;
        }
        let is_void = |entry: &Entry| entry.rescinded.is_some_and(|at| at <= entered);
        let mut counting: Vec<&Entry> = known.iter().copied().filter(|entry| !is_void(entry)).collect();
        counting.sort_by_key(|entry| (entry.effective, entry.entered));
        let mut status = Status::default();
        let is_hire = |entry: &Entry| matches!(entry.event, Event::Hire(_));
        let Some(hire) = counting.iter().find(|entry| is_hire(entry)) else {
            // The only hire was taken back: the worker stays to be seen as one who never came.
            let hire = known.iter().find(|entry| is_hire(entry))?;
            if let Event::Hire(fields) = &hire.event {
                status.fields = fields.clone();
            }
            status.hire_date = Some(hire.effective);
            status.is_hire_rescinded = true;
            return Some(status);
        };
        status.original_hire_date = Some(hire.effective);
        status.hire_date = Some(hire.effective);
        if let Event::Hire(fields) = &hire.event {
            status.fields = fields.clone();
        }
        for entry in counting.into_iter().filter(|entry| entry.effective <= day) {
            match &entry.event {
                Event::Hire(fields) => {
                    merge(&mut status.fields, fields);
                    status.is_active = true;
                    status.has_begun = true;
                }
                Event::Change(fields) => merge(&mut status.fields, fields),
                Event::Terminate => {
                    status.is_active = false;
                    status.last_day = entry.effective.yesterday().ok();
                }
                Event::Rehire(fields) => {
                    merge(&mut status.fields, fields);
                    status.is_active = true;
                    status.last_day = None;
                    status.is_rehire = true;
                    status.hire_date = Some(entry.effective);
                }
            }
        }
        Some(status)
    }
}

fn merge(into: &mut Fields, fields: &Fields) {
    for (name, value) in fields {
        if value.is_empty() {
            into.remove(name);
        } else {
            into.insert(name, value.clone());
        }
    }
}

/// The day it is for integration users, who live in Pacific time.
pub(crate) fn pacific_day(at: Timestamp) -> Date {
    at.to_zoned_datetime(pacific()).date()
}

fn pacific() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap_or_else(|_| TimeZone::fixed(Offset::constant(-8)))
}

pub(crate) fn wid_of(id: &str, is_contingent: bool) -> String {
    wid(&format!("{} {id}", if is_contingent { "contingent" } else { "employee" }))
}

/// An id of 32 digits that follows from a text.
pub(crate) fn wid(text: &str) -> String {
    let hash = |seed: u64| {
        text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    format!("{:016x}{:016x}", hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn fields(pairs: &[(&'static str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn a_worker_is_what_was_entered_and_has_taken_effect() {
        let mut worker = Worker::new("1", false);
        worker.enter(at("2026-01-01T00:00:00Z"), day("2026-03-01"), Event::Hire(fields(&[("title", "a")])));
        worker.enter(at("2026-02-01T00:00:00Z"), day("2026-04-01"), Event::Change(fields(&[("title", "b")])));
        worker.enter(at("2026-03-15T00:00:00Z"), day("2026-05-01"), Event::Terminate);
        let title = |day_text, entered| {
            worker.as_of(day(day_text), at(entered)).map(|one| (one.fields["title"].clone(), one.is_active))
        };
        assert_eq!(title("2026-03-01", "2025-12-31T00:00:00Z"), None);
        assert_eq!(title("2026-02-01", "2026-01-15T00:00:00Z"), Some(("a".to_owned(), false)));
        assert_eq!(title("2026-03-31", "2026-03-01T00:00:00Z"), Some(("a".to_owned(), true)));
        assert_eq!(title("2026-04-30", "2026-04-30T00:00:00Z"), Some(("b".to_owned(), true)));
        assert_eq!(title("2026-05-01", "2026-05-01T00:00:00Z"), Some(("b".to_owned(), false)));
        assert_eq!(title("2026-05-01", "2026-03-01T00:00:00Z"), Some(("b".to_owned(), true)));
    }

    #[test]
    fn days_change_at_midnight_in_pacific_time() {
        assert_eq!(pacific_day(at("2026-04-01T06:59:59Z")), day("2026-03-31"));
        assert_eq!(pacific_day(at("2026-04-01T07:00:00Z")), day("2026-04-01"));
    }
}
