//! Long searches, read page by page over a connection of their own. A server's paging cookie dies with its connection, so
//! a reader who comes back with a page that nobody knows begins anew: an object may come twice, never not at all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use lber::structure::{PL, StructureTag};
use ldap3::adapters::{Adapter, PagedResults};
use ldap3::controls::RawControl;
use ldap3::{LdapError, ResultEntry, Scope, SearchEntry, SearchStream};
use smol_str::{SmolStr, format_smolstr};
use tokio::sync::Mutex;
use usher_core::Anchor;
use usher_core::ports::{ConnectorError, Incoming, Page, ReadRequest};

use super::connection::{Servers, Session};
use super::controls::{self, SyncInfo, Synced};
use super::dn::Dn;
use super::entries::{Reader, plain_name};
use super::{changes, errors};

/// How many objects one page holds.
const PAGE: usize = 500;
/// Why content synchronisation does not tell what is gone.
const PRESENT_ONLY: &str = "the server does not remember what was deleted since the watermark";

/// A search: where, what, and how.
pub(super) struct Search {
    pub(super) base: String,
    pub(super) filter: String,
    pub(super) wanted: Vec<String>,
    pub(super) controls: Vec<RawControl>,
    /// Content synchronisation pages by itself.
    pub(super) is_paged: bool,
    /// Entries elsewhere have left, as far as the reader is concerned.
    pub(super) within: Option<Dn>,
}

/// A search that is under way.
pub(super) struct Scan {
    id: u64,
    stream: SearchStream<'static, String, Vec<String>>,
    /// The connection, and the server's facts.
    session: Session,
    within: Option<Dn>,
    /// It asks for what changed, by content synchronisation.
    is_synchronised: bool,
    /// How many pages were given.
    given: usize,
    /// The last page, for whoever asks for it again.
    last: Option<(SmolStr, Page)>,
}

impl Scan {
    /// A page of objects, and whether there may be more.
    async fn fill(&mut self, request: &ReadRequest) -> Result<(Vec<Incoming>, bool), ConnectorError> {
        let session = self.session.clone();
        let reader = Reader::new(&session, &request.object_type, &request.attributes);
        let (mut entries, mut gone) = (Vec::new(), Vec::new());
        let mut is_more = true;
        while entries.len() + gone.len() < PAGE {
            let Some(found) = self.next().await? else {
                is_more = false;
                break;
            };
            if found.is_ref() {
                // Of Active Directory it is a domain or partition of its own, which nobody asked for.
                if !session.server.is_active_directory {
                    return Err(errors::elsewhere(&addresses(found), "read the directory"));
                }
                continue;
            }
            if found.is_intermediate() {
                match controls::sync_info(found.0) {
                    SyncInfo::Gone(ids) => gone.extend(ids),
                    SyncInfo::KnowsPresentOnly => return Err(changes::expired(PRESENT_ONLY)),
                    SyncInfo::Other => {}
                }
                continue;
            }
            match controls::sync_state(&found.1) {
                Some((Synced::Gone, id)) => gone.push(id),
                Some((Synced::Present, _)) => return Err(changes::expired(PRESENT_ONLY)),
                Some((Synced::Changed, _)) | None => entries.push(SearchEntry::construct(found)),
            }
        }
        let gone = gone.into_iter().map(|id| changes::gone(Anchor::new(id.to_string())));
        let mut objects: Vec<Incoming> = gone.collect();
        let (within, outside) = entries.into_iter().partition(|entry| self.holds(entry));
        let left = reader.objects(outside).await?;
        if let (Some(container), false) = (&self.within, left.is_empty()) {
            reader.confirm(container).await?;
        }
        objects.extend(left.into_iter().map(|object| changes::gone(object.anchor)));
        objects.extend(reader.objects(within).await?.into_iter().map(changes::incoming));
        Ok((objects, is_more))
    }

    fn holds(&self, entry: &SearchEntry) -> bool {
        match &self.within {
            Some(base) => Dn::parse(plain_name(&entry.dn)).is_ok_and(|name| name.is_within(base)),
            None => true,
        }
    }

    /// The next entry or message; none after the last.
    async fn next(&mut self) -> Result<Option<ResultEntry>, ConnectorError> {
        match self.stream.next().await {
            Ok(Some(entry)) => Ok(Some(entry)),
            Ok(None) => {
                let result = self.stream.finish().await;
                result.success().map(|_| None).map_err(|error| match error {
                    // The server has forgotten what the watermark speaks of: it was restored, or lost its last writes.
                    LdapError::LdapResult { result } if self.is_synchronised && result.rc == 53 => {
                        changes::expired("the server is older than the watermark")
                    }
                    error => errors::failure(error, "read the directory", false),
                })
            }
            Err(error) => Err(errors::failure(error, "read the directory", false)),
        }
    }
}

/// The addresses that a reference names (RFC 4511 §4.5.3).
fn addresses(reference: ResultEntry) -> Vec<String> {
    let PL::C(addresses) = reference.0.payload else { return Vec::new() };
    let text = |address: StructureTag| match address.payload {
        PL::P(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        PL::C(_) => None,
    };
    addresses.into_iter().filter_map(text).collect()
}

/// The searches of a connector: one for each type of objects.
#[derive(Default)]
pub(super) struct Scans {
    open: Mutex<HashMap<SmolStr, Scan>>,
    last_id: AtomicU64,
}

impl Scans {
    /// The page at a request's cursor. `search` says what is read, given the server.
    pub(super) async fn page(
        &self,
        servers: &Servers,
        request: &ReadRequest,
        search: impl FnOnce(&Session) -> Search + Send,
    ) -> Result<Page, ConnectorError> {
        let (object_type, cursor) = (&request.object_type, request.cursor.as_ref());
        let known = self.open.lock().await.remove(object_type);
        let fitting = known.filter(|scan| {
            let here = format_smolstr!("{}:{}", scan.id, scan.given);
            cursor.is_some_and(|cursor| {
                *cursor == here || scan.last.as_ref().is_some_and(|(last, _)| last == cursor)
            })
        });
        let is_anew = cursor.is_some() && fitting.is_none();
        let mut scan = match fitting {
            Some(scan) => scan,
            None => self.begin(servers, search).await?,
        };
        if let (Some(cursor), Some((last, page))) = (cursor, &scan.last)
            && cursor == last
        {
            let page = page.clone();
            self.open.lock().await.insert(object_type.clone(), scan);
            return Ok(page);
        }
        let here = format_smolstr!("{}:{}", scan.id, scan.given);
        let (objects, is_more) = scan.fill(request).await?;
        scan.given += 1;
        let next = is_more.then(|| format_smolstr!("{}:{}", scan.id, scan.given));
        let page = Page { objects, next, is_anew, ..Page::default() };
        if is_more {
            scan.last = Some((here, page.clone()));
            self.open.lock().await.insert(object_type.clone(), scan);
        }
        Ok(page)
    }

    async fn begin(
        &self,
        servers: &Servers,
        search: impl FnOnce(&Session) -> Search + Send,
    ) -> Result<Scan, ConnectorError> {
        let session = servers.open().await?;
        let search = search(&session);
        let adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> = if search.is_paged {
            vec![Box::new(PagedResults::new(servers.settings().page_size))]
        } else {
            Vec::new()
        };
        let mut ldap = session.ldap();
        ldap.with_controls(search.controls);
        let begun: Result<_, LdapError> = ldap
            .streaming_search_with(adapters, &search.base, Scope::Subtree, &search.filter, search.wanted)
            .await;
        let what = format!("search below {}", search.base);
        let stream = begun.map_err(|error| errors::failure(error, &what, false))?;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let is_synchronised = !search.is_paged;
        Ok(Scan { id, stream, session, within: search.within, is_synchronised, given: 0, last: None })
    }
}
