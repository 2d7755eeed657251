//! Checking: every problem of a schema that was read, with place and remedy.

mod filter;
mod mapping;

use std::collections::{HashMap, HashSet};

use usher_expr::{Dialect, Severity};

use super::{
    AttributeDefinition, AttributeType, DirectoryDefinition, FlowTypes, Mutability, ObjectDefinition,
    ObjectMapping, Rule, Schema, SchemaDiagnostic,
};

/// Lists every problem. What a published document contains is at most a warning; errors are what cannot run.
pub fn check(schema: &Schema) -> Vec<SchemaDiagnostic> {
    let mut checker = Checker { schema, found: Vec::new() };
    checker.directories();
    checker.rules();
    checker.found
}

/// Whether a job cannot run by a schema that has this problem. Documents with a rule between directories that they do
/// not have are published, shortened for reading; a job has nothing to read or write by them.
pub fn prevents_runs(problem: &SchemaDiagnostic) -> bool {
    problem.severity == Severity::Error || matches!(problem.code, "unknownDirectory" | "noDirectory")
}

struct Checker<'a> {
    schema: &'a Schema,
    found: Vec<SchemaDiagnostic>,
}

/// What an object mapping maps between.
struct Ends<'a> {
    source_directory: Option<&'a DirectoryDefinition>,
    source: Option<&'a ObjectDefinition>,
    target: Option<&'a ObjectDefinition>,
    dialect: Dialect,
    is_enabled: bool,
}

impl<'a> Ends<'a> {
    /// Whether the source is known to lack the attribute. A definition without attributes was shortened.
    fn lacks(&self, attribute: &str) -> bool {
        self.source
            .is_some_and(|object| !object.attributes.is_empty() && object.attribute(attribute).is_none())
    }

    fn source_attribute(&self, name: &str) -> Option<&'a AttributeDefinition> {
        self.source.and_then(|object| object.attribute(name))
    }

    fn target_attribute(&self, name: &str) -> Option<&'a AttributeDefinition> {
        self.target.and_then(|object| object.attribute(name))
    }
}

impl<'a> Checker<'a> {
    fn directories(&mut self) {
        let mut names = HashSet::new();
        let mut ids = HashSet::new();
        for (index, directory) in self.schema.directories.iter().enumerate() {
            let path = format!("$.directories[{index}]");
            if directory.name.is_empty() {
                self.warn("noName", &path, "the directory has no name", "rules refer to directories by name");
            } else if !names.insert(directory.name.to_lowercase()) {
                let message = format!("there is another directory '{}'", directory.name);
                self.error("duplicateName", &path, message, "give each directory a name of its own");
            }
            if let Some(id) =
                directory.id.as_deref().filter(|id| !id.is_empty() && !ids.insert(id.to_lowercase()))
            {
                let message = format!("there is another directory with the id '{id}'");
                self.warn("duplicateId", &path, message, "give each directory an id of its own");
            }
            let mut objects = HashSet::new();
            for (index, object) in directory.objects.iter().enumerate() {
                let path = format!("{path}.objects[{index}]");
                if object.name.is_empty() {
                    self.warn(
                        "noName",
                        &path,
                        "the object has no name",
                        "object mappings refer to objects by name",
                    );
                } else if !objects.insert(object.name.to_lowercase()) {
                    let message = format!("'{}' is listed more than once; the first one counts", object.name);
                    self.warn("duplicateName", &path, message, "merge the two");
                }
                self.object(&path, object);
            }
        }
    }

    fn object(&mut self, path: &str, object: &ObjectDefinition) {
        let mut names = HashSet::new();
        for (index, attribute) in object.attributes.iter().enumerate() {
            let place = format!("{path}.attributes[{index}]");
            let name = &attribute.name;
            if name.is_empty() {
                self.warn("noName", &place, "the attribute has no name", "remove it, or give it one");
            } else if !names.insert(name.as_str()) {
                let message =
                    format!("the attribute '{name}' is listed more than once; the first one counts");
                self.warn("duplicateName", &place, message, "remove one of them");
            }
            self.default_fits(&place, attribute.default_value.as_deref(), attribute);
        }
        let anchors: Vec<&str> =
            object.attributes.iter().filter(|one| one.anchor).map(|one| one.name.as_str()).collect();
        if anchors.len() > 1 {
            let message = format!("'{}' has {} anchors: {}", object.name, anchors.len(), anchors.join(", "));
            self.warn("severalAnchors", path, message, "exactly one attribute identifies an object");
        }
    }

    fn rules(&mut self) {
        let mut ids = HashSet::new();
        let mut priorities = HashSet::new();
        for (index, rule) in self.schema.synchronization_rules.iter().enumerate() {
            let path = format!("$.synchronizationRules[{index}]");
            let names_directories =
                !rule.source_directory_name.is_empty() || !rule.target_directory_name.is_empty();
            if rule.id.is_empty()
                && rule.name.is_empty()
                && rule.object_mappings.is_empty()
                && !names_directories
            {
                self.warn("emptyRule", &path, "the rule is empty", "remove it, or fill it in");
                continue;
            }
            if rule.id.is_empty() {
                self.warn("noId", &path, "the rule has no id", "on-demand requests name rules by id");
            } else if !ids.insert(rule.id.to_lowercase()) {
                let message = format!("there is another rule '{}'", rule.id);
                self.error("duplicateId", &path, message, "give each rule an id of its own");
            }
            for (end, name) in
                [("source", &rule.source_directory_name), ("target", &rule.target_directory_name)]
            {
                self.directory_of(&path, end, name);
            }
            if !priorities.insert(rule.priority) {
                let message = format!("there is another rule of priority {}", rule.priority);
                self.warn("samePriority", &path, message, "rules run lowest priority first; tell them apart");
            }
            if rule.object_mappings.is_empty() {
                self.warn("noObjectMappings", &path, "the rule maps nothing", "give it object mappings");
            }
            self.metadata(&path, rule);
            self.object_mappings(&path, rule);
        }
    }

    fn metadata(&mut self, path: &str, rule: &Rule) {
        if let Some(name) = rule.stated_dialect().filter(|name| name.parse::<Dialect>().is_err()) {
            let known: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.name()).collect();
            let message = format!("'{name}' is not a dialect of expressions; the entry is passed over");
            self.warn("unknownDialect", path, message, format!("one of {}", known.join(", ")));
        }
        if rule.has_unreadable_source_defaults() {
            let message =
                "the metadata defaultSourceObjectMappings is not JSON text; the defaults are passed over";
            self.warn("badMetadata", path, message, "correct the text, or remove the entry");
        }
    }

    fn directory_of(&mut self, path: &str, end: &str, name: &str) {
        if name.is_empty() {
            let message = format!("the rule has no {end}DirectoryName");
            self.warn("noDirectory", path, message, "name one of the directories of the schema");
        } else if self.schema.directory(name).is_none() {
            let known: Vec<&str> = self.schema.directories.iter().map(|one| one.name.as_str()).collect();
            let message = format!("there is no directory '{name}'");
            self.warn("unknownDirectory", path, message, format!("the schema has: {}", known.join(", ")));
        }
    }

    fn object_mappings(&mut self, path: &str, rule: &Rule) {
        let mut pairs = HashSet::new();
        for (index, mapping) in rule.object_mappings.iter().enumerate() {
            let path = format!("{path}.objectMappings[{index}]");
            let (source, target) = (&mapping.source_object_name, &mapping.target_object_name);
            if source.is_empty() && target.is_empty() && mapping.attribute_mappings.is_empty() {
                self.warn("emptyMapping", &path, "the object mapping is empty", "remove it, or fill it in");
                continue;
            }
            let is_mapped_twice =
                mapping.enabled && !pairs.insert((source.to_lowercase(), target.to_lowercase()));
            if is_mapped_twice && mapping.scope.is_none() {
                let message =
                    format!("'{source}' is mapped to '{target}' more than once, and here without a scope");
                self.warn(
                    "duplicateMapping",
                    &path,
                    message,
                    "disable one, or tell them apart by scoping filters",
                );
            }
            self.object_mapping(&path, rule, mapping);
        }
    }

    fn object_mapping(&mut self, path: &str, rule: &Rule, mapping: &ObjectMapping) {
        let source = self.object_of(
            path,
            "source",
            &rule.source_directory_name,
            &mapping.source_object_name,
            mapping.enabled,
        );
        let target = self.object_of(
            path,
            "target",
            &rule.target_directory_name,
            &mapping.target_object_name,
            mapping.enabled,
        );
        let ends = Ends {
            source_directory: self.schema.directory(&rule.source_directory_name),
            source,
            target,
            dialect: rule.dialect(self.schema),
            is_enabled: mapping.enabled,
        };
        if mapping.enabled {
            self.anchor(path, "source", source);
            self.anchor(path, "target", target);
            if mapping.flow_types == (FlowTypes { add: false, update: false, delete: false }) {
                let message = "the flow types are none, so nothing is ever written";
                self.warn("noFlowTypes", path, message, "give Add, Update or Delete, or disable the mapping");
            }
        }
        if let Some(scope) = &mapping.scope {
            self.scope(&format!("{path}.scope"), scope, &ends);
        }
        let mut targets = HashSet::new();
        let mut matching = HashMap::new();
        for (index, attribute) in mapping.attribute_mappings.iter().enumerate() {
            let place = format!("{path}.attributeMappings[{index}]");
            let name = &attribute.target_attribute_name;
            if name.is_empty() {
                self.warn(
                    "noTarget",
                    &place,
                    "the mapping names no target attribute",
                    "remove it, or name one",
                );
                continue;
            }
            if !targets.insert(name.to_lowercase()) {
                let message = format!("'{name}' is mapped more than once; the last value wins");
                self.warn("duplicateTarget", &place, message, "keep one of the mappings");
            }
            if attribute.matching_priority > 0
                && let Some(other) = matching.insert(attribute.matching_priority, name)
            {
                let message = format!(
                    "'{other}' and '{name}' have the same matching priority {}",
                    attribute.matching_priority
                );
                self.warn(
                    "samePriority",
                    &place,
                    message,
                    "give each matching attribute a priority of its own",
                );
            }
            self.attribute_mapping(&place, attribute, &ends);
        }
        if mapping.enabled && matching.is_empty() {
            self.warn(
                "noMatching",
                path,
                "no attribute mapping is a matching one, so no target object can be found",
                "give one mapping a matchingPriority of 1",
            );
        }
        if let Some(target) = target.filter(|_| mapping.enabled && mapping.flow_types.add) {
            self.required(path, mapping, target);
        }
    }

    /// A definition without attributes was shortened; one with attributes needs an anchor.
    fn anchor(&mut self, path: &str, end: &str, object: Option<&ObjectDefinition>) {
        let Some(object) = object.filter(|object| !object.attributes.is_empty()) else { return };
        if !object.attributes.iter().any(|attribute| attribute.anchor) {
            let message = format!("the {end} object '{}' has no anchor", object.name);
            self.warn("noAnchor", path, message, "set 'anchor' on the attribute that identifies it for good");
        }
    }

    fn required(&mut self, path: &str, mapping: &ObjectMapping, target: &ObjectDefinition) {
        for attribute in &target.attributes {
            let is_mapped = mapping
                .attribute_mappings
                .iter()
                .any(|one| one.target_attribute_name.eq_ignore_ascii_case(&attribute.name));
            let has_value =
                is_mapped || attribute.default_value.as_deref().is_some_and(|value| !value.is_empty());
            if attribute.required
                && !has_value
                && !attribute.anchor
                && attribute.mutability != Mutability::ReadOnly
            {
                let message = format!(
                    "'{}' is required in the target, but neither mapped nor defaulted",
                    attribute.name
                );
                self.warn("requiredUnmapped", path, message, "map it, or correct its 'required' flag");
            }
        }
    }

    fn object_of(
        &mut self,
        path: &str,
        end: &str,
        directory: &str,
        name: &str,
        is_enabled: bool,
    ) -> Option<&'a ObjectDefinition> {
        if name.is_empty() {
            if is_enabled {
                let message = format!("the object mapping has no {end}ObjectName");
                self.warn("noObject", path, message, "name one of the directory's objects");
            }
            return None;
        }
        let directory = self.schema.directory(directory)?;
        let object = directory.object(name);
        if object.is_none() {
            let message = format!("the directory '{}' has no object '{name}'", directory.name);
            self.warn(
                "unknownObject",
                path,
                message,
                "add its definition to the directory, or correct the name",
            );
        }
        object
    }

    /// A fixed value must be one of the attribute's type.
    fn default_fits(&mut self, path: &str, value: Option<&str>, attribute: &AttributeDefinition) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        let fits = match attribute.value_type {
            AttributeType::Boolean => {
                ["true", "false", "1", "0"].iter().any(|word| word.eq_ignore_ascii_case(value.trim()))
            }
            AttributeType::Integer => value.trim().parse::<i64>().is_ok(),
            _ => true,
        };
        if !fits {
            let message = format!(
                "'{value}' is no value for '{}', which is {}",
                attribute.name,
                attribute.value_type.name()
            );
            self.warn("wrongValue", path, message, "correct the value, or the attribute's type");
        }
    }

    fn error(
        &mut self,
        code: &'static str,
        path: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Severity::Error, code, path, message.into(), remedy.into());
    }

    fn warn(
        &mut self,
        code: &'static str,
        path: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, path, message.into(), remedy.into());
    }

    fn push(&mut self, severity: Severity, code: &'static str, path: &str, message: String, remedy: String) {
        let path = path.to_owned();
        self.found.push(SchemaDiagnostic {
            severity,
            code,
            path,
            position: None,
            message,
            remedy: Some(remedy),
        });
    }
}
