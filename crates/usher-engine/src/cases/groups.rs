//! Groups of the directory inside.

use serde_json::{Map, Value};
use usher_core::{Entry, EntryKind, Relation};

use super::CaseError;
use super::directory::{Kind, Properties, apply, bindings, require};
use crate::Engine;

/// The writable properties of a group, under their Graph names.
pub const PROPERTIES: Properties = &[
    ("classification", Kind::Text),
    ("description", Kind::Text),
    ("displayName", Kind::Text),
    ("groupTypes", Kind::Texts),
    ("isAssignableToRole", Kind::Flag),
    ("mail", Kind::Text),
    ("mailEnabled", Kind::Flag),
    ("mailNickname", Kind::Text),
    ("membershipRule", Kind::Text),
    ("membershipRuleProcessingState", Kind::Text),
    ("onPremisesSamAccountName", Kind::Text),
    ("onPremisesSecurityIdentifier", Kind::Text),
    ("onPremisesSyncEnabled", Kind::Flag),
    ("preferredLanguage", Kind::Text),
    ("proxyAddresses", Kind::Texts),
    ("securityEnabled", Kind::Flag),
    ("uniqueName", Kind::Text),
    ("visibility", Kind::Text),
];

impl Engine {
    /// Makes a group, with the members and owners that the body binds.
    ///
    /// # Errors
    /// A required property is missing, a property is not right, or a bound object is not there; nothing is made then.
    pub async fn create_group(&self, body: Map<String, Value>) -> Result<Entry, CaseError> {
        require("Group", &body, &["displayName", "mailEnabled", "mailNickname", "securityEnabled"])?;
        let (members, owners) = self.bound(&body).await?;
        let mut properties = Map::new();
        apply("Group", PROPERTIES, &mut properties, body)?;
        let entry = self.new_entry(EntryKind::Group, properties);
        self.store_entry(&entry).await?;
        self.bind(&entry, members, owners).await?;
        Ok(entry)
    }

    /// Changes properties of a group and adds the members and owners that the body binds.
    ///
    /// # Errors
    /// There is no such group, or something is not right.
    pub async fn update_group(&self, id: &str, body: Map<String, Value>) -> Result<(), CaseError> {
        let mut entry = self.entry(EntryKind::Group, id).await?;
        let (members, owners) = self.bound(&body).await?;
        apply("Group", PROPERTIES, &mut entry.properties, body)?;
        require("Group", &entry.properties, &["displayName"])?;
        self.store_entry(&entry).await?;
        self.bind(&entry, members, owners).await
    }

    async fn bound(&self, body: &Map<String, Value>) -> Result<(Vec<String>, Vec<String>), CaseError> {
        let (members, owners) = (bindings(body, "members")?, bindings(body, "owners")?);
        for id in members.iter().chain(&owners) {
            self.directory_object(id).await?;
        }
        Ok((members, owners))
    }

    async fn bind(&self, group: &Entry, members: Vec<String>, owners: Vec<String>) -> Result<(), CaseError> {
        for (relation, ids) in [(Relation::Members, members), (Relation::Owners, owners)] {
            for id in ids {
                self.link(&group.id, relation, &id).await?;
            }
        }
        Ok(())
    }
}
