//! Identifiers, each its own type, so that one cannot stand where another is meant.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// Takes the text as it stands.
            pub fn new(text: impl Into<SmolStr>) -> Self {
                Self(text.into())
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// Names a synchronization job: `{templateId}.{tenant id without dashes}.{guid}`; not a GUID.
    JobId
}
identifier! {
    /// Names a synchronization rule of a schema, such as `33f7c90d-…#V2`.
    RuleId
}
identifier! {
    /// Names an entry of the directory inside: user, group, application or service principal. A GUID in lower case.
    EntryId
}
identifier! {
    /// An object's unchanging identifier in its directory (`objectId`, `objectGUID`, SCIM `id`, `WID`).
    Anchor
}
identifier! {
    /// Names one app role assignment.
    AssignmentId
}
