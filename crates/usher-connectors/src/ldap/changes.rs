//! What changed since a watermark: Active Directory's DirSync where it is granted, its update sequence numbers where it
//! is not, content synchronisation (RFC 4533) elsewhere, and times of change where there is nothing better.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ldap3::controls::{MakeCritical, RawControl, RefreshMode, SyncRequest};
use ldap3::{LdapError, Scope, SearchEntry};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Incoming, Page, Watermark};
use usher_core::{Anchor, DirectoryObject};

use super::connection::{Session, values};
use super::controls;
use super::dn::Dn;
use super::entries::{self, Reader, Values, plain_name};
use super::errors;

/// How far a directory has been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub(super) enum Mark {
    /// DirSync's cookie, base64.
    DirSync { cookie: String },
    /// The highest update sequence number of a server that was not restored in between.
    Numbers { server: String, highest: u64 },
    /// The suffix's change sequence numbers.
    Content { csn: Vec<String> },
    /// The newest time of change.
    Times { newest: String },
}

/// How long incremental reads may go without seeing what was deleted, in seconds, where the server does not tell it.
const WITHOUT_DELETIONS: i64 = 24 * 3_600;

impl Mark {
    pub(super) fn watermark(&self) -> Watermark {
        Watermark(serde_json::to_string(self).unwrap_or_default().into())
    }

    pub(super) fn of(watermark: &Watermark) -> Result<Self, ConnectorError> {
        serde_json::from_str(&watermark.0).map_err(|_| expired("the watermark is not one of this directory"))
    }
}

/// Everything must be read again.
pub(super) fn expired(why: &str) -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::NotFound,
        "InvalidWatermark",
        format!("{why}; everything is read again"),
    )
}

/// How far the directory has come.
pub(super) async fn now(session: &Session, now: i64) -> Result<Mark, ConnectorError> {
    let server = &session.server;
    if server.is_active_directory {
        match cookie(session).await {
            Ok(cookie) => return Ok(Mark::DirSync { cookie: STANDARD.encode(cookie) }),
            // Not granted, or not there: the numbers need no right.
            Err(LdapError::LdapResult { result }) if matches!(result.rc, 1 | 8 | 12 | 50 | 53) => {
                tracing::info!(
                    server = server.address,
                    "DirSync is not granted; update sequence numbers are used"
                );
            }
            Err(error) => return Err(errors::failure(error, "ask for changes", false)),
        }
        return numbers(session).await;
    }
    if server.controls.iter().any(|one| one == controls::SYNC) {
        let suffix = server.base.text();
        let csn = attribute(session, &suffix, "contextCSN").await?;
        if !csn.is_empty() && synchronises(session, &suffix, &csn).await? {
            return Ok(Mark::Content { csn });
        }
    }
    let newest = jiff::Timestamp::from_second(now).unwrap_or_default();
    // Clocks differ: what changed in the last minutes comes once more.
    let newest = newest.checked_sub(jiff::SignedDuration::from_mins(5)).unwrap_or(newest);
    Ok(Mark::Times { newest: newest.strftime("%Y%m%d%H%M%SZ").to_string() })
}

/// Whether the suffix tells what changed: a server lists the control although only some of its suffixes know it.
async fn synchronises(session: &Session, suffix: &str, csn: &[String]) -> Result<bool, ConnectorError> {
    let mut ldap = session.ldap();
    let nobody = super::values::equals("entryUUID", uuid::Uuid::nil().to_string().as_bytes());
    let found =
        ldap.with_controls(vec![content(csn)]).search(suffix, Scope::Base, &nobody, vec!["1.1"]).await;
    match found.and_then(ldap3::SearchResult::success) {
        Ok(_) => Ok(true),
        Err(LdapError::LdapResult { result }) if matches!(result.rc, 12 | 50 | 53) => Ok(false),
        Err(error) => Err(errors::failure(error, "ask for changes", false)),
    }
}

async fn attribute(session: &Session, name: &str, attribute: &str) -> Result<Vec<String>, ConnectorError> {
    let mut ldap = session.ldap();
    let found = ldap.search(name, Scope::Base, "(objectClass=*)", vec![attribute]).await;
    let what = format!("read {attribute} of {name}");
    let (entries, _) =
        found.and_then(ldap3::SearchResult::success).map_err(|error| errors::failure(error, &what, false))?;
    let entry = entries.into_iter().find(|entry| !entry.is_ref()).map(SearchEntry::construct);
    Ok(entry.map(|entry| values(&entry, attribute)).unwrap_or_default())
}

async fn numbers(session: &Session) -> Result<Mark, ConnectorError> {
    let highest = attribute(session, "", "highestCommittedUSN").await?;
    let highest = highest.first().and_then(|text| text.parse().ok()).ok_or_else(|| {
        ConnectorError::new(
            ConnectorErrorKind::Unsupported,
            "NotImplemented",
            "the server tells no update sequence numbers",
        )
    })?;
    Ok(Mark::Numbers { server: server_id(session).await?, highest })
}

/// What is another after a restore: the settings object of the controller, and the instance of its database.
async fn server_id(session: &Session) -> Result<String, ConnectorError> {
    let service = &session.server.service;
    let mut ldap = session.ldap();
    let found = ldap.search(service, Scope::Base, "(objectClass=*)", vec!["invocationId"]).await;
    let what = "read the controller's settings";
    let (entries, _) =
        found.and_then(ldap3::SearchResult::success).map_err(|error| errors::failure(error, what, false))?;
    let mut values = entries
        .into_iter()
        .find(|entry| !entry.is_ref())
        .map(|entry| Values::of(SearchEntry::construct(entry)));
    let id = values.as_mut().and_then(|values| values.take("invocationId")).unwrap_or_default();
    Ok(format!("{service} {}", STANDARD.encode(id.concat())))
}

/// The cookie that stands for now: of a search that finds nothing.
async fn cookie(session: &Session) -> Result<Vec<u8>, LdapError> {
    let nobody = super::values::equals("objectGUID", &[0; 16]);
    let mut cookie = Vec::new();
    loop {
        let (_, more, next) = dirsync(session, &nobody, vec!["objectGUID".to_owned()], cookie).await?;
        cookie = next;
        if !more {
            return Ok(cookie);
        }
    }
}

async fn dirsync(
    session: &Session,
    filter: &str,
    wanted: Vec<String>,
    cookie: Vec<u8>,
) -> Result<(Vec<SearchEntry>, bool, Vec<u8>), LdapError> {
    let mut ldap = session.ldap();
    let base = session.server.base.text();
    let controls: Vec<RawControl> = vec![controls::dirsync(cookie.clone()), controls::extended_names()];
    let (entries, result) =
        ldap.with_controls(controls).search(&base, Scope::Subtree, filter, wanted).await?.success()?;
    let (more, next) = controls::dirsync_answer(&result.ctrls).unwrap_or((false, cookie));
    let entries = entries.into_iter().filter(|entry| !entry.is_ref()).map(SearchEntry::construct).collect();
    Ok((entries, more, next))
}

/// One page of what DirSync tells.
pub(super) async fn by_dirsync(
    session: &Session,
    reader: &Reader<'_>,
    object_type: &str,
    container: &Dn,
    cookie: &str,
) -> Result<Page, ConnectorError> {
    let cookie = STANDARD.decode(cookie).map_err(|_| expired("the cookie is malformed"))?;
    // A container that moves takes its entries along, of which nothing is told.
    let filter = format!("(|{}{})", entries::filter(object_type, true), entries::CONTAINERS);
    let mut wanted = reader.wanted();
    wanted.extend(["name", "isDeleted"].map(str::to_owned));
    let (found, more, next) =
        dirsync(session, &filter, wanted, cookie).await.map_err(|error| match error {
            LdapError::LdapResult { result } if matches!(result.rc, 2 | 12 | 50 | 53) => {
                expired("the server refuses the cookie")
            }
            error => errors::failure(error, "ask for changes", false),
        })?;
    let mut objects = Vec::new();
    for entry in found {
        let name = plain_name(&entry.dn).to_owned();
        let values = Values::of(entry);
        let Some(anchor) = values
            .get(entries::anchor_attribute(true))
            .and_then(|values| entries::anchor(values.first()?, true))
        else {
            continue;
        };
        let is = |attribute: &str, value: &str| {
            let is_it = |one: &Vec<u8>| one.eq_ignore_ascii_case(value.as_bytes());
            values.get(attribute).is_some_and(|values| values.iter().any(is_it))
        };
        let is_deleted = is("isDeleted", "TRUE");
        let object = if is_deleted { None } else { reader.look_up(anchor.as_str(), container).await? };
        if object.is_none() && !is_deleted {
            // Of its class nothing is told, since that has not changed. What moved and is not of the type may be a
            // container.
            let is_unit = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("OU="));
            let has_moved = values.has("name");
            if is_unit || has_moved && reader.is_container(anchor.as_str()).await? {
                if has_moved {
                    objects.extend(below(reader, object_type, container, &name).await?);
                }
                continue;
            }
        }
        objects.push(Incoming { anchor, object, entitlement: None });
    }
    confirmed(reader, container, &objects).await?;
    let next = more.then(|| SmolStr::from(STANDARD.encode(next)));
    Ok(Page { objects, next, ..Page::default() })
}

/// Nobody is gone as long as it is not certain that the part that is read is there.
async fn confirmed(reader: &Reader<'_>, container: &Dn, objects: &[Incoming]) -> Result<(), ConnectorError> {
    if objects.iter().any(|incoming| incoming.object.is_none()) {
        reader.confirm(container).await
    } else {
        Ok(())
    }
}

/// Everything of a type below a container that moved.
async fn below(
    reader: &Reader<'_>,
    object_type: &str,
    container: &Dn,
    base: &str,
) -> Result<Vec<Incoming>, ConnectorError> {
    let found = reader.all(base, &entries::filter(object_type, true)).await?;
    let is_read = Dn::parse(base).is_ok_and(|base| base.is_within(container));
    Ok(found.into_iter().map(|object| if is_read { incoming(object) } else { gone(object.anchor) }).collect())
}

/// An object that is there.
pub(super) fn incoming(object: DirectoryObject) -> Incoming {
    Incoming { anchor: object.anchor.clone(), object: Some(object), entitlement: None }
}

/// An object that was deleted, or moved to where nobody reads.
pub(super) fn gone(anchor: Anchor) -> Incoming {
    Incoming { anchor, object: None, entitlement: None }
}

/// Whether the server that counts is still the same.
pub(super) async fn check_numbers(session: &Session, server: &str) -> Result<(), ConnectorError> {
    if server_id(session).await? == server {
        return Ok(());
    }
    Err(expired("another domain controller answers, or this one was restored"))
}

/// Where the page after the first of a read by the numbers begins.
const AFTER_DELETED: SmolStr = SmolStr::new_static("changed");

/// The first page of a read by the numbers: what was deleted, and what lies below containers that moved. `deletions_seen`
/// says whether everything was read not long ago, for accounts that may not see what was deleted.
pub(super) async fn before_numbers(
    session: &Session,
    reader: &Reader<'_>,
    object_type: &str,
    container: &Dn,
    after: u64,
    deletions_seen: bool,
) -> Result<Page, ConnectorError> {
    let told = deleted(session, object_type, after)
        .await
        .map_err(|error| errors::failure(error, "ask for deleted entries", false))?;
    if told.is_none() && !deletions_seen {
        return Err(expired(UNSEEN));
    }
    let mut objects: Vec<Incoming> = told.unwrap_or_default().into_iter().map(gone).collect();
    let base = session.server.base.text();
    let mut ldap = session.ldap();
    let filter = format!("(&{}(uSNChanged>={}))", entries::CONTAINERS, after + 1);
    let found = ldap
        .with_controls(vec![controls::domain_scope()])
        .search(&base, Scope::Subtree, &filter, vec!["1.1"])
        .await
        .and_then(ldap3::SearchResult::success);
    let (moved, _) = found.map_err(|error| errors::failure(error, "ask for changed containers", false))?;
    for entry in moved.into_iter().filter(entries::is_entry).map(SearchEntry::construct) {
        objects.extend(below(reader, object_type, container, &entry.dn).await?);
    }
    confirmed(reader, container, &objects).await?;
    Ok(Page { objects, next: Some(AFTER_DELETED), ..Page::default() })
}

/// The anchors of what was deleted after a number; `None` for an account that may not see it.
async fn deleted(session: &Session, object_type: &str, after: u64) -> Result<Option<Vec<Anchor>>, LdapError> {
    let base = format!("<WKGUID=18E2EA80684F11D2B9AA00C04F79F805,{}>", session.server.base.text());
    let mut ldap = session.ldap();
    let container = ldap
        .with_controls(vec![controls::show_deleted()])
        .search(&base, Scope::Base, "(objectClass=*)", vec!["isDeleted"])
        .await
        .and_then(ldap3::SearchResult::success);
    let sees = match container {
        // Whoever may see the container's state may see what is in it; others find it empty.
        Ok((entries, _)) => entries
            .into_iter()
            .filter(entries::is_entry)
            .any(|entry| Values::of(SearchEntry::construct(entry)).get("isDeleted").is_some()),
        Err(LdapError::LdapResult { result }) if matches!(result.rc, 32 | 50) => false,
        Err(error) => return Err(error),
    };
    if !sees {
        return Ok(None);
    }
    let class = super::values::equals("objectClass", object_type.as_bytes());
    let filter = format!("(&(isDeleted=TRUE)(uSNChanged>={}){class})", after + 1);
    let (entries, _) = ldap
        .with_controls(vec![controls::show_deleted()])
        .search(&base, Scope::OneLevel, &filter, vec!["objectGUID"])
        .await?
        .success()?;
    let anchors = entries.into_iter().filter(entries::is_entry).filter_map(|entry| {
        let values = Values::of(SearchEntry::construct(entry));
        entries::anchor(values.get("objectGUID")?.first()?, true)
    });
    Ok(Some(anchors.collect()))
}

/// The control that asks for what changed after change sequence numbers.
pub(super) fn content(csn: &[String]) -> RawControl {
    let cookie = format!("rid=000,csn={}", csn.join(";"));
    let request =
        SyncRequest { mode: RefreshMode::RefreshOnly, cookie: Some(cookie.into_bytes()), reload_hint: false };
    request.critical().into()
}

/// Why everything is read where deletions are not told.
const UNSEEN: &str = "what was deleted is not told here, and everything was read too long ago";

/// Whether everything was read so recently that deletions may wait.
pub(super) fn is_recent(read_at: Option<i64>, now: i64) -> bool {
    read_at.is_some_and(|read_at| now - read_at <= WITHOUT_DELETIONS)
}

/// The condition for what changed by time.
pub(super) fn by_times(newest: &str, deletions_seen: bool) -> Result<String, ConnectorError> {
    if !deletions_seen {
        return Err(expired(UNSEEN));
    }
    Ok(super::values::equals("modifyTimestamp", newest.as_bytes()).replacen('=', ">=", 1))
}
