//! Checking: every problem of a schema that was read, with place and remedy.

use std::collections::{HashMap, HashSet};

use usher_expr::{Dialect, Severity, compile};

use super::{
    AttributeMapping, AttributeType, FlowType, Mutability, ObjectDefinition, ObjectMapping, Rule, Schema,
    SchemaDiagnostic, ScopingFilter, SourceType,
};
use crate::operators::{self, CompiledFilter};

/// Lists every problem.
pub fn check(schema: &Schema) -> Vec<SchemaDiagnostic> {
    let mut checker = Checker { schema, found: Vec::new() };
    checker.directories();
    checker.rules();
    checker.found
}

struct Checker<'a> {
    schema: &'a Schema,
    found: Vec<SchemaDiagnostic>,
}

impl Checker<'_> {
    fn directories(&mut self) {
        let mut names = HashSet::new();
        for (index, directory) in self.schema.directories.iter().enumerate() {
            let path = format!("$.directories[{index}]");
            if directory.name.is_empty() {
                self.warn("noName", &path, "the directory has no name", "rules refer to directories by name");
            } else if !names.insert(directory.name.to_lowercase()) {
                let message = format!("there is another directory '{}'", directory.name);
                self.error("duplicateName", &path, message, "give each directory a name of its own");
            }
            let mut objects = HashSet::new();
            for (index, object) in directory.objects.iter().enumerate() {
                let path = format!("{path}.objects[{index}]");
                if object.name.is_empty() {
                    self.warn("noName", &path, "the object has no name", "object mappings refer to objects by name");
                } else if !objects.insert(object.name.to_lowercase()) {
                    let message = format!("'{}' is listed more than once; the first one counts", object.name);
                    self.warn("duplicateName", &path, message, "merge the two");
                }
                self.object(&path, object);
            }
        }
    }

    fn object(&mut self, path: &str, object: &ObjectDefinition) {
        let mut names = HashMap::new();
        for (index, attribute) in object.attributes.iter().enumerate() {
            let place = format!("{path}.attributes[{index}]");
            if attribute.name.is_empty() {
                self.warn("noName", &place, "the attribute has no name", "remove it, or give it one");
            } else if names.insert(attribute.name.clone(), index).is_some() {
                let message = format!("the attribute '{}' is listed more than once; the first one counts", attribute.name);
                self.warn("duplicateName", &place, message, "remove one of them");
            }
        }
        let anchors: Vec<&str> = object
            .attributes
            .iter()
            .filter(|attribute| attribute.anchor)
            .map(|attribute| attribute.name.as_str())
            .collect();
        if anchors.len() > 1 {
            let message = format!("'{}' has {} anchors: {}", object.name, anchors.len(), anchors.join(", "));
            self.warn("severalAnchors", path, message, "exactly one attribute identifies an object");
        }
    }

    fn rules(&mut self) {
        let mut ids = HashSet::new();
        for (index, rule) in self.schema.synchronization_rules.iter().enumerate() {
            let path = format!("$.synchronizationRules[{index}]");
            let is_empty = rule.id.is_empty() && rule.name.is_empty() && rule.object_mappings.is_empty();
            if is_empty && !rule.source_directory_name.is_empty() {
                self.warn("emptyRule", &path, "the rule maps nothing", "give it object mappings");
                continue;
            }
            if is_empty {
                self.empty_rule(&path, index);
                continue;
            }
            if rule.id.is_empty() {
                self.warn("noId", &path, "the rule has no id", "on-demand requests name rules by id");
            } else if !ids.insert(rule.id.clone()) {
                let message = format!("there is another rule '{}'", rule.id);
                self.error("duplicateId", &path, message, "give each rule an id of its own");
            }
            for (end, name) in
                [("source", &rule.source_directory_name), ("target", &rule.target_directory_name)]
            {
                self.directory_of(&path, end, name);
            }
            if rule.priority == 0 && self.schema.synchronization_rules.len() > 1 {
                self.warn("noPriority", &path, "the rule has no priority, or 0", "rules run lowest priority first");
            }
            for (index, mapping) in rule.object_mappings.iter().enumerate() {
                self.object_mapping(&format!("{path}.objectMappings[{index}]"), rule, mapping);
            }
        }
    }

    /// `{}` as in shortened examples is noticed; another thing in a rule's place is refused.
    fn empty_rule(&mut self, path: &str, index: usize) {
        let document = self.schema.to_json();
        let members = document["synchronizationRules"][index].as_object().cloned().unwrap_or_default();
        if let Some(name) = ["targetAttributeName", "attributeMappings", "attributes", "clauses"]
            .iter()
            .find(|name| members.contains_key(**name))
        {
            let what = match *name {
                "targetAttributeName" => "an attribute mapping",
                "attributeMappings" => "an object mapping",
                "attributes" => "an object definition",
                _ => "a filter group",
            };
            self.error(
                "notARule",
                path,
                format!("here stands {what} in place of a rule"),
                "a rule has id, sourceDirectoryName, targetDirectoryName and objectMappings; nest it there",
            );
        } else {
            self.warn("emptyRule", path, "the rule is empty", "remove it, or fill it in");
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

    fn object_mapping(&mut self, path: &str, rule: &Rule, mapping: &ObjectMapping) {
        if mapping.source_object_name.is_empty()
            && mapping.target_object_name.is_empty()
            && mapping.attribute_mappings.is_empty()
        {
            self.warn("emptyMapping", path, "the object mapping is empty", "remove it, or fill it in");
            return;
        }
        let source = self.object_of(path, "source", &rule.source_directory_name, &mapping.source_object_name, mapping.enabled);
        let target = self.object_of(path, "target", &rule.target_directory_name, &mapping.target_object_name, mapping.enabled);
        if let Some(scope) = &mapping.scope {
            self.scope(&format!("{path}.scope"), scope, source.as_ref());
        }
        let mut targets = HashSet::new();
        let mut matching = HashMap::new();
        let dialect = rule.dialect(self.schema);
        for (index, attribute) in mapping.attribute_mappings.iter().enumerate() {
            let place = format!("{path}.attributeMappings[{index}]");
            let name = &attribute.target_attribute_name;
            if name.is_empty() {
                self.warn("noTarget", &place, "the mapping names no target attribute", "remove it, or name one");
                continue;
            }
            if !targets.insert(name.to_lowercase()) {
                let message = format!("'{name}' is mapped more than once; the last value wins");
                self.warn("duplicateTarget", &place, message, "keep one of the mappings");
            }
            if attribute.matching_priority > 0
                && let Some(other) = matching.insert(attribute.matching_priority, name.clone())
            {
                let message =
                    format!("'{other}' and '{name}' have the same matching priority {}", attribute.matching_priority);
                self.warn("samePriority", &place, message, "give each matching attribute a priority of its own");
            }
            self.attribute_mapping(&place, attribute, source.as_ref(), target.as_ref(), dialect);
        }
        if mapping.enabled && matching.is_empty() && !mapping.attribute_mappings.is_empty() {
            self.warn(
                "noMatching",
                path,
                "no attribute mapping is a matching one, so no target object can be found",
                "give one mapping a matchingPriority of 1",
            );
        }
        if let Some(target) = target.filter(|_| mapping.enabled) {
            self.required(path, mapping, &target);
        }
    }

    fn required(&mut self, path: &str, mapping: &ObjectMapping, target: &ObjectDefinition) {
        for attribute in &target.attributes {
            let is_mapped = mapping
                .attribute_mappings
                .iter()
                .any(|one| one.target_attribute_name.eq_ignore_ascii_case(&attribute.name));
            if attribute.required && !is_mapped && !attribute.anchor && attribute.mutability != Mutability::ReadOnly {
                let message = format!("'{}' is required in the target, but not mapped", attribute.name);
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
    ) -> Option<ObjectDefinition> {
        if name.is_empty() {
            if is_enabled {
                let message = format!("the object mapping has no {end}ObjectName");
                self.warn("noObject", path, message, "name one of the directory's objects");
            }
            return None;
        }
        let directory = self.schema.directory(directory)?;
        let object = directory.object(name).cloned();
        if object.is_none() {
            let message = format!("the directory '{}' has no object '{name}'", directory.name);
            self.warn("unknownObject", path, message, "add its definition to the directory, or correct the name");
        }
        object
    }

    fn attribute_mapping(
        &mut self,
        path: &str,
        mapping: &AttributeMapping,
        source: Option<&ObjectDefinition>,
        target: Option<&ObjectDefinition>,
        dialect: Dialect,
    ) {
        let name = &mapping.target_attribute_name;
        let definition = target.and_then(|object| object.attribute(name));
        if let Some(target) = target.filter(|object| definition.is_none() && !object.attributes.is_empty()) {
            let message = format!("the target object '{}' has no attribute '{name}'", target.name);
            self.warn("unknownTarget", path, message, "add its definition, or correct the name");
        }
        if definition.is_some_and(|definition| definition.mutability == Mutability::ReadOnly) {
            let message = format!("'{name}' is read-only in the target, so the mapping has no effect");
            self.warn("readOnlyTarget", path, message, "remove the mapping");
        }
        let Some(origin) = &mapping.source else { return };
        let unknown = |attribute: &str| {
            source.is_some_and(|object| !object.attributes.is_empty() && object.attribute(attribute).is_none())
        };
        match origin.source_type {
            SourceType::Constant => {}
            SourceType::Attribute => {
                let attribute = origin.attribute_name();
                if unknown(attribute) {
                    let message = format!("the source object has no attribute '{attribute}'");
                    self.warn("unknownSource", path, message, "add its definition, or correct the name");
                }
            }
            SourceType::Function => {
                let place = format!("{path}.source.expression");
                let compilation = compile(&origin.expression, dialect);
                for diagnostic in &compilation.diagnostics {
                    self.found.push(SchemaDiagnostic {
                        severity: diagnostic.severity,
                        code: diagnostic.code,
                        path: place.clone(),
                        position: None,
                        message: format!(
                            "{} (character {} of the expression `{}`)",
                            diagnostic.message,
                            diagnostic.span.start + 1,
                            shorten(&origin.expression)
                        ),
                        remedy: diagnostic.remedy.clone(),
                    });
                }
                let Some(expression) = compilation.expression else { return };
                for attribute in expression.attributes().iter().filter(|attribute| unknown(attribute)) {
                    let message = format!("the expression reads '{attribute}', which the source object does not have");
                    self.warn("unknownSource", &place, message, "add its definition, or correct the name");
                }
                if definition.is_some_and(|definition| definition.value_type == AttributeType::Reference) {
                    let message = format!("'{name}' is a reference and is mapped by an expression");
                    self.warn("referenceByExpression", path, message, "references take direct mappings only");
                }
                if origin.expression.to_ascii_lowercase().contains("selectuniquevalue") {
                    if mapping.matching_priority > 0 {
                        self.error(
                            "uniqueMatching",
                            path,
                            "SelectUniqueValue cannot compute a matching attribute",
                            "match on another attribute",
                        );
                    } else if mapping.flow_type != FlowType::ObjectAddOnly {
                        self.warn(
                            "uniqueAlways",
                            path,
                            "SelectUniqueValue is meant for new objects, but the mapping flows always",
                            "set flowType to ObjectAddOnly",
                        );
                    }
                }
            }
        }
    }

    fn scope(&mut self, path: &str, scope: &ScopingFilter, source: Option<&ObjectDefinition>) {
        let kinds = [
            ("groups", &scope.groups),
            ("inputFilterGroups", &scope.input_filter_groups),
            ("categoryFilterGroups", &scope.category_filter_groups),
        ];
        for (kind, groups) in kinds {
            for (index, group) in groups.iter().enumerate() {
                for (clause_index, clause) in group.clauses.iter().enumerate() {
                    let place = format!("{path}.{kind}[{index}].clauses[{clause_index}]");
                    let name = &clause.source_operand_name;
                    if let Some(source) = source.filter(|object| {
                        !name.is_empty() && !object.attributes.is_empty() && object.attribute(name).is_none()
                    }) {
                        let message = format!("the source object '{}' has no attribute '{name}'", source.name);
                        self.warn("unknownSource", &place, message, "add its definition, or correct the name");
                    }
                    if let Some(operator) = operators::find(&clause.operator_name)
                        && operator.arity == operators::Arity::Unary
                        && !clause.target_operand.is_empty()
                    {
                        let message = format!("'{}' takes no operand; the one given is passed over", operator.name);
                        self.warn("needlessOperand", &place, message, "remove targetOperand");
                    }
                }
            }
        }
        if let Err(problems) = CompiledFilter::compile(scope) {
            self.found.extend(problems.into_iter().map(|mut problem| {
                problem.path = format!("{path}{}", problem.path.trim_start_matches('$'));
                problem
            }));
        }
    }

    fn error(&mut self, code: &'static str, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Error, code, path, message.into(), remedy.into());
    }

    fn warn(&mut self, code: &'static str, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Severity::Warning, code, path, message.into(), remedy.into());
    }

    fn push(&mut self, severity: Severity, code: &'static str, path: &str, message: String, remedy: String) {
        let path = path.to_owned();
        self.found.push(SchemaDiagnostic { severity, code, path, position: None, message, remedy: Some(remedy) });
    }
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
