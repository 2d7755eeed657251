//! A rule of the synchronization schema, compiled once per job: filters, expressions and attribute rules, ready to run.

use std::borrow::Cow;

use smol_str::SmolStr;
use usher_expr::{Attributes, Context, EvaluationError, Expression, Outcome, Value, compile};

use crate::operators::CompiledFilter;
use crate::schema::{
    AttributeDefinition, AttributeMapping, AttributeType, FlowBehavior, FlowType, Mutability,
    ObjectDefinition, ObjectMapping, Rule, Schema, Severity, SourceType,
};
use crate::steps::import::IS_SOFT_DELETED;
use crate::steps::switch;
use crate::{References, RuleId};

/// A rule, ready to run.
#[derive(Clone, Debug)]
pub struct RuleProgram {
    /// The rule's id.
    pub id: RuleId,
    /// The source directory's name in the schema.
    pub source_directory: String,
    /// The target directory's name in the schema.
    pub target_directory: String,
    /// The object mappings that are enabled.
    pub mappings: Vec<MappingProgram>,
}

/// An object mapping, ready to run.
#[derive(Clone, Debug)]
pub struct MappingProgram {
    /// The source object's name.
    pub source_type: SmolStr,
    /// The target object's name.
    pub target_type: SmolStr,
    /// Objects may be created.
    pub adds: bool,
    /// Objects may be changed.
    pub updates: bool,
    /// Objects may be deleted.
    pub deletes: bool,
    /// The scoping filter.
    pub filter: CompiledFilter,
    /// The attribute mappings, in the order of the schema.
    pub attributes: Vec<AttributeProgram>,
    /// Values for source attributes that have none (rule metadata `defaultSourceObjectMappings`).
    pub source_defaults: Vec<(SmolStr, Value)>,
    /// The target can switch an object off instead of deleting it.
    pub is_soft_deletion_supported: bool,
}

/// An attribute mapping, ready to run, with the target attribute's own rules.
#[derive(Clone, Debug)]
pub struct AttributeProgram {
    /// The target attribute's name.
    pub target: SmolStr,
    /// How its value comes about.
    pub source: Source,
    /// The value when the source gives none.
    pub default: Option<Value>,
    /// 0: not a matching attribute; above: lowest first.
    pub matching_priority: i32,
    /// When the value flows.
    pub flow_type: FlowType,
    /// Whether it flows without a change.
    pub flow_behavior: FlowBehavior,
    /// The target attribute's type.
    pub value_type: AttributeType,
    /// Case counts in comparisons.
    pub is_case_exact: bool,
    /// The target attribute takes several values.
    pub is_multivalued: bool,
    /// The target object needs a value.
    pub is_required: bool,
    /// When the target attribute may be written.
    pub mutability: Mutability,
    /// Null values flow: the target attribute is cleared when the source has no value.
    pub flows_null: bool,
    /// The names of the source objects that a reference may point to.
    pub referenced: Vec<SmolStr>,
    is_random: bool,
}

/// How an attribute's value comes about.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nothing flows; only the default may.
    None,
    /// The source attribute as it is.
    Attribute(SmolStr),
    /// A fixed value.
    Constant(Value),
    /// An expression.
    Expression(Expression),
}

/// Why a rule cannot run: the message names the place, the detail the problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ProgramError {
    /// Where in the schema, as a JSON path.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl RuleProgram {
    /// Compiles a rule of a schema.
    ///
    /// # Errors
    /// Every expression or filter of an enabled object mapping that cannot run.
    pub fn compile(schema: &Schema, rule: &Rule) -> Result<Self, Vec<ProgramError>> {
        let mut errors = Vec::new();
        let mut mappings = Vec::new();
        for (index, mapping) in rule.object_mappings.iter().enumerate().filter(|(_, mapping)| mapping.enabled)
        {
            match MappingProgram::compile(schema, rule, mapping) {
                Ok(program) => mappings.push(program),
                Err(problems) => errors.extend(problems.into_iter().map(|mut error| {
                    error.place = format!("rule '{}', object mapping {index}, {}", rule.id, error.place);
                    error
                })),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            id: RuleId::new(rule.id.clone()),
            source_directory: rule.source_directory_name.to_string(),
            target_directory: rule.target_directory_name.to_string(),
            mappings,
        })
    }

    /// The enabled mapping of a source object's name: exact first, then without regard to case.
    pub fn mapping(&self, object_type: &str) -> Option<&MappingProgram> {
        self.mappings.iter().find(|mapping| mapping.source_type == object_type).or_else(|| {
            self.mappings.iter().find(|mapping| mapping.source_type.eq_ignore_ascii_case(object_type))
        })
    }
}

impl MappingProgram {
    fn compile(schema: &Schema, rule: &Rule, mapping: &ObjectMapping) -> Result<Self, Vec<ProgramError>> {
        let dialect = rule.dialect(schema);
        let definition = |directory: &str, object: &str| -> Option<&ObjectDefinition> {
            schema.directory(directory).and_then(|directory| directory.object(object))
        };
        let source = definition(&rule.source_directory_name, &mapping.source_object_name);
        let target = definition(&rule.target_directory_name, &mapping.target_object_name);
        let mut errors = Vec::new();
        let filter = match &mapping.scope {
            None => CompiledFilter::default(),
            Some(scope) => CompiledFilter::compile(scope).unwrap_or_else(|problems| {
                errors.extend(
                    problems
                        .into_iter()
                        .map(|problem| ProgramError { place: problem.path, problem: problem.message }),
                );
                CompiledFilter::default()
            }),
        };
        let mut attributes = Vec::new();
        for attribute in &mapping.attribute_mappings {
            match AttributeProgram::compile(attribute, source, target, dialect) {
                Ok(program) => attributes.push(program),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let source_type = SmolStr::from(mapping.source_object_name.as_str());
        Ok(Self {
            source_defaults: rule
                .source_defaults(&source_type)
                .into_iter()
                .map(|(name, value)| (SmolStr::from(name), Value::from(value.as_str())))
                .collect(),
            source_type,
            target_type: mapping.target_object_name.as_str().into(),
            adds: mapping.flow_types.add,
            updates: mapping.flow_types.update,
            deletes: mapping.flow_types.delete,
            filter,
            attributes,
            is_soft_deletion_supported: target
                .and_then(|object| object.metadata("IsSoftDeletionSupported"))
                .is_none_or(|value| !value.trim_matches('"').eq_ignore_ascii_case("false")),
        })
    }

    /// The matching attributes, best priority first.
    pub fn matching(&self) -> impl Iterator<Item = &AttributeProgram> {
        let mut matching: Vec<_> =
            self.attributes.iter().filter(|attribute| attribute.matching_priority > 0).collect();
        matching.sort_by_key(|attribute| attribute.matching_priority);
        matching.into_iter()
    }

    /// The source attributes that mappings, filters and matching read.
    pub fn source_attributes(&self) -> Vec<SmolStr> {
        let mut names: Vec<SmolStr> =
            vec!["accountEnabled".into(), IS_SOFT_DELETED.into(), "displayName".into()];
        let read = self.attributes.iter().flat_map(AttributeProgram::reads).cloned();
        for name in read.chain(self.filter.attributes().map(SmolStr::from)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The target attributes that are compared. Multi-valued references are read only where a run works on all of
    /// them or names some: a group's members can be many.
    pub fn target_attributes(&self, references: &References) -> Vec<SmolStr> {
        self.attributes
            .iter()
            .filter(|attribute| match (&attribute.source, references) {
                (Source::Attribute(name), References::Named(named))
                    if attribute.is_reference() && attribute.is_multivalued =>
                {
                    named.iter().any(|reference| reference.attribute.eq_ignore_ascii_case(name))
                }
                _ => true,
            })
            .map(|attribute| attribute.target.clone())
            .collect()
    }

    /// Whether the switch of a directory service's accounts is mapped, from whatever it is.
    pub fn has_directory_switch(&self) -> bool {
        self.attributes.iter().any(|attribute| switch::is_of_directory(&attribute.target))
    }

    /// Whether some mapping reads the computed attribute that switches accounts off. The mapping is the switch:
    /// without it leaving the scope sends nothing, unless a directory service's own switch is mapped.
    pub fn switches_off(&self) -> bool {
        self.attributes.iter().any(AttributeProgram::depends_on_soft_deletion)
    }
}

impl AttributeProgram {
    fn compile(
        mapping: &AttributeMapping,
        source: Option<&ObjectDefinition>,
        target: Option<&ObjectDefinition>,
        dialect: usher_expr::Dialect,
    ) -> Result<Self, ProgramError> {
        let fallback = AttributeDefinition::default();
        let name = mapping.target_attribute_name.as_str();
        let definition = target.and_then(|object| object.attribute(name)).unwrap_or(&fallback);
        let program = match &mapping.source {
            None => Source::None,
            Some(origin) => match origin.source_type {
                SourceType::Attribute => Source::Attribute(origin.attribute_name().into()),
                SourceType::Constant => constant(origin.constant_text(), dialect, name)?,
                SourceType::Function => expression(origin.expression_text(), dialect, name)?,
            },
        };
        let from = match &program {
            Source::Attribute(from) => source.and_then(|object| object.attribute(from)),
            _ => None,
        };
        let is_random = match &program {
            Source::Expression(expression) => {
                let text = expression.source().to_ascii_lowercase();
                ["random", "guid"].iter().any(|word| text.contains(word))
            }
            _ => false,
        };
        Ok(Self {
            target: name.into(),
            // A required attribute has a default of its own besides the mapping's (Graph attributeDefinition).
            default: mapping
                .default_value
                .as_deref()
                .or(definition.default_value.as_deref().filter(|_| definition.required))
                .filter(|text| !text.is_empty())
                .map(Value::from),
            matching_priority: mapping.matching_priority,
            flow_type: mapping.flow_type,
            flow_behavior: mapping.flow_behavior,
            value_type: definition.value_type,
            is_case_exact: definition.case_exact,
            is_multivalued: definition.multivalued,
            is_required: definition.required,
            mutability: definition.mutability,
            flows_null: definition.flow_null_values && from.is_none_or(|from| from.flow_null_values),
            referenced: from
                .map(|from| from.referenced_object_names().map(SmolStr::from).collect())
                .unwrap_or_default(),
            source: program,
            is_random,
        })
    }

    /// The value before defaults and conversion.
    ///
    /// # Errors
    /// The expression failed.
    pub fn evaluate(&self, source: &dyn Attributes, context: &Context) -> Result<Outcome, EvaluationError> {
        match &self.source {
            Source::None => Ok(Outcome::Value(Value::Null)),
            Source::Attribute(name) => Ok(Outcome::Value(source.get(name))),
            Source::Constant(value) => Ok(Outcome::Value(value.clone())),
            Source::Expression(expression) => expression.evaluate(source, &self.own_context(context)),
        }
    }

    /// The context that its expression is evaluated in.
    pub fn own_context<'a>(&self, context: &'a Context) -> Cow<'a, Context> {
        if !self.is_random {
            return Cow::Borrowed(context);
        }
        // Two attributes must not draw the same numbers, or passwords would repeat.
        let mut own = context.clone();
        own.seed = self.target.bytes().fold(context.seed, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(5)
        });
        Cow::Owned(own)
    }

    /// The source attributes that it reads.
    pub fn reads(&self) -> &[SmolStr] {
        match &self.source {
            Source::Attribute(name) => std::slice::from_ref(name),
            Source::Expression(expression) => expression.attributes(),
            Source::None | Source::Constant(_) => &[],
        }
    }

    /// Whether the attribute refers to other objects.
    pub fn is_reference(&self) -> bool {
        self.value_type == AttributeType::Reference
    }

    /// Whether its value hangs on the computed attribute that switches accounts off.
    pub fn depends_on_soft_deletion(&self) -> bool {
        self.reads().iter().any(|name| name.eq_ignore_ascii_case(IS_SOFT_DELETED))
    }

    /// Whether its values are never shown: the mapping says so, or the target never gives them back.
    pub fn is_redacted(&self) -> bool {
        self.mutability == Mutability::WriteOnly
            || matches!(&self.source, Source::Expression(expression) if expression.is_redacted())
    }
}

fn expression(text: &str, dialect: usher_expr::Dialect, name: &str) -> Result<Source, ProgramError> {
    let compilation = compile(text, dialect);
    compilation.expression.map(Source::Expression).ok_or_else(|| ProgramError {
        place: format!("mapping to {name}"),
        problem: compilation
            .diagnostics
            .iter()
            .find(|diagnostic| diagnostic.severity == Severity::Error)
            .map_or_else(
                || "the expression cannot be read".to_owned(),
                |diagnostic| diagnostic.message.clone(),
            ),
    })
}

/// A constant; one that is a parameter such as `%DomainFQDN%` takes its value from the context.
fn constant(text: &str, dialect: usher_expr::Dialect, name: &str) -> Result<Source, ProgramError> {
    let is_parameter = text.len() > 2
        && text.starts_with('%')
        && text.ends_with('%')
        && text[1..text.len() - 1].chars().all(|character| character.is_ascii_alphanumeric());
    if is_parameter && dialect != usher_expr::Dialect::Service {
        return expression(text, dialect, name);
    }
    Ok(Source::Constant(Value::from(text)))
}
