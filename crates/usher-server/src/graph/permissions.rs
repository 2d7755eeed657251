//! Which permissions let a caller in, by area (Graph permissions reference).

pub const SYNC_READ: &[&str] = &["Synchronization.Read.All", "Synchronization.ReadWrite.All"];
pub const SYNC_WRITE: &[&str] = &["Synchronization.ReadWrite.All"];
pub const DISCOVER: &[&str] = &["Directory.ReadWrite.All", "Synchronization.ReadWrite.All"];
pub const UPLOAD: &[&str] = &["SynchronizationData-User.Upload"];
/// Upload by the owner of the application only.
pub const UPLOAD_OWNED: &str = "SynchronizationData-User.Upload.OwnedBy";
pub const USER_READ: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub const USER_WRITE: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
pub const GROUP_READ: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub const GROUP_WRITE: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
pub const MEMBER_WRITE: &[&str] =
    &["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
pub const APP_READ: &[&str] =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub const APP_WRITE: &[&str] = &["Application.ReadWrite.All", "Directory.ReadWrite.All"];
pub const ASSIGN_READ: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub const ASSIGN_WRITE: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
pub const CONTACT_READ: &[&str] = &["OrgContact.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"];
pub const DIRECTORY_READ: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];
pub const DIRECTORY_WRITE: &[&str] = &["Directory.ReadWrite.All"];
pub const LOG_READ: &[&str] = &["ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All"];
pub const AUDIT_READ: &[&str] = &["AuditLog.Read.All"];
