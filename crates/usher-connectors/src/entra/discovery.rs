//! The directory extensions of a tenant: attributes that applications have added.

use serde_json::{Value as Json, json};
use usher_core::ports::PreparedRequest;

use super::answer::{self, Refusal};
use super::service::Service;

/// The names of the extensions of users and of groups. Whoever may not ask sees none.
pub(super) async fn extensions(service: &Service) -> Result<Vec<(String, Vec<String>)>, Refusal> {
    let request = PreparedRequest {
        method: "POST".into(),
        path: "/directoryObjects/getAvailableExtensionProperties".to_owned(),
        body: Some(json!({})),
    };
    let found = match service.document(&request).await {
        Ok(document) => answer::page(&request, document)?.values,
        Err(refusal) if matches!(refusal.status, Some(400 | 403 | 404 | 405 | 501)) => {
            tracing::info!(
                detail = refusal.error.detail,
                "the tenant does not list its directory extensions"
            );
            Vec::new()
        }
        Err(refusal) => return Err(refusal),
    };
    Ok(found
        .iter()
        .filter_map(|extension| {
            let name = extension.get("name").and_then(Json::as_str)?.to_owned();
            let targets = extension.get("targetObjects").and_then(Json::as_array)?;
            Some((name, targets.iter().filter_map(Json::as_str).map(str::to_owned).collect()))
        })
        .collect())
}
