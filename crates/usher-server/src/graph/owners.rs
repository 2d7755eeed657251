//! The owners of groups, applications and service principals.

use usher_core::{Entry, EntryKind, Relation};
use usher_engine::cases::related::Way;

use super::membership::{self, Related};
use crate::call::{Answer, Call};
use crate::errors::Refusal;

const OWNERS: Relation = Relation::Owners;

/// The kind of entry in each collection that has owners.
async fn found(call: &Call) -> Result<Entry, Refusal> {
    let kind = match call.collection() {
        "groups" => EntryKind::Group,
        "applications" => EntryKind::Application,
        _ => EntryKind::ServicePrincipal,
    };
    call.named(kind, call.parameter("id")).await
}

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    Related { of: &of, way: Way::Out(OWNERS), name: "owners", cast: None }.page(&call).await
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    Related { of: &of, way: Way::Out(OWNERS), name: "owners", cast: None }.counted(&call).await
}

pub async fn references(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    Related { of: &of, way: Way::Out(OWNERS), name: "owners", cast: None }.references(&call).await
}

pub async fn add(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::add(&call, &of, OWNERS).await
}

pub async fn remove(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::remove(&call, &of, OWNERS).await
}
