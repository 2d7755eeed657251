//! The operations of the API: one table makes the router, and the test that calls each without a token.

mod application_templates;
mod applications;
mod assignments;
mod groups;
mod jobs;
mod links;
mod logs;
mod schemas;
mod secrets;
mod service_principals;
mod templates;
mod users;

use crate::operation::Operation;
use crate::permissions::OWNED_BY;

/// The operations by what they work on.
const RESOURCES: &[&[Operation]] = &[
    application_templates::OPERATIONS,
    applications::OPERATIONS,
    assignments::OPERATIONS,
    groups::OPERATIONS,
    jobs::OPERATIONS,
    logs::OPERATIONS,
    schemas::OPERATIONS,
    secrets::OPERATIONS,
    service_principals::OPERATIONS,
    templates::OPERATIONS,
    users::OPERATIONS,
];

/// All operations.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    RESOURCES.iter().copied().flatten()
}

/// Every permission that some operation asks for, in alphabetical order.
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<&str> =
        operations().flat_map(|operation| operation.permissions).copied().chain([OWNED_BY]).collect();
    all.sort_unstable();
    all.dedup();
    all
}
