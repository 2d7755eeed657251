//! The synchronization schema: directories, rules, mappings and filters, as Microsoft Entra exports them.
//!
//! Reading is tolerant and keeps the document; what is typed here is a view of it. So writing gives back everything
//! that was read, known or not, in its order.

mod check;
mod derive;
pub(crate) mod duplicates;
mod kinds;
mod lint;
mod members;
mod reader;
mod syntax;
mod text;
mod write;

use serde_json::{Map, Value};
use usher_expr::Dialect;
pub use usher_expr::Severity;

pub use check::{check, prevents_runs};
pub use lint::{LINT_RULES, lint};
pub use reader::read;

/// A problem of a schema, with place and remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDiagnostic {
    /// Errors keep the schema from being used; warnings do not.
    pub severity: Severity,
    /// A stable name for programs.
    pub code: &'static str,
    /// Where in the document, such as `$.synchronizationRules[0].objectMappings[1]`.
    pub path: String,
    /// Line and column, from 1, where the text itself cannot be read.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What reading a document yields. Reading never fails.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The schema, when the document holds one.
    pub schema: Option<Schema>,
    /// Everything that was noticed on the way.
    pub diagnostics: Vec<SchemaDiagnostic>,
}

/// A synchronization schema (Graph `synchronizationSchema`).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Schema {
    /// The id: the job's, or the template's with zeros.
    pub id: Option<String>,
    /// A text that changes with every edit.
    pub version: Option<String>,
    /// The directories.
    pub directories: Vec<DirectoryDefinition>,
    /// The rules.
    pub synchronization_rules: Vec<Rule>,
    document: Map<String, Value>,
}

impl Schema {
    /// The document: everything that was read, with the present id and version.
    pub fn to_json(&self) -> Value {
        let mut document = self.document.clone();
        for (name, present) in [("id", &self.id), ("version", &self.version)] {
            let written = document.get(name).and_then(scalar);
            match present {
                _ if written == *present => {}
                Some(text) => drop(document.insert(name.to_owned(), Value::from(text.as_str()))),
                None => drop(document.shift_remove(name)),
            }
        }
        Value::Object(document)
    }

    /// The directory with this name: exact first, then without regard to case.
    pub fn directory(&self, name: &str) -> Option<&DirectoryDefinition> {
        self.directories
            .iter()
            .find(|directory| directory.name == name)
            .or_else(|| self.directories.iter().find(|directory| directory.name.eq_ignore_ascii_case(name)))
    }

    /// A schema of one directory, as discovery yields it.
    pub fn of_directory(directory: DirectoryDefinition) -> Self {
        let mut document = Map::new();
        document.insert("directories".to_owned(), Value::Array(vec![directory.to_json()]));
        Self { directories: vec![directory], document, ..Self::default() }
    }
}

/// A directory (Graph `directoryDefinition`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DirectoryDefinition {
    /// The id.
    pub id: Option<String>,
    /// The name that rules refer to.
    pub name: String,
    /// Its objects.
    pub objects: Vec<ObjectDefinition>,
}

impl DirectoryDefinition {
    /// The object with this name: exact first, then without regard to case.
    pub fn object(&self, name: &str) -> Option<&ObjectDefinition> {
        self.objects
            .iter()
            .find(|object| object.name == name)
            .or_else(|| self.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name)))
    }
}

/// An object of a directory (Graph `objectDefinition`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ObjectDefinition {
    /// The name that object mappings refer to.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<AttributeDefinition>,
    /// Metadata by key; values are JSON text.
    pub metadata: Vec<(String, String)>,
}

impl ObjectDefinition {
    /// The attribute with this name: exact first, then without regard to case.
    pub fn attribute(&self, name: &str) -> Option<&AttributeDefinition> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .or_else(|| self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name)))
    }

    /// The metadata under a key, compared without regard to case.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        lookup(&self.metadata, key)
    }
}

/// An attribute (Graph `attributeDefinition`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AttributeDefinition {
    /// The name that attribute mappings refer to.
    pub name: String,
    /// The type.
    pub value_type: AttributeType,
    /// Identifies the object, for good.
    pub anchor: bool,
    /// Case counts when values are compared.
    pub case_exact: bool,
    /// Takes several values.
    pub multivalued: bool,
    /// The object needs a value.
    pub required: bool,
    /// Nulls may flow.
    pub flow_null_values: bool,
    /// When it may be written.
    pub mutability: Mutability,
    /// The objects that a reference may point to.
    pub referenced_objects: Vec<String>,
    /// Connector-specific expressions by key, such as XPaths.
    pub api_expressions: Vec<(String, String)>,
    /// The value where a required attribute has none.
    pub default_value: Option<String>,
    /// Metadata by key; values are JSON text.
    pub metadata: Vec<(String, String)>,
}

impl AttributeDefinition {
    /// The names of the objects that a reference may point to.
    pub fn referenced_object_names(&self) -> impl Iterator<Item = &str> {
        self.referenced_objects.iter().map(String::as_str)
    }

    /// The metadata under a key, compared without regard to case.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        lookup(&self.metadata, key)
    }
}

/// The type of an attribute's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AttributeType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// A reference to another object.
    Reference,
    /// Bytes.
    Binary,
    /// True or false.
    Boolean,
    /// An instant.
    DateTime,
}

impl AttributeType {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            AttributeType::String => "String",
            AttributeType::Integer => "Integer",
            AttributeType::Reference => "Reference",
            AttributeType::Binary => "Binary",
            AttributeType::Boolean => "Boolean",
            AttributeType::DateTime => "DateTime",
        }
    }
}

/// When an attribute may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mutability {
    /// At any time.
    #[default]
    ReadWrite,
    /// Never.
    ReadOnly,
    /// Only when the object is made.
    Immutable,
    /// At any time, but it is never given back.
    WriteOnly,
}

impl Mutability {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Mutability::ReadWrite => "ReadWrite",
            Mutability::ReadOnly => "ReadOnly",
            Mutability::Immutable => "Immutable",
            Mutability::WriteOnly => "WriteOnly",
        }
    }
}

/// What flows from a source to a target directory (Graph `synchronizationRule`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rule {
    /// The id that on-demand requests name.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// May be changed by an administrator.
    pub editable: bool,
    /// Lowest first.
    pub priority: i64,
    /// The source directory's name.
    pub source_directory_name: String,
    /// The target directory's name.
    pub target_directory_name: String,
    /// The object mappings.
    pub object_mappings: Vec<ObjectMapping>,
    /// Metadata by key; values are JSON text.
    pub metadata: Vec<(String, String)>,
    /// Containers of a directory source whose objects are in scope; empty means all.
    pub included_containers: Vec<String>,
    /// Groups whose direct members are in scope; empty means all.
    pub included_groups: Vec<String>,
}

impl Rule {
    /// The dialect of the rule's expressions. Between Active Directory and Entra ID it is that of cloud sync, everywhere
    /// else that of the provisioning service; the metadata `expressionDialect` overrides both.
    pub fn dialect(&self, _schema: &Schema) -> Dialect {
        if let Some(dialect) = self.stated_dialect().and_then(|name| name.parse().ok()) {
            return dialect;
        }
        let is = |name: &str, known: &[&str]| known.iter().any(|other| other.eq_ignore_ascii_case(name));
        let (source, target) = (self.source_directory_name.as_str(), self.target_directory_name.as_str());
        let is_cloud_sync = (is(source, ACTIVE_DIRECTORY) && is(target, ENTRA))
            || (is(source, ENTRA) && is(target, ACTIVE_DIRECTORY));
        if is_cloud_sync { Dialect::CloudSync } else { Dialect::Service }
    }

    /// What the metadata say of the dialect.
    fn stated_dialect(&self) -> Option<&str> {
        lookup(&self.metadata, "expressionDialect").map(|text| text.trim_matches('"'))
    }

    /// Values for source attributes of this object that have none (metadata `defaultSourceObjectMappings`).
    pub fn source_defaults(&self, object: &str) -> Vec<(String, String)> {
        match self.source_default_mappings() {
            Some(Ok(document)) => derive::defaults(&document, object),
            Some(Err(_)) | None => Vec::new(),
        }
    }

    fn has_unreadable_source_defaults(&self) -> bool {
        matches!(self.source_default_mappings(), Some(Err(_)))
    }

    fn source_default_mappings(&self) -> Option<Result<Value, serde_json::Error>> {
        let text =
            lookup(&self.metadata, "defaultSourceObjectMappings").filter(|text| !text.trim().is_empty())?;
        Some(serde_json::from_str(text).and_then(|document: Value| match document {
            // Exported documents hold the text once or twice encoded.
            Value::String(inner) => serde_json::from_str(&inner),
            document => Ok(document),
        }))
    }
}

const ACTIVE_DIRECTORY: &[&str] = &["Active Directory"];
const ENTRA: &[&str] = &["Azure Active Directory", "Microsoft Entra ID"];

/// A source object type to a target object type (Graph `objectMapping`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ObjectMapping {
    /// The name for people.
    pub name: String,
    /// Counts at all.
    pub enabled: bool,
    /// What may be done to target objects.
    pub flow_types: FlowTypes,
    /// The source object's name.
    pub source_object_name: String,
    /// The target object's name.
    pub target_object_name: String,
    /// The scoping filter.
    pub scope: Option<ScopingFilter>,
    /// The attribute mappings.
    pub attribute_mappings: Vec<AttributeMapping>,
    /// Metadata by key; values are JSON text.
    pub metadata: Vec<(String, String)>,
}

/// What may be done to target objects. A document that says nothing means all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowTypes {
    /// Made.
    pub add: bool,
    /// Changed.
    pub update: bool,
    /// Removed.
    pub delete: bool,
}

impl Default for FlowTypes {
    fn default() -> Self {
        Self { add: true, update: true, delete: true }
    }
}

/// How one target attribute gets its value (Graph `attributeMapping`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AttributeMapping {
    /// The target attribute.
    pub target_attribute_name: String,
    /// Where the value comes from; `None` with a default means a constant.
    pub source: Option<AttributeMappingSource>,
    /// The value when the source gives none.
    pub default_value: Option<String>,
    /// 0: not a matching attribute; above: lowest first.
    pub matching_priority: i32,
    /// When the value flows.
    pub flow_type: FlowType,
    /// Whether it flows without a change.
    pub flow_behavior: FlowBehavior,
    /// References that cannot be resolved flow all the same.
    pub export_missing_references: bool,
}

/// When a value flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FlowType {
    /// On create and on update.
    #[default]
    Always,
    /// Only when the object is made.
    ObjectAddOnly,
    /// Values are added, never removed.
    MultiValueAddOnly,
    /// Values are added, but never replace what is there.
    ValueAddOnly,
    /// Only when the target attribute has no value.
    AttributeAddOnly,
}

/// Whether a value flows without a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FlowBehavior {
    /// When it differs.
    #[default]
    FlowWhenChanged,
    /// In every export of the object.
    FlowAlways,
}

/// Where a value comes from (Graph `attributeMappingSource`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AttributeMappingSource {
    /// Attribute, constant or function.
    pub source_type: SourceType,
    /// The attribute, the constant or the function's name.
    pub name: String,
    /// The same as text; the authority over `parameters`.
    pub expression: String,
    /// The arguments of a function by key, in order; those that were omitted are not listed.
    pub parameters: Vec<(String, AttributeMappingSource)>,
}

impl AttributeMappingSource {
    /// The source attribute's name, from the expression or else from the name.
    pub fn attribute_name(&self) -> &str {
        self.expression
            .trim()
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.name)
    }

    /// The constant, without the quotes of an expression.
    pub fn constant_text(&self) -> &str {
        &self.name
    }

    /// The expression's text.
    pub fn expression_text(&self) -> &str {
        &self.expression
    }
}

/// What kind of source a mapping has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SourceType {
    /// A source attribute as it is.
    #[default]
    Attribute,
    /// A fixed text.
    Constant,
    /// An expression.
    Function,
}

/// Which objects are in scope (Graph `filter`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ScopingFilter {
    /// Any group lets an object pass; falling out deprovisions.
    pub groups: Vec<FilterGroup>,
    /// Applied when reading; falling out does not deprovision.
    pub input_filter_groups: Vec<FilterGroup>,
    /// Whether the object belongs to this mapping at all.
    pub category_filter_groups: Vec<FilterGroup>,
}

/// Clauses that must all hold (Graph `filterGroup`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FilterGroup {
    /// The title.
    pub name: String,
    /// The clauses.
    pub clauses: Vec<FilterClause>,
}

/// One condition (Graph `filterClause`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FilterClause {
    /// The source attribute.
    pub source_operand_name: String,
    /// The operator.
    pub operator_name: String,
    /// What it is compared with; empty for unary operators.
    pub target_operand: Vec<String>,
}

fn lookup<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

/// The text of a text, number or truth value.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
