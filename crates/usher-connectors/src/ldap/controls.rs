//! Controls that the library does not have: Active Directory's ([MS-ADTS] 3.1.1.3.4.1), and what answers hold of content
//! synchronisation (RFC 4533), read without trust in the sender.

use bytes::BytesMut;
use lber::parse::{parse_tag, parse_uint};
use lber::structure::{PL, StructureTag};
use lber::structures::{ASNTag, Integer, OctetString, Sequence, Tag};
use lber::{IResult, write};
use ldap3::controls::{Control, RawControl};
use uuid::Uuid;

const DIRSYNC: &str = "1.2.840.113556.1.4.841";
/// Content synchronisation.
pub(super) const SYNC: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// The entry as it is after a write.
pub(super) const POST_READ: &str = "1.3.6.1.1.13.2";
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
const SYNC_INFO: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.4";
/// How many bytes of changes a server may send at once.
const MOST_BYTES: i64 = 1_048_576;

fn encoded(parts: Vec<Tag>) -> Vec<u8> {
    let sequence = Tag::Sequence(Sequence { inner: parts, ..Default::default() }).into_structure();
    let mut buffer = BytesMut::new();
    // Writing to memory cannot fail.
    let _ = write::encode_into(&mut buffer, sequence);
    buffer.to_vec()
}

fn integer(inner: i64) -> Tag {
    Tag::Integer(Integer { inner, ..Default::default() })
}

/// References with the GUID of what they refer to, as text.
pub(super) fn extended_names() -> RawControl {
    RawControl {
        ctype: "1.2.840.113556.1.4.529".to_owned(),
        crit: false,
        val: Some(encoded(vec![integer(1)])),
    }
}

/// No continuation references to other domains.
pub(super) fn domain_scope() -> RawControl {
    RawControl { ctype: "1.2.840.113556.1.4.1339".to_owned(), crit: false, val: None }
}

/// Deleted entries too.
pub(super) fn show_deleted() -> RawControl {
    RawControl { ctype: "1.2.840.113556.1.4.417".to_owned(), crit: true, val: None }
}

/// What is there already, or gone already, is no error.
pub(super) fn permissive_modify() -> RawControl {
    RawControl { ctype: "1.2.840.113556.1.4.1413".to_owned(), crit: false, val: None }
}

/// What changed after a cookie.
pub(super) fn dirsync(cookie: Vec<u8>) -> RawControl {
    let cookie = Tag::OctetString(OctetString { inner: cookie, ..Default::default() });
    let value = encoded(vec![integer(0), integer(MOST_BYTES), cookie]);
    RawControl { ctype: DIRSYNC.to_owned(), crit: true, val: Some(value) }
}

/// Whether there is more, and the cookie to go on with.
pub(super) fn dirsync_answer(controls: &[Control]) -> Option<(bool, Vec<u8>)> {
    let raw = controls.iter().find(|control| control.1.ctype == DIRSYNC)?;
    let mut parts = constructed(tag(raw.1.val.as_deref()?)?)?.into_iter();
    let more = parse_uint(&primitive(parts.next()?)?).ok()?.1 != 0;
    let cookie = primitive(parts.nth(1)?)?;
    Some((more, cookie))
}

/// An attribute of the entry as it is after the write (RFC 4527 §3.2).
pub(super) fn post_read(attribute: &str) -> RawControl {
    let name = Tag::OctetString(OctetString { inner: attribute.as_bytes().to_vec(), ..Default::default() });
    RawControl { ctype: POST_READ.to_owned(), crit: false, val: Some(encoded(vec![name])) }
}

/// The first value that the answer to `post_read` holds.
pub(super) fn post_read_answer(controls: &[Control], attribute: &str) -> Option<Vec<u8>> {
    let raw = controls.iter().find(|control| control.1.ctype == POST_READ)?;
    let attributes = constructed(tag(raw.1.val.as_deref()?)?)?.into_iter().nth(1)?;
    constructed(attributes)?.into_iter().find_map(|one| {
        let mut parts = constructed(one)?.into_iter();
        let name = primitive(parts.next()?)?;
        let values = constructed(parts.next()?)?;
        name.eq_ignore_ascii_case(attribute.as_bytes()).then_some(())?;
        primitive(values.into_iter().next()?)
    })
}

/// What happened to an entry that content synchronisation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synced {
    /// It is there, unchanged.
    Present,
    /// It is new or changed.
    Changed,
    /// It is gone.
    Gone,
}

/// The state of an entry, with its UUID.
pub(super) fn sync_state(controls: &[Control]) -> Option<(Synced, Uuid)> {
    let raw = controls.iter().find(|control| control.1.ctype == SYNC_STATE)?;
    let mut parts = constructed(tag(raw.1.val.as_deref()?)?)?.into_iter();
    let state = match parse_uint(&primitive(parts.next()?)?).ok()?.1 {
        0 => Synced::Present,
        1 | 2 => Synced::Changed,
        3 => Synced::Gone,
        _ => return None,
    };
    Some((state, Uuid::from_slice(&primitive(parts.next()?)?).ok()?))
}

/// What a message between entries says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SyncInfo {
    /// These are gone.
    Gone(Vec<Uuid>),
    /// The server only knows what is there, not what is gone.
    KnowsPresentOnly,
    /// Nothing that matters.
    Other,
}

/// Reads a message between entries (RFC 4533 §2.5).
pub(super) fn sync_info(message: StructureTag) -> SyncInfo {
    const REFRESH_PRESENT: u64 = 2;
    const ID_SET: u64 = 3;
    let read = || -> Option<SyncInfo> {
        let parts = constructed(message)?;
        let name = parts.iter().find(|part| part.id == 0).cloned().and_then(primitive)?;
        if name != SYNC_INFO {
            return Some(SyncInfo::Other);
        }
        let value = parts.into_iter().find(|part| part.id == 1).and_then(primitive)?;
        let choice = tag(&value)?;
        match choice.id {
            REFRESH_PRESENT => Some(SyncInfo::KnowsPresentOnly),
            ID_SET => {
                let (mut deletes, mut ids) = (false, Vec::new());
                for part in constructed(choice)? {
                    match part.payload {
                        PL::C(list) => {
                            ids.extend(
                                list.into_iter()
                                    .filter_map(primitive)
                                    .filter_map(|id| Uuid::from_slice(&id).ok()),
                            );
                        }
                        PL::P(bytes) if part.id == 1 => {
                            deletes = bytes.first().is_some_and(|byte| *byte != 0)
                        }
                        PL::P(_) => {}
                    }
                }
                Some(if deletes { SyncInfo::Gone(ids) } else { SyncInfo::KnowsPresentOnly })
            }
            _ => Some(SyncInfo::Other),
        }
    };
    read().unwrap_or(SyncInfo::Other)
}

fn tag(bytes: &[u8]) -> Option<StructureTag> {
    match parse_tag(bytes) {
        IResult::Ok((_, tag)) => Some(tag),
        IResult::Err(_) => None,
    }
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_request_for_changes_is_encoded_as_published() {
        let control = dirsync(Vec::new());
        assert_eq!(control.val.as_deref(), Some(&[0x30, 10, 2, 1, 0, 2, 3, 0x10, 0, 0, 4, 0][..]));
    }

    #[test]
    fn the_answer_s_cookie_is_found_and_nonsense_is_none() {
        let cookie = Tag::OctetString(OctetString { inner: b"next".to_vec(), ..Default::default() });
        let value = encoded(vec![integer(1), integer(0), cookie]);
        let control = |val: Vec<u8>| {
            Control(None, RawControl { ctype: DIRSYNC.to_owned(), crit: false, val: Some(val) })
        };
        assert_eq!(dirsync_answer(&[control(value)]), Some((true, b"next".to_vec())));
        for nonsense in [&[][..], &[0x30], &[0x30, 0x7F, 1], &[4, 1, 0], &[0x30, 0]] {
            assert_eq!(dirsync_answer(&[control(nonsense.to_vec())]), None);
        }
    }

    #[test]
    fn what_a_write_tells_of_the_entry_is_read_and_nonsense_is_none() {
        let text = |text: &str| {
            Tag::OctetString(OctetString { inner: text.as_bytes().to_vec(), ..Default::default() })
        };
        let list = |inner| Tag::Sequence(Sequence { inner, ..Default::default() });
        let attribute = |name, value| list(vec![text(name), list(vec![text(value)])]);
        let entry = encoded(vec![
            text("uid=a,dc=example"),
            list(vec![attribute("uid", "a"), attribute("entryUUID", "u-1")]),
        ]);
        let told = |val: Vec<u8>| {
            let raw = RawControl { ctype: POST_READ.to_owned(), crit: false, val: Some(val) };
            post_read_answer(&[Control(None, raw)], "entryuuid")
        };
        assert_eq!(told(entry), Some(b"u-1".to_vec()));
        for nonsense in [&[][..], &[0x30], &[0x30, 0x7F, 1], &[4, 1, 0], &[0x30, 0], &[0x30, 2, 4, 0]] {
            assert_eq!(told(nonsense.to_vec()), None, "{nonsense:?}");
        }
        assert_eq!(post_read("uid").val.as_deref(), Some(&[0x30, 5, 4, 3, b'u', b'i', b'd'][..]));
    }
}
