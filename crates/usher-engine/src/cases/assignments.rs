//! App role assignments: who may use an application, and which permissions a client holds.

use serde_json::Value;
use usher_core::ports::AssignmentQuery;
use usher_core::{AppRoleAssignment, AssignmentId, Entry, EntryKind};

use super::CaseError;
use crate::Engine;

/// The role of an assignment to an application that declares none.
pub const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";

/// An assignment with the names of both ends.
pub struct NamedAssignment {
    /// The assignment.
    pub assignment: AppRoleAssignment,
    /// The principal's display name.
    pub principal: String,
    /// The resource's display name.
    pub resource: String,
}

impl Engine {
    /// Assigns a principal to a resource with a role.
    ///
    /// # Errors
    /// An end or the role is not there, or the assignment is.
    pub async fn assign(
        &self,
        principal: &str,
        resource: &str,
        app_role: &str,
    ) -> Result<NamedAssignment, CaseError> {
        let principal = self.directory_object(principal).await?;
        let resource = self.entry(EntryKind::ServicePrincipal, resource).await?;
        if !has_role(&resource, app_role) {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!("Permission '{app_role}' was not found on application '{}'.", resource.id),
            ));
        }
        let assignment = AppRoleAssignment {
            id: AssignmentId::new(self.clock.guid().simple().to_string()),
            principal_id: principal.id.clone(),
            principal_kind: principal.kind,
            resource_id: resource.id.clone(),
            app_role_id: app_role.to_lowercase(),
            created_at: self.clock.now(),
        };
        if !self.store.add_assignment(&assignment).await? {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                "Permission being assigned already exists on the object",
            ));
        }
        Ok(NamedAssignment { assignment, principal: name(&principal), resource: name(&resource) })
    }

    /// Takes an assignment away.
    ///
    /// # Errors
    /// It is not there, or belongs elsewhere.
    pub async fn unassign(&self, of: &AssignmentQuery, id: &str) -> Result<(), CaseError> {
        let known = self.store.assignments(of).await?;
        let Some(assignment) = known.iter().find(|assignment| assignment.id.as_str() == id) else {
            return Err(CaseError::not_found("app role assignment", id));
        };
        self.store.remove_assignment(&assignment.id).await?;
        Ok(())
    }

    /// Lists assignments with the names of both ends; those whose principal is gone are left out.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn assignments(&self, of: &AssignmentQuery) -> Result<Vec<NamedAssignment>, CaseError> {
        let mut named = Vec::new();
        for assignment in self.store.assignments(of).await? {
            let principal = self.store.entry(assignment.principal_kind, &assignment.principal_id).await?;
            let resource = self.store.entry(EntryKind::ServicePrincipal, &assignment.resource_id).await?;
            let (Some(principal), Some(resource)) = (living(principal), living(resource)) else { continue };
            named.push(NamedAssignment {
                principal: name(&principal),
                resource: name(&resource),
                assignment,
            });
        }
        Ok(named)
    }
}

fn living(entry: Option<Entry>) -> Option<Entry> {
    entry.filter(|entry| entry.deleted_at.is_none())
}

fn name(entry: &Entry) -> String {
    entry.text("displayName").unwrap_or_default().to_owned()
}

/// The default role counts only where the application declares none of its own that users may have.
fn has_role(resource: &Entry, role: &str) -> bool {
    let declared = resource.properties.get("appRoles").and_then(Value::as_array);
    let is_declared = declared.is_some_and(|roles| {
        roles.iter().any(|one| one["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(role)))
    });
    is_declared || (role == DEFAULT_ROLE && declared.is_none_or(Vec::is_empty))
}
