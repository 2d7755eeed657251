//! `/contacts`: people outside, whom provisioning brings from another directory. They are only read (Graph, orgContact).

use usher_core::EntryKind;

use super::entries;
use super::operation::{Operation, run};
use super::permissions::CONTACT_READ;
use super::types::CONTACT;
use crate::odata::Collection;

/// How contacts are shown.
pub static CONTACTS: Collection = Collection {
    kind: EntryKind::Contact,
    name: "contacts",
    shown: &[
        "id",
        "companyName",
        "department",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mailNickname",
        "onPremisesSyncEnabled",
        "proxyAddresses",
        "surname",
    ],
    extra: &[],
    expands: &[],
    delta_link: None,
    known: &[],
};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/contacts", CONTACT_READ, "List contacts", run!(entries::list))
        .many(&CONTACT)
        .unpublished(),
    Operation::new("GET", "/contacts/$count", CONTACT_READ, "Count contacts", run!(entries::count))
        .count()
        .unpublished(),
    Operation::new("GET", "/contacts/delta", CONTACT_READ, "List changes of contacts", run!(entries::delta))
        .many(&CONTACT)
        .unpublished(),
    Operation::new("GET", "/contacts/{id}", CONTACT_READ, "Get a contact", run!(entries::get))
        .one(&CONTACT)
        .unpublished(),
];
