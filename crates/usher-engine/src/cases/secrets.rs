//! The synchronization secrets of a service principal, and the test whether they work.

use usher_core::ports::{ConnectorSettings, MatchQuery, StoredSecret};
use usher_core::program::RuleProgram;
use usher_core::{Entry, EntryId, EntryKind, JobId};
use usher_expr::Value;

use super::CaseError;
use super::templates::base_of;
use crate::Engine;

/// What stands for a sensitive value when secrets are shown.
pub const MASK: &str = "*****";

/// The keys whose values are settings, not credentials, and may be shown.
const SHOWN: &[&str] = &[
    "BaseAddress",
    "SyncAll",
    "SyncNotificationSettings",
    "SkipOutOfScopeDeletions",
    "HardDeletesEnabled",
    "SynchronizationSchedule",
    "AuthenticationType",
    "CompanyId",
    "Domain",
    "EnforceDomain",
    "ValidateDomain",
    "InstanceName",
    "Oauth2ClientId",
    "Oauth2TokenExchangeUri",
    "Oauth2AuthorizationUri",
    "Oauth2RedirectUri",
    "PerformInboundEntitlementGrants",
    "Sandbox",
    "SandboxName",
    "Server",
    "SystemOfRecord",
    "TestReferences",
    "UpdateKeyOnSoftDelete",
    "Url",
    "UserName",
    "ApplicationTemplateIdentifier",
    "ClientIdentifier",
    "SingleSignOnType",
    "SyncAgentADContainer",
    "SearchBase",
    "LeaversContainer",
    "NamingAttribute",
    "SyncAgentCompatibilityKey",
];

/// Whether the value of a secret key is never shown. Unknown keys are sensitive.
pub fn is_sensitive(key: &str) -> bool {
    !SHOWN.iter().any(|shown| shown.eq_ignore_ascii_case(key))
}

impl Engine {
    /// The stored secrets; sensitive values are masked by whoever shows them (`is_sensitive`).
    ///
    /// # Errors
    /// Only the store's.
    pub async fn secrets(&self, service_principal: &EntryId) -> Result<Vec<StoredSecret>, CaseError> {
        Ok(self.store.secrets(service_principal).await?)
    }

    /// Replaces the set; a sensitive value that is the mask keeps what is stored.
    ///
    /// # Errors
    /// A key is empty or given twice, or the mask stands where nothing is stored.
    pub async fn replace_secrets(
        &self,
        service_principal: &EntryId,
        secrets: Vec<StoredSecret>,
    ) -> Result<(), CaseError> {
        let stored = self.store.secrets(service_principal).await?;
        let mut kept: Vec<StoredSecret> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            if secret.key.trim().is_empty() {
                return Err(CaseError::invalid("Request_BadRequest", "a secret needs a key; one is empty"));
            }
            if kept.iter().any(|other| other.key.eq_ignore_ascii_case(&secret.key)) {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!("the secret '{}' is given more than once", secret.key),
                ));
            }
            if is_sensitive(&secret.key) && secret.value.expose() == MASK {
                let Some(old) = stored.iter().find(|old| old.key.eq_ignore_ascii_case(&secret.key)) else {
                    return Err(CaseError::invalid(
                        "Request_BadRequest",
                        format!(
                            "the secret '{}' is given as its mask, but none is stored; give its value",
                            secret.key
                        ),
                    ));
                };
                kept.push(StoredSecret { key: secret.key, value: old.value.clone() });
            } else {
                kept.push(secret);
            }
        }
        self.store.put_secrets(service_principal, &kept).await?;
        Ok(())
    }

    /// Puts credentials beside the stored ones, and keeps them when a token can be had with them and the target takes
    /// it.
    ///
    /// # Errors
    /// A key is empty or given twice; `Connection` says what the target or its token endpoint did not like, and nothing
    /// is kept then.
    pub async fn acquire_access_token(
        &self,
        principal: &Entry,
        given: Vec<StoredSecret>,
    ) -> Result<(), CaseError> {
        let mut all = self.store.secrets(&principal.id).await?;
        all.retain(|old| !given.iter().any(|new| new.key.eq_ignore_ascii_case(&old.key)));
        all.extend(given);
        let mut settings = ConnectorSettings::default();
        for secret in &all {
            settings.set(secret.key.clone(), secret.value.clone());
        }
        let job = self.jobs(&principal.id).await?.into_iter().next();
        let template = match &job {
            Some(_) => None,
            None => self.templates(principal).await?.into_iter().find(|template| template.is_default),
        };
        let template = template.map(|template| template.id);
        let job = job.map(|job| job.id);
        self.validate_credentials(&principal.id, job.as_ref(), template.as_deref(), Some(settings)).await?;
        self.replace_secrets(&principal.id, all).await
    }

    /// Tests the connection of a job's target, or of a template's before a job exists. `given` of `None` means the
    /// stored secrets.
    ///
    /// # Errors
    /// The job or template does not exist; `Connection` says what the target did not like.
    pub async fn validate_credentials(
        &self,
        service_principal: &EntryId,
        job: Option<&JobId>,
        template_id: Option<&str>,
        given: Option<ConnectorSettings>,
    ) -> Result<(), CaseError> {
        let (template, schema) = match (job, template_id) {
            (Some(job), _) => {
                let job = self.job(service_principal, job).await?;
                (base_of(&job)?, self.schema_of(&job).await?)
            }
            (None, Some(id)) => {
                let principal = self.entry(EntryKind::ServicePrincipal, service_principal.as_str()).await?;
                let template = self.template(&principal, id).await?;
                (template.base, self.template_schema(&principal, &template.id).await?)
            }
            (None, None) => {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    "without a job, 'templateId' must say which connector is to be tested",
                ));
            }
        };
        let settings = match given {
            Some(settings) => settings,
            None => self.stored_settings(service_principal).await?,
        };
        let target = self.connectors.build(template.target, &settings)?;
        let probe = schema
            .synchronization_rules
            .iter()
            .filter_map(|rule| RuleProgram::compile(&schema, rule).ok())
            .flat_map(|rule| rule.mappings)
            .find_map(|mapping| {
                let attribute = mapping.matching().next()?.target.clone();
                Some(MatchQuery {
                    object_type: mapping.target_type.clone(),
                    attributes: vec![attribute.clone()],
                    attribute,
                    value: Value::from(self.clock.guid().to_string().as_str()),
                })
            });
        let Some(probe) = probe else {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                "the schema has no matching attribute that the connection could be tested with",
            ));
        };
        target.check(&probe).await?;
        Ok(())
    }
}
