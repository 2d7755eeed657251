//! Writes: entries are made, changed, moved, switched off and deleted. Each may be repeated without harm.

mod create;
mod preview;

use std::collections::HashSet;

use futures::future::try_join_all;
use ldap3::{LdapError, LdapResult, Mod, Scope, SearchEntry};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Exchange, PreparedRequest, Reply, Written};
use usher_core::{Anchor, Operation, Secret};
use uuid::Uuid;

use crate::transcript;

use super::connection::{ServerFacts, Session};
use super::controls;
use super::dn::{self, Dn};
use super::entries::{self, Reader, Values, plain_name};
use super::errors;
use super::requests::{self, Edit, Names, STATE, Wish, shown};
use super::settings::LdapSettings;

/// How many names one search asks for, where names do not hold anchors.
const AT_ONCE: usize = 200;
/// How many such searches are under way.
const LOOKUPS: usize = 4;

pub(super) use preview::preview;

use create::Create;

/// Writes over one connection.
pub(super) struct Writer<'s> {
    pub(super) session: &'s Session,
    pub(super) settings: &'s LdapSettings,
}

/// An entry as it is before it is changed.
struct Present {
    name: Dn,
    state: Option<i64>,
}

/// What is refused of an edit of references: the value, and the reason.
type Refused = Vec<(String, String)>;

/// Notes a write and what the server said to it.
fn told(request: PreparedRequest, outcome: &Result<LdapResult, LdapError>) {
    let answer = outcome.as_ref().ok().map(|result| Reply {
        status: u16::try_from(result.rc).unwrap_or(u16::MAX),
        body: Some(result.text.as_str()).filter(|text| !text.is_empty()).map(Into::into),
    });
    transcript::keep(Exchange { request, answer });
}

impl Writer<'_> {
    fn server(&self) -> &ServerFacts {
        &self.session.server
    }

    /// Makes an entry: switched off at first, with a password that nobody knows; references and the state follow.
    pub(super) async fn create(
        &self,
        operation: &Operation,
        password: Secret,
    ) -> Result<Written, ConnectorError> {
        let server = self.server();
        let create = Create::of(operation, server, self.settings, password)?;
        let name = create.name.text();
        let what = format!("make {name}");
        let attributes = create
            .attributes
            .iter()
            .map(|(name, values)| (name.clone().into_bytes(), values.iter().cloned().collect::<HashSet<_>>()))
            .collect();
        let mut ldap = self.session.ldap();
        let wanted = entries::anchor_attribute(server.is_active_directory);
        if server.controls.iter().any(|control| control == controls::POST_READ) {
            ldap.with_controls(controls::post_read(wanted));
        }
        let made = ldap.add(&name, attributes).await;
        told(shown::add(&create.name, &create.attributes), &made);
        let made = made.and_then(LdapResult::success);
        let made = made.map_err(|error| match errors::failure(error, &what, true) {
            // Not the entry is missing, but the place where it is to be.
            missing if missing.code == "EntryNotFound" => ConnectorError {
                kind: ConnectorErrorKind::Rejected,
                message: format!("{}: the container is not there", missing.message),
                ..missing
            },
            other => other,
        })?;
        let lost =
            |error: ConnectorError| ConnectorError { effect: usher_core::ports::Effect::Unknown, ..error };
        let told = controls::post_read_answer(&made.ctrls, wanted)
            .and_then(|bytes| entries::anchor(&bytes, server.is_active_directory));
        let anchor = match told {
            Some(anchor) => Some(anchor),
            None => self.anchor_of(&name).await.map_err(lost)?,
        };
        let anchor = anchor.ok_or_else(|| {
            lost(ConnectorError::new(
                ConnectorErrorKind::Protocol,
                "SystemForCrossDomainIdentityManagementBadResponse",
                format!("{what}: the server says it is made, and does not find it"),
            ))
        })?;
        let mut left_out = Vec::new();
        let names = self.names(&create.wish).await.map_err(lost)?;
        self.refer(&create.wish, &name, &names, &mut left_out).await.map_err(lost)?;
        if let Some(state) = create.state {
            let edit = Edit::Replace(STATE.to_owned(), vec![state.to_string().into_bytes()]);
            self.modify(&name, &[edit]).await.map_err(lost)?;
        }
        Ok(Written { left_out, ..Written::whole(anchor) })
    }

    /// Changes an entry: name and place first, then attributes and state together, then references.
    pub(super) async fn update(
        &self,
        anchor: &Anchor,
        operation: &Operation,
    ) -> Result<Written, ConnectorError> {
        let server = self.server();
        let naming = naming(&operation.object_type, server, self.settings);
        let wish = Wish::of(operation, naming)?;
        let has_account = requests::has_account(&operation.object_type, server.is_active_directory);
        let place = wish.name.is_some() || wish.container.is_some();
        let mut name = by_anchor(anchor, server)?;
        let mut state = None;
        if place || (has_account && wish.is_disabled.is_some()) || name.is_none() {
            let present = self.present(anchor).await?.ok_or_else(|| missing(anchor))?;
            state = present.state;
            let moved = self.rename(anchor, &present.name, &wish, naming).await?;
            if name.is_none() {
                name = Some(moved.text());
            }
        }
        let name = name.unwrap_or_default();
        let mut edits = wish.edits(&server.schema)?;
        if let Some(is_disabled) = wish.is_disabled.filter(|_| has_account) {
            let wanted = requests::state(state, is_disabled);
            if state != Some(wanted) {
                edits.push(Edit::Replace(STATE.to_owned(), vec![wanted.to_string().into_bytes()]));
            }
        }
        if !edits.is_empty() {
            self.modify(&name, &edits).await?;
        }
        let names = self.names(&wish).await?;
        let mut left_out = Vec::new();
        self.refer(&wish, &name, &names, &mut left_out).await?;
        Ok(Written { left_out, ..Written::whole(anchor.clone()) })
    }

    /// Deletes an entry, or moves an account to where leavers are.
    pub(super) async fn delete(&self, anchor: &Anchor, object_type: &str) -> Result<Written, ConnectorError> {
        let written = Written::whole(anchor.clone());
        let Some(present) = self.present(anchor).await? else { return Ok(written) };
        let has_account = requests::has_account(object_type, self.server().is_active_directory);
        if let Some(leavers) = self.settings.leavers.as_ref().filter(|_| has_account) {
            return self.leave(anchor, &present, leavers).await.map(|()| written);
        }
        // As it was planned: by what does not change when the entry is moved.
        let name = by_anchor(anchor, self.server())?.unwrap_or_else(|| present.name.text());
        let mut ldap = self.session.ldap();
        let gone = ldap.delete(&name).await;
        told(shown::delete(&name), &gone);
        match gone.and_then(LdapResult::success) {
            Ok(_) => Ok(written),
            // Gone in between is what was wanted.
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Ok(written),
            Err(error) => Err(errors::failure(error, &format!("delete {name}"), true)),
        }
    }

    async fn leave(&self, anchor: &Anchor, present: &Present, leavers: &Dn) -> Result<(), ConnectorError> {
        let name = by_anchor(anchor, self.server())?.unwrap_or_else(|| present.name.text());
        let off = requests::state(present.state, true);
        if present.state != Some(off) {
            let edit = Edit::Replace(STATE.to_owned(), vec![off.to_string().into_bytes()]);
            self.modify(&name, &[edit]).await?;
        }
        if present.name.parent().key() == leavers.key() {
            return Ok(());
        }
        let own = present.name.rdn();
        match self.move_to(&name, &own, Some(leavers)).await {
            Err(error) if error.kind == ConnectorErrorKind::AlreadyExists => {
                // Somebody of the same name left before.
                let id: String = anchor.as_str().chars().take(8).collect();
                let told = format!("{} ({id})", present.name.name().unwrap_or_default());
                let relative = format!("CN={}", dn::escaped(&told));
                self.move_to(&name, &relative, Some(leavers)).await
            }
            other => other,
        }
    }

    async fn rename(
        &self,
        anchor: &Anchor,
        present: &Dn,
        wish: &Wish<'_>,
        naming: &str,
    ) -> Result<Dn, ConnectorError> {
        let Some((relative, container)) = moved(present, wish, naming) else {
            return Ok(present.clone());
        };
        let parent = wish.container.clone().unwrap_or_else(|| present.parent());
        match by_anchor(anchor, self.server())? {
            // A name that is an anchor has no parent; not every server looks the entry's own up (Samba does not).
            Some(name) => self.move_to(&name, &relative, Some(&parent)).await?,
            None => self.move_to(&present.text(), &relative, container.as_ref()).await?,
        }
        let container = container.unwrap_or_else(|| present.parent());
        Dn::parse(&format!("{relative},{}", container.text()))
            .map_err(|wrong| ConnectorError::new(ConnectorErrorKind::Rejected, "InvalidAnchor", wrong))
    }

    async fn move_to(
        &self,
        name: &str,
        relative: &str,
        container: Option<&Dn>,
    ) -> Result<(), ConnectorError> {
        let container = container.map(Dn::text);
        let request = shown::rename(name, relative, container.as_deref());
        let mut ldap = self.session.ldap();
        let moved = ldap.modifydn(name, relative, true, container.as_deref()).await;
        told(request, &moved);
        moved.and_then(LdapResult::success).map(|_| ()).map_err(|error| {
            let place = container.map(|container| format!(",{container}")).unwrap_or_default();
            errors::failure(error, &format!("rename {name} to {relative}{place}"), true)
        })
    }

    /// Changes attributes in one request. What is there or gone already is left out when the server minds.
    async fn modify(&self, name: &str, edits: &[Edit]) -> Result<(), ConnectorError> {
        match self.send(name, edits).await {
            Ok(()) => Ok(()),
            Err(LdapError::LdapResult { result }) if matches!(result.rc, 16 | 20) => {
                let settled = self.settled(name, edits).await?;
                if settled == edits {
                    return Err(errors::refusal(&result, &format!("change {name}")));
                }
                if settled.is_empty() {
                    return Ok(());
                }
                self.send(name, &settled)
                    .await
                    .map_err(|error| errors::failure(error, &format!("change {name}"), true))
            }
            Err(error) => Err(errors::failure(error, &format!("change {name}"), true)),
        }
    }

    async fn send(&self, name: &str, edits: &[Edit]) -> Result<(), LdapError> {
        let mods = edits
            .iter()
            .map(|edit| {
                let (attribute, values) =
                    (edit.attribute().as_bytes().to_vec(), edit.values().iter().cloned().collect());
                match edit {
                    Edit::Add(..) => Mod::Add(attribute, values),
                    Edit::Remove(..) => Mod::Delete(attribute, values),
                    Edit::Replace(..) => Mod::Replace(attribute, values),
                }
            })
            .collect();
        let mut ldap = self.session.ldap();
        if self.server().is_active_directory {
            ldap.with_controls(vec![controls::permissive_modify()]);
        }
        let changed = ldap.modify(name, mods).await;
        told(shown::modify(name, edits), &changed);
        changed.and_then(LdapResult::success).map(|_| ())
    }

    /// The edits without values that are there, or gone, already.
    async fn settled(&self, name: &str, edits: &[Edit]) -> Result<Vec<Edit>, ConnectorError> {
        let wanted: Vec<&str> = edits.iter().map(Edit::attribute).collect();
        let values = self.read(name, wanted).await?.map(|(_, values)| values).ok_or_else(|| {
            ConnectorError::new(ConnectorErrorKind::NotFound, "EntryNotFound", format!("{name} is not there"))
        })?;
        let is_there = |edit: &Edit, value: &Vec<u8>| {
            values
                .get(edit.attribute())
                .is_some_and(|all| all.iter().any(|one| one.eq_ignore_ascii_case(value)))
        };
        Ok(edits
            .iter()
            .filter_map(|edit| {
                let kept: Vec<Vec<u8>> = match edit {
                    Edit::Replace(..) => return Some(edit.clone()),
                    Edit::Add(_, values) => {
                        values.iter().filter(|one| !is_there(edit, one)).cloned().collect()
                    }
                    Edit::Remove(_, values) => {
                        values.iter().filter(|one| is_there(edit, one)).cloned().collect()
                    }
                };
                (!kept.is_empty()).then(|| edit.with(kept))
            })
            .collect())
    }

    /// Writes references. What the server refuses of them is left out, the rest is written.
    async fn refer(
        &self,
        wish: &Wish<'_>,
        name: &str,
        names: &Names,
        left_out: &mut Vec<(SmolStr, String)>,
    ) -> Result<(), ConnectorError> {
        let (edits, missing) = wish.references(&self.server().schema, names);
        for (attribute, anchor) in missing {
            left_out.push((attribute, format!("{anchor}: there is no such entry")));
        }
        let mut held = None;
        for edit in edits {
            for (value, reason) in self.refer_block(name, &edit, &mut held).await? {
                left_out.push((edit.attribute().into(), format!("{value}: {reason}")));
            }
        }
        Ok(())
    }

    /// A block of references. A server refuses a block whole: what the entry holds tells which of its values are there,
    /// or gone, already, and halves tell which of the others the server means.
    async fn refer_block(
        &self,
        name: &str,
        edit: &Edit,
        held: &mut Option<(String, HashSet<String>)>,
    ) -> Result<Refused, ConnectorError> {
        let mut open = vec![edit.clone()];
        let mut refused = Vec::new();
        while let Some(edit) = open.pop() {
            let edit = match held {
                Some((attribute, known)) if attribute == edit.attribute() => open_values(edit, known),
                _ => edit,
            };
            if edit.values().is_empty() && !matches!(edit, Edit::Replace(..)) {
                continue;
            }
            let result = match self.send(name, std::slice::from_ref(&edit)).await {
                Ok(()) => continue,
                Err(LdapError::LdapResult { result }) => result,
                Err(error) => return Err(errors::failure(error, &format!("change {name}"), true)),
            };
            let failure = errors::refusal(&result, &format!("change {}", edit.attribute()));
            if !is_about_a_value(result.rc) {
                return Err(failure);
            }
            let is_settled = held.as_ref().is_some_and(|(attribute, _)| attribute == edit.attribute());
            if !is_settled && !matches!(edit, Edit::Replace(..)) {
                let known = self.held(name, edit.attribute()).await?;
                *held = Some((edit.attribute().to_owned(), known));
                open.push(edit);
                continue;
            }
            if edit.values().len() > 1 {
                let (left, right) = edit.values().split_at(edit.values().len() / 2);
                // Of a replacement only one half may replace.
                let second = match &edit {
                    Edit::Replace(name, _) => Edit::Add(name.clone(), right.to_vec()),
                    other => other.with(right.to_vec()),
                };
                let first = edit.with(left.to_vec());
                open.extend([second, first]);
                continue;
            }
            if result.rc == 65 && matches!(edit, Edit::Remove(..)) {
                // Such a group may not be empty; the name of nothing stands for that.
                let empty = Edit::Add(edit.attribute().to_owned(), vec![Vec::new()]);
                let both = [empty, edit.clone()];
                self.send(name, &both)
                    .await
                    .map_err(|error| errors::failure(error, &format!("change {name}"), true))?;
                continue;
            }
            let value = edit.values().first().map(|one| String::from_utf8_lossy(one).into_owned());
            refused.push((value.unwrap_or_default(), failure.detail.unwrap_or(failure.message)));
        }
        Ok(refused)
    }

    /// What an entry refers to at present, in the form in which references are written, folded.
    async fn held(&self, name: &str, attribute: &str) -> Result<HashSet<String>, ConnectorError> {
        let gone = || {
            ConnectorError::new(ConnectorErrorKind::NotFound, "EntryNotFound", format!("{name} is not there"))
        };
        if self.server().is_active_directory {
            let reader = Reader::new(self.session, &SmolStr::default(), &[]);
            let values = reader.references_of(name, attribute).await?.ok_or_else(gone)?;
            return Ok(values
                .iter()
                .map(|value| format!("<guid={}>", value.to_text().to_lowercase()))
                .collect());
        }
        let (_, values) = self.read(name, vec![attribute]).await?.ok_or_else(gone)?;
        let all = values.get(attribute).map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().map(|value| folded(value)).collect())
    }

    /// The names of the entries that a wish refers to. What is no anchor of this directory refers to nothing.
    async fn names(&self, wish: &Wish<'_>) -> Result<Names, ConnectorError> {
        let mut names = Names::new();
        let mut open = Vec::new();
        for anchor in wish.anchors() {
            match by_anchor(&Anchor::new(anchor.clone()), self.server()) {
                Ok(Some(name)) => drop(names.insert(anchor.to_string(), name)),
                Ok(None) => open.push(anchor),
                Err(_) => {}
            }
        }
        for anchors in open.chunks(AT_ONCE * LOOKUPS) {
            let found = try_join_all(anchors.chunks(AT_ONCE).map(|anchors| self.named(anchors))).await?;
            names.extend(found.into_iter().flatten());
        }
        Ok(names)
    }

    /// The names of entries by anchors, where names do not hold them.
    async fn named(&self, anchors: &[SmolStr]) -> Result<Vec<(String, String)>, ConnectorError> {
        let any: String =
            anchors.iter().map(|anchor| super::values::equals("entryUUID", anchor.as_bytes())).collect();
        let base = self.server().base.text();
        let mut ldap = self.session.ldap();
        let found = ldap.search(&base, Scope::Subtree, &format!("(|{any})"), vec!["entryUUID"]).await;
        let (entries, _) = found
            .and_then(ldap3::SearchResult::success)
            .map_err(|error| errors::failure(error, &format!("search below {base}"), false))?;
        let named = entries.into_iter().filter(entries::is_entry).filter_map(|entry| {
            let entry = SearchEntry::construct(entry);
            let name = entry.dn.clone();
            let anchor = entries::anchor(Values::of(entry).get("entryUUID")?.first()?, false)?;
            Some((anchor.as_str().to_owned(), name))
        });
        Ok(named.collect())
    }

    /// An entry by its anchor, as it is now.
    async fn present(&self, anchor: &Anchor) -> Result<Option<Present>, ConnectorError> {
        let found = match by_anchor(anchor, self.server())? {
            Some(name) => self.read(&name, vec![STATE]).await?,
            None => self.search(anchor).await?,
        };
        let Some((name, values)) = found else { return Ok(None) };
        let name = Dn::parse(&name).map_err(|wrong| {
            ConnectorError::new(
                ConnectorErrorKind::Protocol,
                "SystemForCrossDomainIdentityManagementBadResponse",
                format!("the server gives '{name}' as the name of an entry: {wrong}"),
            )
        })?;
        let state = values.get(STATE).and_then(|all| std::str::from_utf8(all.first()?).ok()?.parse().ok());
        Ok(Some(Present { name, state }))
    }

    async fn search(&self, anchor: &Anchor) -> Result<Option<(String, Values)>, ConnectorError> {
        let filter = super::values::equals("entryUUID", anchor.as_str().as_bytes());
        let base = self.settings.base.as_ref().unwrap_or(&self.server().base).text();
        let mut ldap = self.session.ldap();
        let found = ldap.search(&base, Scope::Subtree, &filter, vec!["1.1"]).await;
        let (entries, _) = found
            .and_then(ldap3::SearchResult::success)
            .map_err(|error| errors::failure(error, &format!("search below {base}"), false))?;
        Ok(first(entries))
    }

    /// An entry by its name.
    async fn read(&self, name: &str, wanted: Vec<&str>) -> Result<Option<(String, Values)>, ConnectorError> {
        let mut ldap = self.session.ldap();
        match ldap
            .search(name, Scope::Base, "(objectClass=*)", wanted)
            .await
            .and_then(ldap3::SearchResult::success)
        {
            Ok((entries, _)) => Ok(first(entries)),
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Ok(None),
            Err(error) => Err(errors::failure(error, &format!("read {name}"), false)),
        }
    }

    async fn anchor_of(&self, name: &str) -> Result<Option<Anchor>, ConnectorError> {
        let is_active_directory = self.server().is_active_directory;
        let wanted = entries::anchor_attribute(is_active_directory);
        let Some((_, values)) = self.read(name, vec![wanted]).await? else { return Ok(None) };
        Ok(values.get(wanted).and_then(|all| entries::anchor(all.first()?, is_active_directory)))
    }
}

/// An edit without the values that are there, or gone, already.
fn open_values(edit: Edit, held: &HashSet<String>) -> Edit {
    let wanted = match &edit {
        Edit::Add(..) => false,
        Edit::Remove(..) => true,
        Edit::Replace(..) => return edit,
    };
    let open =
        edit.values().iter().filter(|value| held.contains(&folded(value)) == wanted).cloned().collect();
    edit.with(open)
}

/// A reference in a form that is the same for all that point to the same entry.
fn folded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    if text.starts_with('<') {
        return text.to_lowercase();
    }
    Dn::parse(&text).map(|dn| dn.key()).unwrap_or_else(|_| text.to_lowercase())
}

fn first(entries: Vec<ldap3::ResultEntry>) -> Option<(String, Values)> {
    let entry = entries.into_iter().find(|entry| !entry.is_ref()).map(SearchEntry::construct)?;
    Some((plain_name(&entry.dn).to_owned(), Values::of(entry)))
}

/// Codes that blame a value, or what it refers to.
fn is_about_a_value(code: u32) -> bool {
    matches!(code, 16 | 19 | 20 | 21 | 32 | 34 | 53 | 65 | 68)
}

fn missing(anchor: &Anchor) -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::NotFound,
        "InvalidAnchor",
        format!("there is no entry {anchor} any more"),
    )
}

/// The form of a name that holds the anchor, where the server knows one.
fn by_anchor(anchor: &Anchor, server: &ServerFacts) -> Result<Option<String>, ConnectorError> {
    let id = Uuid::parse_str(anchor.as_str()).map_err(|_| missing(anchor))?;
    Ok(server.is_active_directory.then(|| format!("<GUID={id}>")))
}

/// The attribute that names entries of a type.
fn naming<'s>(object_type: &str, server: &ServerFacts, settings: &'s LdapSettings) -> &'s str {
    let is_group = object_type.to_ascii_lowercase().starts_with("group");
    if server.is_active_directory || is_group { "cn" } else { &settings.naming }
}

/// The new relative name and the new container, when one of them is another than before.
fn moved(present: &Dn, wish: &Wish<'_>, naming: &str) -> Option<(String, Option<Dn>)> {
    let is_renamed = wish.name.as_ref().is_some_and(|name| present.name().as_ref() != Some(name));
    let container = wish.container.clone().filter(|container| container.key() != present.parent().key());
    if !is_renamed && container.is_none() {
        return None;
    }
    let relative = match wish.name.as_ref().filter(|_| is_renamed) {
        Some(name) => format!("{naming}={}", dn::escaped(name)),
        None => present.rdn(),
    };
    Some((relative, container))
}
