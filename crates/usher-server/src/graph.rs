//! The operations of the API: one line a resource. The table makes the router, the permission tests, the API
//! description and the cmdlets.

mod application_templates;
mod applications;
mod assignments;
mod audits;
mod contacts;
mod deleted_items;
mod directory_objects;
mod entries;
mod groups;
mod jobs;
mod logs;
mod membership;
mod on_demand;
mod operation;
mod owners;
mod passwords;
mod permissions;
mod plans;
mod recordings;
pub mod routes;
mod schemas;
mod secrets;
mod service_principals;
mod status;
mod synchronization;
mod templates;
pub mod types;
mod uploads;
mod users;

pub use applications::APPLICATIONS;
pub use assignments::view as assignment_view;
pub use contacts::CONTACTS;
pub use groups::GROUPS;
pub use operation::{Gives, Operation};
pub use service_principals::PRINCIPALS;
pub use users::USERS;

const TABLES: &[&[Operation]] = &[
    users::OPERATIONS,
    groups::OPERATIONS,
    contacts::OPERATIONS,
    applications::OPERATIONS,
    service_principals::OPERATIONS,
    directory_objects::OPERATIONS,
    deleted_items::OPERATIONS,
    application_templates::OPERATIONS,
    synchronization::OPERATIONS,
    templates::OPERATIONS,
    jobs::OPERATIONS,
    on_demand::OPERATIONS,
    plans::OPERATIONS,
    recordings::OPERATIONS,
    uploads::OPERATIONS,
    schemas::OPERATIONS,
    secrets::OPERATIONS,
    logs::OPERATIONS,
    audits::OPERATIONS,
];

/// All operations.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    TABLES.iter().copied().flatten()
}

/// Every permission that some operation asks for, in alphabetical order.
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<&str> = operations()
        .flat_map(|operation| operation.permissions.iter().copied().chain(operation.owner_permission))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
