//! The permissions of the API: which sets of them let a caller in, and the ids under which they are published.

use uuid::Uuid;

/// Read synchronization.
pub const SYNC_READ: &[&str] = &["Synchronization.Read.All", "Synchronization.ReadWrite.All"];
/// Configure and run synchronization.
pub const SYNC_WRITE: &[&str] = &["Synchronization.ReadWrite.All"];
/// Read users.
pub const USER_READ: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
/// Write users.
pub const USER_WRITE: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
/// Read groups and their members.
pub const GROUP_READ: &[&str] = &[
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Write groups.
pub const GROUP_WRITE: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
/// Write members of groups.
pub const MEMBER_WRITE: &[&str] =
    &["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
/// Read applications and service principals.
pub const APPLICATION_READ: &[&str] =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
/// Write applications and service principals.
pub const APPLICATION_WRITE: &[&str] = &["Application.ReadWrite.All", "Directory.ReadWrite.All"];
/// Read who is assigned to what.
pub const ASSIGNMENT_READ: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Assign. Whoever may assign may grant permissions, so nothing less lets a caller in.
pub const ASSIGNMENT_WRITE: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
/// Read the provisioning log.
pub const LOG_READ: &[&str] = &["ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All"];
/// Everything for the applications that the caller owns.
pub const OWNED_BY: &str = "Application.ReadWrite.OwnedBy";

/// The app roles under which Microsoft Graph publishes its application permissions; scripts grant by these ids.
const PUBLISHED: &[(&str, &str)] = &[
    ("AppRoleAssignment.ReadWrite.All", "06b708a9-e830-4db3-a914-8e69da51d44f"),
    ("Application.Read.All", "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"),
    ("Application.ReadWrite.All", "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"),
    ("Application.ReadWrite.OwnedBy", "18a4783c-866b-4cc7-a460-3d5e5662c884"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Directory.ReadWrite.All", "19dbc75e-c2e2-444c-a770-ec69d8559fc7"),
    ("Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b"),
    ("Group.ReadWrite.All", "62a82d76-70ea-41e2-9197-370581804d09"),
    ("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    ("GroupMember.ReadWrite.All", "dbaae8cf-10b5-4b86-a4a1-f871c94c6695"),
    ("ProvisioningLog.Read.All", "091937d3-3e38-47a1-8649-b2f99d3035f1"),
    ("Synchronization.Read.All", "5ba43d2f-fa88-4db2-bd1c-a67c5f0fb1ce"),
    ("Synchronization.ReadWrite.All", "9b50c33d-700f-43b1-b2eb-87e89b703581"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca"),
];

/// The app role id of a permission: the published one, or one that follows from the name.
pub fn role_id(permission: &str) -> String {
    let published = PUBLISHED.iter().find(|(name, _)| *name == permission);
    published.map_or_else(
        || Uuid::new_v5(&Uuid::NAMESPACE_OID, permission.as_bytes()).to_string(),
        |(_, id)| (*id).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_that_an_operation_asks_for_has_its_published_id() {
        for name in crate::graph::permissions() {
            assert!(PUBLISHED.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
