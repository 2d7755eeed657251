//! From the typed view to JSON, for directories that were discovered and not read from a document.

use serde_json::{Map, Value, json};

use super::{AttributeDefinition, DirectoryDefinition, ObjectDefinition};

impl DirectoryDefinition {
    /// The definition as Graph writes it.
    pub fn to_json(&self) -> Value {
        let objects: Vec<Value> = self.objects.iter().map(ObjectDefinition::to_json).collect();
        let mut members = Map::new();
        if let Some(id) = &self.id {
            members.insert("id".to_owned(), Value::from(id.as_str()));
        }
        members.insert("name".to_owned(), Value::from(self.name.as_str()));
        members.insert("objects".to_owned(), Value::Array(objects));
        Value::Object(members)
    }
}

impl ObjectDefinition {
    fn to_json(&self) -> Value {
        let attributes: Vec<Value> = self.attributes.iter().map(AttributeDefinition::to_json).collect();
        json!({ "name": self.name, "attributes": attributes, "metadata": pairs(&self.metadata) })
    }
}

impl AttributeDefinition {
    fn to_json(&self) -> Value {
        let references: Vec<Value> = self
            .referenced_objects
            .iter()
            .map(|name| json!({ "referencedObjectName": name, "referencedProperty": null }))
            .collect();
        json!({
            "anchor": self.anchor,
            "caseExact": self.case_exact,
            "defaultValue": self.default_value,
            "flowNullValues": self.flow_null_values,
            "multivalued": self.multivalued,
            "mutability": self.mutability.name(),
            "name": self.name,
            "required": self.required,
            "type": self.value_type.name(),
            "apiExpressions": pairs(&self.api_expressions),
            "metadata": pairs(&self.metadata),
            "referencedObjects": references,
        })
    }
}

fn pairs(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
