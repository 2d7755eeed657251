//! The objects and attributes of a directory service, as its own schema tells them.

use usher_core::schema::{
    AttributeDefinition, AttributeType, DirectoryDefinition, Mutability, ObjectDefinition,
};

use super::connection::ServerFacts;
use super::entries::anchor_attribute;
use super::schema::Syntax;

/// The classes that are told of: those of people and groups that the server has.
const CLASSES: &[&str] = &["user", "inetOrgPerson", "group", "contact", "groupOfNames", "groupOfUniqueNames"];

/// What is told of every object: computed, or of the server's own making.
const COMMON: &[(&str, AttributeType, Mutability)] = &[
    ("distinguishedName", AttributeType::String, Mutability::ReadOnly),
    ("parentDistinguishedName", AttributeType::String, Mutability::ReadWrite),
];

/// The directory as a definition of a schema.
pub(super) fn definition(server: &ServerFacts) -> DirectoryDefinition {
    let is_active_directory = server.is_active_directory;
    let objects = CLASSES
        .iter()
        .filter(|class| server.schema.has_class(class))
        .map(|class| object(server, class))
        .collect();
    let name = if is_active_directory { "Active Directory" } else { "LDAP" };
    DirectoryDefinition { id: None, name: name.to_owned(), objects }
}

fn object(server: &ServerFacts, class: &str) -> ObjectDefinition {
    let anchor = anchor_attribute(server.is_active_directory);
    let own = server.schema.attributes_of(class).into_iter();
    let own = own.filter(|(attribute, _)| {
        let is_told_anyway = COMMON.iter().any(|(name, ..)| name.eq_ignore_ascii_case(&attribute.name));
        !is_told_anyway && !attribute.name.eq_ignore_ascii_case(anchor)
    });
    let mut attributes = vec![AttributeDefinition {
        name: anchor.to_owned(),
        value_type: if server.is_active_directory { AttributeType::Binary } else { AttributeType::String },
        anchor: true,
        mutability: Mutability::ReadOnly,
        ..AttributeDefinition::default()
    }];
    attributes.extend(COMMON.iter().map(|(name, value_type, mutability)| AttributeDefinition {
        name: (*name).to_owned(),
        value_type: *value_type,
        mutability: *mutability,
        ..AttributeDefinition::default()
    }));
    if server.is_active_directory && ["user", "inetOrgPerson"].contains(&class) {
        attributes.push(AttributeDefinition {
            name: "accountDisabled".to_owned(),
            value_type: AttributeType::Boolean,
            mutability: Mutability::ReadWrite,
            ..AttributeDefinition::default()
        });
    }
    attributes.extend(own.map(|(attribute, is_needed)| {
        let value_type = match server.schema.syntax(&attribute.name) {
            Syntax::Text | Syntax::Sid => AttributeType::String,
            Syntax::Integer => AttributeType::Integer,
            Syntax::Boolean => AttributeType::Boolean,
            Syntax::Instant => AttributeType::DateTime,
            Syntax::Binary => AttributeType::Binary,
            Syntax::Reference => AttributeType::Reference,
        };
        let referenced_objects = if value_type == AttributeType::Reference {
            CLASSES
                .iter()
                .filter(|class| server.schema.has_class(class))
                .map(|class| (*class).to_owned())
                .collect()
        } else {
            Vec::new()
        };
        AttributeDefinition {
            name: attribute.name,
            value_type,
            multivalued: !attribute.is_single,
            // What the server fills in itself may be left out of mappings.
            required: is_needed && !attribute.is_read_only && !server.is_active_directory,
            mutability: if attribute.is_read_only { Mutability::ReadOnly } else { Mutability::ReadWrite },
            referenced_objects,
            ..AttributeDefinition::default()
        }
    }));
    ObjectDefinition { name: class.to_owned(), attributes, metadata: Vec::new() }
}
