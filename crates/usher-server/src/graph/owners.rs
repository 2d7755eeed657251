//! The owners of groups, applications and service principals.

use usher_core::Relation;
use usher_engine::cases::related::Way;

use super::entries::{counted, found, related};
use super::membership::{self, Related};
use crate::call::{Answer, Call};
use crate::errors::Refusal;

const OWNERS: Relation = Relation::Owners;

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::Out(OWNERS), "owners", None).await
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::Out(OWNERS), "owners", None).await
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
