//! Writing: what an operation means in requests, sent one after the other, each safe to send again.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Effect, PreparedRequest, PutOff, Written};
use usher_core::{
    Anchor, AttributeChange, Change, EntryId, EntryKind, Operation, OperationKind, Relation, Secret,
};
use usher_expr::Value;

use super::answer::Refusal;
use super::assignments::links;
use super::connector::{Binned, EntraConnector, unsettled};
use super::request::{self, BLOCK};
use super::{properties, translate};
use crate::directory::request::{Edit, Edits, LinkEdit, rejected};
use crate::directory::translate::{self as names, Place};

/// For how long after its create an object may not be known everywhere.
pub(super) const SETTLING: SignedDuration = SignedDuration::from_mins(5);
/// The waits for an object that was just made; about half a minute in all.
const WAITS_MS: &[u64] = &[250, 500, 1_000, 2_000, 4_000, 8_000, 16_000];
/// What stands for the id of an object that is yet to be made.
const NEW: &str = "(id of the new object)";
/// What stands for a password where requests are shown.
const HIDDEN: &str = "[Redact]";

/// An operation, taken apart.
struct Parts {
    edits: Edits,
    password: Option<Secret>,
    left_out: Vec<(SmolStr, String)>,
}

impl Parts {
    fn of(kind: EntryKind, changes: &[AttributeChange]) -> Result<Self, ConnectorError> {
        let (mut taken, mut left_out, mut password) = (Vec::new(), Vec::new(), None);
        for change in changes {
            let place = names::attribute(&change.attribute).place;
            match properties::obstacle(kind, &place) {
                Some(reason) => left_out.push((change.attribute.clone(), reason.to_owned())),
                None if place == Place::Password => password = text(&change.change).or(password),
                None => taken.push(change.clone()),
            }
        }
        let mut edits = Edits::of(kind, &taken)?;
        left_out.append(&mut edits.left_out);
        Ok(Self { edits, password, left_out })
    }

    fn body(&self, held: &Map<String, Json>) -> Map<String, Json> {
        let mut body = request::body(&self.edits.properties, held);
        if let Some(password) = &self.password {
            body.insert("passwordProfile".to_owned(), json!({"password": password.expose()}));
        }
        body
    }
}

fn text(change: &Change) -> Option<Secret> {
    let (Change::Add(values) | Change::Replace(values)) = change else { return None };
    values.iter().flat_map(Value::values).map(Value::to_text).find(|text| !text.is_empty()).map(Secret::new)
}

/// Carries out one operation.
pub(super) async fn write(
    connector: &EntraConnector,
    operation: &Operation,
) -> Result<Written, ConnectorError> {
    let kind = writable(&operation.object_type)?;
    let parts = Parts::of(kind, &operation.changes)?;
    let id = || {
        operation.anchor.as_ref().map(Anchor::as_str).ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "InvalidAnchor",
                format!("a change of a {} needs the id of the object", operation.object_type),
            )
        })
    };
    match operation.kind {
        OperationKind::Create => create(connector, kind, parts).await,
        OperationKind::Update => update(connector, kind, id()?, parts).await,
        OperationKind::Delete => delete(connector, kind, id()?).await,
    }
}

fn writable(object_type: &str) -> Result<EntryKind, ConnectorError> {
    let kind = names::kind(object_type)?;
    if matches!(kind, EntryKind::User | EntryKind::Group) {
        return Ok(kind);
    }
    Err(ConnectorError::new(
        ConnectorErrorKind::Unsupported,
        "NotImplemented",
        format!("Microsoft Graph does not let applications write a '{object_type}'"),
    ))
}

async fn create(
    connector: &EntraConnector,
    kind: EntryKind,
    mut parts: Parts,
) -> Result<Written, ConnectorError> {
    if kind == EntryKind::User && parts.password.is_none() {
        parts.password = Some(connector.service.password());
    }
    let mut body = parts.body(&Map::new());
    complete(kind, &mut body)?;
    let request = request::create(kind, body);
    let made = connector.service.document(&request).await?;
    let Some(id) = translate::id(&made).map(str::to_owned) else {
        return Err(super::answer::unreadable(&request, "holds no id").error);
    };
    connector.made(&id);
    let mut written = Written { left_out: parts.left_out, ..Written::whole(Anchor::new(id.as_str())) };
    link(connector, kind, &id, &parts.edits.links, &mut written).await.map_err(|mut error| {
        // The object is there: whoever comes back has to find it, not to make it again.
        error.effect = Effect::Unknown;
        error
    })?;
    Ok(written)
}

async fn update(
    connector: &EntraConnector,
    kind: EntryKind,
    id: &str,
    parts: Parts,
) -> Result<Written, ConnectorError> {
    let is_binned = connector.is_binned(id);
    if is_binned {
        bring_back(connector, id).await?;
        // Who comes back was shown as switched off, and stays so unless the operation says otherwise: that goes first and
        // alone, so that nothing which fails afterwards keeps the account on.
        let mut body = parts.body(&Map::new());
        let state = body.shift_remove(STATE).unwrap_or(Json::Bool(false));
        let request = request::update(kind, id, Map::from_iter([(STATE.to_owned(), state)]));
        settled(connector, id, &request).await?;
    }
    let lists = request::lists_to_read(&parts.edits.properties);
    let held = if lists.is_empty() { Map::new() } else { held(connector, kind, id, &lists).await? };
    let mut body = parts.body(&held);
    if is_binned {
        body.shift_remove(STATE);
    }
    let mut written = Written { left_out: parts.left_out, ..Written::whole(Anchor::new(id)) };
    if !body.is_empty() {
        settled(connector, id, &request::update(kind, id, body)).await?;
    }
    if is_binned {
        connector.restored(id);
    }
    link(connector, kind, id, &parts.edits.links, &mut written).await?;
    Ok(written)
}

/// What an object has of these lists. Whoever adds to a list or takes from it writes it whole: that needs all of it.
async fn held(
    connector: &EntraConnector,
    kind: EntryKind,
    id: &str,
    lists: &[SmolStr],
) -> Result<Map<String, Json>, ConnectorError> {
    let document = connector.document(kind, id, lists).await?.ok_or_else(|| unsettled(kind, id))?;
    let held = document.as_object().cloned().unwrap_or_default();
    for name in lists {
        let Place::Property(property) = names::attribute(name).place else { continue };
        // Graph leaves out extensions without a value, and nothing else.
        if !held.contains_key(property.as_str()) && !property.starts_with("extension_") {
            return Err(ConnectorError::new(
                ConnectorErrorKind::Unreachable,
                "WebExceptionProtocolError",
                format!(
                    "Microsoft Graph did not tell {property} of the {} {id}; it is not overwritten",
                    kind.as_str()
                ),
            ));
        }
    }
    Ok(held)
}

/// Restores a user. When the answer of an earlier try was lost, the user may be back already; whom somebody else restored
/// is not ours to change before the account was looked at again.
async fn bring_back(connector: &EntraConnector, id: &str) -> Result<(), ConnectorError> {
    let is_first = connector.restoring(id);
    match connector.service.done(&request::restore(id)).await {
        Ok(()) => {}
        Err(refusal) if refusal.is_missing() && is_first => {
            connector.restored(id);
            return Err(ConnectorError {
                detail: refusal.error.detail,
                ..ConnectorError::new(
                    ConnectorErrorKind::Conflict,
                    "Conflict",
                    format!(
                        "the user {id} is in the recycle bin no more: somebody else brought the account back, or \
                         removed it; it is looked at again before anything is written to it"
                    ),
                )
            });
        }
        Err(refusal) if refusal.is_missing() => {}
        Err(refusal) => {
            if is_first && refusal.error.effect == Effect::None {
                connector.not_restored(id);
            }
            return Err(refusal.error);
        }
    }
    connector.made(id);
    Ok(())
}

/// Whether an account may sign in.
const STATE: &str = "accountEnabled";

/// What is sent of a change. Who comes back from the recycle bin was shown as switched off, and stays so unless the
/// operation says otherwise: that goes first and alone, so that no value which Graph refuses keeps the account on.
fn bodies(mut body: Map<String, Json>, is_binned: bool) -> Vec<Map<String, Json>> {
    let mut all = Vec::new();
    if is_binned {
        let state = body.shift_remove(STATE).unwrap_or(Json::Bool(false));
        all.push(Map::from_iter([(STATE.to_owned(), state)]));
    }
    if !body.is_empty() {
        all.push(body);
    }
    all
}

async fn delete(connector: &EntraConnector, kind: EntryKind, id: &str) -> Result<Written, ConnectorError> {
    let request = request::delete(kind, id);
    match settled(connector, id, &request).await {
        Ok(_) => {}
        // Already gone is what was wanted, where that is so.
        Err(refusal) if refusal.is_missing() => {
            if matches!(connector.binned(kind, id).await?, Binned::Unknown) {
                return Err(unsettled(kind, id));
            }
        }
        Err(refusal) => return Err(refusal.error),
    }
    connector.unmade(id);
    Ok(Written::whole(Anchor::new(id)))
}

/// Asks again, for a while, when an object that was just made is said not to be there. Null stands for no document.
pub(super) async fn settled(
    connector: &EntraConnector,
    id: &str,
    request: &PreparedRequest,
) -> Result<Json, Refusal> {
    for wait in WAITS_MS {
        match connector.service.document(request).await {
            Err(refusal) if refusal.is_missing() && connector.is_new(id) => {
                connector.service.wait(Duration::from_millis(*wait)).await;
            }
            other => return other,
        }
    }
    connector.service.document(request).await
}

/// Gives a new object what Graph demands and mappings may leave out.
fn complete(kind: EntryKind, body: &mut Map<String, Json>) -> Result<(), ConnectorError> {
    let missing = |property: &str| {
        let message = format!("a {} needs a value for {property}", kind.as_str());
        ConnectorError { code: "UnprocessableEntity".into(), ..rejected(property, message) }
    };
    let text = |body: &Map<String, Json>, name: &str| {
        body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let name = text(body, "displayName").ok_or_else(|| missing("displayName"))?;
    let (nickname, defaults) = match kind {
        EntryKind::Group => (name, json!({"mailEnabled": false, "securityEnabled": true, "groupTypes": []})),
        _ => {
            let upn = text(body, "userPrincipalName").ok_or_else(|| missing("userPrincipalName"))?;
            let local = upn.rsplit_once('@').map_or(upn.as_str(), |(local, _)| local).to_owned();
            (local, json!({"accountEnabled": true}))
        }
    };
    // What is empty is left out: Graph takes null for a value in a create.
    body.retain(|_, value| !value.is_null() && *value != json!([]));
    body.entry("mailNickname").or_insert_with(|| Json::from(nickname_of(&nickname)));
    if let Json::Object(defaults) = defaults {
        for (name, value) in defaults {
            body.entry(name).or_insert(value);
        }
    }
    Ok(())
}

/// Up to 64 characters, ASCII without `@ ( ) \ [ ] " ; : < > ,` and blanks.
fn nickname_of(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|letter| letter.is_ascii_graphic() && !r#"@()\[]";:<>,"#.contains(*letter))
        .take(64)
        .collect();
    if kept.is_empty() { "object".to_owned() } else { kept }
}

/// Writes links. What Graph refuses is left out with its reason; where it does not know one of the two objects, which may
/// pass, the link is put off; what else may pass is a failure.
async fn link(
    connector: &EntraConnector,
    kind: EntryKind,
    id: &str,
    edits: &[LinkEdit],
    written: &mut Written,
) -> Result<(), ConnectorError> {
    for LinkEdit { attribute, relation, edit } in edits {
        if *relation == Relation::Manager {
            manager(connector, id, attribute, edit, written).await?;
            continue;
        }
        let (add, remove) = match edit {
            Edit::Add(ids) => (ids.clone(), Vec::new()),
            Edit::Take(ids) => (Vec::new(), ids.clone()),
            Edit::Clear | Edit::Set(_) => {
                let wanted: &[EntryId] = if let Edit::Set(ids) = edit { ids } else { &[] };
                let held = links(&connector.service, kind, id, *relation).await?;
                let surplus =
                    held.iter().map(|id| EntryId::new(id.as_str())).filter(|id| !wanted.contains(id));
                let missing = wanted.iter().filter(|id| !held.iter().any(|known| known == id.as_str()));
                (missing.cloned().collect(), surplus.collect())
            }
        };
        for block in add.chunks(BLOCK) {
            add_block(connector, id, attribute, *relation, block, written).await?;
        }
        for block in remove.chunks(BLOCK) {
            let requests: Vec<PreparedRequest> =
                block.iter().map(|to| request::remove_link(id, *relation, to.as_str())).collect();
            let outcomes: Vec<Result<(), Refusal>> = match requests.as_slice() {
                [only] => vec![connector.service.done(only).await],
                several => {
                    let outcomes = connector.service.batch(several).await?;
                    outcomes.into_iter().map(|outcome| outcome.map(drop)).collect()
                }
            };
            let mut held = None;
            for (to, outcome) in block.iter().zip(outcomes) {
                match outcome {
                    Ok(()) => {}
                    Err(refusal) if refusal.is_missing() => {
                        if held.is_none() {
                            held = Some(linked_now(connector, kind, id, *relation).await?);
                        }
                        // Not linked is what was wanted, as far as the object itself is known.
                        let is_gone =
                            held.as_ref().and_then(Option::as_ref).is_some_and(|held| !held.contains(to));
                        if !is_gone {
                            not_linked(attribute, to.as_str(), refusal, written)?;
                        }
                    }
                    Err(refusal) => not_linked(attribute, to.as_str(), refusal, written)?,
                }
            }
        }
    }
    Ok(())
}

async fn manager(
    connector: &EntraConnector,
    id: &str,
    attribute: &SmolStr,
    edit: &Edit<EntryId>,
    written: &mut Written,
) -> Result<(), ConnectorError> {
    let (Edit::Set(ids) | Edit::Add(ids)) = edit else {
        let request = request::clear_manager(id);
        return match connector.service.done(&request).await {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.is_missing() => match manager_now(connector, id).await? {
                Some(Some(to)) => not_linked(attribute, &to, refusal, written),
                Some(None) => Ok(()),
                None => Err(refusal.error),
            },
            Err(refusal) => Err(refusal.error),
        };
    };
    let Some(to) = ids.last() else { return Ok(()) };
    let request = request::set_manager(connector.service.root(), id, to.as_str());
    match either_settled(connector, id, to.as_str(), &request).await {
        Ok(_) => Ok(()),
        Err(refusal) => not_linked(attribute, to.as_str(), refusal, written),
    }
}

/// The manager that a user has; `None` where the user is not known.
async fn manager_now(
    connector: &EntraConnector,
    id: &str,
) -> Result<Option<Option<SmolStr>>, ConnectorError> {
    let user = connector.document(EntryKind::User, id, &["manager".into()]).await?;
    let manager = |user: Json| user.get("manager").and_then(translate::id).map(SmolStr::from);
    Ok(user.map(manager))
}

/// What an object is linked to; `None` where the object is not known.
async fn linked_now(
    connector: &EntraConnector,
    kind: EntryKind,
    id: &str,
    relation: Relation,
) -> Result<Option<Vec<EntryId>>, ConnectorError> {
    match links(&connector.service, kind, id, relation).await {
        Ok(ids) => Ok(Some(ids.iter().map(|id| EntryId::new(id.as_str())).collect())),
        Err(refusal) if refusal.is_missing() => Ok(None),
        Err(refusal) => Err(refusal.error),
    }
}

/// Twenty links at once, all or none; where one of them is refused, one by one.
async fn add_block(
    connector: &EntraConnector,
    id: &str,
    attribute: &SmolStr,
    relation: Relation,
    block: &[EntryId],
    written: &mut Written,
) -> Result<(), ConnectorError> {
    let root = connector.service.root();
    if block.len() > 1 {
        let ids: Vec<&str> = block.iter().map(EntryId::as_str).collect();
        let request = request::add_links(root, id, relation, &ids);
        match connector.service.done(&request).await {
            Ok(()) => return Ok(()),
            Err(refusal) if matches!(refusal.status, Some(400 | 404)) => {}
            Err(refusal) => return Err(refusal.error),
        }
    }
    for to in block {
        let request = request::add_link(root, id, relation, to.as_str());
        match either_settled(connector, id, to.as_str(), &request).await {
            Ok(_) => {}
            Err(refusal) if refusal.is_already_linked() => {}
            Err(refusal) => not_linked(attribute, to.as_str(), refusal, written)?,
        }
    }
    Ok(())
}

/// Like `settled`, where one of two objects may be new.
async fn either_settled(
    connector: &EntraConnector,
    one: &str,
    other: &str,
    request: &PreparedRequest,
) -> Result<Json, Refusal> {
    let new = if connector.is_new(one) { one } else { other };
    settled(connector, new, request).await
}

/// What a refused link leads to. A 404 may come from a part of the tenant that does not know one of the two objects yet, and
/// does not say which.
fn not_linked(
    attribute: &SmolStr,
    to: &str,
    refusal: Refusal,
    written: &mut Written,
) -> Result<(), ConnectorError> {
    let kind = refusal.error.kind;
    if !matches!(kind, ConnectorErrorKind::Rejected | ConnectorErrorKind::NotFound) {
        return Err(refusal.error);
    }
    let reason = refusal.error.detail.unwrap_or(refusal.error.message);
    if kind == ConnectorErrorKind::NotFound {
        written.put_off.push(PutOff { attribute: attribute.clone(), anchor: Anchor::new(to), reason });
    } else {
        written.left_out.push((attribute.clone(), format!("{to}: {reason}")));
    }
    Ok(())
}

/// The requests of an operation, as far as they are known before anything is read. A value that is refused when
/// written is left out here, and passwords are not shown.
pub(super) fn preview(root: &str, operation: &Operation, is_binned: bool) -> Vec<PreparedRequest> {
    let Ok(kind) = writable(&operation.object_type) else { return Vec::new() };
    let Ok(mut parts) = Parts::of(kind, &operation.changes) else { return Vec::new() };
    let id = operation.anchor.as_ref().map_or(NEW, Anchor::as_str);
    let is_new_user = operation.kind == OperationKind::Create && kind == EntryKind::User;
    if parts.password.is_some() {
        parts.password = Some(Secret::new(HIDDEN));
    } else if is_new_user {
        parts.password = Some(Secret::new(crate::transcript::DRAWN));
    }
    let mut body = parts.body(&Map::new());
    let mut requests = Vec::new();
    if is_binned && operation.kind == OperationKind::Update {
        requests.push(request::restore(id));
    }
    match operation.kind {
        OperationKind::Delete => return vec![request::delete(kind, id)],
        OperationKind::Create if complete(kind, &mut body).is_ok() => {
            requests.push(request::create(kind, body));
        }
        OperationKind::Create => return requests,
        OperationKind::Update => {
            requests.extend(bodies(body, is_binned).into_iter().map(|body| request::update(kind, id, body)));
        }
    }
    for LinkEdit { relation, edit, .. } in &parts.edits.links {
        match (relation, edit) {
            (Relation::Manager, Edit::Set(ids) | Edit::Add(ids)) => {
                requests.extend(ids.last().map(|to| request::set_manager(root, id, to.as_str())));
            }
            (Relation::Manager, _) => requests.push(request::clear_manager(id)),
            (_, Edit::Set(ids) | Edit::Add(ids)) => {
                for block in ids.chunks(BLOCK) {
                    let ids: Vec<&str> = block.iter().map(EntryId::as_str).collect();
                    requests.push(match ids.as_slice() {
                        [only] => request::add_link(root, id, *relation, only),
                        several => request::add_links(root, id, *relation, several),
                    });
                }
            }
            (_, Edit::Take(ids)) => {
                for block in ids.chunks(BLOCK) {
                    let removals: Vec<PreparedRequest> =
                        block.iter().map(|to| request::remove_link(id, *relation, to.as_str())).collect();
                    requests.push(match removals.as_slice() {
                        [only] => only.clone(),
                        several => request::batch(&several.iter().collect::<Vec<_>>()),
                    });
                }
            }
            // Whom that is about is known only when the links have been read.
            (_, Edit::Clear) => requests.push(request::links(kind, id, *relation)),
        }
    }
    requests
}
