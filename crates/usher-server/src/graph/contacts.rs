//! Contacts: people outside, whom provisioning brings from another directory. They are shown among directory objects.

use usher_core::EntryKind;

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
