//! Scoping filters made ready to run: operators looked up, patterns compiled once.

use std::error::Error;
use std::sync::Arc;

use smol_str::SmolStr;
use usher_expr::dotnet::regex::Pattern;
use usher_expr::{Attributes, Severity};

use super::{NullMode, Operator, OperatorError};
use crate::schema::{FilterClause, FilterGroup, SchemaDiagnostic, ScopingFilter};

/// A scoping filter, ready to run.
#[derive(Clone, Debug, Default)]
pub struct CompiledFilter {
    groups: Vec<CompiledGroup>,
    input: Vec<CompiledGroup>,
    category: Vec<CompiledGroup>,
}

#[derive(Clone, Debug)]
struct CompiledGroup {
    name: String,
    clauses: Vec<CompiledClause>,
}

/// A clause, ready to run.
#[derive(Clone, Debug)]
pub struct CompiledClause {
    attribute: SmolStr,
    operator: &'static Operator,
    operands: Arc<[SmolStr]>,
    patterns: Arc<[Pattern]>,
}

/// What a filter says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterResult {
    /// The object passes a group, or there is none.
    pub passed: bool,
    /// The input filter drops it: it is ignored.
    pub dropped_by_input_filter: bool,
    /// The category filter says that it does not belong to this mapping.
    pub not_in_category: bool,
    /// Every clause that was looked at.
    pub clauses: Vec<ClauseResult>,
}

/// What one clause says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseResult {
    /// `{group}.{attribute} {OPERATOR} {operand}`.
    pub title: String,
    /// The source attribute that it reads.
    pub attribute: SmolStr,
    /// True of the object.
    pub passed: bool,
    /// Why it could not be evaluated; it counts as false then.
    pub error: Option<String>,
}

impl CompiledFilter {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// Every unknown operator, missing operand and invalid pattern; paths are relative to the filter (`$`).
    pub fn compile(filter: &ScopingFilter) -> Result<Self, Vec<SchemaDiagnostic>> {
        let mut problems = Vec::new();
        let mut compile = |kind: &str, groups: &[FilterGroup]| -> Vec<CompiledGroup> {
            groups
                .iter()
                .enumerate()
                .map(|(index, group)| CompiledGroup {
                    name: group.name.clone(),
                    clauses: group
                        .clauses
                        .iter()
                        .enumerate()
                        .filter_map(|(clause_index, clause)| {
                            let path = format!("$.{kind}[{index}].clauses[{clause_index}]");
                            CompiledClause::compile(clause, &path)
                                .map_err(|problem| problems.push(problem))
                                .ok()
                        })
                        .collect(),
                })
                .collect()
        };
        let filter = Self {
            groups: compile("groups", &filter.groups),
            input: compile("inputFilterGroups", &filter.input_filter_groups),
            category: compile("categoryFilterGroups", &filter.category_filter_groups),
        };
        if problems.is_empty() { Ok(filter) } else { Err(problems) }
    }

    /// Evaluates all groups over an object.
    pub fn evaluate(&self, object: &dyn Attributes) -> FilterResult {
        let mut clauses = Vec::new();
        let mut any = |groups: &[CompiledGroup], mode: NullMode| {
            let mut passed = groups.is_empty();
            for group in groups {
                let mut all = true;
                for clause in &group.clauses {
                    let result = clause.evaluate(&group.name, object, mode);
                    all &= result.passed;
                    clauses.push(result);
                }
                passed |= all;
            }
            passed
        };
        let dropped_by_input_filter = !any(&self.input, NullMode::NegationsTrue);
        let not_in_category = !any(&self.category, NullMode::NegationsTrue);
        let passed = any(&self.groups, NullMode::False);
        FilterResult { passed, dropped_by_input_filter, not_in_category, clauses }
    }

    /// The source attributes that the filter reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.groups
            .iter()
            .chain(&self.input)
            .chain(&self.category)
            .flat_map(|group| &group.clauses)
            .map(|clause| clause.attribute.as_str())
    }
}

impl CompiledClause {
    /// Makes a clause ready; `path` is where it stands.
    ///
    /// # Errors
    /// It names no attribute or an unknown operator, or the operand does not fit the operator.
    pub fn compile(clause: &FilterClause, path: &str) -> Result<Self, SchemaDiagnostic> {
        let problem = |code, message: String, remedy: String| SchemaDiagnostic {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            position: None,
            message,
            remedy: Some(remedy),
        };
        if clause.source_operand_name.is_empty() {
            let message = "the clause names no source attribute";
            return Err(problem("noOperand", message.to_owned(), "give sourceOperandName".to_owned()));
        }
        let Some(operator) = super::find(&clause.operator_name) else {
            let known: Vec<&str> = super::all().iter().map(|operator| operator.name).collect();
            let message = format!("there is no operator '{}'", clause.operator_name);
            return Err(problem("unknownOperator", message, format!("one of {}", known.join(", "))));
        };
        let patterns = operator.patterns(&clause.target_operand).map_err(|error| {
            let (code, remedy) = match &error {
                OperatorError::NoOperand(_) => ("noOperand", "give targetOperand.values one text"),
                _ => ("invalidPattern", "correct the pattern"),
            };
            problem(code, with_cause(&error), remedy.to_owned())
        })?;
        if operator.compares_numbers()
            && let Some(error) =
                clause.target_operand.iter().find_map(|operand| super::natural(operand).err())
        {
            let remedy = format!("'{}' compares whole numbers that are not negative", operator.name);
            return Err(problem("notANumber", error.to_string(), remedy));
        }
        Ok(Self {
            attribute: clause.source_operand_name.as_str().into(),
            operator,
            operands: clause.target_operand.iter().map(SmolStr::from).collect(),
            patterns: patterns.into(),
        })
    }

    /// Evaluates the clause over an object; `group` is the title of its group.
    pub fn evaluate(&self, group: &str, object: &dyn Attributes, mode: NullMode) -> ClauseResult {
        let value = object.get(&self.attribute);
        let (passed, error) = match self.operator.evaluate(&value, &self.operands, &self.patterns, mode) {
            Ok(passed) => (passed, None),
            Err(error) => (false, Some(with_cause(&error))),
        };
        ClauseResult { title: self.title(group), attribute: self.attribute.clone(), passed, error }
    }

    fn title(&self, group: &str) -> String {
        let mut title = format!("{group}.{} {}", self.attribute, self.operator.name);
        for (index, operand) in self.operands.iter().enumerate() {
            title.push_str(if index == 0 { " " } else { ", " });
            title.push_str(operand);
        }
        title
    }
}

/// The message with its cause, where nobody is left to print the chain.
fn with_cause(error: &OperatorError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
