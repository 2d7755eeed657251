//! The kinds of objects in a schema document, and the members that each has.

/// A kind of object.
#[derive(Debug)]
pub struct Kind {
    /// With its article, for messages.
    pub name: &'static str,
    /// The members that only this kind has.
    pub own: &'static [&'static str],
    /// The members that others have too.
    pub shared: &'static [&'static str],
    /// What such an object looks like.
    pub shape: &'static str,
}

impl Kind {
    /// The member whose name differs from this one in case only.
    pub fn nearly(&self, name: &str) -> Option<&'static str> {
        let mut members = self.own.iter().chain(self.shared).copied();
        if members.clone().any(|member| member == name) {
            return None;
        }
        members.find(|member| member.eq_ignore_ascii_case(name))
    }

    /// Whether an object with these members is of this kind beyond doubt.
    pub fn is_told_by<'a>(&self, mut members: impl Iterator<Item = &'a String>) -> bool {
        members.any(|member| self.own.contains(&member.as_str()))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident: $name:literal, own $own:expr, shared $shared:expr, $shape:literal;)*) => {
        $($(#[$doc])* pub static $id: Kind = Kind { name: $name, own: &$own, shared: &$shared, shape: $shape };)*
        /// Every kind.
        pub static ALL: &[&Kind] = &[$(&$id),*];
    };
}

kinds! {
    /// The document itself.
    SCHEMA: "a schema",
        own ["directories", "synchronizationRules"],
        shared ["id", "version"],
        "a schema has directories and synchronizationRules";
    /// A directory definition.
    DIRECTORY: "a directory definition",
        own ["objects", "discoverabilities", "discoveryDateTime", "readOnly"],
        shared ["id", "name", "version"],
        "a directory definition has id, name and objects";
    /// An object definition.
    OBJECT: "an object definition",
        own ["attributes", "supportedApis"],
        shared ["name", "metadata"],
        "an object definition has name and attributes";
    /// An attribute definition.
    ATTRIBUTE: "an attribute definition",
        own [
            "anchor", "caseExact", "multivalued", "mutability", "flowNullValues", "required", "referencedObjects",
            "apiExpressions",
        ],
        shared ["name", "type", "defaultValue", "metadata"],
        "an attribute definition has name and type";
    /// What a reference may point to.
    REFERENCED: "a referenced object",
        own ["referencedObjectName", "referencedProperty"],
        shared [],
        "a referenced object has referencedObjectName";
    /// A synchronization rule.
    RULE: "a rule",
        own [
            "objectMappings", "sourceDirectoryName", "targetDirectoryName", "containerFilter", "groupFilter", "priority",
            "editable",
        ],
        shared ["id", "name", "metadata"],
        "a rule has id, sourceDirectoryName, targetDirectoryName and objectMappings; nest it there";
    /// The containers of a rule.
    CONTAINERS: "a container filter",
        own ["includedContainers"],
        shared [],
        "a container filter has includedContainers";
    /// The groups of a rule.
    GROUPS: "a group filter",
        own ["includedGroups"],
        shared [],
        "a group filter has includedGroups";
    /// An object mapping.
    OBJECT_MAPPING: "an object mapping",
        own ["attributeMappings", "sourceObjectName", "targetObjectName", "flowTypes", "scope", "enabled"],
        shared ["name", "metadata"],
        "an object mapping has sourceObjectName, targetObjectName and attributeMappings";
    /// An attribute mapping.
    ATTRIBUTE_MAPPING: "an attribute mapping",
        own [
            "targetAttributeName", "matchingPriority", "flowType", "flowBehavior", "exportMissingReferences", "source",
        ],
        shared ["defaultValue"],
        "an attribute mapping has source and targetAttributeName";
    /// The source of an attribute mapping.
    SOURCE: "a mapping source",
        own ["expression", "parameters"],
        shared ["name", "type"],
        "a mapping source has type, name and expression";
    /// A list entry with key and value.
    PAIR: "a pair of key and value",
        own ["key"],
        shared ["value"],
        "such an entry has key and value";
    /// A scoping filter.
    FILTER: "a scoping filter",
        own ["groups", "inputFilterGroups", "categoryFilterGroups"],
        shared [],
        "a scoping filter has groups";
    /// A group of clauses.
    FILTER_GROUP: "a filter group",
        own ["clauses"],
        shared ["name"],
        "a filter group has name and clauses";
    /// A clause.
    FILTER_CLAUSE: "a filter clause",
        own ["sourceOperandName", "operatorName", "targetOperand"],
        shared [],
        "a filter clause has sourceOperandName, operatorName and targetOperand";
    /// The operand of a clause.
    OPERAND: "a filter operand",
        own ["values"],
        shared [],
        "a filter operand has values";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_is_the_own_of_two_kinds() {
        for (index, kind) in ALL.iter().enumerate() {
            for other in &ALL[index + 1..] {
                for member in kind.own {
                    let also = other.own.contains(member) || other.shared.contains(member);
                    assert!(!also, "{member} is {} and {}", kind.name, other.name);
                }
            }
        }
    }
}
