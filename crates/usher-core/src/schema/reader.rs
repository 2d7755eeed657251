//! From JSON to the typed view: tolerant, with a path for everything that is noticed.

use serde_json::{Map, Value};
use usher_expr::Severity;

use super::{
    AttributeDefinition, AttributeMapping, AttributeMappingSource, AttributeType, DirectoryDefinition, FilterClause,
    FilterGroup, FlowBehavior, FlowType, FlowTypes, Mutability, ObjectDefinition, ObjectMapping, Reading, Rule, Schema,
    SchemaDiagnostic, ScopingFilter, SourceType, text,
};

/// Reads a document: a schema, or a template with a schema in it. Never fails.
pub fn read(bytes: &[u8]) -> Reading {
    let document = match text::parse(bytes) {
        Ok(document) => document,
        Err(diagnostic) => return Reading { schema: None, diagnostics: vec![diagnostic] },
    };
    let mut reader = Reader { diagnostics: Vec::new() };
    let schema = reader.document(document);
    Reading { schema, diagnostics: reader.diagnostics }
}

struct Reader {
    diagnostics: Vec<SchemaDiagnostic>,
}

/// A JSON object with the place where it stands.
struct Place<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl Reader {
    fn document(&mut self, document: Value) -> Option<Schema> {
        if text::is_too_deep(&document) {
            self.error("tooDeep", "$", "the document nests deeper than any schema", "export the schema again");
            return None;
        }
        let Value::Object(mut members) = document else {
            self.error(
                "notAnObject",
                "$",
                format!("the document is {}, not an object", kind(&document)),
                "a schema is an object with 'directories' and 'synchronizationRules'",
            );
            return None;
        };
        let holds = |members: &Map<String, Value>| {
            members.contains_key("directories") || members.contains_key("synchronizationRules")
        };
        let mut path = "$";
        if !holds(&members)
            && let Some(Value::Object(inner)) = members.get("schema")
        {
            // A template document carries its schema.
            members = inner.clone();
            path = "$.schema";
        }
        if !holds(&members) {
            self.error(
                "notASchema",
                path,
                "the document has neither 'directories' nor 'synchronizationRules'",
                "a schema is what GET …/synchronization/jobs/{id}/schema answers",
            );
            return None;
        }
        let place = Place { members: &members, path: path.to_owned() };
        let directories = self.list(&place, "directories", Self::directory);
        let synchronization_rules = self.list(&place, "synchronizationRules", Self::rule);
        let (id, version) = (self.optional_text(&place, "id"), self.optional_text(&place, "version"));
        Some(Schema { id, version, directories, synchronization_rules, document: members })
    }

    fn directory(&mut self, place: &Place<'_>) -> DirectoryDefinition {
        DirectoryDefinition {
            id: self.optional_text(place, "id"),
            name: self.text(place, "name"),
            objects: self.list(place, "objects", Self::object),
        }
    }

    fn object(&mut self, place: &Place<'_>) -> ObjectDefinition {
        ObjectDefinition {
            name: self.text(place, "name"),
            attributes: self.list(place, "attributes", Self::attribute),
            metadata: self.pairs(place, "metadata", "key"),
        }
    }

    fn attribute(&mut self, place: &Place<'_>) -> AttributeDefinition {
        use AttributeType as Type;
        AttributeDefinition {
            name: self.text(place, "name"),
            value_type: self.choice(
                place,
                "type",
                &[
                    ("String", Type::String),
                    ("Integer", Type::Integer),
                    ("Reference", Type::Reference),
                    ("Binary", Type::Binary),
                    ("Boolean", Type::Boolean),
                    ("DateTime", Type::DateTime),
                ],
            ),
            anchor: self.flag(place, "anchor", false),
            case_exact: self.flag(place, "caseExact", false),
            multivalued: self.flag(place, "multivalued", false),
            required: self.flag(place, "required", false),
            flow_null_values: self.flag(place, "flowNullValues", false),
            mutability: self.choice(
                place,
                "mutability",
                &[
                    ("ReadWrite", Mutability::ReadWrite),
                    ("ReadOnly", Mutability::ReadOnly),
                    ("Immutable", Mutability::Immutable),
                    ("WriteOnly", Mutability::WriteOnly),
                ],
            ),
            referenced_objects: self
                .list(place, "referencedObjects", |reader, place| reader.text(place, "referencedObjectName"))
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            api_expressions: self.pairs(place, "apiExpressions", "key"),
        }
    }

    fn rule(&mut self, place: &Place<'_>) -> Rule {
        let within = |reader: &mut Self, name: &str, list: &str| {
            reader.child(place, name).map(|inner| reader.texts(&inner, list)).unwrap_or_default()
        };
        Rule {
            id: self.text(place, "id"),
            name: self.text(place, "name"),
            priority: self.number(place, "priority"),
            source_directory_name: self.text(place, "sourceDirectoryName"),
            target_directory_name: self.text(place, "targetDirectoryName"),
            object_mappings: self.list(place, "objectMappings", Self::object_mapping),
            metadata: self.pairs(place, "metadata", "key"),
            included_containers: within(self, "containerFilter", "includedContainers"),
            included_groups: within(self, "groupFilter", "includedGroups"),
        }
    }

    fn object_mapping(&mut self, place: &Place<'_>) -> ObjectMapping {
        ObjectMapping {
            name: self.text(place, "name"),
            enabled: self.flag(place, "enabled", true),
            flow_types: self.flow_types(place),
            source_object_name: self.text(place, "sourceObjectName"),
            target_object_name: self.text(place, "targetObjectName"),
            scope: self.child(place, "scope").map(|scope| ScopingFilter {
                groups: self.list(&scope, "groups", Self::filter_group),
                input_filter_groups: self.list(&scope, "inputFilterGroups", Self::filter_group),
                category_filter_groups: self.list(&scope, "categoryFilterGroups", Self::filter_group),
            }),
            attribute_mappings: self.list(place, "attributeMappings", Self::attribute_mapping),
            metadata: self.pairs(place, "metadata", "key"),
        }
    }

    /// A missing `flowTypes` means all three: official SDKs drop it on the way.
    fn flow_types(&mut self, place: &Place<'_>) -> FlowTypes {
        let words: Vec<String> = match place.members.get("flowTypes") {
            None | Some(Value::Null) => return FlowTypes::default(),
            Some(Value::String(text)) => text.split(',').map(|word| word.trim().to_owned()).collect(),
            Some(Value::Array(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(Value::Number(number)) => {
                let bits = number.as_u64().unwrap_or(7);
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
                _ => self.warn(
                    "unknownFlowType",
                    format!("{}.flowTypes", place.path),
                    format!("'{word}' is not a flow type; it is kept, but has no effect"),
                    "the flow types are Add, Update and Delete",
                ),
            }
        }
        types
    }

    fn filter_group(&mut self, place: &Place<'_>) -> FilterGroup {
        FilterGroup {
            name: self.text(place, "name"),
            clauses: self.list(place, "clauses", |reader, place| FilterClause {
                source_operand_name: reader.text(place, "sourceOperandName"),
                operator_name: reader.text(place, "operatorName"),
                target_operand: reader
                    .child(place, "targetOperand")
                    .map(|operand| reader.texts(&operand, "values"))
                    .unwrap_or_default(),
            }),
        }
    }

    fn attribute_mapping(&mut self, place: &Place<'_>) -> AttributeMapping {
        let source = self.child(place, "source").filter(|source| !source.members.is_empty()).map(|source| {
            let source_type = self.choice(
                &source,
                "type",
                &[
                    ("Attribute", SourceType::Attribute),
                    ("Constant", SourceType::Constant),
                    ("Function", SourceType::Function),
                ],
            );
            let name = self.text(&source, "name");
            let mut expression = self.text(&source, "expression");
            if expression.trim().is_empty() && !name.is_empty() {
                expression = match source_type {
                    SourceType::Attribute => format!("[{name}]"),
                    SourceType::Constant => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
                    SourceType::Function => String::new(),
                };
            }
            // An expression that is a call is one, whatever the type says: the expression is the authority.
            let is_call = !expression.trim_start().starts_with(['[', '"']) && expression.contains('(');
            let source_type = match source_type {
                SourceType::Attribute if is_call && expression.trim_end().ends_with(')') => SourceType::Function,
                other => other,
            };
            AttributeMappingSource { source_type, name, expression }
        });
        AttributeMapping {
            target_attribute_name: self.text(place, "targetAttributeName"),
            source,
            default_value: self.optional_text(place, "defaultValue"),
            matching_priority: i32::try_from(self.number(place, "matchingPriority")).unwrap_or(i32::MAX),
            flow_type: self.choice(
                place,
                "flowType",
                &[
                    ("Always", FlowType::Always),
                    ("ObjectAddOnly", FlowType::ObjectAddOnly),
                    ("MultiValueAddOnly", FlowType::MultiValueAddOnly),
                    ("ValueAddOnly", FlowType::ValueAddOnly),
                    ("AttributeAddOnly", FlowType::AttributeAddOnly),
                ],
            ),
            flow_behavior: self.choice(
                place,
                "flowBehavior",
                &[("FlowWhenChanged", FlowBehavior::FlowWhenChanged), ("FlowAlways", FlowBehavior::FlowAlways)],
            ),
        }
    }

    fn list<T>(&mut self, place: &Place<'_>, name: &str, mut read: impl FnMut(&mut Self, &Place<'_>) -> T) -> Vec<T> {
        let items = match place.members.get(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong_type(place, name, "a list", other);
                return Vec::new();
            }
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}.{name}[{index}]", place.path);
            match item {
                Value::Object(members) => list.push(read(self, &Place { members, path })),
                other => self.error("wrongType", &path, format!("here stands {}, not an object", kind(other)), "remove it"),
            }
        }
        list
    }

    fn child<'a>(&mut self, place: &Place<'a>, name: &str) -> Option<Place<'a>> {
        match place.members.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(Place { members, path: format!("{}.{name}", place.path) }),
            Some(other) => {
                self.wrong_type(place, name, "an object", other);
                None
            }
        }
    }

    fn texts(&mut self, place: &Place<'_>, name: &str) -> Vec<String> {
        match place.members.get(name) {
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(other) => {
                self.wrong_type(place, name, "a list of texts", other);
                Vec::new()
            }
        }
    }

    /// Metadata and the like: a list of key (or name) and value.
    fn pairs(&mut self, place: &Place<'_>, name: &str, key: &str) -> Vec<(String, String)> {
        self.list(place, name, |reader, place| {
            let value = match place.members.get("value") {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (reader.text(place, key), value)
        })
    }

    fn text(&mut self, place: &Place<'_>, name: &str) -> String {
        self.optional_text(place, name).unwrap_or_default()
    }

    fn optional_text(&mut self, place: &Place<'_>, name: &str) -> Option<String> {
        match place.members.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) => None,
            None => {
                let other = place.members.keys().find(|known| known.eq_ignore_ascii_case(name))?;
                self.warn(
                    "memberCase",
                    format!("{}.{other}", place.path),
                    format!("'{other}' is not '{name}'; it is kept, but not read"),
                    format!("write '{name}'"),
                );
                None
            }
            Some(other @ (Value::Number(_) | Value::Bool(_))) => Some(other.to_string()),
            Some(other) => {
                self.wrong_type(place, name, "a text", other);
                None
            }
        }
    }

    fn flag(&mut self, place: &Place<'_>, name: &str, default: bool) -> bool {
        match place.members.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
            Some(other) => {
                self.wrong_type(place, name, "true or false", other);
                default
            }
        }
    }

    fn number(&mut self, place: &Place<'_>, name: &str) -> i64 {
        match place.members.get(name) {
            None | Some(Value::Null) => 0,
            Some(Value::Number(number)) if number.is_i64() => number.as_i64().unwrap_or_default(),
            Some(Value::String(text)) if text.trim().parse::<i64>().is_ok() => text.trim().parse().unwrap_or_default(),
            Some(other) => {
                self.wrong_type(place, name, "a whole number", other);
                0
            }
        }
    }

    /// An enumeration: by name without regard to case, or by its number. Unknown members count as the default.
    fn choice<T: Copy + Default>(&mut self, place: &Place<'_>, name: &str, choices: &[(&str, T)]) -> T {
        match place.members.get(name) {
            None | Some(Value::Null) => T::default(),
            Some(Value::Number(number)) => {
                let index = number.as_u64().and_then(|number| usize::try_from(number).ok());
                index.and_then(|index| choices.get(index)).map(|(_, value)| *value).unwrap_or_default()
            }
            Some(Value::String(text)) => {
                if let Some((_, value)) = choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(text)) {
                    return *value;
                }
                let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
                self.warn(
                    "unknownValue",
                    format!("{}.{name}", place.path),
                    format!("'{text}' is not known here; it is kept, and counts as {}", known[0]),
                    format!("one of {}", known.join(", ")),
                );
                T::default()
            }
            Some(other) => {
                self.wrong_type(place, name, "a text", other);
                T::default()
            }
        }
    }

    fn wrong_type(&mut self, place: &Place<'_>, name: &str, wanted: &str, found: &Value) {
        self.error(
            "wrongType",
            &format!("{}.{name}", place.path),
            format!("'{name}' is {}, not {wanted}", kind(found)),
            format!("give {wanted}"),
        );
    }

    fn error(&mut self, code: &'static str, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.diagnostics.push(SchemaDiagnostic {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            position: None,
            message: message.into(),
            remedy: Some(remedy.into()),
        });
    }

    fn warn(&mut self, code: &'static str, path: String, message: impl Into<String>, remedy: impl Into<String>) {
        self.diagnostics.push(SchemaDiagnostic {
            severity: Severity::Warning,
            code,
            path,
            position: None,
            message: message.into(),
            remedy: Some(remedy.into()),
        });
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
