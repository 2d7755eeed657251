//! Updates, and what is tried when a service refuses the usual form: whole entries, one attribute at a time, GET and
//! PUT in place of PATCH, other forms of references.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, PreparedRequest, Written};
use usher_core::{Anchor, AttributeChange, Change};
use usher_expr::Value;

use super::answer::Refusal;
use super::connector::{ScimConnector, left_out};
use super::path::AttributePath;
use super::request::{self, Dialect, Kind, ManagerForm};
use super::{resource, translate};

/// What the service did not take: attribute and reason.
type LeftOut = Vec<(SmolStr, String)>;

impl ScimConnector {
    /// Changes a resource: first its plain attributes in one request, then each reference on its own, so that a
    /// reference that is refused does not take the rest with it.
    pub(super) async fn update(
        &self,
        kind: Kind,
        anchor: &Anchor,
        changes: &[AttributeChange],
    ) -> Result<Written, ConnectorError> {
        let path = request::resource_path(kind, anchor)?;
        let (references, plain): (Vec<_>, Vec<_>) =
            changes.iter().cloned().partition(|change| change.is_reference);
        let mut written = Written::whole(anchor.clone());
        if !plain.is_empty() {
            written.left_out = self.change(&path, plain).await?;
        }
        for change in &references {
            request::writable(change)?;
            if change.is_multivalued {
                for block in request::blocks(change, self.shape().members_per_request) {
                    self.refer_to_several(&path, &block, &mut written.left_out).await?;
                }
            } else {
                self.refer(&path, change, &mut written.left_out).await?;
            }
        }
        Ok(written)
    }

    /// Changes plain attributes.
    async fn change(&self, path: &str, plain: Vec<AttributeChange>) -> Result<LeftOut, ConnectorError> {
        let mut shape = self.shape();
        let mut changes = plain.clone();
        let mut knows_entries = false;
        loop {
            let Some(request) = request::update(&shape, path, &changes)? else { return Ok(LeftOut::new()) };
            let Err(refusal) = self.service.done(&request).await else {
                if !shape.group_by_value {
                    self.learn("one operation per attribute", |known| known.group_by_value = false);
                }
                return Ok(LeftOut::new());
            };
            if refusal.is_about_method() {
                return self.replace(path, &plain, refusal).await.map_err(ConnectorError::from);
            }
            if !refusal.is_about_content() || refusal.error.kind != ConnectorErrorKind::Rejected {
                return Err(refusal.error);
            }
            let may_lack_entry = refusal.is_no_target() || refusal.scim_type.is_none();
            if !knows_entries && may_lack_entry && changes.iter().any(chooses_entry) {
                knows_entries = true;
                if let Some(complete) = self.with_missing_entries(path, &changes).await? {
                    changes = complete;
                    continue;
                }
            }
            if !request::has_group(&request) || refusal.is_no_target() {
                return Err(refusal.error);
            }
            // Strict services expect nested objects where the grouped form has names with dots.
            shape.group_by_value = false;
        }
    }

    /// The changes with whole entries in place of paths to entries that the resource lacks; `None` when it lacks none.
    async fn with_missing_entries(
        &self,
        path: &str,
        changes: &[AttributeChange],
    ) -> Result<Option<Vec<AttributeChange>>, ConnectorError> {
        let present = self.service.document(&get(path)).await?;
        let mut kept = Vec::new();
        let mut missing: IndexMap<SmolStr, (AttributePath, Map<String, Json>)> = IndexMap::new();
        let mut lacks = false;
        for change in changes {
            let target = request::writable(change)?;
            let entry = AttributePath { sub: None, ..target.clone() };
            if target.selector.is_empty() || !resource::read(&present, &entry).is_empty() {
                kept.push(change.clone());
                continue;
            }
            lacks = true;
            if matches!(change.change, Change::Remove(_)) {
                continue;
            }
            let local = AttributePath { urn: None, ..target.clone() };
            let (_, made) = missing.entry(target.whole()).or_insert_with(|| {
                (AttributePath { selector: Vec::new(), sub: None, ..target.clone() }, Map::new())
            });
            request::apply(made, &local, change);
        }
        if !lacks {
            return Ok(None);
        }
        for (attribute, (whole, made)) in missing {
            let has_primary = resource::read(&present, &whole).into_iter().any(is_primary);
            let entries = made.into_iter().flat_map(|(_, entries)| match entries {
                Json::Array(entries) => entries,
                other => vec![other],
            });
            let values = entries
                .map(|mut entry| {
                    if let Some(entry) = entry.as_object_mut().filter(|_| has_primary) {
                        entry.shift_remove("primary");
                    }
                    Value::Object(entry.into())
                })
                .collect();
            kept.push(AttributeChange {
                attribute,
                change: Change::Add(values),
                is_reference: false,
                is_multivalued: true,
            });
        }
        Ok(Some(kept))
    }

    /// Reads the resource, changes it here and puts it back whole: for services without PATCH, here or at all. Such
    /// services are often limited in other ways too, so it is read once more to see what they took. `refused` is what
    /// PATCH led to.
    async fn replace(
        &self,
        path: &str,
        changes: &[AttributeChange],
        refused: Refusal,
    ) -> Result<LeftOut, Refusal> {
        let before = self.service.document(&get(path)).await?;
        let mut resource = before.clone();
        // The service's own; some take offence when it is sent back.
        resource.retain(|name, _| !name.eq_ignore_ascii_case("meta") && !name.eq_ignore_ascii_case("groups"));
        for change in changes {
            let target = request::writable(change)?;
            request::apply(&mut resource, &target, change);
            if let (Some(urn), false) = (&target.urn, matches!(change.change, Change::Remove(_))) {
                name_schema(&mut resource, urn);
            }
        }
        match self.service.done(&request::replace(path, resource)).await {
            Err(refusal) if refusal.is_about_method() => return Err(refused),
            other => other?,
        }
        let after = self.service.document(&get(path)).await?;
        let mut out = LeftOut::new();
        for change in changes {
            if !is_taken(change, &request::writable(change)?, &before, &after) {
                out.push((
                    change.attribute.clone(),
                    "the service took the resource without this change".to_owned(),
                ));
            }
        }
        if out.len() == changes.len() { Err(refused) } else { Ok(out) }
    }

    /// Sets or removes a reference to one object.
    async fn refer(
        &self,
        path: &str,
        change: &AttributeChange,
        out: &mut LeftOut,
    ) -> Result<(), ConnectorError> {
        let mut shape = self.shape();
        let Err(mut refusal) = self.service.done(&request::refer(&shape, path, change)).await else {
            return Ok(());
        };
        let is_removal = matches!(change.change, Change::Remove(_));
        if is_removal && refusal.is_no_target() {
            return Ok(());
        }
        if refusal.is_about_content() && shape.manager == ManagerForm::Text && !is_removal {
            shape.manager = ManagerForm::Object;
            match self.service.done(&request::refer(&shape, path, change)).await {
                Ok(()) => {
                    self.learn("the manager is sent as an object", |known| {
                        known.manager = ManagerForm::Object
                    });
                    return Ok(());
                }
                Err(second) => refusal = second,
            }
        }
        if refusal.is_about_method() {
            match self.replace(path, std::slice::from_ref(change), refusal).await {
                Ok(_) => return Ok(()),
                Err(second) => refusal = second,
            }
        }
        if !is_refused(&refusal) {
            return Err(refusal.error);
        }
        out.push(left_out(&change.attribute, None, refusal));
        Ok(())
    }

    /// Adds or removes one block of members.
    async fn refer_to_several(
        &self,
        path: &str,
        block: &AttributeChange,
        out: &mut LeftOut,
    ) -> Result<(), ConnectorError> {
        let mut shape = self.shape();
        let Err(mut refusal) = self.service.done(&request::refer_to_several(&shape, path, block)).await
        else {
            return Ok(());
        };
        let is_removal = matches!(&block.change, Change::Remove(values) if !values.is_empty());
        let has_other_form = is_removal && shape.dialect == Dialect::Entra && !shape.removes_members_by_path;
        if has_other_form && (refusal.is_about_content() || refusal.is_about_method()) {
            shape.removes_members_by_path = true;
            match self.service.done(&request::refer_to_several(&shape, path, block)).await {
                Ok(()) => {
                    self.learn("members are removed by path", |known| known.removes_members_by_path = true);
                    return Ok(());
                }
                Err(second) => refusal = second,
            }
        }
        if refusal.is_about_method() {
            match self.replace(path, std::slice::from_ref(block), refusal).await {
                Ok(_) => return Ok(()),
                Err(second) => refusal = second,
            }
        }
        if !is_refused(&refusal) {
            return Err(refusal.error);
        }
        let singles = request::blocks(block, 1);
        if refusal.is_about_method() || singles.len() < 2 {
            if !is_so_already(&refusal, is_removal) {
                out.push(left_out(&block.attribute, only_id(block).as_deref(), refusal));
            }
            return Ok(());
        }
        let before = out.len();
        for single in &singles {
            match self.service.done(&request::refer_to_several(&shape, path, single)).await {
                Ok(()) => {}
                Err(refusal) if is_so_already(&refusal, is_removal) => {}
                Err(refusal) if is_refused(&refusal) => {
                    out.push(left_out(&block.attribute, only_id(single).as_deref(), refusal));
                }
                Err(refusal) => return Err(refusal.error),
            }
        }
        if out.len() == before {
            // It was the block that the service did not like, not one of the members.
            self.learn("one member per request", |known| {
                known.members_per_request = 1;
                known.removes_members_by_path = shape.removes_members_by_path;
            });
        }
        Ok(())
    }
}

/// Whether a change is seen in the resource. A value may come back in the service's own spelling; what counts is that
/// it is neither absent nor what it was before.
fn is_taken(
    change: &AttributeChange,
    path: &AttributePath,
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> bool {
    if path.last().to_ascii_lowercase().ends_with("password") {
        return true;
    }
    let (old, new) = (translate::value(before, path), translate::value(after, path));
    let has = |value: &Value| {
        let wanted = value.to_text().to_lowercase();
        new.values().iter().any(|known| known.to_text().to_lowercase() == wanted)
    };
    match &change.change {
        Change::Add(values) | Change::Replace(values) if change.is_multivalued => values.iter().all(has),
        Change::Add(values) | Change::Replace(values) => {
            values.iter().all(has) || (!new.is_null() && new != old)
        }
        Change::Remove(values) if values.is_empty() => new.is_null_or_empty(),
        Change::Remove(values) => !values.iter().any(has),
    }
}

fn get(path: &str) -> PreparedRequest {
    PreparedRequest { method: "GET".into(), path: path.to_owned(), body: None }
}

fn chooses_entry(change: &AttributeChange) -> bool {
    change.attribute.contains('[')
}

fn is_primary(entry: &Json) -> bool {
    entry.as_object().and_then(|entry| resource::member(entry, "primary")) == Some(&Json::Bool(true))
}

fn name_schema(resource: &mut Map<String, Json>, urn: &str) {
    if let Some(schemas) = resource.get_mut("schemas").and_then(Json::as_array_mut) {
        let is_named = schemas.iter().filter_map(Json::as_str).any(|known| known.eq_ignore_ascii_case(urn));
        if !is_named {
            schemas.push(Json::from(urn));
        }
    }
}

/// Whether the service said no to the reference, rather than to us or to everything.
fn is_refused(refusal: &Refusal) -> bool {
    match refusal.error.kind {
        ConnectorErrorKind::Rejected
        | ConnectorErrorKind::Unsupported
        | ConnectorErrorKind::AlreadyExists => true,
        ConnectorErrorKind::Conflict => refusal.status == Some(409),
        _ => false,
    }
}

/// Whether a member is there already, or gone already.
fn is_so_already(refusal: &Refusal, is_removal: bool) -> bool {
    if is_removal { refusal.is_no_target() } else { refusal.status == Some(409) }
}

fn only_id(change: &AttributeChange) -> Option<SmolStr> {
    match &change.change {
        Change::Add(values) | Change::Replace(values) | Change::Remove(values) => match values.as_slice() {
            [only] => Some(only.to_text()),
            _ => None,
        },
    }
}
