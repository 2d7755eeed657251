//! Entries as objects of a schema: attributes, computed ones, references, and values that come in ranges.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use ldap3::controls::RawControl;
use ldap3::{LdapError, ResultEntry, Scope, SearchEntry, SearchOptions};
use smol_str::{SmolStr, format_smolstr};
use usher_core::ports::ConnectorError;
use usher_core::{Anchor, AttributeSet, DirectoryObject};
use usher_expr::Value;
use uuid::Uuid;

use super::connection::{ServerFacts, Session};
use super::controls;
use super::dn::Dn;
use super::errors;
use super::schema::Syntax;
use super::values;

/// How many references are looked up at once, where the server does not tell what they point to.
const LOOKUPS: usize = 16;
/// What follows the name of an attribute of which the server gives a part ([MS-ADTS] 3.1.1.3.1.3.3).
const RANGE: &str = ";range=";
/// The bit of `userAccountControl` that switches an account off.
pub(super) const DISABLED: i64 = 2;

/// The condition of a filter for the containers of Active Directory, which take their entries along when they move.
pub(super) const CONTAINERS: &str = "(|(objectClass=organizationalUnit)(objectClass=container))";

/// The condition of a filter for objects of a type.
pub(super) fn filter(object_type: &str, is_active_directory: bool) -> String {
    match (object_type.to_ascii_lowercase().as_str(), is_active_directory) {
        // Computers and inetOrgPersons are users too, in Active Directory.
        ("user", true) => {
            "(&(objectClass=user)(!(objectClass=computer))(!(objectClass=inetOrgPerson)))".to_owned()
        }
        ("user", false) => "(objectClass=inetOrgPerson)".to_owned(),
        ("group", false) => "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))".to_owned(),
        (class, _) => values::equals("objectClass", class.as_bytes()),
    }
}

/// The attribute that holds what never changes of an entry.
pub(super) fn anchor_attribute(is_active_directory: bool) -> &'static str {
    if is_active_directory { "objectGUID" } else { "entryUUID" }
}

/// Reads entries of one type with certain attributes.
pub(super) struct Reader<'s> {
    session: &'s Session,
    object_type: SmolStr,
    attributes: Vec<Wanted>,
}

/// An attribute of objects, with all that is known of it before an entry is read.
struct Wanted {
    name: SmolStr,
    /// In small letters, as the values of entries are kept.
    folded: String,
    comes: Comes,
}

/// Where the value of an attribute comes from.
enum Comes {
    /// The entry's name.
    Name,
    /// The name of the entry above.
    Container,
    /// A bit of `userAccountControl`.
    State,
    /// The anchor, as the bytes of a GUID.
    Guid,
    /// The anchor, as text.
    Uuid,
    /// The entry's values of that name.
    Values { syntax: Syntax, is_single: bool },
}

impl Wanted {
    fn new(name: &SmolStr, server: &ServerFacts) -> Self {
        let folded = name.to_lowercase();
        let comes = match folded.as_str() {
            "distinguishedname" => Comes::Name,
            "parentdistinguishedname" => Comes::Container,
            "accountdisabled" => Comes::State,
            "objectguid" if server.is_active_directory => Comes::Guid,
            "entryuuid" if !server.is_active_directory => Comes::Uuid,
            _ => {
                Comes::Values { syntax: server.schema.syntax(name), is_single: server.schema.is_single(name) }
            }
        };
        Self { name: name.clone(), folded, comes }
    }
}

impl<'s> Reader<'s> {
    pub(super) fn new(session: &'s Session, object_type: &SmolStr, attributes: &[SmolStr]) -> Self {
        let attributes = attributes.iter().map(|name| Wanted::new(name, &session.server)).collect();
        Self { session, object_type: object_type.clone(), attributes }
    }

    /// What the server is asked for.
    pub(super) fn wanted(&self) -> Vec<String> {
        let server = &self.session.server;
        let mut wanted = vec![anchor_attribute(server.is_active_directory).to_owned()];
        for attribute in &self.attributes {
            match attribute.comes {
                Comes::State => wanted.push("userAccountControl".to_owned()),
                Comes::Container => {}
                _ => wanted.push(attribute.name.to_string()),
            }
        }
        wanted.dedup();
        wanted
    }

    /// Controls of every search: references tell what they point to, and nothing is sent that leads elsewhere.
    pub(super) fn controls(&self) -> Vec<RawControl> {
        if self.session.server.is_active_directory {
            vec![controls::extended_names(), controls::domain_scope()]
        } else {
            Vec::new()
        }
    }

    /// One entry by its name, also in the form `<GUID=…>`, when it is of the type.
    pub(super) async fn by_name(&self, name: &str) -> Result<Option<DirectoryObject>, ConnectorError> {
        let filter = filter(&self.object_type, self.session.server.is_active_directory);
        match self.search(name, Scope::Base, &filter).await {
            Ok(entries) => match entries.into_iter().next() {
                Some(entry) => self.object(entry).await.map(Some),
                None => Ok(None),
            },
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Ok(None),
            Err(error) => Err(errors::failure(error, &format!("read {name}"), false)),
        }
    }

    /// One entry by its anchor, when it is of the type and lies in a container, which is there.
    pub(super) async fn by_anchor(
        &self,
        anchor: &str,
        container: &Dn,
    ) -> Result<Option<DirectoryObject>, ConnectorError> {
        let found = self.look_up(anchor, container).await?;
        if found.is_none() {
            self.confirm(container).await?;
        }
        Ok(found)
    }

    /// The same, for whoever makes sure of the container before anything is taken for gone.
    pub(super) async fn look_up(
        &self,
        anchor: &str,
        container: &Dn,
    ) -> Result<Option<DirectoryObject>, ConnectorError> {
        let Ok(id) = Uuid::parse_str(anchor) else { return Ok(None) };
        let is_active_directory = self.session.server.is_active_directory;
        let of_type = filter(&self.object_type, is_active_directory);
        let (base, scope, filter) = if is_active_directory {
            (format!("<GUID={id}>"), Scope::Base, of_type)
        } else {
            let is_it = values::equals("entryUUID", id.to_string().as_bytes());
            (container.text(), Scope::Subtree, format!("(&{is_it}{of_type})"))
        };
        let entries = match self.search(&base, scope, &filter).await {
            Ok(entries) => entries,
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Vec::new(),
            Err(error) => return Err(errors::failure(error, &format!("read {base}"), false)),
        };
        match entries.into_iter().next() {
            Some(entry) if Dn::parse(plain_name(&entry.dn)).is_ok_and(|name| name.is_within(container)) => {
                self.object(entry).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Makes sure that a container is there, before anything is taken for gone because it does not lie in it: a name that
    /// is mistyped, or a container that was renamed, would take everybody's account.
    pub(super) async fn confirm(&self, container: &Dn) -> Result<(), ConnectorError> {
        let name = container.text();
        let mut ldap = self.session.ldap();
        let found = ldap
            .with_controls(self.controls())
            .search(&name, Scope::Base, "(objectClass=*)", vec!["1.1"])
            .await
            .and_then(ldap3::SearchResult::success);
        match found {
            Ok(_) => Ok(()),
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Err(errors::no_container(&name)),
            Err(error) => Err(errors::failure(error, &format!("read {name}"), false)),
        }
    }

    /// Whether an entry is a container that others may lie in.
    pub(super) async fn is_container(&self, anchor: &str) -> Result<bool, ConnectorError> {
        let base = format!("<GUID={anchor}>");
        match self.search(&base, Scope::Base, CONTAINERS).await {
            Ok(entries) => Ok(!entries.is_empty()),
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Ok(false),
            Err(error) => Err(errors::failure(error, &format!("read {base}"), false)),
        }
    }

    /// The entries below a base with this value; two are enough.
    pub(super) async fn by_value(
        &self,
        base: &Dn,
        attribute: &str,
        value: &Value,
    ) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let server = &self.session.server;
        let text = value.to_text();
        if attribute.eq_ignore_ascii_case("distinguishedName") {
            let Ok(name) = Dn::parse(&text) else { return Ok(Vec::new()) };
            if !name.is_within(base) {
                return Ok(Vec::new());
            }
            return Ok(self.by_name(&name.text()).await?.into_iter().collect());
        }
        let is_guid = server.is_active_directory && attribute.eq_ignore_ascii_case("objectGUID");
        let bytes = match (value, Uuid::parse_str(&text)) {
            (Value::Text(_) | Value::Reference(_), Ok(id)) if is_guid => id.to_bytes_le().to_vec(),
            _ => match values::write(server.schema.syntax(attribute), value) {
                Ok(bytes) => bytes,
                // Nothing has a value that cannot be.
                Err(_) => return Ok(Vec::new()),
            },
        };
        let of_type = filter(&self.object_type, server.is_active_directory);
        let filter = format!("(&{of_type}{})", values::equals(attribute, &bytes));
        let base = base.text();
        let what = format!("search below {base} for {attribute}");
        let mut ldap = self.session.ldap();
        ldap.with_controls(self.controls()).with_search_options(SearchOptions::new().sizelimit(2));
        let found = ldap.search(&base, Scope::Subtree, &filter, self.wanted()).await;
        let ldap3::SearchResult(entries, result) =
            found.map_err(|error| errors::failure(error, &what, false))?;
        // Two hits are what was asked for, however many there are.
        if !matches!(result.rc, 0 | 4) {
            return Err(errors::refusal(&result, &what));
        }
        // Whoever is not found here may be there: nobody must be made twice.
        if !result.refs.is_empty() && !server.is_active_directory {
            return Err(errors::elsewhere(&result.refs, &what));
        }
        let mut objects = Vec::new();
        for entry in entries.into_iter().filter(is_entry).map(SearchEntry::construct) {
            objects.push(self.object(entry).await?);
        }
        Ok(objects)
    }

    /// All entries below a base, all at once: for filters that few can pass.
    pub(super) async fn all(&self, base: &str, filter: &str) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let what = format!("search below {base}");
        let entries = self
            .search(base, Scope::Subtree, filter)
            .await
            .map_err(|error| errors::failure(error, &what, false))?;
        self.objects(entries).await
    }

    async fn search(&self, base: &str, scope: Scope, filter: &str) -> Result<Vec<SearchEntry>, LdapError> {
        let mut ldap = self.session.ldap();
        let (entries, _) = ldap
            .with_controls(self.controls())
            .search(base, scope, filter, self.wanted())
            .await?
            .success()?;
        Ok(entries.into_iter().filter(is_entry).map(SearchEntry::construct).collect())
    }

    /// Entries as objects, in their order.
    pub(super) async fn objects(
        &self,
        entries: Vec<SearchEntry>,
    ) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let asks =
            |attribute: &Wanted| matches!(attribute.comes, Comes::Values { syntax: Syntax::Reference, .. });
        if self.attributes.iter().any(asks) {
            return stream::iter(entries)
                .map(|entry| self.object(entry))
                .buffered(LOOKUPS)
                .try_collect()
                .await;
        }
        let mut objects = Vec::with_capacity(entries.len());
        for entry in entries {
            objects.push(self.object(entry).await?);
        }
        Ok(objects)
    }

    /// An entry as an object.
    pub(super) async fn object(&self, entry: SearchEntry) -> Result<DirectoryObject, ConnectorError> {
        let server = &self.session.server;
        let name = plain_name(&entry.dn).to_owned();
        let mut values = Values::of(entry);
        let anchor = values
            .take(anchor_attribute(server.is_active_directory))
            .and_then(|values| anchor(values.first()?, server.is_active_directory))
            .unwrap_or_else(|| Anchor::new(name.as_str()));
        let mut attributes = AttributeSet::default();
        for attribute in &self.attributes {
            let value = match &attribute.comes {
                Comes::Name => Value::text(&name),
                Comes::Container => {
                    Dn::parse(&name).map_or(Value::Null, |dn| Value::text(dn.parent().text()))
                }
                Comes::State => match values.get("useraccountcontrol").and_then(|all| number(all.first()?)) {
                    Some(bits) => Value::Boolean(bits & DISABLED != 0),
                    None => Value::Null,
                },
                Comes::Guid => match Uuid::parse_str(anchor.as_str()) {
                    Ok(id) => Value::Binary(id.to_bytes_le().to_vec().into()),
                    Err(_) => Value::Null,
                },
                Comes::Uuid => Value::text(anchor.as_str()),
                Comes::Values { syntax, is_single } => {
                    self.values(attribute, *syntax, *is_single, &name, &values).await?
                }
            };
            attributes.set(attribute.name.clone(), value);
        }
        Ok(DirectoryObject { object_type: self.object_type.clone(), anchor, attributes })
    }

    async fn values(
        &self,
        attribute: &Wanted,
        syntax: Syntax,
        is_single: bool,
        entry: &str,
        values: &Values,
    ) -> Result<Value, ConnectorError> {
        let ranged = match values.continues(&attribute.folded) {
            Some(next) => {
                let mut all = values.ranged(&attribute.folded);
                self.rest(&attribute.folded, entry, next, &mut all).await?;
                Some(all)
            }
            None => None,
        };
        let all = ranged.as_ref().or_else(|| values.get(&attribute.folded)).map_or(&[][..], Vec::as_slice);
        let read = match syntax {
            Syntax::Reference => self.references(all.to_vec()).await?,
            _ => all.iter().map(|bytes| values::read(syntax, bytes)).collect(),
        };
        Ok(if is_single || (read.len() <= 1 && syntax != Syntax::Reference) {
            read.into_iter().next().unwrap_or_default()
        } else if read.is_empty() {
            Value::Null
        } else {
            Value::list(read)
        })
    }

    /// The rest of the values of an attribute of which the server gave a part ([MS-ADTS] 3.1.1.3.1.3.3).
    async fn rest(
        &self,
        name: &str,
        entry: &str,
        mut next: usize,
        all: &mut Vec<Vec<u8>>,
    ) -> Result<(), ConnectorError> {
        loop {
            let wanted = format!("{name};range={next}-*");
            let mut ldap = self.session.ldap();
            let found = ldap
                .with_controls(self.controls())
                .search(entry, Scope::Base, "(objectClass=*)", vec![wanted])
                .await
                .and_then(ldap3::SearchResult::success);
            let what = format!("read the values of {name} of {entry}");
            let (entries, _) = found.map_err(|error| errors::failure(error, &what, false))?;
            let Some(found) = entries.into_iter().find(|entry| !entry.is_ref()) else { return Ok(()) };
            let values = Values::of(SearchEntry::construct(found));
            let more = values.ranged(name);
            if more.is_empty() {
                return Ok(());
            }
            all.extend(more);
            match values.continues(name) {
                Some(after) if after > next => next = after,
                _ => return Ok(()),
            }
        }
    }

    /// What an attribute of an entry refers to; `None` when there is no such entry.
    pub(super) async fn references_of(
        &self,
        entry: &str,
        attribute: &str,
    ) -> Result<Option<Vec<Value>>, ConnectorError> {
        let mut ldap = self.session.ldap();
        ldap.with_controls(self.controls());
        let found = ldap.search(entry, Scope::Base, "(objectClass=*)", vec![attribute]).await;
        let entries = match found.and_then(ldap3::SearchResult::success) {
            Ok((entries, _)) => entries,
            Err(LdapError::LdapResult { result }) if result.rc == 32 => return Ok(None),
            Err(error) => return Err(errors::failure(error, &format!("read {entry}"), false)),
        };
        let Some(found) = entries.into_iter().find(is_entry) else { return Ok(None) };
        let values = Values::of(SearchEntry::construct(found));
        let mut all = values.get(attribute).cloned().unwrap_or_default();
        if let Some(next) = values.continues(attribute) {
            all = values.ranged(attribute);
            self.rest(attribute, entry, next, &mut all).await?;
        }
        self.references(all).await.map(Some)
    }

    /// Names of entries as references to them.
    async fn references(&self, names: Vec<Vec<u8>>) -> Result<Vec<Value>, ConnectorError> {
        let is_active_directory = self.session.server.is_active_directory;
        stream::iter(names)
            .map(|name| async move {
                let name = String::from_utf8_lossy(&name).into_owned();
                if is_active_directory {
                    return Ok(values::extended(&name).map(|(id, _)| reference(id)));
                }
                self.anchor_of(&name)
                    .await
                    .map(|found| found.map(|anchor| Value::Reference(anchor.as_str().into())))
            })
            .buffered(LOOKUPS)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await
    }

    /// The anchor of an entry by its name.
    async fn anchor_of(&self, name: &str) -> Result<Option<Anchor>, ConnectorError> {
        let wanted = anchor_attribute(false);
        let mut ldap = self.session.ldap();
        let found = ldap.search(name, Scope::Base, "(objectClass=*)", vec![wanted]).await;
        match found.and_then(ldap3::SearchResult::success) {
            Ok((entries, _)) => Ok(entries.into_iter().find(|entry| !entry.is_ref()).and_then(|entry| {
                anchor(Values::of(SearchEntry::construct(entry)).get(wanted)?.first()?, false)
            })),
            Err(LdapError::LdapResult { result }) if result.rc == 32 => Ok(None),
            Err(error) => Err(errors::failure(error, &format!("read {name}"), false)),
        }
    }
}

/// Whether it is an entry, not a reference to another server or a message in between.
pub(super) fn is_entry(entry: &ResultEntry) -> bool {
    !entry.is_ref() && !entry.is_intermediate()
}

fn reference(id: Uuid) -> Value {
    Value::Reference(format_smolstr!("{id}"))
}

/// The name of an entry without what the extended form puts before it.
pub(super) fn plain_name(name: &str) -> &str {
    values::extended(name).map_or(name, |(_, name)| name)
}

/// An anchor as the wire has it.
pub(super) fn anchor(bytes: &[u8], is_active_directory: bool) -> Option<Anchor> {
    let id = if is_active_directory {
        values::guid(bytes)?
    } else {
        Uuid::parse_str(std::str::from_utf8(bytes).ok()?).ok()?
    };
    Some(Anchor::new(id.to_string()))
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The values of an entry by the folded names of its attributes.
pub(super) struct Values {
    /// Names are in small letters.
    all: HashMap<String, Vec<Vec<u8>>>,
    /// The server gave a part of the values of some attribute.
    has_ranges: bool,
}

impl Values {
    pub(super) fn of(entry: SearchEntry) -> Self {
        let texts = entry
            .attrs
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect::<Vec<_>>()));
        Self::new(texts.chain(entry.bin_attrs))
    }

    fn new(all: impl Iterator<Item = (String, Vec<Vec<u8>>)>) -> Self {
        let all: HashMap<_, _> = all.map(|(name, values)| (name.to_lowercase(), values)).collect();
        let has_ranges = all.keys().any(|name| name.contains(RANGE));
        Self { all, has_ranges }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Vec<Vec<u8>>> {
        let values = self.all.get(name).or_else(|| self.all.get(&name.to_lowercase()));
        values.filter(|values| !values.is_empty())
    }

    /// Whether the attribute came at all, be it without values.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains_key(&name.to_lowercase())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Vec<Vec<u8>>> {
        self.all.remove(&name.to_lowercase())
    }

    fn range(&self, name: &str) -> Option<(&String, &Vec<Vec<u8>>)> {
        if !self.has_ranges {
            return None;
        }
        let start = format!("{}{RANGE}", name.to_lowercase());
        self.all.iter().find(|(known, _)| known.starts_with(&start))
    }

    /// The values that came as a range.
    fn ranged(&self, name: &str) -> Vec<Vec<u8>> {
        self.range(name).map(|(_, values)| values.clone()).unwrap_or_default()
    }

    /// Where the values go on, when the server gave a part of them.
    fn continues(&self, name: &str) -> Option<usize> {
        let (known, _) = self.range(name)?;
        let (_, last) = known.rsplit_once('-')?;
        last.parse::<usize>().ok().map(|last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str) -> Values {
        let all = [(name.to_owned(), vec![b"CN=a".to_vec()]), ("member".to_owned(), Vec::new())];
        Values::new(all.into_iter())
    }

    #[test]
    fn a_part_of_the_values_says_where_the_rest_begins() {
        // The server decides how many it gives; the whole is what ends in a star.
        for (name, next) in [
            ("member;range=0-1499", Some(1_500)),
            ("member;range=1500-2999", Some(3_000)),
            ("member;range=3000-*", None),
        ] {
            let values = values(name);
            assert_eq!(values.continues("Member"), next, "{name}");
            assert_eq!(values.ranged("member").len(), 1);
            assert_eq!(values.get("member"), None, "the attribute itself comes empty");
        }
        assert_eq!(values("memberOf").continues("member"), None);
    }
}
