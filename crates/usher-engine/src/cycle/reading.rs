//! Pages of the source. The next one is read while the people of this one are worked on.

use smol_str::SmolStr;
use tokio::task::JoinSet;
use usher_core::cycle::CycleKind;
use usher_core::ports::{ConnectorError, Page, ReadRequest};
use usher_core::quarantine::RunError;

use super::{Broke, CycleRun, Lane};

/// A page that is being read before anybody needs it. Whoever drops it stops the reading.
pub(super) struct Ahead {
    lane: String,
    cursor: SmolStr,
    reading: JoinSet<Result<Page, ConnectorError>>,
}

impl CycleRun<'_> {
    /// Reads a page, or takes the one that was read ahead.
    pub(super) async fn read(&mut self, lane: &Lane, cursor: Option<SmolStr>) -> Result<Page, Broke> {
        let ahead = self.ahead.take();
        let fits = |ahead: &Ahead| ahead.lane == lane.key && Some(&ahead.cursor) == cursor.as_ref();
        if let Some(mut ahead) = ahead.filter(fits) {
            let page = async {
                match ahead.reading.join_next().await {
                    Some(Ok(page)) => Some(page),
                    // It was broken off: it is read once more, and fails here if it fails again.
                    Some(Err(_)) | None => None,
                }
            };
            let page = self.target.unless_halted(page).await.map_err(|_| self.halted())?;
            if let Some(page) = page {
                return page.map_err(|error| Broke::source(&error));
            }
        }
        let request = self.request(lane, cursor)?;
        self.ask_source(self.prepared.source.read(&request)).await
    }

    /// Begins to read the page after the one that is at hand, where a run that ends meanwhile can still go on at this one.
    pub(super) fn read_ahead(&mut self, lane: &Lane, cursor: Option<&SmolStr>) -> Result<(), Broke> {
        let lasts = self.prepared.source.capabilities().lasting_cursors;
        let Some(cursor) = cursor.filter(|_| lasts) else { return Ok(()) };
        let request = self.request(lane, Some(cursor.clone()))?;
        let prepared = self.prepared.clone();
        let mut reading = JoinSet::new();
        reading.spawn(async move { prepared.source.read(&request).await });
        self.ahead = Some(Ahead { lane: lane.key.clone(), cursor: cursor.clone(), reading });
        Ok(())
    }

    fn request(&self, lane: &Lane, cursor: Option<SmolStr>) -> Result<ReadRequest, Broke> {
        let cycle = self.cycle();
        let mapping = lane.mapping();
        let until = cycle.watermarks.get(&lane.key).cloned();
        let since = match cycle.kind {
            CycleKind::Initial => None,
            CycleKind::Incremental => self.state.watermarks.get(&lane.key).cloned(),
        };
        let (Some(until), true) = (until, since.is_some() || cycle.kind == CycleKind::Initial) else {
            let message = format!("there is no watermark for {}", mapping.source_type);
            let error = RunError { code: "InvalidWatermark".into(), message, is_tenant_actionable: false };
            return Err(Broke::Expired(error));
        };
        Ok(ReadRequest {
            object_type: mapping.source_type.clone(),
            attributes: mapping.source_attributes(),
            application: Some(self.service_principal.id.clone()),
            since,
            until,
            cursor,
        })
    }
}
