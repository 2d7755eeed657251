//! The cmdlets: one record each.

use super::syntax::is_dash;

/// A cmdlet of the Graph SDK that this program has.
#[derive(Debug, PartialEq, Eq)]
pub struct Cmdlet {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The version of the API it calls: the first segment of the path.
    pub version: &'static str,
    /// The collection its object lives in: the second segment.
    pub segment: &'static str,
    /// What stands for the object's id in the published path.
    pub placeholder: &'static str,
    /// The parameter, and the key of an identity, that names the object.
    pub id_parameter: &'static str,
    /// What the id is.
    pub id_meaning: &'static str,
    /// The namespace of its types, up to `.Models`.
    pub namespace: &'static str,
    /// The name of its body's type.
    pub body_type: &'static str,
}

/// The table of cmdlets.
pub const CMDLETS: [Cmdlet; 4] = [
    Cmdlet {
        name: "New-MgApplicationSynchronizationJobOnDemand",
        summary: "Provisions one subject of an application's synchronization job now.",
        version: "v1.0",
        segment: "applications",
        placeholder: "application-id",
        id_parameter: "ApplicationId",
        id_meaning: "The object id of the application (not its appId).",
        namespace: "Microsoft.Graph.PowerShell",
        body_type: APPLICATION_BODY,
    },
    Cmdlet {
        name: "New-MgServicePrincipalSynchronizationJobOnDemand",
        summary: "Provisions one subject of a service principal's synchronization job now.",
        version: "v1.0",
        segment: "servicePrincipals",
        placeholder: "servicePrincipal-id",
        id_parameter: "ServicePrincipalId",
        id_meaning: "The object id of the service principal (not its appId).",
        namespace: "Microsoft.Graph.PowerShell",
        body_type: SERVICE_PRINCIPAL_BODY,
    },
    Cmdlet {
        name: "New-MgBetaApplicationSynchronizationJobOnDemand",
        summary: "Provisions one subject of an application's synchronization job now (beta).",
        version: "beta",
        segment: "applications",
        placeholder: "application-id",
        id_parameter: "ApplicationId",
        id_meaning: "The object id of the application (not its appId).",
        namespace: "Microsoft.Graph.Beta.PowerShell",
        body_type: APPLICATION_BODY,
    },
    Cmdlet {
        name: "New-MgBetaServicePrincipalSynchronizationJobOnDemand",
        summary: "Provisions one subject of a service principal's synchronization job now (beta).",
        version: "beta",
        segment: "servicePrincipals",
        placeholder: "servicePrincipal-id",
        id_parameter: "ServicePrincipalId",
        id_meaning: "The object id of the service principal (not its appId).",
        namespace: "Microsoft.Graph.Beta.PowerShell",
        body_type: SERVICE_PRINCIPAL_BODY,
    },
];

// The generated names of the two body types carry a checksum in the original; the speaking part is enough here.
const APPLICATION_BODY: &str =
    "IPathsApplicationsSynchronizationJobsProvisionondemandPostRequestbodyContentApplicationJsonSchema";
const SERVICE_PRINCIPAL_BODY: &str =
    "IPathsServiceprincipalsSynchronizationJobsProvisionondemandPostRequestbodyContentApplicationJsonSchema";

impl Cmdlet {
    /// The method and path as published, with placeholders: the target of `-WhatIf` and `-Confirm`.
    pub fn template(&self) -> String {
        format!(
            "POST /{}/{{{}}}/synchronization/jobs/{{synchronizationJob-id}}/microsoft.graph.provisionOnDemand",
            self.segment, self.placeholder
        )
    }

    /// The name of the class behind the cmdlet and a parameter set, as error ids carry it.
    pub fn class_name(&self, set: &str) -> String {
        format!("{}.Cmdlets.{}_{set}", self.namespace, self.name.replace('-', ""))
    }

    /// The full name of one of its model types.
    pub fn model(&self, name: &str) -> String {
        format!("{}.Models.{name}", self.namespace)
    }
}

/// Finds a cmdlet by name: case does not matter, any dash will do, and the module's name may stand in front.
pub fn find_cmdlet(name: &str) -> Option<&'static Cmdlet> {
    let bare = name.rsplit('\\').next().unwrap_or(name);
    let plain: String =
        bare.chars().map(|character| if is_dash(character) { '-' } else { character }).collect();
    CMDLETS.iter().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(&plain))
}
