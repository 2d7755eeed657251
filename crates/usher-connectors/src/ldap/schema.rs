//! The directory's own schema (RFC 4512 §4.2): which syntax each attribute has, and which attributes each class.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How the values of an attribute are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Text,
    Integer,
    Boolean,
    Instant,
    Binary,
    /// A security identifier.
    Sid,
    Reference,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttributeType {
    pub(super) name: String,
    pub(super) syntax: Syntax,
    pub(super) is_single: bool,
    pub(super) is_read_only: bool,
}

/// A class of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ObjectClass {
    name: String,
    above: Vec<String>,
    must: Vec<String>,
    may: Vec<String>,
}

/// What the directory says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct DirectorySchema {
    attributes: HashMap<String, AttributeType>,
    classes: HashMap<String, ObjectClass>,
}

/// Attributes whose bytes are no text although their syntax may say so, or that servers leave out of their schema.
const BINARY: &[&str] = &[
    "objectguid",
    "ms-ds-consistencyguid",
    "thumbnailphoto",
    "jpegphoto",
    "usercertificate",
    "usersmimecertificate",
    "logonhours",
    "msexchblockedsendershash",
    "msexchsaferecipientshash",
    "msexchsafesendershash",
];

/// Attributes that hold security identifiers; their syntax says bytes.
const SIDS: &[&str] = &["objectsid", "sidhistory", "securityidentifier"];

/// Attributes that the schema of the default template calls text although they hold names of entries.
const NAMES: &[&str] = &["distinguishedname", "objectcategory", "entrydn"];

impl DirectorySchema {
    /// Reads the values of `attributeTypes` and `objectClasses`. What cannot be read is left out.
    pub(super) fn read(attributes: &[String], classes: &[String]) -> Self {
        let mut schema = Self::default();
        let mut inherited: Vec<(Vec<String>, String, bool, bool)> = Vec::new();
        for text in attributes {
            let described = describe(text);
            let names = described.list("NAME");
            let is_single = described.has("SINGLE-VALUE");
            let is_read_only = described.has("NO-USER-MODIFICATION");
            match (described.list("SYNTAX").first(), described.list("SUP").first()) {
                (Some(oid), _) => schema.add(&names, syntax(oid), is_single, is_read_only),
                (None, Some(above)) => inherited.push((names, above.clone(), is_single, is_read_only)),
                (None, None) => schema.add(&names, Syntax::Text, is_single, is_read_only),
            }
        }
        // Chains of inheritance are short; each pass settles a link.
        for _ in 0..8 {
            inherited.retain(|(names, above, is_single, is_read_only)| {
                let Some(found) = schema.attributes.get(&above.to_lowercase()).map(|one| one.syntax) else {
                    return true;
                };
                schema.add(names, found, *is_single, *is_read_only);
                false
            });
        }
        for text in classes {
            let described = describe(text);
            let class = ObjectClass {
                name: described.list("NAME").first().cloned().unwrap_or_default(),
                above: described.list("SUP"),
                must: described.list("MUST"),
                may: described.list("MAY"),
            };
            for name in described.list("NAME") {
                schema.classes.insert(name.to_lowercase(), class.clone());
            }
        }
        schema
    }

    fn add(&mut self, names: &[String], syntax: Syntax, is_single: bool, is_read_only: bool) {
        let Some(first) = names.first() else { return };
        let attribute = AttributeType { name: first.clone(), syntax, is_single, is_read_only };
        for name in names {
            self.attributes.insert(name.to_lowercase(), attribute.clone());
        }
    }

    /// How the values of an attribute are written.
    pub(super) fn syntax(&self, name: &str) -> Syntax {
        let folded = name.to_lowercase();
        if SIDS.contains(&folded.as_str()) {
            return Syntax::Sid;
        }
        if BINARY.contains(&folded.as_str()) {
            return Syntax::Binary;
        }
        if NAMES.contains(&folded.as_str()) {
            return Syntax::Text;
        }
        self.attributes.get(&folded).map_or(Syntax::Text, |attribute| attribute.syntax)
    }

    /// Whether an attribute takes one value only.
    pub(super) fn is_single(&self, name: &str) -> bool {
        self.attributes.get(&name.to_lowercase()).is_some_and(|attribute| attribute.is_single)
    }

    /// Whether the directory knows a class.
    pub(super) fn has_class(&self, name: &str) -> bool {
        self.classes.contains_key(&name.to_lowercase())
    }

    /// The attributes of a class and of those above it: in order of their names, and whether it cannot do without.
    pub(super) fn attributes_of(&self, class: &str) -> Vec<(AttributeType, bool)> {
        let mut found: BTreeMap<String, bool> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![class.to_lowercase()];
        while let Some(name) = open.pop() {
            let Some(class) = self.classes.get(&name).filter(|_| seen.insert(name)) else { continue };
            open.extend(class.above.iter().map(|above| above.to_lowercase()));
            for (list, is_needed) in [(&class.must, true), (&class.may, false)] {
                for attribute in list {
                    *found.entry(attribute.to_lowercase()).or_default() |= is_needed;
                }
            }
        }
        let known =
            |(name, is_needed): (String, bool)| Some((self.attributes.get(&name)?.clone(), is_needed));
        found.into_iter().filter_map(known).collect()
    }
}

fn syntax(oid: &str) -> Syntax {
    // An upper bound may follow: `1.3.6.1.4.1.1466.115.121.1.15{64}`.
    match oid.trim_matches('\'').split('{').next().unwrap_or_default() {
        "1.3.6.1.4.1.1466.115.121.1.12" | "1.3.6.1.4.1.1466.115.121.1.34" => Syntax::Reference,
        "1.3.6.1.4.1.1466.115.121.1.27" | "1.2.840.113556.1.4.906" => Syntax::Integer,
        "1.3.6.1.4.1.1466.115.121.1.7" => Syntax::Boolean,
        "1.3.6.1.4.1.1466.115.121.1.24" | "1.3.6.1.4.1.1466.115.121.1.53" => Syntax::Instant,
        "1.3.6.1.4.1.1466.115.121.1.40"
        | "1.3.6.1.4.1.1466.115.121.1.5"
        | "1.3.6.1.4.1.1466.115.121.1.8"
        | "1.3.6.1.4.1.1466.115.121.1.28"
        | "1.2.840.113556.1.4.907" => Syntax::Binary,
        _ => Syntax::Text,
    }
}

/// A description's words: keys in capitals, each with what follows it.
struct Described(HashMap<String, Vec<String>>);

impl Described {
    fn list(&self, key: &str) -> Vec<String> {
        self.0.get(key).cloned().unwrap_or_default()
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

/// Takes a description such as `( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )` apart.
fn describe(text: &str) -> Described {
    const KEYS: [&str; 12] = [
        "NAME",
        "SUP",
        "SYNTAX",
        "SINGLE-VALUE",
        "NO-USER-MODIFICATION",
        "MUST",
        "MAY",
        "DESC",
        "EQUALITY",
        "ORDERING",
        "SUBSTR",
        "USAGE",
    ];
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    let mut key = String::new();
    for word in words(text) {
        if KEYS.contains(&word.as_str()) || word.starts_with("X-") {
            found.entry(word.clone()).or_default();
            key = word;
        } else if !matches!(word.as_str(), "(" | ")" | "$")
            && let Some(list) = found.get_mut(&key)
        {
            list.push(word);
        }
    }
    Described(found)
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '(' | ')' | '$' => words.push(character.to_string()),
            '\'' => {
                let word: String = std::iter::from_fn(|| rest.next_if(|one| *one != '\'')).collect();
                rest.next();
                words.push(word);
            }
            character if character.is_whitespace() => {}
            first => {
                let end = |one: &char| !one.is_whitespace() && !matches!(one, '(' | ')' | '$');
                let word: String =
                    std::iter::once(first).chain(std::iter::from_fn(|| rest.next_if(end))).collect();
                words.push(word);
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> DirectorySchema {
        let attributes = [
            "( 2.5.4.41 NAME 'name' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
            "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256: last (family) name(s)' SUP name )",
            "( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX '1.3.6.1.4.1.1466.115.121.1.27' SINGLE-VALUE )",
            "( 0.9.2342.19200300.100.1.10 NAME 'manager' SYNTAX '1.3.6.1.4.1.1466.115.121.1.12' SINGLE-VALUE )",
            "( 1.2 NAME 'whenChanged' SYNTAX '1.3.6.1.4.1.1466.115.121.1.24' SINGLE-VALUE NO-USER-MODIFICATION )",
            "nonsense ) ( '",
        ];
        let classes = [
            "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
            "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( manager $ name ) )",
            "( 1 NAME 'user' SUP ( person ) MAY userAccountControl )",
        ];
        DirectorySchema::read(&attributes.map(str::to_owned), &classes.map(str::to_owned))
    }

    #[test]
    fn attributes_have_the_syntax_that_they_or_those_above_them_say() {
        let schema = schema();
        for (name, syntax) in [
            ("Surname", Syntax::Text),
            ("userAccountControl", Syntax::Integer),
            ("manager", Syntax::Reference),
            ("whenchanged", Syntax::Instant),
            ("objectGUID", Syntax::Binary),
            ("unheard", Syntax::Text),
        ] {
            assert_eq!(schema.syntax(name), syntax, "{name}");
        }
        assert!(schema.is_single("manager") && !schema.is_single("sn"));
    }

    #[test]
    fn a_class_has_its_own_attributes_and_those_of_the_classes_above() {
        let schema = schema();
        let told: Vec<_> =
            schema.attributes_of("USER").into_iter().map(|(one, is_needed)| (one.name, is_needed)).collect();
        let expected = [("manager", false), ("name", false), ("sn", true), ("userAccountControl", false)];
        assert_eq!(told, expected.map(|(name, is_needed)| (name.to_owned(), is_needed)));
        assert!(schema.has_class("Person") && !schema.has_class("alien"));
    }
}
