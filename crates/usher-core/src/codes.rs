//! The register of error codes and skip reasons that a subject can end with. Each has a page in docs/errors.

/// A code of the provisioning log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The published name.
    pub code: &'static str,
    /// What happened, in a few words.
    pub summary: &'static str,
    /// It says why a subject was left out, not that something failed.
    pub is_skip: bool,
}

/// All codes, in alphabetical order.
pub const CODES: &[Code] = &[
    Code {
        code: "AttributeValidationFailed",
        summary: "A required target attribute has no usable value",
        is_skip: true,
    },
    Code { code: "Conflict", summary: "The target changed, or holds a conflicting object", is_skip: false },
    Code {
        code: "DuplicateSourceEntries",
        summary: "Two source objects claim the same target object",
        is_skip: false,
    },
    Code { code: "DuplicateTargetEntries", summary: "Several target objects match", is_skip: false },
    Code {
        code: "EntryConflict",
        summary: "The target has an object with the same unique value",
        is_skip: false,
    },
    Code { code: "EntryNotFound", summary: "The source does not have the subject", is_skip: false },
    Code {
        code: "EntrySynchronizationSkipped",
        summary: "The mapping says to leave the object out",
        is_skip: true,
    },
    Code { code: "ImportSkipped", summary: "No matching attribute has a value", is_skip: true },
    Code { code: "InsufficientRights", summary: "The credentials lack a right", is_skip: false },
    Code { code: "InternalServerError", summary: "The target failed", is_skip: false },
    Code { code: "InvalidAnchor", summary: "The paired target object is gone", is_skip: false },
    Code { code: "InvalidExpression", summary: "A mapping's expression failed", is_skip: false },
    Code { code: "MethodNotAllowed", summary: "The target does not allow the method", is_skip: false },
    Code { code: "NotEffectivelyEntitled", summary: "The subject is not in scope", is_skip: true },
    Code { code: "NotImplemented", summary: "The target does not know the operation", is_skip: false },
    Code { code: "RedundantExport", summary: "Source and target are the same already", is_skip: true },
    Code { code: "SchemaPropertyCanOnlyAcceptValue", summary: "The target refuses a value", is_skip: false },
    Code { code: "StagedDelete", summary: "The deletion guard held it back", is_skip: true },
    Code {
        code: "SystemForCrossDomainIdentityManagementBadResponse",
        summary: "The target's answer cannot be read",
        is_skip: false,
    },
    Code {
        code: "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable",
        summary: "The connection test could not be judged",
        is_skip: false,
    },
    Code {
        code: "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse",
        summary: "A list came where one object was asked for",
        is_skip: false,
    },
    Code {
        code: "SystemForCrossDomainIdentityManagementServiceIncompatible",
        summary: "The target does not speak SCIM as it should",
        is_skip: false,
    },
    Code { code: "Timeout", summary: "No answer in time", is_skip: false },
    Code { code: "TooManyRequests", summary: "The target throttles", is_skip: false },
    Code {
        code: "UnableToResolveReferenceAttributeValue",
        summary: "A reference points to nobody known",
        is_skip: true,
    },
    Code { code: "Unauthorized", summary: "The credentials are wrong", is_skip: false },
    Code { code: "UnprocessableEntity", summary: "The target understood, but refuses", is_skip: false },
    Code { code: "WebExceptionProtocolError", summary: "The connection broke", is_skip: false },
];

/// The code with this name.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
