//! The synchronization secrets of a service principal, and the test whether they work.

mod keys;

use usher_core::ports::{ConnectorSettings, MatchQuery, StoredSecret};
use usher_core::program::RuleProgram;
use usher_core::{Entry, EntryId, EntryKind, JobId};
use usher_expr::Value;

use super::CaseError;
use super::templates::base_of;
use crate::Engine;
use crate::prepared::{sides, unwritten};

pub(crate) use keys::{is_address, is_published as is_secret_key};
pub use keys::{is_credential, is_sensitive, masked};

/// What stands for a sensitive value when secrets are shown.
pub const MASK: &str = "*****";

impl Engine {
    /// The stored secrets; they are masked by whoever shows them (`masked`).
    ///
    /// # Errors
    /// Only the store's.
    pub async fn secrets(&self, service_principal: &EntryId) -> Result<Vec<StoredSecret>, CaseError> {
        Ok(self.store.secrets(service_principal).await?)
    }

    /// Replaces the set; a sensitive value that is the mask keeps what is stored, unless the set leads elsewhere.
    ///
    /// # Errors
    /// A key is unknown or given twice, a value is not what its key takes, or a mask stands for nothing.
    pub async fn replace_secrets(
        &self,
        service_principal: &EntryId,
        secrets: Vec<StoredSecret>,
    ) -> Result<(), CaseError> {
        let stored = self.store.secrets(service_principal).await?;
        let kept = self.unmasked(&stored, secrets)?;
        self.store.put_secrets(service_principal, &kept).await?;
        Ok(())
    }

    /// The secrets, checked, with what is stored in the place of masks.
    fn unmasked(
        &self,
        stored: &[StoredSecret],
        secrets: Vec<StoredSecret>,
    ) -> Result<Vec<StoredSecret>, CaseError> {
        let leads_elsewhere = keys::leads_elsewhere(stored, &secrets);
        let mut kept: Vec<StoredSecret> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let key = &secret.key;
            if !is_secret_key(key) && !self.connectors.reads(key) {
                return Err(refused(format!(
                    "'{key}' is no key of a synchronization secret; BaseAddress and SecretToken are, for example"
                )));
            }
            if kept.iter().any(|other| other.key.eq_ignore_ascii_case(key)) {
                return Err(refused(format!("the secret '{key}' is given more than once")));
            }
            if keys::has_mask(key, secret.value.expose()) {
                // It goes where it went before, whatever else leads elsewhere.
                let as_shown = |old: &&StoredSecret| {
                    old.key.eq_ignore_ascii_case(key)
                        && masked(key, old.value.expose()) == secret.value.expose()
                };
                let Some(old) = stored.iter().find(as_shown) else {
                    return Err(refused(format!(
                        "the secret '{key}' has the mask in its query and is not as it was shown; give the whole \
                         address with what its query carries"
                    )));
                };
                kept.push(StoredSecret { key: secret.key, value: old.value.clone() });
                continue;
            }
            if !(is_sensitive(key) && secret.value.expose() == MASK) {
                if let Some(fault) = keys::fault(key, secret.value.expose()) {
                    return Err(refused(format!("the secret '{key}' {fault}")));
                }
                kept.push(secret);
                continue;
            }
            if leads_elsewhere {
                return Err(refused(format!(
                    "the address changes: give the secret '{key}' again; what is stored was meant for the old address \
                     and goes to no other"
                )));
            }
            let Some(old) = stored.iter().find(|old| old.key.eq_ignore_ascii_case(key)) else {
                return Err(refused(format!(
                    "the secret '{key}' is given as its mask, but none is stored; give its value"
                )));
            };
            kept.push(StoredSecret { key: secret.key, value: old.value.clone() });
        }
        Ok(kept)
    }

    /// Puts credentials beside the stored ones, and keeps them when a token can be had with them and the target takes
    /// it. Credentials that lead elsewhere stand alone: what is stored is for the old address only.
    ///
    /// # Errors
    /// A key is unknown or given twice; `Connection` says what the target or its token endpoint did not like, and
    /// nothing is kept then.
    pub async fn acquire_access_token(
        &self,
        principal: &Entry,
        given: Vec<StoredSecret>,
    ) -> Result<(), CaseError> {
        let stored = self.store.secrets(&principal.id).await?;
        let leads_elsewhere = keys::leads_elsewhere(&stored, &given);
        let mut all: Vec<StoredSecret> = stored
            .iter()
            .filter(|old| !given.iter().any(|new| new.key.eq_ignore_ascii_case(&old.key)))
            .filter(|old| !(leads_elsewhere && is_sensitive(&old.key)))
            .cloned()
            .collect();
        all.extend(given);
        let all = self.unmasked(&stored, all)?;
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
        self.store.put_secrets(&principal.id, &all).await?;
        Ok(())
    }

    /// Tests the connections of a job, or of a template before a job exists. `given` of `None` means the stored
    /// secrets. What comes back is what to beware of although the connections work.
    ///
    /// # Errors
    /// The job or template does not exist; `Connection` says what the target did not like.
    pub async fn validate_credentials(
        &self,
        service_principal: &EntryId,
        job: Option<&JobId>,
        template_id: Option<&str>,
        given: Option<ConnectorSettings>,
    ) -> Result<Vec<String>, CaseError> {
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
        let (source, target) = sides(&settings, &schema);
        let target = self.connectors.build(template.target, &target)?;
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
        let mut warnings = target.warnings();
        warnings.extend(unwritten(&schema, &*target));
        // The directory inside and uploads need no connection.
        if !matches!(template.source, "directory" | "api") {
            let source = self.connectors.build(template.source, &source)?;
            source.check(&probe).await?;
            warnings.splice(0..0, source.warnings());
        }
        Ok(warnings)
    }
}

fn refused(message: String) -> CaseError {
    CaseError::invalid("Request_BadRequest", message)
}
