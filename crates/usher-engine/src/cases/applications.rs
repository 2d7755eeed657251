//! Applications, their service principals, and the secrets that they show for a token.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use usher_core::ports::AssignmentQuery;
use usher_core::{Entry, EntryKind, Link, Relation, Secret};

use super::CaseError;
use super::directory::{Kind, Properties, apply, require};
use crate::Engine;

/// The application that stands for this API: its app roles are the permissions.
pub const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";
/// The template of an application that is not in the gallery.
pub const NON_GALLERY_TEMPLATE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
/// How long a client secret lives when nobody says.
const SECRET_LIFE: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// The writable properties of an application.
pub const APPLICATION: Properties = &[
    ("appRoles", Kind::Any),
    ("description", Kind::Text),
    ("displayName", Kind::Text),
    ("identifierUris", Kind::Texts),
    ("notes", Kind::Text),
    ("signInAudience", Kind::Text),
    ("tags", Kind::Texts),
    ("uniqueName", Kind::Text),
];

/// The writable properties of a service principal.
pub const SERVICE_PRINCIPAL: Properties = &[
    ("accountEnabled", Kind::Flag),
    ("appId", Kind::Text),
    ("appRoleAssignmentRequired", Kind::Flag),
    ("appRoles", Kind::Any),
    ("description", Kind::Text),
    ("displayName", Kind::Text),
    ("notes", Kind::Text),
    ("tags", Kind::Texts),
];

/// What is wished for a client secret.
#[derive(Clone, Debug, Default)]
pub struct PasswordWish {
    /// A name for it.
    pub display_name: Option<String>,
    /// When it begins to count; at once when not said.
    pub start: Option<Timestamp>,
    /// When it ends; two years later when not said.
    pub end: Option<Timestamp>,
}

/// A client secret that was just made; it is shown once.
pub struct NewPassword {
    /// Identifies the secret.
    pub key_id: String,
    /// The name that was given to it.
    pub display_name: Option<String>,
    /// When it begins to count.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The first characters, to tell it from others.
    pub hint: String,
}

impl Engine {
    /// Makes an application. `owner` is the service principal that asks for it.
    ///
    /// # Errors
    /// A property is missing or not right.
    pub async fn create_application(
        &self,
        body: Map<String, Value>,
        owner: Option<&Entry>,
    ) -> Result<Entry, CaseError> {
        require("Application", &body, &["displayName"])?;
        let mut properties = Map::new();
        properties.insert("appId".to_owned(), json!(self.clock.guid().to_string()));
        properties.insert("signInAudience".to_owned(), json!("AzureADMyOrg"));
        apply("Application", APPLICATION, &mut properties, body)?;
        let entry = self.new_entry(EntryKind::Application, properties);
        self.store_entry(&entry).await?;
        self.own(&entry, owner).await?;
        Ok(entry)
    }

    /// Makes the service principal of an application.
    ///
    /// # Errors
    /// The application is not there, or has one already.
    pub async fn create_service_principal(
        &self,
        body: Map<String, Value>,
        owner: Option<&Entry>,
    ) -> Result<Entry, CaseError> {
        require("ServicePrincipal", &body, &["appId"])?;
        let app_id = body.get("appId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(application) = self.store.entry_by_key(EntryKind::Application, "appId", &app_id).await?
        else {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!(
                    "The appId '{app_id}' of the service principal does not reference a valid application object."
                ),
            ));
        };
        let mut properties = Map::new();
        properties.insert("appId".to_owned(), json!(app_id));
        properties.insert("accountEnabled".to_owned(), json!(true));
        properties.insert("appRoleAssignmentRequired".to_owned(), json!(false));
        properties.insert("servicePrincipalType".to_owned(), json!("Application"));
        for name in ["displayName", "appRoles"] {
            if let Some(value) = application.properties.get(name) {
                properties.insert(name.to_owned(), value.clone());
            }
        }
        apply("ServicePrincipal", SERVICE_PRINCIPAL, &mut properties, body)?;
        let entry = self.new_entry(EntryKind::ServicePrincipal, properties);
        self.store_entry(&entry).await?;
        self.own(&entry, owner).await?;
        Ok(entry)
    }

    async fn own(&self, entry: &Entry, owner: Option<&Entry>) -> Result<(), CaseError> {
        if let Some(owner) = owner {
            let link = Link { from: entry.id.clone(), relation: Relation::Owners, to: owner.id.clone() };
            self.store.add_link(&link).await?;
        }
        Ok(())
    }

    /// Makes an application and its service principal from an application template.
    ///
    /// # Errors
    /// The template does not exist, or the name is missing.
    pub async fn instantiate(
        &self,
        template: &str,
        body: Map<String, Value>,
        owner: Option<&Entry>,
    ) -> Result<(Entry, Entry), CaseError> {
        if !template.eq_ignore_ascii_case(NON_GALLERY_TEMPLATE) {
            return Err(CaseError::not_found("application template", template));
        }
        let application = self.create_application(body, owner).await?;
        let principal = Map::from_iter([("appId".to_owned(), application.properties["appId"].clone())]);
        let principal = self.create_service_principal(principal, owner).await?;
        Ok((application, principal))
    }

    /// Changes properties of an application or service principal.
    ///
    /// # Errors
    /// It is not there, or a property is not right.
    pub async fn update_application(
        &self,
        kind: EntryKind,
        id: &str,
        body: Map<String, Value>,
    ) -> Result<(), CaseError> {
        let mut entry = self.entry(kind, id).await?;
        let (resource, known) = match kind {
            EntryKind::Application => ("Application", APPLICATION),
            _ => ("ServicePrincipal", SERVICE_PRINCIPAL),
        };
        let app_id = entry.properties.get("appId").cloned();
        apply(resource, known, &mut entry.properties, body)?;
        if entry.properties.get("appId") != app_id.as_ref() {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                "Property 'appId' is read-only and cannot be set.",
            ));
        }
        self.store_entry(&entry).await
    }

    /// The service principal of an application, found by the object id of either.
    ///
    /// # Errors
    /// There is none; an appId in place of an object id is none.
    pub async fn service_principal_of(&self, parent: EntryKind, id: &str) -> Result<Entry, CaseError> {
        let entry = self.entry(parent, id).await?;
        if parent == EntryKind::ServicePrincipal {
            return Ok(entry);
        }
        let app_id = entry.text("appId").unwrap_or_default();
        self.store
            .entry_by_key(EntryKind::ServicePrincipal, "appId", app_id)
            .await?
            .ok_or_else(|| CaseError::not_found("service principal", id))
    }

    /// The application of a service principal.
    ///
    /// # Errors
    /// It is not in this directory.
    pub async fn application_of(&self, principal: &Entry) -> Result<Entry, CaseError> {
        let app_id = principal.text("appId").unwrap_or_default();
        self.store
            .entry_by_key(EntryKind::Application, "appId", app_id)
            .await?
            .ok_or_else(|| CaseError::not_found("application", app_id))
    }

    /// Whether a service principal owns an application or service principal, directly or by its twin.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn is_owned_by(&self, entry: &Entry, owner: &str) -> Result<bool, CaseError> {
        let twin_kind = match entry.kind {
            EntryKind::Application => EntryKind::ServicePrincipal,
            _ => EntryKind::Application,
        };
        let twin = match entry.text("appId") {
            Some(app_id) => self.store.entry_by_key(twin_kind, "appId", app_id).await?,
            None => None,
        };
        for one in std::iter::once(entry).chain(twin.as_ref()) {
            let owners = self.store.links_from(&one.id, Relation::Owners, None, usize::MAX).await?;
            if owners.iter().any(|id| id.as_str() == owner) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps a client secret of an application: its digest, never the secret.
    ///
    /// # Errors
    /// The application is not there.
    pub async fn add_password(
        &self,
        application: &str,
        wish: PasswordWish,
        hint: String,
        digest: &str,
    ) -> Result<NewPassword, CaseError> {
        let mut entry = self.entry(EntryKind::Application, application).await?;
        let start = wish.start.unwrap_or_else(|| self.clock.now());
        let end = wish.end.unwrap_or_else(|| start.checked_add(SECRET_LIFE).unwrap_or(Timestamp::MAX));
        if end <= start {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                "the secret would end before it begins to count",
            ));
        }
        let password = NewPassword {
            key_id: self.clock.guid().to_string(),
            display_name: wish.display_name,
            start,
            end,
            hint,
        };
        let record = json!({
            "keyId": password.key_id,
            "displayName": password.display_name,
            "hint": password.hint,
            "startDateTime": password.start.to_string(),
            "endDateTime": password.end.to_string(),
        });
        let app_id = entry.text("appId").unwrap_or_default().to_owned();
        self.store.put_setting(&credential(&app_id, &password.key_id), &Secret::new(digest)).await?;
        match entry.properties.get_mut("passwordCredentials") {
            Some(Value::Array(list)) => list.push(record),
            _ => {
                entry.properties.insert("passwordCredentials".to_owned(), Value::Array(vec![record]));
            }
        }
        self.store_entry(&entry).await?;
        Ok(password)
    }

    /// Forgets a client secret.
    ///
    /// # Errors
    /// Application or secret is not there.
    pub async fn remove_password(&self, application: &str, key_id: &str) -> Result<(), CaseError> {
        let mut entry = self.entry(EntryKind::Application, application).await?;
        let app_id = entry.text("appId").unwrap_or_default().to_owned();
        if !self.store.remove_setting(&credential(&app_id, key_id)).await? {
            return Err(CaseError::not_found("password credential", key_id));
        }
        if let Some(Value::Array(list)) = entry.properties.get_mut("passwordCredentials") {
            list.retain(|one| one["keyId"] != key_id);
        }
        self.store_entry(&entry).await
    }

    /// The digests of an application's secrets that count now.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn password_digests(&self, app_id: &str) -> Result<Vec<Secret>, CaseError> {
        let Some(entry) = self.store.entry_by_key(EntryKind::Application, "appId", app_id).await? else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let mut digests = Vec::new();
        for one in entry.properties.get("passwordCredentials").and_then(Value::as_array).into_iter().flatten()
        {
            let instant = |name: &str| one[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
            let (start, end) = (instant("startDateTime"), instant("endDateTime"));
            let key = one["keyId"].as_str().unwrap_or_default();
            if start.is_none_or(|start| start <= now)
                && end.is_some_and(|end| end > now)
                && let Some(digest) = self.store.setting(&credential(app_id, key)).await?
            {
                digests.push(digest);
            }
        }
        Ok(digests)
    }

    /// The permissions that a client holds: the app roles of this API that its service principal is assigned.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn permissions_of(&self, service_principal: &Entry) -> Result<Vec<String>, CaseError> {
        let Some(graph) = self.store.entry_by_key(EntryKind::ServicePrincipal, "appId", GRAPH_APP_ID).await?
        else {
            return Ok(Vec::new());
        };
        let assignments =
            self.store.assignments(&AssignmentQuery::Principal(service_principal.id.clone())).await?;
        let roles = graph.properties.get("appRoles").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(assignments
            .iter()
            .filter(|assignment| assignment.resource_id == graph.id)
            .filter_map(|assignment| roles.iter().find(|role| role["id"] == assignment.app_role_id.as_str()))
            .filter_map(|role| role["value"].as_str().map(str::to_owned))
            .collect())
    }
}

fn credential(app_id: &str, key_id: &str) -> String {
    format!("credential/{}/{key_id}", app_id.to_lowercase())
}
