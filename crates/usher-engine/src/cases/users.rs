//! Users of the directory inside.

use serde_json::{Map, Value};
use usher_core::{Entry, EntryKind, Relation};

use super::CaseError;
use super::directory::{Kind, Properties, apply, require};
use crate::Engine;

/// The writable properties of a user, under their Graph names.
pub const PROPERTIES: Properties = &[
    ("accountEnabled", Kind::Flag),
    ("ageGroup", Kind::Text),
    ("businessPhones", Kind::Texts),
    ("city", Kind::Text),
    ("companyName", Kind::Text),
    ("consentProvidedForMinor", Kind::Text),
    ("country", Kind::Text),
    ("department", Kind::Text),
    ("displayName", Kind::Text),
    ("employeeHireDate", Kind::Text),
    ("employeeId", Kind::Text),
    ("employeeLeaveDateTime", Kind::Text),
    ("employeeOrgData", Kind::Any),
    ("employeeType", Kind::Text),
    ("faxNumber", Kind::Text),
    ("givenName", Kind::Text),
    ("identities", Kind::Any),
    ("imAddresses", Kind::Texts),
    ("jobTitle", Kind::Text),
    ("mail", Kind::Text),
    ("mailNickname", Kind::Text),
    ("mobilePhone", Kind::Text),
    ("officeLocation", Kind::Text),
    ("onPremisesDistinguishedName", Kind::Text),
    ("onPremisesDomainName", Kind::Text),
    ("onPremisesExtensionAttributes", Kind::Any),
    ("onPremisesImmutableId", Kind::Text),
    ("onPremisesObjectIdentifier", Kind::Text),
    ("onPremisesSamAccountName", Kind::Text),
    ("onPremisesSecurityIdentifier", Kind::Text),
    ("onPremisesSyncEnabled", Kind::Flag),
    ("onPremisesUserPrincipalName", Kind::Text),
    ("otherMails", Kind::Texts),
    ("passwordPolicies", Kind::Text),
    ("postalCode", Kind::Text),
    ("preferredDataLocation", Kind::Text),
    ("preferredLanguage", Kind::Text),
    ("proxyAddresses", Kind::Texts),
    ("showInAddressList", Kind::Flag),
    ("state", Kind::Text),
    ("streetAddress", Kind::Text),
    ("surname", Kind::Text),
    ("usageLocation", Kind::Text),
    ("userPrincipalName", Kind::Text),
    ("userType", Kind::Text),
];

/// What every user has.
const REQUIRED: &[&str] = &["accountEnabled", "displayName", "mailNickname", "userPrincipalName"];

impl Engine {
    /// Makes a user.
    ///
    /// # Errors
    /// A required property is missing, a property is unknown or of the wrong kind, or the user principal name is taken.
    pub async fn create_user(&self, body: Map<String, Value>) -> Result<Entry, CaseError> {
        require("User", &body, REQUIRED)?;
        require("User", &body, &["passwordProfile"])?;
        let mut properties = Map::new();
        properties.insert("userType".to_owned(), Value::from("Member"));
        apply("User", PROPERTIES, &mut properties, body)?;
        check_name(&properties)?;
        let entry = self.new_entry(EntryKind::User, properties);
        self.store_entry(&entry).await?;
        Ok(entry)
    }

    /// The user with this object id or user principal name.
    ///
    /// # Errors
    /// There is none.
    pub async fn user(&self, id: &str) -> Result<Entry, CaseError> {
        if let Some(entry) = self.store.entry_by_key(EntryKind::User, "userPrincipalName", id).await? {
            return Ok(entry);
        }
        self.entry(EntryKind::User, id).await
    }

    /// Changes properties of a user; null clears.
    ///
    /// # Errors
    /// There is no such user, or a property is not right; nothing is changed then.
    pub async fn update_user(&self, id: &str, body: Map<String, Value>) -> Result<(), CaseError> {
        let mut entry = self.user(id).await?;
        apply("User", PROPERTIES, &mut entry.properties, body.clone())?;
        // What a user cannot be made without cannot be cleared; older users may lack some of it.
        for name in REQUIRED.iter().filter(|name| body.contains_key(**name)) {
            require("User", &entry.properties, &[name])?;
        }
        check_name(&entry.properties)?;
        self.store_entry(&entry).await
    }

    /// The user's manager.
    ///
    /// # Errors
    /// There is no such user, or no manager.
    pub async fn manager(&self, id: &str) -> Result<Entry, CaseError> {
        let user = self.user(id).await?;
        self.linked(&user.id, Relation::Manager, None, 1)
            .await?
            .pop()
            .ok_or_else(|| CaseError::not_found("manager", user.id.as_str()))
    }

    /// Sets the user's manager.
    ///
    /// # Errors
    /// User or manager is not there.
    pub async fn set_manager(&self, id: &str, manager: &str) -> Result<(), CaseError> {
        let user = self.user(id).await?;
        if self.directory_object(manager).await?.kind != EntryKind::User {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!("The reference to '{manager}' is of the wrong type: only a user can be a manager."),
            ));
        }
        self.link(&user.id, Relation::Manager, manager).await
    }

    /// Clears the user's manager.
    ///
    /// # Errors
    /// There is no such user, or no manager.
    pub async fn clear_manager(&self, id: &str) -> Result<(), CaseError> {
        let user = self.user(id).await?;
        let manager = self.manager(id).await?;
        self.unlink(&user.id, Relation::Manager, manager.id.as_str()).await
    }
}

fn check_name(properties: &Map<String, Value>) -> Result<(), CaseError> {
    let name = properties.get("userPrincipalName").and_then(Value::as_str).unwrap_or_default();
    let is_right = name.split_once('@').is_some_and(|(alias, domain)| {
        !alias.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !name.contains(char::is_whitespace)
    });
    if is_right {
        Ok(())
    } else {
        Err(CaseError::invalid("Request_BadRequest", "Property userPrincipalName is invalid."))
    }
}
