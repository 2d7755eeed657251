//! From a write that was decided to the requests of LDAP: add, modify, rename, delete. Nothing is sent here.

use std::collections::HashMap;

use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind};
use usher_core::{AttributeChange, Change, Operation, Secret};
use usher_expr::Value;

use super::dn::Dn;
use super::entries::DISABLED;
use super::schema::{DirectorySchema, Syntax};
use super::values;

pub(super) mod shown;

/// The account's state while it is made: normal.
const NORMAL: i64 = 512;
/// Accounts need no password.
const NO_PASSWORD: i64 = 32;
/// How many values of one attribute one request changes.
pub(super) const BLOCK: usize = 1_000;
/// The attribute that takes passwords in Active Directory.
pub(super) const PASSWORD: &str = "unicodePwd";
/// The attribute with the state of an account.
pub(super) const STATE: &str = "userAccountControl";

/// An attribute with its values as the wire has them.
pub(super) type Values = (String, Vec<Vec<u8>>);

/// Names of entries by anchor.
pub(super) type Names = HashMap<String, String>;

/// What a schema's attributes mean for an entry.
#[derive(Default)]
pub(super) struct Wish<'o> {
    /// The new value of the relative name.
    pub(super) name: Option<String>,
    /// The container.
    pub(super) container: Option<Dn>,
    /// Whether the account is to be switched off.
    pub(super) is_disabled: Option<bool>,
    /// The kind of a group: whether it is a security group, and whether it is universal.
    group: (Option<bool>, Option<bool>),
    /// Attributes with plain values.
    plain: Vec<&'o AttributeChange>,
    /// Attributes that refer to other entries.
    references: Vec<&'o AttributeChange>,
}

/// One change of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Add(String, Vec<Vec<u8>>),
    Remove(String, Vec<Vec<u8>>),
    /// No values clear the attribute.
    Replace(String, Vec<Vec<u8>>),
}

impl Edit {
    /// The attribute.
    pub(super) fn attribute(&self) -> &str {
        match self {
            Self::Add(name, _) | Self::Remove(name, _) | Self::Replace(name, _) => name,
        }
    }

    /// The values.
    pub(super) fn values(&self) -> &[Vec<u8>] {
        match self {
            Self::Add(_, values) | Self::Remove(_, values) | Self::Replace(_, values) => values,
        }
    }

    /// The same change of other values.
    pub(super) fn with(&self, values: Vec<Vec<u8>>) -> Self {
        let name = self.attribute().to_owned();
        match self {
            Self::Add(..) => Self::Add(name, values),
            Self::Remove(..) => Self::Remove(name, values),
            Self::Replace(..) => Self::Replace(name, values),
        }
    }
}

impl<'o> Wish<'o> {
    /// `naming` is the attribute that names entries.
    pub(super) fn of(operation: &'o Operation, naming: &str) -> Result<Self, ConnectorError> {
        let mut wish = Self::default();
        for change in &operation.changes {
            let text = match &change.change {
                Change::Add(values) | Change::Replace(values) => {
                    values.first().map(Value::to_text).filter(|text| !text.is_empty())
                }
                Change::Remove(_) => None,
            };
            let folded = change.attribute.to_ascii_lowercase();
            match (folded.as_str(), text) {
                // A name, a place or a state that is taken away stays as it was.
                (name, text) if name == naming.to_ascii_lowercase() => {
                    wish.name = text.map(|text| text.to_string()).or(wish.name);
                }
                ("parentdistinguishedname", Some(text)) => {
                    let dn = Dn::parse(&text).map_err(|wrong| {
                        refused(&change.attribute, format!("'{text}' is no distinguished name: {wrong}"))
                    })?;
                    wish.container = Some(dn);
                }
                ("accountdisabled", Some(text)) => wish.is_disabled = Some(truth(&change.attribute, &text)?),
                ("issecuritygroup", Some(text)) => wish.group.0 = Some(truth(&change.attribute, &text)?),
                ("universalscope", Some(text)) => wish.group.1 = Some(truth(&change.attribute, &text)?),
                (
                    "parentdistinguishedname" | "accountdisabled" | "issecuritygroup" | "universalscope",
                    None,
                ) => {}
                _ if change.is_reference => wish.references.push(change),
                _ => wish.plain.push(change),
            }
        }
        Ok(wish)
    }

    /// The anchors that the references hold.
    pub(super) fn anchors(&self) -> impl Iterator<Item = SmolStr> {
        let values = self.references.iter().flat_map(|change| match &change.change {
            Change::Add(values) | Change::Replace(values) | Change::Remove(values) => values,
        });
        values.map(Value::to_text)
    }

    /// The first text of a plain attribute.
    pub(super) fn text(&self, attribute: &str) -> Option<String> {
        let change = self.plain.iter().find(|change| change.attribute.eq_ignore_ascii_case(attribute))?;
        match &change.change {
            Change::Add(values) | Change::Replace(values) => {
                values.first().map(|value| value.to_text().to_string())
            }
            Change::Remove(_) => None,
        }
    }

    /// The plain attributes of a new entry.
    pub(super) fn attributes(&self, schema: &DirectorySchema) -> Result<Vec<Values>, ConnectorError> {
        let mut all = Vec::new();
        for change in &self.plain {
            if let Change::Add(values) | Change::Replace(values) = &change.change
                && !values.is_empty()
            {
                all.push((change.attribute.to_string(), wire(schema, change, values)?));
            }
        }
        if let Some(kind) = self.group_kind() {
            all.push(("groupType".to_owned(), vec![kind.to_string().into_bytes()]));
        }
        Ok(all)
    }

    /// The edits of the plain attributes of an entry that is there.
    pub(super) fn edits(&self, schema: &DirectorySchema) -> Result<Vec<Edit>, ConnectorError> {
        let mut edits = Vec::new();
        for change in &self.plain {
            let name = change.attribute.to_string();
            let is_many = change.is_multivalued && !schema.is_single(&name);
            edits.push(match &change.change {
                Change::Add(values) if is_many => Edit::Add(name, wire(schema, change, values)?),
                Change::Remove(values) if is_many && !values.is_empty() => {
                    Edit::Remove(name, wire(schema, change, values)?)
                }
                Change::Add(values) | Change::Replace(values) => {
                    Edit::Replace(name, wire(schema, change, values)?)
                }
                Change::Remove(_) => Edit::Replace(name, Vec::new()),
            });
        }
        if let Some(kind) = self.group_kind() {
            edits.push(Edit::Replace("groupType".to_owned(), vec![kind.to_string().into_bytes()]));
        }
        Ok(edits)
    }

    /// The edits of references, in blocks; and the anchors that have no entry, with their attribute.
    pub(super) fn references(
        &self,
        schema: &DirectorySchema,
        names: &Names,
    ) -> (Vec<Edit>, Vec<(SmolStr, SmolStr)>) {
        let (mut edits, mut missing) = (Vec::new(), Vec::new());
        for change in &self.references {
            let name = change.attribute.to_string();
            let is_many = change.is_multivalued && !schema.is_single(&name);
            let mut resolved = |values: &[Value], is_needed: bool| -> Vec<Vec<u8>> {
                let mut found = Vec::with_capacity(values.len());
                for value in values {
                    let anchor = value.to_text();
                    match names.get(anchor.as_str()) {
                        Some(name) => found.push(name.clone().into_bytes()),
                        None if is_needed => missing.push((change.attribute.clone(), anchor)),
                        None => {}
                    }
                }
                found
            };
            match &change.change {
                Change::Add(values) if is_many => {
                    edits.extend(blocks(&Edit::Add(name, resolved(values, true))));
                }
                // Whatever refers to an entry that is gone is gone already.
                Change::Remove(values) if is_many && !values.is_empty() => {
                    edits.extend(blocks(&Edit::Remove(name, resolved(values, false))));
                }
                Change::Add(values) | Change::Replace(values) => {
                    let found = resolved(values, true);
                    if found.is_empty() && !values.is_empty() {
                        continue;
                    }
                    for (place, block) in blocks(&Edit::Replace(name, found)).into_iter().enumerate() {
                        edits.push(match block {
                            // Only the first block may replace what was there.
                            Edit::Replace(name, values) if place > 0 => Edit::Add(name, values),
                            other => other,
                        });
                    }
                }
                Change::Remove(_) => edits.push(Edit::Replace(name, Vec::new())),
            }
        }
        (edits, missing)
    }

    fn group_kind(&self) -> Option<i32> {
        const SECURITY: i32 = i32::MIN;
        const GLOBAL: i32 = 2;
        const UNIVERSAL: i32 = 8;
        let (is_security, is_universal) = self.group;
        is_security.or(is_universal)?;
        let scope = if is_universal.unwrap_or(false) { UNIVERSAL } else { GLOBAL };
        Some(if is_security.unwrap_or(true) { SECURITY | scope } else { scope })
    }
}

/// An edit of many values as several of few.
fn blocks(edit: &Edit) -> Vec<Edit> {
    if edit.values().is_empty() {
        return if matches!(edit, Edit::Replace(..)) { vec![edit.clone()] } else { Vec::new() };
    }
    edit.values().chunks(BLOCK).map(|block| edit.with(block.to_vec())).collect()
}

fn truth(attribute: &SmolStr, text: &str) -> Result<bool, ConnectorError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(refused(attribute, format!("'{text}' is neither True nor False"))),
    }
}

fn wire(
    schema: &DirectorySchema,
    change: &AttributeChange,
    values: &[Value],
) -> Result<Vec<Vec<u8>>, ConnectorError> {
    if change.attribute.eq_ignore_ascii_case(PASSWORD) {
        return Ok(values.iter().map(|value| quoted(&value.to_text())).collect());
    }
    let syntax = match schema.syntax(&change.attribute) {
        // A name of an entry that is mapped as text stays text.
        Syntax::Reference => Syntax::Text,
        other => other,
    };
    values
        .iter()
        .map(|value| values::write(syntax, value).map_err(|wrong| refused(&change.attribute, wrong)))
        .collect()
}

fn refused(attribute: &SmolStr, wrong: String) -> ConnectorError {
    ConnectorError {
        attribute: Some(attribute.clone()),
        ..ConnectorError::new(
            ConnectorErrorKind::Rejected,
            "AttributeValidationFailed",
            format!("the value of {attribute} cannot be written: {wrong}"),
        )
    }
}

/// The classes of a new entry, unless `objectClass` is mapped.
pub(super) fn classes(object_type: &str, is_active_directory: bool) -> Vec<&'static str> {
    match (object_type.to_ascii_lowercase().as_str(), is_active_directory) {
        ("group", true) => vec!["top", "group"],
        ("contact", true) => vec!["top", "person", "organizationalPerson", "contact"],
        ("inetorgperson", true) => vec!["top", "person", "organizationalPerson", "user", "inetOrgPerson"],
        (_, true) => vec!["top", "person", "organizationalPerson", "user"],
        ("group" | "groupofnames", false) => vec!["top", "groupOfNames"],
        ("groupofuniquenames", false) => vec!["top", "groupOfUniqueNames"],
        (_, false) => vec!["top", "person", "organizationalPerson", "inetOrgPerson"],
    }
}

/// Whether entries of a type have an account: a state and a password.
pub(super) fn has_account(object_type: &str, is_active_directory: bool) -> bool {
    is_active_directory && ["user", "inetorgperson"].contains(&object_type.to_ascii_lowercase().as_str())
}

/// The state of an account with its switch set, and all else as it was; a password is needed from then on.
pub(super) fn state(current: Option<i64>, is_disabled: bool) -> i64 {
    let bits = current.unwrap_or(NORMAL);
    if is_disabled { bits | DISABLED } else { (bits & !DISABLED) & !NO_PASSWORD }
}

/// A password that nobody knows, as Active Directory takes it.
pub(super) fn password(secret: &Secret) -> Values {
    (PASSWORD.to_owned(), vec![quoted(secret.expose())])
}

/// In quotes, as UTF-16 ([MS-ADTS] 3.1.1.3.1.5).
fn quoted(text: &str) -> Vec<u8> {
    format!("\"{text}\"").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests;
