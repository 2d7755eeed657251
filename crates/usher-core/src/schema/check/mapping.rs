//! Checking attribute mappings: both ends, the expression, and what flows.

use usher_expr::{Node, NodeKind, compile};

use super::{Checker, Ends};
use crate::schema::{
    AttributeDefinition, AttributeMapping, AttributeMappingSource, AttributeType, FlowType, Mutability,
    SchemaDiagnostic, SourceType,
};

impl Checker<'_> {
    pub(super) fn attribute_mapping(&mut self, path: &str, mapping: &AttributeMapping, ends: &Ends<'_>) {
        let name = &mapping.target_attribute_name;
        let target = ends.target_attribute(name);
        if let Some(object) = ends.target.filter(|object| target.is_none() && !object.attributes.is_empty()) {
            let message = format!("the target object '{}' has no attribute '{name}'", object.name);
            self.warn("unknownTarget", path, message, "add its definition, or correct the name");
        }
        if let Some(target) = target {
            self.target(path, mapping, target);
        }
        if ends.is_enabled {
            self.matching(path, mapping);
        }
        let Some(source) = &mapping.source else { return };
        match source.source_type {
            SourceType::Constant => {
                if let Some(target) = target.filter(|_| !source.constant_text().starts_with('%')) {
                    self.default_fits(&format!("{path}.source"), Some(source.constant_text()), target);
                }
            }
            SourceType::Attribute => {
                let attribute = source.attribute_name();
                if ends.lacks(attribute) {
                    let message = format!("the source object has no attribute '{attribute}'");
                    self.warn("unknownSource", path, message, "add its definition, or correct the name");
                }
                if let (Some(origin), Some(target)) = (ends.source_attribute(attribute), target) {
                    self.direct(path, mapping, origin, target, ends);
                }
            }
            SourceType::Function => self.expression(path, mapping, source, target, ends),
        }
    }

    fn target(&mut self, path: &str, mapping: &AttributeMapping, target: &AttributeDefinition) {
        let name = &target.name;
        // A matching attribute is read; that it cannot be written does no harm.
        if target.mutability == Mutability::ReadOnly && mapping.matching_priority == 0 {
            let message = format!("'{name}' is read-only in the target, so the mapping has no effect");
            self.warn("readOnlyTarget", path, message, "remove the mapping");
        }
        if target.mutability == Mutability::WriteOnly && mapping.matching_priority > 0 {
            let message =
                format!("'{name}' is never given back by the target, so nothing can be found by it");
            self.warn("writeOnlyMatching", path, message, "match on another attribute");
        }
        if mapping.flow_type == FlowType::MultiValueAddOnly && !target.multivalued {
            let message = format!("'{name}' takes one value, but the flow type is for several");
            self.warn("flowTypeSingle", path, message, "use Always or AttributeAddOnly");
        }
        self.default_fits(path, mapping.default_value.as_deref(), target);
    }

    fn matching(&mut self, path: &str, mapping: &AttributeMapping) {
        if mapping.matching_priority < 0 {
            let message =
                format!("the matching priority {} is below 0 and counts as 0", mapping.matching_priority);
            self.warn("negativePriority", path, message, "0 means no matching; matching ones begin at 1");
        }
        let is_fixed =
            mapping.source.as_ref().is_none_or(|source| source.source_type == SourceType::Constant);
        if mapping.matching_priority > 0 && is_fixed {
            let message = "a matching attribute without a source value finds the same object for everybody";
            self.warn("matchingConstant", path, message, "map the source attribute that tells objects apart");
        }
    }

    fn direct(
        &mut self,
        path: &str,
        mapping: &AttributeMapping,
        source: &AttributeDefinition,
        target: &AttributeDefinition,
        ends: &Ends<'_>,
    ) {
        let (from, to) = (&source.name, &target.name);
        let is_reference = |attribute: &AttributeDefinition| attribute.value_type == AttributeType::Reference;
        if is_reference(source) != is_reference(target) {
            let (reference, plain) = if is_reference(source) { (from, to) } else { (to, from) };
            let message =
                format!("'{reference}' is a reference and '{plain}' is not, so nothing is resolved");
            self.warn("referenceToPlain", path, message, "map references to references");
        }
        let objects = ends.source_directory.map(|directory| (directory, source.referenced_object_names()));
        if let Some((directory, mut names)) = objects
            && source.referenced_object_names().next().is_some()
            && names.all(|name| directory.object(name).is_none())
        {
            let known: Vec<&str> = source.referenced_object_names().collect();
            let message =
                format!("'{from}' refers to {}, which the source directory does not have", known.join(", "));
            self.warn("unknownReference", path, message, "add its definition, or correct referencedObjects");
        }
        if source.multivalued && !target.multivalued {
            let message = format!("'{from}' may have several values, but '{to}' takes one");
            self.warn("severalValues", path, message, "pick one with an expression such as Item");
        }
        if mapping.matching_priority > 0 && (is_reference(source) || is_reference(target)) {
            let message = format!("'{to}' is a reference and cannot be matched on");
            self.warn("referenceMatching", path, message, "match on a text or a number");
        }
    }

    fn expression(
        &mut self,
        path: &str,
        mapping: &AttributeMapping,
        source: &AttributeMappingSource,
        target: Option<&AttributeDefinition>,
        ends: &Ends<'_>,
    ) {
        let place = format!("{path}.source.expression");
        let text = &source.expression;
        let compilation = compile(text, ends.dialect);
        self.found.extend(compilation.diagnostics.iter().map(|diagnostic| {
            let character = text.get(..diagnostic.span.start).map_or(0, |before| before.chars().count()) + 1;
            let message = format!(
                "{} (character {character} of the expression `{}`)",
                diagnostic.message,
                shorten(text)
            );
            SchemaDiagnostic {
                severity: diagnostic.severity,
                code: diagnostic.code,
                path: place.clone(),
                position: None,
                message,
                remedy: diagnostic.remedy.clone(),
            }
        }));
        let Some(expression) = compilation.expression else { return };
        for attribute in expression.attributes().iter().filter(|attribute| ends.lacks(attribute)) {
            let message =
                format!("the expression reads '{attribute}', which the source object does not have");
            self.warn("unknownSource", &place, message, "add its definition, or correct the name");
        }
        if !source.parameters.is_empty() && disagree(&compilation.tree, source) {
            let message = format!(
                "'parameters' say something else than the expression `{}`, which counts",
                shorten(text)
            );
            self.warn(
                "parametersDisagree",
                &format!("{path}.source"),
                message,
                "correct them, or leave them empty",
            );
        }
        if target.is_some_and(|target| target.value_type == AttributeType::Reference) {
            let message =
                format!("'{}' is a reference and is mapped by an expression", mapping.target_attribute_name);
            self.warn("referenceByExpression", path, message, "references take direct mappings only");
        }
        if !expression.selects_unique_value() {
            return;
        }
        if mapping.matching_priority > 0 {
            let message = "SelectUniqueValue cannot compute a matching attribute";
            self.error("uniqueMatching", path, message, "match on another attribute");
        } else if mapping.flow_type != FlowType::ObjectAddOnly {
            let message = "SelectUniqueValue is meant for new objects, but the mapping flows always";
            self.warn("uniqueAlways", path, message, "set flowType to ObjectAddOnly");
        }
    }
}

/// Whether a parsed expression and the exported tree of it name different functions, attributes or texts.
fn disagree(node: &Node, source: &AttributeMappingSource) -> bool {
    match &node.kind {
        NodeKind::Call { name, arguments } => {
            let given: Vec<&Node> = arguments.iter().flatten().collect();
            // Exports write a comparison as three arguments.
            let compares = given.iter().any(|node| matches!(node.kind, NodeKind::Comparison { .. }));
            !source.name.eq_ignore_ascii_case(name)
                || !source.parameters.is_empty()
                    && !compares
                    && (given.len() != source.parameters.len()
                        || given
                            .iter()
                            .zip(&source.parameters)
                            .any(|(node, (_, source))| disagree(node, source)))
        }
        NodeKind::Attribute(name) => !source.attribute_name().eq_ignore_ascii_case(name),
        NodeKind::Text(text) => source.source_type == SourceType::Constant && source.name != *text,
        _ => false,
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
