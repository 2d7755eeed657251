//! What a worker's reference and status mean: who it is, whether active, whether hired in the future.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use roxmltree::Node;
use smol_str::SmolStr;

use super::page::{child, text_of};

/// Where integration users live: days change at midnight there.
const PACIFIC: &str = "America/Los_Angeles";

/// The status of one worker as of the date of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    /// The one id that never changes.
    pub(super) wid: SmolStr,
    /// What people call the worker id.
    pub(super) worker_id: SmolStr,
    pub(super) is_contingent: bool,
    pub(super) is_active: bool,
    pub(super) is_terminated: bool,
    pub(super) is_rescinded: bool,
    pub(super) hire_date: Option<Date>,
}

impl Profile {
    /// Reads a worker, whose parent `parent` is. `None` when the worker has no WID.
    pub(super) fn of(parent: Node<'_, '_>) -> Option<Self> {
        let worker = parent.first_element_child()?;
        let reference = child(worker, "Worker_Reference");
        let id = |kind: &str| {
            let ids = reference.into_iter().flat_map(|node| node.children());
            ids.filter(|node| node.is_element() && node.tag_name().name() == "ID")
                .find(|node| node.attributes().any(|one| one.name() == "type" && one.value() == kind))
                .map(|node| SmolStr::from(text_of(node).trim()))
                .filter(|text| !text.is_empty())
        };
        let wid = id("WID")?;
        let data = child(worker, "Worker_Data");
        let status = data
            .and_then(|data| child(data, "Employment_Data"))
            .and_then(|data| child(data, "Worker_Status_Data"));
        let text = |name: &str| {
            status.and_then(|node| child(node, name)).map(|node| text_of(node).trim().to_owned())
        };
        let is_set = |name: &str| text(name).is_some_and(|text| text == "1" || text == "true");
        let contingent = id("Contingent_Worker_ID");
        let worker_id = data
            .and_then(|data| child(data, "Worker_ID"))
            .map(|node| SmolStr::from(text_of(node).trim()))
            .or_else(|| id("Employee_ID"))
            .or_else(|| contingent.clone())
            .unwrap_or_default();
        Some(Self {
            wid,
            worker_id,
            is_contingent: contingent.is_some(),
            // Without the right to see the status nobody may be taken for a leaver.
            is_active: is_set("Active") || text("Active").is_none(),
            is_terminated: is_set("Terminated"),
            is_rescinded: is_set("Hire_Rescinded"),
            hire_date: text("Hire_Date").as_deref().and_then(date),
        })
    }

    /// The first day of work of somebody who has not begun yet, as an instant at which it is that day in Pacific time.
    pub(super) fn future_hire(&self, as_of: Timestamp) -> Option<Timestamp> {
        if self.is_active || self.is_terminated || self.is_rescinded {
            return None;
        }
        let hire = self.hire_date?;
        (hire > pacific_date(as_of)).then(|| first_moment(hire)).flatten()
    }

    /// Whether the worker is one no longer: not active, and not about to begin.
    pub(super) fn is_over(&self, as_of: Timestamp) -> bool {
        !self.is_active && self.future_hire(as_of).is_none()
    }
}

/// The day it is in Pacific time.
pub(super) fn pacific_date(at: Timestamp) -> Date {
    let zone = TimeZone::get(PACIFIC).unwrap_or_else(|_| TimeZone::fixed(Offset::constant(-8)));
    at.to_zoned_datetime(zone).date()
}

/// 08:00 UTC, when the day has begun in Pacific time, summer and winter.
fn first_moment(day: Date) -> Option<Timestamp> {
    day.at(8, 0, 0, 0).to_zoned_datetime(TimeZone::UTC).ok().map(|at| at.timestamp())
}

/// A date with or without an offset or time: only the day counts.
pub(super) fn date(text: &str) -> Option<Date> {
    text.trim().get(..10)?.parse().ok()
}

/// Whether a text has the form of a WID.
pub(super) fn is_wid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(status: &str) -> Profile {
        let text = format!(
            "<p xmlns:wd=\"urn:com.workday/bsvc\"><wd:Worker><wd:Worker_Reference><wd:ID wd:type=\"WID\">w</wd:ID>\
             <wd:ID wd:type=\"Employee_ID\">7</wd:ID></wd:Worker_Reference><wd:Worker_Data><wd:Worker_ID>7</wd:Worker_ID>\
             <wd:Employment_Data><wd:Worker_Status_Data>{status}</wd:Worker_Status_Data></wd:Employment_Data>\
             </wd:Worker_Data></wd:Worker></p>"
        );
        let document = roxmltree::Document::parse(&text).expect("it is XML");
        Profile::of(document.root_element()).expect("it has a WID")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_future_hire_is_read_as_of_the_first_day_of_work() {
        let hired = profile("<wd:Active>0</wd:Active><wd:Hire_Date>2026-04-01-07:00</wd:Hire_Date>");
        assert_eq!(hired.future_hire(at("2026-03-02T09:00:00Z")), Some(at("2026-04-01T08:00:00Z")));
        // Midnight in Pacific time is 07:00 UTC in summer.
        assert_eq!(hired.future_hire(at("2026-04-01T06:59:00Z")), Some(at("2026-04-01T08:00:00Z")));
        assert_eq!(hired.future_hire(at("2026-04-01T07:00:00Z")), None);
    }

    #[test]
    fn leavers_and_cancelled_hires_are_no_future_hires() {
        for more in ["<wd:Terminated>1</wd:Terminated>", "<wd:Hire_Rescinded>1</wd:Hire_Rescinded>"] {
            let one =
                profile(&format!("<wd:Active>0</wd:Active><wd:Hire_Date>2026-04-01</wd:Hire_Date>{more}"));
            assert_eq!(one.future_hire(at("2026-03-02T09:00:00Z")), None);
            assert!(one.is_over(at("2026-03-02T09:00:00Z")));
        }
    }

    #[test]
    fn a_status_that_may_not_be_seen_is_no_leaving() {
        let one = profile("");
        assert!(one.is_active && !one.is_over(at("2026-03-02T09:00:00Z")));
    }
}
