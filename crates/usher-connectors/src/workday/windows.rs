//! The enumerations of a cycle and the place of a page in them.

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Watermark};

use super::page::Totals;
use super::service::failure;

/// How far the look-ahead looks.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// How many workers a place remembers; more are looked at twice, which does no harm.
const MOST_SEEN: usize = 1000;

/// The enumerations of a cycle, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Window {
    /// Everybody.
    All,
    /// What was entered.
    Updated,
    /// What became effective.
    Effective,
    /// What becomes effective within a day.
    Ahead,
}

/// Where a page is. It holds all that a process needs which knows nothing else.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Place {
    pub(super) window: Window,
    /// From 1.
    pub(super) page: u64,
    /// Both As_Of values of every page.
    pub(super) at: Timestamp,
    /// Where the window begins.
    pub(super) from: Timestamp,
    /// Workers that the window of entries held: as of the same instant they need not be looked at twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) seen: Vec<SmolStr>,
}

impl Place {
    pub(super) fn first_of_all(at: Timestamp) -> Self {
        Self { window: Window::All, page: 1, at, from: at, seen: Vec::new() }
    }

    pub(super) fn first_since(from: Timestamp, at: Timestamp) -> Self {
        Self { window: Window::Updated, page: 1, at, from, seen: Vec::new() }
    }

    /// Notes the workers of a page, as far as the place stays small.
    pub(super) fn note<'a>(&mut self, anchors: impl IntoIterator<Item = &'a str>) {
        if self.window == Window::Updated {
            let room = MOST_SEEN.saturating_sub(self.seen.len());
            self.seen.extend(anchors.into_iter().take(room).map(SmolStr::from));
        }
    }

    /// Whether a worker was looked at in the window before.
    pub(super) fn has_seen(&self, anchor: &str) -> bool {
        self.window == Window::Effective && self.seen.iter().any(|seen| seen == anchor)
    }

    /// The page after this one, or the first of the next window.
    pub(super) fn after(&self, totals: Totals, count: u64, looks_ahead: bool) -> Option<Self> {
        let is_last = match totals.pages {
            Some(pages) => self.page >= pages,
            None => totals.workers < count,
        };
        if !is_last {
            return Some(Self { page: self.page + 1, ..self.clone() });
        }
        let window = match self.window {
            Window::Updated => Window::Effective,
            Window::Effective if looks_ahead => Window::Ahead,
            _ => return None,
        };
        let seen = if window == Window::Effective { self.seen.clone() } else { Vec::new() };
        Some(Self { window, page: 1, seen, ..self.clone() })
    }
}

/// A day later.
pub(super) fn ahead_of(at: Timestamp) -> Timestamp {
    at.checked_add(AHEAD).unwrap_or(Timestamp::MAX)
}

/// The instant of a watermark.
pub(super) fn moment(mark: &Watermark) -> Result<Timestamp, ConnectorError> {
    mark.0.parse().map_err(|_| expired(&mark.0))
}

/// What is no watermark or place of ours: everything has to be read again.
pub(super) fn expired(what: &str) -> ConnectorError {
    failure(
        ConnectorErrorKind::NotFound,
        "InvalidWatermark",
        &format!("'{what}' is no place in the history of workers; everything is read again"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_one_another_page_by_page() {
        let at = Timestamp::UNIX_EPOCH;
        let totals = |pages| Totals { pages: Some(pages), ..Totals::default() };
        let walk = |first: Place, pages: u64, looks_ahead: bool| {
            let mut seen = vec![(first.window, first.page)];
            let mut place = first;
            while let Some(next) = place.after(totals(pages), 30, looks_ahead) {
                seen.push((next.window, next.page));
                place = next;
            }
            seen
        };
        assert_eq!(walk(Place::first_of_all(at), 2, true), [(Window::All, 1), (Window::All, 2)]);
        assert_eq!(
            walk(Place::first_since(at, at), 0, true),
            [(Window::Updated, 1), (Window::Effective, 1), (Window::Ahead, 1)]
        );
        assert_eq!(
            walk(Place::first_since(at, at), 1, false),
            [(Window::Updated, 1), (Window::Effective, 1)]
        );
    }
}
