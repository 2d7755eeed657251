//! What is written down about a subject: the event of the provisioning log.

use indexmap::IndexMap;
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::exchanges;
use usher_core::program::MappingProgram;
use usher_core::{DirectoryObject, Facts, Identity, Plan, ProvisioningEvent, Status, TimedStep, steps};

use uuid::Uuid;

use crate::subject::{Mode, Progress, Run};

impl Run<'_> {
    /// The event of a subject that was worked on. The steps, and the attributes before and after, go into it.
    pub(crate) fn event(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: &mut Plan,
        progress: &mut Progress,
        began_at: Timestamp,
    ) -> ProvisioningEvent {
        let mut steps = self.warnings(began_at);
        steps.append(&mut progress.steps);
        let status = match (&plan.failure, &plan.skip) {
            (Some(_), _) => Status::Failure,
            (None, Some(_)) => Status::Skipped,
            (None, None) if progress.left_out || !plan.unresolved.is_empty() => Status::Warning,
            (None, None) => Status::Success,
        };
        let directory = |name: &str| Identity {
            id: self
                .prepared
                .schema
                .directory(name)
                .and_then(|one| one.id.clone())
                .unwrap_or_default()
                .to_string(),
            display_name: name.to_owned(),
            identity_type: String::new(),
            details: IndexMap::new(),
        };
        let mut target_system = directory(&self.rule.target_directory);
        let service_principal_name = self.target_name();
        target_system.details = IndexMap::from([
            ("ApplicationId".to_owned(), self.service_principal.text("appId").unwrap_or_default().to_owned()),
            ("ServicePrincipalId".to_owned(), self.service_principal.id.to_string()),
            ("ServicePrincipalDisplayName".to_owned(), service_principal_name.clone()),
        ]);
        let clock = &self.engine.clock;
        let ended_at = clock.now();
        ProvisioningEvent {
            id: ordered_guid(ended_at, clock.guid()),
            began_at,
            ended_at,
            job: self.job.id.clone(),
            cycle: self.cycle.clone(),
            change: ordered_guid(ended_at, clock.guid()),
            action: plan.action,
            status,
            skip_reason: plan.skip.as_ref().map(|skip| skip.reason),
            skip_description: plan.skip.as_ref().map(|skip| skip.description.clone()),
            failure: plan.failure.clone(),
            initiated_by: self.initiated_by.clone(),
            service_principal: self.service_principal.id.clone(),
            service_principal_name,
            source_system: directory(&self.rule.source_directory),
            target_system,
            source_identity: identity(
                facts.source.as_ref(),
                &facts.named,
                &mapping.source_type,
                &plan.reportable,
            ),
            target_identity: Identity {
                id: progress.target_anchor.as_ref().map(ToString::to_string).unwrap_or_default(),
                display_name: plan
                    .target
                    .as_ref()
                    .map(|object| steps::reportable(object, object.anchor.as_str()))
                    .unwrap_or_default(),
                identity_type: mapping.target_type.to_string(),
                details: IndexMap::new(),
            },
            reportable_identifier: plan.reportable.clone(),
            steps,
            modified_properties: std::mem::take(&mut plan.modified),
            requests: exchanges::logged(&progress.requests),
        }
    }
}

impl Run<'_> {
    /// What to beware of in the settings of both sides, for somebody who looks at one subject.
    fn warnings(&self, at: Timestamp) -> Vec<TimedStep> {
        if !matches!(self.mode, Mode::OnDemand | Mode::DryRun) {
            return Vec::new();
        }
        let both = [&self.prepared.source, &self.prepared.target];
        let warnings = both.into_iter().flat_map(|side| side.warnings());
        let warnings = warnings.chain(self.prepared.unwritten.iter().cloned());
        warnings.map(|warning| TimedStep { step: steps::import::beware(&warning), at }).collect()
    }
}

/// A GUID that sorts by time (RFC 9562, version 7): new events lie side by side in every index of the store.
pub(crate) fn ordered_guid(now: Timestamp, dice: Uuid) -> SmolStr {
    let millisecond = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let bytes = dice.as_bytes();
    let mut random = [0; 10];
    random.copy_from_slice(&bytes[6..]);
    random[0] = bytes[0];
    uuid::Builder::from_unix_timestamp_millis(millisecond, &random).into_uuid().to_string().into()
}

fn identity(object: Option<&DirectoryObject>, named: &str, object_type: &str, reportable: &str) -> Identity {
    let mut details = IndexMap::new();
    if let Some(object) = object {
        details.insert("id".to_owned(), object.anchor.to_string());
        details.insert("odatatype".to_owned(), object_type.to_owned());
        for (shown, name) in [("DisplayName", "displayName"), ("UserPrincipalName", "userPrincipalName")] {
            if let Some(value) = object.attributes.value(name) {
                details.insert(shown.to_owned(), steps::shown(value));
            }
        }
    }
    Identity {
        id: object.map_or_else(|| named.to_owned(), |object| object.anchor.to_string()),
        display_name: object
            .and_then(|object| object.attributes.value("displayName"))
            .map_or_else(|| reportable.to_owned(), steps::shown),
        identity_type: object_type.to_owned(),
        details,
    }
}
