//! From JSON to the typed view: a schema, or a template with a schema in it.

use serde_json::{Map, Value};

use super::members::{Place, Reader, what};
use super::{
    AttributeDefinition, AttributeMapping, AttributeMappingSource, AttributeType, DirectoryDefinition,
    FilterClause, FilterGroup, FlowBehavior, FlowType, FlowTypes, Mutability, ObjectDefinition,
    ObjectMapping, Reading, Rule, Schema, ScopingFilter, SourceType, derive, kinds, text,
};

/// Reads a document: a schema, or a template with a schema in it. Never fails.
pub fn read(bytes: &[u8]) -> Reading {
    let (document, diagnostics) = match text::parse(bytes) {
        Ok(parsed) => parsed,
        Err(diagnostic) => return Reading { schema: None, diagnostics: vec![diagnostic] },
    };
    let mut reader = Reader { diagnostics };
    let schema = reader.document(document);
    Reading { schema, diagnostics: reader.diagnostics }
}

impl Reader {
    fn document(&mut self, document: Value) -> Option<Schema> {
        let Value::Object(mut members) = document else {
            let message = format!("the document is {}, not an object", what(&document));
            self.error("notAnObject", "$", message, kinds::SCHEMA.shape);
            return None;
        };
        let mut path = "$";
        let holds = |members: &Map<String, Value>| kinds::SCHEMA.is_told_by(members.keys());
        if !holds(&members)
            && let Some(Value::Object(schema)) = members.get("schema")
        {
            // A template document carries its schema.
            members = schema.clone();
            path = "$.schema";
        }
        let place = Place { members: &members, path: path.to_owned() };
        self.enter(&place, &kinds::SCHEMA);
        if !holds(&members) {
            // A part of a schema has been refused by its kind already.
            if !self.diagnostics.iter().any(|diagnostic| diagnostic.code == "misplaced") {
                self.error(
                    "notASchema",
                    path,
                    "the document has neither 'directories' nor 'synchronizationRules'",
                    "a schema is what GET …/synchronization/jobs/{id}/schema answers",
                );
            }
            return None;
        }
        let directories = self.list(&place, "directories", &kinds::DIRECTORY, Self::directory);
        let synchronization_rules = self.list(&place, "synchronizationRules", &kinds::RULE, Self::rule);
        let (id, version) = (self.optional_text(&place, "id"), self.optional_text(&place, "version"));
        Some(Schema { id, version, directories, synchronization_rules, document: members })
    }

    fn directory(&mut self, place: &Place<'_>) -> DirectoryDefinition {
        DirectoryDefinition {
            id: self.optional_text(place, "id"),
            name: self.text(place, "name"),
            objects: self.list(place, "objects", &kinds::OBJECT, Self::object),
        }
    }

    fn object(&mut self, place: &Place<'_>) -> ObjectDefinition {
        ObjectDefinition {
            name: self.text(place, "name"),
            attributes: self.list(place, "attributes", &kinds::ATTRIBUTE, Self::attribute),
            metadata: self.pairs(place, "metadata"),
        }
    }

    fn attribute(&mut self, place: &Place<'_>) -> AttributeDefinition {
        let types = [
            AttributeType::String,
            AttributeType::Integer,
            AttributeType::Reference,
            AttributeType::Binary,
            AttributeType::Boolean,
            AttributeType::DateTime,
        ];
        let mutabilities =
            [Mutability::ReadWrite, Mutability::ReadOnly, Mutability::Immutable, Mutability::WriteOnly];
        AttributeDefinition {
            name: self.text(place, "name"),
            value_type: self.choice(place, "type", &types.map(|one| (one.name(), one))),
            anchor: self.flag(place, "anchor", false),
            case_exact: self.flag(place, "caseExact", false),
            multivalued: self.flag(place, "multivalued", false),
            required: self.flag(place, "required", false),
            flow_null_values: self.flag(place, "flowNullValues", false),
            mutability: self.choice(place, "mutability", &mutabilities.map(|one| (one.name(), one))),
            referenced_objects: self
                .list(place, "referencedObjects", &kinds::REFERENCED, |reader, place| {
                    reader.text(place, "referencedObjectName")
                })
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            api_expressions: self.pairs(place, "apiExpressions"),
            default_value: self.optional_text(place, "defaultValue"),
            metadata: self.pairs(place, "metadata"),
        }
    }

    fn rule(&mut self, place: &Place<'_>) -> Rule {
        let containers = self.child(place, "containerFilter", &kinds::CONTAINERS);
        let groups = self.child(place, "groupFilter", &kinds::GROUPS);
        if !place.members.contains_key("priority") && kinds::RULE.is_told_by(place.members.keys()) {
            let message = "the rule has no priority, which counts as 0";
            self.warn(
                "noPriority",
                place.path.clone(),
                message,
                "give it one: rules run lowest priority first",
            );
        }
        Rule {
            id: self.text(place, "id"),
            name: self.text(place, "name"),
            editable: self.flag(place, "editable", true),
            priority: i64::from(self.number(place, "priority")),
            source_directory_name: self.text(place, "sourceDirectoryName"),
            target_directory_name: self.text(place, "targetDirectoryName"),
            object_mappings: self.list(place, "objectMappings", &kinds::OBJECT_MAPPING, Self::object_mapping),
            metadata: self.pairs(place, "metadata"),
            included_containers: containers
                .map(|inner| self.texts(&inner, "includedContainers"))
                .unwrap_or_default(),
            included_groups: groups.map(|inner| self.texts(&inner, "includedGroups")).unwrap_or_default(),
        }
    }

    fn object_mapping(&mut self, place: &Place<'_>) -> ObjectMapping {
        ObjectMapping {
            name: self.text(place, "name"),
            enabled: self.flag(place, "enabled", true),
            flow_types: self.flow_types(place),
            source_object_name: self.text(place, "sourceObjectName"),
            target_object_name: self.text(place, "targetObjectName"),
            scope: self.child(place, "scope", &kinds::FILTER).map(|scope| {
                let mut groups = |name| self.list(&scope, name, &kinds::FILTER_GROUP, Self::filter_group);
                ScopingFilter {
                    groups: groups("groups"),
                    input_filter_groups: groups("inputFilterGroups"),
                    category_filter_groups: groups("categoryFilterGroups"),
                }
            }),
            attribute_mappings: self.list(
                place,
                "attributeMappings",
                &kinds::ATTRIBUTE_MAPPING,
                Self::attribute_mapping,
            ),
            metadata: self.pairs(place, "metadata"),
        }
    }

    /// A missing `flowTypes` means all three: official SDKs drop it on the way.
    fn flow_types(&mut self, place: &Place<'_>) -> FlowTypes {
        let words: Vec<String> = match place.members.get("flowTypes") {
            None | Some(Value::Null) => return FlowTypes::default(),
            Some(Value::String(text)) => text.split(',').map(|word| word.trim().to_owned()).collect(),
            Some(Value::Array(_)) => self.texts(place, "flowTypes"),
            Some(Value::Number(number)) => {
                let Some(bits) = number.as_u64().filter(|bits| *bits < 8) else {
                    self.unknown_flow_type(place, &number.to_string());
                    return FlowTypes::default();
                };
                return FlowTypes { add: bits & 1 != 0, update: bits & 2 != 0, delete: bits & 4 != 0 };
            }
            Some(other) => {
                self.wrong_type(place, "flowTypes", "a text such as \"Add,Update,Delete\"", other);
                return FlowTypes::default();
            }
        };
        let mut types = FlowTypes { add: false, update: false, delete: false };
        for word in words {
            match word.to_ascii_lowercase().as_str() {
                "add" => types.add = true,
                "update" => types.update = true,
                "delete" => types.delete = true,
                "none" | "" => {}
                _ => self.unknown_flow_type(place, &word),
            }
        }
        types
    }

    fn unknown_flow_type(&mut self, place: &Place<'_>, word: &str) {
        self.warn(
            "unknownFlowType",
            format!("{}.flowTypes", place.path),
            format!("'{word}' is not a flow type; it is kept, but has no effect"),
            "the flow types are Add, Update and Delete",
        );
    }

    fn filter_group(&mut self, place: &Place<'_>) -> FilterGroup {
        FilterGroup {
            name: self.text(place, "name"),
            clauses: self.list(place, "clauses", &kinds::FILTER_CLAUSE, |reader, place| FilterClause {
                source_operand_name: reader.text(place, "sourceOperandName"),
                operator_name: reader.text(place, "operatorName"),
                target_operand: reader
                    .child(place, "targetOperand", &kinds::OPERAND)
                    .map(|operand| reader.texts(&operand, "values"))
                    .unwrap_or_default(),
            }),
        }
    }

    fn attribute_mapping(&mut self, place: &Place<'_>) -> AttributeMapping {
        let source = self.child(place, "source", &kinds::SOURCE).and_then(|source| {
            if source.members.is_empty() {
                let message = "the source is empty and counts as none";
                self.warn("emptySource", source.path, message, "give it type and name, or write null");
                return None;
            }
            Some(self.source(&source))
        });
        let flow_types = [
            ("Always", FlowType::Always),
            ("ObjectAddOnly", FlowType::ObjectAddOnly),
            ("MultiValueAddOnly", FlowType::MultiValueAddOnly),
            ("ValueAddOnly", FlowType::ValueAddOnly),
            ("AttributeAddOnly", FlowType::AttributeAddOnly),
        ];
        let flow_behaviors =
            [("FlowWhenChanged", FlowBehavior::FlowWhenChanged), ("FlowAlways", FlowBehavior::FlowAlways)];
        AttributeMapping {
            target_attribute_name: self.text(place, "targetAttributeName"),
            source,
            default_value: self.optional_text(place, "defaultValue"),
            matching_priority: self.number(place, "matchingPriority"),
            flow_type: self.choice(place, "flowType", &flow_types),
            flow_behavior: self.choice(place, "flowBehavior", &flow_behaviors),
            export_missing_references: self.flag(place, "exportMissingReferences", false),
        }
    }

    fn source(&mut self, place: &Place<'_>) -> AttributeMappingSource {
        let types = [
            ("Attribute", SourceType::Attribute),
            ("Constant", SourceType::Constant),
            ("Function", SourceType::Function),
        ];
        let stated = self.choice(place, "type", &types);
        let mut name = self.text(place, "name");
        let parameters = self.list(place, "parameters", &kinds::PAIR, |reader, place| {
            let value = reader.child(place, "value", &kinds::SOURCE).map(|value| reader.source(&value));
            (reader.text(place, "key"), value.unwrap_or_default())
        });
        let mut expression = self.text(place, "expression");
        if expression.trim().is_empty() {
            expression = derive::expression(stated, &name, &parameters);
        }
        let source_type = derive::source_type(stated, &expression);
        if source_type == SourceType::Constant && !expression.is_empty() {
            let constant = derive::constant(&expression);
            if !name.is_empty() && name != constant {
                self.warn(
                    "nameDisagrees",
                    place.path.clone(),
                    format!("the name is '{name}', the expression says '{constant}'; the expression counts"),
                    "make the two agree",
                );
            }
            name = constant;
        }
        AttributeMappingSource { source_type, name, expression, parameters }
    }
}
