//! Writes as people read them before they are sent.

use usher_core::ports::{ConnectorError, PreparedRequest};
use usher_core::{Anchor, Operation, OperationKind, Secret};

use crate::transcript::DRAWN;

use super::super::connection::ServerFacts;
use super::super::dn::{self, Dn};
use super::super::requests::{self, Edit, Names, STATE, Wish, shown};
use super::super::settings::LdapSettings;
use super::create::Create;
use super::{by_anchor, naming};

/// Stands for an entry that is yet to be made.
const NEW: &str = "(the new entry)";
/// Stands for what only the server knows.
const AS_IT_IS: &str = "(as it is)";

/// The requests of an operation as they would be sent first; without a server at hand as Active Directory wants them.
pub(in super::super) fn preview(
    operation: &Operation,
    server: &ServerFacts,
    settings: &LdapSettings,
) -> Result<Vec<PreparedRequest>, ConnectorError> {
    let name = match &operation.anchor {
        Some(anchor) => by_anchor(anchor, server)?.unwrap_or_else(|| format!("(the entry {anchor})")),
        None => NEW.to_owned(),
    };
    let names = |wish: &Wish<'_>| -> Names {
        wish.anchors()
            .map(|anchor| {
                let shown = by_anchor(&Anchor::new(anchor.clone()), server).ok().flatten();
                (anchor.to_string(), shown.unwrap_or_else(|| format!("(the entry {anchor})")))
            })
            .collect()
    };
    let refer = |wish: &Wish<'_>, name: &str| -> Vec<PreparedRequest> {
        let (edits, _) = wish.references(&server.schema, &names(wish));
        edits.iter().map(|edit| shown::modify(name, std::slice::from_ref(edit))).collect()
    };
    let mut all = Vec::new();
    match operation.kind {
        OperationKind::Create => {
            let create = Create::of(operation, server, settings, Secret::new(DRAWN))?;
            all.push(shown::add(&create.name, &create.attributes));
            let name = create.name.text();
            all.extend(refer(&create.wish, &name));
            if let Some(state) = create.state {
                let edit = Edit::Replace(STATE.to_owned(), vec![state.to_string().into_bytes()]);
                all.push(shown::modify(&name, &[edit]));
            }
        }
        OperationKind::Update => {
            let naming = naming(&operation.object_type, server, settings);
            let wish = Wish::of(operation, naming)?;
            if wish.name.is_some() || wish.container.is_some() {
                let relative = wish
                    .name
                    .as_ref()
                    .map_or_else(|| AS_IT_IS.to_owned(), |name| format!("{naming}={}", dn::escaped(name)));
                let container = wish.container.as_ref().map(Dn::text);
                // By its anchor an entry has no container that a server could keep: it is always named.
                let as_it_is = server.is_active_directory.then(|| AS_IT_IS.to_owned());
                all.push(shown::rename(&name, &relative, container.or(as_it_is).as_deref()));
            }
            let mut edits = wish.edits(&server.schema)?;
            if let Some(is_disabled) = wish.is_disabled {
                let told = if is_disabled { "(as it is, with bit 2)" } else { "(as it is, without bit 2)" };
                edits.push(Edit::Replace(STATE.to_owned(), vec![told.as_bytes().to_vec()]));
            }
            if !edits.is_empty() {
                all.push(shown::modify(&name, &edits));
            }
            all.extend(refer(&wish, &name));
        }
        OperationKind::Delete => all.push(match &settings.leavers {
            Some(leavers) if requests::has_account(&operation.object_type, server.is_active_directory) => {
                shown::rename(&name, AS_IT_IS, Some(&leavers.text()))
            }
            _ => shown::delete(&name),
        }),
    }
    Ok(all)
}
