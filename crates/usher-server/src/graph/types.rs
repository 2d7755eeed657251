//! The types of bodies, as our description of the API tells them.

use crate::odata::Collection;

/// The form of a value.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Integer,
    /// An instant, ISO 8601 in UTC.
    Instant,
    /// A span of time, ISO 8601.
    Span,
    /// A GUID.
    Guid,
    /// One of these words, or several with commas between.
    Words(&'static [&'static str]),
    /// Any JSON value.
    Any,
    /// An object of a type.
    One(&'static Type),
    /// A list.
    Many(&'static Form),
    /// The form, or null.
    Maybe(&'static Form),
}

/// The members of a type.
#[derive(Clone, Copy, Debug)]
pub enum Members {
    /// The parameters of an action; there are no others.
    Exactly(&'static [(&'static str, Form)]),
    /// Told here.
    Listed(&'static [(&'static str, Form)]),
    /// Those of a collection of directory objects.
    Of(&'static Collection),
    /// Any.
    Open,
}

/// A type of bodies.
#[derive(Debug)]
pub struct Type {
    /// The name, as Graph calls it.
    pub name: &'static str,
    /// Its members.
    pub members: Members,
}

impl Type {
    /// The members that are told here.
    pub fn listed(&self) -> &'static [(&'static str, Form)] {
        match self.members {
            Exactly(known) | Listed(known) => known,
            Of(_) | Open => &[],
        }
    }

    /// The media type that a body of it is sent as.
    pub fn media(&self) -> &'static str {
        if self.name == "bulkRequest" { "application/scim+json" } else { "application/json" }
    }
}

use Form::{Any, Flag, Guid, Instant, Integer, Many, Maybe, One, Span, Text, Words};
use Members::{Exactly, Listed, Of, Open};

const TEXT: Form = Maybe(&Text);
const WHEN: Form = Maybe(&Instant);
const ATTRIBUTE_TYPE: Form = Words(&["String", "Integer", "Reference", "Binary", "Boolean", "DateTime"]);

macro_rules! types {
    ($($constant:ident $name:literal $members:expr;)*) => {
        $(pub static $constant: Type = Type { name: $name, members: $members };)*
        static ALL: &[&Type] = &[$(&$constant),*];
    };
}

/// All types.
pub fn all() -> &'static [&'static Type] {
    ALL
}

types! {
    USER "user" Of(&super::users::USERS);
    GROUP "group" Of(&super::groups::GROUPS);
    CONTACT "orgContact" Of(&super::contacts::CONTACTS);
    APPLICATION "application" Of(&super::applications::APPLICATIONS);
    SERVICE_PRINCIPAL "servicePrincipal" Of(&super::service_principals::PRINCIPALS);
    DIRECTORY_OBJECT "directoryObject" Open;
    REFERENCE "reference" Listed(&[("@odata.id", Text)]);
    TEXT_REFERENCE "stringCollection" Open;
    GROUP_ID "groupId" Open;
    IDS "ids" Exactly(&[("ids", Many(&Text)), ("types", Maybe(&Many(&Text)))]);
    GROUP_IDS "groupIds" Exactly(&[("groupIds", Many(&Text))]);
    SECURITY_ONLY "memberGroupsQuery" Exactly(&[("securityEnabledOnly", Flag)]);
    NEW_PASSWORD "newPassword" Exactly(&[("passwordCredential", Maybe(&One(&PASSWORD)))]);
    OLD_PASSWORD "oldPassword" Exactly(&[("keyId", Guid)]);
    PASSWORD "passwordCredential" Listed(&[
        ("customKeyIdentifier", TEXT), ("displayName", TEXT), ("startDateTime", WHEN), ("endDateTime", WHEN),
        ("hint", TEXT), ("keyId", Maybe(&Guid)), ("secretText", TEXT),
    ]);
    APPLICATION_TEMPLATE "applicationTemplate" Listed(&[
        ("id", Text), ("displayName", TEXT), ("homePageUrl", TEXT), ("supportedSingleSignOnModes", Many(&Text)),
        ("supportedProvisioningTypes", Many(&Text)), ("logoUrl", TEXT), ("categories", Many(&Text)),
        ("publisher", TEXT), ("description", TEXT),
    ]);
    NAME "instantiation" Listed(&[("displayName", Text)]);
    INSTANCE "applicationServicePrincipal" Listed(&[
        ("application", One(&APPLICATION)), ("servicePrincipal", One(&SERVICE_PRINCIPAL)),
    ]);
    ASSIGNMENT "appRoleAssignment" Listed(&[
        ("id", Text), ("deletedDateTime", WHEN), ("appRoleId", Guid), ("createdDateTime", WHEN),
        ("principalDisplayName", TEXT), ("principalId", Maybe(&Guid)), ("principalType", TEXT),
        ("resourceDisplayName", TEXT), ("resourceId", Maybe(&Guid)),
    ]);
    EXTENSION "extensionProperty" Listed(&[
        ("id", Text), ("deletedDateTime", WHEN), ("name", Text), ("dataType", Text), ("appDisplayName", TEXT),
        ("isMultiValued", Flag), ("isSyncedFromOnPremises", Maybe(&Flag)), ("targetObjects", Many(&Text)),
    ]);
    SYNCHRONIZATION "synchronization" Listed(&[
        ("id", Text), ("secrets", Many(&One(&SECRET))), ("jobs", Many(&One(&JOB))),
        ("templates", Many(&One(&TEMPLATE))),
    ]);
    PING "ping" Listed(&[("value", Text)]);
    SECRET "synchronizationSecretKeyStringValuePair" Listed(&[("key", Text), ("value", TEXT)]);
    SECRETS "secrets" Exactly(&[("value", Many(&One(&SECRET)))]);
    CREDENTIALS "credentials" Exactly(&[("credentials", Maybe(&Many(&One(&SECRET))))]);
    VALIDATION "validateCredentials" Exactly(&[
        ("applicationIdentifier", TEXT), ("templateId", TEXT), ("useSavedCredentials", Maybe(&Flag)),
        ("credentials", Maybe(&Many(&One(&SECRET)))),
    ]);
    METADATA "metadataEntry" Listed(&[("key", TEXT), ("value", TEXT)]);
    TEMPLATE "synchronizationTemplate" Listed(&[
        ("id", Text), ("applicationId", Guid), ("default", Flag), ("description", TEXT), ("discoverable", Flag),
        ("factoryTag", TEXT), ("metadata", Maybe(&Many(&One(&METADATA)))), ("schema", Maybe(&One(&SCHEMA))),
    ]);
    SETTING "keyValuePair" Listed(&[("name", Text), ("value", TEXT)]);
    JOB "synchronizationJob" Listed(&[
        ("id", Text), ("templateId", TEXT), ("schedule", Maybe(&One(&SCHEDULE))), ("status", Maybe(&One(&STATUS))),
        ("synchronizationJobSettings", Maybe(&Many(&One(&SETTING)))), ("schema", Maybe(&One(&SCHEMA))),
        ("bulkUpload", Maybe(&One(&BULK))),
    ]);
    BULK "bulkUpload" Listed(&[("id", Text)]);
    BULK_REQUEST "bulkRequest" Listed(&[
        ("schemas", Many(&Text)), ("Operations", Many(&One(&BULK_OPERATION))), ("failOnErrors", Maybe(&Integer)),
    ]);
    BULK_OPERATION "bulkOperation" Listed(&[("method", Text), ("bulkId", Text), ("path", Text), ("data", Any)]);
    SCHEDULE "synchronizationSchedule" Listed(&[
        ("expiration", WHEN), ("interval", Span), ("state", Words(&["Active", "Disabled", "Paused"])),
    ]);
    STATUS "synchronizationStatus" Listed(&[
        ("countSuccessiveCompleteFailures", Integer), ("escrowsPruned", Flag),
        ("code", Words(&["NotConfigured", "NotRun", "Active", "Paused", "Quarantine"])),
        ("lastExecution", Maybe(&One(&EXECUTION))), ("lastSuccessfulExecution", Maybe(&One(&EXECUTION))),
        ("lastSuccessfulExecutionWithExports", Maybe(&One(&EXECUTION))),
        ("progress", Many(&One(&PROGRESS))), ("quarantine", Maybe(&One(&QUARANTINE))),
        ("steadyStateFirstAchievedTime", Instant), ("steadyStateLastAchievedTime", Instant),
        ("synchronizedEntryCountByType", Many(&One(&COUNT_BY_TYPE))), ("troubleshootingUrl", TEXT),
    ]);
    EXECUTION "synchronizationTaskExecution" Listed(&[
        ("activityIdentifier", TEXT), ("countEntitled", Integer), ("countEntitledForProvisioning", Integer),
        ("countEscrowed", Integer), ("countEscrowedRaw", Integer), ("countExported", Integer),
        ("countExports", Integer), ("countImported", Integer), ("countImportedDeltas", Integer),
        ("countImportedReferenceDeltas", Integer), ("error", Maybe(&One(&RUN_ERROR))),
        ("state", Words(&["Succeeded", "Failed", "EntryLevelErrors"])), ("timeBegan", Instant),
        ("timeEnded", Instant),
    ]);
    PROGRESS "synchronizationProgress" Listed(&[
        ("completedUnits", Integer), ("totalUnits", Integer), ("progressObservationDateTime", Instant),
        ("units", TEXT),
    ]);
    RUN_ERROR "synchronizationError" Listed(&[("code", TEXT), ("message", TEXT), ("tenantActionable", Flag)]);
    QUARANTINE "synchronizationQuarantine" Listed(&[
        ("currentBegan", Instant), ("nextAttempt", Instant), ("seriesBegan", Instant), ("seriesCount", Integer),
        ("error", Maybe(&One(&RUN_ERROR))), ("reason", Text),
    ]);
    COUNT_BY_TYPE "stringKeyLongValuePair" Listed(&[("key", Text), ("value", Integer)]);
    RESTART "restart" Exactly(&[("criteria", Maybe(&One(&CRITERIA)))]);
    CRITERIA "synchronizationJobRestartCriteria" Listed(&[("resetScope", TEXT)]);
    ON_DEMAND "provisionOnDemand" Listed(&[("parameters", Many(&One(&PARAMETERS)))]);
    PARAMETERS "synchronizationJobApplicationParameters" Listed(&[
        ("ruleId", Text), ("subjects", Many(&One(&SUBJECT))),
    ]);
    SUBJECT "synchronizationJobSubject" Listed(&[
        ("objectId", Text), ("objectTypeName", Text), ("links", Maybe(&One(&LINKS))),
    ]);
    LINKS "synchronizationLinkedObjects" Listed(&[
        ("manager", Maybe(&One(&SUBJECT))), ("members", Maybe(&Many(&One(&SUBJECT)))),
        ("owners", Maybe(&Many(&One(&SUBJECT)))),
    ]);
    PLAN_REQUEST "usher.planRequest" Exactly(&[
        ("parameters", Maybe(&Many(&One(&PARAMETERS)))), ("cycle", Maybe(&Flag)), ("drift", Maybe(&Flag)),
        ("explain", Maybe(&Flag)),
    ]);
    PLAN "usher.plan" Listed(&[
        ("id", Text), ("createdDateTime", Instant),
        ("state", Words(&["planned", "applying", "stopped", "incomplete", "applied"])), ("appliedObjects", Integer),
        ("hasChanges", Flag), ("extent", Any), ("counts", Any), ("guard", Any), ("document", Any),
    ]);
    PLAN_APPLICATION "usher.planApplication" Exactly(&[("document", Maybe(&Any))]);
    APPLIED "usher.appliedPlan" Listed(&[
        ("plan", Text), ("state", Words(&["stopped", "incomplete", "applied"])), ("objects", Many(&Any)),
        ("done", Integer), ("total", Integer), ("counts", Any),
    ]);
    RECORDING "usher.recording" Listed(&[
        ("id", Text), ("recordedDateTime", Instant), ("schema", Text), ("person", Any), ("explanation", Any),
        ("requests", Many(&Any)),
    ]);
    EXCHANGES "usher.exchanges" Listed(&[("id", Text), ("requests", Many(&Any))]);
    PAIR "stringKeyStringValuePair" Listed(&[("key", TEXT), ("value", TEXT)]);
    SCHEMA "synchronizationSchema" Listed(&[
        ("id", TEXT), ("version", TEXT), ("synchronizationRules", Many(&One(&RULE))),
        ("directories", Many(&One(&DIRECTORY))),
    ]);
    RULE "synchronizationRule" Listed(&[
        ("id", TEXT), ("name", TEXT), ("editable", Flag), ("priority", Integer), ("sourceDirectoryName", TEXT),
        ("targetDirectoryName", TEXT), ("objectMappings", Maybe(&Many(&One(&MAPPING)))),
        ("metadata", Maybe(&Many(&One(&METADATA)))), ("containerFilter", Maybe(&One(&CONTAINERS))),
        ("groupFilter", Maybe(&One(&FILTER_GROUPS))),
    ]);
    CONTAINERS "containerFilter" Listed(&[("includedContainers", Maybe(&Many(&Text)))]);
    FILTER_GROUPS "groupFilter" Listed(&[("includedGroups", Maybe(&Many(&Text)))]);
    MAPPING "objectMapping" Listed(&[
        ("name", TEXT), ("enabled", Flag), ("flowTypes", Text), ("sourceObjectName", TEXT),
        ("targetObjectName", TEXT), ("scope", Maybe(&One(&FILTER))),
        ("attributeMappings", Maybe(&Many(&One(&ATTRIBUTE_MAPPING)))),
        ("metadata", Maybe(&Many(&One(&METADATA)))),
    ]);
    FILTER "filter" Listed(&[
        ("groups", Maybe(&Many(&One(&FILTER_GROUP)))), ("inputFilterGroups", Maybe(&Many(&One(&FILTER_GROUP)))),
        ("categoryFilterGroups", Maybe(&Many(&One(&FILTER_GROUP)))),
    ]);
    FILTER_GROUP "filterGroup" Listed(&[("name", TEXT), ("clauses", Maybe(&Many(&One(&CLAUSE))))]);
    CLAUSE "filterClause" Listed(&[
        ("sourceOperandName", TEXT), ("operatorName", TEXT), ("targetOperand", Maybe(&One(&OPERAND))),
    ]);
    OPERAND "filterOperand" Listed(&[("values", Maybe(&Many(&Text)))]);
    ATTRIBUTE_MAPPING "attributeMapping" Listed(&[
        ("targetAttributeName", TEXT), ("source", Maybe(&One(&SOURCE))), ("defaultValue", TEXT),
        ("matchingPriority", Integer), ("flowType", Text), ("flowBehavior", Text),
        ("exportMissingReferences", Flag),
    ]);
    SOURCE "attributeMappingSource" Listed(&[
        ("type", Text), ("name", TEXT), ("expression", TEXT), ("parameters", Maybe(&Many(&One(&SOURCE_PARAMETER)))),
    ]);
    SOURCE_PARAMETER "stringKeyAttributeMappingSourceValuePair" Listed(&[
        ("key", TEXT), ("value", Maybe(&One(&SOURCE))),
    ]);
    DIRECTORY "directoryDefinition" Listed(&[
        ("id", Text), ("name", TEXT), ("objects", Maybe(&Many(&One(&OBJECT)))), ("discoverabilities", Text),
        ("discoveryDateTime", WHEN), ("readOnly", Flag), ("version", TEXT),
    ]);
    OBJECT "objectDefinition" Listed(&[
        ("name", TEXT), ("attributes", Maybe(&Many(&One(&ATTRIBUTE)))), ("supportedApis", Maybe(&Many(&Text))),
        ("metadata", Maybe(&Many(&One(&METADATA)))),
    ]);
    ATTRIBUTE "attributeDefinition" Listed(&[
        ("name", TEXT), ("type", Text), ("anchor", Flag), ("caseExact", Flag), ("required", Flag),
        ("multivalued", Flag), ("mutability", Text), ("flowNullValues", Flag), ("defaultValue", TEXT),
        ("referencedObjects", Maybe(&Many(&One(&REFERENCED)))), ("apiExpressions", Maybe(&Many(&One(&PAIR)))),
        ("metadata", Maybe(&Many(&One(&METADATA)))),
    ]);
    REFERENCED "referencedObject" Listed(&[("referencedObjectName", TEXT), ("referencedProperty", TEXT)]);
    OPERATOR "filterOperatorSchema" Listed(&[
        ("id", Text), ("arity", Words(&["Binary", "Unary"])),
        ("multivaluedComparisonType", Words(&["All", "Any"])), ("supportedAttributeTypes", Many(&ATTRIBUTE_TYPE)),
    ]);
    FUNCTION "attributeMappingFunctionSchema" Listed(&[
        ("id", Text), ("parameters", Many(&One(&FUNCTION_PARAMETER))),
    ]);
    FUNCTION_PARAMETER "attributeMappingParameterSchema" Listed(&[
        ("name", Text), ("type", ATTRIBUTE_TYPE), ("required", Flag), ("allowMultipleOccurrences", Flag),
    ]);
    EXPRESSION "parseExpression" Exactly(&[
        ("expression", Text), ("testInputObject", Maybe(&Any)), ("targetAttributeDefinition", Maybe(&Any)),
    ]);
    PARSED "parseExpressionResponse" Listed(&[
        ("parsingSucceeded", Flag), ("evaluationSucceeded", Flag), ("evaluationResult", Many(&Text)),
        ("parsedExpression", Maybe(&One(&SOURCE))), ("error", Maybe(&One(&PUBLIC_ERROR))),
    ]);
    PUBLIC_ERROR "publicError" Listed(&[
        ("code", TEXT), ("message", TEXT), ("target", TEXT), ("details", Any), ("innerError", Any),
    ]);
    EVENT "provisioningObjectSummary" Listed(&[
        ("id", Text), ("activityDateTime", Instant), ("provisioningAction", Text), ("jobId", Text),
        ("durationInMilliseconds", Integer), ("tenantId", Text), ("cycleId", Text), ("changeId", Text),
        ("initiatedBy", One(&INITIATOR)), ("servicePrincipal", One(&EVENT_PRINCIPAL)),
        ("sourceIdentity", One(&EVENT_IDENTITY)), ("targetIdentity", One(&EVENT_IDENTITY)),
        ("sourceSystem", One(&EVENT_SYSTEM)), ("targetSystem", One(&EVENT_SYSTEM)),
        ("provisioningStatusInfo", One(&EVENT_STATUS)), ("provisioningSteps", Many(&One(&EVENT_STEP))),
        ("modifiedProperties", Many(&One(&MODIFIED))), ("action", Text), ("statusInfo", Any),
    ]);
    INITIATOR "initiator" Listed(&[("id", TEXT), ("displayName", TEXT), ("initiatorType", TEXT)]);
    EVENT_PRINCIPAL "provisioningServicePrincipal" Listed(&[("id", TEXT), ("displayName", TEXT)]);
    EVENT_IDENTITY "provisionedIdentity" Listed(&[
        ("id", TEXT), ("displayName", TEXT), ("identityType", TEXT), ("details", Any),
    ]);
    EVENT_SYSTEM "provisioningSystem" Listed(&[("id", TEXT), ("displayName", TEXT), ("details", Any)]);
    EVENT_STATUS "provisioningStatusInfo" Listed(&[
        ("status", Text), ("errorInformation", Maybe(&One(&EVENT_ERROR))),
    ]);
    EVENT_ERROR "provisioningErrorInfo" Listed(&[
        ("errorCode", TEXT), ("reason", TEXT), ("additionalDetails", TEXT), ("errorCategory", TEXT),
        ("recommendedAction", TEXT),
    ]);
    EVENT_STEP "provisioningStep" Listed(&[
        ("name", TEXT), ("provisioningStepType", Text), ("status", Text), ("description", TEXT), ("details", Any),
    ]);
    MODIFIED "modifiedProperty" Listed(&[("displayName", TEXT), ("oldValue", TEXT), ("newValue", TEXT)]);
    AUDIT "directoryAudit" Listed(&[
        ("id", Text), ("activityDateTime", Instant), ("activityDisplayName", Text), ("operationType", TEXT),
        ("result", Text), ("category", Text), ("correlationId", TEXT), ("resultReason", TEXT),
        ("loggedByService", TEXT), ("initiatedBy", Any), ("targetResources", Any), ("additionalDetails", Any),
    ]);
}
