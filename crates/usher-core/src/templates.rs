//! Ready-made pairs of directories: the templates that synchronization jobs are made from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::schema::{self, Schema};

/// A synchronization template: a pair of connectors with a default schema.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The id; job ids begin with it.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// Which implementation runs it (Graph `factoryTag`).
    pub factory_tag: &'static str,
    /// The kind of the source connector.
    pub source: &'static str,
    /// The kind of the target connector.
    pub target: &'static str,
    /// The recommended template of its application.
    pub is_default: bool,
    /// The interval of new jobs, an ISO 8601 duration.
    pub interval: &'static str,
    /// Settings of new jobs, by name.
    pub settings: &'static [(&'static str, &'static str)],
    /// Scoping filters count on demand. They do not from Active Directory to Entra ID.
    pub scoping_on_demand: bool,
    /// The secrets to ask for: Graph key, and whether it is sensitive.
    pub fields: &'static [(&'static str, bool)],
    document: &'static str,
}

impl Template {
    /// The default schema.
    pub fn schema(&self) -> Schema {
        static READ: Mutex<BTreeMap<&str, Schema>> = Mutex::new(BTreeMap::new());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let mut schema = read
            .entry(self.document)
            .or_insert_with(|| {
                schema::read(self.document.as_bytes()).schema.expect("a test reads and checks every template")
            })
            .clone();
        schema.id = Some(format!("{}.{}", self.id, "0".repeat(32)));
        schema
    }
}

const SCIM: &str = include_str!("templates/scim.json");
const API: &str = include_str!("templates/api.json");
const AD: &str = include_str!("templates/ad.json");
const AD_ENTRA: &str = include_str!("templates/ad-entra.json");
const SETTINGS: &[(&str, &str)] =
    &[("AzureIngestionAttributeOptimization", "False"), ("LookaheadQueryEnabled", "False")];
const LDAP_FIELDS: &[(&str, bool)] = &[("BaseAddress", false), ("UserName", false), ("Password", true)];
const WORKDAY_ENTRA_21: &str = include_str!("templates/workday-entra-v21.json");
const WORKDAY_ENTRA_30: &str = include_str!("templates/workday-entra-v30.json");
const WORKDAY_AD_21: &str = include_str!("templates/workday-ad-v21.json");
const WORKDAY_AD_30: &str = include_str!("templates/workday-ad-v30.json");
const WORKDAY_FIELDS: &[(&str, bool)] = &[("BaseAddress", false), ("UserName", false), ("Password", true)];
const WORKDAY_AD_FIELDS: &[(&str, bool)] = &[
    ("Source.BaseAddress", false),
    ("Source.UserName", false),
    ("Source.Password", true),
    ("Target.BaseAddress", false),
    ("Target.UserName", false),
    ("Target.Password", true),
];
const ENTRA_SCIM_FIELDS: &[(&str, bool)] = &[
    ("TenantId", false),
    ("ClientId", false),
    ("ClientSecret", true),
    ("ServicePrincipalId", false),
    ("BaseAddress", false),
    ("SecretToken", true),
];
const ENTRA_TARGET_FIELDS: &[(&str, bool)] = &[
    ("BaseAddress", false),
    ("UserName", false),
    ("Password", true),
    ("TenantId", false),
    ("ClientId", false),
    ("ClientSecret", true),
];
const SCIM_FIELDS: &[(&str, bool)] = &[("BaseAddress", false), ("SecretToken", true)];

const TEMPLATES: &[Template] = &[
    Template {
        id: "scim",
        name: "Directory to SCIM application",
        description: "The directory inside to a SCIM 2.0 application",
        factory_tag: "scim",
        source: "directory",
        target: "scim",
        is_default: true,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: SCIM_FIELDS,
        document: SCIM,
    },
    Template {
        id: "customappsso",
        name: "Directory to SCIM application (older)",
        description: "The same under the name of older applications",
        factory_tag: "customappsso",
        source: "directory",
        target: "scim",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: SCIM_FIELDS,
        document: SCIM,
    },
    Template {
        id: "API2AAD",
        name: "API-driven provisioning to the directory",
        description: "People that a client uploads to the directory inside",
        factory_tag: "API2AAD",
        source: "api",
        target: "directory",
        is_default: false,
        // What was uploaded shall not wait; a run without anything new costs next to nothing.
        interval: "PT1M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: &[],
        document: API,
    },
    Template {
        id: "AD2AADProvisioning",
        name: "Active Directory to the directory",
        description: "Users and groups of Active Directory to the directory inside",
        factory_tag: "AD2AADProvisioning",
        source: "ldap",
        target: "directory",
        is_default: false,
        interval: "PT2M",
        settings: SETTINGS,
        scoping_on_demand: false,
        fields: LDAP_FIELDS,
        document: AD,
    },
    Template {
        id: "Workday2AAD",
        name: "Workday to the directory",
        description: "Workers of Workday to the directory inside; expressions of API versions since v30.0",
        factory_tag: "Workday2AAD",
        source: "workday",
        target: "directory",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: WORKDAY_FIELDS,
        document: WORKDAY_ENTRA_30,
    },
    Template {
        id: "Workday2AADv21",
        name: "Workday to the directory (v21.1)",
        description: "The same with the expressions of an address that names no version",
        factory_tag: "Workday2AADv21",
        source: "workday",
        target: "directory",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: WORKDAY_FIELDS,
        document: WORKDAY_ENTRA_21,
    },
    Template {
        id: "Workday2AD",
        name: "Workday to Active Directory",
        description: "Workers of Workday to Active Directory; expressions of API versions since v30.0",
        factory_tag: "Workday2AD",
        source: "workday",
        target: "ldap",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: WORKDAY_AD_FIELDS,
        document: WORKDAY_AD_30,
    },
    Template {
        id: "Workday2ADv21",
        name: "Workday to Active Directory (v21.1)",
        description: "The same with the expressions of an address that names no version",
        factory_tag: "Workday2ADv21",
        source: "workday",
        target: "ldap",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: WORKDAY_AD_FIELDS,
        document: WORKDAY_AD_21,
    },
    Template {
        id: "Entra2Scim",
        name: "Microsoft Entra ID to SCIM application",
        description: "Users and groups of a Microsoft Entra tenant to a SCIM 2.0 application",
        factory_tag: "Entra2Scim",
        source: "entra",
        target: "scim",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: ENTRA_SCIM_FIELDS,
        document: SCIM,
    },
    Template {
        id: "AD2Entra",
        name: "Active Directory to Microsoft Entra ID",
        description: "Users and groups of Active Directory to a Microsoft Entra tenant through Microsoft Graph",
        factory_tag: "AD2Entra",
        source: "ldap",
        target: "entra",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: false,
        fields: ENTRA_TARGET_FIELDS,
        document: AD_ENTRA,
    },
    Template {
        id: "Workday2Entra",
        name: "Workday to Microsoft Entra ID",
        description: "Workers of Workday to a Microsoft Entra tenant through Microsoft Graph",
        factory_tag: "Workday2Entra",
        source: "workday",
        target: "entra",
        is_default: false,
        interval: "PT40M",
        settings: SETTINGS,
        scoping_on_demand: true,
        fields: ENTRA_TARGET_FIELDS,
        document: WORKDAY_ENTRA_30,
    },
];

/// All templates.
pub fn all() -> &'static [Template] {
    TEMPLATES
}

/// The template with this id, compared without regard to case.
pub fn find(id: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_reads_and_checks_without_a_word() {
        for template in all() {
            let reading = schema::read(template.document.as_bytes());
            assert_eq!(reading.diagnostics, [], "{}", template.id);
            assert_eq!(schema::check(&template.schema()), [], "{}", template.id);
        }
    }

    #[test]
    fn a_template_gives_back_its_document() {
        for template in all() {
            let document: serde_json::Value = serde_json::from_str(template.document).expect("it is JSON");
            let schema = schema::read(template.document.as_bytes()).schema.expect("it is a schema");
            assert_eq!(schema.to_json(), document, "{}", template.id);
        }
    }

    #[test]
    fn scim_maps_users_and_groups() {
        let schema = find("SCIM").expect("the template exists").schema();
        let [rule] = &schema.synchronization_rules[..] else { panic!("one rule") };
        assert_eq!(
            rule.source_defaults("User").first(),
            Some(&("IsSoftDeleted".to_owned(), "False".to_owned()))
        );
        let counts: Vec<(&str, usize, Vec<&str>)> = rule
            .object_mappings
            .iter()
            .map(|mapping| {
                let matching = mapping.attribute_mappings.iter().filter(|one| one.matching_priority > 0);
                let matching = matching.map(|one| one.target_attribute_name.as_str()).collect();
                (mapping.source_object_name.as_str(), mapping.attribute_mappings.len(), matching)
            })
            .collect();
        assert_eq!(counts, [("User", 22, vec!["userName"]), ("Group", 3, vec!["displayName"])]);
    }

    #[test]
    fn ids_are_found_in_any_case_and_none_is_taken_twice() {
        for template in all() {
            let found = find(&template.id.to_ascii_uppercase()).expect("it is found");
            assert_eq!(found.id, template.id);
        }
        assert!(find("unheard-of").is_none());
    }
}
