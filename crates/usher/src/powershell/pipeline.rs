//! Pipeline input: which parameter an item is meant for, judged by its keys.

use super::bind::Bound;
use super::parameters::{Sets, forms};
use super::record::ErrorRecord;
use super::value::{PsValue, Table};

/// The keys of an identity (`IApplicationsIdentity`).
pub const IDENTITY_KEYS: [&str; 26] = [
    "AppId",
    "AppManagementPolicyId",
    "AppRoleAssignmentId",
    "ApplicationId",
    "ApplicationTemplateId",
    "ClaimsMappingPolicyId",
    "DelegatedPermissionClassificationId",
    "DirectoryDefinitionId",
    "DirectoryAuditId",
    "DirectoryObjectId",
    "EndpointId",
    "ExtensionPropertyId",
    "FederatedIdentityCredentialId",
    "GroupId",
    "HomeRealmDiscoveryPolicyId",
    "Name",
    "OAuth2PermissionGrantId",
    "ProvisioningObjectSummaryId",
    "ServicePrincipalId",
    "SynchronizationJobId",
    "SynchronizationTemplateId",
    "TargetDeviceGroupId",
    "TokenIssuancePolicyId",
    "TokenLifetimePolicyId",
    "UniqueName",
    "UserId",
];

/// Binds one item to the parameters that take pipeline input. An item with identity keys is an InputObject,
/// one with `parameters` a BodyParameter; with both it is both, the identity's keys staying out of the body.
/// An item of neither kind whose values are texts holds Headers.
pub fn bind_item(bound: &Bound, item: &PsValue) -> Result<Bound, ErrorRecord> {
    let mut with_item = bound.clone();
    let parsed = match item {
        PsValue::Text(text) => super::json::read_json_stream(text)
            .ok()
            .filter(|documents| documents.len() == 1)
            .and_then(|mut documents| documents.pop()),
        _ => None,
    };
    let PsValue::Table(table) = parsed.as_ref().unwrap_or(item) else { return Err(unbound(bound)) };
    let is_open =
        |name: &str, sets: Sets| !bound.values.contains_key(name) && !bound.open.and(sets).is_empty();
    let cmdlet = bound.cmdlet;
    let by_identity = cmdlet.sets_that(|set| set.is_by_identity);
    let whole = cmdlet.sets_that(|set| set.is_whole);
    let both = cmdlet.sets_that(|set| set.is_by_identity && set.is_whole);
    let is_identity =
        is_open("InputObject", by_identity) && IDENTITY_KEYS.iter().any(|key| table.contains(key));
    let has_members = |of| forms(of).iter().any(|(name, _)| table.contains(name));
    let is_body = is_open("BodyParameter", whole) && cmdlet.takes().is_some_and(has_members);
    match (is_identity, is_body) {
        (true, true) if !bound.open.and(both).is_empty() => {
            with_item.add("InputObject", PsValue::Table(table.clone()))?;
            with_item.add("BodyParameter", PsValue::Table(without_identity(table)))?;
        }
        (_, true) => with_item.add("BodyParameter", PsValue::Table(table.clone()))?,
        (true, false) => with_item.add("InputObject", PsValue::Table(table.clone()))?,
        (false, false) if !bound.values.contains_key("Headers") && holds_headers(table) => {
            with_item.add("Headers", PsValue::Table(table.clone()))?;
        }
        _ => return Err(unbound(bound)),
    }
    Ok(with_item)
}

fn holds_headers(table: &Table) -> bool {
    let is_text = |value: &PsValue| matches!(value, PsValue::Text(_));
    !table.is_empty()
        && table.iter().all(|(_, value)| match value {
            PsValue::List(items) => items.iter().all(is_text),
            single => is_text(single),
        })
}

fn without_identity(table: &Table) -> Table {
    let is_identity = |key: &str| IDENTITY_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    table
        .iter()
        .filter(|(key, _)| !is_identity(key))
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}

fn unbound(bound: &Bound) -> ErrorRecord {
    let text = "The input object cannot be bound to any parameters for the command either because the command does not take pipeline input or the input and its properties do not match any of the parameters that take pipeline input.";
    ErrorRecord::binding(bound.cmdlet, "InputObjectNotBound", text)
}
