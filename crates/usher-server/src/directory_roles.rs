//! Directory roles: what a user must be, besides the permissions of the application that it uses (Microsoft Entra,
//! built-in roles; Graph, permissions of the synchronization API and of the provisioning logs).

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const APPLICATION_ADMINISTRATOR: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
const CLOUD_APPLICATION_ADMINISTRATOR: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const HYBRID_IDENTITY_ADMINISTRATOR: &str = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2";
const SECURITY_ADMINISTRATOR: &str = "194ae4cb-b126-40b2-bd5b-6091b380977d";
const SECURITY_OPERATOR: &str = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f";
const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const GLOBAL_READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";

/// Who may manage provisioning.
const PROVISIONING: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    HYBRID_IDENTITY_ADMINISTRATOR,
];
/// Who may read the logs.
const LOGS: &[&str] = &[
    GLOBAL_ADMINISTRATOR,
    APPLICATION_ADMINISTRATOR,
    CLOUD_APPLICATION_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    SECURITY_OPERATOR,
    SECURITY_READER,
    REPORTS_READER,
    GLOBAL_READER,
];

/// Whether one of a user's roles lets it use an operation.
pub fn suffice(path: &str, roles: &[String]) -> bool {
    let any = if path.contains("/synchronization") {
        PROVISIONING
    } else if path.starts_with("/auditLogs/") {
        LOGS
    } else {
        return true;
    };
    roles.iter().any(|role| any.iter().any(|one| one.eq_ignore_ascii_case(role)))
}
