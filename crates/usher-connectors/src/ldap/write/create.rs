//! A new entry: its name and place, what its classes insist on, and how an account begins.

use usher_core::ports::{ConnectorError, ConnectorErrorKind};
use usher_core::{Operation, Secret};

use super::super::connection::ServerFacts;
use super::super::dn::Dn;
use super::super::requests::{self, STATE, Wish};
use super::super::settings::LdapSettings;
use super::naming;

/// The attributes that name an entry for people where its naming attribute is not mapped.
const NAMES: &[&str] = &["displayName", "uid", "sAMAccountName", "mail"];

/// A create, taken apart.
pub(super) struct Create<'o> {
    pub(super) wish: Wish<'o>,
    pub(super) name: Dn,
    pub(super) attributes: Vec<requests::Values>,
    /// The state that the account gets when everything else is written.
    pub(super) state: Option<i64>,
}

impl<'o> Create<'o> {
    pub(super) fn of(
        operation: &'o Operation,
        server: &ServerFacts,
        settings: &LdapSettings,
        password: Secret,
    ) -> Result<Self, ConnectorError> {
        let is_active_directory = server.is_active_directory;
        let naming = naming(&operation.object_type, server, settings);
        let wish = Wish::of(operation, naming)?;
        let relative =
            wish.name.clone().or_else(|| NAMES.iter().find_map(|name| wish.text(name))).ok_or_else(|| {
                ConnectorError {
                    attribute: Some(naming.into()),
                    ..ConnectorError::new(
                        ConnectorErrorKind::Rejected,
                        "AttributeValidationFailed",
                        format!("a new {} needs a name; map {naming}", operation.object_type),
                    )
                }
            })?;
        let container = wish.container.clone().or_else(|| settings.container.clone());
        let container = container.unwrap_or_else(|| match &settings.base {
            Some(base) => base.clone(),
            None if is_active_directory => server.base.child("CN", "Users"),
            None => server.base.clone(),
        });
        let mut attributes = wish.attributes(&server.schema)?;
        let has = |attributes: &[requests::Values], name: &str| {
            attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !has(&attributes, "objectClass") {
            let classes = requests::classes(&operation.object_type, is_active_directory);
            attributes.insert(
                0,
                (
                    "objectClass".to_owned(),
                    classes.into_iter().map(|class| class.as_bytes().to_vec()).collect(),
                ),
            );
        }
        let mut state = None;
        if requests::has_account(&operation.object_type, is_active_directory) {
            if !server.is_protected {
                return Err(ConnectorError::new(
                    ConnectorErrorKind::Rejected,
                    "AttributeValidationFailed",
                    "accounts get a password, which is sent over TLS only; give an ldaps:// address",
                ));
            }
            let mapped = attributes.iter().position(|(name, _)| name.eq_ignore_ascii_case(STATE));
            let mapped = mapped.map(|place| attributes.remove(place).1).and_then(|values| number(&values));
            let off = requests::state(mapped, true);
            let wanted =
                wish.is_disabled.map_or(mapped, |is_disabled| Some(requests::state(mapped, is_disabled)));
            state = wanted.filter(|wanted| *wanted != off);
            attributes.push((STATE.to_owned(), vec![off.to_string().into_bytes()]));
            if !has(&attributes, requests::PASSWORD) {
                attributes.push(requests::password(&password));
            }
        }
        if !is_active_directory {
            complete(&mut attributes, &operation.object_type, naming, &relative);
        }
        let name = container.child(if is_active_directory { "CN" } else { naming }, &relative);
        Ok(Self { wish, name, attributes, state })
    }
}

/// What classes of other servers insist on, when it is not mapped: the name serves for it, and nobody is a member.
fn complete(attributes: &mut Vec<requests::Values>, object_type: &str, naming: &str, relative: &str) {
    let needed: &[(&str, &str)] = match object_type.to_ascii_lowercase().as_str() {
        "group" | "groupofnames" => &[("cn", relative), ("member", "")],
        "groupofuniquenames" => &[("cn", relative), ("uniqueMember", "")],
        _ => &[("cn", relative), ("sn", relative)],
    };
    if attributes.iter().any(|(name, _)| name.eq_ignore_ascii_case("objectClass")) {
        for (name, value) in needed {
            if !attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) && *name != naming {
                attributes.push(((*name).to_owned(), vec![value.as_bytes().to_vec()]));
            }
        }
    }
    if !attributes.iter().any(|(known, _)| known.eq_ignore_ascii_case(naming)) {
        attributes.push((naming.to_owned(), vec![relative.as_bytes().to_vec()]));
    }
}

fn number(values: &[Vec<u8>]) -> Option<i64> {
    std::str::from_utf8(values.first()?).ok()?.parse().ok()
}
