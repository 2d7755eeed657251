//! Jobs made ready once and kept: compiled rules and open connections, until schema or secrets change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use usher_core::ports::{Connector, ConnectorSettings, JOB_SETTING, StoredSecret};
use usher_core::program::RuleProgram;
use usher_core::schema::Schema;
use usher_core::templates::Template;
use usher_core::{CONCURRENCY_SETTING, EntryId, Job, JobId, JobState, Secret, THRESHOLD_SETTING, recording};

use crate::Engine;
use crate::cases::CaseError;
use crate::cases::secrets::{is_address, is_credential, is_secret_key};
use crate::cases::templates::base_of;

/// The secret that holds the notification settings, the threshold among them (Graph secret key).
const NOTIFICATIONS: &str = "SyncNotificationSettings";
/// How many jobs are kept ready at once.
const KEPT: usize = 256;

/// The jobs that are ready.
#[derive(Default)]
pub struct PreparedJobs {
    jobs: Mutex<HashMap<JobId, Arc<PreparedJob>>>,
}

/// A job, ready to work on subjects.
pub struct PreparedJob {
    document: Option<String>,
    secrets: Vec<StoredSecret>,
    job_settings: Vec<(String, String)>,
    /// The template that the job was made from.
    pub template: &'static Template,
    /// The effective schema.
    pub schema: Schema,
    /// The source.
    pub source: Arc<dyn Connector>,
    /// The target.
    pub target: Arc<dyn Connector>,
    /// Which attributes the target never takes, and why: a sentence for each reason.
    pub unwritten: Vec<String>,
    rules: Mutex<HashMap<String, Arc<RuleProgram>>>,
    fingerprint: OnceLock<SmolStr>,
}

/// What of secrets and job settings makes no difference to what a source holds and a target is.
const INDIFFERENT: &[&str] = &[
    NOTIFICATIONS,
    THRESHOLD_SETTING,
    CONCURRENCY_SETTING,
    recording::SETTING,
    "TargetRequestsPerSecond",
    "WorkersPerPage",
    "PageSize",
    "AzureIngestionAttributeOptimization",
];

impl PreparedJob {
    /// A fingerprint of the effective schema: when it changes, everything is looked at again.
    pub fn fingerprint(&self) -> &SmolStr {
        self.fingerprint.get_or_init(|| digest(&self.schema.to_json().to_string()))
    }

    /// A fingerprint of where source and target are and what is read there; who signs in with which password makes no
    /// difference. When it changes, everything is looked at again: watermarks are of the other place.
    pub fn place(&self) -> SmolStr {
        let secrets = self.secrets.iter().map(|secret| (secret.key.as_str(), secret.value.expose()));
        let settings = self.job_settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let is_indifferent = |key: &str| INDIFFERENT.iter().any(|known| known.eq_ignore_ascii_case(key));
        let mut all: Vec<(String, &str)> = secrets
            .chain(settings)
            .filter(|(key, value)| !is_credential(key) && !is_indifferent(key) && !value.is_empty())
            .map(|(key, value)| (key.to_ascii_lowercase(), value))
            .collect();
        all.sort_unstable();
        digest(&serde_json::json!(all).to_string())
    }

    /// Whether what a job remembers is of this schema and of these directories.
    pub fn fits(&self, state: &JobState) -> bool {
        state.schema.as_ref().is_none_or(|schema| schema == self.fingerprint())
            && state.connection.as_ref().is_none_or(|place| *place == self.place())
    }

    fn is_current(&self, job: &Job, document: &Option<String>, secrets: &[StoredSecret]) -> bool {
        self.document == *document
            && self.job_settings == job.settings
            && self.secrets.len() == secrets.len()
            && self
                .secrets
                .iter()
                .zip(secrets)
                .all(|(left, right)| left.key == right.key && left.value.expose() == right.value.expose())
    }

    /// The value of a secret that is a setting, such as `SyncNotificationSettings`.
    pub fn secret(&self, key: &str) -> Option<&str> {
        self.secrets
            .iter()
            .find(|secret| secret.key.eq_ignore_ascii_case(key))
            .map(|secret| secret.value.expose())
    }

    /// Whether a secret that is a switch is on.
    pub fn is_on(&self, key: &str) -> bool {
        self.secret(key).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1"))
    }

    /// The most accounts that one cycle may disable and delete; `None` when the guard is off. A threshold that cannot be
    /// read holds everything back: somebody wanted a guard.
    pub fn deletion_threshold(&self, job: &Job) -> Option<u64> {
        let whole = |text: &str| text.trim().parse().unwrap_or(0);
        if let Some(text) = job.setting(THRESHOLD_SETTING).filter(|text| !text.trim().is_empty()) {
            return Some(whole(text));
        }
        let text = self.secret(NOTIFICATIONS).filter(|text| !text.trim().is_empty())?;
        let Ok(settings) = serde_json::from_str::<serde_json::Value>(text) else { return Some(0) };
        let is_on = match &settings["DeleteThresholdEnabled"] {
            serde_json::Value::Bool(is_on) => *is_on,
            serde_json::Value::String(text) => !text.eq_ignore_ascii_case("false"),
            serde_json::Value::Null => false,
            _ => true,
        };
        is_on.then(|| match &settings["DeleteThresholdValue"] {
            serde_json::Value::String(text) => whole(text),
            value => value.as_u64().unwrap_or(0),
        })
    }

    /// What connections are made of, as one text. Only a digest of it under a key may be kept.
    pub(crate) fn connection(&self) -> String {
        let secrets: Vec<(&str, &str)> =
            self.secrets.iter().map(|secret| (secret.key.as_str(), secret.value.expose())).collect();
        serde_json::json!([secrets, self.job_settings]).to_string()
    }

    /// The rule, compiled.
    ///
    /// # Errors
    /// `RequestParameterInvalid` when the job does not have the rule, `BadRequest` when the rule cannot run.
    pub fn rule(&self, job: &JobId, id: &str) -> Result<Arc<RuleProgram>, CaseError> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rule) = rules.get(id) {
            return Ok(rule.clone());
        }
        let Some(rule) = self.schema.synchronization_rules.iter().find(|rule| rule.id == id) else {
            return Err(CaseError::invalid(
                "RequestParameterInvalid",
                format!(
                    "The request identified this synchronization job: {job}.  The request also identified this \
                     synchronization rule: {id}.  However, the job does not include the rule."
                ),
            ));
        };
        let program = RuleProgram::compile(&self.schema, rule).map_err(|errors| {
            let problems: Vec<String> = errors.iter().map(ToString::to_string).collect();
            CaseError::invalid(
                "BadRequest",
                format!("the schema of the job has errors, nothing was done: {}", problems.join("; ")),
            )
        })?;
        let program = Arc::new(writable(program, &*self.target));
        rules.insert(id.to_owned(), program.clone());
        Ok(program)
    }
}

impl Engine {
    /// The job made ready, from what is kept when nothing changed.
    pub(crate) async fn prepare(&self, job: &Job) -> Result<Arc<PreparedJob>, CaseError> {
        let document = self.store.schema(&job.id).await?;
        let secrets = self.store.secrets(&job.service_principal).await?;
        let kept = self.prepared.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(&job.id).cloned();
        if let Some(kept) = kept.filter(|kept| kept.is_current(job, &document, &secrets)) {
            return Ok(kept);
        }
        let template = base_of(job)?;
        let schema = self.schema_of(job).await?;
        let mut settings = settings(&secrets);
        for (name, value) in &job.settings {
            // Where credentials go, secrets alone say: they are checked when they change.
            if settings.get(name).is_none() && !is_secret_key(name) {
                settings.set(name.clone(), Secret::new(value.as_str()));
            }
        }
        settings.set(JOB_SETTING, Secret::new(job.id.as_str()));
        let (source, target) = sides(&settings, &schema);
        let target = self.connectors.build(template.target, &target)?;
        let prepared = Arc::new(PreparedJob {
            source: self.connectors.build(template.source, &source)?,
            unwritten: unwritten(&schema, &*target),
            target,
            document,
            secrets,
            job_settings: job.settings.clone(),
            template,
            schema,
            rules: Mutex::default(),
            fingerprint: OnceLock::new(),
        });
        let mut jobs = self.prepared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= KEPT {
            jobs.clear();
        }
        jobs.insert(job.id.clone(), prepared.clone());
        Ok(prepared)
    }

    /// Forgets what is kept of a job.
    pub(crate) fn forget_prepared(&self, job: &JobId) {
        self.prepared.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(job);
    }

    /// The stored secrets of a service principal as connector settings.
    pub(crate) async fn stored_settings(
        &self,
        service_principal: &EntryId,
    ) -> Result<ConnectorSettings, CaseError> {
        Ok(settings(&self.store.secrets(service_principal).await?))
    }
}

fn digest(text: &str) -> SmolStr {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")).into()
}

/// A rule without the attributes that the target never takes. Those that objects are matched by stay: they are looked
/// for, though not written.
fn writable(mut program: RuleProgram, target: &dyn Connector) -> RuleProgram {
    for mapping in &mut program.mappings {
        let object_type = mapping.target_type.clone();
        mapping.attributes.retain(|attribute| {
            attribute.matching_priority > 0 || target.obstacle(&object_type, &attribute.target).is_none()
        });
    }
    program
}

/// Which mapped attributes the target never takes, and why: a sentence for each kind of object and reason.
pub(crate) fn unwritten(schema: &Schema, target: &dyn Connector) -> Vec<String> {
    let mut found: Vec<((&str, String), Vec<&str>)> = Vec::new();
    let first = schema.synchronization_rules.first();
    let target_name = first.map(|rule| rule.target_directory_name.as_str()).unwrap_or_default();
    let rules = schema.synchronization_rules.iter().filter(|rule| rule.target_directory_name == target_name);
    let mappings = rules.flat_map(|rule| &rule.object_mappings);
    for mapping in mappings.filter(|mapping| mapping.enabled) {
        for attribute in &mapping.attribute_mappings {
            let (object_type, name) = (&mapping.target_object_name, attribute.target_attribute_name.as_str());
            let Some(reason) = target.obstacle(object_type, name) else { continue };
            let key = (object_type.as_str(), reason);
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => found.push((key, vec![name])),
            }
        }
    }
    let told = |((object_type, reason), names): ((&str, String), Vec<&str>)| {
        format!(
            "never written to a {object_type}: {} ({reason}); take them out of the mapping",
            names.join(", ")
        )
    };
    found.into_iter().map(told).collect()
}

/// What the keys of settings begin with that are for one side of the job only, where both have a setting of a name.
pub(crate) const SOURCE: &str = "Source.";
pub(crate) const TARGET: &str = "Target.";

/// The settings of one side: those that both share, and its own in place of them. A side with an address of its own
/// shares no credentials: the password of one system must not reach another.
pub(crate) fn of_side(settings: &ConnectorSettings, side: &str) -> ConnectorSettings {
    let mut own = ConnectorSettings::default();
    let is_of =
        |key: &str, side: &str| key.get(..side.len()).is_some_and(|start| start.eq_ignore_ascii_case(side));
    let is_apart = settings.keys().any(|key| is_of(key, side) && is_address(key));
    let shared = settings.keys().filter(|key| !is_of(key, SOURCE) && !is_of(key, TARGET));
    let shared = shared.filter(|key| !(is_apart && is_credential(key)));
    let special = settings.keys().filter(|key| is_of(key, side));
    for (key, name) in shared.map(|key| (key, key)).chain(special.map(|key| (key, &key[side.len()..]))) {
        if let Some(value) = settings.get(key) {
            let known = own.keys().find(|known| known.eq_ignore_ascii_case(name)).map(str::to_owned);
            own.set(known.unwrap_or_else(|| name.to_owned()), value.clone());
        }
    }
    own
}

/// The settings of source and target, each with what the schema says of its directory.
pub(crate) fn sides(settings: &ConnectorSettings, schema: &Schema) -> (ConnectorSettings, ConnectorSettings) {
    let rule = schema.synchronization_rules.first();
    let described = |side: &str, name: Option<&String>| {
        let mut own = of_side(settings, side);
        if let Some(directory) = name.and_then(|name| schema.directory(name)) {
            own.set_directory(Arc::new(directory.clone()));
        }
        own
    };
    let source = described(SOURCE, rule.map(|rule| &rule.source_directory_name));
    let target = described(TARGET, rule.map(|rule| &rule.target_directory_name));
    (source, target)
}

pub(crate) fn settings(secrets: &[StoredSecret]) -> ConnectorSettings {
    let mut settings = ConnectorSettings::default();
    for secret in secrets {
        settings.set(secret.key.clone(), secret.value.clone());
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_own_settings_and_those_that_both_share() {
        let mut all = ConnectorSettings::default();
        for (key, value) in [
            ("BaseAddress", "shared"),
            ("Target.BaseAddress", "target"),
            ("source.UserName", "reader"),
            ("password", "of the source"),
            ("SyncAll", "1"),
        ] {
            all.set(key, Secret::new(value));
        }
        let told = |side: &str| {
            let own = of_side(&all, side);
            let told = |key: &str| own.get(key).map(|value| value.expose().to_owned());
            ["BaseAddress", "UserName", "Password", "SyncAll", "Target.BaseAddress"].map(told)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(told(SOURCE), [text("shared"), text("reader"), text("of the source"), text("1"), None]);
        assert_eq!(told(TARGET), [text("target"), None, None, text("1"), None]);
    }
}
